/*
 * csr.h - a PKCS#10 certification request (RFC 2986), parsed from its TLVs in place.
 */
#ifndef EST_CSR_H
#define EST_CSR_H

#include "common/pki/key.h"
#include "common/pki/name.h"
#include "common/pki/san.h"

/* What a request asks for in its extensionRequest, as far as we take note of it. */
struct csr_wishes {
	struct sans sans; /* none: count and others are 0 */
	bool has_key_usage, has_extended_key_usage;
	unsigned key_usage;             /* bit n: KeyUsage bit n */
	struct span extended_key_usage; /* OID, OID, ...: DER, content of the SEQUENCE */
	const char *beyond; /* something that no profile grants: "a CA certificate", ...; or NULL */
};

/* The spans lead into the request's bytes, which must outlive it. */
struct csr {
	struct span der;
	struct span tbs;                 /* CertificationRequestInfo, what is signed */
	struct span subject;             /* Name */
	struct span spki;                /* SubjectPublicKeyInfo */
	struct span signature_algorithm; /* AlgorithmIdentifier */
	struct span signature;           /* bare octets */
	struct key_info key;
	struct name name;
	struct csr_wishes wishes;
	bool has_challenge; /* challengePassword: RFC 7030 3.5 makes it channel binding data */
};

/*
 * Parses one request and nothing behind it, strictly: DER, version 0, known attributes at most
 * once, values that are what their types promise. Does not verify the signature. EST_MALFORMED with
 * the reason.
 */
enum outcome csr_parse(struct span der, struct csr *out);

/*
 * Verifies the signature over the request by its own key: the proof of possession. EST_MALFORMED.
 */
enum outcome csr_verify(const struct csr *csr);

void csr_clear(struct csr *csr);

/* The device's name: its common name, else its first SAN, else its serialNumber. Appends UTF-8
 * text. */
void csr_device_name(const struct csr *csr, struct buf *out);

#endif
