#include "common/pki/csr.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/csr_attribute.h"
#include "common/pki/der.h"
#include "common/pki/tree.h"

/* An RDN of several attributes, or a second common name, would leave open what the device is
 * called. */
enum outcome csr_check_names(const struct name *name, const struct sans *sans)
{
	unsigned common_names = 0;

	for (size_t i = 0; i < name->count; i++) {
		const struct name_attribute *attribute = &name->attributes[i];
		if (attribute->joined)
			return refuse(CSR_NAME_FORM,
			    "the subject has an RDN of several attributes; give each its own");
		if (attribute->type != NULL && strcmp(attribute->type->word, "CN") == 0 &&
		    ++common_names > 1)
			return refuse(
			    CSR_NAME_FORM, "the subject has two common names; give it one");
	}
	if (name->count == 0 && sans->count == 0)
		return refuse(CSR_NAME_EMPTY, "the request names nobody: it has no subject, and no "
					      "SubjectAltName that says who it is");
	return name_check(name);
}

/* RFC 7030 4.4.1: the key of a request for a key says nothing, but has to be there. */
static enum outcome take_any_key(struct csr *out)
{
	struct span rest = out->spki;
	struct der sequence, algorithm, oid, bits;

	if (der_take(&rest, DER_SEQUENCE, &sequence) != EST_OK || rest.len > 0 ||
	    der_take(&sequence.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&algorithm.content, DER_OID, &oid) != EST_OK ||
	    der_take(&sequence.content, DER_BIT_STRING, &bits) != EST_OK ||
	    sequence.content.len > 0)
		return refuse(CSR_SPKI, "the public key is not a DER SubjectPublicKeyInfo");
	if (key_parse(out->spki, &out->key) != EST_OK) {
		reason_clear();
		out->key = (struct key_info){.spki = out->spki};
	}
	return EST_OK;
}

static enum outcome take_key(struct csr *out)
{
	return out->use == CSR_KEY_ANY ? take_any_key(out) : key_parse(out->spki, &out->key);
}

static enum outcome not_a_request(void)
{
	return refuse(CSR_DER, "the body is not a DER CertificationRequest");
}

/* CertificationRequestInfo ::= SEQUENCE { version, subject, subjectPKInfo, attributes [0] } */
static enum outcome take_info(struct span content, struct csr *out)
{
	struct der version, subject, spki, set;

	if (der_take(&content, DER_INTEGER, &version) != EST_OK ||
	    der_take(&content, DER_SEQUENCE, &subject) != EST_OK ||
	    der_take(&content, DER_SEQUENCE, &spki) != EST_OK)
		return not_a_request();
	if (version.content.len != 1 || version.content.data[0] != 0)
		return refuse(CSR_VERSION, "the request's version is not 0, which stands for v1");
	out->subject = subject.whole;
	out->spki = spki.whole;
	if (name_parse(subject.whole, &out->name) != EST_OK || take_key(out) != EST_OK)
		return EST_MALFORMED;
	if (content.len == 0)
		return EST_OK; /* attributes are not optional in RFC 2986, but some clients leave
				  them out */
	if (der_take(&content, DER_CONTEXT_CONSTRUCTED(0), &set) != EST_OK || content.len > 0)
		return refuse(CSR_ATTRIBUTES, "something else stands where attributes belong");
	return csr_take_attributes(set.content, out);
}

static enum outcome take_signature(struct span content, struct csr *out)
{
	if (content.len == 0 || content.data[0] != 0)
		return refuse(CSR_DER, "the request's signature is not a BIT STRING of octets");
	if (content.len == 1 && out->use != CSR_KEY_ANY)
		return refuse(CSR_SIGNATURE, "the request's signature is empty");
	out->signature = (struct span){content.data + 1, content.len - 1};
	return EST_OK;
}

static enum outcome parse(struct span der, struct csr *out)
{
	struct der sequence, info, algorithm, signature;

