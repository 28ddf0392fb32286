/*
 * pss.h - the parameters of an RSASSA-PSS signature (RFC 4055 3.1).
 */
#ifndef EST_PSS_H
#define EST_PSS_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

struct pss {
	const char *digest; /* OpenSSL's name; MGF1's too */
	size_t digest_len;
	size_t salt_len; /* octets */
};

/*
 * Parses what follows the OID in the AlgorithmIdentifier: a DER RSASSA-PSS-params. EST_MALFORMED
 * (CSR_SIGALG) for anything but SHA-256, SHA-384 or SHA-512, MGF1 with the same, a salt of any
 * length, and trailer field 1. Defaults may be written out.
 */
enum outcome pss_parse(struct span parameters, struct pss *out);

#endif
