/*
 * Signatures: each algorithm that we take, by OpenSSL; everything else, and every signature by
 * somebody else, refused.
 */
#include "maker.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/pki/key.h"
#include "refusal_test.h"

#define ECDSA_SHA1   "30{06{2a8648ce3d0401}}"
#define ECDSA_SHA224 "30{06{2a8648ce3d040301}}"
#define ECDSA_SHA256 "30{06{2a8648ce3d040302}}"
#define ECDSA_SHA384 "30{06{2a8648ce3d040303}}"
#define ECDSA_SHA512 "30{06{2a8648ce3d040304}}"
#define RSA_MD5      "30{06{2a864886f70d010104}0500}"
#define RSA_SHA1     "30{06{2a864886f70d010105}0500}"
#define RSA_SHA256   "30{06{2a864886f70d01010b}0500}"
#define RSA_SHA384   "30{06{2a864886f70d01010c}0500}"
#define RSA_SHA512   "30{06{2a864886f70d01010d}0500}"
#define RSA_SHA224   "30{06{2a864886f70d01010e}0500}"
#define ED25519      "30{06{2b6570}}"
#define ED448        "30{06{2b6571}}"

static enum outcome verify(
    const char *kind, const char *algorithm, struct span signature, struct span data)
{
	struct key_info key;

	assert_outcome(EST_OK, key_parse(maker_spki(kind), &key));
	return key_verify(&key, maker_der(algorithm), maker_copy(signature), maker_copy(data));
}

static const struct {
	const char *key, *algorithm, *digest;
} algorithms[] = {
    {"P-256", ECDSA_SHA256, "SHA256"},
    {"P-256", ECDSA_SHA384, "SHA384"},
    {"P-256", ECDSA_SHA512, "SHA512"},
    {"P-384", ECDSA_SHA256, "SHA256"},
    {"P-384", ECDSA_SHA384, "SHA384"},
    {"P-521", ECDSA_SHA512, "SHA512"},
    {"RSA-2048", RSA_SHA256, "SHA256"},
    {"RSA-2048", RSA_SHA384, "SHA384"},
    {"RSA-2048", RSA_SHA512, "SHA512"},
    {"RSA-3072", RSA_SHA256, "SHA256"},
    {"RSA-4096", RSA_SHA512, "SHA512"},
    {"Ed25519", ED25519, NULL},
    {"Ed448", ED448, NULL},
};

/* Twice in turn, so that what is kept from one verification to the next is used by another key and
 * algorithm. */
static void test_algorithms(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(algorithms); i++) {
		size_t a = i % COUNT(algorithms);
		struct span data = BYTES("what is signed\0with a NUL in it");
		struct span signature = maker_sign(algorithms[a].key, algorithms[a].digest, data);
		assert_outcome(
		    EST_OK, verify(algorithms[a].key, algorithms[a].algorithm, signature, data));
		assert_refusal(CSR_SIGNATURE, verify(algorithms[a].key, algorithms[a].algorithm,
						  signature, BYTES("what is signed")));
		assert_refusal(CSR_SIGNATURE, verify(algorithms[a].key, algorithms[a].algorithm,
						  (struct span){NULL, 0}, data));
		assert_refusal(
		    CSR_SIGNATURE, verify(algorithms[a].key, algorithms[a].algorithm,
				       (struct span){signature.data, signature.len - 1}, data));
		assert_refusal(CSR_SIGNATURE, verify(algorithms[a].key, algorithms[a].algorithm,
						  maker_der("$00", signature), data));
	}
}

/* A5: a good signature under another name of its algorithm, which may or may not fit the key. */
static void test_algorithm_must_fit(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(algorithms); i++)
		for (size_t k = 0; k < COUNT(algorithms); k++) {
			const char *key = algorithms[i].key, *other = algorithms[k].key;
			bool fits = key[0] != 'E' ? key[0] == other[0] : strcmp(key, other) == 0;
			struct span signature;
			if (strcmp(algorithms[i].algorithm, algorithms[k].algorithm) == 0)
				continue;
			signature = maker_sign(key, algorithms[i].digest, BYTES("data"));
			assert_refusal(fits ? CSR_SIGNATURE : CSR_SIGALG,
			    verify(key, algorithms[k].algorithm, signature, BYTES("data")));
		}
}

