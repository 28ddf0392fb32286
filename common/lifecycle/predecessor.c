#include "common/lifecycle/predecessor.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"

enum { CANDIDATES_MAX = 1000 }; /* certificates of one name that are looked at */

/* What we issued can be read, or the store holds something else. */
static enum outcome read_names(struct predecessor *old, struct name *subject)
{
	char serial[2 * SERIAL_MAX + 1];

	if (cert_parse(old->record.der, &old->parts) == EST_OK &&
	    name_parse(old->parts.subject, subject) == EST_OK &&
	    (old->parts.sans.len == 0 || sans_parse(old->parts.sans, &old->sans) == EST_OK))
		return EST_OK;
	reason_clear();
	return reason(EST_INTERNAL, "certificate %s of the store cannot be read",
	    serial_text(&old->record.serial, serial));
}

/* RFC 7030 4.2.2: the names in the request are those of the certificate, compared as RFC 5280 7.1
 * does. */
static enum outcome compare_names(const struct csr *csr, struct predecessor *old)
{
	struct name subject = {.count = 0};
	enum outcome outcome = read_names(old, &subject);

	if (outcome == EST_OK && !name_equal(&subject, &csr->name))
		outcome = refuse(RENEW_SUBJECT,
		    "the request's subject is not that of the certificate to be renewed");
	if (outcome == EST_OK && !sans_equal(&old->sans, &csr->wishes.sans))
		outcome = refuse(RENEW_SAN,
		    "the request's SubjectAltName is not that of the certificate to be renewed");
	name_clear(&subject);
	return outcome;
}

/* Whether the page's i-th certificate is the one to renew; if so, it moves to old. */
static bool is_predecessor(
    const struct enrollment *enrollment, struct cert_record *candidate, struct predecessor *old)
{
	if (strcmp(candidate->label, enrollment->label->config->name) != 0 ||
	    cert_record_status(candidate, clock_now()) != CERT_VALID)
		return false;
	old->record = *candidate;
	old->sans = (struct sans){.count = 0};
	if (compare_names(&enrollment->csr, old) == EST_OK) {
		*candidate = (struct cert_record){0};
		return true;
	}
	reason_clear();
	old->record = (struct cert_record){0};
	return false;
}

/* One of those that the store has under the name; EST_NOT_FOUND. */
static enum outcome look_under(struct service *service, const struct enrollment *enrollment,
    const char *name, struct predecessor *old)
{
	struct buf token = {0};
	struct cert_query query = {.order = CERTS_BY_NAME, .name = name, .limit = 64};
	enum outcome outcome;
	size_t seen = 0;
	bool found = false;

	do {
		struct cert_page page = {0};
		query.token = buf_span(&token);
		outcome = store_cert_list(service->store, &query, &page);
		for (size_t i = 0; outcome == EST_OK && i < page.count && !found; i++)
			found = is_predecessor(enrollment, &page.records[i], old);
		seen += page.count;
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		cert_page_clear(&page);
	} while (outcome == EST_OK && !found && token.len > 0 && seen < CANDIDATES_MAX);
	buf_free(&token);
	return outcome == EST_OK && !found ? EST_NOT_FOUND : outcome;
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

enum outcome predecessor_find(
    struct service *service, const struct enrollment *enrollment, struct predecessor *old)
{
	const struct identity *identity = enrollment->identity;
	enum outcome outcome;

	if (identity->by_certificate && identity->trust == TRUST_EXPLICIT) {
		old->record = identity->certificate;
		old->record.memory = NULL; /* stays the identity's */
		outcome = compare_names(&enrollment->csr, old);
		/* Where the label wants both, the user has to be allowed the name as well. */
		return outcome == EST_OK && identity->wants_both
			   ? auth_allows(identity, &enrollment->csr)
			   : outcome;
	}
	if (!identity->by_password)
		return refuse(RENEW_FOREIGN,
		    "another CA's certificate cannot be renewed here; use simpleenroll");
	outcome = auth_allows(identity, &enrollment->csr);
	return outcome == EST_OK ? look_up(service, enrollment, old) : outcome;
}
