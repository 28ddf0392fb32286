/*
 * Keys that no certificate may be issued for: published ones, those of files, our own.
 */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "common/base/encoding.h"
#include "common/base/file.h"
#include "common/pki/blocklist.h"
#include "refusal_test.h"

#define EC_P256 "30{06{2a8648ce3d0201}06{2a8648ce3d030107}}"
#define EC_P384 "30{06{2a8648ce3d0201}06{2b81040022}}"
#define LINES   300000

static struct blocklist *blocklist;

static int forget(void **state)
{
	blocklist_free(blocklist);
	blocklist = NULL;
	return maker_clear(state);
}

/* As the only file, under that name. */
static enum outcome load(const char *name, const char *text)
{
	char *path = mem_string(maker_file(name, text));
	struct words files = {.word = &path, .count = 1};
	enum outcome outcome = blocklist_make(&files, &blocklist);

	free(path);
	return outcome;
}

static void load_nothing(void)
{
	struct words none = {0};

	assert_outcome(EST_OK, blocklist_make(&none, &blocklist));
}

static enum outcome check(struct span spki)
{
	unsigned char digest[32];
	struct key_info key;

	assert_outcome(EST_OK, key_parse(spki, &key));
	key_sha256(spki, digest);
	return blocklist_check(blocklist, &key, digest);
}

static const char *digest_text(struct span spki)
{
	struct buf text = {0};
	unsigned char digest[32];

	key_sha256(spki, digest);
	hex_encode(&text, (struct span){digest, 32});
	buf_add_byte(&text, 0);
	return (const char *)maker_keep(&text).data;
}

