/*
 * key.h - public keys and signatures: which kinds there are, and how OpenSSL gets to see them.
 *
 * Kinds of keys are rows of a table in key.c, kinds of signatures of one in key_signature.c;
 * nothing else lists algorithms.
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
	struct span spki;              /* the whole */
	struct span point;             /* EC or Edwards; RSA: the RSAPublicKey */
	struct span modulus, exponent; /* RSA: without leading zeros; else empty */
	unsigned bits;
	bool other_exponent; /* RSA, and the exponent is another than 65537 */
};

/*
 * Parses and checks a SubjectPublicKeyInfo, without any arithmetic and without OpenSSL:
 * EST_MALFORMED (CSR_SPKI, CSR_KEY_TYPE, CSR_CURVE, CSR_POINT, CSR_KEY_SIZE, CSR_MODULUS,
 * CSR_EXPONENT) for kinds, sizes and encodings that we do not take. The spans of *out point into
 * spki.
 */
enum outcome key_parse(struct span spki, struct key_info *out);

/* The word of est.conf: "P-256", "RSA-3072", "Ed25519", "Ed448". */
const char *key_word(const struct key_info *key);
bool key_word_known(const char *word);

/* Which of X.509's key usages make sense with it: keyEncipherment for RSA only (RFC 8813),
 * keyAgreement for EC only. */
bool key_can_encipher(const struct key_info *key);
bool key_can_agree(const struct key_info *key);

/*
 * Verifies the signature over data by the key. algorithm is a DER AlgorithmIdentifier: ECDSA or RSA
 * (PKCS #1 1.5, or PSS by RFC 4055) with SHA-256, SHA-384 or SHA-512, Ed25519, Ed448.
 * EST_MALFORMED: CSR_SIGALG where it is another one or does not fit the key, CSR_WEAK_KEY where
 * rsa_check_modulus() refuses the key, CSR_POINT where the key is no point of its curve,
 * CSR_SIGNATURE where the signature does not verify.
 */
enum outcome key_verify(
    const struct key_info *key, struct span algorithm, struct span signature, struct span data);
/* The same, taking SHA-1 with ECDSA and RSA as well. */
enum outcome key_verify_sha1(
    const struct key_info *key, struct span algorithm, struct span signature, struct span data);

/* Whether an OID (content octets) is that of a signature algorithm of key_verify_sha1(). */
bool key_signature_known(struct span oid);

/* Makes a key pair of that word. EST_MALFORMED for none of ours. The caller frees the key. */
enum outcome key_make(const char *word, EVP_PKEY **out);

/* What a request by such a key says of it, for who demands one: DER values, whole and static. */
struct key_terms {
	struct span type;       /* OID of its AlgorithmIdentifier */
	struct span parameters; /* its curve's OID, or RSA's NULL; or empty */
	struct span signature;  /* OID of the signature scheme that goes with it */
	unsigned modulus_bits;  /* 0: no RSA key */
	bool can_encipher, can_agree;
};
bool key_terms_of(const char *word, struct key_terms *out); /* false: no word of ours */

/* Whether an OID (content octets) is a type of our keys, as rsaEncryption, or one of our curves. */
bool key_type_known(struct span oid);
bool key_curve_known(struct span oid);

/*
 * The DER AlgorithmIdentifier that a CA's private key signs with, and the digest for it (NULL:
 * none, Ed25519 and Ed448); EST_MALFORMED for a key that we do not sign with. Both are static.
 */
enum outcome key_signer(EVP_PKEY *key, struct span *algorithm, const EVP_MD **digest);

/*
 * What a key is known by where it is blocked or reserved: the SHA-256 of its
 * SubjectPublicKeyInfo; of an RSA key as if its exponent were 65537, because who has the factors
 * has every exponent's private key.
 */
void key_identity(const struct key_info *key, unsigned char digest[static 32]);

/* A one-shot SHA-256 with an algorithm fetched once. */
void key_sha256(struct span data, unsigned char digest[static 32]);

#endif
