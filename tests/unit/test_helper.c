/*
 * Unit tests of common/base/helper.h: how programs end, what they get and what they do not, and that
 * neither of the two processes is left without the other. The programs are shell scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <limits.h>

#include <cmocka.h>

#include "tests/unit/sandbox_test.h"

#include "common/base/clock.h"
#include "common/base/helper.h"

#define PATIENCE 5 /* seconds, for what should take none */

/* Makes a script in the place; its absolute path is good until the next call. */
static const char *script(const char *name, mode_t mode, const char *text)
{
	static char path[PATH_MAX];
	FILE *file;

	assert_non_null(getcwd(path, sizeof(path) - 64));
	(void)snprintf(path + strlen(path), 64, "/own/%s", name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file) | chmod(path, mode), 0);
	return path;
}

static struct helper *helper_of(const char *path)
{
	struct helper *helper = NULL;

	assert_int_equal(helper_start(&path, 1, &helper), EST_OK);
	assert_false(helper_lost(helper));
	return helper;
}

static struct helper *helper_for(const char *commands)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", commands);
	return helper_of(script("program", 0700, text));
}

/* Runs the program of those commands once; its output as text, NULL where it failed. */
static const char *output_of(const char *commands, struct span input)
{
	static struct buf out;
	struct helper *helper = helper_for(commands);
	enum outcome outcome;

	buf_free(&out);
	reason_clear();
	outcome = helper_run(helper, 0, input, PATIENCE, &out);
	if (outcome == EST_OK)
		assert_false(helper_lost(helper));
	helper_stop(helper);
	return outcome == EST_OK ? buf_string(&out) : NULL;
}

static void assert_fails(struct helper *helper, const char *why)
{
	struct buf out = {0};

	reason_clear();
	assert_int_equal(helper_run(helper, 0, span_of("{}"), 1, &out), EST_UNAVAILABLE);
	if (strstr(reason_text(), why) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", reason_text(), why);
	assert_int_equal(out.len, 0);
	buf_free(&out);
	reason_clear();
}

static void fails(struct helper *helper, const char *why)
{
	assert_fails(helper, why);
	assert_false(helper_lost(helper));
	helper_stop(helper);
}

/* A number that a script wrote down, once it is there. */
static pid_t number_in(const char *name)
{
	long number = 0;

	for (int i = 0; i < 500 && number == 0; i++) {
		FILE *file = fopen(name, "re");
		if (file != NULL && fscanf(file, "%ld", &number) != 1)
			number = 0;
		if (file != NULL)
			(void)fclose(file);
		(void)usleep(10000);
	}
	assert_true(number > 1);
	return (pid_t)number;
}

/* Whether the process has gone, within two seconds; one that nobody has waited for is gone. */
static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 200; i++) {
		char path[64], text[256] = "";
		FILE *file;
		(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
		file = fopen(path, "re");
		if (file == NULL)
			return true;
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		(void)fclose(file);
		if (strstr(text, ") Z") != NULL)
			return true;
		(void)usleep(10000);
	}
	return false;
}

/* --- what it gets and gives --- */

static void test_answers(void **state)
{
	(void)state;
	assert_string_equal(
	    output_of("cat", span_of("{\"a\": \"$(date) 'x'\"}\n")), "{\"a\": \"$(date) 'x'\"}\n");
	assert_string_equal(output_of("cat", (struct span){NULL, 0}), "");
	assert_string_equal(output_of("echo heard; exec 1>&-; sleep 0.2", span_of("x")), "heard\n");
}

static void test_sizes(void **state)
{
	struct buf input = {0};

	(void)state;
	buf_reserve(&input, HELPER_INPUT_MOST);
	memset(input.data, 'x', HELPER_INPUT_MOST);
	input.len = HELPER_INPUT_MOST;
	assert_int_equal(atoi(output_of("wc -c", buf_span(&input))), HELPER_INPUT_MOST);
	/* It does not have to read what it gets. */
	assert_string_equal(output_of("echo here", buf_span(&input)), "here\n");
	assert_string_equal(
	    output_of("exec 0<&-; sleep 0.1; echo here", buf_span(&input)), "here\n");
	assert_int_equal(strlen(output_of("head -c 65536 /dev/zero | tr '\\0' y", span_of(""))),
	    HELPER_OUTPUT_MOST);
	/* It may read and write at once. */
	input.len = HELPER_OUTPUT_MOST;
	assert_int_equal(strlen(output_of("tr x y", buf_span(&input))), HELPER_OUTPUT_MOST);
	buf_free(&input);
}

