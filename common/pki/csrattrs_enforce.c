#include <ctype.h>
#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/csrattrs_parts.h"
#include "common/pki/rsa.h"
#include "common/pki/text.h"

static enum outcome missing(const char *what, struct span oid)
{
	struct buf text = {0};

	der_oid_text(&text, oid);
	(void)refuse(CSR_ATTRIBUTE_MISSING, "csrattrs demands %s %.60s, which the request lacks",
	    what, buf_string(&text));
	buf_free(&text);
	return EST_MALFORMED;
}

/* The values of two Extensions of sets of OIDs: the same ones, in any order. */
static bool same_set(struct span a, struct span b)
{
	struct der x, y;

	if (a.len != b.len)
		return false;
	while (der_next(&a, &x) == EST_OK) {
		struct span rest = b;
		bool found = false;
		while (!found && der_next(&rest, &y) == EST_OK)
			found = span_equal(x.whole, y.whole);
		if (!found)
			return false;
	}
	return true;
}

/* Whether both are the same GeneralName; a dNSName has no letter case. */
static bool same_name(const struct der *wanted, const struct der *got)
{
	if (wanted->tag != got->tag || wanted->content.len != got->content.len)
		return false;
	for (size_t i = 0; i < wanted->content.len; i++) {
		unsigned char a = wanted->content.data[i], b = got->content.data[i];
		if (a != b && (wanted->tag != DER_CONTEXT(2) || tolower(a) != tolower(b)))
			return false;
	}
	return true;
}

/* RFC 9908 3.4: an empty address, or an empty directoryName, is the client's to fill in. */
static bool is_placeholder(const struct der *name)
{
	return (name->tag == DER_CONTEXT(7) && name->content.len == 0) ||
	       (name->tag == DER_CONTEXT_CONSTRUCTED(4) && DER_IS(name->content, "\x30\x00"));
}

/* Every name that is demanded, and others as well if the profile lets them. */
static bool has_names(struct span wanted, struct span got)
{
	struct der names, name, all, one;

	if (der_take(&wanted, DER_SEQUENCE, &names) != EST_OK ||
	    der_take(&got, DER_SEQUENCE, &all) != EST_OK)
		return false;
	while (der_next(&names.content, &name) == EST_OK) {
		struct span rest = all.content;
		bool found = false;
		while (!found && der_next(&rest, &one) == EST_OK)
			found = is_placeholder(&name) ? one.tag == name.tag && !is_placeholder(&one)
						      : same_name(&name, &one);
		if (!found)
			return false;
	}
	return true;
}

/* The bits of a KeyUsage without what BER adds to it. */
static unsigned usage_of(struct span value)
{
	struct der bits;
	unsigned usage = 0;

	if (der_take(&value, DER_BIT_STRING, &bits) == EST_OK)
		for (size_t i = 1; i < bits.content.len && i < 3; i++)
			usage |= (unsigned)bits.content.data[i] << (i == 1 ? 8 : 0);
	return usage;
}

static bool same_value(struct span oid, struct span wanted, struct span got)
{
	struct der a, b;

	if (DER_IS(oid, OID_SUBJECT_ALT_NAME))
		return has_names(wanted, got);
	if (DER_IS(oid, OID_KEY_USAGE))
		return usage_of(wanted) == usage_of(got);
	if (DER_IS(oid, OID_EXTENDED_KEY_USAGE))
		return der_take(&wanted, DER_SEQUENCE, &a) == EST_OK &&
		       der_take(&got, DER_SEQUENCE, &b) == EST_OK && same_set(a.content, b.content);
	return span_equal(wanted, got);
}

/* The parts of an Extension's content; no value: an empty span. Criticality is the profile's. */
static bool split(struct span content, struct span *oid, struct span *value)
{
	struct der type, flag, octets;

	*value = (struct span){NULL, 0};
	if (der_take(&content, DER_OID, &type) != EST_OK)
		return false;
	*oid = type.content;
	(void)der_take(&content, DER_BOOLEAN, &flag);
	if (der_take(&content, DER_OCTET_STRING, &octets) == EST_OK)
		*value = octets.content;
	return true;
}

/* Of one Extension, or ExtensionTemplate, without its frame. */
static enum outcome enforce_extension(struct span extension, const struct csr *csr)
{
	struct span oid, wanted, rest = csr->wishes.extensions, type, got;
	struct der one;

