#include "common/base/encoding.h"

#include <stdint.h>
#include <string.h>

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What a character means to base64_decode(): a digit's value, or one of these. */
enum { BAD = 0xff, BLANK = 0xfe, PAD = 0xfd };

static const unsigned char *base64_values(void)
{
	static unsigned char values[256];
	static bool made;

	if (!made) {
		memset(values, BAD, sizeof(values));
		for (unsigned i = 0; i < 64; i++)
			values[(unsigned char)base64_digits[i]] = (unsigned char)i;
		values[' '] = values['\t'] = values['\r'] = values['\n'] = BLANK;
		values['='] = PAD;
		made = true;
	}
	return values;
}

static unsigned char *encode_group(unsigned char *out, const unsigned char *in, size_t len)
{
	uint32_t bits = (uint32_t)in[0] << 16;

	if (len > 1)
		bits |= (uint32_t)in[1] << 8;
	if (len > 2)
		bits |= in[2];
	*out++ = (unsigned char)base64_digits[bits >> 18];
	*out++ = (unsigned char)base64_digits[bits >> 12 & 63];
	*out++ = len > 1 ? (unsigned char)base64_digits[bits >> 6 & 63] : '=';
	*out++ = len > 2 ? (unsigned char)base64_digits[bits & 63] : '=';
	return out;
}

void base64_encode(struct buf *out, struct span in, size_t columns)
{
	size_t digits = (in.len + 2) / 3 * 4;
	size_t column = 0;
	unsigned char *at;

	buf_reserve(out, digits + (columns > 0 ? digits / columns + 1 : 0) + 1);
	at = out->data + out->len;
	for (size_t i = 0; i < in.len; i += 3) {
		if (columns > 0 && column == columns) {
			*at++ = '\n';
			column = 0;
		}
		at = encode_group(at, in.data + i, in.len - i);
		column += 4;
	}
	if (columns > 0)
		*at++ = '\n';
	out->len = (size_t)(at - out->data);
}

/* The octets behind the last whole group: `digits` of four were digits, `pads` were '='. */
static enum outcome decode_tail(struct buf *out, uint32_t bits, unsigned digits, unsigned pads)
{
	if (digits == 0 && pads == 0)
		return EST_OK;
	if (digits + pads != 4 || digits < 2)
		return reason(
		    EST_MALFORMED, "RFC 4648 4: the base64 is cut short or wrongly padded");
	bits <<= 6 * pads;
	if ((bits & (pads == 1 ? 0xffU : 0xffffU)) != 0)
		return reason(EST_MALFORMED,
		    "RFC 4648 3.5: there are bits behind the last octet of the base64");
	buf_add_byte(out, (unsigned char)(bits >> 16));
	if (pads == 1)
		buf_add_byte(out, (unsigned char)(bits >> 8));
	return EST_OK;
}

enum outcome base64_decode(struct buf *out, struct span in)
{
	const unsigned char *values = base64_values();
	uint32_t bits = 0;
	unsigned digits = 0, pads = 0;
	size_t before = out->len;
	enum outcome outcome;

	buf_reserve(out, in.len / 4 * 3 + 3);
	for (size_t i = 0; i < in.len; i++) {
		unsigned char value = values[in.data[i]];
		if (value == BLANK)
			continue;
		if (value == BAD)
			return reason(EST_MALFORMED,
			    "RFC 4648 3.3: octet %zu of the body (0x%02x) is not in the base64 "
			    "alphabet",
			    i + 1, in.data[i]);
		if (value == PAD) {
			pads++;
			continue;
		}
		if (pads > 0)
			return reason(
			    EST_MALFORMED, "RFC 4648 3.3: data follows the padding of the base64");
		bits = bits << 6 | value;
		if (++digits < 4)
			continue;
		out->data[out->len++] = (unsigned char)(bits >> 16);
		out->data[out->len++] = (unsigned char)(bits >> 8);
		out->data[out->len++] = (unsigned char)bits;
		bits = 0;
		digits = 0;
	}
	outcome = decode_tail(out, bits, digits, pads);
	if (outcome == EST_OK && out->len == before)
		return reason(EST_MALFORMED, "RFC 4648 4: there is no base64 at all");
	return outcome;
}

void hex_encode(struct buf *out, struct span in)
{
	static const char digits[] = "0123456789abcdef";

	buf_reserve(out, in.len * 2);
	for (size_t i = 0; i < in.len; i++) {
		buf_add_byte(out, (unsigned char)digits[in.data[i] >> 4]);
		buf_add_byte(out, (unsigned char)digits[in.data[i] & 15]);
	}
}

int hex_digit(int digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

enum outcome hex_decode(struct buf *out, struct span in)
{
	if (in.len % 2 != 0)
		return reason(EST_MALFORMED, "an odd number of hex digits");
	for (size_t i = 0; i < in.len; i += 2) {
		int high = hex_digit(in.data[i]), low = hex_digit(in.data[i + 1]);
		if (high < 0 || low < 0)
			return reason(EST_MALFORMED, "not a hex digit");
		buf_add_byte(out, (unsigned char)(high << 4 | low));
	}
	return EST_OK;
}

enum outcome percent_decode(struct buf *out, struct span in)
{
	for (size_t i = 0; i < in.len; i++) {
		if (in.data[i] != '%') {
			buf_add_byte(out, in.data[i]);
			continue;
		}
		if (in.len - i < 3)
			return reason(
			    EST_MALFORMED, "RFC 3986 2.1: a percent sign without two hex digits");
		if (hex_decode(out, (struct span){in.data + i + 1, 2}) != EST_OK)
			return EST_MALFORMED;
		i += 2;
	}
	return EST_OK;
}
