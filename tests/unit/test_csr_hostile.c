/*
 * Requests that nobody honest makes: cut, bent, doubled, and in every form that DER does not allow.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "common/pki/csr.h"

#define EXTENSION_REQUEST "06{2a864886f70d01090e}"
#define MICROSOFT         "06{2b0601040182370201 0e}"
#define CHALLENGE         "06{2a864886f70d010907}"
#define SAN               "30{06{551d11}04{30{82{'a.example'}}}}"

/* What comes of a whole request: parsed, and verified where it parses. */
static enum outcome examine(struct span der)
{
	struct csr csr;
	enum outcome outcome = csr_parse(der, &csr);

	if (outcome == EST_OK)
		outcome = csr_verify(&csr);
	csr_clear(&csr);
	return outcome;
}

static struct span with_attributes(const char *notation)
{
	return maker_request(&(struct maker_request){
	    .key = "P-256", .digest = "SHA256", .attributes = maker_der(notation)});
}

static struct span with_extensions(const char *notation)
{
	return maker_request(&(struct maker_request){.key = "P-256",
	    .digest = "SHA256",
	    .attributes = maker_extensions(maker_der(notation))});
}

static int faults;

static void refuses(struct span der, const char *what)
{
	enum outcome outcome = examine(der);

	if (outcome == EST_OK) {
		print_error("accepted: %s\n", what);
		faults++;
		return;
	}
	assert_outcome(EST_MALFORMED, outcome);
}

/* Every request of a test is tried, so that one fault does not hide the next. */
static void assert_no_faults(void)
{
	int found = faults;

	faults = 0;
	assert_int_equal(found, 0);
}

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
				    reason_text()[0] == '\0')
					fail_msg("%s: octet %zu ^ 0x%02x", keys[k], i, flips[f]);
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
		refuses(maker_copy((struct span){der.data, len}), "a cut request");
	refuses((struct span){NULL, 0}, "nothing");
	refuses(maker_der("$00", der), "an octet behind it");
	refuses(maker_der("$$", der, der), "two requests");
	refuses(maker_der("00$", der), "an octet before it");
	assert_no_faults();
}

/* Cut from the inside, every length around it right again: each field in turn is missing. */
static void test_missing(void **state)
{
	static const char *const wrong[] = {"", "30{}", "30{30{}}", "30{30{}30{}03{0000}}",
	    "30{020100}", "0000000000000000", "ffffffffffffffff", "30 80 0000", "30 84 ffffffff",
	    "30 88 ffffffffffffffff"};
	struct span info =
	    maker_der("30{020100$$a0{}}", maker_name("CN=pump"), maker_spki("P-256"));
	struct span algorithm = maker_der("30{06{2a8648ce3d040302}}");
	struct span signature = maker_der("03{00$}", maker_sign("P-256", "SHA256", info));

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(maker_der(wrong[i]), wrong[i]);
	assert_outcome(EST_OK, examine(maker_der("30{$$$}", info, algorithm, signature)));
	refuses(maker_der("30{$$}", info, algorithm), "no signature");
	refuses(maker_der("30{$$}", info, signature), "no algorithm");
	refuses(maker_der("30{$$}", algorithm, signature), "no info");
	refuses(maker_der("30{$$$0500}", info, algorithm, signature), "a fourth field");
	refuses(maker_der("31{$$$}", info, algorithm, signature), "a SET");
	refuses(maker_der("30{$$03{}}", info, algorithm), "an empty BIT STRING");
	refuses(maker_der("30{$$03{00}}", info, algorithm), "an empty signature");
	refuses(maker_der("30{$$04{$}}", info, algorithm, signature), "an OCTET STRING");
	refuses(maker_der("30{$$23{$}}", info, algorithm, signature), "a constructed BIT STRING");
	assert_no_faults();
}

static void test_info(void **state)
{
	static const char *const versions[] = {
	    "020101", "0200", "02020000", "0201ff", "0a0100", ""};
	static const char *const behind[] = {"a1{}", "0500", "a0{}0500", "80{}", "a0{}a0{}", "30{}",
	    "a0{0500}", "a0{30{}}", "a0{31{}}", "a0 80 0000"};
	struct maker_request request = {
	    .key = "P-256", .digest = "SHA256", .attributes = maker_der("a0{}")};

	(void)state;
	assert_outcome(EST_OK, examine(maker_request(&request)));
	for (size_t i = 0; i < COUNT(versions); i++) {
		request.version = maker_der(versions[i]);
		refuses(maker_request(&request), versions[i]);
	}
	for (size_t i = 0; i < COUNT(behind); i++)
		refuses(with_attributes(behind[i]), behind[i]);
	assert_no_faults();
}

