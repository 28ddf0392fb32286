#include "common/pki/lint_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	struct span oid;
	enum lint_known known;
} extensions[] = {
    {DER_OCTETS("\x55\x1d\x13"), LINT_BC},
    {DER_OCTETS("\x55\x1d\x0f"), LINT_KU},
    {DER_OCTETS("\x55\x1d\x25"), LINT_EKU},
    {DER_OCTETS("\x55\x1d\x11"), LINT_SAN},
    {DER_OCTETS("\x55\x1d\x0e"), LINT_SKI},
    {DER_OCTETS("\x55\x1d\x23"), LINT_AKI},
    {DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x01\x01"), LINT_AIA},
    {DER_OCTETS("\x55\x1d\x1f"), LINT_CDP},
};

/* What the parser that gave this outcome said. Forgets it: it is no reason to refuse a request. */
static void take_fault(enum outcome outcome, struct lint_fault *fault)
{
	const char *text = reason_text(), *rule;
	size_t len;

	fault->code = refusal_recorded(outcome);
	if (outcome == EST_OK)
		return;
	rule = refusal_row(fault->code)->rule;
	len = strlen(rule);
	if (len > 0 && strncmp(text, rule, len) == 0 && text[len] == ':')
		text += len + 2;
	(void)snprintf(fault->text, sizeof(fault->text), "%s", text);
	reason_clear();
}

/* Two digits off the front, or -1. */
static int take_digits(struct span *text)
{
	int value;

	if (text->len < 2 || text->data[0] < '0' || text->data[0] > '9' || text->data[1] < '0' ||
	    text->data[1] > '9')
		return -1;
	value = (text->data[0] - '0') * 10 + (text->data[1] - '0');
	text->data += 2;
	text->len -= 2;
	return value;
}

/* Days from 1970-01-01 to the first of March of that year, of the proleptic Gregorian calendar. */
static int64_t days_to_march(int64_t year)
{
	return 365 * year + year / 4 - year / 100 + year / 400 - 719468;
}

static int64_t days_of(int year, int month, int day)
{
	int64_t from_march = month > 2 ? month - 3 : month + 9;

	return days_to_march(month > 2 ? year : year - 1) + (153 * from_march + 2) / 5 + day - 1;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* RFC 5280 4.1.2.5.1 and 4.1.2.5.2: YYMMDDHHMMSSZ and YYYYMMDDHHMMSSZ, and no other form. */
static void take_time(const struct der *value, struct lint_time *out)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	struct span rest = value->content;
	bool utc = value->tag == DER_UTC_TIME;
	int century = utc ? 0 : take_digits(&rest), part[6];

	*out = (struct lint_time){.tag = value->tag};
	for (size_t i = 0; i < 6; i++)
		part[i] = take_digits(&rest);
	if ((!utc && value->tag != DER_GENERALIZED_TIME) || century < 0 || part[0] < 0 ||
	    part[1] < 1 || part[1] > 12 || part[2] < 1 || part[3] < 0 || part[3] > 23 ||
	    part[4] < 0 || part[4] > 59 || part[5] < 0 || part[5] > 59 || rest.len != 1 ||
	    rest.data[0] != 'Z')
		return;
	out->year = utc ? part[0] + (part[0] < 50 ? 2000 : 1900) : century * 100 + part[0];
	if (part[2] > days[part[1] - 1] + (part[1] == 2 && is_leap(out->year)))
		return;
	out->t =
	    days_of(out->year, part[1], part[2]) * 86400 + part[3] * 3600 + part[4] * 60 + part[5];
	out->read = true;
}

static bool take_validity(struct span validity, struct lint *out)
{
	struct der from, until;

	if (der_next(&validity, &from) != EST_OK || der_next(&validity, &until) != EST_OK ||
	    validity.len > 0)
		return false;
	take_time(&from, &out->from);
	take_time(&until, &out->until);
	return true;
}

/* Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue } */
bool lint_take_extension(struct span *rest, struct lint_extension *out)
{
	struct der sequence, oid, critical, value;
	bool states;

	if (der_take(rest, DER_SEQUENCE, &sequence) != EST_OK ||
	    der_take(&sequence.content, DER_OID, &oid) != EST_OK)
		return false;
	states = der_take(&sequence.content, DER_BOOLEAN, &critical) == EST_OK;
	if ((states && critical.content.len != 1) ||
	    der_take(&sequence.content, DER_OCTET_STRING, &value) != EST_OK ||
	    sequence.content.len > 0)
		return false;
	*out = (struct lint_extension){.oid = oid.content,
	    .value = value.content,
	    .critical = states && critical.content.data[0] != 0,
	    .states_default = states && critical.content.data[0] == 0};
	return true;
}

static void note_extension(struct lint *out, const struct lint_extension *extension)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (span_equal(extensions[i].oid, extension->oid) &&
		    out->known[extensions[i].known] == NULL)
			out->known[extensions[i].known] = extension;
}

