/*
 * est-client - the device's side of EST (RFC 7030): fetches the CA's certificates, enrolls, renews.
 */
#include "config.h"

#include <stddef.h>
#include <sys/stat.h>

#include "admin/cli.h"
#include "admin/client.h"
#include "admin/client_csr.h"
#include "common/base/process.h"

#define AT(field) offsetof(struct client_options, field)

/* Rows that several verbs have. */
#define URL                                                                                        \
	{                                                                                          \
		.name = "url", .value = "URL", .kind = CLI_TEXT, .offset = AT(url),                \
		.help = "The EST server: https://HOST[:PORT]. Needed unless device.json knows it." \
	}
#define LABEL                                                                                      \
	{                                                                                          \
		.name = "label", .value = "LABEL", .kind = CLI_TEXT, .offset = AT(label),          \
		.help = "The label of the server that names the CA or profile."                    \
	}
#define FINGERPRINT                                                                                \
	{                                                                                          \
		.name = "fingerprint", .value = "HEX", .kind = CLI_TEXT,                           \
		.offset = AT(fingerprint),                                                         \
		.help = "SHA-256 of the CA's root certificate, known by another way."              \
	}
#define TRUST                                                                                      \
	{                                                                                          \
		.name = "trust", .value = "FILE", .kind = CLI_TEXT, .offset = AT(trust),           \
		.help = "Certificates in PEM that the server's must chain to."                     \
	}
#define WAIT                                                                                       \
	{                                                                                          \
		.name = "wait", .value = "SPAN", .kind = CLI_SPAN, .offset = AT(wait),             \
		.help = "How long to wait where the CA decides later (5m)."                        \
	}

#define SRP                                                                                        \
	{.name = "srp-user",                                                                       \
	    .value = "NAME",                                                                       \
	    .kind = CLI_TEXT,                                                                      \
	    .offset = AT(srp_user),                                                                \
	    .help = "The user of TLS-SRP; where neither --fingerprint nor --trust is given, the "  \
		    "server needs no certificate."},                                               \
	{                                                                                          \
		.name = "srp-password-file", .value = "FILE", .kind = CLI_TEXT,                    \
		.offset = AT(srp_password_file),                                                   \
		.help = "Its first line is that user's password; - is stdin. Asked for on a "      \
			"terminal."                                                                \
	}

/* What a request carries besides names and key. */
#define REQUEST                                                                                    \
	{.name = "bind",                                                                           \
	    .offset = AT(bind),                                                                    \
	    .help = "Links the request to its TLS session by its challengePassword."},             \
	    {.name = "link",                                                                       \
		.offset = AT(link),                                                                \
		.help = "Links the request to its TLS session by estIdentityLinking."},            \
	    {.name = "challenge-file",                                                             \
		.value = "FILE",                                                                   \
		.kind = CLI_TEXT,                                                                  \
		.offset = AT(challenge_file),                                                      \
		.help = "Its first line becomes the challengePassword; - is stdin."},              \
	    {.name = "otp-file",                                                                   \
		.value = "FILE",                                                                   \
		.kind = CLI_TEXT,                                                                  \
		.offset = AT(otp_file),                                                            \
		.help = "Its first line becomes the otpChallenge, a one-time secret."},            \
	    {.name = "revocation-file",                                                            \
		.value = "FILE",                                                                   \
		.kind = CLI_TEXT,                                                                  \
		.offset = AT(revocation_file),                                                     \
		.help = "Its first line becomes the revocationChallenge."},                        \
	{                                                                                          \
		.name = "attributes", .offset = AT(attributes),                                    \
		.help = "Asks for the server's CSR attributes first, and follows them."            \
	}

/* Names, key and credentials of a first certificate. */
#define FIRST                                                                                      \
	{.name = "name",                                                                           \
	    .value = "CN",                                                                         \
	    .kind = CLI_TEXT,                                                                      \
	    .offset = AT(name),                                                                    \
	    .help = "The common name to ask for."},                                                \
	    {.name = "san",                                                                        \
		.value = "TYPE:NAME",                                                              \
		.kind = CLI_REPEAT,                                                                \
		.offset = AT(sans),                                                                \
		.help = "A subject alternative name: dns:, ip:, email: or uri:. Repeatable."},     \
	    {.name = "key",                                                                        \
		.value = CLIENT_KEY_TYPES,                                                         \
		.kind = CLI_CHOICE,                                                                \
		.offset = AT(key_type),                                                            \
		.help = "The kind of key; P-256 by default."},                                     \
	    {.name = "user",                                                                       \
		.value = "NAME",                                                                   \
		.kind = CLI_TEXT,                                                                  \
		.offset = AT(user),                                                                \
		.help = "The user to enroll as."},                                                 \
	    {.name = "password-file",                                                              \
		.value = "FILE",                                                                   \
		.kind = CLI_TEXT,                                                                  \
		.offset = AT(password_file),                                                       \
		.help = "Its first line is the user's password; - is stdin. Asked for on a "       \
			"terminal."},                                                              \
	    {.name = "cert",                                                                       \
		.value = "FILE",                                                                   \
		.kind = CLI_TEXT,                                                                  \
		.offset = AT(certificate),                                                         \
		.help = "A certificate to enroll with, in PEM, its chain behind it."},             \
	{                                                                                          \
		.name = "cert-key", .value = "FILE", .kind = CLI_TEXT,                             \
		.offset = AT(certificate_key), .help = "The key of --cert, in PEM."                \
	}

