/*
 * pkcs7.h - the certs-only message (RFC 5272 4.1): a SignedData that signs nothing and carries
 * certificates.
 */
#ifndef EST_PKCS7_H
#define EST_PKCS7_H

#include "common/base/buf.h"

/* Appends the DER ContentInfo around count DER certificates, in their order (RFC 7030 4.1.3). */
void pkcs7_certs_only(const struct span *certificates, size_t count, struct buf *out);

#endif
