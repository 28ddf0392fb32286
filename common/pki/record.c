#include "common/pki/record.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/encoding.h"

/*
 * The stored forms begin with one of these; a changed layout gets a new letter beside the old one.
 */
enum { CERT_FORM = 'C', USER_FORM = 'U' };

const char *serial_text(const struct serial *serial, char text[static 2 * SERIAL_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	size_t len = serial->len < SERIAL_MAX ? serial->len : SERIAL_MAX;

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[serial->octets[i] >> 4];
		text[2 * i + 1] = digits[serial->octets[i] & 15];
	}
	text[2 * len] = '\0';
	return text;
}

/*
 * Other tools print a serial without the sign octet of DER, or with leading zeros: all of these
 * mean the shortest positive INTEGER.
 */
static bool serial_normalize(const unsigned char *octets, size_t len, struct serial *out)
{
	while (len > 1 && octets[0] == 0) {
		octets++;
		len--;
	}
	*out = (struct serial){0};
	if (len == 0 || len + (octets[0] >> 7) > SERIAL_MAX)
		return false;
	if (octets[0] & 0x80)
		out->len = 1;
	memcpy(out->octets + out->len, octets, len);
	out->len = (unsigned char)(out->len + len);
	return true;
}

enum outcome serial_parse(const char *text, struct serial *out)
{
	unsigned char octets[2 * SERIAL_MAX];
	const char *at = text;
	size_t len = 0;

	while (*at != '\0' && len < sizeof(octets)) {
		int high = hex_digit(at[0]);
		int low = high < 0 ? -1 : hex_digit(at[1]);
		if (low < 0)
			break;
		octets[len++] = (unsigned char)(high << 4 | low);
		at += 2;
		if (*at == ':' && at[1] != '\0')
			at++;
	}
	if (*at == '\0' && serial_normalize(octets, len, out))
		return EST_OK;
	return reason(EST_MALFORMED,
	    "\"%.60s\" is not a serial number: write 1 to %d octets as pairs of hex digits", text,
	    SERIAL_MAX);
}

enum cert_status cert_record_status(const struct cert_record *cert, int64_t now)
{
	if (cert->revocation_reason != NOT_REVOKED)
		return CERT_REVOKED;
	return now > cert->not_after ? CERT_EXPIRED : CERT_VALID;
}

const char *cert_status_name(enum cert_status status)
{
	static const char *const names[CERT_STATUSES] = {
	    [CERT_VALID] = "valid",
	    [CERT_EXPIRED] = "expired",
	    [CERT_REVOKED] = "revoked",
	};

	return status < CERT_STATUSES ? names[status] : NULL;
}

/* RFC 5280 5.3.1; 7 is not used. */
static const char *const revocations[] = {
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    NULL,
    "removeFromCRL",
    "privilegeWithdrawn",
    "aACompromise",
};

enum { REVOCATIONS = sizeof(revocations) / sizeof(revocations[0]) };

int revocation_code(const char *word)
{
	for (int i = 0; i < REVOCATIONS; i++) {
		if (revocations[i] != NULL && strcasecmp(revocations[i], word) == 0)
			return i;
	}
	return -1;
}

const char *revocation_word(int code)
{
	return code >= 0 && code < REVOCATIONS ? revocations[code] : NULL;
}

void cert_record_clear(struct cert_record *cert)
{
	free(cert->memory);
	*cert = (struct cert_record){0};
}

void user_record_clear(struct user_record *user)
{
	free(user->memory);
	*user = (struct user_record){0};
}

void device_record_clear(struct device_record *device)
{
	free(device->memory);
	*device = (struct device_record){0};
}

/* --- writing --- */

static void put_number(struct buf *out, uint64_t value, unsigned octets)
{
	while (octets-- > 0)
		buf_add_byte(out, (unsigned char)(value >> 8 * octets));
}

/* Seven bits an octet, lowest first: most lengths take one. */
static void put_length(struct buf *out, size_t len)
{
	for (; len >= 0x80; len >>= 7)
		buf_add_byte(out, (unsigned char)(len | 0x80));
	buf_add_byte(out, (unsigned char)len);
}

static void put_span(struct buf *out, struct span span)
{
	put_length(out, span.len);
	buf_add_span(out, span);
}

/* With its NUL, so that reading it back is a pointer and not a copy. */
static void put_text(struct buf *out, const char *text)
{
	size_t size = text == NULL ? 1 : strlen(text) + 1;

	put_length(out, size);
	buf_add(out, text == NULL ? "" : text, size);
}

static void put_texts(struct buf *out, const char *const *texts)
{
	size_t count = 0;

	while (texts != NULL && texts[count] != NULL)
		count++;
	put_length(out, count);
	for (size_t i = 0; i < count; i++)
		put_text(out, texts[i]);
}

/* --- reading --- */

/* What is left to read; once something did not fit, everything after it reads as nothing. */
struct reader {
	struct span rest;
	bool failed;
};

static struct span take(struct reader *reader, size_t len)
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

static uint64_t take_number(struct reader *reader, unsigned octets)
{
	struct span taken = take(reader, octets);
	uint64_t value = 0;

	for (size_t i = 0; i < taken.len; i++)
		value = value << 8 | taken.data[i];
	return value;
}

static size_t take_length(struct reader *reader)
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

