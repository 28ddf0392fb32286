/*
 * lint_usage.c - the lint's checks on what a key may be used for: keyUsage (RFC 5280 4.2.1.3) and
 * extKeyUsage (4.2.1.12).
 */
#include "common/pki/key_usage.h"
#include "common/pki/lint_parts.h"

#define ANY_PURPOSE DER_OCTETS("\x55\x1d\x25\x00")

/* --- keyUsage: BIT STRING --- */

/* The bits as a number, bit n for KeyUsage's bit n; false where it is none. */
static bool read_usage(const struct lint *lint, unsigned *usage, unsigned *bits)
{
	struct der value;
	const unsigned char *octets;

	*usage = 0;
	if (!lint_whole(lint->at->value, DER_BIT_STRING, &value) || value.content.len < 1 ||
	    value.content.len > 3 || value.content.data[0] > 7 ||
	    (value.content.len == 1 && value.content.data[0] != 0))
		return false;
	octets = value.content.data + 1;
	*bits = (unsigned)(value.content.len - 1) * 8 - value.content.data[0];
	for (unsigned bit = 0; bit < (value.content.len - 1) * 8; bit++)
		if ((octets[bit / 8] & 0x80 >> bit % 8) != 0)
			*usage |= 1U << bit;
	return true;
}

const char *lint_ku_missing(struct lint *lint)
{
	return lint_missing(lint, LINT_KU);
}

const char *lint_ku_form(struct lint *lint)
{
	unsigned usage, bits;

	return read_usage(lint, &usage, &bits) && usage < 1U << KEY_USAGES
		   ? NULL
		   : "it is not KeyUsage of nine bits at most";
}

const char *lint_ku_zero(struct lint *lint)
{
	unsigned usage, bits;

	return read_usage(lint, &usage, &bits) && usage == 0 ? "no bit is set" : NULL;
}

/* The last bit of a named bit list is a one, and there is nothing behind it. */
const char *lint_ku_der(struct lint *lint)
{
	unsigned usage, bits;

	return read_usage(lint, &usage, &bits) && usage != 0 && usage >> (bits - 1) != 1
		   ? "it does not end with its last bit that is set"
		   : NULL;
}

const char *lint_ku_ca(struct lint *lint)
{
	unsigned usage, bits;

	if (!read_usage(lint, &usage, &bits))
		return NULL;
	if (lint_wants_ca(lint))
		return (usage & 1U << KEY_CERT_SIGN) != 0 ? NULL : "it lacks a CA's keyCertSign";
	return (usage & (1U << KEY_CERT_SIGN | 1U << CRL_SIGN)) != 0
		   ? "it has keyCertSign or cRLSign, which are a CA's"
		   : NULL;
}

/*
 * RFC 8813 3 has no encipherment with EC keys, RFC 8410 5 neither that nor key agreement with the
 * Edwards curves, and RSA has no key agreement (RFC 4055 1.2).
 */
const char *lint_ku_key(struct lint *lint)
{
	const struct profile *profile = lint->want->profile;
	unsigned only = 1U << ENCIPHER_ONLY | 1U << DECIPHER_ONLY, agreement = 1U << KEY_AGREEMENT;
	unsigned usage, bits, never = 0;

	if (!read_usage(lint, &usage, &bits) || lint->key_fault.code != REFUSAL_NONE)
		return NULL;
	if (!key_can_encipher(&lint->key))
		never |= 1U << KEY_ENCIPHERMENT | 1U << DATA_ENCIPHERMENT;
	if (!key_can_agree(&lint->key))
		never |= agreement | only;
	if ((usage & never) != 0)
		return lint_say(lint, "a %s key cannot do all that it says", key_word(&lint->key));
	if ((usage & only) == 0 || (usage & agreement) != 0)
		return NULL;
	/* A request may leave keyAgreement out: that is its own loss. */
	return profile == NULL || (profile->key_usage & agreement) == 0
		   ? "encipherOnly and decipherOnly mean nothing without keyAgreement"
		   : NULL;
}

const char *lint_ku_profile(struct lint *lint)
{
	unsigned usage, bits;

	return lint->want->profile != NULL && read_usage(lint, &usage, &bits) &&
		       (usage & ~lint->want->profile->key_usage) != 0
		   ? "it has a bit that the profile does not grant"
		   : NULL;
}

/* --- extKeyUsage: SEQUENCE OF OID --- */

/* Whether the OID is among those that come one behind the other. */
static bool has_oid(struct span oids, struct span oid)
{
	struct der value;

	while (der_next(&oids, &value) == EST_OK)
		if (span_equal(value.content, oid))
			return true;
	return false;
}

/* The OIDs of an extKeyUsage; empty where it is none. */
static struct span purposes_of(const struct lint_extension *extension)
{
	struct der sequence, oid;
	struct span rest;

	if (extension == NULL || !lint_whole(extension->value, DER_SEQUENCE, &sequence))
		return (struct span){NULL, 0};
	for (rest = sequence.content; rest.len > 0;)
		if (der_take(&rest, DER_OID, &oid) != EST_OK)
			return (struct span){NULL, 0};
	return sequence.content;
}

bool lint_has_purpose(const struct lint *lint, struct span oid)
{
	return has_oid(purposes_of(lint->known[LINT_EKU]), oid);
}

const char *lint_eku_missing(struct lint *lint)
{
	const struct profile *profile = lint->want->profile;

	return profile != NULL && profile->extended_key_usage.len > 0 ? lint_missing(lint, LINT_EKU)
								      : NULL;
}

const char *lint_eku_empty(struct lint *lint)
{
	return purposes_of(lint->at).len == 0 ? "it is no list of purposes, or an empty one" : NULL;
}

const char *lint_eku_twice(struct lint *lint)
{
	struct span rest = purposes_of(lint->at);
	struct der oid;

	while (der_next(&rest, &oid) == EST_OK)
		if (has_oid(rest, oid.content))
			return "it names a purpose twice";
	return NULL;
}

const char *lint_eku_any(struct lint *lint)
{
	return !lint_wants_ca(lint) && lint_has_purpose(lint, (struct span)ANY_PURPOSE)
		   ? "it is for any purpose"
		   : NULL;
}

const char *lint_eku_profile(struct lint *lint)
{
	struct span rest = purposes_of(lint->at);
	struct der oid;

	if (lint->want->profile == NULL)
		return NULL;
	while (der_next(&rest, &oid) == EST_OK)
		if (!has_oid(buf_span(&lint->want->profile->extended_key_usage), oid.content))
			return "it names a purpose that the profile does not grant";
	return NULL;
}
