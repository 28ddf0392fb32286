#include "common/store/bdb.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/store/bdb_row.h"

int bdb_cert_read(struct bdb *bdb, DB_TXN *txn, const struct serial *serial, uint32_t flags,
    struct cert_record *out)
{
	struct span value;
	int error = bdb_get(bdb, txn, BDB_CERT, row_serial(serial), &value, flags);

	if (error == 0 && cert_record_decode(value, out) != EST_OK)
		return bdb_refuse(bdb, EST_INTERNAL);
	return error;
}

#define CLOCK_SKEW 60 /* seconds */

/* --- one certificate --- */

struct lookup {
	const struct serial *serial;
	const unsigned char *request;
	int64_t since;
	struct cert_record *out;
};

static int get_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct lookup *lookup = context;
	int error = bdb_cert_read(bdb, txn, lookup->serial, 0, lookup->out);

	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND) : error;
}

enum outcome bdb_cert_get(struct store *store, const struct serial *serial, struct cert_record *out)
{
	struct lookup lookup = {.serial = serial, .out = out};

	return bdb_run((struct bdb *)store, BDB_READ, get_act, &lookup);
}

/* --- the same request again --- */

/* The certificate that answers row, where it still does: else DB_NOTFOUND. */
static int get_answer(
    struct bdb *bdb, DB_TXN *txn, struct span row, int64_t since, struct cert_record *out)
{
	struct serial serial;
	int64_t issued_at;
	int error;

	if (!row_issue_get(row, &issued_at, &serial))
		return bdb_refuse(bdb, EST_INTERNAL);
	/*
	 * Nor does one count that was issued while the clock was ahead:
	 * it is of no use to a device yet.
	 */
	if (issued_at < since || issued_at > clock_now() + CLOCK_SKEW)
		return DB_NOTFOUND;
	error = bdb_cert_read(bdb, txn, &serial, 0, out);
	if (error != 0 || cert_record_status(out, clock_now()) == CERT_VALID)
		return error;
	cert_record_clear(out);
	return DB_NOTFOUND;
}

static int of_request_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct lookup *lookup = context;
	struct span row;
	int error = bdb_get(
	    bdb, txn, BDB_REQUEST, (struct span){lookup->request, STORE_REQUEST_SIZE}, &row, 0);

	if (error == 0)
		error = get_answer(bdb, txn, row, lookup->since, lookup->out);
	return error == DB_NOTFOUND ? bdb_refuse(bdb, EST_NOT_FOUND) : error;
}

enum outcome bdb_cert_of_request(
    struct store *store, const unsigned char *request, int64_t since, struct cert_record *out)
{
	struct lookup lookup = {.request = request, .since = since, .out = out};

	return bdb_run((struct bdb *)store, BDB_READ, of_request_act, &lookup);
}

/* --- adding --- */

struct addition {
	const struct cert_record *cert;
	const struct cert_terms *terms;
	struct cert_record *earlier;
	unsigned label;
	uint32_t expired_day;
	struct cert_record old; /* what it supersedes; serial.len 0: nothing */
	struct device_claim claim;
	struct buf living; /* the device's certificates that it supersedes */
};

/*
 * Rows of requests that nobody can ask for any more go away here, a few beside the one just
 * written: its page is in hand and locked already, and requests are spread evenly. In the long run
 * half of the rows are old ones. Every eighth request looks at sixteen rows.
 */
static int drop_old_requests(DBC *cursor, const struct addition *add)
{
	enum { EVERY = 8, ROWS = 16, KEEP = 7 * 86400 };
	int64_t oldest = add->cert->issued_at - KEEP;
	int error = 0;

	if (add->terms->request[0] % EVERY != 0)
		return 0;
	if (add->terms->since < oldest)
		oldest = add->terms->since;
	for (int i = 0; i < ROWS && error == 0; i++) {
		DBT key = {0}, value = {0};
		struct serial serial;
		int64_t issued_at;
		error = cursor->get(cursor, &key, &value, DB_NEXT);
		if (error == 0 &&
		    row_issue_get((struct span){value.data, value.size}, &issued_at, &serial) &&
		    issued_at < oldest)
			error = cursor->del(cursor, 0);
	}
	return error == DB_NOTFOUND ? 0 : error;
}

/*
 * The write lock is taken when the row is looked for, so of equal requests at a time one goes on.
 */
