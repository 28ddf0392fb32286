/*
 * Unit tests of cgi/instance.h: J1, what of its instance a worker still reaches once it serves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>

#include <cmocka.h>

#include "cgi/instance.h"
#include "common/base/log.h"
#include "tests/unit/sandbox_test.h"

static void write_config(const char *more)
{
	FILE *file = fopen("est.conf", "we");

	assert_non_null(file);
	fprintf(file,
	    "state = \"own\"; log = \"log/log\"; cache = \"1M\"; %s\n"
	    "ca = ( { name = \"a\"; certificate = \"a.pem\"; key = \"log/key\"; } );\n"
	    "profile = ( { name = \"p\"; } );\n"
	    "label = ( { name = \"\"; ca = \"a\"; profile = \"p\"; } );\n",
	    more);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(setenv("EST_CONFIG", "est.conf", 1), 0);
}

static struct instance instance;

static void open_instance(void)
{
	instance = (struct instance){.program = "test_instance", .what = SERVICE_STORE};
	if (instance_open(&instance) != EST_OK || !instance.ready || instance.service == NULL)
		complain("instance_open", reason_text());
}

/* The log's line of the sandbox, which is what a worker says of itself. */
static bool log_says(const char *text)
{
	char content[4096] = "";
	FILE *file = fopen("log/log", "re");

	if (file != NULL) {
		size_t got = fread(content, 1, sizeof(content) - 1, file);
		content[got] = '\0';
		(void)fclose(file);
	}
	return strstr(content, text) != NULL;
}

static void count_threads(unsigned *count, unsigned *newest)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;

	*count = *newest = 0;
	while (tasks != NULL && (task = readdir(tasks)) != NULL) {
		unsigned id = (unsigned)strtoul(task->d_name, NULL, 10);
		*count += id > 0;
		*newest = id > *newest ? id : *newest;
	}
	(void)closedir(tasks);
}

/* What is beneath "name" of the instance, as a worker sees it. */
static const struct attempt away[] = {
    {"est.conf", FILES, OPEN("est.conf", O_RDONLY)},
    {"a key beside the log", FILES, OPEN("log/key", O_RDONLY)},
    {"what is beside est.conf", FILES, OPEN("outside/file", O_RDONLY)},
    {"a file beside est.conf, anew", FILES, OPEN("made", O_WRONLY | O_CREAT)},
    {"/etc/passwd", FILES, OPEN("/etc/passwd", O_RDONLY)},
    {"another's /proc", FILES, try_parents_proc, 0, {0}},
    {"execve", CALLS, NULL, SYS_execve, {TEXT("own/nothing"), 0, 0}},
    {"socket(AF_INET)", CALLS, SOCKET(AF_INET, SOCK_STREAM)},
};

static const struct attempt there[] = {
    {"the store", FILES, OPEN("own/gate", O_RDWR)},
    {"a log file of the store", FILES, OPEN("own/new", O_RDWR | O_CREAT | O_EXCL)},
    {"the log", FILES, OPEN("log/log", O_WRONLY | O_APPEND | O_CREAT)},
    {"the log, anew", FILES, OPEN("log/another", O_WRONLY | O_APPEND | O_CREAT)},
    {"its own map", FILES, OPEN("/proc/self/maps", O_RDONLY)},
    {"/dev/urandom", FILES, OPEN("/dev/urandom", O_RDONLY)},
};

/* Landlock is in force where /etc cannot be listed any more, seccomp where the kernel says so. */
static bool in_force(const struct attempt *attempt)
{
	bool landlock = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0;

	return attempt->part == FILES ? landlock : socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static void serve_inside(void)
{
	struct store_totals totals = {0};

	open_instance();
	for (size_t i = 0; i < COUNT(there); i++)
		if (make_attempt(&there[i]) < 0)
			complain(there[i].what, "is not reached");
	for (size_t i = 0; i < COUNT(away); i++)
		if (in_force(&away[i]) && !is_refused(&away[i]))
			complain(away[i].what, "is reached");
	if (store_totals(instance.service->store, 0, &totals) != EST_OK)
		complain("the store", reason_text());
	instance_close(&instance);
}

static void test_inside(void **state)
{
	(void)state;
	need_sandbox();
	write_config("");
	run_well(serve_inside);
	assert_true(log_says("entered: no_new_privs, Landlock ABI "));
}

static void serve_outside(void)
{
	open_instance();
	for (size_t i = 0; i < COUNT(away); i++)
		if (is_refused(&away[i]))
			complain(away[i].what, "is refused");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
		complain("no_new_privs", "is set");
	instance_close(&instance);
}

static void test_outside(void **state)
{
	(void)state;
	write_config("sandbox = false;");
	run_well(serve_outside);
	assert_true(log_says("sandbox = false"));
}

/* RFC 3875: a process a request; its log has a line for that and no other. */
static void serve_once(void)
{
	(void)setenv("REQUEST_METHOD", "GET", 1);
	open_instance();
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 && errno != EPERM)
		complain("no_new_privs", "is not set");
	instance_close(&instance);
}

static void test_plain_cgi(void **state)
{
	(void)state;
	write_config("");
	run_well(serve_once);
	assert_false(log_says("sandbox"));
}

/* Until its configuration is mended a process is in no sandbox, which would keep it from reading that. */
static void mend(void)
{
	instance = (struct instance){.program = "test_instance", .what = SERVICE_STORE};
	write_config("nonsense = 1;");
	if (instance_open(&instance) != EST_UNAVAILABLE || instance.ready)
		complain("a broken est.conf", "is served");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
		complain("no_new_privs", "is set too early");
	write_config("");
	if (instance_open(&instance) != EST_OK || !instance.ready)
		complain("a mended est.conf", reason_text());
	if (instance_open(&instance) != EST_OK)
		complain("once more", reason_text());
	instance_close(&instance);
}

static void test_mended(void **state)
{
	(void)state;
	run_well(mend);
}

/* Landlock holds for threads that start after it: the store's is a later one than that which opened it. */
static void rethread(void)
{
	struct store_settings settings = {"own", 1 << 20};
	struct store *store = NULL;
	unsigned before, newest_before, after, newest_after;

	if (store_open(&settings, &store) != EST_OK)
		complain("store_open", reason_text());
	count_threads(&before, &newest_before);
	if (store_rethread(store) != EST_OK)
		complain("store_rethread", reason_text());
	count_threads(&after, &newest_after);
	if (before != 2 || after != 2 || newest_after <= newest_before)
		complain("the store's thread", "is not another one");
	store_close(store);
	count_threads(&after, &newest_after);
	if (after != 1)
		complain("the store's thread", "outlives the store");
}

static void test_rethread(void **state)
{
	(void)state;
	run_well(rethread);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    sandbox_test(test_inside),
	    sandbox_test(test_outside),
	    sandbox_test(test_plain_cgi),
	    sandbox_test(test_mended),
	    sandbox_test(test_rethread),
	};

	return cmocka_run_group_tests(tests, place_make, place_remove);
}
