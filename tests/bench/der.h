/*
 * der.h - just enough DER for the benchmarks: a strict reader of one element, and a writer that
 * fills a buffer from its end, so that every length is known when its header is due.
 */
#ifndef EST_BENCH_DER_H
#define EST_BENCH_DER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h" /* struct span only: nothing of common/ is linked */

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_UTC_TIME = 0x17,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_2 = 0x82, /* dNSName in a GeneralName */
	DER_CONTEXT_0 = 0xa0, /* constructed */
	DER_CONTEXT_3 = 0xa3,
};

/* One element: its bytes as they lie on the wire, and those behind its header. */
struct der {
	struct span whole;
	struct span content;
};

/* Takes the next element off in; false where its tag is another, or its length is not DER or too
 * long. */
bool der_next(struct span *in, unsigned int tag, struct der *out);

/* Writes towards smaller addresses: what stands last in the encoding is put first. */
struct der_writer {
	unsigned char *bottom;
	unsigned char *at; /* the first byte written; start it behind the end of the buffer */
};

/* Puts bytes before what is there; ends the process where the buffer is full. */
void der_put(struct der_writer *writer, const void *bytes, size_t len);
void der_put_span(struct der_writer *writer, struct span span);

/* Puts tag and length before the bytes from at up to end, which were written already. */
void der_wrap(struct der_writer *writer, unsigned int tag, const unsigned char *end);

/* What stands between at and end. */
struct span der_written(const struct der_writer *writer, const unsigned char *end);

#endif