static int claim_request(struct bdb *bdb, DB_TXN *txn, DBC *cursor, const struct addition *add)
{
	const struct cert_terms *terms = add->terms;
	unsigned char octets[ROW_ISSUE_SIZE];
	DBT key = {.data = (void *)(uintptr_t)terms->request, .size = STORE_REQUEST_SIZE};
	DBT value = {0};
	int error = cursor->get(cursor, &key, &value, DB_SET | DB_RMW);

	if (error == 0) {
		error = get_answer(
		    bdb, txn, (struct span){value.data, value.size}, terms->since, add->earlier);
		if (error == 0)
			return bdb_refuse(bdb, EST_CONFLICT);
	}
	if (error != DB_NOTFOUND)
		return error;
	row_issue_put(octets, add->cert->issued_at, &add->cert->serial);
	key = (DBT){.data = (void *)(uintptr_t)terms->request, .size = STORE_REQUEST_SIZE};
	value = (DBT){.data = octets, .size = 9U + add->cert->serial.len};
	error = cursor->put(cursor, &key, &value, DB_KEYFIRST);
	return error == 0 ? drop_old_requests(cursor, add) : error;
}

static int put_request(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	DB *db = bdb->tables[BDB_REQUEST];
	DBC *cursor;
	int closed, error;

	if (add->terms->request == NULL)
		return 0;
	error = db->cursor(db, txn, &cursor, 0);
	if (error != 0)
		return error;
	error = claim_request(bdb, txn, cursor, add);
	closed = cursor->close(cursor);
	return error == 0 ? closed : error;
}

static int put_indexes(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	const struct cert_record *cert = add->cert;
	const struct row_expiry expiry = {cert->not_after, add->label, false};
	unsigned char octets[ROW_EXPIRY_SIZE];
	struct row_key key;
	int error;

	row_expiry_key(&key, row_day(cert->not_after), &cert->serial);
	row_expiry_put(octets, &expiry);
	error = bdb_put(
	    bdb, txn, BDB_EXPIRY, row_key_span(&key), (struct span){octets, ROW_EXPIRY_SIZE}, 0);
	if (error != 0)
		return error;
	row_name_key(&key, cert->name == NULL ? "" : cert->name, &cert->serial);
	row_name_put(octets, add->label, cert->issued_at);
	error = bdb_put(
	    bdb, txn, BDB_NAME, row_key_span(&key), (struct span){octets, ROW_NAME_SIZE}, 0);
	if (error != 0)
		return error;
	row_spki_key(&key, cert->spki, &cert->serial);
	return bdb_put(bdb, txn, BDB_SPKI, row_key_span(&key), (struct span){NULL, 0}, 0);
}

static int append_issued(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	const struct cert_record *cert = add->cert;
	unsigned char octets[ROW_ISSUE_SIZE];
	db_recno_t number = 0;
	DBT key = {.data = &number, .ulen = sizeof(number), .flags = DB_DBT_USERMEM};
	DBT value = {.data = octets, .size = sizeof(octets)};

	row_issue_put(octets, cert->issued_at, &cert->serial);
	return bdb->tables[BDB_ISSUED]->put(bdb->tables[BDB_ISSUED], txn, &key, &value, DB_APPEND);
}

/* Where an earlier try may have been committed before the environment broke: was it? */
static int is_added(struct bdb *bdb, DB_TXN *txn, const struct addition *add, bool *added)
{
	struct span value;
	int error;

	*added = false;
	if (!bdb->uncertain)
		return 0;
	error = bdb_get(bdb, txn, BDB_CERT, row_serial(&add->cert->serial), &value, 0);
	*added = error == 0 && span_equal(value, buf_span(&bdb->record));
	return error == DB_NOTFOUND ? 0 : error;
}

/*
 * Read in the transaction, so that a revocation comes wholly before this certificate or after it.
 */
static int check_rests_on(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	const struct serial *serial = add->terms->rests_on;
	struct cert_record cert = {0};
	bool revoked;
	int error = serial == NULL ? DB_NOTFOUND : bdb_cert_read(bdb, txn, serial, 0, &cert);

	if (error == DB_NOTFOUND)
		return 0;
	if (error != 0)
		return error;
	revoked = cert.revocation_reason != NOT_REVOKED;
	cert_record_clear(&cert);
	if (!revoked)
		return 0;
	(void)refuse(
	    AUTH_CERTIFICATE_REVOKED, "the certificate was revoked while it was being used");
	return bdb_refuse(bdb, EST_FORBIDDEN);
}

