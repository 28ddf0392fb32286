#include "common/lifecycle/enroll.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/lifecycle/approval.h"
#include "common/lifecycle/naming.h"
#include "common/lifecycle/predecessor.h"
#include "common/lifecycle/request_digest.h"
#include "common/pki/cert.h"
#include "common/pki/csrattrs.h"
#include "common/pki/key.h"
#include "common/pki/key_pair.h"
#include "common/pki/lint.h"

/* What the acts differ in. */
static const struct act_row {
	const char *name;
	enum csr_use use;
	bool renews, generates;
} acts[ACTS] = {
    [ACT_ENROLL] = {"simpleenroll", CSR_KEY_PROVEN, false, false},
    [ACT_RENEW] = {"simplereenroll", CSR_KEY_PROVEN, true, false},
    [ACT_GENERATE] = {"serverkeygen", CSR_KEY_ANY, false, true},
};

const char *act_name(enum act act)
{
	return acts[act].name;
}

/* What lives as long as the enrollment, and leads nowhere else. */
struct enrollment_memory {
	struct predecessor old; /* of a renewal */
	struct naming naming;
	struct cert_terms terms;
	struct secret_use secret;
	struct pending_record approval;
	unsigned char request[STORE_REQUEST_SIZE];
	unsigned char id[32]; /* request_digest_id(), where a secret is used up for it */
	struct buf subject, extensions, der, spki;
	struct buf name, subject_text, names; /* of the record */
};

void enrollment_clear(struct enrollment *enrollment)
{
	struct enrollment_memory *memory = enrollment->memory;

	csr_clear(&enrollment->csr);
	cert_record_clear(&enrollment->record);
	linking_clear(&enrollment->linking);
	buf_cleanse(&enrollment->generated);
	if (memory == NULL)
		return;
	predecessor_clear(&memory->old);
	naming_clear(&memory->naming);
	pending_record_clear(&memory->approval);
	buf_free(&memory->subject);
	buf_free(&memory->extensions);
	buf_free(&memory->der);
	buf_free(&memory->spki);
	buf_free(&memory->name);
	buf_free(&memory->subject_text);
	buf_free(&memory->names);
	free(memory);
	enrollment->memory = NULL;
}

/* --- the request by its own account --- */

static enum outcome parse(struct service *service, struct enrollment *enrollment)
{
	size_t limit = service_csr_limit(service, enrollment->label);

	if (enrollment->assembled != NULL) {
		enrollment->csr = *enrollment->assembled;
		*enrollment->assembled = (struct csr){.der = {NULL, 0}};
		return EST_OK;
	}
	if (enrollment->request.len > limit)
		return refuse(CSR_SIZE, "the request has %zu octets, and %zu are taken",
		    enrollment->request.len, limit);
	return csr_parse(enrollment->request, acts[enrollment->act].use, &enrollment->csr);
}

/* Whether the key is one that anybody may have, and whether it is the sender's. */
static enum outcome examine_key(struct service *service, struct enrollment *enrollment)
{
	const struct csr *csr = &enrollment->csr;
	enum outcome outcome;

	key_identity(&csr->key, enrollment->key);
	outcome = blocklist_check(service->blocklist, &csr->key, enrollment->record.spki);
	if (outcome == EST_OK && csr->key.other_exponent)
		outcome = blocklist_check(service->blocklist, &csr->key, enrollment->key);
	if (outcome == EST_OK && csr->der.len > 0)
		outcome = csr_verify(csr, enrollment->label->config->sha1_requests);
	return outcome;
}

/*
 * Cheap questions before dear ones: its size, its form, what the profile grants, whether the key is
 * known to others, whether its signature proves possession.
 */
static enum outcome examine(struct service *service, struct enrollment *enrollment)
{
	const struct label *label = enrollment->label;
	bool generates = acts[enrollment->act].generates;
	enum outcome outcome = parse(service, enrollment);

