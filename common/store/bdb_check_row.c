#include "common/store/bdb_check.h"

#include <string.h>

#include <openssl/crypto.h>

/* What is wrong with a row: fault is NULL where nothing is. */
struct verdict {
	const char *fault;
	struct serial serial; /* of the certificate that it is about; len 0: of none */
};

/* Looks at the row check->key, as of one moment. */
typedef int judge_row(struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict);

/* Makes fault the verdict where there is no certificate with the verdict's serial. */
static int want_cert(struct check *check, DB_TXN *txn, struct verdict *verdict, const char *fault)
{
	struct span value;
	int error = bdb_get(check->bdb, txn, BDB_CERT, row_serial(&verdict->serial), &value, 0);

	if (error == DB_NOTFOUND)
		verdict->fault = fault;
	return error == DB_NOTFOUND ? 0 : error;
}

static int judge_request(
    struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict)
{
	static const char fault[] =
	    "a request was answered with it, and there is no such certificate";
	int64_t issued_at;

	if (row_issue_get(value, &issued_at, &verdict->serial))
		return want_cert(check, txn, verdict, fault);
	verdict->fault = fault;
	return 0;
}

static int judge_challenge(
    struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict)
{
	if (row_serial_behind(row_key_span(&check->key), 0, &verdict->serial) && value.len > 0 &&
	    memchr(value.data, '\0', value.len) == NULL)
		return want_cert(check, txn, verdict,
		    "it can be revoked by a challenge, and there is no such certificate");
	verdict->fault = "the challenge for its revocation is damaged";
	return 0;
}

static int judge_secret(
    struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict)
{
	struct secret_record secret = {0};
	struct row_key key = {0};

	(void)txn;
	if (secret_record_decode(value, &secret) == EST_OK)
		row_name_key(&key, secret.name, NULL);
	if (!span_equal(row_key_span(&key), row_key_span(&check->key)))
		verdict->fault = "the record of a one-time secret is damaged";
	secret_record_clear(&secret);
	return 0;
}

/* What was read of a key is overwritten. */
static int judge_kek(struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict)
{
	struct kek_record kek = {0};

	(void)txn;
	if (kek_record_decode(value, &kek) != EST_OK ||
	    !span_equal(kek.id, row_key_span(&check->key)))
		verdict->fault = "the record of a key to encrypt under is damaged";
	kek_record_clear(&kek);
	OPENSSL_cleanse((void *)(uintptr_t)value.data, value.len);
	OPENSSL_cleanse(check->bdb->bulk.data, check->bdb->bulk.capacity);
	return 0;
}

static int judge_nonce(struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict)
{
	(void)txn;
	if (check->key.len != 32 || value.len != ROW_NONCE_SIZE)
		verdict->fault = "the row of a nonce is damaged";
	return 0;
}

struct first_of {
	struct row_key prefix;
	unsigned label;
	bool found;
};

static bool first_row(struct span key, struct span value, void *context)
{
	struct first_of *first = context;
	unsigned label;
	int64_t issued_at;

	if (key.len < first->prefix.len ||
	    memcmp(key.data, first->prefix.octets, first->prefix.len) != 0)
		return false;
	first->found = row_name_get(value, &label, &issued_at) && label == first->label;
	return !first->found;
}

/* Whether it has a certificate, where it says that it had one. */
static int judge_enrolled(struct check *check, DB_TXN *txn, const struct device_record *device,
    struct verdict *verdict, unsigned label)
{
	struct first_of first = {.label = label};
	int error;

	row_name_key(&first.prefix, device->name, NULL);
	error = bdb_scan(check->bdb, txn, BDB_NAME, row_key_span(&first.prefix), first_row, &first);
	if (error != 0 && error != DB_NOTFOUND)
		return error;
	if (first.found != (device->enrolled_at != 0))
		verdict->fault = first.found
				     ? "a device has a certificate and its row denies it"
				     : "a device is said to have a certificate and has none";
	return 0;
}

static int judge_device(
    struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict)
{
	struct device_record device = {0};
	struct row_key key = {0};
	unsigned label = 0;
	int error = DB_NOTFOUND;

	if (device_record_decode(value, &device) == EST_OK)
		error = bdb_label_get(check->bdb, NULL, device.label, &label);
	if (error == 0)
		row_device_key(&key, device.name, label);
	if (error == 0 && span_equal(row_key_span(&key), row_key_span(&check->key)))
		error = judge_enrolled(check, txn, &device, verdict, label);
	else if (error == 0 || error == DB_NOTFOUND)
		verdict->fault = "the record of a device is damaged";
	device_record_clear(&device);
	return error == DB_NOTFOUND ? 0 : error;
}

/* --- requests that wait --- */

/* Its row by the time that it expires, and the certificate that it was answered with. */
static int judge_pending_record(
    struct check *check, DB_TXN *txn, const struct pending_record *pending, struct verdict *verdict)
{
	struct row_key key;
	struct span value;
	int error;

