/*
 * profile_check.c - whether a request asks for no more than its profile grants, and has all that it
 * requires.
 */
#include <string.h>

#include "common/base/escape.h"
#include "common/pki/charset.h"
#include "common/pki/der.h"
#include "common/pki/profile_parts.h"

static const struct span server_auth = DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x03\x01");

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

/* --- the subject --- */

static enum outcome check_attribute(
    const struct profile *profile, const struct name_attribute *attribute)
{
	if (attribute->type == NULL)
		return oid_not_granted(
		    profile, CSR_NAME_ATTRIBUTE, "the subject attribute", attribute->oid);
	if (!profile_grants(profile, attribute->type))
		return refuse(CSR_NAME_ATTRIBUTE,
		    "the request asks for the subject attribute %s, which profile \"%s\" does not "
		    "grant; leave it out",
		    attribute->type->word, profile->config->name);
	return EST_OK;
}

/* Whether the names to issue have a subject even where the request has none. */
static bool gives_subject(const struct profile *profile)
{
	return profile->fixed_count > 0 || profile->from_identity;
}

static enum outcome check_subject(const struct profile *profile, const struct name *name)
{
	if (name->count == 0 && !profile->config->empty_subject && !gives_subject(profile))
		return refuse(CSR_NAME_EMPTY,
		    "the subject is empty, which profile \"%s\" does not take; give it a CN",
		    profile->config->name);
	for (size_t i = 0; i < name->count; i++)
		if (check_attribute(profile, &name->attributes[i]) != EST_OK)
			return EST_MALFORMED;
	return profile->permissive ? EST_OK : charset_check(name);
}

/* --- subject alternative names --- */

static bool san_granted(const struct profile *profile, const struct san *san)
{
	return (profile->san_kinds & 1U << san->kind) != 0 || sans_have(&profile->fixed_sans, san);
}

static enum outcome check_sans(const struct profile *profile, const struct sans *sans)
{
	if (sans->others > 0)
		return not_granted(profile, CSR_SAN_TYPE,
		    "a subject alternative name that is none of dns, ip, email, uri");
	for (size_t i = 0; i < sans->count; i++)
		if (!san_granted(profile, &sans->san[i]))
			return refuse(CSR_SAN_TYPE,
			    "the request asks for a subject alternative name of type %s, which "
			    "profile \"%s\" does not grant; leave it out",
			    san_kind_word(sans->san[i].kind), profile->config->name);
	return EST_OK;
}

/* --- patterns and fixed parts --- */

static enum outcome mismatch(const struct profile *profile, const char *type, struct span value)
{
	struct buf text = {0};
	enum outcome outcome;

	dn_value(&text, value);
	outcome = refuse(NAME_PATTERN,
	    "profile \"%s\" has no pattern for the %s \"%.200s\"; ask for another name",
	    profile->config->name, type, buf_string(&text));
	buf_free(&text);
	return outcome;
}

enum outcome profile_check_value(
    const struct profile *profile, const struct name_type *type, struct span value)
{
	return profile_matches(profile, type, value) ? EST_OK
						     : mismatch(profile, type->word, value);
}

enum outcome profile_check_san(const struct profile *profile, const struct san *san)
{
	struct buf text = {0};
	enum outcome outcome;

	if (profile_matches_san(profile, san))
		return EST_OK;
	san_text(san, &text);
	outcome = mismatch(profile, san_kind_word(san->kind), buf_span(&text));
	buf_free(&text);
	return outcome;
}

/* Where a type is fixed, what a request has of it is one of the fixed values, to the letter. */
static enum outcome check_fixed(
    const struct profile *profile, const struct name_type *type, struct span value)
{
	const struct profile_fixed *last = NULL;

	for (size_t i = 0; i < profile->fixed_count; i++)
		if (profile->fixed[i].type == type) {
			last = &profile->fixed[i];
			if (span_equal(last->value, value))
				return EST_OK;
		}
	return last == NULL ? EST_OK
			    : refuse(NAME_PATTERN,
				  "every certificate of profile \"%s\" has %s=%.*s, and the "
				  "request asks for another %s; leave it out",
				  profile->config->name, type->word, (int)last->value.len,
				  (const char *)last->value.data, type->word);
}

