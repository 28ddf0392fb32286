/*
 * sink.h - a file for what is shown once: for its owner's eyes alone, and in it, or not at all.
 */
#ifndef EST_SINK_H
#define EST_SINK_H

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

struct sink;

/*
 * Makes the file, mode 0600, before root becomes the workers' user. One that exists already may
 * hold what is nowhere else, so it is EST_CONFLICT; a pipe or a device is written to as it is.
 */
enum outcome sink_open(const char *path, struct sink **out);

/*
 * Writes the content as a whole, to stdout where sink is NULL, and leaves no part of it in the file
 * where it fails: EST_UNAVAILABLE.
 */
enum outcome sink_write(struct sink *sink, struct span content);

/* As sink_write() does it, the object as one line of ASCII; takes the caller's reference. */
enum outcome sink_json(struct sink *sink, json_t *object);

/* What was written is on the disk; EST_UNAVAILABLE. */
enum outcome sink_sync(struct sink *sink);

/* NULL is fine. With the store closed and worker_resign() called: a file without content goes. */
void sink_close(struct sink *sink);

#endif
