/*
 * fullcmc.h - Full PKI Requests (RFC 7030 4.3; RFC 5272): several certificates, revocations, and a
 * word about each.
 *
 * A Full PKI Request is signed, but its signature authenticates nobody: who asks is who TLS and
 * HTTP said it is, and every certificate in it goes through enroll() as that identity. What the
 * signature adds is that the whole came from one hand, and which certificate is at hand to be
 * renewed or revoked. Taken as signers are
 * - the certificate that the identity itself came with, of ours or another CA's;
 * - another certificate of ours that counts under the label, is valid, and has names that the
 * identity may ask for (auth_allows());
 * - the key of a request in the message, named by the SubjectKeyIdentifier that the request asks
 * for (RFC 5272 3.2), alone;
 * - nobody, where nothing is asked for but revocations by a shared secret (6.11). A request for
 * the very names of a signer's certificate of ours is its renewal; any other one is a first
 * enrollment.
 */
#ifndef EST_FULLCMC_H
#define EST_FULLCMC_H

#include "common/lifecycle/enroll.h"

/* What became of a certification request. */
struct fullcmc_part {
	uint32_t id;  /* its number in the message, */
	size_t count; /* and how many there are */
	enum outcome outcome;
	const struct enrollment *enrollment; /* how far it came */
};

/* What goes in, and what came of it. fullcmc_clear() gives the latter back. */
struct fullcmc {
	struct service *service;
	const struct label *label;
	const struct identity *identity;
	const struct binding *binding; /* the TLS session's; may be NULL */
	const char *address;           /* of the client; may be NULL */
	struct span request;           /* DER of a ContentInfo */
	/* Told of each certification request, for the log, while the reason stands; may be NULL. */
	void (*note)(void *context, const struct fullcmc_part *part);
	void *context;

	struct buf
	    response; /* DER; empty only where the request was no CMC, or nothing can be signed */
	bool certs_only;      /* it is a Simple PKI Response, else a Full one (RFC 5272 4) */
	unsigned retry_after; /* EST_PENDING: seconds */
	bool exporter;        /* as in struct linking: the connection is not to be used again */
	struct buf facts;     /* members of a JSON object, for the log */
};

/*
 * Does what the request asks for, each part for itself: a certificate that was issued, or revoked,
 * stays so where another part is refused. The outcome is that of the first part that failed, with
 * its reason and code; else EST_PENDING where one waits for approval; else EST_OK. A body that is
 * no Full PKI Request is EST_MALFORMED, CMC_FORM, without a response (RFC 7030 4.3.1).
 */
enum outcome fullcmc(struct fullcmc *exchange);
void fullcmc_clear(struct fullcmc *exchange);

#endif