static enum outcome check_patterns(
    const struct profile *profile, const struct name *name, const struct sans *sans)
{
	enum outcome outcome = EST_OK;

	if (profile->pattern_count == 0 && profile->fixed_count == 0)
		return EST_OK;
	for (size_t i = 0; outcome == EST_OK && i < name->count; i++) {
		const struct name_type *type = name->attributes[i].type;
		struct span value = name_value(name, &name->attributes[i]);
		if (type == NULL)
			continue;
		outcome = check_fixed(profile, type, value);
		if (outcome == EST_OK)
			outcome = profile_check_value(profile, type, value);
	}
	for (size_t i = 0; outcome == EST_OK && i < sans->count; i++)
		outcome = profile_check_san(profile, &sans->san[i]);
	return outcome;
}

bool profile_takes_name(const struct profile *profile, const struct name *name)
{
	static const struct sans none;
	bool taken = (profile->permissive || charset_check(name) == EST_OK) &&
		     check_patterns(profile, name, &none) == EST_OK;

	reason_clear();
	return taken;
}

/* --- what is required --- */

/* Whether the names to issue have one. */
static bool has_attribute(
    const struct profile *profile, const struct name *name, const struct name_type *type)
{
	return name_first(name, type->word).len > 0 || profile_fixes(profile, type) ||
	       (profile->from_identity && strcmp(type->word, "CN") == 0);
}

/* Whether the request's common name becomes a SubjectAltName: of which kind is up to its form. */
static bool gets_san(
    const struct profile *profile, const struct name *name, const struct sans *sans)
{
	return profile->san_from_cn && sans->count == 0 &&
	       has_attribute(profile, name, name_type_of("CN"));
}

static bool has_san(const struct profile *profile, const struct sans *sans, const char *word)
{
	for (size_t i = 0; i < sans->count; i++)
		if (strcmp(san_kind_word(sans->san[i].kind), word) == 0)
			return true;
	for (size_t i = 0; i < profile->fixed_sans.count; i++)
		if (strcmp(san_kind_word(profile->fixed_sans.san[i].kind), word) == 0)
			return true;
	return false;
}

/*
 * purposes: of the certificate. from_cn: whether it may get a SubjectAltName of its common name.
 * RFC 9525 2: who connects to a server looks for its SubjectAltName only. A CA's purposes are what
 * it may issue for.
 */
static enum outcome check_required(const struct profile *profile, const struct name *name,
    const struct sans *sans, struct span purposes, bool from_cn)
{
	const struct words *required = &profile->config->required;
	bool gets = from_cn && gets_san(profile, name, sans);

	for (size_t i = 0; i < required->count; i++) {
		const char *word = required->word[i];
		const struct name_type *type = name_type_of(word);
		if (type != NULL ? !has_attribute(profile, name, type)
				 : !has_san(profile, sans, word) && !gets)
			return missing(profile, word);
	}
	if (sans->count == 0 && profile->fixed_sans.count == 0 && !profile->config->ca &&
	    profile_holds_oid(purposes, server_auth) && !gets)
		return missing(profile, "a SubjectAltName for serverAuth");
	return EST_OK;
}

/* --- what it may be used for --- */

static enum outcome check_usages(const struct profile *profile, const struct csr *csr, bool key)
{
	struct span wished = csr->wishes.extended_key_usage;
	unsigned usage = profile_usage(profile, csr, key);
	struct der oid;

