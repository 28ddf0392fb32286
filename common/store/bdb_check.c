#include "common/store/bdb_check.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

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
		check_fault(check, &cert->serial, index->missing);
	else if (error == 0 && !present)
		check_fault(check, &cert->serial, index->stray);
	else if (error == 0 && !span_equal(value, buf_span(&expected)))
		check_fault(check, &cert->serial, index->missing);
	buf_free(&expected);
	return error == DB_NOTFOUND ? 0 : error;
}

/* Its device is remembered; what else is in that row, bdb_check_row.c looks at. */
static int look_at_device(struct check *check, DB_TXN *txn, unsigned label)
{
	const struct cert_record *cert = &check->cert;
	struct row_key key;
	struct span value;
	int error;

	row_device_key(&key, cert->name, label);
	error = bdb_get(check->bdb, txn, BDB_DEVICE, row_key_span(&key), &value, 0);
	if (error == DB_NOTFOUND)
		check_fault(check, &cert->serial, "its device is not remembered");
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
		check_fault(check, &check->cert.serial, "its label has no number");
	for (size_t i = 0; i < INDEXES && error == 0; i++)
		error = look_at_index(check, txn, &indexes[i], label);
	if (error == 0)
		error = look_at_device(check, txn, label);
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

static enum outcome look_at_cert(struct check *check, const void *which)
{
	struct serial serial;
	enum outcome outcome = bdb_run(check->bdb, BDB_SNAPSHOT, cert_act, check);

	(void)which;
	(void)row_serial_behind(row_key_span(&check->key), 0, &serial);
	if (outcome == EST_CONFLICT) {
		check_fault(check, &serial, "its record is damaged");
		return EST_OK;
	}
	if (outcome != EST_OK)
		return outcome;
	if (!span_equal(row_serial(&serial), row_serial(&check->cert.serial)))
		check_fault(check, &serial, "its record is that of another certificate");
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

static enum outcome look_at_row(struct check *check, const void *which)
{
	const struct index *index = which;
	struct serial serial;
	struct row_key key;
	struct buf value = {0};
	enum outcome outcome;

	cert_record_clear(&check->cert);
	if (!row_serial_behind(row_key_span(&check->key), serial_place(check, index), &serial)) {
		check_fault(check, &serial, "a row of an index has no serial");
		return EST_OK;
	}
	outcome = bdb_cert_get(&check->bdb->store, &serial, &check->cert);
	if (outcome == EST_NOT_FOUND) {
		check_fault(
		    check, &serial, "an index has a row for it, and there is no such certificate");
		return EST_OK;
	}
	if (outcome == EST_OK && (!index->expect(&check->cert, 0, &key, &value) ||
				     !span_equal(row_key_span(&key), row_key_span(&check->key))))
		check_fault(check, &serial, index->stray);
	buf_free(&value);
	return outcome;
}

/* The queue of issues names every certificate once. */
static enum outcome walk_issues(struct check *check, int64_t *count)
{
	struct cert_query query = {.order = CERTS_BY_ISSUE, .limit = CHECK_BATCH};
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
		outcome = check_walk(&check, BDB_CERT, look_at_cert, NULL);
	for (size_t i = 0; i < INDEXES && outcome == EST_OK; i++)
		outcome = check_walk(&check, indexes[i].table, look_at_row, &indexes[i]);
	if (outcome == EST_OK)
		outcome = check_rows(&check);
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
