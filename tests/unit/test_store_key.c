/*
 * Keys that no certificate may be made of: what keyCompromise leaves
 * behind, and keys that must be new.
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

#include "common/base/refusal.h"
#include "common/store/bdb.h"
#include "tests/unit/store_test.h"

static void take_back(struct store *store, unsigned number, int code)
{
	struct serial serial = serial_of(number);

	assert_int_equal(
	    store_cert_revoke(store, &serial, code, (int64_t)time(NULL), NULL), EST_OK);
}

static void assert_blocked(struct store *store, const unsigned char *spki)
{
	reason_clear();
	assert_int_equal(store_key_check(store, spki, NULL), EST_MALFORMED);
	assert_int_equal(refusal_recorded(EST_MALFORMED), CSR_BLOCKED_KEY);
	reason_clear();
}

static void test_compromised_key_is_blocked(void **state)
{
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-2", 2),
			   other = cert_of("pump-3", 3);

	memcpy(second.spki, first.spki, sizeof(first.spki));
	assert_int_equal(add(*state, &first, 1), EST_OK);
	assert_int_equal(store_key_check(*state, first.spki, NULL), EST_OK);
	take_back(*state, 1, KEY_COMPROMISE);
	assert_blocked(*state, first.spki);
	assert_int_equal(store_key_check(*state, other.spki, NULL), EST_OK);
	assert_sound(*state);

	/* Nor does one get in that was signed while the key was still good. */
	assert_int_equal(add(*state, &second, 2), EST_MALFORMED);
	assert_int_equal(refusal_recorded(EST_MALFORMED), CSR_BLOCKED_KEY);
	reason_clear();
	assert_int_equal(of_request(*state, 2), EST_NOT_FOUND);
	assert_int_equal(add(*state, &other, 3), EST_OK);
	assert_sound(*state);
}

static void test_other_reasons_do_not_block(void **state)
{
	struct cert_record cert = cert_of("pump-1", 1), again = cert_of("pump-1", 2);

	memcpy(again.spki, cert.spki, sizeof(cert.spki));
	assert_int_equal(add(*state, &cert, 1), EST_OK);
	take_back(*state, 1, SUPERSEDED);
	assert_int_equal(store_key_check(*state, cert.spki, cert.spki), EST_OK);
	assert_int_equal(add(*state, &again, 2), EST_OK);
	assert_sound(*state);
}

/* It may come out later that the key was lost: the date stays, the reason is the graver one. */
static void test_compromise_comes_out_later(void **state)
{
	struct cert_record cert = cert_of("pump-1", 1), out = {0};
	struct serial serial = serial_of(1);
	int64_t now = (int64_t)time(NULL);

	assert_int_equal(add(*state, &cert, 1), EST_OK);
	assert_int_equal(store_cert_revoke(*state, &serial, SUPERSEDED, now - 100, NULL), EST_OK);
	assert_int_equal(store_cert_revoke(*state, &serial, KEY_COMPROMISE, now, &out), EST_OK);
	assert_int_equal(out.revocation_reason, KEY_COMPROMISE);
	assert_int_equal(out.revoked_at, now - 100);
	cert_record_clear(&out);
	assert_blocked(*state, cert.spki);
	assert_int_equal(store_cert_revoke(*state, &serial, SUPERSEDED, now, NULL), EST_CONFLICT);
	reason_clear();
	assert_int_equal(
	    store_cert_revoke(*state, &serial, KEY_COMPROMISE, now, NULL), EST_CONFLICT);
	reason_clear();
	assert_blocked(*state, cert.spki);
	assert_sound(*state);
}

static void test_block_outlives_the_process(void **state)
{
	struct cert_record cert = cert_of("pump-1", 1);

	assert_int_equal(add(*state, &cert, 1), EST_OK);
	take_back(*state, 1, KEY_COMPROMISE);
	store_close(*state);
	*state = store_again();
	assert_blocked(*state, cert.spki);
}

static void test_key_that_must_be_new(void **state)
{
	struct cert_record cert = cert_of("pump-1", 1), again = cert_of("pump-2", 2);
	const struct cert_terms terms = {.must_be_new = true};

	memcpy(again.spki, cert.spki, sizeof(cert.spki));
	assert_int_equal(store_key_check(*state, cert.spki, cert.spki), EST_OK);
	assert_int_equal(add(*state, &cert, 1), EST_OK);
	assert_int_equal(store_key_check(*state, cert.spki, cert.spki), EST_FORBIDDEN);
	assert_int_equal(refusal_recorded(EST_FORBIDDEN), KEY_IN_USE);
	reason_clear();
	assert_int_equal(store_key_check(*state, cert.spki, NULL), EST_OK);
	assert_int_equal(add_on(*state, &again, 2, terms), EST_FORBIDDEN);
	reason_clear();
	take_back(*state, 1, SUPERSEDED);
	assert_int_equal(store_key_check(*state, cert.spki, cert.spki), EST_OK);
	assert_int_equal(add_on(*state, &again, 2, terms), EST_OK);
	assert_sound(*state);
}

