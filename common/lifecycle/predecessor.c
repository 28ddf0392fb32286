#include "common/lifecycle/predecessor.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/lifecycle/namesake.h"

enum { CANDIDATES_MAX = 1000 }; /* certificates of one name that are looked at */

/* What we issued can be read, or the store holds something else. */
static enum outcome read_names(struct predecessor *old)
{
	char serial[2 * SERIAL_MAX + 1];

	if (cert_parse(old->record.der, &old->parts) == EST_OK &&
	    name_parse(old->parts.subject, &old->name) == EST_OK &&
	    (old->parts.sans.len == 0 || sans_parse(old->parts.sans, &old->sans) == EST_OK))
		return EST_OK;
	reason_clear();
	return reason(EST_INTERNAL, "certificate %s of the store cannot be read",
	    serial_text(&old->record.serial, serial));
}

/* N-03: octet by octet, for labels that want it so. */
static enum outcome compare_octets(const struct csr *csr, const struct predecessor *old)
{
	struct buf sans = {0};
	enum outcome outcome = EST_OK;

	if (csr->wishes.sans.count > 0)
		sans_encode(&csr->wishes.sans, &sans);
	if (!span_equal(csr->subject, old->parts.subject))
		outcome =
		    refuse(RENEW_SUBJECT, "the request's subject is encoded otherwise than in "
					  "the certificate to be renewed, and this label "
					  "wants it octet by octet");
	else if (!span_equal(buf_span(&sans), old->parts.sans))
		outcome = refuse(RENEW_SAN,
		    "the request's SubjectAltName has another order or encoding than in the "
		    "certificate to be renewed, and this label wants it octet by octet");
	buf_free(&sans);
	return outcome;
}

/* RFC 7030 4.2.2: the names in the request are those of the certificate, compared as RFC 5280 7.1
 * does. */
static enum outcome compare_names(const struct enrollment *enrollment, struct predecessor *old)
{
	const struct csr *csr = &enrollment->csr;
	enum outcome outcome = read_names(old);

	if (outcome == EST_OK && !name_equal(&old->name, &csr->name))
		outcome = refuse(RENEW_SUBJECT,
		    "the request's subject is not that of the certificate to be renewed");
	if (outcome == EST_OK && !sans_equal(&old->sans, &csr->wishes.sans))
		outcome = refuse(RENEW_SAN,
		    "the request's SubjectAltName is not that of the certificate to be renewed");
	if (outcome == EST_OK && strcmp(enrollment->label->config->renew_names, "exact") == 0)
		outcome = compare_octets(csr, old);
	return outcome;
}

/* Leaves no record behind: a candidate's belongs to its page. */
static void forget(struct predecessor *old)
{
	name_clear(&old->name);
	old->sans = (struct sans){.count = 0};
	old->parts = (struct cert_parts){.sans = {NULL, 0}};
	old->record = (struct cert_record){.memory = NULL};
}

void predecessor_clear(struct predecessor *old)
{
	cert_record_clear(&old->record);
	forget(old);
}

/* What look_under() is after. */
struct search {
	const struct enrollment *enrollment;
	struct predecessor *old;
	bool found;
};

/* Whether it is the one to renew; if so, it moves to search->old. */
static bool is_predecessor(struct cert_record *candidate, void *context)
{
	struct search *search = context;
	struct predecessor *old = search->old;

	if (strcmp(candidate->label, search->enrollment->label->config->name) != 0 ||
	    cert_record_status(candidate, clock_now()) != CERT_VALID)
		return false;
	old->record = *candidate;
	search->found = compare_names(search->enrollment, old) == EST_OK;
	if (search->found)
		*candidate = (struct cert_record){0};
	else
		forget(old);
	reason_clear();
	return search->found;
}

/* One of those that the store has under the name; EST_NOT_FOUND. */
static enum outcome look_under(struct service *service, const struct enrollment *enrollment,
    const char *name, struct predecessor *old)
{
	struct search search = {enrollment, old, false};
	enum outcome outcome =
	    namesakes_visit(service->store, name, CANDIDATES_MAX, is_predecessor, &search);

	return outcome == EST_OK && !search.found ? EST_NOT_FOUND : outcome;
}

