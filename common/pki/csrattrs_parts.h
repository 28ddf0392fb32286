/*
 * csrattrs_parts.h - what the files of csrattrs share: OIDs, and the demands of a label, from which
 * both forms are written.
 */
#ifndef EST_CSRATTRS_PARTS_H
#define EST_CSRATTRS_PARTS_H

#include "common/pki/csrattrs.h"
#include "common/pki/der.h"

#define CSRATTRS_MAX (16 * 1024) /* octets */

/* Content octets. */
#define OID_EXTENSION_REQUEST  "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
#define OID_TEMPLATE           "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3d"
#define OID_EXTENSION_TEMPLATE "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3e"
#define OID_KEY_USAGE          "\x55\x1d\x0f"
#define OID_SUBJECT_ALT_NAME   "\x55\x1d\x11"
#define OID_EXTENDED_KEY_USAGE "\x55\x1d\x25"

/* Where in a request something belongs, and so in which place of csrattrs it is demanded. */
enum place { PLACE_CHALLENGE, PLACE_SUBJECT, PLACE_EXTENSION, PLACE_ATTRIBUTE };

struct demand {
	enum place place;
	struct span oid; /* content octets */
};

#define DEMANDS_MAX 100

/* All that a label demands, none twice, in the order in which it is announced. */
struct demands {
	struct demand demand[DEMANDS_MAX];
	size_t count;
	bool one_key; /* the profile takes one kind of key only */
	struct key_terms key;
	struct buf memory; /* OIDs of csrattrs_require */
};

/* Works them out. EST_MALFORMED with path:line. *out in any case: demands_clear(). */
enum outcome demands_make(const struct csrattrs_plan *plan, struct demands *out);
void demands_clear(struct demands *demands);

/* Whether a word of required is a kind of SubjectAltName, of which the profile fixes none. */
bool demands_alt_name(const struct profile *profile, const char *word);

/*
 * An extension that is demanded, as one Extension without its frame: OID, critical, value. The
 * value is left out where the client is to choose it; gives whether it is there.
 */
bool demands_add_extension(const struct csrattrs_plan *plan, struct span oid, struct buf *out);

/* Appends the attribute with the CertificationRequestInfoTemplate (RFC 9908 3.4). */
void template_add(const struct csrattrs_plan *plan, const struct demands *demands, struct buf *out);

#endif
