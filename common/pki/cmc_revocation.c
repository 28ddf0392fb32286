#include "common/pki/cmc_revocation.h"

#include "common/base/refusal.h"

#define ENUMERATED 0x0a

enum outcome cmc_revocation_parse(const struct cmc_control *control, struct cmc_revocation *out)
{
	struct der request, issuer, serial, reason, part;

	*out = (struct cmc_revocation){.reason = 0};
	if (cmc_control_value(control, DER_SEQUENCE, &request) != EST_OK)
		return EST_MALFORMED;
	if (der_take(&request.content, DER_SEQUENCE, &issuer) != EST_OK ||
	    der_take(&request.content, DER_INTEGER, &serial) != EST_OK ||
	    !der_integer_ok(serial.content) ||
	    der_take(&request.content, ENUMERATED, &reason) != EST_OK || reason.content.len != 1)
		return refuse(CMC_CONTROL, "a revocation request is not in form");
	out->issuer = issuer.whole;
	out->serial = serial.content;
	out->reason = reason.content.data[0];
	/* The suggested invalidityDate and the comment are at our discretion. */
	(void)der_take(&request.content, DER_GENERALIZED_TIME, &part);
	if (der_take(&request.content, DER_OCTET_STRING, &part) == EST_OK) {
		out->has_secret = true;
		out->secret = part.content;
	}
	(void)der_take(&request.content, DER_UTF8, &part);
	if (request.content.len > 0)
		return refuse(CMC_CONTROL, "something stands behind a revocation request");
	return EST_OK;
}

void cmc_revocation_add(struct buf *out, const struct cmc_revocation *revocation)
{
	unsigned char reason = (unsigned char)revocation->reason;
	size_t request = der_open(out, DER_SEQUENCE);

	buf_add_span(out, revocation->issuer);
	der_add(out, DER_INTEGER, revocation->serial);
	der_add(out, ENUMERATED, (struct span){&reason, 1});
	if (revocation->has_secret)
		der_add(out, DER_OCTET_STRING, revocation->secret);
	der_close(out, request);
}