static bool take_extensions(struct span wrapped, struct lint *out)
{
	struct der sequence;

	out->has_extensions = true;
	if (der_take(&wrapped, DER_SEQUENCE, &sequence) != EST_OK || wrapped.len > 0)
		return false;
	while (sequence.content.len > 0) {
		struct lint_extension *extension = &out->extensions[out->count];
		if (out->count == LINT_EXTENSIONS_MAX ||
		    !lint_take_extension(&sequence.content, extension)) {
			out->extension_broken = true;
			break;
		}
		out->count++;
		note_extension(out, extension);
	}
	return true;
}

/*
 * What follows the SubjectPublicKeyInfo: [1] and [2], unique identifiers, and [3], the extensions.
 */
static bool take_rest(struct span rest, struct lint *out)
{
	struct der value;
	unsigned last = 0;

	while (rest.len > 0) {
		unsigned number;
		if (der_next(&rest, &value) != EST_OK)
			return false;
		number = value.tag & 0x1f;
		if ((value.tag & 0xc0) != 0x80 || number <= last || number > 3)
			return false;
		last = number;
		if (number < 3)
			out->unique_ids = true;
		else if (value.tag != DER_CONTEXT_CONSTRUCTED(3) ||
			 !take_extensions(value.content, out))
			return false;
	}
	return true;
}

static bool take_fields(struct span rest, struct lint *out)
{
	struct der version, number, serial, algorithm, issuer, validity, subject, spki;

	if (der_take(&rest, DER_CONTEXT_CONSTRUCTED(0), &version) == EST_OK) {
		if (der_take(&version.content, DER_INTEGER, &number) != EST_OK ||
		    version.content.len > 0)
			return false;
		out->version = number.content;
	}
	if (der_take(&rest, DER_INTEGER, &serial) != EST_OK || serial.content.len == 0 ||
	    der_take(&rest, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&rest, DER_SEQUENCE, &issuer) != EST_OK ||
	    der_take(&rest, DER_SEQUENCE, &validity) != EST_OK ||
	    !take_validity(validity.content, out) ||
	    der_take(&rest, DER_SEQUENCE, &subject) != EST_OK ||
	    der_take(&rest, DER_SEQUENCE, &spki) != EST_OK)
		return false;
	out->serial = serial.content;
	out->algorithm = algorithm.whole;
	out->issuer = issuer.whole;
	out->subject = subject.whole;
	out->spki = spki.whole;
	return take_rest(rest, out);
}

/* The parts that our own parsers know. They do not know the encoders. */
static void take_values(struct lint *out)
{
	struct name issuer;

	take_fault(name_parse(out->issuer, &issuer), &out->issuer_fault);
	name_clear(&issuer);
	take_fault(name_parse(out->subject, &out->name), &out->name_fault);
	take_fault(key_parse(out->spki, &out->key), &out->key_fault);
	if (out->known[LINT_SAN] != NULL)
		take_fault(sans_parse(out->known[LINT_SAN]->value, &out->sans), &out->sans_fault);
}

void lint_parts(struct span tbs, const struct lint_want *want, struct lint *out)
{
	static const struct lint_want nothing;
	struct der sequence;

	*out = (struct lint){.want = want == NULL ? &nothing : want, .tbs = tbs, .behind = tbs};
	if (der_take(&out->behind, DER_SEQUENCE, &sequence) != EST_OK)
		out->broken = "it is no DER SEQUENCE";
	else if (!take_fields(sequence.content, out))
		out->broken = "it is no TBSCertificate in DER";
	else
		take_values(out);
}

void lint_clear(struct lint *lint)
{
	name_clear(&lint->name);
}

const char *lint_say(struct lint *lint, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(lint->text, sizeof(lint->text), format, arguments);
	va_end(arguments);
	return lint->text;
}

bool lint_whole(struct span span, unsigned tag, struct der *out)
{
	return der_take(&span, tag, out) == EST_OK && span.len == 0;
}

const char *lint_missing(const struct lint *lint, enum lint_known extension)
{
	return lint->want->profile != NULL && lint->known[extension] == NULL
		   ? "the extension is missing"
		   : NULL;
}

bool lint_wants_ca(const struct lint *lint)
{
	return lint->want->profile != NULL && lint->want->profile->config->ca;
}

bool lint_fixed(const struct lint *lint, struct span oid, struct lint_extension *out)
{
	struct span rest = {NULL, 0};

	if (lint->want->profile != NULL)
		rest = buf_span(&lint->want->profile->fixed_extensions);
	while (rest.len > 0 && lint_take_extension(&rest, out))
		if (span_equal(out->oid, oid))
			return true;
	return false;
}
