/*
 * profile_extensions.c - the extensions of a certificate to be: those that are always the same,
 * compiled once, and those that the request has a say in.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/encoding.h"
#include "common/pki/der.h"
#include "common/pki/profile_parts.h"
#include "common/pki/tree.h"

#define OID_SIZE 64 /* content octets of the longest OID that est.conf may name */

static const struct span basic_constraints = DER_OCTETS("\x55\x1d\x13"),
			 key_usage = DER_OCTETS("\x55\x1d\x0f"),
			 extended_key_usage = DER_OCTETS("\x55\x1d\x25"),
			 subject_alt_name = DER_OCTETS("\x55\x1d\x11"),
			 policies = DER_OCTETS("\x55\x1d\x20"),
			 crl_distribution_points = DER_OCTETS("\x55\x1d\x1f"),
			 authority_access = DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x01\x01"),
			 tls_feature = DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x01\x18");

static const struct span ocsp = DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x30\x01"),
			 ca_issuers = DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x30\x02");

static void add_extension(struct buf *out, struct span oid, bool critical, struct span value)
{
	static const unsigned char is_true[] = {0xff};
	size_t extension = der_open(out, DER_SEQUENCE);

	der_add(out, DER_OID, oid);
	if (critical)
		der_add(out, DER_BOOLEAN, (struct span){is_true, 1});
	der_add(out, DER_OCTET_STRING, value);
	der_close(out, extension);
}

/* The same for a value that is a SEQUENCE of what stands in content, which is emptied. */
static void add_sequence(struct buf *out, struct span oid, bool critical, struct buf *content)
{
	struct buf value = {0};

	der_add(&value, DER_SEQUENCE, buf_span(content));
	add_extension(out, oid, critical, buf_span(&value));
	buf_free(&value);
	buf_free(content);
}

static void add_extended_key_usage(struct buf *out, struct span oids)
{
	struct buf content = {0};

	buf_add_span(&content, oids);
	add_sequence(out, extended_key_usage, false, &content);
}

/* X.690 11.2.2: a named bit list in DER has no trailing zero bits. */
static void add_key_usage(struct buf *out, unsigned usage)
{
	unsigned char value[5] = {DER_BIT_STRING, 2, 0, 0, 0};
	unsigned last = 0;

	for (unsigned bit = 0; bit < KEY_USAGES; bit++)
		if ((usage & 1U << bit) != 0) {
			value[3 + bit / 8] = (unsigned char)(value[3 + bit / 8] | 0x80 >> bit % 8);
			last = bit;
		}
	value[1] = (unsigned char)(2 + last / 8);
	value[2] = (unsigned char)(7 - last % 8);
	add_extension(out, key_usage, true, (struct span){value, 2U + value[1]});
}

/* RFC 5280 4.2.1.9: SEQUENCE { cA DEFAULT FALSE, pathLenConstraint OPTIONAL } */
static void make_basic_constraints(struct profile *profile)
{
	static const unsigned char is_true[] = {0xff};
	const struct config_profile *config = profile->config;
	struct buf content = {0};

	if (config->ca)
		der_add(&content, DER_BOOLEAN, (struct span){is_true, 1});
	if (config->ca && config->path_length != NULL && strcmp(config->path_length, "none") != 0) {
		unsigned char most = (unsigned char)strtoul(config->path_length, NULL, 10);
		der_add(&content, DER_INTEGER, (struct span){&most, 1});
	}
	add_sequence(&profile->basic_constraints, basic_constraints, true, &content);
}

/* --- certificatePolicies --- */

/* RFC 5280 4.2.1.4: PolicyInformation of an OID alone, and none twice. NULL, or what is wrong. */
static const char *add_policy(const char *word, struct buf *content)
{
	struct span rest = buf_span(content);
	struct buf oid = {0}, information = {0};
	const char *wrong = NULL;
	struct der one;

	if (der_oid_parse(word, &oid) != EST_OK || oid.len == 0)
		wrong = "is no OID like 1.3.6.1.4.1";
	der_add(&information, DER_OID, buf_span(&oid));
	while (rest.len > 0 && der_next(&rest, &one) == EST_OK)
		if (span_equal(one.content, buf_span(&information)))
			wrong = "stands there twice";
	der_add(content, DER_SEQUENCE, buf_span(&information));
	buf_free(&oid);
	buf_free(&information);
	return wrong;
}

static enum outcome make_policies(const char *path, struct profile *profile)
{
	const struct words *words = &profile->config->policies;
	struct buf content = {0};
	enum outcome outcome = EST_OK;

	for (size_t i = 0; outcome == EST_OK && i < words->count; i++) {
		const char *wrong = add_policy(words->word[i], &content);
		reason_clear();
		if (wrong != NULL)
			outcome = profile_fault(path, words, "policies", words->word[i], wrong);
	}
	if (outcome == EST_OK && words->count > 0)
		add_sequence(&profile->fixed_extensions, policies, false, &content);
	buf_free(&content);
	return outcome;
}

