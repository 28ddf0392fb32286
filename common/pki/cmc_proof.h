/*
 * cmc_proof.h - that somebody knows a shared secret: IdentityProofV2 (RFC 5272 6.2.1) and, of the
 * same form, PopLinkWitnessV2 (6.3.1.1).
 */
#ifndef EST_CMC_PROOF_H
#define EST_CMC_PROOF_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define CMC_KEY_SIZE 32 /* of the key: a SHA-256 of the secret */

struct cmc_proof {
	const char *digest; /* of the HMAC, OpenSSL's name */
	struct span witness;
};

/*
 * Parses one and nothing behind it. EST_MALFORMED: CMC_CONTROL; CMC_ALGORITHM where the secret is
 * to be hashed by something else than SHA-256, which is all that is kept of it, or the MAC is not
 * HMAC with SHA-2.
 */
enum outcome cmc_proof_parse(struct span der, struct cmc_proof *out);

/* Whether the witness is the MAC of data under the key; in constant time. */
bool cmc_proof_verify(
    const struct cmc_proof *proof, const unsigned char key[static CMC_KEY_SIZE], struct span data);

/* The key of a proof that comes with an Identification control (6.2.3), empty: with none. */
void cmc_proof_key(
    struct span secret, struct span identification, unsigned char key[static CMC_KEY_SIZE]);

/* Appends the DER of a proof by SHA-256 and HMAC with SHA-256. */
void cmc_proof_add(struct buf *out, const unsigned char key[static CMC_KEY_SIZE], struct span data);

#endif
