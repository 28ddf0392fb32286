#include "tests/bench/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG      1024
#define STOP_WAIT_MS 5000
#define STOP_STEP_MS 10

static enum outcome socket_listen(struct worker *worker, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *parent = getenv("TMPDIR");

	if (snprintf(worker->directory, sizeof(worker->directory), "%s/est-bench-XXXXXX",
		parent == NULL ? "/tmp" : parent) >= (int)sizeof(worker->directory) ||
	    mkdtemp(worker->directory) == NULL) {
		worker->directory[0] = '\0';
		return reason(EST_UNAVAILABLE, "no temporary directory: %s", strerror(errno));
	}
	(void)snprintf(worker->socket, sizeof(worker->socket), "%s/s", worker->directory);
	memcpy(address.sun_path, worker->socket, strlen(worker->socket) + 1);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(*fd, BACKLOG) != 0)
		return reason(
		    EST_UNAVAILABLE, "no socket at %s: %s", worker->socket, strerror(errno));
	return EST_OK;
}

static _Noreturn void become(const char *program, const char *config, int listener)
{
	char environment[2][4200];
	char *const variables[] = {environment[0], environment[1], NULL};
	char *const arguments[] = {(char *)(uintptr_t)program, NULL};
	const char *path = getenv("PATH");
	int null = open("/dev/null", O_WRONLY);

	(void)snprintf(environment[0], sizeof(environment[0]), "EST_CONFIG=%s", config);
	(void)snprintf(environment[1], sizeof(environment[1]), "PATH=%s", path == NULL ? "" : path);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && dup2(listener, 0) == 0 && dup2(null, 1) == 1)
		(void)execve(program, arguments, variables);
	perror(program);
	_exit(127);
}

enum outcome worker_start(struct worker *worker, const char *program, const char *config)
{
	enum outcome outcome;
	int listener = -1;

	*worker = (struct worker){0};
	outcome = socket_listen(worker, &listener);
	if (outcome != EST_OK)
		goto out;
	worker->pid = fork();
	if (worker->pid == 0)
		become(program, config, listener);
	if (worker->pid < 0) {
		worker->pid = 0;
		outcome = reason(EST_UNAVAILABLE, "no process: %s", strerror(errno));
	}
out:
	if (listener >= 0)
		(void)close(listener);
	if (outcome != EST_OK)
		worker_stop(worker);
	return outcome;
}

void worker_stop(struct worker *worker)
{
	const struct timespec step = {0, STOP_STEP_MS * 1000000L};
	int waited = 0;

	if (worker->pid > 0 && kill(worker->pid, SIGTERM) == 0) {
		while (waitpid(worker->pid, NULL, WNOHANG) == 0) {
			(void)nanosleep(&step, NULL);
			waited += STOP_STEP_MS;
			if (waited == STOP_WAIT_MS)
				(void)kill(worker->pid, SIGKILL);
		}
	}
	if (worker->socket[0] != '\0')
		(void)unlink(worker->socket);
	if (worker->directory[0] != '\0')
		(void)rmdir(worker->directory);
	*worker = (struct worker){0};
}

/* Fields 14 and 15 of proc(5)'s stat, in clock ticks; the name before them may hold anything but
 * its ')'. */
static bool ticks_read(pid_t pid, double *user, double *system)
{
	char path[32], text[1024];
	const char *at;
	unsigned long utime, stime;
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	len = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[len] = '\0';
	at = strrchr(text, ')');
	if (at == NULL || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			      &utime, &stime) != 2)
		return false;
	*user = (double)utime * 1e6 / (double)sysconf(_SC_CLK_TCK);
	*system = (double)stime * 1e6 / (double)sysconf(_SC_CLK_TCK);
	return true;
}

enum outcome cpu_read(pid_t pid, struct cpu *cpu)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0 ||
	    !ticks_read(pid, &cpu->user, &cpu->system))
		return reason(EST_NOT_FOUND, "process %ld is gone", (long)pid);
	cpu->total = (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
	return EST_OK;
}

void cpu_add(struct cpu *sum, const struct cpu *before, const struct cpu *after)
{
	sum->total += after->total - before->total;
	sum->user += after->user - before->user;
	sum->system += after->system - before->system;
}
