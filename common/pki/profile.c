#include "common/pki/profile.h"

#include <stdlib.h>
#include <string.h>

#include "common/pki/der.h"

/* RFC 5280 4.2.1.3. Only a CA has the last two, so no profile may grant them. */
static const char *const key_usages[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
    "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"};

enum {
	KEY_ENCIPHERMENT = 2,
	DATA_ENCIPHERMENT = 3,
	KEY_AGREEMENT = 4,
	KEY_CERT_SIGN = 5,
	CRL_SIGN = 6,
	ENCIPHER_ONLY = 7,
	DECIPHER_ONLY = 8
};

#define KEY_USAGES (sizeof(key_usages) / sizeof(key_usages[0]))
#define CA_USAGES  (1U << KEY_CERT_SIGN | 1U << CRL_SIGN)

static const unsigned char oid_basic_constraints[] = {0x55, 0x1d, 0x13};
static const unsigned char oid_key_usage[] = {0x55, 0x1d, 0x0f};
static const unsigned char oid_extended_key_usage[] = {0x55, 0x1d, 0x25};
static const unsigned char oid_subject_alt_name[] = {0x55, 0x1d, 0x11};

static void add_extension(
    struct buf *out, const unsigned char oid[static 3], bool critical, struct span value)
{
	static const unsigned char is_true[] = {0xff};
	size_t extension = der_open(out, DER_SEQUENCE);

	der_add(out, DER_OID, (struct span){oid, 3});
	if (critical)
		der_add(out, DER_BOOLEAN, (struct span){is_true, 1});
	der_add(out, DER_OCTET_STRING, value);
	der_close(out, extension);
}

static void add_extended_key_usage(struct buf *out, struct span oids)
{
	struct buf value = {0};

	der_add(&value, DER_SEQUENCE, oids);
	add_extension(out, oid_extended_key_usage, false, buf_span(&value));
	buf_free(&value);
}

/* X.690 11.2.2: a named bit list in DER has no trailing zero bits. */
static void add_key_usage(struct buf *out, unsigned usage)
{
	unsigned char value[5] = {DER_BIT_STRING, 2, 0, 0, 0};
	unsigned last = 0;

	for (unsigned bit = 0; bit < KEY_USAGES; bit++)
		if ((usage & 1U << bit) != 0) {
			value[3 + bit / 8] = (unsigned char)(value[3 + bit / 8] | 0x80 >> bit % 8);
			last = bit;
		}
	value[1] = (unsigned char)(2 + last / 8);
	value[2] = (unsigned char)(7 - last % 8);
	add_extension(out, oid_key_usage, true, (struct span){value, 2U + value[1]});
}

static enum outcome unknown_word(
    const char *path, const struct words *words, const char *key, const char *word)
{
	return reason(EST_MALFORMED, "%s:%d: %s: \"%.60s\" is not known; see est.conf(5)", path,
	    words->line, key, word);
}

static enum outcome make_key_usage(const char *path, struct profile *profile)
{
	const struct words *words = &profile->config->key_usage;

	for (size_t i = 0; i < words->count; i++) {
		size_t bit = 0;
		while (bit < KEY_USAGES && strcmp(key_usages[bit], words->word[i]) != 0)
			bit++;
		if (bit == KEY_USAGES)
			return unknown_word(path, words, "key_usage", words->word[i]);
		profile->key_usage |= 1U << bit;
	}
	if (profile->key_usage == 0 || (profile->key_usage & CA_USAGES) != 0)
		return reason(EST_MALFORMED,
		    "%s:%d: key_usage: must name at least one, and neither keyCertSign nor cRLSign",
		    path, words->line);
	return EST_OK;
}

static enum outcome make_extended_key_usage(const char *path, struct profile *profile)
{
	const struct words *words = &profile->config->extended_key_usage;

	for (size_t i = 0; i < words->count; i++) {
		size_t mark = der_open(&profile->extended_key_usage, DER_OID);
		if (der_oid_parse(words->word[i], &profile->extended_key_usage) != EST_OK) {
			reason_clear();
			return unknown_word(path, words, "extended_key_usage", words->word[i]);
		}
		der_close(&profile->extended_key_usage, mark);
	}
	if (words->count > 0)
		add_extended_key_usage(
		    &profile->extended_extension, buf_span(&profile->extended_key_usage));
	return EST_OK;
}

static bool san_word_known(const char *word)
{
	for (unsigned kind = 0; kind < SAN_KINDS; kind++)
		if (strcmp(san_kind_word((enum san_kind)kind), word) == 0)
			return true;
	return false;
}

static bool subject_word_known(const char *word)
{
	return name_type_of(word) != NULL;
}

static enum outcome check_words(
    const char *path, const struct words *words, const char *key, bool (*known)(const char *))
{
	for (size_t i = 0; i < words->count; i++)
		if (!known(words->word[i]))
			return unknown_word(path, words, key, words->word[i]);
	return EST_OK;
}

enum outcome profile_make(
    const char *path, const struct config_profile *config, struct profile **out)
{
	static const unsigned char empty_sequence[] = {DER_SEQUENCE, 0};
	struct profile *profile = mem_alloc(sizeof(*profile));
	enum outcome outcome;

	profile->config = config;
	add_extension(&profile->basic_constraints, oid_basic_constraints, true,
	    (struct span){empty_sequence, sizeof(empty_sequence)});
	outcome = make_key_usage(path, profile);
	if (outcome == EST_OK)
		outcome = make_extended_key_usage(path, profile);
	if (outcome == EST_OK)
		outcome = check_words(path, &config->keys, "keys", key_word_known);
	if (outcome == EST_OK)
		outcome = check_words(path, &config->subject, "subject", subject_word_known);
	if (outcome == EST_OK)
		outcome = check_words(
		    path, &config->subject_alt_names, "subject_alt_names", san_word_known);
	if (outcome != EST_OK) {
		profile_free(profile);
		return outcome;
	}
	*out = profile;
	return EST_OK;
}

