#include "common/pki/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/pki/der.h"

enum family { FAMILY_EC, FAMILY_RSA, FAMILY_EDWARDS };

/* A kind of key. The algorithm is the content of the AlgorithmIdentifier: OID and parameters in
 * DER. */
struct key_kind {
	const char *word;
	enum family family;
	const char *name; /* OpenSSL's: a group, or a key type */
	struct span algorithm;
	size_t point; /* octets of the key: an uncompressed point, or Ed25519's; 0: RSA */
	unsigned bits;
};

#define EC_ALGORITHM(curve) DER_OCTETS("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" curve)
#define RSA_ALGORITHM       DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00")

static const struct key_kind kinds[] = {
    {"P-256", FAMILY_EC, "P-256", EC_ALGORITHM("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"), 65,
	256},
    {"P-384", FAMILY_EC, "P-384", EC_ALGORITHM("\x06\x05\x2b\x81\x04\x00\x22"), 97, 384},
    {"P-521", FAMILY_EC, "P-521", EC_ALGORITHM("\x06\x05\x2b\x81\x04\x00\x23"), 133, 521},
    {"Ed25519", FAMILY_EDWARDS, "ED25519", DER_OCTETS("\x06\x03\x2b\x65\x70"), 32, 256},
    {"RSA-2048", FAMILY_RSA, "RSA", RSA_ALGORITHM, 0, 2048},
    {"RSA-3072", FAMILY_RSA, "RSA", RSA_ALGORITHM, 0, 3072},
    {"RSA-4096", FAMILY_RSA, "RSA", RSA_ALGORITHM, 0, 4096},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A signature algorithm that we take and make; SHA-1 and MD5 are not among them (RFC 9155, RFC
 * 6151). */
static const struct signature_kind {
	struct span algorithm; /* the content of the AlgorithmIdentifier */
	enum family family;
	const char *digest; /* NULL: the algorithm has its own */
} signature_kinds[] = {
    {DER_OCTETS("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"), FAMILY_EC, "SHA256"},
    {DER_OCTETS("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"), FAMILY_EC, "SHA384"},
    {DER_OCTETS("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"), FAMILY_EC, "SHA512"},
    {DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"), FAMILY_RSA, "SHA256"},
    {DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"), FAMILY_RSA, "SHA384"},
    {DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"), FAMILY_RSA, "SHA512"},
    {DER_OCTETS("\x06\x03\x2b\x65\x70"), FAMILY_EDWARDS, NULL},
};

#define SIGNATURE_KINDS (sizeof(signature_kinds) / sizeof(signature_kinds[0]))

/*
 * What is made once a process and kept, because OpenSSL 3.0 takes longer to find and make it than
 * to use it: digests, and for each elliptic curve a key whose point is exchanged for every request,
 * with the context that verifies by it.
 */
static struct {
	EVP_MD *digest[SIGNATURE_KINDS];
	struct {
		EVP_PKEY *key;
		EVP_PKEY_CTX *verify;
	} curve[KINDS];
	EVP_MD_CTX *context;
	EVP_MD *sha256;
} kept;

void key_sha256(struct span data, unsigned char digest[static 32])
{
	if (kept.sha256 == NULL)
		kept.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (EVP_Digest(data.data, data.len, digest, NULL, kept.sha256, NULL) != 1)
		abort(); /* SHA-256 over memory fails only where memory is out */
}

const char *key_word(const struct key_info *key)
{
	return key->kind->word;
}

bool key_word_known(const char *word)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].word, word) == 0)
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

static unsigned bits_of(struct span number)
{
	unsigned bits = (unsigned)number.len * 8;

	for (unsigned mask = 0x80; mask > 0 && number.len > 0 && (number.data[0] & mask) == 0;
	     mask >>= 1)
		bits--;
	return bits;
}

/* A positive INTEGER without its sign octet. */
static enum outcome take_positive(struct span *rest, struct span *number)
{
	struct der value;

	if (der_take(rest, DER_INTEGER, &value) != EST_OK || !der_integer_ok(value.content) ||
	    (value.content.data[0] & 0x80) != 0)
		return EST_MALFORMED;
	*number = value.content;
	if (number->len > 1 && number->data[0] == 0) {
		number->data++;
		number->len--;
	}
	return EST_OK;
}

/* RFC 8017 A.1.1: RSAPublicKey ::= SEQUENCE { modulus, publicExponent } */
static enum outcome take_rsa(struct span der, struct span *modulus, struct span *exponent)
{
	struct der sequence;

	if (der_take(&der, DER_SEQUENCE, &sequence) != EST_OK || der.len > 0 ||
	    take_positive(&sequence.content, modulus) != EST_OK ||
	    take_positive(&sequence.content, exponent) != EST_OK || sequence.content.len > 0)
		return reason(
		    EST_MALFORMED, "RFC 8017 A.1.1: the RSA key is not a DER RSAPublicKey");
	return EST_OK;
}

static enum outcome check_rsa(struct key_info *key)
{
	struct span modulus, exponent;

	if (take_rsa(key->point, &modulus, &exponent) != EST_OK)
		return EST_MALFORMED;
	key->bits = bits_of(modulus);
	if ((modulus.data[modulus.len - 1] & 1) == 0)
		return reason(
		    EST_MALFORMED, "RFC 8017 3.1: the RSA modulus is even, which no RSA key's is");
	if (bits_of(exponent) < 17 || bits_of(exponent) > 256 ||
	    (exponent.data[exponent.len - 1] & 1) == 0)
		return reason(EST_MALFORMED, "CA/B BR 6.1.6: the RSA exponent must be odd, from "
					     "65537 to 256 bits; use 65537");
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].family == FAMILY_RSA && kinds[i].bits == key->bits) {
			key->kind = &kinds[i];
			return EST_OK;
		}
	return reason(EST_MALFORMED, "the RSA key has %u bits; take 2048, 3072 or 4096", key->bits);
}

