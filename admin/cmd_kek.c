/*
 * cmd_kek.c - est-admin kek: keys that a server and a device share, under which keys that the
 * server makes are encrypted (RFC 7030 4.4.1.1).
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "admin/command.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"

#define ID_MOST   64
#define KEY_MOST  32
#define HEX_BEGIN "0x"

/* What requests call the key, from its text or, behind 0x, from hexadecimal digits. */
static enum outcome read_id(const char *word, struct buf *id)
{
	bool hex = strncmp(word, HEX_BEGIN, strlen(HEX_BEGIN)) == 0;

	if (hex && hex_decode(id, span_of(word + strlen(HEX_BEGIN))) != EST_OK) {
		reason_clear();
		return reason(EST_MALFORMED,
		    "the id %.140s: behind 0x an even number of hexadecimal digits is wanted",
		    word);
	}
	if (!hex)
		buf_add_string(id, word);
	if (id->len == 0 || id->len > ID_MOST)
		return reason(EST_MALFORMED, "the id of a key has to have 1 to %d octets", ID_MOST);
	return EST_OK;
}

/* The way back: what would not be read as it was written comes in digits. */
static void id_text(struct span id, struct buf *out)
{
	bool plain = id.len < 2 || memcmp(id.data, HEX_BEGIN, 2) != 0;

	for (size_t i = 0; i < id.len; i++)
		plain = plain && id.data[i] > 0x20 && id.data[i] < 0x7f;
	if (plain) {
		buf_add_span(out, id);
		return;
	}
	buf_add_string(out, HEX_BEGIN);
	hex_encode(out, id);
}

static bool fits(size_t octets)
{
	return octets == 16 || octets == 24 || octets == KEY_MOST;
}

/* 32 digits are 16 octets in hexadecimal and could be 24 in base64: digits go first. */
static enum outcome read_key(struct span text, struct buf *key)
{
	buf_reserve(key, text.len);
	if (fits(text.len / 2) && hex_decode(key, text) == EST_OK)
		return EST_OK;
	buf_cleanse(key);
	reason_clear(); /* it may tell an octet of the key */
	buf_reserve(key, text.len);
	if (base64_decode(key, text) == EST_OK && fits(key->len))
		return EST_OK;
	reason_clear();
	return reason(EST_MALFORMED,
	    "the key has to have 16, 24 or 32 octets, in hexadecimal digits or in base64");
}

static enum outcome make_key(struct buf *key)
{
	unsigned char random[KEY_MOST];

	if (RAND_priv_bytes(random, sizeof(random)) != 1)
		return reason_openssl(EST_UNAVAILABLE, "no random octets for a key");
	buf_reserve(key, sizeof(random));
	buf_add(key, random, sizeof(random));
	OPENSSL_cleanse(random, sizeof(random));
	return EST_OK;
}

static json_t *describe(const struct kek_record *kek)
{
	json_t *object = json_object();
	struct buf text = {0}, hex = {0};

	id_text(kek->id, &text);
	hex_encode(&hex, kek->id);
	json_object_set_new(object, "id", cli_json_text(buf_string(&text)));
	json_object_set_new(object, "id_hex", cli_json_text(buf_string(&hex)));
	json_object_set_new(object, "octets", json_integer((json_int_t)kek->key.len));
	json_object_set_new(object, "created_at", cli_json_time(kek->created_at));
	buf_free(&text);
	buf_free(&hex);
	return object;
}

/* A key that was made here is shown; whoever brought one has it. */
static void print_new(const struct admin *admin, const struct kek_record *kek, bool made)
{
	struct buf id = {0}, hex = {0};

	buf_reserve(&hex, 2 * KEY_MOST + 1);
	if (made)
		hex_encode(&hex, kek->key);
	if (admin->json) {
		json_t *object = describe(kek);
		if (made)
			json_object_set_new(object, "key", cli_json_text(buf_string(&hex)));
		cli_json_print(object);
	} else if (made) {
		id_text(kek->id, &id);
		cli_print("id   %s", buf_string(&id));
		cli_print("key  %s", buf_string(&hex));
		cli_say("this is the only time that the key is shown");
	}
	buf_free(&id);
	buf_cleanse(&hex);
}

enum outcome cmd_kek_add(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	bool made = admin->secret_file == NULL;
	struct buf id = {0}, key = {0};
	enum outcome outcome = read_id(call->arguments[0], &id);

	if (outcome == EST_OK)
		outcome = made ? make_key(&key) : read_key(buf_span(&admin->secret), &key);
	if (outcome == EST_OK) {
		struct kek_record kek = {
		    .id = buf_span(&id), .key = buf_span(&key), .created_at = clock_now()};
		outcome = store_kek_put(admin->service->store, &kek, false);
		if (outcome == EST_OK)
			print_new(admin, &kek, made);
	}
	buf_free(&id);
	buf_cleanse(&key);
	return outcome;
}

static void print_row(const struct admin *admin, const struct kek_record *kek, bool first)
{
	char time[CLOCK_TEXT];
	struct buf id = {0};

	if (admin->json) {
		cli_json_print(describe(kek));
		return;
	}
	if (first)
		cli_print("%-20s  %-6s  %s", "CREATED", "OCTETS", "ID");
	id_text(kek->id, &id);
	cli_print(
	    "%-20s  %-6zu  %s", clock_text(kek->created_at, time), kek->key.len, buf_string(&id));
	buf_free(&id);
}

enum outcome cmd_kek_list(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct kek_record kek = {0}, next = {0};
	enum outcome outcome = store_kek_next(admin->service->store, (struct span){NULL, 0}, &kek);
	bool first = true;

	(void)call;
	while (outcome == EST_OK && !command_stopped()) {
		print_row(admin, &kek, first);
		first = false;
		outcome = store_kek_next(admin->service->store, kek.id, &next);
		kek_record_clear(&kek);
		kek = next;
		next = (struct kek_record){0};
	}
	kek_record_clear(&kek);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	return EST_OK;
}

enum outcome cmd_kek_delete(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct buf id = {0};
	enum outcome outcome = read_id(call->arguments[0], &id);

	if (outcome == EST_OK) {
		outcome = store_kek_delete(admin->service->store, buf_span(&id));
		if (outcome == EST_NOT_FOUND)
			outcome = reason(
			    outcome, "there is no key with the id %.140s", call->arguments[0]);
	}
	buf_free(&id);
	return outcome;
}
