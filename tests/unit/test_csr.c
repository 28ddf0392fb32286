/*
 * Certification requests as OpenSSL makes them: taken, understood, and verified.
 */
#include "maker.h"
#include "refusal_test.h"

#include <string.h>

#include "common/pki/csr.h"

static void test_keys(void **state)
{
	static const char *const keys[] = {
	    "P-256", "P-384", "P-521", "Ed25519", "RSA-2048", "RSA-3072", "RSA-4096"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct span der = maker_csr(keys[i], "CN=pump", NULL);
		struct csr csr;
		assert_outcome(EST_OK, csr_parse(der, CSR_KEY_PROVEN, &csr));
		assert_outcome(EST_OK, csr_verify(&csr, false));
		assert_string_equal(key_word(&csr.key), keys[i]);
		assert_bytes(maker_spki(keys[i]), csr.spki);
		assert_bytes(maker_name("CN=pump"), csr.subject);
		assert_bytes(der, csr.der);
		for (unsigned which = 0; which < CSR_CHALLENGES; which++)
			assert_int_equal(csr.challenge[which].len, 0);
		assert_int_equal(csr.change.len + csr.decrypt_key.len + csr.asymmetric_key.len +
				     csr.smime_capabilities.len,
		    0);
		assert_int_equal(csr.wishes.sans.count + csr.wishes.sans.others, 0);
		assert_false(csr.wishes.has_key_usage || csr.wishes.has_extended_key_usage);
		assert_int_equal(csr.wishes.beyond, REFUSAL_NONE);
		assert_null(csr.wishes.beyond_what);
		csr_clear(&csr);
	}
}

static void test_names(void **state)
{
	static const char *const extensions[] = {"subjectAltName",
	    "DNS:a.example,IP:192.0.2.1,IP:2001:db8::1,email:pump@a.example,URI:urn:x:1,"
	    "otherName:1.2.3;UTF8:x,RID:1.2.3",
	    NULL};
	struct span der = maker_csr("P-256", "CN=pump 7,O=Acme", extensions);
	struct csr csr;
	struct buf text = {0};

	(void)state;
	assert_outcome(EST_OK, csr_parse(der, CSR_KEY_PROVEN, &csr));
	assert_outcome(EST_OK, csr_verify(&csr, false));
	sans_text(&csr.wishes.sans, &text);
	assert_string_equal(buf_string(&text),
	    "dns:a.example,ip:192.0.2.1,ip:2001:db8::1,email:pump@a.example,uri:urn:x:1");
	assert_int_equal(csr.wishes.sans.others, 2);
	assert_bytes(BYTES("pump 7"), name_first(&csr.name, "CN"));
	buf_free(&text);
	csr_clear(&csr);
}

/* The bits of KeyUsage, first to last, and the purposes as they came. */
static void test_usages(void **state)
{
	static const struct {
		const char *word;
		unsigned bits;
	} cases[] = {{"digitalSignature", 1}, {"critical,digitalSignature,keyEncipherment", 5},
	    {"keyAgreement,encipherOnly", 0x90}, {"decipherOnly", 0x100},
	    {"keyCertSign,cRLSign", 0x60},
	    {"digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyAgreement",
		0x1f}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *const extensions[] = {
		    "keyUsage", cases[i].word, "extendedKeyUsage", "clientAuth,serverAuth", NULL};
		struct csr csr;
		assert_outcome(EST_OK,
		    csr_parse(maker_csr("P-256", "CN=pump", extensions), CSR_KEY_PROVEN, &csr));
		assert_true(csr.wishes.has_key_usage);
		assert_int_equal(csr.wishes.key_usage, cases[i].bits);
		assert_true(csr.wishes.has_extended_key_usage);
		assert_bytes(maker_der("06{2b06010505070302}06{2b06010505070301}"),
		    csr.wishes.extended_key_usage);
		csr_clear(&csr);
	}
}

/*
 * D1, D4: what no profile grants is told apart; a CA's certificate is a wish that some profiles
 * grant, and CA:FALSE is no wish at all.
 */
