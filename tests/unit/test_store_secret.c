/*
 * One-time secrets, keys to encrypt under, nonces: kept, found, replaced only where that is meant;
 * and a refused secret does not say what was wrong with it.
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

#include "common/base/refusal.h"
#include "common/store/bdb.h"
#include "common/store/bdb_row.h"
#include "store_test.h"

/* --- secrets --- */

static void test_put_get_delete(void **state)
{
	struct store *store = *state;
	struct secret_record secret = secret_of("Pump-1", 3), other = secret_of("pump-1", 4);
	struct secret_record out = {0};

	secret.label = "pumps";
	assert_int_equal(store_secret_get(store, "pump-1", &out), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	assert_int_equal(store_secret_get(store, "PUMP-1", &out), EST_OK);
	assert_string_equal(out.name, "Pump-1");
	assert_string_equal(out.label, "pumps");
	assert_memory_equal(out.digest, secret.digest, 32);
	assert_int_equal(out.expires_at, secret.expires_at);
	secret_record_clear(&out);
	assert_int_equal(store_secret_put(store, &other, false), EST_CONFLICT);
	assert_non_null(strstr(reason_text(), "pump-1"));
	reason_clear();
	assert_int_equal(store_secret_put(store, &other, true), EST_OK);
	assert_int_equal(store_secret_get(store, "pump-1", &out), EST_OK);
	assert_memory_equal(out.digest, other.digest, 32);
	assert_null(out.label);
	secret_record_clear(&out);
	assert_int_equal(store_secret_delete(store, "pump"), EST_NOT_FOUND);
	reason_clear();
	assert_int_equal(store_secret_delete(store, "pUMP-1"), EST_OK);
	assert_int_equal(store_secret_get(store, "pump-1", &out), EST_NOT_FOUND);
	assert_int_equal(store_secret_put(store, &other, true), EST_OK); /* of nothing */
	other.name = "";
	assert_int_equal(store_secret_put(store, &other, true), EST_MALFORMED);
	reason_clear();
	assert_sound(store);
}

/* Each once, whatever the order; also where one is deleted on the way, and with long names. */
static void test_next(void **state)
{
	enum { SECRETS = 50 };
	struct store *store = *state;
	struct secret_record out = {0};
	char names[SECRETS][300];
	char *after = NULL;
	unsigned seen[SECRETS] = {0}, count = 0;

	assert_int_equal(store_secret_next(store, NULL, &out), EST_NOT_FOUND);
	for (unsigned i = 0; i < SECRETS; i++) {
		struct secret_record secret = secret_of(names[i], (unsigned char)i);
		(void)snprintf(names[i], sizeof(names[i]), "%s-%u%0*d", i % 2 ? "Pump" : "pump", i,
		    i < 5 ? 290 : 1, 7);
		assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	}
	while (store_secret_next(store, after, &out) == EST_OK) {
		assert_true(out.digest[0] < SECRETS);
		assert_string_equal(out.name, names[out.digest[0]]);
		seen[out.digest[0]]++;
		free(after);
		after = mem_string(out.name);
		secret_record_clear(&out);
		if (++count % 3 == 0)
			assert_int_equal(store_secret_delete(store, after), EST_OK);
	}
	assert_string_equal(reason_text(), "");
	for (unsigned i = 0; i < SECRETS; i++)
		assert_int_equal(seen[i], 1);
	free(after);
	assert_sound(store);
}

static void test_check(void **state)
{
	static const struct {
		const char *name, *label;
		unsigned char digest;
		bool good;
	} uses[] = {
	    {"pump-1", "pumps", 3, true},
	    {"PUMP-1", "pumps", 3, true},
	    {"pump-1", "valves", 3, false},
	    {"pump-1", "", 3, false},
	    {"pump-1", "pumps", 4, false},
	    {"pump-1", "pumps", 0, false},
	    {"pump-2", "pumps", 3, false}, /* there is none */
	    {"pump-2", "pumps", 0, false},
	    {"late", "pumps", 3, false},
	    {"any", "pumps", 3, true},
	    {"any", "", 3, true},
	    {"default", "", 3, true},
	    {"default", "pumps", 3, false},
	};
	struct store *store = *state;
	struct secret_record secret = secret_of("pump-1", 3);
	char text[REASON_SIZE] = "";

	secret.label = "pumps";
	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	secret.name = "late";
	secret.expires_at = time(NULL);
	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	secret = secret_of("any", 3);
	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	secret.name = "default";
	secret.label = "";
	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		struct secret_use use = {
		    uses[i].name, uses[i].label, octets_of(uses[i].digest), octets_of(10)};
		enum outcome outcome;
		reason_clear();
		outcome = store_secret_check(store, &use);
		if (outcome != (uses[i].good ? EST_OK : EST_FORBIDDEN))
			fail_msg("use %zu: %s", i, outcome_name(outcome));
		if (uses[i].good)
			continue;
		assert_int_equal(refusal_recorded(EST_FORBIDDEN), OTP_WRONG);
		/* All of them are told the same. */
		if (text[0] == '\0')
			(void)snprintf(text, sizeof(text), "%s", reason_text());
		assert_string_equal(reason_text(), text);
	}
	reason_clear();
}

