/*
 * ca_prove.c - whether a profile's certificates pass the lint, found
 * out before anybody asks for one.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/objects.h>

#include "common/ca/ca.h"
#include "common/pki/der.h"

/* --- keys that nobody has the private half of --- */

/*
 * X.690: a positive INTEGER of so many bits, all of them ones; no modulus, but of the form of one.
 */
static void add_modulus(size_t bits, struct buf *out)
{
	size_t mark = der_open(out, DER_INTEGER);

	buf_add_byte(out, 0);
	for (size_t i = 0; i < bits / 8; i++)
		buf_add_byte(out, 0xff);
	der_close(out, mark);
}

static void add_rsa(size_t bits, struct buf *out)
{
	static const struct span algorithm =
	    DER_OCTETS("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00");
	static const struct span exponent = DER_OCTETS("\x02\x03\x01\x00\x01");
	size_t spki = der_open(out, DER_SEQUENCE), string, sequence;

	buf_add_span(out, algorithm);
	string = der_open(out, DER_BIT_STRING);
	buf_add_byte(out, 0);
	sequence = der_open(out, DER_SEQUENCE);
	add_modulus(bits, out);
	buf_add_span(out, exponent);
	der_close(out, sequence);
	der_close(out, string);
	der_close(out, spki);
}

static void add_object(int nid, struct buf *out)
{
	const ASN1_OBJECT *object = OBJ_nid2obj(nid);

	der_add(out, DER_OID, (struct span){OBJ_get0_data(object), OBJ_length(object)});
}

/* The curve's generator: making a key takes a thousand times as long. */
static bool add_ec(int curve, struct buf *out)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(curve);
	unsigned char *point = NULL;
	size_t len = 0, spki, part;

	if (group != NULL)
		len = EC_POINT_point2buf(group, EC_GROUP_get0_generator(group),
		    POINT_CONVERSION_UNCOMPRESSED, &point, NULL);
	if (len > 0) {
		spki = der_open(out, DER_SEQUENCE);
		part = der_open(out, DER_SEQUENCE);
		add_object(NID_X9_62_id_ecPublicKey, out);
		add_object(curve, out);
		der_close(out, part);
		part = der_open(out, DER_BIT_STRING);
		buf_add_byte(out, 0);
		buf_add(out, point, len);
		der_close(out, part);
		der_close(out, spki);
	}
	OPENSSL_free(point);
	EC_GROUP_free(group);
	return len > 0;
}

static bool add_made(const char *word, struct buf *out)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, word);
	unsigned char *der = NULL;
	int len = key == NULL ? 0 : i2d_PUBKEY(key, &der);

	if (len > 0)
		buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return len > 0;
}

/* Appends a SubjectPublicKeyInfo of the kind. */
static enum outcome add_key(const char *word, struct buf *out)
{
	int curve = EC_curve_nist2nid(word);
	bool added = true;

	if (strncmp(word, "RSA-", 4) == 0)
		add_rsa(strtoul(word + 4, NULL, 10), out);
	else
		added = curve != NID_undef ? add_ec(curve, out) : add_made(word, out);
	return added ? EST_OK : reason_openssl(EST_INTERNAL, "cannot make a %s key", word);
}

/* --- the sample --- */

/* A certificate to be, and what it is made of. */
struct sample {
	const struct ca *ca;
	const struct profile *profile;
	const char *word; /* of its key */
	struct buf spki, subject, extensions, tbs;
	struct csr csr;
	struct sans sans;
};

/* One value of each attribute that the profile grants. */
static void add_subject(const struct words *words, struct buf *out)
{
	size_t sequence = der_open(out, DER_SEQUENCE);

	for (size_t i = 0; i < words->count; i++) {
		const struct name_type *type = name_type_of(words->word[i]);
		unsigned tag = type->printable ? DER_PRINTABLE : type->ia5 ? DER_IA5 : DER_UTF8;
		size_t set = der_open(out, DER_SET), pair = der_open(out, DER_SEQUENCE);
		der_add(out, DER_OID, type->oid);
		der_add(out, tag, span_of("XX")); /* which even a country is content with */
		der_close(out, pair);
		der_close(out, set);
	}
	der_close(out, sequence);
}

