/*
 * wishes.h - what a request asks for in its extensionRequest (RFC 2985 5.4.2), as far as we take
 * note.
 */
#ifndef EST_WISHES_H
#define EST_WISHES_H

#include "common/base/refusal.h"
#include "common/pki/san.h"

struct wishes {
	struct sans sans; /* none: count and others are 0 */
	bool has_key_usage, has_extended_key_usage;
	unsigned key_usage;             /* bit n: KeyUsage bit n */
	struct span extended_key_usage; /* OID, OID, ...: DER, content of the SEQUENCE */
	enum refusal
	    beyond; /* something that no profile grants; REFUSAL_NONE if there is nothing */
	const char *beyond_what; /* "nameConstraints", ... */
	bool ca;                 /* basicConstraints with CA:TRUE: only profiles of CAs grant it */
	struct span extensions;  /* Extension, Extension, ...: all of them, as they came */
};

/*
 * Parses an Extensions value strictly: none twice, at most 20, each one whole DER value. What is
 * known is noted; what is not is dropped, or noted as beyond where it is marked critical. Starts
 * from zeroed wishes; the spans lead into the input. Refuses with a CSR code.
 */
enum outcome wishes_parse(struct span extensions, struct wishes *out);
/* The same of the content: Extension, Extension, ... */
enum outcome wishes_parse_list(struct span extensions, struct wishes *out);

#endif
