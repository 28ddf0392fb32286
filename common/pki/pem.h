/*
 * pem.h - certificates and keys out of PEM files, with errors that name the file.
 */
#ifndef EST_PEM_H
#define EST_PEM_H

#include <openssl/x509.h>

#include "common/base/outcome.h"

/* Every certificate of the file, in order, at least one, none twice. The caller frees with
 * sk_X509_pop_free(). */
enum outcome pem_certificates(const char *path, STACK_OF(X509) **out);

/*
 * The private key of the file. passphrase: NULL where it is not encrypted, a file that holds the
 * passphrase in its first line, or "credential:NAME" for a systemd credential. The caller frees it
 * with EVP_PKEY_free().
 */
enum outcome pem_private_key(const char *path, const char *passphrase, EVP_PKEY **out);

#endif
