#include "common/pki/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "common/base/refusal.h"
#include "common/pki/der.h"
#include "common/pki/key_kind.h"
#include "common/pki/pss.h"
#include "common/pki/rsa.h"

#define RSASSA_PSS "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"

enum signature {
	ECDSA_SHA256,
	ECDSA_SHA384,
	ECDSA_SHA512,
	RSA_SHA256,
	RSA_SHA384,
	RSA_SHA512,
	ED25519,
	ED448,
	ECDSA_SHA1,
	RSA_SHA1,
	SIGNATURE_KINDS
};

/*
 * A signature algorithm that we take and make. MD5 is not among them (RFC 6151), and SHA-1 is taken
 * only where somebody asked for that (RFC 9155).
 */
static const struct signature_kind {
	struct span algorithm; /* the content of the AlgorithmIdentifier */
	enum key_family family;
	const char *name;   /* OpenSSL's, of the key's kind; NULL: any of the family */
	const char *digest; /* NULL: the algorithm has its own */
	bool weak;          /* only for key_verify_sha1() */
} signature_kinds[SIGNATURE_KINDS] = {
    [ECDSA_SHA256] = {DER_OCTETS("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"), FAMILY_EC, NULL,
	"SHA256", false},
    [ECDSA_SHA384] = {DER_OCTETS("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"), FAMILY_EC, NULL,
	"SHA384", false},
    [ECDSA_SHA512] = {DER_OCTETS("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"), FAMILY_EC, NULL,
	"SHA512", false},
    [RSA_SHA256] = {DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"), FAMILY_RSA,
	NULL, "SHA256", false},
    [RSA_SHA384] = {DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"), FAMILY_RSA,
	NULL, "SHA384", false},
    [RSA_SHA512] = {DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"), FAMILY_RSA,
	NULL, "SHA512", false},
    [ED25519] = {DER_OCTETS("\x06\x03\x2b\x65\x70"), FAMILY_EDWARDS, "ED25519", NULL, false},
    [ED448] = {DER_OCTETS("\x06\x03\x2b\x65\x71"), FAMILY_EDWARDS, "ED448", NULL, false},
    [ECDSA_SHA1] = {DER_OCTETS("\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"), FAMILY_EC, NULL, "SHA1",
	true},
    [RSA_SHA1] = {DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"), FAMILY_RSA,
	NULL, "SHA1", true},
};

/* How one signature is to be verified. */
struct scheme {
	enum key_family family;
	const char *name, *digest; /* as in signature_kinds[] */
	const struct pss *pss;     /* NULL: none */
};

/*
 * What is made once a process and kept, because OpenSSL 3.0 takes longer to find and make it than
 * to use it: digests, and for each elliptic curve a key whose point is exchanged for every request,
 * with the context that verifies by it.
 */
static struct {
	struct {
		EVP_PKEY *key;
		EVP_PKEY_CTX *verify;
	} curve[KEY_KINDS];
	EVP_MD_CTX *context;
} kept;

