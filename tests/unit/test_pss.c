/*
 * RSASSA-PSS signatures (RFC 4055) by ordinary RSA keys: each set of parameters that we take, by
 * OpenSSL; every other one refused, and every signature that was made by others than it names.
 */
#include "maker.h"

#include <string.h>

#include <openssl/rsa.h>

#include "common/base/encoding.h"
#include "common/pki/key.h"
#include "refusal_test.h"

#define PSS    "06{2a864886f70d01010a}"
#define MGF1   "06{2a864886f70d010108}"
#define SHA1   "30{06{2b0e03021a}0500}"
#define SHA224 "30{06{608648016503040204}0500}"
#define SHA256 "30{06{608648016503040201}0500}"
#define SHA384 "30{06{608648016503040202}0500}"
#define SHA512 "30{06{608648016503040203}0500}"
#define BARE   "30{06{608648016503040201}}" /* SHA-256 without its NULL */

static struct span sign(const char *key, const char *digest, const char *mask, int salt)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *inner;
	unsigned char signature[512];
	size_t len = sizeof(signature);
	struct span data = BYTES("data");

	assert_int_equal(
	    EVP_DigestSignInit_ex(context, &inner, digest, NULL, NULL, maker_key(key), NULL), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, salt), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(inner, mask, NULL), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &len, data.data, data.len), 1);
	EVP_MD_CTX_free(context);
	return maker_copy((struct span){signature, len});
}

/* The usual parameters with this hash, MGF1 with that one, and the salt's INTEGER in hex. */
static struct span parameters(const char *hash, const char *mask, const char *salt)
{
	return maker_der("30{" PSS "30{a0{$}a1{30{" MGF1 "$}}a2{02{$}}}}", maker_der(hash),
	    maker_der(mask), maker_der(salt));
}

static enum outcome verify(const char *kind, struct span algorithm, struct span signature)
{
	struct key_info key;

	assert_outcome(EST_OK, key_parse(maker_spki(kind), &key));
	return key_verify(&key, maker_copy(algorithm), signature, BYTES("data"));
}

static const struct {
	const char *key, *digest, *hash, *salt_hex;
	int salt;
} good[] = {
    {"RSA-2048", "SHA256", SHA256, "20", 32},
    {"RSA-2048", "SHA384", SHA384, "30", 48},
    {"RSA-2048", "SHA512", SHA512, "40", 64},
    {"RSA-2048", "SHA256", SHA256, "21", 33},
    {"RSA-2048", "SHA256", SHA256, "00de", 222}, /* all that fits: 256 - 32 - 2 */
    {"RSA-2048", "SHA512", SHA512, "00be", 190},
    {"RSA-3072", "SHA256", SHA256, "20", 32},
    {"RSA-4096", "SHA512", SHA512, "40", 64},
    {"RSA-4096", "SHA256", SHA256, "01de", 478},
    {"RSA-2048", "SHA256", BARE, "20", 32},
    /* Shorter than the digest is as good a proof of possession. */
    {"RSA-2048", "SHA256", SHA256, "14", 20},
    {"RSA-2048", "SHA512", SHA512, "20", 32},
    {"RSA-2048", "SHA256", SHA256, "00", 0},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(good); i++) {
		size_t g = i % COUNT(good);
		struct span signature =
		    sign(good[g].key, good[g].digest, good[g].digest, good[g].salt);
		struct span algorithm = parameters(good[g].hash, good[g].hash, good[g].salt_hex);
		unsigned char wrong[512];
		assert_refusal(REFUSAL_NONE, verify(good[g].key, algorithm, signature));
		memcpy(wrong, signature.data, signature.len);
		wrong[signature.len / 2] ^= 1;
		assert_refusal(CSR_SIGNATURE,
		    verify(good[g].key, algorithm, (struct span){wrong, signature.len}));
		assert_refusal(
		    CSR_SIGNATURE, verify(good[g].key, algorithm,
				       (struct span){signature.data, signature.len - 1}));
	}
	/* PKCS #1 1.5 still is what it was. */
	assert_refusal(REFUSAL_NONE, verify("RSA-2048", maker_der("30{06{2a864886f70d01010b}0500}"),
					 maker_sign("RSA-2048", "SHA256", BYTES("data"))));
}

/* What was signed with other parameters than those that are named. */
static void test_other_parameters(void **state)
{
	struct span plain = maker_sign("RSA-2048", "SHA256", BYTES("data"));
	struct span signature = sign("RSA-2048", "SHA256", "SHA256", 32);

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct span algorithm = parameters(good[i].hash, good[i].hash, good[i].salt_hex);
		bool same = good[i].salt == 32 && strcmp(good[i].digest, "SHA256") == 0;
		if (strcmp(good[i].key, "RSA-2048") == 0)
			assert_refusal(same ? REFUSAL_NONE : CSR_SIGNATURE,
			    verify("RSA-2048", algorithm, signature));
	}
	assert_refusal(CSR_SIGNATURE, verify("RSA-2048", parameters(SHA256, SHA256, "20"), plain));
	assert_refusal(CSR_SIGNATURE,
	    verify("RSA-2048", maker_der("30{06{2a864886f70d01010b}0500}"), signature));
	assert_refusal(CSR_SIGNATURE, verify("RSA-2048", parameters(SHA256, SHA256, "20"),
					  sign("RSA-2048", "SHA256", "SHA512", 32)));
	assert_refusal(CSR_SIGNATURE, verify("RSA-2048", parameters(SHA256, SHA256, "20"),
					  sign("RSA-2048", "SHA256", "SHA256", 20)));
}

