/*
 * What a device gets from serverkeygen: a multipart body (RFC 2046 5.1), and keys that come
 * encrypted (RFC 7030 4.4.2).
 */
#include "tests/unit/maker.h"

#include <stdio.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/base/encoding.h"

#include "admin/client_envelope.h"
#include "admin/client_multipart.h"

#define UNUSED (void)state

static void assert_part(const struct client_part *part, const char *type, const char *content)
{
	if (type == NULL)
		assert_null(part->type);
	else
		assert_string_equal(part->type, type);
	assert_bytes(span_of(content), part->content);
}

/* The framing of RFC 7030 A.4: a preamble, an epilogue, a blank before the semicolon. */
static void test_example(void **state)
{
	static const char body[] =
	    "This is the preamble.  It is to be ignored, though it\r\n"
	    "is a handy place for EST servers to include an explanatory note\r\n"
	    "including contact or support information.\r\n"
	    "--estServerExampleBoundary\r\n"
	    "Content-Type: application/pkcs8\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "\r\n"
	    "AAAA\r\nBBBB\r\n"
	    "--estServerExampleBoundary\r\n"
	    "Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "\r\n"
	    "CCCC\r\n"
	    "--estServerExampleBoundary--\r\n"
	    "This is the epilogue.  It is also to be ignored.\r\n";
	struct client_multipart parts;

	UNUSED;
	assert_outcome(
	    EST_OK, client_multipart_parse("multipart/mixed ; boundary=estServerExampleBoundary",
			maker_copy(span_of(body)), &parts));
	assert_int_equal(parts.count, 2);
	assert_part(&parts.parts[0], "application/pkcs8", "AAAA\r\nBBBB");
	assert_part(&parts.parts[1], "application/pkcs7-mime; smime-type=certs-only", "CCCC");
	assert_true(client_multipart_has(&parts.parts[1], "smime-type", "certs-only"));
	assert_true(client_multipart_has(&parts.parts[1], "SMIME-Type", "Certs-Only"));
	assert_false(client_multipart_has(&parts.parts[1], "smime-type", "certs"));
	assert_false(client_multipart_has(&parts.parts[0], "smime-type", "certs-only"));
	client_multipart_free(&parts);
}

static void test_liberal(void **state)
{
	static const struct {
		const char *type, *body, *first;
	} cases[] = {
	    {"multipart/mixed; boundary=b", "--b\r\n\r\nx\r\n--b--", "x"},
	    {"multipart/mixed; boundary=b", "--b\n\nx\n--b--\n", "x"},
	    {"Multipart/Mixed;charset=x;Boundary=\"b b\"", "--b b  \r\n\r\nx\r\n--b b-- \t\r\n",
		"x"},
	    {"multipart/mixed;\tboundary = \"a\\b\"", "--ab\r\nA: b\r\n\r\nx\r\n--ab--", "x"},
	    {"multipart/mixed; boundary=b", "--bc\r\n--b\r\n\r\n--bc\r\n--b--", "--bc"},
	    {"multipart/mixed; boundary=b", "--b\r\n\r\n\r\n--b--", ""},
	    {"multipart/mixed; boundary=b", "--b\r\n\r\nx --b\r\n\r\n--b--", "x --b\r\n"},
	};
	struct client_multipart parts;

	UNUSED;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span body = maker_copy(span_of(cases[i].body));
		assert_outcome(EST_OK, client_multipart_parse(cases[i].type, body, &parts));
		assert_int_equal(parts.count, 1);
		assert_part(&parts.parts[0], NULL, cases[i].first);
		client_multipart_free(&parts);
	}
	assert_outcome(
	    EST_OK, client_multipart_parse("multipart/mixed; boundary=b",
			span_of("--b\r\ncontent-TYPE:\r\n text/plain;\r\n\ta=b\r\n\r\nx\r\n--b--"),
			&parts));
	assert_string_equal(parts.parts[0].type, "text/plain;\ta=b");
	assert_true(client_multipart_has(&parts.parts[0], "a", "b"));
	client_multipart_free(&parts);
}

static void test_refused(void **state)
{
	static const char *const cases[][2] = {
	    {NULL, "--b\r\n\r\nx\r\n--b--"},
	    {"multipart/mixed", "--b\r\n\r\nx\r\n--b--"},
	    {"multipart/mixedx; boundary=b", "--b\r\n\r\nx\r\n--b--"},
	    {"application/pkcs7-mime; boundary=b", "--b\r\n\r\nx\r\n--b--"},
	    {"multipart/mixed; boundary=", "--\r\n\r\nx\r\n----"},
	    {"multipart/mixed; boundary=\"b \"", "--b \r\n\r\nx\r\n--b --"},
	    {"multipart/mixed; boundary=\"\x01\"", "--\x01\r\n\r\nx\r\n--\x01--"},
	    {"multipart/mixed; boundary="
	     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		""},
	    {"multipart/mixed; boundary=b", ""},
	    {"multipart/mixed; boundary=b", "--b\r\n\r\nx\r\n--b\r\n"}, /* cut short */
	    {"multipart/mixed; boundary=b", "--b\r\n\r\nx\r\n"},
	    {"multipart/mixed; boundary=b",
		"--b\r\nContent-Type: a/b\r\n--b--"}, /* no blank line */
	    {"multipart/mixed; boundary=b", "--b\r\n--b--"},
	    {"multipart/mixed; boundary=b", "--b\r\n\r\n--b--"},
	    {"multipart/mixed; boundary=b",
		"--b\n\n1\n--b\n\n2\n--b\n\n3\n--b\n\n4\n--b\n\n5\n--b--"},
	};
	struct client_multipart parts;

	UNUSED;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_outcome(EST_MALFORMED,
		    client_multipart_parse(cases[i][0], maker_copy(span_of(cases[i][1])), &parts));
		client_multipart_free(&parts);
	}
}

