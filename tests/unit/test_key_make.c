/*
 * Keys that are made here, and what requests by them are to say.
 */
#include "maker.h"
#include "refusal_test.h"

#include <string.h>

#include "common/pki/key.h"

static const char *const words[] = {
    "P-256", "P-384", "P-521", "Ed25519", "Ed448", "RSA-2048", "RSA-3072", "RSA-4096"};

static struct span spki_of(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	struct span kept;

	assert_true(len > 0);
	kept = maker_copy((struct span){der, (size_t)len});
	OPENSSL_free(der);
	return kept;
}

/* Each kind comes out as that kind, with a private half, and never twice the same. */
static void test_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		EVP_PKEY *one = NULL, *two = NULL;
		struct key_info key;
		assert_outcome(EST_OK, key_make(words[i], &one));
		assert_outcome(EST_OK, key_parse(spki_of(one), &key));
		assert_string_equal(key_word(&key), words[i]);
		assert_false(key.other_exponent);
		if (i < 5) { /* RSA's take long */
			assert_outcome(EST_OK, key_make(words[i], &two));
			assert_int_equal(EVP_PKEY_eq(one, two), 0);
		}
		EVP_PKEY_free(one);
		EVP_PKEY_free(two);
	}
}

/* What it signs verifies by its own public half. */
static void test_signs(void **state)
{
	EVP_PKEY *key = NULL;
	struct span algorithm;
	const EVP_MD *digest;
	struct key_info info;
	unsigned char signature[128];
	size_t len = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	(void)state;
	assert_outcome(EST_OK, key_make("P-384", &key));
	assert_outcome(EST_OK, key_signer(key, &algorithm, &digest));
	assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
	assert_int_equal(
	    EVP_DigestSign(context, signature, &len, (const unsigned char *)"data", 4), 1);
	assert_outcome(EST_OK, key_parse(spki_of(key), &info));
	assert_outcome(
	    EST_OK, key_verify(&info, algorithm, (struct span){signature, len}, BYTES("data")));
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

static void test_other_words(void **state)
{
	static const char *const others[] = {"", "RSA", "RSA-1024", "RSA-8192", "p-256", "P-224",
	    "secp256k1", "X25519", "EC", "P-256 ", "ED25519"};
	struct key_terms terms;
	EVP_PKEY *key = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_outcome(EST_MALFORMED, key_make(others[i], &key));
		assert_null(key);
		assert_false(key_terms_of(others[i], &terms));
	}
}

/*
 * The terms are those of a real key: its AlgorithmIdentifier begins with the type, the parameters
 * follow, and key_verify_sha1() knows the signature scheme.
 */
static void test_terms(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct span spki = maker_spki(words[i]), algorithm, oid;
		struct key_terms terms;
		struct key_info key;
		assert_true(key_terms_of(words[i], &terms));
		algorithm = maker_der("30{$$}", terms.type, terms.parameters);
		assert_non_null(memmem(spki.data, spki.len, algorithm.data, algorithm.len));
		assert_outcome(EST_OK, key_parse(spki, &key));
		assert_int_equal(terms.modulus_bits, key.modulus.len * 8);
		assert_int_equal(terms.can_encipher, key_can_encipher(&key));
		assert_int_equal(terms.can_agree, key_can_agree(&key));
		oid = (struct span){terms.signature.data + 2, terms.signature.len - 2};
		assert_true(key_signature_known(oid));
		oid = (struct span){terms.type.data + 2, terms.type.len - 2};
		assert_true(key_type_known(oid));
		if (key_can_agree(&key)) {
			oid = (struct span){terms.parameters.data + 2, terms.parameters.len - 2};
			assert_true(key_curve_known(oid));
			assert_false(key_type_known(oid));
			assert_false(key_signature_known(oid));
		}
	}
}

/* RFC 5758, RFC 4055, RFC 8410: which OIDs sign; brainpoolP384r1, X25519 and SHA-384 are none. */
static void test_oids(void **state)
{
	static const char *const signatures[] = {"2a8648ce3d040302", "2a8648ce3d040303",
	    "2a8648ce3d040304", "2a864886f70d01010b", "2a864886f70d01010c", "2a864886f70d01010d",
	    "2a864886f70d01010a", "2b6570", "2b6571", "2a8648ce3d0401", "2a864886f70d010105"};
	static const char *const none[] = {
	    "", "2a8648ce3d0403", "2b240303020801010b", "2b656e", "608648016503040202", "550403"};

	(void)state;
	for (size_t i = 0; i < COUNT(signatures); i++)
		assert_true(key_signature_known(maker_der(signatures[i])));
	for (size_t i = 0; i < COUNT(none); i++) {
		struct span oid = maker_der(none[i]);
		assert_false(
		    key_signature_known(oid) || key_type_known(oid) || key_curve_known(oid));
	}
	assert_false(key_curve_known(BYTES(""))); /* RSA's parameters are no OID */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_make),
	    TEST(test_signs),
	    TEST(test_other_words),
	    TEST(test_terms),
	    TEST(test_oids),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
