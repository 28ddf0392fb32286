#include "common/pki/csrattrs.h"

#include <string.h>

#include "common/base/encoding.h"
#include "common/base/file.h"
#include "common/pki/csrattrs_parts.h"

/* Base64 takes four octets for three, and lines have ends. */
#define FILE_MAX (2 * CSRATTRS_MAX)

static void add_oids(const struct demands *demands, enum place place, struct buf *out)
{
	for (size_t i = 0; i < demands->count; i++)
		if (demands->demand[i].place == place)
			der_add(out, DER_OID, demands->demand[i].oid);
}

/* The size of a modulus, as an INTEGER. */
static void add_bits(unsigned bits, struct buf *out)
{
	unsigned char octets[2] = {(unsigned char)(bits >> 8), (unsigned char)bits};

	der_add(out, DER_INTEGER, (struct span){octets, sizeof(octets)});
}

/*
 * RFC 9908 3.2: the type of the key with its curve or size. An Edwards key has neither, and a SET
 * may not be empty (RFC 8951 4): its signature scheme, which is no other key's, says all.
 */
static void add_key(const struct key_terms *key, struct buf *out)
{
	size_t attribute, set;

	if (key->modulus_bits == 0 && key->parameters.len == 0)
		return;
	attribute = der_open(out, DER_SEQUENCE);
	buf_add_span(out, key->type);
	set = der_open(out, DER_SET);
	if (key->modulus_bits > 0)
		add_bits(key->modulus_bits, out);
	else
		buf_add_span(out, key->parameters);
	der_close(out, set);
	der_close(out, attribute);
}

/* RFC 9908 3.2: extensions with their values in one id-ExtensionReq; all others are bare OIDs. */
static void add_extensions(
    const struct csrattrs_plan *plan, const struct demands *demands, struct buf *out)
{
	struct buf one = {0}, valued = {0};
	size_t attribute, set;

	for (size_t i = 0; i < demands->count; i++) {
		struct span oid = demands->demand[i].oid;
		if (demands->demand[i].place != PLACE_EXTENSION)
			continue;
		buf_reset(&one);
		if (demands_add_extension(plan, oid, &one))
			der_add(&valued, DER_SEQUENCE, buf_span(&one));
		else
			der_add(out, DER_OID, oid);
	}
	if (valued.len > 0) {
		attribute = der_open(out, DER_SEQUENCE);
		der_add(out, DER_OID, (struct span)DER_OCTETS(OID_EXTENSION_REQUEST));
		set = der_open(out, DER_SET);
		der_add(out, DER_SEQUENCE, buf_span(&valued));
		der_close(out, set);
		der_close(out, attribute);
	}
	buf_free(&one);
	buf_free(&valued);
}

/* What stands bare, in the order in which it was demanded. */
static void add_bare(const struct demands *demands, bool subject, struct buf *out)
{
	for (size_t i = 0; i < demands->count; i++) {
		enum place place = demands->demand[i].place;
		if (place == PLACE_ATTRIBUTE || (subject && place == PLACE_SUBJECT))
			der_add(out, DER_OID, demands->demand[i].oid);
	}
}

/*
 * A template has no place for attributes whose value is the client's (RFC 9908 3.4), so these stand
 * beside it in any case.
 */
static void add_all(
    const struct csrattrs_plan *plan, const struct demands *demands, struct buf *out)
{
	bool list = words_have(&plan->label->csrattrs, "list");

	add_oids(demands, PLACE_CHALLENGE, out);
	if (list && demands->one_key)
		add_key(&demands->key, out);
	add_bare(demands, list, out);
	if (list)
		add_extensions(plan, demands, out);
	if (list && demands->one_key)
		buf_add_span(out, demands->key.signature);
	if (words_have(&plan->label->csrattrs, "template"))
		template_add(plan, demands, out);
}

static enum outcome build(const struct csrattrs_plan *plan, struct buf *out)
{
	struct demands demands;
	struct buf all = {0};
	enum outcome outcome = demands_make(plan, &demands);

	if (outcome == EST_OK)
		add_all(plan, &demands, &all);
	if (all.len > 0)
		der_add(out, DER_SEQUENCE, buf_span(&all));
	demands_clear(&demands);
	buf_free(&all);
	return outcome;
}

/* Puts before the reason where it is. */
static enum outcome wrong(const struct csrattrs_plan *plan, const char *what, enum outcome outcome)
{
	struct buf text = {0};

	buf_add_string(&text, reason_text());
	reason_clear();
	(void)reason(
	    outcome, "%s:%d: %s: %s", plan->path, plan->label->line, what, buf_string(&text));
	buf_free(&text);
	return outcome;
}

static enum outcome decode(struct span text, struct buf *out)
{
	if (base64_decode(out, text) == EST_OK)
		return EST_OK;
	reason_clear();
	return reason(EST_MALFORMED, "neither DER nor base64");
}

/* A file's first octet tells: SEQUENCE's tag is '0', which no base64 of a SEQUENCE begins with. */
static enum outcome read_file(const char *path, struct buf *out)
{
	struct buf content = {0};
	enum outcome outcome = file_read(path, FILE_MAX, &content);

	if (outcome == EST_OK && content.len > 0 && content.data[0] == DER_SEQUENCE)
		buf_add_span(out, buf_span(&content));
	else if (outcome == EST_OK)
		outcome = decode(buf_span(&content), out);
	buf_free(&content);
	return outcome;
}

/* Appends what the configuration holds, which `what` is the key of. */
static enum outcome take(const struct csrattrs_plan *plan, const char *what, struct buf *out)
{
	const struct config_label *label = plan->label;
	bool file = label->csrattrs_file != NULL;
	enum outcome outcome;

	if (file && label->csrattrs_base64 != NULL)
		return reason(EST_MALFORMED,
		    "%s:%d: csrattrs_base64 and csrattrs_file cannot both be given", plan->path,
		    label->line);
	if (label->csrattrs_require.count > 0)
		return reason(EST_MALFORMED,
		    "%s:%d: csrattrs_require has no effect beside %s; leave one of them out",
		    plan->path, label->csrattrs_require.line, what);
	outcome = file ? read_file(label->csrattrs_file, out)
		       : decode(span_of(label->csrattrs_base64), out);
	return outcome == EST_OK ? EST_OK : wrong(plan, what, outcome);
}

enum outcome csrattrs_make(const struct csrattrs_plan *plan, struct buf *out)
{
	bool file = plan->label->csrattrs_file != NULL,
	     base64 = plan->label->csrattrs_base64 != NULL;
	const char *what = file ? "csrattrs_file" : base64 ? "csrattrs_base64" : "csrattrs";
	struct buf der = {0};
	enum outcome outcome = file || base64 ? take(plan, what, &der) : build(plan, &der);

	if (outcome == EST_OK && der.len > 0 && csrattrs_check(buf_span(&der)) != EST_OK)
		outcome = wrong(plan, what, EST_MALFORMED);
	if (outcome == EST_OK)
		buf_add_span(out, buf_span(&der));
	buf_free(&der);
	return outcome;
}
