/* A1 to A5: what a request is signed with. */
#include "tests/hostile/row.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE "badCSR:signature"
#define SIGALG    "badCSR:sigalg"
/* A BIT STRING that is no DER may be found before anybody looks at the signature. */
#define SIGNATURE_DER "badCSR:signature|badCSR:der"

static const struct key *rsa_2048(void)
{
	static const struct key *key;

	if (key == NULL)
		key = key_rsa_bits("rsa", 2048, "65537");
	return key;
}

/* The key of that word, "ec" if there is none, and a right signature by it. */
static struct bytes sign_by(struct request *request, const char *kind)
{
	if (strncmp(kind, "rsa", 3) == 0)
		request->key = rsa_2048();
	else if (strncmp(kind, "ed25519", 7) == 0)
		request->key = key_raw(EVP_PKEY_ED25519, "signature");
	else
		request->key = request_key();
	return request->key->sign(request->key, request_info(request));
}

static struct bytes bits(struct bytes signature)
{
	return bytes_make("03{00 $}", signature);
}

static void flipped(struct request *request, const char *what)
{
	struct bytes signature = sign_by(request, what);

	request->signature = bits(bytes_flip(signature, signature.len - 1, 1));
}

static void half(struct request *request, const char *what)
{
	struct bytes signature = sign_by(request, what);

	request->signature = bits(bytes_part(signature, 0, signature.len / 2));
}

static void lengthened(struct request *request, const char *what)
{
	request->signature = bytes_make("03{00 $ 00}", sign_by(request, what));
}

/* A right signature, the last bits of which are said not to count. */
static void unused_bits(struct request *request, const char *what)
{
	request->signature = bytes_make(what, sign_by(request, "ec"));
}

/* The whole BIT STRING. */
static void fixed(struct request *request, const char *what)
{
	request->signature = bytes_make(what);
}

static void of_other_key(struct request *request, const char *what)
{
	const struct key *other = key_ec_secret("prime256v1", what);

	request->signature = bits(other->sign(other, request_info(request)));
}

/* Over something else: the signature of another request of this key. */
static void of_other_request(struct request *request, const char *what)
{
	struct bytes signature;

	request->name = what;
	signature = request_key()->sign(request_key(), request_info(request));
	request->name = "pump-other.example";
	request->signature = bits(signature);
}

/* r, s as they are, in another form: what of {r, s} that notation makes. */
static void ecdsa_form(struct request *request, const char *what)
{
	struct bytes signature = sign_by(request, "ec");
	size_t r_len = signature.at[3], s_at = 4 + r_len;

	request->signature = bits(bytes_make(
	    what, bytes_part(signature, 4, r_len), bytes_part(signature, s_at + 2, signature.len)));
}

/* PKCS #1 padding that ends too early, as in forgeries against lenient verifiers. */
static void short_padding(struct request *request, const char *what)
{
	struct bytes info, tail;

	request->key = rsa_2048();
	info = request_info(request);
	tail = bytes_make(what, key_rsa_digest_info(EVP_sha256(), info));
	request->signature = bits(key_rsa_padded(request->key, tail));
}

/* SHA-256 by its algorithm, another digest inside. */
static void other_digest(struct request *request, const char *what)
{
	struct bytes info;

	request->key = rsa_2048();
	info = request_info(request);
	request->signature = bits(
	    key_rsa_padded(request->key, key_rsa_digest_info(EVP_get_digestbyname(what), info)));
}

/* Ed25519: s and s plus the group's order verify alike where nobody looks (RFC 8032 5.1.7). */
static void malleable(struct request *request, const char *what)
{
	static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
	    0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	struct bytes signature = sign_by(request, what);
	unsigned char octets[64];
	unsigned carry = 0;

	memcpy(octets, signature.at, sizeof(octets));
	for (size_t i = 0; i < sizeof(order); i++) {
		carry += octets[32 + i] + order[i];
		octets[32 + i] = (unsigned char)carry;
		carry >>= 8;
	}
	request->signature = bits(bytes_copy(octets, sizeof(octets)));
}

/* "rsa SHA1": key and digest of a right signature that says what it is. */
static void with_digest(struct request *request, const char *what)
{
	struct key *key = key_add();
	bool is_rsa = strncmp(what, "rsa ", 4) == 0;
	const struct key *base = is_rsa ? rsa_2048() : request_key();

	key->spki = base->spki;
	key->sign = base->sign;
	key->rsa = base->rsa;
	key->ec = base->ec;
	key_digest(key, strchr(what, ' ') + 1, is_rsa ? EVP_PKEY_RSA : EVP_PKEY_EC);
	request->key = key;
	request->signature = bits(key->sign(key, request_info(request)));
	key->rsa.count = 0; /* the base key's, which frees them */
	key->rsa.n = key->rsa.e = NULL;
	memset(&key->ec, 0, sizeof(key->ec));
}

