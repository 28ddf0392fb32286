/*
 * cmc_crmf.h - a certification request as a CertReqMsg (RFC 4211; RFC 5272 3.2.1.2.2).
 */
#ifndef EST_CMC_CRMF_H
#define EST_CMC_CRMF_H

#include "common/pki/csr.h"

/* The request, assembled; csr leads into spki and into the input. cmc_crmf_clear() it. */
struct cmc_crmf {
	struct span issuer; /* DER Name that the certificate is to have; empty: none said */
	struct buf spki;    /* SubjectPublicKeyInfo, with its own tag */
	struct csr csr;
};

/*
 * Takes the content of a CertReqMsg apart and verifies its proof of possession, which is a
 * signature by the key over the CertRequest. EST_MALFORMED: CMC_FORM, and a CSR code where
 * csr_assemble() refuses, or CMC_ALGORITHM; EST_FORBIDDEN: POP_REQUIRED where there is no proof,
 * CMC_POP where it is another one, or does not verify. cmc_crmf_clear() in every case.
 */
enum outcome cmc_crmf_parse(struct span content, struct cmc_crmf *out);
void cmc_crmf_clear(struct cmc_crmf *crmf);

#endif
