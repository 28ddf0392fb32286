#include "admin/client_held.h"

#include "admin/client.h"
#include "admin/client_certs.h"
#include "admin/client_csr.h"

bool client_held_exists(const struct client_run *run)
{
	const struct buf *files = run->directory.files;

	return files[CLIENT_CERTIFICATE].len > 0 && files[CLIENT_KEY].len > 0;
}

enum outcome client_held_take(const struct client_run *run, struct client_held *held)
{
	const struct buf *files = run->directory.files;
	enum outcome outcome;

	if (!client_held_exists(run))
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

void client_held_present(struct client_run *run)
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

void client_held_free(struct client_held *held)
{
	client_certs_free(held->certs);
	EVP_PKEY_free(held->key);
	*held = (struct client_held){0};
}
