/*
 * Totals: valid, revoked and expired add up to what was issued, whatever the clock says and in
 * whatever order certificates are added, expire and are revoked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/store/bdb.h"
#include "store_test.h"

enum { DAY = 86400 };

/* The middle of today, so that a few hours more or less are the same day. */
static int64_t noon(void)
{
	return (int64_t)time(NULL) / DAY * DAY + DAY / 2;
}

static enum outcome try_put(
    struct store *store, const char *label, unsigned number, int64_t not_after)
{
	struct cert_record cert = cert_of("pump", number);

	cert.label = label;
	cert.not_after = not_after;
	cert.issued_at = noon();
	return add(store, &cert, number);
}

static void put(struct store *store, const char *label, unsigned number, int64_t not_after)
{
	assert_int_equal(try_put(store, label, number, not_after), EST_OK);
}

static void assert_totals_line(
    struct store *store, int64_t now, const char *label, int line, const int64_t expected[4])
{
	struct store_totals totals = {0};
	const struct label_total *found = NULL;
	char seen[100], wanted[100];

	assert_int_equal(store_totals(store, now, &totals), EST_OK);
	for (size_t i = 0; i < totals.count; i++) {
		if (strcmp(totals.labels[i].label, label) == 0)
			found = &totals.labels[i];
	}
	if (found == NULL) {
		fail_msg("line %d: no label", line);
		return;
	}
	(void)snprintf(seen, sizeof(seen), "line %d: %lld = %lld + %lld + %lld", line,
	    (long long)found->issued, (long long)found->valid, (long long)found->revoked,
	    (long long)found->expired);
	(void)snprintf(wanted, sizeof(wanted), "line %d: %lld = %lld + %lld + %lld", line,
	    (long long)expected[0], (long long)expected[1], (long long)expected[2],
	    (long long)expected[3]);
	assert_string_equal(seen, wanted);
	store_totals_clear(&totals);
	assert_null(totals.labels);
}

/* issued = valid + revoked + expired */
#define assert_totals(store, now, label, ...)                                                      \
	assert_totals_line(store, now, label, __LINE__, (const int64_t[4]){__VA_ARGS__})

static void withdraw(struct store *store, unsigned number)
{
	struct serial serial = serial_of(number);

	assert_int_equal(store_cert_revoke(store, &serial, 4, noon(), NULL), EST_OK);
}

static void test_empty(void **state)
{
	struct store_totals totals = {0};

	assert_int_equal(store_totals(*state, noon(), &totals), EST_OK);
	assert_int_equal(totals.count, 0);
	assert_int_equal(totals.today, noon() / DAY);
	for (size_t i = 0; i < STORE_DAYS; i++)
		assert_int_equal(totals.issued[i], 0);
	store_totals_clear(&totals);
}

static void test_labels(void **state)
{
	struct store *store = *state;

	for (unsigned i = 1; i <= 5; i++)
		put(store, i % 2 ? "pumps" : "", i, noon() + 90 * DAY);
	assert_totals(store, noon(), "pumps", 3, 3, 0, 0);
	assert_totals(store, noon(), "", 2, 2, 0, 0);
	withdraw(store, 1);
	assert_totals(store, noon(), "pumps", 3, 2, 1, 0);
	assert_totals(store, noon(), "", 2, 2, 0, 0);
	assert_sound(store);
}

/* To the second, on the day itself; and the day after. */
static void test_expiry(void **state)
{
	struct store *store = *state;

	put(store, "pumps", 1, noon() + DAY - 10);
	put(store, "pumps", 2, noon() + DAY + 10);
	put(store, "pumps", 3, noon() + 5 * DAY);
	assert_totals(store, noon(), "pumps", 3, 3, 0, 0);
	assert_totals(store, noon() + DAY - 10, "pumps", 3, 3, 0, 0);
	assert_totals(store, noon() + DAY - 9, "pumps", 3, 2, 0, 1);
	assert_totals(store, noon() + DAY + 11, "pumps", 3, 1, 0, 2);
	assert_totals(store, noon() + 2 * DAY, "pumps", 3, 1, 0, 2);
	assert_totals(store, noon() + 9 * DAY, "pumps", 3, 0, 0, 3);
	assert_totals(store, noon() + 1000 * DAY, "pumps", 3, 0, 0, 3);
}

