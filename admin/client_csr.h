/*
 * client_csr.h - the device's key, and the request that asks a certificate for it (PKCS#10).
 */
#ifndef EST_CLIENT_CSR_H
#define EST_CLIENT_CSR_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "admin/cli.h"

#define CLIENT_KEY_TYPES "P-256|RSA-2048|RSA-3072|RSA-4096"

/* A key of a type out of CLIENT_KEY_TYPES; EST_MALFORMED for another. The caller frees it. */
enum outcome client_key_make(const char *type, EVP_PKEY **key);

/* PKCS#8 PEM, appended to pem; buf_cleanse() it. And back: what calls it in the reason. */
enum outcome client_key_write(EVP_PKEY *key, struct buf *pem);
enum outcome client_key_read(struct span pem, const char *what, EVP_PKEY **key);

/* The type's name: "P-256", "RSA-3072", for any other what OpenSSL calls it. */
void client_key_type(EVP_PKEY *key, struct buf *out);

/* What a request asks for. Freed by client_names_free(). */
struct client_names {
	X509_NAME *subject;
	X509_EXTENSION *sans; /* NULL: none */
};

/*
 * A subject of one common name, and the subjectAltName of sans, each "dns:NAME", "ip:ADDRESS",
 * "email:LOCAL@DOMAIN" or "uri:URI". EST_MALFORMED, as cli_usage(), for what is none.
 */
enum outcome client_names_make(
    const char *common_name, const struct cli_list *sans, struct client_names *names);

/* Those of a certificate, octet for octet (RFC 7030 4.2.2). */
enum outcome client_names_of(const X509 *cert, struct client_names *names);

void client_names_free(struct client_names *names);

/* The request, signed with SHA-256. */
enum outcome client_csr_make(EVP_PKEY *key, const struct client_names *names, X509_REQ **csr);

/* Whether two requests ask the same: names, extensions and key, whatever their signatures. */
bool client_csr_same(X509_REQ *a, X509_REQ *b);

void client_csr_write(X509_REQ *csr, struct buf *pem);
void client_csr_der(X509_REQ *csr, struct buf *der);
enum outcome client_csr_read(struct span pem, X509_REQ **csr);

#endif
