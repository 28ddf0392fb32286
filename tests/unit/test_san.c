/*
 * Subject alternative names: forms that are let in, text, comparison, and the way back to DER.
 */
#include "maker.h"
#include "refusal_test.h"

#include <string.h>

#include "common/pki/san.h"

static struct span names(const char *notation)
{
	struct buf whole = {0};
	struct span der;

	buf_printf(&whole, "30{%s}", notation);
	der = maker_der(buf_string(&whole));
	buf_free(&whole);
	return der;
}

static void parses(const char *notation, const char *text)
{
	struct span der = names(notation);
	struct sans sans;
	struct buf out = {0};

	assert_outcome(EST_OK, sans_parse(der, &sans));
	sans_text(&sans, &out);
	assert_string_equal(buf_string(&out), text);
	if (sans.others == 0) {
		buf_reset(&out);
		sans_encode(&sans, &out);
		assert_bytes(der, buf_span(&out));
	}
	buf_free(&out);
}

static void refuses(enum refusal wanted, const char *notation)
{
	struct sans sans;

	assert_true(refusal_is(wanted, sans_parse(names(notation), &sans), notation));
}

/*
 * C1, C2: what cuts a name short or ends a line has a code of its
 * own; an address has no characters.
 */
static enum refusal fault_of(const char *notation)
{
	if (strstr(notation, "'00") != NULL)
		return CSR_NAME_NUL;
	return strstr(notation, "'0a") != NULL || strstr(notation, "'7f") != NULL ? CSR_NAME_CONTROL
										  : CSR_SAN_NAME;
}

static void test_good(void **state)
{
	(void)state;
	parses("82{'a.example'}", "dns:a.example");
	parses("82{'localhost'}87{c0000201}", "dns:localhost,ip:192.0.2.1");
	parses("87{20010db8000000000000000000000001}", "ip:2001:db8::1");
	parses("87{00000000}87{ffffffff}", "ip:0.0.0.0,ip:255.255.255.255");
	parses("81{'pump@a.example'}86{'urn:uuid:1'}", "email:pump@a.example,uri:urn:uuid:1");
	parses("82{'_dev.a-b.example'}", "dns:_dev.a-b.example");
	parses("82{'xn--mnchen-3ya.example'}", "dns:xn--mnchen-3ya.example");
	parses("86{'https://a.example/x?y=z#f'}", "uri:https://a.example/x?y=z#f");
}

/* A comma of a URI must not look like the next name. */
static void test_text_is_one_name(void **state)
{
	struct sans sans;
	struct buf out = {0};

	(void)state;
	assert_outcome(EST_OK, sans_parse(names("86{'x:a,dns:admin.example'}"), &sans));
	sans_text(&sans, &out);
	assert_null(strstr(buf_string(&out), ",dns:"));
	buf_free(&out);
}

static void test_dns(void **state)
{
	static const char *const wrong[] = {"", "'.'", "'a.'", "'.a'", "'a..b'", "'*'",
	    "'*.a.example'", "'a*.example'", "'-a.example'", "'a-.example'", "'a b'", "'a'00'b'",
	    "'a'0a'b'", "'a,b'", "'a/b'", "'a@b'", "c3a9", "'a.example '", "'<script>'", "'a:443'",
	    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'" /* 64 */};
	char label[64], notation[600] = "82{'";

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char one[200];
		(void)snprintf(one, sizeof(one), "82{%s}", wrong[i]);
		refuses(fault_of(one), one);
	}
	memset(label, 'a', 63);
	label[63] = '\0';
	for (int i = 0; i < 3; i++) {
		strcat(notation, label);
		strcat(notation, ".");
	}
	label[61] = '\0';
	(void)strcat(strcat(notation, label), "'}"); /* 3 * 64 + 61 = 253 */
	assert_int_equal(names(notation).len, 2 + 2 + 3 + 253);
	{
		struct sans sans;
		assert_outcome(EST_OK, sans_parse(names(notation), &sans));
	}
	memcpy(notation + strlen(notation) - 2, "a'}", 4);
	refuses(CSR_SAN_NAME, notation);
}

