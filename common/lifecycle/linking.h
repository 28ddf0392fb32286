/*
 * linking.h - whether a request was made in the TLS session that it came by (RFC 7030 3.5), and the
 * other challenges that it carries (RFC 7894).
 */
#ifndef EST_LINKING_H
#define EST_LINKING_H

#include "common/auth/auth.h"
#include "common/lifecycle/service.h"
#include "common/store/store.h"

/* What the web server says of the TLS session; texts in base64, NULL where it says nothing. */
struct binding {
	const char *protocol; /* "TLSv1.2", "TLSv1.3" */
	const char *unique;   /* tls-unique (RFC 5929 3), for TLS 1.2 only */
	const char *exporter; /* tls-exporter (RFC 9266), for TLS 1.3 */
};

/* What became of the challenges of a request. */
struct linking {
	bool linked;   /* a challenge was the session's channel binding */
	bool exporter; /* and that of TLS 1.3: the connection is not to be used again (9266 4.1) */
	bool ignored;  /* there is one that was not verified: challenge = "ignore", or an RA's */
	bool uses_secret;
	unsigned char secret[32]; /* uses_secret: SHA-256 of the one-time secret in the request */
	struct buf revocation;    /* crypt(5) string of its revocationChallenge; or empty */
};

struct naming;

/*
 * Looks at every challenge of the request, each for itself, all of which have to be right (RFC 7894
 * 4): challengePassword as the label's `challenge` has it, estIdentityLinking as channel binding,
 * otpChallenge as the one-time secret of the device `name`, which is good for that name alone.
 * EST_FORBIDDEN: POP_LINKING where one is another session's or nothing tells which session this is,
 * POP_REQUIRED where the label wants one and there is none, OTP_WRONG, OTP_REQUIRED,
 * NAME_NOT_ALLOWED. *out is set in part then too; linking_clear().
 */
struct linking_question {
	struct service *service;
	const struct label *label;
	const struct identity *identity;
	const struct binding *binding; /* may be NULL */
	const struct csr *csr;
	const char *name;             /* the device's */
	const struct naming *names;   /* that it is to get */
	bool proven;                  /* the one-time secret was proven otherwise (RFC 5272 6.2) */
	const unsigned char *request; /* 32: request_digest_id(), where linking_wants_secret() */
};

/* Whether the request carries a one-time secret. */
bool linking_wants_secret(const struct linking_question *question);
enum outcome linking_check(const struct linking_question *question, struct linking *out);
void linking_clear(struct linking *linking);

#endif
