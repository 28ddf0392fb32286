#include "common/lifecycle/linking.h"

#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "common/auth/password.h"
#include "common/base/encoding.h"
#include "common/base/refusal.h"
#include "common/lifecycle/naming.h"
#include "common/pki/key.h"

/*
 * The binding of the session's version of TLS (RFC 7030 3.5; RFC 9266 1: tls-unique ends at 1.2).
 */
static const char *binding_of(const struct binding *binding, bool *exporter)
{
	*exporter = false;
	if (binding == NULL || binding->protocol == NULL)
		return NULL;
	if (strcmp(binding->protocol, "TLSv1.3") == 0) {
		*exporter = true;
		return binding->exporter;
	}
	return strcmp(binding->protocol, "TLSv1.2") == 0 ? binding->unique : NULL;
}

/* Octet by octet in constant time, and whole: a prefix is not enough (P-07). */
static bool same(const struct buf *a, const struct buf *b)
{
	return a->len > 0 && a->len == b->len && CRYPTO_memcmp(a->data, b->data, a->len) == 0;
}

/* RFC 7030 3.7: it speaks for devices whose sessions are with itself. */
static bool is_excused(const struct linking_question *question)
{
	return question->identity->is_ra && question->label->config->ra_unlinked;
}

/* RFC 7030 3.5: the base64 of the channel binding; both sides decoded and compared. */
static bool is_binding(
    const struct linking_question *question, enum csr_challenge which, const char *session)
{
	struct buf text = {0}, ours = {0}, theirs = {0};
	bool equal;

	csr_challenge_text(question->csr, which, &text);
	equal = base64_decode(&theirs, buf_span(&text)) == EST_OK &&
		base64_decode(&ours, span_of(session)) == EST_OK && same(&ours, &theirs);
	reason_clear(); /* it speaks of a body */
	buf_cleanse(&text);
	buf_cleanse(&theirs);
	buf_cleanse(&ours);
	return equal;
}

static enum outcome check_binding(
    const struct linking_question *question, enum csr_challenge which, struct linking *out)
{
	bool exporter;
	const char *session = binding_of(question->binding, &exporter);

	if (session != NULL && is_binding(question, which, session)) {
		out->linked = true;
		out->exporter |= exporter;
		return EST_OK;
	}
	if (is_excused(question)) {
		out->ignored = true;
		return EST_OK;
	}
	return session == NULL
		   ? refuse(POP_LINKING, "the challengePassword asks for linking that cannot be "
					 "verified here; leave it out")
		   : refuse(POP_LINKING,
			 "the linking of identity and proof of possession does not verify: the "
			 "request was made in another TLS session");
}

static bool is_the_name(const struct linking_question *question, struct span text)
{
	return text.len == strlen(question->name) &&
	       strncasecmp((const char *)text.data, question->name, text.len) == 0;
}

/* A secret is the device's, and vouches for no other name. */
static enum outcome check_names(const struct linking_question *question)
{
	const struct name *name = question->names->name;
	const struct sans *sans = question->names->sans;
	bool fits = true;

	for (size_t i = 0; i < name->count; i++)
		if (name->attributes[i].type == NULL || name->attributes[i].type->identifies)
			fits &= is_the_name(question, name_value(name, &name->attributes[i]));
	for (size_t i = 0; i < sans->count; i++) {
		struct buf text = {0};
		san_text(&sans->san[i], &text);
		fits &= is_the_name(question, buf_span(&text)) ||
			sans_have(&question->label->profile->fixed_sans, &sans->san[i]);
		buf_free(&text);
	}
	return fits ? EST_OK
		    : refuse(NAME_NOT_ALLOWED,
			  "a one-time secret is good for the device's name alone, and the request "
			  "has others beside it");
}

