/*
 * lint_name.c - the lint's checks on names: issuer, subject (RFC 5280 4.1.2.4, 4.1.2.6) and subject
 * alternative names (4.2.1.6).
 */
#include <ctype.h>
#include <string.h>

#include "common/pki/lint_parts.h"

#define SERVER_AUTH DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x03\x01")

/* An empty SEQUENCE. */
static bool is_empty(struct span name)
{
	return name.len == 2;
}

/* --- the issuer: the CA has the name that it has, so only its bytes are looked at --- */

const char *lint_issuer_empty(struct lint *lint)
{
	return is_empty(lint->issuer) ? "the issuer has no name" : NULL;
}

const char *lint_issuer_wanted(struct lint *lint)
{
	return lint->want->issuer.len == 0 || span_equal(lint->issuer, lint->want->issuer)
		   ? NULL
		   : "the issuer is not, octet for octet, the CA's subject";
}

/* --- both --- */

/* The text of a fault with one of these codes, REFUSAL_NONE at their end. */
static const char *fault_of(const struct lint_fault *fault, const enum refusal *codes)
{
	for (; *codes != REFUSAL_NONE; codes++)
		if (fault->code == *codes)
			return fault->text;
	return NULL;
}

static const enum refusal nul_codes[] = {CSR_NAME_NUL, REFUSAL_NONE},
			  control_codes[] = {CSR_NAME_CONTROL, REFUSAL_NONE},
			  string_codes[] = {CSR_NAME_TYPE, CSR_NAME_ENCODING, REFUSAL_NONE},
			  length_codes[] = {CSR_NAME_LENGTH, REFUSAL_NONE};

const char *lint_name_nul(struct lint *lint)
{
	const char *what = fault_of(&lint->issuer_fault, nul_codes);

	return what != NULL ? what : fault_of(&lint->name_fault, nul_codes);
}

const char *lint_name_control(struct lint *lint)
{
	const char *what = fault_of(&lint->issuer_fault, control_codes);

	return what != NULL ? what : fault_of(&lint->name_fault, control_codes);
}

/* Whatever no other rule names. */
const char *lint_name_form(struct lint *lint)
{
	static const enum refusal der[] = {CSR_NAME_DER, REFUSAL_NONE};
	const struct lint_fault *fault = &lint->name_fault;
	const char *what = fault_of(&lint->issuer_fault, der);

	if (what != NULL || fault->code == REFUSAL_NONE)
		return what;
	return fault_of(fault, nul_codes) == NULL && fault_of(fault, control_codes) == NULL &&
		       fault_of(fault, string_codes) == NULL &&
		       fault_of(fault, length_codes) == NULL
		   ? fault->text
		   : NULL;
}

/* --- the subject --- */

/* RFC 5280 4.1.2.4 and A.1: the other string types are for names that were there before 2004. */
static bool string_type_ok(const struct name_attribute *attribute)
{
	if (attribute->type != NULL && attribute->type->printable)
		return attribute->string_tag == DER_PRINTABLE;
	if (attribute->type != NULL && attribute->type->ia5)
		return attribute->string_tag == DER_IA5;
	return attribute->string_tag == DER_UTF8 || attribute->string_tag == DER_PRINTABLE ||
	       (attribute->type == NULL && attribute->string_tag == DER_IA5);
}

const char *lint_name_string(struct lint *lint)
{
	if (lint->name_fault.code != REFUSAL_NONE)
		return fault_of(&lint->name_fault, string_codes);
	if (name_check(&lint->name) != EST_OK) {
		reason_clear();
		return "a value of the subject holds what its string type does not";
	}
	for (size_t i = 0; i < lint->name.count; i++) {
		const struct name_attribute *attribute = &lint->name.attributes[i];
		if (!string_type_ok(attribute))
			return lint_say(lint, "the subject's %s is of the string type 0x%02x",
			    attribute->type == NULL ? "attribute" : attribute->type->word,
			    attribute->string_tag);
	}
	return NULL;
}

const char *lint_name_length(struct lint *lint)
{
	return fault_of(&lint->name_fault, length_codes);
}

/* Octet strings compare as X.690 11.6 has it: the shorter one as if padded with zeros. */
static bool in_order(struct span a, struct span b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int difference = memcmp(a.data, b.data, least);

	return difference < 0 || (difference == 0 && a.len <= b.len);
}

const char *lint_name_order(struct lint *lint)
{
	struct der sequence, set, pair;
	struct span last, name = lint->subject;

	if (der_take(&name, DER_SEQUENCE, &sequence) != EST_OK)
		return NULL;
	while (der_take(&sequence.content, DER_SET, &set) == EST_OK)
		for (last = (struct span){NULL, 0}; der_next(&set.content, &pair) == EST_OK;
		     last = pair.whole)
			if (last.len > 0 && !in_order(last, pair.whole))
				return "the attributes of an RDN are not in DER's order";
	return NULL;
}

const char *lint_subject_empty(struct lint *lint)
{
	return is_empty(lint->subject) && lint->known[LINT_SAN] == NULL
		   ? "it has neither a subject nor a SubjectAltName"
		   : NULL;
}

