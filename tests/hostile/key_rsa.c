#include "tests/hostile/key.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#define MOST_OF_TWO 2100 /* bits; larger moduli are made of more than two primes */

static void must(int one)
{
	if (one != 1)
		errx(EXIT_FAILURE, "RSA");
}

/* 11 modulo 12: so 2 and 3 have an inverse where exponents live, for squares, and for all. */
static BIGNUM *prime_from(BIGNUM *number)
{
	must(BN_set_bit(number, BN_num_bits(number) - 2));
	must(BN_sub_word(number, BN_mod_word(number, 12)));
	must(BN_add_word(number, 11));
	while (BN_check_prime(number, NULL, NULL) != 1)
		must(BN_add_word(number, 12));
	return number;
}

BIGNUM *key_prime(const char *seed, unsigned bits)
{
	return prime_from(key_number(seed, bits));
}

BIGNUM *key_prime_after(const BIGNUM *number)
{
	BIGNUM *next = BN_dup(number);

	must(BN_add_word(next, 12));
	return prime_from(next);
}

struct bytes key_rsa_spki(struct bytes modulus, struct bytes exponent)
{
	return bytes_make(
	    "30{30{06{2a864886f70d010101}0500}03{00 30{02{$}02{$}}}}", modulus, exponent);
}

/*
 * e's inverse modulo prime - 1, or where e is even modulo half of that, the order of the squares;
 * NULL where there is none.
 */
static BIGNUM *private_exponent(const BIGNUM *e, const BIGNUM *prime, BN_CTX *context)
{
	BIGNUM *order = BN_dup(prime), *inverse;

	must(BN_sub_word(order, 1));
	if (!BN_is_odd(e))
		must(BN_rshift1(order, order));
	inverse =
	    BN_is_one(order) ? BN_dup(BN_value_one()) : BN_mod_inverse(NULL, e, order, context);
	BN_free(order);
	return inverse;
}

/* root becomes the e-th root of number modulo the prime; false if it has none. */
static bool root_modulo(
    const struct key *key, const BIGNUM *prime, const BIGNUM *number, BIGNUM *root, BN_CTX *context)
{
	BIGNUM *exponent = private_exponent(key->rsa.e, prime, context), *power = BN_new();
	bool found = true;

	if (exponent == NULL)
		errx(EXIT_FAILURE, "an exponent has no inverse: take another seed");
	if (BN_is_word(prime, 2)) {
		must(BN_nnmod(root, number, prime, context));
	} else {
		must(BN_mod_exp(root, number, exponent, prime, context));
		must(BN_mod_exp(power, root, key->rsa.e, prime, context));
		must(BN_sub(power, power, number));
		must(BN_nnmod(power, power, prime, context));
		found = BN_is_zero(power);
	}
	BN_free(exponent);
	BN_free(power);
	return found;
}

/* All roots into one (Garner): signature grows modulo the primes so far. */
static bool root(const struct key *key, const BIGNUM *number, BIGNUM *signature, BN_CTX *context)
{
	BIGNUM *modulus = BN_dup(BN_value_one()), *part = BN_new(), *inverse = BN_new();
	bool found = true;

	BN_zero(signature);
	for (size_t i = 0; found && i < key->rsa.count; i++) {
		const BIGNUM *prime = key->rsa.prime[i];
		found = root_modulo(key, prime, number, part, context);
		if (!found)
			break;
		must(BN_sub(part, part, signature));
		BN_mod_inverse(inverse, modulus, prime, context);
		must(BN_mul(part, part, inverse, context));
		must(BN_nnmod(part, part, prime, context));
		must(BN_mul(part, part, modulus, context));
		must(BN_add(signature, signature, part));
		must(BN_mul(modulus, modulus, prime, context));
	}
	BN_free(modulus);
	BN_free(part);
	BN_free(inverse);
	return found;
}

struct bytes key_rsa_raw(const struct key *key, struct bytes encoded)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *number = BN_bin2bn(encoded.at, (int)encoded.len, NULL), *signature = BN_new();
	struct bytes made = bytes_make("");

	if (root(key, number, signature, context))
		made = bytes_number(signature, (size_t)BN_num_bytes(key->rsa.n));
	BN_free(number);
	BN_free(signature);
	BN_CTX_free(context);
	return made;
}

struct bytes key_rsa_padded(const struct key *key, struct bytes tail)
{
	size_t len = (size_t)BN_num_bytes(key->rsa.n);
	char notation[64];

	if (tail.len + 11 > len)
		errx(EXIT_FAILURE, "a modulus of %zu octets is too short", len);
	(void)snprintf(notation, sizeof(notation), "0001 <%zu ff> 00 $", len - tail.len - 3);
	return key_rsa_raw(key, bytes_make(notation, tail));
}

