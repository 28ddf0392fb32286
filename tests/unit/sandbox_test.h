/*
 * sandbox_test.h - a process inside the sandbox: what it must not be able to do any more, what it must still be able
 * to, and the child that tries it all. Included by the tests of the sandbox; after cmocka.h and what it wants.
 *
 * The tests run in a directory of their own, `place`, of which the process inside may write in own/, read in readable/,
 * and append in log/.
 */
#ifndef EST_SANDBOX_TEST_H
#define EST_SANDBOX_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>

#include "common/base/sandbox.h"
#include "common/base/sanitized.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static char place[] = "/tmp/est-sandbox.XXXXXX";
/* Made before the sandbox: a TCP socket; an abstract one that listens; the file outside/open, to be written. */
static int tcp, abstract, opened;
static char secret[16] = "a secret";

/* What the children found, and what the kernel has to give: its own answer, not the sandbox's. */
static struct findings {
	int abi;
	bool seccomp;
	unsigned faults;
} * findings;

/* --- attempts --- */

/* In an attempt's arguments: what is known only when it runs. */
enum { PARENT = -7001, OPENED, TCP_SOCKET };

/* Who refuses it: seccomp; Landlock of any ABI; Landlock from ABI 3, from ABI 4, from ABI 6 on. */
enum part { CALLS = 0, FILES = 1, CUT = 3, TCP = 4, SCOPE = 6 };

struct attempt {
	const char *what;
	enum part part;
	long (*make)(void); /* or */
	long number, arguments[5];
};

#define TEXT(text) ((long)(text))
#define HERE       AT_FDCWD

static long try_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child < 0 ? -1 : waitpid(child, NULL, 0);
}

static long try_parents_proc(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
	return open(path, O_RDONLY | O_CLOEXEC);
}

static long try_protect(int protection)
{
	void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(memory, 4096, protection);
}

static long try_protect_rx(void)
{
	return try_protect(PROT_READ | PROT_EXEC);
}