static void test_too_much(void **state)
{
	struct helper *helper;
	struct buf input = {0}, out = {0};

	(void)state;
	fails(helper_for("head -c 65537 /dev/zero"), "wrote more than 65536 octets");
	fails(helper_for("head -c 1000000 /dev/zero; sleep 60"), "wrote more than 65536 octets");
	fails(helper_for("exec cat /dev/zero"), "wrote more than 65536 octets");
	buf_reserve(&input, HELPER_INPUT_MOST + 1);
	memset(input.data, 'x', HELPER_INPUT_MOST + 1);
	input.len = HELPER_INPUT_MOST + 1;
	helper = helper_for("cat >/dev/null");
	assert_int_equal(helper_run(helper, 0, buf_span(&input), 1, &out), EST_UNAVAILABLE);
	assert_int_equal(helper_run(helper, 1, span_of(""), 1, &out), EST_UNAVAILABLE);
	assert_int_equal(helper_run(helper, 0, span_of(""), 1, &out), EST_OK);
	helper_stop(helper);
	buf_free(&input);
	buf_free(&out);
}

static void test_several(void **state)
{
	char one[PATH_MAX], two[PATH_MAX];
	const char *paths[] = {one, two};
	struct helper *helper = NULL;
	struct buf out = {0};

	(void)state;
	(void)snprintf(one, sizeof(one), "%s", script("one", 0700, "#!/bin/sh\necho one\n"));
	(void)snprintf(two, sizeof(two), "%s", script("two $(x);", 0700, "#!/bin/sh\necho two\n"));
	assert_int_equal(helper_start(paths, 2, &helper), EST_OK);
	memset(one, 'x', 5); /* they are copied */
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(helper_run(helper, i % 2, span_of(""), 1, &out), EST_OK);
	assert_string_equal(buf_string(&out), "one\ntwo\none\ntwo\none\ntwo\n");
	helper_stop(helper);
	buf_free(&out);
}

/* --- what it does not get --- */

static void test_surroundings(void **state)
{
	int open_here = open("own/file", O_RDONLY); /* without O_CLOEXEC */
	struct helper *env;
	struct buf out = {0};

	(void)state;
	assert_int_equal(setenv("HTTP_AUTHORIZATION", "Basic secret", 1), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	env = helper_of("/usr/bin/env");
	assert_int_equal(helper_run(env, 0, span_of(""), PATIENCE, &out), EST_OK);
	assert_string_equal(buf_string(&out), "PATH=/usr/local/bin:/usr/bin:/bin\nLANG=C.UTF-8\n");
	helper_stop(env);
	buf_free(&out);
	/* 10 is the shell's own: the script. */
	assert_string_equal(output_of("ls /proc/$$/fd; readlink /proc/self/fd/2", span_of("")),
	    "0\n1\n10\n2\n/dev/null\n");
	/* What make starts may have two signals blocked that are glibc's own, and stay so. */
	assert_string_equal(output_of("sed -n 's/0000000180000000/0000000000000000/; "
				      "s/^Sig\\(Ign\\|Blk\\):[[:space:]]*//p; "
				      "s/^NoNewPrivs:[[:space:]]*//p' /proc/self/status",
				span_of("")),
	    "0000000000000000\n0000000000000000\n1\n");
	assert_string_equal(
	    output_of("ulimit -c; ulimit -n; umask; pwd; echo $#; echo no >&2", span_of("")),
	    "0\n256\n0077\n/\n0\n");
	assert_int_equal(unsetenv("HTTP_AUTHORIZATION"), 0);
	assert_int_equal(close(open_here), 0);
}

/* Its process has the socket, /dev/null three times, and nothing else of ours. */
static void test_descriptors(void **state)
{
	int open_here = open("own/file", O_RDONLY); /* without O_CLOEXEC */
	struct helper *helper = helper_for("echo $PPID");
	struct buf out = {0};
	char path[64], target[64];
	DIR *directory;
	unsigned count = 0;

	(void)state;
	assert_int_equal(helper_run(helper, 0, span_of(""), PATIENCE, &out), EST_OK);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", atoi(buf_string(&out)));
	directory = opendir(path);
	if (directory == NULL && getuid() != 0) { /* it cannot be dumped, so it is root's */
		helper_stop(helper);
		skip();
	}
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL; count++) {
		ssize_t len = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target));
		if (entry->d_name[0] == '.')
			continue;
		assert_true(len > 0);
		target[len] = '\0';
		assert_true(strcmp(target, "/dev/null") == 0 || strncmp(target, "socket:", 7) == 0);
	}
	assert_int_equal(count, 2 + 4);
	(void)closedir(directory);
	helper_stop(helper);
	assert_int_equal(close(open_here), 0);
	buf_free(&out);
}

