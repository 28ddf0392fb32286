/* A15 to A22: keys that others have, elliptic curves and points, and kinds that cannot sign. */
#include "tests/hostile/row.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/dsa.h>
#include <openssl/obj_mac.h>

#define BLOCKED  "badCSR:blocked-key"
#define RESERVED "badCSR:reserved-key"
#define CURVE    "badCSR:curve"
#define POINT    "badCSR:point"
#define KEY_TYPE "badCSR:key-type"

static void must(int one)
{
	if (one != 1)
		errx(EXIT_FAILURE, "OpenSSL");
}

/* --- A15: private keys that stand in RFCs --- */

/* RFC 9500 2.1, testRSA2048. */
#define RFC9500_P                                                                                  \
	"DD105702382F232B3681F53791E22617C7BF4E9ACB81ED48DAF6D6995DA3EAB6"                         \
	"42839AFF012D2EA628B90AF279FD3E6F7C93CD80F072F01FF2443B3EE8F24ED4"                         \
	"69A79613A41BD24020F92FD11059BD1D0F301B5BA7A9D3637CA8D65C1A981541"                         \
	"7D8EAB734B0B4F3A2C661D9A1A82F3AC734C40530669AB8E473045A58E65539D"
#define RFC9500_Q                                                                                  \
	"CCF1E5BB90C8E9781EA75BEBF10BC252E11EB023A0260F1887552A56863F4A64"                         \
	"21E8C600BF523D6CB1B0ADBDD65BFEE4A88A037E3D1A415E5BB95648DA5A0CA2"                         \
	"6B54F4A63948522C3D5F89B94A72EFFF95134D5940CE45758F30898090895658"                         \
	"8EEF575B3E4BC4C368CFE813EE9C252C2B02E0DF91F1AA01938D38685D60BA6F"
/* RFC 7030 A.4, the key that the server made. */
#define RFC7030_P                                                                                  \
	"EB7F4EB5D58B642CF264531EA7B56545D768CF4540B6B5367719C46F87160FC1"                         \
	"9EAE0F2E36FA7C386F38807FBA31B3F0CF865858A0A00C5AB2AC0970485D369F"                         \
	"D4A8BE1F777A827995AB526DF7985242ED07C2FF1D5939FC204612C57D31491D"                         \
	"305D3E078DD8961C840F22967D7DBED147872C5811ADFA52CCFD9C5DDB8489E3"
#define RFC7030_Q                                                                                  \
	"E1D6FF488AF0376FA0D468E8DE8134F6477CF551A35517ABB2B6DCA9CEC370F5"                         \
	"CFE8BC38DACC7DEA1E235565AA1D5A370DFC0505D51BD4B1F672755742380350"                         \
	"774D769974D5C7FF045602148362DAA28CAA2258B3092163167504BCFFCEE413"                         \
	"0DB3C52F63E02E788A146D9A14BAD34B74BFB60781E50C0844F8A01F791F23AB"

static void published_rsa(struct request *request, const char *what)
{
	request->key = strcmp(what, "9500") == 0 ? key_rsa_hex(RFC9500_P, RFC9500_Q)
						 : key_rsa_hex(RFC7030_P, RFC7030_Q);
}

/* "CURVE HEX" */
static void published_ec(struct request *request, const char *what)
{
	char curve[32];
	int at = 0;

	if (sscanf(what, "%31s %n", curve, &at) != 1)
		errx(EXIT_FAILURE, "key: %s", what);
	request->key = key_ec_secret(curve, what + at);
}

static void ed25519(struct request *request, const char *what)
{
	request->key = key_raw(EVP_PKEY_ED25519, what);
}

/* --- A16 to A20: curves and points --- */

static void curve(struct request *request, const char *what)
{
	request->key = key_ec(what);
}

static void explicit_curve(struct request *request, const char *what)
{
	struct key *key = key_ec(what);

	key->spki =
	    key_ec_spki(key_ec_explicit(key), key_ec_point(key, POINT_CONVERSION_UNCOMPRESSED));
	request->key = key;
}

