#include "common/base/config_keys.h"

#include <ctype.h>
#include <string.h>

#include "common/base/rate.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *check_filled(const char *value)
{
	return value[0] == '\0' ? "must not be empty" : NULL;
}

static const char *check_name(const char *value)
{
	for (const char *c = value; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr(" ._-", *c) == NULL)
			return "may hold letters, digits, space, and . _ - only";
	return strlen(value) > 64 ? "is longer than 64 characters" : check_filled(value);
}

/* RFC 7030 3.2.2: no label may be the name of an operation; RFC 8295, 8995 and 9148 have more of
 * them. */
static const char *check_label(const char *value)
{
	static const char *const reserved[] = {"cacerts", "simpleenroll", "simplereenroll",
	    "fullcmc", "serverkeygen", "csrattrs", "pal", "eecerts", "crls", "symmetrickeys",
	    "firmware", "tamp", "crts", "sen", "sren", "skg", "skc", "att", "bootstrap"};

	for (size_t i = 0; i < COUNT(reserved); i++)
		if (strcmp(value, reserved[i]) == 0)
			return "is the name of an EST operation (RFC 7030 3.2.2); choose another";
	if (strcmp(value, ".") == 0 || strcmp(value, "..") == 0 || strcmp(value, "-") == 0)
		return "is no name for a label";
	for (const char *c = value; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("._~-", *c) == NULL)
			return "may hold letters, digits and . _ ~ - only (RFC 3986 2.3)";
	return strlen(value) > 128 ? "is longer than 128 characters" : NULL;
}

static const char *check_prefix(const char *value)
{
	size_t len = strlen(value);

	return value[0] != '/' || value[len - 1] == '/' ? "must start with a / and not end with one"
							: NULL;
}

