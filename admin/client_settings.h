/*
 * client_settings.h - where a device enrolls and with which kind of key: device.json.
 */
#ifndef EST_CLIENT_SETTINGS_H
#define EST_CLIENT_SETTINGS_H

#include "admin/client.h"

/* Texts are its own; NULL where nothing is known. Freed by client_settings_free(). */
struct client_settings {
	char *url; /* "https://host:port/.well-known/est" */
	char *label;
	char *key_type;
};

/* Reads device.json; an empty content leaves everything NULL. EST_MALFORMED names what. */
enum outcome client_settings_read(
    struct span json, const char *what, struct client_settings *settings);

/*
 * Puts --url, --label and --key over what is there. --url without --label means no label.
 * cli_usage() where one of them is none, or there is no URL at all.
 */
enum outcome client_settings_override(
    struct client_settings *settings, const struct client_options *options);

/* Appends device.json. */
void client_settings_write(const struct client_settings *settings, struct buf *json);

/* Whether both name the same server and label. */
bool client_settings_same_place(const struct client_settings *a, const struct client_settings *b);

void client_settings_free(struct client_settings *settings);

#endif
