#include "tests/bench/ways.h"

#include <err.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "tests/bench/csrs.h"

#define SHA256_LEN 32

/* A csr's SPKI was checked against csr_key_prefix when it was parsed; its point is the rest. */
static const unsigned char *point_of(struct span spki)
{
	return spki.data + csr_key_prefix.len;
}

static EVP_PKEY *import(struct ways *ways, struct span spki)
{
	EVP_PKEY *key = NULL;
	unsigned char *point = (unsigned char *)(uintptr_t)point_of(spki); /* is only read */
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, CSR_POINT),
	    OSSL_PARAM_construct_end(),
	};

	return EVP_PKEY_fromdata(ways->importer, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 ? key
											 : NULL;
}

static bool digest(struct ways *ways, struct span bytes, unsigned char out[SHA256_LEN])
{
	return EVP_DigestInit_ex2(ways->digest, ways->sha256, NULL) == 1 &&
	       EVP_DigestUpdate(ways->digest, bytes.data, bytes.len) == 1 &&
	       EVP_DigestFinal_ex(ways->digest, out, NULL) == 1;
}

static bool verify_kept(
    struct ways *ways, struct span spki, struct span bytes, struct span signature)
{
	unsigned char hash[SHA256_LEN];

	return EVP_PKEY_set1_encoded_public_key(ways->kept, point_of(spki), CSR_POINT) == 1 &&
	       digest(ways, bytes, hash) &&
	       EVP_PKEY_verify(ways->verifier, signature.data, signature.len, hash, sizeof(hash)) ==
		   1;
}

static bool verify_fromdata(
    struct ways *ways, struct span spki, struct span bytes, struct span signature)
{
	unsigned char hash[SHA256_LEN];
	EVP_PKEY *key = import(ways, spki);
	EVP_PKEY_CTX *verifier = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool good =
	    verifier != NULL && EVP_PKEY_verify_init(verifier) == 1 && digest(ways, bytes, hash) &&
	    EVP_PKEY_verify(verifier, signature.data, signature.len, hash, sizeof(hash)) == 1;

	EVP_PKEY_CTX_free(verifier);
	EVP_PKEY_free(key);
	return good;
}

static bool digest_verify(
    struct ways *ways, EVP_PKEY *key, struct span bytes, struct span signature)
{
	return key != NULL && EVP_MD_CTX_reset(ways->digest_verifier) == 1 &&
	       EVP_DigestVerifyInit(ways->digest_verifier, NULL, ways->sha256, NULL, key) == 1 &&
	       EVP_DigestVerify(ways->digest_verifier, signature.data, signature.len, bytes.data,
		   bytes.len) == 1;
}

static bool verify_fromdata_digest(
    struct ways *ways, struct span spki, struct span bytes, struct span signature)
{
	EVP_PKEY *key = import(ways, spki);
	bool good = digest_verify(ways, key, bytes, signature);

	EVP_PKEY_free(key);
	return good;
}

static bool verify_decoded(
    struct ways *ways, struct span spki, struct span bytes, struct span signature)
{
	const unsigned char *at = spki.data;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
	bool good = digest_verify(ways, key, bytes, signature);

	EVP_PKEY_free(key);
	return good;
}

const struct verify_way verify_ways[] = {
    {"kept", "EVP_PKEY_set1_encoded_public_key on a kept key, EVP_PKEY_verify on its kept context",
	verify_kept},
    {"fromdata", "EVP_PKEY_fromdata on a kept context, EVP_PKEY_verify", verify_fromdata},
    {"fromdata-digest", "EVP_PKEY_fromdata on a kept context, EVP_DigestVerify",
	verify_fromdata_digest},
    {"decoder", "d2i_PUBKEY, EVP_DigestVerify", verify_decoded},
    {NULL, NULL, NULL},
};

static bool sign_kept(struct ways *ways, struct span bytes, unsigned char *out, size_t *len)
{
	unsigned char hash[SHA256_LEN];

	return digest(ways, bytes, hash) &&
	       EVP_PKEY_sign(ways->signer, out, len, hash, sizeof(hash)) == 1;
}

static bool sign_copy(struct ways *ways, struct span bytes, unsigned char *out, size_t *len)
{
	return EVP_MD_CTX_copy_ex(ways->signer_copy, ways->signer_start) == 1 &&
	       EVP_DigestSign(ways->signer_copy, out, len, bytes.data, bytes.len) == 1;
}

static bool sign_fresh(struct ways *ways, struct span bytes, unsigned char *out, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good =
	    ctx != NULL &&
	    EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, ways->ca_key, NULL) == 1 &&
	    EVP_DigestSign(ctx, out, len, bytes.data, bytes.len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

const struct sign_way sign_ways[] = {
    {"kept", "EVP_PKEY_sign on a kept context, the digest apart", sign_kept},
    {"copy", "EVP_DigestSign on a copy of a context made once", sign_copy},
    {"fresh", "EVP_DigestSign on a new context", sign_fresh},
    {NULL, NULL, NULL},
};

void ways_open(struct ways *ways, EVP_PKEY *ca_key)
{
	*ways = (struct ways){.verify = verify_ways, .sign = sign_ways, .ca_key = ca_key};
	ways->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	ways->digest = EVP_MD_CTX_new();
	ways->digest_verifier = EVP_MD_CTX_new();
	ways->importer = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	ways->kept = EVP_EC_gen("P-256");
	ways->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, ways->kept, NULL);
	ways->signer = EVP_PKEY_CTX_new_from_pkey(NULL, ca_key, NULL);
	ways->signer_start = EVP_MD_CTX_new();
	ways->signer_copy = EVP_MD_CTX_new();
	if (ways->sha256 == NULL || ways->digest == NULL || ways->digest_verifier == NULL ||
	    ways->signer_copy == NULL || EVP_PKEY_fromdata_init(ways->importer) != 1 ||
	    EVP_PKEY_verify_init(ways->verifier) != 1 || EVP_PKEY_sign_init(ways->signer) != 1 ||
	    EVP_DigestSignInit(ways->signer_start, NULL, ways->sha256, NULL, ca_key) != 1)
		errx(EXIT_FAILURE, "OpenSSL has no P-256 or SHA-256");
}

void ways_close(struct ways *ways)
{
	EVP_MD_CTX_free(ways->signer_copy);
	EVP_MD_CTX_free(ways->signer_start);
	EVP_PKEY_CTX_free(ways->signer);
	EVP_PKEY_CTX_free(ways->verifier);
	EVP_PKEY_free(ways->kept);
	EVP_PKEY_CTX_free(ways->importer);
	EVP_MD_CTX_free(ways->digest_verifier);
	EVP_MD_CTX_free(ways->digest);
	EVP_MD_free(ways->sha256);
	*ways = (struct ways){0};
}
