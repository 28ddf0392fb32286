/*
 * Unit tests of common/base/sandbox.h on kernels that lack parts of it: a filter of seccomp that was there before
 * answers in the kernel's place, as that of a container does. And syslog, whose daemon restarts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <endian.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/mount.h>
#include <syslog.h>
#include <ucontext.h>

#include <cmocka.h>

#include "tests/unit/sandbox_test.h"

/*
 * From here on the call does that instead where its argument of that place is `value`; ANY: wherever. Without
 * libseccomp, which remembers what the kernel had when it was first asked.
 */
enum { ANY = -1 };
static void instead(long call, unsigned place_of, long value, uint32_t action)
{
	const uint32_t argument =
	    offsetof(struct seccomp_data, args) + place_of * 8 + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0);
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),
	    BPF_JUMP(BPF_JMP | (value == ANY ? BPF_JGE : BPF_JEQ) | BPF_K,
		value == ANY ? 0 : (uint32_t)value, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, action),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {COUNT(code), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		complain("the kernel", "cannot be made to lack anything");
}

static void fail_with(long call, int error)
{
	instead(call, 0, ANY, SECCOMP_RET_ERRNO | (uint32_t)error);
}

static int lacking; /* the errno, or the ABI, that the kernel answers with */

static void without_landlock(void)
{
	fail_with(SYS_landlock_create_ruleset, lacking);
	enter();
	if (findings->abi != 0)
		complain("Landlock", "is said to be in force");
	if (!findings->seccomp)
		complain("seccomp", "is not in force");
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0)
		complain("/etc/passwd", "cannot be read, so Landlock was not away");
	try_all();
}

static void test_no_landlock(void **state)
{
	static const int errors[] = {ENOSYS, EOPNOTSUPP, EPERM};

	need_sandbox();
	for (size_t i = 0; i < COUNT(errors); i++) {
		lacking = errors[i];
		run_well(without_landlock);
		assert_int_equal(place_empty(state) | place_fill(state), 0);
	}
}

static void without_seccomp(void)
{
	fail_with(SYS_seccomp, lacking);
	instead(SYS_prctl, 0, PR_SET_SECCOMP, SECCOMP_RET_ERRNO | (uint32_t)lacking);
	enter();
	if (findings->seccomp)
		complain("seccomp", "is said to be in force");
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		complain("socket(AF_INET)", "is refused, so seccomp was not away");
	try_all();
}

static void test_no_seccomp(void **state)
{
	static const int errors[] = {ENOSYS, EINVAL, EPERM};

	need_sandbox();
	for (size_t i = 0; i < COUNT(errors); i++) {
		lacking = errors[i];
		run_well(without_seccomp);
		assert_int_equal(place_empty(state) | place_fill(state), 0);
	}
}

static void with_failing_seccomp(void)
{
	/* Flags together: libseccomp asks for each alone before it loads its filter, with the last one since 2.5. */
	enum {
		LOADING = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG,
		LOADING_NOW = LOADING | SECCOMP_FILTER_FLAG_TSYNC_ESRCH
	};

	instead(SYS_seccomp, 1, LOADING, SECCOMP_RET_ERRNO | ENOMEM);
	instead(SYS_seccomp, 1, LOADING_NOW, SECCOMP_RET_ERRNO | ENOMEM);
	if (sandbox_limit_calls(&findings->seccomp) != EST_UNAVAILABLE || findings->seccomp)
		complain("seccomp", "failed, and that is passed over");
}

static void with_failing_landlock(void)
{
	fail_with(SYS_landlock_restrict_self, ENOMEM);
	if (sandbox_limit_files(NULL, 0, &findings->abi) != EST_UNAVAILABLE || findings->abi != 0)
		complain("Landlock", "failed, and that is passed over");
}

/* What the kernel has and cannot do just now is no reason to go on without. */
static void test_failures(void **state)
{
	(void)state;
	need_sandbox();
	run_well(with_failing_seccomp);
	run_well(enter);
	if (findings->abi > 0)
		run_well(with_failing_landlock);
}

