/*
 * cmd_check_label.c - what a label and its profile say that contradicts itself: each a row, with
 * its cure.
 */
#include <string.h>

#include "admin/check.h"
#include "common/auth/auth.h"
#include "common/lifecycle/eecerts.h"
#include "common/pki/csrattrs.h"
#include "common/pki/der.h"

/* What a row looks at. */
struct pair {
	const struct config_label *label;
	const struct config_profile *profile;
	const struct profile *made;
	struct span attributes; /* DER CsrAttrs; empty: nothing is demanded */
};

static bool offers(const struct pair *pair, const char *operation)
{
	return words_have(&pair->label->operations, operation);
}

static bool is_word(const char *value, const char *word)
{
	return value != NULL && strcmp(value, word) == 0;
}

static bool is_set(const char *value)
{
	return value != NULL && value[0] != '\0';
}

/* Whether an OBJECT IDENTIFIER stands in there; oid: all of its DER. */
static bool holds(struct span der, struct span oid)
{
	for (; der.len >= oid.len; der.data++, der.len--)
		if (memcmp(der.data, oid.data, oid.len) == 0)
			return true;
	return false;
}

/* --- what devices may ask for --- */

static bool nothing_to_enroll(const struct pair *pair)
{
	return !offers(pair, "simpleenroll") && !offers(pair, "serverkeygen") &&
	       !offers(pair, "fullcmc") && offers(pair, "simplereenroll") &&
	       pair->label->certificates_from.count == 0;
}

static bool wrong_generated_key(const struct pair *pair)
{
	return offers(pair, "serverkeygen") && is_set(pair->label->generated_key) &&
	       !words_have(&pair->profile->keys, pair->label->generated_key);
}

static bool idle_generated_key(const struct pair *pair)
{
	return !offers(pair, "serverkeygen") && is_set(pair->label->generated_key);
}

static bool generated_ca(const struct pair *pair)
{
	return offers(pair, "serverkeygen") && pair->profile->ca;
}

static bool idle_approval(const struct pair *pair)
{
	for (size_t i = 0; i < pair->label->approval.count; i++)
		if (!offers(pair, pair->label->approval.word[i]))
			return true;
	return false;
}

static bool late_retry(const struct pair *pair)
{
	return pair->label->approval.count > 0 &&
	       pair->label->approval_retry >= pair->label->approval_expiry;
}

static bool no_eecerts(const struct pair *pair)
{
	return offers(pair, "eecerts") && pair->label->eecerts.count == 0;
}

static bool idle_eecerts(const struct pair *pair)
{
	return !offers(pair, "eecerts") && pair->label->eecerts.count > 0;
}

/* --- renewals --- */

static bool takes_certificates(const struct pair *pair)
{
	return (auth_proofs(pair->label) & PROOF_CERTIFICATE) != 0;
}

/* RFC 7030 3.3.2: who shows a certificate is its TLS client. */
static bool no_client_auth(const struct pair *pair)
{
	static const struct span client_auth =
	    DER_OCTETS("\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02");
	struct span purposes = buf_span(&pair->made->extended_key_usage);

	return offers(pair, "simplereenroll") && purposes.len > 0 && takes_certificates(pair) &&
	       !holds(purposes, client_auth);
}

/* A Full PKI Request may be a renewal too. */
static bool renews(const struct pair *pair)
{
	return offers(pair, "simplereenroll") || offers(pair, "fullcmc");
}

static bool idle_grace(const struct pair *pair)
{
	return pair->label->grace > 0 && !offers(pair, "simplereenroll");
}

static bool idle_renew_after(const struct pair *pair)
{
	return pair->label->renew_after != NULL &&
	       strspn(pair->label->renew_after, "0%") != strlen(pair->label->renew_after) &&
	       !renews(pair);
}

static bool idle_supersede(const struct pair *pair)
{
	return pair->label->supersede && !renews(pair);
}

