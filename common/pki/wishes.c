#include "common/pki/wishes.h"

#include "common/pki/der.h"
#include "common/pki/seen.h"
#include "common/pki/tree.h"

#define EXTENSIONS_MAX 20

typedef enum outcome take_value(struct span value, struct wishes *out);

static take_value take_key_usage, take_extended_key_usage, take_sans, take_basic_constraints;

/*
 * Who reads an extension's value, or for what it is refused where nobody does. What is not here is
 * dropped, or refused where it is marked critical (RFC 5272 3.1: unsupportedExt).
 */
static const struct extension {
	struct span oid;
	const char *word;
	take_value *take;
	enum refusal beyond;
} extensions[] = {
    {DER_OCTETS("\x55\x1d\x0f"), "keyUsage", take_key_usage, REFUSAL_NONE},
    {DER_OCTETS("\x55\x1d\x25"), "extendedKeyUsage", take_extended_key_usage, REFUSAL_NONE},
    {DER_OCTETS("\x55\x1d\x11"), "subjectAltName", take_sans, REFUSAL_NONE},
    {DER_OCTETS("\x55\x1d\x13"), "basicConstraints", take_basic_constraints, REFUSAL_NONE},
    {DER_OCTETS("\x55\x1d\x0e"), "subjectKeyIdentifier", NULL, REFUSAL_NONE},
    {DER_OCTETS("\x55\x1d\x23"), "authorityKeyIdentifier", NULL, REFUSAL_NONE},
    {DER_OCTETS("\x55\x1d\x1e"), "nameConstraints", NULL, CSR_EXTENSION},
    /* A Windows domain takes it for who logs on, and nobody has checked that here. */
    {DER_OCTETS("\x2b\x06\x01\x04\x01\x82\x37\x19\x02"), "a Windows security identifier", NULL,
	CSR_EXTENSION},
};

static const struct extension *extension_of(struct span oid)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (span_equal(extensions[i].oid, oid))
			return &extensions[i];
	return NULL;
}

static enum outcome note_beyond(struct wishes *out, enum refusal refusal, const char *what)
{
	if (out->beyond == REFUSAL_NONE) {
		out->beyond = refusal;
		out->beyond_what = what;
	}
	return EST_OK;
}

static enum outcome take_key_usage(struct span value, struct wishes *out)
{
	struct der bits;

	if (der_take(&value, DER_BIT_STRING, &bits) != EST_OK || value.len > 0 ||
	    bits.content.len < 2 || bits.content.len > 3 || bits.content.data[0] > 7 ||
	    (bits.content.data[bits.content.len - 1] & ((1U << bits.content.data[0]) - 1)) != 0)
		return refuse(CSR_KEY_USAGE, "the requested keyUsage is not a DER BIT STRING");
	for (unsigned bit = 0; bit < (bits.content.len - 1) * 8; bit++)
		if ((bits.content.data[1 + bit / 8] & (0x80 >> bit % 8)) != 0)
			out->key_usage |= 1U << bit;
	if (out->key_usage == 0)
		return refuse(CSR_KEY_USAGE, "the requested keyUsage has no bit set; leave it out");
	out->has_key_usage = true;
	return EST_OK;
}

static enum outcome take_extended_key_usage(struct span value, struct wishes *out)
{
	struct seen purposes = {.most = SEEN_MAX};
	struct der sequence, oid;
	struct span rest;

	if (der_take(&value, DER_SEQUENCE, &sequence) != EST_OK || value.len > 0)
		return refuse(
		    CSR_EXTENDED_KEY_USAGE, "the requested extendedKeyUsage is not a DER SEQUENCE");
	if (sequence.content.len == 0)
		return refuse(CSR_EXTENDED_KEY_USAGE,
		    "the requested extendedKeyUsage names no purpose; leave it out");
	for (rest = sequence.content; rest.len > 0;) {
		if (der_take(&rest, DER_OID, &oid) != EST_OK || oid.content.len == 0)
			return refuse(CSR_EXTENDED_KEY_USAGE,
			    "the requested extendedKeyUsage holds something that is no OID");
		switch (seen_add(&purposes, oid.content)) {
		case AGAIN:
			return refuse(CSR_EXTENDED_KEY_USAGE,
			    "the requested extendedKeyUsage names a purpose twice");
		case TOO_MANY:
			return refuse(CSR_EXTENDED_KEY_USAGE,
			    "the requested extendedKeyUsage names more than %d purposes", SEEN_MAX);
		case FIRST: break;
		}
	}
	out->has_extended_key_usage = true;
	out->extended_key_usage = sequence.content;
	return EST_OK;
}

