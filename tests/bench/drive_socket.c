#include "tests/bench/drive.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "tests/bench/base64.h"
#include "tests/bench/fastcgi.h"

#define TIMEOUT_MS 20000

/* As lighttpd 1.4.69 sends them (shared/webservers.md). */
static const char *const fixed_params[][2] = {
    {"SERVER_SOFTWARE", "lighttpd/1.4.69"},
    {"SERVER_NAME", "127.0.0.1"},
    {"GATEWAY_INTERFACE", "CGI/1.1"},
    {"SERVER_PROTOCOL", "HTTP/1.1"},
    {"SERVER_PORT", "8443"},
    {"SERVER_ADDR", "127.0.0.1"},
    {"REMOTE_ADDR", "127.0.0.1"},
    {"REMOTE_PORT", "40000"},
    {"REQUEST_SCHEME", "https"},
    {"HTTPS", "on"},
    {"SSL_PROTOCOL", "TLSv1.3"},
    {"SSL_CIPHER", "TLS_AES_256_GCM_SHA384"},
    {"SSL_CIPHER_USEKEYSIZE", "256"},
    {"SSL_CIPHER_ALGKEYSIZE", "256"},
    {"SSL_CLIENT_VERIFY", "NONE"},
    {"REQUEST_METHOD", "POST"},
    {"SCRIPT_NAME", "/.well-known/est"},
    {"SCRIPT_FILENAME", "/usr/share/est/www/.well-known/est"},
    {"DOCUMENT_ROOT", "/usr/share/est/www"},
    {"QUERY_STRING", ""},
    {"REDIRECT_STATUS", "200"},
    {"CONTENT_TYPE", "application/pkcs10"},
    {"HTTP_CONTENT_TYPE", "application/pkcs10"},
    {"HTTP_CONTENT_TRANSFER_ENCODING", "base64"},
    {"HTTP_HOST", "127.0.0.1:8443"},
    {"HTTP_USER_AGENT", "est-bench/1"},
    {"HTTP_ACCEPT", "*/*"},
};

static void params_add(
    struct fastcgi_request *request, const struct drive *drive, const struct bench_csr *csr)
{
	const char *slash = drive->label[0] == '\0' ? "" : "/";
	struct span credentials = span_of(drive->credentials);
	struct buf text = {0};
	char *basic = mem_alloc(BASE64_SIZE(credentials.len));

	for (size_t i = 0; i < sizeof(fixed_params) / sizeof(fixed_params[0]); i++)
		fastcgi_param_text(request, fixed_params[i][0], fixed_params[i][1]);
	buf_printf(&text, "%s%s/simpleenroll", slash, drive->label);
	fastcgi_param_text(request, "PATH_INFO", buf_string(&text));
	buf_reset(&text);
	buf_printf(&text, "/.well-known/est%s%s/simpleenroll", slash, drive->label);
	fastcgi_param_text(request, "REQUEST_URI", buf_string(&text));
	buf_reset(&text);
	buf_printf(&text, "%zu", csr->len);
	fastcgi_param_text(request, "CONTENT_LENGTH", buf_string(&text));
	fastcgi_param_text(request, "HTTP_CONTENT_LENGTH", buf_string(&text));
	buf_reset(&text);
	/* One line: base64_write() ends every 64 columns, and a header has none. */
	buf_add_string(&text, "Basic ");
	(void)base64_write(basic, credentials);
	for (const char *at = basic; *at != '\0'; at++)
		if (*at != '\n')
			buf_add_byte(&text, (unsigned char)*at);
	fastcgi_param_text(request, "HTTP_AUTHORIZATION", buf_string(&text));
	free(basic);
	buf_cleanse(&text);
}

enum outcome drive_socket(struct drive *drive, const char *socket)
{
	struct fastcgi_request request = {0};
	struct fastcgi_answer answer = {0};
	enum outcome outcome = EST_OK;
	uint64_t start = clock_microseconds(), at = start;

	for (drive->done = 0; drive->done < drive->count; drive->done++) {
		const struct bench_csr *csr = &drive->csrs[drive->done];
		uint64_t before;

		fastcgi_request_reset(&request);
		params_add(&request, drive, csr);
		buf_add(&request.body, csr->base64, csr->len);
		before = clock_microseconds();
		outcome = fastcgi_exchange(socket, &request, TIMEOUT_MS, &answer);
		at = clock_microseconds();
		if (outcome == EST_OK)
			outcome = answer_check(
			    fastcgi_status(&answer), fastcgi_body(&answer), csr->point);
		if (outcome != EST_OK)
			break;
		drive->latencies[drive->done] = (double)(at - before) / 1e3;
		if ((double)(at - start) / 1e6 > drive->seconds) {
			drive->done++;
			break;
		}
	}
	drive->wall = (double)(at - start) / 1e6;
	fastcgi_request_free(&request);
	fastcgi_answer_free(&answer);
	return outcome;
}
