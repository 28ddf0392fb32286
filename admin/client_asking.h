/*
 * client_asking.h - a request on its way to becoming a certificate: what waits on disk until it is
 * answered, and what the answer puts in its place.
 */
#ifndef EST_CLIENT_ASKING_H
#define EST_CLIENT_ASKING_H

#include "admin/client_csr.h"
#include "admin/client_run.h"

/* Start it with run and request, the caller's; client_asking_end(). */
struct client_asking {
	struct client_run *run;
	const struct client_request *request;
	EVP_PKEY *key;
	X509_REQ *csr; /* without binding, as it waits on disk; then the one that was sent last */
};

/*
 * Takes the key and the request that wait in the directory, if they ask for the same; else makes
 * them, and puts them there. keep: the key to ask for, NULL for a fresh one.
 */
enum outcome client_asking_begin(struct client_asking *asking, EVP_PKEY *keep);

/* The message that sends the request; made anew for each binding. */
struct client_message client_asking_message(struct client_asking *asking, const char *operation);

/* A request that was turned down is not sent again: the next one gets a key of its own. */
enum outcome client_asking_drop(struct client_asking *asking);

/*
 * The certificate, checked to be for that key and to chain to the CA, becomes the device's with its
 * key and request, all or nothing; nothing waits any more. EST_CONFLICT where the check fails.
 */
enum outcome client_asking_adopt(struct client_asking *asking, EVP_PKEY *key, X509 *certificate);

void client_asking_end(struct client_asking *asking);

/*
 * All of that by simpleenroll or simplereenroll. The caller frees the certificate.
 */
enum outcome client_asking_enroll(
    struct client_asking *asking, const char *operation, EVP_PKEY *keep, X509 **certificate);

#endif
