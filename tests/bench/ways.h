/*
 * ways.h - ways to have OpenSSL 3 verify the signature of a request and sign a certificate, side by
 * side: the limit takes the fastest, and `limit --ways` shows what each costs.
 */
#ifndef EST_BENCH_WAYS_H
#define EST_BENCH_WAYS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "common/base/buf.h" /* struct span only */

struct ways;

struct verify_way {
	const char *name;
	const char *what;
	/* Whether signature is that of bytes by the key of this SubjectPublicKeyInfo. */
	bool (*verify)(
	    struct ways *ways, struct span spki, struct span bytes, struct span signature);
};

struct sign_way {
	const char *name;
	const char *what;
	/* Signs bytes with ways->ca_key into out; *len is the room before and the length after. */
	bool (*sign)(struct ways *ways, struct span bytes, unsigned char *out, size_t *len);
};

/* The fastest first; a row without a name ends them. */
extern const struct verify_way verify_ways[];
extern const struct sign_way sign_ways[];

/* What the ways keep between enrollments. */
struct ways {
	const struct verify_way *verify;
	const struct sign_way *sign;
	EVP_PKEY *ca_key; /* the caller's */
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	EVP_MD_CTX *digest_verifier;
	EVP_PKEY_CTX *importer;   /* for EVP_PKEY_fromdata() */
	EVP_PKEY *kept;           /* a P-256 key whose point is set anew for every request */
	EVP_PKEY_CTX *verifier;   /* on kept */
	EVP_PKEY_CTX *signer;     /* on ca_key */
	EVP_MD_CTX *signer_start; /* a digest context ready to sign with ca_key */
	EVP_MD_CTX *signer_copy;
};

/* Chooses the first rows; ends the process where OpenSSL fails. */
void ways_open(struct ways *ways, EVP_PKEY *ca_key);
void ways_close(struct ways *ways);

#endif
