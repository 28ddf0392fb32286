/*
 * ca_local.c - a CA whose key is in this process: from a PEM file, signing with OpenSSL.
 */
#include <stdlib.h>

#include <openssl/evp.h>

#include "common/ca/ca.h"
#include "common/pki/pem.h"
#include "common/pki/key.h"

extern const struct ca_backend ca_local;

struct local {
	EVP_PKEY *key;
	EVP_MD_CTX
	*primed; /* initialized for the key, and only ever copied: cheaper than initializing */
	EVP_MD_CTX *context; /* the copy that signs */
	struct span algorithm;
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
	outcome = key_signer(local->key, &local->algorithm, &digest);
	if (outcome == EST_OK &&
	    EVP_DigestSignInit(local->primed, NULL, digest, NULL, local->key) != 1)
		outcome =
		    reason_openssl(EST_INTERNAL, "cannot sign with the key in %s", ca->config->key);
	return outcome;
}

static enum outcome local_sign(struct ca *ca, const struct cert_plan *plan, struct buf *out)
{
	struct local *local = ca->state;
	struct buf tbs = {0};
	unsigned char signature[1024];
	size_t len = sizeof(signature);
	enum outcome outcome = EST_OK;

	cert_encode_tbs(plan, local->algorithm, &tbs);
	if (EVP_MD_CTX_copy_ex(local->context, local->primed) != 1 ||
	    EVP_DigestSign(local->context, signature, &len, tbs.data, tbs.len) != 1)
		outcome = reason_openssl(
		    EST_UNAVAILABLE, "ca \"%s\" cannot sign just now", ca->config->name);
	else
		cert_encode(buf_span(&tbs), local->algorithm, (struct span){signature, len}, out);
	buf_free(&tbs);
	return outcome;
}

const struct ca_backend ca_local = {"local", local_open, local_sign, local_close};
