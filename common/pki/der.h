/*
 * der.h - DER (X.690 10) read and written a value at a time, in place, without OpenSSL.
 *
 * The reader knows definite, shortest lengths and one-octet tags only, which is all that PKCS#10
 * and X.509 use: what it accepts is DER, and there is nothing to re-encode and compare.
 */
#ifndef EST_DER_H
#define EST_DER_H

#include <stdint.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_NUMERIC = 0x12,
	DER_PRINTABLE = 0x13,
	DER_TELETEX = 0x14,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_VISIBLE = 0x1a,
	DER_UNIVERSAL = 0x1c,
	DER_BMP = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

/* Tag octets of [n], of a primitive and of a constructed value. */
#define DER_CONTEXT(n)             (0x80 | (n))
#define DER_CONTEXT_CONSTRUCTED(n) (0xa0 | (n))

/* One value: its tag octet, its content, and the whole of it as it lies in the input. */
struct der {
	unsigned tag;
	struct span content;
	struct span whole;
};

/*
 * Takes the first value off *rest. EST_MALFORMED where there is none, or where it is BER but not
 * DER. der_take() also wants a certain tag. Neither records a reason: the caller knows what it was
 * after.
 */
enum outcome der_next(struct span *rest, struct der *out);
enum outcome der_take(struct span *rest, unsigned tag, struct der *out);

/* Whether the values of a SET OF come in DER's order (X.690 11.6); content is that of the SET. */
bool der_sorted(struct span content);

/*
 * Appends a SET OF whole values under that tag, in DER's order, which values is put in; of equal
 * ones the first.
 */
void der_add_set(struct buf *out, unsigned tag, struct span *values, size_t count);

/* An initializer for a span of the octets of a string literal: an OID's content in a table. */
/* clang-format off */
#define DER_OCTETS(literal) {(const unsigned char *)(literal), sizeof(literal) - 1}
/* clang-format on */

/* Whether the span holds just these octets: DER_IS(oid.content, "\x55\x04\x03"). */
#define DER_IS(span, literal)                                                                      \
	((span).len == sizeof(literal) - 1 &&                                                      \
	    memcmp((span).data, literal, sizeof(literal) - 1) == 0)

/* Whether the content octets of an INTEGER are DER: not empty, no superfluous leading octet. */
bool der_integer_ok(struct span content);

/*
 * Writing: der_open() appends a tag and leaves room for a length, der_close() fills it in. What
 * comes between is the content; pairs nest.
 */
size_t der_open(struct buf *out, unsigned tag);
void der_close(struct buf *out, size_t mark);

/* Appends one whole value. */
void der_add(struct buf *out, unsigned tag, struct span content);

/*
 * Appends a time as RFC 5280 4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime from 2050 on.
 */
void der_add_time(struct buf *out, int64_t t);

/* Appends an OID's content as "2.5.4.3" does; what does not fit is cut short with "...". */
void der_oid_text(struct buf *out, struct span content);

/* The OID, content octets without tag and length, that the dotted text or OpenSSL's short name
 * stands for. */
enum outcome der_oid_parse(const char *text, struct buf *out);

#endif
