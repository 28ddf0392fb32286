/*
 * gate.h - who is inside the database library, and may anyone go in?
 *
 * Berkeley DB keeps its locks in shared memory. A process killed inside the library leaves them
 * locked for ever, and recovery is only safe while nobody else is inside. The gate is a small file
 * that every process maps: it says who is inside, notices who died there, and lets one process
 * recover when all others have left. Liveness is a POSIX lock on one byte a process, so that reused
 * process ids and pid namespaces do not matter. Because any close() of the file drops a process's
 * locks on it, a process opens one gate at a time, and does not fork while it is open.
 */
#ifndef EST_GATE_H
#define EST_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/outcome.h"

struct gate;

#define GATE_SLOTS 256 /* processes at the same time */

/* What the gate has seen since the machine started. */
struct gate_figures {
	int64_t processes;  /* holding a slot */
	int64_t recoveries; /* finished ones */
	int64_t kills;      /* processes that had to be killed because they did not leave */
	int64_t leaked;     /* processes that died outside the library since the last recovery */
};

/*
 * Opens or makes the file "gate" in directory, 0660 under the caller's umask, and starts the thread
 * that ends this process where it hangs on a dead one's lock. EST_UNAVAILABLE with the reason;
 * EST_INTERNAL where this process has a gate open already.
 */
enum outcome gate_open(const char *directory, struct gate **out);
void gate_close(struct gate *gate); /* the slot is given back; NULL is fine */

/*
 * Ends the thread and starts it anew, outside of the library: what the calling
 * thread has given up since, Landlock say, holds for the threads that it starts and
 * for no earlier one. EST_UNAVAILABLE.
 */
enum outcome gate_rethread(struct gate *gate);

/*
 * Lets the caller in to open its environment, one process at a time: from here to gate_admitted()
 * no other one opens. *recover says that it must run recovery; then everyone else has left, killed
 * if need be. The caller counts as inside. EST_UNAVAILABLE where all slots are taken.
 */
enum outcome gate_admit(struct gate *gate, bool *recover);
/* Ends gate_admit(): opened says whether it worked. Where it did, the caller is still inside. */
void gate_admitted(struct gate *gate, bool opened);

/*
 * Before and after each use of the library. False: the environment is condemned; close it and be
 * admitted anew.
 */
bool gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);
/* Says that the caller, inside for long, makes progress. False: somebody waits for it to leave. */
bool gate_refresh(struct gate *gate);

/* The environment is broken: everyone must leave, and the next one to be admitted recovers. */
void gate_condemn(struct gate *gate);

unsigned gate_slot(const struct gate *gate); /* this process's, below GATE_SLOTS, once admitted */
struct gate_figures gate_figures(const struct gate *gate);

#endif
