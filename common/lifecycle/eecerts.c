#include "common/lifecycle/eecerts.h"

#include <openssl/x509.h>

#include "common/pki/pem.h"
#include "common/pki/pkcs7.h"

enum { MOST = 256 };

/* The DER of each. */
struct bag {
	struct buf der[MOST];
	struct span span[MOST];
	size_t count;
};

static enum outcome add(struct bag *bag, X509 *certificate, const char *file)
{
	unsigned char *der = NULL;
	int len;

	if (bag->count == MOST)
		return reason(
		    EST_MALFORMED, "%s: eecerts holds more than %d certificates", file, MOST);
	len = i2d_X509(certificate, &der);
	if (len > 0)
		buf_add(&bag->der[bag->count], der, (size_t)len);
	OPENSSL_free(der);
	bag->span[bag->count] = buf_span(&bag->der[bag->count]);
	bag->count++;
	return EST_OK;
}

static enum outcome add_file(struct bag *bag, const char *file)
{
	STACK_OF(X509) *certificates = NULL;
	enum outcome outcome = pem_certificates(file, &certificates);

	for (int i = 0; outcome == EST_OK && i < sk_X509_num(certificates); i++)
		outcome = add(bag, sk_X509_value(certificates, i), file);
	sk_X509_pop_free(certificates, X509_free);
	return outcome;
}

enum outcome eecerts_make(const struct words *files, struct buf *out)
{
	struct bag bag = {.count = 0};
	enum outcome outcome = EST_OK;

	for (size_t i = 0; outcome == EST_OK && i < files->count; i++)
		outcome = add_file(&bag, files->word[i]);
	if (outcome == EST_OK && bag.count > 0)
		pkcs7_certs_only(bag.span, bag.count, out);
	for (size_t i = 0; i < bag.count; i++)
		buf_free(&bag.der[i]);
	return outcome;
}
