/*
 * The store when things go wrong: processes that share it and die in it, a full disk, damage, a
 * newer form.
 *
 * To die inside, and to do damage, some tests reach below the port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/store/bdb.h"
#include "common/store/bdb_row.h"
#include "store_test.h"

/* In a child: no assertion, as that would go on with the tests there. */
static struct store *child_open(void)
{
	struct store_settings settings = {store_directory(), TEST_CACHE};
	struct store *store = NULL;

	if (store_open(&settings, &store) != EST_OK)
		_exit(100);
	return store;
}

static void assert_exit(pid_t pid, int expected)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, expected);
}

static void close_before_fork(void **state)
{
	store_close(*state);
	*state = NULL;
}

static int64_t figure_of(struct store *store, const char *name);

/* --- several processes --- */

/* What one acknowledges, the other sees at once; both stay open all the time. */
static void test_two_processes(void **state)
{
	struct cert_record cert = cert_of("pump-1", 1), other = cert_of("pump-1", 2), back = {0};
	int ready[2], go[2];
	char byte;
	pid_t pid;

	close_before_fork(state);
	assert_int_equal(pipe(ready) | pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		struct store *mine = child_open();
		bool fine = add(mine, &cert, 1) == EST_OK && write(ready[1], "x", 1) == 1 &&
			    read(go[0], &byte, 1) == 1 &&
			    store_cert_get(mine, &other.serial, &back) == EST_OK;
		cert_record_clear(&back);
		store_close(mine);
		_exit(fine ? 0 : 1);
	}
	*state = store_again();
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(store_cert_get(*state, &cert.serial, &back), EST_OK);
	cert_record_clear(&back);
	assert_int_equal(figure_of(*state, "processes"), 2);
	assert_int_equal(add(*state, &other, 2), EST_OK);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_exit(pid, 0);
	assert_int_equal(figure_of(*state, "recoveries"), 1); /* the one that made it */
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
}

/* The same request by many at once: one certificate, and everybody is told which. */
static void test_parallel_same_request(void **state)
{
	enum { PROCESSES = 8, ROUNDS = 25 };
	pid_t pids[PROCESSES];
	struct cert_query query = {.order = CERTS_BY_SERIAL, .limit = 1000};
	struct cert_page page = {0};

	close_before_fork(state);
	for (unsigned p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		if (pids[p] == 0) {
			struct store *mine = child_open();
			bool fine = true;
			for (unsigned r = 1; r <= ROUNDS && fine; r++) {
				struct cert_record cert = cert_of("pump", r * 100 + p);
				struct cert_record earlier = {0}, answer = {0};
				struct cert_terms terms = {
				    .request = request_of(r), .since = cert.issued_at - 600};
				enum outcome outcome =
				    store_cert_add(mine, &cert, &terms, &earlier);
				fine = (outcome == EST_OK || outcome == EST_CONFLICT) &&
				       store_cert_of_request(mine, request_of(r),
					   cert.issued_at - 600, &answer) == EST_OK &&
				       memcmp(&answer.serial,
					   outcome == EST_OK ? &cert.serial : &earlier.serial,
					   sizeof(answer.serial)) == 0;
				cert_record_clear(&earlier);
				cert_record_clear(&answer);
			}
			store_close(mine);
			_exit(fine ? 0 : 1);
		}
	}
	for (unsigned p = 0; p < PROCESSES; p++)
		assert_exit(pids[p], 0);
	*state = store_again();
	assert_int_equal(store_cert_list(*state, &query, &page), EST_OK);
	assert_int_equal(page.count, ROUNDS);
	cert_page_clear(&page);
	assert_sound(*state);
}

/* --- death --- */

static void find_figure(void *context, const char *name, int64_t value)
{
	struct {
		const char *name;
		int64_t value;
	} *wanted = context;

	if (strcmp(wanted->name, name) == 0)
		wanted->value = value;
}

