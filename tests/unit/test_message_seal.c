/*
 * Envelopes: what they are made with, and that OpenSSL opens them with the recipient's key and with
 * no other. Versions, names and algorithms are looked up in the DER.
 */
#include "maker.h"

#include <openssl/evp.h>

#include "common/base/refusal.h"
#include "message_test.h"
#include "refusal_test.h"

/* --- which algorithms --- */

#define CBC128                                                                                     \
	"30{06{60864801650304"                                                                     \
	"0102}}"
#define CBC192                                                                                     \
	"30{06{60864801650304"                                                                     \
	"0116}}"
#define CBC256                                                                                     \
	"30{06{60864801650304"                                                                     \
	"012a}}"
#define GCM256                                                                                     \
	"30{06{60864801650304"                                                                     \
	"012e}}"
#define WRAP128                                                                                    \
	"30{06{60864801650304"                                                                     \
	"0105}}"
#define WRAP192                                                                                    \
	"30{06{60864801650304"                                                                     \
	"0119}}"
#define WRAP256                                                                                    \
	"30{06{60864801650304"                                                                     \
	"012d}}"
#define DES3      "30{06{2a864886f70d0307}}"
#define OAEP      "30{06{2a864886f70d010107}"
#define OAEP1     OAEP "3000}"
#define SHA2_ID   "30{06{608648016503040201}0500}"
#define MGF1_OID  "06{2a864886f70d010108}"
#define OAEP2     OAEP "30{a0{" SHA2_ID "}a1{30{" MGF1_OID SHA2_ID "}}}}"
#define SHA2_BARE "30{06{608648016503040201}}"
#define OAEP2BARE OAEP "30{a0{" SHA2_BARE "}a1{30{" MGF1_OID SHA2_BARE "}}}}"
#define OAEP2OLD  OAEP "30{" SHA2_ID "30{" MGF1_OID SHA2_ID "}}}"
#define OAEP512   OAEP "30{a0{30{06{608648016503040203}0500}}}}"
#define ECDH256   "30{06{2b8104010b01}" WRAP128 "}"
#define ECDH256B  "30{06{2b8104010b01}" WRAP256 "}"
#define ECDH384   "30{06{2b8104010b02}" WRAP192 "}"
#define ECDHDES   "30{06{2b8104010b03}30{06{2a864886f70d01091003060500}}}"

static const struct choice {
	const char *key; /* of the recipient's certificate; NULL: a symmetric one */
	size_t kek;      /* octets of that */
	const char *list;
	int content, wrap, digest; /* content 0: refused */
} choices[] = {
    {NULL, 32, CBC256 WRAP256, NID_aes_256_cbc, NID_id_aes256_wrap, 0},
    {NULL, 16, CBC128 CBC256 WRAP128 WRAP256, NID_aes_256_cbc, NID_id_aes128_wrap, 0},
    {NULL, 24, WRAP192 CBC256 CBC192, NID_aes_256_cbc, NID_id_aes192_wrap, 0},
    {NULL, 32, CBC128 WRAP256 DES3, NID_aes_128_cbc, NID_id_aes256_wrap, 0},
    {NULL, 16, "30{06{608648016503040102}3000}30{06{608648016503040105}0500}", NID_aes_128_cbc,
	NID_id_aes128_wrap, 0},
    {NULL, 32, CBC256 WRAP128, 0, 0, 0},
    {NULL, 32, WRAP256, 0, 0, 0},
    {NULL, 32, GCM256 WRAP256, 0, 0, 0},
    {NULL, 32, "", 0, 0, 0},
    {NULL, 32, CBC256 WRAP256 "0500", 0, 0, 0},
    {NULL, 32, CBC256 WRAP256 "30{}", 0, 0, 0},
    {NULL, 32, CBC256 WRAP256 "30{0201 00}", 0, 0, 0},
    {NULL, 32, CBC256 WRAP256 "30{06{2a}05000500}", 0, 0, 0},
    {NULL, 32, CBC256 WRAP256 "3080", 0, 0, 0},
    {"RSA-2048", 0, CBC192, NID_aes_192_cbc, 0, NID_undef},
    {"RSA-2048", 0, CBC256 OAEP1, NID_aes_256_cbc, 0, NID_sha1},
    {"RSA-2048", 0, OAEP2 OAEP1 CBC256, NID_aes_256_cbc, 0, NID_sha256},
    {"RSA-2048", 0, OAEP2BARE CBC256, NID_aes_256_cbc, 0, NID_sha256},
    {"RSA-2048", 0, OAEP2OLD CBC256, NID_aes_256_cbc, 0, NID_sha256},
    {"RSA-2048", 0, OAEP512 CBC256, NID_aes_256_cbc, 0, NID_undef},
    {"RSA-2048", 0, DES3, 0, 0, 0},
    {"P-256", 0, CBC256 WRAP128 WRAP256, NID_aes_256_cbc, NID_id_aes256_wrap, NID_sha256},
    {"P-384", 0, CBC256 WRAP256, NID_aes_256_cbc, NID_id_aes256_wrap, NID_sha384},
    {"P-521", 0, CBC256 WRAP192, NID_aes_256_cbc, NID_id_aes192_wrap, NID_sha512},
    {"P-384", 0, CBC256 ECDH256, NID_aes_256_cbc, NID_id_aes128_wrap, NID_sha256},
    {"P-256", 0, CBC256 ECDH256B ECDH256, NID_aes_256_cbc, NID_id_aes256_wrap, NID_sha256},
    {"P-256", 0, CBC256 ECDH384 ECDH256B, NID_aes_256_cbc, NID_id_aes192_wrap, NID_sha384},
    {"P-256", 0, CBC256 ECDHDES WRAP256, NID_aes_256_cbc, NID_id_aes256_wrap, NID_sha256},
    {"P-256", 0, CBC256 ECDHDES, 0, 0, 0},
    {"P-256", 0, CBC256, 0, 0, 0},
};

