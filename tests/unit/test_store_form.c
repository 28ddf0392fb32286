/*
 * A store of form 2, made by hand: it opens, keeps what it holds, and does what form 3 can; and
 * from then on a program that knows form 2 alone leaves it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/store/bdb.h"
#include "common/store/bdb_row.h"
#include "store_test.h"

static const char *const younger[] = {"challenge", "pending", "secret", "kek", "nonce"};

enum { YOUNGER = sizeof(younger) / sizeof(younger[0]) };

static bool exists(const char *file)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", store_directory(), file);
	return access(path, F_OK) == 0;
}

/* Takes the tables away that form 2 does not have, and writes its number. */
static void make_older(void)
{
	static unsigned char two[4] = {0, 0, 0, 2};
	static char schema[] = "schema";
	DBT key = {.data = schema, .size = 6}, value = {.data = two, .size = sizeof(two)};
	DB_ENV *env = NULL;
	DB *meta = NULL;

	assert_int_equal(db_env_create(&env, 0), 0);
	assert_int_equal(
	    env->open(env, store_directory(),
		DB_CREATE | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_TXN, 0660),
	    0);
	for (size_t i = 0; i < YOUNGER; i++)
		assert_int_equal(env->dbremove(env, NULL, younger[i], NULL, DB_AUTO_COMMIT), 0);
	assert_int_equal(db_create(&meta, env, 0), 0);
	assert_int_equal(meta->open(meta, NULL, "meta", NULL, DB_BTREE, DB_AUTO_COMMIT, 0660), 0);
	assert_int_equal(meta->put(meta, NULL, &key, &value, DB_AUTO_COMMIT), 0);
	assert_int_equal(meta->close(meta, 0), 0);
	assert_int_equal(env->close(env, 0), 0);
	for (size_t i = 0; i < YOUNGER; i++)
		assert_false(exists(younger[i]));
}

static int schema_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct span value;
	int error = bdb_get(bdb, txn, BDB_META, span_of("schema"), &value, 0);

	if (error == 0)
		*(uint64_t *)context = row_number_get(value.data, (unsigned)value.len);
	return error;
}

static uint64_t schema(struct store *store)
{
	uint64_t number = 0;

	assert_int_equal(bdb_run((struct bdb *)store, BDB_READ, schema_act, &number), EST_OK);
	return number;
}

static void test_form_2_opens(void **state)
{
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-2", 2);
	struct cert_record third = cert_of("pump-1", 3), out = {0};
	struct secret_record secret = secret_of("pump-1", 3);
	struct secret_use use = {"pump-1", "pumps", octets_of(3), octets_of(10)};
	struct pending_record pending = pending_of(1, 7);
	struct cert_terms terms = {.supersedes = &first.serial,
	    .secret = &use,
	    .approval = &pending,
	    .revocation_hash = "$y$"};

	assert_int_equal(add(*state, &first, 1), EST_OK);
	assert_int_equal(add(*state, &second, 2), EST_OK);
	assert_int_equal(
	    store_cert_revoke(*state, &second.serial, KEY_COMPROMISE, 5, NULL), EST_OK);
	store_close(*state);
	*state = NULL;
	make_older();
	*state = store_again();
	assert_int_equal(schema(*state), 3);
	assert_int_equal(store_cert_get(*state, &first.serial, &out), EST_OK);
	assert_string_equal(out.name, "pump-1");
	cert_record_clear(&out);
	assert_int_equal(of_request(*state, 1), EST_OK);
	assert_int_equal(store_key_check(*state, second.spki, NULL), EST_MALFORMED);
	reason_clear();
	assert_int_equal(wait_for(*state, &pending), EST_OK);
	assert_int_equal(decide(*state, pending, PENDING_APPROVED), EST_OK);
	assert_int_equal(store_secret_put(*state, &secret, false), EST_OK);
	assert_int_equal(add_on(*state, &third, 3, terms), EST_OK);
	assert_int_equal(store_nonce_use(*state, octets_of(1), time(NULL) + 5), EST_OK);
	assert_sound(*state);
	store_close(*state);
	*state = store_again();
	assert_int_equal(schema(*state), 3);
	assert_sound(*state);
}

/* Several open it for the first time at once. */
static enum outcome race_open(struct store *store, unsigned number)
{
	struct cert_record cert = cert_of("pump", 100 + number);

	return add(store, &cert, 100 + number);
}

static void test_form_2_by_many(void **state)
{
	int outcomes[EST_OUTCOMES];

	store_close(*state);
	*state = NULL;
	make_older();
	store_race(6, race_open, outcomes);
	assert_int_equal(outcomes[EST_OK], 6);
	*state = store_again();
	assert_int_equal(schema(*state), 3);
	assert_sound(*state);
}

static void test_fresh_store(void **state)
{
	assert_int_equal(schema(*state), 3);
	for (size_t i = 0; i < YOUNGER; i++)
		assert_true(exists(younger[i]));
	assert_sound(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_form_2_opens),
	    store_test(test_form_2_by_many),
	    store_test(test_fresh_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
