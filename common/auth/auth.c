#include "common/auth/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/auth/method.h"
#include "common/base/pattern.h"
#include "common/base/encoding.h"
#include "common/base/escape.h"
#include "common/base/refusal.h"
#include "common/pki/cert.h"
#include "common/pki/key.h"

/* A word of a label's `authenticate`: what has to be proven for it, together or as alternatives. */
static const struct method {
	const char *word;
	unsigned proofs;
	unsigned other; /* suffices as well; 0: none */
} methods[] = {
    {"basic", PROOF_PASSWORD, 0},
    {"secret", PROOF_SECRET, 0},
    {"certificate", PROOF_CERTIFICATE, 0},
    {"srp", PROOF_SRP, 0},
    {"external", PROOF_EXTERNAL, 0},
    {"certificate-and-basic", PROOF_CERTIFICATE | PROOF_PASSWORD, 0},
    {"certificate-or-basic", PROOF_CERTIFICATE, PROOF_PASSWORD},
    {"certificate-and-secret", PROOF_CERTIFICATE | PROOF_SECRET, 0},
    {"certificate-and-external", PROOF_CERTIFICATE | PROOF_EXTERNAL, 0},
    {"srp-and-basic", PROOF_SRP | PROOF_PASSWORD, 0},
};

unsigned auth_proofs(const struct config_label *label)
{
	unsigned all = 0;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (words_have(&label->authenticate, methods[i].word))
			all |= methods[i].proofs | methods[i].other;
	return all;
}

/* What the label is content with: sets of proofs, each a whole way in. At most AUTH_METHODS. */
static size_t ways_in(const struct auth *auth, unsigned sets[AUTH_METHODS])
{
	const struct words *words = &auth->label->authenticate;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const unsigned both[] = {methods[i].proofs, methods[i].other};
		for (size_t k = 0; k < 2 && words_have(words, methods[i].word); k++)
			if (both[k] != 0 && (auth->only == 0 || (both[k] & ~auth->only) == 0) &&
			    count < AUTH_METHODS)
				sets[count++] = both[k];
	}
	return count;
}

_Static_assert(sizeof(methods) / sizeof(methods[0]) + 1 <= AUTH_METHODS, "every word fits");

void identity_call(struct identity *identity, const char *account)
{
	free(identity->account);
	identity->account = mem_string(account);
}

bool identity_has(const struct identity *identity, enum proof proof)
{
	return (identity->proven & proof) != 0;
}

void identity_drop(struct identity *identity, unsigned proofs)
{
	size_t kept = 0;

	for (size_t i = 0; i < identity->granted_count; i++)
		if ((identity->granted[i] & proofs) == 0)
			identity->granted[kept++] = identity->granted[i];
	identity->granted_count = kept;
	identity->proven = 0;
	for (size_t i = 0; i < kept; i++)
		identity->proven |= identity->granted[i];
}

bool identity_suffices(const struct identity *identity, unsigned proofs)
{
	for (size_t i = 0; i < identity->granted_count; i++)
		if ((identity->granted[i] & ~proofs) == 0)
			return true;
	return false;
}

const char *identity_counted(const struct identity *identity, unsigned proofs)
{
	if ((proofs & PROOF_PASSWORD) != 0 && identity->user.uses_most > 0)
		return identity->user.name;
	if ((proofs & PROOF_SRP) != 0 && identity->srp.uses_most > 0)
		return identity->srp.name;
	if ((proofs & PROOF_EXTERNAL) != 0 && identity->external.uses_most > 0)
		return identity->external.name;
	return NULL;
}

/* Keeps the label's ways in that what was proven is enough for. False: there is none. */
static bool satisfied(
    const unsigned *sets, size_t count, unsigned proven, struct identity *identity)
{
	identity->granted_count = 0;
	for (size_t i = 0; i < count; i++)
		if ((sets[i] & ~proven) == 0)
			identity->granted[identity->granted_count++] = sets[i];
	identity_drop(identity, 0);
	identity->spent &= identity->proven;
	return identity->granted_count > 0;
}

/*
 * A certificate of ours is known by its serial; another CA's serial could be the same, so that one
 * by the digest of what its CA signed: the signature can be another one.
 */
