/*
 * Attributes of a request that mean something here: read, and kept as they came; and requests whose
 * key is nobody's, or that are no PKCS#10.
 */
#include "maker.h"
#include "refusal_test.h"

#include "csr_test.h"

#include <string.h>

#define OTP        "06{2a864886f70d0109100238}"
#define REVOCATION "06{2a864886f70d0109100239}"
#define LINKING    "06{2a864886f70d010910023a}"

static void parse(const char *attributes, struct csr *csr)
{
	assert_outcome(EST_OK, csr_parse(with_attributes(attributes), CSR_KEY_PROVEN, csr));
	assert_outcome(EST_OK, csr_verify(csr, false));
}

static void assert_challenge(const struct csr *csr, enum csr_challenge which, const char *wanted)
{
	struct buf text = {0};

	csr_challenge_text(csr, which, &text);
	assert_string_equal(buf_string(&text), wanted);
	buf_free(&text);
}

/* P-07, P-10: every string type, and white space at the end, which is not the challenge's. */
static void test_challenges(void **state)
{
	static const struct {
		const char *value, *wanted;
	} values[] = {{"13{'+rrCir/7+EYu50T4'}", "+rrCir/7+EYu50T4"},
	    {"0c{'d'c3a9'v'}", "d\xc3\xa9v"}, {"16{'a@b'}", "a@b"}, {"14{'d'e9'v'}", "d\xc3\xa9v"},
	    {"1e{0061006200e9}", "ab\xc3\xa9"}, {"1c{00000061}", "a"}, {"13{'abc'0a}", "abc"},
	    {"0c{'abc'0d0a' '0d0a'  '}", "abc"}, {"16{'abc'09}", "abc"},
	    {"1e{0061000d000a0020}", "a"}, {"1e{0061010a}", "a\xc4\x8a"},
	    {"1c{000000610000000a}", "a"}, {"0c{'  a b '}", "  a b"}};
	static const struct {
		const char *oid;
		enum csr_challenge which;
	} kinds[] = {{CHALLENGE, CSR_CHALLENGE_PASSWORD}, {OTP, CSR_CHALLENGE_OTP},
	    {REVOCATION, CSR_CHALLENGE_REVOCATION}, {LINKING, CSR_CHALLENGE_LINKING}};

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++)
		for (size_t i = 0; i < COUNT(values); i++) {
			struct buf attributes = {0};
			struct csr csr;
			buf_printf(&attributes, "a0{30{%s31{%s}}}", kinds[k].oid, values[i].value);
			parse(buf_string(&attributes), &csr);
			for (unsigned which = 0; which < CSR_CHALLENGES; which++)
				assert_challenge(&csr, (enum csr_challenge)which,
				    which == kinds[k].which ? values[i].wanted : "");
			assert_bytes(maker_der(values[i].value), csr.challenge[kinds[k].which]);
			csr_clear(&csr);
			buf_free(&attributes);
		}
}

/* RFC 2985 5.4.1: 255 characters, however many octets they have, and whatever ends the line. */
static void test_challenge_length(void **state)
{
	char text[256];
	struct buf long_text = {0}, wide = {0};
	struct csr csr;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < 255; i++)
		buf_add_string(&long_text, "\xc3\xa9");
	assert_outcome(EST_OK,
	    examine(maker_request(&(struct maker_request){.key = "P-256",
		.digest = "SHA256",
		.attributes = maker_der("a0{30{" CHALLENGE "31{0c{$}}}}", buf_span(&long_text))})));
	buf_add_string(&wide, "x");
	buf_add_span(&wide, buf_span(&long_text));
	refuses(CSR_CHALLENGE,
	    maker_request(&(struct maker_request){.key = "P-256",
		.digest = "SHA256",
		.attributes = maker_der("a0{30{" CHALLENGE "31{0c{$}}}}", buf_span(&wide))}),
	    "256 characters");
	assert_outcome(
	    EST_OK, csr_parse(maker_request(&(struct maker_request){.key = "P-256",
				  .digest = "SHA256",
				  .attributes = maker_der("a0{30{" CHALLENGE "31{13{$0d0a}}}}",
				      (struct span){(unsigned char *)text, 255})}),
			CSR_KEY_PROVEN, &csr));
	csr_clear(&csr);
	buf_free(&wide);
	buf_free(&long_text);
	assert_no_faults();
}

