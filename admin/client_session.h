/*
 * client_session.h - EST as a client speaks it (RFC 7030 4): operations on one server and label.
 */
#ifndef EST_CLIENT_SESSION_H
#define EST_CLIENT_SESSION_H

#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/http.h"
#include "common/base/outcome.h"

#include "admin/client_settings.h"

/* Start it as {0}; freed by client_session_free(). */
struct client_session {
	const struct client_settings *settings; /* url and label, the caller's */
	const char *user_agent;                 /* the caller's */
	const char *user;                       /* Basic, the caller's; NULL for none */
	const char *password;                   /* the caller's */
	const char *srp_user;                   /* TLS-SRP, the caller's; NULL for none */
	struct buf srp_password;
	bool srp_alone; /* by which alone the server proves itself: it needs no certificate */
	struct buf certificate, key; /* PEM, of the client; empty for none */
	struct buf trust;            /* PEM, what the server's certificate must chain to */
	int64_t wait;                /* seconds to wait on 202 */
	bool tls12;                  /* speak TLS 1.2 and nothing later */
	struct http_session *http;   /* the connection that is kept; NULL at the start */
};

/* What is posted: made anew for each time that it is sent. */
struct client_message {
	const char *operation; /* "simpleenroll" */
	const char *type;      /* its Content-Type */
	bool bound;            /* made of the channel binding of its connection (RFC 7030 3.5) */
	/* Appends the DER; binding: base64, NULL unless bound. */
	enum outcome (*make)(void *context, const char *binding, struct buf *der);
	void *context;
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
 * Appends the DER of csrattrs' answer, whose form is not looked at; nothing where the server has
 * none (204 or 404). Asked without credentials.
 */
enum outcome client_session_csrattrs(const struct client_session *session, struct buf *der);

/*
 * Sends a request (PKCS#10) to simpleenroll or simplereenroll and gives the one certificate of the
 * answer. On 202 sends it again as Retry-After says until session->wait has run out: EST_PENDING.
 */
enum outcome client_session_enroll(
    struct client_session *session, const struct client_message *message, X509 **certificate);

/*
 * Sends a request (PKCS#10) to serverkeygen and gives the two parts of the answer (RFC 7030 4.4.2):
 * the key, as PrivateKeyInfo or, enveloped, as the ContentInfo of an EnvelopedData, and the
 * certificate.
 */
struct client_generated {
	struct buf key; /* DER; a secret, buf_cleanse() */
	bool enveloped;
	X509 *certificate;
};
enum outcome client_session_generate(struct client_session *session,
    const struct client_message *message, struct client_generated *generated);

void client_cacerts_free(struct client_cacerts *cacerts);
void client_session_free(struct client_session *session);

#endif
