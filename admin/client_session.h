/*
 * client_session.h - EST as a client speaks it (RFC 7030 4.1, 4.2): operations on one server and
 * label.
 */
#ifndef EST_CLIENT_SESSION_H
#define EST_CLIENT_SESSION_H

#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

#include "admin/client_settings.h"

/* Start it as {0}; freed by client_session_free(). */
struct client_session {
	const struct client_settings *settings; /* url and label, the caller's */
	const char *user_agent;                 /* the caller's */
	const char *user;                       /* Basic, the caller's; NULL for none */
	const char *password;                   /* the caller's */
	struct buf certificate, key;            /* PEM, of the client; empty for none */
	struct buf trust; /* PEM, what the server's certificate must chain to */
	int64_t wait;     /* seconds to wait on 202 */
};

/* What cacerts answered. Freed by client_cacerts_free(). */
struct client_cacerts {
	struct buf der; /* the PKCS#7 */
	STACK_OF(X509) *certs;
};

/*
 * Asks for the CA's certificates over TLS that chains to session->trust, without credentials.
 * Outcomes: those of http_send(), of the status (401 EST_UNAUTHENTICATED, 403 EST_FORBIDDEN, 404
 * EST_NOT_FOUND, 429 EST_THROTTLED, 503 EST_UNAVAILABLE, others EST_CONFLICT), and EST_MALFORMED
 * for an answer that is no certs-only PKCS#7. The reason carries what the server said in
 * text/plain.
 */
enum outcome client_session_cacerts(
    const struct client_session *session, struct client_cacerts *cacerts);

/*
 * The bootstrap of RFC 7030 4.1.1: asks for them over TLS that nobody verified, and takes of the
 * answer nothing but the self-signed certificate with that SHA-256 fingerprint. EST_CONFLICT if
 * there is none.
 */
enum outcome client_session_bootstrap(
    const struct client_session *session, const unsigned char *fingerprint, X509 **root);

/*
 * Sends the request (DER) to simpleenroll or simplereenroll and gives the one certificate of the
 * answer. On 202 repeats the same octets as Retry-After says until session->wait has run out:
 * EST_PENDING.
 */
enum outcome client_session_enroll(const struct client_session *session, const char *operation,
    struct span csr, X509 **certificate);

void client_cacerts_free(struct client_cacerts *cacerts);
void client_session_free(struct client_session *session);

#endif
