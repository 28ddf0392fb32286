#include "common/pki/csr.h"

#include <string.h>

#include "common/pki/der.h"

#define ATTRIBUTES_MAX 32
#define EXTENSIONS_MAX 20

typedef enum outcome take_value(struct span value, struct csr *out);

static take_value take_extensions, take_challenge, take_key_usage, take_extended_key_usage,
    take_sans, take_basic_constraints, take_name_constraints, take_nothing;

/* The OIDs of a list so far: none may stand in it twice, whether we know it or not (RFC 2986 4.1,
 * RFC 5280 4.2). */
struct seen {
	struct span oid[ATTRIBUTES_MAX > EXTENSIONS_MAX ? ATTRIBUTES_MAX : EXTENSIONS_MAX];
	size_t count, most;
};

enum sighting { FIRST, AGAIN, TOO_MANY };

static enum sighting see(struct seen *seen, struct span oid)
{
	for (size_t i = 0; i < seen->count; i++)
		if (span_equal(seen->oid[i], oid))
			return AGAIN;
	if (seen->count == seen->most)
		return TOO_MANY;
	seen->oid[seen->count++] = oid;
	return FIRST;
}

/* Something that may stand in a request once: an attribute or an extension, and who reads its
 * value. */
struct known {
	struct span oid;
	take_value *take;
	const char *word;
};

/*
 * Two OIDs ask for extensions (RFC 2985 5.4.2, and Microsoft's): they count as the same attribute.
 */
static const struct known attributes[] = {
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"), take_extensions, "extensionRequest"},
    {DER_OCTETS("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"), take_extensions, "extensionRequest"},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"), take_challenge, "challengePassword"},
    /* RFC 7894: what only makes sense where it is verified. */
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x38"), take_challenge, "otpChallenge"},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3a"), take_challenge,
	"estIdentityLinking"},
};

/* What is not here is dropped, or refused where it is marked critical (RFC 5272 3.1:
 * unsupportedExt). */
static const struct known extensions[] = {
    {DER_OCTETS("\x55\x1d\x0f"), take_key_usage, "keyUsage"},
    {DER_OCTETS("\x55\x1d\x25"), take_extended_key_usage, "extendedKeyUsage"},
    {DER_OCTETS("\x55\x1d\x11"), take_sans, "subjectAltName"},
    {DER_OCTETS("\x55\x1d\x13"), take_basic_constraints, "basicConstraints"},
    {DER_OCTETS("\x55\x1d\x1e"), take_name_constraints, "nameConstraints"},
    {DER_OCTETS("\x55\x1d\x0e"), take_nothing, "subjectKeyIdentifier"},
    {DER_OCTETS("\x55\x1d\x23"), take_nothing, "authorityKeyIdentifier"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct known *known_of(const struct known *table, size_t count, struct span oid)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(table[i].oid, oid))
			return &table[i];
	return NULL;
}

static enum outcome take_nothing(struct span value, struct csr *out)
{
	(void)value;
	(void)out;
	return EST_OK;
}

static enum outcome take_challenge(struct span value, struct csr *out)
{
	struct der text;

	if (der_next(&value, &text) != EST_OK || value.len > 0 ||
	    (text.tag != DER_UTF8 && text.tag != DER_PRINTABLE && text.tag != DER_TELETEX &&
		text.tag != DER_IA5 && text.tag != DER_BMP && text.tag != DER_UNIVERSAL))
		return reason(
		    EST_MALFORMED, "RFC 2985 5.4.1: the challengePassword is not a text string");
	out->has_challenge = true;
	return EST_OK;
}

static enum outcome bad_extension(const char *word)
{
	return reason(EST_MALFORMED, "RFC 5280 4.2.1: the requested %s extension is not DER", word);
}

static enum outcome take_key_usage(struct span value, struct csr *out)
{
	struct der bits;

	if (der_take(&value, DER_BIT_STRING, &bits) != EST_OK || value.len > 0 ||
	    bits.content.len < 2 || bits.content.len > 3 || bits.content.data[0] > 7)
		return bad_extension("keyUsage");
	if ((bits.content.data[bits.content.len - 1] & ((1U << bits.content.data[0]) - 1)) != 0)
		return bad_extension("keyUsage");
	for (unsigned bit = 0; bit < (bits.content.len - 1) * 8; bit++)
		if ((bits.content.data[1 + bit / 8] & (0x80 >> bit % 8)) != 0)
			out->wishes.key_usage |= 1U << bit;
	if (out->wishes.key_usage == 0)
		return reason(
		    EST_MALFORMED, "RFC 5280 4.2.1.3: the requested keyUsage has no bit set");
	out->wishes.has_key_usage = true;
	return EST_OK;
}

