/*
 * enroll.h - the one way to a certificate: a first one, the next one for the same name, or one for
 * a key that we make.
 */
#ifndef EST_ENROLL_H
#define EST_ENROLL_H

#include "common/auth/auth.h"
#include "common/lifecycle/linking.h"
#include "common/lifecycle/service.h"

/* What a request is sent as: a row of acts[] in enroll.c. */
enum act { ACT_ENROLL, ACT_RENEW, ACT_GENERATE, ACTS };

/*
 * An enrollment: what goes in, and what came of it. Start it as {0} but for what goes in;
 * enrollment_clear() gives everything back.
 */
struct enrollment {
	const struct label *label;
	const struct identity *identity;
	const struct binding *binding; /* the TLS session's; NULL: nothing is known of it */
	enum act act;
	struct span request; /* DER PKCS#10 */
	/*
	 * Instead of `request`: a request that is no PKCS#10, made by csr_assemble(), whose
	 * possession of the key the caller has verified (RFC 5272 3.2.1.2.2). It is moved to
	 * `csr`.
	 */
	struct csr *assembled;
	/*
	 * SHA-256 of the device's one-time secret, whose knowledge the caller has verified (RFC
	 * 5272 6.2): it is used up with the certificate. NULL: none.
	 */
	const unsigned char *secret;
	bool cmc;            /* it came in a Full PKI Request: `approval` may say so too */
	bool must_be_new;    /* a living device is refused, whatever the label says */
	const char *address; /* of the client, for the hook; may be NULL */

	unsigned char key[32];     /* key_identity() of the request's, or of the generated one */
	struct csr csr;            /* parsed, for the log, also after most refusals */
	struct cert_record record; /* the certificate: record.der */
	struct linking linking;    /* what became of its challenges, for the log */
	unsigned retry_after;      /* EST_PENDING: seconds after which to ask again */
	struct buf generated;      /* ACT_GENERATE: PrivateKeyInfo in DER; a secret */
	bool key_shared;           /* its key has a certificate under another name too */
	bool uses_secret;          /* a one-time secret is used up for it */
	bool repeated; /* the same request had been answered before; this is the same answer */
	struct enrollment_memory *memory; /* enroll.c's */
};

/*
 * Issues a certificate and records it: on EST_OK it is on disk. The same request of the same
 * identity within the retry window gets the same certificate. ACT_ENROLL: RFC 7030 4.2.1.
 * ACT_RENEW: for the names of a certificate that is being renewed (4.2.2), with the same key or a
 * new one. ACT_GENERATE: for a key that is made here (4.4), whose own key and signature do not
 * matter; never answered twice. EST_MALFORMED: the request; EST_FORBIDDEN: the identity may not;
 * EST_PENDING: it waits for approval (4.2.3); EST_CONFLICT: the device has a certificate already;
 * EST_UNAUTHENTICATED (AUTH_SPENT): what proved the identity is used up; EST_UNAVAILABLE: try again
 * later.
 */
enum outcome enroll(struct service *service, struct enrollment *enrollment);

void enrollment_clear(struct enrollment *enrollment);

const char *act_name(enum act act); /* "simpleenroll", "simplereenroll", "serverkeygen" */

#endif