/*
 * Many certificates of one key, expired and revoked ones first: the
 * living one is found behind them.
 */
static void test_living_one_among_many(void **state)
{
	struct cert_record cert = cert_of("pump", 0);

	for (unsigned i = 1; i <= 40; i++) {
		cert.serial = serial_of(i);
		assert_int_equal(add(*state, &cert, i), EST_OK);
		if (i < 40)
			take_back(*state, i, SUPERSEDED);
	}
	assert_int_equal(store_key_check(*state, cert.spki, cert.spki), EST_FORBIDDEN);
	reason_clear();
	take_back(*state, 40, SUPERSEDED);
	assert_int_equal(store_key_check(*state, cert.spki, cert.spki), EST_OK);
}

/* Two processes at once with one key that must be new: one gets a certificate. */
static void test_race_for_a_new_key(void **state)
{
	enum { RUNNERS = 6, ROUNDS = 10 };

	store_close(*state);
	*state = NULL;
	for (unsigned round = 1; round <= ROUNDS; round++) {
		int won = 0;
		pid_t runners[RUNNERS];
		for (unsigned i = 0; i < RUNNERS; i++) {
			runners[i] = fork();
			if (runners[i] == 0) {
				struct store *store = store_again();
				struct cert_record cert = cert_of("pump", round);
				enum outcome outcome;
				cert.serial = serial_of(round * 100 + i);
				outcome = add_on(store, &cert, round * 100 + i,
				    (struct cert_terms){.must_be_new = true});
				store_close(store);
				_exit(outcome == EST_OK ? 0 : outcome == EST_FORBIDDEN ? 1 : 2);
			}
		}
		for (unsigned i = 0; i < RUNNERS; i++) {
			int status = -1;
			assert_int_equal(waitpid(runners[i], &status, 0), runners[i]);
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
			won += WEXITSTATUS(status) == 0;
		}
		assert_int_equal(won, 1);
	}
	*state = store_again();
	assert_sound(*state);
}

/* What a store of form 1 looks like: no row of a blocked key, and its number. */
static int age_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	static const unsigned char one[4] = {0, 0, 0, 1};
	u_int32_t count;
	int error = bdb->tables[BDB_BLOCKED]->truncate(bdb->tables[BDB_BLOCKED], txn, &count, 0);

	*(unsigned *)context = count;
	return error != 0
		   ? error
		   : bdb_put(bdb, txn, BDB_META, span_of("schema"), (struct span){one, 4}, 0);
}

static void test_older_store_is_filled(void **state)
{
	enum { CERTS = 450 };
	unsigned count = 0;
	struct cert_record first = cert_of("pump", 1), last = cert_of("pump", CERTS);

	for (unsigned i = 1; i <= CERTS; i++) {
		struct cert_record cert = cert_of("pump", i);
		assert_int_equal(add(*state, &cert, i), EST_OK);
		take_back(*state, i, i % 3 == 0 || i == 1 ? KEY_COMPROMISE : SUPERSEDED);
	}
	assert_int_equal(bdb_run(*state, BDB_WRITE, age_act, &count), EST_OK);
	assert_int_equal(count, CERTS / 3 + 1);
	assert_int_equal(store_key_check(*state, first.spki, NULL), EST_OK);
	store_close(*state);
	*state = store_again();
	assert_blocked(*state, first.spki);
	assert_blocked(*state, last.spki);
	assert_sound(*state);
}

static void test_check_finds_a_lost_block(void **state)
{
	unsigned count = 0;
	int64_t faults = 0;
	struct cert_record cert = cert_of("pump", 1);

	assert_int_equal(add(*state, &cert, 1), EST_OK);
	take_back(*state, 1, KEY_COMPROMISE);
	assert_int_equal(bdb_run(*state, BDB_WRITE, age_act, &count), EST_OK);
	assert_int_equal(store_check(*state, NULL, NULL, &faults), EST_INTERNAL);
	assert_int_equal(faults, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_compromised_key_is_blocked),
	    store_test(test_other_reasons_do_not_block),
	    store_test(test_compromise_comes_out_later),
	    store_test(test_block_outlives_the_process),
	    store_test(test_key_that_must_be_new),
	    store_test(test_living_one_among_many),
	    store_test(test_race_for_a_new_key),
	    store_test(test_older_store_is_filled),
	    store_test(test_check_finds_a_lost_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
