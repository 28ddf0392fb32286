#include "common/store/bdb.h"

#include <stdlib.h>

#include "common/base/clock.h"

static int checkpoint_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	(void)txn;
	(void)context;
	return bdb->env->txn_checkpoint(bdb->env, 0, 0, DB_FORCE);
}

enum outcome bdb_checkpoint(struct store *store)
{
	return bdb_run((struct bdb *)store, BDB_READ, checkpoint_act, NULL);
}

struct figures {
	int64_t waiting;
	int64_t commits, aborts, deadlocks, lockers, locks;
	int64_t cache, cache_hits, cache_misses, pages_dirty;
	int64_t log_file, log_syncs;
};

/* Each structure is one allocation by Berkeley DB with malloc(). */
static int figures_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct figures *figures = context;
	DB_TXN_STAT *txns = NULL;
	DB_LOCK_STAT *locks = NULL;
	DB_MPOOL_STAT *pool = NULL;
	DB_LOG_STAT *log = NULL;
	unsigned waiting;
	int error = bdb_pending_waiting(bdb, txn, 0, &waiting);

	if (error == 0)
		error = bdb->env->txn_stat(bdb->env, &txns, 0);
	if (error == 0)
		error = bdb->env->lock_stat(bdb->env, &locks, 0);
	if (error == 0)
		error = bdb->env->memp_stat(bdb->env, &pool, NULL, 0);
	if (error == 0)
		error = bdb->env->log_stat(bdb->env, &log, 0);
	if (error == 0) {
		*figures = (struct figures){
		    .waiting = waiting,
		    .commits = (int64_t)txns->st_ncommits,
		    .aborts = (int64_t)txns->st_naborts,
		    .deadlocks = (int64_t)locks->st_ndeadlocks,
		    .lockers = locks->st_nlockers,
		    .locks = locks->st_nlocks,
		    .cache = (int64_t)pool->st_gbytes << 30 | pool->st_bytes,
		    .cache_hits = (int64_t)pool->st_cache_hit,
		    .cache_misses = (int64_t)pool->st_cache_miss,
		    .pages_dirty = pool->st_page_dirty,
		    .log_file = log->st_cur_file,
		    .log_syncs = (int64_t)log->st_scount,
		};
	}
	free(txns);
	free(locks);
	free(pool);
	free(log);
	return error;
}

enum outcome bdb_statistics(struct store *store, store_figure *figure, void *context)
{
	struct bdb *bdb = (struct bdb *)store;
	struct store_totals totals = {0};
	struct figures seen = {0};
	int64_t issued = 0, revoked = 0, expired = 0;
	struct gate_figures gate = gate_figures(bdb->gate);
	enum outcome outcome = bdb_totals(store, clock_now(), &totals);

	if (outcome == EST_OK)
		outcome = bdb_run(bdb, BDB_READ, figures_act, &seen);
	for (size_t i = 0; i < totals.count; i++) {
		issued += totals.labels[i].issued;
		revoked += totals.labels[i].revoked;
		expired += totals.labels[i].expired;
	}
	store_totals_clear(&totals);
	if (outcome != EST_OK)
		return outcome;
	figure(context, "certificates", issued);
	figure(context, "revoked", revoked);
	figure(context, "expired", expired);
	figure(context, "requests_waiting", seen.waiting);
	figure(context, "processes", gate.processes);
	figure(context, "recoveries", gate.recoveries);
	figure(context, "processes_killed", gate.kills);
	figure(context, "processes_died_idle", gate.leaked);
	figure(context, "commits", seen.commits);
	figure(context, "aborts", seen.aborts);
	figure(context, "deadlocks", seen.deadlocks);
	figure(context, "lockers", seen.lockers);
	figure(context, "locks", seen.locks);
	figure(context, "cache_bytes", seen.cache);
	figure(context, "cache_hits", seen.cache_hits);
	figure(context, "cache_misses", seen.cache_misses);
	figure(context, "pages_dirty", seen.pages_dirty);
	figure(context, "log_file", seen.log_file);
	figure(context, "log_syncs", seen.log_syncs);
	return EST_OK;
}
