/*
 * Requests that wait for approval: put into the queue once, found, decided once, gone when they
 * expire or are deleted; and never more than fit.
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

static unsigned waiting(struct store *store)
{
	unsigned count = 0;
	struct pending_record next = {0};
	unsigned char after[32];
	const unsigned char *from = NULL;

	while (store_pending_next(store, from, &next) == EST_OK) {
		assert_true(from == NULL || memcmp(next.id, from, 32) > 0);
		memcpy(after, next.id, 32);
		from = after;
		count += next.state == PENDING_WAITING;
		pending_record_clear(&next);
	}
	assert_string_equal(reason_text(), "");
	return count;
}

static bool is_there(struct store *store, unsigned id)
{
	struct pending_record pending = pending_of(id, 0), out = {0};
	enum outcome outcome = store_pending_get(store, pending.id, &out);

	pending_record_clear(&out);
	return outcome == EST_OK;
}

static void test_add_and_get(void **state)
{
	struct store *store = *state;
	struct pending_record pending = pending_of(1, 7), existing = {0}, out = {0};

	assert_int_equal(store_pending_get(store, pending.id, &out), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
	assert_int_equal(store_pending_add(store, &pending, NULL, &existing), EST_OK);
	assert_null(existing.memory);
	assert_int_equal(store_pending_get(store, pending.id, &out), EST_OK);
	assert_int_equal(out.state, PENDING_WAITING);
	assert_int_equal(out.expires_at, pending.expires_at);
	assert_string_equal(out.name, "pump-1");
	assert_true(span_equal(out.request, pending.request));
	pending_record_clear(&out);
	assert_sound(store);
}

/*
 * Each row that is written has one of its own, whatever the request brought; a decision keeps it.
 */
static void test_ticket(void **state)
{
	struct store *store = *state;
	struct pending_record rows[4] = {0}, pending;
	static const unsigned char contents[] = {7, 8, 8, 7};

	for (unsigned i = 0; i < 4; i++) {
		pending = pending_of(1, contents[i]);
		memset(pending.ticket, 7, sizeof(pending.ticket));
		assert_int_equal(wait_for(store, &pending), i == 2 ? EST_CONFLICT : EST_OK);
		assert_int_equal(store_pending_get(store, pending.id, &rows[i]), EST_OK);
		assert_memory_not_equal(rows[i].ticket, pending.ticket, 16);
	}
	assert_memory_equal(rows[1].ticket, rows[2].ticket, 16);
	assert_memory_not_equal(rows[0].ticket, rows[1].ticket, 4);
	assert_memory_not_equal(rows[1].ticket, rows[3].ticket, 4);
	assert_memory_not_equal(rows[0].ticket, rows[3].ticket, 4);
	/* The request of row 0 came back: yet it is not what was looked at. */
	pending = rows[0];
	pending.memory = NULL;
	pending.state = PENDING_APPROVED;
	assert_int_equal(store_pending_decide(store, &pending), EST_CONFLICT);
	assert_non_null(strstr(reason_text(), "replaced"));
	reason_clear();
	assert_int_equal(decide(store, rows[3], PENDING_APPROVED), EST_OK);
	assert_int_equal(store_pending_get(store, pending.id, &pending), EST_OK);
	assert_memory_equal(pending.ticket, rows[3].ticket, 16);
	pending_record_clear(&pending);
	for (unsigned i = 0; i < 4; i++)
		pending_record_clear(&rows[i]);
}

/* The same again is told what there is, whatever became of it, and nothing is written. */
static void test_same_again(void **state)
{
	static const enum pending_state states[] = {
	    PENDING_WAITING, PENDING_APPROVED, PENDING_DENIED};
	struct store *store = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct pending_record pending = pending_of(i, 7), again = pending, existing = {0};
		assert_int_equal(wait_for(store, &pending), EST_OK);
		if (states[i] != PENDING_WAITING)
			assert_int_equal(decide(store, pending, states[i]), EST_OK);
		again.created_at += 5;
		again.expires_at += 5;
		assert_int_equal(store_pending_add(store, &again, NULL, &existing), EST_CONFLICT);
		assert_int_equal(existing.state, states[i]);
		assert_int_equal(existing.created_at, pending.created_at);
		pending_record_clear(&existing);
	}
	assert_int_equal(waiting(store), 1);
	assert_sound(store);
}