/* A2, A3, S-12: no MD5 and no SHA-1; nor what is not in the table: SHA-224, SHA-3, unknown OIDs. */
static void test_weak(void **state)
{
	static const struct {
		const char *key, *algorithm, *digest;
	} weak[] = {{"P-256", ECDSA_SHA1, "SHA1"}, {"P-256", ECDSA_SHA224, "SHA224"},
	    {"RSA-2048", RSA_SHA1, "SHA1"}, {"RSA-2048", RSA_MD5, "MD5"},
	    {"RSA-2048", RSA_SHA224, "SHA224"}, {"P-256", "30{06{60864801650304030a}}", "SHA3-256"},
	    {"P-256", "30{06{2a0304}}", "SHA256"},
	    {"RSA-2048", "30{06{60864801650304030e}0500}", "SHA3-256"},
	    {"RSA-2048", "30{06{2a864886f70d010101}0500}", "SHA256"}};

	(void)state;
	for (size_t i = 0; i < COUNT(weak); i++)
		assert_refusal(CSR_SIGALG,
		    verify(weak[i].key, weak[i].algorithm,
			maker_sign(weak[i].key, weak[i].digest, BYTES("data")), BYTES("data")));
}

/* RFC 4055 5: for RSA the parameters are NULL, "implementations MUST accept the parameters being
 * absent". */
static void test_rsa_without_parameters(void **state)
{
	struct span signature = maker_sign("RSA-2048", "SHA256", BYTES("data"));

	(void)state;
	assert_outcome(
	    EST_OK, verify("RSA-2048", "30{06{2a864886f70d01010b}}", signature, BYTES("data")));
}

static void test_algorithm_shapes(void **state)
{
	static const char *const wrong[] = {"", "30{}", "05{}", "06{2a8648ce3d040302}",
	    "30{06{2a8648ce3d040302}0500}", "30{06{2a8648ce3d040302}}00",
	    "30{06{2a8648ce3d040302}06{2a8648ce3d030107}}", "30{06{}}",
	    "30 80 06{2a8648ce3d040302} 0000", "30 81 0a 06{2a8648ce3d040302}",
	    "31{06{2a8648ce3d040302}}"};
	struct span signature = maker_sign("P-256", "SHA256", BYTES("data"));

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_refusal(CSR_SIGALG, verify("P-256", wrong[i], signature, BYTES("data")));
}