/* "SHA1 SHA1 20 NOTATION": digest, that of the mask, length of the salt; the parameters. */
static void pss(struct request *request, const char *what)
{
	char digest[16], mask[16];
	struct pss wish = {digest, mask, 0};
	int at = 0;

	if (sscanf(what, "%15s %15s %d %n", digest, mask, &wish.salt, &at) != 3)
		errx(EXIT_FAILURE, "PSS: %s", what);
	request->key = rsa_2048();
	request->algorithm = bytes_make("30{06{2a864886f70d01010a}$}", bytes_make(what + at));
	request->signature = bits(key_rsa_pss(request->key, &wish, request_info(request)));
}

/* "rsa NOTATION": a right signature by that key under the AlgorithmIdentifier of the notation. */
static void algorithm(struct request *request, const char *what)
{
	(void)sign_by(request, what);
	request->algorithm = bytes_make(strchr(what, ' ') + 1);
}

#define PSS(hash, mask, salt)                                                                      \
	"30{a0{30{" hash "0500}}a1{30{06{2a864886f70d010108}30{" mask "0500}}}a2{" salt "}}"
#define SHA1         "06{2b0e03021a}"
#define SHA256       "06{608648016503040201}"
#define SHA512       "06{608648016503040203}"
#define ECDSA_SHA256 "30{06{2a8648ce3d040302}}"
#define RSA_SHA256   "30{06{2a864886f70d01010b}0500}"

