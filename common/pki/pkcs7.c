#include "common/pki/pkcs7.h"

#include "common/pki/der.h"

void pkcs7_certs_only(const struct span *certificates, size_t count, struct buf *out)
{
	static const unsigned char signed_data[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
	/* version 1, no digestAlgorithms, contentType data without content (RFC 8551 3.8) */
	static const unsigned char head[] =
	    "\x02\x01\x01\x31\x00\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
	static const unsigned char no_signers[] = {DER_SET, 0};
	size_t info = der_open(out, DER_SEQUENCE), content, data, bag;

	buf_add(out, signed_data, sizeof(signed_data) - 1);
	content = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	data = der_open(out, DER_SEQUENCE);
	buf_add(out, head, sizeof(head) - 1);
	bag = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	for (size_t i = 0; i < count; i++)
		buf_add_span(out, certificates[i]);
	der_close(out, bag);
	buf_add(out, no_signers, sizeof(no_signers));
	der_close(out, data);
	der_close(out, content);
	der_close(out, info);
}