/* est-vectors.md 4, octet by octet. */
static void test_vectors(void **state)
{
	static const char *const capabilities =
	    "30{06{60864801650304012d}}30{06{60864801650304012a}}30{06{60864801650304012e}}";
	struct csr csr;

	(void)state;
	parse("a0{3017060b2a864886f70d0109100225310804066b656b2d3031}", &csr);
	assert_bytes(BYTES("kek-01"), csr.decrypt_key);
	assert_int_equal(csr.asymmetric_key.len, 0);
	csr_clear(&csr);
	parse("a0{3025060b2a864886f70d0109100236311604140102030405060708090a0b0c0d0e0f1011121314}",
	    &csr);
	assert_bytes(maker_der("0102030405060708090a0b0c0d0e0f1011121314"), csr.asymmetric_key);
	assert_int_equal(csr.decrypt_key.len, 0);
	csr_clear(&csr);
	parse("a0{"
	      "303606092a864886f70d01090f31293027300b060960864801650304012d300b06096086480165030401"
	      "2a300b060960864801650304012e}",
	    &csr);
	assert_bytes(maker_der(capabilities), csr.smime_capabilities);
	csr_clear(&csr);
	parse("a0{30{06{2a864886f70d01090f}31{30{30{06{2a864886f70d0302}020200a0}}}}}", &csr);
	assert_bytes(maker_der("30{06{2a864886f70d0302}020200a0}"), csr.smime_capabilities);
	csr_clear(&csr);
	parse(
	    "a0{302306082b060105050707243117301530133111300f06035504030c086e65772d6e616d65}", &csr);
	assert_bytes(maker_der("30{30{31{30{06{550403}0c{'new-name'}}}}}"), csr.change);
	csr_clear(&csr);
}

/* RFC 7030 4.5.2: attributes, extensions and names, known or not. */
static void test_has(void **state)
{
	static const struct {
		const char *oid;
		bool has;
	} oids[] = {{"550403", true}, {"550405", false}, {"2b060101010116", true},
	    {"2a864886f70d01090e", true}, {"2a864886f70d010907", false}, {"551d11", true},
	    {"551d0f", false}, {"2a0304", true}, {"2a03", false}};
	struct csr csr;

	(void)state;
	parse("a0{30{06{2b060101010116}31{13{'00'}}}30{06{2a864886f70d01090e}31{30{"
	      "30{06{551d11}04{30{82{'a.example'}}}}30{06{2a0304}04{0500}}}}}}",
	    &csr);
	for (size_t i = 0; i < COUNT(oids); i++)
		if (csr_has(&csr, maker_der(oids[i].oid)) != oids[i].has)
			fail_msg("%s", oids[i].oid);
	assert_bytes(maker_der("30{06{551d11}04{30{82{'a.example'}}}}30{06{2a0304}04{0500}}"),
	    csr.wishes.extensions);
	csr_clear(&csr);
}

/* RFC 7030 4.4.1: any key that has the form of one, under any signature; all else as ever. */
static void test_any_key(void **state)
{
	static const struct {
		enum refusal wanted;
		const char *spki, *algorithm, *signature;
		const char *word; /* what key_parse() makes of it */
	} cases[] = {
	    {REFUSAL_NONE, "30{30{06{2a0304}}03{00}}", "30{06{2a0304}}", "03{00}", NULL},
	    {REFUSAL_NONE, "30{30{06{2a0304}0500}03{0000}}", "30{06{2a0304}}", "03{0000}", NULL},
	    {REFUSAL_NONE, "30{30{06{2b6570}}03{00$}}", "30{}", "03{00}", "Ed25519"},
	    {REFUSAL_NONE, "30{30{06{2b6570}}03{00}}", "30{}", "03{00}", NULL},
	    {CSR_SPKI, "30{30{}03{00}}", "30{}", "03{00}", NULL},
	    {CSR_SPKI, "30{03{00}}", "30{}", "03{00}", NULL},
	    {CSR_SPKI, "30{30{06{2a0304}}}", "30{}", "03{00}", NULL},
	    {CSR_SPKI, "30{30{06{2a0304}}03{00}0500}", "30{}", "03{00}", NULL},
	    {CSR_SPKI, "30{30{06{2a0304}}04{00}}", "30{}", "03{00}", NULL},
	    {CSR_DER, "30{30{06{2a8004}}03{00}}", "30{}", "03{00}", NULL},
	    {CSR_DER, "30{30{06{2a0304}}03{00}}", "30{}", "03{}", NULL},
	    {CSR_DER, "30{30{06{2a0304}}03{00}}", "30{}", "", NULL},
	    {CSR_DER, "30{30{06{2a0304}}03{00}}", "", "03{00}", NULL},
	};
	unsigned char point[32];

	(void)state;
	memset(point, 'x', sizeof(point));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span spki = maker_der(cases[i].spki, (struct span){point, sizeof(point)});
		struct span der = maker_der("30{30{020100$$a0{}}$$}", maker_name("CN=pump"), spki,
		    maker_der(cases[i].algorithm), maker_der(cases[i].signature));
		struct csr csr;
		enum outcome outcome = csr_parse(der, CSR_KEY_ANY, &csr);
		assert_true(refusal_is(cases[i].wanted, outcome, cases[i].spki));
		if (outcome != EST_OK)
			continue;
		assert_int_equal(csr.use, CSR_KEY_ANY);
		assert_bytes(spki, csr.spki);
		assert_bytes(spki, csr.key.spki);
		assert_int_equal(csr.key.kind != NULL, cases[i].word != NULL);
		if (cases[i].word != NULL)
			assert_string_equal(key_word(&csr.key), cases[i].word);
		csr_clear(&csr);
		assert_int_equal(csr_parse(der, CSR_KEY_PROVEN, &csr), EST_MALFORMED);
		reason_clear();
	}
	refuses(CSR_KEY_TYPE,
	    maker_der("30{30{020100$30{30{06{2a0304}}03{00}}a0{}}30{06{2a0304}}03{0000}}",
		maker_name("CN=pump")),
	    "as an enrollment");
	assert_no_faults();
}

