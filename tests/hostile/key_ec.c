#include "tests/hostile/key.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

static void must(int one)
{
	if (one != 1)
		errx(EXIT_FAILURE, "elliptic curves");
}

/* The leftmost bits of the digest, as many as the order has. */
static BIGNUM *digest_number(const struct key *key, const BIGNUM *order, struct bytes data)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	BIGNUM *number;

	must(EVP_Digest(data.at, data.len, digest, &len, key->digest, NULL));
	number = BN_bin2bn(digest, (int)len, NULL);
	if (8 * (int)len > BN_num_bits(order))
		must(BN_rshift(number, number, 8 * (int)len - BN_num_bits(order)));
	return number;
}

/* SEC 1, 4.1.3, with the generator that the group has, whichever that is. */
static struct bytes sign_ecdsa(const struct key *key, struct bytes data)
{
	const BIGNUM *order = EC_GROUP_get0_order(key->ec.group);
	BN_CTX *context = BN_CTX_new();
	BIGNUM *digest = digest_number(key, order, data), *nonce = BN_new(), *r = BN_new(),
	       *s = BN_new();
	EC_POINT *point = EC_POINT_new(key->ec.group);
	struct bytes signature;

	do {
		do {
			must(BN_rand_range(nonce, order));
		} while (BN_is_zero(nonce));
		must(EC_POINT_mul(key->ec.group, point, nonce, NULL, NULL, context));
		must(EC_POINT_get_affine_coordinates(key->ec.group, point, r, NULL, context));
		must(BN_nnmod(r, r, order, context));
		must(BN_mod_mul(s, r, key->ec.secret, order, context));
		must(BN_mod_add(s, s, digest, order, context));
		BN_mod_inverse(nonce, nonce, order, context);
		must(BN_mod_mul(s, s, nonce, order, context));
	} while (BN_is_zero(r) || BN_is_zero(s));
	signature = bytes_make("30{02{$}02{$}}", bytes_integer(r), bytes_integer(s));
	BN_free(digest);
	BN_free(nonce);
	BN_free(r);
	BN_free(s);
	EC_POINT_free(point);
	BN_CTX_free(context);
	return signature;
}

struct bytes key_ec_spki(struct bytes parameters, struct bytes point)
{
	return bytes_make("30{30{06{2a8648ce3d0201}$}03{00$}}", parameters, point);
}

struct bytes key_ec_point(const struct key *key, point_conversion_form_t form)
{
	unsigned char octets[256];
	size_t len =
	    EC_POINT_point2oct(key->ec.group, key->ec.point, form, octets, sizeof(octets), NULL);

	if (len == 0)
		errx(EXIT_FAILURE, "no encoding of a point");
	return bytes_copy(octets, len);
}

struct key *key_ec_group(EC_GROUP *group, const BIGNUM *secret)
{
	struct key *key = key_add();

	key->ec.group = group;
	key->ec.secret = BN_dup(secret);
	key->ec.point = EC_POINT_new(group);
	must(EC_POINT_mul(group, key->ec.point, key->ec.secret, NULL, NULL, NULL));
	key_digest(key, "SHA256", EVP_PKEY_EC);
	key->sign = sign_ecdsa;
	return key;
}

static struct key *named(const char *curve, const BIGNUM *secret)
{
	int nid = OBJ_sn2nid(curve);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	struct key *key;

	if (group == NULL)
		errx(EXIT_FAILURE, "no curve %s", curve);
	key = key_ec_group(group, secret);
	key->spki = key_ec_spki(bytes_oid(nid), key_ec_point(key, POINT_CONVERSION_UNCOMPRESSED));
	return key;
}

struct key *key_ec(const char *curve)
{
	BIGNUM *secret =
	    key_number(curve, 100); /* below the order of every curve but the smallest */
	struct key *key = named(curve, secret);

	BN_free(secret);
	return key;
}

struct key *key_ec_secret(const char *curve, const char *hex)
{
	BIGNUM *secret = NULL;
	struct key *key;

	if (BN_hex2bn(&secret, hex) == 0)
		errx(EXIT_FAILURE, "no hex: %s", hex);
	key = named(curve, secret);
	BN_free(secret);
	return key;
}

struct bytes key_ec_explicit(const struct key *key)
{
	const EC_GROUP *group = key->ec.group;
	size_t len = ((size_t)EC_GROUP_get_degree(group) + 7) / 8;
	unsigned char base[256];
	size_t base_len = EC_POINT_point2oct(group, EC_GROUP_get0_generator(group),
	    POINT_CONVERSION_UNCOMPRESSED, base, sizeof(base), NULL);
	BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new();
	struct bytes made;

	must(EC_GROUP_get_curve(group, p, a, b, NULL));
	made = bytes_make("30{020101 30{06{2a8648ce3d0101}02{$}}30{04{$}04{$}}04{$}02{$}02{$}}",
	    bytes_integer(p), bytes_number(a, len), bytes_number(b, len),
	    bytes_copy(base, base_len), bytes_integer(EC_GROUP_get0_order(group)),
	    bytes_integer(EC_GROUP_get0_cofactor(group)));
	BN_free(p);
	BN_free(a);
	BN_free(b);
	return made;
}
