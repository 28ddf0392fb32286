#include "common/pki/csr_attribute.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/change.h"
#include "common/pki/der.h"
#include "common/pki/seen.h"
#include "common/pki/text.h"

#define ATTRIBUTES_MAX SEEN_MAX
#define CHALLENGE_MAX  255 /* characters: pkcs-9-ub-challengePassword of RFC 2985 */

struct attribute;
typedef enum outcome take_value(const struct attribute *known, struct span value, struct csr *out);

static take_value take_extensions, take_challenge, take_change, take_octets, take_capabilities;

/*
 * An attribute that we know, who reads its value, and the span of struct csr that it is kept in.
 * Two OIDs ask for extensions (RFC 2985 5.4.2, and Microsoft's): they count as the same attribute.
 */
static const struct attribute {
	struct span oid;
	take_value *take;
	const char *word;
	size_t at;
} attributes[] = {
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"), take_extensions, "extensionRequest", 0},
    {DER_OCTETS("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"), take_extensions, "extensionRequest",
	0},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"), take_challenge, "challengePassword",
	offsetof(struct csr, challenge[CSR_CHALLENGE_PASSWORD])},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x38"), take_challenge, "otpChallenge",
	offsetof(struct csr, challenge[CSR_CHALLENGE_OTP])},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x39"), take_challenge,
	"revocationChallenge", offsetof(struct csr, challenge[CSR_CHALLENGE_REVOCATION])},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3a"), take_challenge,
	"estIdentityLinking", offsetof(struct csr, challenge[CSR_CHALLENGE_LINKING])},
    {DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x07\x24"), take_change, "changeSubjectName",
	offsetof(struct csr, change)},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x25"), take_octets,
	"decryptKeyIdentifier", offsetof(struct csr, decrypt_key)},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x36"), take_octets,
	"asymmetricDecryptKeyIdentifier", offsetof(struct csr, asymmetric_key)},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0f"), take_capabilities, "smimeCapabilities",
	offsetof(struct csr, smime_capabilities)},
};

static const struct attribute *attribute_of(struct span oid)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (span_equal(attributes[i].oid, oid))
			return &attributes[i];
	return NULL;
}

static void keep(const struct attribute *known, struct span span, struct csr *out)
{
	*(struct span *)((char *)out + known->at) = span;
}

bool csr_attribute_known(struct span oid)
{
	return attribute_of(oid) != NULL;
}

static enum outcome take_extensions(
    const struct attribute *known, struct span value, struct csr *out)
{
	(void)known;
	return wishes_parse(value, &out->wishes);
}

static size_t character_width(unsigned tag)
{
	return tag == DER_UNIVERSAL ? 4 : tag == DER_BMP ? 2 : 1;
}

/* Takes white space off the end of a string, character by character. */
static struct der without_end(struct der text)
{
	static const unsigned char zeros[4];
	size_t width = character_width(text.tag);

	while (text.content.len >= width) {
		const unsigned char *last = text.content.data + text.content.len - width;
		if (memcmp(last, zeros, width - 1) != 0 || last[width - 1] == '\0' ||
		    strchr(" \t\r\n", last[width - 1]) == NULL)
			break;
		text.content.len -= width;
	}
	return text;
}

/* Room first, so that no copy of a secret stays behind where the buf was before. */
static enum outcome add_text(struct der text, struct buf *out, size_t *characters)
{
	text = without_end(text);
	buf_reserve(out, 4 * text.content.len);
	return text_parse(&text, out, characters);
}

static enum outcome take_challenge(
    const struct attribute *known, struct span value, struct csr *out)
{
	struct der text;
	struct buf utf8 = {0};
	size_t characters = 0;
	enum outcome outcome = der_next(&value, &text);

	if (outcome == EST_OK)
		outcome = add_text(text, &utf8, &characters);
	buf_cleanse(&utf8);
	if (outcome == EST_OK && value.len == 0 && characters > 0 && characters <= CHALLENGE_MAX) {
		keep(known, text.whole, out);
		return EST_OK;
	}
	reason_clear(); /* what text_parse() says is about names */
	return refuse(CSR_CHALLENGE,
	    "%s is not a text string of 1 to %d characters without controls", known->word,
	    CHALLENGE_MAX);
}

