/*
 * authority.h - the P-256 CA that the limit signs with, made and checked through OpenSSL's
 * ordinary, slow and thorough functions.
 */
#ifndef EST_BENCH_AUTHORITY_H
#define EST_BENCH_AUTHORITY_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/buf.h" /* struct span only */

struct authority {
	EVP_PKEY *key;
	X509 *certificate; /* self-signed */
	unsigned char key_id[20];
};

/* Makes a fresh one, valid for an hour; ends the process where OpenSSL fails. */
void authority_make(struct authority *authority);
void authority_free(struct authority *authority);

/*
 * Whether answer is the base64 of a certs-only PKCS#7 with exactly one certificate, which verifies
 * up to the authority under X509_V_FLAG_X509_STRICT and carries the P-256 key with this point. Says
 * on stderr what is wrong.
 */
bool authority_check(
    const struct authority *authority, struct span answer, const unsigned char *point);

#endif
