/*
 * change.h - ChangeSubjectName (RFC 6402 2.8): the other names that a renewal asks for.
 */
#ifndef EST_CHANGE_H
#define EST_CHANGE_H

#include "common/pki/name.h"
#include "common/pki/san.h"

/* Start it as {0}; change_clear(). What is not asked for is empty, and so in the certificate. */
struct change {
	struct name name;
	struct sans sans; /* leads into the value */
};

/*
 * Parses ChangeSubjectName ::= SEQUENCE { subject Name OPTIONAL, subjectAlt GeneralNames OPTIONAL
 * }, of which one has to be there, with the checks that a request's own names get (name_check(),
 * one common name, no RDN of several attributes). Refuses with CSR_ATTRIBUTE_VALUE or a code of
 * names.
 */
enum outcome change_parse(struct span value, struct change *out);
void change_clear(struct change *change);

#endif
