/*
 * rsa.h - RSA's public numbers, and moduli that look like any other and can be factored all the
 * same.
 */
#ifndef EST_RSA_H
#define EST_RSA_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

/* Big-endian, positive, without leading zeros. */
struct rsa_numbers {
	struct span modulus, exponent;
};

/*
 * Takes the numbers out of a DER RSAPublicKey (RFC 8017 A.1.1); they point into it. EST_MALFORMED:
 * CSR_SPKI where it is none, CSR_MODULUS or CSR_EXPONENT where the number is negative or zero.
 */
enum outcome rsa_parse(struct span der, struct rsa_numbers *out);

/* The bits of such a number. */
unsigned rsa_bits(struct span number);

/*
 * Checks an odd modulus of a few thousand bits, most significant octet first: no prime below 752
 * divides it (CA/B BR 6.1.6), a hundred and ten rounds of Fermat's method find no two close primes
 * (BR 6.1.1.3), and it has not the fingerprint of ROCA (CVE-2017-15361). EST_MALFORMED
 * (CSR_WEAK_KEY) says which of these. Under 1 ms for 4096 bits.
 */
enum outcome rsa_check_modulus(struct span modulus);

#endif
