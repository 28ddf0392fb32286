/* A6 to A13: RSA keys that are too small, too large, or that somebody can factor. */
#include "tests/hostile/row.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE "badCSR:key-size"
#define EXPONENT "badCSR:exponent"
#define MODULUS  "badCSR:modulus"
#define WEAK     "badCSR:weak-key"
#define SPKI     "badCSR:spki"

static void must(int one)
{
	if (one != 1)
		errx(EXIT_FAILURE, "numbers");
}

static void size(struct request *request, const char *what)
{
	request->key = key_rsa_bits(what, (unsigned)strtoul(what, NULL, 10), "65537");
}

/* As size, but not even the signature is long: so the whole stays below a limit of 16 KiB. */
static void size_unsigned(struct request *request, const char *what)
{
	size(request, what);
	request->signature = bytes_make("03{00 <256 5a>}");
}

/* The two primes that all exponents share, and other numbers with them. */
static struct key *with_exponent(const char *exponent)
{
	return key_rsa_bits("exponent", 2048, exponent);
}

static void exponent(struct request *request, const char *what)
{
	request->key = with_exponent(what);
}

/* Only squares have a root: the name is changed until the message is one. */
static void even_exponent(struct request *request, const char *what)
{
	static char name[65];
	struct key *key = with_exponent(what);

	request->key = key;
	request->name = name;
	for (unsigned i = 0;; i++) {
		struct bytes signature;
		(void)snprintf(name, sizeof(name), "pump-A8-even-%s-%u.example", what, i);
		signature = key->sign(key, request_info(request));
		if (signature.len > 0) {
			request->signature = bytes_make("03{00 $}", signature);
			return;
		}
	}
}

/* An odd exponent of so many bits that has an inverse. */
static void long_exponent(struct request *request, const char *what)
{
	BIGNUM *number = key_prime("long exponent", (unsigned)strtoul(what, NULL, 10));
	char *decimal = BN_bn2dec(number);

	request->key = with_exponent(decimal);
	OPENSSL_free(decimal);
	BN_free(number);
}

/* Notation for the SubjectPublicKeyInfo over modulus and exponent of a good key, as INTEGERs. */
static void numbers(struct request *request, const char *what)
{
	struct key *key = with_exponent("65537");

	request->key = key;
	request->spki = bytes_make(what, bytes_integer(key->rsa.n), bytes_integer(key->rsa.e));
}

/* The modulus without the octet that keeps it from being negative. */
static void negative_modulus(struct request *request, const char *what)
{
	struct key *key = with_exponent("65537");

	request->key = key;
	request->spki = bytes_make(what, bytes_number(key->rsa.n, 256), bytes_integer(key->rsa.e));
}

/* Two large primes and small ones, 2048 bits in all. */
static void small_factors(struct request *request, const char *what)
{
	BIGNUM *primes[8], *product = BN_dup(BN_value_one());
	BN_CTX *context = BN_CTX_new();
	size_t count = 0;
	char *rest;

	for (unsigned long factor = strtoul(what, &rest, 10); factor != 0;
	     factor = strtoul(rest, &rest, 10)) {
		primes[count] = BN_new();
		must(BN_set_word(primes[count++], factor));
		must(BN_mul_word(product, factor));
	}
	primes[count] = key_prime("exponent 0", 1024);
	must(BN_mul(product, product, primes[count++], context));
	for (unsigned i = 0;; i++) {
		char seed[32];
		BIGNUM *whole = BN_new();
		(void)snprintf(seed, sizeof(seed), "factor %u", i);
		primes[count] = key_prime(seed, 2048 - (unsigned)BN_num_bits(product) + (i & 1));
		must(BN_mul(whole, product, primes[count], context));
		if (BN_num_bits(whole) == 2048) {
			BN_free(whole);
			break;
		}
		BN_free(whole);
		BN_free(primes[count]);
	}
	request->key = key_rsa(primes, count + 1, "65537");
	BN_free(product);
	BN_CTX_free(context);
}

/*
 * "BITS FACTOR": a prime of half the bits, and one that is FACTOR * 2^(BITS / 4) further. Fermat's
 * method takes the square of the distance over eight times the root of the modulus: between
 * FACTOR^2 / 8 and FACTOR^2 / 6 rounds.
 */