/* A clock that was wrong and is set back leaves no trace. */
static void test_clock_set_back(void **state)
{
	struct store *store = *state;

	put(store, "pumps", 1, noon() + 10 * DAY);
	put(store, "pumps", 2, noon() + 20 * DAY);
	assert_totals(store, noon() + 15 * DAY, "pumps", 2, 1, 0, 1);
	assert_totals(store, noon() + 5 * DAY, "pumps", 2, 2, 0, 0);
	assert_totals(store, noon() + 30 * DAY, "pumps", 2, 0, 0, 2);
	put(store, "pumps", 3, noon() + 25 * DAY); /* ends before the day that is counted up to */
	assert_totals(store, noon() + 30 * DAY, "pumps", 3, 0, 0, 3);
	assert_totals(store, noon(), "pumps", 3, 3, 0, 0);
	assert_sound(store);
}

/* A revoked certificate stays revoked when its time is over, whenever it was revoked. */
static void test_revoked_and_expired(void **state)
{
	struct store *store = *state;

	for (unsigned i = 1; i <= 4; i++)
		put(store, "pumps", i, noon() + DAY);
	withdraw(store, 1);
	assert_totals(store, noon() + DAY + 1, "pumps", 4, 0, 1, 3);
	withdraw(store, 2); /* on its last day, already over */
	assert_totals(store, noon() + DAY + 1, "pumps", 4, 0, 2, 2);
	assert_totals(store, noon() + 3 * DAY, "pumps", 4, 0, 2, 2);
	withdraw(store, 3); /* long after */
	assert_totals(store, noon() + 3 * DAY, "pumps", 4, 0, 3, 1);
	assert_totals(store, noon(), "pumps", 4, 1, 3, 0);
	assert_sound(store);
}

static void test_added_expired(void **state)
{
	struct store *store = *state;

	put(store, "pumps", 1, noon() - 400 * DAY);
	put(store, "pumps", 2, 0);
	put(store, "pumps", 3, -5 * DAY);
	assert_totals(store, noon(), "pumps", 3, 0, 0, 3);
	withdraw(store, 1);
	assert_totals(store, noon(), "pumps", 3, 0, 1, 2);
	assert_sound(store);
}

static void test_days(void **state)
{
	struct store *store = *state;
	struct store_totals totals = {0};
	unsigned number = 1;

	/* i + 1 certificates i days ago, the oldest beyond what totals hold */
	for (int i = STORE_DAYS + 5; i >= 0; i--) {
		for (int n = 0; n <= i; n++) {
			struct cert_record cert = cert_of("pump", number);
			cert.issued_at = noon() - (int64_t)i * DAY;
			assert_int_equal(add(store, &cert, number++), EST_OK);
		}
	}
	assert_int_equal(store_totals(store, noon(), &totals), EST_OK);
	assert_int_equal(totals.labels[0].issued, number - 1);
	for (int i = 0; i < STORE_DAYS; i++)
		assert_int_equal(totals.issued[i], i + 1);
	store_totals_clear(&totals);
	assert_int_equal(store_totals(store, noon() + 3 * DAY, &totals), EST_OK);
	assert_int_equal(totals.issued[0], 0);
	assert_int_equal(totals.issued[3], 1);
	assert_int_equal(totals.issued[STORE_DAYS - 1], STORE_DAYS - 3);
	store_totals_clear(&totals);
	assert_sound(store);
}

/*
 * Processes that move the day to and fro, add and revoke at the same time: in the end, every
 * certificate is counted exactly once.
 */
