#include "cgi/est_call.h"
#include "common/base/json.h"
#include "common/lifecycle/fullcmc.h"

/* Of all requests of a message together, so that a log line stays below 8 KiB. */
enum { SUBJECTS_MOST = 400, NAMES_MOST = 600 };

/* each request as an enrollment of its own is noted. context: elements of a JSON array. */
static void note(void *context, const struct fullcmc_part *part)
{
	struct buf *parts = context, members = {0};

	json_add_number(&members, "part", part->id);
	json_add_string(&members, "outcome", outcome_name(part->outcome));
	json_add_string(&members, "code", refusal_row(refusal_recorded(part->outcome))->code);
	enrollment_facts(
	    part->enrollment, SUBJECTS_MOST / part->count, NAMES_MOST / part->count, &members);
	buf_printf(parts, "%s{%s}", parts->len == 0 ? "" : ",", buf_string(&members));
	buf_free(&members);
}

static void add_facts(struct call *call, struct buf *members, struct buf *parts)
{
	struct buf *facts = &call->request->facts;

	if (members->len > 0)
		buf_printf(facts, "%s%s", facts->len == 0 ? "" : ",", buf_string(members));
	if (parts->len > 0)
		buf_printf(facts, ",\"cmc_enrollments\":[%s]", buf_string(parts));
}

/* RFC 7030 4.3.2: a refusal is a Full PKI Response as well, unless the body was none at all. */
enum outcome run_fullcmc(struct call *call)
{
	struct buf der = {0}, parts = {0};
	struct fullcmc exchange = {.service = call->service,
	    .label = call->label,
	    .identity = &call->identity,
	    .binding = &call->binding,
	    .address = call->request->remote_addr,
	    .note = note,
	    .context = &parts};
	struct reply *reply = call->reply;
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
				  ? CERTS_ONLY
				  : "application/pkcs7-mime; smime-type=CMC-response";
		reply->base64 = true;
		reply->explains = true;
		buf_add_span(&reply->body, buf_span(&exchange.response));
	}
	add_facts(call, &exchange.facts, &parts);
	fullcmc_clear(&exchange);
	buf_free(&parts);
	buf_cleanse(&der);
	return outcome;
}
