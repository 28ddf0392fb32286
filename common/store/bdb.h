/*
 * bdb.h - the inside of the Berkeley DB store. The only header that knows <db.h>; no file but
 * store_bdb.c and bdb_*.c includes it.
 *
 * Functions that return int return Berkeley DB's codes: 0, DB_*, an errno, or BDB_REFUSED.
 */
#ifndef EST_BDB_H
#define EST_BDB_H

#include <db.h>

#include "common/store/backend.h"
#include "common/store/gate.h"

/* One database each. What a row's key and value hold is in bdb_row.h. */
enum bdb_table {
	BDB_CERT,
	BDB_REQUEST,
	BDB_EXPIRY,
	BDB_NAME,
	BDB_SPKI,
	BDB_REVOKED,
	BDB_BLOCKED,
	BDB_ISSUED,
	BDB_COUNTER,
	BDB_USER,
	BDB_CHALLENGE,
	BDB_PENDING,
	BDB_SECRET,
	BDB_KEK,
	BDB_NONCE,
	BDB_DEVICE,
	BDB_META,
	BDB_TABLES
};

struct row_key;

struct bdb {
	struct store store; /* first: what store.h hands out */
	struct gate *gate;
	char *directory;
	uint64_t cache;
	DB_ENV *env; /* NULL while the environment could not be reopened */
	DB *tables[BDB_TABLES];
	struct buf record; /* of the certificate being written */
	struct buf bulk;   /* what a scan reads into */
	struct buf labels; /* struct label_id of every label met so far */
	char message[200]; /* what Berkeley DB said first in this act */
	enum outcome verdict;
	bool uncertain; /* an earlier try of this act may have been committed */
	bool damaged;
	unsigned commits, dice;
	mode_t umask;
};

/* --- bdb_environment.c: opening, closing, what an error means --- */

enum outcome bdb_attach(struct bdb *bdb);
void bdb_detach(struct bdb *bdb, bool condemned);
/* Berkeley DB's code as an outcome, with a reason. */
enum outcome bdb_outcome(struct bdb *bdb, int error);

/* --- bdb_region.c: disk space for shared memory --- */

int bdb_region_room(struct bdb *bdb);    /* before it is made: 0 or ENOSPC */
int bdb_region_reserve(struct bdb *bdb); /* once it is made */

/* --- bdb_transaction.c: running acts --- */

/*
 * An act: reads and writes rows. It runs again from its start when it met a deadlock or a recovery,
 * so it keeps nothing of an earlier try. txn is NULL in BDB_READ.
 */
typedef int bdb_act(struct bdb *bdb, DB_TXN *txn, void *context);

#define BDB_REFUSED (-1) /* from an act: undo it all; the outcome is bdb->verdict */

int bdb_refuse(struct bdb *bdb, enum outcome verdict);

enum bdb_kind {
	BDB_READ,     /* sees committed rows, each lock held only while it reads */
	BDB_SNAPSHOT, /* all rows it reads stay as they are until it ends: for few rows */
	BDB_WRITE     /* as SNAPSHOT, and durable when it is done */
};

enum outcome bdb_run(struct bdb *bdb, enum bdb_kind kind, bdb_act *act, void *context);

/* Between two pieces of a long act: DB_RUNRECOVERY where somebody waits for us to leave. */
int bdb_refresh(struct bdb *bdb);

/* --- bdb_row.c: rows --- */

/* The value stays valid until the next call for the same table. flags: 0 or DB_RMW. */
int bdb_get(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct span key, struct span *value,
    uint32_t flags);
/* flags: 0 or DB_NOOVERWRITE. */
int bdb_put(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct span key, struct span value,
    uint32_t flags);

/* DB_NOTFOUND where there is none. */
int bdb_delete(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct span key);
/* Moves key (empty: before the first) to the first one that is not less, or DB_NOTFOUND. */
int bdb_seek(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct row_key *key);

/* Called for each row; false ends the scan. Reads no other row: the scan holds a lock. */
typedef bool bdb_row(struct span key, struct span value, void *context);

/*
 * Rows from the first key that is not less than `from`, in order. Not for queues: read in bulk,
 * they lose records behind holes.
 */
int bdb_scan(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct span from, bdb_row *row,
    void *context);

/* --- bdb_meta.c: the form of the store, and labels --- */

/*
 * Refuses a store of a newer form; one of an older form is EST_CONFLICT. Makes the first rows of a
 * new one; without txn, EST_NOT_FOUND.
 * context: the time.
 */
int bdb_meta_prepare(struct bdb *bdb, DB_TXN *txn, void *context);

