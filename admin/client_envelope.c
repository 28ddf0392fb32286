#include "admin/client_envelope.h"

#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/base/encoding.h"
#include "common/base/file.h"
#include "common/pki/der.h"

#include "admin/client_certs.h"
#include "admin/client_csr.h"

#define FILE_MOST 1048576

#define SIGNED_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define KEY_PACKAGE "2.16.840.1.101.2.1.2.78.5" /* id-ct-KP-aKeyPackage, RFC 5958 4 */

enum outcome client_kek_id(const char *text, struct buf *id)
{
	enum outcome outcome = EST_OK;

	if (strncmp(text, "0x", 2) == 0)
		outcome = hex_decode(id, span_of(text + 2));
	else
		buf_add_string(id, text);
	return outcome == EST_OK && id->len > 0
		   ? EST_OK
		   : cli_usage(
			 "--kek-id: a text, or 0x and an even number of hex digits, is wanted");
}

static bool is_aes(const struct buf *key)
{
	return key->len == 16 || key->len == 24 || key->len == 32;
}

/*
 * An AES key on the first line of a file, in hex digits or base64: 32 digits, which could be
 * either, are 16 octets in hex. What is wrong with it is not told, for it could be told of the key.
 */
static enum outcome read_kek(const char *file, struct buf *kek)
{
	struct buf text = {0};
	enum outcome outcome = cli_secret(file, "--kek-file", "key", false, &text);

	if (outcome != EST_OK)
		return outcome;
	buf_reserve(kek, text.len);
	if (hex_decode(kek, buf_span(&text)) != EST_OK || !is_aes(kek)) {
		buf_cleanse(kek);
		buf_reserve(kek, text.len);
		if (base64_decode(kek, buf_span(&text)) != EST_OK || !is_aes(kek))
			outcome = EST_MALFORMED;
	}
	buf_cleanse(&text);
	reason_clear();
	return outcome == EST_OK ? EST_OK
				 : reason(EST_MALFORMED,
				       "%.200s: an AES key of 16, 24 or 32 octets is wanted, in "
				       "hex digits or base64",
				       file);
}

static enum outcome read_pair(const struct client_options *options, struct client_opener *opener)
{
	struct buf pem = {0};
	STACK_OF(X509) *certs = NULL;
	enum outcome outcome = file_read(options->decrypt_cert, FILE_MOST, &pem);

	if (outcome == EST_OK)
		outcome = client_certs_read(buf_span(&pem), options->decrypt_cert, &certs);
	buf_reset(&pem);
	if (outcome == EST_OK) {
		opener->certificate = sk_X509_shift(certs);
		buf_reserve(&pem, 65536);
		outcome = file_read(options->decrypt_key, FILE_MOST, &pem);
	}
	if (outcome == EST_OK)
		outcome = client_key_read(buf_span(&pem), options->decrypt_key, &opener->key);
	if (outcome == EST_OK && X509_check_private_key(opener->certificate, opener->key) != 1)
		outcome = reason_openssl(EST_CONFLICT, "%.200s is not the key of %.200s",
		    options->decrypt_key, options->decrypt_cert);
	client_certs_free(certs);
	buf_cleanse(&pem);
	return outcome;
}

enum outcome client_opener_read(const struct client_options *options, struct client_opener *opener)
{
	enum outcome outcome = EST_OK;

	if ((options->kek_id == NULL) != (options->kek_file == NULL))
		return cli_usage("--kek-id and --kek-file: both, or none");
	if ((options->decrypt_cert == NULL) != (options->decrypt_key == NULL))
		return cli_usage("--decrypt-cert and --decrypt-key: both, or none");
	if (options->kek_id != NULL && options->decrypt_cert != NULL)
		return cli_usage("--kek-id and --decrypt-cert: one of them");
	if (options->kek_id != NULL) {
		outcome = client_kek_id(options->kek_id, &opener->kek_id);
		if (outcome == EST_OK)
			outcome = read_kek(options->kek_file, &opener->kek);
	}
	if (options->decrypt_cert != NULL)
		outcome = read_pair(options, opener);
	return outcome;
}

void client_opener_clear(struct client_opener *opener)
{
	buf_free(&opener->kek_id);
	buf_cleanse(&opener->kek);
	X509_free(opener->certificate);
	EVP_PKEY_free(opener->key);
	*opener = (struct client_opener){0};
}

enum outcome client_key_parse(struct span der, EVP_PKEY **key)
{
	const unsigned char *at = der.data;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
	bool whole = info != NULL && at == der.data + der.len;

	*key = whole ? EVP_PKCS82PKEY(info) : NULL;
	PKCS8_PRIV_KEY_INFO_free(info);
	return *key != NULL ? EST_OK
			    : reason_openssl(EST_MALFORMED,
				  "RFC 5958 2: the key in the answer is no PrivateKeyInfo");
}

/* The message of a ContentInfo with nothing behind it; NULL where it is none. */
static CMS_ContentInfo *parse(struct span der)
{
	const unsigned char *at = der.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);

	if (cms != NULL && at == der.data + der.len)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

