/*
 * request.h - a request: the CGI variables that the web server set, copied once, and its body.
 *
 * What a client can forge (HTTP_* header fields) is read only where it is meant to come from the
 * client: Authorization, User-Agent, the codings of the body. Identity comes from SSL_*; from
 * REMOTE_USER only where a label says so, because two of the usual web servers set it unverified.
 */
#ifndef EST_REQUEST_H
#define EST_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

#define REQUEST_ID_SIZE   17 /* 16 hex digits and a NUL */
#define REQUEST_CHAIN_MAX 8

/* A variable that the web server did not set is NULL. */
struct request {
	char id[REQUEST_ID_SIZE]; /* in the log line, and for support */
	uint64_t started;         /* clock_microseconds() */
	char *method;
	char *script_name, *path_info;
	char *content_type, *content_length, *content_encoding;
	char *https;
	char *remote_addr;
	char *user_agent;
	char *authorization;
	char *tls_protocol, *tls_cipher;
	char *tls_unique, *tls_exporter; /* channel bindings in base64 */
	char *srp_user, *srp_info;       /* of TLS-SRP */
	char *tls_resumed;               /* "Initial" or "Resumed" */
	char *remote_user, *auth_type;   /* the web server's own authentication, if it has one */
	char *server_software; /* and whether it has: nginx and HAProxy set the two unverified */
	char *client_verify;   /* a diagnostic, never a decision */
	char *client_certificate;
	char *client_chain[REQUEST_CHAIN_MAX + 1]; /* NULL-terminated */
	struct buf path; /* SCRIPT_NAME and PATH_INFO, one behind the other */
	struct buf body;
	bool body_too_large, body_cut_short;
	struct buf facts; /* members of the log line that the handler adds with json_add() */
};

#define REQUEST_VARIABLES 31

/* What the value of a variable may be that request_read() reads. */
struct request_rule {
	size_t place; /* below REQUEST_VARIABLES, another for each name */
	size_t most;  /* octets */
	bool text;    /* no control characters but tab */
	bool lines;   /* but line breaks as well */
};

/* False for a name that is not read. */
bool request_rule(struct span name, struct request_rule *rule);

/*
 * The names of the two variables with channel bindings; "" for one that nobody sets. The texts are
 * kept, not copied. Without a call they are TLS_UNIQUE and TLS_EXPORTER.
 */
void request_bindings(const char *unique, const char *exporter);

/* How a variable is looked up: FastCGI parameters or the environment. */
typedef const char *request_variable(void *source, const char *name);

/* Fills in everything but the body. */
void request_read(struct request *request, request_variable *variable, void *source);
void request_clear(struct request *request);

/* Whether its method is that one; HEAD counts as GET (RFC 9110 9.3.2), and serve.c leaves out its
 * body. */
bool request_has_method(const struct request *request, const char *method);

#endif
