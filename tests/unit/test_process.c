/*
 * Unit tests of common/base/process.h: F23, what a program of ours begins with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/process.h"

static const char *const goes[] = {"OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES",
    "SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "DB_HOME", "LD_PRELOAD", "LD_LIBRARY_PATH",
    "LD_AUDIT", "MALLOC_CHECK_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES", "LOCPATH", "GCONV_PATH",
    "TZDIR", "TMPDIR"};

static const char *const stays[] = {"EST_CONFIG", "CREDENTIALS_DIRECTORY", "REQUEST_METHOD",
    "SCRIPT_NAME", "PATH_INFO", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTPS", "HTTP_AUTHORIZATION",
    "REMOTE_ADDR", "SSL_CLIENT_CERT", "SSL_CLIENT_CERT_CHAIN_0", "SSL_CLIENT_VERIFY",
    "SSL_PROTOCOL", "SSL_CIPHER", "PATH", "TZ", "LD", "DB_HOMES", "OPENSSL", "HTTP_LD_PRELOAD",
    "EMPTY"};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void test_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stays) || i < COUNT(goes); i++) {
		if (i < COUNT(goes))
			assert_int_equal(setenv(goes[i], "/tmp/x=y", 1), 0);
		if (i < COUNT(stays))
			assert_int_equal(
			    setenv(stays[i], i + 1 == COUNT(stays) ? "" : "a=b c", 1), 0);
	}
	process_clean_environment();
	for (size_t i = 0; i < COUNT(goes); i++)
		if (getenv(goes[i]) != NULL)
			fail_msg("%s is still there", goes[i]);
	for (size_t i = 0; i < COUNT(stays); i++)
		if (getenv(stays[i]) == NULL)
			fail_msg("%s is gone", stays[i]);
	assert_string_equal(getenv("HTTPS"), "a=b c");
	process_clean_environment();
	assert_string_equal(getenv("EMPTY"), "");
}

static void test_no_environment(void **state)
{
	char **before = environ;

	(void)state;
	environ = NULL;
	process_clean_environment();
	assert_null(environ);
	environ = before;
}

/* 0, or the number of what is wrong. */
static int look(int extra)
{
	struct rlimit core;
	struct sigaction pipe;

	(void)setenv("OPENSSL_CONF", "/tmp/x", 1);
	process_begin();
	if (getenv("OPENSSL_CONF") != NULL)
		return 1;
	if (fcntl(extra, F_GETFD) != -1)
		return 2;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
		return 3;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 4;
	if (sigaction(SIGPIPE, NULL, &pipe) != 0 || pipe.sa_handler != SIG_IGN)
		return 5;
	return umask(0) == 0007 ? 0 : 6;
}

static void test_begin(void **state)
{
	int extra = open("/dev/null", O_RDONLY), status = 0;
	pid_t child;

	(void)state;
	assert_true(extra > 2);
	child = fork();
	if (child == 0)
		_exit(look(extra));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(extra);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_environment),
	    cmocka_unit_test(test_no_environment),
	    cmocka_unit_test(test_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
