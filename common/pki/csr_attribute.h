/*
 * csr_attribute.h - the attributes of a request (RFC 2986 4.1), between csr.c and csr_attribute.c.
 */
#ifndef EST_CSR_ATTRIBUTE_H
#define EST_CSR_ATTRIBUTE_H

#include "common/pki/csr.h"

/*
 * Takes the content of the set: each attribute once, known ones with one value that is of its type.
 * The value of an unknown one is not looked into. Refuses with a CSR code.
 */
enum outcome csr_take_attributes(struct span set, struct csr *out);

/* Whether the OID (content octets) is that of an attribute whose value is looked into. */
bool csr_attribute_known(struct span oid);

#endif
