/*
 * argon2 strings: $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH. Where libargon2 was there when this was
 * built they verify, else there are none.
 *
 * They are taken apart here and not by libargon2, which would start a thread for each lane: a
 * worker's sandbox has a word in that, and the lanes give the same hash one after the other.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_ARGON2
#include <argon2.h>
#endif

#include "common/auth/password.h"
#include "common/auth/password_parts.h"
#include "common/base/encoding.h"

#ifndef HAVE_ARGON2

enum outcome argon2_accept(const char *hash)
{
	(void)hash;
	return reason(EST_MALFORMED,
	    "this est-portal was built without libargon2; make the hash with htpasswd -B (bcrypt)");
}

enum outcome argon2_compare(struct span password, const char *hash, bool *same)
{
	(void)password;
	(void)hash;
	*same = false;
	return EST_MALFORMED;
}

#else

#define MEMORY_MOST 262144  /* KiB */
#define WORK_MOST   1048576 /* KiB written: memory * passes */
#define PASSES_MOST 16
#define LANES_MOST  16
#define OCTETS_MOST 64 /* of salt and of hash */

struct parts {
	argon2_type type;
	uint32_t memory, passes, lanes;
	struct buf salt, hash;
};

static void parts_free(struct parts *parts)
{
	buf_free(&parts->salt);
	buf_cleanse(&parts->hash);
}

/* "t=3" */
static bool read_number(struct span field, char name, uint32_t *out)
{
	return field.len > 2 && field.data[0] == name && field.data[1] == '=' &&
	       password_number((struct span){field.data + 2, field.len - 2}, out);
}

/* base64 without padding. */
static bool read_octets(struct span field, size_t least, struct buf *out)
{
	static const char padding[] = "==";
	struct buf text = {0};
	bool fine = field.len <= 2 * OCTETS_MOST && field.len % 4 != 1;

	for (size_t i = 0; i < field.len && fine; i++)
		fine = field.data[i] == '+' ||
		       (field.data[i] != '.' &&
			   password_is_run((struct span){field.data + i, 1}, 1, 1));
	if (!fine)
		return false;
	buf_add_span(&text, field);
	buf_add(&text, padding, (4 - field.len % 4) % 4);
	fine = base64_decode(out, buf_span(&text)) == EST_OK && out->len >= least &&
	       out->len <= OCTETS_MOST;
	if (!fine)
		reason_clear();
	buf_cleanse(&text);
	return fine;
}

static bool read_parts(const char *text, struct parts *parts)
{
	struct span rest = span_of(text + 1), kind = password_field(&rest, '$'),
		    version = password_field(&rest, '$'), costs = password_field(&rest, '$'),
		    salt = password_field(&rest, '$');
	uint32_t number;

	parts->type = kind.len == strlen("argon2id") ? Argon2_id : Argon2_i;
	return read_number(version, 'v', &number) && number == ARGON2_VERSION_13 &&
	       read_number(password_field(&costs, ','), 'm', &parts->memory) &&
	       read_number(password_field(&costs, ','), 't', &parts->passes) &&
	       read_number(costs, 'p', &parts->lanes) && parts->passes > 0 && parts->lanes > 0 &&
	       parts->memory / 8 >= parts->lanes && read_octets(salt, 8, &parts->salt) &&
	       read_octets(rest, 16, &parts->hash);
}

static bool is_affordable(const struct parts *parts)
{
	return parts->memory <= MEMORY_MOST && parts->passes <= PASSES_MOST &&
	       parts->lanes <= LANES_MOST && parts->memory * parts->passes <= WORK_MOST;
}

enum outcome argon2_accept(const char *hash)
{
	struct parts parts = {0};
	enum outcome outcome = EST_OK;

	if (!read_parts(hash, &parts))
		outcome = reason(EST_MALFORMED,
		    "it is no whole argon2 hash of version 19; copy the line anew, or set a "
		    "password with est-admin user add");
	else if (!is_affordable(&parts))
		outcome = reason(EST_MALFORMED,
		    "argon2 of this cost keeps a worker busy for seconds; make it with at most 256 "
		    "MiB (m=%d), t=%d, p=%d, and m times t no more than %d",
		    MEMORY_MOST, PASSES_MOST, LANES_MOST, WORK_MOST);
	parts_free(&parts);
	return outcome;
}

enum outcome argon2_compare(struct span password, const char *hash, bool *same)
{
	struct parts parts = {0};
	struct buf secret = {0}, made = {0};
	enum outcome outcome = EST_OK;
	argon2_context context;
	int error;

	*same = false;
	if (!read_parts(hash, &parts) || !is_affordable(&parts)) {
		parts_free(&parts);
		return EST_MALFORMED;
	}
	buf_add_span(&secret, password); /* it wants to be able to write */
	buf_reserve(&made, parts.hash.len);
	context = (argon2_context){.out = made.data,
	    .outlen = (uint32_t)parts.hash.len,
	    .pwd = secret.data,
	    .pwdlen = (uint32_t)secret.len,
	    .salt = parts.salt.data,
	    .saltlen = (uint32_t)parts.salt.len,
	    .t_cost = parts.passes,
	    .m_cost = parts.memory,
	    .lanes = parts.lanes,
	    .threads = 1,
	    .version = ARGON2_VERSION_13};
	error = argon2_verify_ctx(&context, (const char *)parts.hash.data, parts.type);
	*same = error == ARGON2_OK;
	made.len = parts.hash.len;
	if (error == ARGON2_MEMORY_ALLOCATION_ERROR)
		outcome = reason(EST_UNAVAILABLE, "no memory to compute a password hash (%u MiB)",
		    parts.memory / 1024);
	else if (error != ARGON2_OK && error != ARGON2_VERIFY_MISMATCH)
		outcome = EST_MALFORMED;
	buf_cleanse(&secret);
	buf_cleanse(&made);
	parts_free(&parts);
	return outcome;
}

#endif