void csr_challenge_text(const struct csr *csr, enum csr_challenge which, struct buf *out)
{
	struct span whole = csr->challenge[which];
	struct der text;
	size_t characters;

	if (der_next(&whole, &text) == EST_OK)
		(void)add_text(text, out, &characters); /* take_challenge() has seen it */
}

/* RFC 6402 2.8 */
static enum outcome take_change(const struct attribute *known, struct span value, struct csr *out)
{
	struct change change = {0};
	enum outcome outcome = change_parse(value, &change);

	change_clear(&change);
	if (outcome == EST_OK)
		keep(known, value, out);
	return outcome;
}

/* RFC 7030 4.4.1.1, 4.4.1.2 */
static enum outcome take_octets(const struct attribute *known, struct span value, struct csr *out)
{
	struct der octets;

	if (der_take(&value, DER_OCTET_STRING, &octets) != EST_OK || value.len > 0 ||
	    octets.content.len == 0)
		return refuse(
		    CSR_ATTRIBUTE_VALUE, "%s is not an OCTET STRING that names a key", known->word);
	keep(known, octets.content, out);
	return EST_OK;
}

/* SMIMECapabilities ::= SEQUENCE OF SEQUENCE { capabilityID, parameters OPTIONAL } */
static enum outcome take_capabilities(
    const struct attribute *known, struct span value, struct csr *out)
{
	struct der list, capability, oid, parameters;
	struct span rest;
	enum outcome outcome = der_take(&value, DER_SEQUENCE, &list);

	if (outcome == EST_OK && value.len > 0)
		outcome = EST_MALFORMED;
	if (outcome == EST_OK)
		keep(known, list.content, out);
	for (rest = list.content; outcome == EST_OK && rest.len > 0;) {
		outcome = der_take(&rest, DER_SEQUENCE, &capability);
		if (outcome == EST_OK)
			outcome = der_take(&capability.content, DER_OID, &oid);
		if (outcome == EST_OK && capability.content.len > 0)
			outcome = der_next(&capability.content, &parameters);
		if (outcome == EST_OK && capability.content.len > 0)
			outcome = EST_MALFORMED;
	}
	if (outcome != EST_OK)
		return refuse(
		    CSR_ATTRIBUTE_VALUE, "%s is not a list of algorithms in DER", known->word);
	return EST_OK;
}

/* Notes that the attribute is there. */
static enum outcome see(struct seen *seen, const struct attribute *known, struct span oid)
{
	if (known != NULL && known->take == take_extensions)
		oid = attributes[0].oid; /* whichever of the two OIDs it has */
	switch (seen_add(seen, oid)) {
	case AGAIN:
		return refuse(CSR_ATTRIBUTES, "the %s attribute stands twice",
		    known == NULL ? "same" : known->word);
	case TOO_MANY:
		return refuse(
		    CSR_ATTRIBUTES, "the request has more than %d attributes", ATTRIBUTES_MAX);
	case FIRST: break;
	}
	return EST_OK;
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
	if (see(seen, known, oid.content) != EST_OK)
		return EST_MALFORMED;
	if (known == NULL)
		return EST_OK;
	if (set.content.len > 0)
		return refuse(CSR_ATTRIBUTES, "%s has more than one value", known->word);
	return known->take(known, value.whole, out);
}

enum outcome csr_take_attributes(struct span set, struct csr *out)
{
	struct seen seen = {.most = ATTRIBUTES_MAX};

	if (!der_sorted(set))
		return refuse(CSR_ATTRIBUTES, "the attributes do not stand in the order of DER");
	out->attributes = set;
	while (set.len > 0)
		if (take_attribute(&set, &seen, out) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}
