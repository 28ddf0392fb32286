/*
 * Rates and wrong guesses: what they allow, to the microsecond, and whose they are.
 */
#include "maker.h"

#include <string.h>

#include "common/base/limiter.h"

#define T0     (MAKER_NOW * 1000000) /* microseconds */
#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)

static struct limiter *limiter;

static struct limiter *opened(void)
{
	struct buf path = {0};

	buf_printf(&path, "%s/limits", maker_directory());
	assert_outcome(EST_OK, limiter_open(buf_string(&path), &limiter));
	buf_free(&path);
	return limiter;
}

static int closed(void **state)
{
	limiter_close(limiter);
	limiter = NULL;
	return maker_clear(state);
}

static int64_t take(const char *key, const struct rate *rate, int64_t now)
{
	return limiter_take(limiter, LIMITER_IDENTITY, span_of(key), rate, now);
}

/* How many may be had at once at that time. */
static int64_t takes(const char *key, const struct rate *rate, int64_t now)
{
	int64_t got = 0;

	while (take(key, rate, now) == 0)
		got++;
	return got;
}

static const struct rate each_second = {SECOND, 3};

static void test_burst(void **state)
{
	(void)state;
	opened();
	for (int i = 0; i < 3; i++)
		assert_int_equal(take("pump", &each_second, T0), 0);
	for (int i = 0; i < 100; i++) /* asking costs nothing */
		assert_int_equal(take("pump", &each_second, T0), SECOND);
	assert_int_equal(take("pump", &each_second, T0 + 1), SECOND - 1);
	assert_int_equal(take("pump", &each_second, T0 + SECOND - 1), 1);
	assert_int_equal(take("pump", &each_second, T0 + SECOND), 0);
	assert_int_equal(take("pump", &each_second, T0 + SECOND), SECOND);
	assert_int_equal(takes("pump", &each_second, T0 + 3 * SECOND), 2);
	assert_int_equal(takes("pump", &each_second, T0 + 6 * SECOND), 3);
	assert_int_equal(takes("pump", &each_second, T0 + 100 * HOUR), 3); /* never more */
	assert_int_equal(takes("pump", &each_second, T0 + 100 * HOUR), 0);
}

/* A bucket of microseconds, refilled by time: the other way to define the same. */
static void test_against_a_bucket(void **state)
{
	static const struct rate rates[] = {
	    {1, 1}, {1000, 1}, {333333, 7}, {SECOND, 60}, {86400 * SECOND, 2}, {86400, 1000000}};
	uint64_t random = 88172645463325252;

	(void)state;
	opened();
	for (size_t i = 0; i < COUNT(rates); i++) {
		const struct rate *rate = &rates[i];
		int64_t now = T0, level = rate->burst * rate->interval, refused = 0;
		char key[2] = {(char)('a' + i), '\0'};
		for (int k = 0; k < 20000; k++) {
			int64_t wait, passed;
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			passed = (int64_t)(random % (uint64_t)(rate->interval * 3 / 2 + 1));
			now += passed;
			level += passed;
			if (level > rate->burst * rate->interval)
				level = rate->burst * rate->interval;
			wait = take(key, rate, now);
			assert_int_equal(
			    wait, level >= rate->interval ? 0 : rate->interval - level);
			if (wait == 0)
				level -= rate->interval;
			refused += wait > 0;
		}
		assert_true(rate->burst > 100 || refused > 1000);
	}
}

static void test_keys_apart(void **state)
{
	static const struct rate once = {HOUR, 1};
	struct limiter *mine = opened();

	(void)state;
	for (int kind = 0; kind < LIMITER_ACCOUNT_GUESSES; kind++) {
		assert_int_equal(
		    limiter_take(mine, (enum limiter_kind)kind, span_of("pump"), &once, T0), 0);
		assert_int_equal(
		    limiter_take(mine, (enum limiter_kind)kind, span_of("pump"), &once, T0), HOUR);
	}
	assert_int_equal(take("pump-1", &once, T0), 0);
	assert_int_equal(take("", &once, T0), 0);
	assert_int_equal(take("", &once, T0), HOUR);
	assert_int_equal(limiter_take(mine, LIMITER_IDENTITY, BYTES("pump\0"), &once, T0), 0);
	assert_int_equal(limiter_take(NULL, LIMITER_IDENTITY, span_of("pump"), &once, T0), 0);
}

