#include "common/auth/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/auth/method.h"
#include "common/auth/pattern.h"
#include "common/base/encoding.h"
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

/* A certificate of ours is known by its serial; another CA's serial could be the same, so that one
 * by its digest. */
static void describe_certificate(const struct identity *identity, struct buf *text)
{
	char serial[2 * SERIAL_MAX + 1];
	unsigned char digest[32];

	if (identity->trust == TRUST_EXPLICIT) {
		buf_printf(
		    text, "certificate:%s", serial_text(&identity->certificate.serial, serial));
		return;
	}
	key_sha256(buf_span(&identity->der), digest);
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

/* RFC 9110 15.5.2: a 401 invites credentials, so it is only for labels that take some over HTTP. */
static enum outcome nobody(const struct config_label *label, const struct method *use)
{
	if (use->password)
		return reason(EST_UNAUTHENTICATED,
		    "RFC 7030 3.2.3: send a user name and password (HTTP Basic)%s",
		    use->certificate ? ", or a client certificate that this label trusts" : "");
	return reason(EST_FORBIDDEN,
	    "RFC 7030 3.3.2: label \"%s\" takes client certificates only, and none came with the "
	    "request",
	    label->name);
}

enum outcome auth_identify(
    const struct auth *auth, const struct credentials *credentials, struct identity *out)
{
	struct method use = useful(auth->label);
	enum outcome password = EST_UNAUTHENTICATED, certificate = EST_UNAUTHENTICATED;

	*out = (struct identity){0};
	if (use.certificate && credentials->certificate != NULL)
		certificate = certificate_identify(auth, credentials, out);
	out->by_certificate = certificate == EST_OK;
	if (use.password && credentials->authorization != NULL)
		password = basic_identify(auth, credentials->authorization, &out->user);
	out->by_password = password == EST_OK;
	if (satisfied(auth->label, out)) {
		reason_clear();
		describe(out);
		return EST_OK;
	}
	/* The store being away must not look like a wrong password: a device might forget its
	 * credentials. */
	if (password == EST_UNAVAILABLE || certificate == EST_UNAVAILABLE)
		return EST_UNAVAILABLE;
	if (use.password && credentials->authorization != NULL && password != EST_OK)
		return EST_UNAUTHENTICATED;
	if (certificate == EST_FORBIDDEN)
		return EST_FORBIDDEN;
	if (password == EST_OK)
		return reason(EST_FORBIDDEN,
		    "RFC 7030 3.3.2: label \"%s\" wants a client certificate beside the password",
		    auth->label->name);
	return nobody(auth->label, &use);
}

void identity_clear(struct identity *identity)
{
	user_record_clear(&identity->user);
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
	return reason(EST_FORBIDDEN,
	    "RFC 7030 4.2.1: user \"%s\" may not ask for the name \"%.*s\"; the operator can allow "
	    "it",
	    user->name, (int)(name.len < 200 ? name.len : 200), (const char *)name.data);
}

static enum outcome user_allows(const struct user_record *user, const struct csr *csr)
{
	enum outcome outcome = EST_OK;
	size_t asked = csr->wishes.sans.count;

	for (size_t i = 0; i < csr->name.count; i++) {
		const struct name_attribute *attribute = &csr->name.attributes[i];
		struct span value = name_value(&csr->name, attribute);
		if (attribute->type != NULL && !attribute->type->identifies)
			continue;
		asked++;
		if (!user_has(user, value))
			return not_yours(user, value);
	}
	if (asked == 0)
		return reason(EST_FORBIDDEN, "RFC 7030 4.2.1: the request holds no name that a "
					     "device is told apart by; give it a common name");
	for (size_t i = 0; outcome == EST_OK && i < csr->wishes.sans.count; i++) {
		struct buf text = {0};
		san_text(&csr->wishes.sans.san[i], &text);
		if (!user_has(user, buf_span(&text)))
			outcome = not_yours(user, buf_span(&text));
		buf_free(&text);
	}
	return outcome;
}

/* A certificate's own name: its whole subject, and no SAN that it does not have or that is not its
 * CN. */
static enum outcome certificate_allows(const struct identity *identity, const struct csr *csr)
{
	struct cert_parts parts;
	struct name own = {.count = 0};
	struct sans sans = {.count = 0};
	enum outcome outcome = cert_parse(buf_span(&identity->der), &parts);

	if (outcome == EST_OK)
		outcome = name_parse(parts.subject, &own);
	if (outcome == EST_OK && parts.sans.len > 0)
		outcome = sans_parse(parts.sans, &sans);
	if (outcome == EST_OK && !name_equal(&own, &csr->name))
		outcome = reason(EST_FORBIDDEN, "RFC 7030 4.2.1: a client certificate may ask for "
						"its own subject only, and this is another");
	for (size_t i = 0; outcome == EST_OK && i < csr->wishes.sans.count; i++) {
		const struct san *san = &csr->wishes.sans.san[i];
		struct span cn = name_first(&own, "CN");
		bool is_cn =
		    san->kind == SAN_DNS && san->value.len == cn.len &&
		    strncasecmp((const char *)san->value.data, (const char *)cn.data, cn.len) == 0;
		if (!is_cn && !sans_have(&sans, san))
			outcome = reason(EST_FORBIDDEN,
			    "RFC 7030 4.2.1: a client certificate may ask for its own "
			    "names only, and one of the SANs is not among them");
	}
	name_clear(&own);
	return outcome == EST_OK ? EST_OK : EST_FORBIDDEN;
}

enum outcome auth_allows(const struct identity *identity, const struct csr *csr)
{
	enum outcome user = EST_FORBIDDEN, certificate = EST_FORBIDDEN;

	if (identity->by_password)
		user = user_allows(&identity->user, csr);
	if (identity->by_certificate && (user != EST_OK || identity->wants_both))
		certificate = certificate_allows(identity, csr);
	if (identity->wants_both ? user == EST_OK && certificate == EST_OK
				 : user == EST_OK || certificate == EST_OK) {
		reason_clear();
		return EST_OK;
	}
	return reason(EST_FORBIDDEN, "RFC 7030 4.2.1: this identity may ask for no name here");
}
