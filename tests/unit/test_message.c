/*
 * Signed messages: OpenSSL verifies them, and where it cannot (EdDSA with signed attributes), we do
 * by hand. Versions, names and algorithms are looked up in the DER.
 */
#include "maker.h"

#include <openssl/evp.h>

#include "message_test.h"

#define ID_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"

static const struct signing {
	const char *key, *digest;
	const char *algorithm; /* of the certificate's signature */
	const char *message_algorithm, *digest_algorithm;
	const char *message_digest; /* OpenSSL's name */
	bool openssl;               /* 3.0 verifies it: not so EdDSA with signed attributes */
} signings[] = {
    {"P-256", "SHA256", "30{06{2a8648ce3d040302}}", "30{06{2a8648ce3d040302}}",
	"30{06{608648016503040201}}", "SHA256", true},
    {"P-384", "SHA384", "30{06{2a8648ce3d040303}}", "30{06{2a8648ce3d040303}}",
	"30{06{608648016503040202}}", "SHA384", true},
    {"P-521", "SHA512", "30{06{2a8648ce3d040304}}", "30{06{2a8648ce3d040304}}",
	"30{06{608648016503040203}}", "SHA512", true},
    {"RSA-2048", "SHA256", "30{06{2a864886f70d01010b}0500}", "30{06{2a864886f70d010101}0500}",
	"30{06{608648016503040201}}", "SHA256", true},
    {"RSA-2048", "SHA384", "30{06{2a864886f70d01010c}0500}", "30{06{2a864886f70d010101}0500}",
	"30{06{608648016503040202}}", "SHA384", true},
    {"RSA-2048", "SHA512", "30{06{2a864886f70d01010d}0500}", "30{06{2a864886f70d010101}0500}",
	"30{06{608648016503040203}}", "SHA512", true},
    {"ED25519", NULL, "30{06{2b6570}}", "30{06{2b6570}}", "30{06{608648016503040203}}", "SHA512",
	false},
    {"ED448", NULL, "30{06{2b6571}}", "30{06{2b6571}}", "30{06{608648016503040212}02020200}",
	"SHAKE256", false},
};

/*
 * RFC 5652 5.4 by hand: the attributes hold the content's digest, and the signature is over them.
 */
