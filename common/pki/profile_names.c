/*
 * profile_names.c - the names of a certificate to be: the request's, the identity's, and what is
 * the same in every certificate.
 */
#include <string.h>

#include "common/base/escape.h"
#include "common/pki/der.h"
#include "common/pki/profile_parts.h"

bool profile_plain(const struct profile *profile)
{
	return profile->fixed_count == 0 && profile->fixed_sans.count == 0 &&
	       !profile->from_identity && !profile->san_from_cn;
}

void profile_names_clear(struct profile_names *names)
{
	name_clear(&names->name);
	buf_free(&names->memory);
	names->sans.count = 0;
}

/* --- the subject --- */

static bool add_like(const struct name_attribute *like, struct span value, struct name *name)
{
	struct name_attribute *attribute = &name->attributes[name->count];

	if (name->count == NAME_RDNS_MAX)
		return false;
	*attribute = *like;
	attribute->at = name->text.len;
	attribute->len = value.len;
	buf_add_span(&name->text, value);
	name->count++;
	return true;
}

bool profile_add_attribute(const struct name_type *type, struct span value, struct name *name)
{
	struct name_attribute attribute = {.type = type, .oid = type->oid, .string_tag = DER_UTF8};

	return add_like(&attribute, value, name);
}

/* The common name was in no request, so nobody has looked at it yet. */
static enum outcome check_identity(const struct profile *profile, struct span identity)
{
	const struct name_type *type = name_type_of("CN");
	enum outcome outcome = profile_check_text(profile, type, identity);

	return outcome == EST_OK ? profile_check_value(profile, type, identity) : outcome;
}

static enum outcome not_the_identity(const struct profile *profile, struct span identity)
{
	struct buf text = {0};
	enum outcome outcome;

	dn_value(&text, identity);
	outcome = refuse(NAME_NOT_ALLOWED,
	    "under profile \"%s\" the common name is the identity \"%.200s\", and the request "
	    "asks for another; leave it out",
	    profile->config->name, buf_string(&text));
	buf_free(&text);
	return outcome;
}

static enum outcome too_many(void)
{
	return refuse(CSR_NAME_DER,
	    "with the parts that the profile adds the name has more than %d attributes",
	    NAME_RDNS_MAX);
}

static enum outcome add_identity(
    const struct profile *profile, struct span identity, struct name *name)
{
	struct span own = name_first(name, "CN");
	enum outcome outcome;

	if (own.len > 0)
		return span_equal(own, identity) ? EST_OK : not_the_identity(profile, identity);
	outcome = check_identity(profile, identity);
	if (outcome == EST_OK && !profile_add_attribute(name_type_of("CN"), identity, name))
		return too_many();
	return outcome;
}

/*
 * What is missing of the fixed parts comes first, as what is wider does in a name; a request for
 * the result gives the same.
 */
static enum outcome take_name(
    const struct profile *profile, const struct csr *csr, struct span identity, struct name *out)
{
	const struct name *asked = &csr->name;

	for (size_t i = 0; i < profile->fixed_count; i++)
		if (!profile_has_value(asked, profile->fixed[i].type, profile->fixed[i].value) &&
		    !profile_add_attribute(profile->fixed[i].type, profile->fixed[i].value, out))
			return too_many();
	for (size_t i = 0; i < asked->count; i++)
		if (!add_like(&asked->attributes[i], name_value(asked, &asked->attributes[i]), out))
			return too_many();
	return profile->from_identity ? add_identity(profile, identity, out) : EST_OK;
}

/* --- subject alternative names --- */

static enum outcome add_san(const struct san *san, struct sans *sans)
{
	if (sans->count == SANS_MAX)
		return refuse(CSR_SAN_COUNT,
		    "with those that the profile adds there are more than %d subject alternative "
		    "names",
		    SANS_MAX);
	sans->san[sans->count++] = *san;
	return EST_OK;
}

/* Whether the text is a name of that kind, which is then left in memory. */
static bool read_san(enum san_kind kind, struct span text, struct buf *memory, struct sans *out)
{
	struct sans one = {.count = 1};
	bool read;

	one.san[0] = (struct san){kind, text};
	buf_reset(memory);
	sans_encode(&one, memory);
	read = sans_parse(buf_span(memory), out) == EST_OK;
	reason_clear();
	return read;
}

/* The kind that a common name looks like. */
static enum san_kind kind_of(struct span name, struct pattern_range *address)
{
	struct buf text = {0};
	bool is_address;

	buf_add_span(&text, name);
	is_address = memchr(name.data, '/', name.len) == NULL &&
		     pattern_range_parse(buf_string(&text), address) && address->len > 0;
	buf_free(&text);
	if (is_address)
		return SAN_IP;
	if (memchr(name.data, '@', name.len) != NULL)
		return SAN_EMAIL;
	return memchr(name.data, ':', name.len) != NULL ? SAN_URI : SAN_DNS;
}

static enum outcome take_common_name(const struct profile *profile, struct profile_names *out)
{
	struct span name = name_first(&out->name, "CN"), value = name;
	struct pattern_range address;
	enum san_kind kind;

	if (name.len == 0)
		return EST_OK;
	kind = kind_of(name, &address);
	if (kind == SAN_IP)
		value = (struct span){address.octets, address.len};
	if (!words_have(&profile->config->subject_alt_names, san_kind_word(kind)) ||
	    !read_san(kind, value, &out->memory, &out->sans))
		return refuse(CSR_SAN_NAME,
		    "the common name cannot be the SubjectAltName that profile \"%s\" makes of "
		    "it; ask for a SubjectAltName",
		    profile->config->name);
	return profile_check_san(profile, &out->sans.san[0]);
}

static bool has_kind(const struct sans *sans, const char *word)
{
	for (size_t i = 0; i < sans->count; i++)
		if (strcmp(san_kind_word(sans->san[i].kind), word) == 0)
			return true;
	return false;
}

/* Of which kind a SAN made of a common name is was not known before. */
static enum outcome check_kinds(const struct profile *profile, const struct sans *sans)
{
	const struct words *required = &profile->config->required;

	for (size_t i = 0; i < required->count; i++)
		if (name_type_of(required->word[i]) == NULL && !has_kind(sans, required->word[i]))
			return refuse(CSR_NAME_MISSING,
			    "profile \"%s\" requires %s, and neither the request nor its common "
			    "name gives one",
			    profile->config->name, required->word[i]);
	return EST_OK;
}

static enum outcome take_sans(
    const struct profile *profile, const struct csr *csr, struct profile_names *out)
{
	const struct sans *fixed = &profile->fixed_sans;
	bool from_cn = profile->san_from_cn && csr->wishes.sans.count == 0;
	enum outcome outcome = EST_OK;

	out->sans = csr->wishes.sans;
	if (from_cn)
		outcome = take_common_name(profile, out);
	for (size_t i = 0; outcome == EST_OK && i < fixed->count; i++)
		if (!sans_have(&out->sans, &fixed->san[i]))
			outcome = add_san(&fixed->san[i], &out->sans);
	return outcome == EST_OK && from_cn ? check_kinds(profile, &out->sans) : outcome;
}

enum outcome profile_names(const struct profile *profile, const struct csr *csr,
    struct span identity, struct profile_names *out)
{
	enum outcome outcome;

	*out = (struct profile_names){.memory = {0}};
	outcome = take_name(profile, csr, identity, &out->name);
	if (outcome == EST_OK)
		outcome = take_sans(profile, csr, out);
	if (outcome != EST_OK)
		profile_names_clear(out);
	return outcome;
}