static int check_key(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	const unsigned char *spki = add->cert->spki;

	return bdb_key_usable(bdb, txn, add->terms->key == NULL ? spki : add->terms->key,
	    add->terms->must_be_new ? spki : NULL);
}

static int hold_day(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	return bdb_expired_day(bdb, txn, &add->expired_day);
}

static int put_cert(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	const struct serial *serial = &add->cert->serial;
	int error =
	    bdb_put(bdb, txn, BDB_CERT, row_serial(serial), buf_span(&bdb->record), DB_NOOVERWRITE);
	char text[2 * SERIAL_MAX + 1];

	if (error != DB_KEYEXIST)
		return error;
	(void)reason(EST_INTERNAL, "there is a certificate with the serial %s already",
	    serial_text(serial, text));
	return bdb_refuse(bdb, EST_INTERNAL);
}

static int count_cert(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	int error = bdb_count_issued(bdb, txn, add->label, add->cert->issued_at);

	if (error == 0 && row_day(add->cert->not_after) < add->expired_day)
		error = bdb_expired_add(bdb, txn, add->label, 1);
	return error;
}

/* --- what else its terms ask for --- */

static int claim_device(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	return bdb_device_claim(bdb, txn, &add->claim, &add->living);
}

/*
 * Before check_rests_on() reads that certificate: two that read it first and lock it then would
 * wait for each other. After the device, whose holder may want to supersede it.
 */
static int hold_old(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	cert_record_clear(&add->old);
	if (add->terms->supersedes == NULL)
		return 0;
	return bdb_supersede_begin(bdb, txn, add->terms->supersedes, &add->old);
}

static int use_secret(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	const struct cert_terms *terms = add->terms;

	return terms->secret == NULL
		   ? 0
		   : bdb_secret_use(bdb, txn, terms->secret, terms->approval != NULL);
}

static int use_approval(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	const struct pending_record *approval = add->terms->approval;

	return approval == NULL ? 0 : bdb_pending_issue(bdb, txn, approval, &add->cert->serial);
}

/* The device's own, where these are to go, are looked at once more: one may be the old one. */
static int supersede_old(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	int error = 0;

	if (add->terms->supersedes != NULL)
		error = bdb_supersede(bdb, txn, &add->old, add->cert->issued_at);
	return error == 0 ? bdb_device_replace(bdb, txn, &add->claim, &add->living) : error;
}

static int put_challenge(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	const char *hash = add->terms->revocation_hash;

	return hash == NULL ? 0 : bdb_challenge_put(bdb, txn, &add->cert->serial, hash);
}

static int count_use(struct bdb *bdb, DB_TXN *txn, struct addition *add)
{
	return add->terms->user == NULL ? 0 : bdb_user_use(bdb, txn, add->terms->user);
}

/*
 * In this order. The request comes before what it may use up: where it was answered, that is the
 * answer. The user's row, which lies on one page with many others, comes last.
 */
static int (*const steps[])(struct bdb *bdb, DB_TXN *txn, struct addition *add) = {
    hold_day,
    put_request, /* before what the same request, a moment ago, may have changed */
    use_secret,  /* who has no right to ask is told no more about the device */
    claim_device,
    hold_old,
    check_rests_on,
    check_key,
    use_approval,
    put_cert,
    supersede_old,
    put_indexes,
    append_issued,
    count_cert,
    put_challenge,
    count_use,
};

static int add_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct addition *add = context;
	bool added;
	int error = is_added(bdb, txn, add, &added);

	if (error != 0 || added)
		return error;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && error == 0; i++)
		error = steps[i](bdb, txn, add);
	return error;
}

enum outcome bdb_cert_add(struct store *store, const struct cert_record *cert,
    const struct cert_terms *terms, struct cert_record *earlier)
{
	struct bdb *bdb = (struct bdb *)store;
	struct addition add = {.cert = cert, .terms = terms, .earlier = earlier};
	enum outcome outcome =
	    bdb_label(bdb, cert->label == NULL ? "" : cert->label, true, &add.label);

	if (outcome != EST_OK)
		return outcome;
	add.claim = (struct device_claim){cert, add.label, terms->duplicates};
	buf_reset(&bdb->record);
	cert_record_encode(cert, &bdb->record);
	outcome = bdb_run(bdb, BDB_WRITE, add_act, &add);
	cert_record_clear(&add.old);
	buf_free(&add.living);
	return outcome;
}
