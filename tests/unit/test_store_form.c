/*
 * Stores of form 2 and 3, made by hand: they open, keep what they hold, and do what form 4 can; and
 * from then on a program that knows an older form alone leaves them alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/store/bdb.h"
#include "common/store/bdb_row.h"
#include "store_test.h"

/* The tables that came with form 4, and before them those of form 3. */
static const char *const younger[] = {"device", "challenge", "pending", "secret", "kek", "nonce"};

enum { YOUNGER = sizeof(younger) / sizeof(younger[0]), YOUNGEST = 1, NEWEST_FORM = 4 };

static bool exists(const char *file)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", store_directory(), file);
	return access(path, F_OK) == 0;
}

/* Takes the tables away that the form does not have, and writes its number. */
static void make_older(unsigned char form)
{
	unsigned char number[4] = {0, 0, 0, form};
	size_t tables = form == 2 ? YOUNGER : YOUNGEST;
	static char schema[] = "schema";
	DBT key = {.data = schema, .size = 6}, value = {.data = number, .size = sizeof(number)};
	DB_ENV *env = NULL;
	DB *meta = NULL;

	assert_int_equal(db_env_create(&env, 0), 0);
	assert_int_equal(
	    env->open(env, store_directory(),
		DB_CREATE | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_TXN, 0660),
	    0);
	for (size_t i = 0; i < tables; i++)
		assert_int_equal(env->dbremove(env, NULL, younger[i], NULL, DB_AUTO_COMMIT), 0);
	assert_int_equal(db_create(&meta, env, 0), 0);
	assert_int_equal(meta->open(meta, NULL, "meta", NULL, DB_BTREE, DB_AUTO_COMMIT, 0660), 0);
	assert_int_equal(meta->put(meta, NULL, &key, &value, DB_AUTO_COMMIT), 0);
	assert_int_equal(meta->close(meta, 0), 0);
	assert_int_equal(env->close(env, 0), 0);
	for (size_t i = 0; i < tables; i++)
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
	make_older(2);
	*state = store_again();
	assert_int_equal(schema(*state), NEWEST_FORM);
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
	assert_int_equal(schema(*state), NEWEST_FORM);
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
	make_older(2);
	store_race(6, race_open, outcomes);
	assert_int_equal(outcomes[EST_OK], 6);
	*state = store_again();
	assert_int_equal(schema(*state), NEWEST_FORM);
	assert_sound(*state);
}

/* --- devices, which form 3 does not have --- */

enum { DEVICES = 150, CERTS = 4 }; /* of each: together more than are filled in one piece */

/* Every other device has all of them under a second label too, the newest first. */
static void fill_older(struct store *store)
{
	for (unsigned i = 0; i < DEVICES * CERTS; i++) {
		struct cert_record cert = cert_of(NULL, i + 1);
		char name[32];
		(void)snprintf(
		    name, sizeof(name), "%s-%u", i < DEVICES ? "Pump" : "pump", i % DEVICES);
		cert.name = name;
		cert.issued_at -= i;
		assert_int_equal(add(store, &cert, 0), EST_OK);
		cert.serial = serial_of(i + 10000);
		cert.label = "valves";
		if (i % 2 == 0)
			assert_int_equal(add(store, &cert, 0), EST_OK);
	}
}

static void assert_devices(struct store *store, const char *label, unsigned step)
{
	for (unsigned i = 0; i < DEVICES; i += step) {
		struct device_record device = {0};
		struct device_state known;
		char name[32];
		(void)snprintf(name, sizeof(name), "PUMP-%u", i);
		assert_int_equal(store_device_get(store, label, name, &device, &known), EST_OK);
		assert_string_equal(device.label, label);
		assert_int_equal(strcasecmp(device.name, name), 0);
		assert_int_equal(device.enrolled_at, known.first_issued);
		assert_int_equal(device.added_at, known.first_issued);
		assert_true(device.freed_at == 0 && device.blocked_at == 0);
		assert_int_equal(known.issued, CERTS);
		device_record_clear(&device);
	}
}

static void assert_filled(struct store *store)
{
	struct device_record device = {0};
	char label[32] = "", name[32];
	unsigned count = 0;

	assert_devices(store, "pumps", 1);
	assert_devices(store, "valves", 2);
	while (store_device_next(store, label, count == 0 ? NULL : name, &device) == EST_OK) {
		(void)snprintf(label, sizeof(label), "%s", device.label);
		(void)snprintf(name, sizeof(name), "%s", device.name);
		device_record_clear(&device);
		count++;
	}
	assert_int_equal(count, DEVICES + DEVICES / 2);
	assert_sound(store);
}

static int old_user_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	static const unsigned char old[] = "U\0\0\0\0\0\0\0\7\5pump\0\2x\0\0";

	(void)context;
	return bdb_put(bdb, txn, BDB_USER, span_of("pump"), (struct span){old, sizeof(old)}, 0);
}

static void test_form_3_opens(void **state)
{
	struct user_record user = {0};
	struct cert_record cert = cert_of("pump-1", 5000);

	fill_older(*state);
	assert_int_equal(bdb_run(*state, BDB_WRITE, old_user_act, NULL), EST_OK);
	store_close(*state);
	*state = NULL;
	make_older(3);
	*state = store_again();
	assert_int_equal(schema(*state), NEWEST_FORM);
	assert_filled(*state);
	assert_int_equal(
	    add_on(*state, &cert, 1, (struct cert_terms){.duplicates = DUPLICATES_REFUSE}),
	    EST_CONFLICT);
	reason_clear();
	assert_int_equal(store_user_get(*state, "pump", &user), EST_OK);
	assert_int_equal(user.roles, 1U << ROLE_ENROLL);
	user_record_clear(&user);
}

static enum outcome only_open(struct store *store, unsigned number)
{
	(void)store;
	(void)number;
	return EST_OK;
}

static void test_form_3_by_many(void **state)
{
	int outcomes[EST_OUTCOMES];

	fill_older(*state);
	store_close(*state);
	*state = NULL;
	make_older(3);
	store_race(6, only_open, outcomes);
	assert_int_equal(outcomes[EST_OK], 6);
	*state = store_again();
	assert_filled(*state);
}

static void test_fresh_store(void **state)
{
	assert_int_equal(schema(*state), NEWEST_FORM);
	for (size_t i = 0; i < YOUNGER; i++)
		assert_true(exists(younger[i]));
	assert_sound(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_form_2_opens),
	    store_test(test_form_2_by_many),
	    store_test(test_form_3_opens),
	    store_test(test_form_3_by_many),
	    store_test(test_fresh_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
