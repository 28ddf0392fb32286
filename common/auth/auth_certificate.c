/*
 * auth_certificate.c - the TLS client's certificate, verified here and not by the web server.
 *
 * Web servers hand over certificates that they did not verify, and say SUCCESS of some of them on
 * resumed sessions; so what the web server thinks of it is not asked.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "common/auth/manufacturer.h"
#include "common/auth/method.h"
#include "common/base/encoding.h"
#include "common/base/refusal.h"
#include "common/pki/cert.h"

#define VARIABLE_MOST (1 << 20)
#define CHAIN_MOST    8

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----";
static const char pem_end[] = "-----END CERTIFICATE-----";

enum outcome certificate_decode(const char *variable, struct buf *der)
{
	struct buf plain = {0};
	struct span text = span_of(variable);
	const char *begin, *end;
	enum outcome outcome = EST_OK;

	if (text.len > VARIABLE_MOST)
		return refuse(AUTH_CERTIFICATE_FORM, "the client certificate is too large");
	/* base64 holds no percent sign, so one means that the whole is escaped. */
	if (memchr(text.data, '%', text.len) != NULL) {
		outcome = percent_decode(&plain, text);
		text = span_of(buf_string(&plain));
		if (text.len != plain.len)
			outcome = EST_MALFORMED;
	}
	begin = strstr((const char *)text.data, pem_begin);
	if (begin != NULL) {
		begin += sizeof(pem_begin) - 1;
		end = strstr(begin, pem_end);
		text = (struct span){
		    (const unsigned char *)begin, end == NULL ? 0 : (size_t)(end - begin)};
	}
	if (outcome == EST_OK)
		outcome = base64_decode(der, text);
	buf_free(&plain);
	if (outcome == EST_OK)
		return EST_OK;
	reason_clear(); /* it speaks of a body */
	return refuse(AUTH_CERTIFICATE_FORM,
	    "what the web server passed on as the client certificate is neither PEM nor base64");
}

/* Pushes every certificate that lies in der, one behind the other, as HAProxy sends a chain. */
static void push_all(struct span der, STACK_OF(X509) *into)
{
	while (der.len > 0 && sk_X509_num(into) < CHAIN_MOST) {
		const unsigned char *at = der.data;
		X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
		if (certificate == NULL)
			break;
		(void)sk_X509_push(into, certificate);
		der.len -= (size_t)(at - der.data);
		der.data = at;
	}
	ERR_clear_error();
}

/* What the client sent behind its certificate: a hint for building the chain, so what cannot be
 * read is left out. */
static STACK_OF(X509) *sent_chain(const struct credentials *credentials)
{
	STACK_OF(X509) *sent = sk_X509_new_null();

	for (size_t i = 0; credentials->chain != NULL && credentials->chain[i] != NULL; i++) {
		struct buf der = {0};
		if (certificate_decode(credentials->chain[i], &der) == EST_OK)
			push_all(buf_span(&der), sent);
		buf_free(&der);
	}
	reason_clear();
	return sent;
}

/*
 * What we remember under the certificate's serial, if it is this very certificate; EST_NOT_FOUND.
 * By what is signed: of an ECDSA signature anybody can make another one that is as good.
 */
static enum outcome recall(const struct auth *auth, struct span der, struct cert_record *record)
{
	struct cert_parts parts, ours;
	struct serial serial = {0};
	enum outcome outcome = cert_parse(der, &parts);

	if (outcome != EST_OK) {
		reason_clear();
		return refuse(
		    AUTH_CERTIFICATE_FORM, "the client certificate, or one above it, is not DER");
	}
	if (parts.serial.len > SERIAL_MAX)
		return EST_NOT_FOUND;
	serial.len = (unsigned char)parts.serial.len;
	memcpy(serial.octets, parts.serial.data, parts.serial.len);
	outcome = auth->memory.certificate(auth->memory.context, &serial, record);
	if (outcome == EST_OK &&
	    (cert_parse(record->der, &ours) != EST_OK || !span_equal(ours.tbs, parts.tbs))) {
		cert_record_clear(record);
		return EST_NOT_FOUND;
	}
	return outcome == EST_OK || outcome == EST_NOT_FOUND ? outcome : EST_UNAVAILABLE;
}

/*
 * A certificate of our own CA is one that we remember, that nobody revoked, and that
 * was issued under this label (L-06: what is good for one label is nothing on another). What was
 * issued elsewhere and leads to an implicit anchor is not remembered; unless it is ours by another
 * way, and then revoked is revoked.
 */
static enum outcome check_record(
    const struct auth *auth, struct identity *identity, struct cert_record *record)
{
	enum outcome outcome = recall(auth, buf_span(&identity->der), record);

	if (outcome == EST_NOT_FOUND) {
		reason_clear();
		return identity->trust == TRUST_IMPLICIT
			   ? EST_OK
			   : refuse(AUTH_CERTIFICATE_UNKNOWN,
				 "the client certificate is of our CA but not in our store, so "
				 "nobody could have revoked it; enroll again with other "
				 "credentials");
	}
	if (outcome != EST_OK)
		return outcome;
	if (record->revocation_reason == SUPERSEDED && auth->superseded_since != 0 &&
	    record->revoked_at >= auth->superseded_since)
		identity->superseded = true;
	else if (record->revocation_reason != NOT_REVOKED)
		return refuse(AUTH_CERTIFICATE_REVOKED, "the client certificate is revoked (%s)",
		    revocation_word(record->revocation_reason));
	if (identity->trust == TRUST_EXPLICIT && strcmp(record->label, auth->label->name) != 0 &&
	    !words_have(&auth->label->certificates_from, record->label))
		return refuse(AUTH_CERTIFICATE_LABEL,
		    "the client certificate was issued under label \"%s\" and does not count here "
		    "(certificates_from of est.conf)",
		    record->label);
	return EST_OK;
}

