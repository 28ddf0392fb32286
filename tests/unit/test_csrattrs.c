/*
 * CSR attributes: published ones and ours byte for byte, what est.conf makes of them, which are no
 * CsrAttrs at all, and what requests lack of them.
 */
#include "maker.h"
#include "refusal_test.h"

#include <string.h>

#include "common/base/encoding.h"
#include "common/pki/csrattrs.h"
#include "common/pki/profile.h"

/* est-vectors.md 2 and 3. */
#define RFC7030_A2                                                                                 \
	"MHwGBysGAQEBARYwIgYDiDcBMRsTGVBhcnNlIFNFVCBhcyAyLjk5OS4xIGRhdGEG\n"                       \
	"CSqGSIb3DQEJBzAsBgOINwIxJQYDiDcDBgOINwQTGVBhcnNlIFNFVCBhcyAyLjk5\n"                       \
	"OS4yIGRhdGEGCSskAwMCCAEBCwYJYIZIAWUDBAIC\n"
#define V2                                                                                         \
	"MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQD" \
	"Aw=="
#define V3 "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw=="
#define V4                                                                                         \
	"MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIz" \
	"YzM0NDAxMTIyMzM0NDU1MDAwMDAwMDArQGFjcC5leGFtcGxlLmNvbQ=="
#define V5 "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw=="
#define V6 "MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD"
#define V7                                                                                         \
	"MEUGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAjBgkqhkiG9w0BCRQGCgmSJomT8ixkAQUGA1UEBQYIKoZI" \
	"zj0EAwQ="
#define V8  "MAsGCSqGSIb3DQEJBw=="
#define V8B "MAUGA1UEAw=="
#define V8C                                                                                        \
	"MHEGBysGAQEBARYwIgYDiDcBMRsTGVBhcnNlIFNFVCBhcyAyLjk5OS4xIGRhdGEwLAYDiDcCMSUGA4g3AwYDiDcE" \
	"ExlQYXJzZSBTRVQgYXMgMi45OTkuMiBkYXRhBgUrgQQAIgYDVQQDBggqhkjOPQQDAg=="
#define V8E                                                                                        \
	"MHwwLAYDiDcCMSUGA4g3AwYDiDcEExlQYXJzZSBTRVQgYXMgMi45OTkuMiBkYXRhBglghkgBZQMEAgIGCSskAwMC" \
	"CAEBCzAiBgOIExGxMZUGFyc2UgU0VUIGFzIDIuOTk5LjEgZGF0YQYHKwYBAQEBFgYJKoZIhvcNAQkH"
#define POTATO                                                                                     \
	"MGcGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMDwGCSqGSIb3DQEJDjEvMC0wKwYDVR0RBCQwIqAgBggr" \
	"BgEFBQcICqAUFhJwb3RhdG9AZXhhbXBsZS5jb20GCCqGSM49BAMD"
#define BAD_POTATO                                                                                 \
	"MGYGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMDsGCSqGSIb3DQEJDjEuMCwGA1UdEQEB/wQioCAwHgYI" \
	"KwYBBQUHCAoMEnBvdGF0b0BleGFtcGxlLmNvbQYIKoZIzj0EAwM="
#define V9                                                                                         \
	"MIGpMIGmBgsqhkiG9w0BCRACPTGBljCBkwIBADAsMQcwBQYDVQQDMQ8wDQYDVQQLDAZteURlcHQxEDAOBgNVBAsM" \
	"B215R3JvdXCgFTATBgcqhkjOPQIBBggqhkjOPQMBB6FJMEcGCyqGSIb3DQEJEAI+MTgwNjAdBgNVHREEFjAUghB3" \
	"d3cubXlTZXJ2ZXIuY29thwAwDgYDVR0PAQH/BAQDAgOIMAUGA1UdJQ=="
#define V10 "MBgwFgYLKoZIhvcNAQkQAj0xBzAFAgEAoQA="
#define V11                                                                                        \
	"MFsGCSqGSIb3DQEJBzAVBgcqhkjOPQIBMQoGCCqGSM49AwEHBggqhkjOPQQDAjAtBgsqhkiG9w0BCRACPTEeMBwC" \
	"AQCgFTATBgcqhkjOPQIBBggqhkjOPQMBB6EA"
#define V12 "MAA="
#define V13 "MA0GCyqGSIb3DQEJEAI6"
#define V14 "MBgGCyqGSIb3DQEJEAI6BgkqhkiG9w0BCQc="
#define V15 "MA0GCyqGSIb3DQEJEAI4"
#define V16 "MCEwFQYHKoZIzj0CATEKBggqhkjOPQMBBwYIKoZIzj0EAwI="
#define V17 "MB4wEQYJKoZIhvcNAQEBMQQCAgwABgkqhkiG9w0BAQs="
#define V18 "MCYwJAYJKoZIhvcNAQkOMRcwFTATBgNVHSUEDDAKBggrBgEFBQcDAg=="

static struct span decoded(const char *base64)
{
	struct buf der = {0};

	assert_outcome(EST_OK, base64_decode(&der, span_of(base64)));
	return maker_keep(&der);
}

