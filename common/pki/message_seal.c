/*
 * message_seal.c - envelopes, by OpenSSL's CMS.
 */
#include <limits.h>

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/pki/der.h"
#include "common/pki/message.h"

/* What is in the ContentInfo of a SignedData. */
static enum outcome open_content(struct span message, struct span *out)
{
	struct der info, type, tagged, data;

	if (der_take(&message, DER_SEQUENCE, &info) != EST_OK || message.len > 0 ||
	    der_take(&info.content, DER_OID, &type) != EST_OK ||
	    !DER_IS(type.content, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02") ||
	    der_take(&info.content, DER_CONTEXT_CONSTRUCTED(0), &tagged) != EST_OK ||
	    der_take(&tagged.content, DER_SEQUENCE, &data) != EST_OK)
		return reason(EST_INTERNAL, "what is to be sealed is no SignedData");
	*out = data.whole;
	return EST_OK;
}

/* RFC 5652 6.2.3; OpenSSL keeps both of what it is given, and overwrites the key. */
static bool add_kek(CMS_ContentInfo *cms, const struct message_recipient *recipient, int wrap)
{
	unsigned char *key = OPENSSL_memdup(recipient->kek.data, recipient->kek.len);
	unsigned char *id = OPENSSL_memdup(recipient->kek_id.data, recipient->kek_id.len);

	if (key != NULL && id != NULL &&
	    CMS_add0_recipient_key(cms, wrap, key, recipient->kek.len, id, recipient->kek_id.len,
		NULL, NULL, NULL) != NULL)
		return true;
	OPENSSL_clear_free(key, recipient->kek.len);
	OPENSSL_free(id);
	return false;
}

/* RFC 5652 6.2.2, RFC 5753 3.1.1 */
static bool prepare_ec(CMS_RecipientInfo *info, const struct message_ciphers *ciphers)
{
	EVP_PKEY_CTX *derivation = CMS_RecipientInfo_get0_pkey_ctx(info);
	EVP_CIPHER_CTX *wrap = CMS_RecipientInfo_kari_get0_ctx(info);

	return derivation != NULL && wrap != NULL &&
	       EVP_PKEY_CTX_set_ecdh_kdf_md(derivation, EVP_get_digestbynid(ciphers->digest)) > 0 &&
	       EVP_EncryptInit_ex(wrap, EVP_get_cipherbynid(ciphers->wrap), NULL, NULL, NULL) == 1;
}

/* RFC 5652 6.2.1, RFC 3560 */
static bool prepare_rsa(CMS_RecipientInfo *info, const struct message_ciphers *ciphers)
{
	EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx(info);
	const EVP_MD *digest = EVP_get_digestbynid(ciphers->digest);

	if (ciphers->digest == NID_undef)
		return true;
	return context != NULL && digest != NULL &&
	       EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) > 0;
}

static bool add_recipient(CMS_ContentInfo *cms, const struct message_recipient *recipient,
    const struct message_ciphers *ciphers)
{
	unsigned flags = CMS_KEY_PARAM | (recipient->by_key_id ? CMS_USE_KEYID : 0U);
	CMS_RecipientInfo *info;

	if (recipient->certificate == NULL)
		return add_kek(cms, recipient, ciphers->wrap);
	info = CMS_add1_recipient_cert(cms, recipient->certificate, flags);
	if (info == NULL)
		return false;
	return CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE ? prepare_ec(info, ciphers)
								   : prepare_rsa(info, ciphers);
}

/* Straight into the cipher: CMS_final() would leave copies of the secret behind it. */
static bool encrypt(CMS_ContentInfo *cms, struct span content)
{
	BIO *bio = CMS_dataInit(cms, NULL);
	bool ok;

	ok = bio != NULL && content.len <= INT_MAX &&
	     BIO_write(bio, content.data, (int)content.len) == (int)content.len &&
	     BIO_flush(bio) == 1 && CMS_dataFinal(cms, bio) == 1;
	BIO_free_all(bio);
	return ok;
}

static bool append(CMS_ContentInfo *cms, struct buf *out)
{
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);

	if (len <= 0)
		return false;
	buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	return true;
}

enum outcome message_seal(const struct message_recipient *recipient,
    const struct message_ciphers *ciphers, struct span content, struct buf *out)
{
	CMS_ContentInfo *cms;
	struct span inner = {NULL, 0};
	enum outcome outcome = open_content(content, &inner);

	if (outcome != EST_OK)
		return outcome;
	cms = CMS_EnvelopedData_create(EVP_get_cipherbynid(ciphers->content));
	if (cms == NULL || CMS_set1_eContentType(cms, OBJ_nid2obj(NID_pkcs7_signed)) != 1 ||
	    !add_recipient(cms, recipient, ciphers) || CMS_set_detached(cms, 0) != 1 ||
	    !encrypt(cms, inner) || !append(cms, out))
		outcome = reason_openssl(EST_INTERNAL, "cannot seal a message");
	CMS_ContentInfo_free(cms);
	return outcome;
}
