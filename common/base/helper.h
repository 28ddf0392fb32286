/*
 * helper.h - a process that starts programs for one that may not: workers give that up for good
 * (sandbox.h).
 *
 * It is forked before anything secret is read and before the store is opened, holds nothing but its
 * end of a socket, and ends with the process that it was made for. It starts only the programs that
 * it was made with, as program.h has it, one at a time.
 */
#ifndef EST_HELPER_H
#define EST_HELPER_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

struct helper;

#define HELPER_INPUT_MOST  (256 << 10) /* octets */
#define HELPER_OUTPUT_MOST (64 << 10)

/* programs: absolute paths; copied. EST_UNAVAILABLE. *out: helper_stop(). */
enum outcome helper_start(const char *const *programs, size_t count, struct helper **out);
/* Ends the process, and waits for it where the sandbox lets us; NULL is fine. */
void helper_stop(struct helper *helper);

/*
 * Runs the program of that place of the list with the input on its standard input; its standard
 * error goes nowhere. EST_OK: it ended by itself with status 0 within `timeout` seconds, and what
 * it wrote to standard output is appended to out. EST_UNAVAILABLE otherwise, with a reason that
 * says which of it failed, and never what was written: it could not be started (and why), took too
 * long, was killed by a signal, ended with another status, or wrote more than HELPER_OUTPUT_MOST.
 * Never takes more than a second longer than timeout. A program that does not read its input is
 * none the worse for it.
 */
enum outcome helper_run(
    struct helper *helper, size_t program, struct span input, int64_t timeout, struct buf *out);

/* Whether the process is gone: only a new process can have another one. NULL: no, there was none. */
bool helper_lost(const struct helper *helper);

#endif
