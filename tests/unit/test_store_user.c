/*
 * Users: how often one may be used, another hash for the same password, and users of before there
 * were roles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/refusal.h"
#include "common/store/bdb.h"
#include "store_test.h"

static const char *const all_names[] = {"*", NULL};

static void put_user(struct store *store, const char *name, uint32_t uses_most)
{
	struct user_record user = {.name = name,
	    .password = "$y$first",
	    .names = all_names,
	    .roles = 1U << ROLE_ENROLL,
	    .uses_most = uses_most};

	assert_int_equal(store_user_put(store, &user, false), EST_OK);
}

static uint32_t uses_of(struct store *store, const char *name)
{
	struct user_record user = {0};
	uint32_t uses;

	assert_int_equal(store_user_get(store, name, &user), EST_OK);
	uses = user.uses;
	user_record_clear(&user);
	return uses;
}

static enum outcome use(struct store *store, const char *user, unsigned number)
{
	struct cert_record cert = cert_of("pump-1", number);

	return add_on(store, &cert, number, (struct cert_terms){.user = user});
}

static void assert_spent(enum outcome outcome)
{
	assert_int_equal(outcome, EST_UNAUTHENTICATED);
	assert_int_equal(refusal_recorded(outcome), AUTH_SPENT);
	reason_clear();
}

static bool exists(struct store *store, unsigned number)
{
	struct serial serial = serial_of(number);
	struct cert_record out = {0};
	bool found = store_cert_get(store, &serial, &out) == EST_OK;

	cert_record_clear(&out);
	return found;
}

/* --- uses --- */

static void test_uses(void **state)
{
	struct store *store = *state;
	struct cert_record twin = cert_of("pump-1", 1);

	put_user(store, "batch", 2);
	assert_int_equal(use(store, "batch", 1), EST_OK);
	assert_int_equal(uses_of(store, "batch"), 1);
	/* What is answered as before, or not at all, is no use. */
	assert_int_equal(use(store, "batch", 1), EST_CONFLICT);
	assert_int_equal(
	    add_on(store, &twin, 0, (struct cert_terms){.user = "batch"}), EST_INTERNAL);
	reason_clear();
	assert_int_equal(uses_of(store, "batch"), 1);
	assert_int_equal(use(store, "batch", 2), EST_OK);
	assert_spent(use(store, "batch", 3));
	assert_false(exists(store, 3));
	assert_int_equal(of_request(store, 3), EST_NOT_FOUND);
	assert_int_equal(use(store, "batch", 2), EST_CONFLICT); /* fetched again */
	assert_int_equal(uses_of(store, "batch"), 2);
	assert_spent(use(store, "nobody", 4));
	assert_sound(store);
}

/* One who may be used any number of times is not written to. */
static void test_any_number(void **state)
{
	struct store *store = *state;

	put_user(store, "batch", 0);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(use(store, "batch", i), EST_OK);
	assert_int_equal(uses_of(store, "batch"), 0);
}

/* Somebody who reads the row for long does not keep them from it. */
struct holder {
	int held, let_go; /* pipes: to write to, to read from */
};

static int hold_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct holder *holder = context;
	struct span value;
	char byte;
	int error = bdb_get(bdb, txn, BDB_USER, span_of("batch"), &value, 0);

	if (error == 0 && (write(holder->held, "x", 1) != 1 || read(holder->let_go, &byte, 1) != 0))
		_exit(1);
	return error;
}

static pid_t hold_user(int held[2], int let_go[2])
{
	struct holder holder = {held[1], let_go[0]};
	struct store *store;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)close(let_go[1]);
	(void)alarm(60);
	store = store_again();
	(void)bdb_run((struct bdb *)store, BDB_SNAPSHOT, hold_act, &holder);
	store_close(store);
	_exit(0);
}

static void test_no_lock(void **state)
{
	int held[2], let_go[2], status;
	char byte;
	pid_t pid;

	put_user(*state, "batch", 0);
	store_close(*state);
	*state = NULL;
	assert_true(pipe(held) == 0 && pipe(let_go) == 0);
	pid = hold_user(held, let_go);
	assert_int_equal(read(held[0], &byte, 1), 1);
	(void)alarm(60); /* who waits for the row would wait for ever */
	*state = store_again();
	assert_int_equal(use(*state, "batch", 1), EST_OK);
	(void)alarm(0);
	(void)close(let_go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	(void)close(let_go[0]);
	(void)close(held[0]);
	(void)close(held[1]);
}

enum { RUNNERS = 12, USES = 5 };

static enum outcome race_use(struct store *store, unsigned number)
{
	struct cert_record cert = cert_of("pump", 100 + number);
	char name[32];

	(void)snprintf(name, sizeof(name), "pump-%u", number);
	cert.name = name;
	return add_on(store, &cert, 100 + number, (struct cert_terms){.user = "batch"});
}

static void test_race_for_uses(void **state)
{
	int outcomes[EST_OUTCOMES];

	put_user(*state, "batch", USES);
	store_close(*state);
	*state = NULL;
	store_race(RUNNERS, race_use, outcomes);
	*state = store_again();
	assert_int_equal(outcomes[EST_OK], USES);
	assert_int_equal(outcomes[EST_UNAUTHENTICATED], RUNNERS - USES);
	assert_int_equal(uses_of(*state, "batch"), USES);
	assert_sound(*state);
}

/* --- another hash --- */

static void test_rehash(void **state)
{
	struct store *store = *state;
	struct user_record user = {0};

	put_user(store, "pump", 3);
	assert_int_equal(use(store, "pump", 1), EST_OK);
	assert_int_equal(store_user_rehash(store, "pump", "$y$first", "$y$second"), EST_OK);
	assert_int_equal(store_user_get(store, "pump", &user), EST_OK);
	assert_string_equal(user.password, "$y$second");
	assert_string_equal(user.names[0], "*");
	assert_int_equal(user.uses_most, 3);
	assert_int_equal(user.uses, 1);
	assert_int_equal(user.roles, 1U << ROLE_ENROLL);
	user_record_clear(&user);
	assert_int_equal(store_user_rehash(store, "pump", "$y$first", "$y$third"), EST_CONFLICT);
	assert_int_equal(store_user_rehash(store, "nobody", "$y$first", "$y$x"), EST_CONFLICT);
	assert_string_equal(reason_text(), "");
	assert_int_equal(store_user_get(store, "pump", &user), EST_OK);
	assert_string_equal(user.password, "$y$second");
	user_record_clear(&user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_uses),
	    store_test(test_any_number),
	    store_test(test_no_lock),
	    store_test(test_race_for_uses),
	    store_test(test_rehash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
