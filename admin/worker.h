/*
 * worker.h - the user that the web server's workers run as, told by whom the state directory
 * belongs to.
 *
 * The store is shared with them: what root makes in it they could not write, and what they have
 * locked only their own user may end. So root becomes that user before it touches the store.
 */
#ifndef EST_WORKER_H
#define EST_WORKER_H

#include <stdbool.h>

#include <sys/types.h>

#include "common/base/outcome.h"

struct worker {
	uid_t uid;
	gid_t gid;
	char name[64]; /* of the user, or its number */
};

/*
 * For root: the owner of the state directory; where that is root, the user who is called like the
 * directory's group (www-data); else root. Anybody else can only be himself. EST_NOT_FOUND where
 * there is no such directory.
 */
enum outcome worker_find(const char *state, struct worker *out);

/* The user of that name as init gives the state directory to; false if there is none. */
bool worker_named(const char *name, struct worker *out);

/*
 * Becomes the worker, whose processes may then end this one, and shares what it creates with the
 * group. EST_INTERNAL.
 */
enum outcome worker_become(const struct worker *worker);

/* Becomes again who worker_become() was called by, for files; the store must be closed. */
void worker_resign(void);

enum worker_use {
	WORKER_READS,
	WORKER_APPENDS, /* or makes the file, where there is none */
	WORKER_FILLS,   /* a directory */
	WORKER_RUNS     /* a program */
};

/*
 * Whether the worker could do that with the path; 0 or an errno. Tried in a child process, without
 * making anything.
 */
int worker_try(const struct worker *worker, enum worker_use use, const char *path);

#endif
