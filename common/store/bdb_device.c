#include "common/store/bdb_device.h"

#include <stdbool.h>
#include <string.h>

#include "common/store/bdb.h"
#include "common/store/bdb_row.h"

int bdb_device_read(struct bdb *bdb, DB_TXN *txn, const struct row_key *key, uint32_t flags,
    struct device_record *out)
{
	struct span value;
	int error = bdb_get(bdb, txn, BDB_DEVICE, row_key_span(key), &value, flags);

	if (error == 0 && device_record_decode(value, out) != EST_OK)
		return bdb_refuse(bdb, EST_INTERNAL);
	return error;
}

int bdb_device_put(struct bdb *bdb, DB_TXN *txn, const struct row_key *key,
    const struct device_record *device, uint32_t flags)
{
	struct buf form = {0};
	int error;

	device_record_encode(device, &form);
	error = bdb_put(bdb, txn, BDB_DEVICE, row_key_span(key), buf_span(&form), flags);
	buf_free(&form);
	return error;
}

/* What an operator does with one, or looks at. */
struct device_act {
	const char *label, *name;
	struct row_key key;
	unsigned number; /* the label's */
	int64_t when;
	const char *why;
	const struct device_record *given;
	struct device_record *out;
	struct device_state *state;
};

/* A label without a number has no devices. */
static enum outcome start(struct store *store, struct device_act *act, bool make)
{
	enum outcome outcome = bdb_label((struct bdb *)store, act->label, make, &act->number);

	if (outcome == EST_OK)
		row_device_key(&act->key, act->name, act->number);
	return outcome;
}

static enum outcome record(const struct device_act *act, enum outcome outcome)
{
	return reason(outcome, "there is %s device \"%.100s\" under the label \"%.60s\"",
	    outcome == EST_NOT_FOUND ? "no" : "already a", act->name, act->label);
}

static int refuse_device(struct bdb *bdb, const struct device_act *act, enum outcome outcome)
{
	(void)record(act, outcome);
	return bdb_refuse(bdb, outcome);
}

static bool is_equal(const struct device_record *a, const struct device_record *b)
{
	struct buf left = {0}, right = {0};
	bool equal;

	device_record_encode(a, &left);
	device_record_encode(b, &right);
	equal = span_equal(buf_span(&left), buf_span(&right));
	buf_free(&left);
	buf_free(&right);
	return equal;
}

/* --- adding --- */

/* A freed row keeps what it knows of older certificates, and counts as added after that. */
static int add_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct device_act *act = context;
	struct device_record before = {0}, device = *act->given;
	int error = bdb_device_read(bdb, txn, &act->key, DB_RMW, &before);

	device.enrolled_at = before.enrolled_at;
	device.freed_at = before.freed_at;
	if (error == 0 && device.added_at <= before.freed_at)
		device.added_at = before.freed_at + 1;
	if (error == 0 && !device_record_is_free(&before))
		error = bdb->uncertain && is_equal(&before, &device)
			    ? 0
			    : refuse_device(bdb, act, EST_CONFLICT);
	else if (error == 0 || error == DB_NOTFOUND)
		error = bdb_device_put(bdb, txn, &act->key, &device, 0);
	device_record_clear(&before);
	return error;
}

enum outcome bdb_device_add(struct store *store, const struct device_record *device)
{
	struct device_act act = {.label = device->label, .name = device->name, .given = device};
	enum outcome outcome = start(store, &act, true);

	return outcome == EST_OK ? bdb_run((struct bdb *)store, BDB_WRITE, add_act, &act) : outcome;
}

/* --- looking --- */

static int get_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct device_act *act = context;
	int error;

	device_record_clear(act->out);
	error = bdb_device_read(bdb, txn, &act->key, 0, act->out);
	if (error == DB_NOTFOUND)
		return bdb_refuse(bdb, EST_NOT_FOUND);
	if (error == 0 && act->state != NULL) {
		struct device_certs certs = {act->name, act->number, act->out->freed_at, {0}};
		error = bdb_device_state(bdb, txn, &certs, act->state);
		buf_free(&certs.rows);
	}
	return error;
}