	if (!split(extension, &oid, &wanted))
		return EST_OK;
	while (der_next(&rest, &one) == EST_OK) {
		if (!split(one.content, &type, &got) || !span_equal(type, oid))
			continue;
		return wanted.len == 0 || same_value(oid, wanted, got)
			   ? EST_OK
			   : missing("another value of the extension", oid);
	}
	return missing("the extension", oid);
}

static enum outcome enforce_oid(struct span oid, const struct csr *csr);
static enum outcome enforce_attribute(struct span content, const struct csr *csr);

/* id-ExtensionReq: Extensions; or bare OIDs, as RFC 7030 had them. */
static enum outcome enforce_extensions(struct span values, const struct csr *csr)
{
	struct der value, extension;

	while (der_next(&values, &value) == EST_OK) {
		if (value.tag == DER_OID && enforce_oid(value.content, csr) != EST_OK)
			return EST_MALFORMED;
		while (value.tag == DER_SEQUENCE && der_next(&value.content, &extension) == EST_OK)
			if (enforce_extension(extension.content, csr) != EST_OK)
				return EST_MALFORMED;
	}
	return EST_OK;
}

/* The content of the AlgorithmIdentifier that such a structure begins with. */
static struct span algorithm_of(struct span structure)
{
	struct der sequence, algorithm;

	if (der_take(&structure, DER_SEQUENCE, &sequence) != EST_OK ||
	    der_take(&sequence.content, DER_SEQUENCE, &algorithm) != EST_OK)
		return (struct span){NULL, 0};
	return algorithm.content;
}

/* Whether the key's algorithm has the OID, as its type or as its curve. */
static bool key_has(const struct csr *csr, struct span oid)
{
	struct span algorithm = algorithm_of(csr->spki);
	struct der value;

	while (der_next(&algorithm, &value) == EST_OK)
		if (value.tag == DER_OID && span_equal(value.content, oid))
			return true;
	return false;
}

static bool signed_with(const struct csr *csr, struct span oid)
{
	struct span algorithm = csr->signature_algorithm;
	struct der sequence, type;

	return der_take(&algorithm, DER_SEQUENCE, &sequence) == EST_OK &&
	       der_take(&sequence.content, DER_OID, &type) == EST_OK &&
	       span_equal(type.content, oid);
}

/* A bare OID is that of an attribute, an extension, a name, or of the key or how it signs. */
static enum outcome enforce_oid(struct span oid, const struct csr *csr)
{
	bool algorithm = key_type_known(oid) || key_curve_known(oid), scheme;

	scheme = key_signature_known(oid);
	if ((algorithm || scheme) && csr->use == CSR_KEY_ANY)
		return EST_OK;
	if (csr_has(csr, oid) || (algorithm && key_has(csr, oid)) ||
	    (scheme && (signed_with(csr, oid) || csr->signature_algorithm.len == 0)))
		return EST_OK;
	return missing(algorithm ? "a key of the kind"
		       : scheme  ? "a signature by"
				 : "the attribute, extension or name",
	    oid);
}

/* Whether a modulus has as many bits as an INTEGER's content says. */
static bool has_bits(const struct csr *csr, struct span number)
{
	unsigned bits = 0;

	if (number.len > 3)
		return false;
	for (size_t i = 0; i < number.len; i++)
		bits = bits << 8 | number.data[i];
	return csr->key.modulus.len > 0 && csr->key.bits == bits;
}

/* The type, and any one of the curves or sizes. */
static enum outcome enforce_key(struct span type, struct span values, const struct csr *csr)
{
	struct der value;
	bool fits = false;

	if (csr->use == CSR_KEY_ANY)
		return EST_OK;
	if (!key_has(csr, type))
		return missing("a key of the kind", type);
	while (!fits && der_next(&values, &value) == EST_OK)
		fits = value.tag == DER_OID ? key_has(csr, value.content)
					    : has_bits(csr, value.content);
	return fits ? EST_OK : missing("another curve or size of the kind of key", type);
}

