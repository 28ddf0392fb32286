/*
 * est.c - est.fcgi: Enrollment over Secure Transport (RFC 7030) behind a web server.
 *
 * A request goes: serve.c -> est_handle() -> the row of its operation -> lifecycle/.
 */
#include <string.h>
#include <strings.h>

#include "cgi/fact.h"
#include "cgi/path.h"
#include "cgi/serve.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/json.h"
#include "common/base/refusal.h"
#include "common/lifecycle/enroll.h"
#include "common/lifecycle/identify.h"
#include "common/pki/pkcs7.h"

/* A request on its way to the operation that it names. */
struct call {
	struct service *service;
	const struct label *label;
	struct request *request;
	struct identity identity;
	struct reply *reply;
};

typedef enum outcome operation_run(struct call *call);

static operation_run cacerts, simpleenroll, simplereenroll;

/* RFC 7030 3.2.2. What a row says is checked before run() is called. */
static const struct operation {
	const char *name;
	const char *method; /* GET stands for HEAD as well */
	const char *type;   /* of the request's body; NULL: none */
	bool needs_identity;
	operation_run *run;
} operations[] = {
    {"cacerts", "GET", NULL, false, cacerts},
    {"simpleenroll", "POST", "application/pkcs10", true, simpleenroll},
    {"simplereenroll", "POST", "application/pkcs10", true, simplereenroll},
};

static enum outcome cacerts(struct call *call)
{
	call->reply->type = "application/pkcs7-mime";
	call->reply->base64 = true;
	return ca_bag(call->label->ca, clock_now(), &call->reply->body);
}

static bool is_blank(const unsigned char *at, const unsigned char *end)
{
	for (; at < end; at++)
		if (*at != ' ' && *at != '\t' && *at != '\r' && *at != '\n')
			return false;
	return true;
}

/* Leaves the base64 of one PEM request and nothing around it; false for any other PEM. */
static bool strip_armour(struct span *text)
{
	static const char *const lines[][2] = {
	    {"-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"},
	    {"-----BEGIN NEW CERTIFICATE REQUEST-----", "-----END NEW CERTIFICATE REQUEST-----"},
	};
	const unsigned char *behind = text->data + text->len;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t begin_len = strlen(lines[i][0]), end_len = strlen(lines[i][1]);
		const unsigned char *begin = memmem(text->data, text->len, lines[i][0], begin_len),
				    *end;
		if (begin == NULL)
			continue;
		end = memmem(begin, (size_t)(behind - begin), lines[i][1], end_len);
		if (end == NULL || !is_blank(text->data, begin) || !is_blank(end + end_len, behind))
			return false;
		begin += begin_len;
		*text = (struct span){begin, (size_t)(end - begin)};
		return true;
	}
	return false;
}

static enum outcome decode_base64(struct buf *der, struct span text)
{
	static const char begin[] = "-----BEGIN";

	if (base64_decode(der, text) != EST_OK)
		return refuse(BODY_BASE64, "the body is no base64"); /* why not is said already */
	if (der->len >= sizeof(begin) - 1 && memcmp(der->data, begin, sizeof(begin) - 1) == 0)
		return refuse(BODY_FORM, "the body is base64 of PEM, so twice base64; send the "
					 "base64 of the DER, or the PEM as it is");
	return EST_OK;
}

/* RFC 8951 3: the body is base64 of DER, whatever its Content-Transfer-Encoding says. */
static enum outcome decode_body(const struct call *call, struct buf *der)
{
	const struct words *encodings = &call->label->config->encodings;
	struct span text = buf_span(&call->request->body);
	static const char begin[] = "-----BEGIN";

	if (text.len == 0)
		return refuse(BODY_EMPTY, "the body is empty; send a CSR in base64");
	if (text.data[0] == 0x30) {
		if (!words_have(encodings, "der"))
			return refuse(BODY_FORM, "the body is raw DER; send it in base64");
		buf_add_span(der, text);
		return EST_OK;
	}
	if (memmem(text.data, text.len, begin, sizeof(begin) - 1) != NULL) {
		if (!words_have(encodings, "pem"))
			return refuse(BODY_FORM, "the body is PEM; send the base64 without its "
						 "BEGIN and END lines");
		if (!strip_armour(&text))
			return refuse(BODY_FORM, "the body is not PEM of one request alone");
		json_add_string(&call->request->facts, "armour", "pem");
	} else if (!words_have(encodings, "base64")) {
		return refuse(
		    BODY_FORM, "this label does not take plain base64 (encodings of est.conf)");
	}
	return decode_base64(der, text);
}

