#include "admin/client_session.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/crypto.h>

#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/http.h"

#include "admin/client_certs.h"

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
    {404, EST_NOT_FOUND, "no EST here, or not this label"},
    {429, EST_THROTTLED, "asked too often"},
    {503, EST_UNAVAILABLE, "not able to answer just now"},
};

/* Whether a Content-Type is of that media type, whatever its parameters (RFC 9110 8.3.1). */
static bool is_type(const char *content_type, const char *type)
{
	size_t len = strlen(type);

	return content_type != NULL && strncasecmp(content_type, type, len) == 0 &&
	       (content_type[len] == '\0' || strchr("; \t", content_type[len]) != NULL);
}

/* What the server says in plain words, on one line; "" where it says nothing readable. */
static void server_words(struct http_response *response, struct buf *out)
{
	struct buf *body = &response->body;

	if (response->content_type != NULL && !is_type(response->content_type, "text/plain"))
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

/* The outcome of an answer that is not the one hoped for. */
static enum outcome refused(const char *url, struct http_response *response)
{
	struct buf words = {0};
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
	server_words(response, &words);
	(void)reason(outcome, "%.150s: %ld: %s", url, response->status,
	    words.len > 0 ? buf_string(&words) : hint);
	buf_free(&words);
	return outcome;
}

static void operation_url(
    const struct client_session *session, const char *operation, struct buf *url)
{
	const struct client_settings *settings = session->settings;

	buf_printf(url, "%s/%s%s%s", settings->url, settings->label == NULL ? "" : settings->label,
	    settings->label == NULL ? "" : "/", operation);
}

/* The certificates of a 200, its base64 taken off into der. */
static enum outcome take_certificates(
    const char *url, const struct http_response *response, struct buf *der, STACK_OF(X509) **certs)
{
	if (!is_type(response->content_type, "application/pkcs7-mime"))
		return reason(EST_MALFORMED,
		    "%.150s: the answer is %.100s, not application/pkcs7-mime: is an EST server "
		    "there?",
		    url, response->content_type == NULL ? "of no type" : response->content_type);
	if (base64_decode(der, buf_span(&response->body)) != EST_OK)
		return EST_MALFORMED;
	return client_certs_parse(buf_span(der), certs);
}

static enum outcome get_cacerts(
    const struct client_session *session, bool provisional, struct client_cacerts *cacerts)
{
	struct http_response response = {0};
	struct buf url = {0};
	enum outcome outcome;
	struct http_request request = {.user_agent = session->user_agent,
	    .trust = buf_span(&session->trust),
	    .provisional = provisional};

	*cacerts = (struct client_cacerts){0};
	operation_url(session, "cacerts", &url);
	request.url = buf_string(&url);
	cli_progress("asking %s", request.url);
	outcome = http_send(&request, &response);
	if (outcome == EST_OK && response.status != 200)
		outcome = refused(request.url, &response);
	if (outcome == EST_OK)
		outcome = take_certificates(request.url, &response, &cacerts->der, &cacerts->certs);
	cli_progress_end();
	http_response_free(&response);
	buf_free(&url);
	return outcome;
}

enum outcome client_session_cacerts(
    const struct client_session *session, struct client_cacerts *cacerts)
{
	return get_cacerts(session, false, cacerts);
}

/* The root of certs with that fingerprint, or NULL; a reference of the caller's own. */
static X509 *find_root(const STACK_OF(X509) *certs, const unsigned char *fingerprint)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);
		unsigned char own[CLIENT_FINGERPRINT];
		client_cert_fingerprint(cert, own);
		if (CRYPTO_memcmp(own, fingerprint, sizeof(own)) == 0 &&
		    client_cert_is_root(cert)) {
			(void)X509_up_ref(cert);
			return cert;
		}
	}
	return NULL;
}

enum outcome client_session_bootstrap(
    const struct client_session *session, const unsigned char *fingerprint, X509 **root)
{
	struct client_cacerts cacerts;
	enum outcome outcome = get_cacerts(session, true, &cacerts);

	if (outcome == EST_OK) {
		*root = find_root(cacerts.certs, fingerprint);
		if (*root == NULL)
			outcome = reason(EST_CONFLICT,
			    "RFC 7030 4.1.1: no self-signed certificate of the server's %d has the "
			    "fingerprint given; it is another CA, or somebody in between",
			    sk_X509_num(cacerts.certs));
	}
	client_cacerts_free(&cacerts);
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

/* Sends the request until it is answered by something else than 202. */
static enum outcome post(const struct client_session *session, const struct http_request *request,
    struct http_response *response)
{
	uint64_t deadline = 0;
	enum outcome outcome;

	for (;;) {
		cli_progress("asking %s", request->url);
		outcome = http_send(request, response);
		if (outcome != EST_OK || response->status == 200)
			break;
		outcome = response->status == 202
			      ? wait_pending(request->url, response, session->wait, &deadline)
			      : refused(request->url, response);
		if (outcome != EST_OK)
			break;
		http_response_free(response);
	}
	cli_progress_end();
	return outcome;
}

static enum outcome take_certificate(
    const char *url, const struct http_response *response, X509 **certificate)
{
	STACK_OF(X509) *certs = NULL;
	struct buf der = {0};
	enum outcome outcome = take_certificates(url, response, &der, &certs);

	if (outcome == EST_OK && sk_X509_num(certs) != 1)
		outcome = reason(EST_MALFORMED,
		    "RFC 7030 4.2.3: the answer holds %d certificates where one belongs",
		    sk_X509_num(certs));
	if (outcome == EST_OK)
		*certificate = sk_X509_pop(certs);
	client_certs_free(certs);
	buf_free(&der);
	return outcome;
}

enum outcome client_session_enroll(const struct client_session *session, const char *operation,
    struct span csr, X509 **certificate)
{
	static const char *const headers[] = {
	    "Content-Type: application/pkcs10", "Content-Transfer-Encoding: base64", NULL};
	struct http_response response = {0};
	struct buf url = {0}, body = {0};
	struct http_request request = {.user_agent = session->user_agent,
	    .headers = headers,
	    .trust = buf_span(&session->trust),
	    .user = session->user,
	    .password = session->password,
	    .certificate = buf_span(&session->certificate),
	    .key = buf_span(&session->key)};
	enum outcome outcome;

	operation_url(session, operation, &url);
	base64_encode(&body, csr, COLUMNS);
	request.url = buf_string(&url);
	request.body = buf_span(&body);
	outcome = post(session, &request, &response);
	if (outcome == EST_OK)
		outcome = take_certificate(request.url, &response, certificate);
	http_response_free(&response);
	buf_free(&url);
	buf_free(&body);
	return outcome;
}

void client_cacerts_free(struct client_cacerts *cacerts)
{
	buf_free(&cacerts->der);
	client_certs_free(cacerts->certs);
	cacerts->certs = NULL;
}

void client_session_free(struct client_session *session)
{
	buf_cleanse(&session->key);
	buf_free(&session->certificate);
	buf_free(&session->trust);
	*session = (struct client_session){0};
}
