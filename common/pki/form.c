#include "common/pki/form.h"

#include <string.h>

void form_put_number(struct buf *out, uint64_t value, unsigned octets)
{
	while (octets-- > 0)
		buf_add_byte(out, (unsigned char)(value >> 8 * octets));
}

/* Seven bits an octet, lowest first: most lengths take one. */
void form_put_length(struct buf *out, size_t len)
{
	for (; len >= 0x80; len >>= 7)
		buf_add_byte(out, (unsigned char)(len | 0x80));
	buf_add_byte(out, (unsigned char)len);
}

void form_put_span(struct buf *out, struct span span)
{
	form_put_length(out, span.len);
	buf_add_span(out, span);
}

void form_put_text(struct buf *out, const char *text)
{
	size_t size = text == NULL ? 1 : strlen(text) + 1;

	form_put_length(out, size);
	buf_add(out, text == NULL ? "" : text, size);
}

static struct span take(struct form_reader *reader, size_t len)
{
	struct span taken = {reader->rest.data, len};

	if (reader->failed || len > reader->rest.len) {
		reader->failed = true;
		return (struct span){NULL, 0};
	}
	reader->rest.data += len;
	reader->rest.len -= len;
	return taken;
}

struct form_reader form_read(struct span in, size_t ahead, unsigned char letter, void **memory)
{
	unsigned char *copy = mem_alloc(ahead + in.len);
	struct form_reader reader = {{copy + ahead, in.len}, false};

	*memory = copy;
	if (in.len > 0)
		memcpy(copy + ahead, in.data, in.len);
	if (form_take_number(&reader, 1) != letter)
		reader.failed = true;
	return reader;
}

uint64_t form_take_number(struct form_reader *reader, unsigned octets)
{
	struct span taken = take(reader, octets);
	uint64_t value = 0;

	for (size_t i = 0; i < taken.len; i++)
		value = value << 8 | taken.data[i];
	return value;
}

size_t form_take_length(struct form_reader *reader)
{
	size_t value = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		struct span octet = take(reader, 1);
		if (octet.len == 0)
			return 0;
		value |= (size_t)(octet.data[0] & 0x7f) << shift;
		if (octet.data[0] < 0x80)
			return value;
	}
	reader->failed = true;
	return 0;
}

void form_take_octets(struct form_reader *reader, unsigned char *out, size_t len)
{
	struct span taken = take(reader, len);

	if (taken.len > 0)
		memcpy(out, taken.data, taken.len);
}

struct span form_take_span(struct form_reader *reader)
{
	return take(reader, form_take_length(reader));
}

const char *form_take_text(struct form_reader *reader)
{
	struct span taken = form_take_span(reader);

	if (taken.len == 0 || memchr(taken.data, '\0', taken.len) != taken.data + taken.len - 1) {
		reader->failed = true;
		return "";
	}
	return (const char *)taken.data;
}

bool form_is_whole(const struct form_reader *reader)
{
	return !reader->failed && reader->rest.len == 0;
}
