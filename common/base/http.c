#include "common/base/http.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define CONNECT_SECONDS 10L
#define TOTAL_SECONDS   60L

#define EXPORTER     "EXPORTER-Channel-Binding" /* RFC 9266 2 */
#define EXPORTER_LEN 32

struct http_session {
	CURL *curl;
	char binding[2 * EVP_MAX_MD_SIZE]; /* base64; "": none */
};

/* What libcurl's failures mean to us; the others are EST_UNAVAILABLE. */
static const struct {
	CURLcode code;
	enum outcome outcome;
	const char *text;
} failures[] = {
    {CURLE_PEER_FAILED_VERIFICATION, EST_CONFLICT, "the server is not trusted"},
    {CURLE_SSL_CONNECT_ERROR, EST_CONFLICT, "TLS failed"},
    {CURLE_SSL_CERTPROBLEM, EST_MALFORMED, "the client certificate or its key cannot be used"},
    {CURLE_SSL_CACERT_BADFILE, EST_MALFORMED, "the trusted certificates cannot be used"},
    {CURLE_URL_MALFORMAT, EST_MALFORMED, "not a URL"},
    {CURLE_UNSUPPORTED_PROTOCOL, EST_MALFORMED, "only https is spoken"},
    {CURLE_WRITE_ERROR, EST_MALFORMED, "the answer is larger than a mebibyte"},
    {CURLE_PARTIAL_FILE, EST_UNAVAILABLE, "the answer is cut short"},
    {CURLE_OPERATION_TIMEDOUT, EST_UNAVAILABLE, "no answer in time"},
};

/* Whether OpenSSL's words are those of an alert by which the server turns down the client's
 * certificate. */
static bool is_certificate_alert(const char *detail)
{
	const char *alert = strstr(detail, " alert ");

	return alert != NULL &&
	       (strstr(alert, "certificate") != NULL || strstr(alert, "unknown ca") != NULL);
}

/* Whether they are those of TLS-SRP that fails (RFC 5054 2.9): the two ends got different secrets. */
static bool is_srp_alert(const char *detail)
{
	return strstr(detail, "bad record mac") != NULL ||
	       strstr(detail, "decrypt error") != NULL ||
	       strstr(detail, "unknown psk identity") != NULL;
}

static enum outcome failed(const struct http_request *request, CURLcode code, const char *detail)
{
	const char *method = request->body.data == NULL ? "GET" : "POST";

	if (detail[0] == '\0')
		detail = curl_easy_strerror(code);
	if (is_certificate_alert(detail))
		return reason(EST_FORBIDDEN,
		    "%s %.200s: the server's TLS wants another client certificate: %.200s", method,
		    request->url, detail);
	if (request->srp_user != NULL && is_srp_alert(detail))
		return reason(EST_UNAUTHENTICATED,
		    "%s %.200s: TLS-SRP fails: the password is wrong, or there is no such user, "
		    "or the server does not know the password either: %.200s",
		    method, request->url, detail);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].code == code)
			return reason(failures[i].outcome, "%s %.200s: %s: %.200s", method,
			    request->url, failures[i].text, detail);
	}
	return reason(EST_UNAVAILABLE, "%s %.200s: %.200s", method, request->url, detail);
}

/* libcurl's write callback: fewer octets than given end the transfer with CURLE_WRITE_ERROR. */
static size_t receive(char *octets, size_t one, size_t len, void *body)
{
	struct buf *buf = body;

	(void)one;
	if (len > HTTP_BODY_MOST - buf->len)
		return 0;
	buf_add(buf, octets, len);
	return len;
}

static struct curl_blob blob(struct span span)
{
	/* CURL_BLOB_NOCOPY: libcurl reads it only, its type just does not say so. */
	return (struct curl_blob){(void *)(uintptr_t)span.data, span.len, CURL_BLOB_NOCOPY};
}

static void set_trust(CURL *curl, const struct http_request *request)
{
	struct curl_blob trust = blob(request->trust);

	curl_easy_setopt(curl, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2 |
		(request->tls12 || request->srp_user != NULL ? (long)CURL_SSLVERSION_MAX_TLSv1_2
							     : 0L));
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	if (request->provisional) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	} else {
		curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &trust);
	}
}

static void set_credentials(CURL *curl, const struct http_request *request)
{
	struct curl_blob certificate = blob(request->certificate), key = blob(request->key);

	if (request->user != NULL) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
	}
	if (request->certificate.data != NULL) {
		curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, "PEM");
		curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &certificate);
		curl_easy_setopt(curl, CURLOPT_SSLKEYTYPE, "PEM");
		curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
	}
}

/*
 * With suites of TLS-SRP alone and nothing later than TLS 1.2 there is no connection to a server
 * that does not know the password's verifier; so a provisional request takes a server without any
 * certificate, too. False where libcurl or OpenSSL knows no SRP.
 */
static bool set_srp(CURL *curl, const struct http_request *request)
{
	const char *suites = request->provisional ? "SRP:!3DES" : "SRP:!3DES:!aSRP";

	if (request->srp_user == NULL)
		return true;
	return curl_easy_setopt(curl, CURLOPT_TLSAUTH_TYPE, "SRP") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TLSAUTH_USERNAME, request->srp_user) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TLSAUTH_PASSWORD, request->srp_password) ==
		   CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, suites) == CURLE_OK;
}

