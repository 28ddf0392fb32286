/*
 * rate.h - how often something may happen: "60/m burst 20".
 */
#ifndef EST_RATE_H
#define EST_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* The generic cell rate algorithm's two parameters (ITU-T I.371). */
struct rate {
	int64_t interval; /* microseconds between two of them, on average */
	int64_t burst;    /* how many may come at once, at least 1 */
};

/*
 * "N/s", "N/m", "N/h" or "N/d", and "burst B" behind it; without it the burst is N, so that "60/m"
 * takes 60 at once and then one a second. N and B are 1 to 1000000. False where it is no such text.
 */
bool rate_parse(const char *text, struct rate *out);

#endif
