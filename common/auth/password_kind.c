/*
 * The kinds of hash that a user's password may be kept as, and which of those that were made
 * elsewhere are taken: strong enough to be guessed slowly, and cheap enough to be verified.
 */
#include "common/auth/password.h"

#include <string.h>

#include <crypt.h>

#include "common/auth/password_parts.h"

#define BCRYPT_MOST   14                    /* a second or so */
#define SHA512_LEAST  1000                  /* libcrypt computes no fewer rounds */
#define SHA512_MOST   5000000               /* three seconds or so */
#define YESCRYPT_MOST (UINT64_C(256) << 20) /* octets of memory */

struct kind {
	const char *prefix, *name;
	enum outcome (*accept)(const char *hash);
};

/* --- the parts of a string --- */

bool password_is_run(struct span text, size_t least, size_t most)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.data[i];
		if (!(c >= '.' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z'))
			return false;
	}
	return text.len >= least && text.len <= most;
}

struct span password_field(struct span *rest, char end)
{
	const unsigned char *at = rest->len == 0 ? NULL : memchr(rest->data, end, rest->len);
	struct span field = {rest->data, at == NULL ? rest->len : (size_t)(at - rest->data)};
	size_t used = field.len + (at != NULL);

	rest->data += used;
	rest->len -= used;
	return field;
}

bool password_number(struct span text, uint32_t *out)
{
	uint32_t number = 0;

	if (text.len == 0 || text.len > 9 || (text.data[0] == '0' && text.len > 1))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (uint32_t)(text.data[i] - '0');
	}
	*out = number;
	return true;
}

/* --- each kind's form and cost --- */

static enum outcome bad_form(const char *kind)
{
	return reason(EST_MALFORMED,
	    "it is no whole %s hash; copy the line anew, or set a password with est-admin user add",
	    kind);
}

/* "$2y$" cost "$" 22 of salt, 31 of hash. */
static enum outcome bcrypt_accept(const char *hash)
{
	struct span rest = span_of(hash + 4), cost = password_field(&rest, '$');
	bool digits = cost.len == 2 && cost.data[0] >= '0' && cost.data[0] <= '9' &&
		      cost.data[1] >= '0' && cost.data[1] <= '9';
	int number = digits ? (cost.data[0] - '0') * 10 + cost.data[1] - '0' : 0;

	/* Of the last character of the salt two bits count, and libcrypt writes the others as 0. */
	if (number < 4 || number > 31 || !password_is_run(rest, 53, 53) ||
	    strchr(".Oeu", rest.data[21]) == NULL)
		return bad_form("bcrypt");
	if (number > BCRYPT_MOST)
		return reason(EST_MALFORMED,
		    "bcrypt of cost %d keeps a worker busy for seconds; make it of %d at most "
		    "(htpasswd -B -C 12)",
		    number, BCRYPT_MOST);
	return EST_OK;
}

/* "$6$" ["rounds=" number "$"] salt "$" 86 of hash. */
static enum outcome sha512_accept(const char *hash)
{
	static const char rounds[] = "rounds=";
	struct span rest = span_of(hash + 3), salt = password_field(&rest, '$');
	uint32_t number = 5000;

	if (salt.len > sizeof(rounds) - 1 && memcmp(salt.data, rounds, sizeof(rounds) - 1) == 0) {
		salt.data += sizeof(rounds) - 1;
		salt.len -= sizeof(rounds) - 1;
		if (!password_number(salt, &number) || number < SHA512_LEAST)
			return bad_form("sha512-crypt");
		salt = password_field(&rest, '$');
	}
	if (!password_is_run(salt, 0, 16) || !password_is_run(rest, 86, 86))
		return bad_form("sha512-crypt");
	if (number > SHA512_MOST)
		return reason(EST_MALFORMED,
		    "sha512-crypt of %u rounds keeps a worker busy for seconds; make it of %d at "
		    "most",
		    number, SHA512_MOST);
	return EST_OK;
}

