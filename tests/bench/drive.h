/*
 * drive.h - enrolls requests one after the other over a FastCGI socket, or many at once over HTTPS,
 * and keeps how long each took. Every answer must be 200 with a certificate for the very key that
 * was sent; the first that is not ends the drive, and the reason shows it.
 */
#ifndef EST_BENCH_DRIVE_H
#define EST_BENCH_DRIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"
#include "tests/bench/csrs.h"

struct drive {
	const struct bench_csr *csrs;
	size_t count;
	double seconds;          /* at most; what is under way then is finished */
	const char *credentials; /* "user:password" */
	const char *label;       /* "" for none */

	/* Over HTTPS only */
	const char *url;   /* https://HOST:PORT */
	const char *trust; /* PEM file */
	size_t clients;    /* connections at once */
	bool keep_alive;

	/* Out */
	size_t done;
	double wall;       /* seconds */
	double *latencies; /* milliseconds, one for each done; room for count, the caller's */
};

/* Over the unix socket of a FastCGI worker, with the variables that lighttpd sends. */
enum outcome drive_socket(struct drive *drive, const char *socket);

/* Over HTTPS. curl_global_init() comes before it. */
enum outcome drive_https(struct drive *drive);

/* Whether body is a certs-only PKCS#7, in base64, of one certificate with this point as its key. */
enum outcome answer_check(int status, struct span body, const unsigned char *point);

#endif
