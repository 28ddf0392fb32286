#include "common/lifecycle/approval.h"

#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/refusal.h"
#include "common/lifecycle/request_digest.h"
#include "common/pki/der.h"
#include "common/pki/key.h"
#include "common/pki/key_usage.h"

bool approval_wanted(const struct enrollment *enrollment)
{
	const struct words *approval = &enrollment->label->config->approval;

	return approval->count > 0 && (words_have(approval, act_name(enrollment->act)) ||
					  (enrollment->cmc && words_have(approval, "fullcmc")));
}

/* What a request asks for beside its names, for whoever approves it. */
static void describe_wishes(const struct csr *csr, struct buf *out)
{
	struct span oids = csr->wishes.extended_key_usage;
	struct der oid;

	if (csr->wishes.ca)
		buf_add_string(out, "a CA's certificate; ");
	for (unsigned bit = 0, count = 0; bit < KEY_USAGES; bit++)
		if ((csr->wishes.key_usage & 1U << bit) != 0)
			buf_printf(
			    out, "%s%s", count++ == 0 ? "keyUsage " : ", ", key_usage_word(bit));
	if (csr->wishes.has_key_usage)
		buf_add_string(out, "; ");
	for (bool first = true; oids.len > 0 && der_next(&oids, &oid) == EST_OK; first = false) {
		buf_add_string(out, first ? "extendedKeyUsage " : ", ");
		der_oid_text(out, oid.content);
	}
	if (csr->wishes.has_extended_key_usage)
		buf_add_string(out, "; ");
	if (csr->change.len > 0)
		buf_add_string(out, "other names than it had; ");
	if (out->len > 2)
		out->len -= 2;
}

static enum outcome waiting(struct enrollment *enrollment, int64_t created_at)
{
	int64_t every = enrollment->label->config->approval_retry;
	int64_t waited = clock_now() - created_at;

	/* who asks early is told what is left. */
	enrollment->retry_after = (unsigned)(every - (waited > 0 ? waited % every : 0));
	return refuse(APPROVAL_WAITING,
	    "the request waits for approval by the operator; ask again in %u seconds",
	    enrollment->retry_after);
}

/*
 * The request as it came, but for its challenges, which are secrets: the queue is there to be read.
 */
static void copy_request(const struct csr *csr, struct buf *out)
{
	buf_add_span(out, csr->der);
	for (size_t i = 0; csr->der.len > 0 && i < CSR_CHALLENGES; i++) {
		struct span rest = csr->challenge[i];
		struct der text;
		if (rest.len > 0 && der_next(&rest, &text) == EST_OK)
			memset(
			    out->data + (text.content.data - csr->der.data), '*', text.content.len);
	}
}

static enum outcome put_in_queue(struct service *service, struct enrollment *enrollment,
    struct pending_record *row, const struct secret_use *secret, struct pending_record *existing)
{
	const struct config_label *config = enrollment->label->config;
	struct buf asks = {0}, request = {0};
	enum outcome outcome;

	copy_request(&enrollment->csr, &request);
	describe_wishes(&enrollment->csr, &asks);
	memcpy(row->spki, enrollment->record.spki, sizeof(row->spki));
	row->state = PENDING_WAITING;
	row->created_at = clock_now();
	row->expires_at = row->created_at + config->approval_expiry;
	row->label = config->name;
	row->profile = config->profile_name;
	row->operation = act_name(enrollment->act);
	row->identity = enrollment->identity->text;
	row->name = enrollment->record.name;
	row->subject = enrollment->record.subject;
	row->names = enrollment->record.names;
	row->asks = buf_string(&asks);
	row->decided_by = "";
	row->reason = "";
	row->request = buf_span(&request);
	outcome = store_pending_add(service->store, row, secret, existing);
	buf_free(&asks);
	buf_free(&request);
	return outcome == EST_OK ? waiting(enrollment, row->created_at) : outcome;
}

/* What was approved and issued is handed out again for as long as the row is kept. */
static enum outcome collect(
    struct service *service, struct enrollment *enrollment, const struct pending_record *row)
{
	struct cert_record earlier = {0};
	enum outcome outcome;

	if (enrollment->act == ACT_GENERATE)
		return refuse(APPROVAL_TAKEN,
		    "the key was made and handed out already, and is not kept; for another one the "
		    "operator has to delete this request (est-admin request delete)");
	outcome = store_cert_get(service->store, &row->serial, &earlier);
	if (outcome != EST_OK)
		return outcome == EST_NOT_FOUND
			   ? reason(EST_INTERNAL, "the certificate of an approved request is gone")
			   : outcome;
	if (cert_record_status(&earlier, clock_now()) != CERT_VALID) {
		cert_record_clear(&earlier);
		return refuse(APPROVAL_TAKEN, "the certificate that was approved is revoked or "
					      "has expired");
	}
	enrollment->record = earlier;
	enrollment->repeated = true;
	return EST_OK;
}

