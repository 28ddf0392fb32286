/*
 * cmc_revocation.h - a RevokeRequest (RFC 5272 6.11).
 */
#ifndef EST_CMC_REVOCATION_H
#define EST_CMC_REVOCATION_H

#include "common/pki/cmc_data.h"

struct cmc_revocation {
	struct span issuer; /* DER Name */
	struct span serial; /* content octets of the INTEGER */
	int reason;         /* CRLReason (RFC 5280 5.3.1) */
	bool has_secret;
	struct span secret; /* that the certificate was requested with, instead of a signature */
};

/* EST_MALFORMED, CMC_CONTROL. The spans lead into the control. */
enum outcome cmc_revocation_parse(const struct cmc_control *control, struct cmc_revocation *out);

/* Appends the DER of one. */
void cmc_revocation_add(struct buf *out, const struct cmc_revocation *revocation);

#endif
