/*
 * pattern.h - patterns of names that a user may ask for.
 */
#ifndef EST_PATTERN_H
#define EST_PATTERN_H

#include "common/base/buf.h"

/*
 * Whether the name matches, without regard to ASCII letter case. `*` stands for any run of characters
 * that part no names: none of . @ : / , and space, so that it stays within one label of a host and
 * never reaches another host, mailbox or URL. `**` stands for any run at all; the pattern `*` alone is
 * every name. A `*` in the name is only matched by such a run.
 */
bool pattern_matches(const char *pattern, struct span name);

#endif
