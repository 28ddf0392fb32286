#include "tests/hostile/bytes.h"

#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

struct block {
	struct block *next;
	unsigned char octets[];
};

static struct block *pool;

/* What is being written, and where in the notation. */
struct writer {
	const char *at;
	va_list *arguments;
	unsigned round;
};

struct growing {
	unsigned char *at;
	size_t len, room;
};

enum length { LENGTH_DER, LENGTH_LONG, LENGTH_INDEFINITE };

static void add(struct growing *out, const void *octets, size_t len)
{
	if (out->len + len > out->room) {
		out->room = 2 * (out->len + len);
		out->at = realloc(out->at, out->room);
		if (out->at == NULL)
			err(EXIT_FAILURE, "realloc");
	}
	if (len > 0)
		memcpy(out->at + out->len, octets, len);
	out->len += len;
}

struct bytes bytes_copy(const void *at, size_t len)
{
	struct block *block = malloc(sizeof(*block) + len + 1);

	if (block == NULL)
		err(EXIT_FAILURE, "malloc");
	block->next = pool;
	pool = block;
	if (len > 0)
		memcpy(block->octets, at, len);
	return (struct bytes){block->octets, len};
}

void bytes_end(void)
{
	while (pool != NULL) {
		struct block *next = pool->next;
		free(pool);
		pool = next;
	}
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static void add_length(struct growing *out, size_t len, enum length form)
{
	unsigned char octets[9];
	size_t count = 0;

	if (form == LENGTH_DER && len < 0x80) {
		octets[0] = (unsigned char)len;
		add(out, octets, 1);
		return;
	}
	while (count < 8 && len >> (8 * count) > 0)
		count++;
	if (form == LENGTH_LONG)
		count += 4;
	octets[0] = (unsigned char)(0x80 | count);
	for (size_t i = 0; i < count; i++)
		octets[count - i] = (unsigned char)(i < 8 ? (uint64_t)len >> (8 * i) & 0xff : 0);
	add(out, octets, count + 1);
}

static void write_all(struct writer *writer, struct growing *out);

/* Up to the closing bracket, which is passed. */
static void write_inside(struct writer *writer, struct growing *out, char closing)
{
	write_all(writer, out);
	if (*writer->at != closing)
		errx(EXIT_FAILURE, "%c is missing before: %s", closing, writer->at);
	writer->at++;
}

static void write_tlv(struct writer *writer, struct growing *out, enum length form)
{
	struct growing content = {0};

	write_inside(writer, &content, '}');
	if (form == LENGTH_INDEFINITE) {
		add(out, "\x80", 1);
		add(out, content.at, content.len);
		add(out, "\0", 2);
	} else {
		add_length(out, content.len, form);
		add(out, content.at, content.len);
	}
	free(content.at);
}

static void write_octet(struct writer *writer, struct growing *out)
{
	unsigned char octet;
	const char *at = writer->at;

	if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]))
		errx(EXIT_FAILURE, "no notation: %s", at);
	octet = (unsigned char)(digit(at[0]) << 4 | digit(at[1]));
	add(out, &octet, 1);
	writer->at += 2;
	if (writer->at[0] == '{') {
		writer->at++;
		write_tlv(writer, out, LENGTH_DER);
	} else if ((writer->at[0] == '~' || writer->at[0] == '!') && writer->at[1] == '{') {
		writer->at += 2;
		write_tlv(writer, out, writer->at[-2] == '~' ? LENGTH_LONG : LENGTH_INDEFINITE);
	}
}

static void write_rounds(struct writer *writer, struct growing *out)
{
	char *end;
	unsigned long rounds = strtoul(writer->at, &end, 10);
	const char *start = end;

	for (unsigned i = 0; i < rounds; i++) {
		writer->at = start;
		writer->round = i;
		write_inside(writer, out, '>');
	}
}

static void write_text(struct writer *writer, struct growing *out)
{
	const char *end = strchr(writer->at, '\'');

	if (end == NULL)
		errx(EXIT_FAILURE, "a text does not end: %s", writer->at);
	add(out, writer->at, (size_t)(end - writer->at));
	writer->at = end + 1;
}

static void write_round(const struct writer *writer, struct growing *out)
{
	char digits[16];

	(void)snprintf(digits, sizeof(digits), "%04u", writer->round);
	add(out, digits, strlen(digits));
}

static void write_argument(struct writer *writer, struct growing *out)
{
	struct bytes argument = va_arg(*writer->arguments, struct bytes);

	add(out, argument.at, argument.len);
}

static void write_all(struct writer *writer, struct growing *out)
{
	for (;;) {
		char c = *writer->at;

		if (c == '\0' || c == '}' || c == '>')
			return;
		if (strchr(" '$#<", c) == NULL) {
			write_octet(writer, out);
			continue;
		}
		writer->at++;
		if (c == '\'')
			write_text(writer, out);
		else if (c == '$')
			write_argument(writer, out);
		else if (c == '#')
			write_round(writer, out);
		else if (c == '<')
			write_rounds(writer, out);
	}
}

struct bytes bytes_make(const char *notation, ...)
{
	struct growing out = {0};
	struct bytes made;
	va_list arguments;
	struct writer writer = {notation, &arguments, 0};

	va_start(arguments, notation);
	write_all(&writer, &out);
	va_end(arguments);
	if (*writer.at != '\0')
		errx(EXIT_FAILURE, "a bracket too many: %s", writer.at);
	made = bytes_copy(out.at, out.len);
	free(out.at);
	return made;
}

struct bytes bytes_part(struct bytes bytes, size_t from, size_t len)
{
	if (from > bytes.len)
		from = bytes.len;
	if (len > bytes.len - from)
		len = bytes.len - from;
	return (struct bytes){bytes.at + from, len};
}

struct bytes bytes_flip(struct bytes bytes, size_t at, unsigned char mask)
{
	unsigned char octet = bytes.at[at] ^ mask;

	return bytes_make("$ $ $", bytes_part(bytes, 0, at), (struct bytes){&octet, 1},
	    bytes_part(bytes, at + 1, bytes.len));
}

struct bytes bytes_number(const BIGNUM *number, size_t len)
{
	unsigned char *octets = malloc(len + 1);
	struct bytes made;

	if (octets == NULL || BN_bn2binpad(number, octets, (int)len) < 0)
		errx(EXIT_FAILURE, "a number does not fit %zu octets", len);
	made = bytes_copy(octets, len);
	free(octets);
	return made;
}

struct bytes bytes_integer(const BIGNUM *number)
{
	return bytes_number(number, (size_t)BN_num_bits(number) / 8 + 1);
}

struct bytes bytes_oid(int nid)
{
	unsigned char *der = NULL;
	int len = i2d_ASN1_OBJECT(OBJ_nid2obj(nid), &der);
	struct bytes made;

	if (len <= 0)
		errx(EXIT_FAILURE, "OpenSSL knows no OID %d", nid);
	made = bytes_copy(der, (size_t)len);
	OPENSSL_free(der);
	return made;
}
