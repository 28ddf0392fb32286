#include "common/auth/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <crypt.h>
#include <openssl/crypto.h>

#include "common/auth/password_parts.h"
#include "common/base/refusal.h"

/*
 * What a password of nobody is compared with: yescrypt at libcrypt's default cost, no hash behind
 * it.
 */
#define NOBODY "$y$j9T$nobody0nobody0nobody0."

_Static_assert(PASSWORD_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "libcrypt takes what we take");

/* The crypt(5) string of the password under the setting, EST_MALFORMED where libcrypt has none. */
static enum outcome compute(const char *password, const char *setting, struct buf *hash)
{
	struct crypt_data *data = mem_alloc(sizeof(*data));
	const char *made = crypt_rn(password, setting, data, (int)sizeof(*data));
	enum outcome outcome = EST_OK;

	if (made != NULL)
		buf_add_string(hash, made);
	else if (errno == ENOMEM)
		outcome = reason(EST_UNAVAILABLE, "no memory to compute a password hash (16 MB)");
	else
		outcome = EST_MALFORMED;
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return outcome;
}

static enum outcome check_password(struct span password)
{
	if (password.len == 0)
		return reason(EST_MALFORMED, "the password is empty");
	if (password.len > PASSWORD_MAX)
		return reason(EST_MALFORMED, "the password is longer than %d octets", PASSWORD_MAX);
	if (memchr(password.data, '\0', password.len) != NULL)
		return reason(EST_MALFORMED, "the password holds a NUL");
	return EST_OK;
}

enum outcome password_hash(struct span password, struct buf *hash)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct buf text = {0};
	enum outcome outcome = check_password(password);

	if (outcome != EST_OK)
		return outcome;
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL)
		return reason(EST_UNAVAILABLE, "no salt for a password hash: %s", strerror(errno));
	buf_add_span(&text, password);
	outcome = compute(buf_string(&text), setting, hash);
	if (outcome == EST_MALFORMED)
		outcome = reason(EST_INTERNAL, "libcrypt has no yescrypt");
	buf_cleanse(&text);
	return outcome;
}

/* As argon2_compare(), by libcrypt. */
static enum outcome crypt_compare(const char *password, const char *hash, bool *same)
{
	struct buf made = {0};
	enum outcome outcome = compute(password, hash, &made);

	*same = outcome == EST_OK && made.len == strlen(hash) &&
		CRYPTO_memcmp(made.data, hash, made.len) == 0;
	buf_cleanse(&made);
	return outcome;
}

/* As crypt_compare(), of a string that no password is the one of. */
static enum outcome compare_nobody(const char *password)
{
	bool same;

	return crypt_compare(password, NOBODY, &same);
}

enum outcome password_verify(struct span password, const char *hash)
{
	const char *kind = hash == NULL ? NULL : password_kind(hash);
	struct buf text = {0};
	enum outcome outcome = EST_MALFORMED;
	bool same = false;

	if (check_password(password) != EST_OK)
		goto out;
	buf_add_span(&text, password);
	if (kind != NULL && strncmp(kind, "argon2", 6) == 0)
		outcome = argon2_compare(password, hash, &same);
	else if (kind != NULL)
		outcome = crypt_compare(buf_string(&text), hash, &same);
	if (outcome == EST_MALFORMED)
		outcome = compare_nobody(buf_string(&text));
out:
	buf_cleanse(&text);
	if (outcome == EST_UNAVAILABLE || same)
		return outcome;
	reason_clear(); /* it tells more of the password than that it is wrong */
	return refuse(AUTH_PASSWORD, "the user name or the password is wrong");
}
