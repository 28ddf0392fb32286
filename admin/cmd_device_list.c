/*
 * cmd_device_list.c - est-admin device list: which devices are known, and how they stand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/device.h"
#include "common/base/clock.h"

static const char *const titles[] = {"name", "label", "state", "added_at", "issued", "valid",
    "last_issued_at", "serial", "blocked_at", "reason"};

/* A cell is what the JSON has, so that there is one place that says what a device is. */
static void print_csv(const struct device *device)
{
	const char *cells[sizeof(titles) / sizeof(titles[0])] = {0};
	char numbers[sizeof(titles) / sizeof(titles[0])][12];
	json_t *object = device_json(device);

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		const json_t *value = json_object_get(object, titles[i]);
		cells[i] = json_string_value(value);
		if (json_is_integer(value)) {
			(void)snprintf(numbers[i], sizeof(numbers[i]), "%lu",
			    (unsigned long)json_integer_value(value));
			cells[i] = numbers[i];
		}
	}
	command_csv(cells, sizeof(cells) / sizeof(cells[0]));
	json_decref(object);
}

static void print_row(const struct admin *admin, const struct device *device, bool first)
{
	static const char form[] = "%-32s  %-12s  %-8s  %-20s  %s";
	const struct device_state *state = &device->state;
	char time[CLOCK_TEXT], serial[2 * SERIAL_MAX + 1];

	if (admin->json) {
		cli_json_print(device_json(device));
		return;
	}
	if (admin->csv) {
		print_csv(device);
		return;
	}
	if (first)
		cli_print(form, "NAME", "LABEL", "STATE", "LAST ISSUED", "SERIAL");
	cli_print(form, device->record.name, device_label(device), device_state_name(device),
	    state->current.len == 0 ? "-" : clock_text(state->last_issued, time),
	    state->current.len == 0 ? "-" : serial_text(&state->current, serial));
}

/* --- in order --- */

/* The store's own order is by a hash of the name: so all are read before one is printed. */
struct listing {
	struct device_record *records;
	size_t count, capacity;
};

static void listing_clear(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		device_record_clear(&listing->records[i]);
	free(listing->records);
	*listing = (struct listing){0};
}

/* Takes the record over. */
static void keep(struct listing *listing, struct device_record *record)
{
	if (listing->count == listing->capacity) {
		listing->capacity = 2 * listing->capacity + 64;
		listing->records =
		    mem_grow(listing->records, listing->capacity * sizeof(*listing->records));
	}
	listing->records[listing->count++] = *record;
	*record = (struct device_record){0};
}

/* By label, and then by name in any letter case, which tells devices apart. */
static int compare(const void *a, const void *b)
{
	const struct device_record *first = a, *second = b;
	int order = strcmp(first->label, second->label);

	return order != 0 ? order : strcasecmp(first->name, second->name);
}

/* Those of the label, or all of them where it is NULL. */
static enum outcome collect(struct store *store, const char *label, struct listing *listing)
{
	struct device_record record = {0}, next = {0};
	enum outcome outcome = store_device_next(store, NULL, NULL, &record);

	while (outcome == EST_OK && !command_stopped()) {
		outcome = store_device_next(store, record.label, record.name, &next);
		if (label == NULL || strcmp(record.label, label) == 0)
			keep(listing, &record);
		device_record_clear(&record);
		record = next;
		next = (struct device_record){0};
	}
	device_record_clear(&record);
	if (outcome == EST_NOT_FOUND) {
		reason_clear();
		outcome = EST_OK;
	}
	if (listing->count > 0)
		qsort(listing->records, listing->count, sizeof(*listing->records), compare);
	return outcome;
}

/* The row of the list, if it is wanted; one that was deleted in between is none. */
static enum outcome list_row(
    const struct admin *admin, const struct device_record *record, bool *printed)
{
	struct device device = {0};
	enum outcome outcome = device_get(admin, record->label, record->name, &device);

	if (outcome == EST_NOT_FOUND)
		return EST_OK;
	if (outcome == EST_OK &&
	    (admin->status == NULL || strcmp(admin->status, device_state_name(&device)) == 0)) {
		print_row(admin, &device, !*printed);
		*printed = true;
	}
	device_clear(&device);
	return outcome;
}

enum outcome cmd_device_list(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	const char *label = admin->label;
	struct listing listing = {0};
	enum outcome outcome;
	bool printed = false;

	(void)call;
	if (label != NULL)
		label = strcmp(label, "-") == 0 ? "" : label;
	outcome = collect(admin->service->store, label, &listing);
	if (admin->csv)
		command_csv(titles, sizeof(titles) / sizeof(titles[0]));
	for (size_t i = 0; i < listing.count && outcome == EST_OK && !command_stopped(); i++)
		outcome = list_row(admin, &listing.records[i], &printed);
	listing_clear(&listing);
	if (outcome != EST_OK || label == NULL || printed)
		return outcome;
	/* A label that est.conf has no more may have devices; but one without any is a slip. */
	return command_label(admin, admin->label, &label);
}
