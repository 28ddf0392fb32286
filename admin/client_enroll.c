/*
 * est-client cacerts, enroll and renew.
 */
#include "admin/client_enroll.h"

#include <string.h>

#include "common/base/clock.h"

#include "admin/client_asking.h"
#include "admin/client_certs.h"
#include "admin/client_csrattrs.h"
#include "admin/client_held.h"
#include "admin/client_result.h"

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

enum outcome client_enroll_options(
    const struct client_options *options, struct client_request *request)
{
	enum outcome outcome;

	if (options->name == NULL)
		return cli_usage("--name is missing: the common name to ask for");
	if (options->password_file != NULL && options->user == NULL)
		return cli_usage("--password-file: --user is missing");
	if (options->user != NULL && strchr(options->user, ':') != NULL)
		return cli_usage("--user: RFC 7617 2 allows no colon in it");
	if ((options->certificate == NULL) != (options->certificate_key == NULL))
		return cli_usage("--cert and --cert-key: both, or none");
	outcome = client_request_options(request, options);
	return outcome != EST_OK
		   ? outcome
		   : client_names_make(options->name, &options->sans, &request->names);
}

enum outcome client_enroll_begin(const struct client_options *options, struct client_run *run,
    struct client_request *request, struct buf *password)
{
	enum outcome outcome = client_run_open(options, CLIENT_CREATE, run);

	if (outcome == EST_OK)
		outcome = client_run_credentials(run, password);
	if (outcome == EST_OK)
		outcome = client_run_trust(run);
	return outcome == EST_OK && options->attributes ? client_csrattrs_follow(run, request, true)
							: outcome;
}

enum outcome client_enroll(void *values, const struct cli_call *call)
{
	const struct client_options *options = values;
	struct client_run run = {.directory = {.lock = -1}};
	struct client_request request = {0};
	struct client_asking asking = {.run = &run, .request = &request};
	struct buf password = {0};
	X509 *certificate = NULL;
	enum outcome outcome = client_enroll_options(options, &request);
	bool renewed = false;

	(void)call;
	if (outcome == EST_OK)
		outcome = client_enroll_begin(options, &run, &request, &password);
	if (outcome == EST_OK)
		outcome = client_asking_enroll(&asking, "simpleenroll", NULL, &certificate);
	if (outcome == EST_OK)
		client_result_print(options, certificate, &renewed);
	X509_free(certificate);
	client_run_close(&run);
	client_request_free(&request);
	buf_cleanse(&password);
	return outcome;
}

/* Renews held->certificate; certificate is the new one. */
static enum outcome renew(
    struct client_run *run, const struct client_held *held, X509 **certificate)
{
	const struct client_options *options = run->options;
	struct client_request request = {0};
	struct client_asking asking = {.run = run, .request = &request};
	enum outcome outcome;

	if (client_cert_not_after(held->certificate) < clock_now())
		cli_say("the certificate has expired; where the server refuses it, enroll again");
	outcome = client_request_options(&request, options);
	if (outcome == EST_OK)
		outcome = client_run_trust(run);
	if (outcome == EST_OK)
		outcome = client_names_of(held->certificate, &request.names);
	if (outcome == EST_OK && options->attributes)
		outcome = client_csrattrs_follow(run, &request, false);
	if (outcome == EST_OK) {
		client_held_present(run);
		outcome = client_asking_enroll(
		    &asking, "simplereenroll", options->keep_key ? held->key : NULL, certificate);
	}
	client_request_free(&request);
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
	struct client_held held = {0};
	X509 *fresh = NULL;
	enum outcome outcome = EST_OK;
	bool renewed = false;

	(void)call;
	if (options->rekey && options->keep_key)
		return cli_usage("--rekey and --keep-key: one of them");
	outcome = client_run_open(options, CLIENT_CHANGE, &run);
	if (outcome == EST_OK)
		outcome = client_held_take(&run, &held);
	if (outcome == EST_OK && !is_early(options, held.certificate)) {
		outcome = renew(&run, &held, &fresh);
		renewed = outcome == EST_OK;
	}
	if (outcome == EST_OK)
		client_result_print(options, renewed ? fresh : held.certificate, &renewed);
	X509_free(fresh);
	client_held_free(&held);
	client_run_close(&run);
	return outcome;
}
