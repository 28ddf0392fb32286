/*
 * est-client cacerts, enroll and renew.
 */
#include "admin/client.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/file.h"

#include "admin/client_certs.h"
#include "admin/client_result.h"
#include "admin/client_run.h"

#define PEM_MOST 1048576

static void print_trust(const struct client_run *run)
{
	json_t *fingerprints = json_array();

	for (int i = 0; i < sk_X509_num(run->trust); i++) {
		struct buf text = {0};
		client_result_fingerprint(sk_X509_value(run->trust, i), &text);
		(void)json_array_append_new(fingerprints, cli_json_text(buf_string(&text)));
		buf_free(&text);
	}
	if (run->options->json) {
		cli_json_print(
		    json_pack("{s:o, s:i, s:o, s:o}", "trust", fingerprints, "certificates",
			sk_X509_num(run->cacerts), "url", cli_json_text(run->settings.url),
			"directory", cli_json_text(run->options->directory)));
		return;
	}
	cli_print("%d certificates of the CA are in %s", sk_X509_num(run->cacerts),
	    run->options->directory);
	for (size_t i = 0; i < json_array_size(fingerprints); i++)
		cli_print(
		    "trusted by SHA-256 %s", json_string_value(json_array_get(fingerprints, i)));
	json_decref(fingerprints);
}

enum outcome client_cacerts(void *values, const struct cli_call *call)
{
	struct client_run run;
	enum outcome outcome = client_run_open(values, CLIENT_CREATE, &run);

	(void)call;
	if (outcome == EST_OK)
		outcome = client_run_trust(&run);
	if (outcome == EST_OK)
		print_trust(&run);
	client_run_close(&run);
	return outcome;
}

static enum outcome check_enroll_options(const struct client_options *options)
{
	if (options->name == NULL)
		return cli_usage("--name is missing: the common name to ask for");
	if (options->password_file != NULL && options->user == NULL)
		return cli_usage("--password-file: --user is missing");
	if (options->user != NULL && strchr(options->user, ':') != NULL)
		return cli_usage("--user: RFC 7617 2 allows no colon in it");
	if ((options->certificate == NULL) != (options->certificate_key == NULL))
		return cli_usage("--cert and --cert-key: both, or none");
	return EST_OK;
}

/* What the device proves itself with at its first enrollment. */
static enum outcome take_credentials(
    const struct client_options *options, struct client_session *session, struct buf *password)
{
	enum outcome outcome = EST_OK;

	if (options->user != NULL) {
		outcome = cli_secret(
		    options->password_file, "--password-file", "password", false, password);
		session->user = options->user;
		session->password = buf_string(password);
	}
	if (outcome == EST_OK && options->certificate != NULL)
		outcome = file_read(options->certificate, PEM_MOST, &session->certificate);
	if (outcome == EST_OK && options->certificate_key != NULL) {
		buf_reserve(&session->key, 65536);
		outcome = file_read(options->certificate_key, PEM_MOST, &session->key);
	}
	return outcome;
}

enum outcome client_enroll(void *values, const struct cli_call *call)
{
	const struct client_options *options = values;
	struct client_run run = {.directory = {.lock = -1}};
	struct client_names names = {0};
	struct buf password = {0};
	X509 *certificate = NULL;
	enum outcome outcome = check_enroll_options(options);
	bool renewed = false;

	(void)call;
	if (outcome == EST_OK)
		outcome = client_names_make(options->name, &options->sans, &names);
	if (outcome == EST_OK)
		outcome = client_run_open(options, CLIENT_CREATE, &run);
	if (outcome == EST_OK)
		outcome = take_credentials(options, &run.session, &password);
	if (outcome == EST_OK)
		outcome = client_run_trust(&run);
	if (outcome == EST_OK)
		outcome = client_run_request(&run, "simpleenroll", &names, NULL, &certificate);
	if (outcome == EST_OK)
		client_result_print(options, certificate, &renewed);
	X509_free(certificate);
	client_run_close(&run);
	client_names_free(&names);
	buf_cleanse(&password);
	return outcome;
}

