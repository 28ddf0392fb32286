/*
 * fullcmc_control.c - the controls of a Full PKI Request (RFC 5272 6).
 */
#include <string.h>
#include <strings.h>

#include <openssl/rand.h>

#include "common/base/clock.h"
#include "common/lifecycle/fullcmc_work.h"
#include "common/pki/cmc_proof.h"

enum {
	NONCE_SIZE = 16,
	NONCE_LIFE = 7 * 86400, /* seconds that a nonce is remembered */
	OCTETS_MAX = 256,       /* of a nonce, a transactionId, an identification */
};

/* A control that we know: what its value is. most: how many octets that may have; 0: any. */
static const struct known {
	unsigned number, tag;
	size_t most;
	bool repeats;
} known[] = {
    {CMC_IDENTIFICATION, DER_UTF8, OCTETS_MAX, false},
    {CMC_DATA_RETURN, DER_OCTET_STRING, 0, false},
    {CMC_TRANSACTION_ID, DER_INTEGER, OCTETS_MAX, false},
    {CMC_SENDER_NONCE, DER_OCTET_STRING, OCTETS_MAX, false},
    {CMC_RECIPIENT_NONCE, DER_OCTET_STRING, OCTETS_MAX, false},
    {CMC_REVOKE_REQUEST, DER_SEQUENCE, 0, true},
    {CMC_REG_INFO, DER_OCTET_STRING, 0, false},
    {CMC_POP_LINK_RANDOM, DER_OCTET_STRING, OCTETS_MAX, false},
    {CMC_IDENTITY_PROOF_V2, DER_SEQUENCE, 0, false},
};

static const struct known *known_of(unsigned number)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].number == number)
			return &known[i];
	return NULL;
}

static bool fits(const struct known *row, struct span content)
{
	return row->most == 0 || (content.len > 0 && content.len <= row->most);
}

/* 3.2.1.1: a control that is not known, or not as it has to be, fails the whole. */
static enum outcome check_control(
    const struct fullcmc_work *work, const struct cmc_control *control)
{
	const struct known *row = known_of(control->number);
	struct der value;

	if (control->number == CMC_IDENTITY_PROOF)
		return refuse(CMC_ALGORITHM, "identityProof is made by SHA-1, which is not taken "
					     "here; send identityProofV2");
	if (control->number == CMC_RA_POP_WITNESS)
		return refuse(CMC_POP, "no RA may vouch for the possession of a key");
	if (control->number == CMC_QUERY_PENDING)
		return refuse(CMC_CONTROL, "queryPending is not answered here: who waits sends the "
					   "certification requests again");
	if (row == NULL)
		return refuse(CMC_CONTROL, "the control is not known here");
	if (cmc_control_value(control, row->tag, &value) != EST_OK)
		return EST_MALFORMED;
	if (!fits(row, value.content))
		return refuse(
		    CMC_CONTROL, "the control has no octets, or more than %zu", row->most);
	if (!row->repeats && cmc_control_find(&work->data, control->number) != control)
		return refuse(CMC_CONTROL, "the control stands twice");
	return EST_OK;
}

static enum outcome check_controls(struct fullcmc_work *work)
{
	enum outcome first = EST_OK, outcome;

	for (size_t i = 0; i < work->data.control_count; i++) {
		outcome = check_control(work, &work->data.controls[i]);
		if (outcome == EST_OK)
			continue;
		fullcmc_report(work, work->data.controls[i].id, outcome, CMC_NO_FAIL);
		first = first == EST_OK ? outcome : first;
	}
	return first;
}

/* The content of a control that is in form; else empty. */
static struct span content_of(const struct fullcmc_work *work, unsigned number)
{
	const struct cmc_control *control = cmc_control_find(&work->data, number);
	const struct known *row = known_of(number);
	struct der value;
	struct span rest;

	if (control == NULL)
		return (struct span){NULL, 0};
	rest = control->values;
	return der_take(&rest, row->tag, &value) == EST_OK && fits(row, value.content)
		   ? value.content
		   : (struct span){NULL, 0};
}

static uint32_t id_of(const struct fullcmc_work *work, unsigned number)
{
	const struct cmc_control *control = cmc_control_find(&work->data, number);

	return control == NULL ? 0 : control->id;
}

/* --- nonces (6.6) --- */

/* Remembers a nonce of this identity's transaction for a purpose; EST_CONFLICT: it was known. */
static enum outcome use_nonce(struct fullcmc_work *work, const char *purpose, struct span nonce)
{
	const struct fullcmc *exchange = work->exchange;
	struct span transaction = content_of(work, CMC_TRANSACTION_ID);
	unsigned char digest[32];
	struct buf what = {0};