/* What est.conf with these keys of a profile and a label makes; maker_keep()s it. */
static enum outcome make(const char *profile_keys, const char *label_keys, struct span *out)
{
	struct buf text = {0}, der = {0};
	struct config *config = NULL;
	struct profile *profile = NULL;
	enum outcome outcome;

	buf_printf(&text,
	    "state = \"state\";\n"
	    "ca = ( { name = \"ca\"; certificate = \"ca.pem\"; key = \"ca.key\"; } );\n"
	    "profile = ( { name = \"p\"; %s } );\n"
	    "label = (\n{ name = \"\"; ca = \"ca\"; profile = \"p\"; %s } );\n",
	    profile_keys, label_keys);
	assert_outcome(EST_OK, config_load(maker_file("est.conf", buf_string(&text)), &config));
	assert_outcome(EST_OK, profile_make("est.conf", &config->profiles[0], &profile));
	outcome =
	    csrattrs_make(&(struct csrattrs_plan){"est.conf", &config->labels[0], profile}, &der);
	if (outcome == EST_OK)
		assert_string_equal(reason_text(), "");
	*out = maker_keep(&der);
	profile_free(profile);
	config_free(config);
	buf_free(&text);
	return outcome;
}

static struct span made(const char *profile_keys, const char *label_keys)
{
	struct span der;

	assert_outcome(EST_OK, make(profile_keys, label_keys, &der));
	return der;
}

static void assert_made(struct span wanted, const char *profile_keys, const char *label_keys)
{
	struct span got = made(profile_keys, label_keys);

	if (!span_equal(wanted, got))
		print_error("%s | %s\n", profile_keys, label_keys);
	assert_bytes(wanted, got);
}

/* A-02..A-15: what profile and label can say is built as the RFCs have it. */
static void test_vectors_built(void **state)
{
	static const struct {
		const char *profile, *label, *wanted;
	} vectors[] = {
	    {"keys = [ \"P-384\" ];", "pop_required = true; csrattrs_require = [ \"macAddress\" ];",
		V3},
	    {"keys = [ \"RSA-4096\" ];", "pop_required = true;", V5},
	    {"keys = [ \"P-384\" ]; required = [ \"serialNumber\" ];", "pop_required = true;", V6},
	    {"keys = [ \"P-384\" ];",
		"pop_required = true; csrattrs_require = [ \"serialNumber\" ];", V6},
	    {"keys = [ \"P-521\" ];",
		"pop_required = true; csrattrs_require = [ \"friendlyName\", "
		"\"0.9.2342.19200300.100.1.5\", \"serialNumber\" ];",
		V7},
	    {"", "pop_required = true;", V8},
	    {"", "csrattrs = [ ]; pop_required = true;", V8},
	    {"required = [ \"CN\" ];", "", V8B},
	    {"", "csrattrs_require = [ \"2.5.4.3\" ];", V8B},
	    {"keys = [ \"P-256\" ]; required = [ \"CN\", \"ip\" ]; subject_fixed = [ "
	     "\"OU=myDept\", \"OU=myGroup\" ]; san_fixed = [ \"dns:www.myServer.com\" ];"
	     "key_usage = [ \"digitalSignature\", \"keyAgreement\" ]; extended_key_usage = [ "
	     "\"serverAuth\", \"clientAuth\" ];",
		"csrattrs = [ \"template\" ]; csrattrs_require = [ \"keyUsage\", "
		"\"extendedKeyUsage\" ];",
		V9},
	    {"", "csrattrs = [ \"template\" ];", V10},
	    {"keys = [ \"P-256\" ];", "csrattrs = [ \"list\", \"template\" ]; pop_required = true;",
		V11},
	    {"", "csrattrs_require = [ \"estIdentityLinking\" ];", V13},
	    {"", "pop_required = true; challenge = \"otp\";", V13},
	    {"", "pop_required = true; csrattrs_require = [ \"estIdentityLinking\" ];", V14},
	    {"", "csrattrs_require = [ \"challengePassword\", \"estIdentityLinking\" ];", V14},
	    {"", "csrattrs_require = [ \"otpChallenge\" ];", V15},
	    {"keys = [ \"P-256\" ];", "", V16},
	    {"keys = [ \"RSA-3072\" ];", "", V17},
	    {"", "csrattrs_require = [ \"extendedKeyUsage\" ];", V18},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		assert_made(decoded(vectors[i].wanted), vectors[i].profile, vectors[i].label);
	}
}

