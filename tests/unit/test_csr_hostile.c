/*
 * Requests that nobody honest makes: cut, bent, doubled, and in every form that DER does not allow.
 */
#include "maker.h"
#include "refusal_test.h"

#include "csr_test.h"

#include <stdlib.h>
#include <string.h>

#define EXTENSION_REQUEST "06{2a864886f70d01090e}"
#define MICROSOFT         "06{2b0601040182370201 0e}"
#define DECRYPT_KEY       "06{2a864886f70d0109100225}"
#define ASYMMETRIC_KEY    "06{2a864886f70d0109100236}"
#define CAPABILITIES      "06{2a864886f70d01090f}"
#define CHANGE            "06{2b06010505070724}"
#define SAN               "30{06{551d11}04{30{82{'a.example'}}}}"

/* Every octet in several ways: the signature covers the content, the parser what is around it. */
static void test_flips(void **state)
{
	static const char *const extensions[] = {"subjectAltName", "DNS:a.example,IP:192.0.2.1",
	    "keyUsage", "critical,digitalSignature", "extendedKeyUsage", "clientAuth",
	    "basicConstraints", "CA:FALSE", NULL};
	static const char *const keys[] = {"P-256", "Ed25519", "RSA-2048"};
	static const unsigned char flips[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};

	(void)state;
	for (size_t k = 0; k < COUNT(keys); k++) {
		struct span der = maker_csr(keys[k], "CN=pump,O=Acme", extensions);
		unsigned char *bent = mem_alloc(der.len);
		memcpy(bent, der.data, der.len);
		assert_outcome(EST_OK, examine((struct span){bent, der.len}));
		for (size_t i = 0; i < der.len; i++)
			for (size_t f = 0; f < COUNT(flips); f++) {
				bent[i] ^= flips[f];
				if (examine((struct span){bent, der.len}) != EST_MALFORMED ||
				    refusal_recorded(EST_MALFORMED) == OTHER ||
				    reason_text()[0] == '\0')
					fail_msg("%s: octet %zu ^ 0x%02x: %s", keys[k], i, flips[f],
					    reason_text());
				reason_clear();
				bent[i] ^= flips[f];
			}
		free(bent);
	}
}

static void test_cut(void **state)
{
	static const char *const extensions[] = {
	    "subjectAltName", "DNS:a.example", "keyUsage", "digitalSignature", NULL};
	struct span der = maker_csr("P-256", "CN=pump", extensions);

	(void)state;
	for (size_t len = 0; len < der.len; len++)
		refuses(CSR_DER, maker_copy((struct span){der.data, len}), "a cut request");
	refuses(CSR_DER, (struct span){NULL, 0}, "nothing");
	refuses(CSR_TRAILING, maker_der("$00", der), "an octet behind it");
	refuses(CSR_TRAILING, maker_der("$$", der, der), "two requests");
	refuses(CSR_DER, maker_der("00$", der), "an octet before it");
	assert_no_faults();
}

/*
 * B2, B3, B4, and cut from the inside, every length around it right again:
 * each field in turn is missing.
 */
