#include "cgi/serve.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "cgi/instance.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/process.h"

#define COLUMNS    64         /* of base64 (E-05) */
#define DRAIN_MOST (16 << 20) /* octets of an oversized body that are read and thrown away */
#define HEAD_WAIT  5          /* seconds for the parameters, which web servers send in one go */
#define PEER_WAIT  30         /* seconds that the web server may stall within a request */

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
};

/* Where a request comes from and its answer goes to: FastCGI streams, or the descriptors of plain
 * CGI. */
struct channel {
	long (*read)(struct channel *channel, unsigned char *into, size_t most); /* -1: failed */
	void (*write)(struct channel *channel, struct span bytes);
	FCGX_Request *fastcgi;
};

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static long read_fastcgi(struct channel *channel, unsigned char *into, size_t most)
{
	int got = FCGX_GetStr((char *)into, (int)most, channel->fastcgi->in);

	/* A stream that breaks off looks like one that ends, but for its error. */
	return got <= 0 && FCGX_GetError(channel->fastcgi->in) != 0 ? -1 : got;
}

static void write_fastcgi(struct channel *channel, struct span bytes)
{
	(void)FCGX_PutStr((const char *)bytes.data, (int)bytes.len, channel->fastcgi->out);
}

static long read_cgi(struct channel *channel, unsigned char *into, size_t most)
{
	ssize_t got;

	(void)channel;
	do
		got = read(STDIN_FILENO, into, most);
	while (got < 0 && errno == EINTR && !stopping);
	return got;
}

static void write_cgi(struct channel *channel, struct span bytes)
{
	(void)channel;
	while (bytes.len > 0) {
		ssize_t put = write(STDOUT_FILENO, bytes.data, bytes.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return;
		bytes.data += put;
		bytes.len -= (size_t)put;
	}
}

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
	       (got = channel->read(channel, piece, sizeof(piece))) > 0) {
		total += (size_t)got;
		if (total <= limit)
			buf_add(&request->body, piece, (size_t)got);
	}
	request->body_too_large = total > limit || (promised != SIZE_MAX && promised > limit);
	request->body_cut_short = got < 0 || !sane || (promised != SIZE_MAX && total != promised);
}

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

