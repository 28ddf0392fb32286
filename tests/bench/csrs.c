#include "tests/bench/csrs.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "tests/bench/base64.h"
#include "tests/bench/der.h"

#define DER_MAX       1024
#define PROGRESS_STEP 500

static const unsigned char key_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x02, 0x01,                                     /* id-ecPublicKey */
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, /* prime256v1 */
    0x03, 0x42, 0x00};
const struct span csr_key_prefix = {key_prefix, sizeof(key_prefix)};

static const unsigned char oid_common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const unsigned char oid_alt_name[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
static const unsigned char oid_extension_request[] = {
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const unsigned char ecdsa_with_sha256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const unsigned char version_0[] = {0x02, 0x01, 0x00};

static void put_attributes(struct der_writer *w, struct span name)
{
	const unsigned char *end = w->at;

	der_put_span(w, name);
	der_wrap(w, DER_CONTEXT_2, end);
	der_wrap(w, DER_SEQUENCE, end); /* GeneralNames */
	der_wrap(w, DER_OCTET_STRING, end);
	der_put(w, oid_alt_name, sizeof(oid_alt_name));
	der_wrap(w, DER_SEQUENCE, end); /* Extension */
	der_wrap(w, DER_SEQUENCE, end); /* Extensions */
	der_wrap(w, DER_SET, end);
	der_put(w, oid_extension_request, sizeof(oid_extension_request));
	der_wrap(w, DER_SEQUENCE, end); /* Attribute */
	der_wrap(w, DER_CONTEXT_0, end);
}

static void put_subject(struct der_writer *w, struct span name)
{
	const unsigned char *end = w->at;

	der_put_span(w, name);
	der_wrap(w, DER_UTF8_STRING, end);
	der_put(w, oid_common_name, sizeof(oid_common_name));
	der_wrap(w, DER_SEQUENCE, end);
	der_wrap(w, DER_SET, end);
	der_wrap(w, DER_SEQUENCE, end);
}

static struct span sign(EVP_PKEY *key, struct span bytes, unsigned char *out, size_t room)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = room;

	if (ctx == NULL || EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) != 1 ||
	    EVP_DigestSign(ctx, out, &len, bytes.data, bytes.len) != 1)
		errx(EXIT_FAILURE, "OpenSSL did not sign a request");
	EVP_MD_CTX_free(ctx);
	return (struct span){out, len};
}

/* CertificationRequest (RFC 2986 4.2), written from its end: the signature is put behind later. */
static void csr_make(struct bench_csr *csr, EVP_PKEY *key, struct span name)
{
	unsigned char info[DER_MAX], whole[DER_MAX], signature[80] = {0};
	struct der_writer w = {info, info + sizeof(info)};
	const unsigned char *end = w.at;
	struct span signed_part, signed_by;

	put_attributes(&w, name);
	der_put(&w, csr->point, sizeof(csr->point));
	der_put_span(&w, csr_key_prefix);
	put_subject(&w, name);
	der_put(&w, version_0, sizeof(version_0));
	der_wrap(&w, DER_SEQUENCE, end);
	signed_part = der_written(&w, end);
	signed_by = sign(key, signed_part, signature + 1, sizeof(signature) - 1);

	w = (struct der_writer){whole, whole + sizeof(whole)};
	end = w.at;
	der_put(&w, signature, signed_by.len + 1); /* no unused bits: a zero before it */
	der_wrap(&w, DER_BIT_STRING, end);
	der_put(&w, ecdsa_with_sha256, sizeof(ecdsa_with_sha256));
	der_put_span(&w, signed_part);
	der_wrap(&w, DER_SEQUENCE, end);
	csr->base64 = malloc(BASE64_SIZE(der_written(&w, end).len));
	if (csr->base64 == NULL)
		err(EXIT_FAILURE, "csrs");
	csr->len = base64_write(csr->base64, der_written(&w, end));
}

static void progress(size_t done, size_t count)
{
	if (count < PROGRESS_STEP || (done % PROGRESS_STEP != 0 && done != count) || !isatty(2))
		return;
	(void)fprintf(
	    stderr, "\rmaking requests: %zu of %zu%s", done, count, done == count ? "\n" : "");
}

struct bench_csr *csrs_make(size_t count, const char *prefix)
{
	struct bench_csr *csrs = calloc(count, sizeof(*csrs));
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

	if (csrs == NULL || maker == NULL || EVP_PKEY_keygen_init(maker) != 1 ||
	    EVP_PKEY_CTX_set_group_name(maker, "prime256v1") != 1)
		errx(EXIT_FAILURE, "no memory or no P-256 for %zu requests", count);
	for (size_t i = 0; i < count; i++) {
		char name[128];
		EVP_PKEY *key = NULL;
		size_t len = 0;
		int used = snprintf(name, sizeof(name), "%s-%zu.bench.example", prefix, i);

		if (used < 0 || (size_t)used > 64) /* ub-common-name, RFC 5280 appendix A */
			errx(EXIT_FAILURE, "the prefix '%s' is too long", prefix);
		if (EVP_PKEY_generate(maker, &key) != 1 ||
		    EVP_PKEY_get_octet_string_param(
			key, OSSL_PKEY_PARAM_PUB_KEY, csrs[i].point, CSR_POINT, &len) != 1 ||
		    len != CSR_POINT)
			errx(EXIT_FAILURE, "OpenSSL did not make a key");
		csr_make(&csrs[i], key, (struct span){(unsigned char *)name, (size_t)used});
		EVP_PKEY_free(key);
		progress(i + 1, count);
	}
	EVP_PKEY_CTX_free(maker);
	return csrs;
}

void csrs_free(struct bench_csr *csrs, size_t count)
{
	for (size_t i = 0; csrs != NULL && i < count; i++)
		free(csrs[i].base64);
	free(csrs);
}