/* Set back by hours or years, the clock costs one interval at most, and the rate goes on. */
static void test_clock_set_back_for_rates(void **state)
{
	static const int64_t backs[] = {SECOND, 2 * SECOND, HOUR, 24 * 365 * HOUR};

	(void)state;
	opened();
	for (size_t i = 0; i < COUNT(backs); i++) {
		char key[2] = {(char)('a' + i), '\0'};
		int64_t then = T0 - backs[i], wait;
		assert_int_equal(takes(key, &each_second, T0), 3);
		wait = take(key, &each_second, then);
		assert_in_range(wait, 1, 3 * SECOND);
		assert_int_equal(take(key, &each_second, then + wait - 1), 1);
		assert_int_equal(take(key, &each_second, then + wait), 0);
		assert_int_equal(takes(key, &each_second, then + wait + 3 * SECOND), 3);
	}
}

/* A rate that the operator makes milder counts at once. */
static void test_rate_changed(void **state)
{
	static const struct rate rare = {24 * HOUR, 5};

	(void)state;
	opened();
	assert_int_equal(takes("pump", &rare, T0), 5);
	assert_int_equal(take("pump", &each_second, T0), SECOND);
	assert_int_equal(takes("pump", &each_second, T0 + 3 * SECOND), 3);
}

/* --- guesses --- */

static const struct backoff five = {5, 900, 3600};

static int64_t wait_of(const char *key, const struct backoff *backoff, int64_t now)
{
	return limiter_wait(limiter, LIMITER_ACCOUNT_GUESSES, span_of(key), backoff, now);
}

static void wrong(const char *key, const struct backoff *backoff, int times, int64_t now)
{
	while (times-- > 0)
		limiter_wrong(limiter, LIMITER_ACCOUNT_GUESSES, span_of(key), backoff, now);
}

static void test_slower_and_slower(void **state)
{
	static const int64_t costs[] = {
	    0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900};
	int64_t now = T0;

	(void)state;
	opened();
	assert_int_equal(wait_of("pump", &five, now), 0);
	for (size_t i = 0; i < COUNT(costs); i++) {
		wrong("pump", &five, 1, now);
		assert_int_equal(wait_of("pump", &five, now), costs[i] * SECOND);
		assert_int_equal(wait_of("pomp", &five, now), 0);
		if (costs[i] == 0)
			continue;
		now += costs[i] * SECOND;
		assert_int_equal(wait_of("pump", &five, now - 1), 1);
		assert_int_equal(wait_of("pump", &five, now - 1000), 1000);
		assert_int_equal(wait_of("pump", &five, now), 0);
	}
	limiter_right(limiter, LIMITER_ACCOUNT_GUESSES, span_of("pump"));
	wrong("pump", &five, 5, now);
	assert_int_equal(wait_of("pump", &five, now), 0);
	wrong("pump", &five, 1, now);
	assert_int_equal(wait_of("pump", &five, now), SECOND);
}

static void test_forgotten(void **state)
{
	int64_t later = T0 + 3600 * SECOND;

	(void)state;
	opened();
	wrong("a", &five, 7, T0);
	wrong("a", &five, 1, later - 1000);
	assert_int_equal(wait_of("a", &five, later - 1000), 4 * SECOND);
	wrong("b", &five, 7, T0);
	wrong("b", &five, 5, later);
	assert_int_equal(wait_of("b", &five, later), 0);
	wrong("b", &five, 1, later);
	assert_int_equal(wait_of("b", &five, later), SECOND);
}

static void test_bounds_of_backoff(void **state)
{
	static const struct backoff none = {0, 900, 3600}, little = {1, 1, 3600},
				    short_lived = {1, 900, 10}, many = {100000, 900, 3600};

	(void)state;
	opened();
	wrong("none", &none, 1000, T0);
	assert_int_equal(wait_of("none", &none, T0), 0);
	wrong("little", &little, 100, T0);
	assert_int_equal(wait_of("little", &little, T0), SECOND);
	wrong("short", &short_lived, 100, T0); /* no longer than it is remembered */
	assert_int_equal(wait_of("short", &short_lived, T0), 10 * SECOND);
	assert_int_equal(wait_of("short", &short_lived, T0 + 10 * SECOND), 0);
	wrong("many", &many, 100000, T0);
	assert_int_equal(wait_of("many", &many, T0), 0);
	wrong("many", &many, 1, T0);
	assert_int_equal(wait_of("many", &many, T0), SECOND);
	wrong("many", &many, 1 << 20, T0); /* as many as can be counted, and more */
	assert_int_equal(wait_of("many", &many, T0), 900 * SECOND);
	wrong("many", &many, 1, T0);
	assert_int_equal(wait_of("many", &many, T0), 900 * SECOND);
}

