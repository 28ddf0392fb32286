/*
 * pattern.h - patterns of names that may be asked for, and ranges of addresses.
 */
#ifndef EST_PATTERN_H
#define EST_PATTERN_H

#include "common/base/buf.h"

/*
 * Whether the name matches, without regard to ASCII letter case. `*` stands for any run of
 * characters that part no names: none of . @ : / , and space, so that it stays within one label of
 * a host and never reaches another host, mailbox or URL. `**` stands for any run at all; the
 * pattern `*` alone is every name. A `*` in the name is only matched by such a run.
 */
bool pattern_matches(const char *pattern, struct span name);

/* Addresses of which the first so many bits are alike. */
struct pattern_range {
	unsigned char octets[16];
	size_t len; /* 4 or 16; 0: every address */
	unsigned bits;
};

/*
 * Reads "192.0.2.0/24", "2001:db8::/32", an address alone, or "*". false where it is none of them,
 * or where bits behind the prefix are set.
 */
bool pattern_range_parse(const char *text, struct pattern_range *out);

/*
 * Whether an address of 4 or 16 octets is within; those of IPv4 and of IPv6 have nothing in
 * common.
 */
bool pattern_range_holds(const struct pattern_range *range, struct span address);

#endif
