/*
 * Counters that processes share: none is lost, whatever becomes of the processes, the file or the disk.
 */
#include "maker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "common/base/file.h"
#include "common/base/metrics.h"

#define PROCESSES 4
#define EACH      100000
#define NAMES     40   /* that each of them counts */
#define MANY      3000 /* names: more than the file holds */

static const char *path_of(const char *name)
{
	struct buf path = {0};

	buf_printf(&path, "%s/%s", maker_directory(), name);
	buf_add_byte(&path, 0);
	return (const char *)maker_keep(&path).data;
}

static struct metrics *open_at(const char *path)
{
	struct metrics *metrics = NULL;

	assert_outcome(EST_OK, metrics_open(path, &metrics));
	return metrics;
}

/* All counters, as they are handed over. */
static struct figures {
	struct figure {
		char operation[80], code[80];
		uint64_t count;
	} figure[MANY + 1];
	size_t count;
	uint64_t total;
} figures;

static void gather(void *context, const char *operation, const char *code, uint64_t count)
{
	struct figures *all = context;
	struct figure *figure = &all->figure[all->count];

	assert_true(all->count < COUNT(all->figure));
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->figure[i].operation, operation) == 0 &&
		    strcmp(all->figure[i].code, code) == 0)
			fail_msg("%s %s is there twice", operation, code);
	(void)snprintf(figure->operation, sizeof(figure->operation), "%s", operation);
	(void)snprintf(figure->code, sizeof(figure->code), "%s", code);
	figure->count = count;
	all->count++;
	all->total += count;
}

static const struct figures *read_at(const char *path)
{
	struct metrics *metrics = open_at(path);

	memset(&figures, 0, sizeof(figures));
	metrics_each(metrics, gather, &figures);
	metrics_close(metrics);
	return &figures;
}

static uint64_t count_of(const struct figures *all, const char *operation, const char *code)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->figure[i].operation, operation) == 0 &&
		    strcmp(all->figure[i].code, code) == 0)
			return all->figure[i].count;
	return 0;
}

static void test_counts(void **state)
{
	const char *path = path_of("metrics");
	struct metrics *metrics = open_at(path), *other = open_at(path);
	const struct figures *all;

	(void)state;
	metrics_count(metrics, "simpleenroll", "ok");
	metrics_count(metrics, "simpleenroll", "badCSR:key-size");
	metrics_count(other, "simplereenroll", "ok");
	metrics_count(other, "simpleenroll", "ok");
	metrics_count(metrics, "simpleenroll", "ok");
	metrics_count(NULL, "simpleenroll", "ok");
	metrics_close(metrics);
	metrics_close(other);
	metrics_close(NULL);
	all = read_at(path);
	assert_int_equal(all->count, 3);
	assert_string_equal(all->figure[0].operation, "simpleenroll");
	assert_string_equal(all->figure[0].code, "ok");
	assert_int_equal(all->figure[0].count, 3);
	assert_string_equal(all->figure[1].code, "badCSR:key-size");
	assert_int_equal(all->figure[1].count, 1);
	assert_string_equal(all->figure[2].operation, "simplereenroll");
	/* The two names are not run together. */
	metrics = open_at(path);
	metrics_count(metrics, "simpleenrollo", "k");
	metrics_count(metrics, "", "");
	metrics_close(metrics);
	all = read_at(path);
	assert_int_equal(all->count, 5);
	assert_int_equal(count_of(all, "simpleenroll", "ok"), 3);
	assert_int_equal(count_of(all, "", ""), 1);
}

/* The group shares it, whatever the umask; and its disk space is all there. */
static void test_file(void **state)
{
	const char *path = path_of("metrics");
	mode_t mask = umask(077);
	struct stat about;

	(void)state;
	metrics_close(open_at(path));
	(void)umask(mask);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0660);
	assert_true(about.st_blocks * 512 >= about.st_size);
	assert_true(about.st_size > 0);
	assert_int_equal(about.st_nlink, 1);
}

/* --- a file that is not ours --- */

static void assert_made_anew(const char *path)
{
	struct metrics *metrics = open_at(path);

	metrics_count(metrics, "simpleenroll", "ok");
	metrics_close(metrics);
	assert_int_equal(read_at(path)->count, 1);
	assert_int_equal(figures.total, 1);
}

static struct span content_of(const char *path)
{
	struct buf content = {0};

