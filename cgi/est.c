/*
 * est.c - est.fcgi: Enrollment over Secure Transport (RFC 7030) behind a web server.
 *
 * A request goes: serve.c -> est_handle() -> the row of its operation -> lifecycle/.
 */
#include <string.h>
#include <strings.h>

#include "cgi/est_call.h"
#include "cgi/fact.h"
#include "cgi/path.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/refusal.h"
#include "common/lifecycle/identify.h"

static operation_run cacerts, csrattrs, eecerts;

#define CSR        "application/pkcs10"
#define PKCS7_MIME "application/pkcs7-mime"

/*
 * RFC 7030 3.2.2, RFC 8295 3. What a row says is checked before run() is called. An operation that
 * is not `always` there is offered where the label names it.
 */
static const struct operation {
	const char *name;
	const char *method;     /* GET stands for HEAD as well */
	const char *type;       /* of the request's body; NULL: none */
	const char *smime_type; /* its parameter, where it has one; NULL: does not matter */
	bool always, needs_identity, renews, any_type;
	operation_run *run;
} operations[] = {
    {"cacerts", "GET", NULL, NULL, true, false, false, false, cacerts},
    {"simpleenroll", "POST", CSR, NULL, false, true, false, false, run_simpleenroll},
    {"simplereenroll", "POST", CSR, NULL, false, true, true, false, run_simplereenroll},
    {"fullcmc", "POST", PKCS7_MIME, "CMC-request", false, true, false, false, run_fullcmc},
    {"serverkeygen", "POST", CSR, NULL, false, true, false, false, run_serverkeygen},
    {"csrattrs", "GET", NULL, NULL, false, false, false, false, csrattrs},
    {"eecerts", "GET", NULL, NULL, false, false, false, false, eecerts},
};

/*
 * What python-est's devices call first, by a path of its own: a first enrollment by HTTP Basic.
 * They send what they have under all sorts of types.
 */
static const struct operation bootstrap = {
    "bootstrap", "POST", CSR, NULL, false, true, false, true, run_simpleenroll};

static enum outcome cacerts(struct call *call)
{
	call->reply->type = PKCS7_MIME;
	call->reply->base64 = true;
	return ca_bag(call->label->ca, clock_now(), &call->reply->body);
}

/* DER that the label has had since the start. */
static enum outcome hand_out(struct call *call, const char *type, const struct buf *der)
{
	call->reply->type = type;
	call->reply->base64 = true;
	buf_add_span(&call->reply->body, buf_span(der));
	return EST_OK;
}

/* RFC 7030 4.5.2; 204 where nothing is demanded, which Bouncy Castle reads better than a 404. */
static enum outcome csrattrs(struct call *call)
{
	if (call->label->csrattrs.len > 0)
		return hand_out(call, "application/csrattrs", &call->label->csrattrs);
	call->reply->status = 204;
	return EST_OK;
}

static enum outcome eecerts(struct call *call)
{
	if (call->label->eecerts.len == 0)
		return refuse(HTTP_PATH, "this label has no certificates of others to hand out");
	return hand_out(call, PKCS7_MIME, &call->label->eecerts);
}

static const struct operation *operation_of(struct span name)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (span_equal(span_of(operations[i].name), name))
			return &operations[i];
	return NULL;
}

/* The label whose `bootstrap` is the path. */
static const struct label *bootstrap_label(const struct call *call)
{
	const struct service *service = call->service;

	for (size_t i = 0; i < service->config->label_count; i++) {
		const char *path = service->labels[i].config->bootstrap;
		if (path != NULL && span_equal(span_of(path), buf_span(&call->request->path)))
			return &service->labels[i];
	}
	return NULL;
}

/* Labels and operations are compared as a whole (H-01, H-18). */
static const struct operation *route(struct call *call)
{
	const struct operation *found;
	struct span label, operation;

	call->label = bootstrap_label(call);
	call->bootstrap = call->label != NULL;
	if (call->bootstrap)
		return &bootstrap;
	if (!path_split(
		call->service->config->prefix, buf_span(&call->request->path), &label, &operation))
		return NULL;
	call->label = service_label(call->service, label);
	found = call->label == NULL ? NULL : operation_of(operation);
	return found == NULL || found->always ||
		       words_have(&call->label->config->operations, found->name)
		   ? found
		   : NULL;
}

/* RFC 9110 8.3.1: the type compares without letter case, parameters behind it do not matter. */
static bool type_fits(const char *want, const char *type)
{
	size_t len = strlen(want);

	if (type == NULL || strncasecmp(type, want, len) != 0)
		return false;
	return type[len] == '\0' || strchr("; \t", type[len]) != NULL;
}

/*
 * RFC 8551 3.2.2: what a pkcs7-mime says that it is. Without the parameter it may be what is
 * wanted, which the body tells.
 */
static bool smime_type_fits(const char *want, const char *type)
{
	static const char name[] = "smime-type=";
	const char *at = strcasestr(type, name);
	size_t len = strlen(want);

	if (at == NULL)
		return true;
	at += sizeof(name) - 1;
	at += *at == '"';
	return strncasecmp(at, want, len) == 0 &&
	       (at[len] == '\0' || strchr("\"; \t", at[len]) != NULL);
}

/* What HTTP says of a refusal that it has a status of its own for. */
static void set_status(struct call *call, int status, const char *header)
{
	call->reply->status = status;
	if (header != NULL)
		buf_add_string(&call->reply->header, header);
}