static void test_missing(void **state)
{
	static const char *const wrong[] = {"", "30{}", "30{30{}}", "30{30{}30{}03{000001}}",
	    "30{020100}", "0000000000000000", "ffffffffffffffff", "30 80 0000", "30 84 ffffffff",
	    "30 88 ffffffffffffffff"};
	struct span info =
	    maker_der("30{020100$$a0{}}", maker_name("CN=pump"), maker_spki("P-256"));
	struct span algorithm = maker_der("30{06{2a8648ce3d040302}}");
	struct span signature = maker_der("03{00$}", maker_sign("P-256", "SHA256", info));

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(CSR_DER, maker_der(wrong[i]), wrong[i]);
	assert_outcome(EST_OK, examine(maker_der("30{$$$}", info, algorithm, signature)));
	refuses(CSR_DER, maker_der("30{$$}", info, algorithm), "no signature");
	refuses(CSR_DER, maker_der("30{$$}", info, signature), "no algorithm");
	refuses(CSR_DER, maker_der("30{$$}", algorithm, signature), "no info");
	refuses(CSR_DER, maker_der("30{$$$0500}", info, algorithm, signature), "a fourth field");
	refuses(CSR_DER, maker_der("31{$$$}", info, algorithm, signature), "a SET");
	refuses(CSR_DER, maker_der("30{$$03{}}", info, algorithm), "an empty BIT STRING");
	refuses(CSR_DER, maker_der("30{$$03{01fe}}", info, algorithm), "seven bits");
	refuses(CSR_SIGNATURE, maker_der("30{$$03{00}}", info, algorithm), "an empty signature");
	refuses(CSR_DER, maker_der("30{$$04{$}}", info, algorithm, signature), "an OCTET STRING");
	refuses(CSR_DER, maker_der("30{$$23{$}}", info, algorithm, signature),
	    "a constructed BIT STRING");
	refuses(CSR_DER, maker_der("30 80 $$$ 0000", info, algorithm, signature),
	    "an indefinite length");
	refuses(CSR_DER, maker_der("30 84 0000 01 00 $$$", info, algorithm, signature),
	    "a length that is too long");
	refuses(CSR_DER, maker_der("30{$$ 03 84 00000047 00 $}", info, algorithm, signature),
	    "a length that is too long, further in");
	assert_no_faults();
}

/* A4 */
static void test_info(void **state)
{
	static const char *const versions[] = {
	    "020101", "020102", "0201ff", "02020080", "0203010000"};
	static const char *const no_versions[] = {"0200", "02020000", "0a0100", "", "0500"};
	static const char *const behind[] = {"a1{}", "0500", "a0{}0500", "80{}", "a0{}a0{}", "30{}",
	    "a0{0500}", "a0{30{}}", "a0{31{}}", "a0 80 0000"};
	struct maker_request request = {
	    .key = "P-256", .digest = "SHA256", .attributes = maker_der("a0{}")};

	(void)state;
	assert_outcome(EST_OK, examine(maker_request(&request)));
	for (size_t i = 0; i < COUNT(versions); i++) {
		request.version = maker_der(versions[i]);
		refuses(CSR_VERSION, maker_request(&request), versions[i]);
	}
	for (size_t i = 0; i < COUNT(no_versions); i++) {
		struct span info = maker_der("30{$$$a0{}}", maker_der(no_versions[i]),
		    maker_name("CN=pump"), maker_spki("P-256"));
		enum outcome outcome = examine(maker_der("30{$30{06{2a8648ce3d040302}}03{00$}}",
		    info, maker_sign("P-256", "SHA256", info)));
		enum refusal got = refusal_recorded(outcome);
		if (got != CSR_VERSION && got != CSR_DER)
			fail_msg("version %s: %s", no_versions[i], reason_text());
		reason_clear();
	}
	for (size_t i = 0; i < COUNT(behind); i++)
		refuses(CSR_ATTRIBUTES, with_attributes(behind[i]), behind[i]);
	assert_no_faults();
}