/*
 * Used up, it may be sent by the same request alone, also beyond its end (R-06: who waits for
 * approval goes on asking); and it says so.
 */
static void test_used(void **state)
{
	struct store *store = *state;
	struct secret_record secret = secret_of("pump-1", 3), out = {0};
	struct secret_use use = {"pump-1", "pumps", octets_of(3), octets_of(10)};
	struct secret_use other = {"pump-1", "pumps", octets_of(3), octets_of(11)};
	struct cert_record cert = cert_of("pump-1", 1);

	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	assert_int_equal(add_on(store, &cert, 1, (struct cert_terms){.secret = &use}), EST_OK);
	assert_int_equal(store_secret_get(store, "pump-1", &out), EST_OK);
	assert_true(out.used_at >= secret.created_at && out.used_at <= time(NULL));
	assert_memory_equal(out.used_by, octets_of(10), 32);
	assert_int_equal(store_secret_check(store, &use), EST_OK);
	assert_int_equal(store_secret_check(store, &other), EST_FORBIDDEN);
	reason_clear();
	out.expires_at = time(NULL) - 1;
	assert_int_equal(store_secret_put(store, &out, true), EST_OK);
	secret_record_clear(&out);
	assert_int_equal(store_secret_check(store, &use), EST_OK);
	assert_int_equal(store_secret_check(store, &other), EST_FORBIDDEN);
	reason_clear();
	/* A fresh one in its place is unused. */
	assert_int_equal(store_secret_put(store, &secret, true), EST_OK);
	assert_int_equal(store_secret_check(store, &other), EST_OK);
	assert_sound(store);
}

/* --- keys to encrypt under --- */

static struct kek_record kek_of(const char *id, size_t size, unsigned char fill)
{
	return (struct kek_record){
	    .id = span_of(id), .key = {octets_of(fill), size}, .created_at = 77};
}

static void test_keks(void **state)
{
	struct store *store = *state;
	struct kek_record kek = kek_of("pump", 16, 3), other = kek_of("pump", 32, 4), out = {0};

	assert_int_equal(store_kek_get(store, kek.id, &out), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
	assert_int_equal(store_kek_put(store, &kek, false), EST_OK);
	assert_int_equal(store_kek_put(store, &other, false), EST_CONFLICT);
	reason_clear();
	assert_int_equal(store_kek_get(store, kek.id, &out), EST_OK);
	assert_true(span_equal(out.key, kek.key));
	assert_int_equal(out.created_at, 77);
	kek_record_clear(&out);
	assert_int_equal(store_kek_put(store, &other, true), EST_OK);
	assert_int_equal(store_kek_get(store, kek.id, &out), EST_OK);
	assert_true(span_equal(out.key, other.key));
	kek_record_clear(&out);
	assert_int_equal(store_kek_get(store, span_of("PUMP"), &out), EST_NOT_FOUND);
	assert_sound(store);
	assert_int_equal(store_kek_delete(store, kek.id), EST_OK);
	assert_int_equal(store_kek_delete(store, kek.id), EST_NOT_FOUND);
	reason_clear();
	assert_int_equal(store_kek_get(store, kek.id, &out), EST_NOT_FOUND);
}

static void test_kek_sizes(void **state)
{
	static const size_t sizes[] = {0, 8, 15, 17, 31};
	struct kek_record kek = kek_of("", 16, 3);

	assert_int_equal(store_kek_put(*state, &kek, false), EST_MALFORMED);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		kek = kek_of("pump", sizes[i], 3);
		assert_int_equal(store_kek_put(*state, &kek, false), EST_MALFORMED);
	}
	reason_clear();
}

