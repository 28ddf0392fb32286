/*
 * message_test.h - CMS messages in tests: made with a key of the maker's, looked into, verified and
 * opened by OpenSSL. Included by tests of what makes them, after maker.h.
 */
#ifndef EST_MESSAGE_TEST_H
#define EST_MESSAGE_TEST_H

#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>

#include "common/pki/der.h"
#include "common/pki/message.h"

#define ID_SIGNED   "06092a864886f70d010702"
#define KEY_PACKAGE "\x60\x86\x48\x01\x65\x02\x01\x02\x4e\x05"

/* A look into DER: "1.0.4" is the fifth value in the first in the second. */
static inline struct der look(struct span der, const char *path)
{
	struct der value;

	assert_outcome(EST_OK, der_next(&der, &value));
	assert_int_equal(0, der.len);
	while (*path != '\0') {
		unsigned index = (unsigned)strtoul(path, (char **)&path, 10);
		struct span rest = value.content;
		for (unsigned i = 0; i <= index; i++)
			assert_outcome(EST_OK, der_next(&rest, &value));
		path += *path == '.';
	}
	return value;
}

static inline void assert_at(const char *wanted, struct span der, const char *path)
{
	assert_bytes(maker_der(wanted), look(der, path).whole);
}

static inline X509 *make_ca(const char *key, const char *digest)
{
	static const char *const ca_extensions[] = {"basicConstraints", "critical,CA:TRUE",
	    "keyUsage", "critical,keyCertSign,cRLSign", "subjectKeyIdentifier", "hash", NULL};

	return maker_cert(&(struct maker_cert){
	    .subject = "CN=CA,O=Acme", .key = key, .extensions = ca_extensions, .digest = digest});
}

struct hand {
	const char *key, *digest;
	enum outcome outcome;
};

static inline enum outcome sign_by_hand(void *context, struct span data, struct buf *signature)
{
	const struct hand *hand = context;

	if (hand->outcome != EST_OK)
		return reason(hand->outcome, "the token is not there");
	buf_add_span(signature, maker_sign(hand->key, hand->digest, data));
	return EST_OK;
}

static inline struct span sign_message(
    X509 *cert, struct hand *hand, const char *algorithm, struct span type, struct span content)
{
	struct message_signer signer = {.certificate = maker_cert_der(cert),
	    .algorithm = maker_der(algorithm),
	    .sign = sign_by_hand,
	    .context = hand};
	struct buf out = {0};

	assert_outcome(EST_OK, message_sign(&signer, type, content, MAKER_NOW, &out));
	return maker_keep(&out);
}

/* OpenSSL takes the signature by that certificate, and sees that content. */
static inline void verify_by_openssl_at(
    int64_t now, struct span message, X509 *cert, struct span content)
{
	const unsigned char *at = message.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)message.len);
	X509_STORE *store = X509_STORE_new();
	BIO *out = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_non_null(cms);
	X509_STORE_add_cert(store, cert);
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)now);
	X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
	assert_int_equal(1, CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY));
	len = BIO_get_mem_data(out, &text);
	assert_bytes(content, ((struct span){(unsigned char *)text, (size_t)len}));
	BIO_free(out);
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
}

static inline void verify_by_openssl(struct span message, X509 *cert, struct span content)
{
	verify_by_openssl_at(MAKER_NOW, message, cert, content);
}

/* The envelope as a recipient opens it: with its key, or its symmetric key; empty: it cannot. */
static inline struct span open_envelope(
    struct span message, EVP_PKEY *key, X509 *cert, const struct message_recipient *kek)
{
	const unsigned char *at = message.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)message.len);
	BIO *out = BIO_new(BIO_s_mem());
	struct span content = {NULL, 0};
	char *text;
	long len;
	bool ok = true;

	assert_non_null(cms);
	if (kek != NULL) {
		unsigned char copy[32], id[64];
		memcpy(copy, kek->kek.data, kek->kek.len);
		memcpy(id, kek->kek_id.data, kek->kek_id.len);
		ok = CMS_decrypt_set1_key(cms, copy, kek->kek.len, id, kek->kek_id.len) == 1;
	}
	ok = ok && CMS_decrypt(cms, key, cert, NULL, out, CMS_BINARY) == 1;
	if (ok) {
		len = BIO_get_mem_data(out, &text);
		content = maker_copy((struct span){(unsigned char *)text, (size_t)len});
	}
	BIO_free(out);
	CMS_ContentInfo_free(cms);
	return content;
}

#endif
