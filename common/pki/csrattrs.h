/*
 * csrattrs.h - CSR attributes: what a label tells clients that a request should hold (RFC 7030
 * 4.5.2, RFC 8951 4, RFC 9908).
 */
#ifndef EST_CSRATTRS_H
#define EST_CSRATTRS_H

#include "common/pki/profile.h"

/* What they are made of. */
struct csrattrs_plan {
	const char *path; /* of est.conf, for reasons */
	const struct config_label *label;
	const struct profile *profile;
};

/*
 * Appends the DER CsrAttrs of a label: what csrattrs_base64 or csrattrs_file (DER or base64) hold,
 * or what follows from label and profile. Nothing is appended where nothing is demanded (A-03:
 * 204). EST_MALFORMED with path:line, also where both of base64 and file are given, or either of
 * them beside csrattrs_require, and for more than 16 KiB; so, too, what file_read() gives.
 *
 * What is demanded, in this order:
 *  1. challenges, bare: where pop_required, challengePassword (challenge = "verify") or
 *     estIdentityLinking (any other); and those that csrattrs_require names.
 *  2. where the profile takes one kind of key only: the key's type with its curve or size, and at
 *     the very end the signature scheme that goes with it: SHA-256 with P-256 and RSA, SHA-384 with
 *     P-384, SHA-512 with P-521. Ed25519 and Ed448 are demanded by their signature scheme alone,
 *     for a key type without parameters would need an empty SET (RFC 8951 4).
 *  3. bare: attributes of the subject that the profile requires and neither fixes nor takes from
 *     the identity; then whatever else csrattrs_require names: OIDs, words of name.h, friendlyName,
 *     macAddress.
 *  4. extensions. What the profile puts into every certificate need not be asked for, so that they
 *     are demanded only where the client has to give names (required, or serverAuth among the
 *     purposes): subjectAltName, bare; and where csrattrs_require says keyUsage, extendedKeyUsage,
 *     subjectAltName or an OID below 2.5.29. A keyUsage that is the same for every key of the
 *     profile, and a single purpose, have their value, in one id-ExtensionReq; all others are bare.
 *
 * The form "list" has all of that. The form "template" (RFC 9908 3.4) has the subject with the
 * profile's fixed attributes, the key (an RSA size by a placeholder), and the extensions: values
 * that are the client's left out, subjectAltName with the fixed names and an empty address where
 * nothing but addresses is left to give. Challenges and other attributes, which a template has no
 * place for, stand beside it. A client that knows templates ignores the list (RFC 9908 4).
 */
enum outcome csrattrs_make(const struct csrattrs_plan *plan, struct buf *out);

/*
 * Whether octets are a DER CsrAttrs by RFC 8951 4 and RFC 9908 3: SETs sorted, none empty, at most
 * one key type, one id-ExtensionReq of one whole Extensions, one template in its form. The historic
 * extensionRequest with bare OIDs (RFC 7030 4.5.2's own example) is taken too. EST_MALFORMED.
 */
enum outcome csrattrs_check(struct span der);

/*
 * Whether a request has what was demanded of it: every OID that stands bare or as an
 * attribute's type, extensions with their values, key type and size, and the template; list and
 * template both, where both are there. Names may be more than were demanded, criticality is the
 * profile's. Nothing is demanded of the key and signature of a CSR_KEY_ANY request. der has passed
 * csrattrs_check(). EST_MALFORMED (CSR_ATTRIBUTE_MISSING) that says which one is missing.
 */
enum outcome csrattrs_enforce(struct span der, const struct csr *csr);

#endif