static long try_protect_rwx(void)
{
	return try_protect(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long try_vm_readv(void)
{
	char copy[sizeof(secret)];
	const struct iovec to = {copy, sizeof(copy)}, from = {secret, sizeof(copy)};

	return process_vm_readv(getppid(), &to, 1, &from, 1, 0);
}

static long try_vm_writev(void)
{
	char copy[sizeof(secret)] = "a secret";
	const struct iovec from = {copy, sizeof(copy)}, to = {secret, sizeof(copy)};

	return process_vm_writev(getppid(), &from, 1, &to, 1, 0);
}

static long try_connect(void)
{
	const struct sockaddr_in there = {
	    .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return connect(tcp, (const struct sockaddr *)&there, sizeof(there));
}

/* The abstract socket, which other programs of this machine, dbus among them, listen at. */
static long try_abstract(void)
{
	struct sockaddr_un there;
	socklen_t size = sizeof(there);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (getsockname(abstract, (struct sockaddr *)&there, &size) != 0)
		return 0;
	return connect(fd, (const struct sockaddr *)&there, size);
}

static long try_openat2(void)
{
	struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 06777};

	return syscall(SYS_openat2, AT_FDCWD, "own/lent2", &how, sizeof(how));
}

static long try_limit(void)
{
	const struct rlimit limit = {64, 64};

	return setrlimit(RLIMIT_NOFILE, &limit);
}

#define MAKE(path, mode)                                                                           \
	NULL, SYS_openat,                                                                          \
	{                                                                                          \
		HERE, TEXT(path), O_WRONLY | O_CREAT | O_CLOEXEC, mode                             \
	}
#define OPEN(path, flags)                                                                          \
	NULL, SYS_openat,                                                                          \
	{                                                                                          \
		HERE, TEXT(path), (flags) | O_CLOEXEC, 0600                                        \
	}
#define SOCKET(family, type)                                                                       \
	NULL, SYS_socket,                                                                          \
	{                                                                                          \
		family, type, 0                                                                    \
	}
#define MAP(protection)                                                                            \
	NULL, SYS_mmap,                                                                            \
	{                                                                                          \
		0, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1                               \
	}

static const struct attempt forbidden[] = {
    {"open /etc/shadow", FILES, OPEN("/etc/shadow", O_RDONLY)},
    {"open /etc/passwd", FILES, OPEN("/etc/passwd", O_RDONLY)},
    {"list /", FILES, OPEN("/", O_RDONLY | O_DIRECTORY)},
    {"read the parent's /proc", FILES, try_parents_proc, 0, {0}},
    {"read outside", FILES, OPEN("outside/file", O_RDONLY)},
    {"write outside", FILES, OPEN("outside/file", O_WRONLY)},
    {"make a file outside", FILES, OPEN("outside/made", O_WRONLY | O_CREAT)},
    {"remove outside", FILES, NULL, SYS_unlinkat, {HERE, TEXT("outside/file"), 0}},
    {"rename from outside", FILES, NULL, SYS_renameat2,
	{HERE, TEXT("outside/file"), HERE, TEXT("own/taken"), 0}},
    {"rename to outside", FILES, NULL, SYS_renameat2,
	{HERE, TEXT("own/file"), HERE, TEXT("outside/carried"), 0}},
    {"write what is to be read", FILES, OPEN("readable/file", O_WRONLY)},
    {"make a file where to read", FILES, OPEN("readable/made", O_WRONLY | O_CREAT)},
    {"read the log", FILES, OPEN("log/log", O_RDONLY)},
    {"read beside the log", FILES, OPEN("log/key", O_RDONLY)},
    {"list the log's directory", FILES, OPEN("log", O_RDONLY | O_DIRECTORY)},
    {"truncate the log", CUT, OPEN("log/log", O_WRONLY | O_TRUNC)},
    {"remove beside the log", FILES, NULL, SYS_unlinkat, {HERE, TEXT("log/key"), 0}},
    {"truncate by path", CALLS, NULL, SYS_truncate, {TEXT("own/file"), 0}},
    {"execve", CALLS, NULL, SYS_execve, {TEXT("own/nothing"), 0, 0}},
    {"execveat", CALLS, NULL, SYS_execveat, {HERE, TEXT("own/nothing"), 0, 0, 0}},
    {"fork", CALLS, try_fork, 0, {0}},
    {"clone3", CALLS, NULL, SYS_clone3, {0, 0}},
    {"socket(AF_INET)", CALLS, SOCKET(AF_INET, SOCK_STREAM)},
    {"socket(AF_INET6)", CALLS, SOCKET(AF_INET6, SOCK_DGRAM)},
    {"socket(AF_NETLINK)", CALLS, SOCKET(AF_NETLINK, SOCK_RAW)},
    {"socket(AF_PACKET)", CALLS, SOCKET(AF_PACKET, SOCK_RAW)},
    {"socket(AF_UNIX, SOCK_STREAM)", CALLS, SOCKET(AF_UNIX, SOCK_STREAM)},
    {"socketpair", CALLS, NULL, SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}},
    {"connect to 127.0.0.1", TCP, try_connect, 0, {0}},
    {"connect to an abstract socket", SCOPE, try_abstract, 0, {0}},
    {"bind", CALLS, NULL, SYS_bind, {TCP_SOCKET, 0, 0}},
    {"listen", CALLS, NULL, SYS_listen, {TCP_SOCKET, 1}},
    {"setsockopt(SO_KEEPALIVE)", CALLS, NULL, SYS_setsockopt,
	{TCP_SOCKET, SOL_SOCKET, SO_KEEPALIVE, TEXT(secret), 4}},
    {"process_vm_readv", CALLS, try_vm_readv, 0, {0}},
    {"process_vm_writev", CALLS, try_vm_writev, 0, {0}},
    {"pidfd_open", CALLS, NULL, SYS_pidfd_open, {PARENT, 0}},
    {"kill(parent, SIGTERM)", CALLS, NULL, SYS_kill, {PARENT, SIGTERM}},
    {"kill(-1, 0)", CALLS, NULL, SYS_kill, {-1, 0}},
    {"kill(a group that is not there, 0)", CALLS, NULL, SYS_kill, {INT_MIN + 1, 0}},
    {"kill(a group that is not there, SIGKILL)", CALLS, NULL, SYS_kill, {INT_MIN + 1, SIGKILL}},
    {"tgkill(parent, SIGTERM)", CALLS, NULL, SYS_tgkill, {PARENT, PARENT, SIGTERM}},
    {"tkill(parent, SIGTERM)", CALLS, NULL, SYS_tkill, {PARENT, SIGTERM}},
    {"rt_sigqueueinfo", CALLS, NULL, SYS_rt_sigqueueinfo, {PARENT, SIGTERM, 0}},
    {"fcntl(F_SETOWN)", CALLS, NULL, SYS_fcntl, {OPENED, F_SETOWN, PARENT}},
    {"mprotect(READ, EXEC)", CALLS, try_protect_rx, 0, {0}},
    {"mprotect(READ, WRITE, EXEC)", CALLS, try_protect_rwx, 0, {0}},
    {"mmap(READ, WRITE, EXEC)", CALLS, MAP(PROT_READ | PROT_WRITE | PROT_EXEC)},
    {"mmap(EXEC)", CALLS, MAP(PROT_EXEC)},
    {"pkey_mprotect(EXEC)", CALLS, NULL, SYS_pkey_mprotect, {0, 0, PROT_EXEC, -1}},
    {"personality", CALLS, NULL, SYS_personality, {0xffffffffL}},
    {"memfd_create", CALLS, NULL, SYS_memfd_create, {TEXT("x"), 0}},
    {"prctl(PR_SET_DUMPABLE)", CALLS, NULL, SYS_prctl, {PR_SET_DUMPABLE, 0}},
    {"unshare", CALLS, NULL, SYS_unshare, {0}},
    {"mount", CALLS, NULL, SYS_mount, {0, 0, 0, 0, 0}},
    {"mkdir", CALLS, NULL, SYS_mkdirat, {HERE, TEXT("own/directory"), 0700}},
    {"symlink", CALLS, NULL, SYS_symlinkat, {TEXT("/etc/passwd"), HERE, TEXT("own/symlink")}},
    {"link", CALLS, NULL, SYS_linkat, {HERE, TEXT("own/file"), HERE, TEXT("own/link"), 0}},
    {"mkfifo", CALLS, NULL, SYS_mknodat, {HERE, TEXT("own/fifo"), S_IFIFO | 0600, 0}},
    {"chmod", CALLS, NULL, SYS_fchmodat, {HERE, TEXT("own/file"), 0600}},
    {"fchmod(04755)", CALLS, NULL, SYS_fchmod, {OPENED, 04755}},
    {"make a file of mode 06777", CALLS, MAKE("own/lent", 06777)},
    {"make a file of mode 04700", CALLS, MAKE("own/lent", 04700)},
    {"make a file of mode 02070", CALLS, MAKE("own/lent", 02070)},
    {"make one of mode 06777 with openat2", CALLS, try_openat2, 0, {0}},
    {"chown", CALLS, NULL, SYS_fchownat, {HERE, TEXT("own/file"), -1, -1, 0}},
    {"setuid", CALLS, NULL, SYS_setresuid, {-1, -1, -1}},
    {"chdir", CALLS, NULL, SYS_chdir, {TEXT("own")}},
    {"ioctl", CALLS, NULL, SYS_ioctl, {OPENED, 0x5421 /* FIONBIO */, TEXT(secret)}},
    {"setrlimit", CALLS, try_limit, 0, {0}},
    {"io_uring_setup", CALLS, NULL, SYS_io_uring_setup, {0, 0}},
    {"bpf", CALLS, NULL, SYS_bpf, {-1, 0, 0}},
    {"keyctl", CALLS, NULL, SYS_keyctl, {0, -3, 0}},
    {"shmget", CALLS, NULL, SYS_shmget, {0, 4096, 0}},
    {"landlock_create_ruleset", CALLS, NULL, SYS_landlock_create_ruleset, {0, 0, 0}},
    {"ptrace", CALLS, NULL, SYS_ptrace, {PTRACE_TRACEME, 0, 0, 0}},
};

static long can_write_open(void)
{
	return write(opened, "x", 1) == 1 && fsync(opened) == 0 && fdatasync(opened) == 0 ? 0 : -1;
}

static long can_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(opened, F_SETLK, &lock) | fcntl(opened, F_GETLK, &lock);
}