static void take_sans(const struct words *words, struct sans *out)
{
	static const struct san sans[SAN_KINDS] = {
	    [SAN_DNS] = {SAN_DNS, DER_OCTETS("sample.example")},
	    [SAN_IP] = {SAN_IP, DER_OCTETS("\xc0\x00\x02\x01")},
	    [SAN_EMAIL] = {SAN_EMAIL, DER_OCTETS("sample@sample.example")},
	    [SAN_URI] = {SAN_URI, DER_OCTETS("urn:sample:1")},
	};

	for (unsigned kind = 0; kind < SAN_KINDS; kind++)
		if (words_have(words, san_kind_word((enum san_kind)kind)))
			out->san[out->count++] = sans[kind];
}

static void say_finding(void *context, const char *rule, const char *section, const char *what)
{
	const struct sample *sample = context;
	const struct config_profile *config = sample->profile->config;

	/* The first one stays. */
	(void)reason(EST_MALFORMED,
	    "profile \"%s\" (line %d): no certificate for a %s key can be issued, because of its "
	    "%s: %s%s%s%s; mend the profile, or take that kind out of its keys",
	    config->name, config->line, sample->word, rule, what, section[0] == '\0' ? "" : " (",
	    section, section[0] == '\0' ? "" : ")");
}

/* Looks at the certificate that the CA would sign first. */
static enum outcome check(struct sample *sample)
{
	const struct config_profile *config = sample->profile->config;
	struct lint_want want = {.subject = buf_span(&sample->subject),
	    .spki = buf_span(&sample->spki),
	    .sans = &sample->sans,
	    .profile = sample->profile};
	struct cert_plan plan = {.serial = {1},
	    .issuer = sample->ca->subject,
	    .subject = want.subject,
	    .spki = want.spki,
	    .authority_key_id = sample->ca->key_id,
	    .not_before = sample->ca->not_before,
	    .not_after = sample->ca->not_before + config->validity - 1,
	    .want = &want};
	struct lint_want whole;

	if (plan.not_after > sample->ca->not_after)
		plan.not_after = sample->ca->not_after;
	buf_reset(&sample->extensions);
	buf_reset(&sample->tbs);
	profile_extensions(sample->profile, &sample->csr, &sample->sans, &sample->extensions);
	plan.extensions = buf_span(&sample->extensions);
	cert_encode_tbs(&plan, sample->ca->algorithm, &sample->tbs);
	whole = ca_want(sample->ca, &plan);
	return lint_each(buf_span(&sample->tbs), &whole, say_finding, sample) == 0 ? EST_OK
										   : EST_MALFORMED;
}

/* With all that may be in it, and without a subject where that may be. */
static enum outcome check_key(struct sample *sample)
{
	const struct config_profile *config = sample->profile->config;
	struct csr *csr = &sample->csr;
	enum outcome outcome;

	buf_reset(&sample->spki);
	buf_reset(&sample->subject);
	outcome = add_key(sample->word, &sample->spki);
	if (outcome == EST_OK)
		outcome = key_parse(buf_span(&sample->spki), &csr->key);
	if (outcome != EST_OK)
		return outcome;
	add_subject(&config->subject, &sample->subject);
	csr->name.count = config->subject.count;
	outcome = check(sample);
	if (outcome == EST_OK && config->empty_subject && csr->name.count > 0) {
		buf_reset(&sample->subject);
		der_add(&sample->subject, DER_SEQUENCE, (struct span){NULL, 0});
		csr->name.count = 0;
		outcome = check(sample);
	}
	return outcome;
}

enum outcome ca_prove(const struct ca *ca, const struct profile *profile)
{
	struct sample *sample = mem_alloc(sizeof(*sample));
	const struct words *keys = &profile->config->keys;
	enum outcome outcome = EST_OK;

	sample->ca = ca;
	sample->profile = profile;
	take_sans(&profile->config->subject_alt_names, &sample->sans);
	for (size_t i = 0; i < keys->count && outcome == EST_OK; i++) {
		sample->word = keys->word[i];
		outcome = check_key(sample);
	}
	buf_free(&sample->spki);
	buf_free(&sample->subject);
	buf_free(&sample->extensions);
	buf_free(&sample->tbs);
	free(sample);
	return outcome;
}
