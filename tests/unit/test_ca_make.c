/*
 * The making of a CA: what comes out is what RFC 5280 and RFC 7030 3.6.1 ask for, with every kind
 * of key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/ca/ca_make.h"

#define NOW  INT64_C(1790000000) /* 2026-09-21 */
#define YEAR (INT64_C(365) * 86400)

static const char *const hosts[] = {"est.example", "localhost", "127.0.0.1", "::1", NULL};

struct made {
	struct ca_pair root, issuing, server;
};

static struct ca_wish wish_for(const char *key)
{
	return (struct ca_wish){"Pumps & S\xc3\xb6hne", key, hosts, NOW};
}

static void make_with(const struct ca_wish *wish, struct made *made)
{
	assert_int_equal(ca_make(CA_ROOT, wish, NULL, &made->root), EST_OK);
	assert_int_equal(ca_make(CA_ISSUING, wish, &made->root, &made->issuing), EST_OK);
	assert_int_equal(ca_make(CA_SERVER, wish, &made->issuing, &made->server), EST_OK);
}

static void clear(struct made *made)
{
	ca_pair_clear(&made->root);
	ca_pair_clear(&made->issuing);
	ca_pair_clear(&made->server);
}

/* What X509_verify_cert() says of the server's certificate at a time, strictly. */
static int verify(const struct made *made, int64_t at)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = sk_X509_new_null();
	int error;

	assert_true(X509_STORE_add_cert(store, made->root.certificate));
	assert_true(sk_X509_push(chain, made->issuing.certificate));
	assert_true(X509_STORE_CTX_init(context, store, made->server.certificate, chain));
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
	X509_STORE_CTX_set_time(context, 0, (time_t)at);
	X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
	(void)X509_verify_cert(context);
	error = X509_STORE_CTX_get_error(context);
	sk_X509_free(chain);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return error;
}

static int64_t time_of(const ASN1_TIME *text)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days, seconds;

	assert_true(ASN1_TIME_diff(&days, &seconds, epoch, text));
	ASN1_TIME_free(epoch);
	return days * INT64_C(86400) + seconds;
}

static void check_dates(X509 *certificate, int64_t years)
{
	int64_t from = time_of(X509_get0_notBefore(certificate));
	int64_t to = time_of(X509_get0_notAfter(certificate));

	assert_true(from < NOW && from >= NOW - 120);
	assert_int_equal(to - from + 1, years * YEAR); /* both ends count, RFC 5280 4.1.2.5 */
}

static void check_serial(X509 *certificate)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);

	assert_int_equal(serial->length, 18);
	assert_int_equal(serial->type, V_ASN1_INTEGER);
	assert_in_range(serial->data[0], 1, 0x7f);
}

static bool is_critical(X509 *certificate, int nid)
{
	int at = X509_get_ext_by_NID(certificate, nid, -1);

	assert_true(at >= 0);
	assert_int_equal(X509_get_ext_by_NID(certificate, nid, at), -1);
	return X509_EXTENSION_get_critical(X509_get_ext(certificate, at)) == 1;
}

static void check_ca(X509 *certificate, long path_length)
{
	assert_int_equal(X509_get_version(certificate), X509_VERSION_3);
	assert_int_equal(X509_check_ca(certificate), 1);
	assert_true(is_critical(certificate, NID_basic_constraints));
	assert_true(is_critical(certificate, NID_key_usage));
	assert_int_equal(X509_get_pathlen(certificate), path_length);
	assert_int_equal(X509_get_key_usage(certificate), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(ASN1_STRING_length(X509_get0_subject_key_id(certificate)), 20);
	check_serial(certificate);
}

static void check_server(X509 *certificate)
{
	uint32_t usage = X509_get_extended_key_usage(certificate);
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool registration = false;

	assert_int_equal(X509_check_ca(certificate), 0);
	assert_true(usage & XKU_SSL_SERVER);
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		char text[80];
		OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1);
		registration = registration || strcmp(text, "1.3.6.1.5.5.7.3.28") == 0;
	}
	assert_true(registration);
	EXTENDED_KEY_USAGE_free(usages);
	assert_int_equal(X509_check_host(certificate, "est.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(certificate, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(certificate, "::1", 0), 1);
	assert_int_equal(X509_check_host(certificate, "other.example", 0, 0, NULL), 0);
	check_serial(certificate);
}

static void test_profile(void **state)
{
	const char *const kinds[] = {
	    "P-256", "P-384", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519"};
	static const int bits[] = {256, 384, 2048, 3072, 4096, 256};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct ca_wish wish = wish_for(kinds[i]);
		struct made made = {0};
		make_with(&wish, &made);
		assert_int_equal(verify(&made, NOW), X509_V_OK);
		assert_int_equal(EVP_PKEY_get_bits(made.root.key), bits[i]);
		assert_int_equal(EVP_PKEY_get_bits(made.issuing.key), bits[i]);
		check_ca(made.root.certificate, -1);
		check_ca(made.issuing.certificate, 0);
		check_server(made.server.certificate);
		check_dates(made.root.certificate, 20);
		check_dates(made.issuing.certificate, 10);
		check_dates(made.server.certificate, 2);
		assert_int_equal(
		    X509_check_private_key(made.server.certificate, made.server.key), 1);
		clear(&made);
	}
}

/* An issuing CA that is made late ends with its root, and everything under it too. */
static void test_dates_stay_inside(void **state)
{
	struct ca_wish wish = wish_for("P-256");
	struct made made = {0};

	(void)state;
	assert_int_equal(ca_make(CA_ROOT, &wish, NULL, &made.root), EST_OK);
	wish.now = NOW + 19 * YEAR;
	assert_int_equal(ca_make(CA_ISSUING, &wish, &made.root, &made.issuing), EST_OK);
	assert_int_equal(ca_make(CA_SERVER, &wish, &made.issuing, &made.server), EST_OK);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(made.issuing.certificate),
			     X509_get0_notAfter(made.root.certificate)),
	    0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(made.server.certificate),
			     X509_get0_notAfter(made.root.certificate)),
	    0);
	assert_int_equal(verify(&made, wish.now), X509_V_OK);
	assert_int_equal(verify(&made, NOW + 20 * YEAR + 1), X509_V_ERR_CERT_HAS_EXPIRED);
	ca_pair_clear(&made.issuing);
	wish.now = NOW - YEAR;
	assert_int_equal(ca_make(CA_ISSUING, &wish, &made.root, &made.issuing), EST_OK);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notBefore(made.issuing.certificate),
			     X509_get0_notBefore(made.root.certificate)),
	    0);
	clear(&made);
}

