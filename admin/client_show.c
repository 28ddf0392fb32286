/*
 * est-client show: the certificate in the device directory.
 */
#include "admin/client.h"

#include "admin/client_certs.h"
#include "admin/client_directory.h"
#include "admin/client_result.h"

enum outcome client_show(void *values, const struct cli_call *call)
{
	const struct client_options *options = values;
	struct client_directory directory;
	STACK_OF(X509) *certs = NULL;
	enum outcome outcome = client_directory_open(options->directory, CLIENT_READ, &directory);

	(void)call;
	if (outcome == EST_OK && directory.files[CLIENT_CERTIFICATE].len == 0)
		outcome = reason(EST_NOT_FOUND, "there is no %s in %s: enroll first",
		    client_file_name(CLIENT_CERTIFICATE), options->directory);
	if (outcome == EST_OK)
		outcome = client_certs_read(buf_span(&directory.files[CLIENT_CERTIFICATE]),
		    client_file_name(CLIENT_CERTIFICATE), &certs);
	if (outcome == EST_OK)
		client_result_print(options, sk_X509_value(certs, 0), NULL);
	client_certs_free(certs);
	client_directory_close(&directory);
	return outcome;
}
