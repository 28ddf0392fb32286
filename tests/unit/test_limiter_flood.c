/*
 * More keys than the file of the limits has room for: who is limited stays so.
 */
#include "maker.h"

#include <stdio.h>

#include "common/base/limiter.h"

#define T0     (MAKER_NOW * 1000000) /* microseconds */
#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)
#define FLOOD  100000u /* several times the room of a kind */
#define FEW    20u

static const struct backoff five = {5, 900, 3600};

static struct limiter *opened(void)
{
	struct limiter *limiter = NULL;
	struct buf path = {0};

	buf_printf(&path, "%s/limits", maker_directory());
	assert_outcome(EST_OK, limiter_open(buf_string(&path), &limiter));
	buf_free(&path);
	return limiter;
}

static struct span named(const char *name, unsigned number, char text[32])
{
	(void)snprintf(text, 32, "%s-%u", name, number);
	return span_of(text);
}

static void wrong(struct limiter *limiter, const char *name, unsigned number, int64_t now)
{
	char text[32];

	limiter_wrong(limiter, LIMITER_ACCOUNT_GUESSES, named(name, number, text), &five, now);
}

static void slow_few(struct limiter *limiter, int times, int64_t now)
{
	for (unsigned i = 0; i < FEW; i++)
		for (int k = 0; k < times; k++)
			wrong(limiter, "pump", i, now);
}

static void assert_slow(struct limiter *limiter, int64_t wait, int64_t now)
{
	char text[32];

	for (unsigned i = 0; i < FEW; i++)
		assert_int_equal(limiter_wait(limiter, LIMITER_ACCOUNT_GUESSES,
				     named("pump", i, text), &five, now),
		    wait);
}

/* Names that are guessed at once each, later than those that are slowed. */
static void test_flood_of_guesses(void **state)
{
	struct limiter *limiter = opened();

	(void)state;
	slow_few(limiter, 9, T0);
	for (unsigned i = 0; i < FLOOD; i++)
		wrong(limiter, "flood", i, T0 + SECOND + i);
	assert_slow(limiter, 4 * SECOND, T0 + 4 * SECOND);
	/* And in a full file others are slowed as in an empty one. */
	for (int i = 0; i < 6; i++)
		wrong(limiter, "late", 0, T0 + 5 * SECOND);
	assert_int_equal(limiter_wait(limiter, LIMITER_ACCOUNT_GUESSES, span_of("late-0"), &five,
			     T0 + 5 * SECOND),
	    SECOND);
	limiter_close(limiter);
}

/* What is forgotten makes room first, however much it was. */
static void test_forgotten_first(void **state)
{
	struct limiter *limiter = opened();
	int64_t later = T0 + HOUR;

	(void)state;
	for (unsigned i = 0; i < FLOOD; i++)
		for (int k = 0; k < 10; k++)
			wrong(limiter, "old", i, T0);
	slow_few(limiter, 6, later);
	for (unsigned i = 0; i < FLOOD; i++)
		wrong(limiter, "flood", i, later);
	assert_slow(limiter, SECOND, later);
	limiter_close(limiter);
}

/* Of rates, who has taken most of his burst is forgotten last. */
static void test_flood_of_rates(void **state)
{
	static const struct rate rate = {60 * SECOND, 5};
	struct limiter *limiter = opened();
	char text[32];

	(void)state;
	for (unsigned i = 0; i < FEW; i++)
		for (int k = 0; k < 5; k++)
			assert_int_equal(limiter_take(limiter, LIMITER_ADDRESS,
					     named("pump", i, text), &rate, T0),
			    0);
	for (unsigned i = 0; i < FLOOD; i++)
		assert_int_equal(limiter_take(limiter, LIMITER_ADDRESS, named("flood", i, text),
				     &rate, T0 + SECOND),
		    0);
	for (unsigned i = 0; i < FEW; i++)
		assert_int_equal(limiter_take(limiter, LIMITER_ADDRESS, named("pump", i, text),
				     &rate, T0 + SECOND),
		    59 * SECOND);
	limiter_close(limiter);
}

/* A flood of one kind costs another kind nothing. */
static void test_kinds_apart(void **state)
{
	static const struct rate rate = {24 * HOUR, 1};
	struct limiter *limiter = opened();
	char text[32];

	(void)state;
	slow_few(limiter, 6, T0);
	for (unsigned i = 0; i < FLOOD; i++) {
		struct span key = named("flood", i, text);
		(void)limiter_take(limiter, LIMITER_ADDRESS, key, &rate, T0);
		for (int k = 0; k < 10; k++)
			limiter_wrong(limiter, LIMITER_ADDRESS_GUESSES, key, &five, T0);
	}
	assert_slow(limiter, SECOND, T0);
	limiter_close(limiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_flood_of_guesses),
	    TEST(test_forgotten_first),
	    TEST(test_flood_of_rates),
	    TEST(test_kinds_apart),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