static enum outcome decrypt(
    struct span der, const struct client_opener *opener, struct buf *content)
{
	CMS_ContentInfo *cms = parse(der);
	BIO *out = BIO_new(BIO_s_secmem());
	int opened = 0;

	if (cms == NULL || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_enveloped) {
		CMS_ContentInfo_free(cms);
		BIO_free(out);
		return reason_openssl(
		    EST_MALFORMED, "RFC 7030 4.4.2: the key in the answer is no EnvelopedData");
	}
	if (opener->key != NULL)
		opened = CMS_decrypt(cms, opener->key, opener->certificate, NULL, out, 0);
	else if (opener->kek.len > 0)
		opened = CMS_decrypt_set1_key(cms, opener->kek.data, opener->kek.len,
			     opener->kek_id.data, opener->kek_id.len) == 1 &&
			 CMS_decrypt(cms, NULL, NULL, NULL, out, 0) == 1;
	client_drain(out, content);
	CMS_ContentInfo_free(cms);
	return opened == 1 ? EST_OK
			   : reason_openssl(EST_CONFLICT,
				 "RFC 7030 4.4.2: the key in the answer cannot be decrypted");
}

/*
 * A SignedData as EnvelopedData holds it, bare (RFC 5652 5.1), as the ContentInfo that OpenSSL
 * reads.
 */
static void wrap(struct span content, struct buf *der)
{
	struct span rest = content, oid = DER_OCTETS(SIGNED_DATA);
	struct der all, first;
	size_t outer, inner;

	if (der_take(&rest, DER_SEQUENCE, &all) != EST_OK ||
	    der_next(&all.content, &first) != EST_OK || first.tag == DER_OID) {
		buf_add_span(der, content);
		return;
	}
	outer = der_open(der, DER_SEQUENCE);
	der_add(der, DER_OID, oid);
	inner = der_open(der, DER_CONTEXT_CONSTRUCTED(0));
	buf_add_span(der, content);
	der_close(der, inner);
	der_close(der, outer);
}

static X509_STORE *make_store(const struct client_envelope *envelope)
{
	X509_STORE *store = X509_STORE_new();

	for (int i = 0; i < sk_X509_num(envelope->trust); i++)
		(void)X509_STORE_add_cert(store, sk_X509_value(envelope->trust, i));
	for (int i = 0; i < sk_X509_num(envelope->cacerts); i++) {
		X509 *cert = sk_X509_value(envelope->cacerts, i);
		if (client_cert_is_root(cert))
			(void)X509_STORE_add_cert(store, cert);
	}
	(void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	/* The CA itself may sign, whose keyUsage is not that of S/MIME. */
	(void)X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
	return store;
}

/* Verifies the SignedData and appends its content. */
static enum outcome verify(
    const struct client_envelope *envelope, struct span content, struct buf *package)
{
	struct buf der = {0};
	STACK_OF(X509) *others = X509_chain_up_ref((STACK_OF(X509) *)(uintptr_t)envelope->cacerts);
	X509_STORE *store = make_store(envelope);
	BIO *out = BIO_new(BIO_s_secmem());
	ASN1_OBJECT *wanted = OBJ_txt2obj(KEY_PACKAGE, 1);
	enum outcome outcome = EST_OK;
	CMS_ContentInfo *cms;

	wrap(content, &der);
	cms = parse(buf_span(&der));
	if (cms == NULL || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed ||
	    OBJ_cmp(CMS_get0_eContentType(cms), wanted) != 0)
		outcome = reason_openssl(EST_MALFORMED,
		    "RFC 7030 4.4.2: what was encrypted is no signed AsymmetricKeyPackage");
	else if (CMS_verify(cms, others, store, NULL, out, CMS_BINARY) != 1)
		outcome = reason_openssl(
		    EST_CONFLICT, "RFC 7030 4.4.2: the signature around the key does not verify");
	client_drain(out, package);
	CMS_ContentInfo_free(cms);
	ASN1_OBJECT_free(wanted);
	X509_STORE_free(store);
	client_certs_free(others);
	buf_cleanse(&der);
	return outcome;
}

/* AsymmetricKeyPackage ::= SEQUENCE SIZE (1..MAX) OF OneAsymmetricKey (RFC 5958 2) */
static enum outcome take_key(struct span package, EVP_PKEY **key)
{
	struct der all, one;

	if (der_take(&package, DER_SEQUENCE, &all) != EST_OK || package.len > 0 ||
	    der_take(&all.content, DER_SEQUENCE, &one) != EST_OK || all.content.len > 0)
		return reason(
		    EST_MALFORMED, "RFC 5958 2: the key package does not hold just one key");
	return client_key_parse(one.whole, key);
}

enum outcome client_envelope_open(const struct client_envelope *envelope, EVP_PKEY **key)
{
	struct buf content = {0}, package = {0};
	enum outcome outcome = decrypt(envelope->der, envelope->opener, &content);

	if (outcome == EST_OK)
		outcome = verify(envelope, buf_span(&content), &package);
	if (outcome == EST_OK)
		outcome = take_key(buf_span(&package), key);
	buf_cleanse(&content);
	buf_cleanse(&package);
	return outcome;
}
