/*
 * credential_cache.c - passwords that were verified a short time ago.
 *
 * A password hash is slow on purpose, so a verified password is remembered for a short time: as an
 * HMAC under a key of this process, over the user, the password and the stored hash, so that a
 * changed password or a deleted user counts at once.
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/auth/method.h"

#define REMEMBERED 256 /* a power of two: slots of the cache */
#define TAG_SIZE   32

struct remembered {
	unsigned char tag[TAG_SIZE];
	int64_t until;
};

static struct remembered cache[REMEMBERED];

/* The HMAC with the key of this process, or NULL where OpenSSL cannot make one. */
static EVP_MAC_CTX *keyed_mac(void)
{
	static EVP_MAC_CTX *keyed;
	unsigned char key[TAG_SIZE];
	char digest[] = "SHA256";
	OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
	EVP_MAC *mac;

	if (keyed != NULL)
		return keyed;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	keyed = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (keyed == NULL || RAND_bytes(key, sizeof(key)) != 1 ||
	    EVP_MAC_init(keyed, key, sizeof(key), parameters) != 1) {
		EVP_MAC_CTX_free(keyed);
		keyed = NULL;
	}
	OPENSSL_cleanse(key, sizeof(key));
	return keyed;
}

/* False where there is none: then nothing is remembered. */
static bool tag_of(
    const struct user_record *user, struct span password, unsigned char tag[TAG_SIZE])
{
	EVP_MAC_CTX *keyed = keyed_mac(), *context;
	size_t len;
	bool done;

	if (keyed == NULL)
		return false;
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

static struct remembered *slot_of(const unsigned char tag[TAG_SIZE])
{
	return &cache[tag[0] & (REMEMBERED - 1)];
}

bool credential_known(const struct auth *auth, const struct user_record *user, struct span password)
{
	unsigned char tag[TAG_SIZE];
	const struct remembered *slot;

	if (auth->cache == 0 || !tag_of(user, password, tag))
		return false;
	slot = slot_of(tag);
	return slot->until > auth->now && slot->until <= auth->now + auth->cache &&
	       CRYPTO_memcmp(slot->tag, tag, TAG_SIZE) == 0;
}

void credential_remember(
    const struct auth *auth, const struct user_record *user, struct span password)
{
	unsigned char tag[TAG_SIZE];
	struct remembered *slot;

	if (auth->cache == 0 || !tag_of(user, password, tag))
		return;
	slot = slot_of(tag);
	memcpy(slot->tag, tag, TAG_SIZE);
	slot->until = auth->now + auth->cache;
}
