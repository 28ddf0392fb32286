/*
 * lint_test.h - a TBSCertificate in parts, put together from DER and not by our encoders, for the
 * tests of the lint.
 */
#ifndef EST_LINT_TEST_H
#define EST_LINT_TEST_H

#include "maker.h"

#include <openssl/evp.h>

enum part {
	VERSION,
	SERIAL,
	ALGORITHM,
	ISSUER,
	FROM,
	UNTIL,
	SUBJECT,
	SPKI,
	IDS,
	BC,
	KU,
	EKU,
	SKI,
	AKI,
	SAN,
	MORE,
	PARTS
};

#define EXTENSION(oid, value)          "30{06{" oid "}04{" value "}}"
#define CRITICAL_EXTENSION(oid, value) "30{06{" oid "}0101ff04{" value "}}"

/* What does not depend on a key. */
static const char *const good[PARTS] = {
    [VERSION] = "a0{020102}",
    [SERIAL] = "02{4a0102030405060708090a0b0c0d0e0f1011}",
    [ALGORITHM] = "30{06{2a8648ce3d040302}}",
    [ISSUER] = "30{31{30{06{55040a}0c{'Acme'}}}31{30{06{550403}0c{'Issuing'}}}}",
    [FROM] = "17{'260101000000Z'}",
    [UNTIL] = "17{'260331235959Z'}",
    [SUBJECT] = "30{31{30{06{550403}0c{'pump.example'}}}}",
    [BC] = CRITICAL_EXTENSION("551d13", "30{}"),
    [KU] = CRITICAL_EXTENSION("551d0f", "03{0780}"),
    [EKU] = EXTENSION("551d25", "30{06{2b06010505070302}}"),
    [AKI] = EXTENSION("551d23", "30{80{0102030405060708090a0b0c0d0e0f1011121314}}"),
    [SAN] = EXTENSION("551d11", "30{82{'pump.example'}}"),
};

static const unsigned char ca_key_id[] = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

/* RFC 7093 2 (1), by OpenSSL, of an elliptic curve's key of 65 octets. */
static inline struct span key_id_of(struct span spki)
{
	unsigned char digest[32];

	assert_int_equal(
	    EVP_Digest(spki.data + spki.len - 65, 65, digest, NULL, EVP_sha256(), NULL), 1);
	return maker_copy((struct span){digest, 20});
}

static inline void make_parts(struct span parts[static PARTS])
{
	struct span spki = maker_spki("P-256");

	for (size_t i = 0; i < PARTS; i++)
		parts[i] = good[i] == NULL ? (struct span){NULL, 0} : maker_der(good[i]);
	parts[SPKI] = spki;
	parts[SKI] = maker_der(EXTENSION("551d0e", "04{$}"), key_id_of(spki));
}

static inline struct span join(const struct span p[static PARTS])
{
	struct span extensions =
	    maker_der("$$$$$$$", p[BC], p[KU], p[EKU], p[SKI], p[AKI], p[SAN], p[MORE]);
	struct span head = maker_der(
	    "$$$$30{$$}", p[VERSION], p[SERIAL], p[ALGORITHM], p[ISSUER], p[FROM], p[UNTIL]);

	return maker_der("30{$$$$a3{30{$}}}", head, p[SUBJECT], p[SPKI], p[IDS], extensions);
}

/* The good certificate with another one in the place of a part. */
static inline struct span with(enum part part, const char *notation)
{
	struct span parts[PARTS];

	make_parts(parts);
	parts[part] = maker_der(notation);
	return join(parts);
}

static inline struct span with_two(enum part a, const char *first, enum part b, const char *second)
{
	struct span parts[PARTS];

	make_parts(parts);
	parts[a] = maker_der(first);
	parts[b] = maker_der(second);
	return join(parts);
}

#endif
