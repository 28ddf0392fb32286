#include "tests/bench/fastcgi.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"

#define VERSION      1
#define REQUEST_ID   1
#define ROLE         1 /* responder */
#define HEADER_LEN   8
#define CONTENT_MAX  65528 /* the longest content that needs no padding to a multiple of 8 */
#define READ_AT_ONCE 16384
#define END_BODY_LEN 8
#define LONG_LENGTH  0x80000000u
#define SHORT_MAX    127

enum record_type {
	BEGIN_REQUEST = 1,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	STDERR = 7
};

/* One exchange under way. */
struct exchange {
	int fd;
	uint64_t deadline; /* of clock_milliseconds() */
	struct span unsent;
	struct buf received; /* not yet taken apart */
	struct fastcgi_answer *answer;
	bool ended; /* FCGI_END_REQUEST came */
};

static void length_add(struct buf *out, size_t len)
{
	uint32_t value = (uint32_t)len | LONG_LENGTH;

	if (len <= SHORT_MAX) {
		buf_add_byte(out, (unsigned char)len);
		return;
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_byte(out, (unsigned char)(value >> shift));
}

void fastcgi_param(struct fastcgi_request *request, struct span name, struct span value)
{
	length_add(&request->params, name.len);
	length_add(&request->params, value.len);
	buf_add_span(&request->params, name);
	buf_add_span(&request->params, value);
}

void fastcgi_param_text(struct fastcgi_request *request, const char *name, const char *value)
{
	fastcgi_param(request, span_of(name), span_of(value));
}

void fastcgi_request_reset(struct fastcgi_request *request)
{
	buf_reset(&request->params);
	buf_reset(&request->body);
}

void fastcgi_request_free(struct fastcgi_request *request)
{
	buf_free(&request->params);
	buf_free(&request->body);
}

void fastcgi_answer_free(struct fastcgi_answer *answer)
{
	buf_free(&answer->output);
	buf_free(&answer->errors);
}

static void record_add(struct buf *out, enum record_type type, struct span content)
{
	unsigned char header[HEADER_LEN] = {VERSION, (unsigned char)type, 0, REQUEST_ID,
	    (unsigned char)(content.len >> 8), (unsigned char)content.len, 0, 0};

	buf_add(out, header, sizeof(header));
	buf_add_span(out, content);
}

/* A stream: as many records as it takes, and an empty one that ends it. */
static void stream_add(struct buf *out, enum record_type type, struct span content)
{
	while (content.len > 0) {
		size_t len = content.len < CONTENT_MAX ? content.len : CONTENT_MAX;

		record_add(out, type, (struct span){content.data, len});
		content.data += len;
		content.len -= len;
	}
	record_add(out, type, (struct span){NULL, 0});
}

static void request_encode(struct buf *out, const struct fastcgi_request *request)
{
	static const unsigned char begin[8] = {0, ROLE}; /* no flags: the worker closes */

	record_add(out, BEGIN_REQUEST, (struct span){begin, sizeof(begin)});
	stream_add(out, PARAMS, buf_span(&request->params));
	stream_add(out, STDIN, buf_span(&request->body));
}

static enum outcome socket_open(const char *path, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return reason(EST_MALFORMED, "the socket's path %s is too long", path);
	memcpy(address.sun_path, path, strlen(path));
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return reason(EST_UNAVAILABLE, "no socket: %s", strerror(errno));
	if (connect(*fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return reason(EST_UNAVAILABLE, "nobody accepts at %s: %s", path, strerror(errno));
	return EST_OK;
}

/* A worker may close its reading side early (a body that it refuses): its answer is read all the
 * same. */
static enum outcome send_some(struct exchange *x)
{
	ssize_t sent = send(x->fd, x->unsent.data, x->unsent.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return EST_OK;
	if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
		x->unsent.len = 0;
		return EST_OK;
	}
	if (sent < 0)
		return reason(EST_UNAVAILABLE, "sending the request: %s", strerror(errno));
	x->unsent.data += sent;
	x->unsent.len -= (size_t)sent;
	return EST_OK;
}

static enum outcome record_take(
    struct exchange *x, const unsigned char *header, struct span content)
{
	if (header[0] != VERSION || header[2] != 0 || header[3] != REQUEST_ID)
		return reason(EST_MALFORMED, "a record of version %u for request %u came",
		    header[0], (unsigned int)header[2] << 8 | header[3]);
	switch (header[1]) {
	case STDOUT: buf_add_span(&x->answer->output, content); return EST_OK;
	case STDERR: buf_add_span(&x->answer->errors, content); return EST_OK;
	case END_REQUEST: break;
	default: return reason(EST_MALFORMED, "a record of type %u came", header[1]);
	}
	if (content.len != END_BODY_LEN)
		return reason(EST_MALFORMED, "FCGI_END_REQUEST of %zu bytes came", content.len);
	x->answer->app_status = (uint32_t)content.data[0] << 24 | (uint32_t)content.data[1] << 16 |
				(uint32_t)content.data[2] << 8 | content.data[3];
	x->answer->protocol_status = content.data[4];
	x->ended = true;
	return EST_OK;
}

/* Takes every whole record off what was received; half a record waits for its other half. */
static enum outcome records_take(struct exchange *x)
{
	struct span rest = buf_span(&x->received);
	enum outcome outcome = EST_OK;

	while (outcome == EST_OK && !x->ended && rest.len >= HEADER_LEN) {
		const unsigned char *header = rest.data;
		size_t content = (size_t)header[4] << 8 | header[5];
		size_t whole = HEADER_LEN + content + header[6];

		if (rest.len < whole)
			break;
		outcome = record_take(x, header, (struct span){header + HEADER_LEN, content});
		rest.data += whole;
		rest.len -= whole;
	}
	if (rest.len > 0)
		memmove(x->received.data, rest.data, rest.len);
	x->received.len = rest.len;
	return outcome;
}

static enum outcome receive_some(struct exchange *x)
{
	ssize_t got;

	buf_reserve(&x->received, READ_AT_ONCE);
	got = recv(x->fd, x->received.data + x->received.len, READ_AT_ONCE, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return EST_OK;
	if (got < 0)
		return reason(EST_UNAVAILABLE, "reading the answer: %s", strerror(errno));
	if (got == 0)
		return reason(EST_MALFORMED,
		    "the connection ended before FCGI_END_REQUEST, after %zu "
		    "bytes of output",
		    x->answer->output.len);
	x->received.len += (size_t)got;
	return records_take(x);
}

/* Waits until the socket can be read, or written where something is unsent. */
static enum outcome exchange_step(struct exchange *x)
{
	struct pollfd poll_fd = {x->fd, (short)(x->unsent.len > 0 ? POLLIN | POLLOUT : POLLIN), 0};
	uint64_t at = clock_milliseconds();
	enum outcome outcome = EST_OK;

	if (at >= x->deadline)
		return reason(EST_UNAVAILABLE, "no whole answer within the time allowed");
	if (poll(&poll_fd, 1, (int)(x->deadline - at)) < 0)
		return errno == EINTR ? EST_OK : reason(EST_INTERNAL, "poll: %s", strerror(errno));
	if ((poll_fd.revents & POLLOUT) != 0 && x->unsent.len > 0)
		outcome = send_some(x);
	if (outcome == EST_OK && (poll_fd.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		outcome = receive_some(x);
	return outcome;
}

enum outcome fastcgi_exchange(const char *path, const struct fastcgi_request *request, int timeout,
    struct fastcgi_answer *answer)
{
	struct buf encoded = {0};
	struct exchange x = {.fd = -1, .answer = answer};
	enum outcome outcome;

	buf_reset(&answer->output);
	buf_reset(&answer->errors);
	answer->app_status = 0;
	answer->protocol_status = 0;
	x.deadline = clock_milliseconds() + (uint64_t)timeout;
	outcome = socket_open(path, &x.fd);
	if (outcome != EST_OK)
		goto out;
	request_encode(&encoded, request);
	x.unsent = buf_span(&encoded);
	while (outcome == EST_OK && !x.ended)
		outcome = exchange_step(&x);
out:
	if (x.fd >= 0)
		(void)close(x.fd);
	buf_free(&encoded);
	buf_free(&x.received);
	return outcome;
}

/* Takes the next header line off in, without its line end; false behind the last one. */
static bool line_take(struct span *in, struct span *line)
{
	const unsigned char *end = in->len == 0 ? NULL : memchr(in->data, '\n', in->len);

	if (end == NULL)
		return false;
	*line = (struct span){in->data, (size_t)(end - in->data)};
	in->data += line->len + 1;
	in->len -= line->len + 1;
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	return line->len > 0;
}

bool fastcgi_header(const struct fastcgi_answer *answer, const char *name, struct span *value)
{
	struct span rest = buf_span(&answer->output), line;
	size_t len = strlen(name);

	while (line_take(&rest, &line)) {
		if (line.len <= len || line.data[len] != ':' ||
		    strncasecmp((const char *)line.data, name, len) != 0)
			continue;
		*value = (struct span){line.data + len + 1, line.len - len - 1};
		for (; value->len > 0 && value->data[0] == ' '; value->data++)
			value->len--;
		while (value->len > 0 && value->data[value->len - 1] == ' ')
			value->len--;
		return true;
	}
	return false;
}

int fastcgi_status(const struct fastcgi_answer *answer)
{
	struct span value;
	int status = 0;

	if (answer->output.len == 0)
		return 0;
	if (!fastcgi_header(answer, "Status", &value))
		return 200;
	for (size_t i = 0; i < value.len && i < 3 && value.data[i] >= '0' && value.data[i] <= '9';
	     i++)
		status = status * 10 + value.data[i] - '0';
	return status;
}

struct span fastcgi_body(const struct fastcgi_answer *answer)
{
	struct span rest = buf_span(&answer->output), line;

	while (line_take(&rest, &line))
		;
	return rest;
}
