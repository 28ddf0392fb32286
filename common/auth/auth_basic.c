/*
 * auth_basic.c - HTTP Basic (RFC 7617), verified here and not by the web server.
 *
 * A password hash is slow on purpose, so a verified password is remembered for a short time: as an
 * HMAC under a key of this process, over the user, the password and the stored hash, so that a
 * changed password or a deleted user counts at once.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/auth/method.h"
#include "common/auth/password.h"
#include "common/base/encoding.h"
#include "common/base/refusal.h"

#define REMEMBERED  256 /* a power of two: slots of the cache */
#define TAG_SIZE    32
#define HEADER_MOST 8192

struct remembered {
	unsigned char tag[TAG_SIZE];
	int64_t until;
};

static struct remembered cache[REMEMBERED];

/* A keyed hash, or false where OpenSSL cannot make one: then nothing is remembered. */
static bool tag_of(
    const struct user_record *user, struct span password, unsigned char tag[TAG_SIZE])
{
	static EVP_MAC_CTX *keyed;
	unsigned char key[TAG_SIZE];
	char digest[] = "SHA256";
	OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
	EVP_MAC *mac;
	EVP_MAC_CTX *context;
	size_t len;
	bool done;

	if (keyed == NULL) {
		mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
		keyed = EVP_MAC_CTX_new(mac);
		EVP_MAC_free(mac);
		if (keyed == NULL || RAND_bytes(key, sizeof(key)) != 1 ||
		    EVP_MAC_init(keyed, key, sizeof(key), parameters) != 1) {
			EVP_MAC_CTX_free(keyed);
			keyed = NULL;
			return false;
		}
		OPENSSL_cleanse(key, sizeof(key));
	}
	context = EVP_MAC_CTX_dup(keyed);
	/* The NULs keep the three parts apart: the first two hold none. */
	done = context != NULL &&
	       EVP_MAC_update(context, (const unsigned char *)user->name, strlen(user->name) + 1) ==
		   1 &&
	       EVP_MAC_update(context, (const unsigned char *)user->password,
		   strlen(user->password) + 1) == 1 &&
	       EVP_MAC_update(context, password.data, password.len) == 1 &&
	       EVP_MAC_final(context, tag, &len, TAG_SIZE) == 1;
	EVP_MAC_CTX_free(context);
	return done;
}

/* Verifies the password of a user through the cache; of nobody in the same time. */
static enum outcome verify(
    const struct auth *auth, const struct user_record *user, bool known, struct span password)
{
	unsigned char tag[TAG_SIZE];
	struct remembered *slot;
	enum outcome outcome;

	if (!known)
		return password_verify(password, NULL);
	if (auth->cache == 0 || !tag_of(user, password, tag))
		return password_verify(password, user->password);
	slot = &cache[tag[0] & (REMEMBERED - 1)];
	if (slot->until > auth->now && slot->until <= auth->now + auth->cache &&
	    CRYPTO_memcmp(slot->tag, tag, TAG_SIZE) == 0)
		return EST_OK;
	outcome = password_verify(password, user->password);
	if (outcome == EST_OK) {
		memcpy(slot->tag, tag, TAG_SIZE);
		slot->until = auth->now + auth->cache;
	}
	return outcome;
}

/* RFC 7617 2: "Basic" SP base64(user-id ":" password). The text, NUL-terminated, is in plain. */
static enum outcome decode(const char *authorization, struct buf *plain)
{
	static const char scheme[] = "Basic ";
	const char *token = authorization + sizeof(scheme) - 1;

	if (strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return refuse(AUTH_HEADER, "the Authorization scheme must be Basic");
	if (strlen(authorization) > HEADER_MOST)
		return refuse(AUTH_HEADER, "the Authorization field is too long");
	if (base64_decode(plain, span_of(token)) != EST_OK ||
	    memchr(plain->data, '\0', plain->len) != NULL ||
	    memchr(plain->data, ':', plain->len) == NULL) {
		reason_clear(); /* it names an octet of the credentials */
		return refuse(AUTH_HEADER, "the Authorization field is malformed");
	}
	(void)buf_string(plain);
	return EST_OK;
}

bool user_label_allowed(const struct user_record *user, const char *label)
{
	if (user->labels == NULL || user->labels[0] == NULL)
		return true;
	for (size_t i = 0; user->labels[i] != NULL; i++)
		if (strcmp(user->labels[i], label) == 0)
			return true;
	return false;
}

/* The same answer in the same time whether the user is unknown, of another label, or the password
 * wrong. */
static enum outcome check(
    const struct auth *auth, const char *name, struct span password, struct user_record *out)
{
	enum outcome found = auth->memory.user(auth->memory.context, name, out), outcome;

	if (found != EST_OK && found != EST_NOT_FOUND)
		return EST_UNAVAILABLE;
	reason_clear();
	outcome = verify(auth, out, found == EST_OK, password);
	if (outcome == EST_UNAVAILABLE ||
	    (outcome == EST_OK && user_label_allowed(out, auth->label->name)))
		return outcome;
	reason_clear();
	return refuse(AUTH_PASSWORD, "user name or password is wrong for this label");
}

enum outcome basic_identify(
    const struct auth *auth, const char *authorization, struct user_record *out)
{
	struct buf plain = {0};
	enum outcome outcome = decode(authorization, &plain);
	char *colon;

	if (outcome == EST_OK) {
		colon = memchr(plain.data, ':', plain.len);
		*colon = '\0';
		outcome = check(auth, (const char *)plain.data, span_of(colon + 1), out);
	}
	buf_cleanse(&plain);
	return outcome;
}
