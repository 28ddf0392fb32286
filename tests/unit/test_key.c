/*
 * Public keys: the kinds that OpenSSL makes and we take, and everything that only looks like one of
 * them.
 */
#include "maker.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "common/pki/key.h"

#define EC      "06{2a8648ce3d0201}"
#define P256    "06{2a8648ce3d030107}"
#define ED25519 "06{2b6570}"
#define RSA     "06{2a864886f70d010101}"

static void refuses(struct span spki)
{
	struct key_info key;
	enum outcome outcome = key_parse(maker_copy(spki), &key);

	if (outcome == EST_OK)
		print_error("taken as %s\n", key_word(&key));
	assert_outcome(EST_MALFORMED, outcome);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *word;
		unsigned bits;
		bool enciphers;
	} kinds[] = {{"P-256", 256, false}, {"P-384", 384, false}, {"P-521", 521, false},
	    {"Ed25519", 256, false}, {"RSA-2048", 2048, true}, {"RSA-3072", 3072, true},
	    {"RSA-4096", 4096, true}};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct key_info key;
		struct span spki = maker_spki(kinds[i].word);
		assert_outcome(EST_OK, key_parse(spki, &key));
		assert_string_equal(key_word(&key), kinds[i].word);
		assert_true(key_word_known(kinds[i].word));
		assert_int_equal(key.bits, kinds[i].bits);
		assert_int_equal(key_can_encipher(&key), kinds[i].enciphers);
		assert_bytes(spki, key.spki);
	}
	assert_false(key_word_known(""));
	assert_false(key_word_known("RSA"));
	assert_false(key_word_known("p-256"));
}

static void test_other_kinds(void **state)
{
	static const char *const kinds[] = {"secp256k1", "secp224r1", "prime192v1",
	    "brainpoolP256r1", "X25519", "X448", "ED448", "RSA-1024"};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++)
		refuses(maker_spki(kinds[i]));
}

/* RFC 5480 2.1.1: a curve by its parameters could be any curve; 2.2: a point in compressed or
 * hybrid form. */
static void test_ec_forms(void **state)
{
	EVP_PKEY *key = EVP_PKEY_dup(maker_key("P-256"));
	static const char *const forms[] = {"compressed", "hybrid"};
	unsigned char *der = NULL;
	int len;

	(void)state;
	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit"), 1);
	len = i2d_PUBKEY(key, &der);
	assert_true(len > 0);
	refuses((struct span){der, (size_t)len});
	OPENSSL_free(der);
	for (size_t i = 0; i < COUNT(forms); i++) {
		der = NULL;
		assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "encoding", "named_curve"), 1);
		assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", forms[i]), 1);
		len = i2d_PUBKEY(key, &der);
		assert_true(len > 0);
		refuses((struct span){der, (size_t)len});
		OPENSSL_free(der);
	}
	EVP_PKEY_free(key);
}

static struct span ec(const char *point)
{
	struct buf notation = {0};
	struct span spki;

	buf_printf(&notation, "30{30{" EC P256 "}03{00%s}}", point);
	spki = maker_der(buf_string(&notation));
	buf_free(&notation);
	return spki;
}