static void test_other_content_or_expired(void **state)
{
	struct store *store = *state;
	struct pending_record pending = pending_of(1, 7), other = pending_of(1, 8), out = {0};

	assert_int_equal(wait_for(store, &pending), EST_OK);
	assert_int_equal(wait_for(store, &other), EST_OK);
	assert_int_equal(store_pending_get(store, pending.id, &out), EST_OK);
	assert_memory_equal(out.content, other.content, 32);
	pending_record_clear(&out);
	assert_sound(store);
	/* One that was decided waits again. */
	assert_int_equal(decide(store, other, PENDING_DENIED), EST_OK);
	assert_int_equal(wait_for(store, &pending), EST_OK);
	assert_int_equal(waiting(store), 1);
	assert_sound(store);
	/* One that expired is as none. */
	pending = pending_of(2, 7);
	pending.expires_at = time(NULL) - 1;
	assert_int_equal(wait_for(store, &pending), EST_OK);
	pending.expires_at = time(NULL) + 100;
	assert_int_equal(wait_for(store, &pending), EST_OK);
	assert_int_equal(waiting(store), 2);
	assert_sound(store);
}

static void test_must_wait(void **state)
{
	struct pending_record pending = pending_of(1, 7);

	pending.state = PENDING_APPROVED;
	assert_int_equal(wait_for(*state, &pending), EST_INTERNAL);
	reason_clear();
	assert_false(is_there(*state, 1));
}

/* --- its secret --- */

static void test_secret_is_used_up(void **state)
{
	struct store *store = *state;
	struct secret_record secret = secret_of("pump-1", 3);
	struct pending_record first = pending_of(1, 7), second = pending_of(2, 7), existing = {0};
	struct secret_use use = {"pump-1", "pumps", octets_of(3), octets_of(10)};
	struct secret_use other = {"pump-1", "pumps", octets_of(3), octets_of(11)};
	struct secret_use wrong = {"pump-1", "pumps", octets_of(4), octets_of(10)};

	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	assert_int_equal(store_pending_add(store, &first, &wrong, &existing), EST_FORBIDDEN);
	assert_int_equal(refusal_recorded(EST_FORBIDDEN), OTP_WRONG);
	reason_clear();
	assert_false(is_there(store, 1));
	assert_int_equal(store_secret_check(store, &other), EST_OK);
	assert_int_equal(store_pending_add(store, &first, &use, &existing), EST_OK);
	assert_int_equal(store_secret_check(store, &use), EST_OK);
	assert_int_equal(store_secret_check(store, &other), EST_FORBIDDEN);
	reason_clear();
	assert_int_equal(store_pending_add(store, &second, &other, &existing), EST_FORBIDDEN);
	reason_clear();
	assert_false(is_there(store, 2));
	assert_sound(store);
}

/* Nothing is written where the row is there already: the secret stays as it is. */
static void test_same_again_uses_no_secret(void **state)
{
	struct store *store = *state;
	struct secret_record secret = secret_of("pump-1", 3), out = {0};
	struct pending_record pending = pending_of(1, 7), existing = {0};
	struct secret_use use = {"pump-1", "pumps", octets_of(3), octets_of(10)};

	assert_int_equal(wait_for(store, &pending), EST_OK);
	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	assert_int_equal(store_pending_add(store, &pending, &use, &existing), EST_CONFLICT);
	pending_record_clear(&existing);
	assert_int_equal(store_secret_get(store, "pump-1", &out), EST_OK);
	assert_int_equal(out.used_at, 0);
	secret_record_clear(&out);
}

/* --- deciding --- */

static void test_decide(void **state)
{
	struct store *store = *state;
	struct pending_record pending = pending_of(1, 7), other = pending_of(1, 8), out = {0};
	struct pending_record decision;

	assert_int_equal(decide(store, pending, PENDING_APPROVED), EST_NOT_FOUND);
	reason_clear();
	assert_int_equal(wait_for(store, &pending), EST_OK);
	assert_int_equal(decide(store, other, PENDING_APPROVED), EST_CONFLICT);
	assert_string_not_equal(reason_text(), "");
	reason_clear();
	decision = (struct pending_record){.state = PENDING_DENIED,
	    .decided_at = 77,
	    .decided_by = "bob",
	    .reason = "not ours",
	    .expires_at = pending.expires_at + 50};
	memcpy(decision.id, pending.id, 32);
	memcpy(decision.content, pending.content, 32);
	assert_int_equal(store_pending_get(store, pending.id, &out), EST_OK);
	memcpy(decision.ticket, out.ticket, 16);
	pending_record_clear(&out);
	assert_int_equal(store_pending_decide(store, &decision), EST_OK);
	assert_int_equal(store_pending_get(store, pending.id, &out), EST_OK);
	assert_int_equal(out.state, PENDING_DENIED);
	assert_int_equal(out.decided_at, 77);
	assert_string_equal(out.decided_by, "bob");
	assert_string_equal(out.reason, "not ours");
	assert_int_equal(out.expires_at, pending.expires_at + 50);
	/* The rest is as it was. */
	assert_string_equal(out.name, "pump-1");
	assert_int_equal(out.created_at, pending.created_at);
	assert_true(span_equal(out.request, pending.request));
	pending_record_clear(&out);
	assert_int_equal(decide(store, pending, PENDING_APPROVED), EST_CONFLICT);
	assert_string_not_equal(reason_text(), "");
	reason_clear();
	assert_int_equal(decide(store, pending, PENDING_ISSUED), EST_INTERNAL);
	reason_clear();
	assert_sound(store);
}

