/*
 * client_run.h - what cacerts, enroll and renew have in common: a locked directory, a trusted
 * server, and a request that becomes a certificate.
 */
#ifndef EST_CLIENT_RUN_H
#define EST_CLIENT_RUN_H

#include "admin/client_csr.h"
#include "admin/client_directory.h"
#include "admin/client_session.h"

struct client_run {
	const struct client_options *options;
	struct client_directory directory;
	struct client_settings settings;
	struct client_session session;
	STACK_OF(X509) *trust, *cacerts;
};

/*
 * Locks and loads the device directory and makes the settings out of it and the options.
 * EST_CONFLICT where it holds a device of another server or label. client_run_close() in every
 * case.
 */
enum outcome client_run_open(
    const struct client_options *options, enum client_access access, struct client_run *run);

/*
 * Finds out whom to trust (--fingerprint, --trust, or what the directory holds), fetches the CA's
 * certificates from a server so verified, and saves all of it. session->trust is set from then on.
 */
enum outcome client_run_trust(struct client_run *run);

/*
 * Asks a certificate for names by operation, and puts it into the directory with its key and
 * request, all or nothing. keep: the key to ask it for, NULL for a fresh one. A fresh key and its
 * request are kept on disk until they are answered, so that the next call asks the same again.
 * EST_CONFLICT where the answer is for another key or does not chain to the CA. The caller frees
 * the certificate.
 */
enum outcome client_run_request(struct client_run *run, const char *operation,
    const struct client_names *names, EVP_PKEY *keep, X509 **certificate);

void client_run_close(struct client_run *run);

#endif
