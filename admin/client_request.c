#include "admin/client_request.h"

#include <string.h>

#include <openssl/asn1.h>

#include "common/pki/der.h"

/* PrintableString where it can be (X.680 41.4): old servers read nothing else. */
static int string_type(const char *text)
{
	static const char printable[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789 '()+,-./:=?";

	return text[strspn(text, printable)] == '\0' ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
}

static enum outcome add(
    STACK_OF(X509_ATTRIBUTE) **attributes, const char *type, int asn1_type, struct span value)
{
	ASN1_OBJECT *object = OBJ_txt2obj(type, 1);
	X509_ATTRIBUTE *attribute =
	    X509_ATTRIBUTE_create_by_OBJ(NULL, object, asn1_type, value.data, (int)value.len);

	ASN1_OBJECT_free(object);
	if (*attributes == NULL)
		*attributes = sk_X509_ATTRIBUTE_new_null();
	if (attribute != NULL && sk_X509_ATTRIBUTE_push(*attributes, attribute) > 0)
		return EST_OK;
	X509_ATTRIBUTE_free(attribute);
	return reason_openssl(EST_INTERNAL, "cannot make an attribute of the request");
}

enum outcome client_request_add_text(
    STACK_OF(X509_ATTRIBUTE) **attributes, const char *type, const char *text)
{
	return add(attributes, type, string_type(text), span_of(text));
}

enum outcome client_request_add_octets(
    STACK_OF(X509_ATTRIBUTE) **attributes, const char *type, struct span octets)
{
	return add(attributes, type, V_ASN1_OCTET_STRING, octets);
}

enum outcome client_request_add_capabilities(STACK_OF(X509_ATTRIBUTE) **attributes)
{
	/* The last octet of each algorithm's OID below NIST's arc for AES: the strongest first. */
	static const unsigned char algorithms[] = {42, 45, 22, 25, 2, 5};
	static const unsigned char aes[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01};
	struct buf der = {0};
	size_t all = der_open(&der, DER_SEQUENCE);
	enum outcome outcome;

	for (size_t i = 0; i < sizeof(algorithms); i++) {
		size_t one = der_open(&der, DER_SEQUENCE), oid = der_open(&der, DER_OID);
		buf_add(&der, aes, sizeof(aes));
		buf_add_byte(&der, algorithms[i]);
		der_close(&der, oid);
		der_close(&der, one);
	}
	der_close(&der, all);
	outcome = add(attributes, "1.2.840.113549.1.9.15", V_ASN1_SEQUENCE, buf_span(&der));
	buf_free(&der);
	return outcome;
}

/* The attribute whose text is the first line of a file; nothing without a file. */
static enum outcome add_secret(
    struct client_request *request, const char *file, const char *option, const char *type)
{
	struct buf secret = {0};
	enum outcome outcome;

	if (file == NULL)
		return EST_OK;
	outcome = cli_secret(file, option, "secret", false, &secret);
	if (outcome == EST_OK)
		outcome = client_request_add_text(&request->attributes, type, buf_string(&secret));
	buf_cleanse(&secret);
	return outcome;
}

enum outcome client_request_options(
    struct client_request *request, const struct client_options *options)
{
	enum outcome outcome;

	if (options->bind && options->challenge_file != NULL)
		return cli_usage("--bind and --challenge-file: one of them; both are the request's "
				 "challengePassword");
	request->bind = options->bind;
	request->link = options->link;
	request->otp = options->otp_file != NULL;
	request->revocation = options->revocation_file != NULL;
	outcome = add_secret(
	    request, options->challenge_file, "--challenge-file", CLIENT_CHALLENGE_PASSWORD);
	if (outcome == EST_OK)
		outcome =
		    add_secret(request, options->otp_file, "--otp-file", CLIENT_OTP_CHALLENGE);
	if (outcome == EST_OK)
		outcome = add_secret(
		    request, options->revocation_file, "--revocation-file", CLIENT_REVOCATION);
	return outcome;
}

/* The attributes hold secrets. */
static void free_attribute(X509_ATTRIBUTE *attribute)
{
	ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, 0);
	ASN1_STRING *string = NULL;

	if (value != NULL && ASN1_TYPE_get(value) != V_ASN1_OBJECT &&
	    ASN1_TYPE_get(value) != V_ASN1_BOOLEAN && ASN1_TYPE_get(value) != V_ASN1_NULL)
		string = value->value.asn1_string;
	if (string != NULL)
		OPENSSL_cleanse(string->data, (size_t)ASN1_STRING_length(string));
	X509_ATTRIBUTE_free(attribute);
}

void client_request_free(struct client_request *request)
{
	client_names_free(&request->names);
	sk_X509_EXTENSION_pop_free(request->extensions, X509_EXTENSION_free);
	sk_X509_ATTRIBUTE_pop_free(request->attributes, free_attribute);
	*request = (struct client_request){0};
}