	if (csr->wishes.has_key_usage &&
	    (csr->wishes.key_usage & CA_USAGES & ~profile->key_usage) != 0)
		return not_granted(profile, CSR_CA, "keyUsage keyCertSign or cRLSign");
	if (usage == 0)
		return not_granted(
		    profile, CSR_KEY_USAGE, "a keyUsage without any bit that suits the key");
	if (profile->config->ca && (usage & 1U << KEY_CERT_SIGN) == 0)
		return not_granted(profile, CSR_KEY_USAGE, "a CA's keyUsage without keyCertSign");
	while (wished.len > 0 && der_next(&wished, &oid) == EST_OK)
		if (!profile_holds_oid(buf_span(&profile->extended_key_usage), oid.content))
			return oid_not_granted(
			    profile, CSR_EXTENDED_KEY_USAGE, "the extendedKeyUsage", oid.content);
	return EST_OK;
}

enum outcome profile_check(const struct profile *profile, const struct csr *csr, bool key)
{
	const struct wishes *wishes = &csr->wishes;
	enum outcome outcome;

	if (wishes->beyond != REFUSAL_NONE && !profile_grants_extensions(profile, wishes))
		return not_granted(profile, wishes->beyond, wishes->beyond_what);
	if (wishes->ca && !profile->config->ca)
		return not_granted(profile, CSR_CA, "a CA certificate (basicConstraints)");
	if ((key && check_key(profile, &csr->key) != EST_OK) ||
	    check_subject(profile, &csr->name) != EST_OK ||
	    check_sans(profile, &wishes->sans) != EST_OK ||
	    check_usages(profile, csr, key) != EST_OK)
		return EST_MALFORMED;
	outcome = check_required(
	    profile, &csr->name, &wishes->sans, profile_purposes(profile, csr), true);
	return outcome == EST_OK ? check_patterns(profile, &csr->name, &wishes->sans) : outcome;
}

/* --- names that are issued as they are --- */

bool profile_has_value(const struct name *name, const struct name_type *type, struct span value)
{
	for (size_t i = 0; i < name->count; i++)
		if (name->attributes[i].type == type &&
		    span_equal(name_value(name, &name->attributes[i]), value))
			return true;
	return false;
}

enum outcome profile_check_whole(
    const struct profile *profile, const struct name *name, const struct sans *sans)
{
	for (size_t i = 0; i < profile->fixed_count; i++) {
		const struct profile_fixed *fixed = &profile->fixed[i];
		if (!profile_has_value(name, fixed->type, fixed->value))
			return refuse(NAME_PATTERN,
			    "every certificate of profile \"%s\" has %s=%.*s, and the names of "
			    "this one would not; enroll again",
			    profile->config->name, fixed->type->word, (int)fixed->value.len,
			    (const char *)fixed->value.data);
	}
	for (size_t i = 0; i < profile->fixed_sans.count; i++)
		if (!sans_have(sans, &profile->fixed_sans.san[i]))
			return refuse(NAME_PATTERN,
			    "every certificate of profile \"%s\" has a certain subject "
			    "alternative name of type %s, and this one would not; enroll again",
			    profile->config->name, san_kind_word(profile->fixed_sans.san[i].kind));
	return EST_OK;
}

enum outcome profile_check_names(
    const struct profile *profile, const struct name *name, const struct sans *sans)
{
	enum outcome outcome;

	if (profile->from_identity)
		return refuse(NAME_NOT_ALLOWED,
		    "under profile \"%s\" the common name is the identity, which no request "
		    "changes; leave the ChangeSubjectName out",
		    profile->config->name);
	if (check_subject(profile, name) != EST_OK || check_sans(profile, sans) != EST_OK)
		return EST_MALFORMED;
	outcome =
	    check_required(profile, name, sans, buf_span(&profile->extended_key_usage), false);
	if (outcome == EST_OK)
		outcome = check_patterns(profile, name, sans);
	return outcome == EST_OK ? profile_check_whole(profile, name, sans) : outcome;
}
