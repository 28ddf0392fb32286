/*
 * client_csr.h - the device's key, and the request that asks a certificate for it (PKCS#10).
 */
#ifndef EST_CLIENT_CSR_H
#define EST_CLIENT_CSR_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "admin/client_request.h"

#define CLIENT_KEY_TYPES "P-256|P-384|P-521|RSA-2048|RSA-3072|RSA-4096"

/* A key of a type out of CLIENT_KEY_TYPES; EST_MALFORMED for another. The caller frees it. */
enum outcome client_key_make(const char *type, EVP_PKEY **key);

bool client_key_is_type(const char *type); /* one out of CLIENT_KEY_TYPES */

/* PKCS#8 PEM, appended to pem; buf_cleanse() it. And back: what calls it in the reason. */
enum outcome client_key_write(EVP_PKEY *key, struct buf *pem);
enum outcome client_key_read(struct span pem, const char *what, EVP_PKEY **key);

/* The type's name: "P-256", "RSA-3072", for any other what OpenSSL calls it. */
void client_key_type(EVP_PKEY *key, struct buf *out);

/*
 * The request, signed by the key. binding: base64 of the TLS session's channel binding, where
 * request wants to be bound; NULL leaves those attributes out.
 */
enum outcome client_csr_make(
    EVP_PKEY *key, const struct client_request *request, const char *binding, X509_REQ **csr);

/* Whether two requests ask the same, attributes and key included, whatever their signatures. */
bool client_csr_same(X509_REQ *a, X509_REQ *b);

/*
 * Appends what a memory BIO holds, and frees it: BIO_s_secmem() for a secret, which is wiped then.
 */
void client_drain(BIO *bio, struct buf *out);

void client_csr_write(X509_REQ *csr, struct buf *pem);
void client_csr_der(X509_REQ *csr, struct buf *der);
enum outcome client_csr_read(struct span pem, X509_REQ **csr);

#endif