static const EVP_MD *digest_of(const char *name)
{
	static struct {
		const char *const name;
		EVP_MD *digest;
	} digests[] = {{"SHA256", NULL}, {"SHA384", NULL}, {"SHA512", NULL}, {"SHA1", NULL}};
	size_t i = 0;

	if (name == NULL)
		return NULL;
	while (strcmp(digests[i].name, name) != 0)
		i++;
	if (digests[i].digest == NULL)
		digests[i].digest = EVP_MD_fetch(NULL, name, NULL);
	return digests[i].digest;
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
	EVP_PKEY **curve = &kept.curve[key->kind - key_kinds].key;
	EVP_PKEY_CTX **verify = &kept.curve[key->kind - key_kinds].verify;
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
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(key->modulus.data, (int)key->modulus.len, NULL);
	BIGNUM *e = BN_bin2bn(key->exponent.data, (int)key->exponent.len, NULL);
	OSSL_PARAM *parameters = NULL;
	EVP_PKEY *imported = NULL;

	if (builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		parameters = OSSL_PARAM_BLD_to_param(builder);
	if (parameters != NULL)
		imported = import("RSA", parameters);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return imported;
}

static enum outcome other_algorithm(void)
{
	return refuse(CSR_SIGALG,
	    "the request's signature algorithm is not one that we take: use SHA-256, SHA-384 or "
	    "SHA-512 with ECDSA or RSA, or Ed25519 or Ed448");
}

static enum outcome find_plain(struct span algorithm, bool sha1, struct scheme *out)
{
	for (size_t i = 0; i < SIGNATURE_KINDS; i++) {
		const struct signature_kind *kind = &signature_kinds[i];
		struct span known = kind->algorithm;
		bool same = span_equal(known, algorithm);
		if (kind->weak && !sha1)
			continue;
		/* RFC 4055 5: the NULL may be absent. */
		known.len -= 2;
		if (same || (kind->family == FAMILY_RSA && span_equal(known, algorithm))) {
			*out = (struct scheme){kind->family, kind->name, kind->digest, NULL};
			return EST_OK;
		}
	}
	return other_algorithm();
}

/* The scheme of a DER AlgorithmIdentifier; *pss holds the parameters where it has some. */
static enum outcome find_scheme(
    struct span algorithm, bool sha1, struct pss *pss, struct scheme *out)
{
	struct der sequence, oid;
	struct span rest;

	if (der_take(&algorithm, DER_SEQUENCE, &sequence) != EST_OK || algorithm.len > 0)
		return other_algorithm();
	rest = sequence.content;
	if (der_take(&rest, DER_OID, &oid) != EST_OK || !DER_IS(oid.content, RSASSA_PSS))
		return find_plain(sequence.content, sha1, out);
	if (pss_parse(rest, pss) != EST_OK)
		return EST_MALFORMED;
	*out = (struct scheme){FAMILY_RSA, NULL, pss->digest, pss};
	return EST_OK;
}

/* RFC 8017 9.1.1: one bit less than the modulus has holds the hash, the salt and two octets. */
static bool salt_fits(const struct key_info *key, const struct pss *pss)
{
	return (key->bits + 6) / 8 >= pss->digest_len + pss->salt_len + 2;
}

static enum outcome check_fit(const struct key_info *key, const struct scheme *scheme)
{
	if (scheme->family != key->kind->family ||
	    (scheme->name != NULL && strcmp(scheme->name, key->kind->name) != 0))
		return refuse(CSR_SIGALG,
		    "the request's signature algorithm does not fit its %s key", key->kind->word);
	if (scheme->pss != NULL && !salt_fits(key, scheme->pss))
		return refuse(CSR_SIGALG, "a salt of %zu octets does not fit the %s key",
		    scheme->pss->salt_len, key->kind->word);
	return EST_OK;
}

static enum outcome invalid_key(const struct key_info *key)
{
	ERR_clear_error();
	return refuse(key->kind->family == FAMILY_RSA ? CSR_SPKI : CSR_POINT,
	    "the public key is not a valid %s key", key->kind->word);
}

static enum outcome invalid_signature(void)
{
	ERR_clear_error();
	return refuse(
	    CSR_SIGNATURE, "the request's signature does not verify with the request's own key");
}

/* The fast path: most devices bring a key on an elliptic curve. */
static enum outcome verify_by_curve(const struct key_info *key, const struct scheme *scheme,
    struct span signature, struct span data)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	EVP_PKEY_CTX *verify = load_point(key);

	if (verify == NULL)
		return invalid_key(key);
	if (EVP_Digest(data.data, data.len, digest, &len, digest_of(scheme->digest), NULL) != 1 ||
	    EVP_PKEY_verify(verify, signature.data, signature.len, digest, len) != 1)
		return invalid_signature();
	return EST_OK;
}

static bool start(EVP_PKEY *key, const struct scheme *scheme)
{
	const EVP_MD *digest = digest_of(scheme->digest);
	EVP_PKEY_CTX *context = NULL; /* a part of kept.context */

	if (EVP_DigestVerifyInit(kept.context, &context, digest, NULL, key) != 1)
		return false;
	return scheme->pss == NULL ||
	       (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
		   EVP_PKEY_CTX_set_rsa_pss_saltlen(context, (int)scheme->pss->salt_len) == 1 &&
		   EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) == 1);
}