/* What the device holds: the certificate to be renewed and the key that belongs to it. */
struct held {
	STACK_OF(X509) *certs;
	X509 *certificate; /* the first of certs */
	EVP_PKEY *key;
};

static enum outcome take_held(const struct client_run *run, struct held *held)
{
	const struct buf *files = run->directory.files;
	enum outcome outcome;

	if (files[CLIENT_CERTIFICATE].len == 0 || files[CLIENT_KEY].len == 0)
		return reason(EST_NOT_FOUND, "there is no %s and %s in %s: enroll first",
		    client_file_name(CLIENT_KEY), client_file_name(CLIENT_CERTIFICATE),
		    run->options->directory);
	outcome = client_certs_read(buf_span(&files[CLIENT_CERTIFICATE]),
	    client_file_name(CLIENT_CERTIFICATE), &held->certs);
	if (outcome == EST_OK)
		outcome = client_key_read(
		    buf_span(&files[CLIENT_KEY]), client_file_name(CLIENT_KEY), &held->key);
	if (outcome != EST_OK)
		return outcome;
	held->certificate = sk_X509_value(held->certs, 0);
	if (X509_check_private_key(held->certificate, held->key) != 1)
		return reason_openssl(EST_CONFLICT, "%s is not the key of %s in %s",
		    client_file_name(CLIENT_KEY), client_file_name(CLIENT_CERTIFICATE),
		    run->options->directory);
	return EST_OK;
}

/* The TLS client's certificate and key, with the intermediates that a server may lack behind it. */
static void present(struct client_run *run)
{
	const struct buf *files = run->directory.files;
	STACK_OF(X509) *cacerts = NULL;

	buf_add_span(&run->session.certificate, buf_span(&files[CLIENT_CERTIFICATE]));
	buf_reserve(&run->session.key, files[CLIENT_KEY].len);
	buf_add_span(&run->session.key, buf_span(&files[CLIENT_KEY]));
	if (files[CLIENT_CACERTS].len > 0 &&
	    client_certs_read(buf_span(&files[CLIENT_CACERTS]), client_file_name(CLIENT_CACERTS),
		&cacerts) == EST_OK)
		client_certs_write_some(&run->session.certificate, cacerts, false);
	client_certs_free(cacerts);
}

/* Renews held->certificate; certificate is the new one. */
static enum outcome renew(struct client_run *run, const struct held *held, X509 **certificate)
{
	struct client_names names;
	enum outcome outcome;

	if (client_cert_not_after(held->certificate) < clock_now())
		cli_say("the certificate has expired; where the server refuses it, enroll again");
	outcome = client_run_trust(run);
	if (outcome == EST_OK)
		outcome = client_names_of(held->certificate, &names);
	if (outcome != EST_OK)
		return outcome;
	present(run);
	outcome = client_run_request(
	    run, "simplereenroll", &names, run->options->keep_key ? held->key : NULL, certificate);
	client_names_free(&names);
	return outcome;
}

/* Whether the certificate lives longer than --if-expires-within. */
static bool is_early(const struct client_options *options, const X509 *certificate)
{
	return options->if_expires_within >= 0 &&
	       client_cert_not_after(certificate) - clock_now() > options->if_expires_within;
}

enum outcome client_renew(void *values, const struct cli_call *call)
{
	const struct client_options *options = values;
	struct client_run run = {.directory = {.lock = -1}};
	struct held held = {0};
	X509 *fresh = NULL;
	enum outcome outcome = EST_OK;
	bool renewed = false;

	(void)call;
	if (options->rekey && options->keep_key)
		return cli_usage("--rekey and --keep-key: one of them");
	outcome = client_run_open(options, CLIENT_CHANGE, &run);
	if (outcome == EST_OK)
		outcome = take_held(&run, &held);
	if (outcome == EST_OK && !is_early(options, held.certificate)) {
		outcome = renew(&run, &held, &fresh);
		renewed = outcome == EST_OK;
	}
	if (outcome == EST_OK)
		client_result_print(options, renewed ? fresh : held.certificate, &renewed);
	X509_free(fresh);
	client_certs_free(held.certs);
	EVP_PKEY_free(held.key);
	client_run_close(&run);
	return outcome;
}