/* Whether the subject has that attribute, with that value if there is one. */
static bool has_value(const struct name *name, struct span type, struct span value)
{
	struct buf text = {0};
	struct der string;
	size_t characters;
	bool any = value.len == 0, found = false;

	if (!any && (der_next(&value, &string) != EST_OK ||
			text_parse(&string, &text, &characters) != EST_OK))
		reason_clear();
	for (size_t i = 0; !found && i < name->count; i++)
		found =
		    span_equal(name->attributes[i].oid, type) &&
		    (any || span_equal(name_value(name, &name->attributes[i]), buf_span(&text)));
	buf_free(&text);
	return found;
}

static enum outcome enforce_subject(struct span rdns, const struct csr *csr)
{
	struct der rdn, pair, type;

	while (der_take(&rdns, DER_SET, &rdn) == EST_OK)
		while (der_take(&rdn.content, DER_SEQUENCE, &pair) == EST_OK)
			if (der_take(&pair.content, DER_OID, &type) == EST_OK &&
			    !has_value(&csr->name, type.content, pair.content))
				return missing(pair.content.len > 0
						   ? "a certain value of the name's"
						   : "the name's",
				    type.content);
	return EST_OK;
}

/* A placeholder tells the size of an RSA key; the algorithm all else. */
static enum outcome enforce_key_info(struct span content, const struct csr *csr)
{
	struct der algorithm, type, key;
	struct span wanted, got = algorithm_of(csr->spki);
	struct rsa_numbers numbers;

	if (csr->use == CSR_KEY_ANY || der_take(&content, DER_SEQUENCE, &algorithm) != EST_OK)
		return EST_OK;
	wanted = algorithm.content;
	if (der_take(&algorithm.content, DER_OID, &type) != EST_OK)
		return EST_OK;
	if (!key_has(csr, type.content) || (algorithm.content.len > 0 && !span_equal(wanted, got)))
		return missing("another kind of key than the request's:", type.content);
	if (der_take(&content, DER_BIT_STRING, &key) != EST_OK || key.content.len == 0)
		return EST_OK;
	if (rsa_parse((struct span){key.content.data + 1, key.content.len - 1}, &numbers) !=
		EST_OK ||
	    rsa_bits(numbers.modulus) != csr->key.bits)
		return missing("another size of the kind of key", type.content);
	return EST_OK;
}

static enum outcome enforce_template(struct span value, const struct csr *csr)
{
	struct der template, version, subject, key, attributes, one;
	struct span rest;

	if (der_take(&value, DER_SEQUENCE, &template) != EST_OK)
		return EST_OK;
	rest = template.content;
	(void)der_take(&rest, DER_INTEGER, &version);
	if (der_take(&rest, DER_SEQUENCE, &subject) == EST_OK &&
	    enforce_subject(subject.content, csr) != EST_OK)
		return EST_MALFORMED;
	if (der_take(&rest, DER_CONTEXT_CONSTRUCTED(0), &key) == EST_OK &&
	    enforce_key_info(key.content, csr) != EST_OK)
		return EST_MALFORMED;
	if (der_take(&rest, DER_CONTEXT_CONSTRUCTED(1), &attributes) != EST_OK)
		return EST_OK;
	while (der_take(&attributes.content, DER_SEQUENCE, &one) == EST_OK)
		if (enforce_attribute(one.content, csr) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}

static enum outcome enforce_attribute(struct span content, const struct csr *csr)
{
	struct der type, values;

	if (der_take(&content, DER_OID, &type) != EST_OK ||
	    der_take(&content, DER_SET, &values) != EST_OK)
		return EST_OK;
	if (key_type_known(type.content))
		return enforce_key(type.content, values.content, csr);
	if (DER_IS(type.content, OID_EXTENSION_REQUEST) ||
	    DER_IS(type.content, OID_EXTENSION_TEMPLATE))
		return enforce_extensions(values.content, csr);
	if (DER_IS(type.content, OID_TEMPLATE))
		return enforce_template(values.content, csr);
	return enforce_oid(type.content, csr);
}

enum outcome csrattrs_enforce(struct span der, const struct csr *csr)
{
	struct der list, one;

	if (der_take(&der, DER_SEQUENCE, &list) != EST_OK)
		return EST_OK;
	while (der_next(&list.content, &one) == EST_OK)
		if ((one.tag == DER_OID ? enforce_oid(one.content, csr)
					: enforce_attribute(one.content, csr)) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}
