#include "common/pki/profile.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/charset.h"
#include "common/pki/der.h"
#include "common/pki/key_usage.h"

/* By their bits (RFC 5280 4.2.1.3). */
static const char *const key_usages[KEY_USAGES] = {"digitalSignature", "nonRepudiation",
    "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
    "decipherOnly"};

/* Only a CA has these two, so no profile may grant them. */
#define CA_USAGES (1U << KEY_CERT_SIGN | 1U << CRL_SIGN)

static const unsigned char oid_basic_constraints[] = {0x55, 0x1d, 0x13};
static const unsigned char oid_key_usage[] = {0x55, 0x1d, 0x0f};
static const unsigned char oid_extended_key_usage[] = {0x55, 0x1d, 0x25};
static const unsigned char oid_subject_alt_name[] = {0x55, 0x1d, 0x11};
static const struct span server_auth = DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x03\x01");

static void add_extension(
    struct buf *out, const unsigned char oid[static 3], bool critical, struct span value)
{
	static const unsigned char is_true[] = {0xff};
	size_t extension = der_open(out, DER_SEQUENCE);

	der_add(out, DER_OID, (struct span){oid, 3});
	if (critical)
		der_add(out, DER_BOOLEAN, (struct span){is_true, 1});
	der_add(out, DER_OCTET_STRING, value);
	der_close(out, extension);
}

static void add_extended_key_usage(struct buf *out, struct span oids)
{
	struct buf value = {0};

	der_add(&value, DER_SEQUENCE, oids);
	add_extension(out, oid_extended_key_usage, false, buf_span(&value));
	buf_free(&value);
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
	add_extension(out, oid_key_usage, true, (struct span){value, 2U + value[1]});
}

static enum outcome unknown_word(
    const char *path, const struct words *words, const char *key, const char *word)
{
	return reason(EST_MALFORMED, "%s:%d: %s: \"%.60s\" is not known; see est.conf(5)", path,
	    words->line, key, word);
}

static enum outcome make_key_usage(const char *path, struct profile *profile)
{
	const struct words *words = &profile->config->key_usage;

	for (size_t i = 0; i < words->count; i++) {
		size_t bit = 0;
		while (bit < KEY_USAGES && strcmp(key_usages[bit], words->word[i]) != 0)
			bit++;
		if (bit == KEY_USAGES)
			return unknown_word(path, words, "key_usage", words->word[i]);
		profile->key_usage |= 1U << bit;
	}
	if (profile->key_usage == 0 || (profile->key_usage & CA_USAGES) != 0)
		return reason(EST_MALFORMED,
		    "%s:%d: key_usage: must name at least one, and neither keyCertSign nor cRLSign",
		    path, words->line);
	return EST_OK;
}

static enum outcome make_extended_key_usage(const char *path, struct profile *profile)
{
	const struct words *words = &profile->config->extended_key_usage;

	for (size_t i = 0; i < words->count; i++) {
		size_t mark = der_open(&profile->extended_key_usage, DER_OID);
		if (der_oid_parse(words->word[i], &profile->extended_key_usage) != EST_OK) {
			reason_clear();
			return unknown_word(path, words, "extended_key_usage", words->word[i]);
		}
		der_close(&profile->extended_key_usage, mark);
	}
	if (words->count > 0)
		add_extended_key_usage(
		    &profile->extended_extension, buf_span(&profile->extended_key_usage));
	return EST_OK;
}

static bool san_word_known(const char *word)
{
	for (unsigned kind = 0; kind < SAN_KINDS; kind++)
		if (strcmp(san_kind_word((enum san_kind)kind), word) == 0)
			return true;
	return false;
}

static bool subject_word_known(const char *word)
{
	return name_type_of(word) != NULL;
}

static enum outcome check_words(
    const char *path, const struct words *words, const char *key, bool (*known)(const char *))
{
	for (size_t i = 0; i < words->count; i++)
		if (!known(words->word[i]))
			return unknown_word(path, words, key, words->word[i]);
	return EST_OK;
}

static bool name_word_known(const char *word)
{
	return subject_word_known(word) || san_word_known(word);
}

/* What is required has to be granted, or nobody could ever get a certificate. */
static enum outcome check_required(const char *path, const struct config_profile *config)
{
	enum outcome outcome = check_words(path, &config->required, "required", name_word_known);

	for (size_t i = 0; outcome == EST_OK && i < config->required.count; i++) {
		const char *word = config->required.word[i];
		if (!words_have(&config->subject, word) &&
		    !words_have(&config->subject_alt_names, word))
			outcome = reason(EST_MALFORMED,
			    "%s:%d: required: \"%s\" is neither in subject nor in "
			    "subject_alt_names",
			    path, config->required.line, word);
	}
	return outcome;
}

