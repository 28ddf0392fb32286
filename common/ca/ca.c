#include "common/ca/ca.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/key.h"
#include "common/pki/pem.h"
#include "common/pki/pkcs7.h"

#define CHAIN_MAX 16

static enum outcome unfit(const struct ca *ca, const char *what)
{
	return reason(EST_MALFORMED, "ca \"%s\": the certificate in %s %s", ca->config->name,
	    ca->config->certificate, what);
}

/* By a key that we verify with and never sign with: the certificate's. */
static enum outcome describe_key(struct ca *ca)
{
	EVP_PKEY *key = X509_get0_pubkey(ca->certificate);
	const EVP_MD *digest;

	if (key == NULL)
		return unfit(ca, "has a key that OpenSSL does not know");
	if (key_signer(key, &ca->algorithm, &digest) != EST_OK)
		return EST_MALFORMED;
	ca->primed = EVP_MD_CTX_new();
	ca->verify = EVP_MD_CTX_new();
	return EVP_DigestVerifyInit(ca->primed, NULL, digest, NULL, key) == 1
		   ? EST_OK
		   : reason_openssl(
			 EST_INTERNAL, "cannot verify with the key of ca \"%s\"", ca->config->name);
}

/* Takes the public members from the certificate; what they lead into belongs to ca->memory or to
 * OpenSSL. */
static enum outcome describe(struct ca *ca)
{
	const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(ca->certificate);
	struct tm not_before, not_after;
	int len = i2d_X509_NAME(X509_get_subject_name(ca->certificate), &ca->memory);

	if (len <= 0)
		return reason_openssl(
		    EST_INTERNAL, "cannot encode the name of ca \"%s\"", ca->config->name);
	ca->subject = (struct span){ca->memory, (size_t)len};
	if (key_id == NULL)
		return unfit(ca, "has no subjectKeyIdentifier (RFC 5280 4.2.1.2)");
	ca->key_id =
	    (struct span){ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id)};
	if (ASN1_TIME_to_tm(X509_get0_notBefore(ca->certificate), &not_before) != 1 ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(ca->certificate), &not_after) != 1)
		return unfit(ca, "has dates that cannot be read");
	ca->not_before = (int64_t)timegm(&not_before);
	ca->not_after = (int64_t)timegm(&not_after);
	return describe_key(ca);
}

static enum outcome check_can_issue(const struct ca *ca)
{
	if (X509_check_ca(ca->certificate) != 1)
		return unfit(ca, "is not a CA's (RFC 5280 4.2.1.9: basicConstraints with CA:TRUE)");
	if ((X509_get_key_usage(ca->certificate) & KU_KEY_CERT_SIGN) == 0)
		return unfit(
		    ca, "may not sign certificates (RFC 5280 4.2.1.3: keyUsage keyCertSign)");
	return EST_OK;
}

enum outcome ca_open(const struct config_ca *config, bool sign, struct ca **out)
{
	struct ca *ca = mem_alloc(sizeof(*ca));
	enum outcome outcome;

	ca->config = config;
	ca->backend = &ca_local;
	outcome = pem_certificates(config->certificate, &ca->chain);
	if (outcome != EST_OK)
		goto out;
	ca->certificate = sk_X509_shift(ca->chain);
	outcome = describe(ca);
	if (outcome == EST_OK)
		outcome = check_can_issue(ca);
	if (outcome == EST_OK && sign)
		outcome = ca->backend->open(ca);
out:
	if (outcome != EST_OK) {
		ca_close(ca);
		return outcome;
	}
	*out = ca;
	return EST_OK;
}

void ca_close(struct ca *ca)
{
	if (ca == NULL)
		return;
	if (ca->state != NULL)
		ca->backend->close(ca);
	EVP_MD_CTX_free(ca->primed);
	EVP_MD_CTX_free(ca->verify);
	X509_free(ca->certificate);
	sk_X509_pop_free(ca->chain, X509_free);
	OPENSSL_free(ca->memory);
	free(ca);
}

/* RFC 5280 4.1.2.5: a certificate lives within its issuer's life, whatever the profile says. */
static enum outcome clamp_dates(const struct ca *ca, struct cert_plan *plan)
{
	if (plan->not_before < ca->not_before)
		plan->not_before = ca->not_before;
	if (plan->not_after > ca->not_after)
		plan->not_after = ca->not_after;
	if (plan->not_after <= plan->not_before || ca->not_after <= clock_now())
		return reason(EST_UNAVAILABLE,
		    "ca \"%s\" has expired; the operator has to renew it", ca->config->name);
	if (ca->not_before > clock_now())
		return reason(EST_UNAVAILABLE,
		    "ca \"%s\" is not valid yet; the operator has to check the server's clock",
		    ca->config->name);
	return EST_OK;
}

/* The CA's part is taken from its certificate once more: the plan was completed with our copy. */
struct lint_want ca_want(const struct ca *ca, const struct cert_plan *plan)
{
	struct lint_want want = {.not_after = 0};
	const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(ca->certificate);

	if (plan->want != NULL)
		want = *plan->want;
	want.serial = (struct span){plan->serial, CERT_SERIAL_SIZE};
	want.algorithm = ca->algorithm;
	(void)X509_NAME_get0_der(
	    X509_get_subject_name(ca->certificate), &want.issuer.data, &want.issuer.len);
	want.authority_key_id =
	    (struct span){ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id)};
	want.ca_not_before = ca->not_before;
	want.ca_not_after = ca->not_after;
	want.not_before = plan->not_before;
	want.not_after = plan->not_after;
	return want;
}