static bool idle_change(const struct pair *pair)
{
	return pair->label->change_subject && !renews(pair) && !offers(pair, "simpleenroll") &&
	       !offers(pair, "serverkeygen");
}

static bool fixed_change(const struct pair *pair)
{
	return pair->label->change_subject && pair->made->from_identity;
}

/* --- proofs --- */

static bool unlinkable(const struct pair *pair)
{
	return pair->label->pop_required && is_word(pair->label->challenge, "ignore");
}

static bool otp_linking(const struct pair *pair)
{
	return pair->label->pop_required && is_word(pair->label->challenge, "otp");
}

/* RFC 7030 4.5.2, RFC 7894 4: clients are told that they have to link. */
static bool hidden_linking(const struct pair *pair)
{
	return pair->label->pop_required && !offers(pair, "csrattrs");
}

static bool untold_linking(const struct pair *pair)
{
	static const struct span password =
	    DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07");
	static const struct span linking =
	    DER_OCTETS("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3a");

	return pair->label->pop_required && pair->attributes.len > 0 &&
	       !holds(pair->attributes, linking) &&
	       !(is_word(pair->label->challenge, "verify") && holds(pair->attributes, password));
}

static bool demands(const struct pair *pair)
{
	return pair->attributes.len > 2; /* an empty SEQUENCE has two octets */
}

static bool idle_attributes(const struct pair *pair)
{
	return pair->label->csrattrs_enforce && !demands(pair);
}

static bool hidden_attributes(const struct pair *pair)
{
	return pair->label->csrattrs_enforce && demands(pair) && !offers(pair, "csrattrs");
}

/* --- the profile by itself --- */

static bool has_https(const struct words *urls)
{
	for (size_t i = 0; i < urls->count; i++)
		if (strncmp(urls->word[i], "https:", 6) == 0)
			return true;
	return false;
}

static bool tls_urls(const struct pair *pair)
{
	return has_https(&pair->profile->crl_urls) || has_https(&pair->profile->ocsp_urls) ||
	       has_https(&pair->profile->issuer_urls);
}

static bool no_staple(const struct pair *pair)
{
	return pair->profile->must_staple && pair->profile->ocsp_urls.count == 0;
}

