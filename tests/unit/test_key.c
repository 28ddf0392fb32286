/*
 * Public keys: the kinds that OpenSSL makes and we take, and everything that only looks like one of
 * them. RSA's numbers are in test_rsa.c.
 */
#include "maker.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "common/pki/key.h"
#include "refusal_test.h"

#define EC      "06{2a8648ce3d0201}"
#define P256    "06{2a8648ce3d030107}"
#define P384    "06{2b81040022}"
#define ED25519 "06{2b6570}"
#define ED448   "06{2b6571}"

static void refuses(enum refusal code, struct span spki)
{
	struct key_info key;
	enum outcome outcome = key_parse(maker_copy(spki), &key);

	if (outcome == EST_OK)
		print_error("taken as %s\n", key_word(&key));
	assert_refusal(code, outcome);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *word;
		unsigned bits;
		bool enciphers;
	} kinds[] = {{"P-256", 256, false}, {"P-384", 384, false}, {"P-521", 521, false},
	    {"Ed25519", 256, false}, {"Ed448", 456, false}, {"RSA-2048", 2048, true},
	    {"RSA-3072", 3072, true}, {"RSA-4096", 4096, true}};

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
		assert_false(key.other_exponent);
	}
	assert_false(key_word_known(""));
	assert_false(key_word_known("RSA"));
	assert_false(key_word_known("p-256"));
}

/* A16, A21: other curves, and other types altogether. */
static void test_other_kinds(void **state)
{
	static const char *const curves[] = {"secp256k1", "secp224r1", "prime192v1",
	    "brainpoolP256r1", "brainpoolP512t1", "sect163k1", "sect571r1", "SM2"};
	static const char *const types[] = {"X25519", "X448"};
	static const char *const oids[] = {"06{2a8648ce380401}30{020103020103020103}", /* DSA */
	    "06{2a864886f70d01010a}", /* RSASSA-PSS: a key for that alone */
	    "06{2a864886f70d01010a}30{}", "06{2a864886f70d010107}30{}", /* RSAES-OAEP */
	    "06{2a85030701010101}30{06{2a85030702020301}}",             /* GOST R 34.10-2012 */
	    "06{608648016503040311}", "06{608648016503040312}",
	    "06{608648016503040313}", /* ML-DSA */
	    "06{608648016503040314}", /* SLH-DSA */
	    "06{2b8104010c}",         /* ecDH */
	    "06{2a864886f70d010301}", /* Diffie-Hellman */
	    "06{}", "06{2b}"};

	(void)state;
	for (size_t i = 0; i < COUNT(curves); i++)
		refuses(CSR_CURVE, maker_spki(curves[i]));
	for (size_t i = 0; i < COUNT(types); i++)
		refuses(CSR_KEY_TYPE, maker_spki(types[i]));
	refuses(CSR_KEY_SIZE, maker_spki("RSA-1024"));
	for (size_t i = 0; i < COUNT(oids); i++) {
		struct span algorithm = maker_der(oids[i]);
		refuses(CSR_KEY_TYPE, maker_der("30{30{$}03{000102030405}}", algorithm));
	}
}

/* An OID of 20 000 octets is not shown whole. */
static void test_long_oids(void **state)
{
	static unsigned char arcs[20000];
	struct span oid = {arcs, sizeof(arcs)};

	(void)state;
	memset(arcs, 0x7f, sizeof(arcs));
	refuses(CSR_KEY_TYPE, maker_der("30{30{06{$}}03{0004}}", oid));
	refuses(CSR_CURVE, maker_der("30{30{" EC "06{$}}03{0004}}", oid));
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
	refuses(CSR_CURVE, (struct span){der, (size_t)len});
	OPENSSL_free(der);
	for (size_t i = 0; i < COUNT(forms); i++) {
		der = NULL;
		assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "encoding", "named_curve"), 1);
		assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", forms[i]), 1);
		len = i2d_PUBKEY(key, &der);
		assert_true(len > 0);
		refuses(CSR_POINT, (struct span){der, (size_t)len});
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