/* A fault of the machine, or of who signs, must not leave the house as a certificate. */
static enum outcome verify(struct ca *ca, struct span tbs, struct span signature)
{
	if (EVP_MD_CTX_copy_ex(ca->verify, ca->primed) == 1 &&
	    EVP_DigestVerify(ca->verify, signature.data, signature.len, tbs.data, tbs.len) == 1)
		return EST_OK;
	return reason_openssl(EST_INTERNAL,
	    "ca \"%s\": the certificate's key does not verify what was signed, so nothing was "
	    "issued; "
	    "check the machine",
	    ca->config->name);
}

enum outcome ca_sign(struct ca *ca, struct span data, struct buf *signature)
{
	size_t before = signature->len;
	enum outcome outcome = ca->backend->sign(ca, data, signature);

	if (outcome != EST_OK)
		return outcome;
	return verify(ca, data, (struct span){signature->data + before, signature->len - before});
}

static enum outcome sign(struct ca *ca, const struct cert_plan *plan, struct buf *out)
{
	struct lint_want want = ca_want(ca, plan);
	struct buf tbs = {0}, signature = {0};
	enum outcome outcome;

	cert_encode_tbs(plan, ca->algorithm, &tbs);
	outcome = lint_tbs(buf_span(&tbs), &want);
	if (outcome == EST_OK)
		outcome = ca_sign(ca, buf_span(&tbs), &signature);
	if (outcome == EST_OK)
		cert_encode(buf_span(&tbs), ca->algorithm, buf_span(&signature), out);
	buf_free(&tbs);
	buf_free(&signature);
	return outcome;
}

enum outcome ca_issue(struct ca *ca, struct cert_plan *plan, struct buf *out)
{
	enum outcome outcome;

	if (ca->state == NULL)
		return reason(
		    EST_UNAVAILABLE, "the key of ca \"%s\" is not open", ca->config->name);
	plan->issuer = ca->subject;
	plan->authority_key_id = ca->key_id;
	outcome = clamp_dates(ca, plan);
	if (outcome == EST_OK)
		outcome = cert_serial(plan->serial);
	return outcome == EST_OK ? sign(ca, plan, out) : outcome;
}

static bool expired(X509 *certificate, int64_t now)
{
	time_t t = (time_t)now;

	return X509_cmp_time(X509_get0_notAfter(certificate), &t) <= 0;
}

/* The living certificate of the bag whose key signed this one, itself perhaps; NULL: none. */
static X509 *issuer_of(const struct ca *ca, X509 *certificate, int64_t now)
{
	for (int i = -1; i < sk_X509_num(ca->chain); i++) {
		X509 *candidate = i < 0 ? ca->certificate : sk_X509_value(ca->chain, i);
		if (X509_check_issued(candidate, certificate) == X509_V_OK &&
		    !expired(candidate, now))
			return candidate;
	}
	return NULL;
}

static bool leads_to_root(const struct ca *ca, X509 *certificate, int64_t now)
{
	for (int depth = 0; depth <= CHAIN_MAX && certificate != NULL; depth++) {
		X509 *issuer = issuer_of(ca, certificate, now);
		if (issuer == certificate)
			return true;
		certificate = issuer;
	}
	return false;
}

/* The living certificates that lead to the root, the CA's first; the DER is OpenSSL's to free. */
struct bag {
	struct span span[CHAIN_MAX + 1];
	unsigned char *der[CHAIN_MAX + 1];
	size_t count;
};

static void fill_bag(const struct ca *ca, int64_t now, struct bag *bag)
{
	for (int i = -1; i < sk_X509_num(ca->chain) && bag->count <= CHAIN_MAX; i++) {
		X509 *certificate = i < 0 ? ca->certificate : sk_X509_value(ca->chain, i);
		unsigned char **der = &bag->der[bag->count];
		int len;
		if (expired(certificate, now) || !leads_to_root(ca, certificate, now))
			continue;
		len = i2d_X509(certificate, der);
		if (len <= 0)
			continue;
		bag->span[bag->count++] = (struct span){*der, (size_t)len};
	}
}

static void empty_bag(struct bag *bag)
{
	for (size_t i = 0; i < bag->count; i++)
		OPENSSL_free(bag->der[i]);
}

enum outcome ca_bag(const struct ca *ca, int64_t now, struct buf *out)
{
	struct bag bag = {.count = 0};

	fill_bag(ca, now, &bag);
	if (bag.count > 0)
		pkcs7_certs_only(bag.span, bag.count, out);
	empty_bag(&bag);
	return bag.count > 0
		   ? EST_OK
		   : reason(EST_UNAVAILABLE, "ca \"%s\" has expired; the operator has to renew it",
			 ca->config->name);
}

void ca_chain(const struct ca *ca, struct span certificate, int64_t now, struct buf *out)
{
	struct span all[CHAIN_MAX + 2] = {certificate};
	struct bag bag = {.count = 0};

	fill_bag(ca, now, &bag);
	memcpy(&all[1], bag.span, bag.count * sizeof(bag.span[0]));
	pkcs7_certs_only(all, bag.count + 1, out);
	empty_bag(&bag);
}
