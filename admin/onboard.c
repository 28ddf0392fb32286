#include "admin/onboard.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/base/clock.h"
#include "common/base/encoding.h"

#define SCHEME "https://"

enum outcome onboard_check_url(const struct admin *admin)
{
	const char *url = admin->url;

	if (url == NULL)
		return EST_OK;
	if (strchr(url, '@') != NULL)
		return cli_usage("--url: no user or password in a URL");
	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0 || strchr("/", url[strlen(SCHEME)]) != NULL)
		return cli_usage("--url %.100s: https://HOST[:PORT] is wanted", url);
	for (const char *at = url; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7f || strchr("?#\\\"<>", *at) != NULL)
			return cli_usage("--url: no blank, query or fragment, and ASCII only");
	return EST_OK;
}

/* RFC 7030 3.2.2: without a path it is that of est.conf; a label is its last part. */
static void add_url(const struct admin *admin, const char *label, struct buf *out)
{
	const char *url = admin->url;
	size_t len = strlen(url);

	while (url[len - 1] == '/')
		len--;
	buf_add(out, url, len);
	if (memchr(url + strlen(SCHEME), '/', len - strlen(SCHEME)) == NULL)
		buf_add_string(out, admin->service->config->prefix);
	if (label[0] != '\0')
		buf_printf(out, "/%s", label);
}

/* RFC 7030 4.1.1: what a device that trusts nobody yet can hold the answer to /cacerts against. */
static enum outcome add_fingerprint(const struct admin *admin, const char *label, struct buf *out)
{
	const struct ca *ca = service_label(admin->service, span_of(label))->ca;
	int count = sk_X509_num(ca->chain);
	X509 *root = count > 0 ? sk_X509_value(ca->chain, count - 1) : ca->certificate;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(root, EVP_sha256(), digest, &len) != 1)
		return reason_openssl(EST_INTERNAL, "no fingerprint of the root CA");
	hex_encode(out, (struct span){digest, len});
	return EST_OK;
}

static enum outcome add_code(const struct admin *admin, struct onboard *device)
{
	struct buf url = {0}, fingerprint = {0};
	json_t *object = json_object();
	enum outcome outcome = add_fingerprint(admin, device->label, &fingerprint);
	char *text;

	json_object_set_new(object, "est", json_integer(1));
	if (admin->url != NULL) {
		add_url(admin, device->label, &url);
		json_object_set_new(object, "url", cli_json_text(buf_string(&url)));
	}
	json_object_set_new(object, "sha256", cli_json_text(buf_string(&fingerprint)));
	json_object_set_new(object, "name", cli_json_text(device->name));
	json_object_set_new(object, "secret", cli_json_text(device->text));
	text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (text == NULL)
		abort();
	buf_reserve(&device->code, strlen(text) + 1);
	buf_add_string(&device->code, text);
	(void)buf_string(&device->code); /* its readers take it for a C string */
	OPENSSL_cleanse(text, strlen(text));
	free(text);
	json_decref(object);
	buf_free(&url);
	buf_free(&fingerprint);
	return outcome;
}

json_t *onboard_json(const struct onboard *device)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", cli_json_text(device->name));
	json_object_set_new(object, "label", cli_json_text(device->label));
	if (device->life > 0) {
		const char *code = (const char *)device->code.data;
		json_object_set_new(object, "expires_at", cli_json_time(device->secret.expires_at));
		json_object_set_new(object, "secret", cli_json_text(device->text));
		json_object_set_new(object, "code", cli_json_text(code));
	}
	return object;
}

/* --- whether it may be --- */

static const char *label_word(const char *label)
{
	return label[0] == '\0' ? "-" : label;
}

static enum outcome known(const struct onboard *device)
{
	reason_clear(); /* the store does not know of --replace */
	return reason(EST_CONFLICT,
	    "\"%.100s\" is known already under the label %.80s; --replace gives it another secret",
	    device->name, label_word(device->label));
}