static void test_ip(void **state)
{
	(void)state;
	refuses(CSR_SAN_NAME, "87{}");
	refuses(CSR_SAN_NAME, "87{c00002}");
	refuses(CSR_SAN_NAME, "87{c000020101}");
	refuses(CSR_SAN_NAME, "87{c0000201ffffff00}"); /* the form of nameConstraints */
	refuses(CSR_SAN_NAME, "87{20010db80000000000000000000000}");
	refuses(CSR_SAN_NAME, "87{20010db800000000000000000000000100}");
}

static void test_email(void **state)
{
	static const char *const wrong[] = {"", "'a'", "'@'", "'a@'", "'@a.example'", "'a@b@c'",
	    "'a b@c.example'", "'\"a\"@b.example'", "'a@*.example'", "'a'00'@b.example'",
	    "'<a@b.example>'", "'A <a@b.example>'", "'a@b.example,c@d.example'", "c3a9'@b.example'",
	    "'a@b.example'0a", "'a@[192.0.2.1]'"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char one[200];
		(void)snprintf(one, sizeof(one), "81{%s}", wrong[i]);
		refuses(fault_of(one), one);
	}
}

static void test_uri(void **state)
{
	static const char *const wrong[] = {"", "'a'", "':'", "'a:'", "':a'", "'//a.example'",
	    "'1a:b'", "'a b:c'", "'x:a b'", "'x:a'00", "'x:'0a", "'x:<b>'", "'x:\"'", "'x:'5c",
	    "'x:'c3a9", "'x:'7f", "'a_b:c'"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char one[200];
		(void)snprintf(one, sizeof(one), "86{%s}", wrong[i]);
		refuses(fault_of(one), one);
	}
}

static void test_structure(void **state)
{
	static const char *const wrong[] = {"", "82 80", "82 81 01 'a'", "82 02 'a'", "0c{'a'}",
	    "30{}", "c2{'a'}", "02{'a'}", "89{'a'}", "9f2101'a'", "82{'a'}00"};
	static const char *const whole[] = {"", "30", "31{82{'a'}}", "30{82{'a'}}00",
	    "30 80 82{'a'} 0000", "30 81 03 82{'a'}", "04{30{82{'a'}}}"};
	struct sans sans;
	struct span good = names("82{'a.example'}87{c0000201}");

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(CSR_SAN_DER, wrong[i]);
	for (size_t i = 0; i < COUNT(whole); i++)
		assert_refusal(CSR_SAN_DER, sans_parse(maker_der(whole[i]), &sans));
	for (size_t cut = 0; cut < good.len; cut++)
		assert_refusal(
		    CSR_SAN_DER, sans_parse(maker_copy((struct span){good.data, cut}), &sans));
}

/* Kinds that are neither issued nor compared are counted, so that whoever asks for one is not
 * served without it. */
static void test_others(void **state)
{
	static const char others[] = "a0{06{2a0304}a0{0c{'a'}}}a3{}a4{30{}}a5{}88{2a0304}";
	struct sans sans;

	(void)state;
	assert_outcome(EST_OK, sans_parse(names(others), &sans));
	assert_int_equal(sans.count, 0);
	assert_int_equal(sans.others, 5);
	assert_outcome(EST_OK, sans_parse(names("82{'a'}a4{30{}}"), &sans));
	assert_int_equal(sans.count, 1);
	assert_int_equal(sans.others, 1);
	/* A name of a known kind in a constructed value is not that kind. */
	assert_int_equal(sans_parse(names("a2{0c{'a'}}"), &sans) == EST_OK && sans.count > 0, 0);
}

