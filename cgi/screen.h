/*
 * screen.h - a look at the variables of a request before anybody reads them.
 *
 * libfcgi and getenv(3) hand variables over as C strings: what lies behind a NUL, and the second of
 * two variables of one name, is lost to whoever reads them. So the octets are looked at first, as
 * they come from the socket.
 */
#ifndef EST_SCREEN_H
#define EST_SCREEN_H

#include "common/base/buf.h"

#define SCREEN_MOST    (256 << 10) /* octets of a head; web servers stay far below */
#define SCREEN_RECORDS 1024        /* of FastCGI in a head */

enum screen_verdict {
	SCREEN_MORE,   /* good so far, and not complete */
	SCREEN_GOOD,   /* complete: BEGIN_REQUEST and all parameters, which are as they should be */
	SCREEN_FAULTY, /* complete FastCGI, but with parameters that no honest web server sends */
	SCREEN_BROKEN, /* no FastCGI of a web server: hang up */
};

/*
 * Judges the octets from the start of a connection (FastCGI 1.0, sections 3 and 5). With
 * SCREEN_MORE, *more octets at least are still to come and belong to the head: who reads no more
 * than these leaves the body alone. *fault says what is wrong where the verdict is FAULTY or
 * BROKEN, in a static text that names no content; else it is NULL.
 */
enum screen_verdict screen_head(struct span octets, size_t *more, const char **fault);

/*
 * The same for the variables of plain CGI (RFC 3875 4.1): SCREEN_GOOD or SCREEN_FAULTY.
 * environment is as environ(7) has it.
 */
enum screen_verdict screen_environment(char *const *environment, const char **fault);

#endif
