/*
 * key_pair.h - a key that is made for a device (RFC 7030 4.4).
 */
#ifndef EST_KEY_PAIR_H
#define EST_KEY_PAIR_H

#include "common/base/config.h"
#include "common/pki/key.h"

/*
 * The kind of key to make: `configured` where the label says so; else that of the request's key,
 * where the profile takes it, because the type tells what the device can work with (kind NULL:
 * nothing does); else the first that the profile takes. An RSA key, which takes a worker a second
 * to make, is made only where `configured` says so or the profile takes no other.
 */
const char *key_pair_word(
    const char *configured, const struct words *granted, const struct key_info *sent);

/*
 * Makes a pair and appends both halves: key, the PrivateKeyInfo in DER (RFC 5958, version 0), which
 * is to be overwritten with buf_cleanse(); spki, the SubjectPublicKeyInfo.
 */
enum outcome key_pair_make(const char *word, struct buf *key, struct buf *spki);

#endif
