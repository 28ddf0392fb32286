#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/store/bdb_device.h"

struct walk {
	struct device_certs *certs;
	struct row_key prefix;
	bool failed;
};

static bool walk_row(struct span key, struct span value, void *context)
{
	struct walk *walk = context;
	struct device_certs *certs = walk->certs;
	struct device_cert cert = {0};
	unsigned label;

	if (key.len < walk->prefix.len ||
	    memcmp(key.data, walk->prefix.octets, walk->prefix.len) != 0)
		return false;
	walk->failed = !row_name_get(value, &label, &cert.issued_at) ||
		       !row_serial_behind(key, walk->prefix.len, &cert.serial);
	if (walk->failed)
		return false;
	if (label == certs->label && (certs->freed_at == 0 || cert.issued_at > certs->freed_at))
		buf_add(&certs->rows, &cert, sizeof(cert));
	return true;
}

static size_t count(const struct device_certs *certs)
{
	return certs->rows.len / sizeof(struct device_cert);
}

static int by_age(const void *left, const void *right)
{
	const struct device_cert *a = left, *b = right;

	return (a->issued_at < b->issued_at) - (a->issued_at > b->issued_at);
}

int bdb_device_certs(struct bdb *bdb, DB_TXN *txn, struct device_certs *certs)
{
	struct walk walk = {.certs = certs};
	int error;

	buf_reset(&certs->rows);
	row_name_key(&walk.prefix, certs->name, NULL);
	error = bdb_scan(bdb, txn, BDB_NAME, row_key_span(&walk.prefix), walk_row, &walk);
	if (error != 0 && error != DB_NOTFOUND)
		return error;
	if (walk.failed) {
		(void)reason(EST_INTERNAL, "the store's index of names holds a row that is none");
		return bdb_refuse(bdb, EST_INTERNAL);
	}
	if (count(certs) > 1)
		qsort(certs->rows.data, count(certs), sizeof(struct device_cert), by_age);
	return 0;
}

/*
 * Whoever adds a certificate of this device holds its row, and whoever revokes one may do so before
 * or after: no lock has to stay.
 */
static int is_valid(struct bdb *bdb, DB_TXN *txn, const struct serial *serial, bool *valid)
{
	struct cert_record cert = {0};
	int error = bdb_cert_read(bdb, txn, serial, txn == NULL ? 0 : DB_READ_COMMITTED, &cert);

	*valid = error == 0 && cert_record_status(&cert, clock_now()) == CERT_VALID;
	cert_record_clear(&cert);
	if (error == DB_NOTFOUND) {
		(void)reason(EST_INTERNAL, "the store's index of names names a certificate that is "
					   "not there: run est-admin store check");
		return bdb_refuse(bdb, EST_INTERNAL);
	}
	return error;
}

int bdb_device_valid(struct bdb *bdb, DB_TXN *txn, struct device_certs *certs, bool one)
{
	struct device_cert *rows;
	size_t kept = 0;
	int error = bdb_device_certs(bdb, txn, certs);

	rows = (struct device_cert *)certs->rows.data;
	for (size_t i = 0; i < count(certs) && error == 0 && !(one && kept > 0); i++) {
		bool valid;
		error = is_valid(bdb, txn, &rows[i].serial, &valid);
		if (error == 0 && valid)
			rows[kept++] = rows[i];
	}
	certs->rows.len = kept * sizeof(struct device_cert);
	return error;
}

int bdb_device_state(
    struct bdb *bdb, DB_TXN *txn, struct device_certs *certs, struct device_state *state)
{
	const struct device_cert *rows;
	int error = bdb_device_certs(bdb, txn, certs);

	*state = (struct device_state){.issued = (uint32_t)count(certs)};
	if (error != 0 || state->issued == 0)
		return error;
	rows = (const struct device_cert *)certs->rows.data;
	state->current = rows[0].serial;
	state->last_issued = rows[0].issued_at;
	state->first_issued = rows[state->issued - 1].issued_at;
	error = bdb_device_valid(bdb, txn, certs, false);
	state->valid = (uint32_t)count(certs);
	return error;
}
