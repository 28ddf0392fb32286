#include "common/store/bdb.h"

#include <string.h>

#include <openssl/rand.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/store/bdb_row.h"

/* --- rows --- */

int bdb_pending_read(struct bdb *bdb, DB_TXN *txn, const unsigned char *id, uint32_t flags,
    struct pending_record *out)
{
	struct row_key key;
	struct span value;
	int error;

	row_pending_key(&key, id);
	error = bdb_get(bdb, txn, BDB_PENDING, row_key_span(&key), &value, flags);
	if (error == 0 && pending_record_decode(value, out) != EST_OK)
		return bdb_refuse(bdb, EST_INTERNAL);
	return error;
}

int bdb_pending_put(struct bdb *bdb, DB_TXN *txn, const struct pending_record *pending)
{
	struct buf form = {0};
	struct row_key key;
	int error;

	row_pending_key(&key, pending->id);
	pending_record_encode(pending, &form);
	error = bdb_put(bdb, txn, BDB_PENDING, row_key_span(&key), buf_span(&form), 0);
	buf_free(&form);
	if (error != 0)
		return error;
	row_due_key(&key, pending->expires_at, pending->id);
	return bdb_put(bdb, txn, BDB_PENDING, row_key_span(&key), (struct span){NULL, 0}, 0);
}

int bdb_pending_forget_due(struct bdb *bdb, DB_TXN *txn, const struct pending_record *pending)
{
	struct row_key key;
	int error;

	row_due_key(&key, pending->expires_at, pending->id);
	error = bdb_delete(bdb, txn, BDB_PENDING, row_key_span(&key));
	return error == DB_NOTFOUND ? 0 : error;
}

int bdb_pending_drop(struct bdb *bdb, DB_TXN *txn, const struct pending_record *pending)
{
	struct row_key key;
	int error;

	row_pending_key(&key, pending->id);
	error = bdb_delete(bdb, txn, BDB_PENDING, row_key_span(&key));
	return error == 0 ? bdb_pending_forget_due(bdb, txn, pending) : error;
}

static const unsigned char waiting_key[] = {ROW_PENDING_WAITING};

int bdb_pending_waiting(struct bdb *bdb, DB_TXN *txn, uint32_t flags, unsigned *waiting)
{
	struct span value;
	int error = bdb_get(
	    bdb, txn, BDB_PENDING, (struct span){waiting_key, sizeof(waiting_key)}, &value, flags);

	*waiting = error == 0 && value.len == 4 ? (unsigned)row_number_get(value.data, 4) : 0;
	return error == DB_NOTFOUND ? 0 : error;
}

int bdb_pending_count(struct bdb *bdb, DB_TXN *txn, unsigned waiting)
{
	unsigned char octets[4];

	row_number_put(octets, waiting, sizeof(octets));
	return bdb_put(bdb, txn, BDB_PENDING, (struct span){waiting_key, sizeof(waiting_key)},
	    (struct span){octets, sizeof(octets)}, 0);
}

static bool has_expired(const struct pending_record *pending, int64_t now)
{
	return pending->expires_at <= now;
}

/* --- looking --- */

struct pending_act {
	const unsigned char *id;
	struct pending_record *out;
};

static int get_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct pending_act *act = context;
	int error = bdb_pending_read(bdb, txn, act->id, 0, act->out);

	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND) : error;
}

enum outcome bdb_pending_get(
    struct store *store, const unsigned char *id, struct pending_record *out)
{
	struct pending_act act = {id, out};

	return bdb_run((struct bdb *)store, BDB_READ, get_act, &act);
}

static int next_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct pending_act *act = context;
	struct row_key key = {1, {ROW_PENDING}};
	int error;

	if (act->id != NULL) {
		struct row_key after;
		row_pending_key(&after, act->id);
		row_key_after(&key, row_key_span(&after));
	}
	error = bdb_seek(bdb, txn, BDB_PENDING, &key);
	if (error == 0 && (key.octets[0] != ROW_PENDING || key.len != 1 + 32))
		error = DB_NOTFOUND;
	if (error == 0)
		error = bdb_pending_read(bdb, txn, key.octets + 1, 0, act->out);
	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND) : error;
}

