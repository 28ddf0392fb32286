#include "common/store/bdb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/store/bdb_row.h"

enum { PAGE = 4096 }; /* what disks write whole: Berkeley DB does not notice torn pages */

static const struct {
	const char *file;
	DBTYPE type;
	uint32_t record; /* octets, of queues */
	bool partitioned;
} tables[BDB_TABLES] = {
    [BDB_CERT] = {"cert", DB_BTREE, 0, true},
    [BDB_REQUEST] = {"request", DB_BTREE, 0, false},
    [BDB_EXPIRY] = {"expiry", DB_BTREE, 0, false},
    [BDB_NAME] = {"name", DB_BTREE, 0, false},
    [BDB_SPKI] = {"spki", DB_BTREE, 0, false},
    [BDB_REVOKED] = {"revoked", DB_BTREE, 0, false},
    [BDB_BLOCKED] = {"blocked", DB_BTREE, 0, false},
    [BDB_ISSUED] = {"issued", DB_QUEUE, ROW_ISSUE_SIZE, false},
    [BDB_COUNTER] = {"counter", DB_QUEUE, 16, false},
    [BDB_USER] = {"user", DB_BTREE, 0, false},
    [BDB_CHALLENGE] = {"challenge", DB_BTREE, 0, false},
    [BDB_PENDING] = {"pending", DB_BTREE, 0, false},
    [BDB_SECRET] = {"secret", DB_BTREE, 0, false},
    [BDB_KEK] = {"kek", DB_BTREE, 0, false},
    [BDB_NONCE] = {"nonce", DB_BTREE, 0, false},
    [BDB_DEVICE] = {"device", DB_BTREE, 0, false},
    [BDB_META] = {"meta", DB_BTREE, 0, false},
};

/*
 * The sizes are fixed by the process that makes the shared memory, so all processes read them from
 * one file, which the first one writes. A killed process leaves some 30 lockers behind, and fifty
 * may before recovery is due (gate.c). DB_LOG_ZERO fills a log file when it is made, so that a
 * commit overwrites and the file system has no journal to write for it: a fifth less CPU and a
 * third less waiting on ext4. Small files keep that short.
 */
static enum outcome write_settings(const struct bdb *bdb)
{
	struct buf text = {0};
	char *path = file_path(bdb->directory, "DB_CONFIG");
	enum outcome outcome = EST_OK;

	if (access(path, F_OK) != 0) {
		buf_printf(&text,
		    "# Read by Berkeley DB when the store is created or recovered.\n"
		    "set_cachesize %llu %llu 1\n"
		    "set_lk_detect DB_LOCK_MINWRITE\n"
		    "set_lk_max_locks 20000\n"
		    "set_lk_max_objects 20000\n"
		    "set_lk_max_lockers 10000\n"
		    "set_tx_max 1000\n"
		    "set_lg_bsize 1048576\n"
		    "set_lg_max 8388608\n"
		    "log_set_config DB_LOG_ZERO on\n"
		    "log_set_config DB_LOG_AUTO_REMOVE on\n",
		    (unsigned long long)(bdb->cache >> 30),
		    (unsigned long long)(bdb->cache & ((1U << 30) - 1)));
		outcome = file_write(path, 0660, buf_span(&text));
	}
	buf_free(&text);
	free(path);
	return outcome;
}

static void remember_message(const DB_ENV *env, const char *prefix, const char *message)
{
	struct bdb *bdb = env->app_private;

	(void)prefix;
	if (bdb->message[0] == '\0') /* the first is the cause */
		(void)snprintf(bdb->message, sizeof(bdb->message), "%s", message);
}

static int open_environment(struct bdb *bdb, bool recover)
{
	uint32_t flags = DB_CREATE | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_TXN;
	int error = recover ? bdb_region_room(bdb) : 0;

	if (error == 0)
		error = db_env_create(&bdb->env, 0);
	if (error != 0)
		return error;
	bdb->env->app_private = bdb;
	bdb->env->set_errcall(bdb->env, remember_message);
	if (recover) {
		flags |= DB_RECOVER;
		error = bdb->env->set_flags(bdb->env, DB_REGION_INIT, 1);
	}
	if (error == 0)
		error = bdb->env->open(bdb->env, bdb->directory, flags, 0660);
	return error == 0 && recover ? bdb_region_reserve(bdb) : error;
}

/*
 * A certificate's record may need pages of its own, and taking a page locks its database's first
 * page until the commit: sixteen partitions take sixteen pages at a time. Serials begin with 0x01
 * to 0x7f evenly, and in ranges of them the partitions follow each other in the order of serials.
 */
enum { PARTITIONS = 16 };

static u_int32_t partition_of(DB *db, DBT *key)
{
	(void)db;
	return key->size == 0 ? 0 : ((const unsigned char *)key->data)[0] >> 3 & (PARTITIONS - 1);
}

static int open_table(struct bdb *bdb, enum bdb_table table)
{
	DB *db;
	int error = db_create(&bdb->tables[table], bdb->env, 0);

	if (error != 0)
		return error;
	db = bdb->tables[table];
	error = db->set_pagesize(db, PAGE);
	if (error == 0 && tables[table].record > 0)
		error = db->set_re_len(db, tables[table].record);
	if (error == 0 && tables[table].partitioned)
		error = db->set_partition(db, PARTITIONS, NULL, partition_of);
	if (error != 0)
		return error;
	return db->open(db, NULL, tables[table].file, NULL, tables[table].type,
	    DB_CREATE | DB_AUTO_COMMIT, 0660);
}

