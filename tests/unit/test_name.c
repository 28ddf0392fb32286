/*
 * Distinguished names: which text is let in, how it is shown, encoded again, and compared.
 */
#include "maker.h"
#include "refusal_test.h"

#include <string.h>

#include "common/base/utf8.h"
#include "common/pki/name.h"

#define CN "06{550403}"
#define O  "06{55040a}"

static struct span one(const char *oid, const char *value)
{
	struct buf notation = {0};
	struct span name;

	buf_printf(&notation, "30{31{30{06{%s}%s}}}", oid, value);
	name = maker_der(buf_string(&notation));
	buf_free(&notation);
	return name;
}

static void parses(struct span der, const char *text)
{
	struct name name;
	struct buf out = {0};

	assert_outcome(EST_OK, name_parse(der, &name));
	name_text(&name, &out);
	assert_string_equal(buf_string(&out), text);
	buf_free(&out);
	name_clear(&name);
}

static void refuses(enum refusal wanted, struct span der, const char *what)
{
	struct name name;

	assert_true(refusal_is(wanted, name_parse(der, &name), what));
	name_clear(&name);
}

static void test_string_types(void **state)
{
	static const char *const values[] = {"0c{'caf' c3a9}", "14{'caf' e9}",
	    "1e{00'c'00'a'00'f'00e9}", "1c{000000'c'000000'a'000000'f'000000e9}"};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		parses(one("550403", values[i]), "CN=caf\xc3\xa9");
	parses(one("550403", "13{'pump-7'}"), "CN=pump-7");
	parses(one("550403", "16{'pump@7'}"), "CN=pump@7");
	parses(one("550403", "12{'1 2'}"), "CN=1 2");
	parses(one("550403", "1a{'pump'}"), "CN=pump");
	parses(one("550403", "1c{0001f600}"), "CN=\xf0\x9f\x98\x80");
	parses(maker_der("30{}"), "");
}

/* C7 */
static void test_not_text(void **state)
{
	static const char *const types[] = {"02{01}", /* INTEGER */
	    "04{'a'}", "03{00'a'}", "30{}", "31{}", "05{}", "2c{0c{'a'}}", "17{'260101000000Z'}",
	    "80{'a'}"};
	static const char *const bytes[] = {"1e{00}", "1e{00'a'00}", /* BMPString of odd length */
	    "1e{d83dde00}", "1e{d800}",    /* surrogates are no BMP characters */
	    "1c{0000}", "1c{000000'a'00}", /* UniversalString cut */
	    "1c{00110000}", "1c{0000d800}", "1c{ffffffff}", "0c{ff}", "0c{c080}", "0c{eda080}",
	    "0c{f4908080}", "0c{'a'c3}", "0c{e28080e280}", "16{80}", "16{e9}", "13{'a'e9}",
	    "1a{ff}", "12{b2}"};
	static const char *const nothing[] = {"0c{}", "1e{}", "13{}", "1c{}", "14{}"};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		refuses(CSR_NAME_TYPE, one("550403", types[i]), types[i]);
	for (size_t i = 0; i < COUNT(bytes); i++)
		refuses(CSR_NAME_ENCODING, one("550403", bytes[i]), bytes[i]);
	for (size_t i = 0; i < COUNT(nothing); i++)
		refuses(CSR_NAME_EMPTY, one("550403", nothing[i]), nothing[i]);
	refuses(CSR_NAME_EMPTY, one("2a0304", "0c{}"), "an unknown attribute, empty");
	refuses(CSR_NAME_TYPE, one("2a0304", "02{01}"), "an unknown attribute, a number");
}

/* Every control, in every string type that can hold it (C1, C2 of the security cases: NUL first of
 * all). */