/*
 * CVE-2020-0601: P-256 with somebody else's public key as generator, so that one is its private
 * key.
 */
static void own_generator(struct request *request, const char *what)
{
	struct key *victim = key_ec_secret("prime256v1", what), *key;
	EC_GROUP *group = EC_GROUP_dup(victim->ec.group);

	must(EC_GROUP_set_generator(
	    group, victim->ec.point, EC_GROUP_get0_order(group), EC_GROUP_get0_cofactor(group)));
	EC_GROUP_set_curve_name(group, NID_undef);
	key = key_ec_group(group, BN_value_one());
	key->spki =
	    key_ec_spki(key_ec_explicit(key), key_ec_point(key, POINT_CONVERSION_UNCOMPRESSED));
	request->key = key;
}

/*
 * A SubjectPublicKeyInfo in the notation, over the point of a good key, uncompressed, and its x and
 * y.
 */
static void spki(struct request *request, const char *what)
{
	const struct key *key = request_key();
	struct bytes point = key_ec_point(key, POINT_CONVERSION_UNCOMPRESSED);

	request->spki = bytes_make(what, bytes_part(point, 1, 32), bytes_part(point, 33, 32));
}

/* As spki, with the prime of the field added to x: the same point, to who reduces first. */
static void unreduced(struct request *request, const char *what)
{
	static const unsigned char prime[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00,
	    0x01, [20] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	BIGNUM *y = NULL, *field = BN_bin2bn(prime, 32, NULL);

	/* x is 5, the least one that has a y. */
	must(BN_hex2bn(&y, "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc") > 0);
	must(BN_add_word(field, 5));
	request->spki = bytes_make(what, bytes_number(field, 32), bytes_number(y, 32));
	BN_free(y);
	BN_free(field);
}

static void form(struct request *request, const char *what)
{
	struct key *key = key_ec("prime256v1");

	key->spki = key_ec_spki(bytes_oid(NID_X9_62_prime256v1),
	    key_ec_point(key, strcmp(what, "compressed") == 0 ? POINT_CONVERSION_COMPRESSED
							      : POINT_CONVERSION_HYBRID));
	request->key = key;
}

/*
 * Ed25519 keys that any signature R = A, s = 0 or the like verifies by: what is the key, R and s.
 */
static void small_order(struct request *request, const char *what)
{
	struct bytes key = bytes_make(what);

	request->algorithm = bytes_make("30{06{2b6570}}");
	request->spki = bytes_make("30{30{06{2b6570}}03{00 $}}", key);
	request->signature = bytes_make("03{00 01<31 00><32 00>}");
}

/* --- A21: kinds --- */

/* A SubjectPublicKeyInfo and a signature that nobody can check. */
static void junk(struct request *request, const char *what)
{
	request->spki = bytes_make(what);
	request->signature = bytes_make("03{00 <64 5a>}");
}

static void x25519(struct request *request, const char *what)
{
	int kind = strcmp(what, "X448") == 0 ? EVP_PKEY_X448 : EVP_PKEY_X25519;

	request->spki = key_raw(kind, "X")->spki;
}

static void ed448(struct request *request, const char *what)
{
	request->key = key_raw(EVP_PKEY_ED448, what);
}

static EVP_PKEY *generate(EVP_PKEY_CTX *context)
{
	EVP_PKEY *made = NULL;

	must(EVP_PKEY_generate(context, &made));
	EVP_PKEY_CTX_free(context);
	return made;
}

static void dsa(struct request *request, const char *what)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	EVP_PKEY *parameters;

	must(EVP_PKEY_paramgen_init(context));
	must(EVP_PKEY_CTX_set_dsa_paramgen_bits(context, atoi(what)));
	must(EVP_PKEY_CTX_set_dsa_paramgen_q_bits(context, 160));
	parameters = generate(context);
	context = EVP_PKEY_CTX_new(parameters, NULL);
	must(EVP_PKEY_keygen_init(context));
	request->key = key_evp(generate(context), "SHA256");
	EVP_PKEY_free(parameters);
}