enum outcome bdb_pending_next(
    struct store *store, const unsigned char *after, struct pending_record *out)
{
	struct pending_act act = {after, out};

	return bdb_run((struct bdb *)store, BDB_SNAPSHOT, next_act, &act);
}

/* --- rows that have expired --- */

/* The queue, as an act that changes it holds it. */
struct queue {
	int64_t now;
	unsigned waiting;
	unsigned dropped;
};

static int drop_row(
    struct bdb *bdb, DB_TXN *txn, struct queue *queue, const struct pending_record *pending)
{
	int error = bdb_pending_drop(bdb, txn, pending);

	if (pending->state == PENDING_WAITING && queue->waiting > 0)
		queue->waiting--;
	queue->dropped++;
	return error;
}

/* The one that expired first, or DB_NOTFOUND. */
static int drop_first(struct bdb *bdb, DB_TXN *txn, struct queue *queue)
{
	struct row_key key = {1, {ROW_PENDING_DUE}};
	struct pending_record pending = {0};
	const unsigned char *id;
	int64_t expires_at;
	int error = bdb_seek(bdb, txn, BDB_PENDING, &key);

	if (error != 0)
		return error;
	if (!row_due_get(row_key_span(&key), &expires_at, &id) || expires_at > queue->now)
		return DB_NOTFOUND;
	error = bdb_pending_read(bdb, txn, id, DB_RMW, &pending);
	if (error == 0 && has_expired(&pending, queue->now))
		error = drop_row(bdb, txn, queue, &pending);
	else if (error == 0 || error == DB_NOTFOUND) /* a row of damage: nothing else is due */
		error = bdb_delete(bdb, txn, BDB_PENDING, row_key_span(&key));
	pending_record_clear(&pending);
	return error;
}

static int drop_expired(struct bdb *bdb, DB_TXN *txn, struct queue *queue, unsigned most)
{
	int error = 0;

	for (unsigned i = 0; i < most && error == 0; i++)
		error = drop_first(bdb, txn, queue);
	return error == DB_NOTFOUND ? 0 : error;
}

static int sweep_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	enum { AT_ONCE = 64 };
	struct queue *queue = context;
	int error = bdb_pending_waiting(bdb, txn, DB_RMW, &queue->waiting);

	queue->dropped = 0;
	if (error == 0)
		error = drop_expired(bdb, txn, queue, AT_ONCE);
	return error == 0 && queue->dropped > 0 ? bdb_pending_count(bdb, txn, queue->waiting)
						: error;
}

/* Whether a full queue got any emptier. */
static bool sweep(struct bdb *bdb)
{
	struct queue queue = {.now = clock_now()};

	return bdb_run(bdb, BDB_WRITE, sweep_act, &queue) == EST_OK && queue.dropped > 0;
}

/* --- adding --- */

struct arrival {
	const struct pending_record *pending;
	const struct secret_use *secret;
	struct pending_record *existing;
	struct queue queue;
	unsigned own; /* rows of the same identity that wait; counted where they may be too many */
};

/*
 * Whether a row that says the same is the answer. *added: it is ours, as an earlier try was
 * committed before the environment broke.
 */
static bool is_answer(struct bdb *bdb, const struct arrival *arrival,
    const struct pending_record *before, bool *added)
{
	const struct pending_record *pending = arrival->pending;

	if (memcmp(before->content, pending->content, sizeof(before->content)) != 0 ||
	    has_expired(before, arrival->queue.now))
		return false;
	*added =
	    bdb->uncertain && memcmp(before->ticket, pending->ticket, sizeof(before->ticket)) == 0;
	return true;
}

