/*
 * Moduli that look like any other and can be factored all the same, made here; and honest ones.
 */
#include "maker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>

#include "common/pki/key.h"
#include "common/pki/rsa.h"
#include "refusal_test.h"

static BN_CTX *context;

static struct span octets_of(const BIGNUM *number)
{
	unsigned char octets[1024];
	int len = BN_bn2bin(number, octets);

	return maker_copy((struct span){octets, (size_t)len});
}

static enum outcome check(const BIGNUM *modulus)
{
	return rsa_check_modulus(octets_of(modulus));
}

/* The modulus is refused, and the reason says so. */
static void weak(const char *why, const BIGNUM *modulus)
{
	assert_int_equal(check(modulus), EST_MALFORMED);
	if (strstr(reason_text(), why) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", reason_text(), why);
	assert_refusal(CSR_WEAK_KEY, EST_MALFORMED);
}

static BIGNUM *product(const BIGNUM *p, const BIGNUM *q)
{
	BIGNUM *n = BN_new();

	assert_int_equal(BN_mul(n, p, q, context), 1);
	return n;
}

/* Odd, of so many bits, the two highest of them set. */
static BIGNUM *random_number(int bits)
{
	BIGNUM *number = BN_new();

	assert_int_equal(BN_rand(number, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
	return number;
}

static BIGNUM *random_prime(int bits)
{
	BIGNUM *prime = random_number(bits);

	assert_int_equal(BN_generate_prime_ex2(prime, bits, 0, NULL, NULL, NULL, context), 1);
	return prime;
}

/* No small prime divides the number, which is all that the check knows of a prime. */
static bool is_rough(const BIGNUM *number)
{
	bool rough = BN_is_odd(number);

	for (BN_ULONG factor = 3; factor < 760 && rough; factor += 2)
		rough = BN_mod_word(number, factor) != 0;
	return rough;
}

/* On to the next such number. */
static void go_to_rough(BIGNUM *number)
{
	if (!BN_is_odd(number))
		assert_int_equal(BN_add_word(number, 1), 1);
	do
		assert_int_equal(BN_add_word(number, 2), 1);
	while (!is_rough(number));
}

/* The integer square root, a bit at a time. */
static BIGNUM *root_of(const BIGNUM *number)
{
	BIGNUM *root = BN_new(), *square = BN_new();

	BN_zero(root);
	for (int bit = BN_num_bits(number) / 2; bit >= 0; bit--) {
		assert_int_equal(BN_set_bit(root, bit), 1);
		assert_int_equal(BN_sqr(square, root, context), 1);
		if (BN_cmp(square, number) > 0)
			assert_int_equal(BN_clear_bit(root, bit), 1);
	}
	BN_free(square);
	return root;
}

/*
 * A product p * q that Fermat's method finds in this round: (p + q) / 2 is by so much above its
 * root. With the distance d that is d^2 / 8p, nearly, so d = sqrt(8p (round - 1/2)).
 */
static BIGNUM *close_product(BIGNUM *p, unsigned round)
{
	BIGNUM *square = BN_dup(p), *distance, *q = BN_new(), *n, *root;

	assert_int_equal(BN_mul_word(square, 4 * (2 * round - 1)), 1);
	distance = root_of(square);
	assert_int_equal(BN_add(q, p, distance), 1);
	go_to_rough(q);
	n = product(p, q);
	root = root_of(n);
	assert_int_equal(BN_add(q, q, p) && BN_rshift1(q, q), 1);
	assert_int_equal(BN_sub(q, q, root), 1);
	assert_true(BN_is_word(q, round));
	BN_free(square);
	BN_free(distance);
	BN_free(q);
	BN_free(root);
	return n;
}

/* A11 */
static void test_close_primes(void **state)
{
	static const int sizes[] = {512, 1024, 2048};
	static const unsigned found[] = {1, 2, 49, 50, 51, 109, 110};
	static const unsigned not_found[] = {111, 112, 113, 200, 10000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		BIGNUM *p = random_number(sizes[i]), *n;
		go_to_rough(p);
		for (size_t k = 0; k < COUNT(found); k++) {
			char why[64];
			(void)snprintf(
			    why, sizeof(why), "close primes (found in %u rounds", found[k]);
			n = close_product(p, found[k]);
			weak(why, n);
			BN_free(n);
		}
		for (size_t k = 0; k < COUNT(not_found); k++) {
			n = close_product(p, not_found[k]);
			assert_refusal(REFUSAL_NONE, check(n));
			BN_free(n);
		}
		n = product(p, p);
		weak("close primes", n);
		BN_free(n);
		BN_free(p);
	}
}

/* Two primes, one after the other: OpenSSL takes such a key for a good one. */
static void test_neighbours(void **state)
{
	BIGNUM *p = random_prime(1024), *q = BN_dup(p), *n;

	(void)state;
	do
		assert_int_equal(BN_add_word(q, 2), 1);
	while (BN_check_prime(q, context, NULL) != 1);
	n = product(p, q);
	weak("close primes", n);
	BN_free(p);
	BN_free(q);
	BN_free(n);
}

/* A10: each prime below 752 by itself; the next one is none of them. */
static void test_small_factors(void **state)
{
	BIGNUM *rough = random_number(2040);
	unsigned primes = 0;

	(void)state;
	go_to_rough(rough);
	for (unsigned factor = 3; factor <= 761; factor += 2) {
		BIGNUM *n = BN_dup(rough);
		char why[64];
		bool prime = true;
		for (unsigned k = 3; k * k <= factor; k += 2)
			prime = prime && factor % k != 0;
		assert_int_equal(BN_mul_word(n, factor), 1);
		(void)snprintf(why, sizeof(why), "divisible by %u;", factor);
		if (prime && factor < 752)
			weak(why, n);
		else if (prime)
			assert_refusal(REFUSAL_NONE, check(n));
		primes += prime && factor < 752;
		BN_free(n);
	}
	assert_int_equal(primes, 132);
	BN_free(rough);
}

/* The product of the first primes. */
static BIGNUM *primorial(unsigned count)
{
	BIGNUM *number = BN_new();

	assert_int_equal(BN_set_word(number, 2), 1);
	for (unsigned odd = 3, found = 1; found < count; odd += 2) {
		bool prime = true;
		for (unsigned k = 3; k * k <= odd; k += 2)
			prime = prime && odd % k != 0;
		if (prime) {
			assert_int_equal(BN_mul_word(number, odd), 1);
			found++;
		}
	}
	return number;
}

/*
 * p = k * M + (65537^a mod M): what the library of CVE-2017-15361 took for random primes. One that
 * is only rough is quicker to find; left to chance, one in fifty is divisible by a prime above
 * those of M.
 */
static BIGNUM *roca_prime(const BIGNUM *primorial, int bits, bool prime)
{
	BIGNUM *p = BN_new(), *k = BN_new(), *power = BN_new(), *base = BN_new();

	assert_int_equal(BN_set_word(base, 65537), 1);
	do {
		assert_int_equal(BN_rand(k, 62, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY), 1);
		assert_int_equal(BN_mod_exp(power, base, k, primorial, context), 1);
		assert_int_equal(
		    BN_rand(k, bits - BN_num_bits(primorial), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY),
		    1);
		assert_int_equal(BN_mul(p, k, primorial, context) && BN_add(p, p, power), 1);
	} while (!is_rough(p) || (prime && BN_check_prime(p, context, NULL) != 1));
	BN_free(k);
	BN_free(power);
	BN_free(base);
	return p;
}

/*
 * A12: with the primorials of the sizes; and a product with another prime, which has no
 * fingerprint.
 */
static void test_roca(void **state)
{
	static const struct {
		int bits;
		unsigned primes;
	} sizes[] = {{512, 71}, {1024, 126}, {1536, 126}, {2048, 225}};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		BIGNUM *m = primorial(sizes[i].primes);
		BIGNUM *p = roca_prime(m, sizes[i].bits, sizes[i].bits <= 1024);
		BIGNUM *q = roca_prime(m, sizes[i].bits, sizes[i].bits <= 1024);
		BIGNUM *other = random_number(sizes[i].bits);
		BIGNUM *n = product(p, q);
		weak("ROCA", n);
		BN_free(n);
		go_to_rough(other);
		n = product(p, other);
		assert_refusal(REFUSAL_NONE, check(n));
		BN_free(n);
		BN_free(m);
		BN_free(p);
		BN_free(q);
		BN_free(other);
	}
}

/* No false alarm: 276 honest moduli, and the keys that OpenSSL made for the corpus. */
static void test_honest(void **state)
{
	static const char *const kinds[] = {"RSA-2048", "RSA-3072", "RSA-4096"};
	BIGNUM *primes[24];

	(void)state;
	for (size_t i = 0; i < COUNT(primes); i++) {
		primes[i] = random_prime(1024);
		for (size_t k = 0; k < i; k++) {
			BIGNUM *n = product(primes[i], primes[k]);
			assert_refusal(REFUSAL_NONE, check(n));
			BN_free(n);
		}
	}
	for (size_t i = 0; i < COUNT(primes); i++)
		BN_free(primes[i]);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct key_info key;
		assert_outcome(EST_OK, key_parse(maker_spki(kinds[i]), &key));
		assert_refusal(REFUSAL_NONE, rsa_check_modulus(key.modulus));
	}
}

/* Far below the 5 ms that a hostile key may cost, whatever becomes of it. */
static void test_cost(void **state)
{
	BIGNUM *p = random_number(2048), *n;
	struct span moduli[2];

	(void)state;
	go_to_rough(p);
	for (size_t i = 0; i < COUNT(moduli); i++) {
		n = close_product(p, i == 0 ? 110 : 1000);
		moduli[i] = octets_of(n);
		BN_free(n);
	}
	BN_free(p);
	for (size_t i = 0; i < COUNT(moduli); i++) {
		clock_t start = clock();
		for (unsigned k = 0; k < 100; k++) {
			(void)rsa_check_modulus(moduli[i]);
			reason_clear();
		}
		assert_true(clock() - start < CLOCKS_PER_SEC / 2);
	}
}

static int setup(void **state)
{
	(void)state;
	context = BN_CTX_new();
	return context == NULL;
}

static int teardown(void **state)
{
	BN_CTX_free(context);
	return maker_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_close_primes),
	    TEST(test_neighbours),
	    TEST(test_small_factors),
	    TEST(test_roca),
	    TEST(test_honest),
	    TEST(test_cost),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