static void test_other_signer(void **state)
{
	static const struct {
		const char *key, *other, *algorithm, *digest;
	} cases[] = {{"P-256", "P-256#other", ECDSA_SHA256, "SHA256"},
	    {"Ed25519", "Ed25519#other", ED25519, NULL}, {"Ed448", "Ed448#other", ED448, NULL},
	    {"RSA-2048", "RSA-2048#other", RSA_SHA256, "SHA256"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refusal(CSR_SIGNATURE,
		    verify(cases[i].key, cases[i].algorithm,
			maker_sign(cases[i].other, cases[i].digest, BYTES("data")), BYTES("data")));
}

/* ECDSA: zeros, and the same numbers in more octets; both verify in careless hands
 * (CVE-2022-21449). */
static void test_ecdsa_zero(void **state)
{
	static const char *const signatures[] = {"30{02{00}02{00}}", "30{02{01}02{00}}",
	    "30{02{00}02{01}}", "30{02{01}02{01}}", "30{}", "30{02{}02{}}", "00",
	    "30{02{ff}02{ff}}"};

	(void)state;
	for (size_t i = 0; i < COUNT(signatures); i++)
		assert_refusal(CSR_SIGNATURE,
		    verify("P-256", ECDSA_SHA256, maker_der(signatures[i]), BYTES("data")));
}

/* A19: points that are none of the curve: refused when the key is used. */
static void test_off_the_curve(void **state)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0000000000000000000000000000000000000000000000000000000000000001"
	    "0000000000000000000000000000000000000000000000000000000000000001",
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
	struct span signature = maker_sign("P-256", "SHA256", BYTES("data"));
	struct span good = maker_spki("P-256");
	unsigned char flipped[65];
	struct key_info key;

	(void)state;
	for (size_t i = 0; i < COUNT(points) + 1; i++) {
		struct span point;
		if (i < COUNT(points)) {
			point = maker_der("04$", maker_der(points[i]));
		} else {
			memcpy(flipped, good.data + good.len - 65, 65);
			flipped[64] ^= 1;
			point = (struct span){flipped, 65};
		}
		assert_outcome(EST_OK,
		    key_parse(
			maker_der("30{30{06{2a8648ce3d0201}06{2a8648ce3d030107}}03{00$}}", point),
			&key));
		assert_refusal(
		    CSR_POINT, key_verify(&key, maker_der(ECDSA_SHA256), signature, BYTES("data")));
	}
	/* And a good key still works behind them. */
	assert_outcome(EST_OK, verify("P-256", ECDSA_SHA256, signature, BYTES("data")));
}

/* RSA: the signature as a number is not below the modulus; a modulus that no signature fits. */
static void test_rsa_range(void **state)
{
	unsigned char signature[256];

	(void)state;
	memset(signature, 0xff, sizeof(signature));
	assert_refusal(CSR_SIGNATURE,
	    verify("RSA-2048", RSA_SHA256, (struct span){signature, 256}, BYTES("data")));
	memset(signature, 0, sizeof(signature));
	assert_refusal(CSR_SIGNATURE,
	    verify("RSA-2048", RSA_SHA256, (struct span){signature, 256}, BYTES("data")));
	signature[255] = 1;
	assert_refusal(CSR_SIGNATURE,
	    verify("RSA-2048", RSA_SHA256, (struct span){signature, 256}, BYTES("data")));
}

/* A8: an exponent of all the bits that key_parse() takes is one that signatures verify by. */
static void test_long_exponent(void **state)
{
	EVP_PKEY_CTX *generator = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	BIGNUM *exponent = NULL;
	EVP_PKEY *key = NULL;
	unsigned char signature[256], *der = NULL;
	size_t len = sizeof(signature);
	struct key_info info;
	int size;

	(void)state;
	assert_int_equal(BN_hex2bn(&exponent, "c0000000000000000000000000000000"
					      "00000000000000000000000000000001"),
	    64);
	assert_int_equal(EVP_PKEY_keygen_init(generator), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(generator, 2048), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(generator, exponent), 1);
	assert_int_equal(EVP_PKEY_generate(generator, &key), 1);
	assert_int_equal(EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL), 1);
	assert_int_equal(
	    EVP_DigestSign(context, signature, &len, (const unsigned char *)"data", 4), 1);
	size = i2d_PUBKEY(key, &der);
	assert_outcome(EST_OK, key_parse((struct span){der, (size_t)size}, &info));
	assert_true(info.other_exponent);
	assert_refusal(REFUSAL_NONE,
	    key_verify(&info, maker_der(RSA_SHA256), (struct span){signature, len}, BYTES("data")));
	assert_refusal(CSR_SIGNATURE,
	    key_verify(&info, maker_der(RSA_SHA256), (struct span){signature, len}, BYTES("date")));
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	BN_free(exponent);
	EVP_MD_CTX_free(context);
	EVP_PKEY_CTX_free(generator);
}

/* The modulus is looked at before the signature is: this one is divisible by 3. */
static void test_weak_key(void **state)
{
	char modulus[513];
	struct key_info key;

	(void)state;
	memset(modulus, 'c', 511);
	modulus[511] = '3';
	modulus[512] = '\0';
	assert_outcome(EST_OK, key_parse(maker_rsa(modulus, "010001"), &key));
	assert_refusal(CSR_WEAK_KEY,
	    key_verify(&key, maker_der(RSA_SHA256), BYTES("no signature"), BYTES("data")));
	assert_refusal(CSR_SIGALG,
	    key_verify(&key, maker_der(RSA_SHA1), BYTES("no signature"), BYTES("data")));
}