/* --- how it fails --- */

static void test_ends(void **state)
{
	(void)state;
	fails(helper_for("echo out; exit 1"), "ended with status 1");
	fails(helper_for("exit 127"), "ended with status 127");
	fails(helper_for("echo out; kill -9 $$"), "killed by signal 9");
	fails(helper_for("kill -SEGV $$"), "killed by signal 11");
	fails(helper_for("kill -TERM $$"), "killed by signal 15");
}

static void test_not_started(void **state)
{
	(void)state;
	fails(helper_of(script("program", 0600, "#!/bin/sh\n")), strerror(EACCES));
	fails(helper_of(script("program", 0700, "no magic\n")), strerror(ENOEXEC));
	fails(helper_of(script("program", 0700, "#!/nowhere/at/all\n")), strerror(ENOENT));
	fails(helper_of("/nowhere/at/all"), strerror(ENOENT));
	fails(helper_of("/tmp"), strerror(EACCES));
}

/* Within a second of the limit, nothing of it left, and the next one is not in its way. */
static void test_late(void **state)
{
	struct helper *helper =
	    helper_for("trap '' TERM; [ -e own/pid ] || cd \"${0%/*}\"\n"
		       "if [ -e pid ]; then echo again; exit; fi\n"
		       "sleep 60 & echo $! >pid.new; mv pid.new pid; wait; sleep 60");
	struct buf out = {0};
	uint64_t before = clock_milliseconds(), took;

	(void)state;
	assert_fails(helper, "did not end within 1 seconds");
	took = clock_milliseconds() - before;
	assert_true(took >= 1000 && took < 2000);
	assert_true(is_gone(number_in("own/pid")));
	assert_false(helper_lost(helper));
	assert_int_equal(helper_run(helper, 0, span_of(""), PATIENCE, &out), EST_OK);
	assert_string_equal(buf_string(&out), "again\n");
	helper_stop(helper);
	buf_free(&out);
}

/* A program that reads nothing while it hangs holds up nobody but itself. */
static void test_late_unfed(void **state)
{
	struct buf input = {0}, out = {0};
	struct helper *helper = helper_for("exec sleep 60");
	uint64_t before = clock_milliseconds();

	(void)state;
	buf_reserve(&input, HELPER_INPUT_MOST);
	memset(input.data, 'x', HELPER_INPUT_MOST);
	input.len = HELPER_INPUT_MOST;
	assert_int_equal(helper_run(helper, 0, buf_span(&input), 1, &out), EST_UNAVAILABLE);
	assert_true(clock_milliseconds() - before < 2000);
	helper_stop(helper);
	buf_free(&input);
}

/* Whoever else has its pipe open: it is over with the program, and so are they. */
static void test_left_behind(void **state)
{
	uint64_t before = clock_milliseconds();

	(void)state;
	assert_string_equal(
	    output_of("cd \"${0%/*}\"; sleep 60 & echo $! >pid; echo done", span_of("")), "done\n");
	assert_true(clock_milliseconds() - before < 1000);
	assert_true(is_gone(number_in("own/pid")));
	/* One that left the group is its own, but what it still writes is not waited for. */
	before = clock_milliseconds();
	assert_string_equal(
	    output_of("cd \"${0%/*}\"; setsid sleep 3 & sleep 0.2; echo done", span_of("")),
	    "done\n");
	assert_true(clock_milliseconds() - before < 1500);
}

/* --- who is left without the other --- */

static void test_lost(void **state)
{
	struct helper *helper = helper_for("echo $PPID");
	struct buf out = {0};
	pid_t process;

	(void)state;
	assert_int_equal(helper_run(helper, 0, span_of(""), PATIENCE, &out), EST_OK);
	process = (pid_t)atol(buf_string(&out));
	buf_free(&out);
	/* Neither the web server's signals nor a terminal's end it. */
	assert_int_equal(kill(process, SIGTERM) | kill(process, SIGINT), 0);
	assert_int_equal(helper_run(helper, 0, span_of(""), PATIENCE, &out), EST_OK);
	assert_int_equal(kill(process, SIGKILL), 0);
	assert_fails(helper, "is gone");
	assert_true(helper_lost(helper));
	assert_fails(helper, "is gone");
	helper_stop(helper);
	assert_false(helper_lost(NULL));
	helper_stop(NULL);
	buf_free(&out);
}

