#include "common/store/bdb.h"

#include <openssl/rand.h>

#include "common/base/clock.h"
#include "common/store/bdb_row.h"

/*
 * Digests are spread evenly, so those that begin with one octet are a 256th of all, which is
 * quickly counted, and nobody who uses another nonce has to wait for a count.
 */
enum { SHARDS = 256, SHARD_MOST = STORE_NONCE_MOST / SHARDS };

struct nonce_act {
	const unsigned char *digest;
	int64_t now;
	/*
	 * When it expires, and a number of this use: so that a row which an earlier try of ours
	 * wrote, before the environment broke, is told from somebody else's.
	 */
	unsigned char row[ROW_NONCE_SIZE];
	/* Of the rows in its shard. */
	unsigned living, expired;
	bool known; /* it is one of the living */
};

static bool has_expired(struct span row, int64_t now)
{
	return row.len != ROW_NONCE_SIZE || (int64_t)row_number_get(row.data, 8) <= now;
}

/* --- the shard --- */

static bool is_in_shard(struct span key, const struct nonce_act *act)
{
	return key.len > 0 && key.data[0] == act->digest[0];
}

static bool count_row(struct span key, struct span value, void *context)
{
	struct nonce_act *act = context;

	if (!is_in_shard(key, act))
		return false;
	if (has_expired(value, act->now)) {
		act->expired++;
	} else {
		act->living++;
		act->known |= span_equal(key, (struct span){act->digest, 32});
	}
	return true;
}

/* Holds no lock when it is done; so as many too many may come in as there are processes. */
static int count_shard(struct bdb *bdb, DB_TXN *txn, struct nonce_act *act)
{
	int error;

	act->living = 0;
	act->expired = 0;
	act->known = false;
	error = bdb_scan(bdb, txn, BDB_NONCE, (struct span){act->digest, 1}, count_row, act);
	return error == DB_NOTFOUND ? 0 : error;
}

static int drop_expired(DBC *cursor, const struct nonce_act *act)
{
	DBT key = {.data = (void *)(uintptr_t)act->digest, .size = 1}, value = {0};
	int error = cursor->get(cursor, &key, &value, DB_SET_RANGE | DB_RMW);

	while (error == 0 && is_in_shard((struct span){key.data, key.size}, act)) {
		if (has_expired((struct span){value.data, value.size}, act->now))
			error = cursor->del(cursor, 0);
		if (error == 0)
			error = cursor->get(cursor, &key, &value, DB_NEXT | DB_RMW);
	}
	return error == DB_NOTFOUND ? 0 : error;
}

/* --- using one --- */

static int claim(struct bdb *bdb, DBC *cursor, struct nonce_act *act)
{
	DBT key = {.data = (void *)(uintptr_t)act->digest, .size = 32};
	DBT value = {0};
	int error = cursor->get(cursor, &key, &value, DB_SET | DB_RMW);

	if (error == 0 && !has_expired((struct span){value.data, value.size}, act->now)) {
		const struct span ours = {act->row, ROW_NONCE_SIZE};
		return bdb->uncertain && span_equal((struct span){value.data, value.size}, ours)
			   ? 0
			   : bdb_refuse(bdb, EST_CONFLICT);
	}
	if (error != 0 && error != DB_NOTFOUND)
		return error;
	key = (DBT){.data = (void *)(uintptr_t)act->digest, .size = 32};
	value = (DBT){.data = act->row, .size = ROW_NONCE_SIZE};
	return cursor->put(cursor, &key, &value, DB_KEYFIRST);
}

static int use_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	enum { A_FEW = 4 };
	struct nonce_act *act = context;
	DB *db = bdb->tables[BDB_NONCE];
	DBC *cursor;
	int closed, error = count_shard(bdb, txn, act);

	if (error == 0 && !act->known && act->living >= SHARD_MOST) {
		(void)reason(EST_THROTTLED,
		    "%d nonces are remembered, no more can be until some of them expire; try later",
		    STORE_NONCE_MOST);
		return bdb_refuse(bdb, EST_THROTTLED);
	}
	if (error == 0)
		error = db->cursor(db, txn, &cursor, 0);
	if (error != 0)
		return error;
	if (act->expired >= A_FEW)
		error = drop_expired(cursor, act);
	if (error == 0)
		error = claim(bdb, cursor, act);
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
