/*
 * clock.h - points in time and spans of it. Times are seconds since 1970 UTC in an int64_t.
 */
#ifndef EST_CLOCK_H
#define EST_CLOCK_H

#include <stdint.h>

#include "common/base/outcome.h"

#define CLOCK_TEXT 21 /* "2026-11-21T02:39:00Z" and its NUL */

int64_t clock_now(void);           /* the wall clock, in seconds */
uint64_t clock_milliseconds(void); /* the monotonic clock */
uint64_t clock_microseconds(void); /* the monotonic clock */
int64_t clock_wall(void);          /* the wall clock, in microseconds */

/* Writes t as RFC 3339 in UTC and gives text back; years beyond 9999 are cut to 9999. */
const char *clock_text(int64_t t, char text[static CLOCK_TEXT]);

/*
 * A span of time as people write it: a whole number and one of s, m, h, d, w, y (365 days), as in
 * "90d". EST_MALFORMED where it is none, or beyond a thousand years.
 */
enum outcome clock_parse_span(const char *text, int64_t *seconds);

#endif