	buf_printf(&what, "%s%c%s%c%s%c%zu:", purpose, 0, exchange->label->config->name, 0,
	    exchange->identity->text, 0, transaction.len);
	buf_add_span(&what, transaction);
	buf_add_span(&what, nonce);
	key_sha256(buf_span(&what), digest);
	buf_free(&what);
	return store_nonce_use(exchange->service->store, digest, clock_now() + NONCE_LIFE);
}

static enum outcome check_sender_nonce(struct fullcmc_work *work)
{
	enum outcome outcome = use_nonce(work, "sender", content_of(work, CMC_SENDER_NONCE));

	if (outcome != EST_CONFLICT)
		return outcome;
	reason_clear();
	return refuse(CMC_REPLAY, "the senderNonce was used before: make the message anew");
}

/* It answers a nonce that we sent with a status of pending, and each of these once. */
static enum outcome check_recipient_nonce(struct fullcmc_work *work)
{
	struct span nonce = content_of(work, CMC_RECIPIENT_NONCE);
	enum outcome outcome = use_nonce(work, "answered", nonce);

	if (outcome == EST_OK) {
		outcome = use_nonce(work, "sent", nonce);
		if (outcome == EST_CONFLICT)
			return EST_OK;
	}
	if (outcome != EST_OK && outcome != EST_CONFLICT)
		return outcome;
	reason_clear();
	return refuse(CMC_REPLAY,
	    "the recipientNonce is none that was sent in this transaction, or "
	    "was answered before");
}

/* --- proofs of a shared secret (6.2, 6.3) --- */

/* RFC 5272 6.2.3, 6.3.2: the secret is that of the identification, or else of the device's name. */
static enum outcome find_secret(struct fullcmc_work *work)
{
	struct span identification = content_of(work, CMC_IDENTIFICATION);
	struct buf name = {0};
	enum outcome outcome = EST_NOT_FOUND;

	if (identification.len > 0 && memchr(identification.data, 0, identification.len) == NULL)
		buf_add_span(&name, identification);
	else if (work->data.request_count > 0 && work->items[0].csr != NULL)
		csr_device_name(&work->items[0].csr->name, &work->items[0].csr->wishes.sans, &name);
	if (name.len > 0)
		outcome = store_secret_get(
		    work->exchange->service->store, buf_string(&name), &work->secret);
	buf_free(&name);
	return outcome;
}

/* 6.3.2: every request is for the device whose secret it is. */
static bool is_for(const struct fullcmc_item *item, const char *device)
{
	struct buf name = {0};
	bool equal;

	if (item->csr == NULL)
		return false;
	csr_device_name(&item->csr->name, &item->csr->wishes.sans, &name);
	equal = strcasecmp(buf_string(&name), device) == 0;
	buf_free(&name);
	return equal;
}

static bool are_for(const struct fullcmc_work *work, const char *device)
{
	for (size_t i = 0; i < work->data.request_count; i++)
		if (!is_for(&work->items[i], device))
			return false;
	return work->data.request_count > 0;
}

static enum outcome check_identity(struct fullcmc_work *work, const struct cmc_control *control)
{
	const unsigned char *key = content_of(work, CMC_IDENTIFICATION).len > 0
				       ? work->secret.named_digest
				       : work->secret.digest;
	struct cmc_proof proof;
	enum outcome outcome = cmc_proof_parse(control->values, &proof);

	if (outcome != EST_OK)
		return outcome;
	if (work->secret.name != NULL && are_for(work, work->secret.name) &&
	    cmc_proof_verify(&proof, key, work->data.request_sequence))
		return EST_OK;
	return refuse(CMC_IDENTITY,
	    "the proof of identity does not verify by the one-time secret of the "
	    "device whose name the requests have");
}

/* The PopLinkWitnessV2 among a request's attributes: 1.3.6.1.5.5.7.7.33, one value. */
static bool find_witness(const struct csr *csr, struct span *out)
{
	struct span rest = csr->attributes;
	struct der attribute, oid, set;

	while (der_take(&rest, DER_SEQUENCE, &attribute) == EST_OK) {
		if (der_take(&attribute.content, DER_OID, &oid) != EST_OK ||
		    !DER_IS(oid.content, "\x2b\x06\x01\x05\x05\x07\x07\x21"))
			continue;
		if (der_take(&attribute.content, DER_SET, &set) != EST_OK)
			return false;
		*out = set.content;
		return true;
	}
	return false;
}