static void test_decide_expired(void **state)
{
	struct pending_record pending = pending_of(1, 7);

	pending.expires_at = time(NULL) - 1;
	assert_int_equal(wait_for(*state, &pending), EST_OK);
	assert_int_equal(decide(*state, pending, PENDING_APPROVED), EST_CONFLICT);
	assert_non_null(strstr(reason_text(), "expired"));
	reason_clear();
}

/* An approval is taken back until it was answered, and once; a refusal stays. */
static void test_take_back(void **state)
{
	struct store *store = *state;
	struct pending_record pending = pending_of(1, 7), other = pending_of(2, 7), out = {0};
	struct cert_record cert = cert_of("pump-1", 1);

	assert_int_equal(wait_for(store, &pending), EST_OK);
	assert_int_equal(wait_for(store, &other), EST_OK);
	assert_int_equal(decide(store, pending, PENDING_APPROVED), EST_OK);
	assert_int_equal(decide(store, pending, PENDING_DENIED), EST_OK);
	assert_int_equal(store_pending_get(store, pending.id, &out), EST_OK);
	assert_int_equal(out.state, PENDING_DENIED);
	assert_string_equal(out.reason, "not ours");
	pending_record_clear(&out);
	assert_sound(store); /* counted once */
	for (enum pending_state next = PENDING_APPROVED; next <= PENDING_DENIED; next++) {
		assert_int_equal(decide(store, pending, next), EST_CONFLICT);
		reason_clear();
	}
	assert_int_equal(
	    add_on(store, &cert, 1, (struct cert_terms){.approval = &pending}), EST_FORBIDDEN);
	assert_int_equal(refusal_recorded(EST_FORBIDDEN), APPROVAL_DENIED);
	reason_clear();
	assert_int_equal(decide(store, other, PENDING_APPROVED), EST_OK);
	assert_int_equal(add_on(store, &cert, 1, (struct cert_terms){.approval = &other}), EST_OK);
	assert_int_equal(decide(store, other, PENDING_DENIED), EST_CONFLICT);
	reason_clear();
	assert_sound(store);
}

/* Of many operators at once one decides; another one may take back what was approved. */
static enum outcome race_decide(struct store *store, unsigned number)
{
	return decide(store, pending_of(1, 7), number % 2 ? PENDING_APPROVED : PENDING_DENIED);
}

static void test_race_to_decide(void **state)
{
	struct pending_record pending = pending_of(1, 7), out = {0};
	int outcomes[EST_OUTCOMES];

	assert_int_equal(wait_for(*state, &pending), EST_OK);
	store_close(*state);
	*state = NULL;
	store_race(6, race_decide, outcomes);
	*state = store_again();
	assert_in_range(outcomes[EST_OK], 1, 2);
	assert_int_equal(outcomes[EST_OK] + outcomes[EST_CONFLICT], 6);
	assert_int_equal(store_pending_get(*state, pending.id, &out), EST_OK);
	assert_int_equal(out.state, PENDING_DENIED);
	pending_record_clear(&out);
	assert_sound(*state);
}

/* --- deleting --- */

static enum outcome drop(struct store *store, const struct pending_record *pending)
{
	return store_pending_delete(store, pending->id, pending->content);
}