/* --- URLs --- */

/* What config_keys.c leaves open: RFC 5280 4.2.1.13 wants a host even of LDAP. */
static enum outcome check_urls(const char *path, const struct words *words, const char *key)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *host = strstr(words->word[i], "://");
		if (host == NULL || strchr("/?#:", host[3]) != NULL)
			return profile_fault(path, words, key, words->word[i], "has no host");
	}
	return EST_OK;
}

/* RFC 5280 4.2.1.13: DistributionPoint { [0] { [0] fullName { [6] URI } } } for each. */
static void add_crl_urls(struct profile *profile)
{
	const struct words *words = &profile->config->crl_urls;
	struct buf content = {0};

	for (size_t i = 0; i < words->count; i++) {
		size_t point = der_open(&content, DER_SEQUENCE);
		size_t name = der_open(&content, DER_CONTEXT_CONSTRUCTED(0));
		size_t full = der_open(&content, DER_CONTEXT_CONSTRUCTED(0));
		der_add(&content, DER_CONTEXT(6), span_of(words->word[i]));
		der_close(&content, full);
		der_close(&content, name);
		der_close(&content, point);
	}
	if (words->count > 0)
		add_sequence(&profile->fixed_extensions, crl_distribution_points, false, &content);
}

/* RFC 5280 4.2.2.1: AccessDescription { accessMethod, [6] URI } for each. */
static void add_access(const struct words *words, struct span method, struct buf *out)
{
	for (size_t i = 0; i < words->count; i++) {
		size_t description = der_open(out, DER_SEQUENCE);
		der_add(out, DER_OID, method);
		der_add(out, DER_CONTEXT(6), span_of(words->word[i]));
		der_close(out, description);
	}
}

static enum outcome make_urls(const char *path, struct profile *profile)
{
	const struct config_profile *config = profile->config;
	struct buf content = {0};
	enum outcome outcome = check_urls(path, &config->crl_urls, "crl_urls");

	if (outcome == EST_OK)
		outcome = check_urls(path, &config->ocsp_urls, "ocsp_urls");
	if (outcome == EST_OK)
		outcome = check_urls(path, &config->issuer_urls, "issuer_urls");
	if (outcome != EST_OK)
		return outcome;
	add_crl_urls(profile);
	add_access(&config->ocsp_urls, ocsp, &content);
	add_access(&config->issuer_urls, ca_issuers, &content);
	if (content.len > 0)
		add_sequence(&profile->fixed_extensions, authority_access, false, &content);
	return EST_OK;
}

/* --- the TLS feature status_request (RFC 7633 4) --- */

static void make_staple(struct profile *profile)
{
	static const unsigned char status_request[] = {DER_INTEGER, 1, 5};
	struct buf content = {0};

	if (!profile->config->must_staple)
		return;
	buf_add(&content, status_request, sizeof(status_request));
	add_sequence(&profile->fixed_extensions, tls_feature, false, &content);
}

/* --- extensions by OID and DER --- */