static void test_ec_shapes(void **state)
{
	struct span good = maker_spki("P-256");
	static const char *const wrong[] = {"", "00", "04", "04 00"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(ec(wrong[i]));
	/* One octet too many or too few in the point; a point that does not say 04; unused bits. */
	refuses(maker_der("30{30{" EC P256 "}03{0004$00}}", (struct span){good.data + 27, 64}));
	refuses(maker_der("30{30{" EC P256 "}03{0004$}}", (struct span){good.data + 27, 63}));
	refuses(maker_der("30{30{" EC P256 "}03{0005$}}", (struct span){good.data + 27, 64}));
	refuses(maker_der("30{30{" EC P256 "}03{0104$}}", (struct span){good.data + 27, 64}));
	/* Another algorithm around the point; the parameters missing, NULL, doubled. */
	refuses(maker_der("30{30{" EC "}03{0004$}}", (struct span){good.data + 27, 64}));
	refuses(maker_der("30{30{" EC "0500}03{0004$}}", (struct span){good.data + 27, 64}));
	refuses(maker_der("30{30{" EC P256 "0500}03{0004$}}", (struct span){good.data + 27, 64}));
	refuses(maker_der("30{30{" EC P256 "}03{0004$}0500}", (struct span){good.data + 27, 64}));
	refuses(
	    maker_der("30{30{" EC "06{2b81040022}}03{0004$}}", (struct span){good.data + 27, 64}));
	refuses(maker_der("$00", good));
	for (size_t cut = 0; cut < good.len; cut++)
		refuses((struct span){good.data, cut});
}

/* By a key of small order one signature fits every message. */
static void test_ed25519_small_order(void **state)
{
	static const unsigned char ys[][2] = {
	    {0x00, 0x00}, {0x01, 0x00}, {0xec, 0x7f}, {0xed, 0x7f}, {0xee, 0x7f}};

	(void)state;
	for (size_t i = 0; i < sizeof(ys) / sizeof(ys[0]); i++)
		for (unsigned sign = 0; sign < 2; sign++) {
			unsigned char point[32];
			memset(point, ys[i][1] == 0 ? 0x00 : 0xff, sizeof(point));
			point[0] = ys[i][0];
			point[31] = (unsigned char)(ys[i][1] | sign << 7);
			refuses(maker_der("30{30{" ED25519 "}03{00$}}", (struct span){point, 32}));
		}
}

static void test_ed25519_shapes(void **state)
{
	struct span good = maker_spki("Ed25519");
	struct span bits = {good.data + good.len - 32, 32};
	struct key_info key;

	(void)state;
	assert_outcome(EST_OK, key_parse(maker_der("30{30{" ED25519 "}03{00$}}", bits), &key));
	refuses(maker_der("30{30{" ED25519 "0500}03{00$}}", bits));
	refuses(maker_der("30{30{" ED25519 "}03{00$00}}", bits));
	refuses(maker_der("30{30{" ED25519 "}03{00$}}", (struct span){bits.data, 31}));
	refuses(maker_der("30{30{06{2b656e}}03{00$}}", bits)); /* X25519 */
	refuses(maker_der("30{30{06{2b6571}}03{00$}}", bits)); /* Ed448 */
}

/* A number of so many bits, odd, in hex digits. */
static const char *number(unsigned bits, char text[4097])
{
	size_t digits = (bits + 7) / 8 * 2;
	unsigned top = 1U << (bits - 1) % 8;

	memset(text, 'b', digits);
	text[0] = "0123456789abcdef"[top >> 4];
	text[1] = "0123456789abcdef"[top & 15];
	text[digits] = '\0';
	return text;
}

static void test_rsa_sizes(void **state)
{
	static const unsigned wrong[] = {
	    8, 512, 1024, 2040, 2047, 2049, 2056, 3071, 3073, 4095, 4097, 8192, 16384};
	static const unsigned right[] = {2048, 3072, 4096};
	char modulus[4097];
	struct key_info key;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		(void)number(wrong[i], modulus);
		modulus[strlen(modulus) - 1] = '1';
		refuses(maker_rsa(modulus, "010001"));
	}
	for (size_t i = 0; i < COUNT(right); i++) {
		assert_outcome(
		    EST_OK, key_parse(maker_rsa(number(right[i], modulus), "010001"), &key));
		assert_int_equal(key.bits, right[i]);
		modulus[strlen(modulus) - 1] = '4';
		refuses(maker_rsa(modulus, "010001"));
	}
}

/* S-12: an odd exponent beyond 2^16. */
static void test_rsa_exponents(void **state)
{
	static const char *const wrong[] = {
	    "01", "02", "03", "11", "0101", "ffff", "010000", "010002", "fffffffe"};
	char modulus[4097], huge[600];
	struct key_info key;

	(void)state;
	(void)number(2048, modulus);
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(maker_rsa(modulus, wrong[i]));
	assert_outcome(EST_OK, key_parse(maker_rsa(modulus, "010001"), &key));
	assert_outcome(EST_OK, key_parse(maker_rsa(modulus, "0100000001"), &key));
	memset(huge, 'f', 512);
	huge[512] = '\0';
	refuses(maker_rsa(modulus, huge));
}

static void test_rsa_shapes(void **state)
{
	static const char *const keys[] = {"", "30{}", "30{02{03}}", "02{03}", "30{02{}02{010001}}",
	    "05{}", "30{02{03}02{010001}}00", "30{02{0003}02{010001}}",
	    "30{02{03}02{010001}02{01}}", "30{02{fd}02{010001}}", "30{04{03}02{010001}}",
	    "30 80 02{03}02{010001} 0000"};
	char modulus[4097];
	struct span good;

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++)
		refuses(maker_der("30{30{" RSA "0500}03{00$}}", maker_der(keys[i])));
	good = maker_rsa(number(2048, modulus), "010001");
	refuses(maker_der("30{30{" RSA "}03{$}}", (struct span){good.data + 23, good.len - 23}));
	for (size_t cut = 0; cut < good.len; cut++)
		refuses((struct span){good.data, cut});
}

static int parse_alone(void *argument)
{
	struct key_info key;
	const struct span *spki = argument;

	return key_parse(*spki, &key) == EST_MALFORMED ? 0 : 1;
}

/* Zero has no highest bit to be found; whoever looks for it must come to an end. */
static void test_rsa_zero(void **state)
{
	char modulus[4097];
	struct span zeros[] = {maker_rsa("00", "010001"), maker_rsa("00", "00"),
	    maker_rsa(number(2048, modulus), "00"), maker_rsa("03", "00")};

	(void)state;
	for (size_t i = 0; i < COUNT(zeros); i++)
		assert_int_equal(maker_bounded(parse_alone, &zeros[i], 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_kinds),
	    TEST(test_other_kinds),
	    TEST(test_ec_forms),
	    TEST(test_ec_shapes),
	    TEST(test_ed25519_small_order),
	    TEST(test_ed25519_shapes),
	    TEST(test_rsa_sizes),
	    TEST(test_rsa_exponents),
	    TEST(test_rsa_zero),
	    TEST(test_rsa_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
