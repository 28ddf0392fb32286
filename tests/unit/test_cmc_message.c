/*
 * The SignedData around a Full PKI Request: as OpenSSL makes it, in many ways, and what is none.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>

#include "common/pki/cmc_message.h"
#include "message_test.h"
#include "refusal_test.h"

static const struct span pki_data = DER_OCTETS(CMC_PKI_DATA);
static const struct span content = DER_OCTETS("\x30\x08\x30\x00\x30\x00\x30\x00\x30\x00");

static X509 *certificate_of(const char *key)
{
	static const char *const extensions[] = {"subjectKeyIdentifier", "hash", NULL};

	return maker_cert(
	    &(struct maker_cert){.subject = "CN=pump", .key = key, .extensions = extensions});
}

struct making {
	const char *key, *type;
	const EVP_MD *digest;
	unsigned flags;
	unsigned signers; /* 0: one */
};

static struct span make(const struct making *making)
{
	unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | making->flags;
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, flags);
	ASN1_OBJECT *type =
	    OBJ_txt2obj(making->type == NULL ? "1.3.6.1.5.5.7.12.2" : making->type, 1);
	unsigned char *der = NULL;
	struct buf out = {0};
	int len;

	assert_int_equal(1, CMS_set1_eContentType(cms, type));
	for (unsigned i = 0; i < (making->signers == 0 ? 1 : making->signers); i++)
		assert_non_null(CMS_add1_signer(cms, certificate_of(making->key),
		    maker_key(making->key), making->digest, flags));
	assert_int_equal(1, CMS_final(cms, in, NULL, flags));
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_true(len > 0);
	buf_add(&out, der, (size_t)len);
	OPENSSL_free(der);
	ASN1_OBJECT_free(type);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	return maker_keep(&out);
}

static enum outcome verify(const struct cmc_message *message, const char *kind)
{
	struct key_info key;

	assert_outcome(EST_OK, key_parse(maker_spki(kind), &key));
	return cmc_signer_verify(message, &message->signers[0], &key);
}

static void test_signed(void **state)
{
	const struct making rows[] = {
	    {.key = "P-256", .digest = EVP_sha256()},
	    {.key = "P-256", .digest = EVP_sha512()},
	    {.key = "P-384", .digest = EVP_sha384(), .flags = CMS_USE_KEYID},
	    {.key = "RSA-2048", .digest = EVP_sha256()},
	    {.key = "RSA-2048", .digest = EVP_sha384(), .flags = CMS_NOCERTS | CMS_USE_KEYID},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cmc_message message;
		assert_refusal(REFUSAL_NONE, cmc_message_parse(make(&rows[i]), pki_data, &message));
		assert_bytes(content, message.content);
		assert_int_equal(1, message.signer_count);
		assert_int_equal(
		    (rows[i].flags & CMS_USE_KEYID) == 0 ? 0 : 20, message.signers[0].key_id.len);
		assert_int_equal((rows[i].flags & CMS_NOCERTS) == 0, message.certificate_count);
		assert_true(message.is_cmc);
		assert_refusal(REFUSAL_NONE, verify(&message, rows[i].key));
	}
}

static void test_not_verified(void **state)
{
	struct span der = make(&(struct making){.key = "P-256", .digest = EVP_sha256()});
	struct cmc_message message;

	(void)state;
	assert_refusal(REFUSAL_NONE, cmc_message_parse(der, pki_data, &message));
	assert_refusal(CMC_SIGNATURE, verify(&message, "P-256#other"));
	assert_refusal(CMC_ALGORITHM, verify(&message, "RSA-2048"));
	message.content = BYTES("\x30\x08\x30\x00\x30\x00\x30\x00\x31\x00");
	assert_refusal(CMC_SIGNATURE, verify(&message, "P-256"));
	message.content = content;
	message.type = BYTES(CMC_PKI_RESPONSE);
	assert_refusal(CMC_SIGNATURE, verify(&message, "P-256"));
	message.type = pki_data;
	assert_refusal(REFUSAL_NONE, verify(&message, "P-256"));
	/* An attribute more, one less, one twice. */
	message.signers[0].attributes = maker_der(
	    "a0{$ 30{06032a0304 31{0500}}}", look(message.signers[0].attributes, "").content);
	assert_refusal(CMC_SIGNATURE, verify(&message, "P-256"));
	message.signers[0].attributes = maker_der("a0{}");
	assert_refusal(CMC_SIGNATURE, verify(&message, "P-256"));
}

/*
 * Every octet counts but those that nobody signs and nobody uses: ahead of the content the version
 * and the list of digests; and who signed, which is for the caller to find.
 */
static void test_flips(void **state)
{
	struct span der =
	    make(&(struct making){.key = "P-256", .digest = EVP_sha256(), .flags = CMS_NOCERTS});
	struct cmc_message good, message;
	size_t from, until, first;

	(void)state;
	assert_refusal(REFUSAL_NONE, cmc_message_parse(der, pki_data, &good));
	first = (size_t)(good.content.data - der.data);
	from = (size_t)(good.signers[0].issuer.data - der.data);
	until = (size_t)(good.signers[0].serial.data - der.data) + good.signers[0].serial.len;
	for (size_t i = 0; i < der.len; i++) {
		unsigned char *octets = mem_alloc(der.len);
		enum outcome outcome;
		memcpy(octets, der.data, der.len);
		octets[i] ^= 1;
		outcome = cmc_message_parse((struct span){octets, der.len}, pki_data, &message);
		if (outcome == EST_OK)
			outcome =
			    message.signer_count == 1 ? verify(&message, "P-256") : EST_MALFORMED;
		if (i >= first && (i < from || i >= until))
			assert_int_equal(EST_MALFORMED, outcome);
		reason_clear();
		free(octets);
	}
}

