/*
 * fullcmc_revoke.c - revocations that a Full PKI Request asks for (RFC 5272 6.11).
 */
#include "common/auth/password.h"
#include "common/base/clock.h"
#include "common/lifecycle/fullcmc_work.h"
#include "common/lifecycle/revoke.h"
#include "common/pki/cmc_revocation.h"

/*
 * Reasons of RFC 5280 5.3.1 that a device may give: those that its own certificate can have, for
 * good.
 */
static const int reasons[] = {0, 1, 3, 4, 5, 9};

static bool is_reason(int code)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i] == code)
			return true;
	return false;
}

/* Whether the message is signed by the key of the certificate itself. */
static bool is_signer(const struct fullcmc_work *work, const struct serial *serial)
{
	for (size_t i = 0; i < work->signer_count; i++)
		if (serial_equal(&work->signers[i].record.serial, serial))
			return true;
	return false;
}

/*
 * Whether the secret is the revocationChallenge that the certificate was requested with. serial
 * NULL: there is no such certificate, which takes as long to tell.
 */
static enum outcome check_secret(
    struct fullcmc_work *work, const struct serial *serial, struct span secret)
{
	struct buf hash = {0};
	enum outcome outcome = EST_NOT_FOUND;

	if (serial != NULL)
		outcome = store_revocation_hash(work->exchange->service->store, serial, &hash);
	if (outcome == EST_OK || outcome == EST_NOT_FOUND) {
		reason_clear();
		outcome = password_verify(secret, outcome == EST_OK ? buf_string(&hash) : NULL);
	}
	buf_cleanse(&hash);
	return outcome;
}

static enum outcome check_proof(struct fullcmc_work *work, const struct cmc_revocation *revocation,
    const struct cert_record *record)
{
	enum outcome outcome = EST_UNAUTHENTICATED;

	if (record != NULL && is_signer(work, &record->serial))
		return EST_OK;
	if (revocation->has_secret)
		outcome =
		    check_secret(work, record == NULL ? NULL : &record->serial, revocation->secret);
	if (outcome != EST_UNAUTHENTICATED)
		return outcome;
	reason_clear();
	return refuse(CMC_REVOKE,
	    "the message is not signed by the certificate that it is to revoke, and "
	    "holds no shared secret of it that is right");
}

static enum outcome unknown(enum cmc_fail *fail)
{
	*fail = CMC_BAD_CERT_ID;
	return refuse(CMC_REVOKE, "this CA has no such certificate under this label");
}

static enum outcome act(
    struct fullcmc_work *work, const struct cmc_revocation *revocation, enum cmc_fail *fail)
{
	struct cert_record record = {0}, revoked = {0};
	char serial[2 * SERIAL_MAX + 1];
	enum outcome outcome = EST_NOT_FOUND;
	bool found;

	if (fullcmc_is_ca(work, revocation->issuer))
		outcome = fullcmc_find(work, revocation->serial, &record);
	if (outcome != EST_OK && outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	found = outcome == EST_OK && fullcmc_is_label(work, &record);
	outcome = check_proof(work, revocation, found ? &record : NULL);
	if (!found && (outcome == EST_OK || outcome == EST_FORBIDDEN)) {
		reason_clear();
		outcome = unknown(fail);
	}
	if (outcome == EST_OK)
		outcome =
		    revoke(work->exchange->service, &record.serial, revocation->reason, &revoked);
	if (outcome == EST_CONFLICT) {
		reason_clear();
		outcome =
		    refuse(CMC_REVOKE, "the certificate has expired: nothing is left to revoke");
	}
	if (outcome == EST_OK)
		fullcmc_list(&work->revoked, serial_text(&record.serial, serial));
	cert_record_clear(&record);
	cert_record_clear(&revoked);
	return outcome;
}

/* Each secret costs as much as a password does, so a message has one of them. */
static enum outcome read_one(
    const struct cmc_control *control, size_t *secrets, struct cmc_revocation *revocation)
{
	enum outcome outcome = cmc_revocation_parse(control, revocation);

	if (outcome != EST_OK)
		return outcome;
	if (!is_reason(revocation->reason))
		return refuse(CMC_CONTROL, "a device's certificate is not revoked for reason %d",
		    revocation->reason);
	*secrets += revocation->has_secret;
	return *secrets <= 1 ? EST_OK
			     : refuse(CMC_CONTROL, "a message holds one shared secret at most");
}

void fullcmc_revocations(struct fullcmc_work *work)
{
	size_t secrets = 0;

	for (size_t i = 0; i < work->data.control_count; i++) {
		const struct cmc_control *control = &work->data.controls[i];
		struct cmc_revocation revocation;
		enum cmc_fail fail = CMC_NO_FAIL;
		enum outcome outcome;
		if (control->number != CMC_REVOKE_REQUEST)
			continue;
		work->full = true; /* RFC 5272 6.11: a Full PKI Response */
		outcome = read_one(control, &secrets, &revocation);
		if (outcome == EST_OK)
			outcome = act(work, &revocation, &fail);
		fullcmc_report(work, control->id, outcome, fail);
	}
}