/* found: whether it is so; the text is what is wrong, and how to cure it. */
static const struct {
	bool (*found)(const struct pair *pair);
	enum check_level level;
	const char *text;
} contradictions[] = {
    {nothing_to_enroll, CHECK_WARN,
	"operations has simplereenroll and nothing that gives first certificates: add "
	"simpleenroll, or name other labels in certificates_from"},
    {wrong_generated_key, CHECK_FAIL,
	"generated_key is not among the keys of the profile, so serverkeygen fails: add it there, "
	"or name one of them"},
    {idle_generated_key, CHECK_WARN,
	"generated_key does nothing without serverkeygen in operations: add that, or leave it out"},
    {generated_ca, CHECK_WARN,
	"serverkeygen would make the private keys of CAs here: take it out of operations, or take "
	"a profile without ca = true"},
    {idle_approval, CHECK_WARN,
	"approval names an operation that is not offered: take it out, or add it to operations"},
    {late_retry, CHECK_FAIL,
	"approval_retry is not below approval_expiry, so every request expires before its device "
	"comes back: shorten the former"},
    {no_eecerts, CHECK_WARN,
	"operations has eecerts, and eecerts names no file: name one, or take it out"},
    {idle_eecerts, CHECK_WARN,
	"the files of eecerts are handed out to nobody: add eecerts to operations"},
    {no_client_auth, CHECK_WARN,
	"no device can show its certificate when it renews: add clientAuth to the "
	"extended_key_usage of the profile, or take simplereenroll out of operations"},
    {idle_grace, CHECK_WARN,
	"grace does nothing without simplereenroll in operations: add that, or leave it out"},
    {idle_renew_after, CHECK_WARN,
	"renew_after does nothing without simplereenroll or fullcmc in operations: add one, or "
	"leave it out"},
    {idle_supersede, CHECK_WARN,
	"supersede does nothing without simplereenroll or fullcmc in operations: add one, or leave "
	"it out"},
    {idle_change, CHECK_WARN,
	"change_subject does nothing, because no operation gives certificates: add one, or leave "
	"it "
	"out"},
    {fixed_change, CHECK_WARN,
	"change_subject lets requests ask for other names, and the profile takes the common name "
	"from the identity, so that one cannot change: leave one of them out"},
    {unlinkable, CHECK_FAIL,
	"pop_required wants requests linked to their TLS session, and challenge = \"ignore\" looks "
	"at no challengePassword: set challenge to \"verify\""},
    {otp_linking, CHECK_WARN,
	"pop_required wants requests linked to their TLS session, and with challenge = \"otp\" the "
	"challengePassword is a secret: only devices that send estIdentityLinking (RFC 7894) can "
	"enroll; set challenge to \"verify\" for the others"},
    {hidden_linking, CHECK_FAIL,
	"pop_required wants requests linked to their TLS session, and nobody can learn it (RFC "
	"7030 "
	"4.5.2): add csrattrs to operations"},
    {untold_linking, CHECK_FAIL,
	"pop_required wants requests linked to their TLS session, and the CSR attributes do not "
	"say "
	"so (RFC 7030 4.5.2): put estIdentityLinking, or with challenge = \"verify\" "
	"challengePassword, into csrattrs_base64 or csrattrs_file"},
    {idle_attributes, CHECK_WARN,
	"csrattrs_enforce does nothing, because nothing is demanded: fill csrattrs_require, or "
	"leave it out"},
    {hidden_attributes, CHECK_WARN,
	"csrattrs_enforce refuses requests for what nobody can learn: add csrattrs to operations"},
    {tls_urls, CHECK_WARN,
	"a URL of its profile is https, and who fetches it would need the answer to get the answer "
	"(RFC 5280 4.2.1.13): take http"},
    {no_staple, CHECK_WARN,
	"its profile has must_staple without ocsp_urls: servers would have nothing to staple; name "
	"the OCSP responder"},
};

/* What requests are told to hold is made of both, or of what stands in est.conf or in a file. */
static bool make_csrattrs(
    struct check *check, const char *what, const struct pair *pair, struct buf *der)
{
	const struct csrattrs_plan plan = {check->config->path, pair->label, pair->made};

	return check_passed(check, what, csrattrs_make(&plan, der));
}

static bool make_eecerts(struct check *check, const char *what, const struct config_label *label)
{
	struct buf der = {0};
	bool made = check_passed(check, what, eecerts_make(&label->eecerts, &der));

	buf_free(&der);
	return made;
}

/* A session that no variable tells of cannot be linked to. */
static bool check_variables(struct check *check, const char *what, const struct config_label *label)
{
	if (!label->pop_required || is_set(check->config->tls_unique) ||
	    is_set(check->config->tls_exporter))
		return true;
	check_say(check, CHECK_FAIL, what,
	    "pop_required wants requests linked to their TLS session, and tls_unique and "
	    "tls_exporter are both empty: name the variables of the web server");
	return false;
}

bool check_contradictions(struct check *check, const char *what, const struct config_label *label,
    const struct profile *profile)
{
	struct pair pair = {.label = label, .profile = label->profile, .made = profile};
	struct buf attributes = {0};
	bool fine = make_csrattrs(check, what, &pair, &attributes);

	pair.attributes = buf_span(&attributes);
	fine = check_variables(check, what, label) && fine;
	fine = make_eecerts(check, what, label) && fine;
	fine = check_identities(check, what, label) && fine;
	for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++)
		if (contradictions[i].found(&pair)) {
			check_say(
			    check, contradictions[i].level, what, "%s", contradictions[i].text);
			fine = false;
		}
	buf_free(&attributes);
	return fine;
}
