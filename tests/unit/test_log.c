/*
 * Unit tests of common/base/log.h: a line that a full disk cut short does not spoil the one behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/log.h"

static void write_text(const char *text)
{
	log_line(LOG_LEVEL_INFO, span_of(text));
}

/* A file size limit cuts a write short as a full disk does. */
static void test_torn_line(void **state)
{
	char path[] = "/tmp/est-log.XXXXXX";
	struct rlimit limit, before;
	struct buf content = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(log_open(path, "test_log"), EST_OK);
	write_text("{\"n\":1}\n");
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 12;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	write_text("{\"n\":2}\n");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	write_text("{\"n\":3}\n");
	log_close();
	assert_int_equal(file_read(path, 1000, &content), EST_OK);
	assert_string_equal(buf_string(&content), "{\"n\":1}\n{\"n\"\n{\"n\":3}\n");
	buf_free(&content);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_torn_line)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
