/*
 * Certificates to be: OpenSSL reads every one, finds in it what was planned, and would write the
 * same octets.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "common/pki/cert.h"
#include "common/pki/der.h"
#include "common/pki/key.h"

#define BASIC_CONSTRAINTS "30{06{551d13}0101ff04{30{}}}"
#define SAN               "30{06{551d11}04{30{82{'pump.example'}}}}"

static const unsigned char key_id[] = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

/* The plan of a certificate for that key, whose spans are the pool's. */
static struct cert_plan plan_for(const char *key)
{
	struct cert_plan plan = {.issuer = maker_name("C=DE,O=Acme,CN=Issuing"),
	    .subject = maker_name("CN=pump"),
	    .not_before = MAKER_NOW,
	    .not_after = MAKER_NOW + 90 * MAKER_DAY,
	    .spki = maker_spki(key),
	    .authority_key_id = {key_id, sizeof(key_id)},
	    .extensions = maker_der(BASIC_CONSTRAINTS SAN)};

	assert_outcome(EST_OK, cert_serial(plan.serial));
	return plan;
}

/* Signed by the key, as ca.c and ca_local.c do it. */
static struct span issue(const struct cert_plan *plan, const char *ca_key)
{
	struct buf tbs = {0}, cert = {0};
	struct span algorithm;
	const EVP_MD *digest;

	assert_outcome(EST_OK, key_signer(maker_key(ca_key), &algorithm, &digest));
	cert_encode_tbs(plan, algorithm, &tbs);
	cert_encode(buf_span(&tbs), algorithm,
	    maker_sign(ca_key, digest == NULL ? NULL : EVP_MD_get0_name(digest), buf_span(&tbs)),
	    &cert);
	buf_free(&tbs);
	return maker_keep(&cert);
}

/* Read by OpenSSL to the last octet, and written again by it, octet for octet the same. */
static X509 *read_by_openssl(struct span der)
{
	const unsigned char *at = der.data;
	X509 *cert = d2i_X509(NULL, &at, (long)der.len);
	unsigned char *again = NULL;
	int len;

	assert_non_null(cert);
	assert_ptr_equal(at, der.data + der.len);
	len = i2d_re_X509_tbs(cert, &again);
	assert_true(len > 0);
	OPENSSL_free(again);
	again = NULL;
	len = i2d_X509(cert, &again);
	assert_bytes(der, ((struct span){again, (size_t)len}));
	OPENSSL_free(again);
	return cert;
}

static void test_every_key(void **state)
{
	static const char *const cas[] = {
	    "P-256#ca", "P-384#ca", "RSA-2048", "RSA-3072", "Ed25519#ca"};
	static const char *const keys[] = {
	    "P-256", "P-384", "P-521", "Ed25519", "RSA-2048", "RSA-4096"};

	(void)state;
	for (size_t c = 0; c < COUNT(cas); c++)
		for (size_t k = 0; k < COUNT(keys); k++) {
			struct cert_plan plan = plan_for(keys[k]);
			X509 *cert = read_by_openssl(issue(&plan, cas[c]));
			assert_int_equal(X509_verify(cert, maker_key(cas[c])), 1);
			assert_int_equal(X509_get_version(cert), X509_VERSION_3);
			assert_int_equal(
			    EVP_PKEY_eq(X509_get0_pubkey(cert), maker_key(keys[k])), 1);
			X509_free(cert);
		}
}

