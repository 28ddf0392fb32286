#include "common/pki/cmc_message.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/cmc_algorithm.h"
#include "common/pki/der.h"
#include "common/pki/tree.h"

#define SIGNED_DATA        "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define ENVELOPED_DATA     "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
#define AUTHENTICATED_DATA "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02"
#define CONTENT_TYPE       "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"
#define MESSAGE_DIGEST     "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"
#define RSA_ENCRYPTION     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"

/*
 * A digest algorithm: its OID, and the AlgorithmIdentifier of an RSA signature with it, which CMS
 * may name by the key's algorithm alone (RFC 3370 3.2).
 */
static const struct digest {
	struct span oid, rsa;
	const EVP_MD *(*md)(void);
} digests[] = {
    {DER_OCTETS("\x60\x86\x48\x01\x65\x03\x04\x02\x01"),
	DER_OCTETS("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"), EVP_sha256},
    {DER_OCTETS("\x60\x86\x48\x01\x65\x03\x04\x02\x02"),
	DER_OCTETS("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"), EVP_sha384},
    {DER_OCTETS("\x60\x86\x48\x01\x65\x03\x04\x02\x03"),
	DER_OCTETS("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"), EVP_sha512},
};

static const struct digest *digest_of(struct span algorithm)
{
	struct span oid;
	bool plain;

	if (!cmc_algorithm_take(&algorithm, &oid, &plain) || !plain)
		return NULL;
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (span_equal(digests[i].oid, oid))
			return &digests[i];
	return NULL;
}

/*
 * SignerIdentifier: IssuerAndSerialNumber with version 1, [0] SubjectKeyIdentifier with version 3.
 */
static bool take_signer_id(struct span *rest, struct cmc_signer *out)
{
	struct der version, id, issuer, serial;

	if (der_take(rest, DER_INTEGER, &version) != EST_OK || version.content.len != 1)
		return false;
	if (version.content.data[0] == 3) {
		if (der_take(rest, DER_CONTEXT(0), &id) != EST_OK || id.content.len == 0)
			return false;
		out->key_id = id.content;
		return true;
	}
	if (version.content.data[0] != 1 || der_take(rest, DER_SEQUENCE, &id) != EST_OK ||
	    der_take(&id.content, DER_SEQUENCE, &issuer) != EST_OK ||
	    der_take(&id.content, DER_INTEGER, &serial) != EST_OK || id.content.len > 0)
		return false;
	out->issuer = issuer.whole;
	out->serial = serial.content;
	return true;
}

static enum outcome take_signer(struct span *rest, struct cmc_signer *out)
{
	struct der info, digest, attributes, algorithm, signature, more;

	if (der_take(rest, DER_SEQUENCE, &info) != EST_OK || !take_signer_id(&info.content, out) ||
	    der_take(&info.content, DER_SEQUENCE, &digest) != EST_OK)
		return refuse(CMC_FORM, "a SignerInfo of the message is not in form");
	if (der_take(&info.content, DER_CONTEXT_CONSTRUCTED(0), &attributes) != EST_OK)
		return refuse(CMC_FORM,
		    "a SignerInfo has no signed attributes, which content of this type "
		    "has to have");
	if (der_take(&info.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&info.content, DER_OCTET_STRING, &signature) != EST_OK)
		return refuse(CMC_FORM, "a SignerInfo of the message is not in form");
	/* unsignedAttrs: nobody vouches for them. */
	if (info.content.len > 0 &&
	    (der_take(&info.content, DER_CONTEXT_CONSTRUCTED(1), &more) != EST_OK ||
		info.content.len > 0))
		return refuse(CMC_FORM, "something stands behind a SignerInfo's signature");
	out->digest = digest.whole;
	out->attributes = attributes.whole;
	out->algorithm = algorithm.whole;
	out->signature = signature.content;
	return EST_OK;
}

static enum outcome take_signers(struct span rest, struct cmc_message *out)
{
	while (rest.len > 0) {
		if (out->signer_count == CMC_SIGNERS_MAX)
			return refuse(CMC_FORM, "the message has too many signers");
		if (take_signer(&rest, &out->signers[out->signer_count]) != EST_OK)
			return EST_MALFORMED;
		out->signer_count++;
	}
	return EST_OK;
}

/* CertificateSet: those that are X.509 certificates. */
static enum outcome take_certificates(struct span rest, struct cmc_message *out)
{
	struct der certificate;