static enum outcome take_sans(struct span value, struct wishes *out)
{
	return sans_parse(value, &out->sans);
}

/*
 * CA:FALSE spelled out, although it is the default, is common and harmless. How long a path a CA
 * may begin is the profile's to say. A length without CA:TRUE is nonsense (RFC 5280 4.2.1.9).
 */
static enum outcome take_basic_constraints(struct span value, struct wishes *out)
{
	struct der sequence, flag, length;
	struct span rest;
	bool ca = false;

	if (der_take(&value, DER_SEQUENCE, &sequence) != EST_OK || value.len > 0 ||
	    tree_check(sequence.whole, CSR_EXTENSION_DER, "the requested basicConstraints") !=
		EST_OK)
		return refuse(
		    CSR_EXTENSION_DER, "the requested basicConstraints is not a DER SEQUENCE");
	rest = sequence.content;
	if (der_take(&rest, DER_BOOLEAN, &flag) == EST_OK)
		ca = flag.content.data[0] != 0;
	if (ca)
		(void)der_take(&rest, DER_INTEGER, &length);
	if (rest.len > 0)
		return note_beyond(out, CSR_CA, "a CA certificate (basicConstraints)");
	out->ca = ca;
	return EST_OK;
}

/* Nothing reads the value, so it is looked at whether it is DER at all. */
static enum outcome skip(
    const struct extension *known, bool critical, struct span value, struct wishes *out)
{
	if (tree_check(value, CSR_EXTENSION_DER, "a requested extension") != EST_OK)
		return EST_MALFORMED;
	if (known == NULL)
		return critical ? note_beyond(out, CSR_EXTENSION,
				      "an unknown extension that it marks critical")
				: EST_OK;
	return known->beyond == REFUSAL_NONE ? EST_OK
					     : note_beyond(out, known->beyond, known->word);
}

/* One Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue } */
static enum outcome take_parts(
    struct span *rest, struct span *oid, bool *critical, struct span *value)
{
	struct der extension, type, flag, octets;

	if (der_take(rest, DER_SEQUENCE, &extension) != EST_OK ||
	    der_take(&extension.content, DER_OID, &type) != EST_OK)
		return refuse(CSR_EXTENSION_DER, "a requested extension is not DER");
	*critical = der_take(&extension.content, DER_BOOLEAN, &flag) == EST_OK;
	if (*critical && (flag.content.len != 1 || flag.content.data[0] != 0xff))
		return refuse(CSR_EXTENSION_DER, "an extension is marked critical by FALSE or by "
						 "something that is not DER's TRUE");
	if (der_take(&extension.content, DER_OCTET_STRING, &octets) != EST_OK ||
	    extension.content.len > 0)
		return refuse(CSR_EXTENSION_DER, "a requested extension is not DER");
	*oid = type.content;
	*value = octets.content;
	return EST_OK;
}

static enum outcome take_extension(struct span *rest, struct seen *seen, struct wishes *out)
{
	struct span oid = {NULL, 0}, value = {NULL, 0};
	bool critical = false;
	const struct extension *known;

	if (take_parts(rest, &oid, &critical, &value) != EST_OK)
		return EST_MALFORMED;
	known = extension_of(oid);
	switch (seen_add(seen, oid)) {
	case AGAIN:
		return refuse(CSR_EXTENSION_TWICE, "the %s extension is requested twice",
		    known == NULL ? "same" : known->word);
	case TOO_MANY:
		return refuse(
		    CSR_EXTENSION_COUNT, "more than %d extensions are requested", EXTENSIONS_MAX);
	case FIRST: break;
	}
	return known != NULL && known->take != NULL ? known->take(value, out)
						    : skip(known, critical, value, out);
}

enum outcome wishes_parse_list(struct span list, struct wishes *out)
{
	struct seen seen = {.most = EXTENSIONS_MAX};

	out->extensions = list;
	while (list.len > 0)
		if (take_extension(&list, &seen, out) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}

enum outcome wishes_parse(struct span list, struct wishes *out)
{
	struct der sequence;

	if (der_take(&list, DER_SEQUENCE, &sequence) != EST_OK || list.len > 0)
		return refuse(CSR_EXTENSION_DER, "the extensionRequest is not a DER SEQUENCE");
	return wishes_parse_list(sequence.content, out);
}
