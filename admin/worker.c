#include "admin/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"

static void name_worker(struct worker *worker)
{
	const struct passwd *user = getpwuid(worker->uid);

	if (user == NULL)
		(void)snprintf(
		    worker->name, sizeof(worker->name), "%lu", (unsigned long)worker->uid);
	else
		(void)snprintf(worker->name, sizeof(worker->name), "%s", user->pw_name);
}

/* The user who is called like the group and has it as its own. */
static bool namesake(gid_t gid, uid_t *uid)
{
	const struct group *group = getgrgid(gid);
	const struct passwd *user = group == NULL ? NULL : getpwnam(group->gr_name);

	if (user == NULL || user->pw_gid != gid)
		return false;
	*uid = user->pw_uid;
	return true;
}

enum outcome worker_find(const char *state, struct worker *out)
{
	struct stat status;
	const struct passwd *owner;

	if (stat(state, &status) != 0)
		return reason(errno == EACCES ? EST_FORBIDDEN : EST_NOT_FOUND,
		    "the state directory %s: %s; make it: install -d -m 2770 -o www-data -g "
		    "www-data %s",
		    state, strerror(errno), state);
	if (!S_ISDIR(status.st_mode))
		return reason(EST_NOT_FOUND, "the state directory %s is no directory", state);
	*out = (struct worker){.uid = geteuid(), .gid = getegid()};
	if (geteuid() == 0 && status.st_uid != 0) {
		owner = getpwuid(status.st_uid);
		out->uid = status.st_uid;
		out->gid = status.st_gid != 0 || owner == NULL ? status.st_gid : owner->pw_gid;
	} else if (geteuid() == 0 && status.st_gid != 0) {
		out->gid = status.st_gid;
		(void)namesake(status.st_gid, &out->uid);
	}
	name_worker(out);
	return EST_OK;
}

bool worker_named(const char *name, struct worker *out)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		return false;
	*out = (struct worker){.uid = user->pw_uid, .gid = user->pw_gid};
	name_worker(out);
	return true;
}

static bool take_groups(const struct worker *worker)
{
	const struct passwd *user = getpwuid(worker->uid);

	if (worker->uid == 0 || user == NULL)
		return setgroups(1, &worker->gid) == 0;
	return initgroups(user->pw_name, worker->gid) == 0;
}

static mode_t umask_before;

enum outcome worker_become(const struct worker *worker)
{
	umask_before = umask(007);
	if (geteuid() != 0 || (worker->uid == 0 && worker->gid == getegid()))
		return EST_OK;
	if (!take_groups(worker) || setresgid(worker->gid, worker->gid, getegid()) != 0 ||
	    setresuid(worker->uid, worker->uid, geteuid()) != 0)
		return reason(
		    EST_INTERNAL, "cannot become the user %s: %s", worker->name, strerror(errno));
	return EST_OK;
}

void worker_resign(void)
{
	uid_t uid, saved_uid;
	gid_t gid, saved_gid;

	(void)umask(umask_before);
	/* Nothing changes where nobody else was before. */
	if (getresuid(&uid, &uid, &saved_uid) != 0 || getresgid(&gid, &gid, &saved_gid) != 0)
		return;
	if (seteuid(saved_uid) != 0 || setegid(saved_gid) != 0)
		return; /* as whoever we still are, only less can be done */
}

/* Appending needs the file, or, where there is none yet, its directory. */
static int try_here(enum worker_use use, const char *path)
{
	int error = 0;
	char *copy;
	int fd;

	if (use == WORKER_RUNS)
		return access(path, X_OK) == 0 ? 0 : errno;
	if (use == WORKER_FILLS)
		return access(path, R_OK | W_OK | X_OK) == 0 ? 0 : errno;
	fd = open(path, (use == WORKER_READS ? O_RDONLY : O_WRONLY | O_APPEND) | O_NONBLOCK);
	if (fd >= 0)
		close(fd);
	else
		error = errno;
	if (error != ENOENT || use == WORKER_READS)
		return error;
	copy = mem_string(path);
	error = try_here(WORKER_FILLS, dirname(copy));
	free(copy);
	return error;
}

int worker_try(const struct worker *worker, enum worker_use use, const char *path)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return errno;
	if (child == 0)
		_exit(worker_become(worker) == EST_OK ? try_here(use, path) : EPERM);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}