/* What OpenSSL says of the rest, and the keys that have no vector. */
static void test_built(void **state)
{
	static const struct {
		const char *profile, *label, *wanted;
	} cases[] = {
	    {"", "", ""},
	    {"", "csrattrs = [ ];", ""},
	    {"keys = [ \"P-256\", \"P-384\" ];", "", ""},
	    {"keys = [ \"Ed25519\" ];", "", "30{06{2b6570}}"},
	    {"keys = [ \"Ed448\" ];", "csrattrs = [ \"template\" ];",
		"30{30{06{2a864886f70d010910023d}31{30{020100a0{30{06{2b6571}}}a1{}}}}}"},
	    /* subjectAltName is the client's: bare in the list, without a value in the template */
	    {"required = [ \"dns\" ];", "", "30{06{551d11}}"},
	    {"required = [ \"dns\" ];", "csrattrs = [ \"template\" ];",
		"30{30{06{2a864886f70d010910023d}31{30{020100a1{30{06{2a864886f70d010910023e}"
		"31{30{30{06{551d11}}}}}}}}}}"},
	    {"extended_key_usage = [ \"serverAuth\" ];", "", "30{06{551d11}}"},
	    {"extended_key_usage = [ \"serverAuth\" ]; san_from = \"cn\";", "", ""},
	    {"extended_key_usage = [ \"serverAuth\" ]; san_fixed = [ \"dns:a.example\" ];", "", ""},
	    {"extended_key_usage = [ \"serverAuth\" ]; ca = true; key_usage = [ "
	     "\"keyCertSign\", \"cRLSign\" ];",
		"", ""},
	    /* a fixed name of a kind that is required is enough; addresses have a placeholder */
	    {"required = [ \"dns\" ]; san_fixed = [ \"dns:a.example\" ];", "", ""},
	    {"required = [ \"dns\", \"ip\" ]; san_fixed = [ \"dns:a.example\" ];",
		"csrattrs = [ \"template\" ];",
		"30{30{06{2a864886f70d010910023d}31{30{020100a1{30{06{2a864886f70d010910023e}"
		"31{30{30{06{551d11}04{30{82{'a.example'}8700}}}}}}}}}}}"},
	    {"required = [ \"ip\" ];", "csrattrs = [ \"template\" ];",
		"30{30{06{2a864886f70d010910023d}31{30{020100a1{30{06{2a864886f70d010910023e}"
		"31{30{30{06{551d11}04{30{8700}}}}}}}}}}}"},
	    /* who comes from the identity, and what is fixed, the client need not say */
	    {"required = [ \"CN\" ]; subject_from = \"identity\";", "", ""},
	    {"required = [ \"CN\", \"O\" ]; subject_fixed = [ \"O=Acme\" ];", "", "30{06{550403}}"},
	    {"subject_fixed = [ \"C=DE\", \"O=Acme\" ];", "csrattrs = [ \"template\" ];",
		"30{30{06{2a864886f70d010910023d}31{30{020100"
		"30{31{30{06{550406}13{'DE'}}}31{30{06{55040a}0c{'Acme'}}}}a1{}}}}}"},
	    /* a usage that is not the same for all keys is left to the client; one that is, is given */
	    {"", "csrattrs_require = [ \"keyUsage\" ];", "30{06{551d0f}}"},
	    {"key_usage = [ \"digitalSignature\" ];", "csrattrs_require = [ \"keyUsage\" ];",
		"30{30{06{2a864886f70d01090e}31{30{30{06{551d0f}0101ff04{03{0780}}}}}}}"},
	    {"keys = [ \"Ed25519\" ];", "csrattrs_require = [ \"keyUsage\" ];",
		"30{30{06{2a864886f70d01090e}31{30{30{06{551d0f}0101ff04{03{0780}}}}}}06{2b6570}}"},
	    {"keys = [ \"P-256\" ]; key_usage = [ \"keyAgreement\", \"decipherOnly\" ];",
		"csrattrs_require = [ \"keyUsage\" ];",
		"30{30{06{2a8648ce3d0201}31{06{2a8648ce3d030107}}}"
		"30{06{2a864886f70d01090e}31{30{30{06{551d0f}0101ff04{03{070880}}}}}}"
		"06{2a8648ce3d040302}}"},
	    /* all with their values: id-ExtensionReq in the template too */
	    {"key_usage = [ \"digitalSignature\" ];",
		"csrattrs = [ \"template\" ]; csrattrs_require = [ \"keyUsage\", "
		"\"extendedKeyUsage\" ];",
		"30{30{06{2a864886f70d010910023d}31{30{020100a1{30{06{2a864886f70d01090e}31{30{"
		"30{06{551d0f}0101ff04{03{0780}}}30{06{551d25}04{30{06{2b06010505070302}}}}"
		"}}}}}}}}"},
	    {"extended_key_usage = [ \"clientAuth\", \"emailProtection\" ];",
		"csrattrs_require = [ \"extendedKeyUsage\", \"2.5.29.32\" ];",
		"30{06{551d25}06{551d20}}"},
	    /* what a template has no place for stands beside it */
	    {"required = [ \"CN\" ];",
		"csrattrs = [ \"template\" ]; csrattrs_require = [ \"macAddress\", "
		"\"revocationChallenge\" ];",
		"30{06{2a864886f70d0109100239}06{2b060101010116}"
		"30{06{2a864886f70d010910023d}31{30{02010030{31{30{06{550403}}}}a1{}}}}}"},
	    /* nothing twice */
	    {"required = [ \"CN\", \"dns\" ];",
		"pop_required = true; csrattrs_require = [ \"CN\", \"2.5.4.3\", "
		"\"subjectAltName\", \"challengePassword\", \"2.5.29.17\" ];",
		"30{06{2a864886f70d010907}06{550403}06{551d11}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_made(maker_der(cases[i].wanted), cases[i].profile, cases[i].label);
	}
}

/* the size of an RSA key in a template is that of a key which is none. */
static void test_placeholder(void **state)
{
	static const unsigned sizes[] = {2048, 3072, 4096};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct buf keys = {0}, modulus = {0};
		struct span der;
		buf_printf(&keys, "keys = [ \"RSA-%u\" ];", sizes[i]);
		der = made(buf_string(&keys), "csrattrs = [ \"list\", \"template\" ];");
		assert_true(der.len < 1024);
		buf_printf(&modulus, "80%0*d01", (int)sizes[i] / 4 - 4, 0);
		assert_bytes(
		    maker_der("30{30{06{2a864886f70d010101}31{02{$}}}06{2a864886f70d01010b}"
			      "30{06{2a864886f70d010910023d}31{30{020100a0{30{06{2a864886f70d"
			      "010101}0500}03{00 30{02{00$}02{010001}}}}a1{}}}}}",
			maker_der(sizes[i] == 2048   ? "0800"
				  : sizes[i] == 3072 ? "0c00"
						     : "1000"),
			maker_der(buf_string(&modulus))),
		    der);
		buf_free(&keys);
		buf_free(&modulus);
	}
}

