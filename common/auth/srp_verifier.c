/*
 * SRP is deprecated since OpenSSL 3.0, and there; groups and verifiers are all that is wanted of
 * it.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/auth/srp_verifier.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/srp.h>

/* Octets in base64 as srp has it: zeroes in front fill up a group of three, and are left out. */
static void add_number(struct buf *out, const BIGNUM *number)
{
	static const char alphabet[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz./";
	int len = BN_num_bytes(number), pad = (3 - len % 3) % 3;
	struct buf octets = {0};

	buf_reserve(&octets, (size_t)(len + pad));
	octets.len = (size_t)(len + pad);
	(void)BN_bn2binpad(number, octets.data, len + pad);
	for (size_t i = 0; i < octets.len * 4 / 3; i++) {
		const unsigned char *group = octets.data + i / 4 * 3;
		unsigned value = (unsigned)(group[0] << 16 | group[1] << 8 | group[2]);
		if (i >= (size_t)pad)
			buf_add_byte(out, (unsigned char)alphabet[value >> (18 - i % 4 * 6) & 63]);
	}
	buf_free(&octets);
}

/* Those of RFC 5054 that are large enough. */
static enum outcome find_group(const char *name, const SRP_gN **out)
{
	static const char *const names[] = {"2048", "3072", "4096", "6144", "8192"};

	*out = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			*out = SRP_get_default_gN(name);
	}
	return *out != NULL
		   ? EST_OK
		   : reason(EST_MALFORMED,
			 "\"%.40s\" is not one of RFC 5054's groups of 2048 bits and more: "
			 "2048, 3072, 4096, 6144, 8192",
			 name);
}

enum outcome srp_group_add(const char *name, struct buf *out)
{
	const SRP_gN *group;
	enum outcome outcome = find_group(name, &group);

	if (outcome != EST_OK)
		return outcome;
	buf_add_string(out, "I\t");
	add_number(out, group->N);
	buf_add_byte(out, '\t');
	add_number(out, group->g);
	buf_printf(out, "\t" SRP_GROUP_PREFIX "%s\t\t\n", name);
	return EST_OK;
}

enum outcome srp_verifier_make(
    const char *group, const char *name, struct span password, struct buf *out)
{
	struct buf copy = {0};
	char *salt = NULL, *verifier = NULL;
	const SRP_gN *known;
	enum outcome outcome = find_group(group, &known);

	if (outcome != EST_OK)
		return outcome;
	buf_reserve(&copy, password.len + 1);
	buf_add_span(&copy, password);
	if (SRP_create_verifier_ex(
		name, buf_string(&copy), &salt, &verifier, NULL, known->id, NULL, NULL) == NULL)
		outcome = reason_openssl(EST_INTERNAL, "OpenSSL makes no SRP verifier");
	else
		buf_printf(out, "%s\t%s", verifier, salt);
	buf_cleanse(&copy);
	OPENSSL_free(salt);
	OPENSSL_free(verifier);
	return outcome;
}