/* A label's small number from 1 on; where it has none, it gets one, or EST_NOT_FOUND. */
enum outcome bdb_label(struct bdb *bdb, const char *label, bool make, unsigned *id);
int bdb_label_get(struct bdb *bdb, DB_TXN *txn, const char *label, unsigned *id);
int bdb_label_count(struct bdb *bdb, unsigned *count);
void bdb_labels_free(struct bdb *bdb);
#define BDB_LABEL_PREFIX "label:" /* of their keys in BDB_META */

/* Fills what a store of an older form lacks; called where bdb_meta_prepare() gave EST_CONFLICT. */
enum outcome bdb_meta_renew(struct bdb *bdb);

/* --- bdb_key.c: keys that no certificate may be made of --- */

/* BDB_REFUSED where the key is blocked, or where spki is given and has a living certificate. */
int bdb_key_usable(
    struct bdb *bdb, DB_TXN *txn, const unsigned char *identity, const unsigned char *spki);
/* Whether it was revoked for keyCompromise, and the row that blocks its key then. */
bool bdb_key_blocks(const struct cert_record *cert, struct row_key *key);
int bdb_key_block(struct bdb *bdb, DB_TXN *txn, const struct cert_record *cert);
enum outcome bdb_key_fill(struct bdb *bdb);

/* --- bdb_expired.c: how many have expired --- */

/*
 * To be called first in an act that adds or revokes: holds the day up to which expiries are
 * counted.
 */
int bdb_expired_day(struct bdb *bdb, DB_TXN *txn, uint32_t *day);
int bdb_expired_add(struct bdb *bdb, DB_TXN *txn, unsigned label, int64_t change);
/* The row, beginning with the day in 4 octets; and what it says of a label. */
int bdb_expired_read(struct bdb *bdb, DB_TXN *txn, struct buf *row);
int64_t bdb_expired_of(const struct buf *row, unsigned label);
enum outcome bdb_expired_move(struct bdb *bdb, uint32_t today);
int bdb_expired_prepare(struct bdb *bdb, DB_TXN *txn, int64_t now);

/* --- bdb_total.c: how many were issued and revoked --- */

int bdb_count_issued(struct bdb *bdb, DB_TXN *txn, unsigned label, int64_t when);
int bdb_count_revoked(struct bdb *bdb, DB_TXN *txn, unsigned label);
enum outcome bdb_count_renew(struct bdb *bdb); /* of a store of form 1 */

/* --- bdb_cert.c --- */

int bdb_cert_read(struct bdb *bdb, DB_TXN *txn, const struct serial *serial, uint32_t flags,
    struct cert_record *out);

/* --- bdb_revocation.c --- */

/* The certificate with that serial, locked against other writers; len 0 where there is none. */
int bdb_supersede_begin(
    struct bdb *bdb, DB_TXN *txn, const struct serial *serial, struct cert_record *out);
/* Revokes it for that reason, unless it is revoked already. */
int bdb_supersede(struct bdb *bdb, DB_TXN *txn, struct cert_record *cert, int64_t when);

/* --- bdb_device_claim.c, bdb_device_fill.c --- */

struct device_claim {
	const struct cert_record *cert; /* the one being added */
	unsigned label;                 /* its label's number */
	enum duplicates duplicates;
};

/*
 * Makes the row of the certificate's device where it is missing, or BDB_REFUSED. living: what else
 * is to be superseded; the caller frees it.
 */
int bdb_device_claim(
    struct bdb *bdb, DB_TXN *txn, const struct device_claim *claim, struct buf *living);
/* Revokes these, but for what is revoked by now. */
int bdb_device_replace(
    struct bdb *bdb, DB_TXN *txn, const struct device_claim *claim, const struct buf *living);
/* The rows that a store of before there were any lacks. */
enum outcome bdb_device_fill(struct bdb *bdb);

/* --- bdb_challenge.c, bdb_secret.c, bdb_pending.c, bdb_user.c: their part of an addition --- */

int bdb_challenge_put(struct bdb *bdb, DB_TXN *txn, const struct serial *serial, const char *hash);
/*
 * Locks the row of that name's secret: whoever locks other rows first could meet somebody who does
 * it the other way round.
 */
int bdb_secret_hold(struct bdb *bdb, DB_TXN *txn, const char *name);
/*
 * Uses it up, or BDB_REFUSED. approved: it may have been used up when the same request was put into
 * the queue.
 */
int bdb_secret_use(struct bdb *bdb, DB_TXN *txn, const struct secret_use *use, bool approved);
/* Makes the approval's row one of an issued certificate; BDB_REFUSED where it is not as it was. */
int bdb_pending_issue(struct bdb *bdb, DB_TXN *txn, const struct pending_record *approval,
    const struct serial *serial);