/* What is killed takes its program with it. */
static void test_killed_in_between(void **state)
{
	struct helper *helper =
	    helper_for("cd \"${0%/*}\"; echo $$ >self; kill -9 $PPID; exec sleep 60");
	uint64_t before = clock_milliseconds();

	(void)state;
	assert_fails(helper, "is gone");
	assert_true(clock_milliseconds() - before < 1000);
	assert_true(helper_lost(helper));
	helper_stop(helper);
	assert_true(is_gone(number_in("own/self")));
}

static void test_stopped(void **state)
{
	struct helper *helper = helper_for("kill -STOP $PPID; echo never heard");
	uint64_t before = clock_milliseconds(), took;

	(void)state;
	assert_fails(helper, "hangs");
	took = clock_milliseconds() - before;
	assert_true(took >= 1000 && took < 2000);
	assert_true(helper_lost(helper));
	helper_stop(helper); /* does not wait for what is stopped */
}

/* The owner is killed while the program runs: both processes, and what they started, end. */
static void test_owner_ends(void **state)
{
	pid_t owner = fork();
	int status;

	(void)state;
	if (owner == 0) {
		struct buf out = {0};
		struct helper *helper =
		    helper_for("cd \"${0%/*}\"; sleep 60 &\n"
			       "echo $! >pid; echo $PPID >parent; echo $$ >self; wait");
		(void)helper_run(helper, 0, span_of(""), 30, &out);
		_exit(0);
	}
	(void)number_in("own/self");
	assert_int_equal(kill(owner, SIGKILL), 0);
	assert_int_equal(waitpid(owner, &status, 0), owner);
	assert_true(is_gone(number_in("own/self")));
	assert_true(is_gone(number_in("own/pid")));
	assert_true(is_gone(number_in("own/parent")));
}

/* Whoever stops it has it gone when that returns, and leaves no zombie. */
static void test_stop(void **state)
{
	struct helper *helper = helper_for("echo $PPID");
	struct buf out = {0};
	pid_t process;

	(void)state;
	assert_int_equal(helper_run(helper, 0, span_of(""), PATIENCE, &out), EST_OK);
	process = (pid_t)atol(buf_string(&out));
	helper_stop(helper);
	assert_int_equal(kill(process, 0), -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no children */
	buf_free(&out);
}

/* --- from inside the sandbox --- */

static void inside(void)
{
	struct helper *helper =
	    helper_for("cd \"${0%/*}\"; echo $PPID >parent; cat /etc/passwd; cat");
	struct helper *slow = helper_of(script("slow", 0700, "#!/bin/sh\nexec sleep 60\n"));
	struct buf out = {0};

	enter();
	if (helper_run(helper, 0, span_of("inside"), PATIENCE, &out) != EST_OK)
		complain("helper_run()", reason_text());
	errno = 0;
	if (strstr(buf_string(&out), "inside") == NULL || strstr(buf_string(&out), "root:") == NULL)
		complain("the program", "does not run outside of the sandbox");
	reason_clear();
	if (helper_run(slow, 0, span_of(""), 1, &out) != EST_UNAVAILABLE)
		complain("a slow program", "is waited for");
	if (helper_lost(helper) || helper_lost(slow))
		complain("helper_lost()", "is true");
	helper_stop(helper);
	helper_stop(slow);
	if (findings->seccomp && fork() >= 0)
		complain("fork()", "works, so there was no sandbox");
}

static void test_sandbox(void **state)
{
	(void)state;
	need_sandbox();
	run_well(inside);
	assert_true(is_gone(number_in("own/parent")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    sandbox_test(test_answers),
	    sandbox_test(test_sizes),
	    sandbox_test(test_too_much),
	    sandbox_test(test_several),
	    sandbox_test(test_surroundings),
	    sandbox_test(test_descriptors),
	    sandbox_test(test_ends),
	    sandbox_test(test_not_started),
	    sandbox_test(test_late),
	    sandbox_test(test_late_unfed),
	    sandbox_test(test_left_behind),
	    sandbox_test(test_lost),
	    sandbox_test(test_killed_in_between),
	    sandbox_test(test_stopped),
	    sandbox_test(test_owner_ends),
	    sandbox_test(test_stop),
	    sandbox_test(test_sandbox),
	};

	return cmocka_run_group_tests(tests, place_make, place_remove);
}
