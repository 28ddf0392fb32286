/*
 * est_admin.c - est-admin: making an instance, looking after it, and governing who may have what.
 *
 * Every command is a row: its words, what it reads from the command line, what it wants opened,
 * and who runs it.
 */
#include "config.h"

#include <stddef.h>

#include "admin/command.h"
#include "common/base/process.h"
#include "common/ca/ca_make.h"

#define FIELD(member) offsetof(struct admin, member)

static const struct cli_option init_options[] = {
    {"organization", "NAME", "Stands in the names of the CAs. Asked for on a terminal; else Demo.",
	FIELD(organization), CLI_TEXT, 0},
    {"host", "NAME|IP",
	"A name or address of the server, for its TLS certificate; may be repeated. Default: "
	"localhost "
	"and 127.0.0.1.",
	FIELD(hosts), CLI_REPEAT, 0},
    {"key", CA_KEYS, "The CAs' kind of key. Default: P-256.", FIELD(key), CLI_CHOICE, 0},
    {"passphrase-file", "FILE",
	"Encrypts the CAs' keys under its first line (- reads stdin), and keeps that line beside "
	"them "
	"for the workers.",
	FIELD(passphrase_file), CLI_TEXT, 0},
    {"group", "NAME",
	"The web server's group, which may read the issuing key. Default: www-data, when run by "
	"root.",
	FIELD(group), CLI_TEXT, 0},
    {"log", "FILE", "Where the workers log to. Default: syslog.", FIELD(log), CLI_TEXT, 0},
    {0},
};

#define PASSWORD_FILE                                                                              \
	{                                                                                          \
		"password-file", "FILE",                                                           \
		    "Its first line is the password; - reads stdin. Without it the password is "   \
		    "asked for.",                                                                  \
		    FIELD(secret_file), CLI_TEXT, 0                                                \
	}

#define CSV                                                                                        \
	{                                                                                          \
		"csv", NULL,                                                                       \
		    "Prints CSV with a row of titles (RFC 4180). What a spreadsheet would "        \
		    "compute "                                                                     \
		    "has an apostrophe before it.",                                                \
		    FIELD(csv), CLI_FLAG, 0                                                        \
	}

#define NAMES                                                                                      \
	{                                                                                          \
		"names", "PATTERN,...",                                                            \
		    "Names that certificates may be asked for, as in 'pump-*.example': * is any "  \
		    "run without a dot, ** any run, a single * every name; may be repeated.",      \
		    FIELD(names), CLI_COMMAS, 0                                                    \
	}

#define LABELS                                                                                     \
	{                                                                                          \
		"label", "LABEL,...",                                                              \
		    "Labels under which that holds; - is the default label; may be repeated. "     \
		    "Default: all.",                                                               \
		    FIELD(labels), CLI_COMMAS, 0                                                   \
	}

#define ROLES                                                                                      \
	{                                                                                          \
		"roles", "ROLE,...",                                                               \
		    "What the user may do: enroll (the default) gets certificates; operate, "      \
		    "audit and administer are for the portal; may be repeated.",                   \
		    FIELD(roles), CLI_COMMAS, 0                                                    \
	}

#define ENDS                                                                                       \
	{                                                                                          \
		"expires", "SPAN|never",                                                           \
		    "How long the user may log in, as in 12h. Default: never.", FIELD(ends),       \
		    CLI_TEXT, 0                                                                    \
	}

#define USES                                                                                       \
	{                                                                                          \
		"uses", "N",                                                                       \
		    "How many certificates the user may get, from this call on; 0, the default, "  \
		    "is any number.",                                                              \
		    FIELD(uses), CLI_NUMBER, 0                                                     \
	}

#define NO_PASSWORD                                                                                \
	{                                                                                          \
		"no-password", NULL,                                                               \
		    "Nobody logs in with a password of this user: for one whom the web server "    \
		    "authenticates.",                                                              \
		    FIELD(no_password), CLI_FLAG, 0                                                \
	}

static const struct cli_option user_add_options[] = {
    NAMES, LABELS, ROLES, ENDS, USES, PASSWORD_FILE, NO_PASSWORD, {0}};

static const struct cli_option user_edit_options[] = {
    NAMES, LABELS, ROLES, ENDS, USES, NO_PASSWORD, {0}};

static const struct cli_option user_import_options[] = {
    NAMES,
    LABELS,
    ROLES,
    ENDS,
    USES,
    {"replace", NULL, "Users that are there already are replaced, with all that they may.",
	FIELD(replace), CLI_FLAG, 0},
    {"dry-run", NULL, "Says what would be done, and does nothing.", FIELD(dry_run), CLI_FLAG, 0},
    {0},
};

