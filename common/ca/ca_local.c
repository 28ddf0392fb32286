/*
 * ca_local.c - a CA whose key is in this process: from a PEM file, signing with OpenSSL.
 */
#include <stdlib.h>

#include <openssl/evp.h>

#include "common/ca/ca.h"
#include "common/pki/pem.h"
#include "common/pki/key.h"

struct local {
	EVP_PKEY *key;
	EVP_MD_CTX
	*primed; /* initialized for the key, and only ever copied: cheaper than initializing */
	EVP_MD_CTX *context; /* the copy that signs */
};

static void local_close(struct ca *ca)
{
	struct local *local = ca->state;

	EVP_MD_CTX_free(local->primed);
	EVP_MD_CTX_free(local->context);
	EVP_PKEY_free(local->key);
	free(local);
	ca->state = NULL;
}

static enum outcome local_open(struct ca *ca)
{
	struct local *local = mem_alloc(sizeof(*local));
	struct span algorithm;
	const EVP_MD *digest;
	enum outcome outcome;

	ca->state = local;
	local->primed = EVP_MD_CTX_new();
	local->context = EVP_MD_CTX_new();
	outcome = pem_private_key(ca->config->key, ca->config->passphrase, &local->key);
	if (outcome != EST_OK)
		return outcome;
	if (X509_check_private_key(ca->certificate, local->key) != 1)
		return reason_openssl(EST_MALFORMED,
		    "ca \"%s\": the key in %s is not that of the certificate in %s",
		    ca->config->name, ca->config->key, ca->config->certificate);
	outcome = key_signer(local->key, &algorithm, &digest);
	if (outcome == EST_OK &&
	    EVP_DigestSignInit(local->primed, NULL, digest, NULL, local->key) != 1)
		outcome =
		    reason_openssl(EST_INTERNAL, "cannot sign with the key in %s", ca->config->key);
	return outcome;
}

static enum outcome local_sign(struct ca *ca, struct span tbs, struct buf *signature)
{
	struct local *local = ca->state;
	size_t len = (size_t)EVP_PKEY_get_size(local->key);

	buf_reserve(signature, len);
	if (EVP_MD_CTX_copy_ex(local->context, local->primed) != 1 ||
	    EVP_DigestSign(
		local->context, signature->data + signature->len, &len, tbs.data, tbs.len) != 1)
		return reason_openssl(
		    EST_UNAVAILABLE, "ca \"%s\" cannot sign just now", ca->config->name);
	signature->len += len;
	return EST_OK;
}

const struct ca_backend ca_local = {"local", local_open, local_sign, local_close};
