/*
 * eecerts.h - certificates of others that a label hands out (RFC 8295 3).
 */
#ifndef EST_EECERTS_H
#define EST_EECERTS_H

#include "common/base/buf.h"
#include "common/base/config.h"

/*
 * Appends the certs-only PKCS#7 of all certificates in the files, PEM; nothing where there is no
 * file. EST_MALFORMED, or what file_read() gives; the reason names the file.
 */
enum outcome eecerts_make(const struct words *files, struct buf *out);

#endif