/* In whatever state: it is gone, counts no more, and leaves nothing to expire. */
static void test_delete(void **state)
{
	struct store *store = *state;
	struct pending_record pending[4], other = pending_of(0, 8);

	for (unsigned i = 0; i < 4; i++) {
		pending[i] = pending_of(i, 7);
		assert_int_equal(wait_for(store, &pending[i]), EST_OK);
	}
	assert_int_equal(decide(store, pending[1], PENDING_APPROVED), EST_OK);
	assert_int_equal(decide(store, pending[2], PENDING_DENIED), EST_OK);
	assert_int_equal(drop(store, &other), EST_CONFLICT);
	assert_string_not_equal(reason_text(), "");
	reason_clear();
	assert_true(is_there(store, 0));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(drop(store, &pending[i]), EST_OK);
		assert_false(is_there(store, i));
		assert_sound(store);
	}
	assert_int_equal(waiting(store), 1);
	assert_int_equal(drop(store, &pending[0]), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
	/* The same comes again and waits. */
	assert_int_equal(wait_for(store, &pending[1]), EST_OK);
	assert_int_equal(waiting(store), 2);
	assert_sound(store);
}

static void test_delete_expired(void **state)
{
	struct pending_record pending = pending_of(1, 7);

	pending.expires_at = time(NULL) - 1;
	assert_int_equal(wait_for(*state, &pending), EST_OK);
	assert_int_equal(drop(*state, &pending), EST_OK);
	assert_false(is_there(*state, 1));
	assert_sound(*state);
}

static enum outcome race_drop(struct store *store, unsigned number)
{
	struct pending_record pending = pending_of(1, 7);

	return number == 0 ? decide(store, pending, PENDING_APPROVED) : drop(store, &pending);
}

/* Of many at once one deletes, and who decides meanwhile finds it or not. */
static void test_race_to_delete(void **state)
{
	struct pending_record pending = pending_of(1, 7);
	int outcomes[EST_OUTCOMES];

	assert_int_equal(wait_for(*state, &pending), EST_OK);
	store_close(*state);
	*state = NULL;
	store_race(6, race_drop, outcomes);
	*state = store_again();
	assert_in_range(outcomes[EST_OK], 1, 2);
	assert_int_equal(outcomes[EST_OK] + outcomes[EST_NOT_FOUND], 6);
	assert_int_equal(waiting(*state), 0);
	assert_false(is_there(*state, 1));
	assert_sound(*state);
}

/* The same request by many at once: one row. */
static enum outcome race_add(struct store *store, unsigned number)
{
	struct pending_record pending = pending_of(1, 7);

	pending.created_at += number;
	return wait_for(store, &pending);
}

static void test_race_to_wait(void **state)
{
	int outcomes[EST_OUTCOMES];

	store_close(*state);
	*state = NULL;
	store_race(6, race_add, outcomes);
	*state = store_again();
	assert_int_equal(outcomes[EST_OK], 1);
	assert_int_equal(outcomes[EST_CONFLICT], 5);
	assert_int_equal(waiting(*state), 1);
	assert_sound(*state);
}

/* --- expiring, and the limit --- */

/* Whatever their state, the expired ones go, and the others stay. */
static void test_expired_go(void **state)
{
	enum { ROWS = 60 };
	struct store *store = *state;
	unsigned kept = 0;

	for (unsigned i = 0; i < ROWS; i++) {
		struct pending_record pending = pending_of(i, 7);
		assert_int_equal(wait_for(store, &pending), EST_OK);
		pending.expires_at = time(NULL) - 10;
		if (i % 2 == 0)
			assert_int_equal(
			    decide(store, pending, i % 4 ? PENDING_APPROVED : PENDING_DENIED),
			    EST_OK);
	}
	assert_int_equal(waiting(store), ROWS / 2);
	for (unsigned i = 0; i < ROWS; i++) {
		struct pending_record pending = pending_of(1000 + i, 7);
		assert_int_equal(wait_for(store, &pending), EST_OK);
	}
	for (unsigned i = 0; i < ROWS; i++) {
		kept += i % 2 == 0 && is_there(store, i);
		assert_true(i % 2 == 0 || is_there(store, i));
		assert_true(is_there(store, 1000 + i));
	}
	assert_int_equal(kept, 0);
	assert_sound(store);
}

struct damage {
	struct row_key key;
	struct span value; /* nothing: the row is deleted */
};

static int damage_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct damage *damage = context;
	struct span key = row_key_span(&damage->key);

	return damage->value.data == NULL ? bdb_delete(bdb, txn, BDB_PENDING, key)
					  : bdb_put(bdb, txn, BDB_PENDING, key, damage->value, 0);
}

