/*
 * Which characters a strict profile takes, code point by code point,
 * and what it says of the others.
 */
#include "maker.h"
#include "refusal_test.h"

#include <stdio.h>

#include "common/base/utf8.h"
#include "common/pki/charset.h"

#define CN    "550403"
#define O     "55040a"
#define EMAIL "2a864886f70d010901"

/* The refusal of a subject of one attribute with this value, in UTF-8. */
static enum outcome check(const char *oid, struct span value)
{
	struct name name;
	char notation[64];
	enum outcome outcome;

	(void)snprintf(notation, sizeof(notation), "30{31{30{06{%s}0c{$}}}}", oid);
	outcome = name_parse(maker_der(notation, value), &name);
	assert_outcome(EST_OK, outcome);
	outcome = charset_check(&name);
	name_clear(&name);
	return outcome;
}

static enum outcome check_text(const char *oid, const char *text)
{
	return check(oid, span_of(text));
}

static enum outcome check_point(const char *oid, uint32_t c)
{
	struct buf text = {0};
	enum outcome outcome;

	buf_add_string(&text, "a");
	assert_true(utf8_encode(&text, c));
	buf_add_string(&text, "b");
	outcome = check(oid, buf_span(&text));
	buf_free(&text);
	return outcome;
}

/* C8: letters, digits and . _ : @ - in what a device is told apart by, and a blank between them. */
static void test_identifying(void **state)
{
	static const char taken[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._:@-";
	static const char *const oids[] = {CN, "550405", "550404", "55042a", "55042e", "550441",
	    EMAIL, "0992268993f22c640101", "2a0304"};

	(void)state;
	for (uint32_t c = 0x20; c < 0x7f; c++) {
		enum refusal wanted =
		    strchr(taken, (int)c) == NULL ? CSR_NAME_CHARACTER : REFUSAL_NONE;
		char what[16];
		(void)snprintf(what, sizeof(what), "U+%04X", (unsigned)c);
		assert_true(refusal_is(wanted, check_point(CN, c), what));
	}
	for (size_t i = 0; i < COUNT(oids); i++) {
		assert_outcome(EST_OK, check_text(oids[i], "pump-7.a"));
		assert_refusal(CSR_NAME_CHARACTER, check_text(oids[i], "pump(7)"));
	}
	assert_refusal(CSR_NAME_CHARACTER, check_point(CN, 0x430)); /* a homograph */
	assert_refusal(CSR_NAME_CHARACTER, check_point(CN, 0xe9));
	assert_refusal(CSR_NAME_CHARACTER, check_point(CN, 0x301)); /* NFD */
	assert_refusal(CSR_NAME_CHARACTER, check_point(CN, 0x200b));
	assert_refusal(CSR_NAME_CHARACTER, check_point(CN, 0x1f600));
}

/* Any language in the attributes that only describe. */
static void test_describing(void **state)
{
	static const char *const oids[] = {
	    "550406", "550407", "550408", "550409", O, "55040b", "55040c", "550411", "550461"};
	static const uint32_t good[] = {0xe9, 0x301, 0x430, 0x5d0, 0x627, 0x4e2d, 0x3042, 0xac00,
	    0xe01, 0x900, 0x20ac, 0x2019, 0x1f600, 0xa0, 0x3000, 0xfffd, 0x1ffff - 2, 0xe1000,
	    0xd7a3, 0x2010, 0x2027, 0x2030, 0xfefe, 0xfaff, 0xfdf0, 0x12fff};

	(void)state;
	for (size_t i = 1; i < COUNT(oids); i++)
		assert_outcome(EST_OK,
		    check_text(oids[i], "Caf\xc3\xa9 & Co. (M\xc3\xbcnchen)/1, a+b=c #2 'x'"));
	assert_outcome(EST_OK, check_text(oids[0], "DE"));
	for (size_t i = 0; i < COUNT(good); i++)
		assert_outcome(EST_OK, check_point(O, good[i]));
	for (uint32_t c = 0x20; c < 0x7f; c++)
		assert_true(refusal_is(
		    strchr("<>\"\\;`", (int)c) == NULL ? REFUSAL_NONE : CSR_NAME_CHARACTER,
		    check_point(O, c), "ASCII"));
}

/* The first and last of each range of format characters (UnicodeData's Cf), and what else hides. */
static void test_hidden(void **state)
{
	static const uint32_t points[] = {0xad, 0x600, 0x605, 0x61c, 0x6dd, 0x70f, 0x890, 0x891,
	    0x8e2, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2060, 0x2064, 0x206a, 0x206f,
	    0xfff9, 0xfffb, 0x110bd, 0x110cd, 0x13430, 0x13438, 0x1bca0, 0x1bca3, 0x1d173, 0x1d17a,
	    0xe0001, 0xe0020, 0xe007f,
	    /* variation selectors, fillers */
	    0x34f, 0x115f, 0x1160, 0x17b4, 0x180b, 0x3164, 0xfe00, 0xfe0f, 0xffa0, 0xe0100, 0xe01ef,
	    0x2800,
	    /* private use */
	    0xe000, 0xf8ff, 0xf0000, 0xffffd, 0x100000, 0x10fffd,
	    /* noncharacters */
	    0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x1ffff, 0xefffe, 0x10ffff};

	(void)state;
	for (size_t i = 0; i < COUNT(points); i++) {
		char what[16];
		(void)snprintf(what, sizeof(what), "U+%04X", (unsigned)points[i]);
		assert_true(refusal_is(CSR_NAME_CHARACTER, check_point(O, points[i]), what));
		assert_true(refusal_is(CSR_NAME_CHARACTER, check_point(CN, points[i]), what));
	}
}

/* C10: none at an edge, no two in a row, in any attribute and of any kind. */
static void test_blanks(void **state)
{
	static const char *const wrong[] = {" a", "a ", "a  b", " ", "a b  c", "\xc2\xa0 a",
	    "a\xc2\xa0", "a \xc2\xa0 b", "\xe3\x80\x80\x61", "a\xe2\x80\x83\xe2\x80\x83z"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_true(refusal_is(CSR_NAME_CHARACTER, check_text(O, wrong[i]), wrong[i]));
		assert_true(refusal_is(CSR_NAME_CHARACTER, check_text(CN, wrong[i]), wrong[i]));
	}
	assert_outcome(EST_OK, check_text(CN, "a b c"));
	assert_outcome(EST_OK, check_text(O, "a b\xc2\xa0z"));
}

/* The text has the attribute and the code point, and nothing of the value. */
static void test_says(void **state)
{
	(void)state;
	assert_int_equal(check_text(O, "quine<b>"), EST_MALFORMED);
	assert_non_null(strstr(reason_text(), "O holds U+003C"));
	assert_null(strchr(reason_text(), '<'));
	assert_null(strstr(reason_text(), "quine"));
	reason_clear();
	assert_int_equal(check_text(CN, "d\xd0\xb5v"), EST_MALFORMED);
	assert_non_null(strstr(reason_text(), "CN holds U+0435"));
	reason_clear();
	assert_int_equal(check_text(CN, "dev-001 "), EST_MALFORMED);
	assert_non_null(strstr(reason_text(), "CN has the blank U+0020"));
	reason_clear();
	assert_int_equal(check_text(O, "a\xf3\xa0\x80\x81"), EST_MALFORMED);
	assert_non_null(strstr(reason_text(), "U+E0001"));
	reason_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_identifying),
	    TEST(test_describing),
	    TEST(test_hidden),
	    TEST(test_blanks),
	    TEST(test_says),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