	if (outcome == EST_OK)
		outcome = profile_check(label->profile, &enrollment->csr, !generates);
	if (outcome == EST_OK && label->config->csrattrs_enforce && label->csrattrs.len > 0)
		outcome = csrattrs_enforce(buf_span(&label->csrattrs), &enrollment->csr);
	if (outcome != EST_OK)
		return outcome;
	key_sha256(enrollment->csr.spki, enrollment->record.spki);
	return generates ? EST_OK : examine_key(service, enrollment);
}

/* What the record says: of the request first, and of the certificate once its names are known. */
static void describe(
    struct enrollment *enrollment, const struct name *name, const struct sans *sans)
{
	struct enrollment_memory *memory = enrollment->memory;
	struct cert_record *record = &enrollment->record;

	buf_reset(&memory->name);
	buf_reset(&memory->subject_text);
	buf_reset(&memory->names);
	csr_device_name(name, sans, &memory->name);
	name_text(name, &memory->subject_text);
	sans_text(sans, &memory->names);
	record->name = buf_string(&memory->name);
	record->subject = buf_string(&memory->subject_text);
	record->names = buf_string(&memory->names);
	record->label = enrollment->label->config->name;
	record->profile = enrollment->label->config->profile_name;
	record->ca = enrollment->label->config->ca_name;
	record->identity = enrollment->identity->text;
	record->operation = act_name(enrollment->act);
	record->revocation_reason = NOT_REVOKED;
}

/* The challenges, the secret among them to be used up with what is granted. */
static enum outcome check_linking(struct service *service, struct enrollment *enrollment)
{
	struct enrollment_memory *memory = enrollment->memory;
	const struct linking_question question = {.service = service,
	    .label = enrollment->label,
	    .identity = enrollment->identity,
	    .binding = enrollment->binding,
	    .csr = &enrollment->csr,
	    .name = enrollment->record.name,
	    .names = &memory->naming,
	    .proven = enrollment->secret != NULL,
	    .request = memory->id};
	enum outcome outcome;

	if (linking_wants_secret(&question) || enrollment->secret != NULL)
		request_digest_id(enrollment, memory->id);
	outcome = linking_check(&question, &enrollment->linking);
	if (outcome != EST_OK)
		return outcome;
	if (enrollment->secret != NULL) {
		memcpy(enrollment->linking.secret, enrollment->secret,
		    sizeof(enrollment->linking.secret));
		enrollment->linking.uses_secret = true;
	}
	if (enrollment->linking.uses_secret) {
		memory->secret = (struct secret_use){.name = enrollment->record.name,
		    .label = enrollment->label->config->name,
		    .digest = enrollment->linking.secret,
		    .request = memory->id};
		memory->terms.secret = &memory->secret;
	}
	if (enrollment->linking.revocation.len > 0)
		memory->terms.revocation_hash = buf_string(&enrollment->linking.revocation);
	return EST_OK;
}

/* --- the certificate --- */

enum {
	FRAME = 512
}; /* octets that a certificate has beside its names, key and requested extensions, at most */

/* Signs. */
static enum outcome sign(struct enrollment *enrollment)
{
	struct profile *profile = enrollment->label->profile;
	struct enrollment_memory *memory = enrollment->memory;
	const struct naming *naming = &memory->naming;
	struct cert_record *record = &enrollment->record;
	struct lint_want want = {
	    .spki = enrollment->csr.spki, .sans = naming->sans, .profile = profile};
	struct cert_plan plan = {.spki = want.spki, .want = &want};
	enum outcome outcome;