/* C9: two common names, RDNs of several attributes, nobody at all. */
static void test_subjects(void **state)
{
	static const char *const wrong[] = {"30{}", "30{31{30{06{550403}0c{}}}}", "31{}",
	    "30{31{30{06{550403}0c{'a'}}}31{30{06{550403}0c{'b'}}}}",
	    "30{31{30{06{550403}0c{'a'}}30{06{55040a}0c{'b'}}}}",
	    "30{31{30{06{550403}0c{'good'00'.evil'}}}}", "30{31{30{06{550403}0c{'a'0d0a'b'}}}}",
	    "30{31{30{06{550403}0c{1b'[31m'}}}}", "30{31{30{06{550403}1e{00}}}}",
	    "30{31{30{06{550403}02{01}}}}"};
	struct maker_request request = {
	    .key = "P-256", .digest = "SHA256", .attributes = maker_der("a0{}")};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		request.subject = maker_der(wrong[i]);
		refuses(maker_request(&request), wrong[i]);
	}
	request.subject = maker_der("30{}");
	request.attributes = maker_extensions(maker_der("30{06{551d11}04{30{a4{30{}}}}}"));
	refuses(maker_request(&request), "no subject, and no SAN that we know");
	request.attributes = maker_extensions(maker_der(SAN));
	assert_outcome(EST_OK, examine(maker_request(&request)));
	assert_no_faults();
}

