/*
 * request.h - a certification request (RFC 2986) in parts, each of which may be anything.
 *
 * What is not given is as a good request would have it, and the signature is over what was given:
 * a server that refuses such a request refuses it for the part that is odd.
 */
#ifndef EST_HOSTILE_REQUEST_H
#define EST_HOSTILE_REQUEST_H

#include "tests/hostile/key.h"

struct request {
	const char *name; /* the common name, where there is no subject */
	const struct key *key;
	struct bytes version;    /* INTEGER */
	struct bytes subject;    /* Name */
	struct bytes spki;       /* SubjectPublicKeyInfo, the key's */
	struct bytes attributes; /* the whole [0] */
	const char *info;        /* notation of CertificationRequestInfo over the four above */
	struct bytes algorithm;  /* AlgorithmIdentifier, the key's */
	struct bytes signature;  /* the whole BIT STRING */
	const char *outer;       /* notation over info, algorithm and signature */
	struct bytes body;       /* instead of all of it */
};

struct bytes request_info(const struct request *request);
struct bytes request_make(const struct request *request);

/* The SHA-256 ECDSA key over P-256 that requests have whose rows are not about keys. */
const struct key *request_key(void);

#endif