/* In the order of octets, each once; ids may hold any octet. */
static void test_kek_next(void **state)
{
	static const struct span sorted[] = {{(const unsigned char *)"\0", 1},
	    {(const unsigned char *)"\0\0", 2}, {(const unsigned char *)"a", 1},
	    {(const unsigned char *)"a\0", 2}, {(const unsigned char *)"ab", 2},
	    {(const unsigned char *)"\xff", 1}};
	struct store *store = *state;
	struct span after = {NULL, 0};
	struct kek_record out = {0};

	assert_int_equal(store_kek_next(store, after, &out), EST_NOT_FOUND);
	for (size_t i = 0; i < 6; i++) {
		struct kek_record kek = kek_of("x", 24, (unsigned char)i);
		kek.id = sorted[(i * 5 + 2) % 6];
		assert_int_equal(store_kek_put(store, &kek, false), EST_OK);
	}
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(store_kek_next(store, after, &out), EST_OK);
		assert_true(span_equal(out.id, sorted[i]));
		after = sorted[i];
		kek_record_clear(&out);
	}
	assert_int_equal(store_kek_next(store, after, &out), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
}

/* No figure, no finding and no reason holds a key or a digest. */
static void no_figure(void *context, const char *name, int64_t value)
{
	(void)context;
	(void)value;
	assert_null(strstr(name, "Z"));
}

static void test_never_printed(void **state)
{
	struct store *store = *state;
	struct kek_record kek = kek_of("pump", 16, 'Z');
	struct secret_record secret = secret_of("pump-1", 'Z');
	static const char *const sayings[] = {"ZZZZ", "5a5a5a", "5A5A5A"};

	assert_int_equal(store_kek_put(store, &kek, false), EST_OK);
	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	assert_int_equal(store_kek_put(store, &kek, false), EST_CONFLICT);
	for (size_t i = 0; i < 3; i++)
		assert_null(strstr(reason_text(), sayings[i]));
	reason_clear();
	assert_int_equal(store_secret_put(store, &secret, false), EST_CONFLICT);
	for (size_t i = 0; i < 3; i++)
		assert_null(strstr(reason_text(), sayings[i]));
	reason_clear();
	assert_int_equal(store_statistics(store, no_figure, NULL), EST_OK);
}

/* --- nonces --- */

static void test_nonces(void **state)
{
	struct store *store = *state;
	int64_t now = time(NULL);

	assert_int_equal(store_nonce_use(store, octets_of(1), now + 100), EST_OK);
	assert_int_equal(store_nonce_use(store, octets_of(1), now + 100), EST_CONFLICT);
	assert_string_equal(reason_text(), "");
	assert_int_equal(store_nonce_use(store, octets_of(2), now + 100), EST_OK);
	store_close(store);
	*state = store = store_again();
	assert_int_equal(store_nonce_use(store, octets_of(1), now + 500), EST_CONFLICT);
	/* One that is not remembered any more. */
	assert_int_equal(store_nonce_use(store, octets_of(3), now - 1), EST_OK);
	assert_int_equal(store_nonce_use(store, octets_of(3), now + 100), EST_OK);
	assert_int_equal(store_nonce_use(store, octets_of(3), now + 100), EST_CONFLICT);
	assert_sound(store);
}

static void spread(unsigned char digest[32], unsigned number)
{
	uint32_t mixed = number * 2654435761U;

	memset(digest, 0, 32);
	memcpy(digest, &mixed, sizeof(mixed));
	memcpy(digest + 4, &number, sizeof(number));
}

static bool count_row(struct span key, struct span value, void *context)
{
	(void)key;
	(void)value;
	++*(unsigned *)context;
	return true;
}

