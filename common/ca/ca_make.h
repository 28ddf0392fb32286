/*
 * ca_make.h - the making of a CA: a root, an issuing CA under it, and a TLS server's certificate
 * (RFC 5280).
 */
#ifndef EST_CA_MAKE_H
#define EST_CA_MAKE_H

#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

enum ca_role {
	CA_ROOT,    /* signs itself; 20 years */
	CA_ISSUING, /* signs devices and servers, no CA below it; 10 years */
	CA_SERVER   /* a TLS server and EST registration point (RFC 7030 3.6.1); 2 years */
};

struct ca_wish {
	const char *organization; /* UTF-8, 1 to 50 characters; part of every subject */
	const char *key;          /* of the CAs: "P-256", "RSA-3072", ...; see CA_KEYS */
	const char *const *hosts; /* of the server: DNS names and IP addresses, NULL-terminated */
	int64_t now;
};

#define CA_KEYS "P-256|P-384|RSA-2048|RSA-3072|RSA-4096|Ed25519"

/* Start it as {0}; ca_pair_clear() gives both back. */
struct ca_pair {
	EVP_PKEY *key;
	X509 *certificate;
};

/*
 * Makes a key and its certificate, signed by issuer (NULL for a root: by itself), with dates that
 * lie inside the issuer's. A server's key is P-256, or RSA-2048 where the CAs' are RSA.
 * EST_MALFORMED where the wish cannot stand in a certificate, EST_INTERNAL where OpenSSL fails.
 */
enum outcome ca_make(enum ca_role role, const struct ca_wish *wish, const struct ca_pair *issuer,
    struct ca_pair *out);
void ca_pair_clear(struct ca_pair *pair);

/* Appends the certificate in PEM. */
enum outcome ca_certificate_pem(X509 *certificate, struct buf *out);

/*
 * Appends the key in PEM, PKCS#8; under AES-256 where the passphrase is not empty. buf_cleanse()
 * it.
 */
enum outcome ca_key_pem(EVP_PKEY *key, struct span passphrase, struct buf *out);

#endif
