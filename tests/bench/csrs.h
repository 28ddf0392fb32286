/*
 * csrs.h - certificate requests to enroll with: P-256, each with a key and a name of its own, the
 * name as CN and as dNSName. Made before anything is measured.
 */
#ifndef EST_BENCH_CSRS_H
#define EST_BENCH_CSRS_H

#include <stddef.h>

#include "common/base/buf.h" /* struct span only */

#define CSR_POINT 65 /* an uncompressed point of P-256 */

/* The SubjectPublicKeyInfo of every P-256 key up to its point. */
extern const struct span csr_key_prefix;

struct bench_csr {
	char *base64; /* of the DER, at 64 columns */
	size_t len;
	unsigned char point[CSR_POINT];
};

/*
 * Makes count requests named "PREFIX-N.bench.example"; a progress line on a terminal's stderr. The
 * caller gives them back with csrs_free(). Ends the process where OpenSSL fails.
 */
struct bench_csr *csrs_make(size_t count, const char *prefix);

void csrs_free(struct bench_csr *csrs, size_t count);

#endif
