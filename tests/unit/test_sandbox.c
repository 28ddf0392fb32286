/*
 * Unit tests of common/base/sandbox.h: J1, what a process inside cannot do any more, what it still can, and how it
 * ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <cmocka.h>

#include "tests/unit/sandbox_test.h"

/* Each in a child of its own, as most of them work. */
static size_t outside;
static void try_outside(void)
{
	findings->faults = is_refused(&forbidden[outside]);
}

static void test_refusals(void **state)
{
	need_sandbox();
	for (outside = 0; outside < COUNT(forbidden); outside++) {
		(void)run(try_outside);
		if (findings->faults > 0)
			print_message("proves nothing, being refused to this user anyway: %s\n",
			    forbidden[outside].what);
		assert_int_equal(place_empty(state) | place_fill(state), 0);
	}
	run_well(enter_and_try);
	assert_string_equal(secret, "a secret");
	if (findings->abi == 0 || !findings->seccomp)
		print_message("this kernel has Landlock ABI %d and %s seccomp: not all was tried\n",
		    findings->abi, findings->seccomp ? "has" : "lacks");
}

static void only_no_new_privs(void)
{
	enter();
	if (findings->abi != 0 || findings->seccomp)
		complain("the sandbox", "says that it is in force");
	if (make_attempt(&forbidden[0]) < 0 && geteuid() == 0)
		complain(forbidden[0].what, "fails");
}

static void test_sanitized(void **state)
{
	(void)state;
	if (!SANITIZED)
		skip();
	run_well(only_no_new_privs);
}

/* A thread that was there before. */
static pthread_barrier_t entered;
static void *other_thread(void *context)
{
	(void)pthread_barrier_wait(&entered);
	errno = 0;
	if (findings->seccomp && (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM))
		complain("socket(AF_INET) in an earlier thread", "is not refused");
	return context;
}

static void enter_with_thread(void)
{
	pthread_t thread;

	(void)pthread_barrier_init(&entered, NULL, 2);
	if (pthread_create(&thread, NULL, other_thread, NULL) != 0)
		complain("pthread_create", "failed");
	enter();
	(void)pthread_barrier_wait(&entered);
	(void)pthread_join(thread, NULL);
	if (findings->seccomp && pthread_create(&thread, NULL, other_thread, NULL) == 0)
		complain("pthread_create", "is not refused");
}

static void test_threads(void **state)
{
	(void)state;
	need_sandbox();
	run_well(enter_with_thread);
}

static void enter_and_abort(void)
{
	enter();
	abort();
}

static void enter_and_crash(void)
{
	volatile char *volatile nowhere = NULL;

	enter();
	(void)signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
	*nowhere = 1;
}

static void enter_and_end_self(void)
{
	(void)signal(SIGTERM, SIG_DFL);
	enter();
	(void)raise(SIGTERM);
}

/* A fault of ours still ends the process, and so does what asks it to end. */
static void test_ends(void **state)
{
	static const struct {
		void (*body)(void);
		int signal;
	} ends[] = {
	    {enter_and_abort, SIGABRT}, {enter_and_crash, SIGSEGV}, {enter_and_end_self, SIGTERM}};

	(void)state;
	need_sandbox();
	for (size_t i = 0; i < COUNT(ends); i++) {
		int status = run(ends[i].body);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), ends[i].signal);
		assert_int_equal(findings->faults, 0);
	}
}

/* A worker that hangs inside the store is ended by the one that recovers it. */
static pid_t hanging;
static void end_hanging(void)
{
	enter();
	if (kill(hanging, SIGKILL) != 0)
		complain("kill(SIGKILL)", "does not work inside");
}

static void test_kill(void **state)
{
	int status;

	(void)state;
	need_sandbox();
	hanging = fork();
	if (hanging == 0) {
		(void)alarm(10);
		(void)pause();
		_exit(0);
	}
	run_well(end_hanging);
	assert_int_equal(waitpid(hanging, &status, 0), hanging);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* procfs forgets its inodes when memory is short, and a rule of Landlock with them. */
static void forget_and_read(void)
{
	int caches = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	enter();
	for (int i = 0; i < 3; i++) {
		int maps;
		if (write(caches, "2", 1) != 1)
			complain("dropping caches", "failed");
		maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
		if (maps < 0)
			complain("/proc/self/maps", "is gone with the caches");
		(void)close(maps);
	}
}

static void test_forgetful_proc(void **state)
{
	(void)state;
	need_sandbox();
	if (access("/proc/sys/vm/drop_caches", W_OK) != 0) {
		print_message("skipped: dropping caches needs root\n");
		skip();
	}
	run_well(forget_and_read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    sandbox_test(test_refusals),
	    sandbox_test(test_sanitized),
	    sandbox_test(test_threads),
	    sandbox_test(test_ends),
	    sandbox_test(test_kill),
	    sandbox_test(test_forgetful_proc),
	};

	return cmocka_run_group_tests(tests, place_make, place_remove);
}
