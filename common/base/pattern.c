#include "common/base/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

/*
 * Matches greedily from left to right and, on a mismatch, lets the last star swallow one character
 * more. A star that may not swallow what parts names gives way to the double star before it, so
 * that time stays within pattern times name.
 */
struct star {
	const char *behind; /* the pattern behind it; NULL: there is none */
	size_t at;          /* where in the name it ends */
};

static bool swallow(struct star *star, bool any, struct span name, const char **pattern, size_t *at)
{
	if (star->behind == NULL || star->at == name.len ||
	    (!any && strchr(".@:/, ", name.data[star->at]) != NULL))
		return false;
	*pattern = star->behind;
	*at = ++star->at;
	return true;
}

bool pattern_matches(const char *pattern, struct span name)
{
	struct star one = {NULL, 0}, two = {NULL, 0};
	size_t at = 0;

	if (strcmp(pattern, "*") == 0)
		return true;
	for (;;) {
		if (pattern[0] == '*' && pattern[1] == '*') {
			pattern += 2;
			two = (struct star){pattern, at};
			one.behind = NULL;
		} else if (pattern[0] == '*') {
			pattern++;
			one = (struct star){pattern, at};
		} else if (at == name.len && *pattern == '\0') {
			return true;
		} else if (at < name.len && *pattern != '\0' &&
			   tolower((unsigned char)*pattern) == tolower(name.data[at])) {
			pattern++;
			at++;
		} else if (!swallow(&one, false, name, &pattern, &at)) {
			one.behind = NULL;
			if (!swallow(&two, true, name, &pattern, &at))
				return false;
		}
	}
}

/* Whether all bits from that one on are zero. */
static bool ends_in_zeros(const struct pattern_range *range)
{
	for (unsigned bit = range->bits; bit < range->len * 8; bit++)
		if ((range->octets[bit / 8] & 0x80 >> bit % 8) != 0)
			return false;
	return true;
}

static bool parse_address(const char *text, struct pattern_range *out)
{
	out->len = strchr(text, ':') == NULL ? 4 : 16;
	out->bits = (unsigned)out->len * 8;
	return inet_pton(out->len == 4 ? AF_INET : AF_INET6, text, out->octets) == 1;
}

bool pattern_range_parse(const char *text, struct pattern_range *out)
{
	size_t len = strcspn(text, "/");
	const char *bits = text[len] == '/' ? text + len + 1 : NULL;
	char address[INET6_ADDRSTRLEN];

	*out = (struct pattern_range){.len = 0};
	if (strcmp(text, "*") == 0)
		return true;
	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!parse_address(address, out))
		return false;
	if (bits == NULL)
		return true;
	len = strspn(bits, "0123456789");
	if (len == 0 || len > 3 || bits[len] != '\0' || strtoul(bits, NULL, 10) > out->bits)
		return false;
	out->bits = (unsigned)strtoul(bits, NULL, 10);
	return ends_in_zeros(out);
}

bool pattern_range_holds(const struct pattern_range *range, struct span address)
{
	unsigned whole = range->bits / 8, rest = range->bits % 8;

	if (range->len == 0)
		return true;
	if (address.len != range->len || memcmp(address.data, range->octets, whole) != 0)
		return false;
	return rest == 0 || (address.data[whole] ^ range->octets[whole]) >> (8 - rest) == 0;
}