/* A19: the point in another form, of another length, at infinity; bits that are none of a key. */
static void test_ec_points(void **state)
{
	struct span good = maker_spki("P-256");
	struct span point = {good.data + 27, 64};
	static const char *const wrong[] = {"", "00", "04", "04 00"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(CSR_POINT, ec(wrong[i]));
	refuses(CSR_POINT, maker_der("30{30{" EC P256 "}03{0004$00}}", point));
	refuses(CSR_POINT,
	    maker_der("30{30{" EC P256 "}03{0004$}}", (struct span){good.data + 27, 63}));
	refuses(CSR_POINT, maker_der("30{30{" EC P256 "}03{0005$}}", point));
	refuses(CSR_POINT, maker_der("30{30{" EC P384 "}03{0004$}}", point));
	refuses(CSR_SPKI, maker_der("30{30{" EC P256 "}03{0104$}}", point));
	refuses(CSR_SPKI, maker_der("30{30{" EC P256 "}03{}}"));
	refuses(CSR_SPKI, maker_der("$00", good));
	for (size_t cut = 0; cut < good.len; cut++)
		refuses(CSR_SPKI, (struct span){good.data, cut});
}

/* A17, A19: the parameters missing, NULL, explicit; doubled. */
static void test_ec_parameters(void **state)
{
	/* P-256 itself with another generator (CVE-2020-0601), and a field that is no prime
	 * (CVE-2022-0778). */
	static const char *const explicit[] = {
	    "30{020101 30{"
	    "06{2a8648ce3d0101}"
	    "02{00ffffffff00000001000000000000000000000000ffffffffffffffffffffffff}}"
	    "30{04{02}04{03}}04{0405 06}02{07}}",
	    "30{020101 30{06{2a8648ce3d0101}02{02b9}}30{04{0017}04{0000}}04{0208}02{08}}", "30{}"};
	struct span good = maker_spki("P-256");
	struct span point = {good.data + 27, 64};

	(void)state;
	refuses(CSR_CURVE, maker_der("30{30{" EC "}03{0004$}}", point));
	refuses(CSR_CURVE, maker_der("30{30{" EC "0500}03{0004$}}", point));
	for (size_t i = 0; i < COUNT(explicit); i++)
		refuses(CSR_CURVE,
		    maker_der("30{30{" EC "$}03{0004$}}", maker_der(explicit[i]), point));
	refuses(CSR_SPKI, maker_der("30{30{" EC P256 "0500}03{0004$}}", point));
	refuses(CSR_SPKI, maker_der("30{30{" EC "0602}03{0004$}}", point));
	refuses(CSR_SPKI, maker_der("30{30{" EC "0600}03{0004$}0500}", point));
	refuses(CSR_SPKI, maker_der("30{30{" EC P256 "}03{0004$}0500}", point));
	refuses(CSR_SPKI, maker_der("30{30{}03{0004$}}", point));
	refuses(CSR_SPKI, maker_der("30{30{0500}03{0004$}}", point));
}

/* By a key of small order one signature fits every message. */
static void test_ed25519_small_order(void **state)
{
	static const unsigned char ys[][2] = {
	    {0x00, 0x00}, {0x01, 0x00}, {0xec, 0x7f}, {0xed, 0x7f}, {0xee, 0x7f}};
	static const char *const order_8[] = {
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"};

	(void)state;
	for (unsigned sign = 0; sign < 2; sign++) {
		struct span tails[] = {
		    maker_der(sign == 0 ? "05" : "85"), maker_der(sign == 0 ? "7a" : "fa")};
		for (size_t i = 0; i < COUNT(ys); i++) {
			unsigned char point[32];
			memset(point, ys[i][1] == 0 ? 0x00 : 0xff, sizeof(point));
			point[0] = ys[i][0];
			point[31] = (unsigned char)(ys[i][1] | sign << 7);
			refuses(CSR_POINT,
			    maker_der("30{30{" ED25519 "}03{00$}}", (struct span){point, 32}));
		}
		for (size_t i = 0; i < COUNT(order_8); i++)
			refuses(CSR_POINT, maker_der("30{30{" ED25519 "}03{00$$}}",
					       maker_der(order_8[i]), tails[i]));
	}
}

/* RFC 8032 5.2: (0, 1), (0, -1) and (+-1, 0), and how else their y could be written. */
static void test_ed448_small_order(void **state)
{
	/* The first octet, the rest of the lower half, the first of the upper half, the rest. */
	static const unsigned char ys[][4] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {0xfe, 0xff, 0xfe, 0xff},
	    {0xff, 0xff, 0xfe, 0xff}, {0, 0, 0xff, 0xff}};
	struct key_info key;

	(void)state;
	for (size_t i = 0; i < COUNT(ys); i++)
		for (unsigned sign = 0; sign < 2; sign++) {
			unsigned char point[57];
			memset(point, ys[i][1], 28);
			memset(point + 28, ys[i][3], 28);
			point[0] = ys[i][0];
			point[28] = ys[i][2];
			point[56] = (unsigned char)(sign << 7);
			refuses(CSR_POINT,
			    maker_der("30{30{" ED448 "}03{00$}}", (struct span){point, 57}));
			/* And a neighbour is not among them. */
			point[5] ^= 4;
			assert_refusal(REFUSAL_NONE, key_parse(maker_der("30{30{" ED448 "}03{00$}}",
								   (struct span){point, 57}),
							 &key));
		}
}

static void test_edwards_shapes(void **state)
{
	static const struct {
		const char *word, *oid;
		size_t len;
	} kinds[] = {{"Ed25519", ED25519, 32}, {"Ed448", ED448, 57}};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct span good = maker_spki(kinds[i].word), oid = maker_der(kinds[i].oid);
		struct span bits = {good.data + good.len - kinds[i].len, kinds[i].len};
		struct span shorter = {bits.data, bits.len - 1};
		struct key_info key;
		assert_outcome(EST_OK, key_parse(maker_der("30{30{$}03{00$}}", oid, bits), &key));
		assert_string_equal(key_word(&key), kinds[i].word);
		assert_bytes(bits, key.point);
		refuses(CSR_SPKI, maker_der("30{30{$0500}03{00$}}", oid, bits));
		refuses(CSR_SPKI, maker_der("30{30{$" P256 "}03{00$}}", oid, bits));
		refuses(CSR_POINT, maker_der("30{30{$}03{00$00}}", oid, bits));
		refuses(CSR_POINT, maker_der("30{30{$}03{00$}}", oid, shorter));
		refuses(CSR_POINT, maker_der("30{30{$}03{00}}", oid));
		refuses(CSR_KEY_TYPE, maker_der("30{30{06{2b656e}}03{00$}}", bits)); /* X25519 */
	}
}