	assert_outcome(EST_OK, file_read(path, 1 << 20, &content));
	return maker_keep(&content);
}

static void write_at(const char *path, struct span content)
{
	assert_outcome(EST_OK, file_write(path, 0600, content));
}

static void test_no_file_of_ours(void **state)
{
	const char *path = path_of("metrics");
	struct span good, odd;
	unsigned char *data;
	size_t cuts[] = {0, 1, 7, 64, 4096, 0, 0};

	(void)state;
	assert_made_anew(path);
	good = content_of(path);
	cuts[5] = good.len / 2;
	cuts[6] = good.len - 1;
	for (size_t i = 0; i < COUNT(cuts); i++) {
		write_at(path, (struct span){good.data, cuts[i]});
		assert_made_anew(path);
	}
	data = mem_alloc(good.len + 1);
	odd = (struct span){data, good.len};
	write_at(path, odd); /* zeros */
	assert_made_anew(path);
	memset(data, 0xff, good.len);
	write_at(path, odd);
	assert_made_anew(path);
	memcpy(data, good.data, good.len);
	write_at(path, (struct span){data, good.len + 1}); /* one octet too many */
	assert_made_anew(path);
	for (size_t i = 0; i < 16; i++) { /* the magic, then the version */
		data[i] ^= 0x40;
		write_at(path, odd);
		assert_made_anew(path);
		data[i] ^= 0x40;
	}
	free(data);
}

/* Wherever an octet is wrong, the file opens, and counts what is counted then. */
static void test_damaged_octets(void **state)
{
	const char *path = path_of("metrics");
	struct metrics *metrics = open_at(path);
	struct span good;
	unsigned char *data;

	(void)state;
	metrics_count(metrics, "simpleenroll", "ok");
	metrics_count(metrics, "simplereenroll", "badCSR:signature");
	metrics_close(metrics);
	good = content_of(path);
	data = mem_alloc(good.len);
	for (size_t i = 0; i < 1024; i++) {
		uint64_t before;
		memcpy(data, good.data, good.len);
		data[i] ^= (unsigned char)(1 + i % 255);
		write_at(path, (struct span){data, good.len});
		before = count_of(read_at(path), "cacerts", "ok");
		for (size_t k = 0; k < figures.count; k++) {
			/* No name but ours has come into being. */
			const char *operation = figures.figure[k].operation;
			assert_true(strcmp(operation, "simpleenroll") == 0 ||
				    strcmp(operation, "simplereenroll") == 0 ||
				    strcmp(operation, "other") == 0);
		}
		metrics = open_at(path);
		metrics_count(metrics, "cacerts", "ok");
		metrics_close(metrics);
		assert_int_equal(count_of(read_at(path), "cacerts", "ok"), before + 1);
	}
	free(data);
}

/* Who still maps a file that was replaced counts on, into nothing. */
static void test_replaced_under_us(void **state)
{
	const char *path = path_of("metrics");
	struct metrics *metrics = open_at(path);
	struct figures *all;

	(void)state;
	metrics_count(metrics, "simpleenroll", "ok");
	write_at(path, BYTES("rubbish"));
	assert_made_anew(path);
	metrics_count(metrics, "simpleenroll", "ok");
	metrics_count(metrics, "simpleenroll", "badCSR:der");
	all = mem_alloc(sizeof(*all));
	metrics_each(metrics, gather, all);
	assert_int_equal(all->total, 3);
	free(all);
	metrics_close(metrics);
	assert_int_equal(read_at(path)->total, 1);
	assert_int_equal(unlink(path), 0);
	assert_made_anew(path);
}

static void refuses(const char *path)
{
	struct metrics *metrics = NULL;

	assert_outcome(EST_UNAVAILABLE, metrics_open(path, &metrics));
	assert_null(metrics);
}

static void test_no_place(void **state)
{
	const char *link = path_of("link");

	(void)state;
	refuses(path_of("nowhere/metrics"));
	refuses(maker_directory());
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	refuses(path_of("pipe"));
	assert_int_equal(symlink("/dev/zero", link), 0);
	refuses(link);
}

static int full_disk(void *argument)
{
	const struct rlimit little = {4096, 4096};
	struct metrics *metrics = NULL;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &little) != 0)
		return 2;
	return metrics_open(argument, &metrics) == EST_UNAVAILABLE && metrics == NULL ? 0 : 1;
}

