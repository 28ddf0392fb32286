/*
 * cmd_store.c - est-admin store: the care of the store.
 */
#include "admin/command.h"

enum outcome cmd_store_checkpoint(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;

	(void)call;
	return store_checkpoint(admin->service->store);
}

static void print_figure(void *context, const char *name, int64_t value)
{
	const struct admin *admin = context;

	if (admin->json) {
		json_t *object = json_object();
		json_object_set_new(object, "name", cli_json_text(name));
		json_object_set_new(object, "value", json_integer(value));
		cli_json_print(object);
	} else {
		cli_print("%-32s %14lld", name, (long long)value);
	}
}

enum outcome cmd_store_statistics(void *context, const struct cli_call *call)
{
	struct admin *admin = context;

	(void)call;
	return store_statistics(admin->service->store, print_figure, admin);
}

static void show_progress(void *context, const char *name, int64_t value)
{
	(void)context;
	cli_progress("%s %lld", name, (long long)value);
}

enum outcome cmd_store_check(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	int64_t faults = 0;
	enum outcome outcome = store_check(admin->service->store, show_progress, NULL, &faults);

	(void)call;
	cli_progress_end();
	if (outcome != EST_OK && faults == 0)
		return outcome; /* it did not get to the end */
	if (admin->json) {
		json_t *object = json_object();
		json_object_set_new(object, "faults", json_integer(faults));
		if (faults > 0)
			json_object_set_new(object, "first", cli_json_text(reason_text()));
		cli_json_print(object);
	} else if (faults > 0) {
		cli_print("%lld faults, the first:", (long long)faults);
		cli_print("%s", reason_text());
	} else {
		cli_print("no faults");
	}
	return outcome;
}
