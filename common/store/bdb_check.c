#include "common/store/bdb.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/store/bdb_row.h"

enum {
	BATCH = 500,     /* rows read at a time; between two batches others may have the store to
			    themselves */
	PROGRESS = 5000, /* rows between two calls of progress() */
};

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

/* One thing that is wrong. The first one is the reason, instead of what a decoder said about it. */
static void fault(struct check *check, const struct serial *serial, const char *what)
{
	char text[2 * SERIAL_MAX + 1];

	if (*check->faults == 0)
		reason_clear();
	++*check->faults;
	(void)reason(EST_INTERNAL, "certificate %s: %s", serial_text(serial, text), what);
}

/* --- the rows that a certificate has in each index --- */

static bool expect_expiry(
    const struct cert_record *cert, unsigned label, struct row_key *key, struct buf *value)
{
	const struct row_expiry row = {
	    cert->not_after, label, cert->revocation_reason != NOT_REVOKED};
	unsigned char octets[ROW_EXPIRY_SIZE];

	row_expiry_key(key, row_day(cert->not_after), &cert->serial);
	row_expiry_put(octets, &row);
	buf_add(value, octets, sizeof(octets));
	return true;
}

static bool expect_name(
    const struct cert_record *cert, unsigned label, struct row_key *key, struct buf *value)
{
	unsigned char octets[ROW_NAME_SIZE];

	row_name_key(key, cert->name, &cert->serial);
	row_name_put(octets, label, cert->issued_at);
	buf_add(value, octets, sizeof(octets));
	return true;
}

static bool expect_spki(
    const struct cert_record *cert, unsigned label, struct row_key *key, struct buf *value)
{
	(void)label;
	(void)value;
	row_spki_key(key, cert->spki, &cert->serial);
	return true;
}

static bool expect_revoked(
    const struct cert_record *cert, unsigned label, struct row_key *key, struct buf *value)
{
	(void)label;
	key->len = cert->serial.len;
	memcpy(key->octets, cert->serial.octets, cert->serial.len);
	row_revoked_put(value, cert);
	return cert->revocation_reason != NOT_REVOKED;
}

static bool expect_blocked(
    const struct cert_record *cert, unsigned label, struct row_key *key, struct buf *value)
{
	(void)label;
	(void)value;
	if (bdb_key_blocks(cert, key))
		return true;
	/* Where its row would be if it were. */
	row_spki_key(key, cert->spki, &cert->serial);
	return false;
}

static const struct index {
	enum bdb_table table;
	const char *missing, *stray;
	size_t serial_at; /* octets of a key before the serial; SIZE_MAX: up to the first NUL of a
			     name */
	/* The row as it has to be; false: there must be none. */
	bool (*expect)(
	    const struct cert_record *cert, unsigned label, struct row_key *key, struct buf *value);
} indexes[] = {
    {BDB_EXPIRY, "its row by expiry is missing or wrong", "a row by expiry is not its own", 4,
	expect_expiry},
    {BDB_NAME, "its row by name is missing or wrong", "a row by name is not its own", SIZE_MAX,
	expect_name},
    {BDB_SPKI, "its row by key is missing or wrong", "a row by key is not its own", 32,
	expect_spki},
    {BDB_REVOKED, "its row of the revoked is missing or wrong", "is listed as revoked and is not",
	0, expect_revoked},
    {BDB_BLOCKED, "its key is not blocked, though it is compromised",
	"its key is blocked, and is not compromised", 32, expect_blocked},
};

enum { INDEXES = sizeof(indexes) / sizeof(indexes[0]) };

/* --- walking a table --- */

struct batch {
	enum bdb_table table;
	struct row_key from;
	struct row_key keys[BATCH];
	size_t count;
};

static bool batch_row(struct span key, struct span value, void *context)
{
	struct batch *batch = context;
	struct row_key *kept = &batch->keys[batch->count++];

	(void)value;
	kept->len = key.len <= ROW_KEY_MAX ? key.len : ROW_KEY_MAX;
	memcpy(kept->octets, key.data, kept->len);
	return batch->count < BATCH;
}

static int batch_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct batch *batch = context;
	int error;

	batch->count = 0;
	error = bdb_scan(bdb, txn, batch->table, row_key_span(&batch->from), batch_row, batch);
	return error == DB_NOTFOUND ? 0 : error;
}

typedef enum outcome look_at(struct check *check, const struct index *index);

/* Calls look for every key of the table, in check->key. */
static enum outcome walk(
    struct check *check, enum bdb_table table, look_at *look, const struct index *index)
{
	struct batch *batch = mem_alloc(sizeof(*batch));
	enum outcome outcome = EST_OK;