static int64_t figure_of(struct store *store, const char *name)
{
	struct {
		const char *name;
		int64_t value;
	} wanted = {name, -1};

	assert_int_equal(store_statistics(store, find_figure, &wanted), EST_OK);
	return wanted.value;
}

/* A child that adds certificate 1 and is killed, inside the library or outside. */
static void die(bool inside)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct store *mine = child_open();
		struct cert_record cert = cert_of("pump-1", 1);
		if (add(mine, &cert, 1) == EST_OK) {
			if (inside)
				(void)gate_enter(((struct bdb *)mine)->gate);
			(void)raise(SIGKILL);
		}
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void test_death_outside(void **state)
{
	struct cert_record back = {0};
	struct serial serial = serial_of(1);

	close_before_fork(state);
	die(false);
	*state = store_again();
	assert_int_equal(figure_of(*state, "recoveries"), 1); /* nothing was broken */
	assert_int_equal(store_cert_get(*state, &serial, &back), EST_OK);
	cert_record_clear(&back);
}

static void test_death_inside(void **state)
{
	struct cert_record back = {0};
	struct serial serial = serial_of(1);

	close_before_fork(state);
	die(true);
	*state = store_again();
	assert_int_equal(figure_of(*state, "recoveries"), 2);
	assert_int_equal(store_cert_get(*state, &serial, &back), EST_OK);
	cert_record_clear(&back);
	assert_sound(*state);
}

