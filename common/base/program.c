#include "common/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static sigset_t waiting; /* what stays blocked while we wait: not SIGCHLD */

/* Its arrival ends a wait; there is nothing else to do. */
static void notice(int signal)
{
	(void)signal;
}

void program_prepare(void)
{
	const struct sigaction noticed = {.sa_handler = notice};
	sigset_t child;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGCHLD, &noticed, NULL);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, &waiting);
	(void)sigdelset(&waiting, SIGCHLD);
}

/* --- in the child, up to the program --- */

/* Enough for an interpreter that asks a database, and no more than a fault should take. */
static const struct {
	unsigned resource;
	rlim_t most;
} limits[] = {
    {RLIMIT_CORE, 0},
    {RLIMIT_CPU, 60},         /* seconds */
    {RLIMIT_DATA, 1U << 30},  /* octets */
    {RLIMIT_FSIZE, 64 << 20}, /* octets */
    {RLIMIT_NOFILE, 256},
};

static void limit(void)
{
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct rlimit value;
		if (getrlimit(limits[i].resource, &value) != 0)
			continue;
		if (value.rlim_max > limits[i].most)
			value.rlim_max = limits[i].most;
		if (value.rlim_cur > value.rlim_max)
			value.rlim_cur = value.rlim_max;
		(void)setrlimit(limits[i].resource, &value);
	}
}

/* What is ignored or blocked here would be so for the program, which expects nothing of the kind. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * None of the three that are to be put in their place is itself one of 0, 1 and 2: those are taken
 * in whoever runs programs.
 */
static bool place_descriptors(int input, int output)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	return null >= 0 && dup2(input, STDIN_FILENO) == STDIN_FILENO &&
	       dup2(output, STDOUT_FILENO) == STDOUT_FILENO &&
	       dup2(null, STDERR_FILENO) == STDERR_FILENO;
}

/* The ends of pipes that a run has; all of them close with exec. */
struct pipes {
	int input[2], output[2];
	int fault[2]; /* errno of a program that could not be started */
};

__attribute__((noreturn)) static void become(
    const char *path, const struct pipes *pipes, pid_t parent)
{
	static char path_variable[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	static char language[] = "LANG=C.UTF-8";
	char *const environment[] = {path_variable, language, NULL};
	char *name = mem_string(path);
	char *const arguments[] = {name, NULL};
	int error;

	(void)setpgid(0, 0);
	/* What kills our parent at once is not to leave a program without a time limit behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(127);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)umask(0077);
	if (place_descriptors(pipes->input[0], pipes->output[1]) && chdir("/") == 0) {
		limit();
		reset_signals();
		(void)execve(path, arguments, environment);
	}
	error = errno;
	(void)!write(pipes->fault[1], &error, sizeof(error));
	_exit(127);
}

/* --- in the parent --- */

static void shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void close_pipes(struct pipes *pipes)
{
	for (size_t i = 0; i < 2; i++) {
		shut(&pipes->input[i]);
		shut(&pipes->output[i]);
		shut(&pipes->fault[i]);
	}
}

/* Our ends do not block. */
static bool open_pipes(struct pipes *pipes)
{
	*pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
	return pipe2(pipes->input, O_CLOEXEC) == 0 && pipe2(pipes->output, O_CLOEXEC) == 0 &&
	       pipe2(pipes->fault, O_CLOEXEC) == 0 &&
	       fcntl(pipes->input[1], F_SETFL, O_NONBLOCK) == 0 &&
	       fcntl(pipes->output[0], F_SETFL, O_NONBLOCK) == 0 &&
	       fcntl(pipes->fault[0], F_SETFL, O_NONBLOCK) == 0;
}

static pid_t start(const char *path, struct pipes *pipes)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (child == 0)
		become(path, pipes, parent);
	if (child > 0)
		(void)setpgid(child, child); /* whoever of the two is first */
	shut(&pipes->input[0]);
	shut(&pipes->output[1]);
	shut(&pipes->fault[1]);
	return child;
}

/* What it does not want to read is no fault of its own. */
static void feed(struct pipes *pipes, struct span *input)
{
	ssize_t put = write(pipes->input[1], input->data, input->len);

	if (put > 0) {
		input->data += put;
		input->len -= (size_t)put;
	}
	if (input->len == 0 || (put < 0 && errno != EAGAIN && errno != EINTR))
		shut(&pipes->input[1]);
}

/* Reads what is there. false: it is more than may be. */
static bool drain(struct pipes *pipes, size_t most, struct buf *out)
{
	size_t before = out->len;

	while (pipes->output[0] >= 0 && out->len - before <= most) {
		unsigned char piece[4096];
		ssize_t got = read(pipes->output[0], piece, sizeof(piece));
		if (got > 0)
			buf_add(out, piece, (size_t)got);
		else if (got < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		else
			shut(&pipes->output[0]);
	}
	return out->len - before <= most;
}

/* Whether it has ended. It stays a zombie, so that its number, and its group's, are its own. */
static bool has_ended(pid_t child)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	       info.si_pid == child;
}

/* Until something happens: it wants or has data, has ended, the deadline or the owner's end. */
static enum program_end wait_for_it(const struct program_run *run, const struct pipes *pipes)
{
	uint64_t now = clock_milliseconds();
	uint64_t left = run->deadline > now ? run->deadline - now : 0;
	const struct timespec most = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
	struct pollfd ends[] = {{.fd = pipes->input[1], .events = POLLOUT},
	    {.fd = pipes->output[0], .events = POLLIN}, {.fd = run->owner, .events = POLLRDHUP}};

	if (left == 0)
		return PROGRAM_LATE;
	if (ppoll(ends, COUNT(ends), &most, &waiting) > 0 && ends[2].revents != 0)
		return PROGRAM_ABANDONED;
	return PROGRAM_ENDS;
}

/* Up to its end, or the reason to end it. */
static enum program_end attend(
    const struct program_run *run, struct pipes *pipes, pid_t child, struct buf *out)
{
	struct span input = run->input;
	size_t left = run->output_most;

	for (;;) {
		size_t before = out->len;
		bool ended = has_ended(child);
		enum program_end why = ended ? PROGRAM_EXITED : wait_for_it(run, pipes);
		if (pipes->input[1] >= 0)
			feed(pipes, &input);
		if (!drain(pipes, left, out))
			return PROGRAM_WORDY;
		left -= out->len - before;
		if (why != PROGRAM_ENDS)
			return why;
	}
}

/* Its group goes with it, and before it is forgotten: afterwards the number may be another's. */
static enum program_end end(
    enum program_end why, pid_t child, const struct pipes *pipes, int *detail)
{
	int status = 0, error;

	(void)kill(-child, SIGKILL);
	(void)kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (why != PROGRAM_EXITED)
		return why;
	if (read(pipes->fault[0], &error, sizeof(error)) == (ssize_t)sizeof(error)) {
		*detail = error;
		return PROGRAM_NOT_STARTED;
	}
	*detail = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	return WIFSIGNALED(status) ? PROGRAM_KILLED : PROGRAM_EXITED;
}

enum program_end program_run(const struct program_run *run, struct buf *out, int *detail)
{
	struct pipes pipes;
	enum program_end how = PROGRAM_NOT_STARTED;
	pid_t child;

	*detail = 0;
	if (!open_pipes(&pipes) || (child = start(run->path, &pipes)) < 0)
		*detail = errno;
	else
		how = end(attend(run, &pipes, child, out), child, &pipes, detail);
	close_pipes(&pipes);
	return how;
}