static void verify_by_hand(const struct signing *signing, struct span message, struct span content)
{
	struct span attributes = look(message, "1.0.4.0.3").whole,
		    signature = look(message, "1.0.4.0.5").content;
	struct span signed_octets = maker_der("31{$}", look(attributes, "").content);
	EVP_MD *md = EVP_MD_fetch(NULL, signing->message_digest, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char digest[64];
	bool xof = strcmp(signing->message_digest, "SHAKE256") == 0;
	unsigned len = sizeof(digest);

	assert_int_equal(0xa0, look(attributes, "").tag);
	assert_true(der_sorted(look(attributes, "").content));
	assert_int_equal(1, EVP_DigestInit_ex(context, md, NULL));
	assert_int_equal(1, EVP_DigestUpdate(context, content.data, content.len));
	if (xof)
		assert_int_equal(1, EVP_DigestFinalXOF(context, digest, len));
	else
		assert_int_equal(1, EVP_DigestFinal_ex(context, digest, &len));
	assert_bytes(((struct span){digest, len}), look(attributes, "2.1.0").content);
	assert_at("06{2a864886f70d010904}", attributes, "2.0");
	EVP_MD_CTX_reset(context);
	assert_int_equal(1, EVP_DigestVerifyInit_ex(context, NULL, signing->digest, NULL, NULL,
				maker_key(signing->key), NULL));
	assert_int_equal(1, EVP_DigestVerify(context, signature.data, signature.len,
				signed_octets.data, signed_octets.len));
	EVP_MD_CTX_free(context);
	EVP_MD_free(md);
}

static void test_sign(void **state)
{
	struct span content = BYTES("30 what is to be signed");

	(void)state;
	for (size_t i = 0; i < COUNT(signings); i++) {
		const struct signing *row = &signings[i];
		X509 *cert = make_ca(row->key, row->digest == NULL ? "" : row->digest);
		struct hand hand = {row->key, row->digest, EST_OK};
		struct span message =
		    sign_message(cert, &hand, row->algorithm, BYTES(KEY_PACKAGE), content);
		assert_at(ID_SIGNED, message, "0");
		assert_at("020103", message, "1.0.0"); /* RFC 5652 5.1: its content is no id-data */
		assert_bytes(maker_der("31{$}", maker_der(row->digest_algorithm)),
		    look(message, "1.0.1").whole);
		assert_at("06{6086480165020102"
			  "4e05}",
		    message, "1.0.2.0");
		assert_bytes(content, look(message, "1.0.2.1.0").content);
		assert_bytes(maker_cert_der(cert), look(message, "1.0.3.0").whole);
		assert_at("020101", message, "1.0.4.0.0");
		assert_at(row->digest_algorithm, message, "1.0.4.0.2");
		assert_at(row->message_algorithm, message, "1.0.4.0.4");
		verify_by_hand(row, message, content);
		if (row->openssl)
			verify_by_openssl(message, cert, content);
	}
}

static void test_sign_attributes(void **state)
{
	X509 *cert = make_ca("P-256", NULL);
	struct hand hand = {"P-256", "SHA256", EST_OK};
	struct span message = sign_message(
	    cert, &hand, "30{06{2a8648ce3d040302}}", BYTES(KEY_PACKAGE), BYTES("content"));

	(void)state;
	assert_at("30{06{2a864886f70d010903}31{06{60864801650201024e05}}}", message, "1.0.4.0.3.0");
	assert_at("30{06{2a864886f70d010905}31{17{'260101000000Z'}}}", message, "1.0.4.0.3.1");
}

/* What is id-data is version 1 (RFC 5652 5.1), and a verifier sees the same in it. */
static void test_sign_data(void **state)
{
	X509 *cert = make_ca("P-256", NULL);
	struct hand hand = {"P-256", "SHA256", EST_OK};
	struct span message =
	    sign_message(cert, &hand, "30{06{2a8648ce3d040302}}", BYTES(ID_DATA), BYTES("content"));

	(void)state;
	assert_at("020101", message, "1.0.0");
	verify_by_openssl(message, cert, BYTES("content"));
}

static void test_sign_chain(void **state)
{
	struct span chain[] = {
	    maker_cert_der(make_ca("P-256#1", NULL)), maker_cert_der(make_ca("RSA-2048", NULL))};
	struct hand hand = {"P-256", "SHA256", EST_OK};
	struct message_signer signer = {.certificate = maker_cert_der(make_ca("P-256", NULL)),
	    .algorithm = maker_der("30{06{2a8648ce3d040302}}"),
	    .chain = chain,
	    .chain_count = 2,
	    .sign = sign_by_hand,
	    .context = &hand};
	struct buf out = {0};
	struct span rest;
	struct der one;
	int found = 0, count = 0;

	(void)state;
	buf_add_string(&out, "before");
	assert_outcome(
	    EST_OK, message_sign(&signer, BYTES(KEY_PACKAGE), BYTES("content"), MAKER_NOW, &out));
	assert_memory_equal("before", out.data, 6);
	rest = look((struct span){out.data + 6, out.len - 6}, "1.0.3").content;
	assert_true(der_sorted(rest));
	for (; rest.len > 0; count++) {
		assert_outcome(EST_OK, der_next(&rest, &one));
		found += span_equal(one.whole, chain[0]) + span_equal(one.whole, chain[1]) +
			 span_equal(one.whole, signer.certificate);
	}
	assert_int_equal(3, count);
	assert_int_equal(3, found);
	buf_free(&out);
}

static void test_sign_fails(void **state)
{
	struct hand hand = {"P-256", "SHA256", EST_UNAVAILABLE};
	struct message_signer signer = {.certificate = maker_cert_der(make_ca("P-256", NULL)),
	    .algorithm = maker_der("30{06{2a8648ce3d040302}}"),
	    .sign = sign_by_hand,
	    .context = &hand};
	struct buf out = {0};

	(void)state;
	assert_outcome(EST_UNAVAILABLE,
	    message_sign(&signer, BYTES(ID_DATA), BYTES("content"), MAKER_NOW, &out));
	assert_int_equal(0, out.len);
	hand.outcome = EST_OK;
	signer.algorithm = maker_der("30{06{2a864886f70d01010a}}");
	assert_outcome(
	    EST_INTERNAL, message_sign(&signer, BYTES(ID_DATA), BYTES("content"), MAKER_NOW, &out));
	signer.algorithm = maker_der("30{06{2a8648ce3d040302}}");
	signer.certificate = BYTES("\x30\x00");
	assert_outcome(
	    EST_INTERNAL, message_sign(&signer, BYTES(ID_DATA), BYTES("content"), MAKER_NOW, &out));
	assert_int_equal(0, out.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_sign),
	    TEST(test_sign_attributes),
	    TEST(test_sign_data),
	    TEST(test_sign_chain),
	    TEST(test_sign_fails),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
