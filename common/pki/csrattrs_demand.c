#include <ctype.h>
#include <string.h>

#include "common/pki/csrattrs_parts.h"
#include "common/pki/key_usage.h"

#define OID_LINKING  "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3a"
#define OID_PASSWORD "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"

/*
 * Words of csrattrs_require beside those of name.h. Challenges are announced in this order: RFC
 * 7894's before challengePassword, which old clients look for (RFC 7894 4).
 */
static const struct word {
	const char *word;
	enum place place;
	struct span oid;
} demand_words[] = {
    {"otpChallenge", PLACE_CHALLENGE, DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x38")},
    {"revocationChallenge", PLACE_CHALLENGE,
	DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x39")},
    {"estIdentityLinking", PLACE_CHALLENGE, DER_OCTETS(OID_LINKING)},
    {"challengePassword", PLACE_CHALLENGE, DER_OCTETS(OID_PASSWORD)},
    {"subjectAltName", PLACE_EXTENSION, DER_OCTETS(OID_SUBJECT_ALT_NAME)},
    {"keyUsage", PLACE_EXTENSION, DER_OCTETS(OID_KEY_USAGE)},
    {"extendedKeyUsage", PLACE_EXTENSION, DER_OCTETS(OID_EXTENDED_KEY_USAGE)},
    {"friendlyName", PLACE_ATTRIBUTE, DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14")},
    {"macAddress", PLACE_ATTRIBUTE, DER_OCTETS("\x2b\x06\x01\x01\x01\x01\x16")},
};

#define WORDS (sizeof(demand_words) / sizeof(demand_words[0]))

/* Where something belongs, by its OID: id-ce is the arc of extensions, id-at that of subjects. */
static enum place place_of(struct span oid)
{
	for (size_t i = 0; i < WORDS; i++)
		if (span_equal(demand_words[i].oid, oid))
			return demand_words[i].place;
	if (oid.len > 2 && memcmp(oid.data, "\x55\x1d", 2) == 0)
		return PLACE_EXTENSION;
	if (oid.len > 2 && memcmp(oid.data, "\x55\x04", 2) == 0)
		return PLACE_SUBJECT;
	return PLACE_ATTRIBUTE;
}

static bool has(const struct demands *demands, struct span oid)
{
	for (size_t i = 0; i < demands->count; i++)
		if (span_equal(demands->demand[i].oid, oid))
			return true;
	return false;
}

static void add(struct demands *out, enum place place, struct span oid)
{
	if (!has(out, oid) && out->count < DEMANDS_MAX)
		out->demand[out->count++] = (struct demand){place, oid};
}

static bool is_fixed(const struct profile *profile, const struct name_type *type)
{
	for (size_t i = 0; i < profile->fixed_count; i++)
		if (profile->fixed[i].type == type)
			return true;
	return false;
}

bool demands_alt_name(const struct profile *profile, const char *word)
{
	for (size_t i = 0; i < profile->fixed_sans.count; i++)
		if (strcmp(san_kind_word(profile->fixed_sans.san[i].kind), word) == 0)
			return false;
	return name_type_of(word) == NULL;
}

/*
 * Whether a request without any SubjectAltName cannot become a certificate (RFC 9525 2). A CA's
 * purposes are those of what it issues.
 */
static bool serves(const struct profile *profile)
{
	static const struct span server_auth = DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x03\x01");
	struct span purposes = buf_span(&profile->extended_key_usage);
	struct der oid;

	while (der_next(&purposes, &oid) == EST_OK)
		if (span_equal(oid.content, server_auth))
			return profile->fixed_sans.count == 0 && !profile->config->ca;
	return false;
}

/* Names that the client has to give, because nobody else does. */
static void add_names(const struct profile *profile, struct demands *out)
{
	static const struct span alt_name = DER_OCTETS(OID_SUBJECT_ALT_NAME);
	const struct words *required = &profile->config->required;
	bool alt_names = serves(profile);

	for (size_t i = 0; i < required->count; i++) {
		const struct name_type *type = name_type_of(required->word[i]);
		bool given =
		    type != NULL && profile->from_identity && strcmp(type->word, "CN") == 0;
		if (demands_alt_name(profile, required->word[i]))
			alt_names = true;
		if (type != NULL && !given && !is_fixed(profile, type))
			add(out, PLACE_SUBJECT, type->oid);
	}
	if (alt_names && !profile->san_from_cn)
		add(out, PLACE_EXTENSION, alt_name);
}

static const struct word *word_of(const char *word)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strcmp(demand_words[i].word, word) == 0)
			return &demand_words[i];
	return NULL;
}

static enum outcome add_word(
    const struct csrattrs_plan *plan, const char *word, struct demands *out)
{
	const struct word *known = word_of(word);
	const struct name_type *type = name_type_of(word);
	size_t at = out->memory.len;
	struct span oid;

	if (known != NULL || type != NULL) {
		add(out, known != NULL ? known->place : PLACE_SUBJECT,
		    known != NULL ? known->oid : type->oid);
		return EST_OK;
	}
	if (!isdigit((unsigned char)word[0]) || der_oid_parse(word, &out->memory) != EST_OK) {
		reason_clear();
		return reason(EST_MALFORMED,
		    "%s:%d: csrattrs_require: \"%.60s\" is neither an OID nor a word that is "
		    "known; see est.conf(5)",
		    plan->path, plan->label->csrattrs_require.line, word);
	}
	oid = (struct span){out->memory.data + at, out->memory.len - at};
	add(out, place_of(oid), oid);
	return EST_OK;
}

static enum outcome add_words(const struct csrattrs_plan *plan, struct demands *out)
{
	const struct words *words = &plan->label->csrattrs_require;
	size_t room = 0;

	if (words->count > DEMANDS_MAX / 2)
		return reason(EST_MALFORMED, "%s:%d: csrattrs_require: more than %d words",
		    plan->path, words->line, DEMANDS_MAX / 2);
	/* Spans lead into it, and no OID has more octets than digits. */
	for (size_t i = 0; i < words->count; i++)
		room += strlen(words->word[i]);
	buf_reserve(&out->memory, room + 1);
	for (size_t i = 0; i < words->count; i++)
		if (add_word(plan, words->word[i], out) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}

/* RFC 7030 3.5, RFC 7894 3.3: a challengePassword links only where it is read as that. */
static void add_linking(const struct config_label *label, struct demands *out)
{
	static const struct span linking = DER_OCTETS(OID_LINKING),
				 password = DER_OCTETS(OID_PASSWORD);

	if (!label->pop_required)
		return;
	add(out, PLACE_CHALLENGE, strcmp(label->challenge, "verify") == 0 ? password : linking);
}

static void order_challenges(struct demands *demands)
{
	struct demands ordered = {0};

	for (size_t i = 0; i < WORDS; i++)
		if (demand_words[i].place == PLACE_CHALLENGE && has(demands, demand_words[i].oid))
			add(&ordered, PLACE_CHALLENGE, demand_words[i].oid);
	for (size_t i = 0; i < demands->count; i++)
		add(&ordered, demands->demand[i].place, demands->demand[i].oid);
	memcpy(demands->demand, ordered.demand, sizeof(ordered.demand));
}

enum outcome demands_make(const struct csrattrs_plan *plan, struct demands *out)
{
	const struct words *keys = &plan->profile->config->keys;

	*out = (struct demands){0};
	add_linking(plan->label, out);
	add_names(plan->profile, out);
	out->one_key = keys->count == 1 && key_terms_of(keys->word[0], &out->key);
	if (add_words(plan, out) != EST_OK)
		return EST_MALFORMED;
	order_challenges(out);
	return EST_OK;
}

void demands_clear(struct demands *demands)
{
	buf_free(&demands->memory);
}

/* The bits that the profile grants such a key, as RFC 8813, RFC 8410 and RFC 4055 have them. */
static unsigned usage_for(const struct profile *profile, const struct key_terms *key)
{
	unsigned usage = profile->key_usage;

	if (!key->can_encipher)
		usage &= ~(1U << KEY_ENCIPHERMENT | 1U << DATA_ENCIPHERMENT);
	if (!key->can_agree)
		usage &= ~(1U << KEY_AGREEMENT);
	if ((usage & 1U << KEY_AGREEMENT) == 0)
		usage &= ~(1U << ENCIPHER_ONLY | 1U << DECIPHER_ONLY);
	return usage;
}

/* The bits that every key of the profile gets; 0 where that differs from key to key. */
static unsigned common_usage(const struct profile *profile)
{
	const struct words *keys = &profile->config->keys;
	unsigned usage = 0;

	for (size_t i = 0; i < keys->count; i++) {
		struct key_terms key;
		if (!key_terms_of(keys->word[i], &key))
			return 0;
		if (i > 0 && usage != usage_for(profile, &key))
			return 0;
		usage = usage_for(profile, &key);
	}
	return usage;
}

/* X.690 11.2.2: a named bit list in DER has no trailing zero bits. */
static bool add_key_usage(const struct profile *profile, struct buf *value)
{
	unsigned usage = common_usage(profile), last = 0;
	unsigned char bits[3] = {0, 0, 0};

	for (unsigned bit = 0; bit < KEY_USAGES; bit++)
		if ((usage & 1U << bit) != 0) {
			bits[1 + bit / 8] = (unsigned char)(bits[1 + bit / 8] | 0x80 >> bit % 8);
			last = bit;
		}
	bits[0] = (unsigned char)(7 - last % 8);
	if (usage != 0)
		der_add(value, DER_BIT_STRING, (struct span){bits, 2 + last / 8});
	return usage != 0;
}

/* Of several purposes the client chooses those that it is for. */
static bool add_purpose(const struct profile *profile, struct buf *value)
{
	bool one = profile->config->extended_key_usage.count == 1;

	if (one)
		der_add(value, DER_SEQUENCE, buf_span(&profile->extended_key_usage));
	return one;
}

bool demands_add_extension(const struct csrattrs_plan *plan, struct span oid, struct buf *out)
{
	struct buf value = {0};
	bool usage = DER_IS(oid, OID_KEY_USAGE), given = false;

	if (usage)
		given = add_key_usage(plan->profile, &value);
	else if (DER_IS(oid, OID_EXTENDED_KEY_USAGE))
		given = add_purpose(plan->profile, &value);
	der_add(out, DER_OID, oid);
	if (usage) /* as it is issued (RFC 5280 4.2.1.3) */
		der_add(out, DER_BOOLEAN, (struct span){(const unsigned char *)"\xff", 1});
	if (given)
		der_add(out, DER_OCTET_STRING, buf_span(&value));
	buf_free(&value);
	return given;
}
