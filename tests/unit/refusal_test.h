/*
 * refusal_test.h - a refusal is the right one where its code is, not only its outcome. Included by
 * tests of what refuses, after maker.h.
 */
#ifndef EST_REFUSAL_TEST_H
#define EST_REFUSAL_TEST_H

#include <string.h>

#include "common/base/refusal.h"

/*
 * Whether the outcome is a refusal with that code, REFUSAL_NONE: is
 * none. Prints if not; forgets it.
 */
static inline bool refusal_is(enum refusal wanted, enum outcome outcome, const char *what)
{
	enum refusal got = refusal_recorded(outcome);
	const struct refusal_row *row = refusal_row(wanted);
	bool right = got == wanted && outcome == row->outcome &&
		     (outcome == EST_OK) == (reason_text()[0] == '\0');

	/* What the table says of the rule stands before the text, once. */
	if (right && row->rule[0] != '\0')
		right = strncmp(reason_text(), row->rule, strlen(row->rule)) == 0 &&
			strstr(reason_text() + strlen(row->rule), "RFC ") == NULL;
	if (!right)
		print_error("%s: %s instead of %s: \"%s\"\n", what, refusal_row(got)->code,
		    row->code, reason_text());
	reason_clear();
	return right;
}

#define assert_refusal(wanted, got) assert_true(refusal_is((wanted), (got), #got))

#endif
