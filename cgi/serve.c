#include "cgi/serve.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/channel.h"
#include "cgi/fact.h"
#include "cgi/instance.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/process.h"
#include "common/base/refusal.h"

#define COLUMNS    64         /* of base64 (E-05) */
#define DRAIN_MOST (16 << 20) /* octets of an oversized body that are read and thrown away */

/* What an outcome is in HTTP: est-requirements.md, section 0. The only such table. */
static const struct {
	int status;
	unsigned retry_after;
	enum log_level level;
} statuses[EST_OUTCOMES] = {
    [EST_OK] = {200, 0, LOG_LEVEL_INFO},
    [EST_MALFORMED] = {400, 0, LOG_LEVEL_INFO},
    [EST_UNAUTHENTICATED] = {401, 0, LOG_LEVEL_INFO},
    [EST_FORBIDDEN] = {403, 0, LOG_LEVEL_INFO},
    [EST_NOT_FOUND] = {404, 0, LOG_LEVEL_INFO},
    [EST_CONFLICT] = {409, 0, LOG_LEVEL_INFO},
    [EST_THROTTLED] = {429, 60, LOG_LEVEL_WARNING},
    [EST_PENDING] = {202, 300, LOG_LEVEL_INFO},
    [EST_UNAVAILABLE] = {503, 10, LOG_LEVEL_ERROR},
    [EST_INTERNAL] = {500, 0, LOG_LEVEL_ALARM},
};

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

/*
 * The promised length; SIZE_MAX where none is promised. False where what stands there is no length.
 */
static bool promised_length(const struct request *request, size_t *length)
{
	const char *text = request->content_length;
	char *end;

	*length = SIZE_MAX;
	if (text == NULL)
		return true;
	errno = 0;
	*length = (size_t)strtoull(text, &end, 10);
	return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && *length < SIZE_MAX;
}

/*
 * Reads the body to its end, so that the web server is free to send the answer, but keeps no more
 * than the limit. Without CONTENT_LENGTH (a chunked request through some servers) the end is the
 * end of the stream.
 */
static void read_body(struct channel *channel, struct request *request, size_t limit)
{
	size_t promised, total = 0;
	bool sane = promised_length(request, &promised);
	unsigned char piece[16384];
	long got = 0;

	while (total < DRAIN_MOST && total < promised &&
	       (got = channel_read(channel, piece, sizeof(piece))) > 0) {
		total += (size_t)got;
		if (total <= limit)
			buf_add(&request->body, piece, (size_t)got);
	}
	request->body_too_large = total > limit || (promised != SIZE_MAX && promised > limit);
	request->body_cut_short = got < 0 || !sane || (promised != SIZE_MAX && total != promised);
}

/*
 * libest's client gives up at any other status than 200, 202, 204, 400, 401, 404, 423, 500, 502 and
 * 504 with an error that says nothing; these it hands on to its operator.
 */
static int narrowed(int status)
{
	static const struct {
		int status, known;
	} rows[] = {
	    {403, 400}, {405, 400}, {409, 400}, {413, 400}, {415, 400}, {429, 504}, {503, 504}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].known;
	return status;
}

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

/*
 * Turns the reply of a refused request into its plain text: the code, and the reason where it is
 * the device's to mend.
 */
static void make_refusal(
    const struct request *request, enum outcome outcome, const char *code, struct reply *reply)
{
	if (reply->status == 0)
		reply->status = statuses[outcome].status;
	if (reply->explains)
		return;
	reply->base64 = false;
	reply->type = "text/plain; charset=utf-8";
	buf_reset(&reply->body);
	if (reply->silent)
		return;
	buf_printf(&reply->body, "%s: ", code);
	if (outcome == EST_UNAVAILABLE)
		buf_printf(&reply->body,
		    "the server cannot answer this just now, and its log says why under id %s; try "
		    "again\n",
		    request->id);
	else if (outcome == EST_INTERNAL)
		buf_printf(&reply->body, "an internal error; the server's log has it under id %s\n",
		    request->id);
	else
		buf_printf(&reply->body, "%s\n", reason_text());
}

/*
 * E-05: 64 columns and a final LF, which most clients read; but one line for those that send no
 * User-Agent, because strongSwan before 5.9.11 sends none and reads nothing else.
 */
size_t reply_columns(const struct request *request, const struct reply *reply)
{
	if (reply->wrap != NULL && strcmp(reply->wrap, "auto") != 0)
		return strcmp(reply->wrap, "none") == 0 ? 0 : COLUMNS;
	return request->user_agent == NULL ? 0 : COLUMNS;
}

static void encode_body(const struct request *request, struct reply *reply)
{
	struct buf text = {0};
	size_t columns = reply_columns(request, reply);

	base64_encode(&text, buf_span(&reply->body), columns);
	if (columns == 0)
		buf_add_byte(&text, '\n');
	buf_free(&reply->body);
	reply->body = text;
}

/*
 * Every field of ours is in its canonical case; some clients compare names octet by octet (H-05).
 */
static void add_header(const struct reply *reply, struct buf *out)
{
	buf_printf(out, "Status: %d %s\r\n", reply->status, phrase_of(reply->status));
	if (reply->body.len > 0)
		buf_printf(out, "Content-Type: %s\r\n", reply->type);
	if (reply->status != 204)
		buf_printf(out, "Content-Length: %zu\r\n", reply->body.len);
	if (reply->base64)
		buf_printf(
		    out, "Content-Transfer-Encoding: %s\r\n", reply->raw ? "binary" : "base64");
	if (reply->header.len > 0) {
		buf_add_span(out, buf_span(&reply->header));
		buf_add_string(out, "\r\n");
	}
	if (reply->retry_after > 0)
		buf_printf(out, "Retry-After: %u\r\n", reply->retry_after);
	if (reply->close)
		buf_add_string(out, "Connection: close\r\n");
	if (reply->no_store)
		buf_add_string(out, "Cache-Control: no-store\r\n");
	buf_add_string(out, "X-Content-Type-Options: nosniff\r\n\r\n");
}

