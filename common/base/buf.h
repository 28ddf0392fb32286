/*
 * buf.h - a growing run of bytes, and a view of bytes that somebody else owns.
 *
 * Running out of memory ends the process (a fresh worker takes its place): no caller checks for it.
 */
#ifndef EST_BUF_H
#define EST_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const unsigned char *data;
	size_t len;
};

/* Start it as {0}; buf_free() gives it back and leaves it as {0}. */
struct buf {
	unsigned char *data;
	size_t len;
	size_t capacity;
};

void *mem_alloc(size_t size);              /* zeroed */
void *mem_grow(void *memory, size_t size); /* realloc that cannot fail */
char *mem_string(const char *text);        /* strdup that cannot fail; NULL stays NULL */

void buf_reserve(struct buf *buf, size_t more); /* room for `more` bytes behind len */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_byte(struct buf *buf, unsigned char byte);
/* ASCII letters in lower case. */
void buf_add_lower(struct buf *buf, const char *text);
void buf_add_string(struct buf *buf, const char *text);
void buf_add_span(struct buf *buf, struct span span);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_reset(struct buf *buf);   /* empty, memory kept */
void buf_free(struct buf *buf);    /* memory given back */
void buf_cleanse(struct buf *buf); /* as buf_free(), overwritten first: for secrets */

/* The content as a C string: terminated by a NUL that len does not count; owned by the buf. */
const char *buf_string(struct buf *buf);

/* The content as a view, valid until the buf changes. */
struct span buf_span(const struct buf *buf);

struct span span_of(const char *text); /* of a C string, without its NUL */
bool span_equal(struct span a, struct span b);

#endif
