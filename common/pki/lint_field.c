/*
 * lint_field.c - the lint's checks on the fields of a certificate but its names and extensions
 * (RFC 5280 4.1).
 */
#include <string.h>

#include "common/pki/lint_parts.h"
#include "common/pki/tree.h"

#define SERIAL_MOST  20 /* octets */
#define SERIAL_LEAST 8

const char *lint_structure(struct lint *lint)
{
	return lint->broken;
}

const char *lint_trailing(struct lint *lint)
{
	return lint->behind.len == 0 ? NULL : "something follows the certificate";
}

const char *lint_size(struct lint *lint)
{
	if (lint->tbs.len - lint->spki.len <= LINT_SIZE_MAX)
		return NULL;
	return lint_say(lint, "it has %zu octets beside its key; %d are allowed",
	    lint->tbs.len - lint->spki.len, LINT_SIZE_MAX);
}

const char *lint_version(struct lint *lint)
{
	return DER_IS(lint->version, "\x02") ? NULL : "the version is not 3";
}

const char *lint_serial_der(struct lint *lint)
{
	return der_integer_ok(lint->serial) ? NULL : "the serial number has superfluous octets";
}

const char *lint_serial_zero(struct lint *lint)
{
	for (size_t i = 0; i < lint->serial.len; i++)
		if (lint->serial.data[i] != 0)
			return NULL;
	return "the serial number is zero";
}

const char *lint_serial_negative(struct lint *lint)
{
	return (lint->serial.data[0] & 0x80) == 0 ? NULL : "the serial number is negative";
}

const char *lint_serial_long(struct lint *lint)
{
	if (lint->serial.len <= SERIAL_MOST)
		return NULL;
	return lint_say(lint, "the serial number has %zu octets; %d are allowed", lint->serial.len,
	    SERIAL_MOST);
}

/* What is that short has not 64 bits that nobody could guess. */
const char *lint_serial_short(struct lint *lint)
{
	if (lint->serial.len >= SERIAL_LEAST)
		return NULL;
	return lint_say(lint, "the serial number has %zu bits; 64 of them have to be random",
	    lint->serial.len * 8);
}

const char *lint_serial_wanted(struct lint *lint)
{
	return lint->want->serial.len == 0 || span_equal(lint->serial, lint->want->serial)
		   ? NULL
		   : "the serial number is another one than was drawn";
}

const char *lint_algorithm_wanted(struct lint *lint)
{
	return lint->want->algorithm.len == 0 || span_equal(lint->algorithm, lint->want->algorithm)
		   ? NULL
		   : "the signature algorithm inside is not that of the signature";
}

/* --- validity --- */

const char *lint_validity_form(struct lint *lint)
{
	return lint->from.read && lint->until.read
		   ? NULL
		   : "a date is no UTCTime or GeneralizedTime of whole seconds that ends with Z";
}

/*
 * A UTCTime from 1950 to 1987 is from before there was X.509: whoever wrote it meant a year that no
 * UTCTime can hold.
 */
static bool time_type_ok(const struct lint_time *time)
{
	if (!time->read)
		return true;
	return time->tag == DER_UTC_TIME ? time->year >= 1988 : time->year >= 2050;
}

const char *lint_validity_type(struct lint *lint)
{
	return time_type_ok(&lint->from) && time_type_ok(&lint->until)
		   ? NULL
		   : "a date through 2049 has to be a UTCTime, one from 2050 on a GeneralizedTime";
}

static bool dates_read(const struct lint *lint)
{
	return lint->from.read && lint->until.read;
}

const char *lint_validity_order(struct lint *lint)
{
	return !dates_read(lint) || lint->from.t < lint->until.t ? NULL
								 : "it ends before it begins";
}

const char *lint_validity_ca(struct lint *lint)
{
	const struct lint_want *want = lint->want;

	if (!dates_read(lint) || want->ca_not_after == 0 ||
	    (lint->from.t >= want->ca_not_before && lint->until.t <= want->ca_not_after))
		return NULL;
	return "its validity is not within the CA's";
}

/* Both ends belong to the validity. */
const char *lint_validity_profile(struct lint *lint)
{
	int64_t most;

	if (!dates_read(lint) || lint->want->profile == NULL)
		return NULL;
	most = lint->want->profile->config->validity;
	if (lint->until.t - lint->from.t + 1 <= most)
		return NULL;
	return lint_say(lint, "it is valid for %lld seconds; the profile allows %lld",
	    (long long)(lint->until.t - lint->from.t + 1), (long long)most);
}

const char *lint_validity_wanted(struct lint *lint)
{
	const struct lint_want *want = lint->want;

	if (want->not_after == 0 || (dates_read(lint) && lint->from.t == want->not_before &&
					lint->until.t == want->not_after))
		return NULL;
	return "its dates are not those that were planned";
}

/* --- the key --- */

const char *lint_spki_key(struct lint *lint)
{
	return lint->key_fault.code == REFUSAL_NONE ? NULL : lint->key_fault.text;
}

const char *lint_spki_wanted(struct lint *lint)
{
	return lint->want->spki.len == 0 || span_equal(lint->spki, lint->want->spki)
		   ? NULL
		   : "the public key is not that of the request";
}

const char *lint_spki_profile(struct lint *lint)
{
	if (lint->want->profile == NULL || lint->key_fault.code != REFUSAL_NONE ||
	    words_have(&lint->want->profile->config->keys, key_word(&lint->key)))
		return NULL;
	return lint_say(lint, "the profile takes no %s keys", key_word(&lint->key));
}

const char *lint_unique_ids(struct lint *lint)
{
	return lint->unique_ids ? "it has a unique identifier, which no CA may make" : NULL;
}

/* --- the whole --- */

const char *lint_der(struct lint *lint)
{
	struct der whole;
	struct span rest = lint->tbs;

	if (der_next(&rest, &whole) == EST_OK &&
	    tree_check(whole.whole, SERVER_LINT, "the certificate") == EST_OK)
		return NULL;
	reason_clear();
	return "it holds what is BER but not DER";
}
