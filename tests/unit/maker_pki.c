#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/base/encoding.h"
#include "common/pki/der.h"

#define must(condition) maker_must((condition), #condition, __FILE__, __LINE__)

static X509 *certs[256];
static size_t cert_count;
static struct {
	char *kind;
	EVP_PKEY *key;
} keys[32];

void maker_clear_certs(void)
{
	while (cert_count > 0)
		X509_free(certs[--cert_count]);
}

int maker_end(void **state)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		free(keys[i].kind);
		EVP_PKEY_free(keys[i].key);
		keys[i].kind = NULL;
		keys[i].key = NULL;
	}
	return maker_clear(state);
}

/* The keys of the corpus spare the minutes that large RSA keys take under valgrind. */
static EVP_PKEY *from_corpus(const char *name)
{
	struct span text = maker_corpus(name);
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return key;
}

static EVP_PKEY *generate(const char *kind)
{
	size_t len = strcspn(kind, "#");
	char type[32];

	must(len < sizeof(type));
	(void)snprintf(type, sizeof(type), "%.*s", (int)len, kind);
	if (strcmp(kind, "RSA-2048") == 0)
		return from_corpus("keys/rsa-2048.pem");
	if (strcmp(kind, "RSA-3072") == 0)
		return from_corpus("keys/rsa-3072.pem");
	if (strcmp(kind, "RSA-4096") == 0)
		return from_corpus("keys/rsa-4096.pem");
	if (strncmp(type, "RSA-", 4) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(type + 4));
	if (type[0] == 'E' || type[0] == 'X')
		return EVP_PKEY_Q_keygen(NULL, NULL, type);
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
}

EVP_PKEY *maker_key(const char *kind)
{
	size_t i = 0;

	while (i < COUNT(keys) && keys[i].kind != NULL && strcmp(keys[i].kind, kind) != 0)
		i++;
	must(i < COUNT(keys));
	if (keys[i].kind == NULL) {
		keys[i].key = generate(kind);
		must(keys[i].key != NULL);
		keys[i].kind = mem_string(kind);
	}
	return keys[i].key;
}

struct span maker_spki(const char *kind)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(maker_key(kind), &der);
	struct span copy;

	must(len > 0);
	copy = maker_copy((struct span){der, (size_t)len});
	OPENSSL_free(der);
	return copy;
}

struct span maker_rsa(const char *modulus, const char *exponent)
{
	struct buf numbers = {0};
	const char *const digits[] = {modulus, exponent};

	for (size_t i = 0; i < COUNT(digits); i++) {
		size_t mark = der_open(&numbers, DER_INTEGER);
		if (strchr("01234567", digits[i][0]) == NULL)
			buf_add_byte(&numbers, 0);
		must(hex_decode(&numbers, span_of(digits[i])) == EST_OK);
		der_close(&numbers, mark);
	}
	return maker_der("30{30{06{2a864886f70d010101}0500}03{0030{$}}}", maker_keep(&numbers));
}

struct span maker_sign(const char *key, const char *digest, struct span data)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature);

	must(EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, maker_key(key), NULL) == 1);
	must(EVP_DigestSign(context, signature, &len, data.data, data.len) == 1);
	EVP_MD_CTX_free(context);
	return maker_copy((struct span){signature, len});
}

