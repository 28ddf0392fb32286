/*
 * multipart.h - the body of an answer in parts (RFC 2046 5.1): a generated key and its certificate.
 */
#ifndef EST_MULTIPART_H
#define EST_MULTIPART_H

#include "common/base/buf.h"

struct multipart_part {
	const char *type; /* Content-Type, as it stands in the part's header */
	struct span der;
};

/* Start it as {0}. */
struct multipart {
	struct buf body; /* as secret as what is in it: buf_cleanse() */
	char type[64];   /* Content-Type of the whole, with its boundary */
};

/*
 * Writes the parts in their order, each with Content-Type and Content-Transfer-Encoding: base64
 * (which libest's client insists on), in lines of `columns` characters, a multiple of 4; 0: in
 * one.
 *
 * Every line end is CRLF, those inside of the base64 too: RFC 2045 6.8 and 2046 5.1.1 know no
 * other, and clients take it (libest and BouncyCastle look for the boundary behind CRLF and skip
 * both characters before it; MIME parsers in general). That differs from the bodies of other
 * answers, which have LF. There is nothing before the first boundary and nothing behind the last
 * one's CRLF.
 */
void multipart_write(
    const struct multipart_part *parts, size_t count, size_t columns, struct multipart *out);

#endif
