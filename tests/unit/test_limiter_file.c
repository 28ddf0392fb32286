/*
 * The file of the limits: made, found again, and damaged.
 */
#include "limiter_test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "common/base/file.h"

static void test_reopened(void **state)
{
	const char *path = path_of("limits");
	struct limiter *limiter = open_at(path), *other;

	(void)state;
	assert_int_equal(takes(limiter, 1, T0), 3);
	wrong(limiter, 1, 8, T0);
	other = open_at(path); /* both at once, then after both */
	assert_int_equal(takes(other, 1, T0), 0);
	assert_int_equal(wait_of(other, 1, T0), 4 * SECOND);
	limiter_close(limiter);
	limiter_close(other);
	limiter_close(NULL);
	limiter = open_at(path);
	assert_int_equal(takes(limiter, 1, T0 + HOUR), 1);
	assert_int_equal(wait_of(limiter, 1, T0 + SECOND), 3 * SECOND);
	limiter_close(limiter);
}

/* The group shares it, whatever the umask; its disk space is all there; no descriptor stays. */
static void test_file(void **state)
{
	const char *path = path_of("limits");
	mode_t mask = umask(077);
	int first = dup(0);
	struct limiter *limiter = open_at(path);
	struct stat about;

	(void)state;
	(void)umask(mask);
	assert_int_equal(close(first), 0);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0660);
	assert_true(about.st_blocks * 512 >= about.st_size);
	assert_in_range(about.st_size, 1 << 20, 2 << 20);
	assert_int_equal(about.st_nlink, 1);
	assert_int_equal(dup(0), first);
	assert_int_equal(close(first), 0);
	limiter_close(limiter);
}

static struct span content_of(const char *path)
{
	struct buf content = {0};

	assert_outcome(EST_OK, file_read(path, 4 << 20, &content));
	return maker_keep(&content);
}

/* Names are nobody's business: not even their hash is the same in two files. */
static void test_keys_hidden(void **state)
{
	static const char *const names[] = {"one", "other"};
	struct span content[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct limiter *limiter = open_at(path_of(names[i]));
		wrong(limiter, 7, 6, T0);
		limiter_close(limiter);
		content[i] = content_of(path_of(names[i]));
		assert_null(memmem(content[i].data, content[i].len, "key-7", 5));
	}
	assert_false(span_equal(content[0], content[1]));
}

static void assert_made_anew(const char *path)
{
	struct limiter *limiter = open_at(path);

	assert_int_equal(takes(limiter, 1, T0), 3);
	wrong(limiter, 1, 6, T0);
	limiter_close(limiter);
	limiter = open_at(path);
	assert_int_equal(takes(limiter, 1, T0), 0);
	assert_int_equal(wait_of(limiter, 1, T0), SECOND);
	limiter_close(limiter);
}

static void test_no_file_of_ours(void **state)
{
	const char *path = path_of("limits");
	struct span good, odd;
	unsigned char *data;
	size_t cuts[] = {0, 1, 127, 4096, 0, 0};

	(void)state;
	assert_made_anew(path);
	good = content_of(path);
	cuts[4] = good.len / 2;
	cuts[5] = good.len - 1;
	data = mem_alloc(good.len + 1);
	odd = (struct span){data, good.len};
	for (size_t i = 0; i < COUNT(cuts); i++) {
		assert_outcome(EST_OK, file_write(path, 0600, (struct span){good.data, cuts[i]}));
		assert_made_anew(path);
	}
	assert_outcome(EST_OK, file_write(path, 0600, odd)); /* zeros */
	assert_made_anew(path);
	memcpy(data, good.data, good.len);
	assert_outcome(EST_OK, file_write(path, 0600, (struct span){data, good.len + 1}));
	assert_made_anew(path);
	for (size_t i = 0; i < 40; i += 4) { /* the magic, the version, the sizes */
		data[i] ^= 0x40;
		assert_outcome(EST_OK, file_write(path, 0600, odd));
		assert_made_anew(path);
		data[i] ^= 0x40;
	}
	free(data);
}

/*
 * Whatever stands in place of a word: nobody gets more than a burst, or waits longer than he would
 * by the limits, and waiting that long is enough.
 */
