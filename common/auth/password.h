/*
 * password.h - passwords as crypt(5) strings: what a user of the store is known by.
 */
#ifndef EST_PASSWORD_H
#define EST_PASSWORD_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define PASSWORD_MAX  511 /* octets; libcrypt takes no more */
#define PASSWORD_NONE "*" /* no hash: nothing that is typed matches it */

/*
 * Appends the yescrypt string of the password under a fresh salt, at libcrypt's default cost (tens
 * of milliseconds and 16 MB). EST_MALFORMED where the password is empty, longer than PASSWORD_MAX
 * or holds a NUL; EST_UNAVAILABLE where there is no randomness or no memory.
 */
enum outcome password_hash(struct span password, struct buf *hash);

/*
 * EST_OK if the password is the one that the string was made of, by any kind that
 * password_kind() knows. EST_UNAUTHENTICATED, with the same reason, if it is not, and after the
 * same work if the string is disabled ("!", "*" in front), of no such kind, or none at all (hash
 * NULL: there is no such user) as if it were one of password_hash()'s, so that nobody learns which
 * users exist. EST_UNAVAILABLE where there is no memory to tell.
 */
enum outcome password_verify(struct span password, const char *hash);

/* "yescrypt", "bcrypt", "sha512-crypt", "argon2id", "argon2i"; NULL: no kind that is taken. */
const char *password_kind(const char *hash);

/*
 * Whether it is of the kind and cost that password_hash() makes. One that is not takes another time
 * to verify than an unknown user, and is to be replaced at the first right login.
 */
bool password_is_current(const char *hash);

/*
 * Whether a hash that was made elsewhere may become a user's: EST_MALFORMED, with what is wrong
 * and what to do, where it is of a kind that is not taken (or no hash), is not in form, or would
 * keep a worker busy for longer than a few seconds or take more than 256 MiB of it. The reason
 * holds nothing of the hash.
 */
enum outcome password_accept(const char *hash);

#endif
