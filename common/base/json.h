/*
 * json.h - one JSON object on one line, written straight into a buf: for log lines, which must be
 * cheap. Programs that build larger documents use jansson.
 *
 * 	json_begin(&line);
 * 	json_add(&line, "subject", span);
 * 	json_end(&line);
 */
#ifndef EST_JSON_H
#define EST_JSON_H

#include <stdint.h>

#include "common/base/buf.h"

/*
 * Appends text as a JSON string, quotes included (RFC 8259 7). Controls, DEL, C1 controls, the line
 * and paragraph separators U+2028/2029 and bidirectional overrides come out as \uXXXX; bytes that
 * are not UTF-8 as U+FFFD. What comes out is valid UTF-8 on one line whatever goes in.
 */
void json_quote(struct buf *out, struct span text);

/* Members may also be added to an empty buf, to be put into an object later. */
void json_begin(struct buf *out);
void json_add(struct buf *out, const char *key, struct span value);
void json_add_string(struct buf *out, const char *key, const char *value); /* NULL: left out */
void json_add_number(struct buf *out, const char *key, int64_t value);
void json_add_true(struct buf *out, const char *key);
void json_end(struct buf *out); /* with a LF behind the brace */

#endif