static enum outcome verify_by_import(const struct key_info *key, const struct scheme *scheme,
    struct span signature, struct span data)
{
	bool rsa = key->kind->family == FAMILY_RSA;
	enum outcome outcome = EST_OK;
	EVP_PKEY *imported;

	if (rsa && rsa_check_modulus(key->modulus) != EST_OK)
		return EST_MALFORMED;
	imported = rsa ? import_rsa(key) : import_edwards(key);
	if (imported == NULL)
		return invalid_key(key);
	if (kept.context == NULL)
		kept.context = EVP_MD_CTX_new();
	if (!start(imported, scheme) ||
	    EVP_DigestVerify(kept.context, signature.data, signature.len, data.data, data.len) != 1)
		outcome = invalid_signature();
	EVP_MD_CTX_reset(kept.context);
	EVP_PKEY_free(imported);
	return outcome;
}

static enum outcome verify(const struct key_info *key, struct span algorithm, bool sha1,
    struct span signature, struct span data)
{
	struct scheme scheme = {0};
	struct pss pss = {0};

	if (find_scheme(algorithm, sha1, &pss, &scheme) != EST_OK ||
	    check_fit(key, &scheme) != EST_OK)
		return EST_MALFORMED;
	return scheme.family == FAMILY_EC ? verify_by_curve(key, &scheme, signature, data)
					  : verify_by_import(key, &scheme, signature, data);
}

enum outcome key_verify(
    const struct key_info *key, struct span algorithm, struct span signature, struct span data)
{
	return verify(key, algorithm, false, signature, data);
}

enum outcome key_verify_sha1(
    const struct key_info *key, struct span algorithm, struct span signature, struct span data)
{
	return verify(key, algorithm, true, signature, data);
}

bool key_signature_known(struct span oid)
{
	for (size_t i = 0; i < SIGNATURE_KINDS; i++) {
		struct span algorithm = signature_kinds[i].algorithm;
		struct der known;
		if (der_take(&algorithm, DER_OID, &known) == EST_OK &&
		    span_equal(known.content, oid))
			return true;
	}
	return DER_IS(oid, RSASSA_PSS);
}

/* Which signature a CA's key makes: OpenSSL's name of its type, and the digest that matches its
 * strength. */
static const struct {
	const char *type;
	int bits_from;
	enum signature kind;
} signers[] = {
    {"EC", 384, ECDSA_SHA384},
    {"EC", 256, ECDSA_SHA256},
    {"RSA", 2048, RSA_SHA256},
    {"ED25519", 0, ED25519},
    {"ED448", 0, ED448},
};

/* The AlgorithmIdentifiers with their SEQUENCE around them, made once. */
static struct span framed_algorithm(enum signature kind)
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
	for (size_t i = 0; i < KEY_KINDS; i++)
		if (key_kinds[i].family == FAMILY_EC && EC_curve_nist2nid(key_kinds[i].name) == nid)
			return true;
	return false;
}

enum outcome key_signer(EVP_PKEY *key, struct span *algorithm, const EVP_MD **digest)
{
	for (size_t i = 0; i < sizeof(signers) / sizeof(signers[0]); i++) {
		enum signature kind = signers[i].kind;
		if (EVP_PKEY_is_a(key, signers[i].type) != 1 ||
		    EVP_PKEY_get_bits(key) < signers[i].bits_from ||
		    (signature_kinds[kind].family == FAMILY_EC && !on_known_curve(key)))
			continue;
		*algorithm = framed_algorithm(kind);
		*digest = digest_of(signature_kinds[kind].digest);
		return EST_OK;
	}
	return reason(EST_MALFORMED, "this key cannot be a CA's here: use P-256, P-384, P-521, RSA "
				     "of 2048 bits or more, Ed25519 or Ed448");
}