static void test_kek_id(void **state)
{
	struct buf id = {0};

	UNUSED;
	assert_int_equal(client_kek_id("kek-01", &id), EST_OK);
	assert_bytes(BYTES("kek-01"), buf_span(&id));
	buf_reset(&id);
	assert_int_equal(client_kek_id("0x00ff", &id), EST_OK);
	assert_bytes(BYTES("\0\xff"), buf_span(&id));
	buf_reset(&id);
	assert_outcome(EST_MALFORMED, client_kek_id("0x0", &id));
	buf_reset(&id);
	assert_outcome(EST_MALFORMED, client_kek_id("0x", &id));
	buf_free(&id);
}

/* --- keys that come encrypted --- */

/* A certificate of a key, signed by another's. */
static X509 *make_cert(
    const char *kind, const char *name, const char *issuer_kind, const char *issuer)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_NAME_new(), *from = X509_NAME_new();

	(void)X509_NAME_add_entry_by_txt(
	    subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	(void)X509_NAME_add_entry_by_txt(
	    from, "CN", MBSTRING_UTF8, (const unsigned char *)issuer, -1, -1, 0);
	(void)X509_set_version(cert, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_set_subject_name(cert, subject);
	(void)X509_set_issuer_name(cert, from);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	(void)X509_set_pubkey(cert, maker_key(kind));
	if (strcmp(kind, issuer_kind) == 0) {
		BASIC_CONSTRAINTS ca = {.ca = 1};
		assert_int_equal(X509_add1_ext_i2d(cert, NID_basic_constraints, &ca, 1, 0), 1);
	}
	assert_true(X509_sign(cert, maker_key(issuer_kind), EVP_sha256()) > 0);
	X509_NAME_free(subject);
	X509_NAME_free(from);
	return cert;
}

static struct span drained(BIO *bio)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	struct span copy = maker_copy((struct span){(const unsigned char *)text, (size_t)len});

	BIO_free(bio);
	return copy;
}

/* The PrivateKeyInfo of a key. */
static struct span private_key(const char *kind)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(
	    i2d_PKCS8PrivateKey_bio(bio, maker_key(kind), NULL, NULL, 0, NULL, NULL), 1);
	return drained(bio);
}

/* A bare SignedData over content, of that type, by the signer. */
static struct span sign(struct span content, const char *type, X509 *signer, const char *kind)
{
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms =
	    CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL | CMS_STREAM);
	ASN1_OBJECT *object = OBJ_txt2obj(type, 1);
	struct span whole, rest;

	assert_int_equal(CMS_set1_eContentType(cms, object), 1);
	assert_non_null(CMS_add1_signer(cms, signer, maker_key(kind), EVP_sha256(), CMS_BINARY));
	assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	assert_int_equal(i2d_CMS_bio(out, cms), 1);
	CMS_ContentInfo_free(cms);
	ASN1_OBJECT_free(object);
	BIO_free(in);
	whole = drained(out);
	/*
	 * ContentInfo ::= SEQUENCE { OID, [0] EXPLICIT content }, lengths of three octets, or two.
	 */
	rest = whole;
	for (size_t i = 0; i < whole.len; i++) {
		if (whole.data[i] == 0xa0) {
			size_t header = whole.data[i + 1] == 0x82 ? 4 : 3;
			rest = (struct span){whole.data + i + header, whole.len - i - header};
			break;
		}
	}
	return rest;
}

/* Enveloped for a symmetric key, or else for a certificate. */
static struct span seal(struct span content, struct span kek, struct span id, X509 *recipient)
{
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms =
	    CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_BINARY | CMS_PARTIAL | CMS_STREAM);

	assert_non_null(cms);
	if (recipient == NULL) {
		unsigned char *key = OPENSSL_memdup(kek.data, kek.len);
		unsigned char *name = OPENSSL_memdup(id.data, id.len);
		assert_non_null(CMS_add0_recipient_key(
		    cms, NID_undef, key, kek.len, name, id.len, NULL, NULL, NULL));
	} else {
		assert_non_null(CMS_add1_recipient_cert(cms, recipient, 0));
	}
	assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	assert_int_equal(i2d_CMS_bio(out, cms), 1);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	return drained(out);
}