static void test_controls(void **state)
{
	static const uint32_t others[] = {0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069};
	char notation[64];

	(void)state;
	for (uint32_t c = 0; c < 0x2070; c++) {
		bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
		enum refusal wanted = c == 0 ? CSR_NAME_NUL : CSR_NAME_CONTROL;
		struct buf utf8 = {0};
		for (size_t i = 0; i < COUNT(others); i++)
			is_control = is_control || c == others[i];
		if (!is_control)
			continue;
		(void)utf8_encode(&utf8, c);
		refuses(wanted,
		    maker_der("30{31{30{06{550403}0c{'a'$'b'}}}}", maker_copy(buf_span(&utf8))),
		    "UTF8String");
		(void)snprintf(notation, sizeof(notation), "1e{00'a'%04x00'b'}", (unsigned)c);
		refuses(wanted, one("550403", notation), notation);
		(void)snprintf(notation, sizeof(notation), "1c{%08x}", (unsigned)c);
		refuses(wanted, one("550403", notation), notation);
		for (unsigned tag = 0x12; c < 0x100 && tag < 0x1b; tag++) {
			bool has_c1 = tag == 0x14; /* of the types with one octet, TeletexString */
			bool is_text =
			    tag == 0x12 || tag == 0x13 || tag == 0x14 || tag == 0x16 || tag == 0x1a;
			(void)snprintf(
			    notation, sizeof(notation), "%02x{'a'%02x}", tag, (unsigned)c);
			refuses(!is_text               ? CSR_NAME_TYPE
				: c >= 0x80 && !has_c1 ? CSR_NAME_ENCODING
						       : wanted,
			    one("550403", notation), notation);
		}
		buf_free(&utf8);
	}
}

static void test_structure(void **state)
{
	static const char *const wrong[] = {"", "31{}", "30{30{}}", "30{31{}}", "30{31{31{}}}",
	    "30{31{30{" CN "}}}", "30{31{30{06{}0c{'a'}}}}", "30{31{30{0c{'a'}" CN "}}}",
	    "30{31{30{" CN "0c{'a'}05{}}}}", "30{31{30{" CN "0c{'a'}}05{}}}",
	    "30{31{30{" CN "0c{'a'}}}05{}}", "30{31{30{" CN "0c{'a'}}}}00",
	    "30{31{30{" CN "0c 81 01 'a'}}}", "30{31{30{" CN "0c 02 'a'}}}",
	    "30 80 31{30{" CN "0c{'a'}}} 0000"};
	struct span good = maker_der("30{31{30{" CN "0c{'pump'}}}31{30{" O "0c{'Acme'}}}}");

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(CSR_NAME_DER, maker_der(wrong[i]), wrong[i]);
	for (size_t cut = 0; cut < good.len; cut++)
		refuses(CSR_NAME_DER, maker_copy((struct span){good.data, cut}), "cut");
}

static void test_counts(void **state)
{
	struct buf rdns = {0}, pairs = {0};

	(void)state;
	for (int i = 0; i < NAME_RDNS_MAX; i++)
		buf_add_string(&rdns, "31{30{" O "0c{'a'}}}");
	buf_printf(&pairs, "30{%s}", buf_string(&rdns));
	parses(maker_der(buf_string(&pairs)),
	    "O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,"
	    "O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a,O=a");
	buf_reset(&pairs);
	buf_printf(&pairs, "30{%s31{30{" O "0c{'a'}}}}", buf_string(&rdns));
	refuses(CSR_NAME_DER, maker_der(buf_string(&pairs)), "33 attributes");
	buf_reset(&pairs);
	buf_add_string(&pairs, "30{31{");
	for (int i = 0; i <= NAME_RDNS_MAX; i++)
		buf_add_string(&pairs, "30{" O "0c{'a'}}");
	buf_add_string(&pairs, "}}");
	refuses(CSR_NAME_DER, maker_der(buf_string(&pairs)), "33 attributes");
	buf_free(&rdns);
	buf_free(&pairs);
}

