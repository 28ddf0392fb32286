/*
 * DER, and nothing that is only BER; in place, without a look beyond the end.
 */
#include "maker.h"

#include <string.h>
#include <time.h>

#include "common/pki/der.h"

/* der_next() records no reason: only its outcome counts. */
static enum outcome next(struct span input, struct der *value, size_t *rest)
{
	struct span at = maker_copy(input);
	struct span whole = at;
	enum outcome outcome = der_next(&at, value);

	assert_string_equal(reason_text(), "");
	if (outcome == EST_OK) {
		assert_ptr_equal(value->whole.data, whole.data);
		assert_ptr_equal(at.data, whole.data + value->whole.len);
		assert_int_equal(at.len, whole.len - value->whole.len);
		assert_ptr_equal(
		    value->content.data + value->content.len, value->whole.data + value->whole.len);
	}
	*rest = at.len;
	return outcome;
}

static void test_reads(void **state)
{
	struct der value;
	size_t rest;

	(void)state;
	assert_int_equal(next(BYTES("\x05\x00"), &value, &rest), EST_OK);
	assert_int_equal(value.tag, DER_NULL);
	assert_int_equal(value.content.len, 0);
	assert_int_equal(next(BYTES("\x04\x02"
				    "ab\x05\x00"),
			     &value, &rest),
	    EST_OK);
	assert_int_equal(value.tag, DER_OCTET_STRING);
	assert_bytes(BYTES("ab"), value.content);
	assert_bytes(BYTES("\x04\x02"
			   "ab"),
	    value.whole);
	assert_int_equal(rest, 2);
	assert_int_equal(next(BYTES("\xa3\x00"), &value, &rest), EST_OK);
	assert_int_equal(value.tag, DER_CONTEXT_CONSTRUCTED(3));
}

static void test_refuses(void **state)
{
	static const struct span bad[] = {
	    {NULL, 0},
	    {(const unsigned char *)"\x30", 1},
	    {(const unsigned char *)"\x04\x01", 2},
	    {(const unsigned char *)"\x04\x80", 2},              /* indefinite */
	    {(const unsigned char *)"\x30\x80\x00\x00", 4},      /* indefinite, ended */
	    {(const unsigned char *)"\x04\x81\x01x", 4},         /* over-long */
	    {(const unsigned char *)"\x04\x81\x00", 3},          /* over-long */
	    {(const unsigned char *)"\x04\x82\x00\x01x", 5},     /* over-long */
	    {(const unsigned char *)"\x04\x83\x00\x00\x01x", 6}, /* over-long */
	    {(const unsigned char *)"\x04\x81", 2},              /* the length is cut */
	    {(const unsigned char *)"\x04\x82\x01", 3},
	    {(const unsigned char *)"\x04\x84\x01\x00\x00", 5},
	    {(const unsigned char *)"\x04\x84\xff\xff\xff\xff", 6}, /* 4 GiB */
	    {(const unsigned char *)"\x04\x85\x01\x00\x00\x00\x00", 7},
	    {(const unsigned char *)"\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10},
	    {(const unsigned char *)"\x04\xff", 2},
	    {(const unsigned char *)"\x1f\x01\x00", 3}, /* tags of several octets */
	    {(const unsigned char *)"\x3f\x81\x01\x00", 4},
	    {(const unsigned char *)"\x9f\x1f\x00", 3},
	    {(const unsigned char *)"\xbf\x01\x00", 3},
	    {(const unsigned char *)"\xff\x01\x00", 3},
	};
	struct der value;
	size_t rest;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (next(bad[i], &value, &rest) == EST_OK)
			fail_msg("row %zu is accepted", i);
		assert_int_equal(rest, bad[i].len);
	}
}

