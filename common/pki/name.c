#include "common/pki/name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/escape.h"
#include "common/base/refusal.h"
#include "common/pki/der.h"
#include "common/pki/text.h"

static const struct name_type types[] = {
    {"CN", DER_OCTETS("\x55\x04\x03"), 64, true, false, false},
    {"serialNumber", DER_OCTETS("\x55\x04\x05"), 64, true, true, false},
    {"C", DER_OCTETS("\x55\x04\x06"), 2, false, true, false},
    {"L", DER_OCTETS("\x55\x04\x07"), 128, false, false, false},
    {"ST", DER_OCTETS("\x55\x04\x08"), 128, false, false, false},
    {"street", DER_OCTETS("\x55\x04\x09"), 128, false, false, false},
    {"O", DER_OCTETS("\x55\x04\x0a"), 64, false, false, false},
    {"OU", DER_OCTETS("\x55\x04\x0b"), 64, false, false, false},
    {"title", DER_OCTETS("\x55\x04\x0c"), 64, false, false, false},
    {"postalCode", DER_OCTETS("\x55\x04\x11"), 40, false, false, false},
    {"SN", DER_OCTETS("\x55\x04\x04"), 32768, true, false, false},
    {"GN", DER_OCTETS("\x55\x04\x2a"), 32768, true, false, false},
    {"dnQualifier", DER_OCTETS("\x55\x04\x2e"), 64, true, true, false},
    {"pseudonym", DER_OCTETS("\x55\x04\x41"), 128, true, false, false},
    {"organizationIdentifier", DER_OCTETS("\x55\x04\x61"), 256, false, false, false},
    {"emailAddress", DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"), 255, true, false, true},
    {"UID", DER_OCTETS("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"), 256, true, false, false},
    {"DC", DER_OCTETS("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), 63, false, false, true},
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static const struct name_type *type_of_oid(struct span oid)
{
	for (size_t i = 0; i < TYPES; i++)
		if (span_equal(types[i].oid, oid))
			return &types[i];
	return NULL;
}

const struct name_type *name_type_of(const char *word)
{
	for (size_t i = 0; i < TYPES; i++)
		if (strcmp(types[i].word, word) == 0)
			return &types[i];
	return NULL;
}

static enum outcome check_value(const struct name_type *type, struct span text, size_t characters)
{
	unsigned wanted;

	if (characters == 0)
		return refuse(CSR_NAME_EMPTY, "the name's %s is empty; leave it out",
		    type == NULL ? "attribute" : type->word);
	if (type == NULL)
		return EST_OK;
	if (characters > type->most)
		return refuse(CSR_NAME_LENGTH, "the name's %s has %zu characters; %zu are allowed",
		    type->word, characters, type->most);
	if (strcmp(type->word, "C") == 0 &&
	    (characters != 2 || !isalpha(text.data[0]) || !isalpha(text.data[1])))
		return refuse(CSR_NAME_LENGTH, "the name's C is not the two letters of a country");
	wanted = type->printable ? DER_PRINTABLE : type->ia5 ? DER_IA5 : DER_UTF8;
	if (!text_fits(wanted, text))
		return refuse(CSR_NAME_ENCODING, "the name's %s holds a character that %s lacks",
		    type->word, type->printable ? "PrintableString" : "IA5String");
	return EST_OK;
}

/* One AttributeTypeAndValue off an RDN. */
static enum outcome take_attribute(struct span *rdn, bool joined, struct name *out)
{
	struct der pair, oid, value;
	struct name_attribute *attribute;
	size_t characters = 0;

	if (der_take(rdn, DER_SEQUENCE, &pair) != EST_OK ||
	    der_take(&pair.content, DER_OID, &oid) != EST_OK || oid.content.len == 0 ||
	    der_next(&pair.content, &value) != EST_OK || pair.content.len > 0)
		return refuse(CSR_NAME_DER, "the name is not DER");
	if (out->count == NAME_RDNS_MAX)
		return refuse(CSR_NAME_DER, "the name has more than %d attributes", NAME_RDNS_MAX);
	attribute = &out->attributes[out->count++];
	*attribute = (struct name_attribute){.type = type_of_oid(oid.content),
	    .oid = oid.content,
	    .string_tag = value.tag,
	    .at = out->text.len,
	    .joined = joined};
	if (text_parse(&value, &out->text, &characters) != EST_OK)
		return EST_MALFORMED;
	attribute->len = out->text.len - attribute->at;
	return check_value(attribute->type, name_value(out, attribute), characters);
}

enum outcome name_parse(struct span der, struct name *out)
{
	struct der sequence, rdn;

	out->count = 0;
	out->text = (struct buf){0};
	if (der_take(&der, DER_SEQUENCE, &sequence) != EST_OK || der.len > 0)
		return refuse(CSR_NAME_DER, "the name is not a DER SEQUENCE");
	while (sequence.content.len > 0) {
		bool joined = false;
		if (der_take(&sequence.content, DER_SET, &rdn) != EST_OK || rdn.content.len == 0)
			return refuse(CSR_NAME_DER, "the name holds an RDN that is no SET");
		for (; rdn.content.len > 0; joined = true)
			if (take_attribute(&rdn.content, joined, out) != EST_OK)
				return EST_MALFORMED;
	}
	return EST_OK;
}

static struct span trimmed(struct span value)
{
	while (value.len > 0 && value.data[0] == ' ') {
		value.data++;
		value.len--;
	}
	while (value.len > 0 && value.data[value.len - 1] == ' ')
		value.len--;
	return value;
}

enum outcome name_check(const struct name *name)
{
	for (size_t i = 0; i < name->count; i++) {
		const struct name_attribute *attribute = &name->attributes[i];
		struct span value = name_value(name, attribute);
		const char *word = attribute->type == NULL ? "attribute" : attribute->type->word;
		if (!text_fits(attribute->string_tag, value))
			return refuse(CSR_NAME_ENCODING,
			    "the name's %s holds a character that its string type lacks; take "
			    "UTF8String",
			    word);
		if (trimmed(value).len == 0)
			return refuse(CSR_NAME_EMPTY, "the name's %s is blank; leave it out", word);
	}
	return EST_OK;
}

void name_clear(struct name *name)
{
	buf_free(&name->text);
	name->count = 0;
}

struct span name_value(const struct name *name, const struct name_attribute *attribute)
{
	return attribute->len == 0 ? (struct span){NULL, 0}
				   : (struct span){name->text.data + attribute->at, attribute->len};
}

struct span name_first(const struct name *name, const char *word)
{
	for (size_t i = 0; i < name->count; i++)
		if (name->attributes[i].type != NULL &&
		    strcmp(name->attributes[i].type->word, word) == 0)
			return name_value(name, &name->attributes[i]);
	return (struct span){NULL, 0};
}

static unsigned tag_for(const struct name_attribute *attribute, struct span value)
{
	if (attribute->type != NULL && attribute->type->ia5)
		return DER_IA5;
	if (attribute->type != NULL && attribute->type->printable)
		return DER_PRINTABLE;
	return attribute->string_tag == DER_PRINTABLE && text_fits(DER_PRINTABLE, value)
		   ? DER_PRINTABLE
		   : DER_UTF8;
}

void name_encode(const struct name *name, struct buf *out)
{
	size_t sequence = der_open(out, DER_SEQUENCE), set = 0;

	for (size_t i = 0; i < name->count; i++) {
		const struct name_attribute *attribute = &name->attributes[i];
		struct span value = name_value(name, attribute);
		size_t pair;
		if (!attribute->joined)
			set = der_open(out, DER_SET);
		pair = der_open(out, DER_SEQUENCE);
		der_add(out, DER_OID, attribute->oid);
		der_add(out, tag_for(attribute, value), value);
		der_close(out, pair);
		if (i + 1 == name->count || !name->attributes[i + 1].joined)
			der_close(out, set);
	}
	der_close(out, sequence);
}

/* A value of no known attribute: every byte, RFC 4514 2.4's hexpair. */
static void add_hidden(struct buf *out, struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		buf_printf(out, "\\%02x", value.data[i]);
}

static void add_attribute_text(
    const struct name *name, const struct name_attribute *attribute, struct buf *out)
{
	if (attribute->type != NULL)
		buf_add_string(out, attribute->type->word);
	else
		der_oid_text(out, attribute->oid);
	buf_add_byte(out, '=');
	if (attribute->type != NULL)
		dn_value(out, name_value(name, attribute));
	else
		add_hidden(out, name_value(name, attribute));
}

/* RFC 4514 2.1: the last RDN comes first; within an RDN the order stays. */
void name_text(const struct name *name, struct buf *out)
{
	for (size_t end = name->count; end > 0;) {
		size_t first = end - 1;
		while (name->attributes[first].joined)
			first--;
		if (end < name->count)
			buf_add_byte(out, ',');
		for (size_t i = first; i < end; i++) {
			if (i > first)
				buf_add_byte(out, '+');
			add_attribute_text(name, &name->attributes[i], out);
		}
		end = first;
	}
}

/* Takes the next byte of a value in the form that RFC 5280 7.1 compares: folded, runs of blanks as
 * one. */
static int take_folded(struct span *value)
{
	int c;

	if (value->len == 0)
		return -1;
	c = tolower(value->data[0]);
	value->data++;
	value->len--;
	while (c == ' ' && value->len > 0 && value->data[0] == ' ') {
		value->data++;
		value->len--;
	}
	return c;
}

static bool value_equal(struct span a, struct span b)
{
	a = trimmed(a);
	b = trimmed(b);
	while (a.len > 0 || b.len > 0)
		if (take_folded(&a) != take_folded(&b))
			return false;
	return true;
}

static bool attribute_equal(const struct name *a, const struct name_attribute *x,
    const struct name *b, const struct name_attribute *y)
{
	return span_equal(x->oid, y->oid) && value_equal(name_value(a, x), name_value(b, y));
}

static size_t rdn_end(const struct name *name, size_t at)
{
	for (at++; at < name->count && name->attributes[at].joined;)
		at++;
	return at;
}

/* An RDN is a set: each attribute of one stands in the other, as often (RFC 5280 7.1). */
static bool rdn_equal(const struct name *a, const struct name *b, size_t at, size_t end)
{
	for (size_t i = at; i < end; i++) {
		size_t in_a = 0, in_b = 0;
		for (size_t k = at; k < end; k++) {
			in_a += attribute_equal(a, &a->attributes[i], a, &a->attributes[k]);
			in_b += attribute_equal(a, &a->attributes[i], b, &b->attributes[k]);
		}
		if (in_a != in_b)
			return false;
	}
	return true;
}

bool name_equal(const struct name *a, const struct name *b)
{
	if (a->count != b->count)
		return false;
	for (size_t at = 0, end; at < a->count; at = end) {
		end = rdn_end(a, at);
		if (end != rdn_end(b, at) || !rdn_equal(a, b, at, end))
			return false;
	}
	return true;
}