/* The upper bounds of RFC 5280 A.1, in characters and not octets. */
static void test_bounds(void **state)
{
	static const struct {
		const char *oid;
		size_t most;
	} bounds[] = {{"550403", 64}, {"550407", 128}, {"550408", 128}, {"55040a", 64},
	    {"55040b", 64}, {"55040c", 64}, {"550411", 40}};

	(void)state;
	for (size_t i = 0; i < COUNT(bounds); i++)
		for (size_t more = 0; more < 2; more++) {
			struct buf value = {0}, text = {0};
			struct name name;
			for (size_t k = 0; k < bounds[i].most + more; k++)
				buf_add_string(&value, "c3a9");
			buf_printf(&text, "0c{%s}", buf_string(&value));
			assert_refusal(more == 0 ? REFUSAL_NONE : CSR_NAME_LENGTH,
			    name_parse(one(bounds[i].oid, buf_string(&text)), &name));
			name_clear(&name);
			buf_free(&value);
			buf_free(&text);
		}
}

/* RFC 5280 A.1: X520name has ub-name, 32768 characters; the short bounds are X.400's
 * PersonalName's. */
static void test_long_given_name(void **state)
{
	(void)state;
	parses(one("55042a", "0c{'Maximilian Joseph Karl'}"), "GN=Maximilian Joseph Karl");
	parses(one("550404", "0c{'Wolfeschlegelsteinhausenbergerdorff the Elder'}"),
	    "SN=Wolfeschlegelsteinhausenbergerdorff the Elder");
}

/* RFC 5280 A.1: countryName is a PrintableString of two letters; serialNumber and emailAddress have
 * their types too. */
static void test_typed(void **state)
{
	(void)state;
	parses(one("550406", "13{'DE'}"), "C=DE");
	parses(one("550406", "0c{'DE'}"), "C=DE");
	parses(one("550405", "0c{'AB/12'}"), "serialNumber=AB/12");
	refuses(CSR_NAME_LENGTH, one("550406", "13{'DEU'}"), "DEU");
	refuses(CSR_NAME_LENGTH, one("550406", "13{'D'}"), "D");
	refuses(CSR_NAME_LENGTH, one("550406", "13{'?!'}"), "?!");
	refuses(CSR_NAME_LENGTH, one("550406", "13{'12'}"), "12");
	refuses(CSR_NAME_LENGTH, one("550406", "13{'U1'}"), "U1");
	refuses(CSR_NAME_LENGTH, one("550406", "13{'1U'}"), "1U");
	refuses(CSR_NAME_LENGTH, one("550406", "0c{c3a9}"), "a letter that is no country's");
	refuses(CSR_NAME_ENCODING, one("550405", "0c{'a_b'}"), "a_b");
	refuses(CSR_NAME_ENCODING, one("550405", "0c{c3a9}"), "a serial number in French");
	refuses(CSR_NAME_ENCODING, one("2a864886f70d010901", "0c{c3a9'@a.example'}"), "mail");
}

/*
 * C11: alphabets of string types (X.680 41). Certificates are read that do not
 * keep to them; a request has to.
 */
static void test_alphabets(void **state)
{
	static const struct {
		const char *value;
		enum refusal refusal;
	} cases[] = {{"13{'a b'}", REFUSAL_NONE},
	    {"13{'A-Z a-z 0-9 '27'()+,-./:=?'}", REFUSAL_NONE}, {"13{'a_b'}", CSR_NAME_ENCODING},
	    {"13{'a@b'}", CSR_NAME_ENCODING}, {"13{'a*'}", CSR_NAME_ENCODING},
	    {"13{'<a>'}", CSR_NAME_ENCODING}, {"13{'a&b'}", CSR_NAME_ENCODING},
	    {"12{'1 2'}", REFUSAL_NONE}, {"12{'12a'}", CSR_NAME_ENCODING},
	    {"12{'1-2'}", CSR_NAME_ENCODING}, {"16{'a_b@c*'}", REFUSAL_NONE},
	    {"1a{'a_b@c*'}", REFUSAL_NONE}, {"14{'a_b'e9}", REFUSAL_NONE},
	    {"0c{'a_b@c*'}", REFUSAL_NONE}, {"0c{'   '}", CSR_NAME_EMPTY},
	    {"1e{00200020}", CSR_NAME_EMPTY}, {"13{' '}", CSR_NAME_EMPTY}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct name name;
		assert_outcome(EST_OK, name_parse(one("550403", cases[i].value), &name));
		assert_true(refusal_is(cases[i].refusal, name_check(&name), cases[i].value));
		name_clear(&name);
	}
}