static const struct cli_option user_password_options[] = {PASSWORD_FILE, {0}};

static const struct cli_option user_list_options[] = {CSV, {0}};

static const struct cli_option ra_add_options[] = {NAMES, LABELS, {0}};

#define VERIFIERS                                                                                  \
	{                                                                                          \
		"file", "FILE",                                                                    \
		    "The verifier file that Apache's SSLSRPVerifierFile names, as openssl-srp(1) " \
		    "has it.",                                                                     \
		    FIELD(verifiers), CLI_TEXT, 0                                                  \
	}

static const struct cli_option srp_add_options[] = {
    VERIFIERS,
    NAMES,
    LABELS,
    ENDS,
    USES,
    {"role", "enroll|operate|audit|administer",
	"What Apache says of the user. Only who may enroll, which is the default, gets "
	"certificates.",
	FIELD(srp_role), CLI_CHOICE, 0},
    {"group", "2048|3072|4096|6144|8192",
	"Bits of the group of RFC 5054. Default: the file's, or 3072 where it has none.",
	FIELD(srp_group), CLI_CHOICE, 0},
    PASSWORD_FILE,
    {"replace", NULL, "Takes the place of a user of that name.", FIELD(replace), CLI_FLAG, 0},
    {0},
};

static const struct cli_option srp_options[] = {VERIFIERS, {0}};

static const struct cli_option secret_add_options[] = {
    {"label", "LABEL",
	"The only label under which it counts; - is the default label. Default: all.", FIELD(label),
	CLI_TEXT, 0},
    {"expires", "SPAN", "How long it is good for, as in 12h. Default: 7d.", FIELD(expires),
	CLI_SPAN, 0},
    {"replace", NULL, "Takes the place of one that the device has already.", FIELD(replace),
	CLI_FLAG, 0},
    {0},
};

#define DEVICE_LABEL                                                                               \
	{                                                                                          \
		"label", "LABEL",                                                                  \
		    "The device's label; - is the default label. Needed where several labels "     \
		    "know a device of that name.",                                                 \
		    FIELD(label), CLI_TEXT, 0                                                      \
	}

static const struct cli_option device_add_options[] = {
    {"label", "LABEL", "The device's label. Default: -, the default label.", FIELD(label), CLI_TEXT,
	0},
    {"secret", NULL, "Makes its one-time secret as well, and prints it, this once.",
	FIELD(makes_secret), CLI_FLAG, 0},
    {"expires", "SPAN", "How long the secret is good for, as in 12h. Default: 7d.", FIELD(expires),
	CLI_SPAN, 0},
    {"url", "URL", "The server's, as devices see it, for the QR code: https://HOST[:PORT].",
	FIELD(url), CLI_TEXT, 0},
    {"qr", "FILE.png|FILE.svg|-",
	"Writes the QR code of URL, root CA's fingerprint, name and secret into the file, or "
	"prints it; on a terminal it is printed anyway.",
	FIELD(qr), CLI_TEXT, 0},
    {"replace", NULL,
	"The device may be known already, and its secret takes the place of the one that it has.",
	FIELD(replace), CLI_FLAG, 0},
    {"csv", "FILE",
	"Adds the devices of the file instead, - is stdin: CSV with a row of titles, name, label, "
	"expires, of which only name has to be there. Prints CSV, or JSON Lines.",
	FIELD(table), CLI_TEXT, 0},
    {"output", "FILE", "With --csv: writes to a new FILE, mode 0600, instead of stdout.",
	FIELD(output), CLI_TEXT, 'o'},
    {"dry-run", NULL, "With --csv: says what would be refused, and does nothing.", FIELD(dry_run),
	CLI_FLAG, 0},
    {0},
};

static const struct cli_option device_list_options[] = {
    {"label", "LABEL", "Only those of the label; - is the default label.", FIELD(label), CLI_TEXT,
	0},
    {"state", "new|active|inactive|blocked", "Only those.", FIELD(status), CLI_CHOICE, 0},
    CSV,
    {0},
};

static const struct cli_option device_options[] = {DEVICE_LABEL, {0}};

static const struct cli_option device_delete_options[] = {
    DEVICE_LABEL,
    {"revoke", NULL, "Revokes its certificates as well.", FIELD(revokes), CLI_FLAG, 0},
    {"reason", "WORD",
	"With --revoke: why, as in cert revoke. Default: cessationOfOperation.", FIELD(reason),
	CLI_TEXT, 0},
    {0},
};

