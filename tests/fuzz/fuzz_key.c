/*
 * fuzz_key - public keys and signatures: nothing but a code where they are refused, and no
 * signature counts here that OpenSSL, which is given the key and the algorithm as they came, does
 * not verify.
 *
 * The input is three values, one behind the other: SubjectPublicKeyInfo, AlgorithmIdentifier, OCTET
 * STRING with the signature; what is signed is always the same text.
 */
#include "tests/fuzz/fuzz.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/pki/der.h"
#include "common/pki/key.h"
#include "tests/fuzz/mutate.h"

static const unsigned char text[] = "est-portal";

/*
 * OpenSSL's word on the signature over the text, which ASN1_item_verify() wants in an OCTET STRING.
 */
static bool verifies(struct span spki, struct span algorithm, struct span signature)
{
	const unsigned char *at = spki.data, *of = algorithm.data;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
	X509_ALGOR *known = d2i_X509_ALGOR(NULL, &of, (long)algorithm.len);
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	ASN1_OCTET_STRING *what = ASN1_OCTET_STRING_new();
	bool good;

	must(ASN1_STRING_set(bits, signature.data, (int)signature.len) == 1);
	bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	must(ASN1_OCTET_STRING_set(what, text, sizeof(text) - 1) == 1);
	good = key != NULL && at == spki.data + spki.len && known != NULL &&
	       ASN1_item_verify(ASN1_ITEM_rptr(ASN1_OCTET_STRING), known, bits, what, key) == 1;
	EVP_PKEY_free(key);
	X509_ALGOR_free(known);
	ASN1_BIT_STRING_free(bits);
	ASN1_OCTET_STRING_free(what);
	ERR_clear_error();
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {data, size};
	struct der spki, algorithm, signature;
	struct key_info key;
	struct buf what = {0};

	if (der_next(&rest, &spki) != EST_OK)
		return 0;
	reason_clear();
	if (fuzz_judged(key_parse(spki.whole, &key)) != EST_OK)
		return 0;
	must(key_word_known(key_word(&key)));
	must(!(key_can_encipher(&key) && key_can_agree(&key)));
	if (der_next(&rest, &algorithm) != EST_OK ||
	    der_take(&rest, DER_OCTET_STRING, &signature) != EST_OK)
		return 0;
	der_add(&what, DER_OCTET_STRING, (struct span){text, sizeof(text) - 1});
	if (fuzz_judged(key_verify(&key, algorithm.whole, signature.content, buf_span(&what))) ==
	    EST_OK)
		must(verifies(spki.whole, algorithm.whole, signature.content));
	buf_free(&what);
	return 0;
}

#ifdef EST_FUZZING

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	return mutate_der(data, size, most, seed);
}

#endif