static const struct cli_option program_options[] = {
    {.letter = 'd',
	.value = "DIR",
	.kind = CLI_TEXT,
	.offset = AT(directory),
	.help = "The device directory; the current one by default."},
    {.name = "json", .offset = AT(json), .help = "Prints one JSON object."},
    {.name = "tls-max",
	.value = "1.2|1.3",
	.kind = CLI_CHOICE,
	.offset = AT(tls_max),
	.help = "The latest version of TLS to speak; 1.3 by default."},
    {0},
};

static const struct cli_option server_options[] = {URL, LABEL, FINGERPRINT, TRUST, SRP, {0}};

static const struct cli_option enroll_options[] = {
    URL, LABEL, FIRST, SRP, FINGERPRINT, TRUST, WAIT, REQUEST, {0}};

static const struct cli_option keygen_options[] = {
    URL,
    LABEL,
    FIRST,
    SRP,
    FINGERPRINT,
    TRUST,
    WAIT,
    {.name = "kek-id",
	.value = "ID",
	.kind = CLI_TEXT,
	.offset = AT(kek_id),
	.help = "The name of a symmetric key that the server is to encrypt with: text, or 0xHEX."},
    {.name = "kek-file",
	.value = "FILE",
	.kind = CLI_TEXT,
	.offset = AT(kek_file),
	.help = "Its first line is that key, in hex or base64; - is stdin."},
    {.name = "decrypt-cert",
	.value = "FILE",
	.kind = CLI_TEXT,
	.offset = AT(decrypt_cert),
	.help = "A certificate, in PEM, that the server is to encrypt for."},
    {.name = "decrypt-key",
	.value = "FILE",
	.kind = CLI_TEXT,
	.offset = AT(decrypt_key),
	.help = "The key of --decrypt-cert, in PEM."},
    REQUEST,
    {0},
};

static const struct cli_option renew_options[] = {
    {.name = "if-expires-within",
	.value = "SPAN",
	.kind = CLI_SPAN,
	.offset = AT(if_expires_within),
	.help = "Does nothing, and exits 0, while the certificate is valid for longer: 30d."},
    {.name = "rekey", .offset = AT(rekey), .help = "Makes a fresh key (the default)."},
    {.name = "keep-key", .offset = AT(keep_key), .help = "Keeps the key."},
    WAIT,
    REQUEST,
    {0},
};

static const struct cli_option cmc_options[] = {
    URL,
    LABEL,
    FIRST,
    SRP,
    FINGERPRINT,
    TRUST,
    WAIT,
    {.name = "revoke", .offset = AT(revoke), .help = "Revokes the certificate in DIR instead."},
    {.name = "reason",
	.value = "WORD",
	.kind = CLI_TEXT,
	.offset = AT(reason),
	.help = "Why: unspecified, keyCompromise, affiliationChanged, superseded, "
		"cessationOfOperation (the default), privilegeWithdrawn."},
    {.name = "keep-key",
	.offset = AT(keep_key),
	.help = "Keeps the key of the certificate in DIR, which is renewed."},
    {.name = "secret-file",
	.value = "FILE",
	.kind = CLI_TEXT,
	.offset = AT(secret_file),
	.help = "Its first line is the device's one-time secret, which proves who asks."},
    REQUEST,
    {0},
};

static const struct cli_command commands[] = {
    {.words = "cacerts",
	.arguments = "",
	.options = server_options,
	.run = client_cacerts,
	.help =
	    "Fetches the certificates of the CA. Trusts the server by --fingerprint or --trust, "
	    "later by what that left in DIR."},
    {.words = "csrattrs",
	.arguments = "",
	.options = server_options,
	.run = client_csrattrs,
	.help = "Prints what the server wants a request to hold."},
    {.words = "enroll",
	.arguments = "",
	.options = enroll_options,
	.run = client_enroll,
	.help = "Makes a key and gets a certificate for it. Trusts the server by --fingerprint or "
		"--trust, or by what cacerts left in DIR."},
    {.words = "keygen",
	.arguments = "",
	.options = keygen_options,
	.run = client_keygen,
	.help = "Gets a key that the server makes, and a certificate for it."},
    {.words = "renew",
	.arguments = "",
	.options = renew_options,
	.run = client_renew,
	.help = "Gets a new certificate by the one that is in DIR. It has the same names; key and "
		"certificate are replaced together or not at all."},
    {.words = "cmc",
	.arguments = "",
	.options = cmc_options,
	.run = client_cmc,
	.help = "Gets a certificate by a Full PKI Request (RFC 5272), signed by the device's "
		"certificate where there is one, else by the key that it asks for; or revokes the "
		"certificate in DIR, by its own signature or by the secret of --revocation-file."},
    {.words = "show",
	.arguments = "",
	.run = client_show,
	.help = "Prints what the certificate in DIR says."},
    {0},
};

static const struct cli_program program = {
    .name = "est-client",
    .version = PACKAGE_VERSION,
    .about = "Gets a device its certificate by EST (RFC 7030), and renews it.",
    .options = program_options,
    .commands = commands,
};

int main(int argc, char **argv)
{
	struct client_options options = {.directory = ".",
	    .wait = 300,
	    .if_expires_within = -1,
	    .user_agent = "est-client/" PACKAGE_VERSION};
	struct cli_call call;
	enum outcome outcome;

	process_hold_standard();
	(void)umask(077);
	outcome = cli_parse(&program, argc, argv, &options, &call);
	if (outcome == EST_OK && call.command != NULL)
		outcome = call.command->run(&options, &call);
	cli_list_free(&options.sans);
	return cli_finish(outcome);
}
