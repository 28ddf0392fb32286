/*
 * key_kind.h - the kinds of keys, as those see them who parse, use, make and describe them: key*.c.
 * Nobody else includes it.
 */
#ifndef EST_KEY_KIND_H
#define EST_KEY_KIND_H

#include "common/pki/key.h"

#define KEY_KINDS 8

enum key_family { FAMILY_EC, FAMILY_RSA, FAMILY_EDWARDS };

struct key_kind {
	const char *word;
	enum key_family family;
	const char *name; /* OpenSSL's: a group, or a key type */
	/* Of the AlgorithmIdentifier, in DER; no parameters: there must be none. */
	struct span oid, parameters;
	size_t point; /* octets of the key: an uncompressed point, or an Edwards one; 0: RSA */
	unsigned bits;
	struct span signature; /* OID in DER: the scheme that goes with its strength */
};

extern const struct key_kind key_kinds[KEY_KINDS];

#endif