enum outcome bdb_device_get(struct store *store, const char *label, const char *name,
    struct device_record *out, struct device_state *state)
{
	struct device_record found = {0};
	struct device_act act = {.label = label, .name = name, .out = &found, .state = state};
	enum outcome outcome = start(store, &act, false);

	if (outcome == EST_OK)
		outcome = bdb_run((struct bdb *)store, BDB_READ, get_act, &act);
	if (outcome == EST_OK)
		*out = found;
	else
		device_record_clear(&found);
	return outcome;
}

static int next_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct device_act *act = context;
	struct row_key before = act->key;
	int error;

	act->key.len = 0;
	if (act->name != NULL)
		row_key_after(&act->key, row_key_span(&before));
	error = bdb_seek(bdb, txn, BDB_DEVICE, &act->key);
	if (error == 0)
		error = get_act(bdb, txn, act);
	act->key = before;
	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND) : error;
}

enum outcome bdb_device_next(
    struct store *store, const char *label, const char *name, struct device_record *out)
{
	struct device_record found = {0};
	struct device_act act = {.label = label, .name = name, .out = &found};
	enum outcome outcome = name == NULL ? EST_OK : start(store, &act, false);

	if (outcome == EST_NOT_FOUND) { /* before all the labels that have a number */
		row_device_key(&act.key, name, 0);
		outcome = EST_OK;
	}
	if (outcome == EST_OK)
		outcome = bdb_run((struct bdb *)store, BDB_SNAPSHOT, next_act, &act);
	if (outcome == EST_OK)
		*out = found;
	else
		device_record_clear(&found);
	return outcome;
}

/* --- blocking and freeing --- */

static int block_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct device_act *act = context;
	struct device_record device = {0};
	int error = bdb_device_read(bdb, txn, &act->key, DB_RMW, &device);

	if (error == DB_NOTFOUND)
		return refuse_device(bdb, act, EST_NOT_FOUND);
	device.blocked_at = act->when;
	device.reason = act->when == 0 ? "" : act->why;
	if (error == 0)
		error = bdb_device_put(bdb, txn, &act->key, &device, 0);
	device_record_clear(&device);
	return error;
}

static enum outcome change(struct store *store, struct device_act *act, bdb_act *how)
{
	enum outcome outcome = start(store, act, false);

	if (outcome == EST_NOT_FOUND)
		return record(act, EST_NOT_FOUND);
	return outcome == EST_OK ? bdb_run((struct bdb *)store, BDB_WRITE, how, act) : outcome;
}

enum outcome bdb_device_block(
    struct store *store, const char *label, const char *name, int64_t when, const char *why)
{
	struct device_act act = {.label = label, .name = name, .when = when, .why = why};

	return change(store, &act, block_act);
}

static int free_row(struct bdb *bdb, DB_TXN *txn, struct device_act *act)
{
	struct device_record device = {0};
	int error = bdb_device_read(bdb, txn, &act->key, DB_RMW, &device);

	if (error != 0)
		return error;
	if (device.enrolled_at == 0) {
		error = bdb_delete(bdb, txn, BDB_DEVICE, row_key_span(&act->key));
	} else if (device_record_is_free(&device) && device.blocked_at == 0) {
		error = DB_NOTFOUND;
	} else {
		/* What the clock says may be before what it said when the device was added. */
		device.freed_at = act->when > device.added_at ? act->when : device.added_at;
		device.blocked_at = 0;
		device.reason = "";
		error = bdb_device_put(bdb, txn, &act->key, &device, 0);
	}
	device_record_clear(&device);
	return error;
}

static int free_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct device_act *act = context;
	int error = free_row(bdb, txn, act);

	if (error != DB_NOTFOUND)
		return error;
	return bdb->uncertain ? 0 : refuse_device(bdb, act, EST_NOT_FOUND);
}

enum outcome bdb_device_free(struct store *store, const char *label, const char *name, int64_t when)
{
	struct device_act act = {.label = label, .name = name, .when = when};

	return change(store, &act, free_act);
}
