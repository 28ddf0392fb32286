/*
 * client_result.h - what est-client tells about the certificate it got or has.
 */
#ifndef EST_CLIENT_RESULT_H
#define EST_CLIENT_RESULT_H

#include <openssl/x509.h>

#include "admin/client.h"

/* "AB:CD:..." of the SHA-256, appended. */
void client_result_fingerprint(const X509 *cert, struct buf *out);

/*
 * Prints the certificate to stdout: a few lines for people, or with options->json one object
 * {"serial", "subject", "names", "issuer", "not_before", "not_after", "days_left", "key",
 * "fingerprint", "directory"} and, unless NULL, "renewed".
 */
void client_result_print(
    const struct client_options *options, const X509 *cert, const bool *renewed);

#endif