static void send_reply(struct channel *channel, const struct request *request, struct reply *reply)
{
	struct buf out = {0};

	add_header(reply, &out);
	if (request->method == NULL || strcmp(request->method, "HEAD") != 0)
		buf_add_span(&out, buf_span(&reply->body));
	channel_write(channel, buf_span(&out));
	if (reply->secret) {
		buf_cleanse(&out);
		buf_cleanse(&reply->body);
	}
	buf_free(&out);
}

/*
 * one line a request, whatever became of it. Secrets are not among the members. With what a
 * handler adds the bounds make less than 8 KiB.
 */
static void log_request(const struct program *program, const struct request *request,
    const struct reply *reply, enum outcome outcome)
{
	char now[CLOCK_TEXT];
	struct buf line = {0};

	json_begin(&line);
	json_add_string(&line, "time", clock_text(clock_now(), now));
	json_add_string(&line, "program", program->name);
	json_add_string(&line, "id", request->id);
	fact_add_string(&line, "remote", request->remote_addr, 80);
	fact_add_string(&line, "method", request->method, 40);
	fact_add(&line, "path", buf_span(&request->path), 700);
	json_add_number(&line, "status", reply->status);
	json_add_string(&line, "outcome", outcome_name(outcome));
	json_add_string(&line, "code", refusal_row(refusal_recorded(outcome))->code);
	if (outcome != EST_OK)
		fact_add_string(&line, "reason", reason_text(), 1500);
	fact_add_string(&line, "tls", request->tls_protocol, 40);
	fact_add_string(&line, "cipher", request->tls_cipher, 80);
	fact_add_string(&line, "client_verify", request->client_verify, 200);
	if (request->facts.len > 0) {
		buf_add_byte(&line, ',');
		buf_add_span(&line, buf_span(&request->facts));
	}
	json_add_number(&line, "microseconds", (int64_t)(clock_microseconds() - request->started));
	json_end(&line);
	log_line(statuses[outcome].level, buf_span(&line));
	buf_free(&line);
}

/* A program with its service, ready to serve. */
struct server {
	const struct program *program;
	struct instance instance;
};

/* Where the web server puts channel bindings, once est.conf is read. */
static void name_bindings(const struct service *service)
{
	if (service != NULL)
		request_bindings(service->config->tls_unique, service->config->tls_exporter);
}

static enum outcome handle(
    struct server *server, struct channel *channel, struct request *request, struct reply *reply)
{
	enum outcome outcome = instance_open(&server->instance);
	struct service *service = server->instance.service;

	read_body(channel, request, service == NULL ? 0 : (size_t)service->config->body_limit);
	if (outcome != EST_OK)
		return outcome;
	name_bindings(service);
	if (channel_fault(channel) != NULL)
		return refuse(HTTP_PARAMETER, "%s", channel_fault(channel));
	return server->program->handle(service, request, reply);
}

/*
 * What the operator hears of a request. The line is written before the answer leaves: no
 * certificate without a record of who got it.
 */
static void record(const struct server *server, const struct request *request,
    const struct reply *reply, enum outcome outcome)
{
	log_request(server->program, request, reply, outcome);
	if (server->program->counts)
		metrics_count(server->instance.metrics,
		    reply->operation == NULL ? "none" : reply->operation,
		    refusal_row(refusal_recorded(outcome))->code);
}

static void answer(struct server *server, struct channel *channel)
{
	struct request request;
	struct reply reply = {0};
	enum outcome outcome;

	request_read(&request, channel_variable, channel);
	reason_clear();
	outcome = handle(server, channel, &request, &reply);
	if (reply.retry_after == 0)
		reply.retry_after = statuses[outcome].retry_after;
	if (outcome != EST_OK)
		make_refusal(
		    &request, outcome, refusal_row(refusal_recorded(outcome))->code, &reply);
	else if (reply.status == 0)
		reply.status = statuses[outcome].status;
	if (reply.narrow)
		reply.status = narrowed(reply.status);
	if (reply.base64 && !reply.raw)
		encode_body(&request, &reply);
	record(server, &request, &reply, outcome);
	send_reply(channel, &request, &reply);
	buf_free(&reply.body);
	buf_free(&reply.header);
	buf_free(&reply.own_type);
	request_clear(&request);
}

int serve(const struct program *program)
{
	struct server server = {program, {.program = program->name, .what = program->opens}};
	struct channel *channel;

	process_begin();
	(void)log_open("syslog", program->name);
	/* Before the instance, which may shut this process in. */
	channel = channel_open();
	if (channel == NULL)
		return 1;
	(void)instance_open(&server.instance);
	name_bindings(server.instance.service);
	while (!instance_is_worn(&server.instance) && channel_next(channel)) {
		answer(&server, channel);
		channel_finish(channel);
	}
	if (instance_is_worn(&server.instance))
		log_event(LOG_LEVEL_ERROR, "start",
		    "the process that starts hooks has ended; this worker ends for another one");
	instance_close(&server.instance);
	channel_close(channel);
	return 0;
}
