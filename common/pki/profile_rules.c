/*
 * profile_rules.c - what names of a profile are fixed, and which patterns the others have to match:
 * read from est.conf, and asked.
 */
#include <stdio.h>
#include <string.h>

#include "common/pki/charset.h"
#include "common/pki/der.h"
#include "common/pki/profile_parts.h"

/* What a parser had against a word: "path:line: key: "word": why", and without its code. */
static enum outcome because(
    const char *path, const struct words *words, const char *key, const char *word)
{
	char why[300];

	(void)snprintf(why, sizeof(why), "cannot be: %s", reason_text());
	reason_clear();
	return profile_fault(path, words, key, word, why);
}

/* --- what is fixed of the subject --- */

/* Splits "O=Pump Works", and gives what is behind the sign; NULL where the type is none of ours. */
static const char *split_attribute(const char *word, const struct name_type **type)
{
	size_t len = strcspn(word, "=");
	char name[32];

	if (word[len] == '\0' || len >= sizeof(name))
		return NULL;
	memcpy(name, word, len);
	name[len] = '\0';
	*type = name_type_of(name);
	return *type == NULL ? NULL : word + len + 1;
}

enum outcome profile_check_text(
    const struct profile *profile, const struct name_type *type, struct span value)
{
	struct name name = {.count = 0}, parsed = {.count = 0};
	struct buf der = {0};
	enum outcome outcome;

	(void)profile_add_attribute(type, value, &name);
	name_encode(&name, &der);
	outcome = name_parse(buf_span(&der), &parsed);
	if (outcome == EST_OK)
		outcome = name_check(&parsed);
	if (outcome == EST_OK && !profile->permissive)
		outcome = charset_check(&parsed);
	name_clear(&parsed);
	name_clear(&name);
	buf_free(&der);
	return outcome;
}

static enum outcome take_fixed(const char *path, struct profile *profile, const char *word)
{
	static const char key[] = "subject_fixed";
	const struct words *words = &profile->config->subject_fixed;
	struct profile_fixed *fixed = &profile->fixed[profile->fixed_count];
	const char *value = split_attribute(word, &fixed->type);

	if (value == NULL)
		return profile_fault(path, words, key, word, "is not like O=Pump Works");
	if (strcmp(fixed->type->word, "CN") == 0 && profile_fixes(profile, fixed->type))
		return profile_fault(path, words, key, word, "is a second common name");
	if (profile->fixed_count == NAME_RDNS_MAX)
		return profile_fault(path, words, key, word, "is more than a name can hold");
	fixed->value = span_of(value);
	profile->fixed_count++;
	return profile_check_text(profile, fixed->type, fixed->value) == EST_OK
		   ? EST_OK
		   : because(path, words, key, word);
}

static enum outcome make_fixed(const char *path, struct profile *profile)
{
	const struct words *words = &profile->config->subject_fixed;
	enum outcome outcome = EST_OK;

	profile->fixed = mem_alloc((words->count + 1) * sizeof(profile->fixed[0]));
	for (size_t i = 0; outcome == EST_OK && i < words->count; i++)
		outcome = take_fixed(path, profile, words->word[i]);
	return outcome;
}

/* --- what is fixed of the subject alternative names --- */

/* Splits "dns:a.example", and gives what is behind the colon; NULL where the kind is none. */
static const char *split_san(const char *word, enum san_kind *kind)
{
	for (unsigned i = 0; i < SAN_KINDS; i++) {
		const char *name = san_kind_word((enum san_kind)i);
		size_t len = strlen(name);
		*kind = (enum san_kind)i;
		if (strncmp(word, name, len) == 0 && word[len] == ':')
			return word + len + 1;
	}
	return NULL;
}

/* Appends the GeneralName. */
static enum outcome add_san(const char *word, struct buf *list)
{
	struct pattern_range range = {.len = 0};
	struct san san = {SAN_DNS, {NULL, 0}};
	const char *value = split_san(word, &san.kind);
	struct sans sans = {.count = 1}, parsed;
	struct buf der = {0};
	struct der content;
	struct span rest;
	enum outcome outcome;

	if (value == NULL)
		return reason(EST_MALFORMED, "it is not like dns:a.example");
	san.value = span_of(value);
	if (san.kind == SAN_IP) {
		if (strchr(value, '/') != NULL || !pattern_range_parse(value, &range) ||
		    range.len == 0)
			return reason(EST_MALFORMED, "it is no address");
		san.value = (struct span){range.octets, range.len};
	}
	sans.san[0] = san;
	sans_encode(&sans, &der);
	rest = buf_span(&der);
	outcome = sans_parse(rest, &parsed);
	if (outcome == EST_OK && der_next(&rest, &content) == EST_OK)
		buf_add_span(list, content.content);
	buf_free(&der);
	return outcome;
}

static bool sans_repeat(const struct sans *sans)
{
	struct sans before = {.count = 0};

	for (size_t i = 0; i < sans->count; i++) {
		if (sans_have(&before, &sans->san[i]))
			return true;
		before.san[before.count++] = sans->san[i];
	}
	return false;
}

static enum outcome make_fixed_sans(const char *path, struct profile *profile)
{
	static const char key[] = "san_fixed";
	const struct words *words = &profile->config->san_fixed;
	struct buf list = {0};
	enum outcome outcome = EST_OK;