static enum outcome check_method(struct call *call, const struct operation *operation)
{
	if (request_has_method(call->request, operation->method))
		return EST_OK;
	set_status(
	    call, 405, strcmp(operation->method, "GET") == 0 ? "Allow: GET, HEAD" : "Allow: POST");
	return refuse(HTTP_METHOD, "the method of this operation is %s", operation->method);
}

static enum outcome check_body(struct call *call, const struct operation *operation)
{
	const struct request *request = call->request;

	if (request->content_encoding != NULL &&
	    strcasecmp(request->content_encoding, "identity") != 0) {
		set_status(call, 415, "Accept-Encoding: identity");
		return refuse(HTTP_CONTENT_ENCODING, "the body must not have a Content-Encoding");
	}
	if ((!operation->any_type && !type_fits(operation->type, request->content_type)) ||
	    (operation->smime_type != NULL &&
		!smime_type_fits(operation->smime_type, request->content_type))) {
		set_status(call, 415, NULL);
		buf_printf(&call->reply->header, "Accept: %s", operation->type);
		return refuse(HTTP_CONTENT_TYPE, "the Content-Type must be %s%s%s", operation->type,
		    operation->smime_type == NULL ? "" : "; smime-type=",
		    operation->smime_type == NULL ? "" : operation->smime_type);
	}
	if (request->body_too_large) {
		set_status(call, 413, NULL);
		return refuse(BODY_SIZE,
		    "the body is larger than this server takes (body_limit of est.conf)");
	}
	if (request->body_cut_short)
		return refuse(BODY_LENGTH, "the body is not as long as its Content-Length");
	return EST_OK;
}

static enum outcome find_identity(struct call *call, const struct operation *operation)
{
	const struct request *request = call->request;
	const struct credentials credentials = {.authorization = request->authorization,
	    .certificate = request->client_certificate,
	    .chain = request->client_chain,
	    .srp_user = request->srp_user,
	    .srp_info = request->srp_info,
	    .cipher = request->tls_cipher,
	    .resumed = request->tls_resumed,
	    .remote_user = request->remote_user,
	    .auth_type = request->auth_type,
	    .server = request->server_software,
	    .address = request->remote_addr};
	const struct asking asking = {call->label, operation->renews, call->bootstrap};
	struct identity *identity = &call->identity;
	enum outcome outcome = identify_admit(
	    call->service, call->label, request->remote_addr, &call->reply->retry_after);

	if (outcome != EST_OK)
		return outcome;
	outcome = identify(call->service, &asking, &credentials, identity);
	if (outcome == EST_THROTTLED)
		call->reply->retry_after = identity->retry_after;
	if (outcome != EST_OK && identity->account != NULL)
		fact_add_string(&call->request->facts, "account", identity->account, 300);
	if (outcome != EST_OK && identity->note != NULL)
		json_add_string(&call->request->facts, "credentials", identity->note);
	if (outcome != EST_OK)
		return outcome;
	fact_add_string(&call->request->facts, "identity", identity->text, 500);
	return identify_meter(call->service, call->label, identity, &call->reply->retry_after);
}

/*
 * RFC 9110 15.5.2 wants it with each 401; so who was proven to be somebody by another way than HTTP
 * Basic, which would not help him, gets a 403.
 */
static void add_challenge(struct call *call)
{
	const struct identity *identity = &call->identity;

	if (identity->text != NULL && !identity_has(identity, PROOF_PASSWORD) &&
	    !identity_has(identity, PROOF_SECRET)) {
		call->reply->status = 403;
		return;
	}
	buf_printf(&call->reply->header, "WWW-Authenticate: Basic realm=\"%s\", charset=\"UTF-8\"",
	    call->service->config->realm);
	/* T-12: Bouncy Castle 1.72 gives up at the first challenge if it has a body. */
	call->reply->silent = call->request->authorization == NULL;
}

/* Default deny: an operation is looked up, then its form, then who asks; only then is the body more
 * than octets. */
static enum outcome dispatch(struct call *call)
{
	struct request *request = call->request;
	const struct operation *operation;
	enum outcome outcome;

	if (request->https == NULL || strcasecmp(request->https, "on") != 0)
		return refuse(HTTP_PLAIN, "EST is served over HTTPS only");
	operation = route(call);
	if (operation == NULL)
		return refuse(HTTP_PATH, "there is no such operation or label here");
	call->reply->operation = operation->name;
	json_add_string(&request->facts, "operation", operation->name);
	json_add_string(&request->facts, "label", call->label->config->name);
	call->reply->wrap = call->label->config->wrap;
	call->reply->raw = call->label->config->raw_responses;
	call->reply->narrow = call->label->config->narrow_statuses;
	if ((outcome = check_method(call, operation)) != EST_OK)
		return outcome;
	if (operation->type != NULL && (outcome = check_body(call, operation)) != EST_OK)
		return outcome;
	if (operation->needs_identity && (outcome = find_identity(call, operation)) != EST_OK)
		return outcome;
	return operation->run(call);
}

static enum outcome est_handle(
    struct service *service, struct request *request, struct reply *reply)
{
	struct call call = {.service = service,
	    .request = request,
	    .binding = {request->tls_protocol, request->tls_unique, request->tls_exporter},
	    .reply = reply};
	enum outcome outcome = dispatch(&call);

	if (outcome == EST_UNAUTHENTICATED)
		add_challenge(&call);
	identity_clear(&call.identity);
	return outcome;
}

int main(void)
{
	static const struct program program = {.name = "est.fcgi",
	    .opens = SERVICE_STORE | SERVICE_LABELS | SERVICE_SIGN | SERVICE_LIMITS | SERVICE_HOOKS,
	    .counts = true,
	    .handle = est_handle};

	return serve(&program);
}