static long can_tell_time(void)
{
	struct timespec now;

	return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) |
	       nanosleep(&(struct timespec){0, 1000}, NULL);
}

static long can_allocate(void)
{
	for (size_t size = 1; size < 64 << 20; size *= 2) {
		char *memory = malloc(size);
		if (memory == NULL)
			return -1;
		memset(memory, 1, size);
		free(memory);
	}
	(void)malloc_trim(0);
	return try_protect(PROT_READ | PROT_WRITE);
}

static long can_limit_wait(void)
{
	const struct timeval most = {1, 0};

	return setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)) |
	       setsockopt(tcp, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

static long can_mask_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

static const struct attempt needed[] = {
    {"make a file", FILES, OPEN("own/made", O_WRONLY | O_CREAT | O_EXCL)},
    {"make a file of mode 0777", FILES, MAKE("own/free", 0777)},
    {"rename it", FILES, NULL, SYS_renameat2,
	{HERE, TEXT("own/made"), HERE, TEXT("own/renamed"), 0}},
    {"truncate it", FILES, OPEN("own/renamed", O_WRONLY | O_TRUNC)},
    {"remove it", FILES, NULL, SYS_unlinkat, {HERE, TEXT("own/renamed"), 0}},
    {"list the directory", FILES, OPEN("own", O_RDONLY | O_DIRECTORY)},
    {"read", FILES, OPEN("readable/file", O_RDONLY)},
    {"append to the log", FILES, OPEN("log/log", O_WRONLY | O_APPEND | O_CREAT)},
    {"make the log anew", FILES, OPEN("log/anew", O_WRONLY | O_APPEND | O_CREAT)},
    {"read /proc/self/maps", FILES, OPEN("/proc/self/maps", O_RDONLY)},
    {"write to what is open", CALLS, can_write_open, 0, {0}},
    {"fchmod(0660)", CALLS, NULL, SYS_fchmod, {OPENED, 0660}},
    {"lock a file", CALLS, can_lock, 0, {0}},
    {"getrandom", CALLS, NULL, SYS_getrandom, {TEXT(secret), 0, 0}},
    {"tell the time", CALLS, can_tell_time, 0, {0}},
    {"mmap(READ, WRITE)", CALLS, MAP(PROT_READ | PROT_WRITE)},
    {"allocate and give back memory", CALLS, can_allocate, 0, {0}},
    {"kill(parent, 0)", CALLS, NULL, SYS_kill, {PARENT, 0}},
    {"a socket for syslog", CALLS, SOCKET(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC)},
    {"limit the wait for a peer", CALLS, can_limit_wait, 0, {0}},
    {"block signals", CALLS, can_mask_signals, 0, {0}},
};

static inline long argument_of(long value)
{
	return value == PARENT       ? getppid()
	       : value == OPENED     ? opened
	       : value == TCP_SOCKET ? tcp
				     : value;
}

static inline long make_attempt(const struct attempt *attempt)
{
	long a[COUNT(attempt->arguments)];

	errno = 0;
	if (attempt->make != NULL)
		return attempt->make();
	for (size_t i = 0; i < COUNT(a); i++)
		a[i] = argument_of(attempt->arguments[i]);
	return syscall(attempt->number, a[0], a[1], a[2], a[3], a[4], 0L);
}

static inline bool is_refused(const struct attempt *attempt)
{
	return make_attempt(attempt) < 0 && (errno == EPERM || errno == EACCES);
}

/* --- in the children --- */

static inline void complain(const char *what, const char *how)
{
	const char *cause = errno == 0 ? "it worked" : strerror(errno);

	findings->faults++;
	fprintf(stderr, "%s: %s (%s)\n", what, how, cause);
}

/* The ABI of Landlock, 0 where there is none. */
static inline int kernel_landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 || SANITIZED ? 0 : (int)abi;
}

