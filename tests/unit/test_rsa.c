/*
 * RSA keys: their numbers as key_parse() takes them. What can be factored is in test_rsa_modulus.c.
 */
#include "maker.h"

#include <string.h>
#include <time.h>

#include "common/pki/key.h"
#include "refusal_test.h"

#define RSA    "06{2a864886f70d010101}"
#define DIGITS (65536 / 4) /* of the largest modulus */

static void refuses(enum refusal code, struct span spki)
{
	struct key_info key;

	assert_refusal(code, key_parse(maker_copy(spki), &key));
}

/* A number of so many bits, odd, in hex digits. */
static const char *number(unsigned bits, char text[DIGITS + 1])
{
	size_t digits = (bits + 7) / 8 * 2;
	unsigned top = 1U << (bits - 1) % 8;

	memset(text, 'b', digits);
	text[0] = "0123456789abcdef"[top >> 4];
	text[1] = "0123456789abcdef"[top & 15];
	text[digits] = '\0';
	return text;
}

/* A6, A7, A9 */
static void test_sizes(void **state)
{
	static const unsigned wrong[] = {
	    8, 512, 1024, 2040, 2047, 2049, 2056, 3071, 3073, 4095, 4097, 8192, 16384, 65536};
	static const unsigned right[] = {2048, 3072, 4096};
	static char modulus[DIGITS + 1];
	struct key_info key;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		(void)number(wrong[i], modulus);
		modulus[strlen(modulus) - 1] = '1';
		refuses(CSR_KEY_SIZE, maker_rsa(modulus, "010001"));
	}
	for (size_t i = 0; i < COUNT(right); i++) {
		assert_outcome(
		    EST_OK, key_parse(maker_rsa(number(right[i], modulus), "010001"), &key));
		assert_int_equal(key.bits, right[i]);
		assert_int_equal(key.modulus.len, right[i] / 8);
		assert_bytes(maker_der("010001"), key.exponent);
		modulus[strlen(modulus) - 1] = '4';
		refuses(CSR_MODULUS, maker_rsa(modulus, "010001"));
	}
}

/* A7: the size of a key costs nothing: no arithmetic is done with it. */
static void test_size_costs_nothing(void **state)
{
	static char modulus[DIGITS + 1];
	struct span huge = maker_rsa(number(65536, modulus), number(16384, modulus));
	struct key_info key;
	clock_t start = clock();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		if (key_parse(huge, &key) == EST_OK)
			fail();
		reason_clear();
	}
	assert_true(clock() - start < CLOCKS_PER_SEC);
}

/* A8, S-12: an odd exponent beyond 2^16, and not beyond 2^256. */
static void test_exponents(void **state)
{
	static const char *const wrong[] = {"01", "02", "03", "11", "0101", "ffff", "010000",
	    "010002", "fffffffe", "80000000000000000000000000000000"};
	static const char *const other[] = {"010003", "0100000001", "01000001"};
	static char modulus[DIGITS + 1];
	char huge[600];
	struct key_info key;

	(void)state;
	(void)number(2048, modulus);
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(CSR_EXPONENT, maker_rsa(modulus, wrong[i]));
	assert_outcome(EST_OK, key_parse(maker_rsa(modulus, "010001"), &key));
	assert_false(key.other_exponent);
	for (size_t i = 0; i < COUNT(other); i++) {
		assert_outcome(EST_OK, key_parse(maker_rsa(modulus, other[i]), &key));
		assert_true(key.other_exponent);
	}
	memset(huge, 'f', sizeof(huge));
	huge[64] = '\0'; /* 256 bits */
	assert_outcome(EST_OK, key_parse(maker_rsa(modulus, huge), &key));
	memcpy(huge, "01", 2);
	huge[64] = 'f';
	huge[66] = '\0'; /* 257 bits */
	refuses(CSR_EXPONENT, maker_rsa(modulus, huge));
	/* OpenSSL verifies by no more than 64 bits where the modulus is large. */
	memset(huge, 'f', 16);
	huge[16] = '\0';
	assert_outcome(EST_OK, key_parse(maker_rsa(number(4096, modulus), huge), &key));
	refuses(CSR_EXPONENT, maker_rsa(modulus, "010000000000000001"));
	(void)number(2048, modulus);
	memset(huge, 'f', 512);
	huge[512] = '\0';
	refuses(CSR_EXPONENT, maker_rsa(modulus, huge));
}

/* A9: and what is no RSAPublicKey at all. */
static void test_shapes(void **state)
{
	static const struct {
		enum refusal code;
		const char *key;
	} keys[] = {{CSR_SPKI, ""}, {CSR_SPKI, "30{}"}, {CSR_SPKI, "30{02{03}}"},
	    {CSR_SPKI, "02{03}"}, {CSR_SPKI, "30{02{}02{010001}}"}, {CSR_SPKI, "05{}"},
	    {CSR_SPKI, "30{02{03}02{010001}}00"}, {CSR_SPKI, "30{02{0003}02{010001}}"},
	    {CSR_SPKI, "30{02{03}02{010001}02{01}}"}, {CSR_SPKI, "30{04{03}02{010001}}"},
	    {CSR_SPKI, "30 80 02{03}02{010001} 0000"}, {CSR_MODULUS, "30{02{fd}02{010001}}"},
	    {CSR_EXPONENT, "30{02{03}02{fd}}"}, {CSR_EXPONENT, "30{02{03}02{ff7f}}"}};
	static char modulus[DIGITS + 1];
	struct span good;

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++)
		refuses(
		    keys[i].code, maker_der("30{30{" RSA "0500}03{00$}}", maker_der(keys[i].key)));
	good = maker_rsa(number(2048, modulus), "010001");
	/* The parameters absent, or others than NULL (RFC 3279 2.3.1). */
	refuses(CSR_SPKI,
	    maker_der("30{30{" RSA "}03{$}}", (struct span){good.data + 24, good.len - 24}));
	refuses(CSR_SPKI,
	    maker_der("30{30{" RSA "30{}}03{$}}", (struct span){good.data + 24, good.len - 24}));
	for (size_t cut = 0; cut < good.len; cut++)
		refuses(CSR_SPKI, (struct span){good.data, cut});
	/* A negative modulus of the right length. */
	modulus[0] = '8';
	refuses(CSR_MODULUS,
	    maker_der("30{30{" RSA "0500}03{0030{02{$}02{010001}}}}", maker_der(modulus)));
}

static int parse_alone(void *argument)
{
	struct key_info key;
	const struct span *spki = argument;

	return key_parse(*spki, &key) == EST_MALFORMED ? (int)refusal_recorded(EST_MALFORMED) : 0;
}

/* Zero has no highest bit to be found; whoever looks for it must come to an end. */
static void test_zero(void **state)
{
	static char modulus[DIGITS + 1];
	struct {
		enum refusal code;
		struct span spki;
	} zeros[] = {{CSR_MODULUS, maker_rsa("00", "010001")}, {CSR_MODULUS, maker_rsa("00", "00")},
	    {CSR_EXPONENT, maker_rsa(number(2048, modulus), "00")},
	    {CSR_EXPONENT, maker_rsa("03", "00")}};

	(void)state;
	for (size_t i = 0; i < COUNT(zeros); i++)
		assert_int_equal(
		    maker_bounded(parse_alone, &zeros[i].spki, 10), (int)zeros[i].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_sizes),
	    TEST(test_size_costs_nothing),
	    TEST(test_exponents),
	    TEST(test_shapes),
	    TEST(test_zero),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
