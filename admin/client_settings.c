#include "admin/client_settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WELL_KNOWN "/.well-known/est"
#define LABEL_MOST 128

/* RFC 3986 2.3 */
#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

static char *copy(const json_t *object, const char *key)
{
	return mem_string(json_string_value(json_object_get(object, key)));
}

enum outcome client_settings_read(
    struct span json, const char *what, struct client_settings *settings)
{
	json_t *object;

	*settings = (struct client_settings){0};
	if (json.len == 0)
		return EST_OK;
	object = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return reason(EST_MALFORMED, "%.200s is not a JSON object", what);
	}
	settings->url = copy(object, "url");
	settings->label = copy(object, "label");
	settings->key_type = copy(object, "key");
	json_decref(object);
	return EST_OK;
}

void client_settings_write(const struct client_settings *settings, struct buf *json)
{
	json_t *object = json_object();
	char *text;

	(void)json_object_set_new(object, "url", cli_json_text(settings->url));
	(void)json_object_set_new(object, "label", cli_json_text(settings->label));
	(void)json_object_set_new(object, "key", cli_json_text(settings->key_type));
	text = json_dumps(object, JSON_INDENT(2));
	buf_printf(json, "%s\n", text == NULL ? "{}" : text);
	free(text);
	json_decref(object);
}

static enum outcome bad_url(const char *url, const char *wrong)
{
	return cli_usage("--url %.200s: %s", url, wrong);
}

/* The URL with the path that EST has (RFC 7030 3.2.2), whether it was written or not. */
static enum outcome take_url(const char *url, char **out)
{
	static const char scheme[] = "https://";
	struct buf base = {0};
	const char *host, *path;
	size_t len;

	/* A password may stand before the @: it is not repeated. */
	if (strchr(url, '@') != NULL)
		return cli_usage(
		    "--url: no user or password in a URL; give --user and --password-file");
	if (strncasecmp(url, scheme, strlen(scheme)) != 0)
		return bad_url(url, "a URL that begins with https:// is wanted");
	host = url + strlen(scheme);
	path = host + strcspn(host, "/");
	len = strlen(path);
	if (path == host || url[strcspn(url, "?#\\\"<> \t\r\n")] != '\0')
		return bad_url(url, "https://HOST[:PORT] is wanted, without query or fragment");
	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len > 0 && (len != strlen(WELL_KNOWN) || strncmp(path, WELL_KNOWN, len) != 0))
		return bad_url(
		    url, "its path must be empty or " WELL_KNOWN "; a label goes into --label");
	buf_add_string(&base, scheme);
	buf_add(&base, host, (size_t)(path - host));
	buf_add_string(&base, WELL_KNOWN);
	free(*out);
	*out = mem_string(buf_string(&base));
	buf_free(&base);
	return EST_OK;
}

static enum outcome take_label(const char *label, char **out)
{
	size_t len = strlen(label);

	if (len > LABEL_MOST || strspn(label, UNRESERVED) != len || strcmp(label, ".") == 0 ||
	    strcmp(label, "..") == 0)
		return cli_usage("--label %.200s: 1 to %d letters, digits and -._~ are wanted",
		    label, LABEL_MOST);
	free(*out);
	*out = mem_string(label);
	return EST_OK;
}

enum outcome client_settings_override(
    struct client_settings *settings, const struct client_options *options)
{
	enum outcome outcome = EST_OK;

	if (options->url != NULL) {
		outcome = take_url(options->url, &settings->url);
		free(settings->label);
		settings->label = NULL;
	}
	if (outcome == EST_OK && options->label != NULL)
		outcome = take_label(options->label, &settings->label);
	if (outcome != EST_OK)
		return outcome;
	if (settings->url == NULL)
		return cli_usage("--url is missing: where is the EST server?");
	if (options->key_type != NULL) {
		free(settings->key_type);
		settings->key_type = mem_string(options->key_type);
	}
	if (settings->key_type == NULL)
		settings->key_type = mem_string("P-256");
	return EST_OK;
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool client_settings_same_place(const struct client_settings *a, const struct client_settings *b)
{
	return same(a->url, b->url) && same(a->label, b->label);
}

void client_settings_free(struct client_settings *settings)
{
	free(settings->url);
	free(settings->label);
	free(settings->key_type);
	*settings = (struct client_settings){0};
}
