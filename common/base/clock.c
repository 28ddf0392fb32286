#include "common/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t clock_now(void)
{
	return (int64_t)time(NULL);
}

uint64_t clock_microseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

int64_t clock_wall(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint64_t clock_milliseconds(void)
{
	return clock_microseconds() / 1000U;
}

const char *clock_text(int64_t t, char text[static CLOCK_TEXT])
{
	time_t seconds = (time_t)t;
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099 || tm.tm_year < -1900)
		(void)snprintf(text, CLOCK_TEXT, "9999-12-31T23:59:59Z");
	else
		(void)snprintf(text, CLOCK_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		    (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		    (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
	return text;
}

enum outcome clock_parse_span(const char *text, int64_t *seconds)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {
	    {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'y', 31536000}};
	const int64_t most = INT64_C(1000) * 31536000;
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno == 0 && isdigit((unsigned char)text[0]) && number >= 0 && strlen(end) == 1) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (units[i].letter != *end || number > most / units[i].seconds)
				continue;
			*seconds = number * units[i].seconds;
			return EST_OK;
		}
	}
	return reason(EST_MALFORMED,
	    "\"%.40s\" is not a span of time: write a number and one of s, m, h, d, w, y, as in "
	    "90d",
	    text);
}
