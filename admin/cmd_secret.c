/*
 * cmd_secret.c - est-admin secret: one-time secrets, with which a device proves in its request that
 * it may have its first certificate (RFC 7894 3.1).
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "admin/command.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"

#define NAME_MOST       255
#define SECRET_LENGTH   32 /* characters of 5 random bits each */
#define DEFAULT_EXPIRES (INT64_C(7) * 86400)

/* What is random comes once, so it is the text as it is printed whose SHA-256 counts. */
static enum outcome make_secret(char text[static SECRET_LENGTH + 1])
{
	/* Without i, l, o and u: what looks like one of these is a digit, or a v. */
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
	unsigned char random[SECRET_LENGTH];

	_Static_assert(sizeof(letters) == 33, "5 bits choose one");
	if (RAND_priv_bytes(random, sizeof(random)) != 1)
		return reason_openssl(EST_UNAVAILABLE, "no random octets for a secret");
	for (size_t i = 0; i < SECRET_LENGTH; i++)
		text[i] = letters[random[i] & 31];
	text[SECRET_LENGTH] = '\0';
	OPENSSL_cleanse(random, sizeof(random));
	return EST_OK;
}

static const char *state_of(const struct secret_record *secret)
{
	if (secret->used_at != 0)
		return "used";
	return secret->expires_at <= clock_now() ? "expired" : "unused";
}

static const char *label_text(const struct secret_record *secret)
{
	if (secret->label == NULL)
		return "all";
	return secret->label[0] == '\0' ? "-" : secret->label;
}

static json_t *describe(const struct secret_record *secret)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", cli_json_text(secret->name));
	json_object_set_new(object, "label", cli_json_text(secret->label));
	json_object_set_new(object, "state", cli_json_text(state_of(secret)));
	json_object_set_new(object, "created_at", cli_json_time(secret->created_at));
	json_object_set_new(object, "expires_at", cli_json_time(secret->expires_at));
	if (secret->used_at != 0)
		json_object_set_new(object, "used_at", cli_json_time(secret->used_at));
	return object;
}

static void print_new(
    const struct admin *admin, const struct secret_record *secret, const char *text)
{
	char time[CLOCK_TEXT];

	if (admin->json) {
		json_t *object = describe(secret);
		json_object_set_new(object, "secret", cli_json_text(text));
		cli_json_print(object);
		return;
	}
	cli_print("name     %s", secret->name);
	cli_print("label    %s", label_text(secret));
	cli_print("expires  %s", clock_text(secret->expires_at, time));
	cli_print("secret   %s", text);
	cli_say("this is the only time that the secret is shown");
}

/* RFC 5272 6.2.3: what a proof of identity is keyed by where the request names the device. */
static void digest_named(const char *text, struct secret_record *secret)
{
	struct buf both = {0};

	buf_reserve(&both, SECRET_LENGTH + strlen(secret->name));
	buf_add(&both, text, SECRET_LENGTH);
	buf_add_string(&both, secret->name);
	SHA256(both.data, both.len, secret->named_digest);
	buf_cleanse(&both);
}

enum outcome cmd_secret_add(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	int64_t life = admin->expires < 0 ? DEFAULT_EXPIRES : admin->expires;
	struct secret_record secret = {.name = call->arguments[0], .created_at = clock_now()};
	char text[SECRET_LENGTH + 1] = "";
	enum outcome outcome;

	if (life == 0)
		return cli_usage(
		    "--expires: a secret that is good for no time is good for nothing");
	secret.expires_at = secret.created_at + life;
	outcome = command_text("a device's name", secret.name, NAME_MOST);
	if (outcome == EST_OK && admin->label != NULL)
		outcome = command_label(admin, admin->label, &secret.label);
	if (outcome == EST_OK)
		outcome = make_secret(text);
	if (outcome == EST_OK) {
		SHA256((const unsigned char *)text, SECRET_LENGTH, secret.digest);
		digest_named(text, &secret);
		outcome = store_secret_put(admin->service->store, &secret, admin->replace);
	}
	if (outcome == EST_OK)
		print_new(admin, &secret, text);
	OPENSSL_cleanse(text, sizeof(text));
	return outcome;
}

static void print_row(const struct admin *admin, const struct secret_record *secret, bool first)
{
	static const char form[] = "%-32s  %-12s  %-7s  %-20s  %s";
	char expires[CLOCK_TEXT], used[CLOCK_TEXT];

	if (admin->json) {
		cli_json_print(describe(secret));
		return;
	}
	if (first)
		cli_print(form, "NAME", "LABEL", "STATE", "EXPIRES", "USED");
	cli_print(form, secret->name, label_text(secret), state_of(secret),
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