/* What a client has a say in (RFC 3875 4.1) proves nothing of its TLS session. */
static const char *check_variable(const char *value)
{
	static const char *const theirs[] = {"HTTP_", "REQUEST_", "QUERY_", "CONTENT_", "PATH_",
	    "SCRIPT_", "SERVER_", "REMOTE_", "AUTH_", "DOCUMENT_", "GATEWAY_", "SSL_CLIENT_"};

	for (const char *c = value; *c != '\0'; c++)
		if (!isupper((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
			return "may hold capital letters, digits and _ only";
	for (size_t i = 0; i < COUNT(theirs); i++)
		if (strncmp(value, theirs[i], strlen(theirs[i])) == 0)
			return "is a variable that a client's request has a say in; the web server "
			       "has to set another one";
	return strlen(value) > 64 ? "is longer than 64 characters" : NULL;
}

static const char *check_percent(const char *value)
{
	size_t digits = strspn(value, "0123456789");

	return digits > 0 && digits < 3 && strcmp(value + digits, "%") == 0
		   ? NULL
		   : "is not a percentage from \"0%\" to \"99%\"";
}

static const char *check_url(const char *value)
{
	for (const char *c = value; *c != '\0'; c++)
		if (!isgraph((unsigned char)*c))
			return "may hold no blank and no other character than ASCII";
	return strncmp(value, "http://", 7) == 0 || strncmp(value, "https://", 8) == 0 ||
		       strncmp(value, "ldap://", 7) == 0
		   ? NULL
		   : "is not a URL of http, https or ldap";
}

static const char *check_rate(const char *value)
{
	struct rate rate;

	return rate_parse(value, &rate) ? NULL
					: "is not a rate such as \"60/m\" or \"60/m burst 20\"";
}

#define AT(structure, member) offsetof(struct structure, member)
#define DAY                   INT64_C(86400)
#define OPTIONAL              "" /* as a default: nothing */

static const struct key top_keys[] = {
    {"state", PATH, AT(config, state), NULL, check_filled, NULL, 0, 0},
    {"log", PATH, AT(config, log), "syslog", check_filled, NULL, 0, 0},
    {"prefix", TEXT, AT(config, prefix), "/.well-known/est", check_prefix, NULL, 0, 0},
    {"realm", TEXT, AT(config, realm), "est", check_name, NULL, 0, 0},
    {"retry_window", SPAN, AT(config, retry_window), "1h", NULL, NULL, 0, 7 * DAY},
    {"credential_cache", SPAN, AT(config, credential_cache), "60s", NULL, NULL, 0, 3600},
    {"body_limit", SIZE, AT(config, body_limit), "64K", NULL, NULL, 1024, 16 << 20},
    {"csr_limit", SIZE, AT(config, csr_limit), "16K", NULL, NULL, 1024, 1 << 20},
    {"blocked_keys", PATHS, AT(config, blocked_keys), OPTIONAL, check_filled, NULL, 0, 0},
    {"server_certificates", PATHS, AT(config, server_certificates), OPTIONAL, check_filled, NULL, 0,
	0},
    {"backoff_account", NUMBER, AT(config, backoff_account), "5", NULL, NULL, 0, 1000},
    {"backoff_address", NUMBER, AT(config, backoff_address), "20", NULL, NULL, 0, 100000},
    {"backoff_most", SPAN, AT(config, backoff_most), "15m", NULL, NULL, 1, DAY},
    {"backoff_forget", SPAN, AT(config, backoff_forget), "1h", NULL, NULL, 1, 30 * DAY},
    {"sandbox", BOOL, AT(config, sandbox), "true", NULL, NULL, 0, 0},
    {"tls_unique", TEXT, AT(config, tls_unique), "TLS_UNIQUE", check_variable, NULL, 0, 0},
    {"tls_exporter", TEXT, AT(config, tls_exporter), "TLS_EXPORTER", check_variable, NULL, 0, 0},
    {"cache", SIZE, AT(config, cache), "64M", NULL, NULL, 1 << 20, INT64_C(1) << 40},
};

static const struct key ca_keys[] = {
    {"name", TEXT, AT(config_ca, name), NULL, check_name, NULL, 0, 0},
    {"certificate", PATH, AT(config_ca, certificate), NULL, check_filled, NULL, 0, 0},
    {"key", PATH, AT(config_ca, key), NULL, check_filled, NULL, 0, 0},
    {"passphrase", PATH, AT(config_ca, passphrase), OPTIONAL, NULL, NULL, 0, 0},
};

static const struct key profile_keys[] = {
    {"name", TEXT, AT(config_profile, name), NULL, check_name, NULL, 0, 0},
    {"validity", SPAN, AT(config_profile, validity), "90d", NULL, NULL, 60, 36500 * DAY},
    {"backdate", SPAN, AT(config_profile, backdate), "5m", NULL, NULL, 0, 30 * DAY},
    {"keys", WORDS, AT(config_profile, keys),
	"P-256 P-384 P-521 RSA-2048 RSA-3072 RSA-4096 Ed25519", NULL, NULL, 1, 0},
    {"key_usage", WORDS, AT(config_profile, key_usage), "digitalSignature keyEncipherment", NULL,
	NULL, 0, 0},
    {"extended_key_usage", WORDS, AT(config_profile, extended_key_usage), "clientAuth", NULL, NULL,
	0, 0},
    {"subject", WORDS, AT(config_profile, subject), "CN serialNumber C ST L O OU", NULL, NULL, 0,
	0},
    {"subject_alt_names", WORDS, AT(config_profile, subject_alt_names), "dns ip", NULL, NULL, 0, 0},
    {"required", WORDS, AT(config_profile, required), OPTIONAL, NULL, NULL, 0, 0},
    {"names", TEXT, AT(config_profile, names), "strict", NULL, "strict permissive", 0, 0},
    {"rsa_exponents", TEXT, AT(config_profile, rsa_exponents), "65537", NULL, "65537 any", 0, 0},
    {"empty_subject", BOOL, AT(config_profile, empty_subject), "false", NULL, NULL, 0, 0},
    {"key_reuse", BOOL, AT(config_profile, key_reuse), "true", NULL, NULL, 0, 0},
    {"subject_from", TEXT, AT(config_profile, subject_from), "request", NULL, "request identity", 0,
	0},
    {"san_from", TEXT, AT(config_profile, san_from), "request", NULL, "request cn", 0, 0},
    {"subject_fixed", WORDS, AT(config_profile, subject_fixed), OPTIONAL, check_filled, NULL, 0, 0},
    {"subject_patterns", WORDS, AT(config_profile, subject_patterns), OPTIONAL, check_filled, NULL,
	0, 0},
    {"san_fixed", WORDS, AT(config_profile, san_fixed), OPTIONAL, check_filled, NULL, 0, 0},
    {"san_patterns", WORDS, AT(config_profile, san_patterns), OPTIONAL, check_filled, NULL, 0, 0},
    {"policies", WORDS, AT(config_profile, policies), OPTIONAL, check_filled, NULL, 0, 0},
    {"crl_urls", WORDS, AT(config_profile, crl_urls), OPTIONAL, check_url, NULL, 0, 0},
    {"ocsp_urls", WORDS, AT(config_profile, ocsp_urls), OPTIONAL, check_url, NULL, 0, 0},
    {"issuer_urls", WORDS, AT(config_profile, issuer_urls), OPTIONAL, check_url, NULL, 0, 0},
    {"extensions", WORDS, AT(config_profile, extensions), OPTIONAL, check_filled, NULL, 0, 0},
    {"must_staple", BOOL, AT(config_profile, must_staple), "false", NULL, NULL, 0, 0},
    {"ca", BOOL, AT(config_profile, ca), "false", NULL, NULL, 0, 0},
    {"path_length", TEXT, AT(config_profile, path_length), "0", NULL, "none 0 1 2 3 4 5 6 7 8", 0,
	0},
};

static const struct key label_keys[] = {
    {"name", TEXT, AT(config_label, name), NULL, check_label, NULL, 0, 0},
    {"ca", TEXT, AT(config_label, ca_name), NULL, check_name, NULL, 0, 0},
    {"profile", TEXT, AT(config_label, profile_name), NULL, check_name, NULL, 0, 0},
    {"authenticate", WORDS, AT(config_label, authenticate), "certificate", NULL,
	"basic secret certificate srp external certificate-and-basic certificate-or-basic "
	"certificate-and-secret certificate-and-external srp-and-basic",
	1, 0},
    {"external_names", WORDS, AT(config_label, external_names), OPTIONAL, check_filled, NULL, 0, 0},
    {"manufacturer_name", TEXT, AT(config_label, manufacturer_name), OPTIONAL, check_filled, NULL,
	0, 0},
    {"duplicates", TEXT, AT(config_label, duplicates), "allow", NULL, "allow refuse supersede", 0,
	0},
    {"bootstrap", TEXT, AT(config_label, bootstrap), OPTIONAL, check_prefix, NULL, 0, 0},
    {"hook", PATH, AT(config_label, hook), OPTIONAL, check_filled, NULL, 0, 0},
    {"hook_timeout", SPAN, AT(config_label, hook_timeout), "5s", NULL, NULL, 1, 30},
    {"rate_identity", TEXT, AT(config_label, rate_identity), OPTIONAL, check_rate, NULL, 0, 0},
    {"rate_address", TEXT, AT(config_label, rate_address), OPTIONAL, check_rate, NULL, 0, 0},
    {"rate_label", TEXT, AT(config_label, rate_label), OPTIONAL, check_rate, NULL, 0, 0},
    {"certificates_from", WORDS, AT(config_label, certificates_from), OPTIONAL, check_label, NULL,
	0, 0},
    {"encodings", WORDS, AT(config_label, encodings), "base64 pem", NULL, "base64 pem der", 1, 0},
    {"csr_limit", SIZE, AT(config_label, csr_limit), "0", NULL, NULL, 0, 1 << 20},
    {"trust_anchors", PATHS, AT(config_label, trust_anchors), OPTIONAL, check_filled, NULL, 0, 0},
    {"intermediates", PATHS, AT(config_label, intermediates), OPTIONAL, check_filled, NULL, 0, 0},
    {"operations", WORDS, AT(config_label, operations), "simpleenroll simplereenroll csrattrs",
	NULL, "simpleenroll simplereenroll csrattrs serverkeygen fullcmc eecerts", 0, 0},
    {"approval", WORDS, AT(config_label, approval), OPTIONAL, NULL,
	"simpleenroll simplereenroll serverkeygen fullcmc", 0, 0},
    {"approval_retry", SPAN, AT(config_label, approval_retry), "5m", NULL, NULL, 1, DAY},
    {"approval_expiry", SPAN, AT(config_label, approval_expiry), "7d", NULL, NULL, 60, 3650 * DAY},
    {"approval_keep", SPAN, AT(config_label, approval_keep), "30d", NULL, NULL, 60, 3650 * DAY},
    {"csrattrs", WORDS, AT(config_label, csrattrs), "list", NULL, "list template", 0, 0},
    {"csrattrs_require", WORDS, AT(config_label, csrattrs_require), OPTIONAL, check_filled, NULL, 0,
	0},
    {"csrattrs_base64", TEXT, AT(config_label, csrattrs_base64), OPTIONAL, check_filled, NULL, 0,
	0},
    {"csrattrs_file", PATH, AT(config_label, csrattrs_file), OPTIONAL, check_filled, NULL, 0, 0},
    {"csrattrs_enforce", BOOL, AT(config_label, csrattrs_enforce), "false", NULL, NULL, 0, 0},
    {"challenge", TEXT, AT(config_label, challenge), "verify", NULL, "verify otp ignore", 0, 0},
    {"pop_required", BOOL, AT(config_label, pop_required), "false", NULL, NULL, 0, 0},
    {"otp_required", BOOL, AT(config_label, otp_required), "false", NULL, NULL, 0, 0},
    {"ra_unlinked", BOOL, AT(config_label, ra_unlinked), "true", NULL, NULL, 0, 0},
    {"generated_key", TEXT, AT(config_label, generated_key), OPTIONAL, check_filled, NULL, 0, 0},
    {"plain_keys", BOOL, AT(config_label, plain_keys), "true", NULL, NULL, 0, 0},
    {"grace", SPAN, AT(config_label, grace), "0s", NULL, NULL, 0, 365 * DAY},
    {"renew_after", TEXT, AT(config_label, renew_after), "0%", check_percent, NULL, 0, 0},
    {"renew_names", TEXT, AT(config_label, renew_names), "canonical", NULL, "canonical exact", 0,
	0},
    {"supersede", BOOL, AT(config_label, supersede), "false", NULL, NULL, 0, 0},
    {"change_subject", BOOL, AT(config_label, change_subject), "false", NULL, NULL, 0, 0},
    {"sha1_requests", BOOL, AT(config_label, sha1_requests), "false", NULL, NULL, 0, 0},
    {"include_chain", BOOL, AT(config_label, include_chain), "false", NULL, NULL, 0, 0},
    {"raw_responses", BOOL, AT(config_label, raw_responses), "false", NULL, NULL, 0, 0},
    {"wrap", TEXT, AT(config_label, wrap), "auto", NULL, "auto 64 none", 0, 0},
    {"narrow_statuses", BOOL, AT(config_label, narrow_statuses), "false", NULL, NULL, 0, 0},
    {"eecerts", PATHS, AT(config_label, eecerts), OPTIONAL, check_filled, NULL, 0, 0},
};

const struct group config_top = {"", top_keys, COUNT(top_keys), sizeof(struct config), 0, 0};

const struct group config_groups[CONFIG_GROUPS] = {
    {"ca", ca_keys, COUNT(ca_keys), sizeof(struct config_ca), AT(config, cas),
	AT(config, ca_count)},
    {"profile", profile_keys, COUNT(profile_keys), sizeof(struct config_profile),
	AT(config, profiles), AT(config, profile_count)},
    {"label", label_keys, COUNT(label_keys), sizeof(struct config_label), AT(config, labels),
	AT(config, label_count)},
};
