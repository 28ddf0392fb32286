#include "cgi/multipart.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/base/encoding.h"

#define BOUNDARY_SIZE 25 /* 24 characters: libest's client takes 67 at most */

/*
 * No part can have it behind two hyphens, because base64 has none: parsers that look for less are
 * the reason for it to be random, and so it does no harm if it is not. Octets that would make some
 * letters likelier than others fall on the first ones.
 */
static void draw_boundary(char boundary[static BOUNDARY_SIZE])
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char random[BOUNDARY_SIZE - 1] = {0};

	(void)RAND_bytes(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		boundary[i] = letters[random[i] % (sizeof(letters) - 1)];
	boundary[BOUNDARY_SIZE - 1] = '\0';
}

/* At least what the body takes: it is not to grow once there is a secret in it. */
static size_t room(const struct multipart_part *parts, size_t count, size_t columns)
{
	size_t size = BOUNDARY_SIZE + 16;

	for (size_t i = 0; i < count; i++) {
		size_t digits = (parts[i].der.len + 2) / 3 * 4;
		size += strlen(parts[i].type) + BOUNDARY_SIZE + 128 + digits;
		if (columns > 0)
			size += digits / columns * 2 + 2;
	}
	return size;
}

static void add_base64(struct buf *out, struct span der, size_t columns)
{
	size_t most = columns == 0 ? der.len : columns / 4 * 3;

	while (der.len > 0) {
		size_t line = der.len < most ? der.len : most;
		base64_encode(out, (struct span){der.data, line}, 0);
		buf_add_string(out, "\r\n");
		der.data += line;
		der.len -= line;
	}
}

void multipart_write(
    const struct multipart_part *parts, size_t count, size_t columns, struct multipart *out)
{
	char boundary[BOUNDARY_SIZE];

	draw_boundary(boundary);
	(void)snprintf(out->type, sizeof(out->type), "multipart/mixed; boundary=%s", boundary);
	buf_reserve(&out->body, room(parts, count, columns));
	for (size_t i = 0; i < count; i++) {
		buf_printf(&out->body, "--%s\r\nContent-Type: %s\r\n", boundary, parts[i].type);
		buf_add_string(&out->body, "Content-Transfer-Encoding: base64\r\n\r\n");
		add_base64(&out->body, parts[i].der, columns);
	}
	buf_printf(&out->body, "--%s--\r\n", boundary);
}
