/*
 * allow.c - which names an identity may have a certificate for.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/auth/auth.h"
#include "common/base/escape.h"
#include "common/base/pattern.h"
#include "common/base/refusal.h"
#include "common/pki/cert.h"

static bool user_has(const struct user_record *user, struct span name)
{
	for (size_t i = 0; user->names != NULL && user->names[i] != NULL; i++)
		if (pattern_matches(user->names[i], name))
			return true;
	return false;
}

static enum outcome not_yours(const struct user_record *user, struct span name)
{
	struct buf text = {0};
	enum outcome outcome;

	dn_value(&text, name);
	outcome = refuse(NAME_NOT_ALLOWED,
	    "user \"%s\" may not ask for the name \"%.200s\"; the operator can allow it",
	    user->name, buf_string(&text));
	buf_free(&text);
	return outcome;
}

static enum outcome user_allows(
    const struct user_record *user, const struct name *name, const struct sans *sans)
{
	enum outcome outcome = EST_OK;
	size_t asked = sans->count;

	for (size_t i = 0; i < name->count; i++) {
		const struct name_attribute *attribute = &name->attributes[i];
		struct span value = name_value(name, attribute);
		if (attribute->type != NULL && !attribute->type->identifies)
			continue;
		asked++;
		if (!user_has(user, value))
			return not_yours(user, value);
	}
	if (asked == 0)
		return refuse(NAME_NOT_ALLOWED,
		    "the request holds no name that a device is told apart by; give it a common "
		    "name");
	for (size_t i = 0; outcome == EST_OK && i < sans->count; i++) {
		struct buf text = {0};
		san_text(&sans->san[i], &text);
		if (!user_has(user, buf_span(&text)))
			outcome = not_yours(user, buf_span(&text));
		buf_free(&text);
	}
	return outcome;
}

/* The subject and the SANs of a client certificate; name_clear(subject). */
static enum outcome own_names(struct span der, struct name *subject, struct sans *sans)
{
	struct cert_parts parts;
	enum outcome outcome = cert_parse(der, &parts);

	if (outcome == EST_OK)
		outcome = name_parse(parts.subject, subject);
	if (outcome == EST_OK && parts.sans.len > 0)
		outcome = sans_parse(parts.sans, sans);
	if (outcome == EST_OK)
		return EST_OK;
	reason_clear(); /* it speaks of a request */
	return refuse(NAME_NOT_ALLOWED, "the client certificate's own names cannot be read");
}

/* Whether a certificate has the SAN, or it is its CN. */
static bool is_own(const struct name *subject, const struct sans *sans, const struct san *san)
{
	struct span cn = name_first(subject, "CN");

	if (san->kind == SAN_DNS && san->value.len == cn.len &&
	    strncasecmp((const char *)san->value.data, (const char *)cn.data, cn.len) == 0)
		return true;
	return sans_have(sans, san);
}

static bool is_the_name(struct span device, struct span value)
{
	return device.len == value.len &&
	       strncasecmp((const char *)device.data, (const char *)value.data, value.len) == 0;
}

static enum outcome refuse_other(struct span device)
{
	struct buf text = {0};
	enum outcome outcome;

	dn_value(&text, device);
	outcome = refuse(NAME_NOT_ALLOWED, "the device \"%.200s\" may ask for its own name alone",
	    buf_string(&text));
	buf_free(&text);
	return outcome;
}

/* Whatever a device is told apart by in the certificate has to be its name. */
static enum outcome device_allows(
    struct span device, const struct name *name, const struct sans *sans)
{
	size_t own = 0;
	bool fits = true;

	for (size_t i = 0; i < name->count; i++) {
		const struct name_attribute *attribute = &name->attributes[i];
		if (attribute->type != NULL && !attribute->type->identifies)
			continue;
		fits &= is_the_name(device, name_value(name, attribute));
		own++;
	}
	for (size_t i = 0; i < sans->count; i++) {
		struct buf text = {0};
		san_text(&sans->san[i], &text);
		fits &= is_the_name(device, buf_span(&text));
		own++;
		buf_free(&text);
	}
	return fits && own > 0 ? EST_OK : refuse_other(device);
}

/* A certificate's own name: its whole subject, and no SAN that is not its own. */
static enum outcome certificate_allows(
    const struct identity *identity, const struct name *name, const struct sans *sans)
{
	struct name own = {.count = 0};
	struct sans own_sans = {.count = 0};
	enum outcome outcome;

	if (identity->maker_name.len > 0)
		return device_allows(buf_span(&identity->maker_name), name, sans);
	outcome = own_names(buf_span(&identity->der), &own, &own_sans);

	if (outcome == EST_OK && !name_equal(&own, name))
		outcome = refuse(NAME_NOT_ALLOWED, "a client certificate may ask for its own "
						   "subject only, and this is another");
	for (size_t i = 0; outcome == EST_OK && i < sans->count; i++)
		if (!is_own(&own, &own_sans, &sans->san[i]))
			outcome = refuse(NAME_NOT_ALLOWED,
			    "a client certificate may ask for its own names only, and one of the "
			    "SANs is not among them");
	name_clear(&own);
	if (outcome == EST_OK || !identity->is_ra)
		return outcome;
	/* RFC 7030 3.7: a registration authority asks for others. */
	reason_clear();
	return user_allows(&identity->ra, name, sans);
}

