#include "common/base/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/program.h"

#define SECOND UINT64_C(1000) /* of clock_milliseconds() */
/* How long after the time limit its process may still answer: less than the second we promise. */
#define MARGIN UINT64_C(800)

struct helper {
	pid_t process;
	int socket;
	bool lost;
	char **programs;
	size_t count;
};

/* What goes over the socket, to the same program on the same machine: its octets are the form. */
struct order {
	size_t program, len; /* so many octets of input follow */
	uint64_t deadline;
};

struct answer {
	enum program_end how;
	int detail;
	size_t len; /* so many octets of output follow */
};

/* --- the process --- */

/* false: nobody is there any more. */
static bool read_all(int fd, void *into, size_t len)
{
	unsigned char *at = into;

	while (len > 0) {
		ssize_t got = read(fd, at, len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		len -= (size_t)got;
	}
	return true;
}

static bool write_all(int fd, const void *from, size_t len)
{
	const unsigned char *at = from;

	while (len > 0) {
		ssize_t put = write(fd, at, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		len -= (size_t)put;
	}
	return true;
}

static bool obey(const struct helper *helper, const struct order *order, struct span input)
{
	const struct program_run run = {helper->programs[order->program], input, order->deadline,
	    HELPER_OUTPUT_MOST, helper->socket};
	struct answer answer = {.detail = 0};
	struct buf out = {0};
	bool told;

	answer.how = program_run(&run, &out, &answer.detail);
	if (answer.how == PROGRAM_EXITED && answer.detail == 0)
		answer.len = out.len;
	told = answer.how != PROGRAM_ABANDONED &&
	       write_all(helper->socket, &answer, sizeof(answer)) &&
	       write_all(helper->socket, out.data, answer.len);
	buf_cleanse(&out);
	return told;
}

/* The worker may be in somebody else's hands: an order is believed where it is possible. */
static bool is_possible(const struct helper *helper, const struct order *order)
{
	return order->program < helper->count && order->len <= HELPER_INPUT_MOST;
}

/*
 * Nothing of the worker's stays but the socket, as descriptor 3. Its web server's signals are not
 * for us: we end when it does, which the socket tells.
 */
static void leave(struct helper *helper)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};
	int null = -1;

	if (dup2(helper->socket, 3) < 0)
		_exit(1);
	helper->socket = 3;
	(void)close_range(4, UINT_MAX, 0);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)close(fd);
	null = open("/dev/null", O_RDWR);
	if (null != STDIN_FILENO || dup(null) != STDOUT_FILENO || dup(null) != STDERR_FILENO ||
	    fcntl(helper->socket, F_SETFD, FD_CLOEXEC) != 0)
		_exit(1);
	(void)setsid();
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "est-helper", 0, 0, 0);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
}

__attribute__((noreturn)) static void live(struct helper *helper)
{
	struct order order;
	struct buf input = {0};
	bool on = true;

	leave(helper);
	program_prepare();
	while (
	    on && read_all(helper->socket, &order, sizeof(order)) && is_possible(helper, &order)) {
		buf_reserve(&input, order.len);
		input.len = order.len;
		on = read_all(helper->socket, input.data, input.len) &&
		     obey(helper, &order, buf_span(&input));
		buf_cleanse(&input);
	}
	_exit(0);
}

/* --- who made it --- */

static void free_helper(struct helper *helper)
{
	for (size_t i = 0; i < helper->count; i++)
		free(helper->programs[i]);
	free(helper->programs);
	free(helper);
}

static struct helper *make_helper(const char *const *programs, size_t count)
{
	struct helper *helper = mem_alloc(sizeof(*helper));

	helper->count = count;
	helper->programs = mem_alloc((count + 1) * sizeof(helper->programs[0]));
	for (size_t i = 0; i < count; i++)
		helper->programs[i] = mem_string(programs[i]);
	return helper;
}

enum outcome helper_start(const char *const *programs, size_t count, struct helper **out)
{
	struct helper *helper = make_helper(programs, count);
	int ends[2], error = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		error = errno;
	} else {
		helper->socket = ends[1];
		helper->process = fork();
		if (helper->process == 0)
			live(helper);
		if (helper->process < 0)
			error = errno;
		(void)close(ends[1]);
		helper->socket = ends[0];
		if (error != 0)
			(void)close(ends[0]);
	}
	if (error != 0) {
		free_helper(helper);
		return reason(EST_UNAVAILABLE, "the process that starts hooks cannot be made: %s",
		    strerror(error));
	}
	*out = helper;
	return EST_OK;
}