static void log_enrollment(struct call *call, const struct enrollment *enrollment)
{
	struct buf *facts = &call->request->facts;
	const struct cert_record *record = &enrollment->record;
	char serial[2 * SERIAL_MAX + 1];
	struct buf spki = {0};

	if (record->name == NULL)
		return;
	hex_encode(&spki, (struct span){record->spki, sizeof(record->spki)});
	json_add(facts, "spki_sha256", buf_span(&spki));
	/* The store has them whole. */
	fact_add_string(facts, "subject", record->subject, 1000);
	fact_add_string(facts, "names", record->names, 1500);
	if (record->serial.len > 0)
		json_add_string(facts, "serial", serial_text(&record->serial, serial));
	if (enrollment->key_shared)
		json_add_true(facts, "key_shared");
	if (enrollment->repeated)
		json_add_true(facts, "repeated");
	buf_free(&spki);
}

/* RFC 7030 4.2.3: the answer holds the issued certificate and nothing else. */
static enum outcome run_enrollment(
    struct call *call, enum outcome (*act)(struct service *, struct enrollment *))
{
	struct enrollment enrollment = {.label = call->label, .identity = &call->identity};
	struct buf der = {0};
	enum outcome outcome = decode_body(call, &der);

	if (outcome == EST_OK) {
		enrollment.request = buf_span(&der);
		outcome = act(call->service, &enrollment);
		log_enrollment(call, &enrollment);
	}
	if (outcome == EST_OK) {
		call->reply->type = "application/pkcs7-mime; smime-type=certs-only";
		call->reply->base64 = true;
		call->reply->no_store = true;
		pkcs7_certs_only(&enrollment.record.der, 1, &call->reply->body);
	}
	enrollment_clear(&enrollment);
	buf_free(&der);
	return outcome;
}

static enum outcome simpleenroll(struct call *call)
{
	return run_enrollment(call, enroll);
}

static enum outcome simplereenroll(struct call *call)
{
	return run_enrollment(call, renew);
}

static const struct operation *operation_of(struct span name)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (span_equal(span_of(operations[i].name), name))
			return &operations[i];
	return NULL;
}

/* Labels and operations are compared as a whole (H-01, H-18). */
static const struct operation *route(struct call *call)
{
	struct span label, operation;

	if (!path_split(
		call->service->config->prefix, buf_span(&call->request->path), &label, &operation))
		return NULL;
	call->label = service_label(call->service, label);
	return call->label == NULL ? NULL : operation_of(operation);
}

/* RFC 9110 8.3.1: the type compares without letter case, parameters behind it do not matter. */
static bool type_fits(const char *want, const char *type)
{
	size_t len = strlen(want);

	if (type == NULL || strncasecmp(type, want, len) != 0)
		return false;
	return type[len] == '\0' || strchr("; \t", type[len]) != NULL;
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
	if (!type_fits(operation->type, request->content_type)) {
		set_status(call, 415, "Accept: application/pkcs10");
		return refuse(HTTP_CONTENT_TYPE, "the Content-Type must be %s", operation->type);
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

static enum outcome find_identity(struct call *call)
{
	const struct request *request = call->request;
	struct credentials credentials = {.authorization = request->authorization,
	    .certificate = request->client_certificate,
	    .chain = request->client_chain};
	enum outcome outcome = identify(call->service, call->label, &credentials, &call->identity);

	if (outcome == EST_OK)
		fact_add_string(&call->request->facts, "identity", call->identity.text, 500);
	if (outcome == EST_UNAUTHENTICATED) {
		buf_printf(&call->reply->header,
		    "WWW-Authenticate: Basic realm=\"%s\", charset=\"UTF-8\"",
		    call->service->config->realm);
		/* T-12: Bouncy Castle 1.72 gives up at the first challenge if it has a body. */
		call->reply->silent = request->authorization == NULL;
	}
	return outcome;
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
	if ((outcome = check_method(call, operation)) != EST_OK)
		return outcome;
	if (operation->type != NULL && (outcome = check_body(call, operation)) != EST_OK)
		return outcome;
	if (operation->needs_identity && (outcome = find_identity(call)) != EST_OK)
		return outcome;
	return operation->run(call);
}

static enum outcome est_handle(
    struct service *service, struct request *request, struct reply *reply)
{
	struct call call = {.service = service, .request = request, .reply = reply};
	enum outcome outcome = dispatch(&call);

	identity_clear(&call.identity);
	return outcome;
}

int main(void)
{
	static const struct program program = {.name = "est.fcgi",
	    .opens = SERVICE_STORE | SERVICE_LABELS | SERVICE_SIGN,
	    .counts = true,
	    .handle = est_handle};

	return serve(&program);
}