static X509 *make_leaf(const char *key)
{
	static const char *const extensions[] = {"subjectKeyIdentifier", "hash", NULL};

	return maker_cert(
	    &(struct maker_cert){.subject = "CN=pump", .key = key, .extensions = extensions});
}

static void test_choose(void **state)
{
	static const unsigned char kek[32];

	(void)state;
	for (size_t i = 0; i < COUNT(choices); i++) {
		const struct choice *row = &choices[i];
		struct message_recipient recipient = {.kek = {kek, row->kek}};
		struct span list = look(maker_der("30{$}", maker_der(row->list)), "").content;
		struct message_ciphers ciphers;
		if (row->key != NULL)
			recipient.certificate = make_leaf(row->key);
		if (row->content == 0) {
			assert_refusal(
			    KEYGEN_ALGORITHMS, message_ciphers_choose(list, &recipient, &ciphers));
			continue;
		}
		assert_outcome(EST_OK, message_ciphers_choose(list, &recipient, &ciphers));
		assert_int_equal(row->content, ciphers.content);
		assert_int_equal(row->wrap, ciphers.wrap);
		assert_int_equal(row->digest, ciphers.digest);
	}
}

/* --- sealing --- */

static X509 *inner_signer; /* of the last one */

static struct span inner(void)
{
	struct hand hand = {"P-256", "SHA256", EST_OK};

	inner_signer = make_ca("P-256", NULL);
	return sign_message(inner_signer, &hand, "30{06{2a8648ce3d040302}}", BYTES(KEY_PACKAGE),
	    BYTES("this is the key"));
}

static struct span seal(
    const struct message_recipient *recipient, const struct message_ciphers *ciphers)
{
	struct buf out = {0};

	assert_outcome(EST_OK, message_seal(recipient, ciphers, inner(), &out));
	return maker_keep(&out);
}

/* The plaintext is the SignedData alone (RFC 5652 6.3), and its signature verifies. */
static void assert_inner(struct span plain)
{
	assert_int_not_equal(0, plain.len);
	verify_by_openssl(
	    maker_der("30{" ID_SIGNED "a0{$}}", plain), inner_signer, BYTES("this is the key"));
}

static void test_seal_kek(void **state)
{
	static const struct {
		size_t size;
		int wrap, content;
		const char *wrap_oid, *content_oid;
	} rows[] = {
	    {16, NID_id_aes128_wrap, NID_aes_128_cbc, "0105", "0102"},
	    {24, NID_id_aes192_wrap, NID_aes_192_cbc, "0119", "0116"},
	    {32, NID_id_aes256_wrap, NID_aes_256_cbc, "012d", "012a"},
	};
	static const unsigned char kek[] = "0123456789abcdef0123456789abcdef";
	static const unsigned char other[] = "0123456789abcdeF0123456789abcdeF";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct message_recipient recipient = {
		    .kek_id = BYTES("key\x00 7"), .kek = {kek, rows[i].size}};
		struct message_recipient wrong = {
		    recipient.kek_id, {other, rows[i].size}, NULL, false};
		struct message_ciphers ciphers = {rows[i].content, rows[i].wrap, NID_undef};
		struct span message = seal(&recipient, &ciphers), wrap, algorithm;
		assert_at("06092a864886f70d010703", message, "0");
		assert_at("020102", message, "1.0.0"); /* RFC 5652 6.1 */
		assert_int_equal(0xa2, look(message, "1.0.1.0").tag);
		assert_at("020104", message, "1.0.1.0.0"); /* 6.2.3 */
		assert_at("30{04{'key'002037}}", message, "1.0.1.0.1");
		wrap = look(message, "1.0.1.0.2.0").content;
		algorithm = look(message, "1.0.2.1.0").content;
		assert_memory_equal(maker_der(rows[i].wrap_oid).data, wrap.data + 7, 2);
		assert_memory_equal(maker_der(rows[i].content_oid).data, algorithm.data + 7, 2);
		assert_at(ID_SIGNED, message, "1.0.2.0");
		assert_inner(open_envelope(message, NULL, NULL, &recipient));
		assert_int_equal(0, open_envelope(message, NULL, NULL, &wrong).len);
	}
}