static void close_primes(struct request *request, const char *what)
{
	BIGNUM *primes[2], *distance = BN_new();
	char *rest;
	unsigned bits = (unsigned)strtoul(what, &rest, 10);

	primes[0] = key_prime("close", bits / 2);
	must(BN_set_word(distance, strtoul(rest, NULL, 10)));
	must(BN_lshift(distance, distance, (int)bits / 4));
	must(BN_add(distance, distance, primes[0]));
	primes[1] = key_prime_after(distance);
	BN_free(distance);
	request->key = key_rsa(primes, 2, "65537");
}

/*
 * One prime twice: the square root is exact. Roots modulo a square need an exponent of their own.
 */
static void square(struct request *request, const char *what)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *primes[1] = {key_prime(what, 1024)}, *prime = primes[0], *order = BN_new(),
	       *message, *inverse, *signature = BN_new();
	struct key *key = key_rsa(primes, 1, "65537");
	struct bytes info;

	must(BN_sqr(key->rsa.n, prime, context));
	must(BN_sub(order, key->rsa.n, prime));
	inverse = BN_mod_inverse(NULL, key->rsa.e, order, context);
	key->spki = key_rsa_spki(bytes_integer(key->rsa.n), bytes_integer(key->rsa.e));
	request->key = key;
	info = key_rsa_digest_info(EVP_sha256(), request_info(request));
	info = bytes_make("0001 <202 ff> 00 $", info);
	message = BN_bin2bn(info.at, (int)info.len, NULL);
	must(BN_mod_exp(signature, message, inverse, key->rsa.n, context));
	request->signature = bytes_make("03{00 $}", bytes_number(signature, 256));
	BN_free(order);
	BN_free(message);
	BN_free(inverse);
	BN_free(signature);
	BN_CTX_free(context);
}

/* The product of the first so many primes. */
static BIGNUM *primorial(unsigned count)
{
	BIGNUM *product = BN_dup(BN_value_one());

	for (unsigned candidate = 2; count > 0; candidate++) {
		unsigned divisor = 2;
		while (divisor * divisor <= candidate && candidate % divisor != 0)
			divisor++;
		if (divisor * divisor <= candidate)
			continue;
		must(BN_mul_word(product, candidate));
		count--;
	}
	return product;
}

/*
 * CVE-2017-15361: a prime k * M + (65537^a mod M), M the product of the first primes, from 3/4 of
 * its bits on.
 */
static BIGNUM *roca_prime(const char *seed, unsigned bits, unsigned prime_count)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *product = primorial(prime_count), *power = key_number(seed, 250), *k = BN_new(),
	       *step, *generator = BN_new(), *prime = BN_new();

	must(BN_set_word(generator, 65537));
	must(BN_mod_exp(generator, generator, power, product, context));
	must(BN_set_word(k, 3));
	must(BN_lshift(k, k, (int)bits - 2));
	must(BN_div(k, NULL, k, product, context));
	step = key_number(seed, (unsigned)BN_num_bits(k) - 4);
	must(BN_add(k, k, step));
	do {
		must(BN_add_word(k, 1));
		must(BN_mul(prime, k, product, context));
		must(BN_add(prime, prime, generator));
	} while (BN_check_prime(prime, context, NULL) != 1);
	BN_free(product);
	BN_free(power);
	BN_free(generator);
	BN_free(k);
	BN_free(step);
	BN_CTX_free(context);
	return prime;
}

static void roca(struct request *request, const char *what)
{
	unsigned bits = (unsigned)strtoul(what, NULL, 10);
	unsigned prime_count = bits < 3968 ? 126 : 225;
	BIGNUM *primes[2];

	primes[0] = roca_prime("roca p", bits / 2, prime_count);
	primes[1] = roca_prime("roca q", bits / 2, prime_count);
	request->key = key_rsa(primes, 2, "65537");
	if (BN_num_bits(request->key->rsa.n) != (int)bits)
		errx(EXIT_FAILURE, "a ROCA key is not of %u bits", bits);
}

/* --- A13: keys of the lists that rows_print_blocked() prints --- */

static const struct key *blocked_rsa(void)
{
	return key_rsa_bits("blocked", 2048, "65537");
}