/* SHA-1 for who asks for it: with both types of keys, and with nothing else weaker than SHA-256. */
static void test_sha1(void **state)
{
	static const struct {
		const char *key, *algorithm, *digest;
		enum refusal wanted;
	} cases[] = {
	    {"P-256", ECDSA_SHA1, "SHA1", REFUSAL_NONE},
	    {"P-384", ECDSA_SHA1, "SHA1", REFUSAL_NONE},
	    {"RSA-2048", RSA_SHA1, "SHA1", REFUSAL_NONE},
	    {"RSA-2048", "30{06{2a864886f70d010105}}", "SHA1", REFUSAL_NONE},
	    {"P-256", ECDSA_SHA256, "SHA256", REFUSAL_NONE},
	    {"RSA-2048", RSA_SHA256, "SHA256", REFUSAL_NONE},
	    {"P-256", ECDSA_SHA1, "SHA256", CSR_SIGNATURE},
	    {"P-256", RSA_SHA1, "SHA1", CSR_SIGALG},
	    {"RSA-2048", ECDSA_SHA1, "SHA1", CSR_SIGALG},
	    {"RSA-2048", RSA_MD5, "MD5", CSR_SIGALG},
	    {"RSA-2048", RSA_SHA224, "SHA224", CSR_SIGALG},
	    {"P-256", ECDSA_SHA224, "SHA224", CSR_SIGALG},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span signature = maker_sign(cases[i].key, cases[i].digest, BYTES("data"));
		struct span algorithm = maker_der(cases[i].algorithm);
		struct key_info key;
		assert_outcome(EST_OK, key_parse(maker_spki(cases[i].key), &key));
		assert_true(refusal_is(cases[i].wanted,
		    key_verify_sha1(&key, algorithm, signature, BYTES("data")),
		    cases[i].algorithm));
		if (strcmp(cases[i].digest, "SHA1") == 0)
			assert_refusal(
			    CSR_SIGALG, key_verify(&key, algorithm, signature, BYTES("data")));
	}
}

/* What a CA signs with verifies under the AlgorithmIdentifier that goes with it. */
static void test_signers(void **state)
{
	static const char *const cas[] = {
	    "P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519", "Ed448"};
	static const char *const wrong[] = {
	    "secp224r1", "RSA-1024", "X25519", "X448", "secp256k1", "brainpoolP256r1"};
	struct span algorithm;
	const EVP_MD *digest;

	(void)state;
	for (size_t i = 0; i < COUNT(cas); i++) {
		struct key_info key;
		struct span signature;
		assert_outcome(EST_OK, key_signer(maker_key(cas[i]), &algorithm, &digest));
		signature = maker_sign(
		    cas[i], digest == NULL ? NULL : EVP_MD_get0_name(digest), BYTES("data"));
		assert_outcome(EST_OK, key_parse(maker_spki(cas[i]), &key));
		assert_outcome(EST_OK, key_verify(&key, algorithm, signature, BYTES("data")));
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_outcome(EST_MALFORMED, key_signer(maker_key(wrong[i]), &algorithm, &digest));
}

static void test_sha256(void **state)
{
	unsigned char digest[32];

	(void)state;
	key_sha256(BYTES("abc"), digest);
	assert_bytes(maker_der("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
	    ((struct span){digest, 32}));
	key_sha256(BYTES(""), digest);
	assert_bytes(maker_der("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
	    ((struct span){digest, 32}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_algorithms),
	    TEST(test_algorithm_must_fit),
	    TEST(test_weak),
	    TEST(test_rsa_without_parameters),
	    TEST(test_algorithm_shapes),
	    TEST(test_other_signer),
	    TEST(test_ecdsa_zero),
	    TEST(test_off_the_curve),
	    TEST(test_rsa_range),
	    TEST(test_long_exponent),
	    TEST(test_weak_key),
	    TEST(test_sha1),
	    TEST(test_signers),
	    TEST(test_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
