#include "common/store/bdb.h"

#include <stdlib.h>
#include <string.h>

#include "common/store/bdb_row.h"

/*
 * Counts are kept where no two processes write the same row: each label has, for each slot of the
 * gate, a ring of cells by the day of issue and one for revocations, and whoever wants a sum adds
 * them up. The queue is mostly holes. Berkeley DB 5.3 loses records behind holes when it reads a
 * queue in bulk, and one record after the other takes 5 ms a label; so the cell for revocations is
 * made with the first cell of its ring, and whoever adds up looks for that.
 */
enum {
	RING = 32, /* days; more than STORE_DAYS, as processes' clocks differ a little */
	CELL_REVOKED = RING,
	CELLS = RING + 1,
	CELL_SIZE = 4 + 4 + 8,
};
_Static_assert(RING > STORE_DAYS, "the ring holds the days that totals show");

struct cell {
	uint32_t day, count; /* of that day */
	uint64_t older;      /* of days before that fell into the same cell */
};

static struct cell cell_read(const unsigned char *in)
{
	return (struct cell){(uint32_t)row_number_get(in, 4), (uint32_t)row_number_get(in + 4, 4),
	    row_number_get(in + 8, 8)};
}

static void cell_write(unsigned char *out, const struct cell *cell)
{
	row_number_put(out, cell->day, 4);
	row_number_put(out + 4, cell->count, 4);
	row_number_put(out + 8, cell->older, 8);
}

static void cell_count(struct cell *cell, uint32_t day)
{
	if (day > cell->day) {
		cell->older += cell->count;
		cell->count = 0;
		cell->day = day;
	}
	if (day == cell->day)
		cell->count++;
	else
		cell->older++;
}

static db_recno_t recno_of(unsigned label, unsigned slot, unsigned number)
{
	return 1 + ((db_recno_t)label * GATE_SLOTS + slot) * CELLS + number;
}

static int get_cell(
    struct bdb *bdb, DB_TXN *txn, db_recno_t recno, uint32_t flags, struct cell *cell)
{
	struct span value;
	int error = bdb_get(bdb, txn, BDB_COUNTER,
	    (struct span){(const unsigned char *)&recno, sizeof(recno)}, &value, flags);

	*cell = (struct cell){0};
	if (error == 0 && value.len == CELL_SIZE)
		*cell = cell_read(value.data);
	return error;
}

static int put_cell(struct bdb *bdb, DB_TXN *txn, db_recno_t recno, const struct cell *cell)
{
	unsigned char octets[CELL_SIZE];

	cell_write(octets, cell);
	return bdb_put(bdb, txn, BDB_COUNTER,
	    (struct span){(const unsigned char *)&recno, sizeof(recno)},
	    (struct span){octets, CELL_SIZE}, 0);
}

/* The first cell of a ring announces itself by the cell for revocations. */
static int announce(struct bdb *bdb, DB_TXN *txn, db_recno_t revoked)
{
	struct cell cell;
	int error = get_cell(bdb, txn, revoked, DB_RMW, &cell);

	return error == DB_NOTFOUND ? put_cell(bdb, txn, revoked, &cell) : error;
}

/* No other process writes this one's cells while it holds its slot. */
static int count_in(struct bdb *bdb, DB_TXN *txn, unsigned label, unsigned number, uint32_t day)
{
	unsigned slot = gate_slot(bdb->gate);
	db_recno_t recno = recno_of(label, slot, number);
	struct cell cell;
	int error = get_cell(bdb, txn, recno, DB_RMW, &cell);

	if (error == DB_NOTFOUND && number != CELL_REVOKED)
		error = announce(bdb, txn, recno_of(label, slot, CELL_REVOKED));
	if (error != 0 && error != DB_NOTFOUND)
		return error;
	cell_count(&cell, day);
	return put_cell(bdb, txn, recno, &cell);
}

int bdb_count_issued(struct bdb *bdb, DB_TXN *txn, unsigned label, int64_t when)
{
	uint32_t day = row_day(when);

	return count_in(bdb, txn, label, day % RING, day);
}

int bdb_count_revoked(struct bdb *bdb, DB_TXN *txn, unsigned label)
{
	return count_in(bdb, txn, label, CELL_REVOKED, 0);
}

/* --- sums --- */

struct summing {
	struct store_totals *totals;
	int64_t now;
	uint32_t counted; /* the day up to which bdb_expired.c has counted */
};

static struct label_total *label_total(const struct summing *sum, uint64_t id)
{
	return id > 0 && id <= sum->totals->count ? &sum->totals->labels[id - 1] : NULL;
}

static bool sum_label(struct span key, struct span value, void *context)
{
	const size_t prefix = strlen(BDB_LABEL_PREFIX);
	struct summing *sum = context;
	struct label_total *total;

	if (key.len < prefix || memcmp(key.data, BDB_LABEL_PREFIX, prefix) != 0)
		return false;
	total = value.len != 4 ? NULL : label_total(sum, row_number_get(value.data, 4));
	if (total != NULL && total->label == NULL) {
		total->label = mem_alloc(key.len - prefix + 1);
		memcpy(total->label, key.data + prefix, key.len - prefix);
	}
	return true;
}

static void sum_cell(struct summing *sum, struct label_total *total, const struct cell *cell)
{
	int64_t age = sum->totals->today - (int64_t)cell->day;

	total->issued += (int64_t)cell->older + cell->count;
	if (age >= 0 && age < STORE_DAYS)
		sum->totals->issued[age] += cell->count;
}

