#include "common/lifecycle/fullcmc.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/lifecycle/fullcmc_work.h"
#include "common/pki/pkcs7.h"

#define STATUS_TEXT_MAX 300

void fullcmc_list(struct buf *list, const char *word)
{
	buf_printf(list, "%s%s", list->len == 0 ? "" : ",", word);
}

bool fullcmc_is_ca(const struct fullcmc_work *work, struct span name)
{
	struct name ours = {.count = 0}, theirs = {.count = 0};
	bool equal = span_equal(work->exchange->label->ca->subject, name);

	if (!equal && name_parse(work->exchange->label->ca->subject, &ours) == EST_OK &&
	    name_parse(name, &theirs) == EST_OK)
		equal = name_equal(&ours, &theirs);
	reason_clear();
	name_clear(&ours);
	name_clear(&theirs);
	return equal;
}

bool fullcmc_is_label(const struct fullcmc_work *work, const struct cert_record *record)
{
	const struct config_label *config = work->exchange->label->config;

	return strcmp(record->label, config->name) == 0 ||
	       words_have(&config->certificates_from, record->label);
}

enum outcome fullcmc_find(struct fullcmc_work *work, struct span serial, struct cert_record *out)
{
	struct serial number = {.len = 0};

	if (serial.len == 0 || serial.len > SERIAL_MAX)
		return EST_NOT_FOUND;
	number.len = (unsigned char)serial.len;
	memcpy(number.octets, serial.data, serial.len);
	return store_cert_get(work->exchange->service->store, &number, out);
}

/* --- what became of each part --- */

/* What a device is told: of faults of ours no more than that. */
static void describe(enum outcome outcome, struct buf *text)
{
	struct span why = span_of(reason_text());

	if (outcome == EST_UNAVAILABLE)
		why = span_of("the server cannot answer just now; try again later");
	if (outcome == EST_INTERNAL)
		why = span_of("a fault of the server; its log has the cause");
	if (why.len > STATUS_TEXT_MAX)
		why.len = STATUS_TEXT_MAX;
	utf8_clean(text, why);
}

/* Keeps the first failure, or else the first that waits, for the log and the HTTP status. */
static void keep(struct fullcmc_work *work, enum outcome outcome)
{
	if (outcome == EST_OK || (work->outcome != EST_OK && work->outcome != EST_PENDING) ||
	    (outcome == EST_PENDING && work->outcome == EST_PENDING))
		return;
	work->outcome = outcome;
	work->refusal = refusal_recorded(outcome);
	buf_reset(&work->why);
	buf_add_string(&work->why, reason_text());
}

static void add_control(struct fullcmc_work *work, unsigned number, struct span value)
{
	cmc_control_add(&work->controls, work->next++, number, value);
}

static void report(struct fullcmc_work *work, struct cmc_status *status, enum outcome outcome)
{
	struct buf der = {0}, text = {0};

	if (outcome != EST_OK) {
		describe(outcome, &text);
		work->full = true;
	}
	status->text = buf_span(&text);
	cmc_status_add(&der, status);
	add_control(work, CMC_STATUS_INFO_V2, buf_span(&der));
	if (status->status == CMC_FAILED)
		fullcmc_list(&work->fails, cmc_fail_name(status->fail));
	keep(work, outcome);
	reason_clear();
	buf_free(&der);
	buf_free(&text);
}

void fullcmc_report(
    struct fullcmc_work *work, uint32_t id, enum outcome outcome, enum cmc_fail fail)
{
	/* Who polls sends the request again (RFC 7030 4.2.3): the token has nothing to say. */
	static const unsigned char token[] = "wait";
	struct cmc_status status = {.id = id, .status = CMC_SUCCESS, .fail = CMC_NO_FAIL};

	if (outcome == EST_PENDING) {
		status.status = CMC_PENDING;
		status.token = (struct span){token, sizeof(token) - 1};
		status.again = clock_now() + work->exchange->retry_after;
	} else if (outcome != EST_OK) {
		status.status = CMC_FAILED;
		status.fail =
		    fail != CMC_NO_FAIL ? fail : cmc_fail_of(refusal_recorded(outcome), outcome);
	}
	report(work, &status, outcome);
}

void fullcmc_report_unsupported(struct fullcmc_work *work, uint32_t id, enum outcome outcome)
{
	struct cmc_status status = {.id = id, .status = CMC_NO_SUPPORT, .fail = CMC_NO_FAIL};

	report(work, &status, outcome);
}

/* --- the response --- */

/* RFC 5272 4.1: certificates and those that complete their paths, but no root. */
static void write_simple(struct fullcmc_work *work)
{
	const struct ca *ca = work->exchange->label->ca;
	size_t count = 0, room = work->issued_count + (size_t)sk_X509_num(ca->chain) + 1;
	struct span *all = mem_alloc(room * sizeof(all[0]));
	unsigned char **chain = mem_alloc(room * sizeof(chain[0]));

	for (size_t i = 0; i < work->issued_count; i++)
		all[count++] = buf_span(&work->issued[i]);
	for (int i = -1; i < sk_X509_num(ca->chain); i++) {
		X509 *certificate = i < 0 ? ca->certificate : sk_X509_value(ca->chain, i);
		int len = X509_self_signed(certificate, 0) == 1
			      ? 0
			      : i2d_X509(certificate, &chain[count]);
		if (len <= 0)
			continue;
		all[count] = (struct span){chain[count], (size_t)len};
		count++;
	}
	pkcs7_certs_only(all, count, &work->exchange->response);
	work->exchange->certs_only = true;
	for (size_t i = 0; i < room; i++)
		OPENSSL_free(chain[i]);
	free(all);
	free(chain);
}

