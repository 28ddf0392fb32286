#include "tests/bench/authority.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include "tests/bench/csrs.h"

#define VALID_SECONDS 3600

static bool extension_add(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension = NULL;
	bool done = false;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

void authority_make(struct authority *authority)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	const ASN1_OCTET_STRING *key_id;

	authority->key = EVP_EC_gen("P-256");
	if (certificate == NULL || authority->key == NULL ||
	    X509_set_version(certificate, 2) != 1 ||
	    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) != 1 ||
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"Bench Issuing CA", -1, -1, 0) != 1 ||
	    X509_set_issuer_name(certificate, name) != 1 ||
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -60) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SECONDS) == NULL ||
	    X509_set_pubkey(certificate, authority->key) != 1 ||
	    !extension_add(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
	    !extension_add(certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
	    !extension_add(certificate, NID_subject_key_identifier, "hash") ||
	    X509_sign(certificate, authority->key, EVP_sha256()) == 0)
		errx(EXIT_FAILURE, "OpenSSL did not make the CA");
	key_id = X509_get0_subject_key_id(certificate);
	if (key_id == NULL || ASN1_STRING_length(key_id) != sizeof(authority->key_id))
		errx(EXIT_FAILURE, "the CA has no key identifier");
	memcpy(authority->key_id, ASN1_STRING_get0_data(key_id), sizeof(authority->key_id));
	authority->certificate = certificate;
}

void authority_free(struct authority *authority)
{
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
	*authority = (struct authority){0};
}

static PKCS7 *pkcs7_read(struct span base64)
{
	BIO *text =
	    BIO_push(BIO_new(BIO_f_base64()), BIO_new_mem_buf(base64.data, (int)base64.len));
	PKCS7 *pkcs7 = d2i_PKCS7_bio(text, NULL);

	BIO_free_all(text);
	return pkcs7;
}

static const char *chain_error(const struct authority *authority, X509 *certificate)
{
	X509_STORE *trust = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	const char *error = NULL;

	if (trust == NULL || context == NULL ||
	    X509_STORE_add_cert(trust, authority->certificate) != 1 ||
	    X509_STORE_set_flags(trust, X509_V_FLAG_X509_STRICT) != 1 ||
	    X509_STORE_CTX_init(context, trust, certificate, NULL) != 1)
		error = "OpenSSL's verification did not start";
	else if (X509_verify_cert(context) != 1)
		error = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
	X509_STORE_CTX_free(context);
	X509_STORE_free(trust);
	return error;
}

static bool has_point(X509 *certificate, const unsigned char *point)
{
	unsigned char held[CSR_POINT];
	size_t len = 0;
	EVP_PKEY *key = X509_get0_pubkey(certificate);

	return key != NULL &&
	       EVP_PKEY_get_octet_string_param(
		   key, OSSL_PKEY_PARAM_PUB_KEY, held, sizeof(held), &len) == 1 &&
	       len == CSR_POINT && memcmp(held, point, CSR_POINT) == 0;
}

bool authority_check(
    const struct authority *authority, struct span answer, const unsigned char *point)
{
	PKCS7 *pkcs7 = pkcs7_read(answer);
	const STACK_OF(X509) *certificates = NULL;
	const char *error;

	if (pkcs7 != NULL && PKCS7_type_is_signed(pkcs7))
		certificates = pkcs7->d.sign->cert;
	if (sk_X509_num(certificates) != 1)
		error = "the answer is not a PKCS#7 with one certificate";
	else if (!has_point(sk_X509_value(certificates, 0), point))
		error = "the certificate carries another key";
	else
		error = chain_error(authority, sk_X509_value(certificates, 0));
	PKCS7_free(pkcs7);
	if (error != NULL)
		warnx("the last certificate: %s", error);
	return error == NULL;
}
