#include "admin/client_asking.h"

#include "admin/client_certs.h"

static struct span content(const struct client_asking *asking, enum client_file file)
{
	return buf_span(&asking->run->directory.files[file]);
}

/* Puts text into a file of the directory in memory and frees it. */
static void put(struct client_asking *asking, enum client_file file, struct buf *text)
{
	client_directory_set(&asking->run->directory, file, buf_span(text));
	buf_cleanse(text);
}

/* What still waits for its certificate, if it asks for the same; else asking stays empty. */
static void take_pending(struct client_asking *asking)
{
	struct span key = content(asking, CLIENT_PENDING_KEY);
	X509_REQ *wanted = NULL;
	struct buf type = {0};

	/* Equal to the device's key: left over from a request that was answered. */
	if (key.len == 0 || span_equal(key, content(asking, CLIENT_KEY)))
		return;
	if (client_key_read(key, client_file_name(CLIENT_PENDING_KEY), &asking->key) == EST_OK &&
	    client_csr_read(content(asking, CLIENT_PENDING_CSR), &asking->csr) == EST_OK)
		client_key_type(asking->key, &type);
	if (!span_equal(buf_span(&type), span_of(asking->run->settings.key_type)) ||
	    client_csr_make(asking->key, asking->request, NULL, &wanted) != EST_OK ||
	    !client_csr_same(wanted, asking->csr))
		client_asking_end(asking);
	reason_clear();
	buf_free(&type);
	X509_REQ_free(wanted);
}

enum outcome client_asking_begin(struct client_asking *asking, EVP_PKEY *keep)
{
	struct buf key = {0}, csr = {0};
	enum outcome outcome = EST_OK;

	if (keep == NULL)
		take_pending(asking);
	if (asking->csr != NULL)
		return EST_OK;
	cli_progress("making a key: %s", asking->run->settings.key_type);
	if (keep != NULL && EVP_PKEY_up_ref(keep) == 1)
		asking->key = keep;
	else
		outcome = client_key_make(asking->run->settings.key_type, &asking->key);
	if (outcome == EST_OK)
		outcome = client_csr_make(asking->key, asking->request, NULL, &asking->csr);
	if (outcome == EST_OK)
		outcome = client_key_write(asking->key, &key);
	if (outcome != EST_OK)
		return outcome;
	client_csr_write(asking->csr, &csr);
	put(asking, CLIENT_PENDING_KEY, &key);
	put(asking, CLIENT_PENDING_CSR, &csr);
	return client_directory_save(&asking->run->directory);
}

/* The request as it is; or, bound, another for the same key (RFC 7030 4.2.3). */
static enum outcome make(void *context, const char *binding, struct buf *der)
{
	struct client_asking *asking = context;
	X509_REQ *bound = NULL;
	enum outcome outcome = EST_OK;

	if (binding != NULL)
		outcome = client_csr_make(asking->key, asking->request, binding, &bound);
	if (outcome != EST_OK)
		return outcome;
	if (bound != NULL) {
		X509_REQ_free(asking->csr);
		asking->csr = bound;
	}
	client_csr_der(asking->csr, der);
	return EST_OK;
}

struct client_message client_asking_message(struct client_asking *asking, const char *operation)
{
	return (struct client_message){.operation = operation,
	    .type = "application/pkcs10",
	    .bound = asking->request->bind || asking->request->link,
	    .make = make,
	    .context = asking};
}

enum outcome client_asking_drop(struct client_asking *asking)
{
	struct buf none = {0};

	put(asking, CLIENT_PENDING_KEY, &none);
	put(asking, CLIENT_PENDING_CSR, &none);
	return client_directory_save(&asking->run->directory);
}

enum outcome client_asking_adopt(struct client_asking *asking, EVP_PKEY *key, X509 *certificate)
{
	struct buf key_pem = {0}, csr = {0}, pem = {0};
	EVP_PKEY *public = X509_get0_pubkey(certificate);
	STACK_OF(X509) *certs;
	enum outcome outcome;

	if (public == NULL || EVP_PKEY_eq(public, key) != 1)
		return reason_openssl(
		    EST_CONFLICT, "the certificate that came is not for the key that it should be");
	outcome = client_cert_verify(certificate, asking->run->trust, asking->run->cacerts);
	if (outcome == EST_OK)
		outcome = client_key_write(key, &key_pem);
	if (outcome != EST_OK)
		return outcome;
	certs = sk_X509_new_null();
	(void)sk_X509_push(certs, certificate);
	client_certs_write(&pem, certs);
	sk_X509_free(certs);
	client_csr_write(asking->csr, &csr);
	put(asking, CLIENT_KEY, &key_pem);
	put(asking, CLIENT_CSR, &csr);
	put(asking, CLIENT_CERTIFICATE, &pem);
	return client_asking_drop(asking);
}

void client_asking_end(struct client_asking *asking)
{
	EVP_PKEY_free(asking->key);
	X509_REQ_free(asking->csr);
	asking->key = NULL;
	asking->csr = NULL;
}

enum outcome client_asking_enroll(
    struct client_asking *asking, const char *operation, EVP_PKEY *keep, X509 **certificate)
{
	struct client_message message = client_asking_message(asking, operation);
	X509 *answer = NULL;
	enum outcome outcome = client_asking_begin(asking, keep);

	if (outcome == EST_OK) {
		outcome = client_session_enroll(&asking->run->session, &message, &answer);
		if (outcome == EST_FORBIDDEN)
			(void)client_asking_drop(asking);
	}
	if (outcome == EST_OK)
		outcome = client_asking_adopt(asking, asking->key, answer);
	if (outcome == EST_OK) {
		*certificate = answer;
		answer = NULL;
	}
	X509_free(answer);
	client_asking_end(asking);
	return outcome;
}
