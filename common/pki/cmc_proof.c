#include "common/pki/cmc_proof.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/base/refusal.h"
#include "common/pki/cmc_algorithm.h"
#include "common/pki/der.h"
#include "common/pki/key.h"

#define SHA256      "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define HMAC_SHA256 "\x2a\x86\x48\x86\xf7\x0d\x02\x09"

/* RFC 8018 B.1.2. */
static const struct {
	struct span oid;
	const char *digest;
} macs[] = {
    {DER_OCTETS(HMAC_SHA256), "SHA256"},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x02\x0a"), "SHA384"},
    {DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x02\x0b"), "SHA512"},
};

enum outcome cmc_proof_parse(struct span der, struct cmc_proof *out)
{
	struct der sequence, witness;
	struct span hash, mac;
	bool plain_hash, plain_mac;

	*out = (struct cmc_proof){.digest = NULL};
	if (der_take(&der, DER_SEQUENCE, &sequence) != EST_OK || der.len > 0 ||
	    !cmc_algorithm_take(&sequence.content, &hash, &plain_hash) ||
	    !cmc_algorithm_take(&sequence.content, &mac, &plain_mac) ||
	    der_take(&sequence.content, DER_OCTET_STRING, &witness) != EST_OK ||
	    sequence.content.len > 0)
		return refuse(CMC_CONTROL, "the proof of a shared secret is not in form");
	for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++)
		if (span_equal(macs[i].oid, mac) && plain_mac)
			out->digest = macs[i].digest;
	if (!DER_IS(hash, SHA256) || !plain_hash || out->digest == NULL)
		return refuse(CMC_ALGORITHM,
		    "the proof of a shared secret is not made by SHA-256 and "
		    "HMAC with SHA-2");
	out->witness = witness.content;
	return EST_OK;
}

static size_t mac(const char *digest, const unsigned char key[static CMC_KEY_SIZE],
    struct span data, unsigned char octets[static EVP_MAX_MD_SIZE])
{
	size_t len = 0;

	if (EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, key, CMC_KEY_SIZE, data.data, data.len,
		octets, EVP_MAX_MD_SIZE, &len) == NULL)
		return 0;
	return len;
}

bool cmc_proof_verify(
    const struct cmc_proof *proof, const unsigned char key[static CMC_KEY_SIZE], struct span data)
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	size_t len = mac(proof->digest, key, data, octets);
	bool right = len > 0 && len == proof->witness.len &&
		     CRYPTO_memcmp(octets, proof->witness.data, len) == 0;

	OPENSSL_cleanse(octets, sizeof(octets));
	return right;
}

void cmc_proof_key(
    struct span secret, struct span identification, unsigned char key[static CMC_KEY_SIZE])
{
	struct buf text = {0};

	buf_reserve(&text, secret.len + identification.len);
	buf_add_span(&text, secret);
	buf_add_span(&text, identification);
	key_sha256(buf_span(&text), key);
	buf_cleanse(&text);
}

static void add_algorithm(struct buf *out, struct span oid)
{
	size_t algorithm = der_open(out, DER_SEQUENCE);

	der_add(out, DER_OID, oid);
	der_close(out, algorithm);
}

void cmc_proof_add(struct buf *out, const unsigned char key[static CMC_KEY_SIZE], struct span data)
{
	static const struct span hash = DER_OCTETS(SHA256);
	unsigned char octets[EVP_MAX_MD_SIZE];
	size_t len = mac("SHA256", key, data, octets), proof = der_open(out, DER_SEQUENCE);

	add_algorithm(out, hash);
	add_algorithm(out, macs[0].oid);
	der_add(out, DER_OCTET_STRING, (struct span){octets, len});
	der_close(out, proof);
}