/* Rightly signed with what it names, and not taken: weak hashes, mixed ones. */
static void test_refused_parameters(void **state)
{
	static const struct {
		const char *digest, *mask, *hash, *mask_hash, *salt_hex;
		int salt;
	} cases[] = {{"SHA1", "SHA1", SHA1, SHA1, "14", 20},
	    {"SHA224", "SHA224", SHA224, SHA224, "1c", 28},
	    {"SHA256", "SHA1", SHA256, SHA1, "20", 32},
	    {"SHA256", "SHA512", SHA256, SHA512, "20", 32},
	    {"SHA512", "SHA256", SHA512, SHA256, "40", 64},
	    {"SHA256", "SHA384", SHA256, SHA384, "20", 32}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refusal(CSR_SIGALG,
		    verify("RSA-2048",
			parameters(cases[i].hash, cases[i].mask_hash, cases[i].salt_hex),
			sign("RSA-2048", cases[i].digest, cases[i].mask, cases[i].salt)));
}

/* RFC 4055 3.1, as DER. */
static void test_shapes(void **state)
{
	static const struct {
		enum refusal code;
		const char *parameters;
	} cases[] = {
	    /* The trailer field is 1 by default, and may be written out. */
	    {REFUSAL_NONE, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}a3{02{01}}}"},
	    {REFUSAL_NONE, "30{a0{" BARE "}a1{30{" MGF1 SHA256 "}}a2{02{20}}}"},
	    {REFUSAL_NONE, "30{a0{" SHA256 "}a1{30{" MGF1 BARE "}}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}a3{02{02}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}a3{02{00}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}a3{02{0001}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}a3{}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}a4{02{01}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}a3{02{01}}0500}"},
	    /* Defaults stand for SHA-1 and 20 octets. */
	    {CSR_SIGALG, ""},
	    {CSR_SIGALG, "0500"},
	    {CSR_SIGALG, "30{}"},
	    {CSR_SIGALG, "30{a1{30{" MGF1 SHA256 "}}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a2{02{20}}}"},
	    {CSR_SIGNATURE, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}}"}, /* taken, but it is 32 */
	    /* Out of order, twice, followed by something, not constructed. */
	    {CSR_SIGALG, "30{a1{30{" MGF1 SHA256 "}}a0{" SHA256 "}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}}0500"},
	    {CSR_SIGALG, "30{a0{" SHA256 "0500}a1{30{" MGF1 SHA256 "}}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "0500}}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}0500}}"},
	    {CSR_SIGALG, "30{80{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}}"},
	    {CSR_SIGALG, "31{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{30{06{608648016503040201}30{}}}a1{30{" MGF1 SHA256 "}}a2{02{20}}}"},
	    /* Another mask generation function, or none. */
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{06{2a864886f70d010109}" SHA256 "}}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{" SHA256 "}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 "}}a2{02{20}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 "0500}}a2{02{20}}}"},
	    /* The salt: not DER, negative, enormous, a length that is not shortest. */
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{0020}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{e0}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{00df}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{7fff}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{010020}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2{02{0100000020}}}"},
	    {CSR_SIGALG, "30{a0{" SHA256 "}a1{30{" MGF1 SHA256 "}}a2 81 03 02{20}}"},
	};
	struct span signature = sign("RSA-2048", "SHA256", "SHA256", 32);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span algorithm = maker_der("30{" PSS "$}", maker_der(cases[i].parameters));
		if (!refusal_is(cases[i].code, verify("RSA-2048", algorithm, signature),
			cases[i].parameters))
			fail();
		/* Cut anywhere, it is none. */
		for (size_t cut = 0; cut < algorithm.len; cut++)
			assert_refusal(CSR_SIGALG,
			    verify("RSA-2048", (struct span){algorithm.data, cut}, signature));
	}
}

static void test_other_keys(void **state)
{
	static const char *const kinds[] = {"P-256", "P-521", "Ed25519", "Ed448"};
	struct span signature = sign("RSA-2048", "SHA256", "SHA256", 32);

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_refusal(
		    CSR_SIGALG, verify(kinds[i], parameters(SHA256, SHA256, "20"), signature));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_other_parameters),
	    TEST(test_refused_parameters),
	    TEST(test_shapes),
	    TEST(test_other_keys),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
