#include "common/auth/trust.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/auth/manufacturer.h"
#include "common/base/buf.h"
#include "common/base/refusal.h"
#include "common/pki/pem.h"

struct trust {
	X509_STORE *explicit_anchors;
	X509_STORE *implicit_anchors; /* NULL: none */
	STACK_OF(X509) *helpers;      /* intermediates: not trusted, only used to build chains */
};

/* Whether a certificate of a file may be what it is to be; the reason names the file. */
typedef enum outcome check_cert(X509 *certificate, const char *file);

/* Appends the certificates of all the files. */
static enum outcome read_files(const struct words *files, check_cert *check, STACK_OF(X509) *into)
{
	for (size_t i = 0; i < files->count; i++) {
		STACK_OF(X509) *read = NULL;
		X509 *certificate;
		enum outcome outcome = pem_certificates(files->word[i], &read);
		while (outcome == EST_OK && (certificate = sk_X509_shift(read)) != NULL) {
			(void)sk_X509_push(into, certificate);
			if (check != NULL)
				outcome = check(certificate, files->word[i]);
		}
		sk_X509_pop_free(read, X509_free);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

/* What was written, which ended with a NUL. */
static const char *bio_string(BIO *bio)
{
	char *text = NULL;

	return BIO_get_mem_data(bio, &text) > 0 ? text : "";
}

/*
 * An anchor that is no CA's would vouch for itself and for whatever its key signs. The file may be
 * a directory or a bundle, so it is named by its subject as well.
 */
static enum outcome check_anchor(X509 *certificate, const char *file)
{
	BIO *subject;
	enum outcome outcome;

	if (X509_check_ca(certificate) != 0)
		return EST_OK;
	subject = BIO_new(BIO_s_mem());
	(void)X509_NAME_print_ex(subject, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
	(void)BIO_write(subject, "", 1);
	outcome = reason(EST_MALFORMED,
	    "%s: a trust anchor, \"%.200s\", is not a CA's certificate (RFC 5280 4.2.1.9)", file,
	    bio_string(subject));
	BIO_free(subject);
	return outcome;
}

static enum outcome read_implicit(const struct config_label *label, struct trust *trust)
{
	STACK_OF(X509) *anchors = sk_X509_new_null();
	enum outcome outcome = read_files(&label->trust_anchors, check_anchor, anchors);

	if (outcome == EST_OK && sk_X509_num(anchors) > 0) {
		trust->implicit_anchors = X509_STORE_new();
		for (int i = 0; i < sk_X509_num(anchors); i++)
			(void)X509_STORE_add_cert(
			    trust->implicit_anchors, sk_X509_value(anchors, i));
	}
	sk_X509_pop_free(anchors, X509_free);
	return outcome;
}

/* What the implicit anchors' devices are called (manufacturer_name). */
static enum outcome check_rule(const struct config_label *label)
{
	const char *fault = label->manufacturer_name == NULL
				? NULL
				: manufacturer_rule_check(label->manufacturer_name);

	return fault == NULL ? EST_OK
			     : reason(EST_MALFORMED, "manufacturer_name: \"%.60s\" %s",
				   label->manufacturer_name, fault);
}

enum outcome trust_make(const struct config_label *label, X509 *ca, struct trust **out)
{
	struct trust *trust = mem_alloc(sizeof(*trust));
	enum outcome outcome;

	trust->explicit_anchors = X509_STORE_new();
	trust->helpers = sk_X509_new_null();
	(void)X509_STORE_add_cert(trust->explicit_anchors, ca);
	outcome = read_files(&label->intermediates, NULL, trust->helpers);
	if (outcome == EST_OK)
		outcome = read_implicit(label, trust);
	if (outcome == EST_OK)
		outcome = check_rule(label);
	ERR_clear_error();
	if (outcome != EST_OK) {
		trust_free(trust);
		return outcome;
	}
	*out = trust;
	return EST_OK;
}

void trust_free(struct trust *trust)
{
	if (trust == NULL)
		return;
	X509_STORE_free(trust->explicit_anchors);
	X509_STORE_free(trust->implicit_anchors);
	sk_X509_pop_free(trust->helpers, X509_free);
	free(trust);
}

enum { ANY_TIME = -1 };

/*
 * Validates against one set of anchors; X509_V_OK or the first error, and the chain, leaf first,
 * where it is asked for. At ANY_TIME neither dates nor purpose count: whether an anchor stands
 * behind the certificate at all, which OpenSSL looks at last.
 */
static int verify_chain(
    X509_STORE *anchors, X509 *leaf, STACK_OF(X509) *untrusted, int64_t now, STACK_OF(X509) **chain)
{
	bool whole = now != ANY_TIME;
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *parameters;
	int error = X509_V_ERR_UNSPECIFIED;

	if (context != NULL && X509_STORE_CTX_init(context, anchors, leaf, untrusted) == 1) {
		parameters = X509_STORE_CTX_get0_param(context);
		/* An anchor need not be self-signed: an issuing CA is one as it stands. */
		(void)X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
		if (whole) {
			(void)X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT);
			X509_VERIFY_PARAM_set_time(parameters, (time_t)now);
		} else {
			(void)X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
		}
		X509_VERIFY_PARAM_set_depth(parameters, 8);
		X509_VERIFY_PARAM_set_auth_level(
		    parameters, 2); /* neither MD5 nor SHA-1, nor RSA below 2048 bits */
		error =
		    X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
	}
	if (chain != NULL && error == X509_V_OK)
		*chain = X509_STORE_CTX_get1_chain(context);
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return error;
}

static int verify_with(X509_STORE *anchors, X509 *leaf, STACK_OF(X509) *untrusted, int64_t now)
{
	return verify_chain(anchors, leaf, untrusted, now, NULL);
}

/* Refuses one that no anchor of ours stands behind, for an error of OpenSSL's. */
static enum outcome refuse_untrusted(int error)
{
	static const struct {
		int error;
		const char *text;
	} known[] = {
	    {X509_V_ERR_EE_KEY_TOO_SMALL, "its key is too weak: RSA has 2048 bits or more, EC 224"},
	    {X509_V_ERR_CA_KEY_TOO_SMALL,
		"the key of a CA above it is too weak: RSA has 2048 bits or more, EC 224"},
	    {X509_V_ERR_CA_MD_TOO_WEAK,
		"it, or one above it, is signed with MD5 or SHA-1, which others can forge"},
	    {X509_V_ERR_INVALID_CA, "one above it is not a CA's"},
	    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,
		"it, or one above it, has a critical extension that is not known here"},
	    {X509_V_ERR_PERMITTED_VIOLATION,
		"a CA above it is not permitted such names (name constraints)"},
	    {X509_V_ERR_EXCLUDED_VIOLATION,
		"a CA above it is excluded from such names (name constraints)"},
	    {X509_V_ERR_CERT_SIGNATURE_FAILURE,
		"it, or one above it, is not signed by the CA that it names"},
	    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "it is signed by itself"},
	};
	const char *text = X509_verify_cert_error_string(error);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].error == error)
			text = known[i].text;
	return refuse(AUTH_CERTIFICATE_UNTRUSTED,
	    "the client certificate does not lead to a CA that this label trusts (%s)", text);
}

