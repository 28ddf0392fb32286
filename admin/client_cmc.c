/*
 * est-client cmc: certificates, and their revocation, by a Full PKI Request (RFC 7030 4.3).
 */
#include <string.h>

#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/pki/key.h"
#include "common/pki/record.h"

#include "admin/client_asking.h"
#include "admin/client_certs.h"
#include "admin/client_cmc_message.h"
#include "admin/client_csrattrs.h"
#include "admin/client_enroll.h"
#include "admin/client_exchange.h"
#include "admin/client_held.h"
#include "admin/client_result.h"

#define KEY_ID 20 /* octets */

/* A Full PKI Request on its way. */
struct sending {
	struct client_run *run;
	struct client_asking *asking; /* NULL: no certificate is asked for */
	const struct client_held *held;
	struct client_cmc cmc;
	struct buf secret;
	int reason; /* for which held->certificate is to be revoked, where asking is NULL */
};

/*
 * The leftmost 160 bits of SHA-256 over the SubjectPublicKeyInfo; which value it is, is the
 * client's choice.
 */
static enum outcome make_key_id(EVP_PKEY *key, unsigned char id[static KEY_ID])
{
	unsigned char *spki = NULL, digest[32];
	int len = i2d_PUBKEY(key, &spki);

	if (len <= 0)
		return reason_openssl(EST_INTERNAL, "cannot write the public key");
	key_sha256((struct span){spki, (size_t)len}, digest);
	OPENSSL_free(spki);
	memcpy(id, digest, KEY_ID);
	return EST_OK;
}

/* The request with a subjectKeyIdentifier, by which the message names its signer (RFC 5272 3.2). */
static enum outcome make_csr(
    struct sending *sending, const char *binding, const unsigned char *key_id, struct buf *der)
{
	struct client_asking *asking = sending->asking;
	struct client_request request = *asking->request;
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	X509_REQ *csr = NULL;
	enum outcome outcome = EST_OK;

	request.extensions = request.extensions == NULL
				 ? sk_X509_EXTENSION_new_null()
				 : sk_X509_EXTENSION_deep_copy(
				       request.extensions, X509_EXTENSION_dup, X509_EXTENSION_free);
	if (ASN1_OCTET_STRING_set(id, key_id, KEY_ID) != 1 ||
	    X509V3_add1_i2d(
		&request.extensions, NID_subject_key_identifier, id, 0, X509V3_ADD_REPLACE) != 1)
		outcome = reason_openssl(EST_INTERNAL, "cannot add an extension to the request");
	if (outcome == EST_OK)
		outcome = client_csr_make(asking->key, &request, binding, &csr);
	if (outcome == EST_OK) {
		X509_REQ_free(asking->csr);
		asking->csr = csr;
		client_csr_der(csr, der);
	}
	sk_X509_EXTENSION_pop_free(request.extensions, X509_EXTENSION_free);
	ASN1_OCTET_STRING_free(id);
	return outcome;
}

static enum outcome make(void *context, const char *binding, struct buf *der)
{
	struct sending *sending = context;
	struct client_cmc_request request = {
	    .reason = sending->reason, .secret = buf_span(&sending->secret)};
	unsigned char key_id[KEY_ID];
	struct buf csr = {0};
	enum outcome outcome = EST_OK;

	if (sending->asking != NULL) {
		outcome = make_key_id(sending->asking->key, key_id);
		if (outcome == EST_OK)
			outcome = make_csr(sending, binding, key_id, &csr);
		request.csr = buf_span(&csr);
		request.key = sending->asking->key;
		request.key_id = (struct span){key_id, KEY_ID};
	} else {
		request.revoke = sending->held->certificate;
	}
	if (sending->held->key != NULL) {
		request.certificate = sending->held->certificate;
		request.key = sending->held->key;
	}
	if (outcome == EST_OK)
		outcome = client_cmc_write(&sending->cmc, &request, der);
	buf_free(&csr);
	return outcome;
}

/* What the answer says; also where its status is an error (RFC 7030 4.3.2). */
static enum outcome take_answer(
    struct sending *sending, const struct http_response *response, STACK_OF(X509) **certs)
{
	struct client_cmc_trust trust = {sending->run->trust, sending->run->cacerts};
	bool is_cmc = client_exchange_is(response->content_type, "application/pkcs7-mime");
	struct buf der = {0};
	enum outcome status = EST_OK, outcome;

