#include "common/pki/message.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/pki/cert.h"
#include "common/pki/der.h"

#define SHA256_OID "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define SHA384_OID "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"
#define SHA512_OID "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03"
/* id-shake256-len with 512 bits */
#define SHAKE256_512  "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x12\x02\x02\x02\x00"
#define SHAKE256_SIZE 64
#define RSA_OID(last) "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last "\x05\x00"
#define ECDSA_OID     "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"

/*
 * How what a key signs with is said in a SignerInfo: contents of AlgorithmIdentifiers (RFC 5754 2
 * and 3, RFC 8419).
 */
static const struct scheme {
	struct span algorithm;         /* in a certificate */
	struct span signature, digest; /* in a SignerInfo; signature empty: the same */
	const char *digest_name;       /* OpenSSL's */
} schemes[] = {
    {DER_OCTETS(ECDSA_OID "\x02"), {NULL, 0}, DER_OCTETS(SHA256_OID), "SHA256"},
    {DER_OCTETS(ECDSA_OID "\x03"), {NULL, 0}, DER_OCTETS(SHA384_OID), "SHA384"},
    {DER_OCTETS(ECDSA_OID "\x04"), {NULL, 0}, DER_OCTETS(SHA512_OID), "SHA512"},
    {DER_OCTETS(RSA_OID("\x0b")), DER_OCTETS(RSA_OID("\x01")), DER_OCTETS(SHA256_OID), "SHA256"},
    {DER_OCTETS(RSA_OID("\x0c")), DER_OCTETS(RSA_OID("\x01")), DER_OCTETS(SHA384_OID), "SHA384"},
    {DER_OCTETS(RSA_OID("\x0d")), DER_OCTETS(RSA_OID("\x01")), DER_OCTETS(SHA512_OID), "SHA512"},
    {DER_OCTETS("\x06\x03\x2b\x65\x70"), {NULL, 0}, DER_OCTETS(SHA512_OID), "SHA512"},
    {DER_OCTETS("\x06\x03\x2b\x65\x71"), {NULL, 0}, DER_OCTETS(SHAKE256_512), "SHAKE256"},
};

