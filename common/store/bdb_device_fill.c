#include <stdlib.h>
#include <string.h>

#include "common/store/bdb_device.h"

/* Rows of the index of names in one transaction. */
enum { PIECE = 200 };

struct piece {
	struct row_key from;
	struct row_key keys[PIECE]; /* of devices; len 0: of none */
	struct device_cert certs[PIECE];
	size_t count;
};

static bool piece_row(struct span key, struct span value, void *context)
{
	struct piece *piece = context;
	struct row_key *device = &piece->keys[piece->count];
	struct device_cert *cert = &piece->certs[piece->count];
	unsigned label;

	/* What is no row here, store_check() says. */
	if (!row_name_get(value, &label, &cert->issued_at) || !row_device_of(device, key, label) ||
	    !row_serial_behind(key, device->len - 2, &cert->serial))
		device->len = 0;
	row_key_after(&piece->from, key);
	return ++piece->count < PIECE;
}

static int read_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct piece *piece = context;
	struct row_key from = piece->from;
	int error;

	piece->count = 0;
	error = bdb_scan(bdb, txn, BDB_NAME, row_key_span(&from), piece_row, piece);
	if (error != 0 && error != DB_NOTFOUND)
		piece->from = from;
	return error == DB_NOTFOUND ? 0 : error;
}

/* The label and the name as one of its certificates writes them. */
static int put_device(
    struct bdb *bdb, DB_TXN *txn, const struct row_key *key, const struct device_cert *row)
{
	struct device_record device = {.added_at = row->issued_at, .enrolled_at = row->issued_at};
	struct cert_record cert = {0};
	int error = bdb_cert_read(bdb, txn, &row->serial, DB_READ_COMMITTED, &cert);

	if (error == 0) {
		device.label = cert.label;
		device.name = cert.name;
		error = bdb_device_put(bdb, txn, key, &device, 0);
	}
	cert_record_clear(&cert);
	return error == DB_NOTFOUND ? 0 : error;
}

/* Another process may have made it, to use it already. */
static int fill_device(
    struct bdb *bdb, DB_TXN *txn, const struct row_key *key, const struct device_cert *row)
{
	struct device_record device = {0};
	int error = bdb_device_read(bdb, txn, key, DB_RMW, &device);

	if (error == DB_NOTFOUND)
		return put_device(bdb, txn, key, row);
	if (error == 0 && device.freed_at == 0 &&
	    (device.enrolled_at == 0 || row->issued_at < device.enrolled_at)) {
		device.enrolled_at = row->issued_at;
		if (row->issued_at < device.added_at)
			device.added_at = row->issued_at;
		error = bdb_device_put(bdb, txn, key, &device, 0);
	}
	device_record_clear(&device);
	return error;
}

static int fill_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct piece *piece = context;
	int error = 0;

	for (size_t i = 0; i < piece->count && error == 0; i++)
		if (piece->keys[i].len > 0)
			error = fill_device(bdb, txn, &piece->keys[i], &piece->certs[i]);
	return error;
}

enum outcome bdb_device_fill(struct bdb *bdb)
{
	struct piece *piece = mem_alloc(sizeof(*piece));
	enum outcome outcome = EST_OK;

	piece->count = PIECE;
	while (outcome == EST_OK && piece->count == PIECE) {
		outcome = bdb_run(bdb, BDB_READ, read_act, piece);
		if (outcome == EST_OK)
			outcome = bdb_run(bdb, BDB_WRITE, fill_act, piece);
	}
	free(piece);
	return outcome;
}