static void test_beyond(void **state)
{
	static const struct {
		const char *name, *value;
		enum refusal beyond;
	} cases[] = {{"basicConstraints", "CA:FALSE", REFUSAL_NONE},
	    {"basicConstraints", "critical,CA:FALSE", REFUSAL_NONE},
	    {"basicConstraints", "CA:TRUE", REFUSAL_NONE},
	    {"basicConstraints", "critical,CA:TRUE,pathlen:0", REFUSAL_NONE},
	    {"basicConstraints", "CA:FALSE,pathlen:0", CSR_CA}, /* RFC 5280 4.2.1.9: neither */
	    {"nameConstraints", "permitted;DNS:example", CSR_EXTENSION},
	    {"subjectKeyIdentifier", "hash", REFUSAL_NONE},
	    {"certificatePolicies", "1.2.3", REFUSAL_NONE},
	    {"certificatePolicies", "critical,1.2.3", CSR_EXTENSION},
	    {"inhibitAnyPolicy", "critical,0", CSR_EXTENSION},
	    {"crlDistributionPoints", "URI:http://evil.example/", REFUSAL_NONE},
	    {"authorityInfoAccess", "caIssuers;URI:http://169.254.169.254/", REFUSAL_NONE}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *const extensions[] = {cases[i].name, cases[i].value, NULL};
		struct csr csr;
		assert_outcome(EST_OK,
		    csr_parse(maker_csr("P-256", "CN=pump", extensions), CSR_KEY_PROVEN, &csr));
		if (csr.wishes.beyond != cases[i].beyond)
			fail_msg("%s=%s", cases[i].name, cases[i].value);
		assert_int_equal(csr.wishes.ca, strstr(cases[i].value, "CA:TRUE") != NULL);
		assert_int_equal(csr.wishes.beyond_what != NULL, cases[i].beyond != REFUSAL_NONE);
		csr_clear(&csr);
	}
}

/*
 * D4: Microsoft's security identifier is an identity that nobody checked; S-1-5-21 in an otherName.
 */
static void test_security_identifier(void **state)
{
	struct span attributes = maker_extensions(
	    maker_der("30{06{2b06010401823719 02}04{30{a0{06{2b0601040182371902 01}"
		      "a0{04{'S-1-5-21-1-2-3-500'}}}}}}"));
	struct csr csr;

	(void)state;
	assert_outcome(
	    EST_OK, csr_parse(maker_request(&(struct maker_request){
				  .key = "P-256", .digest = "SHA256", .attributes = attributes}),
			CSR_KEY_PROVEN, &csr));
	assert_int_equal(csr.wishes.beyond, CSR_EXTENSION);
	csr_clear(&csr);
}

/* The signature of somebody else's key, and of another request. */
static void test_possession(void **state)
{
	struct span info =
	    maker_der("30{020100$$a0{}}", maker_name("CN=pump"), maker_spki("P-256"));
	struct span other =
	    maker_der("30{020100$$a0{}}", maker_name("CN=pomp"), maker_spki("P-256"));
	struct csr csr;

	(void)state;
	assert_outcome(EST_OK, csr_parse(maker_der("30{$30{06{2a8648ce3d040302}}03{00$}}", info,
					     maker_sign("P-256#other", "SHA256", info)),
				   CSR_KEY_PROVEN, &csr));
	assert_refusal(CSR_SIGNATURE, csr_verify(&csr, false));
	csr_clear(&csr);
	assert_outcome(EST_OK, csr_parse(maker_der("30{$30{06{2a8648ce3d040302}}03{00$}}", info,
					     maker_sign("P-256", "SHA256", other)),
				   CSR_KEY_PROVEN, &csr));
	assert_refusal(CSR_SIGNATURE, csr_verify(&csr, false));
	csr_clear(&csr);
	assert_outcome(EST_OK, csr_parse(maker_der("30{$30{06{2a8648ce3d040302}}03{00$}}", info,
					     maker_sign("P-256", "SHA256", info)),
				   CSR_KEY_PROVEN, &csr));
	assert_outcome(EST_OK, csr_verify(&csr, false));
	csr_clear(&csr);
}

static void device_name(const struct maker_request *request, const char *wanted)
{
	struct csr csr;
	struct buf text = {0};

	assert_outcome(EST_OK, csr_parse(maker_request(request), CSR_KEY_PROVEN, &csr));
	csr_device_name(&csr.name, &csr.wishes.sans, &text);
	assert_string_equal(buf_string(&text), wanted);
	buf_free(&text);
	csr_clear(&csr);
}

