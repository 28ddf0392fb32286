/*
 * bdb_device.h - devices inside the Berkeley DB store: bdb_device.c has their rows and what an
 * operator does, bdb_device_state.c what the index of names knows of them, bdb_device_claim.c what
 * they have to do with a new certificate, bdb_device_fill.c those of stores of before.
 */
#ifndef EST_BDB_DEVICE_H
#define EST_BDB_DEVICE_H

#include "common/store/bdb.h"
#include "common/store/bdb_row.h"

/* DB_NOTFOUND where there is none; the caller clears out. flags: as of DB->get. */
int bdb_device_read(struct bdb *bdb, DB_TXN *txn, const struct row_key *key, uint32_t flags,
    struct device_record *out);
/* flags: 0 or DB_NOOVERWRITE. */
int bdb_device_put(struct bdb *bdb, DB_TXN *txn, const struct row_key *key,
    const struct device_record *device, uint32_t flags);

/* --- bdb_device_state.c --- */

/* The certificates of a device that were issued after freed_at, newest first. */
struct device_certs {
	const char *name;
	unsigned label;
	int64_t freed_at;
	struct buf rows; /* of struct device_cert; the caller frees it */
};

struct device_cert {
	int64_t issued_at;
	struct serial serial;
};

/* Fills rows. Holds no lock afterwards, and nor do the others. */
int bdb_device_certs(struct bdb *bdb, DB_TXN *txn, struct device_certs *certs);
/* Leaves the valid ones in rows; `one`: the newest of these is enough. */
int bdb_device_valid(struct bdb *bdb, DB_TXN *txn, struct device_certs *certs, bool one);
int bdb_device_state(
    struct bdb *bdb, DB_TXN *txn, struct device_certs *certs, struct device_state *state);

#endif
