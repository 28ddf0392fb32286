/*
 * name.h - a distinguished name (RFC 5280 4.1.2.4), as parsed values.
 */
#ifndef EST_NAME_H
#define EST_NAME_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define NAME_RDNS_MAX 32

/* A known attribute type. */
struct name_type {
	const char *word; /* as est.conf and RFC 4514 write it */
	struct span oid;  /* content octets */
	size_t most;      /* characters, the upper bound of X.520 */
	bool identifies;  /* devices are told apart by it: asking for it needs leave */
	bool printable;   /* X.520 wants PrintableString */
	bool ia5;         /* RFC 4519, 2985: IA5String */
};

/* One attribute; type is NULL where its OID is not in our table. */
struct name_attribute {
	const struct name_type *type;
	struct span oid;
	unsigned string_tag; /* as it came */
	size_t at, len;      /* its value in UTF-8: bytes of name->text */
	bool joined;         /* in the same RDN as the one before it */
};

struct name {
	struct name_attribute attributes[NAME_RDNS_MAX];
	size_t count;
	struct buf text; /* the values */
};

/*
 * Parses a DER Name. EST_MALFORMED for what is not DER, more than NAME_RDNS_MAX attributes, string
 * types or bytes that are no text, controls, an empty value, or one that is longer than X.520
 * allows.
 */
enum outcome name_parse(struct span der, struct name *out);
void name_clear(struct name *name);

/*
 * What a name in a request has to keep beside, although certificates are read that do not: every
 * value is of its string type's alphabet, and none is blank.
 */
enum outcome name_check(const struct name *name);

struct span name_value(const struct name *name, const struct name_attribute *attribute);

/* The first value of the type with that word, e.g. "CN"; an empty span if none. */
struct span name_first(const struct name *name, const char *word);

/* Appends a DER Name, encoded afresh: PrintableString stays, IA5 where it belongs, all else is
 * UTF8String. */
void name_encode(const struct name *name, struct buf *out);

/* Appends RFC 4514's text, with every control, and every byte of no known attribute's value,
 * escaped. */
void name_text(const struct name *name, struct buf *out);

/* Whether two names are the same by RFC 5280 7.1: letter case, runs of spaces and string types do
 * not count. */
bool name_equal(const struct name *a, const struct name *b);

/* The type of that word, NULL if there is none. */
const struct name_type *name_type_of(const char *word);

#endif
