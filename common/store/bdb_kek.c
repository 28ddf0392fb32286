#include "common/store/bdb.h"

#include <openssl/crypto.h>

#include "common/store/bdb_row.h"

enum { KEK_ROOM = 160 }; /* octets; more than the largest record */

struct kek_act {
	struct span id;
	struct row_key key; /* of next_act() */
	struct buf form;    /* the encoded key, where one is put */
	bool replace;
	struct kek_record *out;
};

static int refuse_kek(struct bdb *bdb, enum outcome outcome)
{
	(void)reason(outcome, "there is %s key to encrypt under with that id",
	    outcome == EST_NOT_FOUND ? "no" : "already a");
	return bdb_refuse(bdb, outcome);
}

/*
 * Reads into room of ours: Berkeley DB's own would keep the key until another row is read.
 */
static int read_kek(
    struct bdb *bdb, DB_TXN *txn, struct span id, unsigned char room[KEK_ROOM], struct span *value)
{
	DBT k = {.data = (void *)(uintptr_t)id.data, .size = (uint32_t)id.len};
	DBT v = {.data = room, .ulen = KEK_ROOM, .flags = DB_DBT_USERMEM};
	int error =
	    bdb->tables[BDB_KEK]->get(bdb->tables[BDB_KEK], txn, &k, &v, txn == NULL ? 0 : DB_RMW);

	*value = (struct span){room, v.size};
	if (error == DB_BUFFER_SMALL) {
		(void)reason(EST_INTERNAL,
		    "the store holds bytes that are not a key encryption key's record");
		return bdb_refuse(bdb, EST_INTERNAL);
	}
	return error;
}

static int put_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct kek_act *act = context;
	unsigned char room[KEK_ROOM];
	struct span before;
	int error = read_kek(bdb, txn, act->id, room, &before);
	bool there = error == 0;
	bool done = there && bdb->uncertain && span_equal(before, buf_span(&act->form));

	OPENSSL_cleanse(room, sizeof(room));
	if (done || (error != 0 && error != DB_NOTFOUND))
		return error;
	if (there && !act->replace)
		return refuse_kek(bdb, EST_CONFLICT);
	return bdb_put(bdb, txn, BDB_KEK, act->id, buf_span(&act->form), 0);
}

enum outcome bdb_kek_put(struct store *store, const struct kek_record *kek, bool replace)
{
	struct kek_act act = {.id = kek->id, .replace = replace};
	enum outcome outcome;

	kek_record_encode(kek, &act.form);
	outcome = bdb_run((struct bdb *)store, BDB_WRITE, put_act, &act);
	buf_cleanse(&act.form);
	return outcome;
}

static int get_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct kek_act *act = context;
	unsigned char room[KEK_ROOM];
	struct span value;
	int error = read_kek(bdb, txn, act->id, room, &value);

	if (error == DB_NOTFOUND)
		error = bdb_refuse(bdb, EST_NOT_FOUND);
	else if (error == 0 && kek_record_decode(value, act->out) != EST_OK)
		error = bdb_refuse(bdb, EST_INTERNAL);
	OPENSSL_cleanse(room, sizeof(room));
	return error;
}

enum outcome bdb_kek_get(struct store *store, struct span id, struct kek_record *out)
{
	struct kek_act act = {.id = id, .out = out};

	return bdb_run((struct bdb *)store, BDB_READ, get_act, &act);
}

static int delete_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct kek_act *act = context;
	int error = bdb_delete(bdb, txn, BDB_KEK, act->id);

	if (error != DB_NOTFOUND)
		return error;
	return bdb->uncertain ? 0 : refuse_kek(bdb, EST_NOT_FOUND);
}

enum outcome bdb_kek_delete(struct store *store, struct span id)
{
	struct kek_act act = {.id = id};

	return bdb_run((struct bdb *)store, BDB_WRITE, delete_act, &act);
}

static int next_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct kek_act *act = context;
	struct kek_act found = {.out = act->out};
	int error;

	row_key_after(&act->key, act->id);
	error = bdb_seek(bdb, txn, BDB_KEK, &act->key);
	if (error != 0)
		return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND) : error;
	found.id = row_key_span(&act->key);
	return get_act(bdb, txn, &found);
}

enum outcome bdb_kek_next(struct store *store, struct span after, struct kek_record *out)
{
	struct kek_act act = {.id = after, .out = out};

	return bdb_run((struct bdb *)store, BDB_SNAPSHOT, next_act, &act);
}
