#include "common/store/bdb_check.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS = 5000 }; /* rows between two calls of progress() */

/* What a decoder said about the first one is less than what is said here. */
static void count_fault(struct check *check)
{
	if (*check->faults == 0)
		reason_clear();
	++*check->faults;
}

void check_fault(struct check *check, const struct serial *serial, const char *what)
{
	char text[2 * SERIAL_MAX + 1];

	count_fault(check);
	(void)reason(EST_INTERNAL, "certificate %s: %s", serial_text(serial, text), what);
}

void check_fault_at(struct check *check, const char *what)
{
	count_fault(check);
	(void)reason(EST_INTERNAL, "%s", what);
}

struct batch {
	enum bdb_table table;
	struct row_key from;
	struct row_key keys[CHECK_BATCH];
	size_t count;
};

static bool batch_row(struct span key, struct span value, void *context)
{
	struct batch *batch = context;
	struct row_key *kept = &batch->keys[batch->count++];

	(void)value;
	kept->len = key.len <= ROW_KEY_MAX ? key.len : ROW_KEY_MAX;
	memcpy(kept->octets, key.data, kept->len);
	return batch->count < CHECK_BATCH;
}

static int batch_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct batch *batch = context;
	int error;

	batch->count = 0;
	error = bdb_scan(bdb, txn, batch->table, row_key_span(&batch->from), batch_row, batch);
	return error == DB_NOTFOUND ? 0 : error;
}

enum outcome check_walk(
    struct check *check, enum bdb_table table, check_look *look, const void *which)
{
	struct batch *batch = mem_alloc(sizeof(*batch));
	enum outcome outcome = EST_OK;

	batch->table = table;
	batch->count = CHECK_BATCH;
	while (outcome == EST_OK && batch->count == CHECK_BATCH) {
		outcome = bdb_run(check->bdb, BDB_READ, batch_act, batch);
		for (size_t i = 0; i < batch->count && outcome == EST_OK; i++) {
			check->key = batch->keys[i];
			outcome = look(check, which);
			if (++check->checked % PROGRESS == 0 && check->progress != NULL)
				check->progress(check->context, "checked", check->checked);
		}
		if (batch->count > 0)
			row_key_after(&batch->from, row_key_span(&batch->keys[batch->count - 1]));
	}
	free(batch);
	return outcome;
}
