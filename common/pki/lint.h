/*
 * lint.h - a last look at a certificate before it is signed, by somebody who did not make it.
 *
 * The to-be-signed certificate is taken apart again and held against RFC 5280 and against what was
 * wanted. What breaks a rule is a fault of ours or of the configuration, and is never signed.
 */
#ifndef EST_LINT_H
#define EST_LINT_H

#include "common/pki/profile.h"

#define LINT_SIZE_MAX 65536 /* octets beside the key: TLS peers take some 100 KB of chain at most */

/*
 * What the certificate has to be. An empty span, NULL or 0 stands for: nothing is known, do not
 * compare. What RFC 5280 leaves to the CA (which extensions there are, whether an extendedKeyUsage
 * is critical, how a key identifier is made) is looked at where a profile is given.
 */
struct lint_want {
	struct span algorithm;        /* AlgorithmIdentifier of the signature */
	struct span issuer;           /* Name of the CA, byte for byte */
	struct span authority_key_id; /* the CA's subjectKeyIdentifier, bare octets */
	int64_t ca_not_before, ca_not_after;
	struct span serial; /* octets */
	int64_t not_before, not_after;
	struct span subject; /* Name */
	struct span spki;
	const struct sans *sans; /* without any: there must be none */
	const struct profile *profile;
};

/*
 * Checks a DER TBSCertificate against every rule of the table in lint.c, as far as the first that
 * is broken: EST_OK, or EST_INTERNAL (SERVER_LINT) with the rule's name, what is wrong, and the
 * rule's section. It has to be an end entity's, or, where the profile is of CAs, a CA's.
 */
enum outcome lint_tbs(struct span tbs, const struct lint_want *want);

/*
 * Runs every rule and hands over each finding: the rule's name, its section ("" where the rule is
 * ours alone), what is wrong; the texts are valid during the call. Gives the number of findings.
 * Records no reason. For whoever wants them all.
 */
typedef void lint_finding(void *context, const char *rule, const char *section, const char *what);
unsigned lint_each(
    struct span tbs, const struct lint_want *want, lint_finding *finding, void *context);

#endif