/* whatever is given instead comes back as it is, from either place and in every wrapping. */
static void test_given(void **state)
{
	static const char *const all[] = {RFC7030_A2, V2, V3, V4, V5, V6, V7, V8, V8B, V8C, V9, V10,
	    V11, V12, V13, V14, V15, V16, V17, V18, POTATO};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct span der = decoded(all[i]);
		struct buf label = {0}, wrapped = {0};
		FILE *file;
		assert_outcome(EST_OK, csrattrs_check(der));
		base64_encode(&wrapped, der, 64);
		buf_printf(
		    &label, "csrattrs_file = \"%s\";", maker_file("a", buf_string(&wrapped)));
		assert_bytes(der, made("", buf_string(&label)));
		buf_reset(&wrapped);
		base64_encode(&wrapped, der, 0);
		buf_reset(&label);
		buf_printf(&label, "csrattrs_base64 = \"%s\";", buf_string(&wrapped));
		assert_bytes(der, made("", buf_string(&label)));
		file = fopen(maker_file("a", ""), "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(der.data, 1, der.len, file), der.len);
		assert_int_equal(fclose(file), 0);
		buf_reset(&label);
		buf_printf(&label, "csrattrs_file = \"%s/a\";", maker_directory());
		assert_bytes(der, made("", buf_string(&label)));
		buf_free(&label);
		buf_free(&wrapped);
	}
}

/* Refused when est.conf is read, with the line of the label or of the words, and the key. */
static void test_refused_configuration(void **state)
{
	static const struct {
		const char *label, *says;
	} wrong[] = {
	    {"csrattrs_base64 = \"" V8E "\";", "csrattrs_base64"},
	    {"csrattrs_base64 = \"" V8E "==\";", "csrattrs_base64"},
	    {"csrattrs_base64 = \"" BAD_POTATO "\";", "csrattrs_base64"},
	    {"csrattrs_base64 = \"MA=\";", "base64"},
	    {"csrattrs_base64 = \"MAAA\";", "one DER value"},
	    {"csrattrs_base64 = \"BAA=\";", "SEQUENCE"},
	    {"csrattrs_base64 = \"" V3 "\"; csrattrs_file = \"a\";", "both"},
	    {"csrattrs_base64 = \"" V3 "\"; csrattrs_require = [ \"CN\" ];", "csrattrs_require"},
	    {"csrattrs_require = [ \"CN\", \"Common Name\" ];", "\"Common Name\""},
	    {"csrattrs_require = [ \"1.2..3\" ];", "\"1.2..3\""},
	    {"csrattrs_require = [ \"3.2.1\" ];", "\"3.2.1\""},
	    {"csrattrs_require = [ \"emailProtection\" ];", "\"emailProtection\""},
	};
	struct span der;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (make("", wrong[i].label, &der) != EST_MALFORMED)
			fail_msg("%s is taken", wrong[i].label);
		if (strncmp(reason_text(), "est.conf:5:", strlen("est.conf:5:")) != 0 ||
		    strstr(reason_text(), wrong[i].says) == NULL)
			fail_msg("%s: %s", wrong[i].label, reason_text());
		assert_int_equal(der.len, 0);
		reason_clear();
	}
	assert_int_equal(EST_NOT_FOUND, make("", "csrattrs_file = \"no-such-file\";", &der));
	assert_non_null(strstr(reason_text(), "est.conf:5: csrattrs_file: "));
	reason_clear();
}