static _Noreturn void race(unsigned process)
{
	enum { ROUNDS = 60, EACH = 1000000 };
	struct store_settings settings = {store_directory(), TEST_CACHE};
	struct store *store = NULL;
	bool fine = store_open(&settings, &store) == EST_OK;

	for (unsigned i = 0; fine && i < ROUNDS; i++) {
		unsigned number = process * EACH + i + 1;
		struct serial serial = serial_of(number - i / 2);
		struct store_totals totals = {0};
		int64_t some_day = noon() + (int64_t)(i * 7 % 20) * DAY;
		fine = try_put(store, "pumps", number, noon() + (int64_t)(i % 10) * DAY) == EST_OK;
		if (fine && i % 5 == 0)
			fine = store_totals(store, some_day, &totals) == EST_OK;
		store_totals_clear(&totals);
		if (fine && i % 3 == 0) {
			enum outcome outcome = store_cert_revoke(store, &serial, 1, noon(), NULL);
			fine = outcome == EST_OK || outcome == EST_CONFLICT;
		}
	}
	store_close(store);
	_exit(fine ? 0 : 1);
}

static void test_race(void **state)
{
	enum { PROCESSES = 4 };
	pid_t pids[PROCESSES];

	store_close(*state);
	*state = NULL;
	for (unsigned i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			race(i);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	*state = store_again();
	assert_sound(*state); /* compares the counts with the certificates */
}

/* A process of its own, with a slot of its own, issues one certificate under each label. */
static void issue_under_all(unsigned labels, unsigned first)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		struct store *store = store_again();
		unsigned wrong = 0;
		for (unsigned i = 0; i < labels; i++) {
			char label[20];
			(void)snprintf(label, sizeof(label), "label-%u", i);
			wrong += try_put(store, label, first + i, noon() + 90 * DAY) != EST_OK;
		}
		_exit(wrong == 0 ? 0 : 1); /* keeps its slot, as a worker that is killed does */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void assert_each(struct store *store, unsigned labels, int64_t count, int64_t revoked)
{
	for (unsigned i = 0; i < labels; i++) {
		char label[20];
		(void)snprintf(label, sizeof(label), "label-%u", i);
		assert_totals(store, noon(), label, count, count - revoked, revoked, 0);
	}
	assert_sound(store);
}

/*
 * Counters of many labels lie far apart. Berkeley DB 5.3 loses some of them when it reads in bulk.
 */
static void test_many_labels(void **state)
{
	enum { LABELS = 40 };

	store_close(*state);
	*state = NULL;
	issue_under_all(LABELS, 1);
	issue_under_all(LABELS, 1001);
	*state = store_again();
	assert_each(*state, LABELS, 2, 0);
	for (unsigned i = 0; i < LABELS; i++)
		withdraw(*state, 1 + i);
	assert_each(*state, LABELS, 2, 1);
}

/* A store of form 1 has no cells for revocations where nothing was revoked. */
static int age_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	static const unsigned char one[4] = {0, 0, 0, 1};
	enum { CELLS = 33, BITE = 8448 };
	int error = 0;

	for (db_recno_t n = CELLS; n <= *(unsigned *)context * BITE && error == 0; n += CELLS) {
		DBT key = {.data = &n, .size = sizeof(n)};
		error = bdb->tables[BDB_COUNTER]->del(bdb->tables[BDB_COUNTER], txn, &key, 0);
		if (error == DB_NOTFOUND || error == DB_KEYEMPTY)
			error = 0;
	}
	return error != 0
		   ? error
		   : bdb_put(bdb, txn, BDB_META, span_of("schema"), (struct span){one, 4}, 0);
}

static void test_older_store(void **state)
{
	enum { LABELS = 5 };
	unsigned rings = LABELS + 1;

	store_close(*state);
	*state = NULL;
	issue_under_all(LABELS, 1);
	*state = store_again();
	assert_int_equal(bdb_run(*state, BDB_WRITE, age_act, &rings), EST_OK);
	assert_totals(*state, noon(), "label-3", 0, 0, 0, 0); /* so the cells are gone */
	store_close(*state);
	*state = store_again();
	assert_each(*state, LABELS, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_empty),
	    store_test(test_labels),
	    store_test(test_expiry),
	    store_test(test_clock_set_back),
	    store_test(test_revoked_and_expired),
	    store_test(test_added_expired),
	    store_test(test_days),
	    store_test(test_race),
	    store_test(test_many_labels),
	    store_test(test_older_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