struct bytes key_rsa_digest_info(const EVP_MD *digest, struct bytes data)
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	must(EVP_Digest(data.at, data.len, octets, &len, digest, NULL));
	return bytes_make(
	    "30{30{$ 0500}04{$}}", bytes_oid(EVP_MD_get_type(digest)), bytes_copy(octets, len));
}

static struct bytes sign_rsa(const struct key *key, struct bytes data)
{
	return key_rsa_padded(key, key_rsa_digest_info(key->digest, data));
}

struct key *key_rsa(BIGNUM *const *primes, size_t count, const char *exponent)
{
	struct key *key = key_add();
	BN_CTX *context = BN_CTX_new();

	key->rsa.n = BN_dup(BN_value_one());
	for (size_t i = 0; i < count; i++) {
		key->rsa.prime[i] = primes[i];
		must(BN_mul(key->rsa.n, key->rsa.n, primes[i], context));
	}
	key->rsa.count = count;
	if (BN_dec2bn(&key->rsa.e, exponent) == 0)
		errx(EXIT_FAILURE, "no number: %s", exponent);
	key->spki = key_rsa_spki(bytes_integer(key->rsa.n), bytes_integer(key->rsa.e));
	key_digest(key, "SHA256", EVP_PKEY_RSA);
	key->sign = sign_rsa;
	BN_CTX_free(context);
	return key;
}

/*
 * Two primes, or as many of 512 bits as it takes, because large ones take long to find. Primes
 * have their two highest bits set: the product of two has as many bits as they have together; of
 * more, the last one makes up for it.
 */
struct key *key_rsa_bits(const char *seed, unsigned bits, const char *exponent)
{
	BIGNUM *primes[RSA_PRIMES], *product = BN_dup(BN_value_one());
	BN_CTX *context = BN_CTX_new();
	char text[64];
	size_t count = 0;
	unsigned part = bits > MOST_OF_TWO ? 512 : bits / 2;
	struct key *key;

	while (bits - (unsigned)BN_num_bits(product) >= part + part / 2) {
		(void)snprintf(
		    text, sizeof(text), "%s %zu", bits > MOST_OF_TWO ? "many" : seed, count);
		primes[count] = key_prime(text, part);
		must(BN_mul(product, product, primes[count++], context));
	}
	for (unsigned i = 0;; i++) {
		BIGNUM *whole = BN_new();
		int whole_bits;
		(void)snprintf(text, sizeof(text), "%s last %u", seed, i);
		primes[count] = key_prime(text, bits - (unsigned)BN_num_bits(product) + (i & 1));
		must(BN_mul(whole, product, primes[count], context));
		whole_bits = BN_num_bits(whole);
		BN_free(whole);
		if (whole_bits == (int)bits)
			break;
		BN_free(primes[count]);
	}
	key = key_rsa(primes, count + 1, exponent);
	BN_free(product);
	BN_CTX_free(context);
	return key;
}

struct key *key_rsa_hex(const char *p, const char *q)
{
	BIGNUM *primes[2] = {NULL, NULL};

	if (BN_hex2bn(&primes[0], p) == 0 || BN_hex2bn(&primes[1], q) == 0)
		errx(EXIT_FAILURE, "no hex");
	return key_rsa(primes, 2, "65537");
}

/* OpenSSL's form of a key of two primes. */
static EVP_PKEY *rsa_evp(const struct key *key)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BN_CTX *numbers = BN_CTX_new();
	BIGNUM *order = BN_new(), *p = BN_dup(key->rsa.prime[0]), *q = BN_dup(key->rsa.prime[1]),
	       *d;
	OSSL_PARAM *parameters;
	EVP_PKEY *evp = NULL;

	must(BN_sub_word(p, 1));
	must(BN_sub_word(q, 1));
	must(BN_mul(order, p, q, numbers));
	d = BN_mod_inverse(NULL, key->rsa.e, order, numbers);
	must(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, key->rsa.n));
	must(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, key->rsa.e));
	must(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_D, d));
	parameters = OSSL_PARAM_BLD_to_param(builder);
	must(EVP_PKEY_fromdata_init(context));
	must(EVP_PKEY_fromdata(context, &evp, EVP_PKEY_KEYPAIR, parameters));
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(context);
	BN_CTX_free(numbers);
	BN_free(order);
	BN_free(p);
	BN_free(q);
	BN_free(d);
	return evp;
}

struct bytes key_rsa_pss(const struct key *key, const struct pss *pss, struct bytes data)
{
	unsigned char signature[512];
	size_t len = sizeof(signature);
	EVP_PKEY *evp = rsa_evp(key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;

	must(EVP_DigestSignInit(context, &options, EVP_get_digestbyname(pss->digest), NULL, evp));
	must(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING));
	must(EVP_PKEY_CTX_set_rsa_mgf1_md(options, EVP_get_digestbyname(pss->mask_digest)));
	must(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, pss->salt));
	must(EVP_DigestSign(context, signature, &len, data.at, data.len));
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(evp);
	return bytes_copy(signature, len);
}
