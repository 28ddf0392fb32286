#include "common/lifecycle/enroll.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/pki/cert.h"
#include "common/pki/key.h"
#include "common/pki/lint.h"

/* What the buffers of enrollment->memory hold. */
enum { M_SUBJECT, M_EXTENSIONS, M_DER, M_NAME, M_SUBJECT_TEXT, M_NAMES, MEMORIES };

_Static_assert(sizeof(((struct enrollment *)0)->memory) == MEMORIES * sizeof(struct buf),
    "enrollment->memory has a buffer for each");

/* The certificate that is being renewed, and what of it the new one takes over. */
struct predecessor {
	struct cert_record record;
	struct cert_parts parts;
	struct sans sans;
};

void enrollment_clear(struct enrollment *enrollment)
{
	csr_clear(&enrollment->csr);
	cert_record_clear(&enrollment->record);
	for (size_t i = 0; i < MEMORIES; i++)
		buf_free(&enrollment->memory[i]);
}

static const char *operation_name(bool renewal)
{
	return renewal ? "simplereenroll" : "simpleenroll";
}

/*
 * The request by its own account, cheap questions before dear ones: its size, its form, what the profile grants,
 * whether the key is known to others, whether its signature proves possession.
 */
static enum outcome examine(struct service *service, struct enrollment *enrollment)
{
	struct csr *csr = &enrollment->csr;
	enum outcome outcome;

	if (enrollment->request.len > (size_t)service->config->csr_limit)
		return refuse(CSR_SIZE, "the request has %zu octets, and %lld are taken",
		    enrollment->request.len, (long long)service->config->csr_limit);
	outcome = csr_parse(enrollment->request, csr);
	if (outcome == EST_OK)
		outcome = profile_check(enrollment->label->profile, csr);
	if (outcome != EST_OK)
		return outcome;
	key_sha256(csr->spki, enrollment->record.spki);
	outcome = blocklist_check(service->blocklist, &csr->key, enrollment->record.spki);
	if (outcome == EST_OK)
		outcome = csr_verify(csr);
	if (outcome == EST_OK && csr->has_challenge)
		return refuse(POP_LINKING, "the challengePassword asks for linking that cannot be "
					   "verified here; leave it out");
	return outcome;
}

/* RFC 7030 4.2.3, R-05: two requests are the same by who asks for what, never by their bytes. */
static void request_digest(const struct enrollment *enrollment, bool renewal,
    unsigned char digest[static STORE_REQUEST_SIZE])
{
	struct buf what = {0};

	buf_printf(&what, "%s%c%s%c%s%c", enrollment->label->config->name, 0,
	    operation_name(renewal), 0, enrollment->identity->text, 0);
	buf_add(&what, enrollment->record.spki, sizeof(enrollment->record.spki));
	buf_add_span(&what, enrollment->csr.subject);
	sans_encode(&enrollment->csr.wishes.sans, &what);
	key_sha256(buf_span(&what), digest);
	buf_free(&what);
}

/* What the record says of the request, before there is a certificate. */
static void describe(struct enrollment *enrollment, bool renewal)
{
	struct buf *memory = enrollment->memory;
	struct cert_record *record = &enrollment->record;

	csr_device_name(&enrollment->csr, &memory[M_NAME]);
	name_text(&enrollment->csr.name, &memory[M_SUBJECT_TEXT]);
	sans_text(&enrollment->csr.wishes.sans, &memory[M_NAMES]);
	record->name = buf_string(&memory[M_NAME]);
	record->subject = buf_string(&memory[M_SUBJECT_TEXT]);
	record->names = buf_string(&memory[M_NAMES]);
	record->label = enrollment->label->config->name;
	record->profile = enrollment->label->config->profile_name;
	record->ca = enrollment->label->config->ca_name;
	record->identity = enrollment->identity->text;
	record->operation = operation_name(renewal);
	record->revocation_reason = NOT_REVOKED;
}