	row_due_key(&key, pending->expires_at, pending->id);
	error = bdb_get(check->bdb, txn, BDB_PENDING, row_key_span(&key), &value, 0);
	if (error == DB_NOTFOUND)
		verdict->fault = "a request for approval would never expire";
	if (error != 0)
		return error == DB_NOTFOUND ? 0 : error;
	verdict->serial = pending->serial;
	return pending->state != PENDING_ISSUED
		   ? 0
		   : want_cert(check, txn, verdict,
			 "an approved request was answered with it, and there is no such "
			 "certificate");
}

static int judge_waiting(
    struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict)
{
	struct pending_record pending = {0};
	struct row_key key = {0};
	int error = 0;

	if (pending_record_decode(value, &pending) == EST_OK)
		row_pending_key(&key, pending.id);
	if (span_equal(row_key_span(&key), row_key_span(&check->key)))
		error = judge_pending_record(check, txn, &pending, verdict);
	else
		verdict->fault = "the record of a request for approval is damaged";
	pending_record_clear(&pending);
	return error;
}

static int judge_due(struct check *check, DB_TXN *txn, struct verdict *verdict)
{
	struct pending_record pending = {0};
	const unsigned char *id;
	struct row_key key;
	struct span value;
	int64_t expires_at;
	int error = DB_NOTFOUND;

	if (row_due_get(row_key_span(&check->key), &expires_at, &id)) {
		row_pending_key(&key, id);
		error = bdb_get(check->bdb, txn, BDB_PENDING, row_key_span(&key), &value, 0);
	}
	if (error != 0 && error != DB_NOTFOUND)
		return error;
	if (error == DB_NOTFOUND || pending_record_decode(value, &pending) != EST_OK ||
	    pending.expires_at != expires_at)
		verdict->fault = "the row that says when a request for approval expires is wrong";
	pending_record_clear(&pending);
	return 0;
}

static int judge_pending(
    struct check *check, DB_TXN *txn, struct span value, struct verdict *verdict)
{
	switch (check->key.len > 0 ? check->key.octets[0] : 0) {
	case ROW_PENDING: return judge_waiting(check, txn, value, verdict);
	case ROW_PENDING_DUE: return judge_due(check, txn, verdict);
	case ROW_PENDING_WAITING: return 0; /* check_waiting() counts */
	default: verdict->fault = "a row among the requests for approval is none"; return 0;
	}
}

struct count {
	unsigned said, found;
};

static bool count_waiting(struct span key, struct span value, void *context)
{
	struct count *count = context;
	struct pending_record pending = {0};

	if (key.len == 0 || key.data[0] != ROW_PENDING)
		return false;
	if (pending_record_decode(value, &pending) == EST_OK && pending.state == PENDING_WAITING)
		count->found++;
	pending_record_clear(&pending);
	return true;
}

/* Who holds the row of the count keeps everybody else from changing how many wait. */
static int count_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct count *count = context;
	int error = bdb_pending_waiting(bdb, txn, DB_RMW, &count->said);

	count->found = 0;
	if (error == 0)
		error = bdb_scan(bdb, txn, BDB_PENDING,
		    (struct span){(const unsigned char[]){ROW_PENDING}, 1}, count_waiting, count);
	return error == DB_NOTFOUND ? 0 : error;
}

static enum outcome check_waiting(struct check *check)
{
	struct count count = {0};
	enum outcome outcome = bdb_run(check->bdb, BDB_SNAPSHOT, count_act, &count);

	if (outcome == EST_OK && count.said != count.found)
		check_fault_at(check, "the count of requests that wait for approval is wrong");
	return outcome;
}

/* --- all of them --- */

static const struct kind {
	enum bdb_table table;
	judge_row *judge;
} kinds[] = {
    {BDB_REQUEST, judge_request},
    {BDB_CHALLENGE, judge_challenge},
    {BDB_PENDING, judge_pending},
    {BDB_SECRET, judge_secret},
    {BDB_KEK, judge_kek},
    {BDB_NONCE, judge_nonce},
    {BDB_DEVICE, judge_device},
};

struct look {
	struct check *check;
	const struct kind *kind;
	struct verdict verdict;
};

/* A row that is gone by now was dropped as too old, or deleted. */
static int look_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct look *look = context;
	struct span value;
	int error =
	    bdb_get(bdb, txn, look->kind->table, row_key_span(&look->check->key), &value, 0);

	look->verdict = (struct verdict){0};
	if (error != 0)
		return error == DB_NOTFOUND ? 0 : error;
	return look->kind->judge(look->check, txn, value, &look->verdict);
}

static enum outcome look_at_row(struct check *check, const void *which)
{
	struct look look = {.check = check, .kind = which};
	enum outcome outcome = bdb_run(check->bdb, BDB_SNAPSHOT, look_act, &look);

	if (outcome != EST_OK || look.verdict.fault == NULL)
		return outcome;
	if (look.verdict.serial.len > 0)
		check_fault(check, &look.verdict.serial, look.verdict.fault);
	else
		check_fault_at(check, look.verdict.fault);
	return EST_OK;
}

enum outcome check_rows(struct check *check)
{
	enum outcome outcome = EST_OK;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && outcome == EST_OK; i++)
		outcome = check_walk(check, kinds[i].table, look_at_row, &kinds[i]);
	return outcome == EST_OK ? check_waiting(check) : outcome;
}