/* The end of the SHA-1 of what `openssl rsa -modulus` prints, by OpenSSL alone. */
static const char *debian_text(const char *kind)
{
	BIGNUM *modulus = NULL;
	unsigned char digest[20];
	struct buf text = {0};
	char *digits;

	assert_int_equal(
	    EVP_PKEY_get_bn_param(maker_key(kind), OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
	digits = BN_bn2hex(modulus);
	buf_printf(&text, "Modulus=%s\n", digits);
	assert_int_equal(EVP_Digest(text.data, text.len, digest, NULL, EVP_sha1(), NULL), 1);
	buf_reset(&text);
	hex_encode(&text, (struct span){digest + 10, 10});
	buf_add_byte(&text, 0);
	OPENSSL_free(digits);
	BN_free(modulus);
	return (const char *)maker_keep(&text).data;
}

/* A15: by the public values as the documents have them. */
static void test_published_values(void **state)
{
	static const struct {
		const char *where, *spki;
	} keys[] = {
	    {"RFC 9500 2.3", "30{" EC_P256 "03{0004"
			     "422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b1"
			     "6c4cd10c4cb8d5b8a17139e94882c8992572993425f41419ab7e90a42a494272}}"},
	    {"RFC 9500 2.3", "30{" EC_P384 "03{0004"
			     "5b0901b88523296eb919d50ffa1a9cb374bc4d409586282bfeca11b1d95adbb5"
			     "4734af570bf82b7228cf226bcf4c25dd"
			     "bcfe3b1a3ad39430eff763e1d68d2e151d91720b7795b58da6b34639613a8fb9"
			     "b5a8da48c6747117f9919e8424f37ec8}}"},
	    {"RFC 6979 A.2.5",
		"30{" EC_P256 "03{0004"
		"60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
		"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299}}"},
	    {"RFC 8032 7.1", "30{30{06{2b6570}}03{00"
			     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a}}"},
	    {"RFC 8032 7.4", "30{30{06{2b6571}}03{00"
			     "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778"
			     "edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180}}"},
	    {"RFC 8410 10.3", "30{30{06{2b6570}}03{00"
			      "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1}}"},
	    {"RFC 5903 8.1", "30{" EC_P256 "03{0004"
			     "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
			     "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3}}"},
	};

	(void)state;
	load_nothing();
	for (size_t i = 0; i < COUNT(keys); i++) {
		enum outcome outcome = check(maker_der(keys[i].spki));
		assert_int_equal(refusal_recorded(outcome), CSR_BLOCKED_KEY);
		if (strstr(reason_text(), keys[i].where) == NULL)
			fail_msg("\"%s\" does not name %s", reason_text(), keys[i].where);
		reason_clear();
	}
}

/* A15: the keys that lie in this source are published, too. */
static void test_published_files(void **state)
{
	static const char *const kinds[] = {"RSA-2048", "RSA-3072", "RSA-4096"};

	(void)state;
	load_nothing();
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_refusal(CSR_BLOCKED_KEY, check(maker_spki(kinds[i])));
}

static void test_honest(void **state)
{
	static const char *const kinds[] = {
	    "P-256", "P-384", "P-521", "Ed25519", "Ed448", "RSA-2048#honest"};

	(void)state;
	load_nothing();
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_refusal(REFUSAL_NONE, check(maker_spki(kinds[i])));
}

/* A22 */
static void test_reserved(void **state)
{
	static const char *const kinds[] = {"P-256", "P-384", "Ed25519", "Ed448"};

	(void)state;
	load_nothing();
	for (size_t i = 0; i < COUNT(kinds); i++) {
		unsigned char digest[32];
		assert_refusal(REFUSAL_NONE, check(maker_spki(kinds[i])));
		key_sha256(maker_spki(kinds[i]), digest);
		blocklist_reserve(blocklist, digest);
		for (size_t k = 0; k < COUNT(kinds); k++)
			assert_refusal(
			    k <= i ? CSR_RESERVED_KEY : REFUSAL_NONE, check(maker_spki(kinds[k])));
	}
}

/* Comments, empty lines, more text, line ends and letters of either kind. */
static void test_lines(void **state)
{
	static const char *const kinds[] = {"P-256", "P-384", "P-521", "Ed25519"};
	struct buf text = {0};
	char upper[65];

	(void)state;
	(void)snprintf(upper, sizeof(upper), "%s", digest_text(maker_spki(kinds[1])));
	for (char *at = upper; *at != '\0'; at++)
		if (*at >= 'a')
			*at = (char)(*at - 'a' + 'A');
	buf_printf(&text, "# %s\n\n   \n\t# a comment\n#\n", digest_text(maker_spki("Ed448")));
	buf_printf(&text, "%s\n", digest_text(maker_spki(kinds[0])));
	buf_printf(&text, "  %s a laptop, stolen\r\n\r\n", upper);
	buf_printf(&text, "%s\t# lost\n", digest_text(maker_spki(kinds[2])));
	buf_printf(&text, "%s", digest_text(maker_spki(kinds[3])));
	assert_outcome(EST_OK, load("keys", buf_string(&text)));
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_refusal(CSR_BLOCKED_KEY, check(maker_spki(kinds[i])));
	assert_refusal(REFUSAL_NONE, check(maker_spki("Ed448")));
	assert_refusal(REFUSAL_NONE, check(maker_spki("P-256#other")));
	buf_free(&text);
}

/* A13: the lines of Debian's openssl-blacklist. */
static void test_debian(void **state)
{
	static const char *const kinds[] = {"RSA-2048#a", "RSA-2048#b", "RSA-3072#a"};
	struct buf text = {0};

	(void)state;
	buf_printf(&text, "# Debian\n%s\n", debian_text(kinds[2]));
	buf_printf(&text, "%s\n", digest_text(maker_spki("P-256")));
	buf_printf(&text, "00000000000000000000\nffffffffffffffffffff\n%s", debian_text(kinds[0]));
	assert_outcome(EST_OK, load("blacklist.RSA-2048", buf_string(&text)));
	assert_refusal(CSR_BLOCKED_KEY, check(maker_spki(kinds[0])));
	assert_refusal(REFUSAL_NONE, check(maker_spki(kinds[1])));
	assert_refusal(CSR_BLOCKED_KEY, check(maker_spki(kinds[2])));
	assert_refusal(CSR_BLOCKED_KEY, check(maker_spki("P-256")));
	assert_refusal(REFUSAL_NONE, check(maker_spki("P-384")));
	buf_free(&text);
}

/* The list of a file that cannot be read as such is no list: the line is named. */
static void test_wrong_lines(void **state)
{
	static const char *const wrong[] = {"deadbeef", "0123456789abcdef0123456789abcdef",
	    "zzzzzzzzzzzzzzzzzzzz", "0123456789abcdefg123",
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdex",
	    "01:23:45:67:89:ab:cd:ef:01:23", "-----BEGIN CERTIFICATE-----"};
	static const char *const before[] = {"", "\n", "# comment\n\n\n"};
	static const unsigned lines[] = {1, 2, 4};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		for (size_t k = 0; k < COUNT(before); k++) {
			char text[200], where[20];
			(void)snprintf(text, sizeof(text), "%s%s\n# end\n", before[k], wrong[i]);
			(void)snprintf(where, sizeof(where), "/keys:%u: ", lines[k]);
			assert_int_equal(load("keys", text), EST_MALFORMED);
			if (strstr(reason_text(), where) == NULL)
				fail_msg("\"%s\" does not name %s", reason_text(), where);
			assert_null(blocklist);
			reason_clear();
		}
}

static void test_files(void **state)
{
	char *paths[3], absent[] = "/nonexistent/keys";
	struct words files = {.word = paths, .count = 2};
	char text[100];

	(void)state;
	(void)snprintf(text, sizeof(text), "%s\n", digest_text(maker_spki("P-256")));
	paths[0] = mem_string(maker_file("a", text));
	(void)snprintf(text, sizeof(text), "%s\n", digest_text(maker_spki("P-384")));
	paths[1] = mem_string(maker_file("b", text));
	assert_outcome(EST_OK, blocklist_make(&files, &blocklist));
	assert_refusal(CSR_BLOCKED_KEY, check(maker_spki("P-256")));
	assert_refusal(CSR_BLOCKED_KEY, check(maker_spki("P-384")));
	blocklist_free(blocklist);
	blocklist = NULL;
	paths[2] = absent;
	files.count = 3;
	assert_outcome(EST_NOT_FOUND, blocklist_make(&files, &blocklist));
	assert_null(blocklist);
	free(paths[0]);
	free(paths[1]);
	assert_outcome(EST_OK, load("empty", ""));
	assert_refusal(REFUSAL_NONE, check(maker_spki("P-256")));
}

/* As many lines as all of Debian's lists have, in no order, load while the server starts. */
static void test_many(void **state)
{
	static const char *const kinds[] = {"P-256", "P-384", "P-521", "Ed25519"};
	struct buf text = {0};
	unsigned long long seed = 1;
	clock_t start;

	(void)state;
	for (unsigned i = 0; i < LINES; i++) {
		unsigned long long words[4];
		if (i % (LINES / COUNT(kinds)) == 7)
			buf_printf(&text, "%s\n",
			    digest_text(maker_spki(kinds[i / (LINES / COUNT(kinds))])));
		for (size_t k = 0; k < COUNT(words); k++)
			words[k] = seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		if (i % 2 == 0)
			buf_printf(&text, "%016llx%016llx%016llx%016llx\n", words[0], words[1],
			    words[2], words[3]);
		else
			buf_printf(&text, "%016llx%04llx\n", words[0], words[1] >> 48);
	}
	start = clock();
	assert_outcome(EST_OK, load("many", buf_string(&text)));
	assert_true(clock() - start < 3 * CLOCKS_PER_SEC);
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_refusal(CSR_BLOCKED_KEY, check(maker_spki(kinds[i])));
	assert_refusal(REFUSAL_NONE, check(maker_spki("P-256#other")));
	assert_refusal(REFUSAL_NONE, check(maker_spki("RSA-2048#a")));
	buf_free(&text);
}

#define TEST_LIST(function) cmocka_unit_test_teardown(function, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST_LIST(test_published_values),
	    TEST_LIST(test_published_files),
	    TEST_LIST(test_honest),
	    TEST_LIST(test_reserved),
	    TEST_LIST(test_lines),
	    TEST_LIST(test_debian),
	    TEST_LIST(test_wrong_lines),
	    TEST_LIST(test_files),
	    TEST_LIST(test_many),
	};

	blocklist_free(NULL);
	return cmocka_run_group_tests(tests, NULL, maker_end);
}