/* That of another label is replaced as well, which nobody may have thought of. */
static enum outcome consider(
    const struct admin *admin, const struct onboard *device, const struct secret_record *before)
{
	if (strcmp(one_time_state(before), "unused") != 0)
		return EST_OK;
	if (!admin->replace)
		return one_time_conflict(before);
	if (before->label == NULL || strcmp(before->label, device->label) != 0)
		cli_say("a name has one secret whatever the labels: that of \"%.100s\" takes the "
			"place of a good one of the label %.80s",
		    device->name, one_time_label(before));
	return EST_OK;
}

/* The secret that the name has, under whatever label; name NULL where it has none. */
static enum outcome find_secret(
    const struct admin *admin, const struct onboard *device, struct secret_record *out)
{
	enum outcome outcome = store_secret_get(admin->service->store, device->name, out);

	if (outcome == EST_NOT_FOUND) {
		reason_clear();
		return EST_OK;
	}
	return outcome == EST_OK ? consider(admin, device, out) : outcome;
}

enum outcome onboard_check_name(const struct admin *admin, const struct onboard *device)
{
	return device->life > 0 ? one_time_check(admin, device->label, device->name)
				: device_check_name(device->name);
}

enum outcome onboard_check(const struct admin *admin, const struct onboard *device)
{
	struct device_record record = {0};
	struct secret_record secret = {0};
	enum outcome outcome =
	    store_device_get(admin->service->store, device->label, device->name, &record, NULL);

	if (outcome == EST_NOT_FOUND) {
		reason_clear();
		outcome = EST_OK;
	} else if (outcome == EST_OK && !admin->replace && !device_record_is_free(&record)) {
		outcome = known(device);
	}
	if (outcome == EST_OK && device->life > 0)
		outcome = find_secret(admin, device, &secret);
	device_record_clear(&record);
	secret_record_clear(&secret);
	return outcome;
}

/* --- doing it, and taking it back --- */

static enum outcome add_device(const struct admin *admin, struct onboard *device)
{
	const struct device_record record = {
	    .label = device->label, .name = device->name, .added_at = clock_now(), .reason = ""};
	enum outcome outcome = store_device_add(admin->service->store, &record);

	device->is_added = outcome == EST_OK;
	if (outcome != EST_CONFLICT)
		return outcome;
	if (!admin->replace)
		return known(device);
	reason_clear();
	return EST_OK;
}

static enum outcome give_secret(const struct admin *admin, struct onboard *device)
{
	struct secret_record *secret = &device->secret;
	enum outcome outcome = find_secret(admin, device, &device->before);

	secret->name = device->name;
	secret->label = device->label;
	secret->created_at = clock_now();
	secret->expires_at = secret->created_at + device->life;
	if (outcome == EST_OK)
		outcome = one_time_make(secret, device->text);
	if (outcome == EST_OK)
		outcome = add_code(admin, device);
	if (outcome == EST_OK)
		outcome =
		    store_secret_put(admin->service->store, secret, device->before.name != NULL);
	device->is_given = outcome == EST_OK;
	return outcome;
}

enum outcome onboard_device(const struct admin *admin, struct onboard *device)
{
	enum outcome outcome = add_device(admin, device);

	if (outcome == EST_OK && device->life > 0)
		outcome = give_secret(admin, device);
	if (outcome != EST_OK)
		onboard_undo(admin, device);
	return outcome;
}

/* The reason of what failed before stays the first one. */
void onboard_undo(const struct admin *admin, struct onboard *device)
{
	struct store *store = admin->service->store;
	enum outcome outcome = EST_OK;

	if (device->is_given && device->before.name != NULL)
		outcome = store_secret_put(store, &device->before, true);
	else if (device->is_given)
		outcome = store_secret_delete(store, device->name);
	if (outcome == EST_OK && device->is_added)
		outcome = store_device_free(store, device->label, device->name, clock_now());
	if (outcome != EST_OK)
		cli_say("\"%.100s\" stays in the store, with a secret that nobody has seen",
		    device->name);
	device->is_given = device->is_added = false;
}

void onboard_clear(struct onboard *device)
{
	OPENSSL_cleanse(device->text, sizeof(device->text));
	buf_cleanse(&device->code);
	secret_record_clear(&device->before);
	*device = (struct onboard){0};
}
