/*
 * channel.h - where requests come from and answers go to: one FastCGI connection after the other,
 * or, as plain CGI, the process's descriptors for exactly one request.
 */
#ifndef EST_CHANNEL_H
#define EST_CHANNEL_H

#include "common/base/buf.h"

struct channel;

/*
 * Takes descriptor 0 as the web server left it: a listening socket makes it FastCGI, anything else
 * plain CGI (RFC 3875). As FastCGI, SIGTERM, SIGUSR1 and SIGINT are held back from here on, and end
 * the waiting of channel_next(). NULL, with a line in the log, where the socket cannot be used.
 */
struct channel *channel_open(void);
void channel_close(struct channel *channel);

/*
 * Waits for a request with all its variables; connections that bring something else are closed, and
 * the log told. False where none is to come: told to stop, or the one of plain CGI was served. Each
 * request is ended by channel_finish().
 */
bool channel_next(struct channel *channel);
void channel_finish(struct channel *channel);

/*
 * What is wrong with the variables, by screen.h, in a static text; NULL: nothing. They can be read
 * in any case, for the log.
 */
const char *channel_fault(const struct channel *channel);

/* A variable of the request; a request_variable whose source is the channel. */
const char *channel_variable(void *channel, const char *name);

/* So many octets of the body, 0 at its end, -1 where it broke off or took too long. */
long channel_read(struct channel *channel, unsigned char *into, size_t most);

/* Whether the answer arrives cannot be known. */
void channel_write(struct channel *channel, struct span bytes);

#endif