static void harm(struct store *store, struct damage damage)
{
	assert_int_equal(bdb_run((struct bdb *)store, BDB_WRITE, damage_act, &damage), EST_OK);
}

/* As if so many more waited. */
static int fill_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	static const unsigned char key[] = {ROW_PENDING_WAITING};
	unsigned char octets[4];

	row_number_put(octets, *(const unsigned *)context, 4);
	return bdb_put(bdb, txn, BDB_PENDING, (struct span){key, 1}, (struct span){octets, 4}, 0);
}

static void pretend(struct store *store, unsigned count)
{
	assert_int_equal(bdb_run((struct bdb *)store, BDB_WRITE, fill_act, &count), EST_OK);
}

static void test_full(void **state)
{
	struct store *store = *state;
	struct pending_record first = pending_of(1, 7), second = pending_of(2, 7);
	struct pending_record third = pending_of(3, 7), other = pending_of(1, 8);

	pretend(store, STORE_PENDING_MOST - 1);
	assert_int_equal(wait_for(store, &first), EST_OK);
	assert_int_equal(wait_for(store, &second), EST_THROTTLED);
	assert_int_equal(refusal_recorded(EST_THROTTLED), APPROVAL_FULL);
	reason_clear();
	assert_false(is_there(store, 2));
	/* One in the place of another is not one more. */
	assert_int_equal(wait_for(store, &first), EST_CONFLICT);
	assert_int_equal(wait_for(store, &other), EST_OK);
	/* One that is decided leaves room for one. */
	assert_int_equal(decide(store, other, PENDING_APPROVED), EST_OK);
	assert_int_equal(wait_for(store, &second), EST_OK);
	assert_int_equal(wait_for(store, &third), EST_THROTTLED);
	reason_clear();
	/* So does one that is deleted, if it waited. */
	assert_int_equal(drop(store, &other), EST_OK);
	assert_int_equal(wait_for(store, &third), EST_THROTTLED);
	reason_clear();
	assert_int_equal(drop(store, &second), EST_OK);
	assert_int_equal(wait_for(store, &third), EST_OK);
}

/* Writes a row below the port: one added through it would drop what expired before. */
static void plant(struct store *store, const struct pending_record *pending)
{
	struct damage row = {0}, due = {.value = {(const unsigned char *)"", 0}};
	struct buf form = {0};

	row_pending_key(&row.key, pending->id);
	row_due_key(&due.key, pending->expires_at, pending->id);
	pending_record_encode(pending, &form);
	row.value = buf_span(&form);
	harm(store, row);
	harm(store, due);
	buf_free(&form);
}

/* However many rows expired before it, one that waited and expired makes room. */
static void test_full_of_expired(void **state)
{
	enum { ROWS = 200 };
	struct store *store = *state;
	struct pending_record last = pending_of(5000, 7), next = pending_of(5001, 7);
	struct pending_record more = pending_of(5002, 7);

	for (unsigned i = 0; i < ROWS; i++) {
		struct pending_record pending = pending_of(i, 7);
		pending.state = PENDING_DENIED;
		pending.expires_at -= 2 * 3600;
		plant(store, &pending);
	}
	last.expires_at = time(NULL) - 1;
	plant(store, &last);
	pretend(store, STORE_PENDING_MOST);
	assert_int_equal(wait_for(store, &next), EST_OK);
	assert_true(is_there(store, 5001));
	assert_false(is_there(store, 5000));
	assert_int_equal(wait_for(store, &more), EST_THROTTLED);
	reason_clear();
}

/* --- a share of it for everybody --- */

static enum outcome wait_as(struct store *store, unsigned id, const char *identity)
{
	struct pending_record pending = pending_of(id, 7);

	pending.identity = identity;
	return wait_for(store, &pending);
}

