/*
 * lint_extension.c - the lint's checks on extensions (RFC 5280 4.2), but
 * on the SubjectAltName's names.
 */
#include <string.h>
#include <strings.h>

#include "common/pki/lint_parts.h"
#include "common/pki/tree.h"

#define KEY_ID_SIZE 20

/*
 * Extensions that may be critical in a leaf, because RFC 5280 knows them; of_ca: in a CA's alone;
 * critical: and it must be.
 */
static const struct {
	struct span oid;
	bool granted; /* every profile has it */
	bool of_ca, critical;
} known[] = {
    {DER_OCTETS("\x55\x1d\x13"), true, false, false},  /* basicConstraints */
    {DER_OCTETS("\x55\x1d\x0f"), true, false, false},  /* keyUsage */
    {DER_OCTETS("\x55\x1d\x25"), true, false, false},  /* extKeyUsage */
    {DER_OCTETS("\x55\x1d\x11"), true, false, false},  /* subjectAltName */
    {DER_OCTETS("\x55\x1d\x0e"), true, false, false},  /* subjectKeyIdentifier */
    {DER_OCTETS("\x55\x1d\x23"), true, false, false},  /* authorityKeyIdentifier */
    {DER_OCTETS("\x55\x1d\x09"), false, false, false}, /* subjectDirectoryAttributes */
    {DER_OCTETS("\x55\x1d\x12"), false, false, false}, /* issuerAltName */
    {DER_OCTETS("\x55\x1d\x1e"), false, true, true},   /* nameConstraints */
    {DER_OCTETS("\x55\x1d\x1f"), false, false, false}, /* cRLDistributionPoints */
    {DER_OCTETS("\x55\x1d\x20"), false, false, false}, /* certificatePolicies */
    {DER_OCTETS("\x55\x1d\x21"), false, true, false},  /* policyMappings */
    {DER_OCTETS("\x55\x1d\x24"), false, true, true},   /* policyConstraints */
    {DER_OCTETS("\x55\x1d\x2e"), false, false, false}, /* freshestCRL */
    {DER_OCTETS("\x55\x1d\x36"), false, true, true},   /* inhibitAnyPolicy */
    /* authorityInfoAccess, subjectInfoAccess */
    {DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x01\x01"), false, false, false},
    {DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x01\x0b"), false, false, false},
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* Its row, or KNOWN. Several rules ask. */
static size_t row_of(struct lint_extension *extension)
{
	unsigned i = 0;

	if (extension->place == 0) {
		while (i < KNOWN && !span_equal(known[i].oid, extension->oid))
			i++;
		extension->place = i + 1;
	}
	return extension->place - 1;
}

/* --- all of them --- */

const char *lint_extensions_missing(struct lint *lint)
{
	return lint->has_extensions ? NULL : "there are no extensions";
}

const char *lint_extensions_empty(struct lint *lint)
{
	return lint->has_extensions && lint->count == 0 && !lint->extension_broken
		   ? "the sequence of extensions is empty"
		   : NULL;
}

const char *lint_extension_form(struct lint *lint)
{
	if (!lint->extension_broken)
		return NULL;
	return lint->count == LINT_EXTENSIONS_MAX
		   ? "there are too many extensions"
		   : "an extension is no SEQUENCE of an OID, a BOOLEAN and an OCTET STRING";
}

/* "extension 2.5.29.15 ..." */
static const char *say_extension(
    struct lint *lint, const struct lint_extension *extension, const char *what)
{
	struct buf text = {0};
	const char *said;

	der_oid_text(&text, extension->oid);
	said = lint_say(lint, "extension %.100s %s", buf_string(&text), what);
	buf_free(&text);
	return said;
}

const char *lint_extension_default(struct lint *lint)
{
	for (size_t i = 0; i < lint->count; i++)
		if (lint->extensions[i].states_default)
			return say_extension(lint, &lint->extensions[i],
			    "says critical FALSE, which is the default");
	return NULL;
}

const char *lint_extension_twice(struct lint *lint)
{
	for (size_t i = 1; i < lint->count; i++)
		for (size_t k = 0; k < i; k++)
			if (span_equal(lint->extensions[i].oid, lint->extensions[k].oid))
				return say_extension(lint, &lint->extensions[i], "stands twice");
	return NULL;
}

/* But the operator's, who has put it into the profile. */
const char *lint_extension_unknown(struct lint *lint)
{
	struct lint_extension fixed;

	for (size_t i = 0; i < lint->count; i++)
		if (lint->extensions[i].critical && row_of(&lint->extensions[i]) == KNOWN &&
		    !lint_fixed(lint, lint->extensions[i].oid, &fixed))
			return say_extension(
			    lint, &lint->extensions[i], "is critical and nobody knows it");
	return NULL;
}

const char *lint_extension_ca(struct lint *lint)
{
	for (size_t i = 0; !lint_wants_ca(lint) && i < lint->count; i++) {
		size_t row = row_of(&lint->extensions[i]);
		if (row < KNOWN && known[row].of_ca)
			return say_extension(lint, &lint->extensions[i], "is for CAs only");
	}
	return NULL;
}

const char *lint_extension_critical(struct lint *lint)
{
	for (size_t i = 0; i < lint->count; i++) {
		size_t row = row_of(&lint->extensions[i]);
		if (row < KNOWN && known[row].critical && !lint->extensions[i].critical)
			return say_extension(lint, &lint->extensions[i], "has to be critical");
	}
	return NULL;
}

const char *lint_extension_profile(struct lint *lint)
{
	struct lint_extension fixed;

	for (size_t i = 0; lint->want->profile != NULL && i < lint->count; i++) {
		size_t row = row_of(&lint->extensions[i]);
		if ((row == KNOWN || !known[row].granted) &&
		    !lint_fixed(lint, lint->extensions[i].oid, &fixed))
			return say_extension(lint, &lint->extensions[i], "is not of the profile");
	}
	return NULL;
}

const char *lint_extension_der(struct lint *lint)
{
	for (size_t i = 0; i < lint->count; i++)
		if (tree_check(lint->extensions[i].value, SERVER_LINT, "its value") != EST_OK) {
			reason_clear();
			return say_extension(lint, &lint->extensions[i], "does not hold DER");
		}
	return NULL;
}

const char *lint_critical(struct lint *lint)
{
	return lint->at->critical ? NULL : "the extension is not critical";
}

const char *lint_not_critical(struct lint *lint)
{
	return lint->at->critical ? "the extension is critical" : NULL;
}

const char *lint_profile_critical(struct lint *lint)
{
	return lint->want->profile == NULL ? NULL : lint_critical(lint);
}

const char *lint_profile_not_critical(struct lint *lint)
{
	return lint->want->profile == NULL ? NULL : lint_not_critical(lint);
}

/* --- basicConstraints: SEQUENCE { cA DEFAULT FALSE, pathLen OPTIONAL } --- */

struct basic {
	bool read, states_ca, ca, path;
	struct span most; /* the path length's octets */
};

static struct basic read_basic(struct span value)
{
	struct basic basic = {.read = false};
	struct der sequence, part;

	if (!lint_whole(value, DER_SEQUENCE, &sequence))
		return basic;
	basic.states_ca = der_take(&sequence.content, DER_BOOLEAN, &part) == EST_OK;
	if (basic.states_ca && part.content.len != 1)
		return basic;
	basic.ca = basic.states_ca && part.content.data[0] != 0;
	basic.path = der_take(&sequence.content, DER_INTEGER, &part) == EST_OK;
	if (basic.path)
		basic.most = part.content;
	basic.read = sequence.content.len == 0;
	return basic;
}

const char *lint_bc_missing(struct lint *lint)
{
	return lint_missing(lint, LINT_BC);
}

const char *lint_bc_form(struct lint *lint)
{
	return read_basic(lint->at->value).read ? NULL : "it is not BasicConstraints";
}

const char *lint_bc_ca(struct lint *lint)
{
	bool ca = read_basic(lint->at->value).ca;

	if (lint_wants_ca(lint))
		return ca ? NULL : "the certificate is no CA's";
	return ca ? "the certificate is a CA's" : NULL;
}

const char *lint_bc_default(struct lint *lint)
{
	struct basic basic = read_basic(lint->at->value);

	return basic.states_ca && !basic.ca ? "it says CA:FALSE, which is the default" : NULL;
}

/* As est.conf writes it: "none", or a digit. */
static bool path_wanted(const struct basic *basic, const char *most)
{
	if (most == NULL || strcmp(most, "none") == 0)
		return !basic->path;
	return basic->path && basic->most.len == 1 && most[1] == '\0' &&
	       basic->most.data[0] == most[0] - '0';
}

const char *lint_bc_path(struct lint *lint)
{
	struct basic basic = read_basic(lint->at->value);

	if (!lint_wants_ca(lint))
		return basic.path ? "it has a path length without being a CA's" : NULL;
	return path_wanted(&basic, lint->want->profile->config->path_length)
		   ? NULL
		   : "its path length is not the profile's";
}

/* --- key identifiers --- */

const char *lint_ski_missing(struct lint *lint)
{
	return lint_missing(lint, LINT_SKI);
}

const char *lint_ski_form(struct lint *lint)
{
	struct der id;

	return lint_whole(lint->at->value, DER_OCTET_STRING, &id) && id.content.len > 0
		   ? NULL
		   : "it is no key identifier, or an empty one";
}

/* RFC 7093 2 (1): the first 160 bits of SHA-256 over the public key's bits. */
const char *lint_ski_wanted(struct lint *lint)
{
	unsigned char digest[32];
	struct der id;

	if (lint->want->profile == NULL || lint->key_fault.code != REFUSAL_NONE ||
	    !lint_whole(lint->at->value, DER_OCTET_STRING, &id))
		return NULL;
	key_sha256(lint->key.point, digest);
	return span_equal(id.content, (struct span){digest, KEY_ID_SIZE})
		   ? NULL
		   : "the key identifier is not that of this key";
}

/* AuthorityKeyIdentifier ::= SEQUENCE { [0] keyIdentifier, [1] issuer, [2] serial } */
struct authority {
	bool read, has_issuer, has_serial;
	struct span id;
};

static struct authority read_authority(struct span value)
{
	struct authority authority = {.read = false};
	struct der sequence, part;

	if (!lint_whole(value, DER_SEQUENCE, &sequence))
		return authority;
	if (der_take(&sequence.content, DER_CONTEXT(0), &part) == EST_OK)
		authority.id = part.content;
	authority.has_issuer =
	    der_take(&sequence.content, DER_CONTEXT_CONSTRUCTED(1), &part) == EST_OK;
	authority.has_serial = der_take(&sequence.content, DER_CONTEXT(2), &part) == EST_OK;
	authority.read = sequence.content.len == 0;
	return authority;
}

const char *lint_aki_missing(struct lint *lint)
{
	return lint->known[LINT_AKI] == NULL ? "the extension is missing" : NULL;
}

const char *lint_aki_form(struct lint *lint)
{
	return read_authority(lint->at->value).read ? NULL : "it is no AuthorityKeyIdentifier";
}

const char *lint_aki_key(struct lint *lint)
{
	struct authority authority = read_authority(lint->at->value);

	return authority.read && authority.id.len == 0 ? "it has no key identifier" : NULL;
}

const char *lint_aki_issuer(struct lint *lint)
{
	struct authority authority = read_authority(lint->at->value);

	if (authority.has_issuer != authority.has_serial)
		return "it has one of issuer and serial number; it takes both";
	return lint->want->profile != NULL && authority.has_issuer
		   ? "it names the CA's certificate instead of its key"
		   : NULL;
}

const char *lint_aki_wanted(struct lint *lint)
{
	struct span id = read_authority(lint->at->value).id;

	return lint->want->authority_key_id.len == 0 || id.len == 0 ||
		       span_equal(id, lint->want->authority_key_id)
		   ? NULL
		   : "the key identifier is not the CA's";
}

/* --- where to look further --- */

/* RFC 5280 4.2.1.13 and 4.2.2.1: over TLS one would need the answer to get the answer. */
static bool url_ok(struct span url)
{
	static const char *const schemes[] = {"http://", "ldap://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);
		if (url.len > len && strncasecmp((const char *)url.data, schemes[i], len) == 0)
			return strchr("/?#:", url.data[len]) == NULL;
	}
	return false;
}

/* Looks at every [6] in the value, uniformResourceIdentifier in all of these extensions. */
static bool urls_ok(struct span rest, unsigned depth)
{
	struct der value;

	while (rest.len > 0) {
		if (depth == 0 || der_next(&rest, &value) != EST_OK)
			return false;
		if (value.tag == DER_CONTEXT(6) && !url_ok(value.content))
			return false;
		if ((value.tag & 0x20) != 0 && !urls_ok(value.content, depth - 1))
			return false;
	}
	return true;
}

/* What the operator has put into the profile is his to answer for; est-admin check warns. */
const char *lint_url(struct lint *lint)
{
	struct lint_extension fixed;

	if (lint_fixed(lint, lint->at->oid, &fixed))
		return NULL; /* that it is the profile's is looked at elsewhere */
	return urls_ok(lint->at->value, 8) ? NULL : "a URL in it is not http or ldap with a host";
}