	batch->table = table;
	batch->count = BATCH;
	while (outcome == EST_OK && batch->count == BATCH) {
		outcome = bdb_run(check->bdb, BDB_READ, batch_act, batch);
		for (size_t i = 0; i < batch->count && outcome == EST_OK; i++) {
			check->key = batch->keys[i];
			outcome = look(check, index);
			if (++check->checked % PROGRESS == 0 && check->progress != NULL)
				check->progress(check->context, "checked", check->checked);
		}
		if (batch->count > 0)
			row_key_after(&batch->from, row_key_span(&batch->keys[batch->count - 1]));
	}
	free(batch);
	return outcome;
}

/* --- from the certificates to the indexes --- */

static int look_at_index(
    struct check *check, DB_TXN *txn, const struct index *index, unsigned label)
{
	const struct cert_record *cert = &check->cert;
	struct buf expected = {0};
	struct row_key key;
	struct span value;
	bool present = index->expect(cert, label, &key, &expected);
	int error = bdb_get(check->bdb, txn, index->table, row_key_span(&key), &value, 0);

	if (error == DB_NOTFOUND && present)
		fault(check, &cert->serial, index->missing);
	else if (error == 0 && !present)
		fault(check, &cert->serial, index->stray);
	else if (error == 0 && !span_equal(value, buf_span(&expected)))
		fault(check, &cert->serial, index->missing);
	buf_free(&expected);
	return error == DB_NOTFOUND ? 0 : error;
}

/* The certificate and its rows as of one moment. */
static int cert_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct check *check = context;
	struct span value;
	unsigned label = 0;
	int64_t faults = *check->faults;
	int error = bdb_get(bdb, txn, BDB_CERT, row_key_span(&check->key), &value, 0);

	cert_record_clear(&check->cert);
	if (error != 0)
		return error;
	if (cert_record_decode(value, &check->cert) != EST_OK)
		return bdb_refuse(bdb, EST_CONFLICT);
	error = bdb_label_get(bdb, NULL, check->cert.label, &label);
	if (error == DB_NOTFOUND)
		fault(check, &check->cert.serial, "its label has no number");
	for (size_t i = 0; i < INDEXES && error == 0; i++)
		error = look_at_index(check, txn, &indexes[i], label);
	if (error != 0)
		*check->faults = faults; /* this look is done again */
	return error == DB_NOTFOUND ? 0 : error;
}

static void count_cert(struct check *check)
{
	struct store_totals *found = &check->found;
	size_t i = 0;

	while (i < found->count && strcmp(found->labels[i].label, check->cert.label) != 0)
		i++;
	if (i == found->count) {
		found->labels = mem_grow(found->labels, ++found->count * sizeof(found->labels[0]));
		found->labels[i] = (struct label_total){.label = mem_string(check->cert.label)};
	}
	check->certs++;
	found->labels[i].issued++;
	switch (cert_record_status(&check->cert, check->now)) {
	case CERT_REVOKED: found->labels[i].revoked++; break;
	case CERT_EXPIRED: found->labels[i].expired++; break;
	default: found->labels[i].valid++; break;
	}
}

static enum outcome look_at_cert(struct check *check, const struct index *index)
{
	struct serial serial;
	enum outcome outcome = bdb_run(check->bdb, BDB_SNAPSHOT, cert_act, check);

	(void)index;
	(void)row_serial_behind(row_key_span(&check->key), 0, &serial);
	if (outcome == EST_CONFLICT) {
		fault(check, &serial, "its record is damaged");
		return EST_OK;
	}
	if (outcome != EST_OK)
		return outcome;
	if (!span_equal(row_serial(&serial), row_serial(&check->cert.serial)))
		fault(check, &serial, "its record is that of another certificate");
	count_cert(check);
	return EST_OK;
}

/* --- from the indexes to the certificates --- */

static size_t serial_place(const struct check *check, const struct index *index)
{
	size_t at = 1;

	if (index->serial_at != SIZE_MAX)
		return index->serial_at;
	while (at < check->key.len && check->key.octets[at] != 0)
		at++;
	return at + 1;
}

static enum outcome look_at_row(struct check *check, const struct index *index)
{
	struct serial serial;
	struct row_key key;
	struct buf value = {0};
	enum outcome outcome;

	cert_record_clear(&check->cert);
	if (!row_serial_behind(row_key_span(&check->key), serial_place(check, index), &serial)) {
		fault(check, &serial, "a row of an index has no serial");
		return EST_OK;
	}
	outcome = bdb_cert_get(&check->bdb->store, &serial, &check->cert);
	if (outcome == EST_NOT_FOUND) {
		fault(
		    check, &serial, "an index has a row for it, and there is no such certificate");
		return EST_OK;
	}
	if (outcome == EST_OK && (!index->expect(&check->cert, 0, &key, &value) ||
				     !span_equal(row_key_span(&key), row_key_span(&check->key))))
		fault(check, &serial, index->stray);
	buf_free(&value);
	return outcome;
}