static int count_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	int error;

	*(unsigned *)context = 0;
	error = bdb_scan(bdb, txn, BDB_NONCE, (struct span){NULL, 0}, count_row, context);
	return error == DB_NOTFOUND ? 0 : error;
}

static void test_expired_nonces_go(void **state)
{
	enum { OLD = 2000, FRESH = 4000 };
	struct store *store = *state;
	unsigned char digest[32];
	unsigned rows = 0;
	int64_t now = time(NULL);

	for (unsigned i = 0; i < OLD + FRESH; i++) {
		spread(digest, i);
		assert_int_equal(
		    store_nonce_use(store, digest, i < OLD ? now - 5 : now + 1000), EST_OK);
	}
	assert_int_equal(bdb_run((struct bdb *)store, BDB_READ, count_act, &rows), EST_OK);
	assert_true(rows >= FRESH && rows < FRESH + OLD / 2);
	for (unsigned i = OLD; i < OLD + FRESH; i += 100) {
		spread(digest, i);
		assert_int_equal(store_nonce_use(store, digest, now + 1000), EST_CONFLICT);
	}
	assert_sound(store);
}

/* --- too many of them --- */

/* A row below the port, of the nonces that begin with this octet. */
static void nonce_in(unsigned char digest[32], unsigned char shard, unsigned number)
{
	spread(digest, number);
	memmove(digest + 1, digest, 31);
	digest[0] = shard;
}

struct nonces {
	unsigned char shard;
	unsigned from, to;
	int64_t expires;
};

static int plant_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct nonces *nonces = context;
	unsigned char digest[32], row[ROW_NONCE_SIZE] = {0};
	int error = 0;

	row_number_put(row, (uint64_t)nonces->expires, 8);
	for (unsigned i = nonces->from; i < nonces->to && error == 0; i++) {
		nonce_in(digest, nonces->shard, i);
		error = bdb_put(bdb, txn, BDB_NONCE, (struct span){digest, sizeof(digest)},
		    (struct span){row, sizeof(row)}, 0);
	}
	return error;
}

static void plant(struct store *store, struct nonces nonces)
{
	assert_int_equal(bdb_run((struct bdb *)store, BDB_WRITE, plant_act, &nonces), EST_OK);
}

static enum outcome use_in(struct store *store, unsigned char shard, unsigned number)
{
	unsigned char digest[32];

	nonce_in(digest, shard, number);
	return store_nonce_use(store, digest, time(NULL) + 1000);
}

/* None that has not expired makes room for another one, and each is still known. */
static void test_too_many_nonces(void **state)
{
	enum { MOST = STORE_NONCE_MOST / 256 };
	struct store *store = *state;
	int64_t later = time(NULL) + 1000, before = time(NULL) - 1;

	for (unsigned shard = 0; shard < 256; shard += 5) {
		unsigned char octet = (unsigned char)shard;
		plant(store, (struct nonces){octet, 0, MOST - 1, later});
		assert_int_equal(use_in(store, octet, MOST), EST_OK);
		assert_int_equal(use_in(store, octet, MOST + 1), EST_THROTTLED);
		assert_string_not_equal(reason_text(), "");
		reason_clear();
		for (unsigned i = 0; i < MOST; i += 17)
			if (i != MOST - 1)
				assert_int_equal(use_in(store, octet, i), EST_CONFLICT);
		assert_int_equal(use_in(store, octet, MOST), EST_CONFLICT);
		if (shard < 255)
			assert_int_equal(use_in(store, (unsigned char)(shard + 1), 0), EST_OK);
	}
	/* As soon as one of them has expired, there is room for one. */
	plant(store, (struct nonces){0, 7, 8, before});
	assert_int_equal(use_in(store, 0, MOST + 1), EST_OK);
	assert_int_equal(use_in(store, 0, MOST + 2), EST_THROTTLED);
	reason_clear();
	plant(store, (struct nonces){0, 0, MOST - 1, before});
	assert_int_equal(use_in(store, 0, MOST + 2), EST_OK);
	assert_int_equal(use_in(store, 0, MOST), EST_CONFLICT);
	assert_int_equal(use_in(store, 0, 0), EST_OK);
	assert_sound(store);
}