static void test_content(void **state)
{
	struct cert_plan plan = plan_for("P-256");
	struct span der = issue(&plan, "P-256#ca");
	X509 *cert = read_by_openssl(der);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const ASN1_OCTET_STRING *subject_id = X509_get0_subject_key_id(cert);
	const ASN1_OCTET_STRING *issuer_id = X509_get0_authority_key_id(cert);
	unsigned char digest[32];
	struct cert_parts parts;

	(void)state;
	assert_bytes(((struct span){plan.serial, CERT_SERIAL_SIZE}),
	    ((struct span){ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)}));
	/* RFC 7093 2 (1): the leftmost 160 bits of SHA-256 over the BIT STRING's value. */
	key_sha256((struct span){plan.spki.data + plan.spki.len - 65, 65}, digest);
	assert_bytes(((struct span){digest, 20}), ((struct span){ASN1_STRING_get0_data(subject_id),
						      (size_t)ASN1_STRING_length(subject_id)}));
	assert_bytes(((struct span){key_id, sizeof(key_id)}),
	    ((struct span){
		ASN1_STRING_get0_data(issuer_id), (size_t)ASN1_STRING_length(issuer_id)}));
	assert_int_equal(X509_get_ext_count(cert), 4);
	for (int i = 0; i < 4; i++) {
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(cert, i)));
		assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(cert, i)),
		    nid == NID_basic_constraints);
		assert_int_equal(X509_get_ext_by_NID(cert, nid, i), -1); /* none twice */
	}
	assert_outcome(EST_OK, cert_parse(der, &parts));
	assert_bytes(((struct span){plan.serial, CERT_SERIAL_SIZE}), parts.serial);
	assert_bytes(plan.issuer, parts.issuer);
	assert_bytes(plan.subject, parts.subject);
	assert_bytes(plan.spki, parts.spki);
	assert_bytes(maker_der("30{82{'pump.example'}}"), parts.sans);
	X509_free(cert);
}

/* RFC 5280 4.1.2.5, on both sides of 2050. */
static void test_validity(void **state)
{
	static const int64_t times[] = {0, MAKER_NOW, 2524607999, 2524608000, 4102444800};

	(void)state;
	for (size_t i = 0; i + 1 < COUNT(times); i++) {
		struct cert_plan plan = plan_for("P-256");
		X509 *cert;
		time_t from = (time_t)times[i], until = (time_t)times[i + 1];
		plan.not_before = times[i];
		plan.not_after = times[i + 1];
		cert = read_by_openssl(issue(&plan, "P-256#ca"));
		assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert), from), 0);
		assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), until), 0);
		assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(cert)),
		    times[i] < 2524608000 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
		assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(cert)),
		    times[i + 1] < 2524608000 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
		X509_free(cert);
	}
}

/* An empty subject, and parts so long that every length around them takes another octet. */
static void test_sizes(void **state)
{
	static const size_t sizes[] = {0, 1, 60, 127, 128, 250, 255, 256, 65000, 65535, 70000};
	static unsigned char filler[70000];

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct cert_plan plan = plan_for("Ed25519");
		X509 *cert;
		plan.subject = maker_der("30{}");
		plan.extensions = maker_der("30{06{2a0304}04{$}}", (struct span){filler, sizes[i]});
		cert = read_by_openssl(issue(&plan, "Ed25519#ca"));
		assert_int_equal(X509_verify(cert, maker_key("Ed25519#ca")), 1);
		X509_free(cert);
	}
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, CERT_SERIAL_SIZE);
}

/* S-11: positive, at most 20 octets, unpredictable in at least 64 bits, and no two alike. */
static void test_serials(void **state)
{
	enum { MANY = 10000 };
	unsigned char(*serials)[CERT_SERIAL_SIZE] = mem_alloc(MANY * sizeof(*serials));
	unsigned ones[8 * CERT_SERIAL_SIZE] = {0}, firsts[256] = {0}, first_values = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		assert_outcome(EST_OK, cert_serial(serials[i]));
		assert_true(serials[i][0] >= 0x01 && serials[i][0] <= 0x7f);
		firsts[serials[i][0]]++;
		for (size_t bit = 0; bit < COUNT(ones); bit++)
			ones[bit] += (unsigned)serials[i][bit / 8] >> (7 - bit % 8) & 1U;
	}
	/* Of 10000 fair coins, fewer than 4500 or more than 5500 heads come once in 10^23 times. */
	for (size_t bit = 8; bit < COUNT(ones); bit++)
		assert_in_range(ones[bit], 4500, 5500);
	for (size_t value = 0; value < 256; value++)
		first_values += firsts[value] > 0;
	assert_int_equal(first_values, 127);
	qsort(serials, MANY, sizeof(*serials), compare);
	for (size_t i = 1; i < MANY; i++)
		assert_memory_not_equal(serials[i - 1], serials[i], CERT_SERIAL_SIZE);
	free(serials);
}

