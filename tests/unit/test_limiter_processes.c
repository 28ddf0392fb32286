/*
 * Limits that processes share: exact between them, whoever of them is killed.
 */
#include "limiter_test.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 8
#define KEYS      1000 /* few enough that none has to make room */

struct common {
	atomic_uint ready;
	atomic_uint got[KEYS];
};

static struct common *share(void)
{
	void *common = mmap(
	    NULL, sizeof(struct common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(common != MAP_FAILED);
	return common;
}

/* All start at once, with the same keys in the same order: each slot is wanted by all. */
static int take_all(struct common *common, const char *path)
{
	struct limiter *limiter = NULL;

	(void)alarm(60);
	if (limiter_open(path, &limiter) != EST_OK)
		return 1;
	atomic_fetch_add(&common->ready, 1);
	while (atomic_load(&common->ready) < PROCESSES)
		(void)sched_yield();
	for (unsigned i = 0; i < KEYS; i++)
		atomic_fetch_add(&common->got[i], takes(limiter, i, T0));
	for (unsigned i = 0; i < 50; i++)
		wrong(limiter, KEYS, 1, T0);
	return 0;
}

static void test_processes(void **state)
{
	struct common *common = share();
	struct limiter *limiter;
	const char *path;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		pid_t pids[PROCESSES];
		int status;
		memset(common, 0, sizeof(*common));
		path = path_of("limits");
		for (size_t i = 0; i < PROCESSES; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0)
				_exit(take_all(common, path));
		}
		for (size_t i = 0; i < PROCESSES; i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		for (unsigned i = 0; i < KEYS; i++)
			assert_int_equal(common->got[i], 3);
		limiter = open_at(path);
		/* No wrong guess is lost either: 400, and the next one too. */
		assert_int_equal(wait_of(limiter, KEYS, T0), 900 * SECOND);
		limiter_close(limiter);
		assert_int_equal(unlink(path), 0);
	}
	(void)munmap(common, sizeof(*common));
}

/* Counts keys that nobody counted before, one after the other, until it is killed. */
static void limit_forever(const char *path)
{
	struct limiter *limiter = NULL;

	if (limiter_open(path, &limiter) != EST_OK)
		_exit(1);
	for (unsigned i = 1;; i = i % (KEYS - 1) + 1) {
		(void)takes(limiter, i, T0);
		wrong(limiter, i, 1, T0);
		limiter_right(limiter, LIMITER_ACCOUNT_GUESSES, span_of("key-1"));
	}
}

/*
 * Killed at any moment, a process leaves a file in which every key gets what is its, at once or
 * after the time that the limits say, and what others had counted before.
 */
static void test_killed(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		const struct timespec pause = {.tv_nsec = 200000 + (long)round * 20000};
		const char *path = path_of("limits");
		struct limiter *limiter = open_at(path);
		pid_t pids[2];
		wrong(limiter, 0, 9, T0);
		assert_int_equal(takes(limiter, 0, T0), 3);
		for (size_t i = 0; i < 2; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0)
				limit_forever(path);
		}
		(void)nanosleep(&pause, NULL);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(kill(pids[i], SIGKILL), 0);
			assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
		}
		limiter_close(limiter);
		limiter = open_at(path);
		assert_int_equal(wait_of(limiter, 0, T0), 8 * SECOND);
		assert_int_equal(takes(limiter, 0, T0), 0);
		for (unsigned i = 1; i < KEYS; i++) {
			assert_in_range(takes(limiter, i, T0), 0, 3);
			assert_int_equal(takes(limiter, i, T0), 0);
			assert_int_equal(takes(limiter, i, T0 + 3 * HOUR), 3);
			assert_in_range(wait_of(limiter, i, T0), 0, 900 * SECOND);
		}
		limiter_close(limiter);
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_processes), TEST(test_killed)};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
