/*
 * bytes.h - octets written in a notation for DER, good or bad.
 *
 * The writer shares nothing with the parsers under test. All octets belong to a pool that
 * bytes_end() empties.
 */
#ifndef EST_HOSTILE_BYTES_H
#define EST_HOSTILE_BYTES_H

#include <stddef.h>

#include <openssl/bn.h>

/* at is never NULL in what these functions give; {0} stands for "not given". */
struct bytes {
	const unsigned char *at;
	size_t len;
};

/*
 * The notation: hex digits are octets, 'text' is itself, $ is the next argument (a struct bytes),
 * XX{ ... } is a TLV of that tag with a DER length, XX~{ ... } one with a length in four octets
 * more than it needs, XX!{ ... } one of indefinite length, <N ... > is its content N times, # the
 * number of the round in four digits. Blanks count for nothing. Ends the process where the
 * notation makes no sense.
 */
struct bytes bytes_make(const char *notation, ...);

struct bytes bytes_copy(const void *at, size_t len);
struct bytes bytes_part(struct bytes bytes, size_t from, size_t len);
struct bytes bytes_flip(struct bytes bytes, size_t at, unsigned char mask);

/* The content of an INTEGER, minimal; of so many octets, unsigned. */
struct bytes bytes_integer(const BIGNUM *number);
struct bytes bytes_number(const BIGNUM *number, size_t len);

/* A whole OBJECT IDENTIFIER, by OpenSSL's number for it. */
struct bytes bytes_oid(int nid);

void bytes_end(void);

#endif
