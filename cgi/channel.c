#include "cgi/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "cgi/screen.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define HEAD_WAIT 5  /* seconds for the parameters, which web servers send in one go */
#define PEER_WAIT 30 /* seconds that the web server may stall within a request */
#define BODY_WAIT 60 /* seconds for the whole of a body */
#define LINGER    2  /* seconds for the web server to take the answer and close */
#define SECOND    UINT64_C(1000000)

struct channel {
	bool fastcgi, served;
	const char *fault;
	FCGX_Request request;
	struct buf head;   /* of the request, as it came */
	int pipe[2];       /* through which libfcgi reads the head */
	sigset_t waiting;  /* signals that stay blocked while waiting for a connection */
	uint64_t deadline; /* clock_microseconds() at which the body has to be there */
};

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

/* --- waiting and accepting --- */

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

/*
 * Stop signals are let in only while waiting for a request: inside libfcgi they would cut a stream
 * short. The listening socket does not block, so that losing the race for a connection to another
 * worker brings us back here.
 */
static bool wait_for_connection(const struct channel *channel)
{
	struct pollfd listener = {.fd = STDIN_FILENO, .events = POLLIN};

	while (!stopping) {
		int ready = ppoll(&listener, 1, NULL, &channel->waiting);
		if (ready > 0 && (listener.revents & POLLIN) != 0)
			return true;
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return false;
	}
	return false;
}

/* -1 where another worker was faster, or the descriptors are used up, which is waited out. */
static int accept_connection(void)
{
	static const struct timespec pause = {.tv_nsec = 200000000};
	int connection = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0 &&
	    (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
		log_event(LOG_LEVEL_ERROR, "accept", "cannot accept: %s", strerror(errno));
		(void)nanosleep(&pause, NULL);
	}
	return connection;
}

static void limit_waiting(int connection, time_t seconds)
{
	const struct timeval most = {.tv_sec = seconds};

	(void)setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	(void)setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

/* --- the head of a request --- */

/* Up to so many octets as soon as there are any; 0: the end, -1: none before the deadline. */
static ssize_t receive(int connection, unsigned char *into, size_t most, uint64_t deadline)
{
	struct pollfd peer = {.fd = connection, .events = POLLIN};

	for (;;) {
		ssize_t got = recv(connection, into, most, MSG_DONTWAIT);
		uint64_t now;
		if (got >= 0 || (errno != EAGAIN && errno != EINTR))
			return got;
		now = clock_microseconds();
		if (now >= deadline)
			return -1;
		(void)poll(&peer, 1, (int)((deadline - now) / 1000 + 1));
	}
}

static const char *fault_of_end(const struct buf *head, ssize_t got)
{
	if (got < 0)
		return "the parameters did not come in time";
	/* A peer that says nothing wanted to know whether anybody listens. */
	return head->len == 0 ? NULL : "the connection ended within the parameters";
}

/* Reads the head to its last octet and not beyond: what follows is for libfcgi to read. */
static enum screen_verdict receive_head(int connection, struct buf *head, const char **fault)
{
	uint64_t deadline = clock_microseconds() + HEAD_WAIT * SECOND;
	enum screen_verdict verdict;
	size_t more;

	while ((verdict = screen_head(buf_span(head), &more, fault)) == SCREEN_MORE) {
		ssize_t got;
		if (head->len + more > SCREEN_MOST) {
			*fault = "the parameters are longer than any honest ones";
			return SCREEN_BROKEN;
		}
		buf_reserve(head, more);
		got = receive(connection, head->data + head->len, more, deadline);
		if (got <= 0) {
			*fault = fault_of_end(head, got);
			return SCREEN_BROKEN;
		}
		head->len += (size_t)got;
	}
	return verdict;
}

static void close_pipe(struct channel *channel)
{
	for (size_t i = 0; i < 2; i++) {
		if (channel->pipe[i] >= 0)
			(void)close(channel->pipe[i]);
		channel->pipe[i] = -1;
	}
}

static bool open_pipe(struct channel *channel)
{
	return pipe2(channel->pipe, O_CLOEXEC | O_NONBLOCK) == 0 &&
	       fcntl(channel->pipe[1], F_SETPIPE_SZ, SCREEN_MOST) >= 0;
}

/*
 * Lets libfcgi read the head that was judged, through the pipe, and everything behind it from the
 * connection: FCGX_Accept_r() reads from a descriptor that it believes to have kept.
 */
static bool hand_over(struct channel *channel, int connection)
{
	struct span head = buf_span(&channel->head);

	channel->request.ipcFd = channel->pipe[0];
	channel->request.keepConnection = 1;
	if (write(channel->pipe[1], head.data, head.len) == (ssize_t)head.len &&
	    FCGX_Accept_r(&channel->request) == 0) {
		channel->request.ipcFd = connection;
		return true;
	}
	/* What is left in the pipe must not become part of another request. */
	if (channel->request.ipcFd < 0)
		channel->pipe[0] = -1; /* libfcgi has closed it */
	channel->request.ipcFd = -1;
	close_pipe(channel);
	return false;
}

/* At most one line a second: who can connect can do so very often. */
static void hang_up(int connection, const char *fault)
{
	static int64_t told;
	static unsigned untold;
	int64_t now = clock_now();

	(void)close(connection);
	if (fault == NULL)
		return;
	if (now == told) {
		untold++;
		return;
	}
	log_event(LOG_LEVEL_WARNING, "fastcgi", "hung up on a connection: %s; %u more before",
	    fault, untold);
	told = now;
	untold = 0;
}

static bool take_request(struct channel *channel, int connection)
{
	const char *fault = NULL;
	enum screen_verdict verdict = receive_head(connection, &channel->head, &fault);
	bool taken = false;

	if (verdict != SCREEN_BROKEN) {
		taken = hand_over(channel, connection);
		channel->fault = fault;
		fault = "libfcgi does not read it";
	}
	if (channel->head.len > 0)
		explicit_bzero(
		    channel->head.data, channel->head.len); /* there is a password in it */
	buf_reset(&channel->head);
	if (taken)
		limit_waiting(connection, PEER_WAIT);
	else
		hang_up(connection, fault);
	channel->deadline = clock_microseconds() + BODY_WAIT * SECOND;
	return taken;
}

/* --- FastCGI and CGI alike --- */

struct channel *channel_open(void)
{
	struct channel *channel = mem_alloc(sizeof(*channel));
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	channel->pipe[0] = channel->pipe[1] = -1;
	channel->fastcgi = !FCGX_IsCGI();
	if (!channel->fastcgi)
		return channel;
	/*
	 * libfcgi is never to accept by itself what nobody has
	 * screened: its listening socket is none.
	 */
	if (FCGX_Init() != 0 || FCGX_InitRequest(&channel->request, -1, 0) != 0 || flags < 0 ||
	    fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) != 0 || !open_pipe(channel)) {
		log_event(LOG_LEVEL_ALARM, "start", "descriptor 0 is not a listening socket: %s",
		    strerror(errno));
		channel_close(channel);
		return NULL;
	}
	catch_signals(&channel->waiting);
	return channel;
}

