/*
 * Extensions of a profile: those that are in every certificate, octet for octet and as OpenSSL
 * reads them; profiles of CAs; what est.conf may not say of either.
 */
#include "profile_test.h"
#include "refusal_test.h"

#include <openssl/x509v3.h>

#define END_ENTITY      "30{06{551d13}0101ff04{30{}}}"
#define KEY_USAGE(bits) "30{06{551d0f}0101ff04{03{" bits "}}}"
#define SIGNING         KEY_USAGE("0780")
#define CLIENT          "30{06{551d25}04{30{06{2b06010505070302}}}}"
#define PLAIN           END_ENTITY SIGNING CLIENT

/* The outcome of a request; where it is granted, the extensions are the wanted ones. */
static enum outcome check_request(const char *keys, struct span der, const char *wanted)
{
	struct test_profile made;
	struct csr csr;
	struct buf out = {0};
	enum outcome outcome;

	test_profile_make(keys, &made);
	assert_outcome(EST_OK, csr_parse(der, CSR_KEY_PROVEN, &csr));
	outcome = profile_check(made.profile, &csr, true);
	if (outcome == EST_OK && wanted != NULL) {
		profile_extensions(made.profile, &csr, &csr.wishes.sans, false, &out);
		assert_bytes(maker_der(wanted), buf_span(&out));
	}
	buf_free(&out);
	csr_clear(&csr);
	test_profile_clear(&made);
	return outcome;
}

static enum outcome check(const char *keys, const char *const *extensions, const char *wanted)
{
	return check_request(keys, maker_csr("P-256", "CN=pump", extensions), wanted);
}

static void test_policies(void **state)
{
	(void)state;
	assert_outcome(
	    EST_OK, check("policies = [ \"1.3.6.1.4.1.7\", \"2.23.140.1.2.1\" ];", NULL,
			PLAIN "30{06{551d20}04{30{30{06{2b0601040107}}30{06{67810c010201}}}}}"));
}

static void test_urls(void **state)
{
	(void)state;
	assert_outcome(
	    EST_OK, check("crl_urls = [ \"http://a.example/crl\" ];", NULL,
			PLAIN "30{06{551d1f}04{30{30{a0{a0{86{'http://a.example/crl'}}}}}}}"));
	assert_outcome(EST_OK, check("crl_urls = [ \"http://a/1\", \"ldap://b/2\" ];", NULL,
				   PLAIN "30{06{551d1f}04{30{30{a0{a0{86{'http://a/1'}}}}"
					 "30{a0{a0{86{'ldap://b/2'}}}}}}}"));
	assert_outcome(EST_OK,
	    check("issuer_urls = [ \"http://a/ca\" ]; ocsp_urls = [ \"http://a/o\", "
		  "\"http://b/o\" ];",
		NULL,
		PLAIN "30{06{2b06010505070101}04{30{30{06{2b06010505073001}86{'http://a/o'}}"
		      "30{06{2b06010505073001}86{'http://b/o'}}"
		      "30{06{2b06010505073002}86{'http://a/ca'}}}}}"));
}

/* RFC 7633 4: Features ::= SEQUENCE OF INTEGER, status_request is 5. */
static void test_must_staple(void **state)
{
	(void)state;
	assert_outcome(EST_OK,
	    check("must_staple = true;", NULL, PLAIN "30{06{2b06010505070118}04{30{020105}}}"));
}

static void test_custom(void **state)
{
	(void)state;
	assert_outcome(
	    EST_OK, check("extensions = [ \"1.2.3.4 0c0141\", \"1.2.3.5 critical 0500\" ];", NULL,
			PLAIN "30{06{2a0304}04{0c{'A'}}}30{06{2a0305}0101ff04{0500}}"));
	assert_outcome(EST_OK, check("extensions = [ \"1.2.3.4  critical  30030101fF\" ];", NULL,
				   PLAIN "30{06{2a0304}0101ff04{30{0101ff}}}"));
}

/* All of them, as OpenSSL prints them. */
static void test_openssl(void **state)
{
	static const char *const wanted[] = {"Policy: 1.3.6.1.4.1.7", "URI:http://a.example/crl",
	    "OCSP - URI:http://o.example", "CA Issuers - URI:http://i.example/ca", "status_request",
	    "IP Address:192.0.2.1"};
	struct test_profile made;
	struct csr csr;
	struct buf out = {0};
	struct span der;
	const unsigned char *at;
	BIO *bio = BIO_new(BIO_s_mem());
	STACK_OF(X509_EXTENSION) *extensions;
	char *text;

	(void)state;
	test_profile_make("policies = [ \"1.3.6.1.4.1.7\" ]; crl_urls = [ \"http://a.example/crl\" "
			  "];\nocsp_urls = [ \"http://o.example\" ]; issuer_urls = [ "
			  "\"http://i.example/ca\" ]; must_staple = true;",
	    &made);
	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256", "CN=pump",
				  (const char *const[]){"subjectAltName", "IP:192.0.2.1", NULL}),
			CSR_KEY_PROVEN, &csr));
	profile_extensions(made.profile, &csr, &csr.wishes.sans, false, &out);
	der = maker_der("30{$}", buf_span(&out));
	buf_free(&out);
	at = der.data;
	extensions = d2i_X509_EXTENSIONS(NULL, &at, (long)der.len);
	assert_non_null(extensions);
	assert_int_equal(X509V3_extensions_print(bio, "", extensions, 0, 0), 1);
	BIO_write(bio, "", 1);
	BIO_get_mem_data(bio, &text);
	for (size_t i = 0; i < COUNT(wanted); i++)
		if (strstr(text, wanted[i]) == NULL)
			fail_msg("no \"%s\" in: %s", wanted[i], text);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	BIO_free(bio);
	csr_clear(&csr);
	test_profile_clear(&made);
}

