/*
 * Profiles: what they grant, what they refuse, and the extensions that come of it, octet for octet.
 */
#include "maker.h"
#include "refusal_test.h"

#include <string.h>

#include "common/pki/profile.h"

#define WORDS(...)                                                                                 \
	{                                                                                          \
		(char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), 7       \
	}
#define NO_WORDS                                                                                   \
	{                                                                                          \
		NULL, 0, 7                                                                         \
	}
#define ALL_KEYS WORDS("P-256", "P-384", "P-521", "Ed25519", "RSA-2048", "RSA-3072", "RSA-4096")

#define BASIC_CONSTRAINTS "30{06{551d13}0101ff04{30{}}}"
#define KEY_USAGE(bits)   "30{06{551d0f}0101ff04{03{" bits "}}}"
#define CLIENT_AUTH       "06{2b06010505070302}"
#define SERVER_AUTH       "06{2b06010505070301}"
#define EMAIL_PROTECTION  "06{2b06010505070304}"
#define PURPOSES(oids)    "30{06{551d25}04{30{" oids "}}}"

static struct config_profile device = {.name = (char[]){"device"},
    .keys = ALL_KEYS,
    .key_usage = WORDS("digitalSignature", "keyEncipherment"),
    .extended_key_usage = WORDS("clientAuth"),
    .subject = WORDS("CN", "O", "serialNumber"),
    .subject_alt_names = WORDS("dns", "ip")};

/* The outcome of a request under the profile; where it is granted, the extensions are the wanted
 * ones. */
static enum outcome check(const struct config_profile *config, struct span der, const char *wanted)
{
	struct profile *profile = NULL;
	struct csr csr;
	struct buf out = {0};
	enum outcome outcome;

	assert_outcome(EST_OK, profile_make("est.conf", config, &profile));
	assert_outcome(EST_OK, csr_parse(der, CSR_KEY_PROVEN, &csr));
	outcome = profile_check(profile, &csr, true);
	if (outcome == EST_OK && wanted != NULL) {
		profile_extensions(profile, &csr, &csr.wishes.sans, csr.name.count == 0, &out);
		assert_bytes(maker_der(wanted), buf_span(&out));
	}
	buf_free(&out);
	csr_clear(&csr);
	profile_free(profile);
	return outcome;
}

static struct span wishing(const char *key, const char *name, const char *value)
{
	const char *const extensions[] = {name, value, NULL};

	return maker_csr(key, "CN=pump", extensions);
}

