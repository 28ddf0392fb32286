#include "common/pki/rsa.h"

#include <stdlib.h>

#include <openssl/bn.h>

#include "common/base/refusal.h"
#include "common/pki/der.h"

#define PRIME_LIMIT   752 /* small factors are looked for below */
#define PRIMES        132 /* the odd primes below it */
#define FILTERS       38  /* those up to 167: ROCA's fingerprint, and squares */
#define FILTER_LIMIT  168
#define FERMAT_ROUNDS 110
#define ROCA_BASE     65537

/* What a residue modulo a small prime is. */
enum residue {
	SQUARE = 1,     /* of some other residue */
	ROCA_POWER = 2, /* a power of 65537 */
};

/* Made at first use, the same for every key. */
static struct {
	unsigned prime[PRIMES];
	unsigned char residue[FILTERS][FILTER_LIMIT];
} small;

static void find_residues(size_t i)
{
	unsigned prime = small.prime[i], power = 1;

	for (unsigned root = 0; root < prime; root++)
		small.residue[i][root * root % prime] |= SQUARE;
	do {
		small.residue[i][power] |= ROCA_POWER;
		power = power * (ROCA_BASE % prime) % prime;
	} while (power != 1);
}

static bool is_prime(unsigned odd)
{
	for (unsigned factor = 3; factor * factor <= odd; factor += 2)
		if (odd % factor == 0)
			return false;
	return true;
}

static void prepare(void)
{
	size_t count = 0;

	if (small.prime[0] != 0)
		return;
	for (unsigned odd = 3; odd < PRIME_LIMIT; odd += 2)
		if (is_prime(odd))
			small.prime[count++] = odd;
	for (size_t i = 0; i < FILTERS; i++)
		find_residues(i);
}

/* An INTEGER without its sign octet; empty where it is negative or zero. */
static enum outcome take_number(struct span *rest, struct span *number)
{
	struct der value;

	if (der_take(rest, DER_INTEGER, &value) != EST_OK || !der_integer_ok(value.content))
		return EST_MALFORMED;
	*number = value.content;
	if (number->data[0] == 0)
		*number = (struct span){number->data + 1, number->len - 1};
	else if ((number->data[0] & 0x80) != 0)
		*number = (struct span){0};
	return EST_OK;
}

enum outcome rsa_parse(struct span der, struct rsa_numbers *out)
{
	struct der sequence;

	if (der_take(&der, DER_SEQUENCE, &sequence) != EST_OK || der.len > 0 ||
	    take_number(&sequence.content, &out->modulus) != EST_OK ||
	    take_number(&sequence.content, &out->exponent) != EST_OK || sequence.content.len > 0)
		return refuse(CSR_SPKI, "the RSA key is not a DER RSAPublicKey");
	if (out->modulus.len == 0)
		return refuse(CSR_MODULUS, "the RSA modulus is negative or zero");
	if (out->exponent.len == 0)
		return refuse(CSR_EXPONENT, "the RSA exponent is negative or zero; use 65537");
	return EST_OK;
}

unsigned rsa_bits(struct span number)
{
	unsigned bits = (unsigned)number.len * 8;

	for (unsigned mask = 0x80; mask > 0 && number.len > 0 && (number.data[0] & mask) == 0;
	     mask >>= 1)
		bits--;
	return bits;
}

/* OpenSSL's arithmetic on numbers of this size fails only where memory is out. */
static void must(int done)
{
	if (done != 1)
		abort();
}

/*
 * The number modulo each of the first primes. One pass over the number serves as many primes as
 * multiply into 32 bits, which is what BN_mod_word() is fast with.
 */
static void residues_of(const BIGNUM *number, size_t primes, unsigned *residues)
{
	size_t first = 0;

	while (first < primes) {
		unsigned long long product = small.prime[first];
		size_t end = first + 1;
		unsigned long rest;

		for (; end < primes && product * small.prime[end] <= 0xffffffffULL; end++)
			product *= small.prime[end];
		rest = BN_mod_word(number, (BN_ULONG)product);
		for (; first < end; first++)
			residues[first] = (unsigned)(rest % small.prime[first]);
	}
}

static bool has_fingerprint(const unsigned *residues)
{
	for (size_t i = 0; i < FILTERS; i++)
		if ((small.residue[i][residues[i]] & ROCA_POWER) == 0)
			return false;
	return true;
}

/* The root of a number of 32 bits, rounded up or one too large. */
static unsigned long root_above(unsigned long long number)
{
	unsigned long long root = 0;

	for (unsigned long long bit = 1ULL << 15; bit > 0; bit >>= 1)
		if ((root + bit) * (root + bit) <= number)
			root += bit;
	return (unsigned long)root + 1;
}