#if defined(__x86_64__)
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#endif

#ifdef RESULT
static void answer_abi(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	RESULT((ucontext_t *)context) = lacking;
}

/* The question for the version is answered with an older one. */
static void with_abi(void)
{
	const struct sigaction action = {.sa_sigaction = answer_abi, .sa_flags = SA_SIGINFO};

	(void)sigaction(SIGSYS, &action, NULL);
	instead(SYS_landlock_create_ruleset, 2, 1, SECCOMP_RET_TRAP);
	enter();
	if (findings->abi != lacking)
		complain("the ABI", "is not the one that the kernel said");
	try_all();
	if (lacking < TCP && (try_connect() == 0 || errno != ECONNREFUSED))
		complain("TCP", "is refused, of which this ABI knows nothing");
	if (lacking < SCOPE && try_abstract() != 0)
		complain("an abstract socket", "is refused, of which this ABI knows nothing");
}

/* Each ABI up to the kernel's own, and none of its rights is asked of an older one. */
static void test_each_abi(void **state)
{
	int newest;

	need_sandbox();
	run_well(enter);
	newest = findings->abi;
	for (lacking = 1; lacking <= newest; lacking++) {
		run_well(with_abi);
		assert_int_equal(place_empty(state) | place_fill(state), 0);
	}
	print_message("Landlock ABI 1 to %d\n", newest);
}
#endif

/* --- syslog --- */

static int listen_at_dev_log(void)
{
	const struct sockaddr_un here = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)unlink(here.sun_path);
	return fd >= 0 && bind(fd, (const struct sockaddr *)&here, sizeof(here)) == 0 ? fd : -1;
}

static bool hears(int fd, const char *text)
{
	char line[512] = "";

	return recv(fd, line, sizeof(line) - 1, 0) > 0 && strstr(line, text) != NULL;
}

/* The daemon, which comes when it is called; it says when it listens, and what it heard. */
static void serve_syslog(int caller)
{
	char octet;
	int fd;

	(void)alarm(10);
	if (read(caller, &octet, 1) != 1 || (fd = listen_at_dev_log()) < 0)
		_exit(1);
	if (write(caller, "", 1) != 1 || write(caller, hears(fd, "after") ? "y" : "n", 1) != 1)
		_exit(2);
	_exit(0);
}

static bool has_private_dev(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/dev", "tmpfs", 0, NULL) == 0;
}

enum { NO_DEV = 77 };

static void log_through_restart(void)
{
	int daemon[2], fd;
	char octet = 'n';

	if (!has_private_dev())
		_exit(NO_DEV);
	fd = listen_at_dev_log();
	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, daemon) != 0)
		complain("the daemon", "cannot listen");
	if (fork() == 0) {
		(void)close(fd);
		serve_syslog(daemon[1]);
	}
	openlog("test_sandbox", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	enter();
	syslog(LOG_INFO, "before");
	if (!hears(fd, "before"))
		complain("syslog", "does not work inside");
	(void)close(fd);
	if (write(daemon[0], "", 1) != 1 || read(daemon[0], &octet, 1) != 1)
		complain("the daemon", "does not start again");
	syslog(LOG_INFO, "after");
	if (read(daemon[0], &octet, 1) != 1 || octet != 'y')
		complain("syslog", "does not work inside after the daemon's restart");
}

static void test_syslog(void **state)
{
	int status;

	(void)state;
	need_sandbox();
	status = run(log_through_restart);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_DEV) {
		print_message("skipped: a /dev/log of its own needs root\n");
		skip();
	}
	assert_int_equal(findings->faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    sandbox_test(test_no_landlock),
	    sandbox_test(test_no_seccomp),
	    sandbox_test(test_failures),
#ifdef RESULT
	    sandbox_test(test_each_abi),
#endif
	    sandbox_test(test_syslog),
	};

	return cmocka_run_group_tests(tests, place_make, place_remove);
}
