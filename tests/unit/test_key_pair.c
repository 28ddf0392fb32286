/*
 * Keys that are made for devices (RFC 7030 4.4): of which kind, and both their halves.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "common/pki/key_pair.h"

/* G-04: the label's word, else the kind of the request's key, else the profile's; RSA is dear. */
static void test_kind(void **state)
{
	static const struct {
		const char *configured, *sent, *granted[4], *made;
	} rows[] = {
	    {"P-384", "P-256", {"P-256", "P-384"}, "P-384"},
	    {"RSA-2048", "P-256", {"P-256", "RSA-2048"}, "RSA-2048"},
	    {NULL, "P-384", {"P-256", "P-384"}, "P-384"},
	    {NULL, "Ed25519", {"P-256", "P-384"}, "P-256"},
	    {NULL, NULL, {"P-384", "P-256"}, "P-384"},
	    {NULL, "RSA-2048", {"P-256", "RSA-2048"}, "P-256"},
	    {NULL, "RSA-2048", {"RSA-2048", "P-256"}, "P-256"},
	    {NULL, NULL, {"RSA-2048", "P-256"}, "P-256"},
	    {NULL, "RSA-3072", {"RSA-2048", "RSA-3072"}, "RSA-3072"},
	    {NULL, "P-256", {"RSA-2048", "RSA-3072"}, "RSA-2048"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *words[4] = {NULL};
		struct words granted = {.word = words};
		struct key_info sent = {.kind = NULL};
		while (granted.count < 4 && rows[i].granted[granted.count] != NULL) {
			words[granted.count] = mem_string(rows[i].granted[granted.count]);
			granted.count++;
		}
		if (rows[i].sent != NULL)
			assert_outcome(EST_OK, key_parse(maker_spki(rows[i].sent), &sent));
		if (strcmp(key_pair_word(rows[i].configured, &granted, &sent), rows[i].made) != 0)
			fail_msg("row %zu", i);
		while (granted.count > 0)
			free(words[--granted.count]);
	}
}

/* A PrivateKeyInfo (RFC 5958, version 0) and the SubjectPublicKeyInfo that belongs to it. */
static void test_halves(void **state)
{
	static const char *const kinds[] = {
	    "P-256", "P-384", "P-521", "RSA-2048", "Ed25519", "Ed448"};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct buf key = {0}, spki = {0};
		const unsigned char *at;
		PKCS8_PRIV_KEY_INFO *info;
		struct key_info parsed;
		unsigned char *der = NULL;
		EVP_PKEY *pair;
		struct span public;
		int len;
		assert_outcome(EST_OK, key_pair_make(kinds[i], &key, &spki));
		at = key.data;
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)key.len);
		assert_non_null(info);
		assert_ptr_equal(at, key.data + key.len);
		assert_memory_equal(key.data + (key.data[1] < 0x80 ? 2 : 2 + (key.data[1] & 0x7f)),
		    "\x02\x01\x00", 3);
		pair = EVP_PKCS82PKEY(info);
		assert_non_null(pair);
		len = i2d_PUBKEY(pair, &der);
		public = (struct span){der, (size_t)len};
		assert_bytes(public, buf_span(&spki));
		assert_outcome(EST_OK, key_parse(buf_span(&spki), &parsed));
		assert_string_equal(key_word(&parsed), kinds[i]);
		OPENSSL_free(der);
		EVP_PKEY_free(pair);
		PKCS8_PRIV_KEY_INFO_free(info);
		buf_cleanse(&key);
		buf_free(&spki);
	}
}

static void test_no_kind(void **state)
{
	struct buf key = {0}, spki = {0};

	(void)state;
	assert_outcome(EST_MALFORMED, key_pair_make("P-192", &key, &spki));
	assert_int_equal(key.len + spki.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_kind), TEST(test_halves), TEST(test_no_kind)};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
