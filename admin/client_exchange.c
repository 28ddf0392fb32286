#include "admin/client_exchange.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/encoding.h"

#define COLUMNS 64 /* of base64: what every EST server reads */

#define RETRY_DEFAULT                                                                              \
	60 /* seconds, where a 202 lacks the Retry-After that RFC 7030 4.2.3 demands */

static const struct {
	long status;
	enum outcome outcome;
	const char *hint; /* added where the server itself gives no reason */
} statuses[] = {
    {401, EST_UNAUTHENTICATED, "it wants credentials: --user and --password-file, or --cert"},
    {403, EST_FORBIDDEN, "these credentials may not have this"},
    {404, EST_NOT_FOUND, "no EST here, or not this label or operation"},
    {429, EST_THROTTLED, "asked too often"},
    {503, EST_UNAVAILABLE, "not able to answer just now"},
};

/* RFC 9110 8.3.1 */
bool client_exchange_is(const char *content_type, const char *type)
{
	size_t len = strlen(type);

	return content_type != NULL && strncasecmp(content_type, type, len) == 0 &&
	       (content_type[len] == '\0' || strchr("; \t", content_type[len]) != NULL);
}

/* What the server says in plain words, on one line; "" where it says nothing readable. */
static void server_words(const struct http_response *response, struct buf *out)
{
	const struct buf *body = &response->body;

	if (response->content_type != NULL &&
	    !client_exchange_is(response->content_type, "text/plain"))
		return;
	for (size_t i = 0; i < body->len && out->len < 300; i++) {
		bool blank = strchr(" \t\r\n", body->data[i]) != NULL && body->data[i] != '\0';
		if (!blank)
			buf_add_byte(out, body->data[i]);
		else if (out->len > 0 && out->data[out->len - 1] != ' ')
			buf_add_byte(out, ' ');
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
}

static void operation_url(
    const struct client_session *session, const char *operation, struct buf *url)
{
	const struct client_settings *settings = session->settings;

	buf_printf(url, "%s/%s%s%s", settings->url, settings->label == NULL ? "" : settings->label,
	    settings->label == NULL ? "" : "/", operation);
}

enum outcome client_exchange_refused(const struct client_session *session, const char *operation,
    const struct http_response *response)
{
	struct buf url = {0}, words = {0};
	const char *hint = "an answer that EST has no use for";
	enum outcome outcome = EST_CONFLICT;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].status == response->status) {
			outcome = statuses[i].outcome;
			hint = statuses[i].hint;
		}
	}
	if (response->status >= 300 && response->status < 400)
		hint = "redirects are not followed (RFC 7030 3.2.1): give the final URL";
	operation_url(session, operation, &url);
	server_words(response, &words);
	(void)reason(outcome, "%.150s: %ld: %s", buf_string(&url), response->status,
	    words.len > 0 ? buf_string(&words) : hint);
	buf_free(&url);
	buf_free(&words);
	return outcome;
}

enum outcome client_exchange_get(const struct client_session *session, const char *operation,
    bool provisional, struct http_response *response)
{
	struct buf url = {0};
	struct http_request request = {.user_agent = session->user_agent,
	    .trust = buf_span(&session->trust),
	    .provisional = provisional || session->srp_alone,
	    .tls12 = session->tls12,
	    .srp_user = session->srp_user,
	    .srp_password = (const char *)session->srp_password.data};
	enum outcome outcome;

	operation_url(session, operation, &url);
	request.url = buf_string(&url);
	cli_progress("asking %s", request.url);
	outcome = http_send(&request, response);
	cli_progress_end();
	buf_free(&url);
	return outcome;
}

/*
 * Waits until it is time to ask again; gives EST_PENDING at once where that is beyond the deadline.
 */
static enum outcome wait_pending(
    const char *url, const struct http_response *response, int64_t wait, uint64_t *deadline)
{
	int64_t retry = response->retry_after < 0 ? RETRY_DEFAULT : response->retry_after;
	uint64_t now = clock_milliseconds(), again;

	retry = retry == 0 ? 1 : retry;
	if (*deadline == 0)
		*deadline = now + (uint64_t)wait * 1000;
	again = now + (uint64_t)retry * 1000;
	if (again > *deadline)
		return reason(EST_PENDING,
		    "%.150s: 202: accepted, not decided yet; the server wants to be asked again in "
		    "%lld s, "
		    "which is beyond --wait. The same command goes on with the same request",
		    url, (long long)retry);
	for (; now < again; now = clock_milliseconds()) {
		uint64_t left = again - now;
		struct timespec pause = {.tv_nsec = 999000000};
		if (left < 1000)
			pause.tv_nsec = (long)left * 1000000;
		cli_progress(
		    "waiting for the CA to decide; asking again in %llu s, for %llu s at most",
		    (unsigned long long)(left + 999) / 1000,
		    (unsigned long long)(*deadline - now + 999) / 1000);
		(void)nanosleep(&pause, NULL);
	}
	return EST_OK;
}

