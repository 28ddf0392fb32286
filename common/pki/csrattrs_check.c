#include <string.h>

#include "common/pki/csrattrs_parts.h"
#include "common/pki/rsa.h"
#include "common/pki/seen.h"
#include "common/pki/tree.h"

static enum outcome wrong(const char *what)
{
	return reason(EST_MALFORMED, "%s", what);
}

/* One whole DER value with nothing behind it, of that tag. */
static bool takes_all(struct span der, unsigned tag, struct der *out)
{
	return der_take(&der, tag, out) == EST_OK && der.len == 0;
}

/* Attribute ::= SEQUENCE { type, values SET SIZE (1..MAX) }, in place of which tags stand here. */
static enum outcome take_attribute(struct span content, struct span *type, struct span *values)
{
	struct der oid, set;

	if (der_take(&content, DER_OID, &oid) != EST_OK ||
	    der_take(&content, DER_SET, &set) != EST_OK || content.len > 0)
		return wrong("an attribute is not an OID and a SET of values");
	if (set.content.len == 0)
		return wrong("an attribute's SET of values is empty, which RFC 8951 4 does not "
			     "have; give the OID alone");
	if (!der_sorted(set.content))
		return wrong("the values of an attribute do not stand in the order of DER");
	*type = oid.content;
	*values = set.content;
	return EST_OK;
}

/* Extension, or where `open` ExtensionTemplate, whose value may be left out. */
static enum outcome check_extension(struct span content, bool open, struct seen *seen)
{
	struct der oid, flag, value;

	if (der_take(&content, DER_OID, &oid) != EST_OK)
		return wrong("an extension does not begin with its OID");
	if (der_take(&content, DER_BOOLEAN, &flag) == EST_OK && flag.content.data[0] == 0)
		return wrong("an extension is marked critical FALSE, which DER leaves out");
	if (content.len > 0 || !open) {
		if (!takes_all(content, DER_OCTET_STRING, &value))
			return wrong("an extension's value is not one OCTET STRING");
		if (tree_check(value.content, CSR_EXTENSION_DER, "the value") != EST_OK) {
			reason_clear();
			return wrong("an extension's value is not DER");
		}
	}
	switch (seen_add(seen, oid.content)) {
	case AGAIN: return wrong("an extension stands twice");
	case TOO_MANY: return wrong("there are too many extensions");
	case FIRST: break;
	}
	return EST_OK;
}

static enum outcome check_extensions(struct span value, bool open)
{
	struct seen seen = {.most = SEEN_MAX};
	struct der sequence, extension;

	if (!takes_all(value, DER_SEQUENCE, &sequence) || sequence.content.len == 0)
		return wrong("a request for extensions is not one SEQUENCE of extensions");
	while (sequence.content.len > 0) {
		if (der_take(&sequence.content, DER_SEQUENCE, &extension) != EST_OK)
			return wrong("an extension is not a SEQUENCE of its own");
		if (check_extension(extension.content, open, &seen) != EST_OK)
			return EST_MALFORMED;
	}
	return EST_OK;
}

static bool all_oids(struct span values)
{
	struct der oid;

	while (values.len > 0)
		if (der_take(&values, DER_OID, &oid) != EST_OK)
			return false;
	return true;
}

/* RFC 9908 3.2; or bare OIDs, as in RFC 7030 4.5.2's example, which many servers send. */
static enum outcome check_request(struct span values)
{
	return all_oids(values) ? EST_OK : check_extensions(values, false);
}

/* RFC 7030 4.5.2: a curve's OID, or how many bits a modulus has. */
static enum outcome check_key(struct span values)
{
	struct der value;

	while (der_next(&values, &value) == EST_OK)
		if (value.tag != DER_OID && value.tag != DER_INTEGER)
			return wrong("a key type has a value that is neither a curve's OID nor a "
				     "number of bits");
	return EST_OK;
}

/* SingleAttributeTemplate ::= SEQUENCE { type, value OPTIONAL } */
static enum outcome check_pair(struct span content)
{
	struct der oid, value;

	if (der_take(&content, DER_OID, &oid) != EST_OK ||
	    (content.len > 0 && der_next(&content, &value) != EST_OK) || content.len > 0)
		return wrong("an attribute of the template's subject is not a type, or a type and "
			     "a value");
	return EST_OK;
}

static enum outcome check_subject(struct span rdns)
{
	struct der rdn, pair;

	while (rdns.len > 0) {
		if (der_take(&rdns, DER_SET, &rdn) != EST_OK || rdn.content.len == 0 ||
		    !der_sorted(rdn.content))
			return wrong("the template's subject is not a SEQUENCE of RDNs in DER");
		while (rdn.content.len > 0)
			if (der_take(&rdn.content, DER_SEQUENCE, &pair) != EST_OK ||
			    check_pair(pair.content) != EST_OK)
				return wrong("an RDN of the template is not one of attributes");
	}
	return EST_OK;
}

static bool is_modulus(struct span bits)
{
	struct rsa_numbers numbers;
	bool taken = bits.len > 1 && bits.data[0] == 0 &&
		     rsa_parse((struct span){bits.data + 1, bits.len - 1}, &numbers) == EST_OK;

	reason_clear();
	return taken;
}