/* An RSA key that is for PSS only, by its algorithm (RFC 4055 1.2); the signature is one. */
static void pss_only(struct request *request, const char *what)
{
	static const struct pss wish = {"SHA256", "SHA256", 32};
	struct key *key = key_rsa_bits("pss", 2048, "65537");

	request->key = key;
	request->spki = bytes_make(what, bytes_integer(key->rsa.n), bytes_integer(key->rsa.e));
	request->algorithm =
	    bytes_make("30{06{2a864886f70d01010a}30{a0{30{06{608648016503040201}0500}}"
		       "a1{30{06{2a864886f70d010108}30{06{608648016503040201}0500}}}a2{020120}}}");
	request->signature = bytes_make("03{00 $}", key_rsa_pss(key, &wish, request_info(request)));
}

/* --- A22: keys of the instance --- */

static void reserved(struct request *request, const char *what)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", target.directory, what);
	request->key = key_file(path);
}

/* The CA's point, compressed: another SubjectPublicKeyInfo of the same key. */
static void reserved_compressed(struct request *request, const char *what)
{
	struct bytes point, compressed;
	unsigned char sign;

	reserved(request, what);
	point = bytes_part(request->key->spki, request->key->spki.len - 65, 65);
	if (point.at[0] != 4)
		errx(EXIT_FAILURE, "%s: not on P-256", what);
	sign = 2 | (point.at[64] & 1);
	compressed = bytes_make("$ $", bytes_copy(&sign, 1), bytes_part(point, 1, 32));
	request->spki = key_ec_spki(bytes_oid(NID_X9_62_prime256v1), compressed);
}

#define EC        "06{2a8648ce3d0201}"
#define P256      "06{2a8648ce3d030107}"
#define ON(point) "30{30{" EC P256 "}03{00" point "}}"
#define ODD(oid)  "30{30{06{" oid "}}03{00 <1312 5a>}}"

/*
 * The field of 4588033, which is 1237 * 3709: 0x20a7ee has no root there, and a search for one may
 * not end.
 */
#define COMPOSITE                                                                                  \
	"30{30{" EC "30{020101 30{06{2a8648ce3d0101}0203460201}30{0401 00 04{20a7ee}}"             \
	"04{02 000000}0203459ffb 020101}}03{00 02 000000}}"
/* As CVE-2022-0778 was shown: 17 times 41, and a generator that has to be decompressed. */
#define COMPOSITE_697                                                                              \
	"30{30{" EC "30{020101 30{06{2a8648ce3d0101}020202b9}30{0402 017d 0402 017d}"              \
	"04{02 0008}0201 05 020101}}03{00 02 0008}}"
/* A field of 512 bits, even. */
#define COMPOSITE_LONG                                                                             \
	"30{30{" EC "30{020101 30{06{2a8648ce3d0101}02{00<63 ff>00}}30{04{<64 11>}04{<64 22>}}"    \
	"04{02<64 33>}02{00<64 ff>}020101}}03{00 02<64 33>}}"

