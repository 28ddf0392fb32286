/*
 * ca_prove.c - whether a profile's certificates pass the lint, found
 * out before anybody asks for one.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "common/ca/ca.h"
#include "common/pki/profile_sample.h"

/* What a finding is about. */
struct proof {
	const struct ca *ca;
	const struct profile *profile;
	const char *word; /* of the sample's key */
};

static void say_finding(void *context, const char *rule, const char *section, const char *what)
{
	const struct proof *proof = context;
	const struct config_profile *config = proof->profile->config;

	/* The first one stays. */
	(void)reason(EST_MALFORMED,
	    "profile \"%s\" (line %d): no certificate for a %s key can be issued, because of its "
	    "%s: %s%s%s%s; mend the profile, or take that kind out of its keys",
	    config->name, config->line, proof->word, rule, what, section[0] == '\0' ? "" : " (",
	    section, section[0] == '\0' ? "" : ")");
}

/* Looks at the certificate that the CA would sign first. */
static enum outcome check(struct proof *proof, const struct profile_sample *sample)
{
	const struct config_profile *config = proof->profile->config;
	const struct ca *ca = proof->ca;
	struct lint_want want = {.subject = buf_span(&sample->subject),
	    .spki = buf_span(&sample->spki),
	    .sans = &sample->names.sans,
	    .profile = proof->profile};
	struct cert_plan plan = {.serial = {1},
	    .issuer = ca->subject,
	    .subject = want.subject,
	    .spki = want.spki,
	    .authority_key_id = ca->key_id,
	    .not_before = ca->not_before,
	    .not_after = ca->not_before + config->validity - 1,
	    .extensions = buf_span(&sample->extensions),
	    .want = &want};
	struct lint_want whole;
	struct buf tbs = {0};
	unsigned findings;

	if (plan.not_after > ca->not_after)
		plan.not_after = ca->not_after;
	cert_encode_tbs(&plan, ca->algorithm, &tbs);
	whole = ca_want(ca, &plan);
	findings = lint_each(buf_span(&tbs), &whole, say_finding, proof);
	buf_free(&tbs);
	return findings == 0 ? EST_OK : EST_MALFORMED;
}

/* What the profile's own rules have against the names that it asks for. */
static enum outcome refuted(const struct proof *proof)
{
	const struct config_profile *config = proof->profile->config;
	char *why = mem_string(reason_text());
	enum outcome outcome;

	reason_clear();
	outcome = reason(EST_MALFORMED,
	    "profile \"%s\" (line %d): no certificate can be issued: %s; mend the profile",
	    config->name, config->line, why);
	free(why);
	return outcome;
}

static enum outcome check_sample(struct proof *proof, bool empty)
{
	struct profile_sample *sample = mem_alloc(sizeof(*sample));
	enum outcome outcome = profile_sample_make(proof->profile, proof->word, empty, sample);

	if (outcome == EST_OK)
		outcome = check(proof, sample);
	else if (outcome != EST_INTERNAL)
		outcome = refuted(proof);
	profile_sample_clear(sample);
	free(sample);
	return outcome;
}

/* With all that may be in it, and without a subject where that may be. */
static enum outcome check_key(struct proof *proof)
{
	const struct profile *profile = proof->profile;
	enum outcome outcome = check_sample(proof, false);

	if (outcome == EST_OK && profile->config->empty_subject && !profile->from_identity)
		outcome = check_sample(proof, true);
	return outcome;
}

/* --- CAs below the CA --- */

/*
 * How many CAs may follow below this one (RFC 5280 4.2.1.9): what its certificate and those above
 * it in the chain leave over; -1: any number.
 */
static long depth_left(const struct ca *ca)
{
	X509 *certificate = ca->certificate;
	long left = X509_get_pathlen(certificate), between = 0;

	for (int i = 0; i < sk_X509_num(ca->chain); i++) {
		X509 *issuer = sk_X509_value(ca->chain, i);
		long most = X509_get_pathlen(issuer);
		if (X509_check_issued(issuer, certificate) != X509_V_OK)
			break;
		certificate = issuer;
		between++;
		if (most >= 0 && (left < 0 || most - between < left))
			left = most > between ? most - between : 0;
	}
	return left;
}

static enum outcome check_depth(const struct ca *ca, const struct config_profile *config)
{
	const char *text = config->path_length;
	long left = depth_left(ca), wanted = -1;

	if (text != NULL && strcmp(text, "none") != 0)
		wanted = strtol(text, NULL, 10);
	if (left < 0 || (wanted >= 0 && wanted < left))
		return EST_OK;
	if (left == 0)
		return reason(EST_MALFORMED,
		    "profile \"%s\" (line %d): ca \"%s\" may have no CA below it "
		    "(pathLenConstraint, RFC 5280 4.2.1.9): set ca = false, or give the profile to "
		    "labels of a CA whose certificate, with its chain, allows one",
		    config->name, config->line, ca->config->name);
	return reason(EST_MALFORMED,
	    "profile \"%s\" (line %d): path_length has to be at most \"%ld\", because ca \"%s\" "
	    "may "
	    "have %ld CAs below it (pathLenConstraint, RFC 5280 4.2.1.9)",
	    config->name, config->line, left - 1, ca->config->name, left);
}

enum outcome ca_prove(const struct ca *ca, const struct profile *profile)
{
	struct proof proof = {.ca = ca, .profile = profile};
	const struct words *keys = &profile->config->keys;
	enum outcome outcome = EST_OK;

	if (profile->config->ca)
		outcome = check_depth(ca, profile->config);
	for (size_t i = 0; i < keys->count && outcome == EST_OK; i++) {
		proof.word = keys->word[i];
		outcome = check_key(&proof);
	}
	return outcome;
}