	if (response->status != 200) {
		status = client_exchange_refused(&sending->run->session, "fullcmc", response);
		if (!is_cmc)
			return status;
		reason_clear();
	}
	if (!is_cmc)
		return reason(EST_MALFORMED, "the answer is not application/pkcs7-mime");
	outcome = base64_decode(&der, buf_span(&response->body));
	if (outcome == EST_OK)
		outcome = client_cmc_read(&sending->cmc, buf_span(&der), &trust, certs);
	buf_free(&der);
	if (outcome == EST_OK && status != EST_OK)
		return reason(EST_MALFORMED, "the answer's status is %ld, and it tells of success",
		    response->status);
	/* Who was refused is told so by the status; what for, by the answer. */
	return outcome == EST_CONFLICT && status != EST_OK ? status : outcome;
}

static enum outcome send_it(struct sending *sending, STACK_OF(X509) **certs)
{
	struct client_message message = {.operation = "fullcmc",
	    .type = "application/pkcs7-mime; smime-type=CMC-request",
	    .make = make,
	    .context = sending};
	struct http_response response = {0};
	enum outcome outcome = client_cmc_begin(&sending->cmc);

	if (sending->asking != NULL)
		message.bound = sending->asking->request->bind || sending->asking->request->link;
	if (outcome == EST_OK)
		outcome = client_exchange_post(&sending->run->session, &message, &response);
	if (outcome == EST_OK)
		outcome = take_answer(sending, &response, certs);
	http_response_free(&response);
	return outcome;
}

/* The certificate over the key that it was asked for. */
static X509 *find_certificate(const STACK_OF(X509) *certs, EVP_PKEY *key)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		EVP_PKEY *public = X509_get0_pubkey(sk_X509_value(certs, i));
		if (public != NULL && EVP_PKEY_eq(public, key) == 1)
			return sk_X509_value(certs, i);
	}
	return NULL;
}

static enum outcome enroll(struct sending *sending)
{
	struct client_asking *asking = sending->asking;
	STACK_OF(X509) *certs = NULL;
	X509 *certificate = NULL;
	bool renewed = sending->held->certificate != NULL;
	enum outcome outcome = client_asking_begin(
	    asking, sending->run->options->keep_key ? sending->held->key : NULL);

	if (outcome == EST_OK) {
		outcome = send_it(sending, &certs);
		if (outcome == EST_FORBIDDEN)
			(void)client_asking_drop(asking);
	}
	if (outcome == EST_OK) {
		certificate = find_certificate(certs, asking->key);
		outcome = certificate == NULL
			      ? reason(EST_MALFORMED,
				    "the answer has no certificate for the key that was asked for")
			      : client_asking_adopt(asking, asking->key, certificate);
	}
	if (outcome == EST_OK)
		client_result_print(sending->run->options, certificate, &renewed);
	client_certs_free(certs);
	client_asking_end(asking);
	return outcome;
}

static enum outcome revoke(struct sending *sending)
{
	const struct client_options *options = sending->run->options;
	STACK_OF(X509) *certs = NULL;
	struct buf serial = {0};
	const ASN1_INTEGER *number = X509_get0_serialNumber(sending->held->certificate);
	enum outcome outcome = send_it(sending, &certs);

	hex_encode(&serial,
	    (struct span){ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)});
	if (outcome == EST_OK && options->json)
		cli_json_print(
		    json_pack("{s:o, s:o, s:o}", "revoked", cli_json_text(buf_string(&serial)),
			"reason", cli_json_text(revocation_word(sending->reason)), "directory",
			cli_json_text(options->directory)));
	else if (outcome == EST_OK)
		cli_print("certificate %s is revoked", buf_string(&serial));
	client_certs_free(certs);
	buf_free(&serial);
	return outcome;
}

/*
 * Names and attributes of the request: as the options say, else as in the certificate that there
 * is.
 */
static enum outcome make_request(const struct client_options *options,
    const struct client_held *held, struct client_request *out)
{
	enum outcome outcome;

	if (options->name != NULL || held->certificate == NULL)
		return client_enroll_options(options, out);
	outcome = client_request_options(out, options);
	return outcome == EST_OK ? client_names_of(held->certificate, &out->names) : outcome;
}