static struct curl_slist *header_list(const struct http_request *request)
{
	/* No "Expect: 100-continue": the bodies are small, and not every server answers it. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (const char *const *header = request->headers; header != NULL && *header != NULL;
	     header++)
		list = curl_slist_append(list, *header);
	return list;
}

static void set_transfer(CURL *curl, const struct http_request *request, struct buf *body)
{
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, request->user_agent);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TOTAL_SECONDS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	if (request->body.data != NULL) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
	}
}

/* A copy of the last header of that name, or NULL. */
static char *header_text(CURL *curl, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return mem_string(header->value);
}

static int64_t header_seconds(CURL *curl, const char *name)
{
	char *text = header_text(curl, name);
	size_t len = text == NULL ? 0 : strlen(text);
	int64_t seconds = -1;

	if (len > 0 && len < 11 && strspn(text, "0123456789") == len)
		seconds = strtoll(text, NULL, 10);
	free(text);
	return seconds;
}

/*
 * The channel binding of a session whose handshake is over. In TLS 1.2 it is the first Finished:
 * the client's, or the server's where the session was resumed (RFC 5929 3.1); without the extended
 * master secret it proves nothing (RFC 9266 1).
 */
static size_t bind_session(SSL *ssl, unsigned char *octets, size_t size)
{
	static const unsigned char context[1];

	if (SSL_version(ssl) == TLS1_3_VERSION)
		return SSL_export_keying_material(ssl, octets, EXPORTER_LEN, EXPORTER,
			   strlen(EXPORTER), context, 0, 1) == 1
			   ? EXPORTER_LEN
			   : 0;
	if (SSL_get_extms_support(ssl) != 1)
		return 0;
	return SSL_session_reused(ssl) ? SSL_get_peer_finished(ssl, octets, size)
				       : SSL_get_finished(ssl, octets, size);
}

/* libcurl's callback before it sends a request, when it knows by which connection. */
static int before_request(void *context, char *address, char *own, int port, int own_port)
{
	struct http_session *session = context;
	struct curl_tlssessioninfo *info = NULL;
	unsigned char octets[EVP_MAX_MD_SIZE];
	size_t len = 0;

	(void)address;
	(void)own;
	(void)port;
	(void)own_port;
	if (curl_easy_getinfo(session->curl, CURLINFO_TLS_SSL_PTR, &info) == CURLE_OK &&
	    info != NULL && info->backend == CURLSSLBACKEND_OPENSSL && info->internals != NULL)
		len = bind_session(info->internals, octets, sizeof(octets));
	session->binding[0] = '\0';
	if (len > 0 && len <= sizeof(octets))
		(void)EVP_EncodeBlock((unsigned char *)session->binding, octets, (int)len);
	return CURL_PREREQFUNC_OK;
}

static enum outcome perform(
    CURL *curl, const struct http_request *request, struct http_response *response)
{
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long connects = 0;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	ERR_clear_error();
	if (code != CURLE_OK)
		return failed(request, code, detail);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response->status);
	curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
	response->fresh = connects != 0;
	response->content_type = header_text(curl, "Content-Type");
	response->www_authenticate = header_text(curl, "WWW-Authenticate");
	response->location = header_text(curl, "Location");
	response->retry_after = header_seconds(curl, "Retry-After");
	return EST_OK;
}

static enum outcome start(struct http_session **session)
{
	static bool started;

	if (*session != NULL)
		return EST_OK;
	if (!started && curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return reason(EST_INTERNAL, "libcurl does not start");
	started = true;
	*session = mem_alloc(sizeof(**session));
	(*session)->curl = curl_easy_init();
	return (*session)->curl != NULL ? EST_OK : reason(EST_INTERNAL, "libcurl does not start");
}

enum outcome http_session_send(struct http_session **session, const struct http_request *request,
    struct http_response *response)
{
	struct curl_slist *headers;
	CURL *curl;
	enum outcome outcome;

	*response = (struct http_response){.retry_after = -1};
	if (request->provisional ? request->srp_user == NULL &&
				       (request->user != NULL || request->certificate.data != NULL)
				 : request->trust.len == 0)
		return reason(EST_INTERNAL, "credentials for a server that nobody verified");
	outcome = start(session);
	if (outcome != EST_OK)
		return outcome;
	curl = (*session)->curl;
	/* Keeps the connections, forgets the request before. */
	curl_easy_reset(curl);
	headers = header_list(request);
	set_transfer(curl, request, &response->body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	set_trust(curl, request);
	set_credentials(curl, request);
	outcome = set_srp(curl, request)
		      ? EST_OK
		      : reason(EST_UNAVAILABLE, "this libcurl does not speak TLS-SRP");
	/* A web server that resumes a session forgets the chain of the client's certificate. */
	curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(curl, CURLOPT_PREREQDATA, *session);
	if (outcome == EST_OK)
		outcome = perform(curl, request, response);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	return outcome;
}

const char *http_session_binding(const struct http_session *session)
{
	return session == NULL || session->binding[0] == '\0' ? NULL : session->binding;
}

void http_session_free(struct http_session *session)
{
	if (session != NULL)
		curl_easy_cleanup(session->curl);
	free(session);
}

enum outcome http_send(const struct http_request *request, struct http_response *response)
{
	struct http_session *session = NULL;
	enum outcome outcome = http_session_send(&session, request, response);

	http_session_free(session);
	return outcome;
}

void http_response_free(struct http_response *response)
{
	free(response->content_type);
	free(response->www_authenticate);
	free(response->location);
	buf_free(&response->body);
	*response = (struct http_response){0};
}
