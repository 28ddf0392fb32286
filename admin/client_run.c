#include "admin/client_run.h"

#include "common/base/file.h"

#include "admin/client_certs.h"

#define TRUST_MOST 1048576

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

static enum outcome make_settings(struct client_run *run)
{
	struct client_settings before = {0};
	struct span json = content(run, CLIENT_SETTINGS);
	enum outcome outcome =
	    client_settings_read(json, client_file_name(CLIENT_SETTINGS), &before);
	struct buf text = {0};

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
	if (outcome == EST_OK) {
		client_settings_write(&run->settings, &text);
		put(run, CLIENT_SETTINGS, &text);
	}
	client_settings_free(&before);
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
	outcome = client_directory_open(options->directory, access, &run->directory);
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
	enum outcome outcome = file_read(run->options->trust, TRUST_MOST, &pem);

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

/* A key and the request for it. */
struct pair {
	EVP_PKEY *key;
	X509_REQ *csr;
};

static void pair_free(struct pair *pair)
{
	EVP_PKEY_free(pair->key);
	X509_REQ_free(pair->csr);
	*pair = (struct pair){0};
}

/* The pair that still waits for its certificate, if it asks for the same; else pair stays empty. */
static void take_pending(
    struct client_run *run, const struct client_names *names, struct pair *pair)
{
	struct span key = content(run, CLIENT_PENDING_KEY);
	X509_REQ *wanted = NULL;
	struct buf type = {0};

	/* Equal to the device's key: left over from a request that was answered. */
	if (key.len == 0 || span_equal(key, content(run, CLIENT_KEY)))
		return;
	if (client_key_read(key, client_file_name(CLIENT_PENDING_KEY), &pair->key) == EST_OK &&
	    client_csr_read(content(run, CLIENT_PENDING_CSR), &pair->csr) == EST_OK)
		client_key_type(pair->key, &type);
	if (!span_equal(buf_span(&type), span_of(run->settings.key_type)) ||
	    client_csr_make(pair->key, names, &wanted) != EST_OK ||
	    !client_csr_same(wanted, pair->csr))
		pair_free(pair);
	reason_clear();
	buf_free(&type);
	X509_REQ_free(wanted);
}

static enum outcome make_pair(
    struct client_run *run, const struct client_names *names, EVP_PKEY *keep, struct pair *pair)
{
	struct buf key = {0}, csr = {0};
	enum outcome outcome = EST_OK;

	if (keep == NULL)
		take_pending(run, names, pair);
	if (pair->csr != NULL)
		return EST_OK;
	cli_progress("making a key: %s", run->settings.key_type);
	if (keep != NULL && EVP_PKEY_up_ref(keep) == 1)
		pair->key = keep;
	else
		outcome = client_key_make(run->settings.key_type, &pair->key);
	if (outcome == EST_OK)
		outcome = client_csr_make(pair->key, names, &pair->csr);
	if (outcome == EST_OK)
		outcome = client_key_write(pair->key, &key);
	if (outcome != EST_OK)
		return outcome;
	client_csr_write(pair->csr, &csr);
	put(run, CLIENT_PENDING_KEY, &key);
	put(run, CLIENT_PENDING_CSR, &csr);
	return client_directory_save(&run->directory);
}

static enum outcome check_certificate(
    const struct client_run *run, const struct pair *pair, X509 *certificate)
{
	EVP_PKEY *public = X509_get0_pubkey(certificate);

	if (public == NULL || EVP_PKEY_eq(public, pair->key) != 1)
		return reason_openssl(EST_CONFLICT,
		    "the certificate that came is for another key than the one asked for");
	return client_cert_verify(certificate, run->trust, run->cacerts);
}

/* The pair and its certificate become the device's; nothing is pending any more. */
static enum outcome adopt(struct client_run *run, X509 *certificate)
{
	struct buf pem = {0}, none = {0};
	STACK_OF(X509) *certs = sk_X509_new_null();

	(void)sk_X509_push(certs, certificate);
	client_certs_write(&pem, certs);
	sk_X509_free(certs);
	client_directory_set(&run->directory, CLIENT_KEY, content(run, CLIENT_PENDING_KEY));
	client_directory_set(&run->directory, CLIENT_CSR, content(run, CLIENT_PENDING_CSR));
	put(run, CLIENT_CERTIFICATE, &pem);
	put(run, CLIENT_PENDING_KEY, &none);
	put(run, CLIENT_PENDING_CSR, &none);
	return client_directory_save(&run->directory);
}

/* A request that was turned down is not sent again: the next one gets a key of its own. */
static enum outcome drop_pending(struct client_run *run)
{
	struct buf none = {0};

	put(run, CLIENT_PENDING_KEY, &none);
	put(run, CLIENT_PENDING_CSR, &none);
	return client_directory_save(&run->directory);
}

enum outcome client_run_request(struct client_run *run, const char *operation,
    const struct client_names *names, EVP_PKEY *keep, X509 **certificate)
{
	struct pair pair = {0};
	struct buf der = {0};
	X509 *answer = NULL;
	enum outcome outcome = make_pair(run, names, keep, &pair);

	if (outcome == EST_OK) {
		client_csr_der(pair.csr, &der);
		outcome = client_session_enroll(&run->session, operation, buf_span(&der), &answer);
		if (outcome == EST_FORBIDDEN)
			(void)drop_pending(run);
	}
	if (outcome == EST_OK)
		outcome = check_certificate(run, &pair, answer);
	if (outcome == EST_OK)
		outcome = adopt(run, answer);
	if (outcome == EST_OK) {
		*certificate = answer;
		answer = NULL;
	}
	X509_free(answer);
	buf_free(&der);
	pair_free(&pair);
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
