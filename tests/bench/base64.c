#include "tests/bench/base64.h"

#include <stdint.h>
#include <string.h>

#define LINE_BYTES 48 /* 64 characters */
#define PASS_OVER  0x40
#define NOT_BASE64 0x80

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t line_write(char *out, const unsigned char *in, size_t len)
{
	char *at = out;

	for (; len >= 3; len -= 3, in += 3) {
		*at++ = digits[in[0] >> 2];
		*at++ = digits[(in[0] & 3) << 4 | in[1] >> 4];
		*at++ = digits[(in[1] & 15) << 2 | in[2] >> 6];
		*at++ = digits[in[2] & 63];
	}
	if (len > 0) {
		*at++ = digits[in[0] >> 2];
		*at++ = digits[(in[0] & 3) << 4 | (len == 2 ? in[1] >> 4 : 0)];
		*at++ = len == 2 ? digits[(in[1] & 15) << 2] : '=';
		*at++ = '=';
	}
	*at++ = '\n';
	return (size_t)(at - out);
}

size_t base64_write(char *out, struct span in)
{
	size_t used = 0;

	while (in.len > 0) {
		size_t len = in.len < LINE_BYTES ? in.len : LINE_BYTES;

		used += line_write(out + used, in.data, len);
		in.data += len;
		in.len -= len;
	}
	out[used] = '\0';
	return used;
}

static const unsigned char *values(void)
{
	static unsigned char table[256];

	if (table['/'] == 63)
		return table;
	memset(table, NOT_BASE64, sizeof(table));
	table['\r'] = table['\n'] = PASS_OVER;
	for (unsigned char i = 0; i < 64; i++)
		table[(unsigned char)digits[i]] = i;
	return table;
}

/* What is left behind the last whole group: padding, and nothing but line ends after it. */
static bool tail_read(struct span rest, size_t have, size_t *padding)
{
	*padding = 0;
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.data[i] == '=')
			(*padding)++;
		else if (rest.data[i] != '\r' && rest.data[i] != '\n')
			return false;
	}
	return have == 0 ? *padding == 0 : have > 1 && have + *padding == 4;
}

bool base64_read(struct span in, unsigned char *out, size_t *len)
{
	const unsigned char *table = values();
	unsigned char *at = out;
	uint32_t group = 0;
	size_t have = 0, padding;

	for (; in.len > 0; in.data++, in.len--) {
		unsigned char value = table[*in.data];

		if (value == PASS_OVER)
			continue;
		if (value == NOT_BASE64)
			break;
		group = group << 6 | value;
		if (++have < 4)
			continue;
		*at++ = (unsigned char)(group >> 16);
		*at++ = (unsigned char)(group >> 8);
		*at++ = (unsigned char)group;
		have = 0;
	}
	if (!tail_read(in, have, &padding))
		return false;
	if (have == 3)
		*at++ = (unsigned char)(group >> 10);
	if (have >= 2)
		*at++ = (unsigned char)(group >> (have == 3 ? 2 : 4));
	*len = (size_t)(at - out);
	return true;
}