/* Puts an earlier answer to the same request in the place of a new one. */
static enum outcome repeat(struct enrollment *enrollment, const struct cert_record *earlier)
{
	enrollment->record = *earlier;
	enrollment->repeated = true;
	return EST_OK;
}

/* The name that is proven already: of the certificate that is renewed, or that asks. None: not parsed. */
static bool proven_name(
    const struct enrollment *enrollment, const struct predecessor *old, struct name *out)
{
	struct cert_parts parts;

	if (old != NULL)
		return name_parse(old->parts.subject, out) == EST_OK;
	return enrollment->identity->by_certificate &&
	       cert_parse(buf_span(&enrollment->identity->der), &parts) == EST_OK &&
	       name_parse(parts.subject, out) == EST_OK;
}

/*
 * The subject to issue, encoded afresh: a name that is proven already keeps its spelling, whatever letter case
 * and blanks the request has; else it is the request's.
 */
static struct span subject_of(struct enrollment *enrollment, const struct predecessor *old)
{
	struct buf *fresh = &enrollment->memory[M_SUBJECT];
	struct name own = {.count = 0};
	bool is_own = proven_name(enrollment, old, &own) && name_equal(&own, &enrollment->csr.name);

	name_encode(is_own ? &own : &enrollment->csr.name, fresh);
	name_clear(&own);
	reason_clear(); /* another CA's certificate may hold a name that we do not take */
	return buf_span(fresh);
}

/* Signs. */
static enum outcome sign(struct enrollment *enrollment, const struct predecessor *old)
{
	struct profile *profile = enrollment->label->profile;
	struct buf *memory = enrollment->memory;
	struct cert_record *record = &enrollment->record;
	struct lint_want want = {.spki = enrollment->csr.spki,
	    .subject = subject_of(enrollment, old),
	    .sans = old == NULL ? &enrollment->csr.wishes.sans : &old->sans,
	    .profile = profile};
	struct cert_plan plan = {.spki = want.spki, .subject = want.subject, .want = &want};
	enum outcome outcome;

	profile_extensions(profile, &enrollment->csr, want.sans, &memory[M_EXTENSIONS]);
	plan.extensions = buf_span(&memory[M_EXTENSIONS]);
	record->issued_at = clock_now();
	plan.not_before = record->issued_at - profile->config->backdate;
	/* RFC 5280 4.1.2.5: both ends belong to the validity, so it is a second shorter than their
	 * distance. */
	plan.not_after = plan.not_before + profile->config->validity - 1;
	outcome = ca_issue(enrollment->label->ca, &plan, &memory[M_DER]);
	if (outcome != EST_OK)
		return outcome;
	record->serial.len = CERT_SERIAL_SIZE;
	memcpy(record->serial.octets, plan.serial, CERT_SERIAL_SIZE);
	record->not_before = plan.not_before;
	record->not_after = plan.not_after;
	record->der = buf_span(&memory[M_DER]);
	return EST_OK;
}

/* From an examined and allowed request to a recorded certificate. */
static enum outcome issue(
    struct service *service, struct enrollment *enrollment, const struct predecessor *old)
{
	unsigned char request[STORE_REQUEST_SIZE];
	struct cert_record earlier = {0};
	int64_t since = clock_now() - service->config->retry_window;
	enum outcome outcome;

