#include "common/store/bdb.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

int bdb_refuse(struct bdb *bdb, enum outcome verdict)
{
	bdb->verdict = verdict;
	return BDB_REFUSED;
}

/*
 * Berkeley DB may make a log file in any call: all its files are for owner and group, whatever our
 * umask.
 */
static void leave(struct bdb *bdb)
{
	gate_leave(bdb->gate);
	(void)umask(bdb->umask);
}

static enum outcome enter(struct bdb *bdb)
{
	enum { TRIES = 10 };
	enum outcome outcome = EST_OK;

	bdb->umask = umask(S_IRWXO);
	for (int i = 0; i < TRIES && outcome == EST_OK; i++) {
		if (bdb->env != NULL && gate_enter(bdb->gate))
			return EST_OK;
		bdb_detach(bdb, true);
		outcome = bdb_attach(bdb);
	}
	(void)umask(bdb->umask);
	if (outcome != EST_OK)
		return outcome;
	return reason(EST_UNAVAILABLE,
	    "the store in %s is recovering again and again: try again later", bdb->directory);
}

/* One try, inside. An act that went wrong is undone before anything else. */
static int attempt(struct bdb *bdb, enum bdb_kind kind, bdb_act *act, void *context)
{
	uint32_t flags = kind == BDB_SNAPSHOT ? DB_TXN_NOSYNC : 0;
	DB_TXN *txn = NULL;
	int error = 0;

	if (kind != BDB_READ)
		error = bdb->env->txn_begin(bdb->env, NULL, &txn, flags);
	if (error == 0)
		error = act(bdb, txn, context);
	if (txn == NULL)
		return error;
	if (error == 0) {
		error = txn->commit(txn, 0);
	} else {
		int aborted = txn->abort(txn);
		if (aborted != 0)
			error = aborted;
	}
	return error;
}

/*
 * So that a recovery has little to read. Returns at once where little was written since. Its
 * failure is not that of the act, which is on disk; the next one meets the same.
 */
static void checkpoint_often(struct bdb *bdb)
{
	enum { COMMITS = 100, KILOBYTES = 8192 };

	if (++bdb->commits % COMMITS == 0)
		(void)bdb->env->txn_checkpoint(bdb->env, KILOBYTES, 0, 0);
}

/* Up to two milliseconds, each process its own. */
static void back_off(struct bdb *bdb)
{
	struct timespec pause = {.tv_nsec = rand_r(&bdb->dice) % 2000 * 1000L};

	(void)nanosleep(&pause, NULL);
}

static bool is_broken(int error)
{
	return error == DB_RUNRECOVERY || error == ENOMEM;
}

enum outcome bdb_run(struct bdb *bdb, enum bdb_kind kind, bdb_act *act, void *context)
{
	enum { TRIES = 100, RECOVERIES = 3 };
	int recoveries = 0;
	int error = 0;

	bdb->uncertain = false;
	bdb->message[0] = '\0';
	if (bdb->damaged && kind == BDB_WRITE)
		return reason(
		    EST_INTERNAL, "the store in %s is damaged: restore a backup", bdb->directory);
	for (int i = 0; i < TRIES && recoveries < RECOVERIES; i++) {
		enum outcome outcome = enter(bdb);
		if (outcome != EST_OK)
			return outcome;
		error = attempt(bdb, kind, act, context);
		if (error == 0 && kind == BDB_WRITE)
			checkpoint_often(bdb);
		leave(bdb);
		if (error == 0)
			return EST_OK;
		if (error == BDB_REFUSED)
			return bdb->verdict;
		if (is_broken(error)) {
			gate_condemn(bdb->gate);
			bdb_detach(bdb, true);
			bdb->uncertain = true;
			recoveries++;
		} else if (error == DB_LOCK_DEADLOCK || error == DB_LOCK_NOTGRANTED) {
			back_off(bdb);
		} else {
			break;
		}
	}
	return bdb_outcome(bdb, error);
}

int bdb_refresh(struct bdb *bdb)
{
	return gate_refresh(bdb->gate) ? 0 : DB_RUNRECOVERY;
}
