#include "common/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <linux/magic.h>
#include <seccomp.h>

#include "common/base/sanitized.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- Landlock --- */

/* What the header of Debian 12, which knows ABI 2, has no names for. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP    (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#endif

/* The kernel's struct landlock_ruleset_attr as of ABI 6. An older kernel takes it where what it does not know is 0. */
struct ruleset {
	uint64_t files, tcp, scopes;
};

/* Everything that Landlock can refuse, by the ABI that brought it. */
static const struct {
	int abi;
	struct ruleset refused;
} abis[] = {
    {1, {LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
		LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
		LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
		LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
	    0, 0}},
    {2, {LANDLOCK_ACCESS_FS_REFER, 0, 0}},
    {3, {LANDLOCK_ACCESS_FS_TRUNCATE, 0, 0}},
    {4, {0, LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP, 0}},
    {5, {LANDLOCK_ACCESS_FS_IOCTL_DEV, 0, 0}},
    /* Not the scope of signals: each worker is a sandbox of its own, and store recovery ends a hung one. */
    {6, {0, 0, LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET}},
};

static const uint64_t grants[] = {
    [SANDBOX_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    [SANDBOX_APPEND] = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG,
    [SANDBOX_WRITE] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
		      LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
		      LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE,
};

/* A right on anything but these makes no sense for a file that is no directory, and the kernel refuses the rule. */
#define OF_A_FILE                                                                                  \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

static enum outcome failed(const char *what, int error)
{
	return reason(
	    EST_UNAVAILABLE, "the sandbox cannot be entered: %s: %s", what, strerror(error));
}

/* Absent from the kernel, switched off at its start, or refused by the filter of a container. */
static bool is_lacking(int error)
{
	return error == ENOSYS || error == EOPNOTSUPP || error == EINVAL || error == EPERM ||
	       error == EACCES;
}

static struct ruleset refused_by(int abi)
{
	struct ruleset all = {0};

	for (size_t i = 0; i < COUNT(abis) && abis[i].abi <= abi; i++) {
		all.files |= abis[i].refused.files;
		all.tcp |= abis[i].refused.tcp;
		all.scopes |= abis[i].refused.scopes;
	}
	return all;
}

/*
 * A rule stays with its inode, and procfs forgets its inodes when memory is short, unless a descriptor holds the
 * path: then this one stays open until the process ends.
 */
static bool is_forgetful(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

static enum outcome add_path(int ruleset, const struct sandbox_path *path, uint64_t refused)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = grants[path->access] & refused,
	    .parent_fd = open(path->path, O_PATH | O_CLOEXEC)};
	struct stat status;
	int error = 0;

	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES
			   ? EST_OK
			   : failed(path->path, errno);
	if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.allowed_access &= OF_A_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		error = errno;
	if (error != 0 || !is_forgetful(rule.parent_fd))
		(void)close(rule.parent_fd);
	return error == 0 ? EST_OK : failed(path->path, error);
}

enum outcome sandbox_limit_files(const struct sandbox_path *paths, size_t count, int *landlock_abi)
{
	struct ruleset refused;
	enum outcome outcome = EST_OK;
	long abi;
	int ruleset;

	*landlock_abi = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("no_new_privs", errno);
	if (SANITIZED)
		return EST_OK;
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 0)
		return is_lacking(errno) ? EST_OK : failed("Landlock", errno);
	refused = refused_by((int)abi);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &refused, sizeof(refused), 0);
	if (ruleset < 0)
		return failed("Landlock", errno);
	for (size_t i = 0; i < count && outcome == EST_OK; i++)
		outcome = add_path(ruleset, &paths[i], refused.files);
	if (outcome == EST_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		outcome = failed("Landlock", errno);
	(void)close(ruleset);
	if (outcome == EST_OK)
		*landlock_abi = (int)abi;
	return outcome;
}

/* --- seccomp --- */

/* An argument of a call: its value under the mask is this one. mask 0: any. */
struct argument {
	unsigned which;
	scmp_datum_t mask, value;
};

#define WHOLE (~(scmp_datum_t)0)
/* An int's upper half in its register is anything. */
#define INT ((scmp_datum_t)UINT32_MAX)
/* Of an int: what makes it negative. */
#define SIGN ((scmp_datum_t)1 << 31)
/* Of a mode: all but who may read, write and run the file. */
#define NO_MODE (INT & ~(scmp_datum_t)0777)

/*
 * The calls that are allowed, with the variants that other architectures, kernels and C libraries use in their
 * place; a name that an architecture lacks is passed over. From measurement: everything that strace saw est.fcgi
 * and status.cgi do once they were ready, in requests, recovery of the store, rotation of the log, loss of syslog,
 * and their end. Rows of the same call add up.
 */