static void describe_certificate(const struct identity *identity, struct buf *text)
{
	char serial[2 * SERIAL_MAX + 1];
	struct cert_parts parts = {.tbs = {NULL, 0}};
	unsigned char digest[32];

	if (identity->trust == TRUST_EXPLICIT) {
		buf_printf(
		    text, "certificate:%s", serial_text(&identity->certificate.serial, serial));
		return;
	}
	(void)cert_parse(buf_span(&identity->der), &parts); /* as it did when it was verified */
	key_sha256(parts.tbs, digest);
	buf_add_string(text, "foreign-certificate:");
	hex_encode(text, (struct span){digest, sizeof(digest)});
}

void identity_describe(const struct identity *identity, enum proof proof, struct buf *out)
{
	switch (proof) {
	case PROOF_PASSWORD: buf_printf(out, "user:%s", identity->user.name); return;
	case PROOF_SECRET: buf_printf(out, "device:%s", identity->secret.name); return;
	case PROOF_SRP: buf_add_string(out, identity->srp.name); return;
	case PROOF_EXTERNAL: buf_printf(out, "external:%s", identity->external.name); return;
	case PROOF_CERTIFICATE:
		if (identity->trust != TRUST_EXPLICIT) {
			describe_certificate(identity, out);
			return;
		}
		buf_add_string(out, "certificate of:");
		buf_add_lower(out, identity->certificate.name);
		return;
	}
}

static void describe(struct identity *identity)
{
	static const enum proof accounts[] = {
	    PROOF_SECRET, PROOF_PASSWORD, PROOF_SRP, PROOF_EXTERNAL};
	struct buf text = {0};

	if (identity_has(identity, PROOF_CERTIFICATE))
		describe_certificate(identity, &text);
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		if (!identity_has(identity, accounts[i]))
			continue;
		if (text.len > 0)
			buf_add_byte(&text, ',');
		identity_describe(identity, accounts[i], &text);
	}
	identity->text = mem_string(buf_string(&text));
	buf_free(&text);
}

/* The ways to prove something, in the order in which they are tried. */
enum way { WAY_CERTIFICATE, WAY_SRP, WAY_EXTERNAL, WAY_BASIC, WAYS };

static const struct {
	unsigned proofs;
	method_identify *identify;
} ways[WAYS] = {
    [WAY_CERTIFICATE] = {PROOF_CERTIFICATE, certificate_identify},
    [WAY_BASIC] = {PROOF_PASSWORD | PROOF_SECRET, basic_identify},
    [WAY_SRP] = {PROOF_SRP, srp_identify},
    [WAY_EXTERNAL] = {PROOF_EXTERNAL, external_identify},
};

/*
 * What became of one way, and why: kept apart, because only one of them is told.
 */
struct attempt {
	enum outcome
	    outcome; /* EST_NOT_FOUND: it was not offered, or the label has no use for it */
	enum refusal refusal;
	char text[REASON_SIZE];
};

static void keep(struct attempt *attempt, enum outcome outcome)
{
	attempt->outcome = outcome;
	attempt->refusal = refusal_recorded(outcome);
	(void)snprintf(attempt->text, sizeof(attempt->text), "%s", reason_text());
	reason_clear();
}

/* Refuses for that reason, by its own code or by another one whose outcome fits. */
static enum outcome refuse_for(const struct attempt *attempt, enum refusal refusal)
{
	(void)reason(attempt->outcome, "%s", attempt->text);
	return refuse(refusal, "%s", attempt->text);
}

/*
 * RFC 9110 15.5.2: a 401 invites credentials, so it is only for labels that take some over HTTP.
 */
