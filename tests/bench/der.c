#include "tests/bench/der.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

/* The length behind a tag, in its shortest form only; nothing here is longer than 64 kB. */
static bool length_take(struct span *in, size_t *length)
{
	size_t more;

	if (in->len == 0)
		return false;
	*length = in->data[0];
	more = *length < 0x80 ? 0 : *length - 0x80;
	if (more > 2 || (*length == 0x80) || in->len < 1 + more)
		return false;
	if (more > 0)
		*length = 0;
	for (size_t i = 1; i <= more; i++)
		*length = *length << 8 | in->data[i];
	if ((more == 1 && *length < 0x80) || (more == 2 && *length < 0x100))
		return false;
	in->data += 1 + more;
	in->len -= 1 + more;
	return *length <= in->len;
}

bool der_next(struct span *in, unsigned int tag, struct der *out)
{
	struct span rest = *in;

	if (rest.len == 0 || rest.data[0] != tag)
		return false;
	rest.data++;
	rest.len--;
	if (!length_take(&rest, &out->content.len))
		return false;
	out->content.data = rest.data;
	out->whole.data = in->data;
	out->whole.len = (size_t)(rest.data - in->data) + out->content.len;
	in->data += out->whole.len;
	in->len -= out->whole.len;
	return true;
}

void der_put(struct der_writer *writer, const void *bytes, size_t len)
{
	if ((size_t)(writer->at - writer->bottom) < len)
		errx(EXIT_FAILURE, "a DER buffer is too small");
	writer->at -= len;
	memcpy(writer->at, bytes, len);
}

void der_put_span(struct der_writer *writer, struct span span)
{
	der_put(writer, span.data, span.len);
}

void der_wrap(struct der_writer *writer, unsigned int tag, const unsigned char *end)
{
	size_t len = (size_t)(end - writer->at);
	unsigned char header[4] = {(unsigned char)tag};
	size_t used = 1;

	if (len > 0xffff)
		errx(EXIT_FAILURE, "a DER element is longer than 65535 bytes");
	if (len > 0xff) {
		header[used++] = 0x82;
		header[used++] = (unsigned char)(len >> 8);
	} else if (len > 0x7f) {
		header[used++] = 0x81;
	}
	header[used++] = (unsigned char)len;
	der_put(writer, header, used);
}

struct span der_written(const struct der_writer *writer, const unsigned char *end)
{
	return (struct span){writer->at, (size_t)(end - writer->at)};
}
