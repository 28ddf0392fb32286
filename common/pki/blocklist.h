/*
 * blocklist.h - keys that no certificate may be issued for: published ones, those of the operator's
 * files, and those that are our own. What was revoked for keyCompromise is the store's to know.
 */
#ifndef EST_BLOCKLIST_H
#define EST_BLOCKLIST_H

#include "common/base/config.h"
#include "common/base/outcome.h"
#include "common/pki/key.h"

struct blocklist;

/*
 * Reads the files of est.conf's blocked_keys. A line is empty, a # comment, the SHA-256 of a
 * SubjectPublicKeyInfo in 64 hex digits, or, as in Debian's openssl-blacklist (CVE-2008-0166), the
 * last 20 hex digits of the SHA-1 of "Modulus=", the RSA modulus in upper-case hex and a line feed;
 * more text may follow after a blank. EST_MALFORMED with file:line, or what file_read() gives.
 * *out: blocklist_free().
 */
enum outcome blocklist_make(const struct words *files, struct blocklist **out);
void blocklist_free(struct blocklist *blocklist); /* NULL is fine */

/* Reserves a key, by the SHA-256 of its SubjectPublicKeyInfo: a CA's own, a TLS server's. */
void blocklist_reserve(struct blocklist *blocklist, const unsigned char spki[static 32]);

/*
 * EST_OK where nothing is known against the key; EST_MALFORMED with CSR_BLOCKED_KEY or
 * CSR_RESERVED_KEY. spki is key_sha256(key->spki). Published test keys are among the blocked ones
 * without any file.
 */
enum outcome blocklist_check(const struct blocklist *blocklist, const struct key_info *key,
    const unsigned char spki[static 32]);

#endif