	name_encode(naming->name, &memory->subject);
	want.subject = buf_span(&memory->subject);
	plan.subject = want.subject;
	profile_extensions(
	    profile, &enrollment->csr, naming->sans, naming->name->count == 0, &memory->extensions);
	plan.extensions = buf_span(&memory->extensions);
	if (plan.subject.len + plan.extensions.len + enrollment->label->ca->subject.len + FRAME >
	    LINT_SIZE_MAX)
		return refuse(
		    CSR_SIZE, "the certificate would have more than %d octets", LINT_SIZE_MAX);
	record->issued_at = clock_now();
	plan.not_before = record->issued_at - profile->config->backdate;
	/* RFC 5280 4.1.2.5: both ends belong to the validity, so it is a second shorter than their
	 * distance. */
	plan.not_after = plan.not_before + profile->config->validity - 1;
	outcome = ca_issue(enrollment->label->ca, &plan, &memory->der);
	if (outcome != EST_OK)
		return outcome;
	record->serial.len = CERT_SERIAL_SIZE;
	memcpy(record->serial.octets, plan.serial, CERT_SERIAL_SIZE);
	record->not_before = plan.not_before;
	record->not_after = plan.not_after;
	record->der = buf_span(&memory->der);
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

/* Puts an earlier answer to the same request in the place of a new one. */
static enum outcome repeat(struct enrollment *enrollment, const struct cert_record *earlier)
{
	enrollment->record = *earlier;
	enrollment->repeated = true;
	return EST_OK;
}

/* What was granted to a key may not be granted any more; else the same request, the same answer. */
static enum outcome look_for_answer(
    struct service *service, struct enrollment *enrollment, bool *key_used)
{
	struct cert_record earlier = {0};
	enum outcome outcome =
	    store_key_check(service->store, enrollment->key, enrollment->record.spki);

	*key_used = outcome == EST_FORBIDDEN; /* which is no matter yet */
	if (outcome != EST_OK && outcome != EST_FORBIDDEN)
		return outcome;
	reason_clear();
	outcome = store_cert_of_request(service->store, enrollment->memory->request,
	    clock_now() - service->config->retry_window, &earlier);
	if (outcome == EST_OK)
		return repeat(enrollment, &earlier);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	if (enrollment->identity->superseded)
		return refuse(AUTH_CERTIFICATE_REVOKED,
		    "the client certificate is revoked (superseded): use the one that followed it");
	return EST_OK;
}

static enum outcome check_reuse(
    struct service *service, struct enrollment *enrollment, bool key_used)
{
	if (enrollment->memory->terms.must_be_new)
		return key_used ? store_key_check(
				      service->store, enrollment->key, enrollment->record.spki)
				: EST_OK;
	return key_used ? note_other_names(service, enrollment) : EST_OK;
}

/* Makes the device's key, which takes the place of the request's (RFC 7030 4.4.1). */
static enum outcome generate(struct enrollment *enrollment)
{
	const struct label *label = enrollment->label;
	struct csr *csr = &enrollment->csr;
	struct buf *spki = &enrollment->memory->spki;
	const char *word =
	    key_pair_word(label->config->generated_key, &label->profile->config->keys, &csr->key);
	enum outcome outcome = key_pair_make(word, &enrollment->generated, spki);

	if (outcome == EST_OK)
		outcome = key_parse(buf_span(spki), &csr->key);
	if (outcome != EST_OK)
		return outcome;
	csr->spki = csr->key.spki;
	/* What the request asks for has to suit the key that it got. */
	outcome = profile_check(label->profile, csr, true);
	if (outcome != EST_OK)
		return outcome;
	key_sha256(csr->spki, enrollment->record.spki);
	key_identity(&csr->key, enrollment->key);
	return EST_OK;
}

/* What the request rests on may be revoked while it is looked at: the store looks again. */
static void set_terms(struct service *service, struct enrollment *enrollment)
{
	struct enrollment_memory *memory = enrollment->memory;
	struct cert_terms *terms = &memory->terms;
	const struct identity *identity = enrollment->identity;

	terms->key = enrollment->key;
	if (!acts[enrollment->act].generates) {
		terms->request = memory->request;
		terms->since = clock_now() - service->config->retry_window;
	}
	terms->must_be_new = !enrollment->label->profile->config->key_reuse;
	if (acts[enrollment->act].renews) {
		terms->rests_on = memory->old.another ? &identity->certificate.serial
						      : &memory->old.record.serial;
		/* An answer that got lost is only fetched again by simplereenroll. */
		if (enrollment->label->config->supersede && !identity->late && !enrollment->cmc &&
		    !memory->old.another)
			terms->supersedes = terms->rests_on;
	} else if (identity->by_certificate && identity->trust == TRUST_EXPLICIT) {
		terms->rests_on = &identity->certificate.serial;
	}
	if (memory->approval.memory != NULL)
		terms->approval = &memory->approval;
}

/* Makes the certificate and records it. */
static enum outcome make(struct service *service, struct enrollment *enrollment, bool key_used)
{
	struct cert_record earlier = {0};
	struct cert_terms *terms = &enrollment->memory->terms;
	enum outcome outcome = EST_OK;

