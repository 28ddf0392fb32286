/*
 * form.h - the bytes that records are stored as: numbers of a fixed size, most significant octet
 * first; texts and runs of octets behind their length.
 *
 * For record*.c, which say what stands in which order.
 */
#ifndef EST_FORM_H
#define EST_FORM_H

#include <stdint.h>

#include "common/base/buf.h"

/* --- writing --- */

void form_put_number(struct buf *out, uint64_t value, unsigned octets);
void form_put_length(struct buf *out, size_t len);
void form_put_span(struct buf *out, struct span span);
/* With its NUL, so that reading it back is a pointer and not a copy; NULL is written as "". */
void form_put_text(struct buf *out, const char *text);

/* --- reading --- */

/* What is left to read; once something did not fit, everything after it reads as nothing. */
struct form_reader {
	struct span rest;
	bool failed;
};

/*
 * Starts on a copy of `in` that becomes the caller's, in *memory; it has `ahead` zero bytes before
 * the copy. A form that does not begin with `letter` fails.
 */
struct form_reader form_read(struct span in, size_t ahead, unsigned char letter, void **memory);
uint64_t form_take_number(struct form_reader *reader, unsigned octets);
size_t form_take_length(struct form_reader *reader);
void form_take_octets(struct form_reader *reader, unsigned char *out, size_t len);
struct span form_take_span(struct form_reader *reader);
const char *form_take_text(struct form_reader *reader); /* never NULL */
/* Whether everything did fit, and nothing is left. */
bool form_is_whole(const struct form_reader *reader);

#endif
