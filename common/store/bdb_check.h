/*
 * bdb_check.h - reading everything and comparing it: bdb_check.c looks at the certificates, their
 * indexes and counts, bdb_check_row.c at the rows of other tables, bdb_check_walk.c goes through a
 * table.
 */
#ifndef EST_BDB_CHECK_H
#define EST_BDB_CHECK_H

#include "common/store/bdb.h"
#include "common/store/bdb_row.h"

#define CHECK_BATCH 500 /* rows read at a time; between two batches others may have the store */

struct check {
	struct bdb *bdb;
	store_figure *progress;
	void *context;
	int64_t *faults;
	int64_t checked, now, certs;
	struct store_totals found; /* labels, as the certificates say */
	struct cert_record cert;   /* the one being looked at */
	struct row_key key;        /* and the row */
};

/* One thing that is wrong with a certificate, or elsewhere. The first one is the reason. */
void check_fault(struct check *check, const struct serial *serial, const char *what);
void check_fault_at(struct check *check, const char *what);

/* which: as it was handed to check_walk(). */
typedef enum outcome check_look(struct check *check, const void *which);

/* Calls look for every key of the table, in check->key. */
enum outcome check_walk(
    struct check *check, enum bdb_table table, check_look *look, const void *which);

/* Every table that is no index of the certificates. */
enum outcome check_rows(struct check *check);

#endif