const char *lint_subject_wanted(struct lint *lint)
{
	return lint->want->subject.len == 0 || span_equal(lint->subject, lint->want->subject)
		   ? NULL
		   : "the subject is another one than was granted";
}

const char *lint_subject_ca(struct lint *lint)
{
	return lint_wants_ca(lint) && is_empty(lint->subject) ? "a CA has no subject" : NULL;
}

/* Whether a certificate may have an attribute of the type. */
static bool grants(const struct profile *profile, const struct name_type *type)
{
	if (type != NULL && words_have(&profile->config->subject, type->word))
		return true;
	for (size_t i = 0; type != NULL && i < profile->fixed_count; i++)
		if (profile->fixed[i].type == type)
			return true;
	return false;
}

const char *lint_subject_profile(struct lint *lint)
{
	const struct config_profile *config;

	if (lint->want->profile == NULL || lint->name_fault.code != REFUSAL_NONE)
		return NULL;
	config = lint->want->profile->config;
	if (is_empty(lint->subject) && !config->empty_subject)
		return "the subject is empty, which the profile does not allow";
	for (size_t i = 0; i < lint->name.count; i++) {
		const struct name_type *type = lint->name.attributes[i].type;
		if (!grants(lint->want->profile, type))
			return lint_say(lint, "the profile does not grant the subject's %s",
			    type == NULL ? "attribute" : type->word);
	}
	return NULL;
}

/* --- subject alternative names --- */

static bool san_is_empty(const struct lint *lint)
{
	return is_empty(lint->at->value) && lint->at->value.data[0] == DER_SEQUENCE;
}

const char *lint_san_empty(struct lint *lint)
{
	return san_is_empty(lint) ? "the SubjectAltName holds no name" : NULL;
}

const char *lint_san_form(struct lint *lint)
{
	static const enum refusal codes[] = {CSR_SAN_DER, CSR_SAN_COUNT, REFUSAL_NONE};

	return san_is_empty(lint) ? NULL : fault_of(&lint->sans_fault, codes);
}

const char *lint_san_nul(struct lint *lint)
{
	return fault_of(&lint->sans_fault, nul_codes);
}

/* Whatever no other rule names. */
const char *lint_san_name(struct lint *lint)
{
	const struct lint_fault *fault = &lint->sans_fault;

	return fault->code == REFUSAL_NONE || fault->code == CSR_SAN_DER ||
		       fault->code == CSR_SAN_COUNT || fault->code == CSR_NAME_NUL
		   ? NULL
		   : fault->text;
}

const char *lint_san_critical(struct lint *lint)
{
	if (lint->at->critical == is_empty(lint->subject))
		return NULL;
	return lint->at->critical
		   ? "the SubjectAltName is critical although there is a subject"
		   : "the SubjectAltName is not critical although the subject is empty";
}

/* A common name as a TLS client would once have taken it for a host's. */
static bool looks_like_host(struct span name)
{
	bool dot = false;

	for (size_t i = 0; i < name.len; i++) {
		if (!isalnum(name.data[i]) && strchr(".-*", name.data[i]) == NULL)
			return false;
		dot = dot || name.data[i] == '.';
	}
	return dot;
}

/* RFC 9525 2: who connects to a server looks for its SubjectAltName only. */
const char *lint_san_missing(struct lint *lint)
{
	if (lint->known[LINT_SAN] != NULL || lint->name_fault.code != REFUSAL_NONE ||
	    lint_wants_ca(lint) || !lint_has_purpose(lint, (struct span)SERVER_AUTH))
		return NULL;
	if (lint->want->profile != NULL)
		return "a server has no SubjectAltName";
	return looks_like_host(name_first(&lint->name, "CN")) ||
		       name_first(&lint->name, "emailAddress").len > 0
		   ? "a server's name stands in its subject and in no SubjectAltName"
		   : NULL;
}

const char *lint_san_profile(struct lint *lint)
{
	const struct profile *profile = lint->want->profile;

	if (profile == NULL || lint->sans_fault.code != REFUSAL_NONE)
		return NULL;
	if (lint->sans.others > 0)
		return "the profile grants no subject alternative name of that type";
	for (size_t i = 0; i < lint->sans.count; i++) {
		const char *word = san_kind_word(lint->sans.san[i].kind);
		if (!words_have(&profile->config->subject_alt_names, word) &&
		    !sans_have(&profile->fixed_sans, &lint->sans.san[i]))
			return lint_say(lint,
			    "the profile grants no subject alternative name of type %s", word);
	}
	return NULL;
}

/* Letter for letter, and in their order. */
static bool same_sans(const struct sans *a, const struct sans *b)
{
	if (a->count != b->count || a->others != 0 || b->others != 0)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->san[i].kind != b->san[i].kind ||
		    !span_equal(a->san[i].value, b->san[i].value))
			return false;
	return true;
}

const char *lint_san_wanted(struct lint *lint)
{
	const struct sans *wanted = lint->want->sans;

	if (wanted == NULL || lint->sans_fault.code != REFUSAL_NONE)
		return NULL;
	return (lint->known[LINT_SAN] != NULL) == (wanted->count > 0) &&
		       same_sans(&lint->sans, wanted)
		   ? NULL
		   : "the subject alternative names are not those that were granted";
}