/*
 * The largest root with root^2 <= number, by Newton's method from above: from a start that is not
 * too small each step gives a smaller root until the right one is reached.
 */
static void square_root(BIGNUM *root, const BIGNUM *number, BN_CTX *context)
{
	/* 31 or 32 bits in front, and an even number behind them. */
	int bits = BN_num_bits(number), behind = bits > 32 ? (bits - 31) / 2 * 2 : 0;
	BIGNUM *quotient;

	BN_zero(root);
	if (BN_is_zero(number))
		return;
	BN_CTX_start(context);
	quotient = BN_CTX_get(context);
	must(quotient != NULL && BN_rshift(quotient, number, behind));
	must(BN_set_word(root, root_above(BN_get_word(quotient))));
	must(BN_lshift(root, root, behind / 2));
	for (;;) {
		must(BN_div(quotient, NULL, number, root, context));
		if (BN_cmp(quotient, root) >= 0)
			break;
		must(BN_add(root, root, quotient) && BN_rshift1(root, root));
	}
	BN_CTX_end(context);
}

static bool is_square(const BIGNUM *number, BN_CTX *context)
{
	BIGNUM *root, *square;
	bool same;

	BN_CTX_start(context);
	root = BN_CTX_get(context);
	square = BN_CTX_get(context);
	must(square != NULL);
	square_root(root, number, context);
	must(BN_sqr(square, root, context));
	same = BN_cmp(square, number) == 0;
	BN_CTX_end(context);
	return same;
}

/* Whether (root + round)^2 - modulus can be a square, as far as small primes know. */
static bool may_be_square(const unsigned *modulus, const unsigned *root, unsigned round)
{
	for (size_t i = 0; i < FILTERS; i++) {
		unsigned prime = small.prime[i], sum = (root[i] + round) % prime;
		if ((small.residue[i][(sum * sum + prime - modulus[i]) % prime] & SQUARE) == 0)
			return false;
	}
	return true;
}

/*
 * Fermat: modulus = a^2 - b^2 = (a - b)(a + b), where b is small if the primes are close, so that a
 * is found right above the modulus' root. Gives the number of the round that found it, 0 for two
 * equal primes, -1 for none.
 */
static int fermat(const BIGNUM *modulus, const unsigned *residues, BN_CTX *context)
{
	unsigned root_residues[FILTERS];
	BIGNUM *root, *sum, *difference;
	int found = -1;

	BN_CTX_start(context);
	root = BN_CTX_get(context);
	sum = BN_CTX_get(context);
	difference = BN_CTX_get(context);
	must(difference != NULL);
	square_root(root, modulus, context);
	residues_of(root, FILTERS, root_residues);
	for (unsigned round = 0; round <= FERMAT_ROUNDS && found < 0; round++) {
		if (!may_be_square(residues, root_residues, round))
			continue;
		must(BN_copy(sum, root) != NULL && BN_add_word(sum, round));
		must(BN_sqr(sum, sum, context) && BN_sub(difference, sum, modulus));
		if (!BN_is_negative(difference) && is_square(difference, context))
			found = (int)round;
	}
	BN_CTX_end(context);
	return found;
}

static enum outcome check_number(const BIGNUM *modulus, BN_CTX *context)
{
	unsigned residues[PRIMES];
	int round;

	residues_of(modulus, PRIMES, residues);
	for (size_t i = 0; i < PRIMES; i++)
		if (residues[i] == 0)
			return refuse(CSR_WEAK_KEY,
			    "the RSA modulus is divisible by %u; make another key", small.prime[i]);
	if (has_fingerprint(residues))
		return refuse(CSR_WEAK_KEY, "the RSA modulus has the fingerprint of ROCA "
					    "(CVE-2017-15361): make a key outside of that chip");
	round = fermat(modulus, residues, context);
	if (round >= 0)
		return refuse(CSR_WEAK_KEY,
		    "the RSA modulus is a product of two close primes (found in %d rounds of "
		    "Fermat's method): its key generator is broken",
		    round);
	return EST_OK;
}

enum outcome rsa_check_modulus(struct span modulus)
{
	static BN_CTX *context;
	BIGNUM *number = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
	enum outcome outcome;

	prepare();
	if (context == NULL)
		context = BN_CTX_new();
	must(number != NULL && context != NULL);
	outcome = check_number(number, context);
	BN_free(number);
	return outcome;
}
