/*
 * client_run.h - what the verbs have in common: a locked directory and a trusted server.
 */
#ifndef EST_CLIENT_RUN_H
#define EST_CLIENT_RUN_H

#include "admin/client_directory.h"
#include "admin/client_session.h"

struct client_run {
	const struct client_options *options;
	struct client_directory directory;
	struct client_settings settings;
	struct client_session session;
	STACK_OF(X509) *trust, *cacerts;
};

/*
 * Locks and loads the device directory, takes the password of --srp-user, and makes the settings
 * out of directory and options.
 * EST_CONFLICT where it holds a device of another server or label. client_run_close() in every
 * case.
 */
enum outcome client_run_open(
    const struct client_options *options, enum client_access access, struct client_run *run);

/*
 * Finds out whom to trust (--fingerprint, --trust, or what the directory holds; else whom the
 * server says that has proven itself by TLS-SRP), fetches the CA's
 * certificates from a server so verified, and saves all of it. session->trust is set from then on.
 */
enum outcome client_run_trust(struct client_run *run);

/*
 * What the device proves itself with: --user with its password, --cert with its key. The password
 * stays the caller's, for as long as the session.
 */
enum outcome client_run_credentials(struct client_run *run, struct buf *password);

/* Puts the settings into device.json, which the next client_directory_save() writes. */
void client_run_save_settings(struct client_run *run);

void client_run_close(struct client_run *run);

#endif
