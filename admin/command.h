/*
 * command.h - what the commands of est-admin share: what they were told, and what was opened for
 * them.
 */
#ifndef EST_COMMAND_H
#define EST_COMMAND_H

#include "admin/cli.h"
#include "admin/commands.h"
#include "admin/sink.h"
#include "common/lifecycle/service.h"

/* What a command's row wants ready before it runs, beside the SERVICE_ flags of service.h. */
enum {
	COMMAND_SERVICE = 0x100,      /* est.conf, and what the SERVICE_ flags say */
	COMMAND_NEW_PASSWORD = 0x200, /* a user's new password, from a file or asked for twice */
	COMMAND_SECRET = 0x400,       /* what stands in the file of the secret, if one is named */
	COMMAND_NAMES = 0x800,        /* --names has been given */
	COMMAND_OPERATOR = 0x1000,    /* who runs this */
	COMMAND_PASSWORD = 0x2000,    /* a user's password, from a file or asked for once */
	COMMAND_INPUT = 0x4000,       /* the file that the argument names, whole; - is stdin */
	COMMAND_TABLE = 0x8000,       /* as COMMAND_INPUT, of the file of --csv, if one is named */
	COMMAND_SINK = 0x10000,       /* the file of -o or --qr, if one is named, for secrets */
	COMMAND_STORE = COMMAND_SERVICE | SERVICE_STORE,
	COMMAND_DECIDES = COMMAND_STORE | SERVICE_LABELS | COMMAND_OPERATOR, /* on requests */
};

/* Texts are NULL and numbers -1 where nothing was given. */
struct admin {
	const char *config;
	bool json, csv;

	const char *organization, *key, *passphrase_file, *group, *log; /* init */
	struct cli_list hosts;
	const char *secret_file; /* user, kek add, cert revoke */
	struct cli_list names, labels;
	const char *label, *status, *name; /* cert list, request list, secret add */
	int64_t expires_within, limit;
	const char *output, *reason; /* cert export, cert revoke, request deny */
	bool der, csr, replace;
	const char *ca, *profile; /* cert lint */
	int64_t expires;          /* secret add */

	struct cli_list roles; /* user add, user edit, user import */
	const char *ends;      /* a span, or "never" */
	int64_t uses;
	bool no_password, dry_run;

	const char *verifiers, *srp_role, *srp_group; /* srp */

	const char *table, *url, *qr; /* device add */
	bool makes_secret, revokes;   /* device add, device delete */

	struct service *service;
	struct buf secret;
	struct buf input; /* COMMAND_INPUT */
	struct sink *sink;  /* COMMAND_SINK */
	struct buf operator; /* "admin:" and the login name: SUDO_USER's, else the real user's */
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

/* A label of est.conf by the word for it on a command line, "-" being the default one's. */
enum outcome command_label(const struct admin *admin, const char *word, const char **label);

/*
 * Whether text that goes into the store is UTF-8 without control characters, of 1 to `most` octets;
 * else EST_MALFORMED that calls it `what`.
 */
enum outcome command_text(const char *what, const char *text, size_t most);

/* A record's names, "dns:a,ip:b", as an array. */
json_t *command_names(const char *names);

/* DER in PEM, appended; type: "CERTIFICATE". */
enum outcome command_pem(const char *type, struct span der, struct buf *out);

/* "AB:CD:...": the SHA-256 of a certificate's DER, appended. */
void command_fingerprint(struct span der, struct buf *out);

/* One row of CSV (RFC 4180) to stdout, its CRLF included; a cell that is NULL is empty. */
void command_csv(const char *const *cells, size_t count);

#endif