bool helper_lost(const struct helper *helper)
{
	struct pollfd end;

	if (helper == NULL)
		return false;
	end = (struct pollfd){.fd = helper->socket, .events = POLLRDHUP};
	return helper->lost || (poll(&end, 1, 0) > 0 && end.revents != 0);
}

/*
 * What it still runs ends with it. One that is gone already is let be: where nobody waits for
 * children, its number may be another's.
 */
static void give_up(struct helper *helper)
{
	if (!helper_lost(helper))
		(void)kill(helper->process, SIGKILL);
	helper->lost = true;
}

void helper_stop(struct helper *helper)
{
	if (helper == NULL)
		return;
	give_up(helper);
	(void)close(helper->socket);
	while (waitpid(helper->process, NULL, 0) < 0 && errno == EINTR)
		;
	free_helper(helper);
}

/* Waits for the socket. false: not before the deadline. */
static bool wait_until(const struct helper *helper, short events, uint64_t deadline)
{
	struct pollfd end = {.fd = helper->socket, .events = events};
	uint64_t now = clock_milliseconds();

	if (now >= deadline)
		return false;
	(void)poll(&end, 1, (int)(deadline - now));
	return true;
}

/* false: the process is gone, or is not in time. */
static bool tell(const struct helper *helper, const void *from, size_t len, uint64_t deadline)
{
	const unsigned char *at = from;

	while (len > 0) {
		ssize_t put = send(helper->socket, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put > 0) {
			at += put;
			len -= (size_t)put;
		} else if ((errno != EAGAIN && errno != EINTR) ||
			   !wait_until(helper, POLLOUT, deadline)) {
			return false;
		}
	}
	return true;
}

static bool hear(const struct helper *helper, void *into, size_t len, uint64_t deadline)
{
	unsigned char *at = into;

	while (len > 0) {
		ssize_t got = recv(helper->socket, at, len, MSG_DONTWAIT);
		if (got > 0) {
			at += got;
			len -= (size_t)got;
		} else if (got == 0 || (errno != EAGAIN && errno != EINTR) ||
			   !wait_until(helper, POLLIN, deadline)) {
			return false;
		}
	}
	return true;
}

static enum outcome judge(const char *path, const struct answer *answer, int64_t timeout)
{
	switch (answer->how) {
	case PROGRAM_EXITED:
		if (answer->detail == 0)
			return EST_OK;
		return reason(EST_UNAVAILABLE, "%.200s ended with status %d", path, answer->detail);
	case PROGRAM_KILLED:
		return reason(EST_UNAVAILABLE, "%.200s was killed by signal %d (%s)", path,
		    answer->detail, strsignal(answer->detail));
	case PROGRAM_NOT_STARTED:
		return reason(EST_UNAVAILABLE, "%.200s cannot be started: %s", path,
		    strerror(answer->detail));
	case PROGRAM_LATE:
		return reason(
		    EST_UNAVAILABLE, "%.200s did not end within %d seconds", path, (int)timeout);
	case PROGRAM_WORDY:
		return reason(
		    EST_UNAVAILABLE, "%.200s wrote more than %d octets", path, HELPER_OUTPUT_MOST);
	default: return reason(EST_INTERNAL, "the process that starts hooks answers in riddles");
	}
}

static enum outcome lose(struct helper *helper)
{
	give_up(helper);
	return reason(EST_UNAVAILABLE, "the process that starts hooks is gone, or hangs");
}

enum outcome helper_run(
    struct helper *helper, size_t program, struct span input, int64_t timeout, struct buf *out)
{
	const struct order order = {
	    program, input.len, clock_milliseconds() + (uint64_t)timeout * SECOND};
	uint64_t deadline = order.deadline + MARGIN;
	struct answer answer = {.detail = 0};

	if (program >= helper->count || input.len > HELPER_INPUT_MOST)
		return reason(EST_UNAVAILABLE,
		    "there is no such program, or %zu octets are too "
		    "much for it",
		    input.len);
	if (helper->lost || !tell(helper, &order, sizeof(order), deadline) ||
	    !tell(helper, input.data, input.len, deadline) ||
	    !hear(helper, &answer, sizeof(answer), deadline) || answer.len > HELPER_OUTPUT_MOST)
		return lose(helper);
	if (answer.len > 0) {
		buf_reserve(out, answer.len);
		if (!hear(helper, out->data + out->len, answer.len, deadline))
			return lose(helper);
		out->len += answer.len;
	}
	return judge(helper->programs[program], &answer, timeout);
}