static enum outcome proof_allows(const struct identity *identity, enum proof proof,
    const struct name *name, const struct sans *sans)
{
	switch (proof) {
	case PROOF_PASSWORD: return user_allows(&identity->user, name, sans);
	case PROOF_SRP: return user_allows(&identity->srp, name, sans);
	case PROOF_EXTERNAL: return user_allows(&identity->external, name, sans);
	case PROOF_SECRET: return device_allows(span_of(identity->secret.name), name, sans);
	case PROOF_CERTIFICATE: return certificate_allows(identity, name, sans);
	}
	return EST_FORBIDDEN;
}

/* Asks each proof once at most: the reason that stands is that of the first one that refused. */
enum outcome auth_allows(
    const struct identity *identity, const struct name *name, const struct sans *sans)
{
	static const enum proof proofs[] = {
	    PROOF_PASSWORD, PROOF_SECRET, PROOF_SRP, PROOF_EXTERNAL, PROOF_CERTIFICATE};
	unsigned asked = 0, allowing = 0;

	for (size_t i = 0; i < identity->granted_count; i++) {
		unsigned wanted = identity->granted[i];
		for (size_t k = 0; k < sizeof(proofs) / sizeof(proofs[0]); k++) {
			if ((wanted & proofs[k]) == 0 || (asked & proofs[k]) != 0)
				continue;
			asked |= proofs[k];
			if (proof_allows(identity, proofs[k], name, sans) == EST_OK)
				allowing |= proofs[k];
		}
		if ((allowing & wanted) == wanted) {
			reason_clear();
			return EST_OK;
		}
	}
	return refuse(NAME_NOT_ALLOWED, "this identity may ask for no name here");
}

static bool allows_without(const struct identity *identity, unsigned proofs,
    const struct name *name, const struct sans *sans)
{
	struct identity without = *identity; /* only looked at */
	bool allowed;

	identity_drop(&without, proofs);
	allowed = without.granted_count > 0 && auth_allows(&without, name, sans) == EST_OK;
	reason_clear();
	return allowed;
}

/* The proofs that can be used up: a one-time secret, and accounts whose uses are counted. */
static unsigned consumable(const struct identity *identity)
{
	unsigned proofs = identity->proven & PROOF_SECRET;

	if (identity_has(identity, PROOF_PASSWORD) && identity->user.uses_most > 0)
		proofs |= PROOF_PASSWORD;
	if (identity_has(identity, PROOF_SRP) && identity->srp.uses_most > 0)
		proofs |= PROOF_SRP;
	if (identity_has(identity, PROOF_EXTERNAL) && identity->external.uses_most > 0)
		proofs |= PROOF_EXTERNAL;
	return proofs;
}

unsigned auth_consumes(
    const struct identity *identity, const struct name *name, const struct sans *sans)
{
	static const enum proof order[] = {PROOF_SECRET, PROOF_PASSWORD, PROOF_SRP, PROOF_EXTERNAL};
	unsigned all = consumable(identity);

	if (all == 0 || allows_without(identity, all, name, sans))
		return 0;
	for (int spent = 0; spent < 2; spent++)
		for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
			if ((all & order[i]) != 0 &&
			    ((identity->spent & order[i]) != 0) == (spent == 1) &&
			    allows_without(identity, all & ~(unsigned)order[i], name, sans))
				return order[i];
	return all;
}

/* The name of another CA's certificate; it may have none that we can read. */
static void foreign_name(const struct identity *identity, struct buf *out)
{
	struct name subject = {.count = 0};
	struct sans sans = {.count = 0};

	if (own_names(buf_span(&identity->der), &subject, &sans) == EST_OK)
		csr_device_name(&subject, &sans, out);
	reason_clear();
	name_clear(&subject);
}

static const char *account_name(const struct identity *identity)
{
	if ((identity->proven & PROOF_SECRET) != 0)
		return identity->secret.name;
	if ((identity->proven & PROOF_PASSWORD) != 0)
		return identity->user.name;
	if ((identity->proven & PROOF_SRP) != 0)
		return identity->srp.name + strlen("srp:");
	return identity->external.name;
}

void auth_name(const struct identity *identity, struct buf *out)
{
	const char *name = account_name(identity);

	if ((identity->proven & PROOF_CERTIFICATE) == 0)
		buf_add_string(out, name == NULL ? "" : name);
	else if (identity->trust == TRUST_EXPLICIT)
		buf_add_string(out, identity->certificate.name);
	else if (identity->maker_name.len > 0)
		buf_add_span(out, buf_span(&identity->maker_name));
	else
		foreign_name(identity, out);
}