/* Turns the reply of a refused request into its plain text. */
static void refuse(const struct request *request, enum outcome outcome, struct reply *reply)
{
	if (reply->status == 0)
		reply->status = statuses[outcome].status;
	reply->base64 = false;
	reply->type = "text/plain; charset=utf-8";
	buf_reset(&reply->body);
	if (reply->silent)
		return;
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
static void encode_body(const struct request *request, struct reply *reply)
{
	struct buf text = {0};
	size_t columns = request->user_agent == NULL ? 0 : COLUMNS;

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
		buf_add_string(out, "Content-Transfer-Encoding: base64\r\n");
	if (reply->header.len > 0) {
		buf_add_span(out, buf_span(&reply->header));
		buf_add_string(out, "\r\n");
	}
	if (reply->retry_after > 0)
		buf_printf(out, "Retry-After: %u\r\n", reply->retry_after);
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
	channel->write(channel, buf_span(&out));
	buf_free(&out);
}

/* one line a request, whatever became of it. Secrets are not among the members. */
static void log_request(const struct program *program, const struct request *request,
    const struct reply *reply, enum outcome outcome)
{
	char now[CLOCK_TEXT];
	struct buf line = {0};

	json_begin(&line);
	json_add_string(&line, "time", clock_text(clock_now(), now));
	json_add_string(&line, "program", program->name);
	json_add_string(&line, "id", request->id);
	json_add_string(&line, "remote", request->remote_addr);
	json_add_string(&line, "method", request->method);
	json_add(&line, "path",
	    (struct span){request->path.data, request->path.len < 512 ? request->path.len : 512});
	json_add_number(&line, "status", reply->status);
	json_add_string(&line, "outcome", outcome_name(outcome));
	if (outcome != EST_OK)
		json_add_string(&line, "reason", reason_text());
	json_add_string(&line, "tls", request->tls_protocol);
	json_add_string(&line, "cipher", request->tls_cipher);
	json_add_string(&line, "client_verify", request->client_verify);
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

static enum outcome handle(
    struct server *server, struct channel *channel, struct request *request, struct reply *reply)
{
	enum outcome outcome = instance_open(&server->instance);
	struct service *service = server->instance.service;

	read_body(channel, request, service == NULL ? 0 : (size_t)service->config->body_limit);
	return outcome == EST_OK ? server->program->handle(service, request, reply) : outcome;
}

static void answer(struct server *server, struct channel *channel, struct request *request)
{
	struct reply reply = {0};
	enum outcome outcome;

	reason_clear();
	outcome = handle(server, channel, request, &reply);
	if (reply.retry_after == 0)
		reply.retry_after = statuses[outcome].retry_after;
	if (outcome != EST_OK)
		refuse(request, outcome, &reply);
	else if (reply.status == 0)
		reply.status = statuses[outcome].status;
	if (reply.base64)
		encode_body(request, &reply);
	/* The line is written before the answer leaves: no certificate without a record of who got
	 * it. */
	log_request(server->program, request, &reply, outcome);
	send_reply(channel, request, &reply);
	buf_free(&reply.body);
	buf_free(&reply.header);
}

static const char *environment_variable(void *source, const char *name)
{
	(void)source;
	return getenv(name);
}

static const char *fastcgi_variable(void *source, const char *name)
{
	return FCGX_GetParam(name, *(FCGX_ParamArray *)source);
}

static int serve_cgi(struct server *server)
{
	struct channel channel = {read_cgi, write_cgi, NULL};
	struct request request;

	request_read(&request, environment_variable, NULL);
	answer(server, &channel, &request);
	request_clear(&request);
	return 0;
}

/*
 * Stop signals are let in only while waiting for a request: inside libfcgi they would cut a stream
 * short. The listening socket does not block, so that losing the race for a connection to another
 * worker brings us back here.
 */
static bool wait_for_connection(const sigset_t *waiting)
{
	struct pollfd listener = {.fd = STDIN_FILENO, .events = POLLIN};

	while (!stopping) {
		int ready = ppoll(&listener, 1, NULL, waiting);
		if (ready > 0 && (listener.revents & POLLIN) != 0)
			return true;
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return false;
	}
	return false;
}

static void catch_signals(sigset_t *waiting)
{
	static const int stops[] = {SIGTERM, SIGUSR1, SIGINT};
	struct sigaction action = {.sa_handler = stop};
	sigset_t blocked;

	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		(void)sigaddset(&blocked, stops[i]);
		(void)sigaction(stops[i], &action, NULL);
	}
	(void)sigprocmask(SIG_BLOCK, &blocked, waiting);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		(void)sigdelset(waiting, stops[i]);
}

static void limit_waiting(int connection, time_t seconds)
{
	const struct timeval most = {.tv_sec = seconds};

	(void)setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	(void)setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

/*
 * Accepts in libfcgi's place, which would wait without limit for parameters that do not come. Handing over the connection
 * as one that is kept makes FCGX_Accept_r() read from it. False where another worker was faster, or the descriptors are
 * used up, which is waited out.
 */
static bool accept_connection(FCGX_Request *fastcgi)
{
	static const struct timespec pause = {.tv_nsec = 200000000};
	int connection = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_event(LOG_LEVEL_ERROR, "accept", "cannot accept: %s", strerror(errno));
			(void)nanosleep(&pause, NULL);
		}
		return false;
	}
	limit_waiting(connection, HEAD_WAIT);
	fastcgi->ipcFd = connection;
	fastcgi->keepConnection = 1;
	return true;
}

static int serve_fastcgi(struct server *server)
{
	FCGX_Request fastcgi;
	struct channel channel = {read_fastcgi, write_fastcgi, &fastcgi};
	sigset_t waiting;
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (FCGX_Init() != 0 || FCGX_InitRequest(&fastcgi, STDIN_FILENO, 0) != 0 || flags < 0 ||
	    fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) != 0) {
		log_event(LOG_LEVEL_ALARM, "start", "descriptor 0 is not a listening socket: %s",
		    strerror(errno));
		return 1;
	}
	catch_signals(&waiting);
	while (wait_for_connection(&waiting)) {
		struct request request;
		if (!accept_connection(&fastcgi) || FCGX_Accept_r(&fastcgi) != 0)
			continue;
		limit_waiting(fastcgi.ipcFd, PEER_WAIT);
		request_read(&request, fastcgi_variable, &fastcgi.envp);
		answer(server, &channel, &request);
		request_clear(&request);
		/* One request a connection: a kept one would pin this worker to one client of the web server. */
		fastcgi.keepConnection = 0;
		FCGX_Finish_r(&fastcgi);
	}
	FCGX_Free(&fastcgi, 1);
	return 0;
}

int serve(const struct program *program)
{
	struct server server = {program, {.program = program->name, .what = program->opens}};
	int status;

	process_begin();
	(void)log_open("syslog", program->name);
	(void)instance_open(&server.instance);
	status = FCGX_IsCGI() ? serve_cgi(&server) : serve_fastcgi(&server);
	instance_close(&server.instance);
	return status;
}