/* Whether a value of the configuration is that word; what is not set is none. */
static bool is_word(const char *value, const char *word)
{
	return value != NULL && strcmp(value, word) == 0;
}

enum outcome profile_make(
    const char *path, const struct config_profile *config, struct profile **out)
{
	static const unsigned char empty_sequence[] = {DER_SEQUENCE, 0};
	struct profile *profile = mem_alloc(sizeof(*profile));
	enum outcome outcome;

	profile->config = config;
	profile->permissive = is_word(config->names, "permissive");
	profile->any_exponent = is_word(config->rsa_exponents, "any");
	add_extension(&profile->basic_constraints, oid_basic_constraints, true,
	    (struct span){empty_sequence, sizeof(empty_sequence)});
	outcome = make_key_usage(path, profile);
	if (outcome == EST_OK)
		outcome = make_extended_key_usage(path, profile);
	if (outcome == EST_OK)
		outcome = check_words(path, &config->keys, "keys", key_word_known);
	if (outcome == EST_OK)
		outcome = check_words(path, &config->subject, "subject", subject_word_known);
	if (outcome == EST_OK)
		outcome = check_words(
		    path, &config->subject_alt_names, "subject_alt_names", san_word_known);
	if (outcome == EST_OK)
		outcome = check_required(path, config);
	if (outcome != EST_OK) {
		profile_free(profile);
		return outcome;
	}
	*out = profile;
	return EST_OK;
}

void profile_free(struct profile *profile)
{
	if (profile == NULL)
		return;
	buf_free(&profile->extended_key_usage);
	buf_free(&profile->basic_constraints);
	buf_free(&profile->extended_extension);
	free(profile);
}

static enum outcome not_granted(
    const struct profile *profile, enum refusal refusal, const char *what)
{
	return refuse(refusal,
	    "the request asks for %s, which profile \"%s\" does not grant; leave it out", what,
	    profile->config->name);
}

static enum outcome missing(const struct profile *profile, const char *what)
{
	return refuse(CSR_NAME_MISSING, "profile \"%s\" requires %s, and the request has none",
	    profile->config->name, what);
}

static enum outcome check_key(const struct profile *profile, const struct key_info *key)
{
	if (!words_have(&profile->config->keys, key_word(key)))
		return refuse(CSR_KEY_NOT_GRANTED, "profile \"%s\" does not take %s keys",
		    profile->config->name, key_word(key));
	if (key->other_exponent && !profile->any_exponent)
		return refuse(CSR_EXPONENT,
		    "the RSA exponent is not 65537, and profile \"%s\" takes no other",
		    profile->config->name);
	return EST_OK;
}

static enum outcome oid_not_granted(
    const struct profile *profile, enum refusal refusal, const char *what, struct span oid)
{
	struct buf text = {0};
	enum outcome outcome;

	buf_printf(&text, "%s ", what);
	der_oid_text(&text, oid);
	outcome = not_granted(profile, refusal, buf_string(&text));
	buf_free(&text);
	return outcome;
}

static enum outcome check_attribute(
    const struct profile *profile, const struct name_attribute *attribute)
{
	if (attribute->type == NULL)
		return oid_not_granted(
		    profile, CSR_NAME_ATTRIBUTE, "the subject attribute", attribute->oid);
	if (!words_have(&profile->config->subject, attribute->type->word))
		return refuse(CSR_NAME_ATTRIBUTE,
		    "the request asks for the subject attribute %s, which profile \"%s\" does not "
		    "grant; leave it out",
		    attribute->type->word, profile->config->name);
	return EST_OK;
}

static enum outcome check_subject(const struct profile *profile, const struct name *name)
{
	if (name->count == 0 && !profile->config->empty_subject)
		return refuse(CSR_NAME_EMPTY,
		    "the subject is empty, which profile \"%s\" does not take; give it a CN",
		    profile->config->name);
	for (size_t i = 0; i < name->count; i++)
		if (check_attribute(profile, &name->attributes[i]) != EST_OK)
			return EST_MALFORMED;
	return profile->permissive ? EST_OK : charset_check(name);
}

bool profile_takes_name(const struct profile *profile, const struct name *name)
{
	bool taken = profile->permissive || charset_check(name) == EST_OK;

	reason_clear();
	return taken;
}

static enum outcome check_sans(const struct profile *profile, const struct sans *sans)
{
	if (sans->others > 0)
		return not_granted(profile, CSR_SAN_TYPE,
		    "a subject alternative name that is none of dns, ip, email, uri");
	for (size_t i = 0; i < sans->count; i++) {
		const char *word = san_kind_word(sans->san[i].kind);
		if (!words_have(&profile->config->subject_alt_names, word))
			return refuse(CSR_SAN_TYPE,
			    "the request asks for a subject alternative name of type %s, which "
			    "profile \"%s\" does not grant; leave it out",
			    word, profile->config->name);
	}
	return EST_OK;
}

