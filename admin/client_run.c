#include "admin/client_run.h"

#include <string.h>

#include "common/base/file.h"

#include "admin/client_certs.h"

#define PEM_MOST 1048576

static struct span content(const struct client_run *run, enum client_file file)
{
	return buf_span(&run->directory.files[file]);
}

/* Puts text into a file of the directory in memory and frees it. */
static void put(struct client_run *run, enum client_file file, struct buf *text)
{
	client_directory_set(&run->directory, file, buf_span(text));
	buf_cleanse(text);
}

void client_run_save_settings(struct client_run *run)
{
	struct buf text = {0};

	client_settings_write(&run->settings, &text);
	put(run, CLIENT_SETTINGS, &text);
}

static enum outcome make_settings(struct client_run *run)
{
	struct client_settings before = {0};
	struct span json = content(run, CLIENT_SETTINGS);
	enum outcome outcome =
	    client_settings_read(json, client_file_name(CLIENT_SETTINGS), &before);

	if (outcome == EST_OK)
		outcome =
		    client_settings_read(json, client_file_name(CLIENT_SETTINGS), &run->settings);
	if (outcome == EST_OK)
		outcome = client_settings_override(&run->settings, run->options);
	if (outcome == EST_OK && content(run, CLIENT_CERTIFICATE).len > 0 && before.url != NULL &&
	    !client_settings_same_place(&before, &run->settings))
		outcome = reason(EST_CONFLICT,
		    "%s holds a device of %s, label \"%s\"; take another directory",
		    run->options->directory, before.url, before.label == NULL ? "" : before.label);
	if (outcome == EST_OK)
		client_run_save_settings(run);
	client_settings_free(&before);
	return outcome;
}

static enum outcome take_srp(struct client_run *run)
{
	const struct client_options *options = run->options;
	struct client_session *session = &run->session;
	enum outcome outcome;

	if (options->srp_user == NULL)
		return options->srp_password_file == NULL
			   ? EST_OK
			   : cli_usage("--srp-password-file: --srp-user is missing");
	if (options->certificate != NULL)
		return cli_usage(
		    "--srp-user and --cert: one of them; TLS-SRP asks for no certificate");
	if (options->tls_max != NULL && !session->tls12)
		return cli_usage("--srp-user: there is no TLS-SRP in TLS 1.3");
	buf_reserve(&session->srp_password, 2048); /* grown, it would leave a copy behind */
	outcome = cli_secret(options->srp_password_file, "--srp-password-file", "TLS-SRP password",
	    false, &session->srp_password);
	(void)buf_string(&session->srp_password);
	session->srp_user = options->srp_user;
	session->srp_alone = options->trust == NULL && options->fingerprint == NULL;
	return outcome;
}

enum outcome client_run_open(
    const struct client_options *options, enum client_access access, struct client_run *run)
{
	enum outcome outcome;

	*run = (struct client_run){.options = options};
	run->session.settings = &run->settings;
	run->session.user_agent = options->user_agent;
	run->session.wait = options->wait;
	run->session.tls12 = options->tls_max != NULL && strcmp(options->tls_max, "1.2") == 0;
	outcome = client_directory_open(options->directory, access, &run->directory);
	if (outcome == EST_OK)
		outcome = take_srp(run);
	return outcome == EST_OK ? make_settings(run) : outcome;
}

static enum outcome trust_fingerprint(struct client_run *run)
{
	unsigned char fingerprint[CLIENT_FINGERPRINT];
	X509 *root = NULL;
	enum outcome outcome;

	if (client_fingerprint_parse(run->options->fingerprint, fingerprint) != EST_OK) {
		reason_clear();
		return cli_usage("--fingerprint: the 64 hex digits of a SHA-256 are wanted");
	}
	outcome = client_session_bootstrap(&run->session, fingerprint, &root);
	if (outcome == EST_OK) {
		run->trust = sk_X509_new_null();
		(void)sk_X509_push(run->trust, root);
	}
	return outcome;
}

