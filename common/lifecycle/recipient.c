#include "common/lifecycle/recipient.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/lifecycle/naming.h"
#include "common/pki/cert.h"
#include "common/pki/der.h"

enum { CANDIDATES_MAX = 1000 }; /* certificates of one name that are looked at */

void recipient_clear(struct recipient *recipient)
{
	kek_record_clear(&recipient->kek);
	X509_free(recipient->certificate);
	*recipient = (struct recipient){.sealed = false};
}

/* --- a key of the store --- */

static enum outcome find_kek(struct service *service, struct span id, struct recipient *out)
{
	enum outcome outcome = store_kek_get(service->store, id, &out->kek);

	if (outcome == EST_NOT_FOUND)
		return refuse(KEYGEN_RECIPIENT,
		    "no key is known here by the DecryptKeyIdentifier of the request");
	out->who = (struct message_recipient){.kek_id = id, .kek = out->kek.key};
	return outcome;
}

/* --- a certificate --- */

/* How the request names it. */
struct wanted {
	struct span id;             /* the attribute's octets, a subjectKeyIdentifier unless: */
	struct span issuer, serial; /* Name, and the content of the INTEGER; or empty */
};

/* An IssuerAndSerialNumber (RFC 5652 10.2.4) is just that and nothing behind it. */
static struct wanted wanted_of(struct span octets)
{
	struct wanted wanted = {.id = octets};
	struct der pair, issuer, serial;

	if (der_take(&octets, DER_SEQUENCE, &pair) == EST_OK && octets.len == 0 &&
	    der_take(&pair.content, DER_SEQUENCE, &issuer) == EST_OK &&
	    der_take(&pair.content, DER_INTEGER, &serial) == EST_OK && pair.content.len == 0) {
		wanted.issuer = issuer.whole;
		wanted.serial = serial.content;
	}
	return wanted;
}

static bool has_key_id(X509 *certificate, struct span id)
{
	const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(certificate);

	return own != NULL && span_equal(id, (struct span){ASN1_STRING_get0_data(own),
						 (size_t)ASN1_STRING_length(own)});
}

/* The certificate of the record, if it is the wanted one and stands; NULL. */
static X509 *match(const struct wanted *wanted, const struct cert_record *record)
{
	const unsigned char *at = record->der.data;
	struct cert_parts parts;
	X509 *certificate;

	if (cert_record_status(record, clock_now()) != CERT_VALID)
		return NULL;
	if (wanted->serial.len > 0 && (cert_parse(record->der, &parts) != EST_OK ||
					  !span_equal(parts.serial, wanted->serial) ||
					  !span_equal(parts.issuer, wanted->issuer)))
		return NULL;
	certificate = d2i_X509(NULL, &at, (long)record->der.len);
	if (certificate != NULL && (wanted->serial.len > 0 || has_key_id(certificate, wanted->id)))
		return certificate;
	X509_free(certificate);
	ERR_clear_error();
	return NULL;
}

/* Among the certificates of the label that the store has under the name. */
static enum outcome look_under(struct service *service, const struct enrollment *enrollment,
    const char *name, const struct wanted *wanted, X509 **out)
{
	struct buf token = {0};
	struct cert_query query = {.order = CERTS_BY_NAME, .name = name, .limit = 64};
	enum outcome outcome;
	size_t seen = 0;

	do {
		struct cert_page page = {0};
		query.token = buf_span(&token);
		outcome = store_cert_list(service->store, &query, &page);
		for (size_t i = 0; outcome == EST_OK && i < page.count && *out == NULL; i++)
			if (strcmp(page.records[i].label, enrollment->label->config->name) == 0)
				*out = match(wanted, &page.records[i]);
		seen += page.count;
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		cert_page_clear(&page);
	} while (outcome == EST_OK && *out == NULL && token.len > 0 && seen < CANDIDATES_MAX);
	buf_free(&token);
	return outcome;
}

/* The device name that the certificate will have, if who asks may have it. */
static enum outcome decide_name(
    struct service *service, const struct enrollment *enrollment, struct buf *name)
{
	struct naming_question question = {.service = service, .enrollment = enrollment};
	struct naming naming = {.differs = false};
	enum outcome outcome = naming_decide(&question, &naming);

	if (outcome == EST_OK)
		naming_device(naming.name, naming.sans, name);
	naming_clear(&naming);
	return outcome;
}

/* RFC 5280 4.2.1.3: a certificate without keyUsage is for everything that its key can do. */
static enum outcome check_usage(X509 *certificate)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	uint32_t usage = X509_get_key_usage(certificate);

	if (key == NULL || (EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "EC") != 1))
		return refuse(KEYGEN_KEY_USAGE,
		    "the key of the certificate that AsymmetricDecryptKeyIdentifier names cannot "
		    "decrypt: it takes an RSA or EC key");
	if (EVP_PKEY_is_a(key, "RSA") == 1 && (usage & KU_KEY_ENCIPHERMENT) == 0)
		return refuse(KEYGEN_KEY_USAGE, "the keyUsage of the certificate that "
						"AsymmetricDecryptKeyIdentifier names has no "
						"keyEncipherment");
	if (EVP_PKEY_is_a(key, "EC") == 1 && (usage & KU_KEY_AGREEMENT) == 0)
		return refuse(KEYGEN_KEY_USAGE, "the keyUsage of the certificate that "
						"AsymmetricDecryptKeyIdentifier names has no "
						"keyAgreement");
	return EST_OK;
}

static enum outcome find_certificate(
    struct service *service, const struct enrollment *enrollment, struct recipient *out)
{
	const struct identity *identity = enrollment->identity;
	struct wanted wanted = wanted_of(enrollment->csr.asymmetric_key);
	struct buf name = {0};
	enum outcome outcome = decide_name(service, enrollment, &name);

	if (outcome == EST_OK && identity->by_certificate && identity->trust == TRUST_EXPLICIT)
		out->certificate = match(&wanted, &identity->certificate);
	if (outcome == EST_OK && out->certificate == NULL && name.len > 0)
		outcome =
		    look_under(service, enrollment, buf_string(&name), &wanted, &out->certificate);
	buf_free(&name);
	if (outcome != EST_OK)
		return outcome;
	if (out->certificate == NULL)
		return refuse(KEYGEN_RECIPIENT,
		    "AsymmetricDecryptKeyIdentifier names no valid certificate of this device");
	out->who = (struct message_recipient){
	    .certificate = out->certificate, .by_key_id = wanted.serial.len == 0};
	return check_usage(out->certificate);
}

enum outcome recipient_find(
    struct service *service, const struct enrollment *enrollment, struct recipient *out)
{
	const struct csr *csr = &enrollment->csr;
	bool by_kek = csr->decrypt_key.data != NULL, by_key = csr->asymmetric_key.data != NULL;
	enum outcome outcome;

	if (by_kek && by_key)
		return refuse(KEYGEN_RECIPIENT,
		    "the request names two keys to encrypt for, DecryptKeyIdentifier and "
		    "AsymmetricDecryptKeyIdentifier; name one");
	if (!by_kek && !by_key)
		return enrollment->label->config->plain_keys
			   ? EST_OK
			   : refuse(KEYGEN_PLAIN,
				 "this label sends a generated key encrypted only; name a key by "
				 "DecryptKeyIdentifier or AsymmetricDecryptKeyIdentifier");
	out->sealed = true;
	outcome = by_kek ? find_kek(service, csr->decrypt_key, out)
			 : find_certificate(service, enrollment, out);
	return outcome == EST_OK
		   ? message_ciphers_choose(csr->smime_capabilities, &out->who, &out->ciphers)
		   : outcome;
}
