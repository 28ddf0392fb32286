/*
 * client_cmc_message.h - a Full PKI Request as est-client makes it, and the response to it (RFC
 * 5272 3.2, 4).
 */
#ifndef EST_CLIENT_CMC_MESSAGE_H
#define EST_CLIENT_CMC_MESSAGE_H

#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define CLIENT_CMC_NONCE 16

/* A transaction: what the client said in it, and holds the answers against. */
struct client_cmc {
	unsigned char transaction[CLIENT_CMC_NONCE]; /* a positive INTEGER */
	unsigned char nonce[CLIENT_CMC_NONCE];       /* of the message that was sent last */
};

/* Begins one, with a number of its own. EST_UNAVAILABLE where there is no randomness. */
enum outcome client_cmc_begin(struct client_cmc *cmc);

/* What a message asks for, and who signs it. */
struct client_cmc_request {
	struct span csr; /* DER of a PKCS#10; empty: none */
	X509 *revoke;    /* the certificate to be revoked, for a CRLReason; NULL: none */
	int reason;
	/*
	 * Proves who asks (6.2.1); or, with revoke, is what the certificate was requested with
	 * (6.11); empty: none.
	 */
	struct span secret;
	X509 *certificate;  /* signs, with key; NULL: the key that the csr is for does, */
	struct span key_id; /* named by the subjectKeyIdentifier that the csr asks for */
	EVP_PKEY *key;      /* NULL: nobody signs */
};

/* Appends the DER of a message with a fresh nonce. */
enum outcome client_cmc_write(
    struct client_cmc *cmc, const struct client_cmc_request *request, struct buf *der);

/*
 * Who may sign a response: a certificate of cacerts that chains to trust or to a root of cacerts.
 */
struct client_cmc_trust {
	const STACK_OF(X509) *trust, *cacerts;
};

/*
 * Reads a Simple or a Full PKI Response. A full one is verified: its signature, that it answers
 * the last message of the transaction, and that no status in it is other than success:
 * EST_CONFLICT, with the server's words. EST_MALFORMED where it is no response. *certs: the
 * certificates in it, for client_certs_free(); there may be none.
 */
enum outcome client_cmc_read(const struct client_cmc *cmc, struct span der,
    const struct client_cmc_trust *trust, STACK_OF(X509) **certs);

#endif