	for (size_t i = 0; outcome == EST_OK && i < words->count; i++)
		if (add_san(words->word[i], &list) != EST_OK)
			outcome = because(path, words, key, words->word[i]);
	if (outcome == EST_OK && words->count > 0) {
		der_add(&profile->memory, DER_SEQUENCE, buf_span(&list));
		outcome = sans_parse(buf_span(&profile->memory), &profile->fixed_sans);
		if (outcome != EST_OK)
			outcome = because(path, words, key, words->word[0]);
		else if (sans_repeat(&profile->fixed_sans))
			outcome = reason(EST_MALFORMED, "%s:%d: %s: a name stands twice", path,
			    words->line, key);
	}
	buf_free(&list);
	return outcome;
}

/* --- patterns --- */

static enum outcome take_pattern(const char *path, struct profile *profile, const char *word)
{
	static const char key[] = "subject_patterns";
	const struct words *words = &profile->config->subject_patterns;
	struct profile_pattern *pattern = &profile->patterns[profile->pattern_count++];

	pattern->pattern = split_attribute(word, &pattern->type);
	if (pattern->pattern == NULL || pattern->pattern[0] == '\0')
		return profile_fault(path, words, key, word, "is not like CN=pump-*.example");
	if (!words_have(&profile->config->subject, pattern->type->word) &&
	    !profile_fixes(profile, pattern->type))
		return profile_fault(
		    path, words, key, word, "is about an attribute that is not in subject");
	return EST_OK;
}

static enum outcome take_san_pattern(const char *path, struct profile *profile, const char *word)
{
	static const char key[] = "san_patterns";
	const struct words *words = &profile->config->san_patterns;
	struct profile_pattern *pattern = &profile->patterns[profile->pattern_count++];

	pattern->pattern = split_san(word, &pattern->kind);
	if (pattern->pattern == NULL || pattern->pattern[0] == '\0')
		return profile_fault(
		    path, words, key, word, "is not like dns:*.example or ip:192.0.2.0/24");
	if (!words_have(&profile->config->subject_alt_names, san_kind_word(pattern->kind)) &&
	    !profile_fixes_kind(profile, pattern->kind))
		return profile_fault(
		    path, words, key, word, "is about a type that is not in subject_alt_names");
	if (pattern->kind == SAN_IP && !pattern_range_parse(pattern->pattern, &pattern->range))
		return profile_fault(path, words, key, word,
		    "is no address and no range like ip:192.0.2.0/24 with zeros behind its "
		    "prefix");
	return EST_OK;
}

static enum outcome make_patterns(const char *path, struct profile *profile)
{
	const struct words *subject = &profile->config->subject_patterns,
			   *sans = &profile->config->san_patterns;
	enum outcome outcome = EST_OK;

	profile->patterns =
	    mem_alloc((subject->count + sans->count + 1) * sizeof(profile->patterns[0]));
	for (size_t i = 0; outcome == EST_OK && i < subject->count; i++)
		outcome = take_pattern(path, profile, subject->word[i]);
	for (size_t i = 0; outcome == EST_OK && i < sans->count; i++)
		outcome = take_san_pattern(path, profile, sans->word[i]);
	return outcome;
}

/* A renewal asks for all the names that its certificate has: what is fixed too has to match. */
static enum outcome check_fixed(const char *path, const struct profile *profile)
{
	const struct config_profile *config = profile->config;
	static const char mismatch[] = "does not match the patterns of its type";

	for (size_t i = 0; i < profile->fixed_count; i++)
		if (!profile_matches(profile, profile->fixed[i].type, profile->fixed[i].value))
			return profile_fault(path, &config->subject_fixed, "subject_fixed",
			    config->subject_fixed.word[i], mismatch);
	for (size_t i = 0; i < profile->fixed_sans.count; i++)
		if (!profile_matches_san(profile, &profile->fixed_sans.san[i]))
			return profile_fault(path, &config->san_fixed, "san_fixed",
			    config->san_fixed.word[i], mismatch);
	return EST_OK;
}

enum outcome profile_make_rules(const char *path, struct profile *profile)
{
	enum outcome outcome = make_fixed(path, profile);

	if (outcome == EST_OK)
		outcome = make_fixed_sans(path, profile);
	if (outcome == EST_OK)
		outcome = make_patterns(path, profile);
	return outcome == EST_OK ? check_fixed(path, profile) : outcome;
}

/* --- asked --- */

bool profile_grants(const struct profile *profile, const struct name_type *type)
{
	for (size_t i = 0; i < profile->subject_count; i++)
		if (profile->subject[i] == type)
			return true;
	return profile_fixes(profile, type);
}

bool profile_fixes(const struct profile *profile, const struct name_type *type)
{
	for (size_t i = 0; i < profile->fixed_count; i++)
		if (profile->fixed[i].type == type)
			return true;
	return false;
}

bool profile_fixes_kind(const struct profile *profile, enum san_kind kind)
{
	for (size_t i = 0; i < profile->fixed_sans.count; i++)
		if (profile->fixed_sans.san[i].kind == kind)
			return true;
	return false;
}

bool profile_matches(const struct profile *profile, const struct name_type *type, struct span value)
{
	bool unruled = true;

	for (size_t i = 0; i < profile->pattern_count; i++)
		if (profile->patterns[i].type == type) {
			if (pattern_matches(profile->patterns[i].pattern, value))
				return true;
			unruled = false;
		}
	return unruled;
}

static bool san_matches(const struct profile_pattern *pattern, const struct san *san)
{
	return san->kind == SAN_IP ? pattern_range_holds(&pattern->range, san->value)
				   : pattern_matches(pattern->pattern, san->value);
}

bool profile_matches_san(const struct profile *profile, const struct san *san)
{
	bool unruled = true;

	for (size_t i = 0; i < profile->pattern_count; i++)
		if (profile->patterns[i].type == NULL && profile->patterns[i].kind == san->kind) {
			if (san_matches(&profile->patterns[i], san))
				return true;
			unruled = false;
		}
	return unruled;
}
