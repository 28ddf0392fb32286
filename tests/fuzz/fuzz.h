/*
 * fuzz.h - a fuzz target: one function that takes any octets, and ends the process where a promise
 * is broken.
 *
 * Built by clang with --enable-fuzzing it is a program of libFuzzer; by every other build a program
 * that runs the files it is given (replay.c).
 */
#ifndef EST_FUZZ_H
#define EST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/refusal.h"

/* libFuzzer's names. The target's own: any octets; 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/*
 * The target's own, if it likes: changes the input in place to at most `most` octets; the new size.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
/* libFuzzer's own mutations, dictionary included. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_broken(#condition, __FILE__, __LINE__);                               \
	} while (0)

static inline _Noreturn void fuzz_broken(const char *what, const char *file, int line)
{
	(void)fprintf(
	    stderr, "%s:%d: broken: %s (reason: \"%s\")\n", file, line, what, reason_text());
	abort();
}

/*
 * What is refused is refused for a reason, and under a code that says which. Gives the outcome
 * back.
 */
static inline enum outcome fuzz_judged(enum outcome outcome)
{
	enum refusal refusal = refusal_recorded(outcome);

	if (outcome == EST_OK) {
		must(reason_text()[0] == '\0');
		return outcome;
	}
	must(reason_text()[0] != '\0');
	must(refusal != REFUSAL_NONE && refusal != OTHER);
	must(refusal_row(refusal)->outcome == outcome);
	reason_clear();
	return outcome;
}

/* The input as a C string, which ends at its first NUL; free(). */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	struct buf copy = {0};
	char *text;

	buf_add(&copy, data, size);
	text = mem_string(buf_string(&copy));
	buf_free(&copy);
	return text;
}

#endif
