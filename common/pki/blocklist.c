#include "common/pki/blocklist.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "common/base/encoding.h"
#include "common/base/file.h"
#include "common/base/refusal.h"
#include "common/pki/published.h"

#define FILE_LIMIT    (64U << 20) /* a million lines */
#define SHA256_OCTETS 32
#define DEBIAN_OCTETS 10 /* the end of a SHA-1 */

/* Digests of one length, in one block; sorted once all of them are there. */
struct digests {
	struct buf octets;
	size_t each;
};

struct blocklist {
	struct digests keys, debian, reserved;
};

static int compare_sha256(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_OCTETS);
}

static int compare_debian(const void *a, const void *b)
{
	return memcmp(a, b, DEBIAN_OCTETS);
}

static void sort(struct digests *digests)
{
	if (digests->octets.len > 0)
		qsort(digests->octets.data, digests->octets.len / digests->each, digests->each,
		    digests->each == SHA256_OCTETS ? compare_sha256 : compare_debian);
}

static bool have(const struct digests *digests, const unsigned char *digest)
{
	return digests->octets.len > 0 &&
	       bsearch(digest, digests->octets.data, digests->octets.len / digests->each,
		   digests->each,
		   digests->each == SHA256_OCTETS ? compare_sha256 : compare_debian) != NULL;
}

/* The word that a line begins with; empty for a comment and where there is none. */
static struct span first_word(struct span line)
{
	struct span word = line;

	while (word.len > 0 && isspace(word.data[0]))
		word = (struct span){word.data + 1, word.len - 1};
	for (size_t i = 0; i < word.len; i++)
		if (isspace(word.data[i]))
			word.len = i;
	if (word.len > 0 && word.data[0] == '#')
		word.len = 0;
	return word;
}

static enum outcome add_line(struct blocklist *blocklist, struct span line)
{
	struct span word = first_word(line);
	struct digests *digests = word.len == 2 * SHA256_OCTETS   ? &blocklist->keys
				  : word.len == 2 * DEBIAN_OCTETS ? &blocklist->debian
								  : NULL;

	if (word.len == 0)
		return EST_OK;
	return digests == NULL ? EST_MALFORMED : hex_decode(&digests->octets, word);
}

static enum outcome add_file(struct blocklist *blocklist, const char *path)
{
	struct buf content = {0};
	enum outcome outcome = file_read(path, FILE_LIMIT, &content);
	struct span rest = buf_span(&content);

	for (size_t number = 1; outcome == EST_OK && rest.len > 0; number++) {
		const unsigned char *end = memchr(rest.data, '\n', rest.len);
		struct span line = {rest.data, end == NULL ? rest.len : (size_t)(end - rest.data)};
		size_t used = line.len + (end != NULL);
		rest = (struct span){rest.data + used, rest.len - used};
		if (add_line(blocklist, line) == EST_OK)
			continue;
		reason_clear(); /* where the line is says more than which digit of it is wrong */
		outcome = reason(EST_MALFORMED,
		    "%s:%zu: neither the SHA-256 of a key in 64 hex digits nor 20 digits "
		    "as in Debian's openssl-blacklist",
		    path, number);
	}
	buf_free(&content);
	return outcome;
}

enum outcome blocklist_make(const struct words *files, struct blocklist **out)
{
	struct blocklist *blocklist = mem_alloc(sizeof(*blocklist));

	blocklist->keys.each = blocklist->reserved.each = SHA256_OCTETS;
	blocklist->debian.each = DEBIAN_OCTETS;
	for (size_t i = 0; i < files->count; i++) {
		enum outcome outcome = add_file(blocklist, files->word[i]);
		if (outcome != EST_OK) {
			blocklist_free(blocklist);
			return outcome;
		}
	}
	sort(&blocklist->keys);
	sort(&blocklist->debian);
	*out = blocklist;
	return EST_OK;
}

void blocklist_free(struct blocklist *blocklist)
{
	if (blocklist == NULL)
		return;
	buf_free(&blocklist->keys.octets);
	buf_free(&blocklist->debian.octets);
	buf_free(&blocklist->reserved.octets);
	free(blocklist);
}

void blocklist_reserve(struct blocklist *blocklist, const unsigned char spki[static 32])
{
	buf_add(&blocklist->reserved.octets, spki, SHA256_OCTETS);
	sort(&blocklist->reserved);
}

/* What `openssl rsa -modulus` prints, digested. */
static bool is_debian(const struct blocklist *blocklist, struct span modulus)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	struct buf text = {0};
	bool found;

	if (blocklist->debian.octets.len == 0 || modulus.len == 0)
		return false;
	buf_add_string(&text, "Modulus=");
	for (size_t i = 0; i < modulus.len; i++)
		buf_printf(&text, "%02X", modulus.data[i]);
	buf_add_byte(&text, '\n');
	(void)SHA1(text.data, text.len, digest);
	found = have(&blocklist->debian, digest + SHA_DIGEST_LENGTH - DEBIAN_OCTETS);
	buf_free(&text);
	return found;
}

enum outcome blocklist_check(const struct blocklist *blocklist, const struct key_info *key,
    const unsigned char spki[static 32])
{
	const char *where = published_where(spki);

	if (have(&blocklist->reserved, spki))
		return refuse(CSR_RESERVED_KEY,
		    "the key is that of a CA or TLS server; make one of your own");
	if (where != NULL)
		return refuse(CSR_BLOCKED_KEY,
		    "anybody can read the private key in %s; make one of your own", where);
	if (have(&blocklist->keys, spki))
		return refuse(CSR_BLOCKED_KEY,
		    "the key is on the operator's list of blocked keys; make another");
	if (is_debian(blocklist, key->modulus))
		return refuse(CSR_BLOCKED_KEY,
		    "the key was made by Debian's OpenSSL of 2006 to "
		    "2008 (CVE-2008-0166), which knew few keys; make another");
	return EST_OK;
}
