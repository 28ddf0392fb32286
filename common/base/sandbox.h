/*
 * sandbox.h - what a worker gives up once its configuration and keys are read, so that a fault in it is of little
 * use to anybody.
 *
 * no_new_privs; Landlock: no file but those below the named paths, no TCP socket bound or connected; seccomp: no
 * system call but those of an allow list, so no program can be started, no network socket be made, nobody be
 * traced, no memory be made executable. A refused call fails with EPERM (or EACCES by Landlock); the process goes
 * on. There is no way back out.
 *
 * Files first, calls second: Landlock holds for the calling thread and those that it starts afterwards, seccomp for
 * all threads, and refuses new ones. A thread that was there before has to end and be started again in between.
 *
 * Where the kernel, or the container's own filter, lacks one of the two, that one says so and is passed over. Built
 * with sanitizers, whose runtime needs more than the list allows, both set no_new_privs only.
 */
#ifndef EST_SANDBOX_H
#define EST_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/outcome.h"

enum sandbox_access {
	SANDBOX_READ,   /* read the file, or anything below the directory */
	SANDBOX_APPEND, /* write regular files and make them below it; read and remove nothing */
	SANDBOX_WRITE,  /* read, write, make, rename and remove regular files below it */
};

/* A path that stays reachable. One that does not exist is passed over. */
struct sandbox_path {
	const char *path;
	enum sandbox_access access;
};

/*
 * Landlock. *landlock_abi is the version in force, 0 where there is none; EST_UNAVAILABLE where the kernel has it
 * and it failed.
 */
enum outcome sandbox_limit_files(const struct sandbox_path *paths, size_t count, int *landlock_abi);

/* seccomp. *seccomp says whether it is in force; EST_UNAVAILABLE where the kernel has it and it failed. */
enum outcome sandbox_limit_calls(bool *seccomp);

#endif