/* Drops the row of the same id, unless it is the answer. */
static int make_place(struct bdb *bdb, DB_TXN *txn, struct arrival *arrival, bool *added)
{
	struct pending_record before = {0};
	int error = bdb_pending_read(bdb, txn, arrival->pending->id, DB_RMW, &before);

	*added = false;
	if (error != 0)
		return error == DB_NOTFOUND ? 0 : error;
	if (!is_answer(bdb, arrival, &before, added)) {
		error = drop_row(bdb, txn, &arrival->queue, &before);
	} else if (!*added) {
		*arrival->existing = before;
		return bdb_refuse(bdb, EST_CONFLICT);
	}
	pending_record_clear(&before);
	return error;
}

static bool count_own(struct span key, struct span value, void *context)
{
	struct arrival *arrival = context;
	struct pending_record pending = {0};

	if (key.len == 0 || key.data[0] != ROW_PENDING)
		return false;
	if (pending_record_decode(value, &pending) != EST_OK)
		reason_clear(); /* for store_check() */
	else if (pending.state == PENDING_WAITING && !has_expired(&pending, arrival->queue.now) &&
		 strcmp(pending.identity, arrival->pending->identity) == 0)
		arrival->own++;
	pending_record_clear(&pending);
	return arrival->own < STORE_PENDING_SHARE;
}

/* Nobody alone fills the queue: what is left of it is shared once half of it is taken. */
static int check_room(struct bdb *bdb, DB_TXN *txn, struct arrival *arrival)
{
	static const unsigned char from[] = {ROW_PENDING};
	int error;

	arrival->own = 0;
	if (arrival->queue.waiting >= STORE_PENDING_MOST)
		return bdb_refuse(bdb, EST_THROTTLED);
	if (arrival->queue.waiting <= STORE_PENDING_MOST / 2)
		return 0;
	error = bdb_scan(bdb, txn, BDB_PENDING, (struct span){from, 1}, count_own, arrival);
	if (error != 0 && error != DB_NOTFOUND)
		return error;
	return arrival->own < STORE_PENDING_SHARE ? 0 : bdb_refuse(bdb, EST_THROTTLED);
}

static int put_arrival(struct bdb *bdb, DB_TXN *txn, struct arrival *arrival)
{
	int error = check_room(bdb, txn, arrival);

	if (error == 0 && arrival->secret != NULL)
		error = bdb_secret_use(bdb, txn, arrival->secret, false);
	if (error == 0)
		error = bdb_pending_put(bdb, txn, arrival->pending);
	return error == 0 ? bdb_pending_count(bdb, txn, arrival->queue.waiting + 1) : error;
}

static int add_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	enum { A_FEW = 4 };
	struct arrival *arrival = context;
	bool added = false;
	int error = 0;

	if (arrival->secret != NULL)
		error = bdb_secret_hold(bdb, txn, arrival->secret->name);
	if (error == 0)
		error = bdb_pending_waiting(bdb, txn, DB_RMW, &arrival->queue.waiting);
	if (error == 0)
		error = make_place(bdb, txn, arrival, &added);
	if (error != 0 || added)
		return error;
	error = drop_expired(bdb, txn, &arrival->queue, A_FEW);
	return error == 0 ? put_arrival(bdb, txn, arrival) : error;
}

enum outcome bdb_pending_add(struct store *store, const struct pending_record *pending,
    const struct secret_use *secret, struct pending_record *existing)
{
	struct bdb *bdb = (struct bdb *)store;
	struct pending_record row = *pending;
	struct arrival arrival = {&row, secret, existing, {.now = clock_now()}, 0};
	enum outcome outcome;

	if (RAND_bytes(row.ticket, sizeof(row.ticket)) != 1)
		return reason_openssl(EST_UNAVAILABLE, "no random numbers can be had");
	do
		outcome = bdb_run(bdb, BDB_WRITE, add_act, &arrival);
	while (outcome == EST_THROTTLED && sweep(bdb));
	if (outcome != EST_THROTTLED)
		return outcome;
	if (arrival.own >= STORE_PENDING_SHARE)
		return refuse(APPROVAL_FULL,
		    "%d requests of the same identity wait for approval, and the queue is filling "
		    "up; try later",
		    STORE_PENDING_SHARE);
	return refuse(APPROVAL_FULL, "%d requests wait for approval, no more can; try later",
	    STORE_PENDING_MOST);
}
