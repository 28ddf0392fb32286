#include "common/store/bdb.h"

#include <string.h>

#include "common/store/bdb_row.h"

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

static int get_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct user_act *act = context;
	struct span value;
	int error = bdb_get(bdb, txn, BDB_USER, span_of(act->name), &value, 0);

	if (error == DB_NOTFOUND || (error == 0 && user_record_decode(value, act->out) != EST_OK))
		return bdb_refuse(bdb, error == 0 ? EST_INTERNAL : EST_NOT_FOUND);
	return error;
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

/* --- devices: what the index of names knows of one --- */

struct device_act {
	const char *name;
	unsigned label;
	struct row_key prefix;
	struct device_record found;
	bool failed;
};

static bool device_row(struct span key, struct span value, void *context)
{
	struct device_act *act = context;
	struct device_record *found = &act->found;
	unsigned label;
	int64_t issued_at;

	if (key.len < act->prefix.len || memcmp(key.data, act->prefix.octets, act->prefix.len) != 0)
		return false;
	act->failed = !row_name_get(value, &label, &issued_at);
	if (act->failed || label != act->label)
		return !act->failed;
	if (found->issued == 0 || issued_at < found->first_issued)
		found->first_issued = issued_at;
	if (found->issued == 0 || issued_at >= found->last_issued) {
		found->last_issued = issued_at;
		act->failed = !row_serial_behind(key, act->prefix.len, &found->current);
	}
	found->issued++;
	return !act->failed;
}

static int device_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct device_act *act = context;
	int error;

	act->found = (struct device_record){0};
	act->failed = false;
	row_name_key(&act->prefix, act->name, NULL);
	error = bdb_scan(bdb, txn, BDB_NAME, row_key_span(&act->prefix), device_row, act);
	if (error != 0 && error != DB_NOTFOUND)
		return error;
	if (act->failed) {
		(void)reason(EST_INTERNAL, "the store's index of names holds a row that is none");
		return bdb_refuse(bdb, EST_INTERNAL);
	}
	return act->found.issued == 0 ? bdb_refuse(bdb, EST_NOT_FOUND) : 0;
}

/* The name as its newest certificate writes it. */
static enum outcome device_finish(
    struct store *store, const char *label, struct device_record *found)
{
	struct cert_record cert = {0};
	struct buf text = {0};
	enum outcome outcome = bdb_cert_get(store, &found->current, &cert);

	if (outcome != EST_OK)
		return outcome == EST_NOT_FOUND
			   ? reason(EST_INTERNAL,
				 "the store's index of names names a certificate that is not there")
			   : outcome;
	buf_add(&text, label, strlen(label) + 1);
	buf_add(&text, cert.name, strlen(cert.name) + 1);
	cert_record_clear(&cert);
	found->label = (const char *)text.data;
	found->name = found->label + strlen(label) + 1;
	found->memory = text.data;
	return EST_OK;
}

enum outcome bdb_device_get(
    struct store *store, const char *label, const char *name, struct device_record *out)
{
	struct bdb *bdb = (struct bdb *)store;
	struct device_act act = {.name = name};
	enum outcome outcome = bdb_label(bdb, label, false, &act.label);

	if (outcome == EST_OK)
		outcome = bdb_run(bdb, BDB_READ, device_act, &act);
	if (outcome == EST_OK)
		outcome = device_finish(store, label, &act.found);
	if (outcome == EST_OK)
		*out = act.found;
	return outcome;
}