/* What one slot of the gate has counted for a label; DB_NOTFOUND where that is nothing. */
static int sum_slot(struct bdb *bdb, struct summing *sum, unsigned label, unsigned slot)
{
	struct label_total *total = &sum->totals->labels[label - 1];
	struct cell cell;
	int error = get_cell(bdb, NULL, recno_of(label, slot, CELL_REVOKED), 0, &cell);

	if (error != 0)
		return error;
	total->revoked += (int64_t)cell.older + cell.count;
	for (unsigned number = 0; number < RING; number++) {
		error = get_cell(bdb, NULL, recno_of(label, slot, number), 0, &cell);
		if (error == 0)
			sum_cell(sum, total, &cell);
		else if (error != DB_NOTFOUND)
			return error;
	}
	return 0;
}

static int found(int error)
{
	return error == DB_NOTFOUND ? 0 : error;
}

static int sum_cells(struct bdb *bdb, struct summing *sum)
{
	int error = 0;

	for (unsigned label = 1; label <= sum->totals->count && error == 0; label++)
		for (unsigned slot = 0; slot < GATE_SLOTS && error == 0; slot++)
			error = found(sum_slot(bdb, sum, label, slot));
	return error;
}

/* Corrects the expired ones by a row of the days between the counted one and the end of today. */
static bool sum_expiry(struct span key, struct span value, void *context)
{
	struct summing *sum = context;
	struct label_total *total;
	struct row_expiry row;
	uint32_t day = key.len < 4 ? UINT32_MAX : (uint32_t)row_number_get(key.data, 4);

	if (day > sum->totals->today && day >= sum->counted)
		return false;
	total = row_expiry_get(value, &row) ? label_total(sum, row.label) : NULL;
	if (total != NULL && !row.revoked)
		total->expired += (sum->now > row.not_after) - (day < sum->counted);
	return true;
}

static int sum_expired(struct bdb *bdb, struct summing *sum)
{
	struct buf row = {0};
	int error = bdb_expired_read(bdb, NULL, &row);

	sum->counted = row.len < 4 ? 0 : (uint32_t)row_number_get(row.data, 4);
	for (size_t i = 0; i < sum->totals->count; i++)
		sum->totals->labels[i].expired = bdb_expired_of(&row, (unsigned)i + 1);
	buf_free(&row);
	return error;
}

static int sum_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct summing *sum = context;
	struct store_totals *totals = sum->totals;
	uint32_t today = row_day(sum->now);
	struct row_key from;
	unsigned labels;
	int error;

	store_totals_clear(totals);
	totals->today = today;
	error = bdb_label_count(bdb, &labels);
	if (error != 0)
		return error;
	totals->labels = mem_alloc(labels * sizeof(struct label_total));
	totals->count = labels;
	error = found(bdb_scan(bdb, txn, BDB_META, span_of(BDB_LABEL_PREFIX), sum_label, sum));
	if (error == 0)
		error = sum_expired(bdb, sum);
	row_expiry_key(&from, sum->counted < today ? sum->counted : today, NULL);
	if (error == 0)
		error = found(bdb_scan(bdb, txn, BDB_EXPIRY, row_key_span(&from), sum_expiry, sum));
	return error == 0 ? sum_cells(bdb, sum) : error;
}

static void sum_finish(struct store_totals *totals)
{
	for (size_t i = 0; i < totals->count; i++) {
		struct label_total *total = &totals->labels[i];
		if (total->label == NULL)
			total->label = mem_string("");
		total->valid = total->issued - total->revoked - total->expired;
		if (total->valid < 0) /* counts read while others write */
			total->valid = 0;
	}
}

enum outcome bdb_totals(struct store *store, int64_t now, struct store_totals *totals)
{
	struct bdb *bdb = (struct bdb *)store;
	struct summing sum = {.totals = totals, .now = now};
	enum outcome outcome = bdb_expired_move(bdb, row_day(now));

	if (outcome == EST_OK)
		outcome = bdb_run(bdb, BDB_READ, sum_act, &sum);
	if (outcome == EST_OK)
		sum_finish(totals);
	else
		store_totals_clear(totals);
	return outcome;
}

/* --- stores of before the cells were announced --- */

/*
 * Every cell that there is, one record after the other; context: a buf of
 * its rings' cells for revocations.
 */
static int find_rings(struct bdb *bdb, DB_TXN *txn, void *context)
{
	DB *db = bdb->tables[BDB_COUNTER];
	struct buf *rings = context;
	db_recno_t recno = 0, last = 0;
	DBT key = {.data = &recno, .ulen = sizeof(recno), .flags = DB_DBT_USERMEM};
	DBT value = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL};
	DBC *cursor;
	int closed, error = db->cursor(db, txn, &cursor, 0);

	if (error != 0)
		return error;
	buf_reset(rings);
	while ((error = cursor->get(cursor, &key, &value, DB_NEXT)) == 0) {
		db_recno_t ring = 1 + (recno - 1) / CELLS * CELLS + CELL_REVOKED;
		if (ring != last)
			buf_add(rings, &ring, sizeof(ring));
		last = ring;
	}
	closed = cursor->close(cursor);
	return error == DB_NOTFOUND ? closed : error;
}

static int announce_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const db_recno_t *ring = context;

	return announce(bdb, txn, *ring);
}

enum outcome bdb_count_renew(struct bdb *bdb)
{
	struct buf rings = {0};
	enum outcome outcome = bdb_run(bdb, BDB_READ, find_rings, &rings);

	for (size_t at = 0; at < rings.len && outcome == EST_OK; at += sizeof(db_recno_t))
		outcome = bdb_run(bdb, BDB_WRITE, announce_act, rings.data + at);
	buf_free(&rings);
	return outcome;
}
