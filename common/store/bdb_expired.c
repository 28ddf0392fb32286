#include "common/store/bdb.h"

#include "common/store/bdb_row.h"

/*
 * "Expired" cannot be counted when it happens, since nobody acts then. One row in meta holds a day
 * in 4 octets, and for each label from 1, in 8, how many unrevoked certificates end before that
 * day. store_totals() moves the day to today's, and adds what expired today by looking at it. Who
 * adds or revokes a certificate reads the row in its transaction, which keeps the day where it is,
 * and corrects the count of what ends before it.
 */
static const char meta_expired[] = "expired";

int bdb_expired_day(struct bdb *bdb, DB_TXN *txn, uint32_t *day)
{
	unsigned char octets[4] = {0};
	DBT key = {.data = (void *)(uintptr_t)meta_expired, .size = sizeof(meta_expired) - 1};
	DBT value = {.data = octets,
	    .ulen = sizeof(octets),
	    .dlen = sizeof(octets),
	    .flags = DB_DBT_USERMEM | DB_DBT_PARTIAL};
	int error = bdb->tables[BDB_META]->get(bdb->tables[BDB_META], txn, &key, &value, 0);

	*day = (uint32_t)row_number_get(octets, 4);
	return error;
}

int bdb_expired_read(struct bdb *bdb, DB_TXN *txn, struct buf *row)
{
	struct span value;
	int error =
	    bdb_get(bdb, txn, BDB_META, span_of(meta_expired), &value, txn == NULL ? 0 : DB_RMW);

	buf_reset(row);
	if (error == 0)
		buf_add_span(row, value);
	return error;
}

int64_t bdb_expired_of(const struct buf *row, unsigned label)
{
	size_t at = 4 + 8 * ((size_t)label - 1);

	return at + 8 <= row->len ? (int64_t)row_number_get(row->data + at, 8) : 0;
}

static void expired_change(struct buf *row, unsigned label, int64_t change)
{
	static const unsigned char zeros[8];
	size_t at = 4 + 8 * ((size_t)label - 1);

	while (row->len < at + 8)
		buf_add(row, zeros, sizeof(zeros));
	row_number_put(row->data + at, (uint64_t)(bdb_expired_of(row, label) + change), 8);
}

static int expired_write(struct bdb *bdb, DB_TXN *txn, const struct buf *row)
{
	return bdb_put(bdb, txn, BDB_META, span_of(meta_expired), buf_span(row), 0);
}

int bdb_expired_add(struct bdb *bdb, DB_TXN *txn, unsigned label, int64_t change)
{
	struct buf row = {0};
	int error = bdb_expired_read(bdb, txn, &row);

	if (error == 0) {
		expired_change(&row, label, change);
		error = expired_write(bdb, txn, &row);
	}
	buf_free(&row);
	return error;
}

/* Counts the unrevoked rows of days in [from, to), times sign, into row. */
struct expiry_count {
	uint32_t from, to;
	int sign;
	struct buf row;
	uint32_t first; /* the first day that has any row */
	bool any;
};

static bool count_expiry(struct span key, struct span value, void *context)
{
	struct expiry_count *count = context;
	struct row_expiry row;
	uint32_t day = key.len < 4 ? UINT32_MAX : (uint32_t)row_number_get(key.data, 4);

	if (!count->any) {
		count->any = true;
		count->first = day;
		if (count->sign > 0 &&
		    day < count->to) /* forwards one day at a time: short transactions */
			count->to = day + 1;
	}
	if (day >= count->to)
		return false;
	if (row_expiry_get(value, &row) && !row.revoked && row.label > 0)
		expired_change(&count->row, row.label, count->sign);
	return true;
}

static int day_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	return bdb_expired_day(bdb, txn, context);
}

struct move {
	uint32_t today;
	uint32_t day; /* where the last step left it */
	unsigned steps;
	bool done;
};

/*
 * Moves the day one step towards today's. The row's write lock keeps every revocation, and every
 * addition of what has expired, away from the days that are counted meanwhile. A clock that was set
 * back moves it back.
 */
static int move_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct move *move = context;
	struct expiry_count count = {.sign = 1, .to = move->today};
	struct row_key from;
	uint32_t day;
	int error = bdb_expired_read(bdb, txn, &count.row);

	if (error == 0 && count.row.len < 4)
		error = bdb_refuse(bdb, EST_INTERNAL);
	if (error != 0)
		goto out;
	day = (uint32_t)row_number_get(count.row.data, 4);
	move->done = day == move->today || (move->steps > 0 && day != move->day);
	if (move->done)
		goto out;
	count.from = day;
	if (day > move->today) {
		count.from = move->today;
		count.to = day;
		count.sign = -1;
	}
	row_expiry_key(&from, count.from, NULL);
	error = bdb_scan(bdb, txn, BDB_EXPIRY, row_key_span(&from), count_expiry, &count);
	if (error != 0 && error != DB_NOTFOUND)
		goto out;
	move->day = count.sign > 0 ? count.to : move->today;
	row_number_put(count.row.data, move->day, 4);
	error = expired_write(bdb, txn, &count.row);
out:
	buf_free(&count.row);
	return error;
}

/* Where somebody else moves it too, perhaps by another clock, one of them gives in. */
enum outcome bdb_expired_move(struct bdb *bdb, uint32_t today)
{
	struct move move = {.today = today};
	uint32_t day = today;
	enum outcome outcome = bdb_run(bdb, BDB_READ, day_act, &day);

	move.done = day == today;
	while (outcome == EST_OK && !move.done) {
		outcome = bdb_run(bdb, BDB_WRITE, move_act, &move);
		move.steps++;
	}
	return outcome;
}

int bdb_expired_prepare(struct bdb *bdb, DB_TXN *txn, int64_t now)
{
	unsigned char octets[4];

	row_number_put(octets, row_day(now), 4);
	return bdb_put(bdb, txn, BDB_META, span_of(meta_expired), (struct span){octets, 4}, 0);
}
