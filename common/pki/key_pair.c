#include "common/pki/key_pair.h"

#include <string.h>

#include <openssl/encoder.h>
#include <openssl/x509.h>

static bool is_rsa(const char *word)
{
	return strncmp(word, "RSA-", 4) == 0;
}

const char *key_pair_word(
    const char *configured, const struct words *granted, const struct key_info *sent)
{
	const char *hint = sent->kind == NULL ? NULL : key_word(sent);
	const char *cheap = NULL;

	for (size_t i = granted->count; i-- > 0;)
		if (!is_rsa(granted->word[i]))
			cheap = granted->word[i];
	if (configured != NULL)
		return configured;
	if (hint != NULL && words_have(granted, hint) && (cheap == NULL || !is_rsa(hint)))
		return hint;
	return cheap == NULL ? granted->word[0] : cheap;
}

/* EVP_PKEY2PKCS8() gives a copy of the key back to the heap as it is: OpenSSL 3.0. */
static bool add_private(EVP_PKEY *key, struct buf *out)
{
	OSSL_ENCODER_CTX *context =
	    OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", NULL);
	unsigned char *der = NULL;
	size_t len = 0;
	bool ok = context != NULL && OSSL_ENCODER_to_data(context, &der, &len) == 1;

	if (ok) /* Its room is taken at once, so that no octet of it is left behind by a growing. */
		buf_add(out, der, len);
	OPENSSL_clear_free(der, len);
	OSSL_ENCODER_CTX_free(context);
	return ok;
}

static bool add_public(EVP_PKEY *key, struct buf *out)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len > 0)
		buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0;
}

enum outcome key_pair_make(const char *word, struct buf *key, struct buf *spki)
{
	EVP_PKEY *pair = NULL;
	enum outcome outcome = key_make(word, &pair);

	if (outcome == EST_OK && (!add_private(pair, key) || !add_public(pair, spki)))
		outcome = reason_openssl(EST_INTERNAL, "cannot encode a key of type %s", word);
	EVP_PKEY_free(pair);
	return outcome;
}