/* the other side of the fence, one step from what is taken. */
static void test_check(void **state)
{
#define TEMPLATE(inner) "30{30{06{2a864886f70d010910023d}31{30{" inner "}}}}"
#define REQUEST(inner)  "30{06{2a864886f70d01090e}31{" inner "}}"
#define PARTIAL(inner)  "30{06{2a864886f70d010910023e}31{" inner "}}"
	static const char *const wrong[] = {
	    "",
	    "30",
	    "31{}",
	    "30{}00",
	    "30{0500}",
	    "30{31{}}",
	    "30{06{2a8004}}",
	    "30 80 0000",
	    "30{30{06{2a0304}}}",
	    "30{30{06{2a0304}31{}}}",
	    "30{30{06{2a0304}30{0500}}}",
	    "30{30{06{2a0304}31{0500}0500}}",
	    "30{30{06{2a0304}31{02{02}02{01}}}}",
	    /* two key types; a size that is none */
	    "30{30{06{2a8648ce3d0201}31{06{2b81040022}}}30{06{2a864886f70d010101}31{02{0800}}}}",
	    "30{30{06{2a8648ce3d0201}31{06{2b81040022}}}30{06{2a8648ce3d0201}31{06{2b81040023}}}}",
	    "30{30{06{2a864886f70d010101}31{}}}",
	    "30{30{06{2a864886f70d010101}31{0500}}}",
	    /* extensions */
	    "30{" REQUEST("30{30{06{551d11}04{0500}}}") REQUEST("30{30{06{551d11}04{0500}}}") "}",
	    "30{" REQUEST("30{30{06{551d11}04{0500}}30{06{551d11}04{0500}}}") "}",
	    "30{" REQUEST("30{30{06{551d11}04{0500}}}30{30{06{551d12}04{0500}}}") "}",
	    "30{" REQUEST("30{}") "}",
	    "30{" REQUEST("30{30{06{551d11}}}") "}",
	    "30{" REQUEST("30{30{06{551d11}04{ff}}}") "}",
	    "30{" REQUEST("30{30{06{551d11}04{}}}") "}",
	    "30{" REQUEST("30{30{06{551d11}01010004{0500}}}") "}",
	    "30{" REQUEST("30{30{06{551d11}04{0500}0500}}") "}",
	    "30{" REQUEST("30{06{551d11}04{0500}}") "}",
	    "30{" REQUEST("06{551d11}30{30{06{551d12}04{0500}}}") "}",
	    /* templates */
	    TEMPLATE("020100"),
	    TEMPLATE("020101a1{}"),
	    TEMPLATE("a1{}"),
	    TEMPLATE("020100a1{}a1{}"),
	    TEMPLATE("02010031{}a1{}"),
	    TEMPLATE("02010030{30{}}a1{}"),
	    TEMPLATE("02010030{31{}}a1{}"),
	    TEMPLATE("02010030{31{30{}}}a1{}"),
	    TEMPLATE("02010030{31{30{06{550403}0c{'a'}0500}}}a1{}"),
	    TEMPLATE("02010030{31{30{06{55040b}}30{06{55040a}}}}a1{}"),
	    TEMPLATE("020100a0{}a1{}"),
	    TEMPLATE("020100a0{30{}}a1{}"),
	    TEMPLATE("020100a0{30{06{2a8648ce3d0201}06{2a8648ce3d030107}}03{0004}}a1{}"),
	    TEMPLATE("020100a0{30{06{2a8648ce3d0201}}0500}a1{}"),
	    TEMPLATE("020100a1{0500}"),
	    TEMPLATE("020100a1{30{06{2a0304}31{}}}"),
	    TEMPLATE("020100a1{30{06{2a0305}31{0500}}30{06{2a0304}31{0500}}}"),
	    TEMPLATE("020100a1{30{06{2a0304}31{0500}}30{06{2a0304}31{0101ff}}}"),
	    TEMPLATE("020100a1{" REQUEST("30{30{06{551d11}04{0500}}}")
		    PARTIAL("30{30{06{551d12}}}") "}"),
	    TEMPLATE("020100a1{" REQUEST("30{30{06{551d11}}}") "}"),
	    TEMPLATE("020100a1{" REQUEST("06{551d11}") "}"),
	    TEMPLATE("020100a1{" PARTIAL("30{30{06{551d11}}}30{30{06{551d12}}}") "}"),
	    TEMPLATE("020100a1{" PARTIAL("30{30{06{551d11}}30{06{551d11}}}") "}"),
	    TEMPLATE("020100a1{" PARTIAL("30{06{551d11}}") "}"),
	    TEMPLATE("020100a1{30{06{2a864886f70d010910023d}31{30{020100a1{}}}}}"),
	    "30{30{06{2a864886f70d010910023d}31{30{020100a1{}}30{020100a1{}}}}}",
	    "30{30{06{2a864886f70d010910023d}31{30{020100a1{}}}}"
	    "30{06{2a864886f70d010910023d}31{30{020100a1{}}}}}",
	};
	static const char *const right[] = {
	    "30{}",
	    "30{30{06{2a0304}31{0101ff02012a13{'beans'}}}}", /* V8d */
	    "30{30{06{2a8648ce3d0201}31{06{2b81040022}06{2b81040023}}}}",
	    TEMPLATE("02010030{}a1{}"),
	    TEMPLATE("02010030{31{30{06{55040a}}30{06{55040b}}}}a0{30{06{2b6570}}}a1{}"),
	    TEMPLATE("020100a1{30{06{2a0304}31{0500}}}"),
	    TEMPLATE("020100a1{" PARTIAL("30{30{06{551d11}}30{06{551d12}0101ff}}") "}"),
	};
	struct buf much = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (csrattrs_check(maker_der(wrong[i])) != EST_MALFORMED ||
		    reason_text()[0] == '\0')
			fail_msg("%s is taken", wrong[i]);
		reason_clear();
	}
	for (size_t i = 0; i < COUNT(right); i++)
		assert_outcome(EST_OK, csrattrs_check(maker_der(right[i])));
	/* libest's is cut in the middle, of a base64 character too */
	assert_outcome(EST_OK, base64_decode(&much, (struct span){BYTES(V8E).data, 164}));
	assert_outcome(EST_MALFORMED, csrattrs_check(maker_keep(&much)));
	assert_outcome(EST_MALFORMED, csrattrs_check(decoded(BAD_POTATO)));
	while (much.len < 16 * 1024 - 8)
		buf_add(&much, "\x06\x02\x2a\x03", 4);
	assert_outcome(EST_OK, csrattrs_check(maker_der("30{$}", buf_span(&much))));
	buf_add(&much, "\x06\x02\x2a\x03\x06\x02\x2a\x03", 8);
	assert_outcome(EST_MALFORMED, csrattrs_check(maker_der("30{$}", buf_span(&much))));
	buf_free(&much);
}

