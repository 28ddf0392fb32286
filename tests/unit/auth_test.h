/*
 * auth_test.h - credentials, and hashes that cost next to nothing, for the tests of who asks.
 */
#ifndef EST_AUTH_TEST_H
#define EST_AUTH_TEST_H

#include "maker.h"

#include <string.h>

#include <crypt.h>

#include "common/auth/method.h"
#include "common/base/encoding.h"
#include "common/pki/key.h"

/* Of enum proof, for tables. */
#define P   PROOF_PASSWORD
#define S   PROOF_SECRET
#define C   PROOF_CERTIFICATE
#define R   PROOF_SRP
#define X   PROOF_EXTERNAL
#define ALL ((unsigned)(P | S | C | R | X))

static inline const char *pool_text(struct buf *buf)
{
	buf_add_byte(buf, 0);
	return (const char *)maker_keep(buf).data;
}

/* bcrypt of the least cost: a millisecond. */
static inline const char *cheap_hash(const char *password)
{
	struct crypt_data *data = mem_alloc(sizeof(*data));
	struct buf text = {0};

	buf_add_string(&text, crypt_r(password, "$2b$04$abcdefghijklmnopqrstuu", data));
	free(data);
	assert_int_equal(text.len, 60);
	return pool_text(&text);
}

/* An Authorization field. */
static inline const char *basic_of(const char *name, const char *password)
{
	struct buf plain = {0}, field = {0};

	buf_printf(&plain, "%s:%s", name, password);
	buf_add_string(&field, "Basic ");
	base64_encode(&field, buf_span(&plain), 0);
	buf_free(&plain);
	return pool_text(&field);
}

/* A device's unused one-time secret, good for a day under any label. */
static inline struct secret_record secret_of(const char *name, const char *text)
{
	struct secret_record secret = {
	    .name = name, .created_at = MAKER_NOW - MAKER_DAY, .expires_at = MAKER_NOW + MAKER_DAY};

	key_sha256(span_of(text), secret.digest);
	return secret;
}

static inline struct user_record user_of(const char *name, const char *hash)
{
	return (struct user_record){.name = name, .password = hash, .roles = 1U << ROLE_ENROLL};
}

#endif