/* seccomp, for all threads: it gets as far as to look for the filter. */
static inline bool kernel_seccomp(void)
{
	return !SANITIZED &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, NULL) < 0 &&
	       errno == EFAULT;
}

static inline void ask_kernel(void)
{
	findings->abi = kernel_landlock();
	findings->seccomp = kernel_seccomp();
}

/* All that the kernel has; the sandbox says so. */
static inline void enter(void)
{
	int abi = -1;
	bool seccomp = false;
	static const struct sandbox_path paths[] = {{"own", SANDBOX_WRITE},
	    {"readable", SANDBOX_READ}, {"log", SANDBOX_APPEND}, {"/proc/self/maps", SANDBOX_READ},
	    {"/nowhere/at/all", SANDBOX_WRITE}};

	ask_kernel();
	if (sandbox_limit_files(paths, COUNT(paths), &abi) != EST_OK ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || sandbox_limit_calls(&seccomp) != EST_OK)
		complain("the sandbox", reason_text());
	if (abi != findings->abi)
		complain("Landlock", "is not what the kernel has");
	if (seccomp != findings->seccomp)
		complain("seccomp", "is not what the kernel has");
}

/* Whether the kernel has what is to refuse it. */
static inline bool is_refusable(const struct attempt *attempt)
{
	return attempt->part == CALLS ? findings->seccomp : findings->abi >= (int)attempt->part;
}

