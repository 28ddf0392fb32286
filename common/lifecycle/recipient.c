#include "common/lifecycle/recipient.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/lifecycle/namesake.h"
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

/* The certificate of the record, if it is the wanted one and stands; NULL. */
static X509 *match(const struct wanted *wanted, const struct cert_record *record)
{
	const unsigned char *at = record->der.data;
	struct cert_parts parts;
	X509 *certificate;

	if (cert_record_status(record, clock_now()) != CERT_VALID)
		return NULL;
	if (wanted->serial.len == 0 && !cert_has_key_id(record->der, wanted->id))
		return NULL;
	if (wanted->serial.len > 0 && (cert_parse(record->der, &parts) != EST_OK ||
					  !span_equal(parts.serial, wanted->serial) ||
					  !span_equal(parts.issuer, wanted->issuer)))
		return NULL;
	certificate = d2i_X509(NULL, &at, (long)record->der.len);
	ERR_clear_error();
	return certificate;
}

/* What look_under() is after. */
struct search {
	const struct wanted *wanted;
	const char *label;
	X509 **out;
};

static bool is_wanted(struct cert_record *record, void *context)
{
	struct search *search = context;

	if (strcmp(record->label, search->label) == 0)
		*search->out = match(search->wanted, record);
	return *search->out != NULL;
}

/* Among the certificates of the label that the store has under the name. */
static enum outcome look_under(struct service *service, const struct enrollment *enrollment,
    const char *name, const struct wanted *wanted, X509 **out)
{
	struct search search = {wanted, enrollment->label->config->name, out};

	return namesakes_visit(service->store, name, CANDIDATES_MAX, is_wanted, &search);
}

/* The device name that the certificate will have, if who asks may have it. */
static enum outcome decide_name(
    struct service *service, const struct enrollment *enrollment, struct buf *name)
{
	struct naming_question question = {.service = service, .enrollment = enrollment};
	struct naming naming = {.differs = false};
	enum outcome outcome = naming_decide(&question, &naming);

	if (outcome == EST_OK)
		csr_device_name(naming.name, naming.sans, name);
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

static enum outcome find_certificate(struct service *service, const struct enrollment *enrollment,
    const char *name, struct recipient *out)
{
	const struct identity *identity = enrollment->identity;
	struct wanted wanted = wanted_of(enrollment->csr.asymmetric_key);
	enum outcome outcome = EST_OK;

	if (identity_has(identity, PROOF_CERTIFICATE) && identity->trust == TRUST_EXPLICIT)
		out->certificate = match(&wanted, &identity->certificate);
	if (out->certificate == NULL && name[0] != '\0')
		outcome = look_under(service, enrollment, name, &wanted, &out->certificate);
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
	struct buf name = {0};
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
	/* Who may not have the name does not learn which keys there are. */
	outcome = profile_check(enrollment->label->profile, csr, false);
	if (outcome == EST_OK)
		outcome = decide_name(service, enrollment, &name);
	if (outcome == EST_OK)
		outcome = by_kek ? find_kek(service, csr->decrypt_key, out)
				 : find_certificate(service, enrollment, buf_string(&name), out);
	buf_free(&name);
	return outcome == EST_OK
		   ? message_ciphers_choose(csr->smime_capabilities, &out->who, &out->ciphers)
		   : outcome;
}