/* S-08, S-13: known attributes once, each with one value that is what its type promises. */
static void test_attributes(void **state)
{
	static const char *const wrong[] = {
	    "a0{30{" EXTENSION_REQUEST "31{30{" SAN "}}}30{" EXTENSION_REQUEST "31{30{" SAN "}}}}",
	    "a0{30{" MICROSOFT "31{30{" SAN "}}}30{" EXTENSION_REQUEST "31{30{}}}}",
	    "a0{30{" MICROSOFT "31{30{" SAN "}}}30{" MICROSOFT "31{30{" SAN "}}}}",
	    "a0{30{" CHALLENGE "31{0c{'a'}}}30{" CHALLENGE "31{0c{'a'}}}}",
	    "a0{30{" EXTENSION_REQUEST "31{}}}",
	    "a0{30{" EXTENSION_REQUEST "31{30{" SAN "}30{" SAN "}}}}",
	    "a0{30{" EXTENSION_REQUEST "31{30{" SAN "}}0500}}",
	    "a0{30{" EXTENSION_REQUEST "}}",
	    "a0{30{" EXTENSION_REQUEST "30{30{" SAN "}}}}",
	    "a0{30{" EXTENSION_REQUEST "31{31{" SAN "}}}}",
	    "a0{30{" EXTENSION_REQUEST "31{0500}}}",
	    "a0{30{" EXTENSION_REQUEST "31{" SAN "}}}",
	    "a0{30{" EXTENSION_REQUEST "31{30{" SAN "0500}}}}",
	    "a0{30{" CHALLENGE "31{}}}",
	    "a0{30{" CHALLENGE "31{0c{'a'}0c{'b'}}}}",
	    "a0{30{06{2a0304}31{}}}",
	    "a0{30{06{2a0304}0500}}",
	    "a0{30{06{2a0304}31{0c 05 'a'}}}",
	    "a0{30{31{0500}}}",
	    "a0{30{" CHALLENGE "31{02{01}}}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(with_attributes(wrong[i]), wrong[i]);
	assert_outcome(
	    EST_OK, examine(with_attributes("a0{30{06{2a0304}31{02{01}}}30{06{2a0305}31{0500}}}")));
	assert_outcome(EST_OK, examine(with_attributes("")));
	assert_no_faults();
}

static void test_extensions(void **state)
{
	static const char *const wrong[] = {
	    SAN SAN,
	    "30{06{551d0f}04{03{0780}}}30{06{551d0f}04{03{0780}}}",
	    "30{06{551d0e}04{04{01}}}30{06{551d0e}04{04{01}}}",
	    "30{06{551d11}0101 00 04{30{82{'a'}}}}", /* critical FALSE, its default */
	    "30{06{551d11}0101 01 04{30{82{'a'}}}}", /* BER's TRUE */
	    "30{06{551d11}0102 ffff 04{30{82{'a'}}}}",
	    "30{06{551d11}0100 04{30{82{'a'}}}}",
	    "30{06{551d11}04{}}",
	    "30{06{551d11}04{30{}}}",
	    "30{06{551d11}04{30{82{'a'}}00}}",
	    "30{06{551d11}04{30{82{'a'}}}00}",
	    "30{06{551d11}30{82{'a'}}}",
	    "30{06{551d11}}",
	    "30{04{30{82{'a'}}}}",
	    "31{06{551d11}04{30{82{'a'}}}}",
	    "0500",
	    "30{06{551d0f}04{03{00}}}", /* no bit */
	    "30{06{551d0f}04{03{0000}}}",
	    "30{06{551d0f}04{03{}}}",
	    "30{06{551d0f}04{03{0880}}}", /* more than seven unused bits */
	    "30{06{551d0f}04{03{0700000080}}}",
	    "30{06{551d0f}04{04{80}}}",
	    "30{06{551d0f}04{03{0780}00}}",
	    "30{06{551d0f}04{03{07ff}}}", /* X.690 11.2.1: unused bits are zero */
	    "30{06{551d25}04{30{}}}",
	    "30{06{551d25}04{30{06{}}}}",
	    "30{06{551d25}04{30{0500}}}",
	    "30{06{551d25}04{30{06{2b06010505070302}}00}}",
	    "30{06{551d25}04{06{2b06010505070302}}}",
	    "30{06{551d13}04{}}",
	    "30{06{551d13}04{30{}00}}",
	    "30{06{551d13}04{0101ff}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(with_extensions(wrong[i]), wrong[i]);
	assert_outcome(EST_OK, examine(with_extensions("")));
	assert_outcome(EST_OK, examine(with_extensions("30{06{551d11}0101ff04{30{82{'a'}}}}")));
	assert_outcome(EST_OK, examine(with_extensions("30{06{2a0304}04{}}30{06{2a0305}04{ff}}")));
	assert_no_faults();
}

/* Appends template with the number in hex for its @, so that no OID stands twice. */
static void add_numbered(struct buf *text, const char *template, int number)
{
	const char *at = strchr(template, '@');

	if (at == NULL)
		buf_add_string(text, template);
	else
		buf_printf(
		    text, "%.*s%02x%s", (int)(at - template), template, (unsigned)number, at + 1);
}

/* RFC 5280 4.2, RFC 2986 4.1: nothing twice, whether we know it or not. */
static void test_unknown_twice(void **state)
{
	(void)state;
	assert_outcome(
	    EST_MALFORMED, examine(with_extensions("30{06{2a0304}04{}}30{06{2a0304}04{ff}}")));
	assert_outcome(EST_MALFORMED,
	    examine(with_attributes("a0{30{06{2a0304}31{0500}}30{06{2a0304}31{0500}}}")));
	assert_outcome(EST_MALFORMED,
	    examine(with_attributes("a0{30{06{2a0304}31{0500}}30{06{2a0304}31{0101ff}}}")));
}

/* B6: own limits, reached and passed. */
static void test_limits(void **state)
{
	struct buf text = {0};
	static const struct {
		const char *head, *one, *tail;
		int most;
		bool attributes;
	} limits[] = {{"", "30{06{2a03@}04{}}", "", 20, false},
	    {"30{06{551d11}04{30{", "82{'a'}", "}}}", 100, false},
	    {"a0{", "30{06{2a03@}31{0500}}", "}", 32, true}};

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++)
		for (int more = 0; more < 2; more++) {
			buf_reset(&text);
			buf_add_string(&text, limits[i].head);
			for (int k = 0; k < limits[i].most + more; k++)
				add_numbered(&text, limits[i].one, k);
			buf_add_string(&text, limits[i].tail);
			assert_outcome(more == 0 ? EST_OK : EST_MALFORMED,
			    examine(limits[i].attributes ? with_attributes(buf_string(&text))
							 : with_extensions(buf_string(&text))));
		}
	buf_free(&text);
}

/* B5: as deep as it may be within the body limit, wherever something unknown may stand. */
static void test_deep(void **state)
{
	struct buf nest = {0};
	struct span value;

	(void)state;
	for (int depth = 0; depth < 3000; depth++) {
		struct buf outer = {0};
		value = maker_der("30{$}", buf_span(&nest));
		buf_add_span(&outer, value);
		buf_free(&nest);
		nest = outer;
	}
	refuses(buf_span(&nest), "SEQUENCEs in SEQUENCEs");
	value = maker_der("a0{30{06{2a0304}31{$}}}", buf_span(&nest));
	assert_outcome(EST_OK, examine(maker_request(&(struct maker_request){
				   .key = "P-256", .digest = "SHA256", .attributes = value})));
	value = maker_extensions(maker_der("30{06{2a0304}04{$}}", buf_span(&nest)));
	assert_outcome(EST_OK, examine(maker_request(&(struct maker_request){
				   .key = "P-256", .digest = "SHA256", .attributes = value})));
	buf_free(&nest);
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
	    TEST(test_limits),
	    TEST(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
