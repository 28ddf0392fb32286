/*
 * UTF-8 as RFC 3629 has it, proven whole: every character there and back, and not one sequence
 * more.
 */
#include "maker.h"

#include <string.h>

#include "common/base/utf8.h"

/*
 * The octets of a character by the bit layout of RFC 3629 3, written here a second time on purpose.
 */
static size_t octets_of(uint32_t c, unsigned char octets[4])
{
	if (c < 0x80) {
		octets[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		octets[0] = (unsigned char)(0xc0 + c / 64);
		octets[1] = (unsigned char)(0x80 + c % 64);
		return 2;
	}
	if (c < 0x10000) {
		octets[0] = (unsigned char)(0xe0 + c / 4096);
		octets[1] = (unsigned char)(0x80 + c / 64 % 64);
		octets[2] = (unsigned char)(0x80 + c % 64);
		return 3;
	}
	octets[0] = (unsigned char)(0xf0 + c / 262144);
	octets[1] = (unsigned char)(0x80 + c / 4096 % 64);
	octets[2] = (unsigned char)(0x80 + c / 64 % 64);
	octets[3] = (unsigned char)(0x80 + c % 64);
	return 4;
}

static void test_every_character(void **state)
{
	struct buf out = {0};

	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		unsigned char octets[4] = {0};
		size_t len = octets_of(c, octets);
		uint32_t back = 0xdead;
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		buf_reset(&out);
		if (utf8_encode(&out, c) == surrogate ||
		    utf8_decode((struct span){octets, len}, &back) != (surrogate ? 0 : len))
			fail_msg("U+%04X", c);
		if (surrogate ? out.len != 0
			      : (back != c || out.len != len || memcmp(out.data, octets, len) != 0))
			fail_msg("U+%04X", c);
		for (size_t cut = 0; cut < len; cut++)
			if (utf8_decode((struct span){octets, cut}, &back) != 0)
				fail_msg("U+%04X, %zu octets of it", c, cut);
	}
	buf_free(&out);
}

static void test_no_such_character(void **state)
{
	static const uint32_t none[] = {0xd800, 0xdbff, 0xdc00, 0xdfff, 0x110000, 0x1fffff,
	    0x200000, 0x7fffffff, 0x80000000, UINT32_MAX};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(utf8_encode(&out, none[i]));
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

/*
 * As many sequences are accepted as there are characters of that length: so none has a second form.
 */
static void test_no_second_form(void **state)
{
	size_t count[5] = {0};
	uint32_t c;

	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		unsigned char octets[] = {(unsigned char)(i >> 8), (unsigned char)i};
		size_t used = utf8_decode((struct span){octets, 2}, &c);
		assert_true(used <= 2);
		if (used == 2)
			count[2]++;
		else if (used == 1 && octets[1] == 'x')
			count[1]++;
	}
	for (unsigned i = 0xc00000; i < 0x1000000; i++) {
		unsigned char octets[] = {
		    (unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i};
		count[3] += utf8_decode((struct span){octets, 3}, &c) == 3;
	}
	for (unsigned i = 0xf0; i < 0x100; i++)
		for (unsigned k = 0; k < 64 * 64 * 64; k++) {
			unsigned char octets[] = {(unsigned char)i, (unsigned char)(0x80 | k >> 12),
			    (unsigned char)(0x80 | (k >> 6 & 63)),
			    (unsigned char)(0x80 | (k & 63))};
			count[4] += utf8_decode((struct span){octets, 4}, &c) == 4;
		}
	assert_int_equal(count[1], 0x80);
	assert_int_equal(count[2], 0x800 - 0x80);
	assert_int_equal(count[3], 0x10000 - 0x800 - 0x800);
	assert_int_equal(count[4], 0x100000);
}

static void test_bad_octets(void **state)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(",
	    "\xe0\x80\xaf", "\xe2\x82", "\xe2(\xa1", "\xed\xa0\x80", "\xf0\x80\x80\x80",
	    "\xf0\x9f\x98", "\xf0\x9f\x98(", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
	    "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff", "\xc3\xc3\xa9"};
	uint32_t c;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(utf8_decode(maker_copy(span_of(bad[i])), &c), 0);
	assert_int_equal(utf8_decode((struct span){NULL, 0}, &c), 0);
}

static void test_controls(void **state)
{
	static const uint32_t others[] = {
	    0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069};
	static const uint32_t not [] = {' ', '~', 0xa0, 0xe9, 0x2027, 0x202f, 0x2065, 0x206a,
	    0x20ac, 0x1f600, 0x10ffff, 0xfffd};

	(void)state;
	for (uint32_t c = 0; c < 0x20; c++)
		assert_true(utf8_is_control(c));
	for (uint32_t c = 0x20; c < 0x7f; c++)
		assert_false(utf8_is_control(c));
	for (uint32_t c = 0x7f; c < 0xa0; c++)
		assert_true(utf8_is_control(c));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_true(utf8_is_control(others[i]));
	for (size_t i = 0; i < COUNT(not ); i++)
		assert_false(utf8_is_control(not [i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_character),
	    TEST(test_no_such_character),
	    TEST(test_no_second_form),
	    TEST(test_bad_octets),
	    TEST(test_controls),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
