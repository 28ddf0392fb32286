/*
 * cmd_secret.c - est-admin secret: one-time secrets, with which a device proves that it may have
 * its first certificate (RFC 7894 3.1).
 */
#include <openssl/crypto.h>

#include "admin/command.h"
#include "admin/one_time.h"
#include "common/base/clock.h"

static void print_new(
    const struct admin *admin, const struct secret_record *secret, const char *text)
{
	char time[CLOCK_TEXT];

	if (admin->json) {
		json_t *object = one_time_json(secret);
		json_object_set_new(object, "secret", cli_json_text(text));
		cli_json_print(object);
		return;
	}
	cli_print("name     %s", secret->name);
	cli_print("label    %s", one_time_label(secret));
	cli_print("expires  %s", clock_text(secret->expires_at, time));
	cli_print("secret   %s", text);
	cli_say("this is the only time that the secret is shown");
}

/* Which label the other one is of is what somebody who thinks of another label has to know. */
static enum outcome conflict(const struct admin *admin, const char *name)
{
	struct secret_record before = {0};
	enum outcome outcome = EST_CONFLICT;

	if (store_secret_get(admin->service->store, name, &before) == EST_OK)
		outcome = one_time_conflict(&before);
	secret_record_clear(&before);
	return outcome;
}

enum outcome cmd_secret_add(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct secret_record secret = {.name = call->arguments[0], .created_at = clock_now()};
	char text[ONE_TIME_SIZE] = "";
	int64_t life = 0;
	enum outcome outcome = one_time_life(admin, &life);

	secret.expires_at = secret.created_at + life;
	if (outcome == EST_OK && admin->label != NULL)
		outcome = command_label(admin, admin->label, &secret.label);
	if (outcome == EST_OK)
		outcome = one_time_check(admin, secret.label, secret.name);
	if (outcome == EST_OK)
		outcome = one_time_make(&secret, text);
	if (outcome == EST_OK)
		outcome = store_secret_put(admin->service->store, &secret, admin->replace);
	if (outcome == EST_CONFLICT)
		outcome = conflict(admin, secret.name);
	if (outcome == EST_OK) {
		one_time_warn(admin, secret.label);
		print_new(admin, &secret, text);
	}
	OPENSSL_cleanse(text, sizeof(text));
	return outcome;
}

static void print_row(const struct admin *admin, const struct secret_record *secret, bool first)
{
	static const char form[] = "%-32s  %-12s  %-7s  %-20s  %s";
	char expires[CLOCK_TEXT], used[CLOCK_TEXT];

	if (admin->json) {
		cli_json_print(one_time_json(secret));
		return;
	}
	if (first)
		cli_print(form, "NAME", "LABEL", "STATE", "EXPIRES", "USED");
	cli_print(form, secret->name, one_time_label(secret), one_time_state(secret),
	    clock_text(secret->expires_at, expires),
	    secret->used_at == 0 ? "-" : clock_text(secret->used_at, used));
}

enum outcome cmd_secret_list(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct secret_record secret = {0}, next = {0};
	enum outcome outcome = store_secret_next(admin->service->store, NULL, &secret);
	bool first = true;

	(void)call;
	while (outcome == EST_OK && !command_stopped()) {
		print_row(admin, &secret, first);
		first = false;
		outcome = store_secret_next(admin->service->store, secret.name, &next);
		secret_record_clear(&secret);
		secret = next;
		next = (struct secret_record){0};
	}
	secret_record_clear(&secret);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	return EST_OK;
}

enum outcome cmd_secret_delete(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	enum outcome outcome = store_secret_delete(admin->service->store, call->arguments[0]);

	if (outcome == EST_NOT_FOUND)
		return reason(outcome, "there is no secret of \"%.100s\"", call->arguments[0]);
	return outcome;
}