/*
 * Refuses for an error of OpenSSL's. Those of the table are of a certificate that an anchor of ours
 * does stand behind: its holder is known, and may not.
 */
static enum outcome refuse_error(int error)
{
	static const struct {
		int error;
		enum refusal refusal;
		const char *text;
	} known[] = {
	    {X509_V_ERR_CERT_HAS_EXPIRED, AUTH_CERTIFICATE_EXPIRED,
		"the client certificate, or one above it, has expired; enroll again with other "
		"credentials"},
	    {X509_V_ERR_CERT_NOT_YET_VALID, AUTH_CERTIFICATE_EARLY,
		"the client certificate, or one above it, is not valid yet; check the clocks"},
	    {X509_V_ERR_INVALID_PURPOSE, AUTH_CERTIFICATE_PURPOSE,
		"the client certificate is a CA's, or not for client authentication"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].error == error)
			return refuse(known[i].refusal, "%s", known[i].text);
	return refuse_untrusted(error);
}

/* Whether the way up ended before an anchor: then the other anchors have more to say. */
static bool is_stray(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

/* What chains may be built of, beside anchors: what the label has and what the client sent. */
static STACK_OF(X509) *with_helpers(const struct trust *trust, const STACK_OF(X509) *sent)
{
	STACK_OF(X509) *all = sk_X509_dup(trust->helpers);

	for (int i = 0; i < sk_X509_num(sent); i++)
		(void)sk_X509_push(all, sk_X509_value(sent, i));
	return all;
}

enum outcome trust_verify(
    const struct trust *trust, X509 *leaf, STACK_OF(X509) *sent, int64_t now, enum trust_kind *kind)
{
	const struct {
		enum trust_kind kind;
		X509_STORE *anchors;
	} sets[] = {
	    {TRUST_EXPLICIT, trust->explicit_anchors}, {TRUST_IMPLICIT, trust->implicit_anchors}};
	STACK_OF(X509) *untrusted = with_helpers(trust, sent);
	int errors[2] = {X509_V_ERR_UNSPECIFIED, X509_V_ERR_UNSPECIFIED}, error;
	size_t set = 0;

	for (; set < 2; set++)
		if (sets[set].anchors != NULL && (errors[set] = verify_with(sets[set].anchors, leaf,
						      untrusted, now)) == X509_V_OK)
			break;
	/* Nobody vouches for it as it is: whoever would, but for its dates and purpose, knows why
	 * not. */
	for (size_t i = 0; set == 2 && i < 2; i++) {
		if (sets[i].anchors == NULL)
			continue;
		error = verify_with(sets[i].anchors, leaf, untrusted, ANY_TIME);
		if (error == X509_V_OK)
			set = i;
		else
			errors[i] = error;
	}
	sk_X509_free(untrusted);
	*kind = set < 2 ? sets[set].kind : TRUST_NONE;
	if (set == 2)
		return refuse_untrusted(
		    errors[is_stray(errors[0]) && trust->implicit_anchors != NULL]);
	error = errors[set];
	if (error == X509_V_OK && X509_check_ca(leaf) != 0)
		error = X509_V_ERR_INVALID_PURPOSE; /* a CA is no device */
	return error == X509_V_OK ? EST_OK : refuse_error(error);
}

enum outcome trust_verify_late(
    const struct trust *trust, X509 *leaf, STACK_OF(X509) *sent, int64_t now, int64_t grace)
{
	STACK_OF(X509) *untrusted = with_helpers(trust, sent);
	struct tm end;
	int64_t not_after = 0;
	int error = X509_V_ERR_CERT_HAS_EXPIRED;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &end) == 1)
		not_after = (int64_t)timegm(&end);
	/*
	 * As it was a second before its last, which OpenSSL calls late already: it had begun by
	 * then, and all above it was valid.
	 */
	if (not_after < now && now - not_after <= grace)
		error = verify_with(trust->explicit_anchors, leaf, untrusted, not_after - 1);
	sk_X509_free(untrusted);
	if (error == X509_V_OK && X509_check_ca(leaf) != 0)
		error = X509_V_ERR_INVALID_PURPOSE;
	return error == X509_V_OK ? EST_OK : refuse_error(error);
}

STACK_OF(X509) *trust_issuers(
    const struct trust *trust, X509 *leaf, STACK_OF(X509) *sent, int64_t now)
{
	STACK_OF(X509) *untrusted = with_helpers(trust, sent);
	STACK_OF(X509) *chain = NULL;

	if (trust->implicit_anchors != NULL)
		(void)verify_chain(trust->implicit_anchors, leaf, untrusted, now, &chain);
	sk_X509_free(untrusted);
	if (chain == NULL)
		return NULL;
	X509_free(sk_X509_shift(chain));
	X509_free(sk_X509_pop(chain));
	return chain;
}
