/*
 * program.h - one run of a program: input in, output out, within a time limit, without a shell. For
 * helper.c.
 */
#ifndef EST_PROGRAM_H
#define EST_PROGRAM_H

#include <stdint.h>

#include "common/base/buf.h"

struct program_run {
	const char *path; /* absolute */
	struct span input;
	uint64_t deadline;  /* of clock_milliseconds() */
	size_t output_most; /* octets */
	int owner;          /* a stream socket: where its other end is gone, the run is too */
};

/* How it ended; what *detail says. */
enum program_end {
	PROGRAM_EXITED,      /* by itself: its status */
	PROGRAM_KILLED,      /* by a signal that is not ours: its number */
	PROGRAM_NOT_STARTED, /* errno */
	PROGRAM_LATE,        /* it was still there at the deadline */
	PROGRAM_WORDY,       /* it wrote more than output_most */
	PROGRAM_ABANDONED,   /* nobody waits for it any more */
	PROGRAM_ENDS
};

/*
 * Makes the calling process fit for program_run(): SIGCHLD is blocked but for the time of waiting,
 * SIGPIPE is ignored. It has one thread and no children of its own.
 */
void program_prepare(void);

/*
 * Runs it, in `/`, with PATH and LANG as its whole environment, standard error at /dev/null, no
 * other descriptor, limits on memory, time of the processor, files and core dumps, and no way to
 * rights that the caller has not. Its standard output, as far as it came, is appended to out. The
 * run is over once the program itself has ended, whoever else has its pipe open; its process group,
 * which it leads, is killed then. Whatever the end, nothing of that group is left; where the caller
 * itself is killed, the program dies, and what it started does not.
 */
enum program_end program_run(const struct program_run *run, struct buf *out, int *detail);

#endif
