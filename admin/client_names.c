/*
 * The names that a request asks for: those given on the command line, or those of a certificate.
 */
#include "admin/client_request.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "common/base/utf8.h"

#define COMMON_NAME_MOST 64 /* characters: ub-common-name of RFC 5280 A.1 */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* A host name of letters, digits and hyphens (RFC 1123 2.1), its first label maybe an asterisk. */
static bool is_dns(const char *text)
{
	size_t total = strlen(text);

	if (strncmp(text, "*.", 2) == 0)
		text += 2;
	for (;;) {
		size_t len = strspn(text, LETTERS DIGITS "-");
		if (len == 0 || len > 63 || text[0] == '-' || text[len - 1] == '-')
			return false;
		if (text[len] == '\0')
			return total <= 253;
		if (text[len] != '.')
			return false;
		text += len + 1;
	}
}

/* Printable ASCII without blanks, not empty. */
static bool is_graphic(const char *text)
{
	const char *at = text;

	while (*at > 0x20 && *at < 0x7f)
		at++;
	return *at == '\0' && at > text;
}

static bool is_email(const char *text)
{
	const char *at = strchr(text, '@');

	return at != NULL && at > text && at - text <= 64 && is_graphic(text) &&
	       strpbrk(text, "\",:;<>()[]\\") == NULL && at[1] != '*' && is_dns(at + 1);
}

static bool is_uri(const char *text)
{
	size_t scheme = strspn(text, LETTERS DIGITS "+-.");

	return scheme > 0 && strchr(LETTERS, text[0]) != NULL && text[scheme] == ':' &&
	       text[scheme + 1] != '\0' && is_graphic(text) && strpbrk(text, "\"<>\\^`{|}") == NULL;
}

static bool is_ip(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static const struct {
	const char *prefix;
	int type;
	bool (*is_valid)(const char *text);
	const char *wanted;
} san_types[] = {
    {"dns:", GEN_DNS, is_dns, "a host name (ASCII; a name with other letters as xn--...)"},
    {"ip:", GEN_IPADD, is_ip, "an IPv4 or IPv6 address"},
    {"email:", GEN_EMAIL, is_email, "an address like pump@plant.example"},
    {"uri:", GEN_URI, is_uri, "an absolute URI"},
};

static void san_value(int type, const char *text, ASN1_STRING *value)
{
	unsigned char address[16];

	if (type != GEN_IPADD)
		(void)ASN1_STRING_set(value, text, -1);
	else if (inet_pton(AF_INET, text, address) == 1)
		(void)ASN1_STRING_set(value, address, 4);
	else if (inet_pton(AF_INET6, text, address) == 1)
		(void)ASN1_STRING_set(value, address, 16);
}

static enum outcome add_san(GENERAL_NAMES *sans, const char *text)
{
	for (size_t i = 0; i < sizeof(san_types) / sizeof(san_types[0]); i++) {
		size_t prefix = strlen(san_types[i].prefix);
		bool is_address = san_types[i].type == GEN_IPADD;
		GENERAL_NAME *name;
		ASN1_STRING *value;
		if (strncmp(text, san_types[i].prefix, prefix) != 0)
			continue;
		if (!san_types[i].is_valid(text + prefix))
			return cli_usage("--san %.200s: %s is wanted", text, san_types[i].wanted);
		name = GENERAL_NAME_new();
		value = ASN1_STRING_type_new(is_address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
		san_value(san_types[i].type, text + prefix, value);
		GENERAL_NAME_set0_value(name, san_types[i].type, value);
		(void)sk_GENERAL_NAME_push(sans, name);
		return EST_OK;
	}
	return cli_usage("--san %.200s: dns:, ip:, email: or uri: and a name is wanted", text);
}

static enum outcome make_sans(const struct cli_list *list, X509_EXTENSION **extension)
{
	GENERAL_NAMES *sans = sk_GENERAL_NAME_new_null();
	enum outcome outcome = EST_OK;

	for (size_t i = 0; i < list->count && outcome == EST_OK; i++)
		outcome = add_san(sans, list->items[i]);
	if (outcome == EST_OK && list->count > 0) {
		*extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, sans);
		if (*extension == NULL)
			outcome = reason_openssl(EST_INTERNAL, "cannot encode the names");
	}
	GENERAL_NAMES_free(sans);
	return outcome;
}

static enum outcome make_subject(const char *common_name, X509_NAME **subject)
{
	struct span rest = span_of(common_name);
	size_t characters = 0;

	for (; rest.len > 0; characters++) {
		uint32_t c;
		size_t len = utf8_decode(rest, &c);
		if (len == 0 || utf8_is_control(c))
			return cli_usage(
			    "--name %.200s: UTF-8 without control characters is wanted",
			    common_name);
		rest.data += len;
		rest.len -= len;
	}
	if (characters == 0 || characters > COMMON_NAME_MOST)
		return cli_usage(
		    "--name %.200s: 1 to %d characters are wanted", common_name, COMMON_NAME_MOST);
	*subject = X509_NAME_new();
	if (X509_NAME_add_entry_by_NID(*subject, NID_commonName, MBSTRING_UTF8,
		(const unsigned char *)common_name, -1, -1, 0) != 1)
		return reason_openssl(EST_INTERNAL, "cannot encode the subject");
	return EST_OK;
}

enum outcome client_names_make(
    const char *common_name, const struct cli_list *sans, struct client_names *names)
{
	enum outcome outcome;

	*names = (struct client_names){0};
	outcome = make_subject(common_name, &names->subject);
	if (outcome == EST_OK)
		outcome = make_sans(sans, &names->sans);
	if (outcome != EST_OK)
		client_names_free(names);
	return outcome;
}

enum outcome client_names_of(const X509 *cert, struct client_names *names)
{
	int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);

	*names = (struct client_names){0};
	names->subject = X509_NAME_dup(X509_get_subject_name(cert));
	if (at >= 0)
		names->sans = X509_EXTENSION_dup(X509_get_ext(cert, at));
	if (names->subject != NULL && (at < 0) == (names->sans == NULL))
		return EST_OK;
	client_names_free(names);
	return reason_openssl(EST_INTERNAL, "cannot copy the names of the certificate");
}

void client_names_free(struct client_names *names)
{
	X509_NAME_free(names->subject);
	X509_EXTENSION_free(names->sans);
	*names = (struct client_names){0};
}
