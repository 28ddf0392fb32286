/*
 * escape.h - outside text on its way into HTML, CSV and distinguished names. JSON, and with it every log line,
 * has json.h.
 *
 * All of them take any bytes and append valid UTF-8: what is no UTF-8 becomes U+FFFD.
 */
#ifndef EST_ESCAPE_H
#define EST_ESCAPE_H

#include "common/base/buf.h"

/*
 * Text between tags: & < > as entities; controls, line separators, direction overrides and what no eye sees, all of
 * which would hide or turn around what stands beside them, as visible [U+XXXX]. Not for attributes.
 */
void html_text(struct buf *out, struct span text);

/* The same for the value of an attribute in quotes of either kind; the caller writes the quotes. */
void html_attribute(struct buf *out, struct span text);

/*
 * One cell of RFC 4180, quotes included where it needs them; commas and CRLF between cells are the caller's. A
 * cell that a spreadsheet would compute (= + - @, tab, CR, LF in front, blanks before them or not) gets an
 * apostrophe before it. Tab, CR and LF stay, within quotes; what else does not print comes as [U+XXXX].
 */
void csv_cell(struct buf *out, struct span text);

/*
 * A value in a distinguished name by RFC 4514 2.4: , + " \ < > ; and edges escaped, controls as \XX a byte.
 */
void dn_value(struct buf *out, struct span value);

#endif
