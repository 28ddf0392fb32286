#include "tests/bench/enrollment.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/x509.h>

#include "tests/bench/base64.h"
#include "tests/bench/der.h"

#define SERIAL_RANDOM 17 /* 136 bits behind a first byte of 0x01-0x7f */
#define BACKDATE      60
#define VALID_SECONDS 3000
#define KEY_ID        20

static const unsigned char version_0[] = {0x02, 0x01, 0x00};
static const unsigned char version_1[] = {0x02, 0x01, 0x01};
static const unsigned char version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
static const unsigned char ecdsa_with_sha256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const unsigned char oid_extension_request[] = {
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const unsigned char oid_common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const unsigned char oid_alt_name[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
static const unsigned char signed_data[] = {
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
static const unsigned char no_content[] = {
    0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const unsigned char empty_set[] = {0x31, 0x00};

/* clang-format off */
static const unsigned char fixed_extensions[] = {
    0x30, 0x0c, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x02, 0x30, 0x00, /* not a CA */
    0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x07, 0x80,
    0x30, 0x13, 0x06, 0x03, 0x55, 0x1d, 0x25, 0x04, 0x0c, 0x30, 0x0a, /* clientAuth */
    0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
static const unsigned char authority_key_id[] = {
    0x30, 0x1f, 0x06, 0x03, 0x55, 0x1d, 0x23, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14};
static const unsigned char subject_key_id[] = {
    0x30, 0x1d, 0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14};
/* clang-format on */

static bool starts_with(struct span span, const void *bytes, size_t len)
{
	return span.len >= len && memcmp(span.data, bytes, len) == 0;
}

static bool take_bytes(struct span *in, const void *bytes, size_t len)
{
	if (!starts_with(*in, bytes, len))
		return false;
	in->data += len;
	in->len -= len;
	return true;
}

static bool has_common_name(struct span name)
{
	struct der rdn, attribute;

	while (name.len > 0) {
		if (!der_next(&name, DER_SET, &rdn) ||
		    !der_next(&rdn.content, DER_SEQUENCE, &attribute))
			return false;
		if (starts_with(attribute.content, oid_common_name, sizeof(oid_common_name)))
			return true;
	}
	return false;
}

/* The one attribute must be an extensionRequest, its one extension a subjectAltName of dNSNames. */
static bool parse_attributes(struct enrollment *e, struct span in)
{
	struct der attribute, values, extensions, extension, value, names, name;

	if (!der_next(&in, DER_SEQUENCE, &attribute) || in.len != 0 ||
	    !take_bytes(&attribute.content, oid_extension_request, sizeof(oid_extension_request)) ||
	    !der_next(&attribute.content, DER_SET, &values) || attribute.content.len != 0 ||
	    !der_next(&values.content, DER_SEQUENCE, &extensions) || values.content.len != 0 ||
	    !der_next(&extensions.content, DER_SEQUENCE, &extension) ||
	    extensions.content.len != 0 ||
	    !take_bytes(&extension.content, oid_alt_name, sizeof(oid_alt_name)) ||
	    !der_next(&extension.content, DER_OCTET_STRING, &value) || extension.content.len != 0 ||
	    !der_next(&value.content, DER_SEQUENCE, &names) || value.content.len != 0)
		return false;
	while (names.content.len > 0) {
		if (!der_next(&names.content, DER_CONTEXT_2, &name))
			return false;
	}
	e->alt_name = extension.whole;
	return true;
}

static bool parse_info(struct enrollment *e, struct span in)
{
	struct der subject, spki, attributes;

	if (!take_bytes(&in, version_0, sizeof(version_0)) ||
	    !der_next(&in, DER_SEQUENCE, &subject) || !der_next(&in, DER_SEQUENCE, &spki) ||
	    !der_next(&in, DER_CONTEXT_0, &attributes) || in.len != 0 ||
	    !has_common_name(subject.content) || spki.whole.len != csr_key_prefix.len + CSR_POINT ||
	    !starts_with(spki.whole, csr_key_prefix.data, csr_key_prefix.len))
		return false;
	e->subject = subject.whole;
	e->spki = spki.whole;
	return parse_attributes(e, attributes.content);
}

static bool parse(struct enrollment *e)
{
	struct span in = {e->csr_der, 0};
	struct der request, info, signature;

	if (e->csr->len > sizeof(e->csr_der) ||
	    !base64_read(
		(struct span){(unsigned char *)e->csr->base64, e->csr->len}, e->csr_der, &in.len) ||
	    !der_next(&in, DER_SEQUENCE, &request) || in.len != 0 ||
	    !der_next(&request.content, DER_SEQUENCE, &info) ||
	    !take_bytes(&request.content, ecdsa_with_sha256, sizeof(ecdsa_with_sha256)) ||
	    !der_next(&request.content, DER_BIT_STRING, &signature) || request.content.len != 0 ||
	    signature.content.len < 2 || signature.content.data[0] != 0)
		return false;
	e->signed_part = info.whole;
	e->csr_signature = (struct span){signature.content.data + 1, signature.content.len - 1};
	return parse_info(e, info.content);
}

static bool verify(struct enrollment *e)
{
	return e->ways.verify->verify(&e->ways, e->spki, e->signed_part, e->csr_signature);
}

static bool put_serial(struct der_writer *w)
{
	const unsigned char *end = w->at;
	unsigned char serial[SERIAL_RANDOM + 1];

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return false;
	serial[0] = (unsigned char)(serial[0] % 0x7f + 1);
	der_put(w, serial, sizeof(serial));
	der_wrap(w, DER_INTEGER, end);
	return true;
}

/* UTCTime, which holds for the years that a certificate of this benchmark meets. */
static void put_time(struct der_writer *w, time_t t)
{
	const unsigned char *end = w->at;
	struct tm tm;
	char text[13];

	gmtime_r(&t, &tm);
	int fields[6] = {tm.tm_year, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec};
	for (size_t i = 0; i < 6; i++) {
		text[2 * i] = (char)('0' + fields[i] / 10 % 10);
		text[2 * i + 1] = (char)('0' + fields[i] % 10);
	}
	text[12] = 'Z';
	der_put(w, text, sizeof(text));
	der_wrap(w, DER_UTC_TIME, end);
}

static void put_validity(struct der_writer *w)
{
	const unsigned char *end = w->at;
	time_t now = time(NULL);

	put_time(w, now + VALID_SECONDS);
	put_time(w, now - BACKDATE);
	der_wrap(w, DER_SEQUENCE, end);
}

static bool put_extensions(struct enrollment *e, struct der_writer *w)
{
	const unsigned char *end = w->at;
	unsigned char key_id[KEY_ID];

	/* RFC 5280 4.2.1.2 (1): the SHA-1 of the key's bit string. */
	if (EVP_Digest(e->spki.data + csr_key_prefix.len, CSR_POINT, key_id, NULL, e->sha1, NULL) !=
	    1)
		return false;
	der_put_span(w, e->alt_name);
	der_put(w, key_id, sizeof(key_id));
	der_put(w, subject_key_id, sizeof(subject_key_id));
	der_put_span(w, e->extensions);
	der_wrap(w, DER_SEQUENCE, end);
	der_wrap(w, DER_CONTEXT_3, end);
	return true;
}

/* TBSCertificate (RFC 5280 4.1), last field first. */
static bool build(struct enrollment *e)
{
	struct der_writer w = {e->tbs_der, e->tbs_der + sizeof(e->tbs_der)};
	const unsigned char *end = w.at;

	if (!put_extensions(e, &w))
		return false;
	der_put_span(&w, e->spki);
	der_put_span(&w, e->subject);
	put_validity(&w);
	der_put_span(&w, e->issuer);
	der_put(&w, ecdsa_with_sha256, sizeof(ecdsa_with_sha256));
	if (!put_serial(&w))
		return false;
	der_put(&w, version_3, sizeof(version_3));
	der_wrap(&w, DER_SEQUENCE, end);
	e->tbs = der_written(&w, end);
	return true;
}

/* The first byte says that the BIT STRING it becomes has no unused bits. */
static bool sign(struct enrollment *e)
{
	size_t len = sizeof(e->signature) - 1;

	e->signature[0] = 0;
	if (!e->ways.sign->sign(&e->ways, e->tbs, e->signature + 1, &len))
		return false;
	e->signature_len = len + 1;
	return true;
}

/* The certificate inside a SignedData without signers (RFC 7030 4.1.3), last field first. */
static bool wrap(struct enrollment *e)
{
	unsigned char der[ENROLLMENT_DER];
	struct der_writer w = {der, der + sizeof(der)};
	const unsigned char *end = w.at, *certificate;

	der_put(&w, empty_set, sizeof(empty_set)); /* signerInfos */
	certificate = w.at;
	der_put(&w, e->signature, e->signature_len);
	der_wrap(&w, DER_BIT_STRING, certificate);
	der_put(&w, ecdsa_with_sha256, sizeof(ecdsa_with_sha256));
	der_put_span(&w, e->tbs);
	der_wrap(&w, DER_SEQUENCE, certificate);
	der_wrap(&w, DER_CONTEXT_0, certificate);
	der_put(&w, no_content, sizeof(no_content));
	der_put(&w, empty_set, sizeof(empty_set)); /* digestAlgorithms */
	der_put(&w, version_1, sizeof(version_1));
	der_wrap(&w, DER_SEQUENCE, end);
	der_wrap(&w, DER_CONTEXT_0, end);
	der_put(&w, signed_data, sizeof(signed_data));
	der_wrap(&w, DER_SEQUENCE, end);
	if (BASE64_SIZE(der_written(&w, end).len) > sizeof(e->answer))
		return false;
	e->answer_len = base64_write(e->answer, der_written(&w, end));
	return true;
}

const struct phase phases[PHASES] = {
    {"base64 and parse the request", parse},
    {"import the key, verify", verify},
    {"build the certificate", build},
    {"sign", sign},
    {"certs-only PKCS#7 and base64", wrap},
};

bool enrollment_run(struct enrollment *e, const struct bench_csr *csr)
{
	e->csr = csr;
	for (size_t i = 0; i < PHASES; i++) {
		if (!phases[i].run(e))
			return false;
	}
	return true;
}

void enrollment_open(struct enrollment *e, const struct authority *authority)
{
	struct der_writer w = {e->extensions_der, e->extensions_der + sizeof(e->extensions_der)};
	const unsigned char *end = w.at;
	size_t len = 0;

	memset(e, 0, sizeof(*e));
	e->authority = authority;
	e->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (e->sha1 == NULL || X509_NAME_get0_der(X509_get_subject_name(authority->certificate),
				   &e->issuer.data, &len) != 1)
		errx(EXIT_FAILURE, "OpenSSL has no SHA-1 or the CA no name");
	e->issuer.len = len;
	der_put(&w, authority->key_id, sizeof(authority->key_id));
	der_put(&w, authority_key_id, sizeof(authority_key_id));
	der_put(&w, fixed_extensions, sizeof(fixed_extensions));
	e->extensions = der_written(&w, end);
	ways_open(&e->ways, authority->key);
}

void enrollment_close(struct enrollment *e)
{
	ways_close(&e->ways);
	EVP_MD_free(e->sha1);
}
