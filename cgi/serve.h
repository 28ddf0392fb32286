/*
 * serve.h - the loop around a program of cgi/: accepts a request, reads its body, maps the outcome
 * to an HTTP status, writes the answer and one log line.
 *
 * The same program runs as a FastCGI worker (its descriptor 0 is a listening socket) and, from a
 * web server that knows only CGI, for exactly one request.
 */
#ifndef EST_SERVE_H
#define EST_SERVE_H

#include "cgi/request.h"
#include "common/lifecycle/service.h"

/* The answer. A handler starts from {0} and fills in what differs from a plain 200. */
struct reply {
	int status;       /* 0: the outcome's; set where HTTP knows better: 405, 413, 415 */
	const char *type; /* Content-Type */
	struct buf body;  /* DER, text or JSON */
	bool base64; /* send the body as base64 (RFC 8951 3), with its Content-Transfer-Encoding */
	bool no_store; /* Cache-Control: no-store */
	struct buf
	    header; /* one more field without its CRLF: Allow, Accept, WWW-Authenticate; or empty */
	unsigned retry_after;  /* seconds; 0: none */
	bool silent;           /* a refusal without a body */
	bool explains;         /* a refusal whose body is there already, and is more than text */
	bool secret;           /* the body holds a key, and is overwritten once it is sent */
	bool close;            /* the connection is not to be used again */
	bool narrow;           /* only statuses that libest's client knows */
	bool raw;              /* what would be base64 is sent as the DER that it is */
	const char *wrap;      /* of base64: "auto", "64" or "none"; NULL as "auto" */
	struct buf own_type;   /* what type points to, where it is no constant */
	const char *operation; /* of the program's table, for the counters; NULL: none of it */
};

/* After how many columns base64 in the answer is wrapped; 0: not at all (E-05). */
size_t reply_columns(const struct request *request, const struct reply *reply);

/*
 * Answers one request. On EST_OK the reply is sent as it is; on anything else its body is dropped
 * and "code: reason" is sent as text/plain with the outcome's status; of EST_UNAVAILABLE and
 * EST_INTERNAL, whose reasons are for the log, the code alone.
 */
typedef enum outcome serve_handler(
    struct service *service, struct request *request, struct reply *reply);

struct program {
	const char *name; /* for the log */
	unsigned opens;   /* what of the service it needs: SERVICE_STORE, ... */
	bool counts;      /* its answers go into the counters */
	serve_handler *handle;
};

/* Opens the service and serves until it is told to stop. The process's exit status: 0, or 1 where
 * it could not begin. */
int serve(const struct program *program);

#endif