const struct row rows_key[] = {
    BAD("A15", "rfc-9500-rsa-2048", published_rsa, "9500", BLOCKED),
    BAD("A15", "rfc-7030-rsa-2048", published_rsa, "7030", BLOCKED),
    BAD("A15", "rfc-9500-p-256", published_ec,
	"prime256v1 E6CB5BDD80AA45AE9C95E8C15476679FFEC953C16851E711E743939589C64FC1", BLOCKED),
    BAD("A15", "rfc-9500-p-384", published_ec,
	"secp384r1 "
	"E2563328DFABF68188606B91324281C1D58A4456431B09D510B35FECC9F307CA1822846FA2671371A9"
	"A81BAC0E35749D",
	BLOCKED),
    BAD("A15", "rfc-9500-p-521", published_ec,
	"secp521r1 "
	"01D924DCCA0A887F8D99767A37D874E637A12CCB477D6E08665356694D68B7655E5069638FDE7B45C8"
	"54013DC77A35B18655B84C966A60220D40F91ED9F5145802EA",
	BLOCKED),
    BAD("A15", "rfc-6979-p-256", published_ec,
	"prime256v1 C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", BLOCKED),
    BAD("A15", "rfc-8032-ed25519", ed25519,
	"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", BLOCKED),

    BAD("A16", "secp112r1", curve, "secp112r1", CURVE),
    BAD("A16", "secp160r1", curve, "secp160r1", CURVE),
    BAD("A16", "secp192r1", curve, "prime192v1", CURVE),
    BAD("A16", "secp224r1", curve, "secp224r1", CURVE),
    BAD("A16", "prime239v1", curve, "prime239v1", CURVE),
    BAD("A16", "secp256k1", curve, "secp256k1", CURVE),
    BAD("A16", "brainpoolp256r1", curve, "brainpoolP256r1", CURVE),
    BAD("A16", "brainpoolp384r1", curve, "brainpoolP384r1", CURVE),
    BAD("A16", "brainpoolp512t1", curve, "brainpoolP512t1", CURVE),
    BAD("A16", "sect163k1", curve, "sect163k1", CURVE),
    BAD("A16", "sect233r1", curve, "sect233r1", CURVE),
    BAD("A16", "sect571k1", curve, "sect571k1", CURVE),
    BAD("A16", "c2pnb163v1", curve, "c2pnb163v1", CURVE),
    BAD("A16", "wtls-12", curve, "wap-wsg-idm-ecid-wtls12", CURVE),
    BAD("A16", "unknown-oid", spki, "30{30{" EC "06{2a0304}}03{00 04 $ $}}", CURVE),

    BAD("A17", "p-256-explicit", explicit_curve, "prime256v1", CURVE),
    BAD("A17", "p-384-explicit", explicit_curve, "secp384r1", CURVE),
    BAD("A17", "p-521-explicit", explicit_curve, "secp521r1", CURVE),
    BAD("A17", "secp256k1-explicit", explicit_curve, "secp256k1", CURVE),
    BAD("A17", "own-generator", own_generator, "5ec0de5ec0de5ec0de5ec0de5ec0de5ec0de5ec0de", CURVE),

    BAD("A18", "composite", spki, COMPOSITE, CURVE),
    BAD("A18", "composite-697", spki, COMPOSITE_697, CURVE),
    BAD("A18", "composite-512-bits", spki, COMPOSITE_LONG, CURVE),

    BAD("A19", "off-curve", spki, ON("04 <64 11>"), POINT),
    BAD("A19", "y-is-x", spki, "30{30{" EC P256 "}03{00 04 $<32 00>}}", POINT),
    BAD("A19", "infinity", spki, ON("00"), POINT),
    BAD("A19", "infinity-65-octets", spki, ON("<65 00>"), POINT),
    BAD("A19", "no-octets", spki, ON(""), "badCSR:point|badCSR:spki"),
    BAD("A19", "half", spki, ON("04 $"), POINT),
    BAD("A19", "one-octet-more", spki, ON("04 $ $ 00"), POINT),
    BAD("A19", "zero-zero", spki, ON("04 <64 00>"), POINT),
    BAD("A19", "x-not-reduced", unreduced, ON("04 $ $"), POINT),
    BAD("A19", "of-p-384-on-p-256", spki, ON("04 <96 11>"), POINT),
    BAD("A19", "parameters-absent", spki, "30{30{" EC "}03{00 04 $ $}}",
	"badCSR:curve|badCSR:spki"),
    BAD("A19", "parameters-null", spki, "30{30{" EC "0500}03{00 04 $ $}}",
	"badCSR:curve|badCSR:spki"),
    BAD("A19", "parameters-twice", spki, "30{30{" EC P256 P256 "}03{00 04 $ $}}",
	"badCSR:spki|badCSR:curve|badCSR:der"),
    BAD("A19", "unused-bits", spki, "30{30{" EC P256 "}03{04 04 $ $}}", "badCSR:spki|badCSR:point"),
    BAD("A19", "octet-string", spki, "30{30{" EC P256 "}04{00 04 $ $}}", "badCSR:spki|badCSR:der"),
    BAD("A19", "ed25519-identity", small_order, "01<31 00>", POINT),
    BAD("A19", "ed25519-order-2", small_order, "ec<30 ff>7f", POINT),
    BAD("A19", "ed25519-31-octets", small_order, "<31 5a>", "badCSR:point|badCSR:spki"),
    BAD("A20", "compressed", form, "compressed", POINT),
    BAD("A20", "hybrid", form, "hybrid", POINT),

    BAD("A21", "dsa-1024", dsa, "1024", KEY_TYPE),
    BAD("A21", "x25519", x25519, "X25519", KEY_TYPE),
    BAD("A21", "x448", x25519, "X448", KEY_TYPE),
    BAD("A21", "ed448-not-granted", ed448, "ed448", "badCSR:key-not-granted|badCSR:key-type"),
    BAD("A21", "rsa-for-pss", pss_only, "30{30{06{2a864886f70d01010a}}03{00 30{02{$}02{$}}}}",
	KEY_TYPE),
    BAD("A21", "rsa-for-oaep", pss_only, "30{30{06{2a864886f70d010107}}03{00 30{02{$}02{$}}}}",
	KEY_TYPE),
    BAD("A21", "gost-2001", junk,
	"30{30{06{2a8503020213}30{06{2a850302022301}06{2a850302021e01}}}03{00 04{<64 5a>}}}",
	KEY_TYPE),
    BAD("A21", "gost-2012", junk,
	"30{30{06{2a85030701010101}30{06{2a850302022301}}}03{00 04{<64 5a>}}}", KEY_TYPE),
    BAD("A21", "sm2-curve", curve, "SM2", "badCSR:curve|badCSR:key-type"),
    BAD("A21", "sm2-algorithm", junk, "30{30{06{2a811ccf5501822d}}03{00 04<64 5a>}}", KEY_TYPE),
    BAD("A21", "ml-dsa-44", junk, ODD("608648016503040311"), KEY_TYPE),
    BAD("A21", "ml-dsa-65", junk, ODD("608648016503040312"), KEY_TYPE),
    BAD("A21", "ml-dsa-87", junk, ODD("608648016503040313"), KEY_TYPE),
    BAD("A21", "slh-dsa", junk, "30{30{06{608648016503040314}}03{00 <32 5a>}}", KEY_TYPE),
    BAD("A21", "ml-kem-768", junk, ODD("608648016503040402"), KEY_TYPE),
    BAD("A21", "diffie-hellman", junk,
	"30{30{06{2a864886f70d010301}30{02{00<64 ff>}020102}}03{00 02{<64 5a>}}}", KEY_TYPE),
    BAD("A21", "ec-for-ecdh", spki, "30{30{06{2b8104010c}" P256 "}03{00 04 $ $}}", KEY_TYPE),
    BAD("A21", "unknown-oid", junk, ODD("2a0304"), KEY_TYPE),
    BAD("A21", "no-oid", junk, "30{30{}03{00 <64 5a>}}", "badCSR:key-type|badCSR:spki"),
    BAD("A21", "empty", junk, "30{}", "badCSR:spki|badCSR:der"),

    BAD("A22", "ca", reserved, "est/devices.key", RESERVED),
    BAD("A22", "ca-compressed", reserved_compressed, "est/devices.key",
	"badCSR:reserved-key|badCSR:point"),
    BAD("A22", "root", reserved, "est/root.key", RESERVED),
    BAD("A22", "other-ca", reserved, "second/devices.key", RESERVED),
    BAD("A22", "tls-server", reserved, "est/server.key", RESERVED),
    {0},
};
