/*
 * ca_message.c - messages that the CA signs.
 */
#include <stdlib.h>

#include "common/ca/ca.h"
#include "common/pki/message.h"

static enum outcome sign(void *context, struct span data, struct buf *signature)
{
	return ca_sign(context, data, signature);
}

/*
 * The CA's own certificate first. The root is what who reads the message has, or will not believe.
 */
static size_t encode_chain(const struct ca *ca, struct buf *encoded)
{
	size_t count = 0;

	for (int i = -1; i < sk_X509_num(ca->chain); i++) {
		X509 *certificate = i < 0 ? ca->certificate : sk_X509_value(ca->chain, i);
		unsigned char *der = NULL;
		int len;
		if (i >= 0 && X509_self_signed(certificate, 0) == 1)
			continue;
		len = i2d_X509(certificate, &der);
		if (len <= 0)
			continue;
		buf_add(&encoded[count++], der, (size_t)len);
		OPENSSL_free(der);
	}
	return count;
}

enum outcome ca_sign_message(
    struct ca *ca, struct span type, struct span content, int64_t now, struct buf *out)
{
	size_t room = (size_t)sk_X509_num(ca->chain) + 1, count;
	struct message_signer signer = {.algorithm = ca->algorithm, .sign = sign, .context = ca};
	struct buf *encoded;
	struct span *chain;
	enum outcome outcome;

	if (ca->state == NULL)
		return reason(
		    EST_UNAVAILABLE, "the key of ca \"%s\" is not open", ca->config->name);
	encoded = mem_alloc(room * sizeof(*encoded));
	chain = mem_alloc(room * sizeof(*chain));
	count = encode_chain(ca, encoded);
	for (size_t i = 0; i < count; i++)
		chain[i] = buf_span(&encoded[i]);
	signer.certificate = chain[0];
	signer.chain = chain + 1;
	signer.chain_count = count - 1;
	outcome = message_sign(&signer, type, content, now, out);
	for (size_t i = 0; i < count; i++)
		buf_free(&encoded[i]);
	free(encoded);
	free(chain);
	return outcome;
}
