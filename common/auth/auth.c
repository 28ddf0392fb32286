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

/* A word of a label's `authenticate`: what must be proven for it. */
static const struct method {
	const char *word;
	bool password, certificate;
} methods[] = {
    {"basic", true, false},
    {"certificate", false, true},
    {"certificate-and-basic", true, true},
};

static const struct method *method_of(const char *word)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].word, word) == 0)
			return &methods[i];
	return NULL;
}

/* What any of the label's methods makes use of. */
static struct method useful(const struct config_label *label)
{
	struct method all = {NULL, false, false};

	for (size_t i = 0; i < label->authenticate.count; i++) {
		const struct method *method = method_of(label->authenticate.word[i]);
		all.password |= method != NULL && method->password;
		all.certificate |= method != NULL && method->certificate;
	}
	return all;
}

/* Whether one of the label's methods is content with what was proven. */
static bool satisfied(const struct config_label *label, struct identity *identity)
{
	bool content = false;

	identity->wants_both = true;
	for (size_t i = 0; i < label->authenticate.count; i++) {
		const struct method *method = method_of(label->authenticate.word[i]);
		if (method == NULL || (method->password && !identity->by_password) ||
		    (method->certificate && !identity->by_certificate))
			continue;
		content = true;
		identity->wants_both &= method->password && method->certificate;
	}
	return content;
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

static void describe(struct identity *identity)
{
	struct buf text = {0};

	if (identity->by_certificate)
		describe_certificate(identity, &text);
	if (identity->by_password)
		buf_printf(&text, "%suser:%s", text.len > 0 ? "," : "", identity->user.name);
	identity->text = mem_string(buf_string(&text));
	buf_free(&text);
}

/*
 * What became of one way to prove an identity, and why: kept apart,
 * because only one of the two is told.
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

/* RFC 9110 15.5.2: a 401 invites credentials, so it is only for labels that take some over HTTP. */
static enum outcome refuse_nobody(const struct config_label *label, const struct method *use,
    const struct attempt *certificate, const struct attempt *password)
{
	bool believed_not = certificate->outcome == EST_UNAUTHENTICATED;

	if (use->password && password->outcome != EST_OK)
		return believed_not
			   ? refuse_for(certificate, certificate->refusal)
			   : refuse(AUTH_MISSING, "send a user name and password (HTTP Basic)%s",
				 use->certificate
				     ? ", or a client certificate that this label trusts"
				     : "");
	if (believed_not)
		return refuse_for(certificate, AUTH_CERTIFICATE_MISSING);
	return refuse(AUTH_CERTIFICATE_MISSING,
	    use->password
		? "label \"%s\" wants a client certificate beside the password"
		: "label \"%s\" takes client certificates only, and none came with the request",
	    label->name);
}

/* The one refusal that is told where both ways failed, or the only one that was offered. */
static enum outcome refuse_attempts(const struct config_label *label, const struct method *use,
    const struct attempt *certificate, const struct attempt *password)
{
	/* The store being away must not look like a wrong password: a device might forget its
	 * credentials. */
	if (certificate->outcome == EST_UNAVAILABLE)
		return refuse_for(certificate, certificate->refusal);
	if (password->outcome == EST_UNAVAILABLE || password->outcome == EST_UNAUTHENTICATED)
		return refuse_for(password, password->refusal);
	if (certificate->outcome == EST_FORBIDDEN)
		return refuse_for(certificate, certificate->refusal);
	return refuse_nobody(label, use, certificate, password);
}

enum outcome auth_identify(
    const struct auth *auth, const struct credentials *credentials, struct identity *out)
{
	struct method use = useful(auth->label);
	struct attempt certificate = {.outcome = EST_NOT_FOUND},
		       password = {.outcome = EST_NOT_FOUND};

	*out = (struct identity){0};
	if (use.certificate && credentials->certificate != NULL)
		keep(&certificate, certificate_identify(auth, credentials, out));
	if (use.password && credentials->authorization != NULL)
		keep(&password, basic_identify(auth, credentials->authorization, &out->user));
	out->by_certificate = certificate.outcome == EST_OK;
	out->by_password = password.outcome == EST_OK;
	if (!satisfied(auth->label, out))
		return refuse_attempts(auth->label, &use, &certificate, &password);
	describe(out);
	return EST_OK;
}

void identity_clear(struct identity *identity)
{
	user_record_clear(&identity->user);
	user_record_clear(&identity->ra);
	cert_record_clear(&identity->certificate);
	buf_free(&identity->der);
	free(identity->text);
	*identity = (struct identity){0};
}

static bool user_has(const struct user_record *user, struct span name)
{
	for (size_t i = 0; user->names != NULL && user->names[i] != NULL; i++)
		if (pattern_matches(user->names[i], name))
			return true;
	return false;
}

static enum outcome not_yours(const struct user_record *user, struct span name)
{
	struct buf text = {0};
	enum outcome outcome;

	dn_value(&text, name);
	outcome = refuse(NAME_NOT_ALLOWED,
	    "user \"%s\" may not ask for the name \"%.200s\"; the operator can allow it",
	    user->name, buf_string(&text));
	buf_free(&text);
	return outcome;
}

static enum outcome user_allows(
    const struct user_record *user, const struct name *name, const struct sans *sans)
{
	enum outcome outcome = EST_OK;
	size_t asked = sans->count;

	for (size_t i = 0; i < name->count; i++) {
		const struct name_attribute *attribute = &name->attributes[i];
		struct span value = name_value(name, attribute);
		if (attribute->type != NULL && !attribute->type->identifies)
			continue;
		asked++;
		if (!user_has(user, value))
			return not_yours(user, value);
	}
	if (asked == 0)
		return refuse(NAME_NOT_ALLOWED,
		    "the request holds no name that a device is told apart by; give it a common "
		    "name");
	for (size_t i = 0; outcome == EST_OK && i < sans->count; i++) {
		struct buf text = {0};
		san_text(&sans->san[i], &text);
		if (!user_has(user, buf_span(&text)))
			outcome = not_yours(user, buf_span(&text));
		buf_free(&text);
	}
	return outcome;
}

/* The subject and the SANs of a client certificate; name_clear(subject). */
static enum outcome own_names(struct span der, struct name *subject, struct sans *sans)
{
	struct cert_parts parts;
	enum outcome outcome = cert_parse(der, &parts);

	if (outcome == EST_OK)
		outcome = name_parse(parts.subject, subject);
	if (outcome == EST_OK && parts.sans.len > 0)
		outcome = sans_parse(parts.sans, sans);
	if (outcome == EST_OK)
		return EST_OK;
	reason_clear(); /* it speaks of a request */
	return refuse(NAME_NOT_ALLOWED, "the client certificate's own names cannot be read");
}

/* Whether a certificate has the SAN, or it is its CN. */
static bool is_own(const struct name *subject, const struct sans *sans, const struct san *san)
{
	struct span cn = name_first(subject, "CN");

	if (san->kind == SAN_DNS && san->value.len == cn.len &&
	    strncasecmp((const char *)san->value.data, (const char *)cn.data, cn.len) == 0)
		return true;
	return sans_have(sans, san);
}

/* A certificate's own name: its whole subject, and no SAN that is not its own. */
static enum outcome certificate_allows(
    const struct identity *identity, const struct name *name, const struct sans *sans)
{
	struct name own = {.count = 0};
	struct sans own_sans = {.count = 0};
	enum outcome outcome = own_names(buf_span(&identity->der), &own, &own_sans);

	if (outcome == EST_OK && !name_equal(&own, name))
		outcome = refuse(NAME_NOT_ALLOWED, "a client certificate may ask for its own "
						   "subject only, and this is another");
	for (size_t i = 0; outcome == EST_OK && i < sans->count; i++)
		if (!is_own(&own, &own_sans, &sans->san[i]))
			outcome = refuse(NAME_NOT_ALLOWED,
			    "a client certificate may ask for its own names only, and one of the "
			    "SANs is not among them");
	name_clear(&own);
	if (outcome == EST_OK || !identity->is_ra)
		return outcome;
	/* RFC 7030 3.7: a registration authority asks for others. */
	reason_clear();
	return user_allows(&identity->ra, name, sans);
}

enum outcome auth_allows(
    const struct identity *identity, const struct name *name, const struct sans *sans)
{
	enum outcome user = EST_FORBIDDEN, certificate = EST_FORBIDDEN;

	if (identity->by_password)
		user = user_allows(&identity->user, name, sans);
	if (identity->by_certificate && (user != EST_OK || identity->wants_both))
		certificate = certificate_allows(identity, name, sans);
	if (identity->wants_both ? user == EST_OK && certificate == EST_OK
				 : user == EST_OK || certificate == EST_OK) {
		reason_clear();
		return EST_OK;
	}
	return refuse(NAME_NOT_ALLOWED, "this identity may ask for no name here");
}

/* The name of another CA's certificate; it may have none that we can read. */
static void foreign_name(const struct identity *identity, struct buf *out)
{
	struct name subject = {.count = 0};
	struct sans sans = {.count = 0};

	if (own_names(buf_span(&identity->der), &subject, &sans) == EST_OK)
		csr_device_name(&subject, &sans, out);
	reason_clear();
	name_clear(&subject);
}

void auth_name(const struct identity *identity, struct buf *out)
{
	if (!identity->by_certificate)
		buf_add_string(out, identity->user.name == NULL ? "" : identity->user.name);
	else if (identity->trust == TRUST_EXPLICIT)
		buf_add_string(out, identity->certificate.name);
	else
		foreign_name(identity, out);
}