static bool has_name(const struct csr *csr, const char *word)
{
	if (name_type_of(word) != NULL)
		return name_first(&csr->name, word).len > 0;
	for (size_t i = 0; i < csr->wishes.sans.count; i++)
		if (strcmp(san_kind_word(csr->wishes.sans.san[i].kind), word) == 0)
			return true;
	return false;
}

static bool holds_oid(struct span oids, struct span oid)
{
	struct der one;

	while (oids.len > 0 && der_next(&oids, &one) == EST_OK)
		if (span_equal(one.content, oid))
			return true;
	return false;
}

/* The purposes to issue, as OID, OID, ...: those that are asked for, else all that are granted. */
static struct span purposes_of(const struct profile *profile, const struct csr *csr)
{
	return csr->wishes.has_extended_key_usage ? csr->wishes.extended_key_usage
						  : buf_span(&profile->extended_key_usage);
}

/* RFC 9525 2: who connects to a server looks for its SubjectAltName only. */
static enum outcome check_required_names(const struct profile *profile, const struct csr *csr)
{
	const struct words *required = &profile->config->required;

	for (size_t i = 0; i < required->count; i++)
		if (!has_name(csr, required->word[i]))
			return missing(profile, required->word[i]);
	if (csr->wishes.sans.count == 0 && holds_oid(purposes_of(profile, csr), server_auth))
		return missing(profile, "a SubjectAltName for serverAuth");
	return EST_OK;
}

/* What the profile grants for this key: RFC 8813 3 has no encipherment with EC keys, RFC 8410 5
   neither that nor key agreement with Ed25519, and RSA has no key agreement (RFC 4055 1.2). */
static unsigned usage_for(const struct profile *profile, const struct key_info *key)
{
	unsigned never = 0;

	if (!key_can_encipher(key))
		never |= 1U << KEY_ENCIPHERMENT | 1U << DATA_ENCIPHERMENT;
	if (!key_can_agree(key))
		never |= 1U << KEY_AGREEMENT | 1U << ENCIPHER_ONLY | 1U << DECIPHER_ONLY;
	return profile->key_usage & ~never;
}

/* The bits to issue: what is asked for as far as it is granted, so that no wish turns into its
 * opposite. */
static unsigned usage_of(const struct profile *profile, const struct csr *csr)
{
	unsigned usage = usage_for(profile, &csr->key);

	if (csr->wishes.has_key_usage)
		usage &= csr->wishes.key_usage;
	/* RFC 5280 4.2.1.3: these two have no meaning where keyAgreement is not set. */
	if ((usage & 1U << KEY_AGREEMENT) == 0)
		usage &= ~(1U << ENCIPHER_ONLY | 1U << DECIPHER_ONLY);
	return usage;
}

static enum outcome check_usages(const struct profile *profile, const struct csr *csr)
{
	struct span wished = csr->wishes.extended_key_usage;
	struct der oid;

	if (csr->wishes.has_key_usage && (csr->wishes.key_usage & CA_USAGES) != 0)
		return not_granted(profile, CSR_CA, "keyUsage keyCertSign or cRLSign");
	if (usage_of(profile, csr) == 0)
		return not_granted(
		    profile, CSR_KEY_USAGE, "a keyUsage without any bit that suits the key");
	while (wished.len > 0 && der_next(&wished, &oid) == EST_OK)
		if (!holds_oid(buf_span(&profile->extended_key_usage), oid.content))
			return oid_not_granted(
			    profile, CSR_EXTENDED_KEY_USAGE, "the extendedKeyUsage", oid.content);
	return EST_OK;
}

enum outcome profile_check(const struct profile *profile, const struct csr *csr)
{
	if (csr->wishes.beyond != REFUSAL_NONE)
		return not_granted(profile, csr->wishes.beyond, csr->wishes.beyond_what);
	if (check_key(profile, &csr->key) != EST_OK ||
	    check_subject(profile, &csr->name) != EST_OK ||
	    check_sans(profile, &csr->wishes.sans) != EST_OK ||
	    check_usages(profile, csr) != EST_OK)
		return EST_MALFORMED;
	return check_required_names(profile, csr);
}

void profile_extensions(
    const struct profile *profile, const struct csr *csr, const struct sans *sans, struct buf *out)
{
	struct buf value = {0};

	buf_add_span(out, buf_span(&profile->basic_constraints));
	add_key_usage(out, usage_of(profile, csr));
	if (csr->wishes.has_extended_key_usage)
		add_extended_key_usage(out, csr->wishes.extended_key_usage);
	else
		buf_add_span(out, buf_span(&profile->extended_extension));
	if (sans->count > 0) {
		sans_encode(sans, &value);
		add_extension(out, oid_subject_alt_name, csr->name.count == 0, buf_span(&value));
	}
	buf_free(&value);
}