static struct span take_span(struct reader *reader)
{
	return take(reader, take_length(reader));
}

static const char *take_text(struct reader *reader)
{
	struct span taken = take_span(reader);

	if (taken.len == 0 || memchr(taken.data, '\0', taken.len) != taken.data + taken.len - 1) {
		reader->failed = true;
		return "";
	}
	return (const char *)taken.data;
}

static void take_octets(struct reader *reader, unsigned char *out, size_t len)
{
	struct span taken = take(reader, len);

	if (taken.len > 0)
		memcpy(out, taken.data, taken.len);
}

static void take_serial(struct reader *reader, struct serial *out)
{
	size_t len = (size_t)take_number(reader, 1);

	if (len == 0 || len > SERIAL_MAX)
		reader->failed = true;
	else
		out->len = (unsigned char)len;
	take_octets(reader, out->octets, out->len);
}

/* Reads from a copy of in that the record owns; *memory has `ahead` bytes before the copy. */
static struct reader reader_start(struct span in, size_t ahead, void **memory)
{
	unsigned char *copy = mem_alloc(ahead + in.len);

	*memory = copy;
	if (in.len > 0)
		memcpy(copy + ahead, in.data, in.len);
	return (struct reader){{copy + ahead, in.len}, false};
}

static bool reader_finished(const struct reader *reader)
{
	return !reader->failed && reader->rest.len == 0;
}

/* --- the forms --- */

void cert_record_encode(const struct cert_record *cert, struct buf *out)
{
	buf_reserve(out, 512 + cert->der.len);
	buf_add_byte(out, CERT_FORM);
	buf_add_byte(out, cert->serial.len);
	buf_add(out, cert->serial.octets, cert->serial.len);
	put_number(out, (uint64_t)cert->issued_at, 8);
	put_number(out, (uint64_t)cert->not_before, 8);
	put_number(out, (uint64_t)cert->not_after, 8);
	put_number(out, (uint64_t)cert->revoked_at, 8);
	buf_add_byte(out, (unsigned char)(cert->revocation_reason + 1));
	buf_add(out, cert->spki, sizeof(cert->spki));
	put_text(out, cert->label);
	put_text(out, cert->profile);
	put_text(out, cert->ca);
	put_text(out, cert->name);
	put_text(out, cert->subject);
	put_text(out, cert->names);
	put_text(out, cert->identity);
	put_text(out, cert->operation);
	put_span(out, cert->der);
}

enum outcome cert_record_decode(struct span in, struct cert_record *out)
{
	struct cert_record cert = {0};
	struct reader reader = reader_start(in, 0, &cert.memory);

	if (take_number(&reader, 1) != CERT_FORM)
		reader.failed = true;
	take_serial(&reader, &cert.serial);
	cert.issued_at = (int64_t)take_number(&reader, 8);
	cert.not_before = (int64_t)take_number(&reader, 8);
	cert.not_after = (int64_t)take_number(&reader, 8);
	cert.revoked_at = (int64_t)take_number(&reader, 8);
	cert.revocation_reason = (int)take_number(&reader, 1) - 1;
	take_octets(&reader, cert.spki, sizeof(cert.spki));
	cert.label = take_text(&reader);
	cert.profile = take_text(&reader);
	cert.ca = take_text(&reader);
	cert.name = take_text(&reader);
	cert.subject = take_text(&reader);
	cert.names = take_text(&reader);
	cert.identity = take_text(&reader);
	cert.operation = take_text(&reader);
	cert.der = take_span(&reader);
	if (!reader_finished(&reader)) {
		cert_record_clear(&cert);
		return reason(
		    EST_INTERNAL, "the store holds bytes that are not a certificate's record");
	}
	*out = cert;
	return EST_OK;
}

void user_record_encode(const struct user_record *user, struct buf *out)
{
	buf_add_byte(out, USER_FORM);
	put_number(out, (uint64_t)user->created_at, 8);
	put_text(out, user->name);
	put_text(out, user->password);
	put_texts(out, user->names);
	put_texts(out, user->labels);
}

/* A text is at least two octets, which bounds what a count may claim. */
enum { TEXT_LEAST = 2 };

static const char *const *take_texts(struct reader *reader, const char ***room)
{
	const char **texts = *room;
	size_t count = take_length(reader);

	if (count > reader->rest.len / TEXT_LEAST) {
		reader->failed = true;
		count = 0;
	}
	for (size_t i = 0; i < count; i++)
		texts[i] = take_text(reader);
	texts[count] = NULL;
	*room = texts + count + 1;
	return texts;
}

enum outcome user_record_decode(struct span in, struct user_record *out)
{
	struct user_record user = {0};
	size_t pointers = (in.len / TEXT_LEAST + 2) * sizeof(const char *);
	struct reader reader = reader_start(in, pointers, &user.memory);
	const char **room = user.memory;

	if (take_number(&reader, 1) != USER_FORM)
		reader.failed = true;
	user.created_at = (int64_t)take_number(&reader, 8);
	user.name = take_text(&reader);
	user.password = take_text(&reader);
	user.names = take_texts(&reader, &room);
	user.labels = take_texts(&reader, &room);
	if (!reader_finished(&reader)) {
		user_record_clear(&user);
		return reason(EST_INTERNAL, "the store holds bytes that are not a user's record");
	}
	*out = user;
	return EST_OK;
}