	/* Before the same request gets the same answer: what was granted to a key may not be granted any more. */
	outcome = store_key_check(service->store, enrollment->record.spki, false);
	if (outcome != EST_OK)
		return outcome;
	request_digest(enrollment, old != NULL, request);
	outcome = store_cert_of_request(service->store, request, since, &earlier);
	if (outcome == EST_OK)
		return repeat(enrollment, &earlier);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	outcome = EST_OK;
	enrollment->record.must_be_new = !enrollment->label->profile->config->key_reuse;
	if (enrollment->record.must_be_new)
		outcome = store_key_check(service->store, enrollment->record.spki, true);
	if (outcome == EST_OK)
		outcome = sign(enrollment, old);
	if (outcome != EST_OK)
		return outcome;
	/* What the request rests on may have been revoked since we looked: the store looks again. */
	if (old != NULL)
		enrollment->record.rests_on = &old->record.serial;
	else if (enrollment->identity->by_certificate &&
		 enrollment->identity->trust == TRUST_EXPLICIT)
		enrollment->record.rests_on = &enrollment->identity->certificate.serial;
	outcome = store_cert_add(service->store, &enrollment->record, request, since, &earlier);
	enrollment->record.rests_on = NULL;
	if (outcome == EST_CONFLICT) {
		/* Another worker was faster with the same request: its certificate stands, ours
		 * never leaves. */
		reason_clear();
		return repeat(enrollment, &earlier);
	}
	return outcome;
}

enum outcome enroll(struct service *service, struct enrollment *enrollment)
{
	enum outcome outcome = examine(service, enrollment);

	if (outcome != EST_OK)
		return outcome;
	describe(enrollment, false);
	outcome = auth_allows(enrollment->identity, &enrollment->csr);
	return outcome == EST_OK ? issue(service, enrollment, NULL) : outcome;
}

/* RFC 7030 4.2.2: the names in the request are those of the certificate, compared as RFC 5280 7.1
 * does. */
static enum outcome compare_names(const struct csr *csr, struct predecessor *old)
{
	struct name subject;
	enum outcome outcome = cert_parse(old->record.der, &old->parts);

	if (outcome != EST_OK)
		return outcome;
	outcome = name_parse(old->parts.subject, &subject);
	if (outcome == EST_OK && old->parts.sans.len > 0)
		outcome = sans_parse(old->parts.sans, &old->sans);
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

/* The names are the predecessor's to the letter, so they are also what is recorded of the
 * successor. */
static void inherit(struct enrollment *enrollment, const struct predecessor *old)
{
	const struct {
		const char **member;
		const char *text;
		unsigned memory;
	} inherited[] = {
	    {&enrollment->record.name, old->record.name, M_NAME},
	    {&enrollment->record.subject, old->record.subject, M_SUBJECT_TEXT},
	    {&enrollment->record.names, old->record.names, M_NAMES},
	};

	for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		struct buf *memory = &enrollment->memory[inherited[i].memory];
		buf_reset(memory);
		buf_add_string(memory, inherited[i].text);
		*inherited[i].member = buf_string(memory);
	}
}

/* Who comes without the certificate to be renewed renews what the store knows under the same names
 * (N-04). */
static enum outcome look_up(
    struct service *service, const struct enrollment *enrollment, struct predecessor *old)
{
	struct buf token = {0};
	struct cert_query query = {
	    .order = CERTS_BY_NAME, .name = enrollment->record.name, .limit = 64};
	enum outcome outcome;
	bool found = false;

	do {
		struct cert_page page = {0};
		query.token = buf_span(&token);
		outcome = store_cert_list(service->store, &query, &page);
		for (size_t i = 0; outcome == EST_OK && i < page.count && !found; i++)
			found = is_predecessor(enrollment, &page.records[i], old);
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		cert_page_clear(&page);
	} while (outcome == EST_OK && !found && token.len > 0);
	buf_free(&token);
	if (outcome != EST_OK || found)
		return outcome;
	return refuse(RENEW_NOTHING,
	    "there is no valid certificate with this subject and SubjectAltName to renew; use "
	    "simpleenroll");
}

static enum outcome find_predecessor(
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

enum outcome renew(struct service *service, struct enrollment *enrollment)
{
	struct predecessor old = {0};
	enum outcome outcome = examine(service, enrollment);

	if (outcome != EST_OK)
		return outcome;
	describe(enrollment, true);
	outcome = find_predecessor(service, enrollment, &old);
	if (outcome == EST_OK) {
		inherit(enrollment, &old);
		outcome = issue(service, enrollment, &old);
	}
	cert_record_clear(&old.record);
	return outcome;
}
