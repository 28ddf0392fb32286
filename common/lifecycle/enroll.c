#include "common/lifecycle/enroll.h"

#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/lifecycle/predecessor.h"
#include "common/pki/cert.h"
#include "common/pki/key.h"
#include "common/pki/lint.h"

/* What the buffers of enrollment->memory hold. */
enum { M_SUBJECT, M_EXTENSIONS, M_DER, M_NAME, M_SUBJECT_TEXT, M_NAMES, MEMORIES };

_Static_assert(sizeof(((struct enrollment *)0)->memory) == MEMORIES * sizeof(struct buf),
    "enrollment->memory has a buffer for each");

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
 * The request by its own account, cheap questions before dear ones: its size, its form, what the
 * profile grants, whether the key is known to others, whether its signature proves possession.
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
	key_identity(&csr->key, enrollment->key);
	enrollment->record.key = enrollment->key;
	outcome = blocklist_check(service->blocklist, &csr->key, enrollment->record.spki);
	if (outcome == EST_OK && csr->key.other_exponent)
		outcome = blocklist_check(service->blocklist, &csr->key, enrollment->key);
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
	buf_printf(&what, "%x", enrollment->csr.wishes.key_usage);
	buf_add_span(&what, enrollment->csr.wishes.extended_key_usage);
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

/*
 * The name that is proven already: of the certificate that is renewed,
 * or that asks. None: not parsed.
 */
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
 * The subject to issue, encoded afresh: a name that is proven already keeps its
 * spelling, whatever letter case and blanks the request has, unless the profile does not
 * take it so; else it is the request's.
 */
static struct span subject_of(struct enrollment *enrollment, const struct predecessor *old)
{
	struct buf *fresh = &enrollment->memory[M_SUBJECT];
	struct name own = {.count = 0};
	bool is_own = proven_name(enrollment, old, &own) &&
		      name_equal(&own, &enrollment->csr.name) &&
		      profile_takes_name(enrollment->label->profile, &own);

	name_encode(is_own ? &own : &enrollment->csr.name, fresh);
	name_clear(&own);
	reason_clear(); /* another CA's certificate may hold a name that we do not take */
	return buf_span(fresh);
}

enum {
	FRAME = 512
}; /* octets that a certificate has beside its names, key and requested extensions, at most */

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
	if (plan.subject.len + plan.extensions.len + enrollment->label->ca->subject.len + FRAME >
	    LINT_SIZE_MAX)
		return refuse(
		    CSR_SIZE, "the certificate would have more than %d octets", LINT_SIZE_MAX);
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

/* Where a key may have several names, that it has is worth a word in the log. */
static enum outcome note_other_names(struct service *service, struct enrollment *enrollment)
{
	struct cert_query query = {
	    .order = CERTS_BY_SPKI, .spki = enrollment->record.spki, .limit = 8};
	struct cert_page page = {0};
	enum outcome outcome = store_cert_list(service->store, &query, &page);

	for (size_t i = 0; i < page.count; i++)
		enrollment->key_shared |=
		    strcasecmp(page.records[i].name, enrollment->record.name) != 0;
	cert_page_clear(&page);
	return outcome;
}

/* From an examined and allowed request to a recorded certificate. */
static enum outcome issue(
    struct service *service, struct enrollment *enrollment, const struct predecessor *old)
{
	unsigned char request[STORE_REQUEST_SIZE];
	struct cert_record earlier = {0};
	int64_t since = clock_now() - service->config->retry_window;
	enum outcome outcome, key;

	/*
	 * Before the same request gets the same answer: what was granted to a
	 * key may not be granted any more. That it is in use is no matter yet.
	 */
	key = store_key_check(service->store, enrollment->key, enrollment->record.spki);
	if (key != EST_OK && key != EST_FORBIDDEN)
		return key;
	reason_clear();
	request_digest(enrollment, old != NULL, request);
	outcome = store_cert_of_request(service->store, request, since, &earlier);
	if (outcome == EST_OK)
		return repeat(enrollment, &earlier);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	outcome = EST_OK;
	enrollment->record.must_be_new = !enrollment->label->profile->config->key_reuse;
	if (key == EST_FORBIDDEN && enrollment->record.must_be_new)
		outcome = store_key_check(service->store, enrollment->key, enrollment->record.spki);
	else if (key == EST_FORBIDDEN)
		outcome = note_other_names(service, enrollment);
	if (outcome == EST_OK)
		outcome = sign(enrollment, old);
	if (outcome != EST_OK)
		return outcome;
	/*
	 * What the request rests on may have been revoked since we looked: the store looks again.
	 */
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

enum outcome renew(struct service *service, struct enrollment *enrollment)
{
	struct predecessor old = {0};
	enum outcome outcome = examine(service, enrollment);

	if (outcome != EST_OK)
		return outcome;
	describe(enrollment, true);
	outcome = predecessor_find(service, enrollment, &old);
	if (outcome == EST_OK) {
		inherit(enrollment, &old);
		outcome = issue(service, enrollment, &old);
	}
	cert_record_clear(&old.record);
	return outcome;
}