/*
 * Who comes without the certificate to be renewed renews what the store knows under the same
 * names (N-04). A device without a common name is known by the first of its SANs, which may
 * be any of the request's (N-03).
 */
static enum outcome look_up(
    struct service *service, const struct enrollment *enrollment, struct predecessor *old)
{
	const struct sans *sans = &enrollment->csr.wishes.sans;
	enum outcome outcome = look_under(service, enrollment, enrollment->record.name, old);

	for (size_t i = 1; outcome == EST_NOT_FOUND && i < sans->count &&
			   name_first(&enrollment->csr.name, "CN").len == 0;
	     i++) {
		struct buf name = {0};
		san_text(&sans->san[i], &name);
		outcome = look_under(service, enrollment, buf_string(&name), old);
		buf_free(&name);
	}
	if (outcome != EST_NOT_FOUND)
		return outcome;
	return refuse(RENEW_NOTHING,
	    "there is no valid certificate with this subject and SubjectAltName to renew; use "
	    "simpleenroll");
}

/* A subject that tells one device from another; without, SANs have to. */
static bool tells_apart(const struct csr *csr)
{
	for (size_t i = 0; i < csr->name.count; i++)
		if (csr->name.attributes[i].type != NULL &&
		    csr->name.attributes[i].type->identifies)
			return true;
	return csr->wishes.sans.count > 0;
}

/*
 * RFC 7030 3.3.2: who has several certificates may ask by any of them (N-08), for names that this
 * one holds as well: another device may have the same subject.
 */
static enum outcome by_own_certificate(
    struct service *service, const struct enrollment *enrollment, struct predecessor *old)
{
	const struct identity *identity = enrollment->identity;
	enum outcome outcome;

	old->record = identity->certificate;
	old->record.memory = NULL; /* stays the identity's */
	outcome = compare_names(enrollment, old);
	if (outcome == EST_OK || refusal_recorded(outcome) != RENEW_SAN || identity->superseded ||
	    identity->late || !tells_apart(&enrollment->csr))
		return outcome;
	reason_clear();
	forget(old);
	if (auth_allows(identity, &enrollment->csr.name, &enrollment->csr.wishes.sans) == EST_OK &&
	    look_up(service, enrollment, old) == EST_OK) {
		old->another = true;
		return EST_OK;
	}
	reason_clear();
	return refuse(
	    RENEW_SAN, "the request's SubjectAltName is not that of a certificate to be renewed");
}

enum outcome predecessor_find(
    struct service *service, const struct enrollment *enrollment, struct predecessor *old)
{
	const struct identity *identity = enrollment->identity;
	const struct csr *csr = &enrollment->csr;
	struct identity asking = *identity; /* only looked at */
	enum outcome outcome = EST_FORBIDDEN;

	if (identity_has(identity, PROOF_CERTIFICATE) && identity->trust == TRUST_EXPLICIT) {
		outcome = by_own_certificate(service, enrollment, old);
		/* Where the label wants more than it, that has to allow the name as well. */
		if (outcome == EST_OK && !identity_suffices(identity, PROOF_CERTIFICATE))
			outcome = auth_allows(identity, &csr->name, &csr->wishes.sans);
		if (outcome != EST_FORBIDDEN || !identity->is_ra)
			return outcome;
		forget(old);
		reason_clear();
	} else {
		/* T-08: it proves nothing of a renewal, alone or beside a password. */
		identity_drop(&asking, PROOF_CERTIFICATE);
		if (asking.granted_count == 0)
			return refuse(RENEW_FOREIGN,
			    "another CA's certificate cannot be renewed here; use simpleenroll");
	}
	outcome = auth_allows(&asking, &csr->name, &csr->wishes.sans);
	return outcome == EST_OK ? look_up(service, enrollment, old) : outcome;
}

enum outcome predecessor_ripe(const struct label *label, const struct predecessor *old)
{
	int64_t life = old->record.not_after - old->record.not_before + 1;
	int64_t ripe = old->record.not_before + life / 100 * label->renew_after +
		       life % 100 * label->renew_after / 100;
	char text[CLOCK_TEXT];

	if (clock_now() >= ripe)
		return EST_OK;
	return refuse(RENEW_EARLY, "the certificate may be renewed from %s on (renew_after)",
	    clock_text(ripe, text));
}
