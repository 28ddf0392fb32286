#include "common/store/bdb.h"

#include <string.h>

#include <openssl/crypto.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/store/bdb_row.h"

struct secret_act {
	const char *name;
	struct row_key key;
	struct buf form; /* the encoded secret, where one is put */
	bool replace;
	struct secret_record *out;
	const struct secret_use *use;
};

static int refuse_secret(struct bdb *bdb, enum outcome outcome, const char *name)
{
	(void)reason(outcome, "there is %s one-time secret for \"%.100s\"",
	    outcome == EST_NOT_FOUND ? "no" : "already a", name);
	return bdb_refuse(bdb, outcome);
}

static int put_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct secret_act *act = context;
	struct span key = row_key_span(&act->key);
	struct span before;
	int error = bdb_get(bdb, txn, BDB_SECRET, key, &before, DB_RMW);

	if (error != 0 && error != DB_NOTFOUND)
		return error;
	if (error == 0 && bdb->uncertain && span_equal(before, buf_span(&act->form)))
		return 0;
	if (error == 0 && !act->replace)
		return refuse_secret(bdb, EST_CONFLICT, act->name);
	return bdb_put(bdb, txn, BDB_SECRET, key, buf_span(&act->form), 0);
}

enum outcome bdb_secret_put(struct store *store, const struct secret_record *secret, bool replace)
{
	struct secret_act act = {.name = secret->name, .replace = replace};
	enum outcome outcome;

	row_name_key(&act.key, secret->name, NULL);
	secret_record_encode(secret, &act.form);
	outcome = bdb_run((struct bdb *)store, BDB_WRITE, put_act, &act);
	buf_cleanse(&act.form);
	return outcome;
}

static int read_secret(struct bdb *bdb, DB_TXN *txn, const struct row_key *key, uint32_t flags,
    struct secret_record *out)
{
	struct span value;
	int error = bdb_get(bdb, txn, BDB_SECRET, row_key_span(key), &value, flags);

	if (error == 0 && secret_record_decode(value, out) != EST_OK)
		return bdb_refuse(bdb, EST_INTERNAL);
	return error;
}

static int get_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct secret_act *act = context;
	int error = read_secret(bdb, txn, &act->key, 0, act->out);

	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND) : error;
}

enum outcome bdb_secret_get(struct store *store, const char *name, struct secret_record *out)
{
	struct secret_act act = {.out = out};

	row_name_key(&act.key, name, NULL);
	return bdb_run((struct bdb *)store, BDB_READ, get_act, &act);
}

static int delete_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct secret_act *act = context;
	int error = bdb_delete(bdb, txn, BDB_SECRET, row_key_span(&act->key));

	if (error != DB_NOTFOUND)
		return error;
	return bdb->uncertain ? 0 : refuse_secret(bdb, EST_NOT_FOUND, act->name);
}

enum outcome bdb_secret_delete(struct store *store, const char *name)
{
	struct secret_act act = {.name = name};

	row_name_key(&act.key, name, NULL);
	return bdb_run((struct bdb *)store, BDB_WRITE, delete_act, &act);
}

static int next_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct secret_act *act = context;
	int error;

	act->key.len = 0;
	if (act->name != NULL) {
		struct row_key after;
		row_name_key(&after, act->name, NULL);
		row_key_after(&act->key, row_key_span(&after));
	}
	error = bdb_seek(bdb, txn, BDB_SECRET, &act->key);
	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND)
	       : error != 0         ? error
				    : get_act(bdb, txn, act);
}

enum outcome bdb_secret_next(struct store *store, const char *after, struct secret_record *out)
{
	struct secret_act act = {.name = after, .out = out};

	return bdb_run((struct bdb *)store, BDB_SNAPSHOT, next_act, &act);
}

/* --- using one --- */

/*
 * Everything is compared whatever came out before, also where there is no such secret: neither the
 * answer nor the time that it takes says which it was. again: whether one is good that was used for
 * the same request.
 */
static bool is_good(const struct secret_record *secret, const struct secret_use *use, bool again)
{
	bool good = CRYPTO_memcmp(secret->digest, use->digest, sizeof(secret->digest)) == 0;
	bool same = CRYPTO_memcmp(secret->used_by, use->request, sizeof(secret->used_by)) == 0;

	good &= secret->name != NULL;
	good &= secret->label == NULL || strcmp(secret->label, use->label) == 0;
	/* Its end is for its first use: who waits for approval goes on asking. */
	good &= secret->used_at == 0 ? clock_now() < secret->expires_at : again && same;
	return good;
}

/* Reads the row, or {0}; the caller clears it. */
static int read_used(struct bdb *bdb, DB_TXN *txn, const struct secret_use *use, uint32_t flags,
    struct secret_record *secret)
{
	struct row_key key;
	int error;

	row_name_key(&key, use->name, NULL);
	error = read_secret(bdb, txn, &key, flags, secret);
	return error == DB_NOTFOUND ? 0 : error;
}

static int judge(
    struct bdb *bdb, const struct secret_record *secret, const struct secret_use *use, bool again)
{
	if (is_good(secret, use, again))
		return 0;
	(void)refuse(OTP_WRONG, "the one-time secret is not this device's, is for another label, "
				"has expired or was used before; get another one");
	return bdb_refuse(bdb, EST_FORBIDDEN);
}

int bdb_secret_hold(struct bdb *bdb, DB_TXN *txn, const char *name)
{
	struct row_key key;
	struct span value;
	int error;

	row_name_key(&key, name, NULL);
	error = bdb_get(bdb, txn, BDB_SECRET, row_key_span(&key), &value, DB_RMW);
	return error == DB_NOTFOUND ? 0 : error;
}

int bdb_secret_use(struct bdb *bdb, DB_TXN *txn, const struct secret_use *use, bool approved)
{
	struct secret_record secret = {0};
	struct buf form = {0};
	struct row_key key;
	int error = read_used(bdb, txn, use, DB_RMW, &secret);

	if (error == 0)
		error = judge(bdb, &secret, use, approved);
	if (error == 0 && secret.used_at == 0) {
		secret.used_at = clock_now();
		memcpy(secret.used_by, use->request, sizeof(secret.used_by));
		secret_record_encode(&secret, &form);
		row_name_key(&key, use->name, NULL);
		error = bdb_put(bdb, txn, BDB_SECRET, row_key_span(&key), buf_span(&form), 0);
	}
	buf_cleanse(&form);
	secret_record_clear(&secret);
	return error;
}

static int check_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct secret_act *act = context;
	struct secret_record secret = {0};
	int error = read_used(bdb, txn, act->use, 0, &secret);

	if (error == 0)
		error = judge(bdb, &secret, act->use, true);
	secret_record_clear(&secret);
	return error;
}

enum outcome bdb_secret_check(struct store *store, const struct secret_use *use)
{
	struct secret_act act = {.use = use};

	return bdb_run((struct bdb *)store, BDB_READ, check_act, &act);
}