static const struct key *blocked_ec(const char *secret)
{
	return key_ec_secret("prime256v1", secret);
}

static void blocked(struct request *request, const char *what)
{
	request->key = strcmp(what, "rsa") == 0 ? blocked_rsa() : blocked_ec(what);
}

/* The same modulus in a SubjectPublicKeyInfo that a digest of it would not find. */
static void blocked_form(struct request *request, const char *what)
{
	const struct key *key = blocked_rsa();

	request->key = key;
	request->spki = bytes_make(what, bytes_integer(key->rsa.n), bytes_integer(key->rsa.e));
}

static void blocked_exponent(struct request *request, const char *what)
{
	request->key = key_rsa_bits("blocked", 2048, what);
}

static void digest_hex(const EVP_MD *md, struct bytes data, char hex[static 65])
{
	unsigned char digest[32];
	unsigned len = 0;

	must(EVP_Digest(data.at, data.len, digest, &len, md, NULL));
	for (unsigned i = 0; i < len; i++)
		(void)snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
}

#define LISTED_EC         "bad0bad0bad0bad0bad0bad0bad0bad0"
#define LISTED_EC_COMMENT "bad1bad1bad1bad1bad1bad1bad1bad1"

void rows_print_blocked(FILE *file)
{
	const struct key *rsa = blocked_rsa();
	char hex[65], *modulus = BN_bn2hex(rsa->rsa.n), *line;

	line = OPENSSL_zalloc(strlen(modulus) + 16);
	(void)sprintf(line, "Modulus=%s\n", modulus);
	digest_hex(EVP_sha1(), (struct bytes){(unsigned char *)line, strlen(line)}, hex);
	fprintf(file, "# keys that make_hostile knows, in each of the forms\n\n%s\n", hex + 20);
	digest_hex(EVP_sha256(), blocked_ec(LISTED_EC)->spki, hex);
	fprintf(file, "%s\n", hex);
	digest_hex(EVP_sha256(), blocked_ec(LISTED_EC_COMMENT)->spki, hex);
	fprintf(file, "%s with more text behind it\n", hex);
	OPENSSL_free(modulus);
	OPENSSL_free(line);
}

#define RSA_OID "06{2a864886f70d010101}"

