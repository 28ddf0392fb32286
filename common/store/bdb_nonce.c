#include "common/store/bdb.h"

#include <openssl/rand.h>

#include "common/base/clock.h"
#include "common/store/bdb_row.h"

struct nonce_act {
	const unsigned char *digest;
	int64_t now;
	/*
	 * When it expires, and a number of this use: so that a row which an earlier try of ours wrote,
	 * before the environment broke, is told from somebody else's.
	 */
	unsigned char row[ROW_NONCE_SIZE];
};

static bool has_expired(const DBT *row, int64_t now)
{
	return row->size != ROW_NONCE_SIZE || (int64_t)row_number_get(row->data, 8) <= now;
}

/*
 * As for old requests (bdb_cert.c): rows beside the one just written, whose page is locked already,
 * and in the long run half of all rows are old ones.
 */
static int drop_expired(DBC *cursor, const struct nonce_act *act)
{
	enum { EVERY = 8, ROWS = 16 };
	int error = 0;

	if (act->digest[0] % EVERY != 0)
		return 0;
	for (int i = 0; i < ROWS && error == 0; i++) {
		DBT key = {0}, value = {0};
		error = cursor->get(cursor, &key, &value, DB_NEXT | DB_RMW);
		if (error == 0 && has_expired(&value, act->now))
			error = cursor->del(cursor, 0);
	}
	return error == DB_NOTFOUND ? 0 : error;
}

static int claim(struct bdb *bdb, DBC *cursor, struct nonce_act *act)
{
	DBT key = {.data = (void *)(uintptr_t)act->digest, .size = 32};
	DBT value = {0};
	int error = cursor->get(cursor, &key, &value, DB_SET | DB_RMW);

	if (error == 0 && !has_expired(&value, act->now)) {
		const struct span ours = {act->row, ROW_NONCE_SIZE};
		return bdb->uncertain && span_equal((struct span){value.data, value.size}, ours)
			   ? 0
			   : bdb_refuse(bdb, EST_CONFLICT);
	}
	if (error != 0 && error != DB_NOTFOUND)
		return error;
	key = (DBT){.data = (void *)(uintptr_t)act->digest, .size = 32};
	value = (DBT){.data = act->row, .size = ROW_NONCE_SIZE};
	error = cursor->put(cursor, &key, &value, DB_KEYFIRST);
	return error == 0 ? drop_expired(cursor, act) : error;
}

static int use_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	DB *db = bdb->tables[BDB_NONCE];
	DBC *cursor;
	int closed, error = db->cursor(db, txn, &cursor, 0);

	if (error != 0)
		return error;
	error = claim(bdb, cursor, context);
	closed = cursor->close(cursor);
	return error == 0 ? closed : error;
}

enum outcome bdb_nonce_use(struct store *store, const unsigned char *digest, int64_t expires)
{
	struct nonce_act act = {.digest = digest, .now = clock_now()};

	row_number_put(act.row, expires < 0 ? 0 : (uint64_t)expires, 8);
	if (RAND_bytes(act.row + 8, ROW_NONCE_SIZE - 8) != 1)
		return reason_openssl(EST_UNAVAILABLE, "no random numbers can be had");
	return bdb_run((struct bdb *)store, BDB_WRITE, use_act, &act);
}