/* Where there is no room, there is no file, and no half of one; the process lives. */
static void test_full_disk(void **state)
{
	char *path = mem_string(path_of("metrics"));
	struct buf list = {0};
	FILE *ls;
	int c;

	(void)state;
	assert_int_equal(maker_bounded(full_disk, path, 20), 0);
	buf_printf(&list, "ls -A '%s'", maker_directory());
	ls = popen(buf_string(&list), "r");
	assert_non_null(ls);
	c = fgetc(ls);
	(void)pclose(ls);
	assert_int_equal(c, EOF);
	assert_made_anew(path);
	buf_free(&list);
	free(path);
}

/* --- limits --- */

static void name_of(unsigned i, char operation[32], char code[32])
{
	(void)snprintf(operation, 32, "operation-%u", i % 7);
	(void)snprintf(code, 32, "badCSR:code-%u", i);
}

static void test_more_names_than_room(void **state)
{
	const char *path = path_of("metrics");
	struct metrics *metrics = open_at(path);
	char operation[32], code[32];

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < MANY; i++) {
			name_of(i, operation, code);
			metrics_count(metrics, operation, code);
		}
	metrics_close(metrics);
	assert_int_equal(read_at(path)->total, 2 * MANY);
	assert_true(figures.count > 500); /* every code with every operation */
	for (size_t i = 0; i + 1 < figures.count; i++) {
		name_of((unsigned)i, operation, code);
		assert_string_equal(figures.figure[i].code, code);
		assert_int_equal(figures.figure[i].count, 2);
	}
	assert_string_equal(figures.figure[figures.count - 1].operation, "other");
	assert_string_equal(figures.figure[figures.count - 1].code, "other");
}

static void test_long_names(void **state)
{
	const char *path = path_of("metrics");
	struct metrics *metrics = open_at(path);
	char name[400];

	(void)state;
	for (size_t len = 0; len < sizeof(name) - 1; len++) {
		memset(name, 'x', len);
		name[len] = '\0';
		metrics_count(metrics, name, "ok");
		metrics_count(metrics, "simpleenroll", name);
	}
	metrics_close(metrics);
	assert_int_equal(read_at(path)->total, 2 * (sizeof(name) - 1));
	assert_true(count_of(&figures, "other", "other") > 0);
	memset(name, 'x', 30);
	name[30] = '\0';
	assert_int_equal(count_of(&figures, name, "ok"), 1);
	assert_int_equal(count_of(&figures, "simpleenroll", name), 1);
}

/* --- several processes --- */

/* Counts EACH times, every name of NAMES as often as the others, each process in another order. */
static void count_all(const char *path, unsigned process)
{
	static const unsigned steps[PROCESSES] = {1, 3, 7, 9}; /* nothing in common with NAMES */
	struct metrics *metrics = NULL;
	char operation[32], code[32];

	if (metrics_open(path, &metrics) != EST_OK)
		_exit(1);
	for (unsigned i = 0; i < EACH; i++) {
		name_of((i * steps[process] + process) % NAMES, operation, code);
		metrics_count(metrics, operation, code);
	}
	metrics_close(metrics);
	_exit(0);
}