static void test_refused(void **state)
{
	struct span good = make(&(struct making){.key = "P-256", .digest = EVP_sha256()});
	const struct {
		struct span der;
		enum refusal refusal;
		bool is_cmc;
	} rows[] = {
	    {make(&(struct making){
		 .key = "P-256", .digest = EVP_sha256(), .type = "1.2.840.113549.1.7.1"}),
		CMC_FORM, false},
	    {make(&(struct making){
		 .key = "P-256", .digest = EVP_sha256(), .type = "1.3.6.1.5.5.7.12.3"}),
		CMC_FORM, false},
	    {make(&(struct making){.key = "P-256", .digest = EVP_sha256(), .flags = CMS_NOATTR}),
		CMC_FORM, true},
	    {make(&(struct making){.key = "P-256", .digest = EVP_sha256(), .signers = 5}), CMC_FORM,
		true},
	    {maker_der("$ 00", good), CMC_FORM, false},
	    {(struct span){good.data, good.len - 1}, CMC_FORM, false},
	    {maker_der("30{060b2a864886f70d0109100102 a0{3000}}"), CMC_ALGORITHM, true},
	    {maker_der("30{06092a864886f70d010703 a0{3000}}"), CMC_ALGORITHM, true},
	    {maker_der("30{06092a864886f70d010701 a0{0400}}"), CMC_FORM, false},
	    {maker_der("30{06092a864886f70d010702 a0{3000}}"), CMC_FORM, false},
	    {maker_csr("P-256", "CN=pump", NULL), CMC_FORM, false},
	    {content, CMC_FORM, false},
	    {BYTES(""), CMC_FORM, false},
	};
	struct cmc_message message;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_refusal(rows[i].refusal, cmc_message_parse(rows[i].der, pki_data, &message));
		assert_int_equal(rows[i].is_cmc, message.is_cmc);
	}
}

static void test_weak(void **state)
{
	struct cmc_message message;

	(void)state;
	assert_refusal(REFUSAL_NONE,
	    cmc_message_parse(
		make(&(struct making){.key = "P-256", .digest = EVP_sha1()}), pki_data, &message));
	assert_refusal(CMC_ALGORITHM, verify(&message, "P-256"));
	assert_refusal(REFUSAL_NONE,
	    cmc_message_parse(make(&(struct making){.key = "RSA-2048", .digest = EVP_sha1()}),
		pki_data, &message));
	assert_refusal(CMC_ALGORITHM, verify(&message, "RSA-2048"));
}

/* --- with further certificates --- */

static void test_added(void **state)
{
	struct span der = make(&(struct making){.key = "P-256", .digest = EVP_sha256()});
	struct span more[3] = {maker_cert_der(certificate_of("P-384")),
	    maker_cert_der(certificate_of("RSA-2048")), {NULL, 0}};
	struct cmc_message message;
	struct buf out = {0};
	const unsigned char *at;
	CMS_ContentInfo *cms;
	STACK_OF(X509) *certs;

	(void)state;
	more[2] = more[0]; /* twice is once */
	assert_outcome(EST_OK, cmc_message_add_certificates(der, more, 3, &out));
	assert_refusal(REFUSAL_NONE, cmc_message_parse(buf_span(&out), pki_data, &message));
	assert_int_equal(3, message.certificate_count);
	for (size_t i = 1; i < 3; i++)
		assert_true(
		    memcmp(message.certificates[i - 1].data, message.certificates[i].data, 8) <= 0);
	assert_refusal(REFUSAL_NONE, verify(&message, "P-256"));
	at = out.data;
	cms = d2i_CMS_ContentInfo(NULL, &at, (long)out.len);
	assert_non_null(cms);
	assert_ptr_equal(out.data + out.len, at);
	certs = CMS_get1_certs(cms);
	assert_int_equal(3, sk_X509_num(certs));
	assert_int_equal(
	    1, CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY));
	sk_X509_pop_free(certs, X509_free);
	CMS_ContentInfo_free(cms);
	buf_free(&out);
	assert_outcome(EST_INTERNAL, cmc_message_add_certificates(content, more, 1, &out));
	buf_free(&out);
}

/* One that we sign ourselves, by a key that OpenSSL's CMS does not sign with. */
static enum outcome sign_by(void *context, struct span data, struct buf *signature)
{
	buf_add_span(signature, maker_sign(context, NULL, data));
	return EST_OK;
}

static void test_edwards(void **state)
{
	static char kind[] = "Ed25519";
	struct message_signer signer = {.certificate = maker_cert_der(certificate_of(kind)),
	    .algorithm = maker_der("30{06032b6570}"),
	    .sign = sign_by,
	    .context = kind};
	struct cmc_message message;
	struct buf out = {0};

	(void)state;
	assert_outcome(EST_OK, message_sign(&signer, pki_data, content, MAKER_NOW, &out));
	assert_refusal(REFUSAL_NONE, cmc_message_parse(buf_span(&out), pki_data, &message));
	assert_refusal(REFUSAL_NONE, verify(&message, kind));
	assert_refusal(CMC_SIGNATURE, verify(&message, "Ed25519#other"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_signed),
	    TEST(test_not_verified),
	    TEST(test_flips),
	    TEST(test_refused),
	    TEST(test_weak),
	    TEST(test_added),
	    TEST(test_edwards),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
