#include "common/pki/record.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/encoding.h"
#include "common/pki/form.h"

/*
 * The stored forms begin with this letter, or one of the other record_*.c; a changed layout gets a
 * new letter beside the old one.
 */
enum { CERT_FORM = 'C' };

bool serial_equal(const struct serial *a, const struct serial *b)
{
	return span_equal((struct span){a->octets, a->len}, (struct span){b->octets, b->len});
}

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

/* --- the forms --- */

static void take_serial(struct form_reader *reader, struct serial *out)
{
	size_t len = (size_t)form_take_number(reader, 1);

	if (len == 0 || len > SERIAL_MAX)
		reader->failed = true;
	else
		out->len = (unsigned char)len;
	form_take_octets(reader, out->octets, out->len);
}

void cert_record_encode(const struct cert_record *cert, struct buf *out)
{
	buf_reserve(out, 512 + cert->der.len);
	buf_add_byte(out, CERT_FORM);
	buf_add_byte(out, cert->serial.len);
	buf_add(out, cert->serial.octets, cert->serial.len);
	form_put_number(out, (uint64_t)cert->issued_at, 8);
	form_put_number(out, (uint64_t)cert->not_before, 8);
	form_put_number(out, (uint64_t)cert->not_after, 8);
	form_put_number(out, (uint64_t)cert->revoked_at, 8);
	buf_add_byte(out, (unsigned char)(cert->revocation_reason + 1));
	buf_add(out, cert->spki, sizeof(cert->spki));
	form_put_text(out, cert->label);
	form_put_text(out, cert->profile);
	form_put_text(out, cert->ca);
	form_put_text(out, cert->name);
	form_put_text(out, cert->subject);
	form_put_text(out, cert->names);
	form_put_text(out, cert->identity);
	form_put_text(out, cert->operation);
	form_put_span(out, cert->der);
}

enum outcome cert_record_decode(struct span in, struct cert_record *out)
{
	struct cert_record cert = {0};
	struct form_reader reader = form_read(in, 0, CERT_FORM, &cert.memory);

	take_serial(&reader, &cert.serial);
	cert.issued_at = (int64_t)form_take_number(&reader, 8);
	cert.not_before = (int64_t)form_take_number(&reader, 8);
	cert.not_after = (int64_t)form_take_number(&reader, 8);
	cert.revoked_at = (int64_t)form_take_number(&reader, 8);
	cert.revocation_reason = (int)form_take_number(&reader, 1) - 1;
	form_take_octets(&reader, cert.spki, sizeof(cert.spki));
	cert.label = form_take_text(&reader);
	cert.profile = form_take_text(&reader);
	cert.ca = form_take_text(&reader);
	cert.name = form_take_text(&reader);
	cert.subject = form_take_text(&reader);
	cert.names = form_take_text(&reader);
	cert.identity = form_take_text(&reader);
	cert.operation = form_take_text(&reader);
	cert.der = form_take_span(&reader);
	if (!form_is_whole(&reader)) {
		cert_record_clear(&cert);
		return reason(
		    EST_INTERNAL, "the store holds bytes that are not a certificate's record");
	}
	*out = cert;
	return EST_OK;
}
