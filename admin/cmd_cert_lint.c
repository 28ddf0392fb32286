/*
 * cmd_cert_lint.c - est-admin cert lint: whatever is wrong with
 * certificates in files, whoever made them.
 *
 * They are taken apart by our own reader: OpenSSL's may not even read what this is about.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "admin/command.h"
#include "common/base/file.h"
#include "common/pki/der.h"
#include "common/pki/lint.h"

#define FILE_MOST (1 << 20)

/* What is looked at, and what was found. */
struct lint_job {
	const struct admin *admin;
	const char *file;
	unsigned number; /* of the certificate in its file */
	unsigned findings;
	struct lint_want want;
	X509 *ca; /* NULL: not given */
};

static void say(void *context, const char *rule, const char *section, const char *what)
{
	struct lint_job *job = context;

	job->findings++;
	if (job->admin->json) {
		json_t *object = json_object();
		json_object_set_new(object, "file", cli_json_text(job->file));
		json_object_set_new(object, "certificate", json_integer(job->number));
		json_object_set_new(object, "rule", cli_json_text(rule));
		json_object_set_new(object, "section", cli_json_text(section));
		json_object_set_new(object, "what", cli_json_text(what));
		cli_json_print(object);
		return;
	}
	cli_print("%s, certificate %u: %s: %s%s%s%s", job->file, job->number, rule, what,
	    section[0] == '\0' ? "" : " (", section, section[0] == '\0' ? "" : ")");
}

/* --- one certificate --- */

static void check_signature(struct lint_job *job, struct span der)
{
	const unsigned char *at = der.data;
	X509 *certificate = job->ca == NULL ? NULL : d2i_X509(NULL, &at, (long)der.len);

	if (job->ca != NULL &&
	    (certificate == NULL || X509_verify(certificate, X509_get0_pubkey(job->ca)) != 1))
		say(job, "signature", "RFC 5280 6.1.3",
		    "the signature does not verify by the key of the CA");
	ERR_clear_error();
	X509_free(certificate);
}

static void check_certificate(struct lint_job *job, struct span der)
{
	struct der certificate, tbs, algorithm, signature;
	struct span rest = der;

	job->number++;
	if (der_take(&rest, DER_SEQUENCE, &certificate) != EST_OK ||
	    der_take(&certificate.content, DER_SEQUENCE, &tbs) != EST_OK ||
	    der_take(&certificate.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&certificate.content, DER_BIT_STRING, &signature) != EST_OK ||
	    certificate.content.len > 0) {
		say(job, "structure", "RFC 5280 4.1", "it is no certificate in DER");
		return;
	}
	if (rest.len > 0)
		say(job, "trailing", "RFC 5280 4.1", "something follows the certificate");
	/* RFC 5280 4.1.1.2: the same inside as out */
	job->want.algorithm = algorithm.whole;
	(void)lint_each(tbs.whole, &job->want, say, job);
	check_signature(job, certificate.whole);
}

/* --- files --- */

/* Hands over every certificate of a file in PEM, or the whole of one that is not. */
static enum outcome each_certificate(const char *path, struct buf *content,
    void (*take)(struct lint_job *, struct span), struct lint_job *job)
{
	enum outcome outcome = file_read(path, FILE_MOST, content);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	BIO *bio;

	if (outcome != EST_OK)
		return outcome;
	if (strstr(buf_string(content), "-----BEGIN ") == NULL) {
		take(job, buf_span(content));
		return EST_OK;
	}
	bio = BIO_new_mem_buf(content->data, (int)content->len);
	while (bio != NULL && PEM_read_bio(bio, &name, &header, &data, &len) == 1) {
		if (strstr(name, "CERTIFICATE") != NULL && strstr(name, "REQUEST") == NULL)
			take(job, (struct span){data, (size_t)len});
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	BIO_free(bio);
	ERR_clear_error(); /* the end of the file is one */
	return EST_OK;
}

static enum outcome check_file(struct lint_job *job, const char *path)
{
	struct buf content = {0};
	unsigned before = job->findings;
	enum outcome outcome;

	job->file = path;
	job->number = 0;
	outcome = each_certificate(path, &content, check_certificate, job);
	buf_free(&content);
	if (outcome == EST_OK && job->number == 0)
		outcome = reason(EST_MALFORMED, "%s: there is no certificate in it", path);
	if (outcome == EST_OK && job->findings == before && !job->admin->json)
		cli_print("%s: nothing found", path);
	return outcome;
}

/* --- what to compare with --- */

/* The first certificate of its file. */
static void take_ca(struct lint_job *job, struct span der)
{
	const unsigned char *at = der.data;

	if (job->ca == NULL)
		job->ca = d2i_X509(NULL, &at, (long)der.len);
}

static int64_t time_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static enum outcome read_ca(struct lint_job *job, const char *path)
{
	struct lint_want *want = &job->want;
	struct buf content = {0};
	const ASN1_OCTET_STRING *id;
	enum outcome outcome = each_certificate(path, &content, take_ca, job);

	buf_free(&content);
	if (outcome != EST_OK)
		return outcome;
	if (job->ca == NULL)
		return reason(EST_MALFORMED, "%s: there is no certificate in it", path);
	(void)X509_NAME_get0_der(
	    X509_get_subject_name(job->ca), &want->issuer.data, &want->issuer.len);
	want->ca_not_before = time_of(X509_get0_notBefore(job->ca));
	want->ca_not_after = time_of(X509_get0_notAfter(job->ca));
	id = X509_get0_subject_key_id(job->ca);
	if (id != NULL)
		want->authority_key_id =
		    (struct span){ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)};
	return EST_OK;
}

static enum outcome find_profile(
    const struct config *config, const char *name, struct profile **out)
{
	for (size_t i = 0; i < config->profile_count; i++)
		if (strcmp(config->profiles[i].name, name) == 0)
			return profile_make(config->path, &config->profiles[i], out);
	return reason(EST_NOT_FOUND, "there is no profile \"%.60s\" in %s", name, config->path);
}

enum outcome cmd_cert_lint(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct lint_job job = {.admin = admin};
	struct config *config = NULL;
	struct profile *profile = NULL;
	enum outcome outcome = EST_OK;

	if (admin->profile != NULL)
		outcome = config_load(config_path(admin->config), &config);
	if (outcome == EST_OK && admin->profile != NULL)
		outcome = find_profile(config, admin->profile, &profile);
	job.want.profile = profile;
	if (outcome == EST_OK && admin->ca != NULL)
		outcome = read_ca(&job, admin->ca);
	for (size_t i = 0; i < call->count && outcome == EST_OK; i++)
		outcome = check_file(&job, call->arguments[i]);
	X509_free(job.ca);
	profile_free(profile);
	config_free(config);
	if (outcome != EST_OK || job.findings == 0)
		return outcome;
	return reason(EST_CONFLICT, "%u finding%s", job.findings, job.findings == 1 ? "" : "s");
}