	set_terms(service, enrollment);
	if (acts[enrollment->act].generates)
		outcome = generate(enrollment);
	else
		outcome = check_reuse(service, enrollment, key_used);
	if (outcome == EST_OK)
		outcome = sign(enrollment);
	if (outcome != EST_OK)
		return outcome;
	outcome = store_cert_add(service->store, &enrollment->record, terms, &earlier);
	if (outcome != EST_CONFLICT)
		return outcome;
	/* Another worker was faster with the same request: its certificate stands, ours never
	 * leaves. */
	reason_clear();
	return repeat(enrollment, &earlier);
}

/* From an examined and allowed request to a recorded certificate. */
static enum outcome issue(struct service *service, struct enrollment *enrollment)
{
	struct enrollment_memory *memory = enrollment->memory;
	enum outcome outcome = EST_OK;
	bool key_used = false;

	request_digest_content(enrollment, memory->request);
	if (!acts[enrollment->act].generates)
		outcome = look_for_answer(service, enrollment, &key_used);
	if (outcome == EST_OK && !enrollment->repeated && approval_wanted(enrollment))
		outcome = approval_check(
		    service, enrollment, memory->request, memory->terms.secret, &memory->approval);
	if (outcome != EST_OK || enrollment->repeated)
		return outcome;
	return make(service, enrollment, key_used);
}

/* --- who may --- */

/* Which names the certificate gets, and whether who asks may have them. */
static enum outcome authorize(struct service *service, struct enrollment *enrollment)
{
	struct enrollment_memory *memory = enrollment->memory;
	const struct predecessor *old = NULL;
	struct naming_question question = {.service = service, .enrollment = enrollment};
	enum outcome outcome = EST_OK;

	if (acts[enrollment->act].renews) {
		outcome = predecessor_find(service, enrollment, &memory->old);
		/* A renewal that was answered is answered again, and was ripe then. */
		if (outcome == EST_OK && !enrollment->identity->superseded &&
		    enrollment->label->renew_after > 0)
			outcome = predecessor_ripe(enrollment->label, &memory->old);
		old = &memory->old;
	}
	if (outcome == EST_OK) {
		question.old = old;
		outcome = naming_decide(&question, &memory->naming);
	}
	if (outcome == EST_OK && memory->naming.differs)
		describe(enrollment, memory->naming.name, memory->naming.sans);
	return outcome;
}

enum outcome enroll(struct service *service, struct enrollment *enrollment)
{
	struct enrollment_memory *memory = mem_alloc(sizeof(*memory));
	enum outcome outcome;

	enrollment->memory = memory;
	outcome = examine(service, enrollment);
	if (outcome != EST_OK)
		return outcome;
	describe(enrollment, &enrollment->csr.name, &enrollment->csr.wishes.sans);
	outcome = authorize(service, enrollment);
	if (outcome == EST_OK)
		outcome = check_linking(service, enrollment);
	return outcome == EST_OK ? issue(service, enrollment) : outcome;
}
