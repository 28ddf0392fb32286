/*
 * Points in time as text, and spans of it as people write them.
 */
#include "maker.h"

#include <string.h>
#include <time.h>

#include "common/base/clock.h"

static void test_text(void **state)
{
	static const struct {
		int64_t t;
		const char *text;
	} cases[] = {
	    {0, "1970-01-01T00:00:00Z"},
	    {-1, "1969-12-31T23:59:59Z"},
	    {951782400, "2000-02-29T00:00:00Z"},
	    {1795228740, "2026-11-21T02:39:00Z"},
	    {2147483648, "2038-01-19T03:14:08Z"},
	    {2524607999, "2049-12-31T23:59:59Z"},
	    {2524608000, "2050-01-01T00:00:00Z"},
	    {4107542400, "2100-03-01T00:00:00Z"},
	    {253402300799, "9999-12-31T23:59:59Z"},
	    {253402300800, "9999-12-31T23:59:59Z"},
	    {INT64_C(1) << 40, "9999-12-31T23:59:59Z"},
	    {INT64_MAX, "9999-12-31T23:59:59Z"},
	};
	char text[CLOCK_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_ptr_equal(clock_text(cases[i].t, text), text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Whatever the number, it is RFC 3339: twenty characters, digits where they belong. */
static void test_text_is_always_a_time(void **state)
{
	static const int64_t extremes[] = {INT64_MIN, -62135596800, -62135596801, -62167219200,
	    -62167219201, -30610224000, INT32_MIN, UINT32_MAX};
	char text[CLOCK_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(extremes); i++) {
		assert_int_equal(strlen(clock_text(extremes[i], text)), 20);
		for (size_t k = 0; k < 20; k++)
			if ("dddd-dd-ddTdd:dd:ddZ"[k] == 'd')
				assert_true(text[k] >= '0' && text[k] <= '9');
			else
				assert_int_equal(text[k], "dddd-dd-ddTdd:dd:ddZ"[k]);
	}
}

static void test_spans(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {{"0s", 0}, {"1s", 1}, {"90d", 7776000}, {"5m", 300}, {"24h", 86400},
	    {"2w", 1209600}, {"1y", 31536000}, {"1000y", INT64_C(31536000000)}, {"007d", 604800},
	    {"31536000000s", INT64_C(31536000000)}};
	static const char *const bad[] = {"", "d", "90", "90 d", " 90d", "90d ", "-1d", "+1d",
	    "1.5d", "90D", "90dd", "1h30m", "90x", "0x10s", "1001y", "365001d", "31536000001s",
	    "9223372036854775807y", "9223372036854775808s", "99999999999999999999999s", "nand",
	    "1\xc2\xb5s", "\t1s"};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		seconds = -1;
		assert_outcome(EST_OK, clock_parse_span(good[i].text, &seconds));
		assert_true(seconds == good[i].seconds);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_outcome(EST_MALFORMED, clock_parse_span(bad[i], &seconds));
}

static void test_clocks(void **state)
{
	uint64_t before = clock_microseconds(), milliseconds = clock_milliseconds(), after;
	int64_t wall = (int64_t)time(NULL);

	(void)state;
	after = clock_microseconds();
	assert_true(after >= before);
	assert_true(milliseconds >= before / 1000 && milliseconds <= after / 1000);
	assert_true(clock_now() >= wall && clock_now() <= wall + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_text),
	    TEST(test_text_is_always_a_time),
	    TEST(test_spans),
	    TEST(test_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