/* 6.3.1.1: every request has a MAC of the random value under the secret. */
static enum outcome check_link(struct fullcmc_work *work, const struct fullcmc_item *item)
{
	struct span random = content_of(work, CMC_POP_LINK_RANDOM), witness = {NULL, 0};
	struct cmc_proof proof;
	enum outcome outcome;

	if (item->csr == NULL || !find_witness(item->csr, &witness))
		return random.len == 0 ? EST_OK
				       : refuse(CMC_POP, "the message has a popLinkRandom, but the "
							 "request no popLinkWitnessV2");
	outcome = cmc_proof_parse(witness, &proof);
	if (outcome != EST_OK)
		return outcome;
	if (random.len > 0 && work->secret.name != NULL && is_for(item, work->secret.name) &&
	    cmc_proof_verify(&proof, work->secret.digest, random))
		return EST_OK;
	return refuse(CMC_POP, "the popLinkWitnessV2 does not verify");
}

static enum outcome check_links(struct fullcmc_work *work)
{
	enum outcome first = EST_OK, outcome;

	for (size_t i = 0; i < work->data.request_count; i++) {
		outcome = check_link(work, &work->items[i]);
		if (outcome == EST_OK)
			continue;
		fullcmc_report(work, work->items[i].request->id, outcome, CMC_NO_FAIL);
		first = first == EST_OK ? outcome : first;
	}
	return first;
}

static enum outcome check_secret(struct fullcmc_work *work)
{
	const struct cmc_control *proof = cmc_control_find(&work->data, CMC_IDENTITY_PROOF_V2);
	bool links = cmc_control_find(&work->data, CMC_POP_LINK_RANDOM) != NULL;
	enum outcome outcome = EST_OK;

	if (proof != NULL || links)
		outcome = find_secret(work);
	if (outcome == EST_NOT_FOUND) { /* told apart from a wrong proof by nothing */
		reason_clear();
		outcome = EST_OK;
	}
	if (outcome == EST_OK && proof != NULL)
		outcome = check_identity(work, proof);
	if (outcome != EST_OK) {
		fullcmc_report(work, proof == NULL ? 0 : proof->id, outcome, CMC_NO_FAIL);
		return outcome;
	}
	outcome = check_links(work);
	work->secret_proven = outcome == EST_OK && (proof != NULL || links);
	return outcome;
}

enum outcome fullcmc_controls(struct fullcmc_work *work)
{
	static const struct {
		unsigned number;
		enum outcome (*check)(struct fullcmc_work *work);
	} nonces[] = {
	    {CMC_SENDER_NONCE, check_sender_nonce}, {CMC_RECIPIENT_NONCE, check_recipient_nonce}};
	enum outcome outcome = check_controls(work);

	for (size_t i = 0; outcome == EST_OK && i < 2; i++) {
		if (cmc_control_find(&work->data, nonces[i].number) == NULL)
			continue;
		outcome = nonces[i].check(work);
		if (outcome != EST_OK)
			fullcmc_report(work, id_of(work, nonces[i].number), outcome, CMC_NO_FAIL);
	}
	return outcome == EST_OK ? check_secret(work) : outcome;
}

/* A control of the answer whose value is octets of that tag. */
static void answer(struct fullcmc_work *work, unsigned number, unsigned tag, struct span content)
{
	struct buf value = {0};

	der_add(&value, tag, content);
	cmc_control_add(&work->controls, work->next++, number, buf_span(&value));
	buf_free(&value);
}

static enum outcome answer_nonce(struct fullcmc_work *work)
{
	unsigned char nonce[NONCE_SIZE];
	enum outcome outcome = EST_OK;

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return reason_openssl(EST_UNAVAILABLE, "there is no randomness for a nonce");
	answer(work, CMC_RECIPIENT_NONCE, DER_OCTET_STRING, content_of(work, CMC_SENDER_NONCE));
	answer(work, CMC_SENDER_NONCE, DER_OCTET_STRING, (struct span){nonce, sizeof(nonce)});
	if (work->outcome == EST_PENDING)
		outcome = use_nonce(work, "sent", (struct span){nonce, sizeof(nonce)});
	return outcome;
}

enum outcome fullcmc_answer_controls(struct fullcmc_work *work)
{
	static const struct {
		unsigned number, tag;
	} echoes[] = {{CMC_TRANSACTION_ID, DER_INTEGER}, {CMC_DATA_RETURN, DER_OCTET_STRING}};

	for (size_t i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++) {
		struct span content = content_of(work, echoes[i].number);
		if (content.len > 0)
			answer(work, echoes[i].number, echoes[i].tag, content);
	}
	return content_of(work, CMC_SENDER_NONCE).len > 0 ? answer_nonce(work) : EST_OK;
}
