/*
 * metrics.h - counters that all processes of an instance share: how often which operation ended with which code.
 *
 * They live in one file of the state directory that every process maps. Counting takes no lock and no system
 * call, so that a process that is killed in the midst of it leaves nothing held, and a sandbox nothing to allow.
 * They survive restarts, and are a help to the operator, not a record: a crash of the machine may lose some.
 */
#ifndef EST_METRICS_H
#define EST_METRICS_H

#include <stdint.h>

#include "common/base/outcome.h"

struct metrics;

/*
 * Opens the file, and makes it (mode 0660) with all its disk space where it is absent or none of ours; a process
 * that still maps such a one goes on counting into it. EST_UNAVAILABLE. The descriptor is closed again: nothing is
 * opened later. *out: metrics_close().
 */
enum outcome metrics_open(const char *path, struct metrics **out);
void metrics_close(struct metrics *metrics); /* NULL is fine */

/*
 * Adds one to the counter of that operation and code ("simpleenroll", "badCSR:key-size"), which come from our
 * own tables, never from a request. Where the file is full, or a name too long for it, to the counter {"other",
 * "other"}. NULL metrics: nothing.
 */
void metrics_count(struct metrics *metrics, const char *operation, const char *code);

/*
 * Hands over every counter that is not 0, in the order in which they were first counted, {"other", "other"} last.
 */
typedef void metrics_figure(void *context, const char *operation, const char *code, uint64_t count);
void metrics_each(const struct metrics *metrics, metrics_figure *figure, void *context);

#endif
