/*
 * Unit tests of cgi/instance.h: J1, what of its instance a worker still reaches once it serves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdatomic.h>

#include <cmocka.h>

#include <openssl/objects.h>

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

/* --- the store's own thread --- */

/* What that thread is to try next, and what became of it. */
static const struct attempt *_Atomic errand;
static atomic_bool errand_refused;

/*
 * In place of the C library's, which the store's thread (common/store/gate.c) calls at each of its looks: so a test
 * gets into that thread, which has no door of its own.
 */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	const struct attempt *attempt = NULL;

	if (syscall(SYS_gettid) != getpid())
		attempt = atomic_load(&errand);
	if (attempt != NULL) {
		atomic_store(&errand_refused, is_refused(attempt));
		atomic_store(&errand, NULL);
	}
	return (int)syscall(SYS_clock_gettime, clock, now);
}

/* The store's thread looks ten times a second. */
static bool is_refused_there(const struct attempt *attempt)
{
	atomic_store(&errand, attempt);
	for (int i = 0; i < 500 && atomic_load(&errand) != NULL; i++)
		(void)nanosleep(&(struct timespec){0, 10000000}, NULL);
	if (atomic_exchange(&errand, NULL) != NULL)
		complain(attempt->what, "is not tried: the store's thread does not run");
	return atomic_load(&errand_refused);
}

/* --- what libraries read when they first need it --- */

/* A name for an object identifier that only openssl.cnf gives, and a time zone that only its file knows (RFC 8536). */
static void write_ahead(void)
{
	static const char zone[] = "TZif\0" /* and 15 unused octets */
				   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* no changes, */
				   "\0\0\0\1\0\0\0\4"                 /* one type, */
				   "\0\0\0\143\0\0TST";               /* 99 s east */
	FILE *file = fopen("outside/zone", "we");
	char path[128];

	if (file == NULL || fwrite(zone, 1, sizeof(zone), file) != sizeof(zone) ||
	    fclose(file) != 0)
		complain("outside/zone", "cannot be written");
	(void)snprintf(path, sizeof(path), ":%s/outside/zone", place);
	(void)setenv("TZ", path, 1);
	file = fopen("outside/openssl.cnf", "we");
	if (file == NULL ||
	    fputs("openssl_conf = init\n[init]\noid_section = oids\n[oids]\nreadAhead = 1.2.3.4\n",
		file) < 0 ||
	    fclose(file) != 0)
		complain("outside/openssl.cnf", "cannot be written");
	(void)snprintf(path, sizeof(path), "%s/outside/openssl.cnf", place);
	(void)setenv("OPENSSL_CONF", path, 1);
}

static void look_ahead(void)
{
	const time_t then = 0;
	struct tm local = {0};

	if (localtime_r(&then, &local) == NULL || local.tm_gmtoff != 99)
		complain("the time zone", "was not read before the sandbox");
	if (OBJ_txt2nid("readAhead") == NID_undef)
		complain("openssl.cnf", "was not read before the sandbox");
}

/* --- inside --- */

/* Each in both threads of a worker. What the kernel has was asked before. */
static void try_away(void)
{
	for (size_t i = 0; i < COUNT(away); i++) {
		if (!is_refusable(&away[i]))
			continue;
		if (!is_refused(&away[i]))
			complain(away[i].what, "is reached");
		if (!is_refused_there(&away[i]))
			complain(away[i].what, "is reached by the store's thread");
	}
}

static void serve_inside(void)
{
	struct store_totals totals = {0};

	ask_kernel();
	write_ahead();
	open_instance();
	for (size_t i = 0; i < COUNT(there); i++)
		if (make_attempt(&there[i]) < 0)
			complain(there[i].what, "is not reached");
	try_away();
	look_ahead();
	if (store_totals(instance.service->store, 0, &totals) != EST_OK)
		complain("the store", reason_text());
	instance_close(&instance);
}

static void test_inside(void **state)
{
	char line[128];

	(void)state;
	need_sandbox();
	write_config("");
	run_well(serve_inside);
	(void)snprintf(line, sizeof(line), "entered: no_new_privs, Landlock ABI %d, %s",
	    findings->abi, findings->seccomp ? "seccomp" : "no seccomp");
	assert_true(log_says(line));
	if (findings->abi == 0 || !findings->seccomp)
		print_message("this kernel lacks a part of the sandbox: not all was tried\n");
}

static void serve_outside(void)
{
	open_instance();
	for (size_t i = 0; i < COUNT(away); i++)
		if (is_refused(&away[i]))
			complain(away[i].what, "is refused");
	if (is_refused_there(&away[0]))
		complain(away[0].what, "is refused to the store's thread");
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
