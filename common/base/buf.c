#include "common/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "est-portal: out of memory\n";

	(void)fwrite(text, 1, sizeof(text) - 1, stderr);
	abort();
}

void *mem_alloc(size_t size)
{
	void *memory = calloc(1, size == 0 ? 1 : size);

	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *mem_grow(void *memory, size_t size)
{
	void *grown = realloc(memory, size == 0 ? 1 : size);

	if (grown == NULL)
		out_of_memory();
	return grown;
}

char *mem_string(const char *text)
{
	size_t size;

	if (text == NULL)
		return NULL;
	size = strlen(text) + 1;
	return memcpy(mem_alloc(size), text, size);
}

void buf_reserve(struct buf *buf, size_t more)
{
	size_t capacity = buf->capacity == 0 ? 256 : buf->capacity;

	if (more > SIZE_MAX / 2 - buf->len)
		out_of_memory();
	if (buf->data != NULL && buf->capacity - buf->len >= more)
		return;
	while (capacity - buf->len < more)
		capacity *= 2;
	buf->data = mem_grow(buf->data, capacity);
	buf->capacity = capacity;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(buf, len);
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

void buf_add_byte(struct buf *buf, unsigned char byte)
{
	buf_add(buf, &byte, 1);
}

void buf_add_lower(struct buf *buf, const char *text)
{
	for (; *text != '\0'; text++)
		buf_add_byte(
		    buf, (unsigned char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text));
}

void buf_add_string(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_span(struct buf *buf, struct span span)
{
	buf_add(buf, span.data, span.len);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (len < 0)
		out_of_memory();
	buf_reserve(buf, (size_t)len + 1);
	va_start(arguments, format);
	(void)vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, arguments);
	va_end(arguments);
	buf->len += (size_t)len;
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}

void buf_cleanse(struct buf *buf)
{
	if (buf->data != NULL)
		OPENSSL_cleanse(buf->data, buf->capacity);
	buf_free(buf);
}

const char *buf_string(struct buf *buf)
{
	buf_reserve(buf, 1);
	buf->data[buf->len] = '\0';
	return (const char *)buf->data;
}

struct span buf_span(const struct buf *buf)
{
	return (struct span){buf->data, buf->len};
}

struct span span_of(const char *text)
{
	return (struct span){(const unsigned char *)text, strlen(text)};
}

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
