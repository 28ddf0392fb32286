/*
 * client_certs.h - certificates as a device meets them: in a certs-only PKCS#7, in PEM files, in
 * chains.
 *
 * A `certs` is OpenSSL's STACK_OF(X509), freed by client_certs_free(), NULL allowed.
 */
#ifndef EST_CLIENT_CERTS_H
#define EST_CLIENT_CERTS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define CLIENT_FINGERPRINT 32 /* octets of SHA-256 */

/*
 * The certificates of a certs-only PKCS#7 in DER (RFC 7030 4.1.3, 4.2.3): at least one, no
 * signature, nothing behind it. EST_MALFORMED otherwise.
 */
enum outcome client_certs_parse(struct span der, STACK_OF(X509) **certs);

/* The certificates of a PEM file's content, at least one; what calls it in the reason. */
enum outcome client_certs_read(struct span pem, const char *what, STACK_OF(X509) **certs);

/*
 * Appends the certificates of certs in PEM; roots: only the self-signed ones, or only the others.
 */
void client_certs_write(struct buf *pem, const STACK_OF(X509) *certs);
void client_certs_write_some(struct buf *pem, const STACK_OF(X509) *certs, bool roots);

/* Whether a certificate is signed with its own key. */
bool client_cert_is_root(X509 *cert);

void client_cert_fingerprint(
    const X509 *cert, unsigned char fingerprint[static CLIENT_FINGERPRINT]);

/* 64 hex digits, colons anywhere. EST_MALFORMED otherwise. */
enum outcome client_fingerprint_parse(
    const char *text, unsigned char fingerprint[static CLIENT_FINGERPRINT]);

/*
 * Verifies cert as of now: trust and the roots of cacerts are its anchors, the rest of cacerts its
 * intermediates. EST_CONFLICT where it does not chain.
 */
enum outcome client_cert_verify(
    X509 *cert, const STACK_OF(X509) *trust, const STACK_OF(X509) *cacerts);

/* notAfter in seconds since 1970, and notBefore. */
int64_t client_cert_not_after(const X509 *cert);
int64_t client_cert_not_before(const X509 *cert);

void client_certs_free(STACK_OF(X509) *certs);

#endif
