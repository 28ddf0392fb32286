#include <string.h>

#include "common/pki/csrattrs_parts.h"

/* RelativeDistinguishedNameTemplate with one attribute; value empty: the client's to fill in. */
static void add_rdn(
    const struct name_type *type, struct span oid, struct span value, struct buf *out)
{
	size_t set = der_open(out, DER_SET), pair = der_open(out, DER_SEQUENCE);

	der_add(out, DER_OID, oid);
	if (value.len > 0)
		der_add(out,
		    type->ia5         ? DER_IA5
		    : type->printable ? DER_PRINTABLE
				      : DER_UTF8,
		    value);
	der_close(out, pair);
	der_close(out, set);
}

/* What the client fills in, then what is the same in every certificate; or no subject at all. */
static void add_subject(
    const struct profile *profile, const struct demands *demands, struct buf *out)
{
	struct buf name = {0};

	for (size_t i = 0; i < demands->count; i++)
		if (demands->demand[i].place == PLACE_SUBJECT)
			add_rdn(NULL, demands->demand[i].oid, (struct span){NULL, 0}, &name);
	for (size_t i = 0; i < profile->fixed_count; i++) {
		const struct profile_fixed *fixed = &profile->fixed[i];
		add_rdn(fixed->type, fixed->type->oid, fixed->value, &name);
	}
	if (name.len > 0)
		der_add(out, DER_SEQUENCE, buf_span(&name));
	buf_free(&name);
}

/* A key that is none, but whose modulus has the size that is wanted (RFC 9908 3.4). */
static void add_placeholder(unsigned bits, struct buf *out)
{
	static const unsigned char exponent[] = {1, 0, 1};
	size_t string = der_open(out, DER_BIT_STRING), sequence, number;

	buf_add_byte(out, 0);
	sequence = der_open(out, DER_SEQUENCE);
	number = der_open(out, DER_INTEGER);
	buf_add_byte(out, 0);
	buf_add_byte(out, 0x80);
	for (unsigned i = 2; i < bits / 8; i++)
		buf_add_byte(out, 0);
	buf_add_byte(out, 1);
	der_close(out, number);
	der_add(out, DER_INTEGER, (struct span){exponent, sizeof(exponent)});
	der_close(out, sequence);
	der_close(out, string);
}

static void add_key(const struct key_terms *key, struct buf *out)
{
	size_t info = der_open(out, DER_CONTEXT_CONSTRUCTED(0)),
	       algorithm = der_open(out, DER_SEQUENCE);

	buf_add_span(out, key->type);
	buf_add_span(out, key->parameters);
	der_close(out, algorithm);
	if (key->modulus_bits > 0)
		add_placeholder(key->modulus_bits, out);
	der_close(out, info);
}

/* Whether addresses, which alone have a placeholder, are all that the client has to give. */
static bool only_addresses(const struct profile *profile)
{
	const struct words *required = &profile->config->required;
	bool addresses = false;

	for (size_t i = 0; i < required->count; i++) {
		if (!demands_alt_name(profile, required->word[i]))
			continue;
		if (strcmp(required->word[i], san_kind_word(SAN_IP)) != 0)
			return false;
		addresses = true;
	}
	return addresses;
}

/*
 * The fixed names and an empty address, which the client replaces by its own (RFC 9908 3.4). Other
 * kinds of names cannot be asked for but by leaving out the value.
 */
static void add_alt_names(const struct profile *profile, struct buf *out)
{
	static const struct span empty = DER_OCTETS("\x87\x00");
	struct buf fixed = {0};
	struct span rest;
	struct der sequence;
	size_t octets, list;

	if (!only_addresses(profile))
		return;
	sans_encode(&profile->fixed_sans, &fixed);
	rest = buf_span(&fixed);
	octets = der_open(out, DER_OCTET_STRING);
	list = der_open(out, DER_SEQUENCE);
	if (der_take(&rest, DER_SEQUENCE, &sequence) == EST_OK)
		buf_add_span(out, sequence.content);
	buf_add_span(out, empty);
	der_close(out, list);
	der_close(out, octets);
	buf_free(&fixed);
}

/* One ExtensionTemplate without its frame; gives whether it leaves nothing to the client. */
static bool add_extension(const struct csrattrs_plan *plan, struct span oid, struct buf *out)
{
	if (!DER_IS(oid, OID_SUBJECT_ALT_NAME))
		return demands_add_extension(plan, oid, out);
	der_add(out, DER_OID, oid);
	add_alt_names(plan->profile, out);
	return false;
}

static bool add_extensions(
    const struct csrattrs_plan *plan, const struct demands *demands, struct buf *out)
{
	bool complete = true;

	for (size_t i = 0; i < demands->count; i++) {
		size_t extension;
		if (demands->demand[i].place != PLACE_EXTENSION)
			continue;
		extension = der_open(out, DER_SEQUENCE);
		if (!add_extension(plan, demands->demand[i].oid, out))
			complete = false;
		der_close(out, extension);
	}
	return complete;
}

/*
 * RFC 9908 3.4: as id-ExtensionReq where every extension has its value, else as
 * id-aa-extensionReqTemplate; the set of attributes is there in any case.
 */
static void add_attributes(
    const struct csrattrs_plan *plan, const struct demands *demands, struct buf *out)
{
	static const struct span request = DER_OCTETS(OID_EXTENSION_REQUEST),
				 template = DER_OCTETS(OID_EXTENSION_TEMPLATE);
	struct buf extensions = {0};
	bool complete = add_extensions(plan, demands, &extensions);
	size_t attributes = der_open(out, DER_CONTEXT_CONSTRUCTED(1)), attribute, set;

	if (extensions.len > 0) {
		attribute = der_open(out, DER_SEQUENCE);
		der_add(out, DER_OID, complete ? request : template);
		set = der_open(out, DER_SET);
		der_add(out, DER_SEQUENCE, buf_span(&extensions));
		der_close(out, set);
		der_close(out, attribute);
	}
	der_close(out, attributes);
	buf_free(&extensions);
}

void template_add(const struct csrattrs_plan *plan, const struct demands *demands, struct buf *out)
{
	static const struct span oid = DER_OCTETS(OID_TEMPLATE);
	static const unsigned char version[] = {0};
	size_t attribute = der_open(out, DER_SEQUENCE), set, template;

	der_add(out, DER_OID, oid);
	set = der_open(out, DER_SET);
	template = der_open(out, DER_SEQUENCE);
	der_add(out, DER_INTEGER, (struct span){version, sizeof(version)});
	add_subject(plan->profile, demands, out);
	if (demands->one_key)
		add_key(&demands->key, out);
	add_attributes(plan, demands, out);
	der_close(out, template);
	der_close(out, set);
	der_close(out, attribute);
}
