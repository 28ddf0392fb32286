/*
 * pem.h - certificates and keys out of files, with errors that name the file.
 */
#ifndef EST_PEM_H
#define EST_PEM_H

#include <openssl/x509.h>

#include "common/base/outcome.h"

/*
 * Every certificate at path, in order, at least one, none twice: of a file in PEM, or one in DER;
 * of a directory, those of its files, and links to such, whose names end in .pem, .crt or .cer
 * and do not begin with a dot, in the order of their names. EST_MALFORMED and what file_read()
 * gives; the reason names the file. The caller frees with sk_X509_pop_free().
 */
enum outcome pem_certificates(const char *path, STACK_OF(X509) **out);

/*
 * The private key of the file. passphrase: NULL where it is not encrypted, a file that holds the
 * passphrase in its first line, or "credential:NAME" for a systemd credential. The caller frees it
 * with EVP_PKEY_free().
 */
enum outcome pem_private_key(const char *path, const char *passphrase, EVP_PKEY **out);

#endif