static void test_guesses_apart(void **state)
{
	static const struct rate once = {HOUR, 1};
	struct limiter *mine = opened();

	(void)state;
	wrong("pump", &five, 6, T0);
	assert_int_equal(
	    limiter_wait(mine, LIMITER_ADDRESS_GUESSES, span_of("pump"), &five, T0), 0);
	assert_int_equal(take("pump", &once, T0), 0);
	limiter_right(mine, LIMITER_ADDRESS_GUESSES, span_of("pump"));
	limiter_right(mine, LIMITER_ACCOUNT_GUESSES, span_of("nobody"));
	assert_int_equal(wait_of("pump", &five, T0), SECOND);
	limiter_wrong(NULL, LIMITER_ACCOUNT_GUESSES, span_of("pump"), &five, T0);
	limiter_right(NULL, LIMITER_ACCOUNT_GUESSES, span_of("pump"));
	assert_int_equal(
	    limiter_wait(NULL, LIMITER_ACCOUNT_GUESSES, span_of("pump"), &five, T0), 0);
}

static void test_clock_set_back_for_guesses(void **state)
{
	static const int64_t backs[] = {SECOND, HOUR, 24 * 365 * HOUR};

	(void)state;
	opened();
	for (size_t i = 0; i < COUNT(backs); i++) {
		char key[2] = {(char)('a' + i), '\0'};
		int64_t then = T0 - backs[i];
		wrong(key, &five, 8, T0);
		assert_int_equal(wait_of(key, &five, then), 4 * SECOND);
		assert_int_equal(wait_of(key, &five, then + 3 * SECOND), SECOND);
		assert_int_equal(wait_of(key, &five, then + 4 * SECOND), 0);
		wrong(key, &five, 1, then + 4 * SECOND);
		assert_int_equal(wait_of(key, &five, then + 4 * SECOND), 8 * SECOND);
	}
}

/* --- addresses --- */

static struct span address(const char *text)
{
	struct buf key = {0};

	limiter_address(text, &key);
	return maker_keep(&key);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *one, *other;
		bool same;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.2", false},
	    {"::ffff:192.0.2.1", "192.0.2.1", true},
	    {"::FFFF:c000:0201", "192.0.2.1", true},
	    {"0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1", true},
	    {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
	    {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
	    {"2001:db8:1:2::1", "2001:0DB8:0001:0002:0:0:0:1", true},
	    {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
	    {"2001:db8:1:2::1", "2001:db8::2:0:0:0:1", false},
	    {"fe80::1%eth0", "fe80::2%eth1", true},
	    {"fe80::1%eth0", "fe80::2", true},
	    {"::ffff:192.0.2.1%eth0", "192.0.2.1", true},
	    {"::1", "::2", true},
	    {"::1", "127.0.0.1", false},
	    {"unix:", "unix:/run", false},
	    {"2001:db8::g", "2001:db8::1", false},
	    {"2001:db8::g", "2001:db8::h", false},
	    {"", "::", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (span_equal(address(rows[i].one), address(rows[i].other)) != rows[i].same)
			fail_msg("%s, %s", rows[i].one, rows[i].other);
	assert_bytes(BYTES("192.0.2.1"), address("192.0.2.1"));
	assert_bytes(BYTES("unix:"), address("unix:"));
	assert_int_equal(address("").len, 0);
	assert_int_equal(address(NULL).len, 0);
}

/* It appends, and an address of any length is only a key. */
static void test_address_appended(void **state)
{
	char huge[5000];
	struct buf key = {0};

	(void)state;
	memset(huge, ':', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	buf_add_string(&key, "label/");
	limiter_address("192.0.2.1", &key);
	assert_bytes(BYTES("label/192.0.2.1"), buf_span(&key));
	buf_free(&key);
	assert_bytes(span_of(huge), address(huge));
}

#define LIMITER_TEST(function) cmocka_unit_test_teardown(function, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LIMITER_TEST(test_burst),
	    LIMITER_TEST(test_against_a_bucket),
	    LIMITER_TEST(test_keys_apart),
	    LIMITER_TEST(test_clock_set_back_for_rates),
	    LIMITER_TEST(test_rate_changed),
	    LIMITER_TEST(test_slower_and_slower),
	    LIMITER_TEST(test_forgotten),
	    LIMITER_TEST(test_bounds_of_backoff),
	    LIMITER_TEST(test_guesses_apart),
	    LIMITER_TEST(test_clock_set_back_for_guesses),
	    TEST(test_addresses),
	    TEST(test_address_appended),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