/* RFC 8813 3 and RFC 8410 5: no encipherment with a key that cannot. */
static void test_plain(void **state)
{
	(void)state;
	assert_outcome(EST_OK, check(&device, maker_csr("RSA-2048", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("05a0") PURPOSES(CLIENT_AUTH)));
	assert_outcome(EST_OK, check(&device, maker_csr("P-256", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
	assert_outcome(EST_OK, check(&device, maker_csr("Ed25519", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
}

/* S-09: of what is asked for, what is granted, and never anything instead of it. */
static void test_key_usage(void **state)
{
	(void)state;
	assert_outcome(EST_OK, check(&device, wishing("RSA-2048", "keyUsage", "keyEncipherment"),
				   BASIC_CONSTRAINTS KEY_USAGE("0520") PURPOSES(CLIENT_AUTH)));
	assert_outcome(
	    EST_OK, check(&device, wishing("RSA-2048", "keyUsage", "critical,digitalSignature"),
			BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
	assert_refusal(
	    CSR_KEY_USAGE, check(&device, wishing("P-256", "keyUsage", "keyAgreement"), NULL));
	assert_refusal(
	    CSR_KEY_USAGE, check(&device, wishing("P-256", "keyUsage", "keyEncipherment"), NULL));
	assert_refusal(CSR_CA,
	    check(&device, wishing("P-256", "keyUsage", "digitalSignature,keyCertSign"), NULL));
	assert_refusal(
	    CSR_CA, check(&device, wishing("P-256", "keyUsage", "digitalSignature,cRLSign"), NULL));
	assert_refusal(CSR_CA, check(&device, wishing("P-256", "keyUsage", "keyCertSign"), NULL));
}

/* Every bit that a profile may name, with a key that suits it: X.690 11.2.2 has no trailing zero
 * bits. */
static void test_key_usage_octets(void **state)
{
	static const struct {
		const char *word, *key, *bits;
	} cases[] = {{"digitalSignature", "P-256", "0780"}, {"nonRepudiation", "P-256", "0640"},
	    {"keyEncipherment", "RSA-2048", "0520"}, {"dataEncipherment", "RSA-2048", "0410"},
	    {"keyAgreement", "P-256", "0308"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_profile config = device;
		char word[32], wanted[200];
		char *words[] = {word};
		(void)snprintf(word, sizeof(word), "%s", cases[i].word);
		(void)snprintf(wanted, sizeof(wanted),
		    BASIC_CONSTRAINTS KEY_USAGE("%s") PURPOSES(CLIENT_AUTH), cases[i].bits);
		config.key_usage = (struct words){words, 1, 7};
		assert_outcome(
		    EST_OK, check(&config, maker_csr(cases[i].key, "CN=pump", NULL), wanted));
	}
}

/* RFC 9295 3: an Ed25519 key signs, and agrees on nothing; RFC 4055 1.2: RSA neither. */
static void test_key_agreement(void **state)
{
	struct config_profile config = device;

	(void)state;
	config.key_usage = (struct words)WORDS("digitalSignature", "keyAgreement");
	assert_outcome(EST_OK, check(&config, maker_csr("P-256", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("0388") PURPOSES(CLIENT_AUTH)));
	assert_outcome(EST_OK, check(&config, maker_csr("RSA-2048", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
	assert_outcome(EST_OK, check(&config, maker_csr("Ed25519", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
}

/* RFC 5280 4.2.1.3: encipherOnly and decipherOnly have no meaning where keyAgreement is not set. */
static void test_only_with_agreement(void **state)
{
	struct config_profile config = device;

	(void)state;
	config.key_usage = (struct words)WORDS("keyAgreement", "encipherOnly", "decipherOnly");
	assert_refusal(
	    CSR_KEY_USAGE, check(&config, wishing("P-256", "keyUsage", "encipherOnly"), NULL));
	assert_refusal(
	    CSR_KEY_USAGE, check(&config, wishing("P-256", "keyUsage", "decipherOnly"), NULL));
	assert_refusal(CSR_KEY_USAGE,
	    check(&config, wishing("RSA-2048", "keyUsage", "keyAgreement,encipherOnly"), NULL));
	assert_outcome(
	    EST_OK, check(&config, wishing("P-256", "keyUsage", "keyAgreement,encipherOnly"),
			BASIC_CONSTRAINTS KEY_USAGE("0009") PURPOSES(CLIENT_AUTH)));
	assert_outcome(
	    EST_OK, check(&config, wishing("P-256", "keyUsage", "keyAgreement,decipherOnly"),
			BASIC_CONSTRAINTS KEY_USAGE("070880") PURPOSES(CLIENT_AUTH)));
	config.key_usage = (struct words)WORDS("digitalSignature", "keyAgreement", "encipherOnly");
	assert_outcome(
	    EST_OK, check(&config, wishing("P-256", "keyUsage", "digitalSignature,encipherOnly"),
			BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
	assert_outcome(EST_OK, check(&config, maker_csr("P-384", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("0089") PURPOSES(CLIENT_AUTH)));
	assert_outcome(EST_OK, check(&config, maker_csr("Ed25519", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
}

/* D2 */
static void test_purposes(void **state)
{
	struct config_profile config = device, none = device;

	(void)state;
	config.extended_key_usage = (struct words)WORDS("clientAuth", "emailProtection", "1.2.3.4");
	none.extended_key_usage = (struct words)NO_WORDS;
	assert_outcome(EST_OK, check(&config, maker_csr("P-256", "CN=pump", NULL),
				   BASIC_CONSTRAINTS KEY_USAGE("0780")
				       PURPOSES(CLIENT_AUTH EMAIL_PROTECTION "06{2a0304}")));
	assert_outcome(
	    EST_OK, check(&config, wishing("P-256", "extendedKeyUsage", "emailProtection"),
			BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(EMAIL_PROTECTION)));
	assert_outcome(EST_OK,
	    check(&none, maker_csr("P-256", "CN=pump", NULL), BASIC_CONSTRAINTS KEY_USAGE("0780")));
	assert_refusal(CSR_EXTENDED_KEY_USAGE,
	    check(&none, wishing("P-256", "extendedKeyUsage", "clientAuth"), NULL));
	assert_refusal(CSR_EXTENDED_KEY_USAGE,
	    check(&device, wishing("P-256", "extendedKeyUsage", "anyExtendedKeyUsage"), NULL));
	assert_refusal(CSR_EXTENDED_KEY_USAGE,
	    check(&device, wishing("P-256", "extendedKeyUsage", "OCSPSigning"), NULL));
	assert_refusal(CSR_EXTENDED_KEY_USAGE,
	    check(&device, wishing("P-256", "extendedKeyUsage", "1.3.6.1.5.5.7.3.28"), NULL));
	assert_refusal(CSR_EXTENDED_KEY_USAGE,
	    check(&device, wishing("P-256", "extendedKeyUsage", "clientAuth,codeSigning"), NULL));
}

/* A purpose that is asked for a hundred times is issued once, or not at all. */
static void test_purposes_repeated(void **state)
{
	struct buf text = {0};
	struct span der;
	struct profile *profile = NULL;
	struct csr csr;

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_add_string(&text, CLIENT_AUTH);
	der = maker_request(&(struct maker_request){.key = "P-256",
	    .digest = "SHA256",
	    .attributes = maker_extensions(
		maker_der("30{06{551d25}04{30{$}}}", maker_der(buf_string(&text))))});
	buf_free(&text);
	assert_outcome(EST_OK, profile_make("est.conf", &device, &profile));
	if (csr_parse(der, CSR_KEY_PROVEN, &csr) == EST_OK &&
	    profile_check(profile, &csr, true) == EST_OK) {
		profile_extensions(profile, &csr, &csr.wishes.sans, false, &text);
		assert_bytes(maker_der(BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)),
		    buf_span(&text));
	}
	buf_free(&text);
	csr_clear(&csr);
	profile_free(profile);
}

static void test_sans(void **state)
{
	static const char *const refused[] = {"email:a@b.example", "URI:urn:x",
	    "otherName:1.2.3;UTF8:x", "RID:1.2.3", "DNS:a.example,URI:urn:x"};
	struct config_profile none = device, unsubjected = device;
	struct span unnamed = maker_request(&(struct maker_request){.key = "P-256",
	    .digest = "SHA256",
	    .subject = maker_der("30{}"),
	    .attributes = maker_extensions(maker_der("30{06{551d11}04{30{82{'a.example'}}}}"))});

	(void)state;
	none.subject_alt_names = (struct words)NO_WORDS;
	assert_outcome(EST_OK,
	    check(&device,
		wishing("P-256", "subjectAltName", "critical,DNS:a.example,IP:192.0.2.1"),
		BASIC_CONSTRAINTS KEY_USAGE("0780")
		    PURPOSES(CLIENT_AUTH) "30{06{551d11}04{30{82{'a.example'}87{c0000201}}}}"));
	/* RFC 5280 4.2.1.6: critical where there is no subject, and only there. C9: only where the
	 * profile says so. */
	assert_refusal(CSR_NAME_EMPTY, check(&device, unnamed, NULL));
	unsubjected.empty_subject = true;
	assert_outcome(EST_OK, check(&unsubjected, unnamed,
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(
				       CLIENT_AUTH) "30{06{551d11}0101ff04{30{82{'a.example'}}}}"));
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_refusal(CSR_SAN_TYPE,
		    check(&device, wishing("P-256", "subjectAltName", refused[i]), NULL));
	assert_refusal(
	    CSR_SAN_TYPE, check(&none, wishing("P-256", "subjectAltName", "DNS:a.example"), NULL));
}

static void test_subjects(void **state)
{
	static const char *const refused[] = {
	    "OU=x,CN=pump", "CN=pump,emailAddress=a@b.example", "CN=pump,UID=root"};
	struct span unknown = maker_request(&(struct maker_request){.key = "P-256",
	    .digest = "SHA256",
	    .subject = maker_der("30{31{30{06{550403}0c{'a'}}}31{30{06{2a0304}0c{'b'}}}}"),
	    .attributes = maker_der("a0{}")});

	(void)state;
	assert_outcome(EST_OK,
	    check(&device, maker_csr("P-256", "O=Acme,CN=pump,serialNumber=1", NULL), NULL));
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_refusal(
		    CSR_NAME_ATTRIBUTE, check(&device, maker_csr("P-256", refused[i], NULL), NULL));
	assert_refusal(CSR_NAME_ATTRIBUTE, check(&device, unknown, NULL));
}

/* C8, C10: the strict profile, the default, and the permissive one; nothing lets controls in. */
static void test_names(void **state)
{
	static const struct {
		const char *subject;
		enum refusal strict, permissive;
	} cases[] = {
	    {"30{31{30{06{550403}0c{'pump 7.a_b:c@d-e'}}}}", REFUSAL_NONE, REFUSAL_NONE},
	    {"30{31{30{06{550403}1e{00'p'00'u'00'm'00'p'}}}}", REFUSAL_NONE, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'p'd0b5'mp'}}}}", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'e'cc81}}}}", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'a'e2808b'b'}}}}", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'<script>'}}}}", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'a,O=b'}}}}", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'a/b'}}}}", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'dev-001 '}}}}", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'dev  001'}}}}", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'p'}}}31{30{06{55040a}0c{'Caf'c3a9' & Co'}}}}", REFUSAL_NONE,
		REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'p'}}}31{30{06{55040a}0c{'a'c2ad'b'}}}}", CSR_NAME_CHARACTER,
		REFUSAL_NONE},
	    {"30{31{30{06{550403}0c{'p'}}}31{30{06{55040a}0c{'<b>'}}}}", CSR_NAME_CHARACTER,
		REFUSAL_NONE},
	};
	struct config_profile lax = device, strict = device;

	(void)state;
	lax.names = (char[]){"permissive"};
	strict.names = (char[]){"strict"};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span der = maker_request(&(struct maker_request){.key = "P-256",
		    .digest = "SHA256",
		    .subject = maker_der(cases[i].subject),
		    .attributes = maker_der("a0{}")});
		const char *what = cases[i].subject;
		assert_true(refusal_is(cases[i].strict, check(&device, der, NULL), what));
		assert_true(refusal_is(cases[i].strict, check(&strict, der, NULL), what));
		assert_true(refusal_is(cases[i].permissive, check(&lax, der, NULL), what));
	}
}