/* Those that have a key of their own, or come of request and key. */
static const struct {
	struct span oid;
	const char *why;
} own[] = {
    {DER_OCTETS("\x55\x1d\x13"), "is basicConstraints: take ca and path_length"},
    {DER_OCTETS("\x55\x1d\x0f"), "is keyUsage: take key_usage"},
    {DER_OCTETS("\x55\x1d\x25"), "is extKeyUsage: take extended_key_usage"},
    {DER_OCTETS("\x55\x1d\x11"), "is subjectAltName: take san_fixed"},
    {DER_OCTETS("\x55\x1d\x0e"), "is subjectKeyIdentifier, which every certificate has"},
    {DER_OCTETS("\x55\x1d\x23"), "is authorityKeyIdentifier, which every certificate has"},
    {DER_OCTETS("\x55\x1d\x20"), "is certificatePolicies: take policies"},
    {DER_OCTETS("\x55\x1d\x1f"), "is cRLDistributionPoints: take crl_urls"},
    {DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x01\x01"),
	"is authorityInfoAccess: take ocsp_urls and issuer_urls"},
    {DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x01\x18"), "is the TLS feature: take must_staple"},
};

/* Whether the OID may be given here; NULL: yes. */
static const char *why_not(const struct profile *profile, struct span oid)
{
	struct span rest = buf_span(&profile->fixed_extensions);
	struct der extension, type;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (span_equal(own[i].oid, oid))
			return own[i].why;
	while (der_next(&rest, &extension) == EST_OK)
		if (der_take(&extension.content, DER_OID, &type) == EST_OK &&
		    span_equal(type.content, oid))
			return "has an OID that stands there already";
	return NULL;
}

/* A word of `extensions`, taken apart. */
struct custom {
	struct buf oid, value;
	bool critical;
};

/* "OID [critical] HEX"; gives what is wrong with it, or NULL. */
static const char *parse_custom(const char *word, struct custom *out)
{
	static const char critical[] = "critical ";
	size_t len = strcspn(word, " ");
	char oid[256];

	if (len == 0 || word[len] == '\0' || len >= sizeof(oid))
		return "is not OID [critical] HEX";
	memcpy(oid, word, len);
	oid[len] = '\0';
	word += len + strspn(word + len, " ");
	out->critical = strncmp(word, critical, strlen(critical)) == 0;
	if (out->critical)
		word += strlen(critical) + strspn(word + strlen(critical), " ");
	if (der_oid_parse(oid, &out->oid) != EST_OK || out->oid.len == 0 || out->oid.len > OID_SIZE)
		return "does not begin with an OID like 1.3.6.1.4.1";
	if (hex_decode(&out->value, span_of(word)) != EST_OK)
		return "does not end with the hex digits of the value, two for each octet";
	return tree_check(buf_span(&out->value), SERVER_LINT, "it") == EST_OK
		   ? NULL
		   : "does not hold one whole value in DER";
}

static enum outcome make_custom(const char *path, struct profile *profile, const char *word)
{
	struct custom custom = {.critical = false};
	enum outcome outcome = EST_OK;
	const char *wrong = parse_custom(word, &custom);

	reason_clear();
	if (wrong == NULL)
		wrong = why_not(profile, buf_span(&custom.oid));
	if (wrong != NULL)
		outcome =
		    profile_fault(path, &profile->config->extensions, "extensions", word, wrong);
	else
		add_extension(&profile->fixed_extensions, buf_span(&custom.oid), custom.critical,
		    buf_span(&custom.value));
	buf_free(&custom.oid);
	buf_free(&custom.value);
	return outcome;
}

enum outcome profile_make_extensions(const char *path, struct profile *profile)
{
	const struct words *words = &profile->config->extensions;
	enum outcome outcome = make_policies(path, profile);

	make_basic_constraints(profile);
	if (profile->extended_key_usage.len > 0)
		add_extended_key_usage(
		    &profile->extended_extension, buf_span(&profile->extended_key_usage));
	if (outcome == EST_OK)
		outcome = make_urls(path, profile);
	if (outcome == EST_OK)
		make_staple(profile);
	for (size_t i = 0; outcome == EST_OK && i < words->count; i++)
		outcome = make_custom(path, profile, words->word[i]);
	return outcome;
}

/* --- of a request --- */

/* One Extension, without its criticality. */
static bool take_extension(struct span *rest, struct der *whole, struct der *oid, struct der *value)
{
	struct der critical;
	struct span parts;

	if (der_take(rest, DER_SEQUENCE, whole) != EST_OK)
		return false;
	parts = whole->content;
	if (der_take(&parts, DER_OID, oid) != EST_OK)
		return false;
	(void)der_take(&parts, DER_BOOLEAN, &critical);
	return der_take(&parts, DER_OCTET_STRING, value) == EST_OK;
}

static bool is_fixed(const struct profile *profile, struct span oid, struct span value)
{
	struct span rest = buf_span(&profile->fixed_extensions);
	struct der whole, fixed_oid, fixed_value;

	while (rest.len > 0 && take_extension(&rest, &whole, &fixed_oid, &fixed_value))
		if (span_equal(fixed_oid.content, oid))
			return span_equal(fixed_value.content, value);
	return false;
}

bool profile_grants_extensions(const struct profile *profile, const struct wishes *wishes)
{
	struct span rest = wishes->extensions;
	struct wishes others = {.ca = false};
	struct der whole, oid, value;
	struct buf list = {0};
	bool granted;

	if (profile->fixed_extensions.len == 0)
		return false;
	while (rest.len > 0 && take_extension(&rest, &whole, &oid, &value))
		if (!is_fixed(profile, oid.content, value.content))
			buf_add_span(&list, whole.whole);
	granted = rest.len == 0 && wishes_parse_list(buf_span(&list), &others) == EST_OK &&
		  others.beyond == REFUSAL_NONE;
	buf_free(&list);
	reason_clear();
	return granted;
}

void profile_extensions(const struct profile *profile, const struct csr *csr,
    const struct sans *sans, bool empty, struct buf *out)
{
	struct buf value = {0};

	buf_add_span(out, buf_span(&profile->basic_constraints));
	add_key_usage(out, profile_usage(profile, csr, true));
	if (csr->wishes.has_extended_key_usage)
		add_extended_key_usage(out, csr->wishes.extended_key_usage);
	else
		buf_add_span(out, buf_span(&profile->extended_extension));
	if (sans->count > 0) {
		sans_encode(sans, &value);
		add_extension(out, subject_alt_name, empty, buf_span(&value));
	}
	buf_add_span(out, buf_span(&profile->fixed_extensions));
	buf_free(&value);
}
