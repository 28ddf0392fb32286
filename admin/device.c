#include "admin/device.h"

#include <string.h>

#define PAGE 200

void device_clear(struct device *device)
{
	device_record_clear(&device->record);
	*device = (struct device){0};
}

enum outcome device_check_name(const char *name)
{
	enum outcome outcome = command_text("a device's name", name, DEVICE_NAME_MOST);

	if (outcome != EST_OK)
		return outcome;
	if (name[0] == ' ' || name[strlen(name) - 1] == ' ' || strstr(name, "  ") != NULL)
		return reason(EST_MALFORMED,
		    "a device's name has single blanks, and only between words: that in a request "
		    "would be taken without the others, and be another device's");
	return EST_OK;
}

/* A blocked one is nothing else; new is one that never had a certificate. */
const char *device_state_name(const struct device *device)
{
	if (device->record.blocked_at != 0)
		return "blocked";
	if (device->state.issued == 0)
		return "new";
	return device->state.valid > 0 ? "active" : "inactive";
}

const char *device_label(const struct device *device)
{
	return device->record.label[0] == '\0' ? "-" : device->record.label;
}

enum outcome device_get(
    const struct admin *admin, const char *label, const char *name, struct device *out)
{
	enum outcome outcome =
	    store_device_get(admin->service->store, label, name, &out->record, &out->state);

	if (outcome == EST_OK && device_record_is_free(&out->record)) {
		device_clear(out);
		outcome = EST_NOT_FOUND;
	}
	if (outcome == EST_NOT_FOUND)
		reason_clear();
	return outcome;
}

static enum outcome missing(const char *name)
{
	return reason(EST_NOT_FOUND, "there is no device \"%.100s\"", name);
}

/* Without --label the name alone tells, as long as one label only knows it. */
static enum outcome find_anywhere(const struct admin *admin, const char *name, struct device *out)
{
	const struct config *config = admin->service->config;

	for (size_t i = 0; i < config->label_count; i++) {
		struct device device = {0};
		enum outcome outcome = device_get(admin, config->labels[i].name, name, &device);
		if (outcome == EST_NOT_FOUND)
			continue;
		if (outcome == EST_OK && out->record.name != NULL)
			outcome = cli_usage(
			    "the labels %.60s and %.60s both know a device \"%.60s\": name "
			    "one with --label",
			    device_label(out), device_label(&device), name);
		if (outcome != EST_OK) {
			device_clear(&device);
			return outcome;
		}
		*out = device;
	}
	return out->record.name != NULL ? EST_OK : missing(name);
}

/* A label that est.conf has no more may still have devices. */
enum outcome device_find(const struct admin *admin, const char *name, struct device *out)
{
	enum outcome outcome;

	if (admin->label == NULL) {
		outcome = find_anywhere(admin, name, out);
		if (outcome != EST_OK)
			device_clear(out);
		return outcome;
	}
	outcome = device_get(admin, strcmp(admin->label, "-") == 0 ? "" : admin->label, name, out);
	return outcome == EST_NOT_FOUND ? missing(name) : outcome;
}

json_t *device_json(const struct device *device)
{
	const struct device_record *record = &device->record;
	const struct device_state *state = &device->state;
	char serial[2 * SERIAL_MAX + 1];
	json_t *object = json_object();

	json_object_set_new(object, "name", cli_json_text(record->name));
	json_object_set_new(object, "label", cli_json_text(record->label));
	json_object_set_new(object, "state", cli_json_text(device_state_name(device)));
	json_object_set_new(object, "added_at", cli_json_time(record->added_at));
	json_object_set_new(object, "issued", json_integer(state->issued));
	json_object_set_new(object, "valid", json_integer(state->valid));
	if (state->current.len > 0) {
		json_object_set_new(object, "last_issued_at", cli_json_time(state->last_issued));
		json_object_set_new(
		    object, "serial", cli_json_text(serial_text(&state->current, serial)));
	}
	if (record->blocked_at != 0) {
		json_object_set_new(object, "blocked_at", cli_json_time(record->blocked_at));
		json_object_set_new(object, "reason", cli_json_text(record->reason));
	}
	return object;
}

/* --- its certificates --- */

/* A certificate is the device's where it has its label, and was issued since the name was freed. */
static enum outcome each_of_page(const struct admin *admin, const struct device_record *record,
    const struct cert_page *page, device_cert *act, void *context)
{
	enum outcome outcome = EST_OK;

	for (size_t i = 0; i < page->count && outcome == EST_OK; i++) {
		const struct cert_record *cert = &page->records[i];
		if (strcmp(cert->label, record->label) == 0 &&
		    (record->freed_at == 0 || cert->issued_at > record->freed_at))
			outcome = act(admin, cert, context);
	}
	return outcome;
}

enum outcome device_each_cert(
    const struct admin *admin, const struct device *device, device_cert *act, void *context)
{
	struct cert_query query = {
	    .order = CERTS_BY_NAME, .name = device->record.name, .limit = PAGE};
	struct cert_page page = {0};
	struct buf token = {0};
	enum outcome outcome;

	do {
		outcome = store_cert_list(admin->service->store, &query, &page);
		if (outcome == EST_OK)
			outcome = each_of_page(admin, &device->record, &page, act, context);
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		query.token = buf_span(&token);
		cert_page_clear(&page);
	} while (outcome == EST_OK && token.len > 0 && !command_stopped());
	buf_free(&token);
	return outcome;
}