static void assert_identity(bool same, struct span a, struct span b)
{
	unsigned char digests[2][32];
	struct span spkis[] = {a, b};

	for (size_t i = 0; i < 2; i++) {
		struct key_info key;
		assert_outcome(EST_OK, key_parse(maker_copy(spkis[i]), &key));
		key_identity(&key, digests[i]);
	}
	assert_int_equal(memcmp(digests[0], digests[1], 32) == 0, same);
}

/*
 * A13, A14: who has the factors of a modulus has its key with every exponent, so that such keys are
 * one; and a list of blocked keys has it by the SHA-256 of the usual SubjectPublicKeyInfo.
 */
static void test_identity(void **state)
{
	static const char *const kinds[] = {"RSA-2048", "RSA-3072", "P-256", "Ed25519"};
	static const char *const exponents[] = {"010003", "7fffff", "ffffff", "0100000001"};
	char modulus[2 * 256 + 1], other[sizeof(modulus)];
	struct key_info key;

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		unsigned char digest[32], wanted[32];
		struct span spki = maker_spki(kinds[i]);
		assert_outcome(EST_OK, key_parse(spki, &key));
		key_identity(&key, digest);
		assert_int_equal(
		    EVP_Digest(spki.data, spki.len, wanted, NULL, EVP_sha256(), NULL), 1);
		assert_memory_equal(digest, wanted, sizeof(wanted));
	}
	memset(modulus, 'c', sizeof(modulus) - 1); /* its highest bit is set: DER puts a 00 ahead */
	modulus[sizeof(modulus) - 2] = '1';
	modulus[sizeof(modulus) - 1] = '\0';
	memcpy(other, modulus, sizeof(modulus));
	other[sizeof(other) - 2] = '3';
	for (size_t i = 0; i < COUNT(exponents); i++) {
		struct span usual = maker_rsa(modulus, "010001"),
			    odd = maker_rsa(modulus, exponents[i]);
		assert_outcome(EST_OK, key_parse(odd, &key));
		assert_true(key.other_exponent);
		assert_identity(true, usual, odd);
		assert_identity(true, odd, maker_rsa(modulus, "010007"));
		assert_identity(false, odd, maker_rsa(other, exponents[i]));
		assert_identity(false, odd, maker_rsa(other, "010001"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_kinds),
	    TEST(test_other_kinds),
	    TEST(test_ec_forms),
	    TEST(test_long_oids),
	    TEST(test_ec_points),
	    TEST(test_ec_parameters),
	    TEST(test_ed25519_small_order),
	    TEST(test_ed448_small_order),
	    TEST(test_edwards_shapes),
	    TEST(test_identity),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
