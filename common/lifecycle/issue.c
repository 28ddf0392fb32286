#include "common/lifecycle/issue.h"

#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/lifecycle/approval.h"
#include "common/lifecycle/hook.h"
#include "common/lifecycle/request_digest.h"
#include "common/pki/key.h"
#include "common/pki/key_pair.h"
#include "common/pki/lint.h"

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

/*
 * What is used up, or superseded, is good for the answer that it was used for, and for nothing
 * else. A secret may have been used up for this very request, which waits for approval since: the
 * store lets it have one certificate.
 */
static enum outcome check_spent(const struct enrollment *enrollment)
{
	const struct identity *identity = enrollment->identity;
	unsigned spent;

	if (identity->superseded)
		return refuse(AUTH_CERTIFICATE_REVOKED,
		    "the client certificate is revoked (superseded): use the one that followed it");
	spent = identity->spent & enrollment->memory->consumes;
	if (spent == 0 || (spent == PROOF_SECRET && approval_wanted(enrollment) &&
			      memcmp(identity->secret.used_by, enrollment->memory->id,
				  sizeof(identity->secret.used_by)) == 0))
		return EST_OK;
	return refuse(AUTH_SPENT, (spent & PROOF_SECRET) != 0
				      ? "the one-time secret was used before; get another one"
				      : "the account has no uses left; the operator can add some");
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

/* One of ours, or NULL. */
static const struct cert_record *own_certificate(const struct enrollment *enrollment)
{
	const struct identity *identity = enrollment->identity;

	return identity_has(identity, PROOF_CERTIFICATE) && identity->trust == TRUST_EXPLICIT
		   ? &identity->certificate
		   : NULL;
}

/* Whether the certificate is of that name, by which a device may be called too. */
static bool has_name(const struct cert_record *own, const char *text)
{
	const char *names = own->names;
	size_t len = strlen(text);

	if (strcasecmp(own->name, text) == 0)
		return true;
	/* "dns:a.example,ip:192.0.2.1" */
	for (; names != NULL && *names != '\0'; names += strcspn(names, ",")) {
		names += strspn(names, ",");
		names += strcspn(names, ":,");
		names += *names == ':';
		if (strcspn(names, ",") == len && strncasecmp(names, text, len) == 0)
			return true;
	}
	return false;
}

/*
 * What becomes of a living device that asks for another certificate. One that comes with its own
 * does so as often as it likes; a password in its place makes a renewal no better than a first
 * one.
 */
static enum duplicates duplicates_of(const struct enrollment *enrollment)
{
	static const struct {
		const char *word;
		enum duplicates duplicates;
	} words[] = {{"refuse", DUPLICATES_REFUSE}, {"supersede", DUPLICATES_SUPERSEDE}};
	const struct cert_record *own = own_certificate(enrollment);

	if (enrollment->must_be_new)
		return DUPLICATES_REFUSE;
	if (own != NULL &&
	    (act_row(enrollment->act)->renews || has_name(own, enrollment->record.name)))
		return DUPLICATES_ALLOW;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(enrollment->label->config->duplicates, words[i].word) == 0)
			return words[i].duplicates;
	return DUPLICATES_ALLOW;
}

/* What the request rests on may be revoked while it is looked at: the store looks again. */
static void set_terms(struct service *service, struct enrollment *enrollment)
{
	struct enrollment_memory *memory = enrollment->memory;
	struct cert_terms *terms = &memory->terms;
	const struct identity *identity = enrollment->identity;

	terms->key = enrollment->key;
	if (!act_row(enrollment->act)->generates) {
		terms->request = memory->request;
		terms->since = clock_now() - service->config->retry_window;
	}
	terms->must_be_new = !enrollment->label->profile->config->key_reuse;
	if (act_row(enrollment->act)->renews) {
		terms->rests_on = memory->old.another ? &identity->certificate.serial
						      : &memory->old.record.serial;
		/* An answer that got lost is only fetched again by simplereenroll. */
		if (enrollment->label->config->supersede && !identity->late && !enrollment->cmc &&
		    !memory->old.another)
			terms->supersedes = terms->rests_on;
	} else if (own_certificate(enrollment) != NULL) {
		terms->rests_on = &identity->certificate.serial;
	}
	if (memory->approval.memory != NULL)
		terms->approval = &memory->approval;
	terms->user = identity_counted(identity, memory->consumes);
	terms->duplicates = duplicates_of(enrollment);
}

/* Makes the certificate and records it. */
static enum outcome make(struct service *service, struct enrollment *enrollment, bool key_used)
{
	struct cert_record earlier = {0};
	struct cert_terms *terms = &enrollment->memory->terms;
	enum outcome outcome = EST_OK;