/* A length of each size, whole and cut; every other form of the same length is refused. */
static void test_lengths(void **state)
{
	static const size_t lengths[] = {
	    0, 1, 127, 128, 129, 255, 256, 257, 65535, 65536, 65537, 1 << 20};
	static unsigned char content[1 << 20];

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct buf out = {0};
		struct der value;
		size_t rest, octets = 0;
		der_add(&out, DER_OCTET_STRING, (struct span){content, lengths[i]});
		for (size_t n = lengths[i]; n > 0; n >>= 8)
			octets++;
		assert_int_equal(out.len, lengths[i] + 2 + (lengths[i] < 128 ? 0 : octets));
		assert_int_equal(next(buf_span(&out), &value, &rest), EST_OK);
		assert_int_equal(value.content.len, lengths[i]);
		assert_int_equal(rest, 0);
		if (lengths[i] > 0)
			assert_int_not_equal(
			    next((struct span){out.data, out.len - 1}, &value, &rest), EST_OK);
		for (size_t form = octets + 1 + (lengths[i] == 0); form <= 8; form++) {
			unsigned char head[10] = {DER_OCTET_STRING, (unsigned char)(0x80 | form)};
			struct buf longer = {0};
			for (size_t k = 0; k < form; k++)
				head[2 + k] =
				    (unsigned char)(form - k > sizeof(size_t)
							? 0
							: lengths[i] >> (8 * (form - k - 1)));
			buf_add(&longer, head, 2 + form);
			buf_add(&longer, content, lengths[i]);
			assert_int_not_equal(next(buf_span(&longer), &value, &rest), EST_OK);
			buf_free(&longer);
		}
		buf_free(&out);
	}
}

static void test_take(void **state)
{
	struct span at = maker_der("02{01}04{02}");
	struct span before = at;
	struct der value;

	(void)state;
	assert_int_not_equal(der_take(&at, DER_OCTET_STRING, &value), EST_OK);
	assert_ptr_equal(at.data, before.data);
	assert_int_equal(at.len, before.len);
	assert_int_equal(der_take(&at, DER_INTEGER, &value), EST_OK);
	assert_int_equal(der_take(&at, DER_OCTET_STRING, &value), EST_OK);
	assert_int_equal(at.len, 0);
	assert_int_not_equal(der_take(&at, DER_OCTET_STRING, &value), EST_OK);
	at = (struct span){NULL, 0};
	assert_int_not_equal(der_take(&at, DER_OCTET_STRING, &value), EST_OK);
}

static void test_is(void **state)
{
	(void)state;
	assert_true(DER_IS(BYTES("\x55\x04\x03"), "\x55\x04\x03"));
	assert_false(DER_IS(BYTES("\x55\x04\x04"), "\x55\x04\x03"));
	assert_false(DER_IS(BYTES("\x55\x04"), "\x55\x04\x03"));
	assert_false(DER_IS(BYTES("\x55\x04\x03\x00"), "\x55\x04\x03"));
	assert_true(DER_IS(BYTES("\x00\x01"), "\x00\x01"));
}

static void test_integers(void **state)
{
	(void)state;
	assert_true(der_integer_ok(maker_copy(BYTES("\x00"))));
	assert_true(der_integer_ok(maker_copy(BYTES("\xff"))));
	assert_true(der_integer_ok(maker_copy(BYTES("\x00\x80"))));
	assert_true(der_integer_ok(maker_copy(BYTES("\xff\x7f"))));
	assert_true(der_integer_ok(maker_copy(BYTES("\x01\x00"))));
	assert_false(der_integer_ok((struct span){NULL, 0}));
	assert_false(der_integer_ok(maker_copy(BYTES("\x00\x00"))));
	assert_false(der_integer_ok(maker_copy(BYTES("\x00\x7f"))));
	assert_false(der_integer_ok(maker_copy(BYTES("\xff\x80"))));
	assert_false(der_integer_ok(maker_copy(BYTES("\xff\xff"))));
}

/* Values within values, closed from the inside: every length that grows moves what is behind it. */
static void test_nesting(void **state)
{
	struct buf out = {0};
	size_t marks[40];
	struct span rest;
	struct der value;

	(void)state;
	buf_add_string(&out, "head");
	for (size_t i = 0; i < COUNT(marks); i++) {
		marks[i] = der_open(&out, DER_SEQUENCE);
		der_add(&out, DER_OCTET_STRING, BYTES("12345678901234567890"));
	}
	for (size_t i = COUNT(marks); i-- > 0;)
		der_close(&out, marks[i]);
	assert_memory_equal(out.data, "head", 4);
	rest = (struct span){out.data + 4, out.len - 4};
	for (size_t i = 0; i < COUNT(marks); i++) {
		struct der string;
		assert_int_equal(der_take(&rest, DER_SEQUENCE, &value), EST_OK);
		assert_int_equal(rest.len, 0);
		rest = value.content;
		assert_int_equal(der_take(&rest, DER_OCTET_STRING, &string), EST_OK);
		assert_bytes(BYTES("12345678901234567890"), string.content);
	}
	assert_int_equal(rest.len, 0);
	buf_free(&out);
}

