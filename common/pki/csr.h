/*
 * csr.h - a PKCS#10 certification request (RFC 2986), parsed from its TLVs in place.
 */
#ifndef EST_CSR_H
#define EST_CSR_H

#include "common/pki/key.h"
#include "common/pki/name.h"
#include "common/pki/wishes.h"

/*
 * Attributes that prove something: challengePassword, which RFC 7030 3.5 makes channel binding
 * data, and those of RFC 7894; revocationChallenge proves nothing but is kept, to revoke by.
 */
enum csr_challenge {
	CSR_CHALLENGE_PASSWORD,
	CSR_CHALLENGE_OTP,
	CSR_CHALLENGE_REVOCATION,
	CSR_CHALLENGE_LINKING,
	CSR_CHALLENGES
};

/*
 * How a request is read. CSR_KEY_ANY: its key and signature are not looked at (RFC 7030 4.4.1,
 * serverkeygen): the key is any SubjectPublicKeyInfo in form, and csr->key only tells what
 * key_parse() can tell of it (kind NULL: nothing).
 */
enum csr_use { CSR_KEY_PROVEN, CSR_KEY_ANY };

/* The spans lead into the request's bytes, which must outlive it. */
struct csr {
	enum csr_use use;
	struct span der;
	struct span tbs;                 /* CertificationRequestInfo, what is signed */
	struct span subject;             /* Name */
	struct span spki;                /* SubjectPublicKeyInfo */
	struct span signature_algorithm; /* AlgorithmIdentifier */
	struct span signature;           /* bare octets */
	struct key_info key;
	struct name name;
	struct wishes wishes;
	struct span attributes;                /* Attribute, Attribute, ...: of the whole set */
	struct span challenge[CSR_CHALLENGES]; /* DER string of each; empty: there is none */
	struct span change;             /* ChangeSubjectName (RFC 6402 2.8), whole; or empty */
	struct span decrypt_key;        /* DecryptKeyIdentifier: its octets (RFC 7030 4.4.1.1) */
	struct span asymmetric_key;     /* AsymmetricDecryptKeyIdentifier: its octets (4.4.1.2) */
	struct span smime_capabilities; /* content of SMIMECapabilities (RFC 8551 2.5.2) */
};

/*
 * Parses one request and nothing behind it, strictly: DER throughout, version 0, attributes at
 * most once, values that are what their types promise, a subject that leaves open neither who
 * nor what is meant. Does not verify the signature, and does not know the profile. Linear in the
 * input, without recursion. Refuses with a CSR code.
 */
enum outcome csr_parse(struct span der, enum csr_use use, struct csr *out);

/*
 * The same for a request that is no PKCS#10: a CertTemplate's parts (RFC 4211 5), each DER, whole
 * Name and SubjectPublicKeyInfo, and the content of Extensions (empty: none). Everything is checked
 * as csr_parse() does; out->der, tbs and the signature stay empty.
 */
enum outcome csr_assemble(
    struct span subject, struct span spki, struct span extensions, struct csr *out);

/*
 * Verifies the signature over the request by its own key: the proof of possession. sha1: SHA-1 is
 * taken as well (RFC 7030's own examples have it). EST_MALFORMED.
 */
enum outcome csr_verify(const struct csr *csr, bool sha1);

/*
 * Appends the text of a challenge in UTF-8, without line breaks and blanks at its end: some clients
 * send their base64 with them. A secret; nothing where there is no such challenge.
 */
void csr_challenge_text(const struct csr *csr, enum csr_challenge which, struct buf *out);

/*
 * Whether it has an attribute of that OID (content octets), or asks for an extension of it, or has
 * it in its subject: whatever csrattrs may have demanded (RFC 7030 4.5.2).
 */
bool csr_has(const struct csr *csr, struct span oid);

/*
 * Checks names for what a request's own may not be: several attributes in an RDN, a second common
 * name, values that name_check() refuses, or nobody at all.
 */
enum outcome csr_check_names(const struct name *name, const struct sans *sans);

void csr_clear(struct csr *csr);

/*
 * The device's name: its common name, else its first SAN, else its serialNumber. Appends UTF-8
 * text without blanks at its edges and with one for each run of them, so that nobody becomes a
 * twin of an enrolled device by a blank that names do not differ by (RFC 5280 7.1).
 */
void csr_device_name(const struct name *name, const struct sans *sans, struct buf *out);

#endif