/* A request's row names a certificate, unless it was dropped as too old meanwhile. */
static int request_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct check *check = context;
	struct span value;
	int64_t issued_at;
	int error = bdb_get(bdb, txn, BDB_REQUEST, row_key_span(&check->key), &value, 0);

	if (error != 0)
		return error == DB_NOTFOUND ? 0 : error;
	if (!row_issue_get(value, &issued_at, &check->cert.serial))
		return bdb_refuse(bdb, EST_CONFLICT);
	error = bdb_get(bdb, txn, BDB_CERT, row_serial(&check->cert.serial), &value, 0);
	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_CONFLICT) : error;
}

static enum outcome look_at_request(struct check *check, const struct index *index)
{
	enum outcome outcome;

	(void)index;
	cert_record_clear(&check->cert);
	outcome = bdb_run(check->bdb, BDB_READ, request_act, check);
	if (outcome != EST_CONFLICT)
		return outcome;
	fault(check, &check->cert.serial,
	    "a request was answered with it, and there is no such certificate");
	return EST_OK;
}

/* The queue of issues names every certificate once. */
static enum outcome walk_issues(struct check *check, int64_t *count)
{
	struct cert_query query = {.order = CERTS_BY_ISSUE, .limit = BATCH};
	struct cert_page page = {0};
	struct buf token = {0};
	enum outcome outcome;

	*count = 0;
	do {
		outcome = bdb_cert_list(&check->bdb->store, &query, &page);
		*count += (int64_t)page.count;
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		query.token = buf_span(&token);
		cert_page_clear(&page);
	} while (outcome == EST_OK && token.len > 0);
	buf_free(&token);
	return outcome;
}

/* --- the counts --- */

static const struct label_total *total_of(const struct store_totals *totals, const char *label)
{
	static const struct label_total none;

	for (size_t i = 0; i < totals->count; i++) {
		if (strcmp(totals->labels[i].label, label) == 0)
			return &totals->labels[i];
	}
	return &none;
}

static bool totals_equal(const struct store_totals *a, const struct store_totals *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct label_total *left = &a->labels[i];
		const struct label_total *right = total_of(b, left->label);
		if (left->issued != right->issued || left->revoked != right->revoked ||
		    left->expired != right->expired || left->valid != right->valid)
			return false;
	}
	return true;
}

/* Only where nothing was written meanwhile can counts be compared with what was found. */
static void compare_counts(struct check *check, const struct store_totals *before,
    const struct store_totals *after, int64_t issues)
{
	if (!totals_equal(after, before) || !totals_equal(before, after))
		return;
	if (!totals_equal(after, &check->found) || !totals_equal(&check->found, after)) {
		++*check->faults;
		(void)reason(EST_INTERNAL,
		    "the counts of issued, revoked or expired certificates are wrong");
	}
	if (issues != check->certs) {
		++*check->faults;
		(void)reason(EST_INTERNAL,
		    "the list of issues has %lld entries for %lld certificates", (long long)issues,
		    (long long)check->certs);
	}
}

enum outcome bdb_check(struct store *store, store_figure *progress, void *context, int64_t *faults)
{
	struct check check = {.bdb = (struct bdb *)store,
	    .progress = progress,
	    .context = context,
	    .faults = faults,
	    .now = clock_now()};
	struct store_totals before = {0}, after = {0};
	int64_t issues = 0;
	enum outcome outcome = bdb_totals(store, check.now, &before);

	if (outcome == EST_OK)
		outcome = walk(&check, BDB_CERT, look_at_cert, NULL);
	for (size_t i = 0; i < INDEXES && outcome == EST_OK; i++)
		outcome = walk(&check, indexes[i].table, look_at_row, &indexes[i]);
	if (outcome == EST_OK)
		outcome = walk(&check, BDB_REQUEST, look_at_request, NULL);
	if (outcome == EST_OK)
		outcome = walk_issues(&check, &issues);
	if (outcome == EST_OK)
		outcome = bdb_totals(store, check.now, &after);
	if (outcome == EST_OK)
		compare_counts(&check, &before, &after, issues);
	else if (outcome == EST_INTERNAL)
		++*faults;
	if (outcome == EST_OK && *faults > 0)
		outcome = EST_INTERNAL;
	cert_record_clear(&check.cert);
	store_totals_clear(&before);
	store_totals_clear(&after);
	store_totals_clear(&check.found);
	return outcome;
}
