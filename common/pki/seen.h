/*
 * seen.h - the OIDs of a list so far, where none may stand twice and there may not be too many.
 */
#ifndef EST_SEEN_H
#define EST_SEEN_H

#include "common/base/buf.h"

#define SEEN_MAX 32

/* Start it with the most that the list may hold, SEEN_MAX or fewer. */
struct seen {
	struct span oid[SEEN_MAX];
	size_t count, most;
};

enum sighting { FIRST, AGAIN, TOO_MANY };

/* Notes the OID, unless it is there already or the list is full. The span has to stay. */
enum sighting seen_add(struct seen *seen, struct span oid);

#endif
