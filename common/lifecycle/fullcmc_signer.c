/*
 * fullcmc_signer.c - who signed a Full PKI Request.
 */
#include <string.h>

#include "common/base/clock.h"
#include "common/lifecycle/fullcmc_work.h"
#include "common/pki/cert.h"

/* Whether the SignerInfo names this certificate; then parts is what it says. */
static bool is_named(const struct cmc_signer *signer, struct span der, struct cert_parts *parts)
{
	bool named = cert_parse(der, parts) == EST_OK;

	reason_clear();
	if (!named || signer->key_id.len > 0)
		return named && cert_has_key_id(der, signer->key_id);
	return span_equal(parts->serial, signer->serial) &&
	       span_equal(parts->issuer, signer->issuer);
}

static enum outcome verify(
    struct fullcmc_work *work, const struct cmc_signer *signer, struct span spki)
{
	struct key_info key;

	if (key_parse(spki, &key) == EST_OK)
		return cmc_signer_verify(&work->message, signer, &key);
	reason_clear(); /* it speaks of a request */
	return refuse(CMC_ALGORITHM, "the message is signed with a key that is not taken here");
}

/* Remembers a certificate of ours that signed; the record becomes the signer's. */
static enum outcome add_signer(struct fullcmc_work *work, struct cert_record *record)
{
	struct fullcmc_signer *signer = &work->signers[work->signer_count++];
	struct cert_parts parts;

	signer->record = *record;
	if (cert_parse(record->der, &parts) == EST_OK &&
	    name_parse(parts.subject, &signer->name) == EST_OK &&
	    (parts.sans.len == 0 || sans_parse(parts.sans, &signer->sans) == EST_OK))
		return EST_OK;
	reason_clear();
	return reason(EST_INTERNAL, "a certificate of the store cannot be read");
}

/*
 * That it signed tells us about the sender, and may only tell what the sender may know: it counts
 * here, and its names are such as the identity may have.
 */
static enum outcome judge(struct fullcmc_work *work, const struct fullcmc_signer *signer)
{
	if (!fullcmc_is_label(work, &signer->record) ||
	    cert_record_status(&signer->record, clock_now()) != CERT_VALID)
		return refuse(CMC_IDENTITY, "the message is signed by a certificate that is "
					    "revoked, has expired or is of another label");
	if (auth_allows(work->exchange->identity, &signer->name, &signer->sans) == EST_OK)
		return EST_OK;
	reason_clear();
	return refuse(CMC_IDENTITY, "the message is signed by the certificate of somebody else");
}

/* The identity's own certificate, if it is the one that is named; EST_NOT_FOUND. */
static enum outcome by_identity(struct fullcmc_work *work, const struct cmc_signer *signer)
{
	const struct identity *identity = work->exchange->identity;
	struct cert_record record = identity->certificate;
	struct cert_parts parts;
	enum outcome outcome;

	if (!identity_has(identity, PROOF_CERTIFICATE) ||
	    !is_named(signer, buf_span(&identity->der), &parts))
		return EST_NOT_FOUND;
	outcome = verify(work, signer, parts.spki);
	record.memory = NULL; /* stays the identity's */
	return outcome == EST_OK && identity->trust == TRUST_EXPLICIT ? add_signer(work, &record)
								      : outcome;
}

/* A certificate of the store that is the named one. EST_NOT_FOUND; the caller clears *out. */
static enum outcome find_ours(struct fullcmc_work *work, const struct cmc_signer *signer,
    struct cert_record *out, struct cert_parts *parts)
{
	const struct cmc_message *message = &work->message;
	enum outcome outcome;

	if (signer->key_id.len == 0) {
		outcome = fullcmc_find(work, signer->serial, out);
		return outcome == EST_OK && !is_named(signer, out->der, parts) ? EST_NOT_FOUND
									       : outcome;
	}
	/* By its key identifier it can be found only if it came along. */
	for (size_t i = 0; i < message->certificate_count; i++) {
		if (!is_named(signer, message->certificates[i], parts))
			continue;
		outcome = fullcmc_find(work, parts->serial, out);
		if (outcome == EST_OK && !span_equal(out->der, message->certificates[i]))
			outcome = EST_NOT_FOUND;
		if (outcome != EST_NOT_FOUND)
			return outcome;
		cert_record_clear(out);
	}
	return EST_NOT_FOUND;
}

