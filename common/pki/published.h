/*
 * published.h - keys whose private half anybody can read: in RFCs, in test suites, in this source.
 */
#ifndef EST_PUBLISHED_H
#define EST_PUBLISHED_H

#include <stddef.h>

/*
 * Where the private key was published, "RFC 9500 2.3"; NULL where nothing is known of it. spki is
 * the SHA-256 of the SubjectPublicKeyInfo. A modulus of a size that key_parse() refuses is not
 * listed.
 */
const char *published_where(const unsigned char spki[static 32]);

#endif
