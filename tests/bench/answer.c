/*
 * answer.c - is this answer a certificate for the key that was sent? By hand, because it is asked
 * as often as a certificate is issued.
 */
#include "tests/bench/drive.h"

#include <string.h>

#include "tests/bench/base64.h"
#include "tests/bench/der.h"

#define BODY_MAX 8192
#define SHOWN    300

/* The last of these elements, which stand at the beginning of in; .content.data is NULL where they
 * do not. */
static struct der walk(struct span in, const unsigned int *tags)
{
	struct der at = {{NULL, 0}, {NULL, 0}};

	for (; *tags != 0; tags++) {
		if (!der_next(&in, *tags, &at))
			return (struct der){{NULL, 0}, {NULL, 0}};
	}
	return at;
}

/*
 * The key of the first certificate of ContentInfo { signedData, [0] SignedData } (RFC 5652 3, 5.1).
 */
static struct der key_find(struct span in)
{
	static const unsigned int sequence[] = {DER_SEQUENCE, 0};
	static const unsigned int to_content[] = {DER_OID, DER_CONTEXT_0, 0};
	static const unsigned int to_certificates[] = {
	    DER_INTEGER, DER_SET, DER_SEQUENCE, DER_CONTEXT_0, 0};
	/* version, serial, algorithm, issuer, validity, subject, key (RFC 5280 4.1) */
	static const unsigned int to_key[] = {DER_CONTEXT_0, DER_INTEGER, DER_SEQUENCE,
	    DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE, 0};
	/*
	 * ContentInfo, SignedData, Certificate, TBSCertificate: each is a SEQUENCE around the next.
	 */
	struct der at = walk(walk(in, sequence).content, to_content);

	at = walk(walk(at.content, sequence).content, to_certificates);
	at = walk(walk(at.content, sequence).content, sequence);
	return walk(at.content, to_key);
}

/* The beginning of an answer that nobody expected, fit for a terminal. */
static const char *shown(struct span body, char text[static SHOWN + 1])
{
	size_t len = body.len < SHOWN ? body.len : SHOWN;

	for (size_t i = 0; i < len; i++)
		text[i] = (char)(body.data[i] >= ' ' && body.data[i] < 0x7f ? body.data[i] : '.');
	text[len] = '\0';
	return text;
}

enum outcome answer_check(int status, struct span body, const unsigned char *point)
{
	unsigned char bytes[BODY_MAX];
	char text[SHOWN + 1];
	struct span in = {bytes, 0};
	struct der key;

	if (status != 200)
		return reason(EST_MALFORMED, "answered %d: %s", status, shown(body, text));
	if (body.len > sizeof(bytes) || !base64_read(body, bytes, &in.len))
		return reason(EST_MALFORMED, "answered 200 without base64: %s", shown(body, text));
	key = key_find(in);
	if (key.whole.data == NULL)
		return reason(
		    EST_MALFORMED, "answered 200 without a certificate: %s", shown(body, text));
	if (key.whole.len != csr_key_prefix.len + CSR_POINT ||
	    memcmp(key.whole.data + csr_key_prefix.len, point, CSR_POINT) != 0)
		return reason(EST_MALFORMED, "answered with a certificate for another key");
	return EST_OK;
}
