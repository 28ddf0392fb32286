/*
 * key.h - keys of every kind, and signatures by them that verify, also where no library would make
 * them.
 *
 * Keys come from seeds, so that a file is the same in every run but for the nonces of its
 * signature. They live until key_end().
 */
#ifndef EST_HOSTILE_KEY_H
#define EST_HOSTILE_KEY_H

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "tests/hostile/bytes.h"

#define RSA_PRIMES 160

struct key {
	struct key *next;
	struct bytes spki, algorithm; /* SubjectPublicKeyInfo; AlgorithmIdentifier of signatures */
	const EVP_MD *digest;         /* NULL: the kind has its own */
	struct bytes (*sign)(const struct key *key, struct bytes data);

	/* one of these */
	EVP_PKEY *evp;
	struct {
		BIGNUM *n, *e, *prime[RSA_PRIMES];
		size_t count;
	} rsa;
	struct {
		EC_GROUP *group;
		BIGNUM *secret;
		EC_POINT *point;
	} ec;
};

struct key *key_add(void);
void key_end(void);

/*
 * Sets digest and algorithm, which is X509's for this digest (an OpenSSL name) and kind of key, an
 * OpenSSL number.
 */
void key_digest(struct key *key, const char *digest, int kind);

/* A number of exactly so many bits that the seed decides. */
BIGNUM *key_number(const char *seed, unsigned bits);

/* --- any key of OpenSSL's --- */

struct key *key_evp(EVP_PKEY *evp, const char *digest); /* takes the key over */
struct key *key_file(const char *path);                 /* a private key in PEM */
struct key *key_raw(int kind, const char *secret);      /* EVP_PKEY_ED25519, ...; hex or a seed */

/* --- ECDSA by hand (key_ec.c) --- */

struct key *key_ec(const char *curve);                           /* "prime256v1" */
struct key *key_ec_secret(const char *curve, const char *hex);   /* a known private key */
struct key *key_ec_group(EC_GROUP *group, const BIGNUM *secret); /* takes the group over */
struct bytes key_ec_point(const struct key *key, point_conversion_form_t form);

/* The curve in full instead of its name. */
struct bytes key_ec_explicit(const struct key *key);

/* A SubjectPublicKeyInfo with these parameters and this point, whatever they are. */
struct bytes key_ec_spki(struct bytes parameters, struct bytes point);

/* --- RSA by hand, of any number of primes (key_rsa.c) --- */

/*
 * A prime of so many bits, the two highest set, that is 11 modulo 12; the next one after a number.
 */
BIGNUM *key_prime(const char *seed, unsigned bits);
BIGNUM *key_prime_after(const BIGNUM *number);

/*
 * The key of these primes (taken over) with the exponent in decimal. With an even exponent only
 * squares have a signature: sign gives an empty one where there is none.
 */
struct key *key_rsa(BIGNUM *const *primes, size_t count, const char *exponent);
struct key *key_rsa_bits(const char *seed, unsigned bits, const char *exponent);
struct key *key_rsa_hex(const char *p, const char *q); /* a published one, 65537 */

struct bytes key_rsa_spki(struct bytes modulus, struct bytes exponent); /* contents of INTEGERs */

/* The signature of an encoded message of as many octets as the modulus. */
struct bytes key_rsa_raw(const struct key *key, struct bytes encoded);
/* EMSA-PKCS1-v1_5 with this behind the padding. */
struct bytes key_rsa_padded(const struct key *key, struct bytes tail);
struct bytes key_rsa_digest_info(const EVP_MD *digest, struct bytes data);

/* A signature of RSASSA-PSS, by OpenSSL. */
struct pss {
	const char *digest, *mask_digest;
	int salt;
};
struct bytes key_rsa_pss(const struct key *key, const struct pss *pss, struct bytes data);

#endif