/* RFC 4514 2.4 */
static void test_escapes(void **state)
{
	static const struct {
		const char *value, *text;
	} cases[] = {{"'a,b'", "CN=a\\,b"}, {"'a+b'", "CN=a\\+b"}, {"'a\"b'", "CN=a\\\"b"},
	    {"'a'5c'b'", "CN=a\\\\b"}, {"'a<b>c;d'", "CN=a\\<b\\>c\\;d"}, {"'#a'", "CN=\\#a"},
	    {"'a#'", "CN=a#"}, {"' a'", "CN=\\ a"}, {"'a '", "CN=a\\ "}, {"' '", "CN=\\ "},
	    {"'  '", "CN=\\ \\ "}, {"'a b'", "CN=a b"}, {"'x,O=Evil'", "CN=x\\,O=Evil"},
	    {"c3a9", "CN=\xc3\xa9"}, {"'a/b'", "CN=a/b"}, {"'<script>'", "CN=\\<script\\>"}};
	char notation[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(notation, sizeof(notation), "0c{%s}", cases[i].value);
		parses(one("550403", notation), cases[i].text);
	}
}

/* The last RDN comes first; the attributes of one RDN stay together. */
static void test_order(void **state)
{
	(void)state;
	parses(maker_der("30{31{30{06{550406}13{'DE'}}}31{30{" O "0c{'Acme'}}30{" CN
			 "0c{'p'}}}31{30{" CN "0c{'q'}}}}"),
	    "CN=q,O=Acme+CN=p,C=DE");
}

/* An OID that nobody knows stands as its number, and its value is not shown as it is (RFC 4514 2.4,
 * name.h). */
static void test_unknown_type(void **state)
{
	struct name name;
	struct buf out = {0};

	(void)state;
	assert_outcome(EST_OK, name_parse(one("2a0304", "0c{'plain'}"), &name));
	name_text(&name, &out);
	assert_memory_equal(buf_string(&out), "1.2.3.4=", 8);
	assert_null(strstr(buf_string(&out), "plain"));
	assert_null(name.attributes[0].type);
	buf_free(&out);
	name_clear(&name);
}

static void test_first(void **state)
{
	struct name name;

	(void)state;
	assert_outcome(EST_OK, name_parse(maker_der("30{31{30{" O "0c{'Acme'}}}31{30{" CN
						    "0c{'p'}}}31{30{" CN "0c{'q'}}}}"),
				   &name));
	assert_bytes(BYTES("p"), name_first(&name, "CN"));
	assert_bytes(BYTES("Acme"), name_first(&name, "O"));
	assert_int_equal(name_first(&name, "serialNumber").len, 0);
	assert_null(name_type_of("cn"));
	assert_string_equal(name_type_of("CN")->word, "CN");
	name_clear(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_string_types),
	    TEST(test_not_text),
	    TEST(test_controls),
	    TEST(test_structure),
	    TEST(test_counts),
	    TEST(test_bounds),
	    TEST(test_long_given_name),
	    TEST(test_typed),
	    TEST(test_alphabets),
	    TEST(test_escapes),
	    TEST(test_order),
	    TEST(test_unknown_type),
	    TEST(test_first),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
