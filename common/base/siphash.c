#include "common/base/siphash.h"

#define WORD 8 /* octets that are taken in at once */

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void stir(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

/* Up to eight octets, the first one lowest. */
static uint64_t word_at(struct span data, size_t at)
{
	uint64_t word = 0;

	for (size_t i = 0; i < WORD && at + i < data.len; i++)
		word |= (uint64_t)data.data[at + i] << (8 * i);
	return word;
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	stir(v, 2);
	v[0] ^= word;
}

uint64_t siphash(const uint64_t key[2], struct span data)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
	    key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
	size_t at = 0;

	for (; data.len - at >= WORD; at += WORD)
		absorb(v, word_at(data, at));
	/* The length goes with what is left, so that zeros at the end count. */
	absorb(v, (uint64_t)data.len << 56 | word_at(data, at));
	v[2] ^= 0xff;
	stir(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