static int wrongs;

static void enforces(enum refusal wanted, struct span csrattrs, struct span request,
    enum csr_use use, const char *what)
{
	struct csr csr;

	assert_outcome(EST_OK, csrattrs_check(csrattrs));
	assert_outcome(EST_OK, csr_parse(request, use, &csr));
	wrongs += !refusal_is(wanted, csrattrs_enforce(maker_copy(csrattrs), &csr), what);
	csr_clear(&csr);
}

static struct span request(const char *key, const char *subject, const char *attributes)
{
	return maker_request(&(struct maker_request){.key = key,
	    .digest = strcmp(key, "Ed25519") == 0 ? NULL : "SHA256",
	    .algorithm = strncmp(key, "RSA", 3) == 0   ? maker_der("30{06{2a864886f70d01010b}0500}")
			 : strcmp(key, "Ed25519") == 0 ? maker_der("30{06{2b6570}}")
						       : maker_der("30{06{2a8648ce3d040302}}"),
	    .subject = maker_name(subject),
	    .attributes = maker_der(attributes)});
}

#define PASSWORD      "30{06{2a864886f70d010907}31{0c{'secret'}}}"
#define ASKS(inner)   "30{06{2a864886f70d01090e}31{30{" inner "}}}"
#define MAC_ATTRIBUTE "30{06{2b060101010116}31{13{'00:00:5e'}}}"

