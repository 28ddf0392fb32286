#include "admin/client_result.h"

#include <arpa/inet.h>

#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/encoding.h"

#include "admin/client_certs.h"
#include "admin/client_csr.h"

void client_result_fingerprint(const X509 *cert, struct buf *out)
{
	unsigned char octets[CLIENT_FINGERPRINT];

	client_cert_fingerprint(cert, octets);
	for (size_t i = 0; i < sizeof(octets); i++)
		buf_printf(out, "%s%02X", i == 0 ? "" : ":", octets[i]);
}

/* RFC 4514, in UTF-8. */
static void add_name(const X509_NAME *name, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	(void)X509_NAME_print_ex(
	    bio, name, 0, (XN_FLAG_RFC2253 | ASN1_STRFLGS_UTF8_CONVERT) & ~ASN1_STRFLGS_ESC_MSB);
	len = BIO_get_mem_data(bio, &text);
	buf_add(out, text, (size_t)len);
	BIO_free(bio);
}

static void add_address(const ASN1_STRING *address, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "?";
	int len = ASN1_STRING_length(address);

	if (len == 4 || len == 16)
		(void)inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text,
		    sizeof(text));
	buf_add_string(out, text);
}

static void add_san(const GENERAL_NAME *name, struct buf *out)
{
	static const struct {
		int type;
		const char *prefix;
	} types[] = {
	    {GEN_DNS, "dns:"}, {GEN_IPADD, "ip:"}, {GEN_EMAIL, "email:"}, {GEN_URI, "uri:"}};
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type != type)
			continue;
		buf_add_string(out, types[i].prefix);
		if (type == GEN_IPADD)
			add_address(value, out);
		else
			buf_add(
			    out, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
		return;
	}
	buf_add_string(out, "other");
}

/* The alternative names as an array of "dns:..." texts. */
static json_t *alternative_names(const X509 *cert)
{
	GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	json_t *names = json_array();

	for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
		struct buf text = {0};
		add_san(sk_GENERAL_NAME_value(sans, i), &text);
		(void)json_array_append_new(names, cli_json_text(buf_string(&text)));
		buf_free(&text);
	}
	GENERAL_NAMES_free(sans);
	return names;
}

static int64_t days_left(const X509 *cert)
{
	int64_t left = client_cert_not_after(cert) - clock_now();

	return left >= 0 ? left / 86400 : -((-left + 86399) / 86400);
}

/* Takes the text. */
static void set_text(json_t *object, const char *key, struct buf *text)
{
	(void)json_object_set_new(object, key, cli_json_text(buf_string(text)));
	buf_free(text);
}

static json_t *describe(const struct client_options *options, const X509 *cert)
{
	const ASN1_INTEGER *number = X509_get0_serialNumber(cert);
	struct buf serial = {0}, subject = {0}, issuer = {0}, key = {0}, fingerprint = {0};
	EVP_PKEY *public = X509_get0_pubkey(cert);
	json_t *object = json_object();

	hex_encode(&serial,
	    (struct span){ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)});
	add_name(X509_get_subject_name(cert), &subject);
	add_name(X509_get_issuer_name(cert), &issuer);
	if (public != NULL)
		client_key_type(public, &key);
	client_result_fingerprint(cert, &fingerprint);
	set_text(object, "serial", &serial);
	set_text(object, "subject", &subject);
	(void)json_object_set_new(object, "names", alternative_names(cert));
	set_text(object, "issuer", &issuer);
	(void)json_object_set_new(
	    object, "not_before", cli_json_time(client_cert_not_before(cert)));
	(void)json_object_set_new(object, "not_after", cli_json_time(client_cert_not_after(cert)));
	(void)json_object_set_new(object, "days_left", json_integer(days_left(cert)));
	set_text(object, "key", &key);
	set_text(object, "fingerprint", &fingerprint);
	(void)json_object_set_new(object, "directory", cli_json_text(options->directory));
	return object;
}

/* One line a member: strings, integers, arrays of strings. */
static void print_member(const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_is_integer(value))
		cli_print("%-12s %lld", key, (long long)json_integer_value(value));
	else if (json_is_string(value))
		cli_print("%-12s %s", key, json_string_value(value));
	json_array_foreach(value, i, item)
	    cli_print("%-12s %s", i == 0 ? key : "", json_string_value(item));
}

void client_result_print(
    const struct client_options *options, const X509 *cert, const bool *renewed)
{
	json_t *object = describe(options, cert), *value;
	const char *key;

	if (options->json) {
		if (renewed != NULL)
			(void)json_object_set_new(object, "renewed", json_boolean(*renewed));
		cli_json_print(object);
		return;
	}
	json_object_foreach(object, key, value) print_member(key, value);
	json_decref(object);
}
