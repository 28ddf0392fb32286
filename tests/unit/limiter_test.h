/*
 * limiter_test.h - keys by number, and how much of them is to be had, for the tests of the file of
 * the limits.
 */
#ifndef EST_TEST_LIMITER_H
#define EST_TEST_LIMITER_H

#include "maker.h"

#include <stdio.h>

#include "common/base/limiter.h"

#define T0     (MAKER_NOW * 1000000) /* microseconds */
#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)

static const struct rate three = {HOUR, 3};
static const struct backoff five = {5, 900, 3600};

static inline const char *path_of(const char *name)
{
	struct buf path = {0};

	buf_printf(&path, "%s/%s", maker_directory(), name);
	buf_add_byte(&path, 0);
	return (const char *)maker_keep(&path).data;
}

static inline struct limiter *open_at(const char *path)
{
	struct limiter *limiter = NULL;

	assert_outcome(EST_OK, limiter_open(path, &limiter));
	return limiter;
}

static inline struct span numbered(unsigned number, char text[32])
{
	(void)snprintf(text, 32, "key-%u", number);
	return span_of(text);
}

static inline void wrong(struct limiter *limiter, unsigned number, int times, int64_t now)
{
	char text[32];
	struct span key = numbered(number, text);

	while (times-- > 0)
		limiter_wrong(limiter, LIMITER_ACCOUNT_GUESSES, key, &five, now);
}

static inline int64_t wait_of(struct limiter *limiter, unsigned number, int64_t now)
{
	char text[32];

	return limiter_wait(limiter, LIMITER_ACCOUNT_GUESSES, numbered(number, text), &five, now);
}

static inline unsigned takes(struct limiter *limiter, unsigned number, int64_t now)
{
	char text[32];
	struct span key = numbered(number, text);
	unsigned got = 0;

	while (limiter_take(limiter, LIMITER_IDENTITY, key, &three, now) == 0)
		got++;
	return got;
}

#endif