static const struct cli_option device_block_options[] = {
    DEVICE_LABEL,
    {"reason", "TEXT", "Why, for people.", FIELD(reason), CLI_TEXT, 0},
    {0},
};

static const struct cli_option kek_add_options[] = {
    {"key-file", "FILE",
	"Its first line is the key, 16, 24 or 32 octets in hexadecimal digits or base64; - reads "
	"stdin. Without it a key of 32 octets is made and printed.",
	FIELD(secret_file), CLI_TEXT, 0},
    {0},
};

static const struct cli_option request_list_options[] = {
    {"label", "LABEL", "Only those of the label; - is the default label.", FIELD(label), CLI_TEXT,
	0},
    {"state", "waiting|approved|denied|issued|expired", "Only those. Default: waiting.",
	FIELD(status), CLI_CHOICE, 0},
    CSV,
    {0},
};

static const struct cli_option request_show_options[] = {
    {"csr", NULL,
	"Prints the request in PEM, and nothing else. The texts of its challenges, which are "
	"secrets, are asterisks, so its signature does not verify then.",
	FIELD(csr), CLI_FLAG, 0},
    {0},
};

static const struct cli_option request_deny_options[] = {
    {"reason", "TEXT", "Why, for the device and for the record.", FIELD(reason), CLI_TEXT, 0},
    {0},
};

static const struct cli_option cert_list_options[] = {
    {"label", "LABEL", "Only those of the label; - is the default label.", FIELD(label), CLI_TEXT,
	0},
    {"status", "valid|expired|revoked", "Only those.", FIELD(status), CLI_CHOICE, 0},
    {"name", "NAME|PATTERN", "Only those of the device, or devices, as in 'pump-*.example'.",
	FIELD(name), CLI_TEXT, 0},
    {"expires-within", "SPAN",
	"Only those that end between now and then, soonest first; without --status only valid "
	"ones.",
	FIELD(expires_within), CLI_SPAN, 0},
    {"limit", "N", "No more than so many.", FIELD(limit), CLI_NUMBER, 0},
    CSV,
    {0},
};

static const struct cli_option cert_export_options[] = {
    {"der", NULL, "DER instead of PEM.", FIELD(der), CLI_FLAG, 0},
    {"output", "FILE", "Writes to FILE instead of stdout.", FIELD(output), CLI_TEXT, 'o'},
    {0},
};

static const struct cli_option cert_revoke_options[] = {
    {"reason", "WORD",
	"Why: unspecified (the default), keyCompromise, cACompromise, affiliationChanged, "
	"superseded, "
	"cessationOfOperation, certificateHold, privilegeWithdrawn or aACompromise (RFC 5280 "
	"5.3.1).",
	FIELD(reason), CLI_TEXT, 0},
    {"challenge-file", "FILE",
	"Revokes only if the first line of FILE is the revocationChallenge that came with the "
	"request (RFC 7894 3.2); - reads stdin.",
	FIELD(secret_file), CLI_TEXT, 0},
    {0},
};

static const struct cli_option cert_lint_options[] = {
    {"ca", "CERTIFICATE",
	"The file of the certificate of the CA: name, dates, key identifier and signature have to "
	"fit.",
	FIELD(ca), CLI_TEXT, 0},
    {"profile", "NAME", "A profile of est.conf that the certificates have to be of.",
	FIELD(profile), CLI_TEXT, 0},
    {0},
};