/* Makes the body for a connection with that binding, and sends it. */
static enum outcome send_made(struct client_session *session, const struct client_message *message,
    struct http_request *request, struct http_response *response)
{
	struct buf der = {0}, body = {0};
	const char *binding = message->bound ? http_session_binding(session->http) : NULL;
	enum outcome outcome = EST_OK;

	if (message->bound && binding == NULL)
		outcome = reason(EST_CONFLICT,
		    "%.150s: the TLS session has no channel binding: the server's TLS 1.2 lacks "
		    "the "
		    "extended master secret (RFC 7627)",
		    request->url);
	if (outcome == EST_OK)
		outcome = message->make(message->context, binding, &der);
	if (outcome == EST_OK) {
		base64_encode(&body, buf_span(&der), COLUMNS);
		request->body = buf_span(&body);
		cli_progress("asking %s", request->url);
		outcome = http_session_send(&session->http, request, response);
		request->body = (struct span){0};
	}
	buf_cleanse(&der);
	buf_cleanse(&body);
	return outcome;
}

/* Opens a connection as the message's will be, by a request that nobody has to answer well. */
static enum outcome connect_first(
    struct client_session *session, const struct http_request *request)
{
	struct http_request first = *request;
	struct http_response response = {0};
	struct buf url = {0};
	enum outcome outcome;

	operation_url(session, "cacerts", &url);
	first.url = buf_string(&url);
	first.headers = NULL;
	first.user = NULL;
	first.password = NULL;
	outcome = http_session_send(&session->http, &first, &response);
	http_response_free(&response);
	buf_free(&url);
	return outcome;
}

/* The message, made for the connection that is there, or that is opened for it. */
static enum outcome send_bound(struct client_session *session, const struct client_message *message,
    struct http_request *request, struct http_response *response)
{
	enum outcome outcome = connect_first(session, request);

	return outcome == EST_OK ? send_made(session, message, request, response) : outcome;
}

/*
 * The message, once. A bound one that did not go by the connection that it was made for, because
 * the server had closed that one, could not be answered well, and is made again.
 */
static enum outcome send_once(struct client_session *session, const struct client_message *message,
    struct http_request *request, struct http_response *response)
{
	enum outcome outcome;

	if (!message->bound) {
		http_session_free(session->http);
		session->http = NULL;
		return send_made(session, message, request, response);
	}
	outcome = send_bound(session, message, request, response);
	if (outcome == EST_OK && response->fresh) {
		http_response_free(response);
		outcome = send_bound(session, message, request, response);
	}
	return outcome;
}

enum outcome client_exchange_post(struct client_session *session,
    const struct client_message *message, struct http_response *response)
{
	struct buf url = {0}, type = {0};
	uint64_t deadline = 0;
	enum outcome outcome;

	operation_url(session, message->operation, &url);
	buf_printf(&type, "Content-Type: %s", message->type);
	const char *const headers[] = {
	    buf_string(&type), "Content-Transfer-Encoding: base64", NULL};
	struct http_request request = {.url = buf_string(&url),
	    .user_agent = session->user_agent,
	    .headers = headers,
	    .trust = buf_span(&session->trust),
	    .provisional = session->srp_alone,
	    .tls12 = session->tls12,
	    .user = session->user,
	    .password = session->password,
	    .srp_user = session->srp_user,
	    .srp_password = (const char *)session->srp_password.data,
	    .certificate = buf_span(&session->certificate),
	    .key = buf_span(&session->key)};
	for (;;) {
		outcome = send_once(session, message, &request, response);
		if (outcome != EST_OK || response->status != 202)
			break;
		outcome = wait_pending(request.url, response, session->wait, &deadline);
		if (outcome != EST_OK)
			break;
		http_response_free(response);
	}
	cli_progress_end();
	buf_free(&url);
	buf_free(&type);
	return outcome;
}