static void test_counts(void **state)
{
	struct buf notation = {0};
	struct sans sans;

	(void)state;
	for (int i = 0; i < SANS_MAX; i++)
		buf_printf(&notation, "82{'d%03d.example'}", i);
	assert_outcome(EST_OK, sans_parse(names(buf_string(&notation)), &sans));
	assert_int_equal(sans.count, SANS_MAX);
	assert_true(sans_equal(&sans, &sans));
	buf_printf(&notation, "82{'d.example'}");
	refuses(CSR_SAN_COUNT, buf_string(&notation));
	/* Names that we do not know count as well. */
	buf_reset(&notation);
	buf_printf(&notation, "82{'a'}");
	for (int i = 1; i < SANS_MAX; i++)
		buf_printf(&notation, "a4{30{}}");
	assert_outcome(EST_OK, sans_parse(names(buf_string(&notation)), &sans));
	assert_int_equal(sans.others, SANS_MAX - 1);
	buf_printf(&notation, "a4{30{}}");
	refuses(CSR_SAN_COUNT, buf_string(&notation));
	buf_free(&notation);
}

/* C14: a wildcard, and a mail address of 600 characters. */
static void test_long_and_wide(void **state)
{
	struct buf notation = {0};

	(void)state;
	refuses(CSR_SAN_NAME, "82{'*.a.example'}");
	buf_add_string(&notation, "81{'a@");
	for (int i = 0; i < 60; i++)
		buf_add_string(&notation, "xn--abcde.");
	buf_add_string(&notation, "example'}");
	refuses(CSR_SAN_NAME, buf_string(&notation));
	buf_reset(&notation);
	buf_add_string(&notation, "81{'");
	for (int i = 0; i < 65; i++)
		buf_add_string(&notation, "a");
	buf_add_string(&notation, "@a.example'}");
	refuses(CSR_SAN_NAME, buf_string(&notation));
	buf_free(&notation);
}

/* C1, C2: where a line or a string would end, in every kind of text, and not in an address. */
static void test_controls(void **state)
{
	static const char *const tags[] = {"81", "82", "86"};
	char notation[64];

	(void)state;
	for (size_t i = 0; i < COUNT(tags); i++)
		for (unsigned c = 0; c < 0x80; c = c == 0x1f ? 0x7f : c + 1) {
			(void)snprintf(
			    notation, sizeof(notation), "%s{'a:b@a'%02x'.example'}", tags[i], c);
			refuses(c == 0 ? CSR_NAME_NUL : CSR_NAME_CONTROL, notation);
		}
	parses("87{000a0d1b}", "ip:0.10.13.27");
}

static bool same(const char *a, const char *b)
{
	struct sans x, y;
	bool equal;

	assert_outcome(EST_OK, sans_parse(names(a), &x));
	assert_outcome(EST_OK, sans_parse(names(b), &y));
	equal = sans_equal(&x, &y);
	assert_int_equal(sans_equal(&y, &x), equal);
	return equal;
}

static void test_equal(void **state)
{
	struct sans none = {.count = 0}, some, others;

	(void)state;
	assert_true(same("82{'a'}82{'b'}", "82{'b'}82{'A'}"));
	assert_true(same("81{'a@B.example'}", "81{'A@b.example'}"));
	assert_true(same("87{c0000201}82{'a'}", "82{'a'}87{c0000201}"));
	assert_false(same("82{'a'}", "82{'a'}82{'b'}"));
	assert_false(same("82{'a'}82{'a'}", "82{'a'}82{'b'}"));
	assert_false(same("82{'a'}82{'b'}", "82{'a'}82{'a'}"));
	assert_false(same("86{'x:A'}", "86{'x:a'}"));
	assert_false(same("87{61626364}", "82{'abcd'}"));
	assert_false(same("87{c0000201}", "87{c0000202}"));
	assert_true(sans_equal(&none, &none));
	assert_outcome(EST_OK, sans_parse(names("82{'a'}"), &some));
	assert_outcome(EST_OK, sans_parse(names("82{'a'}a4{30{}}"), &others));
	assert_false(sans_equal(&none, &some));
	assert_false(sans_equal(&some, &others));
	assert_false(sans_equal(&others, &some));
	assert_true(sans_have(&others, &some.san[0]));
	assert_false(sans_have(&none, &some.san[0]));
}

/*
 * Many names, in another order and another letter case, as a set (N-03): all the same but for one.
 */