static const struct cli_command commands[] = {
    {"init", "[DIR]",
	"Makes an instance: a root CA, an issuing CA, a TLS server certificate, est.conf and the "
	"state "
	"directory. DIR is by default where est.conf is looked for. An existing file is never "
	"touched.",
	init_options, 0, 1, 0, cmd_init},
    {"check", "",
	"Looks for everything that would stop est.fcgi from working. One line each, with its cure; "
	"exit code 1 if there is a FAIL. Run by root it tries everything as the web server's user.",
	NULL, 0, 0, 0, cmd_check},
    {"user add", "NAME", "Adds a user: who may ask for certificates with a password.",
	user_add_options, 1, 1, COMMAND_STORE | COMMAND_NAMES | COMMAND_NEW_PASSWORD, cmd_user_add},
    {"user edit", "NAME",
	"Changes what a user may do, and leaves the password and what no option names as it is. "
	"--label '*' is all labels.",
	user_edit_options, 1, 1, COMMAND_STORE, cmd_user_edit},
    {"user import", "FILE",
	"Adds the users of an htpasswd file, - reads stdin: bcrypt, sha512-crypt, yescrypt and "
	"argon2. "
	"Every other line is refused with its number and the reason; the exit code is 1 then. In "
	"--names {user} stands for the user's name.",
	user_import_options, 1, 1, COMMAND_STORE | COMMAND_NAMES | COMMAND_INPUT,
	cmd_user_import},
    {"user verify", "NAME",
	"Says whether a password is the user's: exit code 0 if it is, else 4. It is the first line "
	"of --password-file, or asked for.",
	user_password_options, 1, 1, COMMAND_STORE | COMMAND_PASSWORD, cmd_user_verify},
    {"user list", "", "Lists the users.", user_list_options, 0, 0, COMMAND_STORE, cmd_user_list},
    {"user show", "NAME", "Shows one user.", NULL, 1, 1, COMMAND_STORE, cmd_user_show},
    {"user delete", "NAME", "Deletes a user. Its certificates stay as they are.", NULL, 1, 1,
	COMMAND_STORE, cmd_user_delete},
    {"user password", "NAME", "Gives a user another password.", user_password_options, 1, 1,
	COMMAND_STORE | COMMAND_NEW_PASSWORD, cmd_user_password},
    {"ra add", "NAME",
	"Lets a registration authority ask for the names of others (RFC 7030 3.7): whoever has a "
	"certificate of ours with the device name NAME and the purpose cmcRA.",
	ra_add_options, 1, 1, COMMAND_STORE | COMMAND_NAMES, cmd_ra_add},
    {"ra list", "", "Lists the registration authorities.", user_list_options, 0, 0, COMMAND_STORE,
	cmd_ra_list},
    {"ra show", "NAME", "Shows one registration authority.", NULL, 1, 1, COMMAND_STORE,
	cmd_ra_show},
    {"ra delete", "NAME", "Lets a registration authority ask for its own name only.", NULL, 1, 1,
	COMMAND_STORE, cmd_ra_delete},
    {"srp add", "NAME",
	"Adds a user of TLS-SRP (RFC 5054): its verifier to FILE, and to the store for which names "
	"it may ask.",
	srp_add_options, 1, 1, COMMAND_NAMES | COMMAND_NEW_PASSWORD, cmd_srp_add},
    {"srp list", "", "Lists the users in FILE, and for which names they may ask.", srp_options, 0,
	0, 0, cmd_srp_list},
    {"srp delete", "NAME",
	"Deletes a user of TLS-SRP from FILE and from the store.",
	srp_options, 1, 1, 0, cmd_srp_delete},
    {"device add", "[NAME]",
	"Makes a device known, a name under a label, and with --secret makes its one-time secret; "
	"or with --csv many of them.",
	device_add_options, 0, 1, COMMAND_STORE | SERVICE_LABELS | COMMAND_TABLE | COMMAND_SINK,
	cmd_device_add},
    {"device list", "", "Lists the devices that are known.", device_list_options, 0, 0,
	COMMAND_STORE, cmd_device_list},
    {"device show", "NAME", "Shows a device, its certificates, and how its secret stands.",
	device_options, 1, 1, COMMAND_STORE, cmd_device_show},
    {"device delete", "NAME",
	"Deletes a device with its secret: its name is free. Its certificates stay valid, unless "
	"they are revoked too.",
	device_delete_options, 1, 1, COMMAND_STORE, cmd_device_delete},
    {"device block", "NAME", "Blocks a device: it gets no certificate, neither first nor renewed.",
	device_block_options, 1, 1, COMMAND_STORE, cmd_device_block},
    {"device unblock", "NAME", "Ends that.", device_options, 1, 1, COMMAND_STORE,
	cmd_device_unblock},
    {"secret add", "NAME",
	"Makes a one-time secret with which the device NAME may get one certificate (RFC 7894 "
	"3.1), and prints it, this once.",
	secret_add_options, 1, 1, COMMAND_STORE, cmd_secret_add},
    {"secret list", "", "Lists whose secrets there are, and whether they were used.", NULL, 0, 0,
	COMMAND_STORE, cmd_secret_list},
    {"secret delete", "NAME", "Deletes the secret of a device.", NULL, 1, 1, COMMAND_STORE,
	cmd_secret_delete},
    {"kek add", "ID",
	"Adds a key that a device shares with the server, to encrypt the keys under that the "
	"server makes for it (RFC 7030 4.4.1.1). ID is what its requests call the key: text, or "
	"0x and hexadecimal digits.",
	kek_add_options, 1, 1, COMMAND_STORE | COMMAND_SECRET, cmd_kek_add},
    {"kek list", "", "Lists the ids and sizes of these keys.", NULL, 0, 0, COMMAND_STORE,
	cmd_kek_list},
    {"kek delete", "ID", "Deletes one of these keys.", NULL, 1, 1, COMMAND_STORE, cmd_kek_delete},
    {"request list", "", "Lists the requests that wait for approval (RFC 7030 4.2.3), or others.",
	request_list_options, 0, 0, COMMAND_STORE, cmd_request_list},
    {"request show", "ID",
	"Shows a request, by the first 8 or more digits of its id: who asks, and for what.",
	request_show_options, 1, 1, COMMAND_STORE, cmd_request_show},
    {"request approve", "ID",
	"Approves a request: the next time that the device asks, it gets its "
	"certificate.",
	NULL, 1, 1, COMMAND_DECIDES, cmd_request_approve},
    {"request deny", "ID", "Denies a request; the device is told the reason.", request_deny_options,
	1, 1, COMMAND_DECIDES, cmd_request_deny},
    {"request delete", "ID",
	"Deletes a request in any state: the next time that the device asks, it waits anew.", NULL,
	1, 1, COMMAND_STORE, cmd_request_delete},
    {"cert list", "", "Lists certificates, newest first unless an option says otherwise.",
	cert_list_options, 0, 0, COMMAND_STORE, cmd_cert_list},
    {"cert show", "SERIAL", "Shows what is known of one certificate.", NULL, 1, 1, COMMAND_STORE,
	cmd_cert_show},
    {"cert export", "SERIAL", "Writes one certificate, in PEM.", cert_export_options, 1, 1,
	COMMAND_STORE, cmd_cert_export},
    {"cert revoke", "SERIAL", "Revokes a certificate; every worker honours it at once.",
	cert_revoke_options, 1, 1, COMMAND_STORE | COMMAND_SECRET, cmd_cert_revoke},
    {"cert lint", "FILE...",
	"Holds certificates in files, PEM or DER, against RFC 5280: those of devices and servers, "
	"not "
	"of CAs. One line for each finding; exit code 1 if there is one.",
	cert_lint_options, 1, SIZE_MAX, 0, cmd_cert_lint},
    {"code list", "",
	"Lists the codes of refusals, with the outcome and the rule of each; see est-codes(7).",
	NULL, 0, 0, 0, cmd_code_list},
    {"code show", "CODE", "Explains one code.", NULL, 1, 1, 0, cmd_code_show},
    {"profile list", "", "Lists the profiles, and which labels have them.", NULL, 0, 0,
	COMMAND_SERVICE, cmd_profile_list},
    {"profile show", "NAME", "Shows what a certificate of a profile looks like.", NULL, 1, 1,
	COMMAND_SERVICE, cmd_profile_show},
    {"ca show", "[NAME]", "Shows the CAs, or one of them, with their chains.", NULL, 0, 1,
	COMMAND_SERVICE, cmd_ca_show},
    {"store check", "", "Reads the whole store and compares its indexes with the certificates.",
	NULL, 0, 0, COMMAND_STORE, cmd_store_check},
    {"store checkpoint", "", "Writes what is only in the store's log to its tables.", NULL, 0, 0,
	COMMAND_STORE, cmd_store_checkpoint},
    {"store statistics", "", "Prints the store's figures, one a line.", NULL, 0, 0, COMMAND_STORE,
	cmd_store_statistics},
    {0},
};

static const struct cli_option options[] = {
    {"config", "FILE", "The configuration. Default: $EST_CONFIG, else the installed est.conf.",
	FIELD(config), CLI_TEXT, 'c'},
    {"json", NULL, "Prints JSON Lines: one object a line.", FIELD(json), CLI_FLAG, 0},
    {0},
};

static const struct cli_program program = {
    "est-admin",
    PACKAGE_VERSION,
    "Makes an EST server's instance and looks after it.",
    options,
    commands,
};

int main(int argc, char **argv)
{
	struct admin admin = {.expires_within = -1, .limit = -1, .expires = -1, .uses = -1};
	struct cli_call call;
	enum outcome outcome;

	process_hold_standard();
	outcome = cli_parse(&program, argc, argv, &admin, &call);
	if (outcome == EST_OK && call.command != NULL) {
		outcome = command_open(&admin, &call);
		if (outcome == EST_OK)
			outcome = call.command->run(&admin, &call);
	}
	command_close(&admin);
	return cli_finish(outcome);
}