/* The signatures' algorithms do not count: OIDs of the recipient's part are looked up as text. */
static bool holds(struct span message, const char *octets)
{
	struct span wanted = maker_der(octets);

	return memmem(message.data, message.len, wanted.data, wanted.len) != NULL;
}

static void test_seal_rsa(void **state)
{
	static const struct {
		bool by_key_id;
		int digest;
		const char *version, *outer, *algorithm;
	} rows[] = {
	    {true, NID_undef, "020102", "020102", "30{06{2a864886f70d010101}0500}"},
	    {false, NID_undef, "020100", "020100", "30{06{2a864886f70d010101}0500}"},
	    {true, NID_sha1, "020102", "020102", OAEP1},
	    {true, NID_sha256, "020102", "020102", OAEP2BARE},
	};
	X509 *cert = make_leaf("RSA-2048");
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(cert);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct message_recipient recipient = {
		    .certificate = cert, .by_key_id = rows[i].by_key_id};
		struct message_ciphers ciphers = {NID_aes_256_cbc, NID_undef, rows[i].digest};
		struct span message = seal(&recipient, &ciphers);
		assert_at(rows[i].outer, message, "1.0.0");
		assert_at(rows[i].version, message, "1.0.1.0.0");
		if (rows[i].by_key_id)
			assert_bytes(maker_der("80{$}", ((struct span){ASN1_STRING_get0_data(id),
							    (size_t)ASN1_STRING_length(id)})),
			    look(message, "1.0.1.0.1").whole);
		else
			assert_bytes(maker_name("CN=pump"), look(message, "1.0.1.0.1.0").whole);
		assert_at(rows[i].algorithm, message, "1.0.1.0.2");
		assert_inner(open_envelope(message, maker_key("RSA-2048"), cert, NULL));
	}
}

static void test_seal_ec(void **state)
{
	static const struct {
		const char *key;
		int wrap, digest;
		const char *algorithm;
	} rows[] = {
	    {"P-256", NID_id_aes128_wrap, NID_sha256, "30{06{2b8104010b01}" WRAP128 "}"},
	    {"P-384", NID_id_aes256_wrap, NID_sha384, "30{06{2b8104010b02}" WRAP256 "}"},
	    {"P-521", NID_id_aes192_wrap, NID_sha512, "30{06{2b8104010b03}" WRAP192 "}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		const char *key = rows[i / 2].key;
		X509 *cert = make_leaf(key);
		struct message_recipient recipient = {.certificate = cert, .by_key_id = i % 2 == 1};
		struct message_ciphers ciphers = {
		    NID_aes_256_cbc, rows[i / 2].wrap, rows[i / 2].digest};
		struct span message = seal(&recipient, &ciphers);
		assert_at("020102", message, "1.0.0");
		assert_int_equal(0xa1, look(message, "1.0.1.0").tag);
		assert_at("020103", message, "1.0.1.0.0"); /* RFC 5652 6.2.2 */
		assert_true(holds(look(message, "1.0.1").whole, rows[i / 2].algorithm));
		assert_inner(open_envelope(message, maker_key(key), cert, NULL));
	}
}

/* Two envelopes of the same content have nothing in common but their form. */
static void test_seal_afresh(void **state)
{
	X509 *cert = make_leaf("P-256");
	struct message_recipient recipient = {.certificate = cert};
	struct message_ciphers ciphers = {NID_aes_256_cbc, NID_id_aes256_wrap, NID_sha256};
	struct span one = seal(&recipient, &ciphers), two = seal(&recipient, &ciphers);

	(void)state;
	assert_false(span_equal(look(one, "1.0.1").whole, look(two, "1.0.1").whole));
	assert_false(span_equal(look(one, "1.0.2.1").whole, look(two, "1.0.2.1").whole));
	assert_false(span_equal(look(one, "1.0.2.2").whole, look(two, "1.0.2.2").whole));
}

static void test_seal_fails(void **state)
{
	static const char *const bad[] = {"", "30{06{2a864886f70d010701}a0{04{'data'}}}",
	    "30{06{2a864886f70d010702}}", "30{06{2a864886f70d010702}a0{3000}}00"};
	X509 *cert = make_leaf("Ed25519");
	struct message_recipient recipient = {.certificate = cert};
	struct message_ciphers ciphers = {NID_aes_256_cbc, NID_id_aes256_wrap, NID_sha256};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_outcome(
		    EST_INTERNAL, message_seal(&recipient, &ciphers, maker_der(bad[i]), &out));
	assert_outcome(EST_INTERNAL, message_seal(&recipient, &ciphers, inner(), &out));
	recipient = (struct message_recipient){.kek_id = BYTES("x"), .kek = BYTES("too short")};
	assert_outcome(EST_INTERNAL, message_seal(&recipient, &ciphers, inner(), &out));
	assert_int_equal(0, out.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_choose),
	    TEST(test_seal_kek),
	    TEST(test_seal_rsa),
	    TEST(test_seal_ec),
	    TEST(test_seal_afresh),
	    TEST(test_seal_fails),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