/* Used over and over by all, around expired ones: nobody gives up. */
static enum outcome use_many(struct store *store, unsigned number)
{
	for (unsigned i = 0; i < 150; i++) {
		unsigned char digest[32];
		enum outcome outcome;
		nonce_in(digest, (unsigned char)(i % 3), number * 1000 + i);
		outcome = store_nonce_use(store, digest, time(NULL) + (i % 2 ? -1 : 100));
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static void test_race_of_many_nonces(void **state)
{
	int outcomes[EST_OUTCOMES];
	unsigned rows = 0;

	store_close(*state);
	*state = NULL;
	store_race(6, use_many, outcomes);
	*state = store_again();
	assert_int_equal(outcomes[EST_OK], 6);
	assert_int_equal(bdb_run(*state, BDB_READ, count_act, &rows), EST_OK);
	assert_in_range(rows, 6 * 75, 6 * 75 + 3 * 8);
	assert_sound(*state);
}

static enum outcome race_nonce(struct store *store, unsigned number)
{
	(void)number;
	return store_nonce_use(store, octets_of(1), time(NULL) + 100);
}

static void test_race_for_a_nonce(void **state)
{
	int outcomes[EST_OUTCOMES];

	store_close(*state);
	*state = NULL;
	store_race(6, race_nonce, outcomes);
	*state = store_again();
	assert_int_equal(outcomes[EST_OK], 1);
	assert_int_equal(outcomes[EST_CONFLICT], 5);
}

/* --- damage --- */

struct damage {
	enum bdb_table table;
	struct span key, value;
};

static int harm_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct damage *damage = context;

	return bdb_put(bdb, txn, damage->table, damage->key, damage->value, 0);
}

static int mend_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct damage *damage = context;

	return bdb_delete(bdb, txn, damage->table, damage->key);
}

static void test_check_finds(void **state)
{
	static const struct {
		enum bdb_table table;
		const char *mentions;
	} tables[] = {{BDB_SECRET, "one-time secret"}, {BDB_KEK, "key to encrypt under"},
	    {BDB_NONCE, "nonce"}, {BDB_CHALLENGE, "no such certificate"},
	    {BDB_DEVICE, "a device"}};
	struct store *store = *state;
	struct serial serial = serial_of(5);

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct damage damage = {
		    tables[i].table, row_serial(&serial), span_of("0123456789")};
		int64_t faults = 0;
		assert_int_equal(
		    bdb_run((struct bdb *)store, BDB_WRITE, harm_act, &damage), EST_OK);
		assert_int_equal(store_check(store, NULL, NULL, &faults), EST_INTERNAL);
		assert_int_equal(faults, 1);
		if (strstr(reason_text(), tables[i].mentions) == NULL)
			fail_msg("%s", reason_text());
		reason_clear();
		assert_int_equal(
		    bdb_run((struct bdb *)store, BDB_WRITE, mend_act, &damage), EST_OK);
		assert_sound(store);
	}
}

/* A key that cannot be read is a fault of ours, not a missing one; however long it is. */
static void test_damaged_kek(void **state)
{
	static unsigned char long_one[500];
	struct damage damage = {BDB_KEK, span_of("pump"), {long_one, sizeof(long_one)}};
	struct kek_record out = {0};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(bdb_run(*state, BDB_WRITE, harm_act, &damage), EST_OK);
		assert_int_equal(store_kek_get(*state, span_of("pump"), &out), EST_INTERNAL);
		assert_string_not_equal(reason_text(), "");
		reason_clear();
		damage.value.len = 20;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_put_get_delete),
	    store_test(test_next),
	    store_test(test_check),
	    store_test(test_used),
	    store_test(test_keks),
	    store_test(test_kek_sizes),
	    store_test(test_kek_next),
	    store_test(test_never_printed),
	    store_test(test_nonces),
	    store_test(test_expired_nonces_go),
	    store_test(test_too_many_nonces),
	    store_test(test_race_of_many_nonces),
	    store_test(test_race_for_a_nonce),
	    store_test(test_check_finds),
	    store_test(test_damaged_kek),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