/* --- profiles of CAs --- */

#define CA_KEYS                                                                                    \
	"ca = true; key_usage = [ \"keyCertSign\", \"cRLSign\", \"digitalSignature\" ];\n"         \
	"extended_key_usage = [ ];"

static const char *const asks_ca[] = {
    "basicConstraints", "critical,CA:TRUE", "keyUsage", "keyCertSign,cRLSign", NULL};
static const char *const asks_path[] = {"basicConstraints", "critical,CA:TRUE,pathlen:3", NULL};
static const char *const asks_none[] = {NULL};
static const char *const asks_signing[] = {"keyUsage", "digitalSignature", NULL};
static const char *const asks_more[] = {"keyUsage", "keyCertSign,keyEncipherment", NULL};
static const char *const asks_cert_sign[] = {"keyUsage", "digitalSignature,keyCertSign", NULL};

#define CA_0 "30{06{551d13}0101ff04{30{0101ff020100}}}"
#define CA_3 "30{06{551d13}0101ff04{30{0101ff020103}}}"
#define CA_N "30{06{551d13}0101ff04{30{0101ff}}}"

static void test_ca(void **state)
{
	(void)state;
	assert_outcome(EST_OK, check(CA_KEYS, asks_none, CA_0 KEY_USAGE("0186")));
	assert_outcome(EST_OK, check(CA_KEYS, asks_ca, CA_0 KEY_USAGE("0106")));
	assert_outcome(EST_OK, check(CA_KEYS, asks_path, CA_0 KEY_USAGE("0186")));
	assert_outcome(
	    EST_OK, check(CA_KEYS "path_length = \"3\";", asks_none, CA_3 KEY_USAGE("0186")));
	assert_outcome(
	    EST_OK, check(CA_KEYS "path_length = \"none\";", asks_path, CA_N KEY_USAGE("0186")));
	assert_outcome(EST_OK, check(CA_KEYS, asks_more, CA_0 KEY_USAGE("0204")));
	assert_refusal(CSR_KEY_USAGE, check(CA_KEYS, asks_signing, NULL));
	/* serverAuth in a CA is about whom it may issue for: it needs no SubjectAltName */
	assert_outcome(EST_OK,
	    check("ca = true; key_usage = [ \"keyCertSign\" ];\n"
		  "extended_key_usage = [ \"serverAuth\" ];",
		asks_none, CA_0 KEY_USAGE("0204") "30{06{551d25}04{30{06{2b06010505070301}}}}"));
}

static void test_no_ca(void **state)
{
	(void)state;
	assert_refusal(CSR_CA, check("", asks_ca, NULL));
	assert_refusal(CSR_CA, check("", asks_path, NULL));
	assert_refusal(CSR_CA, check("", asks_cert_sign, NULL));
	/* cRLSign is not granted by this CA's profile */
	assert_refusal(CSR_CA, check("ca = true; key_usage = [ \"keyCertSign\" ];", asks_ca, NULL));
}

/* --- requests that ask for what is fixed --- */

/* A client that follows csrattrs asks for it, perhaps critical; with another value nobody may. */
static void test_asked(void **state)
{
	static const char keys[] =
	    "extensions = [ \"1.2.3.4 critical 0500\" ]; must_staple = true;",
			  fixed[] = PLAIN
			  "30{06{2b06010505070118}04{30{020105}}}30{06{2a0304}0101ff04{0500}}";
	static const struct {
		const char *keys, *asked;
		enum refusal refusal;
	} rows[] = {
	    {keys, "30{06{2a0304}0101ff04{0500}}", REFUSAL_NONE},
	    {keys, "30{06{2a0304}04{0500}}", REFUSAL_NONE},
	    {keys, "30{06{2b06010505070118}0101ff04{30{020105}}}", REFUSAL_NONE},
	    {keys, "30{06{2a0304}0101ff04{0101ff}}", CSR_EXTENSION},
	    {keys, "30{06{2a0304}0101ff04{0500}}30{06{2a0305}0101ff04{0500}}", CSR_EXTENSION},
	    {keys, "30{06{2a0305}0101ff04{0500}}30{06{2a0304}0101ff04{0500}}", CSR_EXTENSION},
	    {keys, "30{06{2a0304}0101ff04{0500}}30{06{551d13}04{30{0101ff}}}", CSR_CA},
	    {"", "30{06{2a0304}0101ff04{0500}}", CSR_EXTENSION},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span der = maker_request(&(struct maker_request){.key = "P-256",
		    .digest = "SHA256",
		    .attributes = maker_extensions(maker_der(rows[i].asked))});
		assert_true(refusal_is(
		    rows[i].refusal, check_request(rows[i].keys, der, fixed), rows[i].asked));
	}
}

