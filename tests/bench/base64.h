/*
 * base64.h - base64 as fast as a table makes it, for the benchmarks (common/base/encoding.h is what
 * they measure against).
 */
#ifndef EST_BENCH_BASE64_H
#define EST_BENCH_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h" /* struct span only */

/* How many bytes base64_write() needs at most for so many bytes, its NUL included. */
#define BASE64_SIZE(len) (((len) + 2) / 3 * 4 + ((len) / 48) + 2)

/* Writes in at 64 columns, every line with its LF, and a NUL; gives the length without the NUL. */
size_t base64_write(char *out, struct span in);

/*
 * Decodes in, whose CR and LF are passed over, into out (room for in.len / 4 * 3 bytes); false
 * where it is not base64.
 */
bool base64_read(struct span in, unsigned char *out, size_t *len);

#endif