/* SubjectPublicKeyInfoTemplate, in which only an RSA key's size is told by a key. */
static enum outcome check_key_info(struct span content)
{
	struct der algorithm, oid, key;

	if (der_take(&content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&algorithm.content, DER_OID, &oid) != EST_OK)
		return wrong("the template's subjectPKInfo does not begin with an algorithm");
	if (content.len > 0 &&
	    (!takes_all(content, DER_BIT_STRING, &key) || !is_modulus(key.content)))
		return wrong("the template's subjectPublicKey is no RSA key, which alone may stand "
			     "there for its size");
	return EST_OK;
}

static enum outcome check_attributes(struct span set)
{
	struct seen seen = {.most = SEEN_MAX};
	struct der attribute;
	struct span type = {NULL, 0}, values = {NULL, 0};

	if (!der_sorted(set))
		return wrong("the template's attributes do not stand in the order of DER");
	while (set.len > 0) {
		bool open, request;
		if (der_take(&set, DER_SEQUENCE, &attribute) != EST_OK ||
		    take_attribute(attribute.content, &type, &values) != EST_OK)
			return wrong("the template's attributes are not attributes");
		open = DER_IS(type, OID_EXTENSION_TEMPLATE);
		request = DER_IS(type, OID_EXTENSION_REQUEST);
		if (DER_IS(type, OID_TEMPLATE))
			return wrong("the template holds a template");
		/* Both ask for extensions, of which there is to be one list: as if of one type. */
		if (open)
			type = (struct span)DER_OCTETS(OID_EXTENSION_REQUEST);
		if (seen_add(&seen, type) != FIRST)
			return wrong("the template has an attribute twice, or both id-ExtensionReq "
				     "and id-aa-extensionReqTemplate, or too many");
		if ((open || request) && check_extensions(values, open) != EST_OK)
			return EST_MALFORMED;
	}
	return EST_OK;
}

static enum outcome check_template(struct span value)
{
	struct der template, version, subject, key, attributes;
	struct span rest;

	if (!takes_all(value, DER_SEQUENCE, &template))
		return wrong("the template is not one SEQUENCE");
	rest = template.content;
	if (der_take(&rest, DER_INTEGER, &version) != EST_OK || version.content.len != 1 ||
	    version.content.data[0] != 0)
		return wrong("the template's version is not 0, which stands for v1");
	if (der_take(&rest, DER_SEQUENCE, &subject) == EST_OK &&
	    check_subject(subject.content) != EST_OK)
		return EST_MALFORMED;
	if (der_take(&rest, DER_CONTEXT_CONSTRUCTED(0), &key) == EST_OK &&
	    check_key_info(key.content) != EST_OK)
		return EST_MALFORMED;
	if (!takes_all(rest, DER_CONTEXT_CONSTRUCTED(1), &attributes))
		return wrong("the template has no attributes [1], which are there even if empty");
	return check_attributes(attributes.content);
}

/* What is known of a type, and may therefore stand once. */
struct kind {
	const char *twice;
	enum outcome (*check)(struct span values);
};

static const struct kind *kind_of(struct span type)
{
	static const struct kind key = {"more than one key type is demanded", check_key},
				 request = {"there is more than one id-ExtensionReq",
				     check_request},
				 template = {"there is more than one template", check_template};

	if (key_type_known(type))
		return &key;
	if (DER_IS(type, OID_EXTENSION_REQUEST))
		return &request;
	return DER_IS(type, OID_TEMPLATE) ? &template : NULL;
}

static enum outcome check_attribute(struct span content, const struct kind *seen[4])
{
	struct span type = {NULL, 0}, values = {NULL, 0};
	const struct kind *kind;
	size_t i = 0;

	if (take_attribute(content, &type, &values) != EST_OK)
		return EST_MALFORMED;
	kind = kind_of(type);
	if (kind == NULL)
		return EST_OK;
	while (seen[i] != NULL && seen[i] != kind)
		i++;
	if (seen[i] == kind)
		return wrong(kind->twice);
	seen[i] = kind;
	return kind->check(values);
}

enum outcome csrattrs_check(struct span der)
{
	const struct kind *seen[4] = {NULL};
	struct der list, one;

	if (der.len > CSRATTRS_MAX)
		return reason(EST_MALFORMED, "it has more than %d octets", CSRATTRS_MAX);
	if (tree_check(der, CSR_DER, "it") != EST_OK) {
		reason_clear();
		return wrong("it is not one DER value");
	}
	if (!takes_all(der, DER_SEQUENCE, &list))
		return wrong("it is not a SEQUENCE of OIDs and attributes");
	while (der_next(&list.content, &one) == EST_OK) {
		if (one.tag != DER_OID && one.tag != DER_SEQUENCE)
			return wrong("it holds something that is neither an OID nor an attribute");
		if (one.tag == DER_SEQUENCE && check_attribute(one.content, seen) != EST_OK)
			return EST_MALFORMED;
	}
	return EST_OK;
}