static const struct {
	const char *calls; /* " "-separated */
	struct argument arguments[2];
} allowed[] = {
    /* Descriptors that are there: the connection, the log, the store. */
    {"read readv pread64 preadv write writev pwrite64 pwritev close lseek _llseek", {{0}}},
    /*
     * Files by path: where they may be is for Landlock to say. Berkeley DB makes, renames and removes its own. The
     * mode, 0 where none is made, is that of fchmod below; openat2 has it in memory, where no filter looks.
     */
    {"open", {{2, NO_MODE, 0}}},
    {"openat", {{3, NO_MODE, 0}}},
    {"rename renameat renameat2 unlink unlinkat ftruncate ftruncate64 fallocate", {{0}}},
    {"stat lstat fstat newfstatat stat64 lstat64 fstat64 fstatat64 statx access faccessat "
     "faccessat2",
	{{0}}},
    {"statfs fstatfs statfs64 fstatfs64 getcwd readlink readlinkat getdents getdents64", {{0}}},
    /* A commit is on disk before it is answered. */
    {"fsync fdatasync sync_file_range sync_file_range2 msync fadvise64 fadvise64_64 "
     "arm_fadvise64_64",
	{{0}}},
    /* The mode of a file of the store; no bit that would lend the worker's rights to whoever runs it. */
    {"umask", {{0}}},
    {"fchmod", {{1, NO_MODE, 0}}},
    /* Flags and locks; not F_SETOWN, which sends signals. */
    {"fcntl fcntl64", {{1, INT, F_GETFD}}},
    {"fcntl fcntl64", {{1, INT, F_SETFD}}},
    {"fcntl fcntl64", {{1, INT, F_GETFL}}},
    {"fcntl fcntl64", {{1, INT, F_SETFL}}},
    {"fcntl fcntl64", {{1, INT, F_GETLK}}},
    {"fcntl fcntl64", {{1, INT, F_SETLK}}},
    {"fcntl fcntl64", {{1, INT, F_SETLKW}}},
    /* Requests arrive on a socket that the web server made, or on descriptor 0. */
    {"accept accept4 shutdown getpeername getsockname", {{0}}},
    {"recvfrom recv poll ppoll ppoll_time64", {{0}}},
    {"setsockopt", {{1, INT, SOL_SOCKET}, {2, INT, SO_RCVTIMEO}}},
    {"setsockopt", {{1, INT, SOL_SOCKET}, {2, INT, SO_SNDTIMEO}}},
    /* syslog, anew when it was restarted. Datagrams only: what listens to streams takes orders. */
    {"socket",
	{{0, INT, AF_UNIX}, {1, INT & ~(scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), SOCK_DGRAM}}},
    {"connect sendto send", {{0}}},
    /* Memory, never executable: of malloc and yescrypt, and the store's shared cache. */
    {"brk munmap mremap madvise", {{0}}},
    {"mmap mmap2 mprotect", {{2, PROT_EXEC, 0}}},
    /* The store's watcher and its mutexes, which wait with select() and yield. */
    {"futex futex_time64 futex_waitv futex_wake futex_wait futex_requeue", {{0}}},
    {"set_robust_list rseq sched_yield sched_getaffinity getcpu membarrier", {{0}}},
    {"select _newselect pselect6 pselect6_time64", {{0}}},
    /* Time, where the vDSO has none. */
    {"clock_gettime clock_gettime64 clock_getres clock_getres_time64 gettimeofday time", {{0}}},
    {"nanosleep clock_nanosleep clock_nanosleep_time64", {{0}}},
    /* Randomness: keys' nonces and serial numbers. */
    {"getrandom", {{0}}},
    /* Who we are: logs, Berkeley DB, OpenSSL. How much memory: qsort(). */
    {"getpid getppid gettid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32",
	{{0}}},
    {"uname sysinfo getrlimit ugetrlimit", {{0}}},
    {"prlimit64", {{0, INT, 0}, {2, WHOLE, 0}}}, /* of ourselves, and read */
    /* Signals to us, and the end, abort() included. */
    {"rt_sigaction rt_sigprocmask rt_sigreturn sigaction sigprocmask sigreturn sigaltstack", {{0}}},
    {"restart_syscall exit exit_group", {{0}}},
    /*
     * Signals to others: whether one lives, and SIGKILL for a worker that hangs while the store recovers; not to all
     * at once (-1), nor to another group; our own (0) no mask tells from a process.
     */
    {"kill", {{0, SIGN, 0}, {1, INT, 0}}},
    {"kill", {{0, SIGN, 0}, {1, INT, SIGKILL}}},
};

static int allow(
    scmp_filter_ctx filter, const char *name, const struct argument arguments[static 2])
{
	struct scmp_arg_cmp conditions[2];
	unsigned count = 0;
	int call = seccomp_syscall_resolve_name(name);

	for (; count < 2 && arguments[count].mask != 0; count++)
		conditions[count] = SCMP_CMP(arguments[count].which, SCMP_CMP_MASKED_EQ,
		    arguments[count].mask, arguments[count].value);
	return call == __NR_SCMP_ERROR
		   ? 0
		   : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, conditions);
}

static int allow_all(
    scmp_filter_ctx filter, const char *calls, const struct argument arguments[static 2])
{
	char name[32];
	int error = 0;

	while (error == 0 && *calls != '\0') {
		size_t len = strcspn(calls, " ");
		memcpy(name, calls, len);
		name[len] = '\0';
		error = allow(filter, name, arguments);
		calls += len + (calls[len] == ' ');
	}
	return error;
}

/*
 * For all threads; refusals get into the kernel's audit where it can. tgkill() of ourselves is raise(), which
 * abort() ends the process with.
 */
static int fill(scmp_filter_ctx filter)
{
	const struct argument ourselves[2] = {{0, INT, (scmp_datum_t)getpid()}};
	int error = allow(filter, "tgkill", ourselves);

	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	for (size_t i = 0; i < COUNT(allowed) && error == 0; i++)
		error = allow_all(filter, allowed[i].calls, allowed[i].arguments);
	return error;
}

enum outcome sandbox_limit_calls(bool *seccomp)
{
	enum outcome outcome = EST_OK;
	scmp_filter_ctx filter;
	int error;

	*seccomp = false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("no_new_privs", errno);
	if (SANITIZED)
		return EST_OK;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	error = filter == NULL ? -ENOMEM : fill(filter);
	if (error != 0) {
		outcome = failed("the list of calls", -error);
		goto out;
	}
	error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (error == 0)
		error = seccomp_load(filter);
	*seccomp = error == 0;
	if (error != 0 && !is_lacking(-error))
		outcome = failed("seccomp", -error);
out:
	seccomp_release(filter);
	return outcome;
}