/* C1, C2, C7, C9, C11: what names must not be, whatever the profile. */
static void test_subjects(void **state)
{
	static const struct {
		const char *subject;
		enum refusal refusal;
	} wrong[] = {{"30{}", CSR_NAME_EMPTY}, {"30{31{30{06{550403}0c{}}}}", CSR_NAME_EMPTY},
	    {"30{31{30{06{550403}0c{'  '}}}}", CSR_NAME_EMPTY}, {"30{31{}}", CSR_NAME_DER},
	    {"30{30{}}", CSR_NAME_DER},
	    {"30{31{30{06{550403}0c{'a'}}}31{30{06{550403}0c{'b'}}}}", CSR_NAME_FORM},
	    {"30{31{30{06{550403}0c{'a'}}30{06{55040a}0c{'b'}}}}", CSR_NAME_FORM},
	    {"30{31{30{06{550403}0c{'good'00'.evil'}}}}", CSR_NAME_NUL},
	    {"30{31{30{06{550403}1e{006100000062}}}}", CSR_NAME_NUL},
	    {"30{31{30{06{550403}0c{'a'0d0a'b'}}}}", CSR_NAME_CONTROL},
	    {"30{31{30{06{550403}0c{1b'[31m'}}}}", CSR_NAME_CONTROL},
	    {"30{31{30{06{550403}0c{'a'7f}}}}", CSR_NAME_CONTROL},
	    {"30{31{30{06{550403}0c{c285}}}}", CSR_NAME_CONTROL},
	    {"30{31{30{06{550403}0c{e280a8}}}}", CSR_NAME_CONTROL},
	    {"30{31{30{06{550403}0c{e280ae}}}}", CSR_NAME_CONTROL},
	    {"30{31{30{06{550403}1e{00}}}}", CSR_NAME_ENCODING},
	    {"30{31{30{06{550403}0c{ff}}}}", CSR_NAME_ENCODING},
	    {"30{31{30{06{550403}13{'a_b'}}}}", CSR_NAME_ENCODING},
	    {"30{31{30{06{550403}12{'a'}}}}", CSR_NAME_ENCODING},
	    {"30{31{30{06{550403}02{01}}}}", CSR_NAME_TYPE},
	    {"30{31{30{06{550406}13{'DEU'}}}}", CSR_NAME_LENGTH},
	    {"30{31{30{06{550403}13{'0123456789012345678901234567890123456789012345678901234567890"
	     "1234'}}}}",
		CSR_NAME_LENGTH}};
	struct maker_request request = {
	    .key = "P-256", .digest = "SHA256", .attributes = maker_der("a0{}")};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		request.subject = maker_der(wrong[i].subject);
		refuses(wrong[i].refusal, maker_request(&request), wrong[i].subject);
	}
	request.subject = maker_der("30{}");
	request.attributes = maker_extensions(maker_der("30{06{551d11}04{30{a4{30{}}}}}"));
	refuses(CSR_NAME_EMPTY, maker_request(&request), "no subject, and no SAN that we know");
	request.attributes = maker_extensions(maker_der(SAN));
	assert_outcome(EST_OK, examine(maker_request(&request)));
	assert_no_faults();
}

/*
 * D3, D5, S-08, S-13: each attribute once, known ones with one value
 * that is what its type promises.
 */