static void assert_bounded(const char *path)
{
	struct limiter *limiter = open_at(path);
	int64_t now = T0, wait = wait_of(limiter, 1, now);
	char text[32];

	assert_in_range(wait, 0, 900 * SECOND);
	assert_int_equal(wait_of(limiter, 1, now + wait), 0);
	assert_in_range(takes(limiter, 1, now), 0, 3);
	wait = limiter_take(limiter, LIMITER_IDENTITY, numbered(1, text), &three, now);
	assert_in_range(wait, 1, HOUR);
	assert_in_range(takes(limiter, 1, now + wait), 1, 3);
	assert_int_equal(takes(limiter, 1, now + 4 * HOUR), 3);
	limiter_close(limiter);
}

static void test_damaged_words(void **state)
{
	static const uint64_t damages[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, 0x7fffffffffffffff,
	    UINT64_C(0xfffff00000000000), UINT64_C(0x00000fffffffffff), 0x0123456789abcdef};
	const char *path = path_of("limits");
	unsigned char *data;
	struct span good;
	unsigned damaged = 0;

	(void)state;
	assert_made_anew(path);
	good = content_of(path);
	data = mem_alloc(good.len);
	for (size_t at = 40; at < good.len; at += 8) {
		uint64_t word;
		memcpy(&word, good.data + at, sizeof(word));
		for (size_t i = 0; word != 0 && i < COUNT(damages); i++, damaged++) {
			memcpy(data, good.data, good.len);
			memcpy(data + at, &damages[i], sizeof(word));
			assert_outcome(
			    EST_OK, file_write(path, 0600, (struct span){data, good.len}));
			assert_bounded(path);
		}
	}
	assert_int_equal(damaged, 6 * COUNT(damages)); /* the hash's key, and two slots */
	free(data);
}

static void refuses(const char *path)
{
	struct limiter *limiter = NULL;

	assert_outcome(EST_UNAVAILABLE, limiter_open(path, &limiter));
	assert_null(limiter);
}

static void test_no_place(void **state)
{
	const char *link = path_of("link");

	(void)state;
	refuses(path_of("nowhere/limits"));
	refuses(maker_directory());
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	refuses(path_of("pipe"));
	assert_int_equal(symlink("/dev/zero", link), 0);
	refuses(link);
}

static int full_disk(void *argument)
{
	const struct rlimit little = {4096, 4096};
	struct limiter *limiter = NULL;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &little) != 0)
		return 2;
	return limiter_open(argument, &limiter) == EST_UNAVAILABLE && limiter == NULL ? 0 : 1;
}

static void test_full_disk(void **state)
{
	char *path = mem_string(path_of("limits"));

	(void)state;
	assert_int_equal(maker_bounded(full_disk, path, 20), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(maker_directory()), 0); /* and no half of one beside it */
	assert_int_equal(mkdir(maker_directory(), 0700), 0);
	assert_made_anew(path);
	free(path);
}

/* Every call where a system call other than exit kills. */
static int limit_in_a_cell(void *argument)
{
	struct limiter *limiter = argument;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		return 77;
	(void)takes(limiter, 1, T0);
	wrong(limiter, 1, 6, T0);
	(void)wait_of(limiter, 1, T0);
	limiter_right(limiter, LIMITER_ACCOUNT_GUESSES, span_of("key-2"));
	(void)syscall(SYS_exit, 0);
	return 1;
}

static void test_no_system_call(void **state)
{
	struct limiter *limiter = open_at(path_of("limits"));
	int result = maker_bounded(limit_in_a_cell, limiter, 20);

	(void)state;
	if (result != 77) {
		assert_int_equal(result, 0);
		assert_int_equal(takes(limiter, 1, T0), 0);
		assert_int_equal(wait_of(limiter, 1, T0), SECOND);
	}
	limiter_close(limiter);
	if (result == 77)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_reopened),
	    TEST(test_file),
	    TEST(test_keys_hidden),
	    TEST(test_no_file_of_ours),
	    TEST(test_damaged_words),
	    TEST(test_no_place),
	    TEST(test_full_disk),
	    TEST(test_no_system_call),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