static void test_processes(void **state)
{
	const char *path = path_of("metrics");
	char operation[32], code[32];
	pid_t pids[PROCESSES];

	(void)state;
	for (unsigned i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			count_all(path, i);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status = -1;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(read_at(path)->count, NAMES);
	for (unsigned i = 0; i < NAMES; i++) {
		name_of(i, operation, code);
		assert_int_equal(count_of(&figures, operation, code), PROCESSES * EACH / NAMES);
	}
}

/* Begins when the other one does, and counts names that nobody counted before, from either end. */
static void count_at_once(const char *path, unsigned process, atomic_uint *ready)
{
	struct metrics *metrics = NULL;
	char operation[32], code[32];

	if (metrics_open(path, &metrics) != EST_OK)
		_exit(1);
	(void)atomic_fetch_add(ready, 1);
	while (atomic_load(ready) < 2)
		;
	for (unsigned i = 0; i < 900; i++) {
		name_of(process == 0 ? i : 899 - i, operation, code);
		metrics_count(metrics, operation, code);
	}
	_exit(0);
}

/* Two processes that add names at the same moment take a row each, or one together. */
static void test_names_at_once(void **state)
{
	atomic_uint *ready =
	    mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(ready, MAP_FAILED);
	for (unsigned round = 0; round < 40; round++) {
		const char *path = path_of("metrics");
		pid_t pids[2];
		atomic_store(ready, 0);
		for (unsigned i = 0; i < 2; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0)
				count_at_once(path, i, ready);
		}
		for (unsigned i = 0; i < 2; i++) {
			int status = -1;
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		assert_int_equal(read_at(path)->count, 900);
		for (size_t i = 0; i < 900; i++)
			assert_int_equal(figures.figure[i].count, 2);
		assert_int_equal(unlink(path), 0);
	}
	(void)munmap(ready, sizeof(*ready));
}

/* Counts names that nobody counted before, one after the other, until it is killed. */
static void count_new(const char *path)
{
	struct metrics *metrics = NULL;
	char operation[32], code[32];

	if (metrics_open(path, &metrics) != EST_OK)
		_exit(1);
	for (unsigned i = 0;; i = (i + 1) % 900) {
		name_of(i, operation, code);
		metrics_count(metrics, operation, code);
	}
}

/*
 * Killed at any moment, a process leaves a file in which every name is found once and counts: those that it may have
 * been adding too.
 */
static void test_killed(void **state)
{
	char operation[32], code[32];
	uint64_t before[900];

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		const struct timespec pause = {.tv_nsec = 200000 + (long)round * 20000};
		const char *path = path_of("metrics");
		struct metrics *metrics;
		pid_t pids[2];
		for (size_t i = 0; i < 2; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0)
				count_new(path);
		}
		(void)nanosleep(&pause, NULL);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(kill(pids[i], SIGKILL), 0);
			assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
		}
		(void)read_at(path);
		for (unsigned i = 0; i < 900; i++) {
			name_of(i, operation, code);
			before[i] = count_of(&figures, operation, code);
		}
		metrics = open_at(path);
		for (unsigned i = 0; i < 900; i++) {
			name_of(i, operation, code);
			metrics_count(metrics, operation, code);
		}
		metrics_close(metrics);
		assert_int_equal(read_at(path)->count, 900);
		for (unsigned i = 0; i < 900; i++) {
			name_of(i, operation, code);
			assert_int_equal(count_of(&figures, operation, code), before[i] + 1);
		}
		assert_int_equal(unlink(path), 0);
	}
}

/* Counts a known and an unknown name where every system call but exit kills. */
static int count_in_a_cell(void *argument)
{
	struct metrics *metrics = argument;

	metrics_count(metrics, "simpleenroll", "ok");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
		return 77;
	for (int i = 0; i < 1000; i++)
		metrics_count(metrics, "simpleenroll", "ok");
	metrics_count(metrics, "simpleenroll", "badCSR:der");
	(void)syscall(SYS_exit, 0);
	return 1;
}

static void test_no_system_call(void **state)
{
	const char *path = path_of("metrics");
	struct metrics *metrics = open_at(path);
	int result = maker_bounded(count_in_a_cell, metrics, 20);

	(void)state;
	metrics_close(metrics);
	if (result == 77)
		skip();
	assert_int_equal(result, 0);
	assert_int_equal(count_of(read_at(path), "simpleenroll", "ok"), 1001);
	assert_int_equal(count_of(&figures, "simpleenroll", "badCSR:der"), 1);
}

static unsigned descriptors(void)
{
	unsigned open = 0;

	for (int fd = 0; fd < 256; fd++)
		open += fcntl(fd, F_GETFD) >= 0;
	return open;
}

static void test_no_descriptor(void **state)
{
	unsigned before = descriptors();
	struct metrics *metrics = open_at(path_of("metrics"));

	(void)state;
	assert_int_equal(descriptors(), before);
	metrics_count(metrics, "simpleenroll", "ok");
	assert_int_equal(descriptors(), before);
	metrics_close(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_counts),
	    TEST(test_file),
	    TEST(test_no_file_of_ours),
	    TEST(test_damaged_octets),
	    TEST(test_replaced_under_us),
	    TEST(test_no_place),
	    TEST(test_full_disk),
	    TEST(test_more_names_than_room),
	    TEST(test_long_names),
	    TEST(test_processes),
	    TEST(test_names_at_once),
	    TEST(test_killed),
	    TEST(test_no_system_call),
	    TEST(test_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
