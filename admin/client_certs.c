#include "admin/client_certs.h"

#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509_vfy.h>

#include "common/base/encoding.h"

/* A copy that shares the certificates; NULL where there is none. */
static STACK_OF(X509) *share(const STACK_OF(X509) *certs)
{
	STACK_OF(X509) *copy = X509_chain_up_ref((STACK_OF(X509) *)(uintptr_t)certs);

	return copy;
}

enum outcome client_certs_parse(struct span der, STACK_OF(X509) **certs)
{
	const unsigned char *at = der.data;
	PKCS7 *pkcs7 = d2i_PKCS7(NULL, &at, (long)der.len);
	PKCS7_SIGNED *content;
	enum outcome outcome = EST_OK;

	if (pkcs7 == NULL)
		return reason_openssl(
		    EST_MALFORMED, "RFC 5272 4.1: the answer is not a PKCS#7 message");
	content = PKCS7_type_is_signed(pkcs7) ? pkcs7->d.sign : NULL;
	if (at != der.data + der.len)
		outcome =
		    reason(EST_MALFORMED, "there is something behind the PKCS#7 of the answer");
	else if (content == NULL)
		outcome = reason(EST_MALFORMED, "RFC 5272 4.1: the PKCS#7 is not a SignedData");
	else if (sk_PKCS7_SIGNER_INFO_num(content->signer_info) > 0)
		outcome = reason(EST_MALFORMED,
		    "RFC 5272 4.1: the PKCS#7 is signed, where only certificates belong");
	else if (sk_X509_num(content->cert) <= 0)
		outcome =
		    reason(EST_MALFORMED, "there is no certificate in the PKCS#7 of the answer");
	else
		*certs = share(content->cert);
	PKCS7_free(pkcs7);
	return outcome;
}

enum outcome client_certs_read(struct span pem, const char *what, STACK_OF(X509) **certs)
{
	STACK_OF(X509) *found = sk_X509_new_null();
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	X509 *cert;

	ERR_clear_error();
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		(void)sk_X509_push(found, cert);
	BIO_free(bio);
	/* The end of the text is reported as the absence of a further start line. */
	if (sk_X509_num(found) == 0 ||
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		client_certs_free(found);
		return reason_openssl(
		    EST_MALFORMED, "%.200s does not hold certificates in PEM", what);
	}
	ERR_clear_error();
	*certs = found;
	return EST_OK;
}

static void write_one(struct buf *pem, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	(void)PEM_write_bio_X509(bio, cert);
	len = BIO_get_mem_data(bio, &text);
	buf_add(pem, text, (size_t)len);
	BIO_free(bio);
}

void client_certs_write(struct buf *pem, const STACK_OF(X509) *certs)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
		write_one(pem, sk_X509_value(certs, i));
}

void client_certs_write_some(struct buf *pem, const STACK_OF(X509) *certs, bool roots)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		if (client_cert_is_root(sk_X509_value(certs, i)) == roots)
			write_one(pem, sk_X509_value(certs, i));
	}
}

bool client_cert_is_root(X509 *cert)
{
	bool root = X509_self_signed(cert, 1) == 1;

	ERR_clear_error();
	return root;
}

void client_cert_fingerprint(const X509 *cert, unsigned char fingerprint[static CLIENT_FINGERPRINT])
{
	(void)X509_digest(cert, EVP_sha256(), fingerprint, NULL);
}

enum outcome client_fingerprint_parse(
    const char *text, unsigned char fingerprint[static CLIENT_FINGERPRINT])
{
	struct buf digits = {0}, octets = {0};
	enum outcome outcome;

	for (const char *at = text; *at != '\0'; at++) {
		if (*at != ':')
			buf_add(&digits, at, 1);
	}
	outcome = digits.len == 2 * CLIENT_FINGERPRINT ? hex_decode(&octets, buf_span(&digits))
						       : EST_MALFORMED;
	for (size_t i = 0; i < octets.len && outcome == EST_OK; i++)
		fingerprint[i] = octets.data[i];
	buf_free(&digits);
	buf_free(&octets);
	return outcome;
}

static void add_anchors(X509_STORE *store, const STACK_OF(X509) *certs, bool roots_only)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		if (!roots_only || client_cert_is_root(sk_X509_value(certs, i)))
			(void)X509_STORE_add_cert(store, sk_X509_value(certs, i));
	}
}

enum outcome client_cert_verify(
    X509 *cert, const STACK_OF(X509) *trust, const STACK_OF(X509) *cacerts)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *others = share(cacerts);
	enum outcome outcome = EST_OK;

	add_anchors(store, trust, false);
	add_anchors(store, cacerts, true);
	(void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	if (X509_STORE_CTX_init(context, store, cert, others) != 1 ||
	    X509_verify_cert(context) != 1)
		outcome = reason(EST_CONFLICT,
		    "the certificate does not chain to the certificates of the CA: %s",
		    X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
	ERR_clear_error();
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	client_certs_free(others);
	return outcome;
}

static int64_t seconds(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int64_t client_cert_not_after(const X509 *cert)
{
	return seconds(X509_get0_notAfter(cert));
}

int64_t client_cert_not_before(const X509 *cert)
{
	return seconds(X509_get0_notBefore(cert));
}

void client_certs_free(STACK_OF(X509) *certs)
{
	sk_X509_pop_free(certs, X509_free);
}
