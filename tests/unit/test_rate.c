/*
 * Rates as est.conf has them: what is one, and what it comes to.
 */
#include "maker.h"

#include "common/base/rate.h"

static void test_good(void **state)
{
	static const struct {
		const char *text;
		struct rate rate;
	} rows[] = {
	    {"1/s", {1000000, 1}},
	    {"10/s", {100000, 10}},
	    {"60/m", {1000000, 60}},
	    {"1/m", {60000000, 1}},
	    {"1/h", {3600000000, 1}},
	    {"24/d", {3600000000, 24}},
	    {"1/d", {86400000000, 1}},
	    {"3/s", {333333, 3}},
	    {"1000000/s", {1, 1000000}},
	    {"60/m burst 20", {1000000, 20}},
	    {"60/m burst 1", {1000000, 1}},
	    {"1/d burst 1000000", {86400000000, 1000000}},
	    {"1000000/d burst 2", {86400, 2}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rate rate = {-1, -1};
		if (!rate_parse(rows[i].text, &rate))
			fail_msg("\"%s\" is a rate", rows[i].text);
		if (rate.interval != rows[i].rate.interval || rate.burst != rows[i].rate.burst)
			fail_msg("\"%s\": %lld us, burst %lld", rows[i].text,
			    (long long)rate.interval, (long long)rate.burst);
	}
}

static void test_bad(void **state)
{
	static const char *const texts[] = {"", "60", "60/", "/m", "m", "60/w", "60/y", "60/min",
	    "0/s", "-1/s", "+1/s", " 1/s", "1 /s", "1/ s", "1/s ", "1.5/s", "1e3/s", "0x10/s",
	    "1000001/s", "99999999999999999999999/s", "9223372036854775808/s",
	    "18446744073709551617/s", "60/M", "60/m burst", "60/m burst ", "60/m burst 0",
	    "60/m burst -1", "60/m burst 1000001", "60/m burst 20 ", "60/m burst 20/m",
	    "60/m burst x", "60/m  burst 20", "60/mburst 20", "60/m Burst 20", "60/m,burst 20",
	    "60/m burst 99999999999999999999", "60//m", "60/mm", "60/m 20", "burst 20"};
	struct rate rate;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (rate_parse(texts[i], &rate))
			fail_msg("\"%s\" is no rate", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_good), TEST(test_bad)};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