/* The one-time secret of the device; it is used up together with what it is used for. */
static enum outcome check_secret(
    const struct linking_question *question, enum csr_challenge which, struct linking *out)
{
	struct secret_use use = {.name = question->name,
	    .label = question->label->config->name,
	    .digest = out->secret,
	    .request = question->request};
	unsigned char digest[32];
	struct buf text = {0};
	enum outcome outcome;

	csr_challenge_text(question->csr, which, &text);
	key_sha256(buf_span(&text), digest);
	buf_cleanse(&text);
	if (out->uses_secret && CRYPTO_memcmp(digest, out->secret, sizeof(digest)) != 0)
		return refuse(OTP_WRONG, "the request holds two different one-time secrets");
	memcpy(out->secret, digest, sizeof(digest));
	out->uses_secret = true;
	outcome = store_secret_check(question->service->store, &use);
	return outcome == EST_OK ? check_names(question) : outcome;
}

/* What is told to the operator, and to nobody else. */
static enum outcome ignore(
    const struct linking_question *question, enum csr_challenge which, struct linking *out)
{
	(void)question;
	(void)which;
	out->ignored = true;
	return EST_OK;
}

/* RFC 7894 3.2: kept as a hash, so that who knows it can have the certificate revoked. */
static enum outcome keep_revocation(
    const struct linking_question *question, enum csr_challenge which, struct linking *out)
{
	struct buf text = {0};
	enum outcome outcome;

	csr_challenge_text(question->csr, which, &text);
	outcome = password_hash(buf_span(&text), &out->revocation);
	buf_cleanse(&text);
	return outcome;
}

typedef enum outcome challenge_check(
    const struct linking_question *question, enum csr_challenge which, struct linking *out);

/* Who looks at which challenge; of a challengePassword the label says what it is. */
static challenge_check *check_of(const struct linking_question *question, enum csr_challenge which)
{
	static const struct {
		const char *word;
		challenge_check *check;
	} passwords[] = {{"verify", check_binding}, {"otp", check_secret}, {"ignore", ignore}};
	static challenge_check *const checks[CSR_CHALLENGES] = {
	    [CSR_CHALLENGE_OTP] = check_secret,
	    [CSR_CHALLENGE_REVOCATION] = keep_revocation,
	    [CSR_CHALLENGE_LINKING] = check_binding,
	};

	for (size_t i = 0; which == CSR_CHALLENGE_PASSWORD && i < 3; i++)
		if (strcmp(question->label->config->challenge, passwords[i].word) == 0)
			return passwords[i].check;
	return which == CSR_CHALLENGE_PASSWORD ? check_binding : checks[which];
}

bool linking_wants_secret(const struct linking_question *question)
{
	const struct config_label *config = question->label->config;

	return question->csr->challenge[CSR_CHALLENGE_OTP].len > 0 ||
	       (question->csr->challenge[CSR_CHALLENGE_PASSWORD].len > 0 &&
		   strcmp(config->challenge, "otp") == 0);
}

enum outcome linking_check(const struct linking_question *question, struct linking *out)
{
	enum outcome outcome = EST_OK;

	for (unsigned i = 0; outcome == EST_OK && i < CSR_CHALLENGES; i++) {
		enum csr_challenge which = (enum csr_challenge)i;
		if (question->csr->challenge[which].len > 0)
			outcome = check_of(question, which)(question, which, out);
	}
	if (outcome == EST_OK && question->proven)
		outcome = check_names(question);
	if (outcome == EST_OK && question->label->config->pop_required && !out->linked &&
	    !is_excused(question))
		return refuse(POP_REQUIRED,
		    "linking of identity and proof of possession is required: put the channel "
		    "binding of the TLS session into the challengePassword");
	if (outcome == EST_OK && question->label->config->otp_required && !out->uses_secret &&
	    !question->proven)
		return refuse(OTP_REQUIRED,
		    "this label wants the one-time secret of the device: send it as otpChallenge");
	return outcome;
}

void linking_clear(struct linking *linking)
{
	OPENSSL_cleanse(linking->secret, sizeof(linking->secret));
	buf_cleanse(&linking->revocation);
	*linking = (struct linking){.linked = false};
}
