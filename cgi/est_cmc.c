#include "cgi/est_call.h"
#include "common/lifecycle/fullcmc.h"

/* RFC 7030 4.3.2: a refusal is a Full PKI Response as well, unless the body was none at all. */
enum outcome run_fullcmc(struct call *call)
{
	struct fullcmc exchange = {.service = call->service,
	    .label = call->label,
	    .identity = &call->identity,
	    .binding = &call->binding};
	struct reply *reply = call->reply;
	struct buf der = {0};
	enum outcome outcome = call_body(call, &der);

	if (outcome == EST_OK) {
		exchange.request = buf_span(&der);
		outcome = fullcmc(&exchange);
		reply->no_store = true;
		reply->retry_after = exchange.retry_after;
		reply->close = exchange.exporter; /* RFC 9266 4.1 */
	}
	if (exchange.response.len > 0) {
		reply->type = exchange.certs_only
				  ? "application/pkcs7-mime; smime-type=certs-only"
				  : "application/pkcs7-mime; smime-type=CMC-response";
		reply->base64 = true;
		reply->explains = true;
		buf_add_span(&reply->body, buf_span(&exchange.response));
	}
	if (exchange.facts.len > 0) {
		if (call->request->facts.len > 0)
			buf_add_byte(&call->request->facts, ',');
		buf_add_span(&call->request->facts, buf_span(&exchange.facts));
	}
	fullcmc_clear(&exchange);
	buf_free(&der);
	return outcome;
}
