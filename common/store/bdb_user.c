#include "common/store/bdb.h"

#include <string.h>

#include "common/base/refusal.h"

struct user_act {
	const char *name;
	struct buf form; /* the encoded user, where one is put */
	bool replace;
	struct user_record *out;
};

static int refuse_user(struct bdb *bdb, enum outcome outcome, const char *name)
{
	(void)reason(outcome, "there is %s user \"%.100s\"",
	    outcome == EST_NOT_FOUND ? "no" : "already a", name);
	return bdb_refuse(bdb, outcome);
}

static int put_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct user_act *act = context;
	struct span key = span_of(act->name);
	struct span before;
	int error = bdb_get(bdb, txn, BDB_USER, key, &before, DB_RMW);

	if (error != 0 && error != DB_NOTFOUND)
		return error;
	if (error == 0 && bdb->uncertain && span_equal(before, buf_span(&act->form)))
		return 0;
	if (error == 0 && !act->replace)
		return refuse_user(bdb, EST_CONFLICT, act->name);
	if (error == DB_NOTFOUND && act->replace)
		return refuse_user(bdb, EST_NOT_FOUND, act->name);
	return bdb_put(bdb, txn, BDB_USER, key, buf_span(&act->form), 0);
}

enum outcome bdb_user_put(struct store *store, const struct user_record *user, bool replace)
{
	struct user_act act = {.name = user->name, .replace = replace};
	enum outcome outcome;

	user_record_encode(user, &act.form);
	outcome = bdb_run((struct bdb *)store, BDB_WRITE, put_act, &act);
	buf_cleanse(&act.form);
	return outcome;
}

static int read_user(
    struct bdb *bdb, DB_TXN *txn, const char *name, uint32_t flags, struct user_record *out)
{
	struct span value;
	int error = bdb_get(bdb, txn, BDB_USER, span_of(name), &value, flags);

	if (error == 0 && user_record_decode(value, out) != EST_OK)
		return bdb_refuse(bdb, EST_INTERNAL);
	return error;
}

static int get_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct user_act *act = context;
	int error = read_user(bdb, txn, act->name, 0, act->out);

	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND) : error;
}

enum outcome bdb_user_get(struct store *store, const char *name, struct user_record *out)
{
	struct user_act act = {.name = name, .out = out};

	return bdb_run((struct bdb *)store, BDB_READ, get_act, &act);
}

static int delete_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct user_act *act = context;
	int error = bdb_delete(bdb, txn, BDB_USER, span_of(act->name));

	if (error != DB_NOTFOUND)
		return error;
	return bdb->uncertain ? 0 : refuse_user(bdb, EST_NOT_FOUND, act->name);
}

enum outcome bdb_user_delete(struct store *store, const char *name)
{
	struct user_act act = {.name = name};

	return bdb_run((struct bdb *)store, BDB_WRITE, delete_act, &act);
}

/* The row of the first user after act->name: the least name behind "pump" is "pump" and a NUL. */
static int next_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct user_act *act = context;
	DB *db = bdb->tables[BDB_USER];
	struct span after = {
	    (const unsigned char *)act->name, act->name == NULL ? 0 : strlen(act->name) + 1};
	DBT key = {.data = (void *)(uintptr_t)after.data, .size = (uint32_t)after.len};
	DBT value = {0};
	DBC *cursor;
	int closed, error = db->cursor(db, txn, &cursor, 0);

	if (error != 0)
		return error;
	error = cursor->get(cursor, &key, &value, after.len == 0 ? DB_FIRST : DB_SET_RANGE);
	if (error == 0 &&
	    user_record_decode((struct span){value.data, value.size}, act->out) != EST_OK)
		error = bdb_refuse(bdb, EST_INTERNAL);
	closed = cursor->close(cursor);
	if (error == DB_NOTFOUND)
		return bdb_refuse(bdb, EST_NOT_FOUND);
	return error == 0 ? closed : error;
}

enum outcome bdb_user_next(struct store *store, const char *after, struct user_record *out)
{
	struct user_act act = {.name = after, .out = out};

	return bdb_run((struct bdb *)store, BDB_READ, next_act, &act);
}

/* --- changing one where it stands --- */

static int write_user(struct bdb *bdb, DB_TXN *txn, const struct user_record *user)
{
	struct buf form = {0};
	int error;

	user_record_encode(user, &form);
	error = bdb_put(bdb, txn, BDB_USER, span_of(user->name), buf_span(&form), 0);
	buf_cleanse(&form);
	return error;
}

struct rehash_act {
	const char *name, *before, *hash;
};

static int rehash_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct rehash_act *act = context;
	struct user_record user = {0};
	int error = read_user(bdb, txn, act->name, DB_RMW, &user);

	if (error == 0 && strcmp(user.password, act->before) == 0) {
		user.password = act->hash;
		error = write_user(bdb, txn, &user);
	} else if (error == 0 || error == DB_NOTFOUND) {
		bool done = error == 0 && bdb->uncertain && strcmp(user.password, act->hash) == 0;
		error = done ? 0 : bdb_refuse(bdb, EST_CONFLICT);
	}
	user_record_clear(&user);
	return error;
}

enum outcome bdb_user_rehash(
    struct store *store, const char *name, const char *before, const char *hash)
{
	struct rehash_act act = {name, before, hash};

	return bdb_run((struct bdb *)store, BDB_WRITE, rehash_act, &act);
}

static int refuse_spent(struct bdb *bdb)
{
	(void)refuse(AUTH_SPENT, "the account may not be used for any further certificate; ask "
				 "whoever operates the server");
	return bdb_refuse(bdb, EST_UNAUTHENTICATED);
}

static int count_use(struct bdb *bdb, DB_TXN *txn, const char *name)
{
	struct user_record user = {0};
	int error = read_user(bdb, txn, name, DB_RMW, &user);

	if (error == DB_NOTFOUND ||
	    (error == 0 && user.uses_most != 0 && user.uses >= user.uses_most))
		error = refuse_spent(bdb);
	else if (error == 0 && user.uses_most != 0) {
		user.uses++;
		error = write_user(bdb, txn, &user);
	}
	user_record_clear(&user);
	return error;
}

/* Who may be used any number of times is looked at and let go: many add in its name at a time. */
int bdb_user_use(struct bdb *bdb, DB_TXN *txn, const char *name)
{
	struct user_record user = {0};
	int error = read_user(bdb, txn, name, DB_READ_COMMITTED, &user);
	bool counted = error == 0 && user.uses_most != 0;

	user_record_clear(&user);
	if (error == DB_NOTFOUND)
		return refuse_spent(bdb);
	return counted ? count_use(bdb, txn, name) : error;
}
