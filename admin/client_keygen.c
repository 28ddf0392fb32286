/*
 * est-client keygen: a key that the server makes (RFC 7030 4.4), for devices that cannot.
 */
#include <openssl/x509v3.h>

#include "admin/client_asking.h"
#include "admin/client_csrattrs.h"
#include "admin/client_enroll.h"
#include "admin/client_envelope.h"
#include "admin/client_result.h"

/* Names the key that is to protect the generated one (RFC 7030 4.4.1). */
static enum outcome ask_for_envelope(
    const struct client_opener *opener, struct client_request *request)
{
	const ASN1_OCTET_STRING *id;
	enum outcome outcome = EST_OK;

	if (opener->kek.len > 0) {
		outcome = client_request_add_octets(
		    &request->attributes, CLIENT_DECRYPT_KEY, buf_span(&opener->kek_id));
	} else if (opener->certificate != NULL) {
		id = X509_get0_subject_key_id(opener->certificate);
		if (id == NULL)
			return reason(EST_CONFLICT,
			    "RFC 7030 4.4.1.2: the certificate of --decrypt-cert has no "
			    "subjectKeyIdentifier to name it by");
		outcome = client_request_add_octets(&request->attributes, CLIENT_ASYMMETRIC_KEY,
		    (struct span){ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)});
	} else {
		return EST_OK;
	}
	return outcome == EST_OK ? client_request_add_capabilities(&request->attributes) : outcome;
}

/* The key of the answer: as it is where none was to protect it, and only then. */
static enum outcome take_key(const struct client_run *run, const struct client_opener *opener,
    const struct client_generated *generated, EVP_PKEY **key)
{
	struct client_envelope envelope = {.der = buf_span(&generated->key),
	    .opener = opener,
	    .trust = run->trust,
	    .cacerts = run->cacerts};
	bool asked = opener->kek.len > 0 || opener->key != NULL;

	if (asked && !generated->enveloped)
		return reason(EST_CONFLICT,
		    "RFC 7030 4.4.2: the key came as it is, where it was to be encrypted");
	if (!asked && generated->enveloped)
		return reason(EST_CONFLICT,
		    "the key came encrypted: give --kek-id and --kek-file, or --decrypt-cert and "
		    "--decrypt-key");
	return asked ? client_envelope_open(&envelope, key) : client_key_parse(envelope.der, key);
}

static enum outcome generate(
    struct client_asking *asking, const struct client_opener *opener, X509 **certificate)
{
	struct client_message message = client_asking_message(asking, "serverkeygen");
	struct client_run *run = asking->run;
	struct client_generated generated = {0};
	EVP_PKEY *key = NULL;
	enum outcome outcome = client_asking_begin(asking, NULL);

	if (outcome == EST_OK) {
		outcome = client_session_generate(&run->session, &message, &generated);
		if (outcome == EST_FORBIDDEN)
			(void)client_asking_drop(asking);
	}
	if (outcome == EST_OK)
		outcome = take_key(run, opener, &generated, &key);
	if (outcome == EST_OK)
		outcome = client_asking_adopt(asking, key, generated.certificate);
	if (outcome == EST_OK) {
		*certificate = generated.certificate;
		generated.certificate = NULL;
	}
	EVP_PKEY_free(key);
	X509_free(generated.certificate);
	buf_cleanse(&generated.key);
	client_asking_end(asking);
	return outcome;
}

enum outcome client_keygen(void *values, const struct cli_call *call)
{
	const struct client_options *options = values;
	struct client_run run = {.directory = {.lock = -1}};
	struct client_request request = {0};
	struct client_asking asking = {.run = &run, .request = &request};
	struct client_opener opener = {0};
	struct buf password = {0};
	X509 *certificate = NULL;
	enum outcome outcome = client_enroll_options(options, &request);
	bool renewed = false;

	(void)call;
	if (outcome == EST_OK)
		outcome = client_opener_read(options, &opener);
	if (outcome == EST_OK)
		outcome = ask_for_envelope(&opener, &request);
	if (outcome == EST_OK)
		outcome = client_enroll_begin(options, &run, &request, &password);
	if (outcome == EST_OK)
		outcome = generate(&asking, &opener, &certificate);
	if (outcome == EST_OK)
		client_result_print(options, certificate, &renewed);
	X509_free(certificate);
	client_run_close(&run);
	client_opener_clear(&opener);
	client_request_free(&request);
	buf_cleanse(&password);
	return outcome;
}
