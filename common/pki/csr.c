#include "common/pki/csr.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/der.h"
#include "common/pki/seen.h"
#include "common/pki/text.h"
#include "common/pki/tree.h"

#define ATTRIBUTES_MAX SEEN_MAX
#define CHALLENGE_MAX  255 /* characters: pkcs-9-ub-challengePassword of RFC 2985 */

typedef enum outcome take_value(struct span value, struct csr *out);

static take_value take_extensions, take_challenge;

/*
 * An attribute that we know, and who reads its value. Two OIDs ask for extensions (RFC 2985
 * 5.4.2, and Microsoft's): they count as the same attribute.
 */
static const struct attribute {
	struct span oid;
	take_value *take;
	const char *word;
} attributes[] = {
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"), take_extensions, "extensionRequest"},
    {DER_OCTETS("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"), take_extensions, "extensionRequest"},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"), take_challenge, "challengePassword"},
    /* RFC 7894: what only makes sense where it is verified. */
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x38"), take_challenge, "otpChallenge"},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3a"), take_challenge,
	"estIdentityLinking"},
};

static const struct attribute *attribute_of(struct span oid)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (span_equal(attributes[i].oid, oid))
			return &attributes[i];
	return NULL;
}

static enum outcome take_extensions(struct span value, struct csr *out)
{
	return wishes_parse(value, &out->wishes);
}

static enum outcome take_challenge(struct span value, struct csr *out)
{
	struct der text;
	struct buf utf8 = {0};
	size_t characters = 0;
	enum outcome outcome = der_next(&value, &text);

	if (outcome == EST_OK)
		outcome = text_parse(&text, &utf8, &characters);
	buf_cleanse(&utf8);
	if (outcome == EST_OK && value.len == 0 && characters > 0 && characters <= CHALLENGE_MAX) {
		out->has_challenge = true;
		return EST_OK;
	}
	reason_clear(); /* what text_parse() says is about names */
	return refuse(CSR_CHALLENGE,
	    "the challengePassword is not a text string of 1 to %d characters without controls",
	    CHALLENGE_MAX);
}

static enum outcome take_attribute(struct span *rest, struct seen *seen, struct csr *out)
{
	struct der attribute, oid, set, value;
	const struct attribute *known;

	if (der_take(rest, DER_SEQUENCE, &attribute) != EST_OK ||
	    der_take(&attribute.content, DER_OID, &oid) != EST_OK ||
	    der_take(&attribute.content, DER_SET, &set) != EST_OK || attribute.content.len > 0)
		return refuse(CSR_ATTRIBUTES, "the request's attributes are not DER");
	if (!der_sorted(set.content))
		return refuse(
		    CSR_ATTRIBUTES, "an attribute's values do not stand in the order of DER");
	if (der_next(&set.content, &value) != EST_OK)
		return refuse(CSR_ATTRIBUTES, "an attribute of the request has no value in DER");
	known = attribute_of(oid.content);
	if (known != NULL && known->take == take_extensions)
		oid.content = attributes[0].oid; /* whichever of the two OIDs it has */
	switch (seen_add(seen, oid.content)) {
	case AGAIN:
		return refuse(CSR_ATTRIBUTES, "the %s attribute stands twice",
		    known == NULL ? "same" : known->word);
	case TOO_MANY:
		return refuse(
		    CSR_ATTRIBUTES, "the request has more than %d attributes", ATTRIBUTES_MAX);
	case FIRST: break;
	}
	if (known == NULL)
		return EST_OK;
	if (set.content.len > 0)
		return refuse(CSR_ATTRIBUTES, "%s has more than one value", known->word);
	return known->take(value.whole, out);
}

static enum outcome take_attributes(struct span rest, struct csr *out)
{
	struct seen seen = {.most = ATTRIBUTES_MAX};

	if (!der_sorted(rest))
		return refuse(CSR_ATTRIBUTES, "the attributes do not stand in the order of DER");
	while (rest.len > 0)
		if (take_attribute(&rest, &seen, out) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}

/* An RDN of several attributes, or a second common name, would leave open what the device is
 * called. */
static enum outcome check_name(const struct csr *csr)
{
	unsigned common_names = 0;

	for (size_t i = 0; i < csr->name.count; i++) {
		const struct name_attribute *attribute = &csr->name.attributes[i];
		if (attribute->joined)
			return refuse(CSR_NAME_FORM,
			    "the subject has an RDN of several attributes; give each its own");
		if (attribute->type != NULL && strcmp(attribute->type->word, "CN") == 0 &&
		    ++common_names > 1)
			return refuse(
			    CSR_NAME_FORM, "the subject has two common names; give it one");
	}
	if (csr->name.count == 0 && csr->wishes.sans.count == 0)
		return refuse(CSR_NAME_EMPTY, "the request names nobody: it has no subject, and no "
					      "SubjectAltName that says who it is");
	return name_check(&csr->name);
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
	if (name_parse(subject.whole, &out->name) != EST_OK ||
	    key_parse(spki.whole, &out->key) != EST_OK)
		return EST_MALFORMED;
	if (content.len == 0)
		return EST_OK; /* attributes are not optional in RFC 2986, but some clients leave
				  them out */
	if (der_take(&content, DER_CONTEXT_CONSTRUCTED(0), &set) != EST_OK || content.len > 0)
		return refuse(CSR_ATTRIBUTES, "something else stands where attributes belong");
	return take_attributes(set.content, out);
}

static enum outcome take_signature(struct span content, struct csr *out)
{
	if (content.len == 0 || content.data[0] != 0)
		return refuse(CSR_DER, "the request's signature is not a BIT STRING of octets");
	if (content.len == 1)
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
	    take_info(info.content, out) != EST_OK || check_name(out) != EST_OK)
		return EST_MALFORMED;
	/* Last, because whoever knows the field says more exactly what is wrong with it. */
	return tree_check(sequence.whole, CSR_DER, "the request");
}

enum outcome csr_parse(struct span der, struct csr *out)
{
	enum outcome outcome;

	*out = (struct csr){.der = der};
	outcome = parse(der, out);
	if (outcome != EST_OK)
		csr_clear(out);
	return outcome;
}

enum outcome csr_verify(const struct csr *csr)
{
	return key_verify(&csr->key, csr->signature_algorithm, csr->signature, csr->tbs);
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

void csr_device_name(const struct csr *csr, struct buf *out)
{
	struct span common_name = name_first(&csr->name, "CN");

	if (common_name.len > 0)
		add_folded(out, common_name);
	else if (csr->wishes.sans.count > 0)
		san_text(&csr->wishes.sans.san[0], out);
	else
		add_folded(out, name_first(&csr->name, "serialNumber"));
}
