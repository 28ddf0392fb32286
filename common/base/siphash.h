/*
 * siphash.h - SipHash-2-4 (Aumasson, Bernstein 2012): a short keyed hash for tables whose keys
 * strangers choose.
 */
#ifndef EST_SIPHASH_H
#define EST_SIPHASH_H

#include <stdint.h>

#include "common/base/buf.h"

/* 64 bits that nobody can foretell without the key, which is its two halves in little-endian order.
 */
uint64_t siphash(const uint64_t key[2], struct span data);

#endif