void channel_close(struct channel *channel)
{
	if (channel == NULL)
		return;
	if (channel->fastcgi)
		FCGX_Free(&channel->request, 1);
	close_pipe(channel);
	buf_free(&channel->head);
	free(channel);
}

bool channel_next(struct channel *channel)
{
	if (!channel->fastcgi) {
		bool first = !channel->served;
		channel->served = true;
		(void)screen_environment(environ, &channel->fault);
		return first;
	}
	while (wait_for_connection(channel)) {
		int connection = -1;
		/*
		 * Where the sandbox refuses a new one, this worker
		 * ends and another takes its place.
		 */
		if (channel->pipe[0] < 0 && !open_pipe(channel)) {
			log_event(LOG_LEVEL_ERROR, "fastcgi", "no pipe: %s", strerror(errno));
			return false;
		}
		if ((connection = accept_connection()) >= 0 && take_request(channel, connection))
			return true;
	}
	return false;
}

/*
 * Lets the peer take the answer before the connection is gone: what it still sends is read and
 * thrown away, or a close would destroy what it has not read yet. libfcgi does the same,
 * but as long as the peer sends.
 */
static void linger(int connection)
{
	uint64_t deadline = clock_microseconds() + LINGER * SECOND;
	unsigned char trash[4096];

	if (shutdown(connection, SHUT_WR) == 0)
		while (receive(connection, trash, sizeof(trash), deadline) > 0 &&
		       clock_microseconds() < deadline)
			;
	(void)close(connection);
}

/* One request a connection: a kept one would pin this worker to one client of the web server. */
void channel_finish(struct channel *channel)
{
	FCGX_Request *request = &channel->request;

	if (!channel->fastcgi)
		return;
	/*
	 * So that libfcgi leaves the closing to us or, where it cannot
	 * write any more, does it at once.
	 */
	FCGX_ClearError(request->in);
	request->keepConnection = 1;
	request->detached = 1;
	FCGX_Finish_r(request);
	if (request->ipcFd >= 0)
		linger(request->ipcFd);
	request->ipcFd = -1;
	request->detached = 0;
}

const char *channel_fault(const struct channel *channel)
{
	return channel->fault;
}

const char *channel_variable(void *channel, const char *name)
{
	struct channel *from = channel;

	return from->fastcgi ? FCGX_GetParam(name, from->request.envp) : getenv(name);
}

/*
 * libfcgi waits until it has all that it is asked for. It is asked for one octet, and then for what
 * came with it, so that the deadline is looked at again.
 */
static long read_fastcgi(struct channel *channel, unsigned char *into, size_t most)
{
	FCGX_Stream *in = channel->request.in;
	size_t there = in->stop > in->rdNext ? (size_t)(in->stop - in->rdNext) : 1;
	int got;

	if (clock_microseconds() >= channel->deadline)
		return -1;
	got = FCGX_GetStr((char *)into, (int)(there < most ? there : most), in);
	/* A stream that breaks off looks like one that ends, but for its error. */
	return got <= 0 && FCGX_GetError(in) != 0 ? -1 : got;
}

long channel_read(struct channel *channel, unsigned char *into, size_t most)
{
	ssize_t got;

	if (channel->fastcgi)
		return read_fastcgi(channel, into, most);
	do
		got = read(STDIN_FILENO, into, most);
	while (got < 0 && errno == EINTR);
	return got;
}

void channel_write(struct channel *channel, struct span bytes)
{
	if (channel->fastcgi) {
		(void)FCGX_PutStr((const char *)bytes.data, (int)bytes.len, channel->request.out);
		return;
	}
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
