/*
 * enroll.h - the one way to a certificate: a first one, or the next one for the same name.
 */
#ifndef EST_ENROLL_H
#define EST_ENROLL_H

#include "common/auth/auth.h"
#include "common/lifecycle/service.h"

/* An enrollment: what goes in, and what came of it. enrollment_clear() gives the latter back. */
struct enrollment {
	const struct label *label;
	const struct identity *identity;
	struct span request; /* DER PKCS#10 */

	unsigned char key[32];     /* key_identity() of the request's */
	struct csr csr;            /* parsed, for the log, also after most refusals */
	struct cert_record record; /* the certificate: record.der */
	bool key_shared;           /* its key has a certificate under another name too */
	bool repeated; /* the same request had been answered before; this is the same answer */
	struct buf memory[6]; /* what csr and record lead into; enroll.c's */
};

/*
 * Issues a certificate (RFC 7030 4.2.1) and records it: on EST_OK it is on disk. The same request
 * of the same identity within the retry window gets the same certificate. EST_MALFORMED: the
 * request; EST_FORBIDDEN: the identity may not; EST_UNAVAILABLE: try again later.
 */
enum outcome enroll(struct service *service, struct enrollment *enrollment);

/* As enroll(), for the names of a certificate that is being renewed (RFC 7030 4.2.2), with the same
 * key or a new one. */
enum outcome renew(struct service *service, struct enrollment *enrollment);

void enrollment_clear(struct enrollment *enrollment);

#endif
