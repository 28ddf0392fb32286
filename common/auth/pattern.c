#include "common/auth/pattern.h"

#include <ctype.h>
#include <string.h>

/*
 * Matches greedily from left to right and, on a mismatch, lets the last star swallow one character
 * more. A star that may not swallow what parts names gives way to the double star before it, so that time
 * stays within pattern times name.
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