/* Its common name, else its first SAN, else its serialNumber. */
static void test_device_name(void **state)
{
	struct span san =
	    maker_extensions(maker_der("30{06{551d11}04{30{87{c0000201}82{'a.example'}}}}"));
	struct span serial = maker_name("O=Acme,serialNumber=12"), empty = maker_der("30{}");

	(void)state;
	device_name(
	    &(struct maker_request){.key = "P-256", .digest = "SHA256", .attributes = san}, "pump");
	device_name(
	    &(struct maker_request){
		.key = "P-256", .digest = "SHA256", .subject = serial, .attributes = san},
	    "192.0.2.1");
	device_name(
	    &(struct maker_request){
		.key = "P-256", .digest = "SHA256", .subject = empty, .attributes = san},
	    "192.0.2.1");
	device_name(&(struct maker_request){.key = "P-256",
			.digest = "SHA256",
			.subject = serial,
			.attributes = maker_der("a0{}")},
	    "12");
}

/* C10, C6: blanks and string types make no other device of it. */
static void test_device_name_folds(void **state)
{
	static const struct {
		const char *value, *wanted;
	} cases[] = {{"0c{'dev-001 '}", "dev-001"}, {"0c{'  dev   001  '}", "dev 001"},
	    {"13{'dev  001'}", "dev 001"}, {"1e{0064006500760020002000310020}", "dev 1"},
	    {"0c{'Dev 1'}", "Dev 1"}, {"0c{'d'c3a9'v'}", "d\xc3\xa9v"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf notation = {0};
		struct maker_request request = {
		    .key = "P-256", .digest = "SHA256", .attributes = maker_der("a0{}")};
		buf_printf(&notation, "30{31{30{06{550403}%s}}}", cases[i].value);
		request.subject = maker_der(buf_string(&notation));
		device_name(&request, cases[i].wanted);
		buf_reset(&notation);
		buf_printf(
		    &notation, "30{31{30{06{55040a}0c{'x'}}}31{30{06{550405}13{'  1   2 '}}}}");
		request.subject = maker_der(buf_string(&notation));
		device_name(&request, "1 2");
		buf_free(&notation);
	}
}

/*
 * RFC 7030 A.3 and A.4: read to the end; their SHA-1 is no proof where nobody asked for it (S-12).
 */
static void test_rfc_vectors(void **state)
{
	static const struct {
		const char *file, *common_name, *serial, *challenge;
	} vectors[] = {{"vectors/a3-csr.der", "demostep4 1368141352", "", "+rrCir/7+EYu50T4"},
	    {"vectors/a4-csr.der", "serverKeyGen req by client in demo step 12 1368141955",
		"PID:Widget SN:10", "dFsAXmJnjokBtDvr"}};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct span der = maker_corpus(vectors[i].file);
		struct buf text = {0};
		struct csr csr;
		assert_outcome(EST_OK, csr_parse(der, CSR_KEY_PROVEN, &csr));
		assert_bytes(span_of(vectors[i].common_name), name_first(&csr.name, "CN"));
		assert_bytes(span_of(vectors[i].serial), name_first(&csr.name, "serialNumber"));
		assert_string_equal(key_word(&csr.key), "RSA-2048");
		csr_challenge_text(&csr, CSR_CHALLENGE_PASSWORD, &text);
		assert_string_equal(buf_string(&text), vectors[i].challenge);
		buf_free(&text);
		assert_refusal(CSR_SIGALG, csr_verify(&csr, false));
		assert_outcome(EST_OK, csr_verify(&csr, true));
		csr_clear(&csr);
	}
}

/* S-08: Microsoft's OID asks for extensions as RFC 2985's does. */
static void test_microsoft(void **state)
{
	struct span attributes = maker_der(
	    "a0{30{06{2b0601040182370d0203}31{16{'10.0'}}}"
	    "30{06{2b0601040182371514}31{30{0201050c{'X'}0c{'Y'}0c{'Z'}}}}"
	    "30{06{2b0601040182370201 0e}31{30{30{06{551d11}04{30{82{'a.example'}}}}}}}}");
	struct csr csr;

	(void)state;
	assert_outcome(
	    EST_OK, csr_parse(maker_request(&(struct maker_request){
				  .key = "P-256", .digest = "SHA256", .attributes = attributes}),
			CSR_KEY_PROVEN, &csr));
	assert_outcome(EST_OK, csr_verify(&csr, false));
	assert_int_equal(csr.wishes.sans.count, 1);
	csr_clear(&csr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_keys),
	    TEST(test_names),
	    TEST(test_usages),
	    TEST(test_beyond),
	    TEST(test_security_identifier),
	    TEST(test_possession),
	    TEST(test_device_name),
	    TEST(test_device_name_folds),
	    TEST(test_rfc_vectors),
	    TEST(test_microsoft),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