static enum outcome trust_file(struct client_run *run)
{
	struct buf pem = {0};
	enum outcome outcome = file_read(run->options->trust, PEM_MOST, &pem);

	if (outcome == EST_OK)
		outcome = client_certs_read(buf_span(&pem), run->options->trust, &run->trust);
	buf_free(&pem);
	return outcome;
}

/* What the directory holds: what was trusted first, and the roots that the server vouched for
 * since. */
static enum outcome trust_directory(struct client_run *run)
{
	STACK_OF(X509) *cacerts = NULL;
	enum outcome outcome;

	if (content(run, CLIENT_TRUST).len == 0)
		return cli_usage("whom to trust? give --fingerprint HEX or --trust FILE");
	outcome = client_certs_read(
	    content(run, CLIENT_TRUST), client_file_name(CLIENT_TRUST), &run->trust);
	if (outcome == EST_OK && content(run, CLIENT_CACERTS).len > 0)
		outcome = client_certs_read(
		    content(run, CLIENT_CACERTS), client_file_name(CLIENT_CACERTS), &cacerts);
	if (outcome == EST_OK)
		client_certs_write_some(&run->session.trust, cacerts, true);
	client_certs_free(cacerts);
	return outcome;
}

/* What the directory holds, else the roots of a server that has proven itself by TLS-SRP. */
static enum outcome trust_srp(struct client_run *run)
{
	struct client_cacerts cacerts;
	enum outcome outcome;

	if (content(run, CLIENT_TRUST).len > 0)
		return trust_directory(run);
	outcome = client_session_cacerts(&run->session, &cacerts);
	run->trust = sk_X509_new_null();
	for (int i = 0; outcome == EST_OK && i < sk_X509_num(cacerts.certs); i++) {
		X509 *cert = sk_X509_value(cacerts.certs, i);
		if (client_cert_is_root(cert) && X509_up_ref(cert) == 1)
			(void)sk_X509_push(run->trust, cert);
	}
	if (outcome == EST_OK && sk_X509_num(run->trust) == 0)
		outcome = reason(EST_CONFLICT,
		    "RFC 7030 4.1.1: there is no self-signed certificate among the server's %d",
		    sk_X509_num(cacerts.certs));
	client_cacerts_free(&cacerts);
	return outcome;
}

static enum outcome fetch_cacerts(struct client_run *run)
{
	struct client_cacerts cacerts;
	struct buf pem = {0};
	enum outcome outcome = client_session_cacerts(&run->session, &cacerts);

	if (outcome == EST_OK) {
		client_certs_write(&pem, cacerts.certs);
		put(run, CLIENT_CACERTS, &pem);
		put(run, CLIENT_CACERTS_PKCS7, &cacerts.der);
		run->cacerts = cacerts.certs;
		cacerts.certs = NULL;
	}
	client_cacerts_free(&cacerts);
	return outcome;
}

enum outcome client_run_trust(struct client_run *run)
{
	struct buf trust = {0};
	enum outcome outcome;

	if (run->options->fingerprint != NULL && run->options->trust != NULL)
		return cli_usage("--fingerprint and --trust: one of them");
	if (run->options->fingerprint != NULL)
		outcome = trust_fingerprint(run);
	else if (run->options->trust != NULL)
		outcome = trust_file(run);
	else if (run->session.srp_alone)
		outcome = trust_srp(run);
	else
		outcome = trust_directory(run);
	if (outcome != EST_OK)
		return outcome;
	client_certs_write(&trust, run->trust);
	buf_add_span(&run->session.trust, buf_span(&trust));
	put(run, CLIENT_TRUST, &trust);
	outcome = fetch_cacerts(run);
	return outcome == EST_OK ? client_directory_save(&run->directory) : outcome;
}

enum outcome client_run_credentials(struct client_run *run, struct buf *password)
{
	const struct client_options *options = run->options;
	struct client_session *session = &run->session;
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

void client_run_close(struct client_run *run)
{
	client_certs_free(run->trust);
	client_certs_free(run->cacerts);
	client_session_free(&run->session);
	client_settings_free(&run->settings);
	client_directory_close(&run->directory);
}