	set_terms(service, enrollment);
	if (act_row(enrollment->act)->generates)
		outcome = generate(enrollment);
	else
		outcome = check_reuse(service, enrollment, key_used);
	if (outcome == EST_OK)
		outcome = sign(enrollment);
	if (outcome != EST_OK)
		return outcome;
	outcome = store_cert_add(service->store, &enrollment->record, terms, &earlier);
	if (outcome == EST_FORBIDDEN && refusal_recorded(outcome) == OTP_WRONG &&
	    (enrollment->memory->consumes & PROOF_SECRET) != 0) {
		reason_clear();
		return refuse(AUTH_SPENT, "the one-time secret was used before; get another one");
	}
	if (outcome != EST_CONFLICT || refusal_recorded(outcome) == DEVICE_EXISTS)
		return outcome;
	/* Another worker was faster with the same request: its certificate stands, ours never
	 * leaves. */
	reason_clear();
	return repeat(enrollment, &earlier);
}

/* The same device under another spelling of its name: with a dot behind it. */
static enum outcome check_text(
    struct service *service, const struct enrollment *enrollment, struct buf *text)
{
	const struct cert_record *own = own_certificate(enrollment);
	enum duplicates duplicates = duplicates_of(enrollment);
	enum outcome outcome = EST_OK;

	while (text->len > 0 && text->data[text->len - 1] == '.')
		text->len--;
	if (own != NULL && has_name(own, buf_string(text)))
		duplicates = DUPLICATES_ALLOW;
	if (text->len > 0 && strcasecmp(buf_string(text), enrollment->record.name) != 0)
		outcome = store_device_check(
		    service->store, enrollment->record.label, buf_string(text), duplicates);
	buf_free(text);
	return outcome;
}

/*
 * Every name that the certificate is to have may be a device: nobody gets that of a blocked one
 * beside his own, or that of a living one where that is refused.
 */
static enum outcome check_names(struct service *service, const struct enrollment *enrollment)
{
	const struct name *name = enrollment->memory->naming.name;
	const struct sans *sans = enrollment->memory->naming.sans;
	struct buf text = {0};
	enum outcome outcome = EST_OK;

	for (size_t i = 0; outcome == EST_OK && i < name->count; i++) {
		const struct name_attribute *attribute = &name->attributes[i];
		if (attribute->type != NULL && !attribute->type->identifies)
			continue;
		buf_add_span(&text, name_value(name, attribute));
		outcome = check_text(service, enrollment, &text);
	}
	for (size_t i = 0; outcome == EST_OK && i < sans->count; i++) {
		san_text(&sans->san[i], &text);
		outcome = check_text(service, enrollment, &text);
	}
	return outcome;
}

/* The device that asks, where its own certificate is of another label. */
static enum outcome check_asking(struct service *service, const struct enrollment *enrollment)
{
	const struct cert_record *own = own_certificate(enrollment);

	return own == NULL
		   ? EST_OK
		   : store_device_check(service->store, own->label, own->name, DUPLICATES_ALLOW);
}

/* Whether a device is blocked; and lives, which is no matter where its request is repeated. */
static enum outcome check_device(
    struct service *service, const struct enrollment *enrollment, bool *lives)
{
	enum outcome outcome = check_asking(service, enrollment);

	if (outcome == EST_OK)
		outcome = store_device_check(service->store, enrollment->record.label,
		    enrollment->record.name, duplicates_of(enrollment));
	if (outcome == EST_OK)
		outcome = check_names(service, enrollment);
	*lives = outcome == EST_CONFLICT;
	if (!*lives)
		return outcome;
	reason_clear();
	return EST_OK;
}

enum outcome enrollment_issue(struct service *service, struct enrollment *enrollment)
{
	struct enrollment_memory *memory = enrollment->memory;
	enum outcome outcome = EST_OK;
	bool key_used = false, lives = false;

	request_digest_content(enrollment, memory->request);
	outcome = check_device(service, enrollment, &lives);
	if (outcome == EST_OK && !act_row(enrollment->act)->generates)
		outcome = look_for_answer(service, enrollment, &key_used);
	if (outcome != EST_OK || enrollment->repeated)
		return outcome;
	outcome = check_spent(enrollment);
	if (outcome == EST_OK && lives)
		return refuse(DEVICE_EXISTS,
		    "the device \"%.100s\" has a valid certificate: renew it with that one, or "
		    "have "
		    "the operator delete the device first",
		    enrollment->record.name);
	if (outcome == EST_OK && hook_wanted(enrollment))
		outcome = hook_ask(service, enrollment);
	if (outcome == EST_OK && approval_wanted(enrollment))
		outcome = approval_check(
		    service, enrollment, memory->request, memory->terms.secret, &memory->approval);
	if (outcome != EST_OK || enrollment->repeated)
		return outcome;
	return make(service, enrollment, key_used);
}
