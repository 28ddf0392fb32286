/*
 * fuzz_message - what a request says that it can decrypt: whatever is in it, we choose of what we
 * have and of what is listed, or refuse.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "common/pki/message.h"
#include "tests/fuzz/mutate.h"

static bool is_one_of(int nid, const int *nids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (nids[i] == nid)
			return true;
	return false;
}

/* Nothing is chosen that is not listed. */
static bool listed(struct span list, int nid)
{
	const ASN1_OBJECT *object = OBJ_nid2obj(nid);

	return memmem(list.data, list.len, OBJ_get0_data(object), OBJ_length(object)) != NULL;
}

/* A certificate with nothing but a key. */
static X509 *certificate(const char *type, const char *curve)
{
	X509 *cert = X509_new();
	EVP_PKEY *key = curve == NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)2048)
				      : EVP_PKEY_Q_keygen(NULL, NULL, type, curve);

	must(key != NULL && X509_set_pubkey(cert, key) == 1);
	EVP_PKEY_free(key);
	return cert;
}

static void check(struct span list, const struct message_recipient *recipient, bool wraps)
{
	static const int contents[] = {NID_aes_128_cbc, NID_aes_192_cbc, NID_aes_256_cbc};
	static const int all_wraps[] = {NID_id_aes128_wrap, NID_id_aes192_wrap, NID_id_aes256_wrap};
	static const int digests[] = {NID_undef, NID_sha1, NID_sha256, NID_sha384, NID_sha512};
	struct message_ciphers ciphers;

	reason_clear();
	if (fuzz_judged(message_ciphers_choose(list, recipient, &ciphers)) != EST_OK)
		return;
	must(is_one_of(ciphers.content, contents, 3));
	must(listed(list, ciphers.content));
	must(!wraps || is_one_of(ciphers.wrap, all_wraps, 3));
	must(!wraps || listed(list, ciphers.wrap));
	must(is_one_of(ciphers.digest, digests, 5));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char kek[32] = {0};
	static struct message_recipient rsa, ec;
	struct message_recipient symmetric = {.kek = {kek, size % 3 * 8 + 16}};
	struct span list = {data, size};

	if (rsa.certificate == NULL) {
		rsa.certificate = certificate("RSA", NULL);
		ec.certificate = certificate("EC", "P-384");
	}
	check(list, &symmetric, true);
	check(list, &rsa, false);
	check(list, &ec, true);
	return 0;
}

#ifdef EST_FUZZING

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	return seed % 2 == 0 ? LLVMFuzzerMutate(data, size, most)
			     : mutate_der(data, size, most, seed / 2);
}

#endif
