/*
 * password.h - passwords as crypt(5) strings: what a user of the store is known by.
 */
#ifndef EST_PASSWORD_H
#define EST_PASSWORD_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define PASSWORD_MAX 511 /* octets; libcrypt takes no more */

/*
 * Appends the yescrypt string of the password under a fresh salt, at libcrypt's default cost (tens
 * of milliseconds and 16 MB). EST_MALFORMED where the password is empty, longer than PASSWORD_MAX
 * or holds a NUL; EST_UNAVAILABLE where there is no randomness or no memory.
 */
enum outcome password_hash(struct span password, struct buf *hash);

/*
 * EST_OK if the password is the one that the crypt(5) string was made of, by any method that
 * libcrypt knows. EST_UNAUTHENTICATED, with the same reason and after the same work, if it is not,
 * if the string is disabled ("!", "*" in front) or none at all (hash NULL: there is no such user),
 * so that nobody learns which users exist. EST_UNAVAILABLE where there is no memory to tell.
 */
enum outcome password_verify(struct span password, const char *hash);

#endif
