#include "common/store/bdb.h"

#include "common/store/bdb_row.h"

int bdb_challenge_put(struct bdb *bdb, DB_TXN *txn, const struct serial *serial, const char *hash)
{
	return bdb_put(bdb, txn, BDB_CHALLENGE, row_serial(serial), span_of(hash), 0);
}

struct challenge_act {
	const struct serial *serial;
	struct buf *out;
};

static int get_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct challenge_act *act = context;
	struct span value;
	int error = bdb_get(bdb, txn, BDB_CHALLENGE, row_serial(act->serial), &value, 0);

	if (error == DB_NOTFOUND)
		return bdb_refuse(bdb, EST_NOT_FOUND);
	if (error == 0)
		buf_add_span(act->out, value);
	return error;
}

enum outcome bdb_revocation_hash(struct store *store, const struct serial *serial, struct buf *out)
{
	struct challenge_act act = {serial, out};

	return bdb_run((struct bdb *)store, BDB_READ, get_act, &act);
}
