/*
 * cmd_ca.c - est-admin ca: who signs.
 */
#include <string.h>

#include "admin/command.h"
#include "common/pki/key.h"

/* RFC 4514's text; what is no printable ASCII stays UTF-8, for cli_print() to escape. */
static json_t *subject_text(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf text = {0};
	json_t *subject;
	char *data;
	long len;

	(void)X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
	    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	len = BIO_get_mem_data(bio, &data);
	buf_add(&text, data, (size_t)len);
	subject = cli_json_text(buf_string(&text));
	buf_free(&text);
	BIO_free(bio);
	return subject;
}

/* The word of est.conf for its key, or OpenSSL's. */
static json_t *key_text(X509 *certificate)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	struct key_info info;
	const char *word = key == NULL ? "unknown" : EVP_PKEY_get0_type_name(key);
	json_t *text;

	if (len > 0 && key_parse((struct span){der, (size_t)len}, &info) == EST_OK)
		word = key_word(&info);
	reason_clear();
	text = cli_json_text(word);
	OPENSSL_free(der);
	return text;
}

static json_t *time_text(const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return json_null();
	return cli_json_time((int64_t)timegm(&tm));
}

static json_t *fingerprint_text(X509 *certificate)
{
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);
	struct buf text = {0};
	json_t *fingerprint;

	command_fingerprint((struct span){der, len < 0 ? 0 : (size_t)len}, &text);
	fingerprint = cli_json_text(buf_string(&text));
	buf_free(&text);
	OPENSSL_free(der);
	return fingerprint;
}

static void describe(json_t *object, X509 *certificate)
{
	json_object_set_new(object, "subject", subject_text(certificate));
	json_object_set_new(object, "key", key_text(certificate));
	json_object_set_new(object, "not_before", time_text(X509_get0_notBefore(certificate)));
	json_object_set_new(object, "not_after", time_text(X509_get0_notAfter(certificate)));
	json_object_set_new(object, "fingerprint", fingerprint_text(certificate));
}

static json_t *describe_ca(const struct ca *ca)
{
	json_t *object = json_object(), *chain = json_array();

	json_object_set_new(object, "name", cli_json_text(ca->config->name));
	describe(object, ca->certificate);
	for (int i = 0; i < sk_X509_num(ca->chain); i++) {
		json_t *link = json_object();
		describe(link, sk_X509_value(ca->chain, i));
		json_array_append_new(chain, link);
	}
	json_object_set_new(object, "chain", chain);
	return object;
}

static void print_words(const json_t *object, const char *indent)
{
	static const char *const keys[] = {
	    "subject", "key", "not_before", "not_after", "fingerprint"};
	static const char *const words[] = {"subject", "key", "not before", "not after", "sha256"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = json_string_value(json_object_get(object, keys[i]));
		cli_print("%s%-11s  %s", indent, words[i], value == NULL ? "-" : value);
	}
}

static void print_ca(const struct admin *admin, const struct ca *ca)
{
	json_t *object = describe_ca(ca), *link;
	size_t i;

	if (admin->json) {
		cli_json_print(object);
		return;
	}
	cli_print("ca           %s", ca->config->name);
	print_words(object, "");
	json_array_foreach(json_object_get(object, "chain"), i, link)
	{
		cli_print("under");
		print_words(link, "  ");
	}
	json_decref(object);
}

enum outcome cmd_ca_show(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	const struct config *config = admin->service->config;
	const char *name = call->count > 0 ? call->arguments[0] : NULL;
	enum outcome outcome = EST_NOT_FOUND;

	for (size_t i = 0; i < config->ca_count; i++) {
		struct ca *ca = NULL;
		if (name != NULL && strcmp(config->cas[i].name, name) != 0)
			continue;
		outcome = ca_open(&config->cas[i], false, &ca);
		if (outcome != EST_OK)
			return outcome;
		print_ca(admin, ca);
		ca_close(ca);
	}
	return outcome == EST_OK
		   ? EST_OK
		   : reason(outcome, "there is no ca \"%.60s\" in %s", name, config->path);
}