#define PACKAGE "2.16.840.1.101.2.1.2.78.5"
#define KEK     BYTES("0123456789abcdef")

static const struct client_opener by_kek = {
    .kek_id = {(unsigned char *)(uintptr_t) "id", 2, 0},
    .kek = {(unsigned char *)(uintptr_t) "0123456789abcdef", 16, 0},
};

static enum outcome opened(struct span der, const struct client_opener *opener, X509 *trusted)
{
	STACK_OF(X509) *trust = sk_X509_new_null();
	struct client_envelope envelope = {.der = der, .opener = opener, .trust = trust};
	EVP_PKEY *key = NULL;
	enum outcome outcome;

	(void)sk_X509_push(trust, trusted);
	outcome = client_envelope_open(&envelope, &key);
	if (outcome == EST_OK)
		assert_int_equal(EVP_PKEY_eq(key, maker_key("P-256#made")), 1);
	else
		assert_null(key);
	EVP_PKEY_free(key);
	sk_X509_free(trust);
	return outcome;
}

static void test_envelope(void **state)
{
	X509 *ca = make_cert("P-256#ca", "CA", "P-256#ca", "CA");
	X509 *other = make_cert("P-256#other", "CA", "P-256#other", "CA");
	X509 *signer = make_cert("P-256#signer", "signer", "P-256#ca", "CA");
	X509 *rsa = make_cert("RSA-2048", "device", "P-256#ca", "CA");
	X509 *ec = make_cert("P-256", "device", "P-256#ca", "CA");
	struct client_opener by_rsa = {.certificate = rsa, .key = maker_key("RSA-2048")};
	struct client_opener by_ec = {.certificate = ec, .key = maker_key("P-256")};
	struct client_opener nobody = {0};
	struct client_opener by_other = {.kek_id = by_kek.kek_id,
	    .kek = {(unsigned char *)(uintptr_t) "0123456789abcdeX", 16, 0}};
	struct span package = maker_der("30{$}", private_key("P-256#made"));
	struct span bare = sign(package, PACKAGE, signer, "P-256#signer");
	struct span sealed = seal(bare, KEK, BYTES("id"), NULL);

	UNUSED;
	assert_outcome(EST_OK, opened(sealed, &by_kek, ca));
	assert_outcome(
	    EST_OK, opened(seal(sign(package, PACKAGE, ca, "P-256#ca"), KEK, BYTES("id"), NULL),
			&by_kek, ca));
	assert_outcome(
	    EST_OK, opened(seal(bare, (struct span){0}, (struct span){0}, rsa), &by_rsa, ca));
	assert_outcome(
	    EST_OK, opened(seal(bare, (struct span){0}, (struct span){0}, ec), &by_ec, ca));
	/* Another's key, no key, somebody else's signature, another content. */
	assert_outcome(EST_CONFLICT, opened(sealed, &by_other, ca));
	assert_outcome(EST_CONFLICT, opened(sealed, &nobody, ca));
	assert_outcome(EST_CONFLICT, opened(sealed, &by_kek, other));
	assert_outcome(EST_MALFORMED,
	    opened(seal(sign(package, "1.2.840.113549.1.7.1", signer, "P-256#signer"), KEK,
		       BYTES("id"), NULL),
		&by_kek, ca));
	assert_outcome(EST_MALFORMED, opened(seal(package, KEK, BYTES("id"), NULL), &by_kek, ca));
	assert_outcome(EST_MALFORMED,
	    opened(
		seal(sign(maker_der("30{$$}", private_key("P-256#made"), private_key("P-256#made")),
			 PACKAGE, signer, "P-256#signer"),
		    KEK, BYTES("id"), NULL),
		&by_kek, ca));
	assert_outcome(EST_MALFORMED, opened(bare, &by_kek, ca));
	assert_outcome(EST_MALFORMED, opened(maker_der("$00", sealed), &by_kek, ca));
	X509_free(ca);
	X509_free(other);
	X509_free(signer);
	X509_free(rsa);
	X509_free(ec);
}

static void test_plain_key(void **state)
{
	struct span key = private_key("P-256#made");
	EVP_PKEY *parsed = NULL;

	UNUSED;
	assert_outcome(EST_OK, client_key_parse(key, &parsed));
	assert_int_equal(EVP_PKEY_eq(parsed, maker_key("P-256#made")), 1);
	EVP_PKEY_free(parsed);
	parsed = NULL;
	assert_outcome(EST_MALFORMED, client_key_parse(maker_der("$00", key), &parsed));
	assert_outcome(EST_MALFORMED, client_key_parse(BYTES("\x30"), &parsed));
	assert_outcome(EST_MALFORMED, client_key_parse((struct span){0}, &parsed));
	assert_null(parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_example),
	    TEST(test_liberal),
	    TEST(test_refused),
	    TEST(test_kek_id),
	    TEST(test_envelope),
	    TEST(test_plain_key),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