static void test_bad_wishes(void **state)
{
	static const char *const bad_organizations[] = {"", "a\nb", "\xff", "\xe2\x80\xaex",
	    "123456789012345678901234567890123456789012345678901"};
	static const char *const bad_keys[] = {"", "P-521", "p-256", "RSA-1024", "P-256 "};
	static const char *const bad_hosts[] = {"", "a,DNS:evil.example", "a b", "-a", "a-.b",
	    "a..b", "a.", "1.2.3.4,5", "dirName:x", "a/b", "::g"};
	struct ca_pair pair = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad_organizations) / sizeof(bad_organizations[0]); i++) {
		struct ca_wish wish = wish_for("P-256");
		wish.organization = bad_organizations[i];
		assert_int_equal(ca_make(CA_ROOT, &wish, NULL, &pair), EST_MALFORMED);
	}
	for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
		struct ca_wish wish = wish_for(bad_keys[i]);
		assert_int_equal(ca_make(CA_ROOT, &wish, NULL, &pair), EST_MALFORMED);
	}
	for (size_t i = 0; i < sizeof(bad_hosts) / sizeof(bad_hosts[0]); i++) {
		const char *const list[] = {"good.example", bad_hosts[i], NULL};
		struct ca_wish wish = wish_for("P-256");
		wish.hosts = list;
		assert_int_equal(ca_make(CA_SERVER, &wish, NULL, &pair), EST_MALFORMED);
	}
	assert_null(pair.key);
	assert_null(pair.certificate);
	reason_clear();
}

/* A host name that is longer than a common name may be stands in the subjectAltName alone. */
static void test_long_host(void **state)
{
	static const char *const list[] = {
	    "a-rather-long-name-of-a-host.in-a-rather-long-domain.of-some-site.example", NULL};
	struct ca_wish wish = wish_for("P-256");
	struct made made = {0};

	(void)state;
	wish.hosts = list;
	make_with(&wish, &made);
	assert_int_equal(X509_NAME_get_index_by_NID(
			     X509_get_subject_name(made.server.certificate), NID_commonName, -1),
	    -1);
	assert_int_equal(X509_check_host(made.server.certificate, list[0], 0, 0, NULL), 1);
	clear(&made);
}

static EVP_PKEY *read_key(struct buf *pem, const char *passphrase)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	char word[20];
	EVP_PKEY *key;

	(void)strcpy(word, passphrase);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, word);
	BIO_free(bio);
	return key;
}

static void test_key_pem(void **state)
{
	struct ca_wish wish = wish_for("P-256");
	struct buf plain = {0}, sealed = {0};
	struct ca_pair root = {0};
	EVP_PKEY *key;

	(void)state;
	assert_int_equal(ca_make(CA_ROOT, &wish, NULL, &root), EST_OK);
	assert_int_equal(ca_key_pem(root.key, (struct span){0}, &plain), EST_OK);
	assert_int_equal(ca_key_pem(root.key, span_of("secret"), &sealed), EST_OK);
	assert_non_null(strstr(buf_string(&plain), "-----BEGIN PRIVATE KEY-----"));
	assert_non_null(strstr(buf_string(&sealed), "-----BEGIN ENCRYPTED PRIVATE KEY-----"));
	key = read_key(&plain, "");
	assert_int_equal(EVP_PKEY_eq(key, root.key), 1);
	EVP_PKEY_free(key);
	key = read_key(&sealed, "secret");
	assert_int_equal(EVP_PKEY_eq(key, root.key), 1);
	EVP_PKEY_free(key);
	assert_null(read_key(&sealed, "secreT"));
	buf_cleanse(&plain);
	buf_free(&sealed);
	ca_pair_clear(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_profile),
	    cmocka_unit_test(test_dates_stay_inside),
	    cmocka_unit_test(test_bad_wishes),
	    cmocka_unit_test(test_long_host),
	    cmocka_unit_test(test_key_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