const struct row rows_rsa[] = {
    BAD("A6", "512", size, "512", KEY_SIZE),
    BAD("A6", "768", size, "768", KEY_SIZE),
    BAD("A6", "1024", size, "1024", KEY_SIZE),
    BAD("A6", "1536", size, "1536", KEY_SIZE),
    BAD("A6", "2040", size, "2040", KEY_SIZE),
    BAD("A6", "2047", size, "2047", KEY_SIZE),
    BAD("A6", "2049", size, "2049", KEY_SIZE),
    BAD("A6", "2056", size, "2056", KEY_SIZE),
    BAD("A6", "3071", size, "3071", KEY_SIZE),
    BAD("A6", "3073", size, "3073", KEY_SIZE),
    BAD("A6", "4095", size, "4095", KEY_SIZE),
    BAD("A6", "4097", size, "4097", KEY_SIZE),
    BAD("A6", "8192", size, "8192", KEY_SIZE),
    BAD("A7", "16384", size, "16384", KEY_SIZE),
    BAD("A7", "32768", size, "32768", KEY_SIZE),
    BAD("A7", "65536-short-signature", size_unsigned, "65536", KEY_SIZE),
    BAD("A7", "65536", size, "65536", "badCSR:size"),

    BAD("A8", "1", exponent, "1", EXPONENT),
    BAD("A8", "3", exponent, "3", EXPONENT),
    BAD("A8", "17", exponent, "17", EXPONENT),
    BAD("A8", "65539", exponent, "65539", EXPONENT),
    BAD("A8", "2041-bits", long_exponent, "2041", EXPONENT),
    BAD("A8", "256-bits", long_exponent, "256", EXPONENT),
    BAD("A8", "even-2", even_exponent, "2", EXPONENT),
    BAD("A8", "even-65536", even_exponent, "65536", EXPONENT),
    BAD("A8", "zero", numbers, "30{30{" RSA_OID "0500}03{00 30{02{$}020100}}}",
	"badCSR:exponent|badCSR:spki"),
    BAD("A8", "negative", numbers, "30{30{" RSA_OID "0500}03{00 30{02{$}0202ffff}}}",
	"badCSR:exponent|badCSR:spki"),
    BAD("A8", "leading-zero", numbers, "30{30{" RSA_OID "0500}03{00 30{02{$}02{00 $}}}}",
	"badCSR:exponent|badCSR:spki"),
    GOOD("A8", "any-65539", exponent, "65539", "label=exponents"),
    GOOD("A8", "any-256-bits", long_exponent, "256", "label=exponents"),
    BAD_AT("label=exponents", "A8", "any-3", exponent, "3", EXPONENT),
    BAD_AT("label=exponents", "A8", "any-1", exponent, "1", EXPONENT),
    BAD_AT("label=exponents", "A8", "any-even", even_exponent, "65536", EXPONENT),
    BAD_AT("label=exponents", "A8", "any-257-bits", long_exponent, "257", EXPONENT),

    BAD("A9", "even", small_factors, "2", MODULUS),
    BAD("A9", "negative", negative_modulus, "30{30{" RSA_OID "0500}03{00 30{02{$}02{$}}}}",
	"badCSR:modulus|badCSR:spki"),
    BAD("A9", "zero", numbers, "30{30{" RSA_OID "0500}03{00 30{020100 0203010001}}}",
	"badCSR:modulus|badCSR:spki|badCSR:key-size"),
    BAD("A9", "leading-zeros", numbers, "30{30{" RSA_OID "0500}03{00 30{02{0000$}02{$}}}}", SPKI),
    BAD("A9", "no-octets", numbers, "30{30{" RSA_OID "0500}03{00 30{0200 0203010001}}}", SPKI),
    BAD("A9", "third-number", numbers, "30{30{" RSA_OID "0500}03{00 30{02{$}02{$}020103}}}", SPKI),
    BAD("A9", "trailing", numbers, "30{30{" RSA_OID "0500}03{00 30{02{$}02{$}}00}}", SPKI),
    BAD("A9", "unused-bits", numbers, "30{30{" RSA_OID "0500}03{01 30{02{$}02{$}}}}",
	"badCSR:spki|badCSR:der"),
    BAD("A9", "other-parameters", numbers, "30{30{" RSA_OID "020100}03{00 30{02{$}02{$}}}}", SPKI),
    BAD("A9", "indefinite", numbers, "30{30{" RSA_OID "0500}03{00 30!{02{$}02{$}}}}",
	"badCSR:spki|badCSR:der"),

    BAD("A10", "3", small_factors, "3", WEAK),
    BAD("A10", "5", small_factors, "5", WEAK),
    BAD("A10", "257", small_factors, "257", WEAK),
    BAD("A10", "743", small_factors, "743", WEAK),
    BAD("A10", "751", small_factors, "751", WEAK),
    BAD("A10", "3-and-7-and-751", small_factors, "3 7 751", WEAK),

    BAD("A11", "adjacent", close_primes, "2048 0", WEAK),
    BAD("A11", "square", square, "close", WEAK),
    BAD("A11", "few-rounds", close_primes, "2048 8", WEAK),
    BAD("A11", "many-rounds", close_primes, "2048 26", WEAK),
    BAD("A11", "adjacent-3072", close_primes, "3072 0", WEAK),

    BAD("A12", "2048", roca, "2048", WEAK),
    BAD("A12", "3072", roca, "3072", WEAK),
    BAD("A12", "4096", roca, "4096", WEAK),

    BAD("A13", "rsa", blocked, "rsa", "badCSR:blocked-key"),
    BAD("A13", "rsa-no-parameters", blocked_form, "30{30{" RSA_OID "}03{00 30{02{$}02{$}}}}",
	"badCSR:blocked-key|badCSR:spki"),
    BAD_AT("label=exponents", "A13", "rsa-other-exponent", blocked_exponent, "65539",
	"badCSR:blocked-key"),
    BAD("A13", "spki", blocked, LISTED_EC, "badCSR:blocked-key"),
    BAD("A13", "spki-comment", blocked, LISTED_EC_COMMENT, "badCSR:blocked-key"),
    {0},
};
