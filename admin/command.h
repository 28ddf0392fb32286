/*
 * command.h - what the commands of est-admin share: what they were told, and what was opened for
 * them.
 */
#ifndef EST_COMMAND_H
#define EST_COMMAND_H

#include "admin/cli.h"
#include "common/lifecycle/service.h"

/* What a command's row wants ready before it runs, beside the SERVICE_ flags of service.h. */
enum {
	COMMAND_SERVICE = 0x100,      /* est.conf, and what the SERVICE_ flags say */
	COMMAND_NEW_PASSWORD = 0x200, /* a user's new password */
	COMMAND_NAMES = 0x400,        /* --names has been given */
	COMMAND_STORE = COMMAND_SERVICE | SERVICE_STORE,
};

/* Texts are NULL and numbers -1 where nothing was given. */
struct admin {
	const char *config;
	bool json, csv;

	const char *organization, *key, *passphrase_file, *group, *log; /* init */
	struct cli_list hosts;
	const char *password_file; /* user */
	struct cli_list names, labels;
	const char *label, *status, *name; /* cert list */
	int64_t expires_within, limit;
	const char *output, *reason; /* cert export, cert revoke */
	bool der;
	const char *ca, *profile; /* cert lint */

	struct service *service;
	struct buf password;
};

/*
 * Makes ready what the row of call->command wants. With the store comes the workers' user
 * (worker.h), so a secret that root alone may read is read before.
 */
enum outcome command_open(struct admin *admin, const struct cli_call *call);
void command_close(struct admin *admin);

/*
 * Whether somebody asked us to end (^C, a closed pipe). While the store is open such a signal only
 * counts: loops look here, and command_close() lets it happen. A second one ends the process at
 * once.
 */
bool command_stopped(void);

/*
 * Writes what the command made to -o FILE, or to stdout. The last act: the service is closed
 * before.
 */
enum outcome command_output(struct admin *admin, struct span content);

/* "AB:CD:...": the SHA-256 of a certificate's DER, appended. */
void command_fingerprint(struct span der, struct buf *out);

/* One row of CSV (RFC 4180) to stdout, its CRLF included; a cell that is NULL is empty. */
void command_csv(const char *const *cells, size_t count);

enum outcome cmd_init(void *admin, const struct cli_call *call);
enum outcome cmd_check(void *admin, const struct cli_call *call);
enum outcome cmd_user_add(void *admin, const struct cli_call *call);
enum outcome cmd_user_list(void *admin, const struct cli_call *call);
enum outcome cmd_user_show(void *admin, const struct cli_call *call);
enum outcome cmd_user_delete(void *admin, const struct cli_call *call);
enum outcome cmd_user_password(void *admin, const struct cli_call *call);
enum outcome cmd_cert_list(void *admin, const struct cli_call *call);
enum outcome cmd_cert_show(void *admin, const struct cli_call *call);
enum outcome cmd_cert_export(void *admin, const struct cli_call *call);
enum outcome cmd_cert_revoke(void *admin, const struct cli_call *call);
enum outcome cmd_cert_lint(void *admin, const struct cli_call *call);
enum outcome cmd_code_list(void *admin, const struct cli_call *call);
enum outcome cmd_code_show(void *admin, const struct cli_call *call);
enum outcome cmd_ca_show(void *admin, const struct cli_call *call);
enum outcome cmd_store_check(void *admin, const struct cli_call *call);
enum outcome cmd_store_checkpoint(void *admin, const struct cli_call *call);
enum outcome cmd_store_statistics(void *admin, const struct cli_call *call);

#endif