/*
 * The y coordinates of Ed25519's points of small order, least octet first, and how p and p + 1 would be written for
 * them: by such a key one signature fits every message, so it proves possession of nothing.
 */
static const struct span small_orders[] = {
    DER_OCTETS("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	       "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
    DER_OCTETS("\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	       "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
    DER_OCTETS("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
	       "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"),
    DER_OCTETS("\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
	       "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"),
    DER_OCTETS("\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    DER_OCTETS("\xed\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    DER_OCTETS("\xee\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
};

/* The highest bit is the sign of x and does not count. */
static bool has_small_order(struct span point)
{
	size_t last = point.len - 1;

	for (size_t i = 0; i < sizeof(small_orders) / sizeof(small_orders[0]); i++)
		if (memcmp(small_orders[i].data, point.data, last) == 0 &&
		    small_orders[i].data[last] == (point.data[last] & 0x7f))
			return true;
	return false;
}

static enum outcome check_point(const struct key_info *key)
{
	bool edwards = key->kind->family == FAMILY_EDWARDS;

	if (edwards && key->point.len != key->kind->point)
		return reason(EST_MALFORMED, "RFC 8410 4: the %s key has not %zu octets",
		    key->kind->word, key->kind->point);
	if (edwards && has_small_order(key->point))
		return reason(EST_MALFORMED, "RFC 8032 5.1: the %s key is a point of small order",
		    key->kind->word);
	if (!edwards && (key->point.len != key->kind->point || key->point.data[0] != 0x04))
		return reason(EST_MALFORMED,
		    "RFC 5480 2.2: the %s key is not a point of %zu octets in uncompressed form",
		    key->kind->word, key->kind->point);
	return EST_OK;
}

enum outcome key_parse(struct span spki, struct key_info *out)
{
	struct der sequence, algorithm, bits;
	struct span rest = spki;

	*out = (struct key_info){.spki = spki};
	if (der_take(&rest, DER_SEQUENCE, &sequence) != EST_OK || rest.len > 0 ||
	    der_take(&sequence.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&sequence.content, DER_BIT_STRING, &bits) != EST_OK ||
	    sequence.content.len > 0 || bits.content.len < 2 || bits.content.data[0] != 0)
		return reason(EST_MALFORMED,
		    "RFC 5280 4.1.2.7: the public key is not a DER SubjectPublicKeyInfo");
	out->point = (struct span){bits.content.data + 1, bits.content.len - 1};
	for (size_t i = 0; i < KINDS && out->kind == NULL; i++)
		if (span_equal(kinds[i].algorithm, algorithm.content))
			out->kind = &kinds[i];
	if (out->kind == NULL)
		return reason(EST_MALFORMED,
		    "the key's type or curve is not one that we take: use P-256, "
		    "P-384, P-521, Ed25519 or RSA (named curves only)");
	if (out->kind->family == FAMILY_RSA)
		return check_rsa(out);
	out->bits = out->kind->bits;
	return check_point(out);
}

static EVP_PKEY *import(const char *type, OSSL_PARAM *parameters)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

/* OpenSSL does not write through it, though its parameters' pointers are not const. */
static void *unconst(const void *pointer)
{
	union {
		const void *in;
		void *out;
	} both = {pointer};

	return both.out;
}

/* The curve's kept key with this point in it, and its context; NULL where the point is not on the
 * curve. */
static EVP_PKEY_CTX *load_point(const struct key_info *key)
{
	EVP_PKEY **curve = &kept.curve[key->kind - kinds].key;
	EVP_PKEY_CTX **verify = &kept.curve[key->kind - kinds].verify;
	OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string(
		OSSL_PKEY_PARAM_GROUP_NAME, unconst(key->kind->name), 0),
	    OSSL_PARAM_construct_octet_string(
		OSSL_PKEY_PARAM_PUB_KEY, unconst(key->point.data), key->point.len),
	    OSSL_PARAM_construct_end(),
	};

	if (*verify != NULL)
		return EVP_PKEY_set1_encoded_public_key(*curve, key->point.data, key->point.len) ==
			       1
			   ? *verify
			   : NULL;
	*curve = import("EC", parameters);
	if (*curve == NULL)
		return NULL;
	*verify = EVP_PKEY_CTX_new_from_pkey(NULL, *curve, NULL);
	if (*verify != NULL && EVP_PKEY_verify_init(*verify) == 1)
		return *verify;
	EVP_PKEY_CTX_free(*verify);
	EVP_PKEY_free(*curve);
	*verify = NULL;
	*curve = NULL;
	return NULL;
}

static EVP_PKEY *import_edwards(const struct key_info *key)
{
	return EVP_PKEY_new_raw_public_key_ex(
	    NULL, key->kind->name, NULL, key->point.data, key->point.len);
}

static EVP_PKEY *import_rsa(const struct key_info *key)
{
	struct span modulus, exponent;
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *parameters = NULL;
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY *imported = NULL;

	if (builder != NULL && take_rsa(key->point, &modulus, &exponent) == EST_OK) {
		n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
		e = BN_bin2bn(exponent.data, (int)exponent.len, NULL);
		if (OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
		    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
			parameters = OSSL_PARAM_BLD_to_param(builder);
	}
	if (parameters != NULL)
		imported = import("RSA", parameters);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return imported;
}

static const struct signature_kind *signature_kind_of(struct span algorithm)
{
	struct der sequence;

	if (der_take(&algorithm, DER_SEQUENCE, &sequence) != EST_OK || algorithm.len > 0)
		return NULL;
	for (size_t i = 0; i < SIGNATURE_KINDS; i++) {
		struct span known = signature_kinds[i].algorithm;
		if (span_equal(known, sequence.content))
			return &signature_kinds[i];
		/* RFC 4055 5: the NULL may be absent. */
		known.len -= 2;
		if (signature_kinds[i].family == FAMILY_RSA && span_equal(known, sequence.content))
			return &signature_kinds[i];
	}
	return NULL;
}

static const EVP_MD *digest_of(const struct signature_kind *kind)
{
	EVP_MD **digest = &kept.digest[kind - signature_kinds];

	if (*digest == NULL && kind->digest != NULL)
		*digest = EVP_MD_fetch(NULL, kind->digest, NULL);
	return *digest;
}

static enum outcome invalid_key(const struct key_info *key)
{
	return reason_openssl(
	    EST_MALFORMED, "the public key is not a valid %s key", key->kind->word);
}

static enum outcome invalid_signature(void)
{
	return reason_openssl(EST_MALFORMED,
	    "RFC 7030 4.2.1: the request's signature does not verify with the request's own key");
}

/* The fast path: most devices bring a key on an elliptic curve. */
static enum outcome verify_by_curve(const struct key_info *key, const struct signature_kind *kind,
    struct span signature, struct span data)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	EVP_PKEY_CTX *verify = load_point(key);

	if (verify == NULL)
		return invalid_key(key);
	if (EVP_Digest(data.data, data.len, digest, &len, digest_of(kind), NULL) != 1 ||
	    EVP_PKEY_verify(verify, signature.data, signature.len, digest, len) != 1)
		return invalid_signature();
	return EST_OK;
}

static enum outcome verify_by_import(const struct key_info *key, const struct signature_kind *kind,
    struct span signature, struct span data)
{
	EVP_PKEY *imported = kind->family == FAMILY_RSA ? import_rsa(key) : import_edwards(key);
	enum outcome outcome = EST_OK;

	if (imported == NULL)
		return invalid_key(key);
	if (kept.context == NULL)
		kept.context = EVP_MD_CTX_new();
	if (EVP_DigestVerifyInit(kept.context, NULL, digest_of(kind), NULL, imported) != 1 ||
	    EVP_DigestVerify(kept.context, signature.data, signature.len, data.data, data.len) != 1)
		outcome = invalid_signature();
	EVP_MD_CTX_reset(kept.context);
	EVP_PKEY_free(imported);
	return outcome;
}

enum outcome key_verify(
    const struct key_info *key, struct span algorithm, struct span signature, struct span data)
{
	const struct signature_kind *kind = signature_kind_of(algorithm);

	if (kind == NULL)
		return reason(EST_MALFORMED,
		    "the request's signature algorithm is not one that we take: use "
		    "SHA-256, SHA-384 or SHA-512 with RSA or ECDSA, or Ed25519");
	if (kind->family != key->kind->family)
		return reason(EST_MALFORMED,
		    "RFC 2986 4.2: the request's signature algorithm does not fit its %s key",
		    key->kind->word);
	return kind->family == FAMILY_EC ? verify_by_curve(key, kind, signature, data)
					 : verify_by_import(key, kind, signature, data);
}

/* Which signature a CA's key makes: its family and the digest that matches its strength. */
static const struct {
	enum family family;
	int bits_from;
	size_t kind; /* of signature_kinds[] */
} signers[] = {
    {FAMILY_EC, 384, 1},
    {FAMILY_EC, 256, 0},
    {FAMILY_RSA, 2048, 3},
    {FAMILY_EDWARDS, 0, 6},
};

/* The AlgorithmIdentifiers with their SEQUENCE around them, made once. */
static struct span framed_algorithm(size_t kind)
{
	static struct buf framed[SIGNATURE_KINDS];

	if (framed[kind].len == 0)
		der_add(&framed[kind], DER_SEQUENCE, signature_kinds[kind].algorithm);
	return buf_span(&framed[kind]);
}

static bool on_known_curve(EVP_PKEY *key)
{
	char group[32];
	int nid;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		return false;
	nid = OBJ_txt2nid(group);
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].family == FAMILY_EC && EC_curve_nist2nid(kinds[i].name) == nid)
			return true;
	return false;
}

enum outcome key_signer(EVP_PKEY *key, struct span *algorithm, const EVP_MD **digest)
{
	static const char *const names[] = {
	    [FAMILY_EC] = "EC", [FAMILY_RSA] = "RSA", [FAMILY_EDWARDS] = "ED25519"};

	for (size_t i = 0; i < sizeof(signers) / sizeof(signers[0]); i++) {
		if (EVP_PKEY_is_a(key, names[signers[i].family]) != 1 ||
		    EVP_PKEY_get_bits(key) < signers[i].bits_from ||
		    (signers[i].family == FAMILY_EC && !on_known_curve(key)))
			continue;
		*algorithm = framed_algorithm(signers[i].kind);
		*digest = digest_of(&signature_kinds[signers[i].kind]);
		return EST_OK;
	}
	return reason(EST_MALFORMED, "this key cannot be a CA's here: use P-256, P-384, RSA of "
				     "2048 bits or more, or Ed25519");
}
