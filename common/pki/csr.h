/*
 * csr.h - a PKCS#10 certification request (RFC 2986), parsed from its TLVs in place.
 */
#ifndef EST_CSR_H
#define EST_CSR_H

#include "common/pki/key.h"
#include "common/pki/name.h"
#include "common/pki/wishes.h"

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
	struct wishes wishes;
	bool has_challenge; /* challengePassword: RFC 7030 3.5 makes it channel binding data */
};

/*
 * Parses one request and nothing behind it, strictly: DER throughout, version 0, attributes at
 * most once, values that are what their types promise, a subject that leaves open neither who
 * nor what is meant. Does not verify the signature, and does not know the profile. Linear in the
 * input, without recursion. Refuses with a CSR code.
 */
enum outcome csr_parse(struct span der, struct csr *out);

/*
 * Verifies the signature over the request by its own key: the proof of possession. EST_MALFORMED.
 */
enum outcome csr_verify(const struct csr *csr);

void csr_clear(struct csr *csr);

/*
 * The device's name: its common name, else its first SAN, else its serialNumber. Appends UTF-8
 * text without blanks at its edges and with one for each run of them, so that nobody becomes a
 * twin of an enrolled device by a blank that names do not differ by (RFC 5280 7.1).
 */
void csr_device_name(const struct csr *csr, struct buf *out);

#endif