static enum outcome take_extended_key_usage(struct span value, struct csr *out)
{
	struct der sequence, oid;
	struct span rest;

	if (der_take(&value, DER_SEQUENCE, &sequence) != EST_OK || value.len > 0 ||
	    sequence.content.len == 0)
		return bad_extension("extendedKeyUsage");
	for (rest = sequence.content; rest.len > 0;) {
		struct span before = {sequence.content.data, sequence.content.len - rest.len};
		struct der other;
		if (der_take(&rest, DER_OID, &oid) != EST_OK || oid.content.len == 0)
			return bad_extension("extendedKeyUsage");
		while (before.len > 0 && der_next(&before, &other) == EST_OK)
			if (span_equal(other.whole, oid.whole))
				return reason(
				    EST_MALFORMED, "the same extendedKeyUsage is requested twice");
	}
	out->wishes.has_extended_key_usage = true;
	out->wishes.extended_key_usage = sequence.content;
	return EST_OK;
}

static enum outcome take_sans(struct span value, struct csr *out)
{
	return sans_parse(value, &out->wishes.sans);
}

static enum outcome take_basic_constraints(struct span value, struct csr *out)
{
	struct der sequence, flag;

	if (der_take(&value, DER_SEQUENCE, &sequence) != EST_OK || value.len > 0)
		return bad_extension("basicConstraints");
	if (sequence.content.len == 0)
		return EST_OK;
	if (der_take(&sequence.content, DER_BOOLEAN, &flag) == EST_OK && flag.content.len == 1 &&
	    flag.content.data[0] == 0 && sequence.content.len == 0)
		return EST_OK; /* CA:FALSE, spelled out although it is the default: common, and
				  harmless */
	out->wishes.beyond = "a CA certificate (basicConstraints)";
	return EST_OK;
}

static enum outcome take_name_constraints(struct span value, struct csr *out)
{
	(void)value;
	out->wishes.beyond = "nameConstraints";
	return EST_OK;
}

static enum outcome take_critical(struct span *content, bool *is_critical)
{
	struct der critical;

	*is_critical = der_take(content, DER_BOOLEAN, &critical) == EST_OK;
	if (*is_critical && (critical.content.len != 1 || critical.content.data[0] != 0xff))
		return reason(EST_MALFORMED,
		    "X.690 11.5: an extension is marked critical by FALSE or by "
		    "something that is not DER's TRUE");
	return EST_OK;
}

static enum outcome take_extension(struct span *rest, struct seen *seen, struct csr *out)
{
	struct der extension, oid, value;
	bool is_critical;
	const struct known *known;

	if (der_take(rest, DER_SEQUENCE, &extension) != EST_OK ||
	    der_take(&extension.content, DER_OID, &oid) != EST_OK)
		return bad_extension("list of");
	if (take_critical(&extension.content, &is_critical) != EST_OK)
		return EST_MALFORMED;
	if (der_take(&extension.content, DER_OCTET_STRING, &value) != EST_OK ||
	    extension.content.len > 0)
		return bad_extension("list of");
	known = known_of(extensions, COUNT(extensions), oid.content);
	switch (see(seen, oid.content)) {
	case AGAIN:
		return reason(EST_MALFORMED, "RFC 5280 4.2: the %s extension is requested twice",
		    known == NULL ? "same" : known->word);
	case TOO_MANY:
		return reason(
		    EST_MALFORMED, "more than %d extensions are requested", EXTENSIONS_MAX);
	case FIRST: break;
	}
	if (known == NULL && is_critical)
		out->wishes.beyond = "an unknown extension that it marks critical";
	return known == NULL ? EST_OK : known->take(value.content, out);
}

static enum outcome take_extensions(struct span value, struct csr *out)
{
	struct der sequence;
	struct seen seen = {.most = EXTENSIONS_MAX};

	if (der_take(&value, DER_SEQUENCE, &sequence) != EST_OK || value.len > 0)
		return bad_extension("list of");
	while (sequence.content.len > 0)
		if (take_extension(&sequence.content, &seen, out) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}

static enum outcome take_attribute(struct span *rest, struct seen *seen, struct csr *out)
{
	struct der attribute, oid, set, value;
	const struct known *known;

