#include "common/lifecycle/enroll.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/refusal.h"
#include "common/lifecycle/issue.h"
#include "common/lifecycle/request_digest.h"
#include "common/pki/cert.h"
#include "common/pki/csrattrs.h"
#include "common/pki/key.h"

static const struct act_row acts[ACTS] = {
    [ACT_ENROLL] = {"simpleenroll", CSR_KEY_PROVEN, false, false},
    [ACT_RENEW] = {"simplereenroll", CSR_KEY_PROVEN, true, false},
    [ACT_GENERATE] = {"serverkeygen", CSR_KEY_ANY, false, true},
};

const struct act_row *act_row(enum act act)
{
	return &acts[act];
}

const char *act_name(enum act act)
{
	return acts[act].name;
}

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

static bool rests_on_secret(const struct enrollment *enrollment)
{
	return (enrollment->memory->consumes & PROOF_SECRET) != 0;
}

/* The digest of the secret that is to be used up, or NULL. */
static const unsigned char *secret_of(const struct enrollment *enrollment)
{
	if (enrollment->secret != NULL)
		return enrollment->secret;
	if (enrollment->linking.uses_secret)
		return enrollment->linking.secret;
	return rests_on_secret(enrollment) ? enrollment->identity->secret.digest : NULL;
}

/* The challenges, the secret among them to be used up with what is granted. */
static enum outcome check_linking(struct service *service, struct enrollment *enrollment)
{
	struct enrollment_memory *memory = enrollment->memory;
	const char *name = rests_on_secret(enrollment) ? enrollment->identity->secret.name
						       : enrollment->record.name;
	const struct linking_question question = {.service = service,
	    .label = enrollment->label,
	    .identity = enrollment->identity,
	    .binding = enrollment->binding,
	    .csr = &enrollment->csr,
	    .name = name,
	    .names = &memory->naming,
	    .proven = enrollment->secret != NULL || rests_on_secret(enrollment),
	    .request = memory->id};
	enum outcome outcome;

	if (linking_wants_secret(&question) || enrollment->secret != NULL ||
	    rests_on_secret(enrollment))
		request_digest_id(enrollment, memory->id);
	outcome = linking_check(&question, &enrollment->linking);
	if (outcome != EST_OK)
		return outcome;
	memory->secret = (struct secret_use){.name = name,
	    .label = enrollment->label->config->name,
	    .digest = secret_of(enrollment),
	    .request = memory->id};
	enrollment->uses_secret = memory->secret.digest != NULL;
	if (enrollment->uses_secret)
		memory->terms.secret = &memory->secret;
	if (enrollment->linking.revocation.len > 0)
		memory->terms.revocation_hash = buf_string(&enrollment->linking.revocation);
	return EST_OK;
}

/* --- who may --- */

/* What is used up, by the names as auth_allows() was asked for them. */
static unsigned consumes(const struct enrollment *enrollment)
{
	const struct naming *naming = &enrollment->memory->naming;
	const struct csr *csr = &enrollment->csr;
	struct identity asking = *enrollment->identity; /* only looked at */

	/* T-08: another CA's certificate is no part of a renewal. */
	if (acts[enrollment->act].renews && asking.trust != TRUST_EXPLICIT)
		identity_drop(&asking, PROOF_CERTIFICATE);
	return auth_consumes(
	    &asking, naming->name, csr->change.len > 0 ? &naming->change.sans : &csr->wishes.sans);
}

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
	if (outcome != EST_OK)
		return outcome;
	if (memory->naming.differs)
		describe(enrollment, memory->naming.name, memory->naming.sans);
	memory->consumes = consumes(enrollment);
	return EST_OK;
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
	if (outcome == EST_OK)
		outcome = enrollment_issue(service, enrollment);
	enrollment->uses_secret &= outcome == EST_OK || outcome == EST_PENDING;
	return outcome;
}