	if (der_take(&der, DER_SEQUENCE, &sequence) != EST_OK)
		return not_a_request();
	if (der.len > 0)
		return refuse(CSR_TRAILING, "%zu octets follow the CertificationRequest", der.len);
	if (der_take(&sequence.content, DER_SEQUENCE, &info) != EST_OK ||
	    der_take(&sequence.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&sequence.content, DER_BIT_STRING, &signature) != EST_OK ||
	    sequence.content.len > 0)
		return not_a_request();
	out->tbs = info.whole;
	out->signature_algorithm = algorithm.whole;
	if (take_signature(signature.content, out) != EST_OK ||
	    take_info(info.content, out) != EST_OK ||
	    csr_check_names(&out->name, &out->wishes.sans) != EST_OK)
		return EST_MALFORMED;
	/* Last, because whoever knows the field says more exactly what is wrong with it. */
	return tree_check(sequence.whole, CSR_DER, "the request");
}

enum outcome csr_parse(struct span der, enum csr_use use, struct csr *out)
{
	enum outcome outcome;

	*out = (struct csr){.der = der, .use = use};
	outcome = parse(der, out);
	if (outcome != EST_OK)
		csr_clear(out);
	return outcome;
}

static enum outcome assemble(struct span extensions, struct csr *out)
{
	static const char what[] = "the request";
	struct der extension;

	if (name_parse(out->subject, &out->name) != EST_OK || take_key(out) != EST_OK ||
	    wishes_parse_list(extensions, &out->wishes) != EST_OK ||
	    csr_check_names(&out->name, &out->wishes.sans) != EST_OK ||
	    tree_check(out->subject, CSR_DER, what) != EST_OK ||
	    tree_check(out->spki, CSR_DER, what) != EST_OK)
		return EST_MALFORMED;
	while (der_next(&extensions, &extension) == EST_OK)
		if (tree_check(extension.whole, CSR_DER, what) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}

enum outcome csr_assemble(
    struct span subject, struct span spki, struct span extensions, struct csr *out)
{
	enum outcome outcome;

	*out = (struct csr){.subject = subject, .spki = spki};
	outcome = assemble(extensions, out);
	if (outcome != EST_OK)
		csr_clear(out);
	return outcome;
}

enum outcome csr_verify(const struct csr *csr, bool sha1)
{
	return (sha1 ? key_verify_sha1 : key_verify)(
	    &csr->key, csr->signature_algorithm, csr->signature, csr->tbs);
}

/* Attributes and extensions both begin with their OID. */
static bool lists(struct span list, struct span oid)
{
	struct der one, type;

	while (der_next(&list, &one) == EST_OK)
		if (der_take(&one.content, DER_OID, &type) == EST_OK &&
		    span_equal(type.content, oid))
			return true;
	return false;
}

bool csr_has(const struct csr *csr, struct span oid)
{
	for (size_t i = 0; i < csr->name.count; i++)
		if (span_equal(csr->name.attributes[i].oid, oid))
			return true;
	/* What is known as an attribute is none where it calls itself an extension. */
	return lists(csr->attributes, oid) ||
	       (!csr_attribute_known(oid) && lists(csr->wishes.extensions, oid));
}

void csr_clear(struct csr *csr)
{
	name_clear(&csr->name);
}

/* Appends text in the form that devices are filed under. */
static void add_folded(struct buf *out, struct span text)
{
	bool pending = false, begun = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == ' ') {
			pending = begun;
			continue;
		}
		if (pending)
			buf_add_byte(out, ' ');
		buf_add_byte(out, text.data[i]);
		pending = false;
		begun = true;
	}
}

/* What tells it apart else: a serial number, any other such attribute, or the whole subject. */
static void name_without_cn(const struct name *name, struct buf *out)
{
	struct span value = name_first(name, "serialNumber");

	for (size_t i = 0; value.len == 0 && i < name->count; i++)
		if (name->attributes[i].type != NULL && name->attributes[i].type->identifies)
			value = name_value(name, &name->attributes[i]);
	if (value.len > 0)
		add_folded(out, value);
	else
		name_text(name, out);
}

void csr_device_name(const struct name *name, const struct sans *sans, struct buf *out)
{
	struct span common_name = name_first(name, "CN");
	size_t before = out->len;

	if (common_name.len > 0)
		add_folded(out, common_name);
	else if (sans->count > 0)
		san_text(&sans->san[0], out);
	else
		name_without_cn(name, out);
	/* The name of a host is the same with a dot behind it. */
	while (out->len > before + 1 && out->data[out->len - 1] == '.')
		out->len--;
}