/* What OpenSSL makes is taken apart as it stands; what is cut is not. */
static void test_parse(void **state)
{
	static const char *const extensions[] = {"basicConstraints", "critical,CA:FALSE",
	    "subjectAltName", "critical,DNS:a.example,IP:192.0.2.1", "keyUsage",
	    "critical,digitalSignature", NULL};
	X509 *cert = maker_cert(
	    &(struct maker_cert){.subject = "CN=pump", .key = "P-256", .extensions = extensions});
	X509 *plain = maker_cert(&(struct maker_cert){.subject = "CN=plain", .key = "P-256"});
	struct span der = maker_cert_der(cert);
	struct cert_parts parts;

	(void)state;
	assert_outcome(EST_OK, cert_parse(der, &parts));
	assert_bytes(maker_name("CN=pump"), parts.subject);
	assert_bytes(maker_name("CN=pump"), parts.issuer);
	assert_bytes(maker_spki("P-256"), parts.spki);
	assert_bytes(maker_der("30{82{'a.example'}87{c0000201}}"), parts.sans);
	for (size_t cut = 0; cut < der.len; cut++)
		assert_outcome(
		    EST_MALFORMED, cert_parse(maker_copy((struct span){der.data, cut}), &parts));
	assert_outcome(EST_MALFORMED, cert_parse(maker_der("$00", der), &parts));
	assert_outcome(EST_OK, cert_parse(maker_cert_der(plain), &parts));
	assert_int_equal(parts.sans.len, 0);
	assert_bytes(maker_name("CN=plain"), parts.subject);
}

/* Each octet bent: whatever is made of it, the spans stay inside. */
static void test_parse_bent(void **state)
{
	static const char *const extensions[] = {"subjectAltName", "DNS:a.example", NULL};
	X509 *cert = maker_cert(
	    &(struct maker_cert){.subject = "CN=pump", .key = "P-256", .extensions = extensions});
	struct span der = maker_cert_der(cert);
	unsigned char *bent = mem_alloc(der.len);

	(void)state;
	memcpy(bent, der.data, der.len);
	for (size_t i = 0; i < der.len; i++)
		for (unsigned flip = 1; flip < 256; flip += 2) {
			struct cert_parts parts = {0};
			bent[i] ^= (unsigned char)flip;
			if (cert_parse((struct span){bent, der.len}, &parts) == EST_OK) {
				const struct span spans[] = {parts.serial, parts.issuer,
				    parts.subject, parts.spki, parts.sans};
				for (size_t s = 0; s < COUNT(spans); s++)
					assert_true(
					    spans[s].len == 0 ||
					    (spans[s].data >= bent &&
						spans[s].data + spans[s].len <= bent + der.len));
			}
			reason_clear();
			bent[i] ^= (unsigned char)flip;
		}
	free(bent);
}

/* A Certificate has three parts (RFC 5280 4.1): the first alone is none. */
static void test_parse_parts(void **state)
{
	struct cert_plan plan = plan_for("P-256");
	struct buf tbs = {0};
	struct cert_parts parts;
	struct span info;

	(void)state;
	cert_encode_tbs(&plan, maker_der("30{06{2a8648ce3d040302}}"), &tbs);
	info = maker_keep(&tbs);
	assert_outcome(EST_MALFORMED, cert_parse(maker_der("30{}"), &parts));
	assert_outcome(EST_MALFORMED, cert_parse(info, &parts));
	assert_outcome(EST_MALFORMED, cert_parse(maker_der("30{30{}30{}03{00}}"), &parts));
	assert_outcome(EST_MALFORMED, cert_parse(maker_der("30{$}", info), &parts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_key),
	    TEST(test_content),
	    TEST(test_validity),
	    TEST(test_sizes),
	    TEST(test_serials),
	    TEST(test_parse),
	    TEST(test_parse_bent),
	    TEST(test_parse_parts),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