static void test_attributes(void **state)
{
	static const struct {
		const char *attributes;
		enum refusal refusal;
	} wrong[] = {
	    {"a0{30{" EXTENSION_REQUEST "31{30{" SAN "}}}30{" EXTENSION_REQUEST "31{30{" SAN "}}}}",
		CSR_ATTRIBUTES},
	    {"a0{30{" MICROSOFT "31{30{" SAN "}}}30{" EXTENSION_REQUEST "31{30{}}}}",
		CSR_ATTRIBUTES},
	    {"a0{30{" MICROSOFT "31{30{" SAN "}}}30{" MICROSOFT "31{30{" SAN "}}}}",
		CSR_ATTRIBUTES},
	    {"a0{30{" CHALLENGE "31{0c{'a'}}}30{" CHALLENGE "31{0c{'a'}}}}", CSR_ATTRIBUTES},
	    {"a0{30{" EXTENSION_REQUEST "31{}}}", CSR_ATTRIBUTES},
	    {"a0{30{" EXTENSION_REQUEST "31{30{" SAN "}30{" SAN "}}}}", CSR_ATTRIBUTES},
	    {"a0{30{" EXTENSION_REQUEST "31{30{" SAN "}}0500}}", CSR_ATTRIBUTES},
	    {"a0{30{" EXTENSION_REQUEST "}}", CSR_ATTRIBUTES},
	    {"a0{30{" EXTENSION_REQUEST "30{30{" SAN "}}}}", CSR_ATTRIBUTES},
	    {"a0{30{" EXTENSION_REQUEST "31{31{" SAN "}}}}", CSR_EXTENSION_DER},
	    {"a0{30{" EXTENSION_REQUEST "31{0500}}}", CSR_EXTENSION_DER},
	    {"a0{30{" EXTENSION_REQUEST "31{" SAN "}}}", CSR_EXTENSION_DER},
	    {"a0{30{" EXTENSION_REQUEST "31{30{" SAN "0500}}}}", CSR_EXTENSION_DER},
	    {"a0{30{" CHALLENGE "31{}}}", CSR_ATTRIBUTES},
	    {"a0{30{" CHALLENGE "31{0c{'a'}0c{'b'}}}}", CSR_ATTRIBUTES},
	    {"a0{30{06{2a0304}31{}}}", CSR_ATTRIBUTES},
	    {"a0{30{06{2a0304}0500}}", CSR_ATTRIBUTES},
	    {"a0{30{06{2a0304}31{0c 05 'a'}}}", CSR_ATTRIBUTES},
	    {"a0{30{31{0500}}}", CSR_ATTRIBUTES},
	    {"a0{30{" CHALLENGE "31{02{01}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{0c{}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{0c{'a'00'b'}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{13{'a'0a'b'}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{13{0a'ab'}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{13{'  '0a}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{1e{000a}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{04{'a'}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{1e{00}}}}", CSR_CHALLENGE},
	    {"a0{30{" CHALLENGE "31{0c{ff}}}}", CSR_CHALLENGE},
	    /* the attributes of RFC 7894 */
	    {"a0{30{06{2a864886f70d0109100238}31{02{01}}}}", CSR_CHALLENGE},
	    {"a0{30{06{2a864886f70d0109100239}31{0c{}}}}", CSR_CHALLENGE},
	    {"a0{30{06{2a864886f70d010910023a}31{0c{'a'00}}}}", CSR_CHALLENGE},
	    {"a0{30{06{2a864886f70d010910023a}31{0c{'a'}0c{'b'}}}}", CSR_ATTRIBUTES},
	    /* the attributes of RFC 7030 4.4.1, and RFC 6402 2.8's */
	    {"a0{30{" DECRYPT_KEY "31{0c{'a'}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" DECRYPT_KEY "31{04{}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" DECRYPT_KEY "31{24{04{'a'}}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" DECRYPT_KEY "31{04{'a'}04{'b'}}}}", CSR_ATTRIBUTES},
	    {"a0{30{" ASYMMETRIC_KEY "31{0500}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CAPABILITIES "31{0500}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CAPABILITIES "31{06{2a0304}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CAPABILITIES "31{30{06{2a0304}}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CAPABILITIES "31{30{30{}}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CAPABILITIES "31{30{30{0500}}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CAPABILITIES "31{30{30{06{2a0304}05000500}}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CAPABILITIES "31{30{30{06{2a0304}0505}}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CAPABILITIES "31{30{30{06{2a8004}}}}}}", CSR_DER},
	    {"a0{30{" CHANGE "31{30{}}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CHANGE "31{0500}}}", CSR_ATTRIBUTE_VALUE},
	    {"a0{30{" CHANGE "31{30{30{31{30{06{550403}0c{'a'00}}}}}}}}", CSR_NAME_NUL},
	    /* B3: BER where nobody looks */
	    {"a0{30{06{2a0304}31{30 80 0000}}}", CSR_ATTRIBUTES},
	    {"a0{30{06{2a0304}31{30{30 80 0000}}}}", CSR_DER},
	    {"a0{30{06{2a0304}31{30{0c 81 01 'a'}}}}", CSR_DER},
	    {"a0{30{06{2a0304}31{0500 0c 05 'a'}}}", CSR_ATTRIBUTES},
	    /* X.690 11.6: a SET OF in order */
	    {"a0{30{06{2a0304}31{0500}}30{06{2a0303}31{0500}}}", CSR_ATTRIBUTES},
	    {"a0{30{06{2a0304}31{02{01}}}30{06{2a0305}31{0500}}}", CSR_ATTRIBUTES},
	    {"a0{30{06{2a0304}31{02{02}02{01}}}}", CSR_ATTRIBUTES},
	    {"a0{30{06{2a0304}31{24{0400}}}}", CSR_DER},
	    {"a0{30{06{2a0304}31{02020001}}}", CSR_DER},
	    {"a0{30{06{2a8004}31{0500}}}", CSR_DER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(
		    wrong[i].refusal, with_attributes(wrong[i].attributes), wrong[i].attributes);
	assert_outcome(EST_OK,
	    examine(with_attributes("a0{30{06{2a0305}31{0500}}30{06{2a0304}31{02{01}02{02}}}}")));
	assert_outcome(EST_OK, examine(with_attributes("a0{30{" MICROSOFT "31{30{" SAN "}}}}")));
	assert_outcome(EST_OK, examine(with_attributes("a0{30{" CHALLENGE "31{13{'a'}}}}")));
	assert_outcome(EST_OK, examine(with_attributes("a0{30{" CAPABILITIES "31{30{}}}}")));
	assert_outcome(EST_OK, examine(with_attributes("")));
	assert_no_faults();
}

static void test_extensions(void **state)
{
	static const struct {
		const char *extensions;
		enum refusal refusal;
	} wrong[] = {
	    {SAN SAN, CSR_EXTENSION_TWICE},
	    {"30{06{551d0f}04{03{0780}}}30{06{551d0f}04{03{0780}}}", CSR_EXTENSION_TWICE},
	    {"30{06{551d0e}04{04{01}}}30{06{551d0e}04{04{01}}}", CSR_EXTENSION_TWICE},
	    /* critical FALSE, its default, and BER's TRUE */
	    {"30{06{551d11}0101 00 04{30{82{'a'}}}}", CSR_EXTENSION_DER},
	    {"30{06{551d11}0101 01 04{30{82{'a'}}}}", CSR_EXTENSION_DER},
	    {"30{06{551d11}0102 ffff 04{30{82{'a'}}}}", CSR_EXTENSION_DER},
	    {"30{06{551d11}0100 04{30{82{'a'}}}}", CSR_EXTENSION_DER},
	    {"30{06{551d11}04{}}", CSR_SAN_DER},
	    {"30{06{551d11}04{30{}}}", CSR_SAN_DER},
	    {"30{06{551d11}04{30{82{'a'}}00}}", CSR_SAN_DER},
	    {"30{06{551d11}04{30{82{'a'}}}00}", CSR_EXTENSION_DER},
	    {"30{06{551d11}30{82{'a'}}}", CSR_EXTENSION_DER},
	    {"30{06{551d11}}", CSR_EXTENSION_DER},
	    {"30{04{30{82{'a'}}}}", CSR_EXTENSION_DER},
	    {"31{06{551d11}04{30{82{'a'}}}}", CSR_EXTENSION_DER},
	    {"0500", CSR_EXTENSION_DER},
	    {"30{06{551d11}04{30{82{'a'00'b'}}}}", CSR_NAME_NUL},
	    {"30{06{551d11}04{30{82{'a'0a}}}}", CSR_NAME_CONTROL},
	    {"30{06{551d11}04{30{82{'*.a'}}}}", CSR_SAN_NAME},
	    {"30{06{551d11}04{30{87{c00002}}}}", CSR_SAN_NAME},
	    {"30{06{551d0f}04{03{00}}}", CSR_KEY_USAGE}, /* no bit */
	    {"30{06{551d0f}04{03{0000}}}", CSR_KEY_USAGE},
	    {"30{06{551d0f}04{03{}}}", CSR_KEY_USAGE},
	    {"30{06{551d0f}04{03{0880}}}", CSR_KEY_USAGE}, /* more than seven unused bits */
	    {"30{06{551d0f}04{03{0700000080}}}", CSR_KEY_USAGE},
	    {"30{06{551d0f}04{04{80}}}", CSR_KEY_USAGE},
	    {"30{06{551d0f}04{03{0780}00}}", CSR_KEY_USAGE},
	    {"30{06{551d0f}04{03{07ff}}}", CSR_KEY_USAGE}, /* X.690 11.2.1: unused bits are zero */
	    {"30{06{551d25}04{30{}}}", CSR_EXTENDED_KEY_USAGE},
	    {"30{06{551d25}04{30{06{}}}}", CSR_EXTENDED_KEY_USAGE},
	    {"30{06{551d25}04{30{0500}}}", CSR_EXTENDED_KEY_USAGE},
	    {"30{06{551d25}04{30{06{2b06010505070302}}00}}", CSR_EXTENDED_KEY_USAGE},
	    {"30{06{551d25}04{06{2b06010505070302}}}", CSR_EXTENDED_KEY_USAGE},
	    {"30{06{551d25}04{30{06{2b06010505070302}06{2b06010505070302}}}}",
		CSR_EXTENDED_KEY_USAGE},
	    {"30{06{551d13}04{}}", CSR_EXTENSION_DER},
	    {"30{06{551d13}04{30{}00}}", CSR_EXTENSION_DER},
	    {"30{06{551d13}04{0101ff}}", CSR_EXTENSION_DER},
	    {"30{06{551d13}04{30{010101}}}", CSR_EXTENSION_DER},
	    /* what nobody reads is DER all the same (RFC 5280 4.2) */
	    {"30{06{551d0e}04{04{01}00}}", CSR_EXTENSION_DER},
	    {"30{06{551d23}04{30 80 0000}}", CSR_EXTENSION_DER},
	    {"30{06{551d1e}04{30{}00}}", CSR_EXTENSION_DER},
	    {"30{06{2a0304}04{}}", CSR_EXTENSION_DER},
	    {"30{06{2a0304}04{ff}}", CSR_EXTENSION_DER},
	    {"30{06{2a0304}04{0500 00}}", CSR_EXTENSION_DER},
	    {"30{06{2a0304}04{30{30 80 0000}}}", CSR_EXTENSION_DER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(
		    wrong[i].refusal, with_extensions(wrong[i].extensions), wrong[i].extensions);
	assert_outcome(EST_OK, examine(with_extensions("")));
	assert_outcome(
	    EST_OK, examine(with_extensions("30{06{551d11}0101ff04{30{82{'a.example'}}}}")));
	assert_outcome(
	    EST_OK, examine(with_extensions("30{06{2a0304}04{0500}}30{06{2a0305}04{30{30{}}}}")));
	assert_no_faults();
}

/* RFC 5280 4.2, RFC 2986 4.1: nothing twice, whether we know it or not. */
static void test_unknown_twice(void **state)
{
	(void)state;
	refuses(CSR_EXTENSION_TWICE,
	    with_extensions("30{06{2a0304}04{0500}}30{06{2a0304}04{0101ff}}"), "extension");
	refuses(CSR_ATTRIBUTES, with_attributes("a0{30{06{2a0304}31{0500}}30{06{2a0304}31{0500}}}"),
	    "attribute");
	refuses(CSR_ATTRIBUTES,
	    with_attributes("a0{30{06{2a0304}31{0500}}30{06{2a0304}31{0101ff}}}"), "attribute");
	assert_no_faults();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_flips),
	    TEST(test_cut),
	    TEST(test_missing),
	    TEST(test_info),
	    TEST(test_subjects),
	    TEST(test_attributes),
	    TEST(test_extensions),
	    TEST(test_unknown_twice),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
