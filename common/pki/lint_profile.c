/*
 * lint_profile.c - the lint's checks on what a profile fixes: parts of names, patterns, extensions.
 *
 * The comparisons are made once more here, apart from profile_check.c.
 */
#include "common/pki/lint_parts.h"

/* --- the subject --- */

static bool has_fixed(const struct lint *lint, const struct profile_fixed *fixed)
{
	for (size_t i = 0; i < lint->name.count; i++)
		if (lint->name.attributes[i].type == fixed->type &&
		    span_equal(name_value(&lint->name, &lint->name.attributes[i]), fixed->value))
			return true;
	return false;
}

const char *lint_subject_fixed(struct lint *lint)
{
	const struct profile *profile = lint->want->profile;

	if (profile == NULL || lint->name_fault.code != REFUSAL_NONE)
		return NULL;
	for (size_t i = 0; i < profile->fixed_count; i++)
		if (!has_fixed(lint, &profile->fixed[i]))
			return lint_say(lint, "the subject lacks the %s of the profile",
			    profile->fixed[i].type->word);
	return NULL;
}

/* A type that no pattern is about is free; of several patterns any suffices. */
static bool matches(const struct profile *profile, const struct name_type *type, struct span value)
{
	bool ruled = false;

	for (size_t i = 0; i < profile->pattern_count; i++)
		if (profile->patterns[i].type == type) {
			ruled = true;
			if (pattern_matches(profile->patterns[i].pattern, value))
				return true;
		}
	return !ruled;
}

const char *lint_subject_pattern(struct lint *lint)
{
	const struct profile *profile = lint->want->profile;

	if (profile == NULL || lint->name_fault.code != REFUSAL_NONE)
		return NULL;
	for (size_t i = 0; profile->pattern_count > 0 && i < lint->name.count; i++) {
		const struct name_attribute *attribute = &lint->name.attributes[i];
		if (attribute->type != NULL &&
		    !matches(profile, attribute->type, name_value(&lint->name, attribute)))
			return lint_say(lint, "the subject's %s matches no pattern of the profile",
			    attribute->type->word);
	}
	return NULL;
}

/* --- subject alternative names --- */

const char *lint_san_fixed(struct lint *lint)
{
	const struct profile *profile = lint->want->profile;

	if (profile == NULL || lint->sans_fault.code != REFUSAL_NONE)
		return NULL;
	for (size_t i = 0; i < profile->fixed_sans.count; i++)
		if (!sans_have(&lint->sans, &profile->fixed_sans.san[i]))
			return "it lacks a subject alternative name of the profile";
	return NULL;
}

static bool san_matches(const struct profile *profile, const struct san *san)
{
	bool ruled = false;

	for (size_t i = 0; i < profile->pattern_count; i++) {
		const struct profile_pattern *pattern = &profile->patterns[i];
		if (pattern->type != NULL || pattern->kind != san->kind)
			continue;
		ruled = true;
		if (san->kind == SAN_IP ? pattern_range_holds(&pattern->range, san->value)
					: pattern_matches(pattern->pattern, san->value))
			return true;
	}
	return !ruled;
}

const char *lint_san_pattern(struct lint *lint)
{
	const struct profile *profile = lint->want->profile;

	if (profile == NULL || profile->pattern_count == 0 || lint->sans_fault.code != REFUSAL_NONE)
		return NULL;
	for (size_t i = 0; i < lint->sans.count; i++)
		if (!san_matches(profile, &lint->sans.san[i]))
			return lint_say(lint,
			    "a subject alternative name of type %s matches no pattern of the "
			    "profile",
			    san_kind_word(lint->sans.san[i].kind));
	return NULL;
}

/* --- extensions --- */

/* The next extension of the profile, and the certificate's of that OID, or NULL. */
static bool next_fixed(struct lint *lint, struct span *rest, struct lint_extension *fixed,
    const struct lint_extension **found)
{
	if (rest->len == 0 || !lint_take_extension(rest, fixed))
		return false;
	*found = NULL;
	for (size_t i = 0; i < lint->count && *found == NULL; i++)
		if (span_equal(lint->extensions[i].oid, fixed->oid))
			*found = &lint->extensions[i];
	return true;
}

static struct span fixed_of(const struct lint *lint)
{
	return lint->want->profile == NULL ? (struct span){NULL, 0}
					   : buf_span(&lint->want->profile->fixed_extensions);
}

/* "extension 1.2.3 ..." */
static const char *say(struct lint *lint, struct span oid, const char *what)
{
	struct buf text = {0};
	const char *said;

	der_oid_text(&text, oid);
	said = lint_say(lint, "extension %.100s %s", buf_string(&text), what);
	buf_free(&text);
	return said;
}

const char *lint_fixed_missing(struct lint *lint)
{
	struct span rest = fixed_of(lint);
	const struct lint_extension *found;
	struct lint_extension fixed;

	while (next_fixed(lint, &rest, &fixed, &found))
		if (found == NULL)
			return say(lint, fixed.oid, "of the profile is missing");
	return NULL;
}

const char *lint_fixed_value(struct lint *lint)
{
	struct span rest = fixed_of(lint);
	const struct lint_extension *found;
	struct lint_extension fixed;

	while (next_fixed(lint, &rest, &fixed, &found))
		if (found != NULL && !span_equal(found->value, fixed.value))
			return say(lint, fixed.oid, "has another value than in the profile");
	return NULL;
}

const char *lint_fixed_critical(struct lint *lint)
{
	struct span rest = fixed_of(lint);
	const struct lint_extension *found;
	struct lint_extension fixed;

	while (next_fixed(lint, &rest, &fixed, &found))
		if (found != NULL && found->critical != fixed.critical)
			return say(lint, fixed.oid,
			    fixed.critical ? "is not critical, which it is in the profile"
					   : "is critical, which it is not in the profile");
	return NULL;
}
