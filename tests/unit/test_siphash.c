/*
 * SipHash-2-4: the example of its paper, and what OpenSSL makes of every length.
 */
#include "maker.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "common/base/siphash.h"

static const unsigned char octets[] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; /* the key, too */

/* Appendix A of "SipHash: a fast short-input PRF". */
static void test_paper(void **state)
{
	const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

	(void)state;
	assert_true(siphash(key, (struct span){octets, 15}) == 0xa129ca6149be45e5);
	assert_true(siphash(key, (struct span){NULL, 0}) == 0x726fdb47dd0e0e31);
}

static uint64_t by_openssl(const unsigned char key[16], const unsigned char *data, size_t len)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
	unsigned size = 8;
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
	unsigned char out[8];
	uint64_t hash = 0;
	size_t got = 0;

	assert_int_equal(EVP_MAC_init(context, key, 16, params), 1);
	assert_int_equal(EVP_MAC_update(context, data, len), 1);
	assert_int_equal(EVP_MAC_final(context, out, &got, sizeof(out)), 1);
	assert_int_equal(got, sizeof(out));
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
	for (size_t i = sizeof(out); i-- > 0;)
		hash = hash << 8 | out[i];
	return hash;
}

static void test_lengths(void **state)
{
	unsigned char data[300], key[16];
	uint64_t words[2] = {0, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 37 + 200);
	for (size_t i = 0; i < sizeof(key); i++) {
		key[i] = (unsigned char)(250 - i * 3);
		words[i / 8] |= (uint64_t)key[i] << (8 * (i % 8));
	}
	for (size_t len = 0; len <= sizeof(data); len++) {
		struct span span = maker_copy((struct span){data, len});
		assert_true(siphash(words, span) == by_openssl(key, data, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_paper), TEST(test_lengths)};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
