/*
 * shared.h - a file of a fixed size that all processes of an instance map and change at once.
 *
 * What is in it survives workers and restarts; a crash of the machine may lose some. Who uses it
 * sees to it that every content is one that can be worked with: a process may be killed anywhere.
 */
#ifndef EST_SHARED_H
#define EST_SHARED_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

struct shared_form {
	const char *what;                    /* in reasons: "the counters" */
	size_t size;                         /* octets of the file */
	bool (*is_sound)(const void *image); /* whether the file is one of these */
};

/*
 * Maps the file at path, and makes it (mode 0660) where it is absent or not sound: of zeros, all of
 * whose disk space is taken, behind the head. A process that still maps one that was not sound goes
 * on with that. No link is followed. EST_UNAVAILABLE. The descriptor is closed again: nothing is
 * opened later. *out, of form->size octets: shared_close().
 */
enum outcome shared_open(
    const char *path, const struct shared_form *form, struct span head, void **out);
void shared_close(const struct shared_form *form, void *image); /* NULL is fine */

#endif
