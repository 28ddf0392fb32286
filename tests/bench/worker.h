/*
 * worker.h - a FastCGI worker as a web server spawns it, and what a process has used of the CPU.
 */
#ifndef EST_BENCH_WORKER_H
#define EST_BENCH_WORKER_H

#include <sys/types.h>

#include "common/base/outcome.h"

struct worker {
	pid_t pid;          /* 0 where none runs */
	char directory[96]; /* in TMPDIR or /tmp: what holds the socket */
	char socket[104];   /* where it listens */
};

/* CPU time in microseconds. The sum is exact; its parts are as the kernel samples them. */
struct cpu {
	double total;
	double user;
	double system;
};

/*
 * Starts program as lighttpd does: a listening unix socket as file descriptor 0, nothing to write
 * to but stderr, and an environment of PATH and EST_CONFIG=config. It gets SIGTERM where the caller
 * dies. EST_UNAVAILABLE where it could not be started; stop it with worker_stop().
 */
enum outcome worker_start(struct worker *worker, const char *program, const char *config);

/* Ends it, by SIGTERM and after five seconds by SIGKILL, and removes the socket. */
void worker_stop(struct worker *worker);

/* Reads what the process pid has used so far; EST_NOT_FOUND where there is none. */
enum outcome cpu_read(pid_t pid, struct cpu *cpu);

/* Adds after - before to sum. */
void cpu_add(struct cpu *sum, const struct cpu *before, const struct cpu *after);

#endif