/* What a character stands for in yescrypt's parameters; those from 48 on begin a longer number. */
static unsigned digit_of(unsigned char c)
{
	static const char digits[] =
	    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return (unsigned)(strchr(digits, c) - digits);
}

/*
 * "$y$" parameters "$" salt "$" 43 of hash. The parameters are j, log2(N) - 1 and r - 1; it takes
 * 128 * N * r octets.
 */
static enum outcome yescrypt_accept(const char *hash)
{
	struct span rest = span_of(hash + 3), parameters = password_field(&rest, '$'),
		    salt = password_field(&rest, '$');
	unsigned n, r;

	if (!password_is_run(parameters, 3, 3) || parameters.data[0] != 'j' ||
	    !password_is_run(salt, 1, 86) || !password_is_run(rest, 43, 43))
		return bad_form("yescrypt");
	n = digit_of(parameters.data[1]) + 1;
	r = digit_of(parameters.data[2]) + 1;
	if (n < 10 || n > 48 || r < 8 || r > 48)
		return bad_form("yescrypt");
	if (n > 30 || ((UINT64_C(128) * r) << n) > YESCRYPT_MOST)
		return reason(EST_MALFORMED,
		    "yescrypt of this cost takes more than 256 MiB of a worker; make it with a "
		    "cost of 5 (mkpasswd -m yescrypt -R 5)");
	return EST_OK;
}

static const struct kind kinds[] = {
    {"$y$", "yescrypt", yescrypt_accept},
    {"$2a$", "bcrypt", bcrypt_accept},
    {"$2b$", "bcrypt", bcrypt_accept},
    {"$2y$", "bcrypt", bcrypt_accept},
    {"$6$", "sha512-crypt", sha512_accept},
    {"$argon2id$", "argon2id", argon2_accept},
    {"$argon2i$", "argon2i", argon2_accept},
};

/* What is not taken, and how it is called. */
static const struct {
	const char *prefix, *what;
} others[] = {
    {"$apr1$", "MD5 (apr1)"},
    {"$1$", "MD5"},
    {"{SHA}", "SHA-1 without salt"},
    {"{SSHA}", "SHA-1"},
    {"$2x$", "bcrypt of a version with a mistake in it"},
    {"$5$", "sha256-crypt"},
    {"$7$", "scrypt"},
    {"$gy$", "gost-yescrypt"},
    {"$argon2d$", "argon2d"},
    {"$", "a hash of a kind that is not known here"},
    {"!", "no hash: the account is locked"},
    {"*", "no hash: the account is locked"},
    {"_", "DES"},
};

/* --- all of them --- */

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const struct kind *find_kind(const char *hash)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (begins(hash, kinds[i].prefix))
			return &kinds[i];
	return NULL;
}

const char *password_kind(const char *hash)
{
	const struct kind *kind = find_kind(hash);

	return kind == NULL ? NULL : kind->name;
}

bool password_is_current(const char *hash)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *end;

	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL)
		return true; /* nothing better can be made of it either */
	end = strchr(setting + 3, '$');
	return end != NULL && strncmp(hash, setting, (size_t)(end + 1 - setting)) == 0;
}

static const char *what_else(const char *hash)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (begins(hash, others[i].prefix))
			return others[i].what;
	return password_is_run(span_of(hash), 13, 13) ? "DES, or no hash but plain text"
						      : "no hash but plain text";
}

enum outcome password_accept(const char *hash)
{
	const struct kind *kind = find_kind(hash);

	if (hash[0] == '\0')
		return reason(
		    EST_MALFORMED, "there is no hash; set a password with est-admin user add");
	if (kind != NULL)
		return kind->accept(hash);
	return reason(EST_MALFORMED,
	    "the password is %s, which is not taken; make it with htpasswd -B (bcrypt), or set "
	    "one with est-admin user add",
	    what_else(hash));
}