/* RFC 5280 4.1.2.5: UTCTime through 2049, which begins in 1950; GeneralizedTime for the rest. */
static void test_times(void **state)
{
	static const struct {
		int64_t t;
		const char *notation;
	} cases[] = {
	    {0, "17{'700101000000Z'}"},
	    {MAKER_NOW, "17{'260101000000Z'}"},
	    {946684799, "17{'991231235959Z'}"},
	    {946684800, "17{'000101000000Z'}"},
	    {2524607999, "17{'491231235959Z'}"},
	    {2524608000, "18{'20500101000000Z'}"},
	    {4102444800, "18{'21000101000000Z'}"},
	    {253402300799, "18{'99991231235959Z'}"},
	    {-631152000, "17{'500101000000Z'}"},
	    {-631152001, "18{'19491231235959Z'}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = {0};
		der_add_time(&out, cases[i].t);
		assert_bytes(maker_der(cases[i].notation), buf_span(&out));
		buf_free(&out);
	}
}

static void test_oid_text(void **state)
{
	static const struct {
		const char *notation, *text;
	} cases[] = {
	    {"550403", "2.5.4.3"},
	    {"00", "0.0"},
	    {"27", "0.39"},
	    {"28", "1.0"},
	    {"4f", "1.39"},
	    {"50", "2.0"},
	    {"883701", "2.999.1"},
	    {"2a864886f70d010907", "1.2.840.113549.1.9.7"},
	    {"2b0601040182370201 0e", "1.3.6.1.4.1.311.2.1.14"},
	    {"2a81ffffffffffffffff7f", "1.2.18446744073709551615"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = {0};
		der_oid_text(&out, maker_der(cases[i].notation));
		assert_string_equal(buf_string(&out), cases[i].text);
		buf_free(&out);
	}
}

static void test_oid_text_too_long(void **state)
{
	struct buf out = {0};

	(void)state;
	der_oid_text(&out, maker_der("2affffffffffffffffffffffffffffff7f"));
	assert_non_null(strstr(buf_string(&out), "..."));
	buf_free(&out);
}

static void test_oid_parse(void **state)
{
	static const char *const wrong[] = {
	    "", "UNDEF", "nonsense", "1", "3.1", "1.40", "1.2.", "1..2", "a.b", "1.2.x"};
	struct buf out = {0};

	(void)state;
	assert_outcome(EST_OK, der_oid_parse("clientAuth", &out));
	assert_bytes(maker_der("2b06010505070302"), buf_span(&out));
	buf_reset(&out);
	assert_outcome(EST_OK, der_oid_parse("2.999.1", &out));
	assert_bytes(maker_der("883701"), buf_span(&out));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_outcome(EST_MALFORMED, der_oid_parse(wrong[i], &out));
	buf_free(&out);
}

static void test_set(void **state)
{
	struct span values[] = {BYTES("\x04\x01\x02"), BYTES("\x02\x01\x07"), BYTES("\x04\x01\x01"),
	    BYTES("\x02\x01\x07")};
	struct buf out = {0};

	(void)state;
	der_add_set(&out, DER_SET, values, 4);
	assert_bytes(BYTES("\x31\x09\x02\x01\x07\x04\x01\x01\x04\x01\x02"), buf_span(&out));
	buf_reset(&out);
	der_add_set(&out, DER_CONTEXT_CONSTRUCTED(0), values, 0);
	assert_bytes(BYTES("\xa0\x00"), buf_span(&out));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_reads),
	    TEST(test_refuses),
	    TEST(test_lengths),
	    TEST(test_take),
	    TEST(test_is),
	    TEST(test_integers),
	    TEST(test_nesting),
	    TEST(test_set),
	    TEST(test_times),
	    TEST(test_oid_text),
	    TEST(test_oid_text_too_long),
	    TEST(test_oid_parse),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
