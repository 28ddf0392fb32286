/*
 * cert.h - a certificate to be: what goes in, and its DER (RFC 5280 4.1).
 */
#ifndef EST_CERT_H
#define EST_CERT_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

struct lint_want;

#define CERT_SERIAL_SIZE 18 /* one octet 0x01-0x7f and 136 random bits */

/*
 * Everything of a certificate but its signature. The spans are DER and belong to whoever filled
 * them in: the request (subject, spki), the profile (extensions), the CA (issuer, the key
 * identifier).
 */
struct cert_plan {
	unsigned char serial[CERT_SERIAL_SIZE];
	struct span issuer, subject; /* Name */
	int64_t not_before, not_after;
	struct span spki;             /* SubjectPublicKeyInfo, copied as it came */
	struct span authority_key_id; /* the CA's key identifier, bare octets */
	struct span extensions;       /* Extension, Extension, ... of the profile and the request */
	const struct lint_want *want; /* what the certificate has to be, for ca_issue(); or NULL */
};

/* A fresh serial number: positive, unpredictable. EST_UNAVAILABLE where there is no randomness. */
enum outcome cert_serial(unsigned char serial[static CERT_SERIAL_SIZE]);

/*
 * Appends the DER TBSCertificate: v3, with a subject key identifier (RFC 7093 2 (1)), an authority
 * key identifier, and plan->extensions. algorithm is the DER AlgorithmIdentifier that will stand in
 * both places.
 */
void cert_encode_tbs(const struct cert_plan *plan, struct span algorithm, struct buf *out);

/* Appends the DER Certificate out of its three parts; signature is the bare octets. */
void cert_encode(struct span tbs, struct span algorithm, struct span signature, struct buf *out);

/* A certificate that exists, looked into; the spans lead into its DER. */
struct cert_parts {
	struct span tbs;             /* TBSCertificate, what is signed */
	struct span serial;          /* content octets of the INTEGER */
	struct span issuer, subject; /* Name */
	struct span spki;
	struct span sans; /* DER GeneralNames of its SubjectAltName; empty if it has none */
};

/* Takes a DER certificate apart, verifying nothing. EST_MALFORMED. */
enum outcome cert_parse(struct span der, struct cert_parts *out);

/* Whether a DER certificate's subjectKeyIdentifier (RFC 5280 4.2.1.2) is just these octets. */
bool cert_has_key_id(struct span der, struct span key_id);

#endif