/*
 * The attribute and the code point are named, the text is not
 * repeated; what is not granted says so.
 */
static void test_says(void **state)
{
	struct span der = maker_csr("P-256", "CN=pump<7>", NULL);

	(void)state;
	assert_int_equal(check(&device, der, NULL), EST_MALFORMED);
	assert_non_null(strstr(reason_text(), "CN holds U+003C"));
	assert_null(strstr(reason_text(), "pump"));
	reason_clear();
	assert_int_equal(
	    check(&device, maker_csr("P-256", "CN=pump,UID=root", NULL), NULL), EST_MALFORMED);
	assert_non_null(strstr(reason_text(), "UID"));
	assert_non_null(strstr(reason_text(), "\"device\""));
	reason_clear();
}

/* D6: what a profile requires is named where it is missing. */
static void test_required(void **state)
{
	static const struct {
		const char *word, *subject, *san;
		bool has;
	} cases[] = {{"CN", "CN=pump", NULL, true}, {"CN", "O=Acme", NULL, false},
	    {"serialNumber", "CN=pump,serialNumber=7", NULL, true},
	    {"serialNumber", "CN=pump", NULL, false}, {"dns", "CN=pump", "DNS:a.example", true},
	    {"dns", "CN=pump", "IP:192.0.2.1", false}, {"dns", "CN=pump", NULL, false},
	    {"ip", "CN=pump", "DNS:a.example,IP:192.0.2.1", true},
	    {"O", "CN=pump", "DNS:a.example", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_profile config = device;
		const char *const extensions[] = {"subjectAltName", cases[i].san, NULL};
		char word[32];
		char *words[] = {word};
		enum outcome outcome;
		(void)snprintf(word, sizeof(word), "%s", cases[i].word);
		config.required = (struct words){words, 1, 7};
		outcome = check(&config,
		    maker_csr("P-256", cases[i].subject, cases[i].san == NULL ? NULL : extensions),
		    NULL);
		if (!cases[i].has)
			assert_non_null(strstr(reason_text(), word));
		assert_true(
		    refusal_is(cases[i].has ? REFUSAL_NONE : CSR_NAME_MISSING, outcome, word));
	}
}

/* D6: a server's certificate without a SubjectAltName is good for nothing (RFC 9525 2). */
static void test_server_auth(void **state)
{
	static const char *const both[] = {
	    "subjectAltName", "DNS:a.example", "extendedKeyUsage", "serverAuth", NULL};
	struct config_profile config = device;

	(void)state;
	config.extended_key_usage = (struct words)WORDS("clientAuth", "serverAuth");
	assert_refusal(CSR_NAME_MISSING, check(&config, maker_csr("P-256", "CN=pump", NULL), NULL));
	assert_refusal(CSR_NAME_MISSING,
	    check(&config, wishing("P-256", "extendedKeyUsage", "serverAuth"), NULL));
	assert_outcome(EST_OK, check(&config, wishing("P-256", "extendedKeyUsage", "clientAuth"),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
	assert_outcome(EST_OK,
	    check(&config, wishing("P-256", "subjectAltName", "IP:192.0.2.1"),
		BASIC_CONSTRAINTS KEY_USAGE("0780")
		    PURPOSES(CLIENT_AUTH SERVER_AUTH) "30{06{551d11}04{30{87{c0000201}}}}"));
	assert_outcome(EST_OK, check(&config, maker_csr("P-256", "CN=pump", both),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(
				       SERVER_AUTH) "30{06{551d11}04{30{82{'a.example'}}}}"));
}

/*
 * A8: an odd exponent of 17 to 256 bits, where the profile takes any;
 * what is not known is not taken.
 */
static void test_exponents(void **state)
{
	struct config_profile any = device, one = device;
	struct csr csr;
	const struct config_profile *configs[] = {&device, &one, &any};

	(void)state;
	any.rsa_exponents = (char[]){"any"};
	one.rsa_exponents = (char[]){"65537"};
	assert_outcome(
	    EST_OK, csr_parse(maker_csr("RSA-2048", "CN=pump", NULL), CSR_KEY_PROVEN, &csr));
	for (size_t i = 0; i < COUNT(configs); i++) {
		struct profile *profile = NULL;
		assert_outcome(EST_OK, profile_make("est.conf", configs[i], &profile));
		csr.key.other_exponent = false;
		assert_outcome(EST_OK, profile_check(profile, &csr, true));
		csr.key.other_exponent = true;
		assert_refusal(configs[i] == &any ? REFUSAL_NONE : CSR_EXPONENT,
		    profile_check(profile, &csr, true));
		profile_free(profile);
	}
	csr_clear(&csr);
}

static void test_keys(void **state)
{
	struct config_profile config = device;

	(void)state;
	config.keys = (struct words)WORDS("P-384", "RSA-3072");
	assert_outcome(EST_OK, check(&config, maker_csr("P-384", "CN=pump", NULL), NULL));
	assert_outcome(EST_OK, check(&config, maker_csr("RSA-3072", "CN=pump", NULL), NULL));
	assert_refusal(
	    CSR_KEY_NOT_GRANTED, check(&config, maker_csr("P-256", "CN=pump", NULL), NULL));
	assert_refusal(
	    CSR_KEY_NOT_GRANTED, check(&config, maker_csr("RSA-2048", "CN=pump", NULL), NULL));
}

/* D1 */
static void test_beyond(void **state)
{
	struct span windows = maker_request(&(struct maker_request){.key = "P-256",
	    .digest = "SHA256",
	    .attributes = maker_extensions(
		maker_der("30{06{2b0601040182371902}04{30{a0{06{2b060104018237190201}"
			  "a0{04{'S-1-5-21-1-2-3-500'}}}}}}"))});

	(void)state;
	assert_outcome(EST_OK, check(&device, wishing("P-256", "basicConstraints", "CA:FALSE"),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
	assert_refusal(
	    CSR_CA, check(&device, wishing("P-256", "basicConstraints", "critical,CA:TRUE"), NULL));
	assert_refusal(CSR_EXTENSION,
	    check(&device, wishing("P-256", "nameConstraints", "permitted;DNS:x"), NULL));
	assert_refusal(CSR_EXTENSION,
	    check(&device, wishing("P-256", "inhibitAnyPolicy", "critical,0"), NULL));
	assert_refusal(CSR_EXTENSION, check(&device, windows, NULL));
	assert_outcome(EST_OK, check(&device, wishing("P-256", "subjectKeyIdentifier", "0102"),
				   BASIC_CONSTRAINTS KEY_USAGE("0780") PURPOSES(CLIENT_AUTH)));
}

/* Words that nobody knows: refused with file and line. */
static void test_wrong_words(void **state)
{
	struct config_profile wrong[11];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		wrong[i] = device;
	wrong[0].keys = (struct words)WORDS("P-256", "P-257");
	wrong[1].key_usage = (struct words)WORDS("digitalsignature");
	wrong[2].key_usage = (struct words)WORDS("digitalSignature", "keyCertSign");
	wrong[3].key_usage = (struct words)WORDS("cRLSign");
	wrong[4].key_usage = (struct words)NO_WORDS;
	wrong[5].extended_key_usage = (struct words)WORDS("nonsense");
	wrong[6].subject = (struct words)WORDS("CN", "commonName");
	wrong[7].subject_alt_names = (struct words)WORDS("dns", "otherName");
	wrong[8].required = (struct words)WORDS("CN", "commonName");
	wrong[9].required = (struct words)WORDS("email");
	wrong[10].required = (struct words)WORDS("UID");
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct profile *profile = NULL;
		enum outcome outcome = profile_make("/x/est.conf", &wrong[i], &profile);
		if (strncmp(reason_text(), "/x/est.conf:7: ", 15) != 0)
			fail_msg("%zu: %s", i, reason_text());
		assert_outcome(EST_MALFORMED, outcome);
		assert_null(profile);
	}
	profile_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_plain),
	    TEST(test_key_usage),
	    TEST(test_key_usage_octets),
	    TEST(test_key_agreement),
	    TEST(test_only_with_agreement),
	    TEST(test_purposes),
	    TEST(test_purposes_repeated),
	    TEST(test_sans),
	    TEST(test_subjects),
	    TEST(test_names),
	    TEST(test_says),
	    TEST(test_required),
	    TEST(test_server_auth),
	    TEST(test_exponents),
	    TEST(test_keys),
	    TEST(test_beyond),
	    TEST(test_wrong_words),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
