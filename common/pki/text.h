/*
 * text.h - ASN.1's character strings (X.680 41), read into UTF-8.
 */
#ifndef EST_TEXT_H
#define EST_TEXT_H

#include "common/base/buf.h"
#include "common/base/outcome.h"
#include "common/pki/der.h"

/*
 * Appends a value of one of the types of X.520's DirectoryString and its relatives in UTF-8, and
 * counts its characters. Refuses other types, NUL, controls, and bytes that are no characters of
 * the type's width; within that it is liberal about alphabets, for it also reads existing
 * certificates.
 */
enum outcome text_parse(const struct der *value, struct buf *out, size_t *characters);

/* Whether text in UTF-8 stays within the alphabet of the string type with that tag. */
bool text_fits(unsigned tag, struct span text);

#endif