static void test_equal_many(void **state)
{
	static const char *const changes[] = {"82{'n999.example'}", "81{'n000.example@b'}",
	    "86{'x:n000.example'}", "87{6e303030}", "82{'n000.exampl'}"};
	struct buf forth = {0}, back = {0}, more = {0};

	(void)state;
	for (int i = 0; i < SANS_MAX; i++) {
		buf_printf(&forth, "82{'n%03d.example'}", i);
		buf_printf(&back, "82{'N%03d.Example'}", (i * 37 + 11) % SANS_MAX);
		if (i > 0)
			buf_printf(&more, "82{'n%03d.example'}", i);
	}
	assert_true(same(buf_string(&forth), buf_string(&back)));
	for (size_t i = 0; i < COUNT(changes); i++) {
		buf_reset(&back);
		buf_add_span(&back, buf_span(&more));
		buf_add_string(&back, changes[i]);
		assert_false(same(buf_string(&forth), buf_string(&back)));
	}
	assert_false(same(buf_string(&forth), buf_string(&more)));
	/* A name twice is that name; it does not stand for another. */
	buf_add_string(&more, "82{'n001.example'}");
	assert_false(same(buf_string(&forth), buf_string(&more)));
	assert_true(same("82{'a'}82{'A'}82{'b'}", "82{'b'}82{'a'}"));
	assert_true(same("82{'a'}82{'b'}82{'a'}", "82{'b'}82{'b'}82{'a'}"));
	assert_false(same("82{'a'}82{'b'}82{'b'}", "82{'a'}82{'b'}82{'c'}"));
	/*
	 * The same octets as another kind; kinds that keep their letter
	 * case; one name that begins another.
	 */
	assert_false(same("82{'a'}81{'a@a'}", "82{'a'}86{'a:a'}"));
	assert_false(same("86{'x:a'}86{'x:A'}", "86{'x:a'}86{'x:a'}"));
	assert_true(same("86{'x:a'}86{'x:A'}", "86{'x:A'}86{'x:a'}"));
	assert_true(
	    same("81{'x@Y'}82{'Y'}86{'y:1'}87{79793131}", "87{79793131}86{'y:1'}82{'y'}81{'X@y'}"));
	assert_false(same("82{'a'}82{'ab'}", "82{'a'}82{'abc'}"));
	assert_false(same("87{00000000}", "87{00000000000000000000000000000000}"));
	buf_free(&forth);
	buf_free(&back);
	buf_free(&more);
}

/* Of so many names, the one that is wrong is named by its number. */
static void says(enum refusal wanted, const char *notation, const char *words)
{
	struct sans sans;
	enum outcome outcome = sans_parse(names(notation), &sans);

	if (strstr(reason_text(), words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", reason_text(), words);
	assert_refusal(wanted, outcome);
}

static void test_says_which(void **state)
{
	(void)state;
	says(CSR_SAN_NAME, "82{'*.a'}", "the 1st subject alternative name: ");
	says(CSR_SAN_NAME, "82{'a'}87{00}", "the 2nd subject alternative name: ");
	says(CSR_SAN_NAME, "82{'a'}82{'b'}81{'c'}82{'d'}", "the 3rd subject alternative name: ");
	/* Those of kinds that we do not know are counted with the others. */
	says(CSR_SAN_NAME, "82{'a'}a4{30{}}82{'b'}82{'c'}82{'d'}88{2a}86{'x'}", "the 7th subject ");
	says(CSR_NAME_NUL, "82{'a'}82{'b'00}", "the 2nd subject alternative name ");
	says(CSR_NAME_CONTROL, "82{'a'}82{'b'0a}", "the 2nd subject alternative name ");
	says(CSR_SAN_NAME,
	    "82{'a'}82{'a'}82{'a'}82{'a'}82{'a'}82{'a'}82{'a'}82{'a'}82{'a'}82{'a'}82{''}",
	    "the 11th subject alternative name: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_text_is_one_name),
	    TEST(test_dns),
	    TEST(test_ip),
	    TEST(test_email),
	    TEST(test_uri),
	    TEST(test_structure),
	    TEST(test_others),
	    TEST(test_counts),
	    TEST(test_long_and_wide),
	    TEST(test_controls),
	    TEST(test_equal),
	    TEST(test_equal_many),
	    TEST(test_says_which),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
