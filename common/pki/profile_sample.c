#include "common/pki/profile_sample.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "common/pki/der.h"
#include "common/pki/profile_parts.h"

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

/* --- names --- */

/* The pattern with an x for every run of stars. */
static void add_like(const char *pattern, struct buf *out)
{
	for (const char *c = pattern; *c != '\0'; c++)
		if (*c != '*')
			buf_add_byte(out, (unsigned char)*c);
		else if (c == pattern || c[-1] != '*')
			buf_add_byte(out, 'x');
}

/* The first pattern of the type or, where that is NULL, of the kind; NULL: there is none. */
static const struct profile_pattern *pattern_of(
    const struct profile *profile, const struct name_type *type, enum san_kind kind)
{
	for (size_t i = 0; i < profile->pattern_count; i++)
		if (profile->patterns[i].type == type &&
		    (type != NULL || profile->patterns[i].kind == kind))
			return &profile->patterns[i];
	return NULL;
}

/* XX: even a country is content with it. */
static void add_sample(
    const struct profile *profile, const struct name_type *type, struct name *name)
{
	struct span value = span_of(strcmp(type->word, "CN") == 0 ? "sample" : "XX");
	struct buf text = {0};

	if (!profile_matches(profile, type, value)) {
		add_like(pattern_of(profile, type, SAN_DNS)->pattern, &text);
		value = buf_span(&text);
	}
	(void)profile_add_attribute(type, value, name);
	buf_free(&text);
}

/* One value of each attribute that the profile grants; what is fixed it adds itself. */
static void take_name(const struct profile *profile, struct name *name)
{
	const struct words *words = &profile->config->subject;

	for (size_t i = 0; i < words->count; i++) {
		const struct name_type *type = name_type_of(words->word[i]);
		if (!profile_fixes(profile, type))
			add_sample(profile, type, name);
	}
}

/* One name of the kind. */
static struct san sample_of(const struct profile *profile, enum san_kind kind, struct buf *text)
{
	static const struct san samples[SAN_KINDS] = {
	    [SAN_DNS] = {SAN_DNS, DER_OCTETS("sample.example")},
	    [SAN_IP] = {SAN_IP, DER_OCTETS("\xc0\x00\x02\x01")},
	    [SAN_EMAIL] = {SAN_EMAIL, DER_OCTETS("sample@sample.example")},
	    [SAN_URI] = {SAN_URI, DER_OCTETS("urn:sample:1")},
	};
	const struct profile_pattern *pattern = pattern_of(profile, NULL, kind);

	if (profile_matches_san(profile, &samples[kind]))
		return samples[kind];
	if (kind == SAN_IP)
		return (struct san){kind, {pattern->range.octets, pattern->range.len}};
	add_like(pattern->pattern, text);
	return (struct san){kind, buf_span(text)};
}

static void take_sans(const struct profile *profile, struct profile_sample *sample)
{
	const struct words *words = &profile->config->subject_alt_names;
	struct sans *sans = &sample->csr.wishes.sans;

	for (unsigned kind = 0; kind < SAN_KINDS; kind++)
		if (words_have(words, san_kind_word((enum san_kind)kind)))
			sans->san[sans->count++] =
			    sample_of(profile, (enum san_kind)kind, &sample->text[kind]);
}

enum outcome profile_sample_make(
    const struct profile *profile, const char *key, bool empty, struct profile_sample *out)
{
	struct csr *csr = &out->csr;
	struct span identity = {NULL, 0};
	enum outcome outcome = add_key(key, &out->spki);

	if (outcome == EST_OK)
		outcome = key_parse(buf_span(&out->spki), &csr->key);
	if (outcome != EST_OK)
		return outcome;
	if (!empty)
		take_name(profile, &csr->name);
	take_sans(profile, out);
	identity = name_first(&csr->name, "CN");
	outcome = profile_names(profile, csr, identity, &out->names);
	if (outcome != EST_OK)
		return outcome;
	name_encode(&out->names.name, &out->subject);
	profile_extensions(
	    profile, csr, &out->names.sans, out->names.name.count == 0, &out->extensions);
	return EST_OK;
}

void profile_sample_clear(struct profile_sample *sample)
{
	name_clear(&sample->csr.name);
	profile_names_clear(&sample->names);
	buf_free(&sample->spki);
	buf_free(&sample->subject);
	buf_free(&sample->extensions);
	for (unsigned kind = 0; kind < SAN_KINDS; kind++)
		buf_free(&sample->text[kind]);
	*sample = (struct profile_sample){.csr = {.der = {NULL, 0}}};
}