/* All attempts, as far as the kernel has what refuses them. */
static inline void try_all(void)
{
	for (size_t i = 0; i < COUNT(needed); i++)
		if (make_attempt(&needed[i]) < 0)
			complain(needed[i].what, "does not work inside");
	for (size_t i = 0; i < COUNT(forbidden); i++)
		if (is_refusable(&forbidden[i]) && !is_refused(&forbidden[i]))
			complain(forbidden[i].what, "is not refused");
}

static inline void enter_and_try(void)
{
	enter();
	try_all();
}

/* --- in the parent --- */

static inline int put_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, "content\n", 8) == 8 ? close(fd) : -1;
}

static inline int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

/* At a name of the kernel's choice (unix(7), autobind). */
static inline int listen_abstract(void)
{
	const struct sockaddr_un any = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return bind(fd, (const struct sockaddr *)&any, sizeof(any.sun_family)) == 0 ? fd : -1;
}

/* The place as it was. */
static inline int place_fill(void **state)
{
	static const char *const directories[] = {"own", "readable", "log", "outside"};
	static const char *const files[] = {
	    "own/file", "readable/file", "log/log", "log/key", "outside/file", "outside/open"};
	int wrong = nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	(void)state;
	for (size_t i = 0; i < COUNT(directories); i++)
		wrong |= mkdir(directories[i], 0700);
	for (size_t i = 0; i < COUNT(files); i++)
		wrong |= put_file(files[i]);
	opened = open("outside/open", O_RDWR | O_CLOEXEC);
	tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	abstract = listen_abstract();
	return wrong != 0 || opened < 0 || tcp < 0 || abstract < 0 ? -1 : 0;
}

static inline int place_empty(void **state)
{
	(void)state;
	return close(opened) | close(tcp) | close(abstract);
}

static inline int place_make(void **state)
{
	(void)state;
	findings = mmap(
	    NULL, sizeof(*findings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)signal(SIGTERM, SIG_IGN); /* attempts to send it end nobody */
	return findings == MAP_FAILED || mkdtemp(place) == NULL ? -1 : chdir(place);
}

static inline int place_remove(void **state)
{
	(void)state;
	return nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS) | rmdir(place);
}

#define sandbox_test(test) cmocka_unit_test_setup_teardown(test, place_fill, place_empty)

/* Runs it in a child, in at most ten seconds; gives the child's status. */
static inline int run(void (*body)(void))
{
	int status = 0;
	pid_t child;

	*findings = (struct findings){0};
	(void)fflush(NULL);
	child = fork();
	if (child == 0) {
		(void)alarm(10);
		body();
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static inline void run_well(void (*body)(void))
{
	int status = run(body);

	assert_true(WIFEXITED(status));
	assert_int_equal(findings->faults, 0);
}

static inline void need_sandbox(void)
{
	if (!SANITIZED)
		return;
	print_message(
	    "skipped: built with sanitizers, whose runtime needs more than the sandbox allows\n");
	skip();
}

#endif
