/*
 * http.h - requests to an HTTPS server and their answers, as a client. The only file that knows
 * libcurl.
 *
 * HTTP/1.1 over TLS 1.2 or later, no redirects, no other scheme; 10 s to connect, 60 s in all.
 * Nothing is trusted but what the request carries: not the system's certificates, no .netrc. A
 * proxy of the environment (https_proxy) is used as a tunnel.
 */
#ifndef EST_HTTP_H
#define EST_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define HTTP_BODY_MOST 1048576 /* octets of an answer's body */

/* Everything is the caller's and only read. Certificates and keys are PEM. */
struct http_request {
	const char *url;
	const char *user_agent;
	const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
	struct span body;           /* a POST; data NULL: a GET */
	struct span trust;          /* the certificates that the server's must chain to */
	bool provisional; /* any certificate of the server will do: sends no credentials, unless
			     the server proves itself by TLS-SRP */
	bool tls12;       /* TLS 1.2 and nothing later */
	const char *user; /* Basic, sent unasked; NULL for none */
	const char *password;
	const char *srp_user; /* TLS-SRP (RFC 5054), by which each proves to the other that it knows
				 the password, in TLS 1.2 alone; NULL for none */
	const char *srp_password;
	struct span certificate; /* the client's, its chain behind it; data NULL for none */
	struct span key;
};

/* Freed by http_response_free(). Texts are NULL where the header is absent. */
struct http_response {
	long status;
	char *content_type;
	char *www_authenticate;
	char *location;
	int64_t retry_after; /* seconds; -1: absent, or not a whole number */
	bool fresh;          /* a connection was made for it: none that was there was used */
	struct buf body;
};

/*
 * Sends the request and reads the whole answer, whatever its status. Without an answer:
 * EST_UNAVAILABLE (no connection, a timeout, an answer cut short), EST_CONFLICT (the server's
 * certificate does not verify, or TLS finds no agreement), EST_FORBIDDEN (its TLS turns down the
 * client's certificate, or wants one), EST_UNAUTHENTICATED (TLS-SRP fails: another password, or no
 * such user), EST_MALFORMED (the URL, a certificate or the key is none, or the answer is too
 * large). The reason names method and URL, never the password.
 */
enum outcome http_send(const struct http_request *request, struct http_response *response);

void http_response_free(struct http_response *response);

/*
 * Several requests, over one connection as long as the server keeps it and the requests ask for the
 * same trust, client certificate and version of TLS. NULL before http_session_send() makes it.
 */
struct http_session;

/* As http_send(), by the session; *session NULL: a fresh one, freed by http_session_free(). */
enum outcome http_session_send(struct http_session **session, const struct http_request *request,
    struct http_response *response);

/*
 * The channel binding of the TLS session that the last request went by, in base64: tls-unique of
 * TLS 1.2 (RFC 5929 3) where it has the extended master secret, tls-exporter of TLS 1.3 (RFC 9266).
 * NULL where there is none.
 */
const char *http_session_binding(const struct http_session *session);

void http_session_free(struct http_session *session); /* NULL is fine */

#endif