const struct row rows_signature[] = {
    BAD("A1", "bit-flipped-ecdsa", flipped, "ec", SIGNATURE),
    BAD("A1", "bit-flipped-rsa", flipped, "rsa", SIGNATURE),
    BAD("A1", "bit-flipped-ed25519", flipped, "ed25519", SIGNATURE),
    BAD("A1", "empty", fixed, "03{00}", SIGNATURE_DER),
    BAD("A1", "no-octet-of-unused-bits", fixed, "03{}", SIGNATURE_DER),
    BAD("A1", "one-octet", fixed, "03{00 30}", SIGNATURE),
    BAD("A1", "zeros", fixed, "03{00 <71 00>}", SIGNATURE),
    BAD("A1", "octet-string", fixed, "04{00 30{020101 020101}}", SIGNATURE_DER),
    BAD("A1", "null", fixed, "0500", SIGNATURE_DER),
    BAD("A1", "half-ecdsa", half, "ec", SIGNATURE),
    BAD("A1", "half-rsa", half, "rsa", SIGNATURE),
    BAD("A1", "half-ed25519", half, "ed25519", SIGNATURE),
    BAD("A1", "longer-ecdsa", lengthened, "ec", SIGNATURE),
    BAD("A1", "longer-rsa", lengthened, "rsa", SIGNATURE),
    BAD("A1", "longer-ed25519", lengthened, "ed25519", SIGNATURE),
    BAD("A1", "unused-bits-1", unused_bits, "03{01 $}", SIGNATURE_DER),
    BAD("A1", "unused-bits-8", unused_bits, "03{08 $}", SIGNATURE_DER),
    BAD("A1", "other-key", of_other_key, "1234567890abcdef", SIGNATURE),
    BAD("A1", "other-request", of_other_request, "pump-another.example", SIGNATURE),
    BAD("A1", "ecdsa-zero-zero", fixed, "03{00 30{020100 020100}}", SIGNATURE),
    BAD("A1", "ecdsa-one-one", fixed, "03{00 30{020101 020101}}", SIGNATURE),
    BAD("A1", "ecdsa-leading-zeros", ecdsa_form, "30{02{0000 $}02{0000 $}}", SIGNATURE),
    BAD("A1", "ecdsa-indefinite", ecdsa_form, "30!{02{$}02{$}}", SIGNATURE),
    BAD("A1", "ecdsa-third-number", ecdsa_form, "30{02{$}02{$}020100}", SIGNATURE),
    BAD("A1", "rsa-garbage-behind", short_padding, "$ <64 41>", SIGNATURE),
    BAD("A1", "rsa-digest-twice", short_padding, "$ 30{30{" SHA256 "0500}04{<32 00>}}", SIGNATURE),
    BAD("A1", "rsa-other-digest-inside", other_digest, "SHA1", SIGNATURE),
    BAD("A1", "ed25519-malleable", malleable, "ed25519", SIGNATURE),

    BAD("A2", "rsa-md5", with_digest, "rsa MD5", SIGALG),
    BAD("A2", "rsa-sha1", with_digest, "rsa SHA1", SIGALG),
    BAD("A2", "rsa-sha224", with_digest, "rsa SHA224", SIGALG),
    BAD("A2", "rsa-ripemd160", algorithm, "rsa 30{06{2b2403030102}0500}", SIGALG),
    BAD("A2", "rsa-md2", algorithm, "rsa 30{06{2a864886f70d010102}0500}", SIGALG),
    BAD("A2", "rsa-sha3-256", with_digest, "rsa SHA3-256", SIGALG),
    BAD("A2", "ecdsa-sha1", with_digest, "ec SHA1", SIGALG),
    BAD("A2", "ecdsa-sha224", with_digest, "ec SHA224", SIGALG),
    BAD("A2", "ecdsa-sha3-256", with_digest, "ec SHA3-256", SIGALG),
    BAD("A2", "pss-defaults-are-sha1", pss, "SHA1 SHA1 20 30{}", SIGALG),
    BAD("A2", "pss-sha1-spelled", pss, "SHA1 SHA1 20 " PSS(SHA1, SHA1, "020114"), SIGALG),
    BAD("A2", "pss-mask-of-sha1", pss, "SHA256 SHA1 32 " PSS(SHA256, SHA1, "020120"), SIGALG),
    BAD("A2", "pss-other-salt", pss, "SHA256 SHA256 32 " PSS(SHA256, SHA256, "020110"),
	"badCSR:signature|badCSR:sigalg"),
    BAD("A2", "pss-negative-salt", pss, "SHA256 SHA256 32 " PSS(SHA256, SHA256, "0201ff"),
	"badCSR:signature|badCSR:sigalg"),
    BAD("A2", "pss-endless-salt", pss, "SHA256 SHA256 32 " PSS(SHA256, SHA256, "02047fffffff"),
	"badCSR:signature|badCSR:sigalg"),
    BAD("A2", "pss-two-digests", pss, "SHA256 SHA512 32 " PSS(SHA256, SHA512, "020120"), SIGALG),
    BAD("A2", "pss-no-parameters", pss, "SHA256 SHA256 32 ", SIGALG),

    BAD("A3", "unknown-oid", algorithm, "ec 30{06{2a0304}}", SIGALG),
    BAD("A3", "unknown-oid-rsa", algorithm, "rsa 30{06{2a0304}0500}", SIGALG),
    BAD("A3", "no-oid", algorithm, "ec 30{}", "badCSR:sigalg|badCSR:der"),
    BAD("A3", "empty-oid", algorithm, "ec 30{0600}", "badCSR:sigalg|badCSR:der"),
    BAD("A3", "oid-cut-off", algorithm, "ec 30{06{2a86}}", "badCSR:sigalg|badCSR:der"),
    BAD("A3", "an-integer", algorithm, "ec 30{020101}", "badCSR:sigalg|badCSR:der"),
    BAD("A3", "ecdsa-with-null", algorithm, "ec 30{06{2a8648ce3d040302}0500}", SIGALG),
    BAD("A3", "ecdsa-with-parameters", algorithm, "ec 30{06{2a8648ce3d040302}30{020101}}", SIGALG),
    BAD("A3", "ecdsa-trailing", algorithm, "ec 30{06{2a8648ce3d040302}0500 0500}",
	"badCSR:sigalg|badCSR:der"),
    BAD("A3", "rsa-with-integer", algorithm, "rsa 30{06{2a864886f70d01010b}020101}", SIGALG),
    BAD("A3", "ed25519-with-null", algorithm, "ed25519 30{06{2b6570}0500}", SIGALG),
    BAD("A3", "rsaencryption", algorithm, "rsa 30{06{2a864886f70d010101}0500}", SIGALG),
    BAD("A3", "ecpublickey", algorithm, "ec 30{06{2a8648ce3d0201}}", SIGALG),
    /* RFC 4055 5: who verifies has to take them absent as well. */
    GOOD("A3", "rsa-parameters-absent", algorithm, "rsa 30{06{2a864886f70d01010b}}", ""),

    BAD("A4", "one", make_version, "020101", "badCSR:version"),
    BAD("A4", "two", make_version, "020102", "badCSR:version"),
    BAD("A4", "minus-one", make_version, "0201ff", "badCSR:version"),
    BAD("A4", "256", make_version, "02020100", "badCSR:version"),
    BAD("A4", "64-bits-that-end-in-zeros", make_version, "02{01 <8 00>}", "badCSR:version"),
    BAD("A4", "zero-in-two-octets", make_version, "02020000", "badCSR:version|badCSR:der"),
    BAD("A4", "no-octets", make_version, "0200", "badCSR:version|badCSR:der"),
    BAD("A4", "absent", make_version, "", "badCSR:version|badCSR:der"),
    BAD("A4", "enumerated", make_version, "0a0100", "badCSR:version|badCSR:der"),
    BAD("A4", "boolean", make_version, "010100", "badCSR:version|badCSR:der"),

    BAD("A5", "ec-key-rsa-algorithm", algorithm, "ec " RSA_SHA256, SIGALG),
    BAD("A5", "rsa-key-ecdsa-algorithm", algorithm, "rsa " ECDSA_SHA256, SIGALG),
    BAD("A5", "ec-key-ed25519-algorithm", algorithm, "ec 30{06{2b6570}}", SIGALG),
    BAD("A5", "ed25519-key-ecdsa-algorithm", algorithm, "ed25519 " ECDSA_SHA256, SIGALG),
    BAD("A5", "ed25519-key-ed448-algorithm", algorithm, "ed25519 30{06{2b6571}}", SIGALG),
    BAD("A5", "ec-key-pss-algorithm", algorithm,
	"ec 30{06{2a864886f70d01010a}" PSS(SHA256, SHA256, "020120") "}", SIGALG),
    BAD("A5", "ecdsa-of-other-digest", algorithm, "ec 30{06{2a8648ce3d040303}}", SIGNATURE),
    {0},
};
