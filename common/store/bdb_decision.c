/*
 * bdb_decision.c - what becomes of requests that wait: decided, deleted, answered.
 */
#include "common/store/bdb.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"

/* --- deciding --- */

static int refuse_decision(struct bdb *bdb, enum outcome outcome, const char *text)
{
	(void)reason(outcome, "%s", text);
	return bdb_refuse(bdb, outcome);
}

/* Until it was answered, an approval can be taken back. */
static bool is_open(const struct pending_record *pending, const struct pending_record *decision)
{
	return pending->state == PENDING_WAITING ||
	       (pending->state == PENDING_APPROVED && decision->state == PENDING_DENIED);
}

static int check_decision(
    struct bdb *bdb, const struct pending_record *pending, const struct pending_record *decision)
{
	if (memcmp(pending->content, decision->content, sizeof(pending->content)) != 0 ||
	    memcmp(pending->ticket, decision->ticket, sizeof(pending->ticket)) != 0)
		return refuse_decision(bdb, EST_CONFLICT,
		    "the request was replaced by another one: look at it and decide again");
	if (!is_open(pending, decision))
		return refuse_decision(bdb, EST_CONFLICT, "the request was decided already");
	if (pending->expires_at <= clock_now())
		return refuse_decision(
		    bdb, EST_CONFLICT, "the request has expired: its device has to ask again");
	return 0;
}

static int put_decision(struct bdb *bdb, DB_TXN *txn, struct pending_record *pending,
    const struct pending_record *decision, unsigned waiting)
{
	bool waited = pending->state == PENDING_WAITING;
	int error = bdb_pending_forget_due(bdb, txn, pending);

	pending->state = decision->state;
	pending->decided_at = decision->decided_at;
	pending->decided_by = decision->decided_by;
	pending->reason = decision->reason;
	pending->expires_at = decision->expires_at;
	if (error == 0)
		error = bdb_pending_put(bdb, txn, pending);
	return error == 0 && waited && waiting > 0 ? bdb_pending_count(bdb, txn, waiting - 1)
						   : error;
}

static int decide_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct pending_record *decision = context;
	struct pending_record pending = {0};
	unsigned waiting;
	int error = bdb_pending_waiting(bdb, txn, DB_RMW, &waiting);

	if (error == 0)
		error = bdb_pending_read(bdb, txn, decision->id, DB_RMW, &pending);
	if (error == DB_NOTFOUND)
		return refuse_decision(bdb, EST_NOT_FOUND, "there is no such request");
	if (error != 0)
		return error;
	if (!bdb->uncertain || pending.state != decision->state ||
	    pending.decided_at != decision->decided_at) {
		error = check_decision(bdb, &pending, decision);
		if (error == 0)
			error = put_decision(bdb, txn, &pending, decision, waiting);
	}
	pending_record_clear(&pending);
	return error;
}

enum outcome bdb_pending_decide(struct store *store, const struct pending_record *decision)
{
	return bdb_run((struct bdb *)store, BDB_WRITE, decide_act,
	    (struct pending_record *)(uintptr_t)decision);
}

/* --- deleting --- */

struct deletion {
	const unsigned char *id, *content;
};

static int delete_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct deletion *deletion = context;
	struct pending_record pending = {0};
	unsigned waiting;
	int error = bdb_pending_waiting(bdb, txn, DB_RMW, &waiting);

	if (error == 0)
		error = bdb_pending_read(bdb, txn, deletion->id, DB_RMW, &pending);
	if (error == DB_NOTFOUND) /* an earlier try may have been committed */
		return bdb->uncertain ? 0 : bdb_refuse(bdb, EST_NOT_FOUND);
	if (error != 0)
		return error;
	if (memcmp(pending.content, deletion->content, sizeof(pending.content)) != 0)
		error = refuse_decision(bdb, EST_CONFLICT,
		    "the request was replaced by another one: look at that one first");
	else
		error = bdb_pending_drop(bdb, txn, &pending);
	if (error == 0 && pending.state == PENDING_WAITING && waiting > 0)
		error = bdb_pending_count(bdb, txn, waiting - 1);
	pending_record_clear(&pending);
	return error;
}

enum outcome bdb_pending_delete(
    struct store *store, const unsigned char *id, const unsigned char *content)
{
	struct deletion deletion = {id, content};

	return bdb_run((struct bdb *)store, BDB_WRITE, delete_act, &deletion);
}

/* --- answering --- */

static int refuse_issue(struct bdb *bdb, bool denied)
{
	if (denied)
		(void)refuse(APPROVAL_DENIED, "the request was denied while it was being answered");
	else
		(void)refuse(APPROVAL_TAKEN, "the approval was used, replaced or has expired while "
					     "the request was being answered; ask again");
	return bdb_refuse(bdb, EST_FORBIDDEN);
}

int bdb_pending_issue(struct bdb *bdb, DB_TXN *txn, const struct pending_record *approval,
    const struct serial *serial)
{
	struct pending_record pending = {0};
	int error = bdb_pending_read(bdb, txn, approval->id, DB_RMW, &pending);

	if (error != 0 && error != DB_NOTFOUND)
		return error;
	if (error == DB_NOTFOUND || pending.state != PENDING_APPROVED ||
	    pending.expires_at <= clock_now() ||
	    memcmp(pending.content, approval->content, sizeof(pending.content)) != 0) {
		error = refuse_issue(bdb, pending.state == PENDING_DENIED);
	} else {
		pending.state = PENDING_ISSUED;
		pending.serial = *serial;
		error = bdb_pending_put(bdb, txn, &pending);
	}
	pending_record_clear(&pending);
	return error;
}
