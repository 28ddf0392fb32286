/*
 * fullcmc_request.c - the certification requests of a Full PKI Request, each of which becomes an
 * enrollment.
 */
#include "common/lifecycle/fullcmc_work.h"

/* Whether a renewal by this identity can be that of the signer's certificate (RFC 7030 4.2.2). */
static bool renews(const struct identity *identity, const struct fullcmc_signer *signer)
{
	if (!identity_has(identity, PROOF_CERTIFICATE) || identity->trust != TRUST_EXPLICIT)
		return (identity->proven & ~(unsigned)PROOF_CERTIFICATE) != 0;
	return serial_equal(&identity->certificate.serial, &signer->record.serial);
}

/* RFC 5272 6.3.3: the names of a signer's certificate, perhaps with other ones to follow. */
static enum act act_of(const struct fullcmc_work *work, const struct csr *csr)
{
	for (size_t i = 0; csr != NULL && i < work->signer_count; i++) {
		const struct fullcmc_signer *signer = &work->signers[i];
		if (renews(work->exchange->identity, signer) &&
		    name_equal(&signer->name, &csr->name) &&
		    sans_equal(&signer->sans, &csr->wishes.sans))
			return ACT_RENEW;
	}
	return ACT_ENROLL;
}

/* Hands the request over to the enrollment, in the form that it came in. */
static enum outcome hand_over(
    struct fullcmc_work *work, struct fullcmc_item *item, struct enrollment *enrollment)
{
	const struct fullcmc *exchange = work->exchange;
	int64_t own = exchange->label->config->csr_limit;
	size_t limit = (size_t)(own > 0 ? own : exchange->service->config->csr_limit);

	if (item->request->kind == CMC_PKCS10) {
		enrollment->request = item->request->der;
		return EST_OK;
	}
	if (item->request->der.len > limit)
		return refuse(CSR_SIZE, "the request has %zu octets, and %zu are taken",
		    item->request->der.len, limit);
	if (item->csr == NULL) {
		cmc_crmf_clear(&item->crmf);
		return cmc_crmf_parse(item->request->der, &item->crmf);
	}
	if (item->crmf.issuer.len > 0 && !fullcmc_is_ca(work, item->crmf.issuer))
		return refuse(CMC_FORM, "the CertTemplate asks for another CA's certificate");
	enrollment->assembled = &item->crmf.csr;
	return EST_OK;
}

static void note(const struct fullcmc_work *work, const struct fullcmc_item *item,
    const struct enrollment *enrollment, enum outcome outcome)
{
	const struct fullcmc_part part = {.id = item->request->id,
	    .count = work->data.request_count,
	    .outcome = outcome,
	    .enrollment = enrollment};

	if (work->exchange->note != NULL)
		work->exchange->note(work->exchange->context, &part);
}

static void process(struct fullcmc_work *work, struct fullcmc_item *item)
{
	struct fullcmc *exchange = work->exchange;
	struct enrollment enrollment = {.label = exchange->label,
	    .identity = exchange->identity,
	    .binding = exchange->binding,
	    .address = exchange->address,
	    .act = act_of(work, item->csr),
	    .secret = work->secret_proven ? work->secret.digest : NULL,
	    .cmc = true};
	enum outcome outcome = hand_over(work, item, &enrollment);

	if (outcome == EST_OK)
		outcome = enroll(exchange->service, &enrollment);
	if (outcome == EST_OK)
		buf_add_span(&work->issued[work->issued_count++], enrollment.record.der);
	if (outcome == EST_PENDING && enrollment.retry_after > exchange->retry_after)
		exchange->retry_after = enrollment.retry_after;
	exchange->exporter |= enrollment.linking.exporter;
	note(work, item, &enrollment, outcome);
	fullcmc_report(work, item->request->id, outcome, CMC_NO_FAIL);
	enrollment_clear(&enrollment);
}

/* RFC 5272 3.2.1: where one is of a form that is not understood, none is processed. */
static bool all_understood(struct fullcmc_work *work)
{
	bool understood = true;

	for (size_t i = 0; i < work->data.request_count; i++)
		understood &= work->data.requests[i].kind != CMC_OTHER;
	for (size_t i = 0; !understood && i < work->data.request_count; i++) {
		const struct cmc_request *request = &work->data.requests[i];
		if (request->kind == CMC_OTHER)
			fullcmc_report_unsupported(work, request->id,
			    refuse(
				CMC_FORM, "the certification request is neither PKCS#10 nor CRMF"));
		else
			fullcmc_report(work, request->id,
			    refuse(CMC_FORM, "not processed: another certification request of the "
					     "message is of an unknown form"),
			    CMC_NO_FAIL);
	}
	return understood;
}

void fullcmc_requests(struct fullcmc_work *work)
{
	if (!all_understood(work))
		return;
	for (size_t i = 0; i < work->data.request_count; i++)
		process(work, &work->items[i]);
}