static void test_share(void **state)
{
	enum { HALF = STORE_PENDING_MOST / 2 };
	struct store *store = *state;
	struct pending_record first = pending_of(0, 8);

	/* Nobody is kept from more while there is room for all. */
	for (unsigned i = 0; i <= STORE_PENDING_SHARE; i++)
		assert_int_equal(wait_as(store, i, "user:pump"), EST_OK);
	pretend(store, HALF);
	assert_int_equal(wait_as(store, 500, "user:pump"), EST_OK);
	assert_int_equal(wait_as(store, 501, "user:pump"), EST_THROTTLED);
	assert_int_equal(refusal_recorded(EST_THROTTLED), APPROVAL_FULL);
	assert_non_null(strstr(reason_text(), "identity"));
	reason_clear();
	assert_false(is_there(store, 501));
	/* Others are let in, up to their own share. */
	for (unsigned i = 0; i < STORE_PENDING_SHARE; i++)
		assert_int_equal(wait_as(store, 1000 + i, "user:valve"), EST_OK);
	assert_int_equal(wait_as(store, 2000, "user:valve"), EST_THROTTLED);
	reason_clear();
	assert_int_equal(wait_as(store, 2000, "user:pump-1"), EST_OK);
	/* What does not wait any more leaves room, and what takes the place of another. */
	assert_int_equal(decide(store, pending_of(1000, 7), PENDING_APPROVED), EST_OK);
	assert_int_equal(wait_as(store, 2001, "user:valve"), EST_OK);
	assert_int_equal(wait_as(store, 2002, "user:valve"), EST_THROTTLED);
	reason_clear();
	for (unsigned i = 1; i < 3; i++) {
		struct pending_record own = pending_of(i, 7);
		assert_int_equal(drop(store, &own), EST_OK);
	}
	assert_int_equal(wait_for(store, &first), EST_OK);
	assert_int_equal(wait_as(store, 501, "user:pump"), EST_THROTTLED);
	reason_clear();
}

static void find_waiting(void *context, const char *name, int64_t value)
{
	if (strcmp(name, "requests_waiting") == 0)
		*(int64_t *)context = value;
}

static void test_statistics(void **state)
{
	int64_t count = -1;

	for (unsigned i = 0; i < 3; i++) {
		struct pending_record pending = pending_of(i, 7);
		assert_int_equal(wait_for(*state, &pending), EST_OK);
	}
	assert_int_equal(decide(*state, pending_of(1, 7), PENDING_DENIED), EST_OK);
	assert_int_equal(store_statistics(*state, find_waiting, &count), EST_OK);
	assert_int_equal(count, 2);
}

/* --- damage --- */

static void assert_fault(struct store *store, const char *mentions)
{
	int64_t faults = 0;

	assert_int_equal(store_check(store, NULL, NULL, &faults), EST_INTERNAL);
	assert_int_equal(faults, 1);
	if (strstr(reason_text(), mentions) == NULL)
		fail_msg("%s", reason_text());
	reason_clear();
}

static void test_check_finds(void **state)
{
	struct store *store = *state;
	struct pending_record pending = pending_of(1, 7), stranger = pending_of(2, 7);
	struct damage due = {0}, row = {0};
	struct buf form = {0};

	pretend(store, 1);
	assert_fault(store, "count");
	pretend(store, 0);
	row_due_key(&due.key, pending.expires_at, pending.id);
	due.value = (struct span){(const unsigned char *)"", 0};
	harm(store, due);
	assert_fault(store, "expires");
	due.value = (struct span){0};
	harm(store, due);
	assert_int_equal(wait_for(store, &pending), EST_OK);
	harm(store, due);
	assert_fault(store, "never expire");
	due.value = (struct span){(const unsigned char *)"", 0};
	harm(store, due);
	assert_sound(store);

	/* The certificate that it was answered with does not exist. */
	pretend(store, 0);
	pending.state = PENDING_ISSUED;
	pending.serial = serial_of(9);
	row_pending_key(&row.key, pending.id);
	pending_record_encode(&pending, &form);
	row.value = buf_span(&form);
	harm(store, row);
	assert_fault(store, "no such certificate");

	/* The record of another one, and none. */
	stranger.state = PENDING_APPROVED;
	buf_reset(&form);
	pending_record_encode(&stranger, &form);
	row.value = buf_span(&form);
	harm(store, row);
	assert_fault(store, "damaged");
	row.value.len--;
	harm(store, row);
	assert_int_equal(wait_for(store, &pending), EST_INTERNAL);
	buf_free(&form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_add_and_get),
	    store_test(test_ticket),
	    store_test(test_same_again),
	    store_test(test_other_content_or_expired),
	    store_test(test_must_wait),
	    store_test(test_secret_is_used_up),
	    store_test(test_same_again_uses_no_secret),
	    store_test(test_decide),
	    store_test(test_decide_expired),
	    store_test(test_take_back),
	    store_test(test_race_to_decide),
	    store_test(test_delete),
	    store_test(test_delete_expired),
	    store_test(test_race_to_delete),
	    store_test(test_race_to_wait),
	    store_test(test_expired_go),
	    store_test(test_full),
	    store_test(test_full_of_expired),
	    store_test(test_share),
	    store_test(test_statistics),
	    store_test(test_check_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
