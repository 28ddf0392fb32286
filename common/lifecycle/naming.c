#include "common/lifecycle/naming.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/lifecycle/approval.h"
#include "common/lifecycle/namesake.h"

void naming_clear(struct naming *naming)
{
	name_clear(&naming->own);
	profile_names_clear(&naming->names);
	change_clear(&naming->change);
}

/*
 * A name that is proven already keeps its spelling, whatever letter case and blanks the request
 * has, unless the profile does not take it so.
 */
static void keep_spelling(const struct enrollment *enrollment, struct naming *out)
{
	const struct identity *identity = enrollment->identity;
	struct cert_parts parts;

	if (identity_has(identity, PROOF_CERTIFICATE) &&
	    cert_parse(buf_span(&identity->der), &parts) == EST_OK &&
	    name_parse(parts.subject, &out->own) == EST_OK &&
	    name_equal(&out->own, &enrollment->csr.name) &&
	    profile_takes_name(enrollment->label->profile, &out->own))
		out->name = &out->own;
	reason_clear(); /* another CA's certificate may hold a name that we do not take */
}

static enum outcome first_names(const struct enrollment *enrollment, struct naming *out)
{
	const struct profile *profile = enrollment->label->profile;
	const struct csr *csr = &enrollment->csr;
	struct buf identity = {0};
	enum outcome outcome;

	out->name = &csr->name;
	out->sans = &csr->wishes.sans;
	if (profile_plain(profile)) {
		outcome = auth_allows(enrollment->identity, out->name, out->sans);
		if (outcome == EST_OK)
			keep_spelling(enrollment, out);
		return outcome;
	}
	auth_name(enrollment->identity, &identity);
	outcome = profile_names(profile, csr, buf_span(&identity), &out->names);
	buf_free(&identity);
	/* Alternative names that the profile adds are the operator's, and nobody need be allowed
	 * them. */
	if (outcome == EST_OK)
		outcome = auth_allows(enrollment->identity, &out->names.name, &csr->wishes.sans);
	if (outcome != EST_OK)
		return outcome;
	out->name = &out->names.name;
	out->sans = &out->names.sans;
	out->differs = true;
	return EST_OK;
}

/* A profile may have been given fixed parts since; whose names lack them enrolls again. */
static enum outcome old_names(
    const struct enrollment *enrollment, const struct predecessor *old, struct naming *out)
{
	const struct profile *profile = enrollment->label->profile;
	bool taken = profile_takes_name(profile, &old->name);

	out->name = taken ? &old->name : &enrollment->csr.name;
	out->sans = &old->sans;
	out->differs = true;
	return profile_check_whole(profile, out->name, out->sans);
}

/* Whose the names that are asked for may be already. */
struct holder {
	const unsigned char *spki; /* of the request: its own certificate is nobody else's */
	bool found;
};

static bool is_held(struct cert_record *record, void *context)
{
	struct holder *holder = context;

	holder->found = cert_record_status(record, clock_now()) == CERT_VALID &&
			memcmp(record->spki, holder->spki, sizeof(record->spki)) != 0;
	return holder->found;
}

/* Whether no other device's valid certificate is filed under the text. */
static enum outcome check_text(
    struct service *service, const struct enrollment *enrollment, struct buf *text)
{
	struct holder holder = {enrollment->record.spki, false};
	enum outcome outcome =
	    namesakes_visit(service->store, buf_string(text), 0, is_held, &holder);

	buf_free(text);
	return outcome == EST_OK && holder.found
		   ? refuse(NAME_NOT_ALLOWED,
			 "there is a valid certificate of a name that is asked for")
		   : outcome;
}

/* Whoever has one of the names would be impersonated: devices are filed under their names. */
static enum outcome check_free(
    struct service *service, const struct enrollment *enrollment, const struct change *change)
{
	struct buf text = {0};
	enum outcome outcome;

	csr_device_name(&change->name, &change->sans, &text);
	outcome = check_text(service, enrollment, &text);
	for (size_t i = 0; outcome == EST_OK && i < change->sans.count; i++) {
		san_text(&change->sans.san[i], &text);
		outcome = check_text(service, enrollment, &text);
	}
	return outcome;
}

/*
 * Who may have other names: whoever may have them anyway, and where somebody looks at it and
 * approves, whoever renews or comes with a certificate of its maker (RFC 7030 4.2.1). Patterns of
 * the profile are no leave: names of other devices match them too.
 */
static enum outcome check_changed(const struct naming_question *question, struct naming *out)
{
	const struct enrollment *enrollment = question->enrollment;
	const struct identity *identity = enrollment->identity;
	const struct change *change = &out->change;
	bool known = question->old != NULL || (identity_has(identity, PROOF_CERTIFICATE) &&
						  identity->trust == TRUST_IMPLICIT);

	if (auth_allows(identity, &change->name, &change->sans) == EST_OK)
		return EST_OK;
	if (!known || identity->late || !approval_wanted(enrollment))
		return EST_FORBIDDEN;
	reason_clear();
	return check_free(question->service, enrollment, change);
}

static enum outcome changed_names(const struct naming_question *question, struct naming *out)
{
	const struct enrollment *enrollment = question->enrollment;
	enum outcome outcome;

	if (!enrollment->label->config->change_subject)
		return refuse(RENEW_CHANGE,
		    "the request asks for other names by ChangeSubjectName, which this label does "
		    "not take; leave the attribute out");
	outcome = change_parse(enrollment->csr.change, &out->change);
	if (outcome == EST_OK)
		outcome = profile_check_names(
		    enrollment->label->profile, &out->change.name, &out->change.sans);
	if (outcome == EST_OK)
		outcome = check_changed(question, out);
	out->name = &out->change.name;
	out->sans = &out->change.sans;
	out->differs = true;
	return outcome;
}

/*
 * RFC 5280 6.1.4 (l): a certificate that is named as its issuer is a CA's own, and counts for no
 * path length; nor may anything below it pass for ours.
 */
static enum outcome check_not_ca(const struct service *service, const struct name *name)
{
	for (size_t i = 0; i < service->config->ca_count; i++)
		if (name_equal(&service->ca_names[i], name))
			return refuse(NAME_NOT_ALLOWED,
			    "the subject is that of a CA of this server; ask for another name");
	return EST_OK;
}

enum outcome naming_decide(const struct naming_question *question, struct naming *out)
{
	const struct enrollment *enrollment = question->enrollment;
	enum outcome outcome = EST_OK;

	if (question->old == NULL)
		outcome = first_names(enrollment, out);
	else if (enrollment->csr.change.len == 0)
		outcome = old_names(enrollment, question->old, out);
	if (outcome == EST_OK && enrollment->csr.change.len > 0)
		outcome = changed_names(question, out);
	return outcome == EST_OK ? check_not_ca(question->service, out->name) : outcome;
}
