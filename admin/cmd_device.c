/*
 * cmd_device.c - est-admin device: one of them, which is a name under a label; how it stands, and
 * whether it may have certificates.
 */
#include <string.h>

#include "admin/device.h"
#include "admin/one_time.h"
#include "common/base/clock.h"
#include "common/lifecycle/revoke.h"

#define REASON_MOST 255 /* octets of a reason for people */

/* --- its certificates --- */

static const char *status_of(const struct cert_record *cert)
{
	return cert_status_name(cert_record_status(cert, clock_now()));
}

static enum outcome print_cert(
    const struct admin *admin, const struct cert_record *cert, void *context)
{
	char serial[2 * SERIAL_MAX + 1], time[CLOCK_TEXT];

	(void)admin;
	(void)context;
	cli_print("certificate  %-36s  %-7s  until %s", serial_text(&cert->serial, serial),
	    status_of(cert), clock_text(cert->not_after, time));
	return EST_OK;
}

static enum outcome list_cert(
    const struct admin *admin, const struct cert_record *cert, void *context)
{
	json_t *array = context, *object = json_object();
	char serial[2 * SERIAL_MAX + 1];

	(void)admin;
	json_object_set_new(object, "serial", cli_json_text(serial_text(&cert->serial, serial)));
	json_object_set_new(object, "status", cli_json_text(status_of(cert)));
	json_object_set_new(object, "not_after", cli_json_time(cert->not_after));
	json_array_append_new(array, object);
	return EST_OK;
}

/* --- show --- */

/* The secret of that name, where it counts under the device's label; name NULL: there is none. */
static enum outcome find_secret(
    const struct admin *admin, const struct device_record *record, struct secret_record *out)
{
	enum outcome outcome = store_secret_get(admin->service->store, record->name, out);

	if (outcome == EST_OK && out->label != NULL && strcmp(out->label, record->label) != 0)
		secret_record_clear(out);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	return EST_OK;
}

static enum outcome print_json(
    const struct admin *admin, const struct device *device, const struct secret_record *secret)
{
	json_t *object = device_json(device), *certificates = json_array();
	enum outcome outcome = device_each_cert(admin, device, list_cert, certificates);

	json_object_set_new(object, "certificates", certificates);
	json_object_set_new(
	    object, "secret", secret->name == NULL ? json_null() : one_time_json(secret));
	if (outcome == EST_OK)
		cli_json_print(object);
	else
		json_decref(object);
	return outcome;
}

static enum outcome print_whole(
    const struct admin *admin, const struct device *device, const struct secret_record *secret)
{
	const struct device_record *record = &device->record;
	char time[CLOCK_TEXT];

	cli_print("name         %s", record->name);
	cli_print("label        %s", device_label(device));
	cli_print("state        %s", device_state_name(device));
	if (record->blocked_at != 0) {
		cli_print("blocked      %s", clock_text(record->blocked_at, time));
		cli_print("reason       %s", record->reason[0] == '\0' ? "-" : record->reason);
	}
	cli_print("known since  %s", clock_text(record->added_at, time));
	if (secret->name == NULL)
		cli_print("secret       none");
	else if (secret->used_at != 0)
		cli_print("secret       used, %s", clock_text(secret->used_at, time));
	else
		cli_print("secret       %s, until %s", one_time_state(secret),
		    clock_text(secret->expires_at, time));
	cli_print("issued       %lu, of which %lu are valid", (unsigned long)device->state.issued,
	    (unsigned long)device->state.valid);
	return device_each_cert(admin, device, print_cert, NULL);
}

enum outcome cmd_device_show(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct device device = {0};
	struct secret_record secret = {0};
	enum outcome outcome = device_find(admin, call->arguments[0], &device);

	if (outcome == EST_OK)
		outcome = find_secret(admin, &device.record, &secret);
	if (outcome == EST_OK)
		outcome = (admin->json ? print_json : print_whole)(admin, &device, &secret);
	secret_record_clear(&secret);
	device_clear(&device);
	return outcome;
}

/* --- delete --- */

/* Why certificates are revoked, and until when they were this device's: seconds since 1970. */
struct taking {
	int code;
	int64_t until;
};

/* One that has just expired is no failure. */
static enum outcome revoke_cert(
    const struct admin *admin, const struct cert_record *cert, void *context)
{
	const struct taking *taking = context;
	struct cert_record after = {0};
	enum outcome outcome = EST_OK;

	if (cert->issued_at <= taking->until && cert_record_status(cert, clock_now()) == CERT_VALID)
		outcome = revoke(admin->service, &cert->serial, taking->code, &after);
	if (outcome == EST_CONFLICT) {
		reason_clear();
		outcome = EST_OK;
	}
	cert_record_clear(&after);
	return outcome;
}

/* A secret of a name that is free would be good for whoever takes the name. */
static enum outcome delete_secret(const struct admin *admin, const struct device_record *record)
{
	struct secret_record secret = {0};
	enum outcome outcome = find_secret(admin, record, &secret);

	if (outcome == EST_OK && secret.name != NULL)
		outcome = store_secret_delete(admin->service->store, secret.name);
	if (outcome == EST_NOT_FOUND) {
		reason_clear();
		outcome = EST_OK;
	}
	secret_record_clear(&secret);
	return outcome;
}

/*
 * The name is freed last, so that whatever ends this before can be done again; and what was issued
 * while it was at it is revoked behind.
 */
enum outcome cmd_device_delete(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	const char *word = admin->reason == NULL ? "cessationOfOperation" : admin->reason;
	struct taking taking = {.code = revocation_code(word), .until = INT64_MAX};
	struct device device = {0};
	enum outcome outcome;

	if (admin->reason != NULL && !admin->revokes)
		return cli_usage("--reason is that of --revoke, which is missing");
	if (taking.code < 0)
		return cli_usage("--reason %.60s: no reason of RFC 5280 5.3.1", word);
	outcome = device_find(admin, call->arguments[0], &device);
	if (outcome == EST_OK)
		outcome = delete_secret(admin, &device.record);
	if (outcome == EST_OK && admin->revokes)
		outcome = device_each_cert(admin, &device, revoke_cert, &taking);
	taking.until = clock_now();
	if (outcome == EST_OK && !command_stopped())
		outcome = store_device_free(
		    admin->service->store, device.record.label, device.record.name, taking.until);
	if (outcome == EST_OK && admin->revokes)
		outcome = device_each_cert(admin, &device, revoke_cert, &taking);
	device_clear(&device);
	return outcome;
}

/* --- block --- */

static enum outcome block(
    const struct admin *admin, const char *name, int64_t when, const char *why)
{
	struct device device = {0};
	enum outcome outcome = device_find(admin, name, &device);

	if (outcome == EST_OK)
		outcome = store_device_block(
		    admin->service->store, device.record.label, device.record.name, when, why);
	if (outcome == EST_NOT_FOUND)
		outcome = reason(outcome, "there is no device \"%.100s\" any more", name);
	device_clear(&device);
	return outcome;
}

enum outcome cmd_device_block(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	const char *why = admin->reason == NULL ? "" : admin->reason;
	enum outcome outcome =
	    why[0] == '\0' ? EST_OK : command_text("the reason", why, REASON_MOST);

	return outcome == EST_OK ? block(admin, call->arguments[0], clock_now(), why) : outcome;
}

enum outcome cmd_device_unblock(void *context, const struct cli_call *call)
{
	return block(context, call->arguments[0], 0, "");
}