/* --- without the request's key: the server makes one --- */

static void test_any_key(void **state)
{
	struct test_profile made;
	struct csr csr;

	(void)state;
	test_profile_make("keys = [ \"P-384\" ];", &made);
	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256", "CN=pump", NULL), CSR_KEY_PROVEN, &csr));
	assert_refusal(CSR_KEY_NOT_GRANTED, profile_check(made.profile, &csr, true));
	assert_outcome(EST_OK, profile_check(made.profile, &csr, false));
	csr.key = (struct key_info){.kind = NULL};
	assert_outcome(EST_OK, profile_check(made.profile, &csr, false));
	csr.wishes.has_key_usage = true;
	csr.wishes.key_usage = 1U << 2; /* keyEncipherment: the key may be RSA's */
	assert_outcome(EST_OK, profile_check(made.profile, &csr, false));
	csr.wishes.key_usage = 1U << 4;
	assert_refusal(CSR_KEY_USAGE, profile_check(made.profile, &csr, false));
	csr_clear(&csr);
	test_profile_clear(&made);
}

static void test_contradictions(void **state)
{
	static const char *const wrong[] = {
	    "policies = [ \"nonsense\" ];",
	    "policies = [ \"1.2.3\", \"1.2.3\" ];",
	    "policies = [ \"2.5.29.37.3\", \"codeSigning\", \"1.3.6.1.5.5.7.3.3\" ];",
	    "crl_urls = [ \"http:///crl\" ];",
	    "crl_urls = [ \"ldap:///cn=crl\" ];",
	    "ocsp_urls = [ \"http://\" ];",
	    "issuer_urls = [ \"http://:80/\" ];",
	    "extensions = [ \"1.2.3.4\" ];",
	    "extensions = [ \"1.2.3.4 \" ];",
	    "extensions = [ \"1.2.3.4 critical\" ];",
	    "extensions = [ \"1.2.3.4 critical \" ];",
	    "extensions = [ \"1.2.3.4 050\" ];",
	    "extensions = [ \"1.2.3.4 05 00\" ];",
	    "extensions = [ \"1.2.3.4 0x0500\" ];",
	    "extensions = [ \"1.2.3.4 0500 critical\" ];",
	    "extensions = [ \"1.2.3.4 05000500\" ];",
	    "extensions = [ \"1.2.3.4 0501\" ];",
	    "extensions = [ \"1.2.3.4 3080\" ];",
	    "extensions = [ \"1.2.3.4 30800000\" ];",
	    "extensions = [ \"1.2.3.4 010101\" ];",
	    "extensions = [ \"nonsense 0500\" ];",
	    "extensions = [ \" 0500\" ];",
	    "extensions = [ \"2.5.29.19 3000\" ];",
	    "extensions = [ \"basicConstraints 3000\" ];",
	    "extensions = [ \"2.5.29.15 03020780\" ];",
	    "extensions = [ \"2.5.29.37 3000\" ];",
	    "extensions = [ \"2.5.29.17 3000\" ];",
	    "extensions = [ \"2.5.29.14 0400\" ];",
	    "extensions = [ \"2.5.29.35 3000\" ];",
	    "extensions = [ \"2.5.29.32 3000\" ];",
	    "extensions = [ \"2.5.29.31 3000\" ];",
	    "extensions = [ \"1.3.6.1.5.5.7.1.1 3000\" ];",
	    "extensions = [ \"1.3.6.1.5.5.7.1.24 3000\" ];",
	    "extensions = [ \"1.2.3.4 0500\", \"1.2.3.4 critical 0500\" ];",
	    "path_length = \"1\";",
	    "ca = true;",
	    "ca = true; key_usage = [ \"cRLSign\" ];",
	    "ca = true; key_usage = [ \"keyCertSign\" ]; empty_subject = true;",
	    "key_usage = [ \"keyCertSign\" ];",
	    "key_usage = [ \"digitalSignature\", \"cRLSign\" ];",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct test_profile made;
		enum outcome outcome = test_profile_try(wrong[i], &made);
		if (outcome == EST_OK || strstr(reason_text(), "est.conf:3: ") == NULL)
			fail_msg("%s: \"%s\"", wrong[i], reason_text());
		assert_outcome(EST_MALFORMED, outcome);
		test_profile_clear(&made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_policies),
	    TEST(test_urls),
	    TEST(test_must_staple),
	    TEST(test_custom),
	    TEST(test_openssl),
	    TEST(test_ca),
	    TEST(test_no_ca),
	    TEST(test_asked),
	    TEST(test_any_key),
	    TEST(test_contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