/* Deaths outside leak a little each; before that is too much, the store is recovered. */
static void test_many_deaths_outside(void **state)
{
	enum { DEATHS = 120 };

	close_before_fork(state);
	for (int i = 0; i < DEATHS; i++) {
		pid_t pid = fork();
		int status;
		if (pid == 0) {
			(void)child_open();
			(void)raise(SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	*state = store_again();
	assert_true(figure_of(*state, "recoveries") >= 2);
	assert_true(figure_of(*state, "processes_died_idle") < 50);
	assert_sound(*state);
}

/* Those who live on while another one dies inside and a third one recovers go on by themselves. */
static void test_survivor(void **state)
{
	int ready[2], go[2];
	char byte;
	pid_t survivor;

	close_before_fork(state);
	assert_int_equal(pipe(ready) | pipe(go), 0);
	survivor = fork();
	if (survivor == 0) {
		struct store *mine = child_open();
		struct cert_record first = cert_of("pump-1", 11), second = cert_of("pump-1", 12);
		bool fine = add(mine, &first, 11) == EST_OK && write(ready[1], "x", 1) == 1 &&
			    read(go[0], &byte, 1) == 1 && add(mine, &second, 12) == EST_OK;
		store_close(mine);
		_exit(fine ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	die(true);
	*state = store_again();
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_exit(survivor, 0);
	assert_int_equal(figure_of(*state, "certificates"), 3);
	assert_int_equal(figure_of(*state, "recoveries"), 2);
	assert_sound(*state);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
}

/* One who stays inside for ever is killed by the one who has to recover, or ends itself. */
static void test_stays_inside(void **state)
{
	int ready[2], status;
	char byte;
	pid_t pid;
	uint64_t start;

	close_before_fork(state);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct store *mine = child_open();
		(void)gate_enter(((struct bdb *)mine)->gate);
		if (write(ready[1], "x", 1) == 1)
			(void)sleep(60);
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	die(true);
	start = clock_milliseconds();
	*state = store_again();
	assert_true(clock_milliseconds() - start < 5000);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 76);
	assert_sound(*state);
	close(ready[0]);
	close(ready[1]);
}

/* --- a full disk --- */

/* Fills what is left of the file system; the file is called "ballast". */
static void fill_disk(void)
{
	static const char zeros[4096];
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/ballast", store_directory());
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void make_room(void)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/ballast", store_directory());
	assert_int_equal(unlink(path), 0);
}

/* Adds until the store refuses, or 20000; gives how many were acknowledged. */
static unsigned add_until_refused(struct store *store, unsigned from)
{
	static const unsigned char der[3000];

	for (unsigned i = 0; i < 20000; i++) {
		struct cert_record cert = cert_of("pump", from + i);
		enum outcome outcome;
		cert.der = (struct span){der, sizeof(der)};
		outcome = add(store, &cert, from + i);
		if (outcome == EST_OK)
			continue;
		assert_int_equal(outcome, EST_UNAVAILABLE);
		if (strstr(reason_text(), "disk is full") == NULL)
			fail_msg("%s", reason_text());
		reason_clear();
		return i;
	}
	return 20000;
}

static void test_full_disk(void **state)
{
	struct cert_record later = cert_of("pump", 999999), back = {0};
	char options[64];
	unsigned added;

	close_before_fork(state);
	(void)snprintf(options, sizeof(options), "size=64m,mode=0700");
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("store", store_directory(), "tmpfs", 0, options) != 0) {
		*state = store_again();
		skip();
	}
	*state = store_again();
	fill_disk();
	added = add_until_refused(*state, 1);
	assert_true(added < 20000);
	assert_int_equal(add_until_refused(*state, 500000), 0); /* refused again, not worse */
	make_room();
	assert_int_equal(add(*state, &later, 999999), EST_OK);
	for (unsigned i = 1; i <= added; i++) {
		struct serial serial = serial_of(i);
		assert_int_equal(store_cert_get(*state, &serial, &back), EST_OK);
		cert_record_clear(&back);
	}
	assert_int_equal(figure_of(*state, "certificates"), added + 1);
	assert_sound(*state);
	close_before_fork(state);
	assert_int_equal(umount(store_directory()), 0);
	*state = store_again();
}

/* Too full to open: says so, and opens once there is room. */
static void test_full_disk_open(void **state)
{
	struct store_settings settings = {store_directory(), TEST_CACHE};
	struct store *store = NULL;

	close_before_fork(state);
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("store", store_directory(), "tmpfs", 0, "size=16m,mode=0700") != 0) {
		*state = store_again();
		skip();
	}
	fill_disk();
	assert_int_equal(store_open(&settings, &store), EST_UNAVAILABLE);
	assert_non_null(strstr(reason_text(), store_directory()));
	make_room();
	reason_clear();
	assert_int_equal(mount("store", store_directory(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
	store = store_again();
	assert_sound(store);
	store_close(store);
	assert_int_equal(umount(store_directory()), 0);
	*state = store_again();
}

/* --- damage --- */

struct damage {
	enum bdb_table table;
	struct row_key key;
	struct span value; /* nothing: the row is deleted */
};

static int damage_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct damage *damage = context;
	DBT key = {.data = damage->key.octets, .size = (uint32_t)damage->key.len};

	if (damage->value.data == NULL)
		return bdb->tables[damage->table]->del(bdb->tables[damage->table], txn, &key, 0);
	return bdb_put(bdb, txn, damage->table, row_key_span(&damage->key), damage->value, 0);
}

static void harm(struct store *store, struct damage damage)
{
	assert_int_equal(bdb_run((struct bdb *)store, BDB_WRITE, damage_act, &damage), EST_OK);
}

static void assert_fault(struct store *store, const char *mentions)
{
	int64_t faults = 0;

	assert_int_equal(store_check(store, NULL, NULL, &faults), EST_INTERNAL);
	assert_true(faults > 0);
	assert_non_null(strstr(reason_text(), mentions));
	reason_clear();
}

static void test_check_finds(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1);
	struct serial serial = serial_of(1), other = serial_of(2);
	struct damage damage = {.table = BDB_EXPIRY};
	struct buf form = {0};

	assert_int_equal(add(store, &cert, 1), EST_OK);
	assert_sound(store);
	row_expiry_key(&damage.key, row_day(cert.not_after), &serial);
	harm(store, damage);
	assert_fault(store, "by expiry");

	damage = (struct damage){.table = BDB_NAME};
	row_name_key(&damage.key, "pump-1", &serial);
	harm(store, damage);
	assert_fault(store, serial_text(&serial, (char[2 * SERIAL_MAX + 1]){0}));

	damage = (struct damage){.table = BDB_SPKI, .value = {(const unsigned char *)"", 0}};
	row_spki_key(&damage.key, cert.spki, &other);
	harm(store, damage);
	assert_fault(store, serial_text(&serial, (char[2 * SERIAL_MAX + 1]){0}));

	cert_record_encode(&cert, &form);
	damage = (struct damage){.table = BDB_CERT, .value = {form.data, form.len - 3}};
	row_key_after(&damage.key, row_serial(&serial));
	damage.key.len--;
	harm(store, damage);
	assert_fault(store, "damaged");
	buf_free(&form);
}

/* A certificate that no counter and no list of issues knows. */
static void test_check_counts(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1);
	struct serial serial = serial_of(1);
	struct damage damage = {.table = BDB_EXPIRY};
	unsigned char octets[ROW_EXPIRY_SIZE];
	struct row_expiry row = {.not_after = cert.not_after, .label = 1, .revoked = true};

	assert_int_equal(add(store, &cert, 1), EST_OK);
	row_expiry_key(&damage.key, row_day(cert.not_after), &serial);
	row_expiry_put(octets, &row);
	damage.value = (struct span){octets, sizeof(octets)};
	harm(store, damage);
	assert_fault(store, "by expiry is missing or wrong");
}

/* A record that cannot be read is a fault of ours, not a missing certificate. */
static void test_damaged_record(void **state)
{
	struct store *store = *state;
	struct serial serial = serial_of(1);
	struct cert_record out = {0};
	struct damage damage = {.table = BDB_CERT, .value = {(const unsigned char *)"garbage", 7}};

	row_key_after(&damage.key, row_serial(&serial));
	damage.key.len--;
	harm(store, damage);
	assert_int_equal(store_cert_get(store, &serial, &out), EST_INTERNAL);
	assert_string_not_equal(reason_text(), "");
	assert_null(out.memory);
}

static void test_newer_form(void **state)
{
	struct store_settings settings = {store_directory(), TEST_CACHE};
	struct store *store = NULL;
	struct damage damage = {.table = BDB_META, .value = {(const unsigned char *)"\0\0\1\0", 4}};

	row_key_after(&damage.key, span_of("schema"));
	damage.key.len--;
	harm(*state, damage);
	close_before_fork(state);
	assert_int_equal(store_open(&settings, &store), EST_UNAVAILABLE);
	assert_null(store);
	assert_non_null(strstr(reason_text(), "newer"));
}

/* After the machine was started again, shared memory of before means nothing: the store recovers by
 * itself. */
static void test_restart_of_the_machine(void **state)
{
	struct cert_record cert = cert_of("pump-1", 1), back = {0};
	char path[300];
	int fd;

	assert_int_equal(add(*state, &cert, 1), EST_OK);
	close_before_fork(state);
	(void)snprintf(path, sizeof(path), "%s/gate", store_directory());
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "another boot", 12, 4), 12);
	close(fd);
	*state = store_again();
	assert_int_equal(store_cert_get(*state, &cert.serial, &back), EST_OK);
	cert_record_clear(&back);
	assert_sound(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_two_processes),
	    store_test(test_parallel_same_request),
	    store_test(test_death_outside),
	    store_test(test_death_inside),
	    store_test(test_many_deaths_outside),
	    store_test(test_survivor),
	    store_test(test_stays_inside),
	    store_test(test_full_disk),
	    store_test(test_full_disk_open),
	    store_test(test_check_finds),
	    store_test(test_check_counts),
	    store_test(test_damaged_record),
	    store_test(test_newer_form),
	    store_test(test_restart_of_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