void profile_free(struct profile *profile)
{
	if (profile == NULL)
		return;
	buf_free(&profile->extended_key_usage);
	buf_free(&profile->basic_constraints);
	buf_free(&profile->extended_extension);
	free(profile);
}

static enum outcome not_granted(const struct profile *profile, const char *what)
{
	return reason(EST_MALFORMED,
	    "RFC 7030 4.2.3: the request asks for %s, which profile \"%s\" does not "
	    "grant; leave it out",
	    what, profile->config->name);
}

static enum outcome check_subject(const struct profile *profile, const struct name *name)
{
	for (size_t i = 0; i < name->count; i++) {
		const struct name_type *type = name->attributes[i].type;
		struct buf oid = {0};
		if (type != NULL && words_have(&profile->config->subject, type->word))
			continue;
		buf_add_string(&oid, "the subject attribute ");
		if (type != NULL)
			buf_add_string(&oid, type->word);
		else
			der_oid_text(&oid, name->attributes[i].oid);
		(void)not_granted(profile, buf_string(&oid));
		buf_free(&oid);
		return EST_MALFORMED;
	}
	return EST_OK;
}

static enum outcome check_sans(const struct profile *profile, const struct sans *sans)
{
	if (sans->others > 0)
		return not_granted(
		    profile, "a subject alternative name that is none of dns, ip, email, uri");
	for (size_t i = 0; i < sans->count; i++) {
		const char *word = san_kind_word(sans->san[i].kind);
		if (!words_have(&profile->config->subject_alt_names, word))
			return reason(EST_MALFORMED,
			    "RFC 7030 4.2.3: the request asks for a subject alternative name of "
			    "type %s, which "
			    "profile \"%s\" does not grant; leave it out",
			    word, profile->config->name);
	}
	return EST_OK;
}

/* What the profile grants for this key: RFC 8813 3 has no encipherment with EC keys, RFC 8410 5
   neither that nor key agreement with Ed25519, and RSA has no key agreement (RFC 4055 1.2). */
static unsigned usage_for(const struct profile *profile, const struct key_info *key)
{
	unsigned never = 0;

	if (!key_can_encipher(key))
		never |= 1U << KEY_ENCIPHERMENT | 1U << DATA_ENCIPHERMENT;
	if (!key_can_agree(key))
		never |= 1U << KEY_AGREEMENT | 1U << ENCIPHER_ONLY | 1U << DECIPHER_ONLY;
	return profile->key_usage & ~never;
}

/* The bits to issue: what is asked for as far as it is granted, so that no wish turns into its
 * opposite. */
static unsigned usage_of(const struct profile *profile, const struct csr *csr)
{
	unsigned granted = usage_for(profile, &csr->key);

	return csr->wishes.has_key_usage ? granted & csr->wishes.key_usage : granted;
}

static enum outcome check_usages(const struct profile *profile, const struct csr *csr)
{
	struct span wished = csr->wishes.extended_key_usage;
	struct der oid, granted;

	if (csr->wishes.has_key_usage && (csr->wishes.key_usage & CA_USAGES) != 0)
		return not_granted(profile, "keyUsage keyCertSign or cRLSign");
	if (usage_of(profile, csr) == 0)
		return not_granted(profile, "a keyUsage without any bit that suits the key");
	while (wished.len > 0 && der_next(&wished, &oid) == EST_OK) {
		struct span rest = buf_span(&profile->extended_key_usage);
		bool found = false;
		while (!found && rest.len > 0 && der_next(&rest, &granted) == EST_OK)
			found = span_equal(granted.whole, oid.whole);
		if (!found)
			return not_granted(profile, "an extendedKeyUsage");
	}
	return EST_OK;
}

enum outcome profile_check(const struct profile *profile, const struct csr *csr)
{
	if (!words_have(&profile->config->keys, key_word(&csr->key)))
		return reason(EST_MALFORMED, "RFC 7030 4.2.3: profile \"%s\" does not take %s keys",
		    profile->config->name, key_word(&csr->key));
	if (csr->wishes.beyond != NULL)
		return not_granted(profile, csr->wishes.beyond);
	if (check_subject(profile, &csr->name) != EST_OK ||
	    check_sans(profile, &csr->wishes.sans) != EST_OK)
		return EST_MALFORMED;
	return check_usages(profile, csr);
}

void profile_extensions(
    const struct profile *profile, const struct csr *csr, const struct sans *sans, struct buf *out)
{
	struct buf value = {0};

	buf_add_span(out, buf_span(&profile->basic_constraints));
	add_key_usage(out, usage_of(profile, csr));
	if (csr->wishes.has_extended_key_usage)
		add_extended_key_usage(out, csr->wishes.extended_key_usage);
	else
		buf_add_span(out, buf_span(&profile->extended_extension));
	if (sans->count > 0) {
		sans_encode(sans, &value);
		add_extension(out, oid_subject_alt_name, csr->name.count == 0, buf_span(&value));
	}
	buf_free(&value);
}
