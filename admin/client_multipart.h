/*
 * client_multipart.h - multipart/mixed (RFC 2046 5.1), the form of serverkeygen's answers (RFC 7030
 * 4.4.2).
 */
#ifndef EST_CLIENT_MULTIPART_H
#define EST_CLIENT_MULTIPART_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define CLIENT_PARTS_MOST 4

struct client_part {
	char *type;          /* its Content-Type; NULL where it has none */
	struct span content; /* leads into the body */
};

/* Start it as {0}; client_multipart_free(). */
struct client_multipart {
	struct client_part parts[CLIENT_PARTS_MOST];
	size_t count;
};

/*
 * Takes a body of that Content-Type apart. What stands before the first delimiter and behind the
 * last is not looked at; lines may end in LF alone. EST_MALFORMED: another type, no or a bad
 * boundary, no closing delimiter, a part without a blank line behind its header, more than
 * CLIENT_PARTS_MOST.
 */
enum outcome client_multipart_parse(
    const char *content_type, struct span body, struct client_multipart *out);

/* Whether a part's Content-Type has that parameter with that value, letter case aside. */
bool client_multipart_has(const struct client_part *part, const char *name, const char *value);

void client_multipart_free(struct client_multipart *multipart);

#endif