/* Whether there is an option that is for requests only; --revocation-file is not. */
static bool says_what_to_ask(const struct client_options *options)
{
	return options->name != NULL || options->sans.count > 0 || options->key_type != NULL ||
	       options->keep_key || options->bind || options->link || options->attributes ||
	       options->challenge_file != NULL || options->otp_file != NULL ||
	       options->secret_file != NULL;
}

static enum outcome check_options(const struct client_options *options, int *reason_code)
{
	*reason_code =
	    revocation_code(options->reason == NULL ? "cessationOfOperation" : options->reason);
	if (options->reason != NULL && !options->revoke)
		return cli_usage("--reason: --revoke is missing");
	if (*reason_code < 0)
		return cli_usage("--reason: \"%.40s\" is none of RFC 5280 5.3.1", options->reason);
	if (options->revoke && says_what_to_ask(options))
		return cli_usage(
		    "--revoke is for the certificate that is in the directory; of the "
		    "options that say what to ask for it takes --revocation-file only");
	if (options->revoke && options->revocation_file != NULL && options->user == NULL &&
	    options->certificate == NULL && options->srp_user == NULL)
		return cli_usage("--revoke --revocation-file: --user, --cert or --srp-user is "
				 "missing, because the message is signed by nobody");
	return EST_OK;
}

/* The certificate that is to be revoked, whose key may be lost. */
static enum outcome take_certificate(const struct client_run *run, struct client_held *held)
{
	struct span pem = buf_span(&run->directory.files[CLIENT_CERTIFICATE]);
	const char *name = client_file_name(CLIENT_CERTIFICATE);
	enum outcome outcome;

	if (pem.len == 0)
		return reason(EST_NOT_FOUND, "there is no %s in %s", name, run->options->directory);
	outcome = client_certs_read(pem, name, &held->certs);
	if (outcome == EST_OK)
		held->certificate = sk_X509_value(held->certs, 0);
	return outcome;
}

/* Who asks: the certificate that there is, else as the options say. */
static enum outcome take_identity(
    struct sending *sending, struct client_held *held, struct buf *password)
{
	const struct client_options *options = sending->run->options;
	bool by_secret = options->revoke && options->revocation_file != NULL;
	enum outcome outcome = EST_OK;

	if (by_secret)
		outcome = take_certificate(sending->run, held);
	else if (options->revoke || options->keep_key || client_held_exists(sending->run))
		outcome = client_held_take(sending->run, held);
	if (outcome == EST_OK && held->key == NULL)
		outcome = client_run_credentials(sending->run, password);
	if (outcome == EST_OK && by_secret)
		outcome = cli_secret(options->revocation_file, "--revocation-file", "secret", false,
		    &sending->secret);
	if (outcome == EST_OK && options->secret_file != NULL)
		outcome = cli_secret(options->secret_file, "--secret-file", "one-time secret",
		    false, &sending->secret);
	return outcome;
}

enum outcome client_cmc(void *values, const struct cli_call *call)
{
	const struct client_options *options = values;
	struct client_run run = {.directory = {.lock = -1}};
	struct client_held held = {0};
	struct client_request request = {0};
	struct client_asking asking = {.run = &run, .request = &request};
	struct sending sending = {
	    .run = &run, .held = &held, .asking = options->revoke ? NULL : &asking};
	struct buf password = {0};
	enum outcome outcome = check_options(options, &sending.reason);

	(void)call;
	if (outcome == EST_OK)
		outcome =
		    client_run_open(options, options->revoke ? CLIENT_CHANGE : CLIENT_CREATE, &run);
	if (outcome == EST_OK)
		outcome = take_identity(&sending, &held, &password);
	if (outcome == EST_OK && !options->revoke)
		outcome = make_request(options, &held, &request);
	if (outcome == EST_OK)
		outcome = client_run_trust(&run);
	if (outcome == EST_OK && options->attributes)
		outcome = client_csrattrs_follow(&run, &request, options->name != NULL);
	if (outcome == EST_OK && held.key != NULL)
		client_held_present(&run);
	if (outcome == EST_OK)
		outcome = options->revoke ? revoke(&sending) : enroll(&sending);
	client_held_free(&held);
	client_request_free(&request);
	client_run_close(&run);
	buf_cleanse(&sending.secret);
	buf_cleanse(&password);
	return outcome;
}