static X509_NAME *name_of(const char *text)
{
	X509_NAME *name = X509_NAME_new();
	char *copy = mem_string(text), *rest = copy, *part, *value;

	while ((part = strsep(&rest, ",")) != NULL && part[0] != '\0') {
		value = strchr(part, '=');
		must(value != NULL);
		*value++ = '\0';
		must(X509_NAME_add_entry_by_txt(
			 name, part, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1);
	}
	free(copy);
	return name;
}

struct span maker_name(const char *text)
{
	X509_NAME *name = name_of(text);
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(name, &der);
	struct span copy = maker_copy((struct span){der, (size_t)len});

	OPENSSL_free(der);
	X509_NAME_free(name);
	return copy;
}

static X509_EXTENSION *extension_of(X509V3_CTX *context, const char *const pair[2])
{
	CONF *none = NCONF_new(NULL);
	X509_EXTENSION *extension;

	X509V3_set_nconf(context, none);
	extension = X509V3_EXT_nconf_nid(none, context, OBJ_sn2nid(pair[0]), pair[1]);
	NCONF_free(none);
	must(extension != NULL);
	return extension;
}

static const EVP_MD *digest_for(const char *key, const char *digest)
{
	return strncmp(key, "Ed", 2) == 0
		   ? NULL
		   : EVP_get_digestbyname(digest == NULL ? "SHA256" : digest);
}

struct span maker_csr(const char *key, const char *subject, const char *const *extensions)
{
	X509_REQ *request = X509_REQ_new();
	X509_NAME *name = name_of(subject);
	STACK_OF(X509_EXTENSION) *stack = sk_X509_EXTENSION_new_null();
	unsigned char *der = NULL;
	X509V3_CTX context;
	struct span copy;
	int len;

	X509V3_set_ctx(&context, NULL, NULL, request, NULL, 0);
	for (; extensions != NULL && extensions[0] != NULL; extensions += 2)
		must(sk_X509_EXTENSION_push(stack, extension_of(&context, extensions)) > 0);
	must(X509_REQ_set_subject_name(request, name) == 1);
	must(X509_REQ_set_pubkey(request, maker_key(key)) == 1);
	must(sk_X509_EXTENSION_num(stack) == 0 || X509_REQ_add_extensions(request, stack) == 1);
	must(X509_REQ_sign(request, maker_key(key), digest_for(key, NULL)) > 0);
	len = i2d_X509_REQ(request, &der);
	must(len > 0);
	copy = maker_copy((struct span){der, (size_t)len});
	OPENSSL_free(der);
	sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
	X509_NAME_free(name);
	X509_REQ_free(request);
	return copy;
}

struct span maker_request(const struct maker_request *request)
{
	struct span version = request->version, subject = request->subject,
		    algorithm = request->algorithm;
	struct span info;

	if (version.data == NULL)
		version = maker_der("020100");
	if (subject.data == NULL)
		subject = maker_name("CN=pump");
	if (algorithm.data == NULL)
		algorithm = maker_der("30{06{2a8648ce3d040302}}");
	info =
	    maker_der("30{$$$$}", version, subject, maker_spki(request->key), request->attributes);
	return maker_der(
	    "30{$$03{00$}}", info, algorithm, maker_sign(request->key, request->digest, info));
}

struct span maker_extensions(struct span extensions)
{
	return maker_der("a0{30{06{2a864886f70d01090e}31{30{$}}}}", extensions);
}

X509 *maker_cert(const struct maker_cert *spec)
{
	X509 *cert = X509_new();
	X509_NAME *subject = name_of(spec->subject);
	X509 *issuer = spec->issuer == NULL ? cert : spec->issuer;
	const char *key = spec->issuer == NULL ? spec->key : spec->issuer_key;
	int64_t from = spec->from != 0 ? spec->from : MAKER_NOW - MAKER_DAY;
	int64_t until = spec->until != 0 ? spec->until : MAKER_NOW + MAKER_DAY;
	X509V3_CTX context;

	must(X509_set_version(cert, X509_VERSION_3) == 1);
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)cert_count + 4096) == 1);
	must(X509_set_subject_name(cert, subject) == 1);
	must(X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1);
	must(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from) != NULL);
	must(ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)until) != NULL);
	must(X509_set_pubkey(cert, maker_key(spec->key)) == 1);
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	for (const char *const *pair = spec->extensions; pair != NULL && pair[0] != NULL;
	     pair += 2) {
		X509_EXTENSION *extension = extension_of(&context, pair);
		must(X509_add_ext(cert, extension, -1) == 1);
		X509_EXTENSION_free(extension);
	}
	must(X509_sign(cert, maker_key(key), digest_for(key, spec->digest)) > 0);
	X509_NAME_free(subject);
	must(cert_count < COUNT(certs));
	return certs[cert_count++] = cert;
}

struct span maker_cert_der(X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	struct span copy = maker_copy((struct span){der, (size_t)len});

	OPENSSL_free(der);
	return copy;
}

const char *maker_cert_pem(X509 *cert)
{
	struct buf pem = {0};

	buf_add_string(&pem, "-----BEGIN CERTIFICATE-----\n");
	base64_encode(&pem, maker_cert_der(cert), 64);
	buf_add_string(&pem, "-----END CERTIFICATE-----\n");
	buf_add_byte(&pem, 0);
	return (const char *)maker_keep(&pem).data;
}
