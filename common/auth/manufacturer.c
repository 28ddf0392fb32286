#include "common/auth/manufacturer.h"

#include <string.h>

#include "common/base/encoding.h"
#include "common/base/refusal.h"
#include "common/base/utf8.h"
#include "common/pki/cert.h"
#include "common/pki/der.h"
#include "common/pki/name.h"
#include "common/pki/san.h"

/* What a certificate says of its holder. */
struct holder {
	struct name subject;
	struct sans sans;
	struct der type, serial; /* of its HardwareModuleName; empty where it has none */
};

struct field {
	const char *word;
	/* Appends its value; nothing where the certificate has none. */
	void (*add)(const struct field *field, const struct holder *holder, struct buf *out);
	enum san_kind kind;
};

static void add_subject(const struct field *field, const struct holder *holder, struct buf *out)
{
	buf_add_span(out, name_first(&holder->subject, field->word));
}

static void add_san(const struct field *field, const struct holder *holder, struct buf *out)
{
	for (size_t i = 0; i < holder->sans.count; i++)
		if (holder->sans.san[i].kind == field->kind) {
			san_text(&holder->sans.san[i], out);
			return;
		}
}

static void add_hardware(const struct field *field, const struct holder *holder, struct buf *out)
{
	(void)field;
	hex_encode(out, holder->serial.content);
}

static void add_hardware_text(
    const struct field *field, const struct holder *holder, struct buf *out)
{
	struct span serial = holder->serial.content;

	(void)field;
	for (size_t i = 0; i < serial.len; i++)
		if (serial.data[i] <= ' ' || serial.data[i] >= 0x7f)
			return;
	buf_add_span(out, serial);
}

static void add_hardware_type(
    const struct field *field, const struct holder *holder, struct buf *out)
{
	size_t before = out->len;

	(void)field;
	der_oid_text(out, holder->type.content);
	/* One with an arc too long to write would be cut short, and look like another. */
	if (out->len > before && out->data[out->len - 1] == '.')
		out->len = before;
}

static const struct field fields[] = {
    {"CN", add_subject, SAN_KINDS},
    {"serialNumber", add_subject, SAN_KINDS},
    {"UID", add_subject, SAN_KINDS},
    {"O", add_subject, SAN_KINDS},
    {"OU", add_subject, SAN_KINDS},
    {"dns", add_san, SAN_DNS},
    {"ip", add_san, SAN_IP},
    {"email", add_san, SAN_EMAIL},
    {"uri", add_san, SAN_URI},
    {"hardware", add_hardware, SAN_KINDS},
    {"hardware-text", add_hardware_text, SAN_KINDS},
    {"hardware-type", add_hardware_type, SAN_KINDS},
};

/* The field at a brace, which *at is moved behind; NULL where there is none of that word. */
static const struct field *take_field(const char **at)
{
	const char *word = *at + 1;
	size_t len = strcspn(word, "{}");

	for (size_t i = 0; word[len] == '}' && i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].word) == len && memcmp(fields[i].word, word, len) == 0) {
			*at = word + len + 1;
			return &fields[i];
		}
	return NULL;
}

/* Whether a text may be part of a device's name: UTF-8 that shows what it holds. */
static bool is_clear(struct span text)
{
	while (text.len > 0) {
		uint32_t c;
		size_t used = utf8_decode(text, &c);
		if (used == 0 || utf8_is_control(c) || utf8_is_hidden(c))
			return false;
		text.data += used;
		text.len -= used;
	}
	return true;
}

static bool is_blank(struct span text)
{
	size_t blanks = 0;

	while (blanks < text.len && text.data[blanks] == ' ')
		blanks++;
	return blanks == text.len;
}

const char *manufacturer_rule_check(const char *rule)
{
	bool has_field = false;

	if (!is_clear(span_of(rule)))
		return "holds a control character, a hidden one, or bytes that are no UTF-8";
	while (*(rule += strcspn(rule, "{}")) != '\0') {
		if (*rule == '}')
			return "has a closing brace without an opening one";
		if (take_field(&rule) == NULL)
			return "names a field that is none of {CN}, {serialNumber}, {UID}, {O}, "
			       "{OU}, {dns}, {ip}, {email}, {uri}, {hardware}, {hardware-text} and "
			       "{hardware-type}";
		has_field = true;
	}
	return has_field ? NULL : "holds no field in braces, such as {serialNumber}";
}

/* The otherName of RFC 4108 5 in DER GeneralNames, the first one, if it is in form. */
static void find_hardware(struct span sans, struct holder *out)
{
	struct der names, name, oid, wrapped, module, type, serial;

	if (der_take(&sans, DER_SEQUENCE, &names) != EST_OK)
		return;
	do {
		if (der_next(&names.content, &name) != EST_OK)
			return;
	} while (name.tag != DER_CONTEXT_CONSTRUCTED(0) ||
		 der_take(&name.content, DER_OID, &oid) != EST_OK ||
		 !DER_IS(oid.content, "\x2b\x06\x01\x05\x05\x07\x08\x04"));
	if (der_take(&name.content, DER_CONTEXT_CONSTRUCTED(0), &wrapped) != EST_OK ||
	    name.content.len > 0 || der_take(&wrapped.content, DER_SEQUENCE, &module) != EST_OK ||
	    wrapped.content.len > 0 || der_take(&module.content, DER_OID, &type) != EST_OK ||
	    der_take(&module.content, DER_OCTET_STRING, &serial) != EST_OK ||
	    module.content.len > 0)
		return;
	out->type = type;
	out->serial = serial;
}

/* What the certificate says; name_clear(&out->subject). */
static enum outcome read_holder(struct span certificate, struct holder *out)
{
	struct cert_parts parts;

	if (cert_parse(certificate, &parts) == EST_OK &&
	    name_parse(parts.subject, &out->subject) == EST_OK &&
	    (parts.sans.len == 0 || sans_parse(parts.sans, &out->sans) == EST_OK)) {
		find_hardware(parts.sans, out);
		return EST_OK;
	}
	reason_clear(); /* it speaks of a request */
	return refuse(NAME_NOT_ALLOWED, "the client certificate's own names cannot be read");
}

static enum outcome add_field(
    const struct field *field, const struct holder *holder, struct buf *out)
{
	size_t before = out->len;
	struct span value;

	field->add(field, holder, out);
	if (out->len == before)
		return refuse(NAME_NOT_ALLOWED,
		    "the client certificate has no %s that could be part of a name, and the "
		    "device's name is made of it (manufacturer_name of est.conf)",
		    field->word);
	value = (struct span){out->data + before, out->len - before};
	if (!is_clear(value) || is_blank(value))
		return refuse(NAME_NOT_ALLOWED,
		    "the client certificate's %s is blank, or holds a character that nobody sees; "
		    "the device's name is made of it (manufacturer_name of est.conf)",
		    field->word);
	return EST_OK;
}

enum outcome manufacturer_name(const char *rule, struct span certificate, struct buf *out)
{
	struct holder holder = {.sans = {.count = 0}};
	enum outcome outcome = read_holder(certificate, &holder);
	size_t before = out->len;

	while (outcome == EST_OK && *rule != '\0') {
		size_t text = strcspn(rule, "{");
		const struct field *field;
		buf_add(out, rule, text);
		rule += text;
		if (*rule == '\0')
			break;
		field = take_field(&rule);
		outcome = field != NULL ? add_field(field, &holder, out)
					: reason(EST_INTERNAL, "manufacturer_name is in no form");
	}
	if (outcome != EST_OK)
		out->len = before;
	name_clear(&holder.subject);
	return outcome;
}
