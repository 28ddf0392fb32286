/*
 * client.h - the verbs of est-client and the options that they read.
 */
#ifndef EST_CLIENT_H
#define EST_CLIENT_H

#include "admin/cli.h"

/* Where cli_parse() stores; texts are NULL and spans -1 where nothing was given. */
struct client_options {
	const char *directory, *url, *label, *trust, *fingerprint, *tls_max;
	const char *name, *key_type, *user, *password_file, *certificate, *certificate_key;
	struct cli_list sans;
	int64_t wait, if_expires_within;
	bool json, rekey, keep_key;
	const char *srp_user, *srp_password_file;
	/* what a request holds */
	bool bind, link, attributes;
	const char *challenge_file, *otp_file, *revocation_file;
	/* keygen */
	const char *kek_id, *kek_file, *decrypt_cert, *decrypt_key;
	/* cmc */
	bool revoke;
	const char *reason, *secret_file;
	const char *user_agent;
};

enum outcome client_cacerts(void *options, const struct cli_call *call);
enum outcome client_enroll(void *options, const struct cli_call *call);
enum outcome client_renew(void *options, const struct cli_call *call);
enum outcome client_keygen(void *options, const struct cli_call *call);
enum outcome client_csrattrs(void *options, const struct cli_call *call);
enum outcome client_cmc(void *options, const struct cli_call *call);
enum outcome client_show(void *options, const struct cli_call *call);

#endif