static const struct span signed_data = DER_OCTETS("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
static const struct span data_type = DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
static const struct span version_1 = DER_OCTETS("\x02\x01\x01");
static const struct span version_3 = DER_OCTETS("\x02\x01\x03");

static const struct scheme *scheme_of(struct span algorithm)
{
	struct der value;

	if (der_take(&algorithm, DER_SEQUENCE, &value) != EST_OK)
		return NULL;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (span_equal(value.content, schemes[i].algorithm))
			return &schemes[i];
	return NULL;
}

static enum outcome digest_content(
    const struct scheme *scheme, struct span content, unsigned char *digest, size_t *len)
{
	EVP_MD *md = EVP_MD_fetch(NULL, scheme->digest_name, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned size = 0;
	bool ok;

	ok = md != NULL && context != NULL && EVP_DigestInit_ex(context, md, NULL) == 1 &&
	     EVP_DigestUpdate(context, content.data, content.len) == 1;
	if (ok && (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) != 0) {
		size = SHAKE256_SIZE;
		ok = EVP_DigestFinalXOF(context, digest, size) == 1;
	} else if (ok) {
		ok = EVP_DigestFinal_ex(context, digest, &size) == 1;
	}
	*len = size;
	EVP_MD_CTX_free(context);
	EVP_MD_free(md);
	return ok ? EST_OK
		  : reason_openssl(EST_INTERNAL, "cannot make a %s digest", scheme->digest_name);
}

static void add_attribute(struct buf *out, struct span type, struct span value)
{
	size_t attribute = der_open(out, DER_SEQUENCE), values;

	der_add(out, DER_OID, type);
	values = der_open(out, DER_SET);
	buf_add_span(out, value);
	der_close(out, values);
	der_close(out, attribute);
}

/* Appends the SET OF signed attributes, as it is signed (RFC 5652 5.4). */
static void add_attributes(struct buf *out, struct span type, struct span digest, int64_t now)
{
	static const struct span types[] = {
	    DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"), /* contentType */
	    DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"), /* messageDigest */
	    DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"), /* signingTime */
	};
	struct buf value[3] = {{0}}, attribute[3] = {{0}};
	struct span sorted[3];

	der_add(&value[0], DER_OID, type);
	der_add(&value[1], DER_OCTET_STRING, digest);
	der_add_time(&value[2], now);
	for (size_t i = 0; i < 3; i++) {
		add_attribute(&attribute[i], types[i], buf_span(&value[i]));
		sorted[i] = buf_span(&attribute[i]);
	}
	der_add_set(out, DER_SET, sorted, 3);
	for (size_t i = 0; i < 3; i++) {
		buf_free(&value[i]);
		buf_free(&attribute[i]);
	}
}

/* Appends the SignerInfo (RFC 5652 5.3); attributes is the whole SET OF them. */
static void add_signer(struct buf *out, const struct scheme *scheme, const struct cert_parts *cert,
    struct span attributes, struct span signature)
{
	size_t info = der_open(out, DER_SEQUENCE), id, at;

	buf_add_span(out, version_1);
	id = der_open(out, DER_SEQUENCE);
	buf_add_span(out, cert->issuer);
	der_add(out, DER_INTEGER, cert->serial);
	der_close(out, id);
	der_add(out, DER_SEQUENCE, scheme->digest);
	at = out->len;
	buf_add_span(out, attributes);
	out->data[at] = DER_CONTEXT_CONSTRUCTED(0);
	der_add(
	    out, DER_SEQUENCE, scheme->signature.len > 0 ? scheme->signature : scheme->algorithm);
	der_add(out, DER_OCTET_STRING, signature);
	der_close(out, info);
}

static void add_certificates(struct buf *out, const struct message_signer *signer)
{
	struct span *all = mem_alloc((signer->chain_count + 1) * sizeof(*all));

	all[0] = signer->certificate;
	for (size_t i = 0; i < signer->chain_count; i++)
		all[i + 1] = signer->chain[i];
	der_add_set(out, DER_CONTEXT_CONSTRUCTED(0), all, signer->chain_count + 1);
	free(all);
}

static void add_content(struct buf *out, struct span type, struct span content)
{
	size_t info = der_open(out, DER_SEQUENCE), tagged;

	der_add(out, DER_OID, type);
	tagged = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	der_add(out, DER_OCTET_STRING, content);
	der_close(out, tagged);
	der_close(out, info);
}

/* What a SignedData is about. */
struct body {
	const struct scheme *scheme;
	struct span type, content;
	struct buf info; /* its SignerInfo */
};

/*
 * The room is taken at once, so that no copy of a secret content stays behind in memory given
 * back.
 */
static void reserve(const struct message_signer *signer, const struct body *body, struct buf *out)
{
	size_t size = body->content.len + signer->certificate.len + body->info.len + 256;

	for (size_t i = 0; i < signer->chain_count; i++)
		size += signer->chain[i].len;
	buf_reserve(out, size);
}

/* Appends the whole message around a SignerInfo; its version: RFC 5652 5.1. */
static void assemble(const struct message_signer *signer, const struct body *body, struct buf *out)
{
	size_t message, tagged, data, set;

	reserve(signer, body, out);
	message = der_open(out, DER_SEQUENCE);
	buf_add_span(out, signed_data);
	tagged = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	data = der_open(out, DER_SEQUENCE);
	buf_add_span(out, span_equal(body->type, data_type) ? version_1 : version_3);
	set = der_open(out, DER_SET);
	der_add(out, DER_SEQUENCE, body->scheme->digest);
	der_close(out, set);
	add_content(out, body->type, body->content);
	add_certificates(out, signer);
	der_add(out, DER_SET, buf_span(&body->info));
	der_close(out, data);
	der_close(out, tagged);
	der_close(out, message);
}

enum outcome message_sign(const struct message_signer *signer, struct span type,
    struct span content, int64_t now, struct buf *out)
{
	struct body body = {
	    .scheme = scheme_of(signer->algorithm), .type = type, .content = content};
	struct buf attributes = {0}, signature = {0};
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct cert_parts parts;
	size_t len = 0;
	enum outcome outcome;

	if (body.scheme == NULL)
		return reason(EST_INTERNAL, "nothing is known of signing messages with that key");
	if (cert_parse(signer->certificate, &parts) != EST_OK)
		return reason(EST_INTERNAL, "the signer's certificate cannot be read");
	outcome = digest_content(body.scheme, content, digest, &len);
	if (outcome == EST_OK) {
		add_attributes(&attributes, type, (struct span){digest, len}, now);
		outcome = signer->sign(signer->context, buf_span(&attributes), &signature);
	}
	if (outcome == EST_OK) {
		add_signer(
		    &body.info, body.scheme, &parts, buf_span(&attributes), buf_span(&signature));
		assemble(signer, &body, out);
	}
	buf_free(&attributes);
	buf_free(&signature);
	buf_free(&body.info);
	return outcome;
}