/* A CertTemplate's parts: the same checks, and the same wishes. */
static void test_assemble(void **state)
{
	static const struct {
		enum refusal wanted;
		const char *subject, *spki, *extensions;
	} wrong[] = {
	    {CSR_NAME_EMPTY, "30{}", NULL, ""},
	    {CSR_NAME_DER, "", NULL, ""},
	    {CSR_NAME_DER, "31{}", NULL, ""},
	    {CSR_NAME_FORM, "30{31{30{06{550403}0c{'a'}}}31{30{06{550403}0c{'b'}}}}", NULL, ""},
	    {CSR_NAME_EMPTY, "30{31{30{06{550403}0c{' '}}}}", NULL, ""},
	    {CSR_DER, "30{31{30{06{558003}0c{'a'}}}}", NULL, ""},
	    {CSR_SPKI, NULL, "30{}", ""},
	    {CSR_SPKI, NULL, "", ""},
	    {CSR_KEY_TYPE, NULL, "30{30{06{2a0304}}03{00}}", ""},
	    {CSR_EXTENSION_DER, NULL, NULL, "30{}"},
	    {CSR_EXTENSION_DER, NULL, NULL, "0500"},
	    {CSR_EXTENSION_TWICE, NULL, NULL, "30{06{2a0304}04{0500}}30{06{2a0304}04{0500}}"},
	    {CSR_SAN_DER, NULL, NULL, "30{06{551d11}04{30{}}}"},
	    {CSR_DER, NULL, NULL, "30{06{2a8004}04{0500}}"},
	};
	struct csr csr;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_true(refusal_is(wrong[i].wanted,
		    csr_assemble(
			wrong[i].subject == NULL ? maker_name("CN=a") : maker_der(wrong[i].subject),
			wrong[i].spki == NULL ? maker_spki("P-256") : maker_der(wrong[i].spki),
			maker_der(wrong[i].extensions), &csr),
		    wrong[i].extensions));
	assert_outcome(EST_OK,
	    csr_assemble(maker_name("CN=pump,O=Acme"), maker_spki("P-384"),
		maker_der("30{06{551d11}04{30{82{'a.example'}}}}30{06{551d13}04{30{0101ff}}}"),
		&csr));
	assert_bytes(BYTES("pump"), name_first(&csr.name, "CN"));
	assert_string_equal(key_word(&csr.key), "P-384");
	assert_int_equal(csr.wishes.sans.count, 1);
	assert_true(csr.wishes.ca);
	assert_int_equal(csr.der.len + csr.tbs.len + csr.signature.len, 0);
	assert_bytes(maker_name("CN=pump,O=Acme"), csr.subject);
	assert_bytes(maker_spki("P-384"), csr.spki);
	assert_true(csr_has(&csr, maker_der("551d11")));
	assert_false(csr_has(&csr, maker_der("551d0f")));
	csr_clear(&csr);
	assert_outcome(EST_OK, csr_assemble(maker_der("30{}"), maker_spki("Ed25519"),
				   maker_der("30{06{551d11}04{30{87{c0000201}}}}"), &csr));
	csr_clear(&csr);
}

/* Both rows of SHA-1, which are taken where somebody asked for it only, and prove as much. */
static void test_sha1(void **state)
{
	static const struct {
		const char *key, *algorithm;
	} cases[] = {
	    {"P-256", "30{06{2a8648ce3d0401}}"}, {"RSA-2048", "30{06{2a864886f70d010105}0500}"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span der = maker_request(&(struct maker_request){.key = cases[i].key,
		    .digest = "SHA1",
		    .algorithm = maker_der(cases[i].algorithm),
		    .attributes = maker_der("a0{}")});
		unsigned char *bent = mem_alloc(der.len);
		struct csr csr;
		assert_outcome(EST_OK, csr_parse(der, CSR_KEY_PROVEN, &csr));
		assert_refusal(CSR_SIGALG, csr_verify(&csr, false));
		assert_outcome(EST_OK, csr_verify(&csr, true));
		csr_clear(&csr);
		memcpy(bent, der.data, der.len);
		bent[der.len - 1] ^= 1;
		assert_outcome(
		    EST_OK, csr_parse((struct span){bent, der.len}, CSR_KEY_PROVEN, &csr));
		assert_refusal(CSR_SIGNATURE, csr_verify(&csr, true));
		csr_clear(&csr);
		free(bent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_challenges),
	    TEST(test_challenge_length),
	    TEST(test_vectors),
	    TEST(test_has),
	    TEST(test_any_key),
	    TEST(test_assemble),
	    TEST(test_sha1),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
