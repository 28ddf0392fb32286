/*
 * password_parts.h - what the files of password.h have of each other.
 */
#ifndef EST_PASSWORD_PARTS_H
#define EST_PASSWORD_PARTS_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

/* Whether it is so many of the characters that crypt(5) strings are written with: ./0-9A-Za-z */
bool password_is_run(struct span text, size_t least, size_t most);

/* The text before the next `end`, which *rest goes behind; where there is none, all of it. */
struct span password_field(struct span *rest, char end);

/* A decimal number without leading zeros or sign, at most 9 digits; false where it is none. */
bool password_number(struct span text, uint32_t *out);

/* The rest of password_accept() for a string that begins with $argon2id$ or $argon2i$. */
enum outcome argon2_accept(const char *hash);

/*
 * Whether the password is that of such a string, at about the same time whether it is or not.
 * EST_MALFORMED: libargon2 cannot tell; EST_UNAVAILABLE: no memory.
 */
enum outcome argon2_compare(struct span password, const char *hash, bool *same);

#endif