	while (rest.len > 0) {
		if (der_next(&rest, &certificate) != EST_OK)
			return refuse(CMC_FORM, "the message's certificates are not DER");
		if (certificate.tag != DER_SEQUENCE)
			continue;
		if (out->certificate_count == CMC_CERTIFICATES_MAX)
			return refuse(CMC_FORM, "the message holds too many certificates");
		out->certificates[out->certificate_count++] = certificate.whole;
	}
	return EST_OK;
}

/* EncapsulatedContentInfo ::= SEQUENCE { eContentType, eContent [0] EXPLICIT OCTET STRING } */
static enum outcome take_content(struct span content, struct span type, struct cmc_message *out)
{
	struct der oid, outer, octets;

	if (der_take(&content, DER_OID, &oid) != EST_OK || !span_equal(oid.content, type))
		return refuse(CMC_FORM, "the message's content is of another type");
	out->type = type;
	out->is_cmc = true;
	if (der_take(&content, DER_CONTEXT_CONSTRUCTED(0), &outer) != EST_OK || content.len > 0 ||
	    der_take(&outer.content, DER_OCTET_STRING, &octets) != EST_OK || outer.content.len > 0)
		return refuse(CMC_FORM, "the message holds no content");
	out->content = octets.content;
	return EST_OK;
}

static enum outcome take_signed_data(struct span content, struct span type, struct cmc_message *out)
{
	struct der data, version, algorithms, encapsulated, part;

	if (der_take(&content, DER_SEQUENCE, &data) != EST_OK || content.len > 0 ||
	    der_take(&data.content, DER_INTEGER, &version) != EST_OK || version.content.len != 1 ||
	    version.content.data[0] < 3 || version.content.data[0] > 5 ||
	    der_take(&data.content, DER_SET, &algorithms) != EST_OK ||
	    der_take(&data.content, DER_SEQUENCE, &encapsulated) != EST_OK)
		return refuse(CMC_FORM, "the message is not a SignedData");
	if (take_content(encapsulated.content, type, out) != EST_OK)
		return EST_MALFORMED;
	if (der_take(&data.content, DER_CONTEXT_CONSTRUCTED(0), &part) == EST_OK &&
	    take_certificates(part.content, out) != EST_OK)
		return EST_MALFORMED;
	(void)der_take(&data.content, DER_CONTEXT_CONSTRUCTED(1), &part); /* CRLs */
	if (der_take(&data.content, DER_SET, &part) != EST_OK || data.content.len > 0)
		return refuse(CMC_FORM, "the message has no SignerInfos where they belong");
	return take_signers(part.content, out);
}

enum outcome cmc_message_parse(struct span der, struct span type, struct cmc_message *out)
{
	struct span rest = der;
	struct der info, oid, content;

	*out = (struct cmc_message){.signer_count = 0};
	if (tree_check(der, CMC_FORM, "the message") != EST_OK)
		return EST_MALFORMED;
	if (der_take(&rest, DER_SEQUENCE, &info) != EST_OK ||
	    der_take(&info.content, DER_OID, &oid) != EST_OK ||
	    der_take(&info.content, DER_CONTEXT_CONSTRUCTED(0), &content) != EST_OK ||
	    info.content.len > 0)
		return refuse(CMC_FORM, "the message is not a CMS ContentInfo");
	if (DER_IS(oid.content, SIGNED_DATA))
		return take_signed_data(content.content, type, out);
	out->is_cmc =
	    DER_IS(oid.content, AUTHENTICATED_DATA) || DER_IS(oid.content, ENVELOPED_DATA);
	if (out->is_cmc)
		return refuse(CMC_ALGORITHM,
		    "AuthenticatedData and EnvelopedData are not taken here; send a SignedData");
	return refuse(CMC_FORM, "the message is not a SignedData");
}

/* The one value of the signed attribute with that OID; false where there is none, or several. */
static bool find_attribute(struct span attributes, struct span oid, unsigned tag, struct span *out)
{
	struct der attribute, type, set, value;
	bool found = false;

	while (attributes.len > 0) {
		if (der_take(&attributes, DER_SEQUENCE, &attribute) != EST_OK ||
		    der_take(&attribute.content, DER_OID, &type) != EST_OK ||
		    der_take(&attribute.content, DER_SET, &set) != EST_OK ||
		    attribute.content.len > 0)
			return false;
		if (!span_equal(type.content, oid))
			continue;
		if (found || der_take(&set.content, tag, &value) != EST_OK || set.content.len > 0)
			return false;
		*out = value.content;
		found = true;
	}
	return found;
}

