#include "common/base/config_keys.h"

#include <ctype.h>
#include <string.h>

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
    {"sandbox", BOOL, AT(config, sandbox), "true", NULL, NULL, 0, 0},
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
};

static const struct key label_keys[] = {
    {"name", TEXT, AT(config_label, name), NULL, check_label, NULL, 0, 0},
    {"ca", TEXT, AT(config_label, ca_name), NULL, check_name, NULL, 0, 0},
    {"profile", TEXT, AT(config_label, profile_name), NULL, check_name, NULL, 0, 0},
    {"authenticate", WORDS, AT(config_label, authenticate), "certificate", NULL,
	"basic certificate certificate-and-basic", 1, 0},
    {"certificates_from", WORDS, AT(config_label, certificates_from), OPTIONAL, check_label, NULL,
	0, 0},
    {"encodings", WORDS, AT(config_label, encodings), "base64 pem", NULL, "base64 pem der", 1, 0},
    {"trust_anchors", PATHS, AT(config_label, trust_anchors), OPTIONAL, check_filled, NULL, 0, 0},
    {"intermediates", PATHS, AT(config_label, intermediates), OPTIONAL, check_filled, NULL, 0, 0},
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
