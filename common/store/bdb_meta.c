#include "common/store/bdb.h"

#include <stdlib.h>
#include <string.h>

#include "common/store/bdb_row.h"

/* The form of all rows; a store of a higher number is not touched. */
enum {
	SCHEMA_KEYS = 2, /* blocked keys, and rings of counters that are announced */
	/*
	 * Requests that wait, secrets, nonces, keys to encrypt under, challenges: a program that
	 * does not know them would not use them up.
	 */
	SCHEMA_QUEUE = 3,
	/* Devices, and users with roles, an end and a count of uses. */
	SCHEMA_DEVICE = 4,
	SCHEMA = SCHEMA_DEVICE
};

static const char meta_schema[] = "schema";
static const char meta_labels[] = "labels";

static int get_number(struct bdb *bdb, DB_TXN *txn, const char *name, unsigned *number)
{
	struct span value;
	int error = bdb_get(bdb, txn, BDB_META, span_of(name), &value, txn == NULL ? 0 : DB_RMW);

	*number = error == 0 && value.len == 4 ? (unsigned)row_number_get(value.data, 4) : 0;
	return error;
}

static int put_number(struct bdb *bdb, DB_TXN *txn, const char *name, unsigned number)
{
	unsigned char octets[4];

	row_number_put(octets, number, 4);
	return bdb_put(bdb, txn, BDB_META, span_of(name), (struct span){octets, 4}, 0);
}

int bdb_meta_prepare(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const int64_t *now = context;
	unsigned schema;
	int error = get_number(bdb, txn, meta_schema, &schema);

	if (error == 0 && schema > SCHEMA) {
		(void)reason(EST_UNAVAILABLE,
		    "the store in %s was written by a newer est-portal (form %u, this one knows "
		    "%d): install that",
		    bdb->directory, schema, SCHEMA);
		return bdb_refuse(bdb, EST_UNAVAILABLE);
	}
	if (error == 0 && schema < SCHEMA)
		return bdb_refuse(bdb, EST_CONFLICT);
	if (error == DB_NOTFOUND && txn == NULL)
		return bdb_refuse(bdb, EST_NOT_FOUND);
	if (error != DB_NOTFOUND)
		return error;
	error = put_number(bdb, txn, meta_schema, SCHEMA);
	if (error == 0)
		error = put_number(bdb, txn, meta_labels, 0);
	if (error == 0)
		error = bdb_expired_prepare(bdb, txn, *now);
	return error;
}

static int renewed_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	(void)context;
	return put_number(bdb, txn, meta_schema, SCHEMA);
}

static int schema_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	return get_number(bdb, txn, meta_schema, context);
}

/* The tables that a form lacks are there by now, and empty. */
enum outcome bdb_meta_renew(struct bdb *bdb)
{
	unsigned schema = 0;
	enum outcome outcome = bdb_run(bdb, BDB_READ, schema_act, &schema);

	if (outcome == EST_OK && schema < SCHEMA_KEYS)
		outcome = bdb_key_fill(bdb);
	if (outcome == EST_OK && schema < SCHEMA_KEYS)
		outcome = bdb_count_renew(bdb);
	if (outcome == EST_OK && schema < SCHEMA_DEVICE)
		outcome = bdb_device_fill(bdb);
	return outcome == EST_OK ? bdb_run(bdb, BDB_WRITE, renewed_act, NULL) : outcome;
}

/* --- labels --- */

struct label_id {
	unsigned id;
	char *name; /* lives as long as the process */
};

struct label_act {
	const char *name;
	bool make;
	unsigned id;
};

int bdb_label_get(struct bdb *bdb, DB_TXN *txn, const char *label, unsigned *id)
{
	struct buf key = {0};
	int error;

	buf_printf(&key, "%s%s", BDB_LABEL_PREFIX, label);
	error = get_number(bdb, txn, buf_string(&key), id);
	buf_free(&key);
	return error;
}

static int make_label(struct bdb *bdb, DB_TXN *txn, struct label_act *act)
{
	enum { LABELS_MOST = 65535 };
	struct buf key = {0};
	unsigned count;
	int error = get_number(bdb, txn, meta_labels, &count);

	if (error == 0 && count == LABELS_MOST) {
		(void)reason(EST_INTERNAL, "the store holds %u labels, no more can be", count);
		return bdb_refuse(bdb, EST_INTERNAL);
	}
	act->id = count + 1;
	buf_printf(&key, "%s%s", BDB_LABEL_PREFIX, act->name);
	if (error == 0)
		error = put_number(bdb, txn, buf_string(&key), act->id);
	if (error == 0)
		error = put_number(bdb, txn, meta_labels, act->id);
	buf_free(&key);
	return error;
}

static int label_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct label_act *act = context;
	int error = bdb_label_get(bdb, txn, act->name, &act->id);

	if (error == DB_NOTFOUND)
		return act->make ? make_label(bdb, txn, act) : bdb_refuse(bdb, EST_NOT_FOUND);
	return error;
}

enum outcome bdb_label(struct bdb *bdb, const char *label, bool make, unsigned *id)
{
	struct label_act act = {.name = label};
	struct label_id *known = (struct label_id *)bdb->labels.data;
	size_t count = bdb->labels.len / sizeof(*known);
	enum outcome outcome;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(known[i].name, label) == 0) {
			*id = known[i].id;
			return EST_OK;
		}
	}
	outcome = bdb_run(bdb, BDB_READ, label_act, &act);
	if (outcome == EST_NOT_FOUND && make) {
		act.make = true;
		outcome = bdb_run(bdb, BDB_WRITE, label_act, &act);
	}
	if (outcome == EST_OK) {
		struct label_id fresh = {act.id, mem_string(label)};
		buf_add(&bdb->labels, &fresh, sizeof(fresh));
		*id = act.id;
	}
	return outcome;
}

void bdb_labels_free(struct bdb *bdb)
{
	struct label_id *known = (struct label_id *)bdb->labels.data;

	for (size_t i = 0; i < bdb->labels.len / sizeof(*known); i++)
		free(known[i].name);
	buf_free(&bdb->labels);
}

int bdb_label_count(struct bdb *bdb, unsigned *count)
{
	return get_number(bdb, NULL, meta_labels, count);
}
