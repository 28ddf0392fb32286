#include "common/pki/profile.h"

#include <stdlib.h>
#include <string.h>

#include "common/pki/der.h"
#include "common/pki/profile_parts.h"

/* By their bits (RFC 5280 4.2.1.3). */
static const char *const key_usages[KEY_USAGES] = {"digitalSignature", "nonRepudiation",
    "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
    "decipherOnly"};

const char *key_usage_word(unsigned bit)
{
	return bit < KEY_USAGES ? key_usages[bit] : "";
}

/* Whether a value of the configuration is that word; what is not set is none. */
static bool is_word(const char *value, const char *word)
{
	return value != NULL && strcmp(value, word) == 0;
}

enum outcome profile_fault(const char *path, const struct words *words, const char *key,
    const char *word, const char *what)
{
	return reason(EST_MALFORMED, "%s:%d: %s: \"%.60s\" %s", path, words->line, key, word, what);
}

static enum outcome unknown_word(
    const char *path, const struct words *words, const char *key, const char *word)
{
	return profile_fault(path, words, key, word, "is not known; see est.conf(5)");
}

/* --- words --- */

/* Only a CA has keyCertSign and cRLSign, and it always has the former (RFC 5280 4.2.1.3). */
static enum outcome check_ca_usages(const char *path, const struct profile *profile)
{
	const struct config_profile *config = profile->config;
	int line = config->key_usage.line > 0 ? config->key_usage.line : config->line;

	if (!config->ca && (profile->key_usage & CA_USAGES) != 0)
		return reason(EST_MALFORMED,
		    "%s:%d: key_usage: keyCertSign and cRLSign are of CAs: leave them out, or set "
		    "ca = true",
		    path, line);
	if (config->ca && (profile->key_usage & 1U << KEY_CERT_SIGN) == 0)
		return reason(EST_MALFORMED,
		    "%s:%d: key_usage: a CA (ca = true) can do nothing without keyCertSign: add it",
		    path, line);
	return EST_OK;
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
	if (profile->key_usage == 0)
		return reason(
		    EST_MALFORMED, "%s:%d: key_usage: must name at least one", path, words->line);
	return check_ca_usages(path, profile);
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

static bool name_word_known(const char *word)
{
	return subject_word_known(word) || san_word_known(word);
}

static enum outcome check_words(
    const char *path, const struct words *words, const char *key, bool (*known)(const char *))
{
	for (size_t i = 0; i < words->count; i++)
		if (!known(words->word[i]))
			return unknown_word(path, words, key, words->word[i]);
	return EST_OK;
}

static void compile_words(struct profile *profile)
{
	const struct words *subject = &profile->config->subject;

	profile->subject = mem_alloc((subject->count + 1) * sizeof(profile->subject[0]));
	for (size_t i = 0; i < subject->count; i++)
		profile->subject[profile->subject_count++] = name_type_of(subject->word[i]);
	for (unsigned kind = 0; kind < SAN_KINDS; kind++)
		if (words_have(
			&profile->config->subject_alt_names, san_kind_word((enum san_kind)kind)))
			profile->san_kinds |= 1U << kind;
}

static enum outcome make_words(const char *path, struct profile *profile)
{
	const struct config_profile *config = profile->config;
	const struct {
		const struct words *words;
		const char *key;
		bool (*known)(const char *word);
	} lists[] = {
	    {&config->keys, "keys", key_word_known},
	    {&config->subject, "subject", subject_word_known},
	    {&config->subject_alt_names, "subject_alt_names", san_word_known},
	    {&config->required, "required", name_word_known},
	};
	enum outcome outcome = make_key_usage(path, profile);

	if (outcome == EST_OK)
		outcome = make_extended_key_usage(path, profile);
	for (size_t i = 0; outcome == EST_OK && i < sizeof(lists) / sizeof(lists[0]); i++)
		outcome = check_words(path, lists[i].words, lists[i].key, lists[i].known);
	if (outcome == EST_OK)
		compile_words(profile);
	return outcome;
}

/* --- what contradicts itself --- */

/* Whether the names to issue can have one of that type or kind. */
static bool can_have(const struct profile *profile, const char *word)
{
	const struct name_type *type = name_type_of(word);

	if (type != NULL)
		return words_have(&profile->config->subject, word) || profile_fixes(profile, type);
	for (unsigned kind = 0; kind < SAN_KINDS; kind++)
		if (strcmp(san_kind_word((enum san_kind)kind), word) == 0)
			return words_have(&profile->config->subject_alt_names, word) ||
			       profile_fixes_kind(profile, (enum san_kind)kind);
	return false;
}

/* What is required has to be granted, or nobody could ever get a certificate. */
static enum outcome check_required(const char *path, const struct profile *profile)
{
	const struct words *required = &profile->config->required;

	for (size_t i = 0; i < required->count; i++)
		if (!can_have(profile, required->word[i]))
			return profile_fault(path, required, "required", required->word[i],
			    "is neither in subject nor in subject_alt_names");
	return EST_OK;
}

static enum outcome check_sources(const char *path, const struct profile *profile)
{
	const struct config_profile *config = profile->config;

	if (profile->from_identity && !words_have(&config->subject, "CN"))
		return reason(EST_MALFORMED,
		    "%s:%d: subject_from: the identity becomes the common name: add CN to subject",
		    path, config->line);
	if (profile->from_identity && profile_fixes(profile, name_type_of("CN")))
		return reason(EST_MALFORMED,
		    "%s:%d: subject_from: the common name cannot be the identity and fixed: take "
		    "CN out of subject_fixed",
		    path, config->line);
	if (profile->san_from_cn &&
	    (config->subject_alt_names.count == 0 || !can_have(profile, "CN")))
		return reason(EST_MALFORMED,
		    "%s:%d: san_from: a common name becomes a SubjectAltName: subject has to hold "
		    "CN, and subject_alt_names a type for it",
		    path, config->line);
	return EST_OK;
}

/* RFC 5280 4.1.2.6 and 4.2.1.9. */
static enum outcome check_ca(const char *path, const struct config_profile *config)
{
	if (config->ca && config->empty_subject)
		return reason(EST_MALFORMED,
		    "%s:%d: ca: a CA has a subject: empty_subject cannot be true", path,
		    config->line);
	if (!config->ca && config->path_length != NULL && strcmp(config->path_length, "0") != 0)
		return reason(EST_MALFORMED,
		    "%s:%d: path_length: is of CAs only: leave it out, or set ca = true", path,
		    config->line);
	return EST_OK;
}

enum outcome profile_make(
    const char *path, const struct config_profile *config, struct profile **out)
{
	struct profile *profile = mem_alloc(sizeof(*profile));
	enum outcome outcome;

	profile->config = config;
	profile->permissive = is_word(config->names, "permissive");
	profile->any_exponent = is_word(config->rsa_exponents, "any");
	profile->from_identity = is_word(config->subject_from, "identity");
	profile->san_from_cn = is_word(config->san_from, "cn");
	outcome = make_words(path, profile);
	if (outcome == EST_OK)
		outcome = profile_make_rules(path, profile);
	if (outcome == EST_OK)
		outcome = check_required(path, profile);
	if (outcome == EST_OK)
		outcome = check_sources(path, profile);
	if (outcome == EST_OK)
		outcome = check_ca(path, config);
	if (outcome == EST_OK)
		outcome = profile_make_extensions(path, profile);
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
	buf_free(&profile->fixed_extensions);
	buf_free(&profile->memory);
	free(profile->subject);
	free(profile->patterns);
	free(profile->fixed);
	free(profile);
}