static enum outcome answer(
    struct service *service, struct enrollment *enrollment, const struct pending_record *row)
{
	switch (row->state) {
	case PENDING_APPROVED: return EST_OK;
	case PENDING_ISSUED: return collect(service, enrollment, row);
	case PENDING_DENIED:
		return refuse(APPROVAL_DENIED, "the operator denied the request%s%s",
		    row->reason[0] == '\0' ? "" : ": ", row->reason);
	default: return waiting(enrollment, row->created_at);
	}
}

enum outcome approval_check(struct service *service, struct enrollment *enrollment,
    const unsigned char content[static 32], const struct secret_use *secret,
    struct pending_record *approved)
{
	struct pending_record row = {.state = PENDING_WAITING};
	enum outcome outcome;

	request_digest_id(enrollment, row.id);
	memcpy(row.content, content, sizeof(row.content));
	outcome = store_pending_get(service->store, row.id, approved);
	if (outcome == EST_OK && approved->expires_at > clock_now() &&
	    memcmp(approved->content, content, sizeof(row.content)) == 0)
		return answer(service, enrollment, approved);
	if (outcome != EST_OK && outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	pending_record_clear(approved);
	outcome = put_in_queue(service, enrollment, &row, secret, approved);
	if (outcome != EST_CONFLICT)
		return outcome;
	reason_clear(); /* another worker was faster with the same request */
	return answer(service, enrollment, approved);
}

/* --- for whoever decides --- */

enum { PREFIX_LEAST = 8, PREFIX_MOST = 32 }; /* hex digits of a ticket */

static bool begins(const struct pending_record *row, const char *id)
{
	struct buf hex = {0};
	bool fits;

	hex_encode(&hex, (struct span){row->ticket, sizeof(row->ticket)});
	fits = strncasecmp(buf_string(&hex), id, strlen(id)) == 0;
	buf_free(&hex);
	return fits;
}

static enum outcome check_prefix(const char *id)
{
	size_t len = strlen(id);

	if (len >= PREFIX_LEAST && len <= PREFIX_MOST &&
	    strspn(id, "0123456789abcdefABCDEF") == len)
		return EST_OK;
	return reason(EST_MALFORMED,
	    "\"%.70s\" is no request: give %d of its hex digits or more, as est-admin request "
	    "list prints them",
	    id, PREFIX_LEAST);
}

enum outcome approval_find(struct service *service, const char *id, struct pending_record *out)
{
	struct pending_record row = {.state = PENDING_WAITING};
	unsigned char after[32];
	const unsigned char *from = NULL;
	enum outcome outcome = check_prefix(id);

	*out = (struct pending_record){.state = PENDING_WAITING};
	while (outcome == EST_OK) {
		outcome = store_pending_next(service->store, from, &row);
		if (outcome != EST_OK)
			break;
		memcpy(after, row.id, sizeof(after));
		from = after;
		if (!begins(&row, id)) {
			pending_record_clear(&row);
		} else if (out->memory == NULL) {
			*out = row;
		} else {
			pending_record_clear(&row);
			outcome = reason(EST_CONFLICT,
			    "several requests begin with \"%s\": give more of its digits", id);
		}
	}
	if (outcome == EST_NOT_FOUND && out->memory != NULL) {
		reason_clear();
		return EST_OK;
	}
	pending_record_clear(out);
	return outcome == EST_NOT_FOUND
		   ? reason(EST_NOT_FOUND, "there is no request \"%s\" in the queue", id)
		   : outcome;
}

enum outcome approval_decide(struct service *service, const struct pending_record *row,
    bool approve, const char *by, const char *why)
{
	struct pending_record decision = *row;
	const struct config_label *label = config_label(service->config, row->label);
	int64_t now = clock_now();

	if (row->expires_at <= now)
		return reason(EST_CONFLICT, "the request has expired: nobody asks for it any more");
	if (label == NULL)
		return reason(EST_CONFLICT, "label \"%s\" is not in est.conf any more", row->label);
	decision.memory = NULL; /* stays the row's */
	decision.state = approve ? PENDING_APPROVED : PENDING_DENIED;
	decision.decided_at = now;
	decision.expires_at = now + label->approval_keep;
	decision.decided_by = by;
	decision.reason = why == NULL ? "" : why;
	return store_pending_decide(service->store, &decision);
}

enum outcome approval_delete(struct service *service, const struct pending_record *row)
{
	enum outcome outcome = store_pending_delete(service->store, row->id, row->content);

	return outcome == EST_NOT_FOUND
		   ? reason(EST_NOT_FOUND, "the request is not in the queue any more")
		   : outcome;
}