static enum outcome bad_signature(const char *what)
{
	reason_clear(); /* what key.c says is about requests */
	return refuse(CMC_SIGNATURE, "%s", what);
}

/* The content by its type and digest, which the signature is over. */
static enum outcome check_attributes(
    const struct cmc_message *message, const struct cmc_signer *signer, const struct digest *digest)
{
	static const struct span content_type = DER_OCTETS(CONTENT_TYPE),
				 message_digest = DER_OCTETS(MESSAGE_DIGEST);
	unsigned char octets[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct span set = signer->attributes, type, value;
	struct der attributes;

	if (der_next(&set, &attributes) != EST_OK ||
	    !find_attribute(attributes.content, content_type, DER_OID, &type) ||
	    !span_equal(type, message->type) ||
	    !find_attribute(attributes.content, message_digest, DER_OCTET_STRING, &value))
		return bad_signature("the signed attributes do not say what is signed");
	if (EVP_Digest(
		message->content.data, message->content.len, octets, &len, digest->md(), NULL) != 1)
		return reason_openssl(EST_INTERNAL, "cannot digest a message");
	if (!span_equal(value, (struct span){octets, len}))
		return bad_signature(
		    "the content is not what was signed: its digest is another one");
	return EST_OK;
}

enum outcome cmc_signer_verify(
    const struct cmc_message *message, const struct cmc_signer *signer, const struct key_info *key)
{
	const struct digest *digest = digest_of(signer->digest);
	struct span algorithm = signer->algorithm, rest = signer->algorithm, oid;
	struct buf set = {0};
	bool plain;
	enum outcome outcome;

	if (digest == NULL)
		return refuse(CMC_ALGORITHM,
		    "the message is signed with another digest than SHA-256, SHA-384 or SHA-512");
	outcome = check_attributes(message, signer, digest);
	if (outcome != EST_OK)
		return outcome;
	if (cmc_algorithm_take(&rest, &oid, &plain) && plain && DER_IS(oid, RSA_ENCRYPTION))
		algorithm = digest->rsa;
	/* RFC 5652 5.4: signed is the SET OF, not the [0] that it is sent as. */
	buf_add_span(&set, signer->attributes);
	set.data[0] = DER_SET;
	outcome = key_verify(key, algorithm, signer->signature, buf_span(&set));
	buf_free(&set);
	if (outcome != EST_MALFORMED)
		return outcome;
	if (refusal_recorded(outcome) == CSR_SIGNATURE)
		return bad_signature("the signature of the message does not verify");
	reason_clear();
	return refuse(CMC_ALGORITHM,
	    "the message is signed by an algorithm, or with a key, that is not taken here");
}

enum outcome cmc_message_add_certificates(
    struct span message, const struct span *certificates, size_t count, struct buf *out)
{
	struct span rest = message, before, *all;
	struct der info, oid, content, data, part = {0}, value;
	size_t marks[3], total = 0;

	if (der_take(&rest, DER_SEQUENCE, &info) != EST_OK ||
	    der_take(&info.content, DER_OID, &oid) != EST_OK ||
	    der_take(&info.content, DER_CONTEXT_CONSTRUCTED(0), &content) != EST_OK ||
	    der_take(&content.content, DER_SEQUENCE, &data) != EST_OK)
		return reason(EST_INTERNAL, "a message of ours is no SignedData");
	before = data.content;
	for (unsigned i = 0; i < 3; i++) /* version, digestAlgorithms, encapContentInfo */
		if (der_next(&data.content, &value) != EST_OK)
			return reason(EST_INTERNAL, "a message of ours is no SignedData");
	before.len -= data.content.len;
	(void)der_take(&data.content, DER_CONTEXT_CONSTRUCTED(0), &part);
	all = mem_alloc((count + CMC_CERTIFICATES_MAX) * sizeof(all[0]));
	while (total < CMC_CERTIFICATES_MAX && der_next(&part.content, &value) == EST_OK)
		all[total++] = value.whole;
	for (size_t i = 0; i < count; i++)
		all[total++] = certificates[i];
	marks[0] = der_open(out, DER_SEQUENCE);
	buf_add_span(out, oid.whole);
	marks[1] = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	marks[2] = der_open(out, DER_SEQUENCE);
	buf_add_span(out, before);
	der_add_set(out, DER_CONTEXT_CONSTRUCTED(0), all, total);
	buf_add_span(out, data.content);
	for (unsigned i = 3; i-- > 0;)
		der_close(out, marks[i]);
	free(all);
	return EST_OK;
}