	if (der_take(rest, DER_SEQUENCE, &attribute) != EST_OK ||
	    der_take(&attribute.content, DER_OID, &oid) != EST_OK ||
	    der_take(&attribute.content, DER_SET, &set) != EST_OK || attribute.content.len > 0)
		return reason(EST_MALFORMED, "RFC 2986 4.1: the request's attributes are not DER");
	if (der_next(&set.content, &value) != EST_OK)
		return reason(
		    EST_MALFORMED, "RFC 2986 4.1: an attribute of the request has no value");
	known = known_of(attributes, COUNT(attributes), oid.content);
	if (known != NULL && known->take == take_extensions)
		oid.content = attributes[0].oid; /* whichever of the two OIDs it has */
	switch (see(seen, oid.content)) {
	case AGAIN:
		return reason(EST_MALFORMED, "RFC 2986 4.1: the %s attribute stands twice",
		    known == NULL ? "same" : known->word);
	case TOO_MANY:
		return reason(
		    EST_MALFORMED, "the request has more than %d attributes", ATTRIBUTES_MAX);
	case FIRST: break;
	}
	if (known == NULL)
		return EST_OK;
	if (set.content.len > 0)
		return reason(
		    EST_MALFORMED, "RFC 2985 5.4: %s has more than one value", known->word);
	return known->take(value.whole, out);
}

static enum outcome take_attributes(struct span rest, struct csr *out)
{
	struct seen seen = {.most = ATTRIBUTES_MAX};

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
			return reason(EST_MALFORMED,
			    "the subject has an RDN of several attributes; give each its own");
		if (attribute->type != NULL && strcmp(attribute->type->word, "CN") == 0 &&
		    ++common_names > 1)
			return reason(
			    EST_MALFORMED, "the subject has two common names; give it one");
	}
	if (csr->name.count == 0 && csr->wishes.sans.count == 0)
		return reason(EST_MALFORMED, "RFC 5280 4.1.2.6: the request names nobody: it has "
					     "no subject and no SubjectAltName");
	return EST_OK;
}

/* CertificationRequestInfo ::= SEQUENCE { version, subject, subjectPKInfo, attributes [0] } */
static enum outcome take_info(struct span content, struct csr *out)
{
	struct der version, subject, spki, set;

	if (der_take(&content, DER_INTEGER, &version) != EST_OK ||
	    der_take(&content, DER_SEQUENCE, &subject) != EST_OK ||
	    der_take(&content, DER_SEQUENCE, &spki) != EST_OK)
		return reason(
		    EST_MALFORMED, "RFC 2986 4.1: the body is not a DER CertificationRequest");
	if (version.content.len != 1 || version.content.data[0] != 0)
		return reason(EST_MALFORMED, "RFC 2986 4.1: the request's version is not 0");
	out->subject = subject.whole;
	out->spki = spki.whole;
	if (name_parse(subject.whole, &out->name) != EST_OK ||
	    key_parse(spki.whole, &out->key) != EST_OK)
		return EST_MALFORMED;
	if (content.len == 0)
		return EST_OK; /* attributes are not optional in RFC 2986, but some clients leave
				  them out */
	if (der_take(&content, DER_CONTEXT_CONSTRUCTED(0), &set) != EST_OK || content.len > 0)
		return reason(
		    EST_MALFORMED, "RFC 2986 4.1: something else stands where attributes belong");
	return take_attributes(set.content, out);
}

static enum outcome parse(struct span der, struct csr *out)
{
	struct der sequence, info, algorithm, signature;

	if (der_take(&der, DER_SEQUENCE, &sequence) != EST_OK)
		return reason(
		    EST_MALFORMED, "RFC 2986 4.2: the body is not a DER CertificationRequest");
	if (der.len > 0)
		return reason(EST_MALFORMED,
		    "RFC 2986 4.2: %zu octets follow the CertificationRequest", der.len);
	if (der_take(&sequence.content, DER_SEQUENCE, &info) != EST_OK ||
	    der_take(&sequence.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&sequence.content, DER_BIT_STRING, &signature) != EST_OK ||
	    sequence.content.len > 0 || signature.content.len < 2 || signature.content.data[0] != 0)
		return reason(
		    EST_MALFORMED, "RFC 2986 4.2: the body is not a DER CertificationRequest");
	out->tbs = info.whole;
	out->signature_algorithm = algorithm.whole;
	out->signature = (struct span){signature.content.data + 1, signature.content.len - 1};
	if (take_info(info.content, out) != EST_OK)
		return EST_MALFORMED;
	return check_name(out);
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

void csr_device_name(const struct csr *csr, struct buf *out)
{
	struct span common_name = name_first(&csr->name, "CN");

	if (common_name.len > 0)
		buf_add_span(out, common_name);
	else if (csr->wishes.sans.count > 0)
		san_text(&csr->wishes.sans.san[0], out);
	else
		buf_add_span(out, name_first(&csr->name, "serialNumber"));
}