static int open_tables(struct bdb *bdb)
{
	int error = 0;

	for (enum bdb_table i = 0; i < BDB_TABLES && error == 0; i++)
		error = open_table(bdb, i);
	return error;
}

/* What is wrong with us or the machine, and says nothing about the environment. */
static bool is_local(int error)
{
	static const int local[] = {
	    EACCES, EPERM, ENOSPC, EDQUOT, EROFS, EMFILE, ENFILE, EIO, DB_VERSION_MISMATCH};

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		if (local[i] == error)
			return true;
	}
	return false;
}

/* One try; *error is Berkeley DB's where the outcome is not EST_OK because of it. Ends outside. */
static enum outcome attach_once(struct bdb *bdb, int *error)
{
	bool recover;
	enum outcome outcome = gate_admit(bdb->gate, &recover);

	*error = 0;
	if (outcome != EST_OK)
		return outcome;
	outcome = write_settings(bdb);
	if (outcome == EST_OK)
		*error = open_environment(bdb, recover);
	gate_admitted(bdb->gate, outcome == EST_OK && *error == 0);
	if (outcome != EST_OK)
		return outcome;
	if (*error == 0) {
		*error = open_tables(bdb);
		gate_leave(bdb->gate);
	}
	if (*error != 0 && *error != DB_LOCK_DEADLOCK && !is_local(*error))
		gate_condemn(bdb->gate);
	return EST_OK;
}

enum outcome bdb_attach(struct bdb *bdb)
{
	enum { TRIES = 5 };
	enum outcome outcome;
	int error = 0;

	for (int i = 0; i < TRIES; i++) {
		outcome = attach_once(bdb, &error);
		if (outcome == EST_OK && error == 0)
			return EST_OK;
		bdb_detach(bdb, true);
		if (outcome != EST_OK || is_local(error))
			break;
	}
	return outcome != EST_OK ? outcome : bdb_outcome(bdb, error);
}

/*
 * A condemned environment is first marked as such in our own mapping, which nobody shares any more:
 * closing then neither waits for a lock nor writes. Without syncing: the log covers it all.
 */
void bdb_detach(struct bdb *bdb, bool condemned)
{
	if (bdb->env == NULL)
		return;
	if (condemned)
		(void)bdb->env->set_flags(bdb->env, DB_PANIC_ENVIRONMENT, 1);
	for (size_t i = 0; i < BDB_TABLES; i++) {
		if (bdb->tables[i] != NULL)
			(void)bdb->tables[i]->close(bdb->tables[i], DB_NOSYNC);
		bdb->tables[i] = NULL;
	}
	(void)bdb->env->close(bdb->env, 0);
	bdb->env = NULL;
}

static const struct {
	int error;
	enum outcome outcome;
	const char *text;
} meanings[] = {
    {ENOSPC, EST_UNAVAILABLE, "the disk is full: make room, nothing else needs doing"},
    {EDQUOT, EST_UNAVAILABLE, "the disk quota is used up: make room, nothing else needs doing"},
    {EIO, EST_UNAVAILABLE, "the disk does not read or write: look at the system's log"},
    {EROFS, EST_UNAVAILABLE, "the file system is read-only"},
    {EMFILE, EST_UNAVAILABLE, "this process has too many files open: raise its limit"},
    {ENFILE, EST_UNAVAILABLE, "the system has too many files open"},
    {EACCES, EST_UNAVAILABLE,
	"a file there may not be used: run as the user that the store belongs to"},
    {EPERM, EST_UNAVAILABLE,
	"a file there may not be used: run as the user that the store belongs to"},
    {DB_VERSION_MISMATCH, EST_UNAVAILABLE,
	"another version of Berkeley DB made it: end what uses it, and use the version it was made "
	"with"},
    {DB_OLD_VERSION, EST_UNAVAILABLE,
	"another version of Berkeley DB made it: use the version it was made with"},
    {DB_LOCK_DEADLOCK, EST_UNAVAILABLE, "too busy, try again"},
    {DB_LOCK_NOTGRANTED, EST_UNAVAILABLE, "too busy, try again"},
    {DB_RUNRECOVERY, EST_UNAVAILABLE, "recovering did not help: try again, look at the disk"},
    {ENOMEM, EST_UNAVAILABLE, "out of memory: raise set_cachesize in DB_CONFIG there"},
};

enum outcome bdb_outcome(struct bdb *bdb, int error)
{
	const char *colon = bdb->message[0] == '\0' ? "" : "; ";

	/* The cause is sometimes only in its message: its code is then EIO or DB_RUNRECOVERY. */
	if (strstr(bdb->message, strerror(ENOSPC)) != NULL)
		error = ENOSPC;
	else if (strstr(bdb->message, "log version") != NULL)
		error = DB_VERSION_MISMATCH;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].error == error)
			return reason(meanings[i].outcome, "the store in %s: %s (%s%s%s)",
			    bdb->directory, meanings[i].text, db_strerror(error), colon,
			    bdb->message);
	}
	bdb->damaged = true;
	return reason(EST_INTERNAL,
	    "the store in %s is damaged: stop what uses it and restore a backup (%s%s%s)",
	    bdb->directory, db_strerror(error), colon, bdb->message);
}