/*
 * RFC 5280 6.1.3 (a) (3): a CA below another one's anchor may be one that we issued ourselves, for
 * an edge, and took back.
 */
static enum outcome check_issuers(const struct auth *auth, X509 *leaf, STACK_OF(X509) *sent)
{
	STACK_OF(X509) *issuers = trust_issuers(auth->trust, leaf, sent, auth->now);
	enum outcome outcome = EST_OK;

	for (int i = 0; outcome == EST_OK && i < sk_X509_num(issuers); i++) {
		struct cert_record record = {0};
		unsigned char *der = NULL;
		int len = i2d_X509(sk_X509_value(issuers, i), &der);
		outcome = recall(auth, (struct span){der, len > 0 ? (size_t)len : 0}, &record);
		if (outcome == EST_OK && record.revocation_reason != NOT_REVOKED)
			outcome = refuse(AUTH_CERTIFICATE_REVOKED,
			    "a CA above the client certificate is revoked (%s)",
			    revocation_word(record.revocation_reason));
		else if (outcome == EST_NOT_FOUND)
			outcome = EST_OK;
		cert_record_clear(&record);
		OPENSSL_free(der);
	}
	sk_X509_pop_free(issuers, X509_free);
	return outcome;
}

/*
 * RFC 7030 3.7: id-kp-cmcRA in a certificate of our own; anybody's CA could write it into another.
 */
static bool is_ra(const struct identity *identity, X509 *leaf)
{
	static const unsigned char oid[] = {0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 0x1c};
	EXTENDED_KEY_USAGE *purposes;
	bool found = false;

	/* Nearly no certificate is: what does not hold the octets need not be taken apart. */
	if (identity->trust != TRUST_EXPLICIT ||
	    memmem(identity->der.data, identity->der.len, oid, sizeof(oid)) == NULL)
		return false;
	purposes = X509_get_ext_d2i(leaf, NID_ext_key_usage, NULL, NULL);
	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++)
		found |= OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes, i)) == NID_cmcRA;
	EXTENDED_KEY_USAGE_free(purposes);
	return found;
}

/* What it may ask for stands in the store, under a name that no user can have (RFC 7617 2). */
static enum outcome recall_ra(const struct auth *auth, struct identity *identity)
{
	struct buf name = {0};
	enum outcome outcome;

	buf_printf(&name, "ra:%s", identity->certificate.name);
	outcome = auth->memory.user(auth->memory.context, buf_string(&name), &identity->ra);
	buf_free(&name);
	identity->is_ra = outcome == EST_OK && user_label_allowed(&identity->ra, auth->label->name);
	if (!identity->is_ra)
		user_record_clear(&identity->ra);
	if (outcome == EST_NOT_FOUND)
		reason_clear();
	return outcome == EST_OK || outcome == EST_NOT_FOUND ? EST_OK : EST_UNAVAILABLE;
}

/* Validates; one of ours may be past its end for as long as the label's grace is. */
static enum outcome validate(
    const struct auth *auth, X509 *leaf, STACK_OF(X509) *sent, struct identity *out)
{
	enum outcome outcome = trust_verify(auth->trust, leaf, sent, auth->now, &out->trust);

	if (outcome != EST_FORBIDDEN || auth->grace == 0 || out->trust != TRUST_EXPLICIT ||
	    refusal_recorded(outcome) != AUTH_CERTIFICATE_EXPIRED)
		return outcome;
	reason_clear();
	outcome = trust_verify_late(auth->trust, leaf, sent, auth->now, auth->grace);
	out->late = outcome == EST_OK;
	return outcome;
}

enum outcome certificate_identify(const struct auth *auth, unsigned proofs,
    const struct credentials *credentials, struct identity *out)
{
	const unsigned char *at;
	STACK_OF(X509) *sent = NULL;
	X509 *leaf = NULL;
	enum outcome outcome;

	if ((proofs & PROOF_CERTIFICATE) == 0 || credentials->certificate == NULL)
		return EST_NOT_FOUND;
	outcome = certificate_decode(credentials->certificate, &out->der);
	if (outcome != EST_OK)
		return outcome;
	at = out->der.data;
	leaf = d2i_X509(NULL, &at, (long)out->der.len);
	if (leaf == NULL || at != out->der.data + out->der.len) {
		(void)reason_openssl(
		    EST_UNAUTHENTICATED, "RFC 5280 4.1: the client certificate cannot be read");
		outcome = refuse(AUTH_CERTIFICATE_FORM, "the client certificate cannot be read");
		goto out;
	}
	sent = sent_chain(credentials);
	outcome = validate(auth, leaf, sent, out);
	if (outcome == EST_OK)
		outcome = check_record(auth, out, &out->certificate);
	if (outcome == EST_OK && out->trust == TRUST_IMPLICIT)
		outcome = check_issuers(auth, leaf, sent);
	/* One in its grace may be renewed, and speaks for nobody. */
	if (outcome == EST_OK && !out->late && !out->superseded && is_ra(out, leaf))
		outcome = recall_ra(auth, out);
	if (outcome == EST_OK && out->trust == TRUST_IMPLICIT &&
	    auth->label->manufacturer_name != NULL)
		outcome = manufacturer_name(
		    auth->label->manufacturer_name, buf_span(&out->der), &out->maker_name);
	if (outcome == EST_OK)
		out->proven |= PROOF_CERTIFICATE;
out:
	sk_X509_pop_free(sent, X509_free);
	X509_free(leaf);
	return outcome;
}
