/*
 * enrollment.h - the shortest way from a P-256 request to a certificate: parsed and written by
 * hand, with OpenSSL for the digests and the two signatures only. No process boundary, no identity,
 * no store: what est.fcgi does on top of this is what it can be asked about.
 *
 * The enrollment runs as phases, in their order, on the state in struct enrollment.
 */
#ifndef EST_BENCH_ENROLLMENT_H
#define EST_BENCH_ENROLLMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>

#include "tests/bench/authority.h"
#include "tests/bench/csrs.h"
#include "tests/bench/ways.h"

#define ENROLLMENT_DER  1024 /* a request or certificate of this benchmark is about 400 bytes */
#define ENROLLMENT_TEXT 2048 /* the answer */

struct enrollment {
	const struct authority *authority;
	struct ways ways; /* how signatures are verified and made */
	EVP_MD *sha1;
	struct span issuer;     /* DER of the CA's name */
	struct span extensions; /* DER of those that every certificate has, prebuilt */
	unsigned char extensions_der[256];

	const struct bench_csr *csr; /* in: set before the first phase */
	unsigned char csr_der[ENROLLMENT_DER];
	struct span signed_part, subject, spki, alt_name, csr_signature; /* views into csr_der */

	unsigned char tbs_der[ENROLLMENT_DER];
	struct span tbs; /* view into tbs_der */
	unsigned char signature[80];
	size_t signature_len;
	char answer[ENROLLMENT_TEXT]; /* out: base64 of a certs-only PKCS#7 */
	size_t answer_len;
};

struct phase {
	const char *name;
	bool (*run)(
	    struct enrollment *e); /* false where the request is not good, or OpenSSL fails */
};

#define PHASES 5
extern const struct phase phases[PHASES];

/*
 * Prebuilds what does not change; authority must outlive it. Ends the process where OpenSSL fails.
 */
void enrollment_open(struct enrollment *e, const struct authority *authority);
void enrollment_close(struct enrollment *e);

/* All phases on one request. */
bool enrollment_run(struct enrollment *e, const struct bench_csr *csr);

#endif
