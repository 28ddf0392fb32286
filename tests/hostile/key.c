#include "tests/hostile/key.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static struct key *keys;

struct key *key_add(void)
{
	struct key *key = calloc(1, sizeof(*key));

	if (key == NULL)
		err(EXIT_FAILURE, "calloc");
	key->next = keys;
	keys = key;
	return key;
}

void key_end(void)
{
	while (keys != NULL) {
		struct key *next = keys->next;

		EVP_PKEY_free(keys->evp);
		BN_free(keys->rsa.n);
		BN_free(keys->rsa.e);
		for (size_t i = 0; i < keys->rsa.count; i++)
			BN_free(keys->rsa.prime[i]);
		EC_POINT_free(keys->ec.point);
		EC_GROUP_free(keys->ec.group);
		BN_free(keys->ec.secret);
		free(keys);
		keys = next;
	}
}

void key_digest(struct key *key, const char *digest, int kind)
{
	int algorithm = NID_undef;

	key->digest = digest == NULL ? NULL : EVP_get_digestbyname(digest);
	if (digest != NULL && key->digest == NULL)
		errx(EXIT_FAILURE, "no digest %s", digest);
	if (OBJ_find_sigid_by_algs(
		&algorithm, digest == NULL ? NID_undef : EVP_MD_get_type(key->digest), kind) != 1)
		algorithm = kind; /* Ed25519 signs as what it is */
	key->algorithm = kind == EVP_PKEY_RSA ? bytes_make("30{$ 0500}", bytes_oid(algorithm))
					      : bytes_make("30{$}", bytes_oid(algorithm));
}

BIGNUM *key_number(const char *seed, unsigned bits)
{
	unsigned char octets[1024], digest[64];
	char text[128];
	size_t len = (bits + 7) / 8;
	BIGNUM *number;

	if (len > sizeof(octets))
		errx(EXIT_FAILURE, "%u bits are too many", bits);
	for (size_t at = 0; at < len; at += sizeof(digest)) {
		size_t part = len - at < sizeof(digest) ? len - at : sizeof(digest);
		int text_len = snprintf(text, sizeof(text), "%s %u %zu", seed, bits, at);
		if (EVP_Digest(text, (size_t)text_len, digest, NULL, EVP_sha512(), NULL) != 1)
			errx(EXIT_FAILURE, "SHA-512");
		memcpy(octets + at, digest, part);
	}
	number = BN_bin2bn(octets, (int)len, NULL);
	if (number == NULL || BN_rshift(number, number, (int)(8 * len - bits)) != 1 ||
	    BN_set_bit(number, (int)bits - 1) != 1)
		errx(EXIT_FAILURE, "BN");
	return number;
}

static struct bytes sign_evp(const struct key *key, struct bytes data)
{
	unsigned char signature[2048];
	size_t len = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL ||
	    EVP_DigestSignInit(context, NULL, key->digest, NULL, key->evp) != 1 ||
	    EVP_DigestSign(context, signature, &len, data.at, data.len) != 1)
		errx(EXIT_FAILURE, "OpenSSL does not sign with %s",
		    EVP_PKEY_get0_type_name(key->evp));
	EVP_MD_CTX_free(context);
	return bytes_copy(signature, len);
}

struct key *key_evp(EVP_PKEY *evp, const char *digest)
{
	struct key *key = key_add();
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(evp, &der);

	if (len <= 0)
		errx(EXIT_FAILURE, "a key has no public half");
	key->evp = evp;
	key->spki = bytes_copy(der, (size_t)len);
	OPENSSL_free(der);
	key_digest(key, digest, EVP_PKEY_get_base_id(evp));
	key->sign = sign_evp;
	return key;
}

struct key *key_file(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *evp;

	if (file == NULL)
		err(EXIT_FAILURE, "%s", path);
	evp = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	if (evp == NULL)
		errx(EXIT_FAILURE, "%s: no private key", path);
	(void)fclose(file);
	return key_evp(
	    evp, EVP_PKEY_is_a(evp, "ED25519") || EVP_PKEY_is_a(evp, "ED448") ? NULL : "SHA256");
}

struct key *key_raw(int kind, const char *secret)
{
	size_t len = kind == EVP_PKEY_ED448 ? 57 : kind == EVP_PKEY_X448 ? 56 : 32;
	BIGNUM *number = NULL;
	EVP_PKEY *evp;
	struct bytes octets;

	if (strlen(secret) != 2 * len || BN_hex2bn(&number, secret) == 0)
		number = key_number(secret, (unsigned)(8 * len));
	octets = bytes_number(number, len);
	BN_free(number);
	evp = EVP_PKEY_new_raw_private_key(kind, NULL, octets.at, octets.len);
	if (evp == NULL)
		errx(EXIT_FAILURE, "no raw key of kind %d", kind);
	return key_evp(evp, NULL);
}
