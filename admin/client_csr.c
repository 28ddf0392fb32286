#include "admin/client_csr.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

static const struct {
	const char *type;
	unsigned bits; /* of RSA; 0: a curve of that name */
} keys[] = {
    {"P-256", 0},
    {"P-384", 0},
    {"P-521", 0},
    {"RSA-2048", 2048},
    {"RSA-3072", 3072},
    {"RSA-4096", 4096},
};

bool client_key_is_type(const char *type)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].type, type) == 0)
			return true;
	}
	return false;
}

enum outcome client_key_make(const char *type, EVP_PKEY **key)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].type, type) != 0)
			continue;
		*key = keys[i].bits == 0 ? EVP_EC_gen(type) : EVP_RSA_gen(keys[i].bits);
		return *key != NULL ? EST_OK : reason_openssl(EST_INTERNAL, "cannot make a key");
	}
	return reason(EST_MALFORMED, "\"%.40s\" is not a key type: %s", type, CLIENT_KEY_TYPES);
}

void client_drain(BIO *bio, struct buf *out)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);

	buf_reserve(out, (size_t)len);
	buf_add(out, text, (size_t)len);
	BIO_free(bio);
}

enum outcome client_key_write(EVP_PKEY *key, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	if (PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return reason_openssl(EST_INTERNAL, "cannot write the key");
	}
	client_drain(bio, pem);
	return EST_OK;
}

enum outcome client_key_read(struct span pem, const char *what, EVP_PKEY **key)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);

	*key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (*key == NULL)
		return reason_openssl(EST_MALFORMED, "%.200s does not hold a key in PEM", what);
	return EST_OK;
}

void client_key_type(EVP_PKEY *key, struct buf *out)
{
	char group[64] = "";

	(void)EVP_PKEY_get_utf8_string_param(
	    key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL);
	if (EVP_PKEY_is_a(key, "RSA"))
		buf_printf(out, "RSA-%d", EVP_PKEY_get_bits(key));
	else if (EVP_PKEY_is_a(key, "EC") && EC_curve_nid2nist(OBJ_txt2nid(group)) != NULL)
		buf_add_string(out, EC_curve_nid2nist(OBJ_txt2nid(group)));
	else
		buf_add_string(out, EVP_PKEY_get0_type_name(key));
}

static enum outcome add_extensions(X509_REQ *csr, const struct client_request *request)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	int added = 1;

	if (request->names.sans != NULL)
		added = sk_X509_EXTENSION_push(extensions, request->names.sans) > 0;
	for (int i = 0; i < sk_X509_EXTENSION_num(request->extensions) && added; i++)
		added = sk_X509_EXTENSION_push(
			    extensions, sk_X509_EXTENSION_value(request->extensions, i)) > 0;
	if (added && sk_X509_EXTENSION_num(extensions) > 0)
		added = X509_REQ_add_extensions(csr, extensions) == 1;
	sk_X509_EXTENSION_free(extensions);
	return added ? EST_OK
		     : reason_openssl(EST_INTERNAL, "cannot add the extensions to the request");
}

/* The attributes that depend on the TLS session. */
static enum outcome bind(
    const struct client_request *request, const char *binding, STACK_OF(X509_ATTRIBUTE) **bound)
{
	enum outcome outcome = EST_OK;

	if (binding != NULL && request->bind)
		outcome = client_request_add_text(bound, CLIENT_CHALLENGE_PASSWORD, binding);
	if (binding != NULL && request->link && outcome == EST_OK)
		outcome = client_request_add_text(bound, CLIENT_IDENTITY_LINKING, binding);
	return outcome;
}

static enum outcome add_attributes(X509_REQ *csr, const STACK_OF(X509_ATTRIBUTE) *attributes)
{
	for (int i = 0; i < sk_X509_ATTRIBUTE_num(attributes); i++) {
		if (X509_REQ_add1_attr(csr, sk_X509_ATTRIBUTE_value(attributes, i)) != 1)
			return reason_openssl(
			    EST_INTERNAL, "cannot add the attributes to the request");
	}
	return EST_OK;
}

enum outcome client_csr_make(
    EVP_PKEY *key, const struct client_request *request, const char *binding, X509_REQ **csr)
{
	STACK_OF(X509_ATTRIBUTE) *bound = NULL;
	X509_REQ *made = X509_REQ_new();
	enum outcome outcome = bind(request, binding, &bound);

	if (outcome == EST_OK && (X509_REQ_set_version(made, X509_REQ_VERSION_1) != 1 ||
				     X509_REQ_set_subject_name(made, request->names.subject) != 1 ||
				     X509_REQ_set_pubkey(made, key) != 1))
		outcome = reason_openssl(EST_INTERNAL, "cannot make the request");
	if (outcome == EST_OK)
		outcome = add_extensions(made, request);
	if (outcome == EST_OK)
		outcome = add_attributes(made, request->attributes);
	if (outcome == EST_OK)
		outcome = add_attributes(made, bound);
	if (outcome == EST_OK &&
	    X509_REQ_sign(made, key, request->digest == NULL ? EVP_sha256() : request->digest) <= 0)
		outcome = reason_openssl(EST_INTERNAL, "cannot sign the request");
	if (outcome == EST_OK) {
		*csr = made;
		made = NULL;
	}
	X509_REQ_free(made);
	sk_X509_ATTRIBUTE_pop_free(bound, X509_ATTRIBUTE_free);
	return outcome;
}

bool client_csr_same(X509_REQ *a, X509_REQ *b)
{
	unsigned char *a_der = NULL, *b_der = NULL;
	int a_len = i2d_re_X509_REQ_tbs(a, &a_der), b_len = i2d_re_X509_REQ_tbs(b, &b_der);
	bool same = a_len > 0 && a_len == b_len && memcmp(a_der, b_der, (size_t)a_len) == 0;

	OPENSSL_free(a_der);
	OPENSSL_free(b_der);
	return same;
}

void client_csr_write(X509_REQ *csr, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());

	(void)PEM_write_bio_X509_REQ(bio, csr);
	client_drain(bio, pem);
}

void client_csr_der(X509_REQ *csr, struct buf *der)
{
	unsigned char *octets = NULL;
	int len = i2d_X509_REQ(csr, &octets);

	if (len > 0)
		buf_add(der, octets, (size_t)len);
	OPENSSL_free(octets);
}

enum outcome client_csr_read(struct span pem, X509_REQ **csr)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);

	*csr = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return *csr != NULL ? EST_OK
			    : reason_openssl(EST_MALFORMED, "not a certificate request in PEM");
}
