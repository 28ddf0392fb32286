/*
 * encoding.h - base64 (RFC 4648 4), hex and percent encoding.
 */
#ifndef EST_ENCODING_H
#define EST_ENCODING_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

/*
 * Appends the base64 of in. columns > 0 breaks lines after so many characters (a multiple of 4) and
 * ends the last one with a single LF; 0 writes one line without any LF.
 */
void base64_encode(struct buf *out, struct span in, size_t columns);

/*
 * Appends what the base64 text stands for. CR, LF, SP and TAB may stand anywhere (RFC 8951 3.1);
 * any other character, wrong padding, non-zero bits behind the last octet, data behind the padding
 * and an empty text are EST_MALFORMED. Writes at most in.len / 4 * 3 bytes.
 */
enum outcome base64_decode(struct buf *out, struct span in);

/* Appends two lower-case digits a byte. */
void hex_encode(struct buf *out, struct span in);

/* The value of a hex digit in either letter case; -1 for any other character. */
int hex_digit(int digit);

/* Appends the bytes of an even number of hex digits; EST_MALFORMED otherwise. */
enum outcome hex_decode(struct buf *out, struct span in);

/*
 * Appends in with every %XX replaced by its byte; EST_MALFORMED where two hex digits do not follow.
 */
enum outcome percent_decode(struct buf *out, struct span in);

#endif
