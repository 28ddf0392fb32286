#include "common/pki/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rsa.h>

#include "common/base/refusal.h"
#include "common/pki/der.h"
#include "common/pki/key_kind.h"
#include "common/pki/rsa.h"

#define EC_OID    DER_OCTETS("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01")
#define RSA_OID   DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define RSA_NULL  DER_OCTETS("\x05\x00")
#define OID_SHOWN 32 /* octets of an unknown OID that are worth showing */

#define ECDSA(last) DER_OCTETS("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" last)
#define RSA_SHA256  DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define ED25519     DER_OCTETS("\x06\x03\x2b\x65\x70")
#define ED448       DER_OCTETS("\x06\x03\x2b\x65\x71")

const struct key_kind key_kinds[KEY_KINDS] = {
    {"P-256", FAMILY_EC, "P-256", EC_OID, DER_OCTETS("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
	65, 256, ECDSA("\x02")},
    {"P-384", FAMILY_EC, "P-384", EC_OID, DER_OCTETS("\x06\x05\x2b\x81\x04\x00\x22"), 97, 384,
	ECDSA("\x03")},
    {"P-521", FAMILY_EC, "P-521", EC_OID, DER_OCTETS("\x06\x05\x2b\x81\x04\x00\x23"), 133, 521,
	ECDSA("\x04")},
    {"Ed25519", FAMILY_EDWARDS, "ED25519", ED25519, {NULL, 0}, 32, 256, ED25519},
    {"Ed448", FAMILY_EDWARDS, "ED448", ED448, {NULL, 0}, 57, 456, ED448},
    {"RSA-2048", FAMILY_RSA, "RSA", RSA_OID, RSA_NULL, 0, 2048, RSA_SHA256},
    {"RSA-3072", FAMILY_RSA, "RSA", RSA_OID, RSA_NULL, 0, 3072, RSA_SHA256},
    {"RSA-4096", FAMILY_RSA, "RSA", RSA_OID, RSA_NULL, 0, 4096, RSA_SHA256},
};

void key_sha256(struct span data, unsigned char digest[static 32])
{
	static EVP_MD *sha256;

	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (EVP_Digest(data.data, data.len, digest, NULL, sha256, NULL) != 1)
		abort(); /* SHA-256 over memory fails only where memory is out */
}

const char *key_word(const struct key_info *key)
{
	return key->kind->word;
}

bool key_word_known(const char *word)
{
	for (size_t i = 0; i < KEY_KINDS; i++)
		if (strcmp(key_kinds[i].word, word) == 0)
			return true;
	return false;
}

bool key_can_agree(const struct key_info *key)
{
	return key->kind->family == FAMILY_EC;
}

bool key_can_encipher(const struct key_info *key)
{
	return key->kind->family == FAMILY_RSA;
}

static enum outcome find_size(struct key_info *key)
{
	for (size_t i = 0; i < KEY_KINDS; i++)
		if (key_kinds[i].family == FAMILY_RSA && key_kinds[i].bits == key->bits) {
			key->kind = &key_kinds[i];
			return EST_OK;
		}
	return refuse(CSR_KEY_SIZE, "the RSA key has %u bits; use 2048, 3072 or 4096", key->bits);
}

static bool is_odd(struct span number)
{
	return (number.data[number.len - 1] & 1) != 0;
}

/* OpenSSL verifies nothing by a longer exponent, so that nobody makes it work for nothing. */
static unsigned exponent_limit(const struct key_info *key)
{
	return key->bits > OPENSSL_RSA_SMALL_MODULUS_BITS ? OPENSSL_RSA_MAX_PUBEXP_BITS : 256;
}

static enum outcome check_rsa(struct key_info *key)
{
	struct rsa_numbers numbers;
	unsigned bits;

	if (rsa_parse(key->point, &numbers) != EST_OK)
		return EST_MALFORMED;
	key->modulus = numbers.modulus;
	key->exponent = numbers.exponent;
	key->bits = rsa_bits(key->modulus);
	if (find_size(key) != EST_OK)
		return EST_MALFORMED;
	if (!is_odd(key->modulus))
		return refuse(CSR_MODULUS, "the RSA modulus is even, which no RSA key's is");
	bits = rsa_bits(key->exponent);
	if (bits < 17 || bits > exponent_limit(key) || !is_odd(key->exponent))
		return refuse(CSR_EXPONENT,
		    "the RSA exponent must be odd, from 65537 up to %u bits; use 65537",
		    exponent_limit(key));
	key->other_exponent = !DER_IS(key->exponent, "\x01\x00\x01");
	return EST_OK;
}

/*
 * The y coordinates of the points of small order, least octet first, and how p and p + 1 would be
 * written for them: by such a key one signature fits every message, so it proves possession of
 * nothing.
 */
#define ZEROS_14 "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
#define ONES_14  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define ZEROS_28 ZEROS_14 ZEROS_14
#define ONES_27  ONES_14 "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define ONES_28  ONES_14 ONES_14
static const struct span small_orders[] = {
    /* Ed25519, RFC 8032 5.1: p = 2^255 - 19 */
    DER_OCTETS("\x00" ZEROS_28 "\x00\x00\x00"),
    DER_OCTETS("\x01" ZEROS_28 "\x00\x00\x00"),
    DER_OCTETS("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
	       "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"),
    DER_OCTETS("\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
	       "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"),
    DER_OCTETS("\xec" ONES_28 "\xff\xff\x7f"),
    DER_OCTETS("\xed" ONES_28 "\xff\xff\x7f"),
    DER_OCTETS("\xee" ONES_28 "\xff\xff\x7f"),
    /* Ed448, RFC 8032 5.2: p = 2^448 - 2^224 - 1 */
    DER_OCTETS("\x00" ZEROS_28 ZEROS_28),
    DER_OCTETS("\x01" ZEROS_28 ZEROS_28),
    DER_OCTETS("\xfe" ONES_27 "\xfe" ONES_27 "\x00"),
    DER_OCTETS(ONES_28 "\xfe" ONES_27 "\x00"),
    DER_OCTETS(ZEROS_28 ONES_28 "\x00"),
};

/* The highest bit is the sign of x and does not count. */
static bool has_small_order(struct span point)
{
	size_t last = point.len - 1;

	for (size_t i = 0; i < sizeof(small_orders) / sizeof(small_orders[0]); i++)
		if (small_orders[i].len == point.len &&
		    memcmp(small_orders[i].data, point.data, last) == 0 &&
		    small_orders[i].data[last] == (point.data[last] & 0x7f))
			return true;
	return false;
}

static enum outcome check_point(const struct key_info *key)
{
	const struct key_kind *kind = key->kind;

	if (kind->family == FAMILY_EC &&
	    (key->point.len != kind->point || key->point.data[0] != 0x04))
		return refuse(CSR_POINT,
		    "the %s key is not a point of %zu octets in uncompressed form", kind->word,
		    kind->point);
	if (key->point.len != kind->point)
		return refuse(CSR_POINT, "the %s key has not %zu octets", kind->word, kind->point);
	if (kind->family == FAMILY_EDWARDS && has_small_order(key->point))
		return refuse(CSR_POINT, "the %s key is a point of small order", kind->word);
	return EST_OK;
}

static void add_oid(struct buf *text, struct span oid)
{
	der_oid_text(text, (struct span){oid.data, oid.len < OID_SHOWN ? oid.len : OID_SHOWN});
}

static enum outcome other_type(struct span oid)
{
	struct buf text = {0};

	add_oid(&text, oid);
	(void)refuse(CSR_KEY_TYPE,
	    "keys of the type %s are not taken: use EC, Ed25519, Ed448 or RSA (rsaEncryption)",
	    buf_string(&text));
	buf_free(&text);
	return EST_MALFORMED;
}

/* RFC 5480 2.1.1: a curve given by its parameters could be any curve. */
static enum outcome other_curve(struct span parameters)
{
	struct buf text = {0};
	struct der curve;

	if (parameters.len == 0)
		return refuse(CSR_CURVE, "the key does not say which curve it is on");
	if (der_next(&parameters, &curve) != EST_OK || parameters.len > 0)
		return refuse(CSR_SPKI, "the parameters of the EC key are not DER");
	if (curve.tag != DER_OID)
		return refuse(CSR_CURVE, "the curve is given by explicit parameters or not at "
					 "all: name P-256, P-384 or P-521");
	add_oid(&text, curve.content);
	(void)refuse(
	    CSR_CURVE, "the curve %s is not taken: use P-256, P-384 or P-521", buf_string(&text));
	buf_free(&text);
	return EST_MALFORMED;
}

/* By the AlgorithmIdentifier's content. RSA keys get their size's kind later. */
static enum outcome find_kind(struct span algorithm, const struct key_kind **out)
{
	const struct key_kind *near = NULL;
	struct span parameters = algorithm;
	struct der oid;

	if (der_take(&parameters, DER_OID, &oid) != EST_OK)
		return refuse(CSR_SPKI, "the public key does not say what it is");
	for (size_t i = 0; i < KEY_KINDS; i++) {
		if (!span_equal(key_kinds[i].oid, oid.whole))
			continue;
		near = &key_kinds[i];
		if (span_equal(near->parameters, parameters)) {
			*out = near;
			return EST_OK;
		}
	}
	if (near == NULL)
		return other_type(oid.content);
	if (near->family == FAMILY_EC)
		return other_curve(parameters);
	return refuse(CSR_SPKI, "the parameters of an %s key must be %s",
	    near->family == FAMILY_RSA ? "RSA" : near->word,
	    near->family == FAMILY_RSA ? "NULL" : "absent");
}

enum outcome key_parse(struct span spki, struct key_info *out)
{
	struct der sequence, algorithm, bits;
	struct span rest = spki;

	*out = (struct key_info){.spki = spki};
	if (der_take(&rest, DER_SEQUENCE, &sequence) != EST_OK || rest.len > 0 ||
	    der_take(&sequence.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&sequence.content, DER_BIT_STRING, &bits) != EST_OK ||
	    sequence.content.len > 0 || bits.content.len < 1 || bits.content.data[0] != 0)
		return refuse(CSR_SPKI, "the public key is not a DER SubjectPublicKeyInfo");
	if (find_kind(algorithm.content, &out->kind) != EST_OK)
		return EST_MALFORMED;
	out->point = (struct span){bits.content.data + 1, bits.content.len - 1};
	if (out->kind->family == FAMILY_RSA)
		return check_rsa(out);
	out->bits = out->kind->bits;
	return check_point(out);
}

static void add_positive(struct buf *out, struct span number)
{
	size_t mark = der_open(out, DER_INTEGER);

	if ((number.data[0] & 0x80) != 0)
		buf_add_byte(out, 0);
	buf_add_span(out, number);
	der_close(out, mark);
}

static void add_usual(struct buf *out, const struct key_info *key)
{
	static const struct span usual = DER_OCTETS("\x01\x00\x01");
	size_t spki = der_open(out, DER_SEQUENCE), algorithm = der_open(out, DER_SEQUENCE), bits,
	       numbers;

	buf_add_span(out, key->kind->oid);
	buf_add_span(out, key->kind->parameters);
	der_close(out, algorithm);
	bits = der_open(out, DER_BIT_STRING);
	buf_add_byte(out, 0);
	numbers = der_open(out, DER_SEQUENCE);
	add_positive(out, key->modulus);
	add_positive(out, usual);
	der_close(out, numbers);
	der_close(out, bits);
	der_close(out, spki);
}

void key_identity(const struct key_info *key, unsigned char digest[static 32])
{
	struct buf spki = {0};

	if (!key->other_exponent) {
		key_sha256(key->spki, digest);
		return;
	}
	add_usual(&spki, key);
	key_sha256(buf_span(&spki), digest);
	buf_free(&spki);
}
