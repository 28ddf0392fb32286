/*
 * fact.h - a member of a request's log line, bounded, so that a line stays below 8 KiB whatever a
 * request holds.
 */
#ifndef EST_FACT_H
#define EST_FACT_H

#include "common/base/buf.h"

/*
 * Appends the member as json_add() does, but with no more of text than takes `most` octets in the
 * line, escapes included; cut between characters.
 */
void fact_add(struct buf *members, const char *key, struct span text, size_t most);
void fact_add_string(
    struct buf *members, const char *key, const char *text, size_t most); /* NULL: left out */

#endif