static enum outcome by_ours(struct fullcmc_work *work, const struct cmc_signer *signer)
{
	struct cert_record record = {0};
	struct cert_parts parts;
	enum outcome outcome = find_ours(work, signer, &record, &parts);

	if (outcome == EST_OK)
		outcome = verify(work, signer, parts.spki);
	if (outcome != EST_OK) {
		cert_record_clear(&record);
		return outcome;
	}
	outcome = add_signer(work, &record);
	return outcome == EST_OK ? judge(work, &work->signers[work->signer_count - 1]) : outcome;
}

/* The subjectKeyIdentifier that a request asks for; empty if it asks for none. */
static struct span wanted_key_id(const struct csr *csr)
{
	struct span rest = csr->wishes.extensions, key_id = {NULL, 0};
	struct der extension, oid, octets, id;

	while (key_id.len == 0 && der_take(&rest, DER_SEQUENCE, &extension) == EST_OK) {
		if (der_take(&extension.content, DER_OID, &oid) != EST_OK ||
		    !DER_IS(oid.content, "\x55\x1d\x0e"))
			continue;
		(void)der_take(&extension.content, DER_BOOLEAN, &id);
		if (der_take(&extension.content, DER_OCTET_STRING, &octets) == EST_OK &&
		    der_take(&octets.content, DER_OCTET_STRING, &id) == EST_OK)
			key_id = id.content;
	}
	return key_id;
}

/* The key of a request in the message (RFC 5272 3.2). EST_NOT_FOUND. */
static enum outcome by_request(struct fullcmc_work *work, const struct cmc_signer *signer)
{
	for (size_t i = 0; i < work->data.request_count; i++) {
		const struct csr *csr = work->items[i].csr;
		if (signer->key_id.len == 0 || csr == NULL ||
		    !span_equal(wanted_key_id(csr), signer->key_id))
			continue;
		if (work->message.signer_count > 1)
			return refuse(CMC_SIGNATURE,
			    "a message that is signed with a requested key has other signers too");
		return verify(work, signer, csr->spki);
	}
	return EST_NOT_FOUND;
}

static enum outcome check(struct fullcmc_work *work, const struct cmc_signer *signer)
{
	static enum outcome (*const ways[])(struct fullcmc_work *, const struct cmc_signer *) = {
	    by_identity, by_ours, by_request};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		enum outcome outcome = ways[i](work, signer);
		if (outcome != EST_NOT_FOUND)
			return outcome;
	}
	return refuse(CMC_SIGNATURE, "the message's signer is neither the certificate that asks, "
				     "nor another one of this CA, "
				     "nor the subjectKeyIdentifier of a request in it");
}

/* What cannot be read is refused in its turn, for what is wrong with it. */
static void look_into(struct fullcmc_item *item, const struct cmc_request *request)
{
	item->request = request;
	if (request->kind == CMC_PKCS10 &&
	    csr_parse(request->der, CSR_KEY_PROVEN, &item->plain) == EST_OK)
		item->csr = &item->plain;
	if (request->kind == CMC_CRMF && cmc_crmf_parse(request->der, &item->crmf) == EST_OK)
		item->csr = &item->crmf.csr;
	reason_clear();
}

enum outcome fullcmc_signers(struct fullcmc_work *work)
{
	enum outcome outcome = EST_OK;

	for (size_t i = 0; i < work->data.request_count; i++)
		look_into(&work->items[i], &work->data.requests[i]);
	/* RFC 5272 6.11: revocations by a shared secret alone need no signature. */
	if (work->message.signer_count == 0 &&
	    (work->data.request_count > 0 ||
		cmc_control_find(&work->data, CMC_REVOKE_REQUEST) == NULL))
		return refuse(CMC_SIGNATURE, "nobody signed the message");
	for (size_t i = 0; outcome == EST_OK && i < work->message.signer_count; i++)
		outcome = check(work, &work->message.signers[i]);
	return outcome;
}
