/*
 * key.h - public keys and signatures: which kinds there are, and how OpenSSL gets to see them.
 *
 * Kinds of keys and of signature algorithms are rows of tables in key.c; nothing else lists
 * algorithms.
 */
#ifndef EST_KEY_H
#define EST_KEY_H

#include <openssl/evp.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

struct key_kind; /* a row */

/* A SubjectPublicKeyInfo, looked into. */
struct key_info {
	const struct key_kind *kind;
	struct span spki;  /* the whole */
	struct span point; /* EC point, Ed25519 octets, or the RSAPublicKey */
	unsigned bits;
};

/* Parses and checks a SubjectPublicKeyInfo: EST_MALFORMED for kinds, sizes and encodings we do not
 * take. */
enum outcome key_parse(struct span spki, struct key_info *out);

/* The word of est.conf: "P-256", "RSA-3072", "Ed25519". */
const char *key_word(const struct key_info *key);
bool key_word_known(const char *word);

/* Which of X.509's key usages make sense with it: keyEncipherment for RSA only (RFC 8813),
 * keyAgreement for EC only. */
bool key_can_encipher(const struct key_info *key);
bool key_can_agree(const struct key_info *key);

/* Verifies signature over data by the key. EST_MALFORMED where the algorithm is not allowed, does
   not fit the key, or the signature does not verify. algorithm is a DER AlgorithmIdentifier. */
enum outcome key_verify(
    const struct key_info *key, struct span algorithm, struct span signature, struct span data);

/* The DER AlgorithmIdentifier that a CA's private key signs with, and the digest for it (NULL:
   none, Ed25519); EST_MALFORMED for a key we do not sign with. Both are static. */
enum outcome key_signer(EVP_PKEY *key, struct span *algorithm, const EVP_MD **digest);

/* A one-shot SHA-256 with an algorithm fetched once. */
void key_sha256(struct span data, unsigned char digest[static 32]);

#endif