/* Counts one of the user's uses, or BDB_REFUSED; the row of one without a limit stays as it is. */
int bdb_user_use(struct bdb *bdb, DB_TXN *txn, const char *name);
int bdb_pending_waiting(struct bdb *bdb, DB_TXN *txn, uint32_t flags, unsigned *waiting);

/* --- bdb_pending.c, for bdb_decision.c --- */

int bdb_pending_read(struct bdb *bdb, DB_TXN *txn, const unsigned char *id, uint32_t flags,
    struct pending_record *out); /* DB_NOTFOUND where there is none */
/* The row, and that by the time that it expires. */
int bdb_pending_put(struct bdb *bdb, DB_TXN *txn, const struct pending_record *pending);
int bdb_pending_drop(struct bdb *bdb, DB_TXN *txn, const struct pending_record *pending);
/* Only that by the time that it expires. */
int bdb_pending_forget_due(struct bdb *bdb, DB_TXN *txn, const struct pending_record *pending);
int bdb_pending_count(struct bdb *bdb, DB_TXN *txn, unsigned waiting); /* how many wait */

/* --- the rest of the row of store_bdb: each in the file of its noun --- */

enum outcome bdb_cert_add(struct store *store, const struct cert_record *cert,
    const struct cert_terms *terms, struct cert_record *earlier);
enum outcome bdb_cert_of_request(
    struct store *store, const unsigned char *request, int64_t since, struct cert_record *out);
enum outcome bdb_cert_get(
    struct store *store, const struct serial *serial, struct cert_record *out);
enum outcome bdb_cert_revoke(struct store *store, const struct serial *serial, int reason_code,
    int64_t when, struct cert_record *out);
enum outcome bdb_cert_list(
    struct store *store, const struct cert_query *query, struct cert_page *page);
enum outcome bdb_key_check(
    struct store *store, const unsigned char *identity, const unsigned char *spki);
enum outcome bdb_revocation_hash(struct store *store, const struct serial *serial, struct buf *out);
enum outcome bdb_pending_add(struct store *store, const struct pending_record *pending,
    const struct secret_use *secret, struct pending_record *existing);
enum outcome bdb_pending_get(
    struct store *store, const unsigned char *id, struct pending_record *out);
enum outcome bdb_pending_next(
    struct store *store, const unsigned char *after, struct pending_record *out);
enum outcome bdb_pending_decide(struct store *store, const struct pending_record *decision);
enum outcome bdb_pending_delete(
    struct store *store, const unsigned char *id, const unsigned char *content);
enum outcome bdb_secret_put(struct store *store, const struct secret_record *secret, bool replace);
enum outcome bdb_secret_get(struct store *store, const char *name, struct secret_record *out);
enum outcome bdb_secret_delete(struct store *store, const char *name);
enum outcome bdb_secret_next(struct store *store, const char *after, struct secret_record *out);
enum outcome bdb_secret_check(struct store *store, const struct secret_use *use);
enum outcome bdb_kek_put(struct store *store, const struct kek_record *kek, bool replace);
enum outcome bdb_kek_get(struct store *store, struct span id, struct kek_record *out);
enum outcome bdb_kek_delete(struct store *store, struct span id);
enum outcome bdb_kek_next(struct store *store, struct span after, struct kek_record *out);
enum outcome bdb_nonce_use(struct store *store, const unsigned char *digest, int64_t expires);
enum outcome bdb_user_put(struct store *store, const struct user_record *user, bool replace);
enum outcome bdb_user_get(struct store *store, const char *name, struct user_record *out);
enum outcome bdb_user_delete(struct store *store, const char *name);
enum outcome bdb_user_next(struct store *store, const char *after, struct user_record *out);
enum outcome bdb_user_rehash(
    struct store *store, const char *name, const char *before, const char *hash);
enum outcome bdb_device_add(struct store *store, const struct device_record *device);
enum outcome bdb_device_get(struct store *store, const char *label, const char *name,
    struct device_record *out, struct device_state *state);
enum outcome bdb_device_next(
    struct store *store, const char *label, const char *name, struct device_record *out);
enum outcome bdb_device_block(
    struct store *store, const char *label, const char *name, int64_t when, const char *why);
enum outcome bdb_device_free(
    struct store *store, const char *label, const char *name, int64_t when);
enum outcome bdb_device_check(
    struct store *store, const char *label, const char *name, enum duplicates duplicates);
enum outcome bdb_totals(struct store *store, int64_t now, struct store_totals *totals);
enum outcome bdb_statistics(struct store *store, store_figure *figure, void *context);
enum outcome bdb_checkpoint(struct store *store);
enum outcome bdb_check(struct store *store, store_figure *progress, void *context, int64_t *faults);

#endif
