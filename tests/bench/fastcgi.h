/*
 * fastcgi.h - the web server's side of FastCGI (specification 1.0), as a responder's client: one
 * request on a connection of its own to a unix socket. It sends what it is told, so that tests can
 * send what no web server would.
 */
#ifndef EST_BENCH_FASTCGI_H
#define EST_BENCH_FASTCGI_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

/* Start it as {0}; fastcgi_request_free() gives it back. */
struct fastcgi_request {
	struct buf params; /* encoded name-value pairs, in the order they were added */
	struct buf body;   /* FCGI_STDIN; CONTENT_LENGTH is whatever the caller says in a param */
};

/* Start it as {0}; reusable, and given back with fastcgi_answer_free(). */
struct fastcgi_answer {
	struct buf output; /* FCGI_STDOUT: header lines, an empty line, the body */
	struct buf errors; /* FCGI_STDERR */
	uint32_t app_status;
	uint8_t protocol_status; /* 0 is FCGI_REQUEST_COMPLETE */
};

/* Adds a CGI variable; any bytes, any number of times, also the same name again. */
void fastcgi_param(struct fastcgi_request *request, struct span name, struct span value);
void fastcgi_param_text(struct fastcgi_request *request, const char *name, const char *value);

/* Empties it, its memory kept. */
void fastcgi_request_reset(struct fastcgi_request *request);
void fastcgi_request_free(struct fastcgi_request *request);

/*
 * Sends request to the unix socket at path and reads until FCGI_END_REQUEST, both at once, so that
 * an answer before the end of the request is no deadlock. answer is emptied first and holds what
 * came also where it fails: EST_UNAVAILABLE where nobody accepts or timeout milliseconds have
 * passed, EST_MALFORMED where what comes is not FastCGI or ends early.
 */
enum outcome fastcgi_exchange(const char *path, const struct fastcgi_request *request, int timeout,
    struct fastcgi_answer *answer);

/*
 * The number of the Status header, 200 without one (RFC 3875 6.3.3), 0 where there are no headers.
 */
int fastcgi_status(const struct fastcgi_answer *answer);

/* The value of the first header of this name in any case, without surrounding blanks; false if
 * none. */
bool fastcgi_header(const struct fastcgi_answer *answer, const char *name, struct span *value);

/* What follows the empty line; empty where there is none. */
struct span fastcgi_body(const struct fastcgi_answer *answer);

void fastcgi_answer_free(struct fastcgi_answer *answer);

#endif