/* A-16, the list: bare OIDs are attributes, extensions, names, keys or signatures. */
static void test_enforce_list(void **state)
{
	static const struct {
		enum refusal wanted;
		const char *csrattrs, *key, *subject, *attributes;
	} cases[] = {
	    {REFUSAL_NONE, V12, "P-256", "CN=a", "a0{}"},
	    {REFUSAL_NONE, V8, "P-256", "CN=a", "a0{" PASSWORD "}"},
	    {CSR_ATTRIBUTE_MISSING, V8, "P-256", "CN=a", "a0{" MAC_ATTRIBUTE "}"},
	    {REFUSAL_NONE, V8B, "P-256", "CN=a", "a0{}"},
	    {CSR_ATTRIBUTE_MISSING, V8B, "P-256", "O=a", "a0{}"},
	    {REFUSAL_NONE, V16, "P-256", "CN=a", "a0{}"},
	    {CSR_ATTRIBUTE_MISSING, V16, "P-384", "CN=a", "a0{}"},
	    {CSR_ATTRIBUTE_MISSING, V16, "RSA-3072", "CN=a", "a0{}"},
	    {REFUSAL_NONE, V17, "RSA-3072", "CN=a", "a0{}"},
	    {CSR_ATTRIBUTE_MISSING, V17, "RSA-2048", "CN=a", "a0{}"},
	    {CSR_ATTRIBUTE_MISSING, V17, "P-256", "CN=a", "a0{}"},
	    /* the signature is by another digest */
	    {CSR_ATTRIBUTE_MISSING, V6, "P-384", "CN=a,serialNumber=1", "a0{" PASSWORD "}"},
	    {REFUSAL_NONE, V18, "P-256", "CN=a",
		"a0{" ASKS("30{06{551d25}04{30{06{2b06010505070302}}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, V18, "P-256", "CN=a",
		"a0{" ASKS("30{06{551d25}04{30{06{2b06010505070301}}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, V18, "P-256", "CN=a",
		"a0{" ASKS("30{06{551d11}04{30{82{'a'}}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, V18, "P-256", "CN=a", "a0{}"},
	    {REFUSAL_NONE, V4, "P-256", "CN=a",
		"a0{" ASKS(
		    "30{06{551d11}04{30{a0{06{2b0601050507080a}a0{16{'rfc8994+fd739fc23c344011"
		    "22334455"
		    "00000000+@acp.example.com'}}}}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, V4, "P-256", "CN=a",
		"a0{" ASKS("30{06{551d11}04{30{82{'a'}}}}") "}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		enforces(cases[i].wanted, decoded(cases[i].csrattrs),
		    request(cases[i].key, cases[i].subject, cases[i].attributes), CSR_KEY_PROVEN,
		    cases[i].csrattrs);
	assert_int_equal(wrongs, 0);
}

/* What is the same although its octets are not; RFC 7030's bare OIDs; Edwards keys; V3 in part. */
static void test_enforce_same(void **state)
{
	static const struct {
		enum refusal wanted;
		const char *csrattrs, *key, *attributes;
	} cases[] = {
	    {REFUSAL_NONE, "30{06{2b6570}}", "Ed25519", "a0{}"},
	    {CSR_ATTRIBUTE_MISSING, "30{06{2b6570}}", "P-256", "a0{}"},
	    {REFUSAL_NONE, "30{06{2a8648ce3d030107}}", "P-256", "a0{}"}, /* V8c's bare curve */
	    {CSR_ATTRIBUTE_MISSING, "30{06{2b81040022}}", "P-256", "a0{}"},
	    {REFUSAL_NONE, "30{30{06{2a8648ce3d0201}31{06{2b81040022}06{2a8648ce3d030107}}}}",
		"P-256", "a0{}"},
	    {REFUSAL_NONE, "30{06{2b060101010116}}", "P-256", "a0{" MAC_ATTRIBUTE "}"},
	    {REFUSAL_NONE, "30{30{06{2a864886f70d01090e}31{06{2b060101010116}}}}", "P-256",
		"a0{" ASKS("30{06{2b060101010116}04{0500}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, "30{30{06{2a864886f70d01090e}31{06{2b060101010116}}}}", "P-256",
		"a0{}"},
	    {REFUSAL_NONE, "30{06{551d11}}", "P-256",
		"a0{" ASKS("30{06{551d11}04{30{82{'a'}}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, "30{06{551d11}}", "P-256",
		"a0{" ASKS("30{06{551d0f}04{03{0780}}}") "}"},
	    /* mbed TLS's keyUsage has trailing zero bits */
	    {REFUSAL_NONE, "30{" ASKS("30{06{551d0f}0101ff04{03{0780}}}") "}", "P-256",
		"a0{" ASKS("30{06{551d0f}04{03{0080}}}") "}"},
	    {REFUSAL_NONE, "30{" ASKS("30{06{551d0f}04{03{070080}}}") "}", "P-256",
		"a0{" ASKS("30{06{551d0f}04{03{070080}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, "30{" ASKS("30{06{551d0f}04{03{0780}}}") "}", "P-256",
		"a0{" ASKS("30{06{551d0f}04{03{070080}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, "30{" ASKS("30{06{551d0f}04{03{0780}}}") "}", "P-256",
		"a0{" ASKS("30{06{551d0f}04{03{06c0}}}") "}"},
	    {REFUSAL_NONE,
		"30{" ASKS("30{06{551d25}04{30{06{2b06010505070301}06{2b06010505070302}}}}") "}",
		"P-256",
		"a0{" ASKS("30{06{551d25}04{30{06{2b06010505070302}06{2b06010505070301}}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING,
		"30{" ASKS("30{06{551d25}04{30{06{2b06010505070301}06{2b06010505070302}}}}") "}",
		"P-256", "a0{" ASKS("30{06{551d25}04{30{06{2b06010505070302}}}}") "}"},
	    /* names: each that is demanded, and more */
	    {REFUSAL_NONE, "30{" ASKS("30{06{551d11}04{30{82{'a.example'}}}}") "}", "P-256",
		"a0{" ASKS("30{06{551d11}04{30{82{'b.example'}82{'A.Example'}}}}") "}"},
	    {CSR_ATTRIBUTE_MISSING,
		"30{" ASKS("30{06{551d11}04{30{82{'a.example'}82{'c.example'}}}}") "}", "P-256",
		"a0{" ASKS("30{06{551d11}04{30{82{'b.example'}82{'a.example'}}}}") "}"},
	    /* any other extension octet by octet */
	    {REFUSAL_NONE, "30{" ASKS("30{06{2a0304}04{0500}}") "}", "P-256",
		"a0{" ASKS("30{06{2a0304}04{0500}}") "}"},
	    {CSR_ATTRIBUTE_MISSING, "30{" ASKS("30{06{2a0304}04{0500}}") "}", "P-256",
		"a0{" ASKS("30{06{2a0304}04{0101ff}}") "}"},
	    /* V1's attribute with values: whatever its value in the request */
	    {REFUSAL_NONE, "30{30{06{2a0304}31{13{'x'}}}}", "P-256",
		"a0{30{06{2a0304}31{13{'y'}}}}"},
	    {CSR_ATTRIBUTE_MISSING, "30{30{06{2a0304}31{13{'x'}}}}", "P-256",
		"a0{30{06{2a0305}31{13{'x'}}}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		enforces(cases[i].wanted, maker_der(cases[i].csrattrs),
		    request(cases[i].key, "CN=a", cases[i].attributes), CSR_KEY_PROVEN,
		    cases[i].csrattrs);
	assert_int_equal(wrongs, 0);
}

#define NAMES    "30{06{551d11}04{30{82{'www.myServer.com'}87{c0000201}}}}"
#define USAGE    "30{06{551d0f}04{03{0388}}}"
#define PURPOSES "30{06{551d25}04{30{06{2b06010505070302}}}}"

/* V9's every demand, and each missing in turn. */
static void test_enforce_template(void **state)
{
	static const struct {
		enum refusal wanted;
		const char *key, *subject, *attributes;
	} cases[] = {
	    {REFUSAL_NONE, "P-256", "CN=a,OU=myDept,OU=myGroup",
		"a0{" ASKS(NAMES USAGE PURPOSES) "}"},
	    {REFUSAL_NONE, "P-256", "OU=myGroup,OU=myDept,O=x,CN=a",
		"a0{" ASKS(PURPOSES USAGE NAMES) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-384", "CN=a,OU=myDept,OU=myGroup",
		"a0{" ASKS(NAMES USAGE PURPOSES) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "OU=myDept,OU=myGroup",
		"a0{" ASKS(NAMES USAGE PURPOSES) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "CN=a,OU=myDept",
		"a0{" ASKS(NAMES USAGE PURPOSES) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "CN=a,OU=myDept,OU=other",
		"a0{" ASKS(NAMES USAGE PURPOSES) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "CN=a,OU=myDept,OU=myGroup", "a0{}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "CN=a,OU=myDept,OU=myGroup",
		"a0{" ASKS(NAMES USAGE) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "CN=a,OU=myDept,OU=myGroup",
		"a0{" ASKS(NAMES PURPOSES) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "CN=a,OU=myDept,OU=myGroup",
		"a0{" ASKS("30{06{551d11}04{30{82{'www.myServer.com'}}}}" USAGE PURPOSES) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "CN=a,OU=myDept,OU=myGroup",
		"a0{" ASKS("30{06{551d11}04{30{87{c0000201}}}}" USAGE PURPOSES) "}"},
	    {CSR_ATTRIBUTE_MISSING, "P-256", "CN=a,OU=myDept,OU=myGroup",
		"a0{" ASKS(NAMES "30{06{551d0f}04{03{0780}}}" PURPOSES) "}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		enforces(cases[i].wanted, decoded(V9),
		    request(cases[i].key, cases[i].subject, cases[i].attributes), CSR_KEY_PROVEN,
		    cases[i].attributes);
	enforces(
	    REFUSAL_NONE, decoded(V10), request("P-256", "CN=a", "a0{}"), CSR_KEY_PROVEN, "V10");
	enforces(REFUSAL_NONE, decoded(V11), request("P-256", "CN=a", "a0{" PASSWORD "}"),
	    CSR_KEY_PROVEN, "V11");
	enforces(CSR_ATTRIBUTE_MISSING, decoded(V11), request("P-256", "CN=a", "a0{}"),
	    CSR_KEY_PROVEN, "V11 without the list's challengePassword");
	assert_int_equal(wrongs, 0);
}

/* A size by placeholder; and a key that is not the client's is not asked about (RFC 7030 4.4.1). */
static void test_enforce_keys(void **state)
{
	struct span template = made("keys = [ \"RSA-3072\" ];", "csrattrs = [ \"template\" ];"),
		    list = decoded(V5);

	(void)state;
	enforces(
	    REFUSAL_NONE, template, request("RSA-3072", "CN=a", "a0{}"), CSR_KEY_PROVEN, "size");
	enforces(CSR_ATTRIBUTE_MISSING, template, request("RSA-2048", "CN=a", "a0{}"),
	    CSR_KEY_PROVEN, "another size");
	enforces(CSR_ATTRIBUTE_MISSING, template, request("P-256", "CN=a", "a0{}"), CSR_KEY_PROVEN,
	    "another type");
	enforces(REFUSAL_NONE, template, request("P-256", "CN=a", "a0{}"), CSR_KEY_ANY, "any");
	enforces(REFUSAL_NONE, list, request("P-256", "CN=a", "a0{" PASSWORD "}"), CSR_KEY_ANY,
	    "any, list");
	enforces(CSR_ATTRIBUTE_MISSING, list, request("RSA-4096", "CN=a", "a0{}"), CSR_KEY_ANY,
	    "any, list, no challengePassword");
	assert_int_equal(wrongs, 0);
}

/* The refusal says which one it was. */
static void test_enforce_text(void **state)
{
	struct csr csr;

	(void)state;
	assert_outcome(
	    EST_OK, csr_parse(request("P-384", "CN=a", "a0{" PASSWORD "}"), CSR_KEY_PROVEN, &csr));
	assert_int_equal(EST_MALFORMED, csrattrs_enforce(decoded(V3), &csr));
	assert_non_null(strstr(reason_text(), "1.3.6.1.1.1.1.22"));
	csr_clear(&csr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_vectors_built),
	    TEST(test_built),
	    TEST(test_placeholder),
	    TEST(test_given),
	    TEST(test_refused_configuration),
	    TEST(test_check),
	    TEST(test_enforce_list),
	    TEST(test_enforce_same),
	    TEST(test_enforce_template),
	    TEST(test_enforce_keys),
	    TEST(test_enforce_text),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
