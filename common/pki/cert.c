#include "common/pki/cert.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "common/pki/der.h"
#include "common/pki/key.h"

#define KEY_ID_SIZE 20

enum outcome cert_serial(unsigned char serial[static CERT_SERIAL_SIZE])
{
	/* The first octet keeps the number positive and of one length; the 136 bits behind it are
	 * random. */
	if (RAND_bytes(serial, CERT_SERIAL_SIZE) != 1)
		return reason_openssl(
		    EST_UNAVAILABLE, "there is no randomness for a serial number");
	serial[0] &= 0x7f;
	if (serial[0] == 0)
		serial[0] = 0x01;
	return EST_OK;
}

/* The subjectPublicKey's bits: RFC 7093 2 (1) hashes them without the unused-bits octet. */
static struct span public_key_bits(struct span spki)
{
	struct der sequence, algorithm, bits;

	if (der_take(&spki, DER_SEQUENCE, &sequence) != EST_OK ||
	    der_take(&sequence.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&sequence.content, DER_BIT_STRING, &bits) != EST_OK || bits.content.len < 1)
		return (struct span){NULL, 0};
	return (struct span){bits.content.data + 1, bits.content.len - 1};
}

static void add_key_ids(const struct cert_plan *plan, struct buf *out)
{
	unsigned char digest[32];
	size_t extension, value, sequence;

	key_sha256(public_key_bits(plan->spki), digest);
	extension = der_open(out, DER_SEQUENCE);
	der_add(out, DER_OID, (struct span){(const unsigned char *)"\x55\x1d\x0e", 3});
	value = der_open(out, DER_OCTET_STRING);
	der_add(out, DER_OCTET_STRING, (struct span){digest, KEY_ID_SIZE});
	der_close(out, value);
	der_close(out, extension);

	extension = der_open(out, DER_SEQUENCE);
	der_add(out, DER_OID, (struct span){(const unsigned char *)"\x55\x1d\x23", 3});
	value = der_open(out, DER_OCTET_STRING);
	sequence = der_open(out, DER_SEQUENCE);
	der_add(out, DER_CONTEXT(0), plan->authority_key_id);
	der_close(out, sequence);
	der_close(out, value);
	der_close(out, extension);
}

void cert_encode_tbs(const struct cert_plan *plan, struct span algorithm, struct buf *out)
{
	static const unsigned char version[] = {DER_CONTEXT_CONSTRUCTED(0), 3, DER_INTEGER, 1, 2};
	size_t tbs, validity, explicit, extensions;

	buf_reserve(out,
	    plan->spki.len + plan->subject.len + plan->issuer.len + plan->extensions.len + 256);
	tbs = der_open(out, DER_SEQUENCE);
	buf_add(out, version, sizeof(version));
	der_add(out, DER_INTEGER, (struct span){plan->serial, CERT_SERIAL_SIZE});
	buf_add_span(out, algorithm);
	buf_add_span(out, plan->issuer);
	validity = der_open(out, DER_SEQUENCE);
	der_add_time(out, plan->not_before);
	der_add_time(out, plan->not_after);
	der_close(out, validity);
	buf_add_span(out, plan->subject);
	buf_add_span(out, plan->spki);
	explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(3));
	extensions = der_open(out, DER_SEQUENCE);
	add_key_ids(plan, out);
	buf_add_span(out, plan->extensions);
	der_close(out, extensions);
	der_close(out, explicit);
	der_close(out, tbs);
}

void cert_encode(struct span tbs, struct span algorithm, struct span signature, struct buf *out)
{
	size_t sequence = der_open(out, DER_SEQUENCE), bits;

	buf_add_span(out, tbs);
	buf_add_span(out, algorithm);
	bits = der_open(out, DER_BIT_STRING);
	buf_add_byte(out, 0);
	buf_add_span(out, signature);
	der_close(out, bits);
	der_close(out, sequence);
}

static enum outcome find_sans(struct span extensions, struct cert_parts *out)
{
	while (extensions.len > 0) {
		struct der extension, oid, critical, value;
		if (der_take(&extensions, DER_SEQUENCE, &extension) != EST_OK ||
		    der_take(&extension.content, DER_OID, &oid) != EST_OK)
			return EST_MALFORMED;
		(void)der_take(&extension.content, DER_BOOLEAN, &critical);
		if (der_take(&extension.content, DER_OCTET_STRING, &value) != EST_OK)
			return EST_MALFORMED;
		if (DER_IS(oid.content, "\x55\x1d\x11"))
			out->sans = value.content;
	}
	return EST_OK;
}

static enum outcome parse_tbs(struct span rest, struct cert_parts *out)
{
	struct der version, serial, algorithm, issuer, validity, subject, spki, wrapped, extensions;

	(void)der_take(&rest, DER_CONTEXT_CONSTRUCTED(0), &version);
	if (der_take(&rest, DER_INTEGER, &serial) != EST_OK ||
	    der_take(&rest, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&rest, DER_SEQUENCE, &issuer) != EST_OK ||
	    der_take(&rest, DER_SEQUENCE, &validity) != EST_OK ||
	    der_take(&rest, DER_SEQUENCE, &subject) != EST_OK ||
	    der_take(&rest, DER_SEQUENCE, &spki) != EST_OK)
		return EST_MALFORMED;
	*out = (struct cert_parts){.serial = serial.content,
	    .issuer = issuer.whole,
	    .subject = subject.whole,
	    .spki = spki.whole};
	while (rest.len > 0) {
		if (der_next(&rest, &wrapped) != EST_OK)
			return EST_MALFORMED;
		if (wrapped.tag == DER_CONTEXT_CONSTRUCTED(3))
			return der_take(&wrapped.content, DER_SEQUENCE, &extensions) == EST_OK
				   ? find_sans(extensions.content, out)
				   : EST_MALFORMED;
	}
	return EST_OK;
}

enum outcome cert_parse(struct span der, struct cert_parts *out)
{
	struct der certificate, tbs, algorithm, signature;

	if (der_take(&der, DER_SEQUENCE, &certificate) != EST_OK || der.len > 0 ||
	    der_take(&certificate.content, DER_SEQUENCE, &tbs) != EST_OK ||
	    der_take(&certificate.content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&certificate.content, DER_BIT_STRING, &signature) != EST_OK ||
	    certificate.content.len > 0 || parse_tbs(tbs.content, out) != EST_OK)
		return reason(EST_MALFORMED, "RFC 5280 4.1: the certificate is not DER");
	out->tbs = tbs.whole;
	return EST_OK;
}

bool cert_has_key_id(struct span der, struct span key_id)
{
	const unsigned char *at = der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
	const ASN1_OCTET_STRING *own =
	    certificate == NULL ? NULL : X509_get0_subject_key_id(certificate);
	bool equal = own != NULL && span_equal(key_id, (struct span){ASN1_STRING_get0_data(own),
							   (size_t)ASN1_STRING_length(own)});

	X509_free(certificate);
	ERR_clear_error();
	return equal;
}