static enum outcome write_full(struct fullcmc_work *work)
{
	static const struct span type = DER_OCTETS(CMC_PKI_RESPONSE);
	struct span certificates[CMC_REQUESTS_MAX];
	struct buf content = {0}, message = {0};
	enum outcome outcome;

	for (size_t i = 0; i < work->issued_count; i++)
		certificates[i] = buf_span(&work->issued[i]);
	cmc_response_add(&content, buf_span(&work->controls));
	outcome = ca_sign_message(
	    work->exchange->label->ca, type, buf_span(&content), clock_now(), &message);
	if (outcome == EST_OK)
		outcome = cmc_message_add_certificates(buf_span(&message), certificates,
		    work->issued_count, &work->exchange->response);
	buf_free(&content);
	buf_free(&message);
	return outcome;
}

/* A Simple PKI Response where certificates say it all (RFC 5272 3.2). */
static enum outcome respond(struct fullcmc_work *work)
{
	uint32_t before = work->next;
	enum outcome outcome = fullcmc_answer_controls(work);

	if (outcome != EST_OK)
		return outcome;
	if (work->full || work->issued_count == 0 || work->next != before)
		return write_full(work);
	write_simple(work);
	return EST_OK;
}

/* --- the act --- */

static void write_facts(struct fullcmc_work *work)
{
	struct buf *facts = &work->exchange->facts, transaction = {0};
	const struct cmc_control *control = cmc_control_find(&work->data, CMC_TRANSACTION_ID);
	struct der value;
	const struct {
		const char *key;
		struct buf *list;
	} lists[] = {{"cmc_revoked", &work->revoked}, {"cmc_fails", &work->fails},
	    {"cmc_transaction", &transaction}};

	json_add_number(facts, "cmc_requests", (int64_t)work->data.request_count);
	if (control != NULL && cmc_control_value(control, DER_INTEGER, &value) == EST_OK)
		hex_encode(&transaction, (struct span){value.content.data,
					     value.content.len < 32 ? value.content.len : 32});
	reason_clear();
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i].list->len > 0)
			json_add(facts, lists[i].key, buf_span(lists[i].list));
	buf_free(&transaction);
}

/* From octets to a request that is whole, signed by who may, and understood. */
static enum outcome take_in(struct fullcmc_work *work)
{
	static const struct span type = DER_OCTETS(CMC_PKI_DATA);
	enum outcome outcome = cmc_message_parse(work->exchange->request, type, &work->message);

	if (outcome == EST_OK)
		outcome = cmc_data_parse(work->message.content, &work->data);
	if (outcome == EST_OK)
		outcome = fullcmc_signers(work);
	if (outcome != EST_OK) {
		fullcmc_report(work, 0, outcome, CMC_NO_FAIL);
		return outcome;
	}
	return fullcmc_controls(work);
}

/* The outcome of the whole, and its reason as it was recorded first. */
static enum outcome conclude(struct fullcmc_work *work, enum outcome response)
{
	if (work->outcome == EST_OK)
		return response;
	reason_clear();
	if (refusal_row(work->refusal)->outcome == work->outcome && work->refusal != OTHER)
		reason_mark(work->refusal);
	return reason(work->outcome, "%s", buf_string(&work->why));
}

static void clear(struct fullcmc_work *work)
{
	struct buf *bufs[] = {&work->controls, &work->why, &work->revoked, &work->fails};

	for (size_t i = 0; i < work->data.request_count; i++) {
		csr_clear(&work->items[i].plain);
		cmc_crmf_clear(&work->items[i].crmf);
	}
	for (size_t i = 0; i < work->signer_count; i++) {
		name_clear(&work->signers[i].name);
		cert_record_clear(&work->signers[i].record);
	}
	for (size_t i = 0; i < work->issued_count; i++)
		buf_free(&work->issued[i]);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_free(bufs[i]);
	secret_record_clear(&work->secret);
	OPENSSL_cleanse(work, sizeof(*work));
	free(work);
}

enum outcome fullcmc(struct fullcmc *exchange)
{
	struct fullcmc_work *work = mem_alloc(sizeof(*work));
	enum outcome outcome;

	work->exchange = exchange;
	work->next = 1;
	outcome = take_in(work);
	if (outcome == EST_OK) {
		fullcmc_revocations(work);
		fullcmc_requests(work);
		if (work->next == 1) /* nothing was asked for: then that is done */
			fullcmc_report(work, 0, EST_OK, CMC_NO_FAIL);
	}
	write_facts(work);
	if (work->message.is_cmc)
		outcome = respond(work);
	outcome = conclude(work, outcome);
	clear(work);
	return outcome;
}

void fullcmc_clear(struct fullcmc *exchange)
{
	buf_free(&exchange->response);
	buf_free(&exchange->facts);
}