static enum outcome refuse_nobody(
    const struct auth *auth, unsigned use, const struct attempt attempts[WAYS])
{
	const struct attempt *certificate = &attempts[WAY_CERTIFICATE];
	bool believed_not = certificate->outcome == EST_UNAUTHENTICATED;
	bool basic = (use & ways[WAY_BASIC].proofs) != 0;

	if (use == 0)
		return reason(EST_FORBIDDEN,
		    "label \"%s\" has no method in authenticate that counts here",
		    auth->label->name);
	if (basic && attempts[WAY_BASIC].outcome != EST_OK)
		return believed_not
			   ? refuse_for(certificate, certificate->refusal)
			   : refuse(AUTH_MISSING, "send a user name and password (HTTP Basic)%s",
				 (use & PROOF_CERTIFICATE) != 0
				     ? ", or a client certificate that this label trusts"
				     : "");
	if (believed_not)
		return refuse_for(certificate, AUTH_CERTIFICATE_MISSING);
	if ((use & PROOF_CERTIFICATE) != 0 && certificate->outcome != EST_OK)
		return refuse(AUTH_CERTIFICATE_MISSING,
		    (use & ~(unsigned)PROOF_CERTIFICATE) != 0
			? "label \"%s\" wants a client certificate beside what came"
			: "label \"%s\" takes client certificates only, and none came with the "
			  "request",
		    auth->label->name);
	if ((use & PROOF_SRP) != 0)
		return refuse(AUTH_SRP, "label \"%s\" wants TLS-SRP, which the connection is not",
		    auth->label->name);
	return refuse(AUTH_EXTERNAL,
	    "label \"%s\" leaves it to the web server to know who asks, and it named nobody",
	    auth->label->name);
}

/* The one refusal that is told where several ways failed, or the only one that was offered. */
static enum outcome refuse_attempts(
    const struct auth *auth, unsigned use, const struct attempt attempts[WAYS])
{
	/*
	 * The store being away must not look like a wrong password: a device might forget its
	 * credentials. A password comes before a certificate: whoever sends one means it.
	 */
	static const struct {
		enum way way;
		enum outcome outcome;
	} order[] = {
	    {WAY_CERTIFICATE, EST_UNAVAILABLE},
	    {WAY_BASIC, EST_UNAVAILABLE},
	    {WAY_SRP, EST_UNAVAILABLE},
	    {WAY_EXTERNAL, EST_UNAVAILABLE},
	    {WAY_BASIC, EST_THROTTLED},
	    {WAY_BASIC, EST_UNAUTHENTICATED},
	    {WAY_BASIC, EST_FORBIDDEN},
	    {WAY_CERTIFICATE, EST_FORBIDDEN},
	    {WAY_SRP, EST_FORBIDDEN},
	    {WAY_EXTERNAL, EST_FORBIDDEN},
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (attempts[order[i].way].outcome == order[i].outcome)
			return refuse_for(&attempts[order[i].way], attempts[order[i].way].refusal);
	return refuse_nobody(auth, use, attempts);
}

/* Credentials that the web server has checked as its own are no guess of ours. */
static bool is_consumed(
    enum way way, const struct identity *identity, const struct credentials *credentials)
{
	return way == WAY_BASIC && identity->by_server &&
	       strcasecmp(credentials->auth_type, "Basic") == 0;
}

enum outcome auth_identify(
    const struct auth *auth, const struct credentials *credentials, struct identity *out)
{
	unsigned sets[AUTH_METHODS], use = 0, proven = 0;
	size_t count = ways_in(auth, sets);
	struct attempt attempts[WAYS];

	*out = (struct identity){0};
	for (size_t i = 0; i < count; i++)
		use |= sets[i];
	for (enum way i = 0; i < WAYS; i++) {
		enum outcome outcome = EST_NOT_FOUND;
		out->proven = 0;
		if ((ways[i].proofs & use) != 0 && !is_consumed(i, out, credentials))
			outcome = ways[i].identify(auth, ways[i].proofs & use, credentials, out);
		if (outcome == EST_OK)
			proven |= out->proven;
		keep(&attempts[i], outcome);
	}
	if (!satisfied(sets, count, proven, out))
		return refuse_attempts(auth, use, attempts);
	/* What a certificate is besides counts where it does. */
	if (!identity_has(out, PROOF_CERTIFICATE))
		out->is_ra = out->late = out->superseded = false;
	describe(out);
	return EST_OK;
}

void identity_clear(struct identity *identity)
{
	user_record_clear(&identity->user);
	user_record_clear(&identity->srp);
	user_record_clear(&identity->external);
	user_record_clear(&identity->ra);
	secret_record_clear(&identity->secret);
	cert_record_clear(&identity->certificate);
	buf_free(&identity->der);
	buf_free(&identity->maker_name);
	free(identity->text);
	free(identity->account);
	*identity = (struct identity){0};
}
