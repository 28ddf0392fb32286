#include "common/store/bdb.h"

#include <stdlib.h>
#include <string.h>

#include "common/store/bdb_row.h"

enum {
	EXAMINED_MOST = 20000, /* rows looked at for one page */
	PREFIX = 999,          /* in struct order: longer than any key */
};

/*
 * A list being read: first the keys of a page, then, the index's lock released, the certificates.
 */
struct listing {
	const struct cert_query *query;
	const struct order *order;
	struct cert_page *page;
	struct serial *serials; /* room for query->limit */
	size_t count, examined;
	struct row_key prefix; /* what keys of the list begin with */
	struct row_key last;   /* the last key looked at */
	bool stopped, failed;
};

/*
 * What an order is: its index, where its serials are in the keys, and which rows belong to the
 * list.
 */
struct order {
	enum bdb_table table;
	size_t
	    serial_at; /* octets of a key before the serial; PREFIX: as many as the list's prefix */
	void (*start)(struct listing *listing);
	bool (*beyond)(
	    const struct listing *listing, struct span key); /* the list ends before key */
	bool (*belongs)(const struct listing *listing, struct span value);
};

static void start_all(struct listing *listing)
{
	listing->prefix.len = 0;
}

static void start_name(struct listing *listing)
{
	row_name_key(&listing->prefix, listing->query->name, NULL);
}

static void start_spki(struct listing *listing)
{
	row_spki_key(&listing->prefix, listing->query->spki, NULL);
}

static void start_expiry(struct listing *listing)
{
	row_expiry_key(&listing->prefix, row_day(listing->query->from), NULL);
}

static bool never_beyond(const struct listing *listing, struct span key)
{
	(void)listing;
	(void)key;
	return false;
}

static bool beyond_prefix(const struct listing *listing, struct span key)
{
	const struct row_key *prefix = &listing->prefix;

	return key.len < prefix->len || memcmp(key.data, prefix->octets, prefix->len) != 0;
}

static bool beyond_day(const struct listing *listing, struct span key)
{
	return key.len < 4 || row_number_get(key.data, 4) > row_day(listing->query->to);
}

static bool every_row(const struct listing *listing, struct span value)
{
	(void)listing;
	(void)value;
	return true;
}

static bool expires_between(const struct listing *listing, struct span value)
{
	struct row_expiry row;

	return row_expiry_get(value, &row) && row.not_after >= listing->query->from &&
	       row.not_after < listing->query->to;
}

static const struct order orders[CERT_ORDERS] = {
    [CERTS_BY_SERIAL] = {BDB_CERT, 0, start_all, never_beyond, every_row},
    [CERTS_BY_NAME] = {BDB_NAME, PREFIX, start_name, beyond_prefix, every_row},
    [CERTS_BY_SPKI] = {BDB_SPKI, PREFIX, start_spki, beyond_prefix, every_row},
    [CERTS_BY_EXPIRY] = {BDB_EXPIRY, 4, start_expiry, beyond_day, expires_between},
    [CERTS_BY_ISSUE] = {BDB_ISSUED, 0, NULL, NULL, NULL},
    [CERTS_BY_REVOKED] = {BDB_REVOKED, 0, start_all, never_beyond, every_row},
};

static bool list_row(struct span key, struct span value, void *context)
{
	struct listing *listing = context;
	const struct order *order = listing->order;
	size_t ahead = order->serial_at == PREFIX ? listing->prefix.len : order->serial_at;

	if (order->beyond(listing, key))
		return false;
	listing->last.len = key.len <= ROW_KEY_MAX ? key.len : ROW_KEY_MAX;
	memcpy(listing->last.octets, key.data, listing->last.len);
	listing->examined++;
	if (order->belongs(listing, value)) {
		if (!row_serial_behind(key, ahead, &listing->serials[listing->count++]))
			listing->failed = true;
	}
	listing->stopped = listing->failed || listing->count == listing->query->limit ||
			   listing->examined == EXAMINED_MOST;
	return !listing->stopped;
}

static int list_index(struct bdb *bdb, struct listing *listing)
{
	struct row_key from;
	int error;

	listing->order->start(listing);
	from = listing->prefix;
	if (listing->query->token.len > 1)
		row_key_after(&from,
		    (struct span){listing->query->token.data + 1, listing->query->token.len - 1});
	error = bdb_scan(bdb, NULL, listing->order->table, row_key_span(&from), list_row, listing);
	return error == DB_NOTFOUND ? 0 : error;
}

/* --- newest first: a queue, read by its numbers downwards --- */

static int last_issue(struct bdb *bdb, db_recno_t *number)
{
	DB *db = bdb->tables[BDB_ISSUED];
	DBT key = {.data = number, .ulen = sizeof(*number), .flags = DB_DBT_USERMEM};
	DBT value = {0};
	DBC *cursor;
	int closed, error = db->cursor(db, NULL, &cursor, 0);

	*number = 0;
	if (error != 0)
		return error;
	error = cursor->get(cursor, &key, &value, DB_LAST);
	closed = cursor->close(cursor);
	if (error == DB_NOTFOUND)
		*number = 0;
	return error == 0 || error == DB_NOTFOUND ? closed : error;
}

static int list_issues(struct bdb *bdb, struct listing *listing)
{
	struct span token = listing->query->token;
	db_recno_t number;
	int error = last_issue(bdb, &number);

	if (token.len == 5 && row_number_get(token.data + 1, 4) <= number)
		number = (db_recno_t)row_number_get(token.data + 1, 4) - 1;
	for (; number > 0 && error == 0 && !listing->stopped; number--) {
		struct span value;
		int64_t issued_at;
		error = bdb_get(bdb, NULL, BDB_ISSUED,
		    (struct span){(const unsigned char *)&number, sizeof(number)}, &value, 0);
		if (error == 0 &&
		    !row_issue_get(value, &issued_at, &listing->serials[listing->count++]))
			listing->failed = true;
		if (error == DB_NOTFOUND) /* an act that was undone leaves its number unused */
			error = 0;
		listing->last.len = 4;
		row_number_put(listing->last.octets, number, 4);
		listing->stopped = number > 1 && (listing->count == listing->query->limit ||
						     ++listing->examined == EXAMINED_MOST);
	}
	return error;
}

/* --- a page --- */

static int list_records(struct bdb *bdb, struct listing *listing)
{
	struct cert_page *page = listing->page;

	for (size_t i = 0; i < listing->count; i++) {
		struct span value;
		int error =
		    bdb_get(bdb, NULL, BDB_CERT, row_serial(&listing->serials[i]), &value, 0);
		if (error == DB_NOTFOUND) {
			(void)reason(EST_INTERNAL, "an index of the store names a certificate that "
						   "is not there: run est-admin store check");
			return bdb_refuse(bdb, EST_INTERNAL);
		}
		if (error != 0)
			return error;
		if (cert_record_decode(value, &page->records[i]) != EST_OK)
			return bdb_refuse(bdb, EST_INTERNAL);
		page->count++;
	}
	return 0;
}

static int list_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct listing *listing = context;
	const struct cert_query *query = listing->query;
	int error;

	(void)txn;
	cert_page_clear(listing->page);
	listing->count = listing->examined = 0;
	listing->stopped = listing->failed = false;
	error =
	    query->order == CERTS_BY_ISSUE ? list_issues(bdb, listing) : list_index(bdb, listing);
	if (error != 0)
		return error;
	if (listing->failed) {
		(void)reason(EST_INTERNAL, "an index of the store holds a row that is none");
		return bdb_refuse(bdb, EST_INTERNAL);
	}
	listing->page->records = mem_alloc(listing->count * sizeof(struct cert_record));
	error = list_records(bdb, listing);
	if (error == 0 && listing->stopped) {
		buf_add_byte(&listing->page->next, (unsigned char)query->order);
		buf_add_span(&listing->page->next, row_key_span(&listing->last));
	}
	return error;
}

/* A token comes from outside; all it can do is to choose where the list goes on. */
static bool is_token(const struct cert_query *query)
{
	struct span token = query->token;

	if (token.len == 0)
		return true;
	if (token.len == 1 || token.len >= ROW_KEY_MAX || token.data[0] != query->order)
		return false;
	return query->order != CERTS_BY_ISSUE ||
	       (token.len == 5 && row_number_get(token.data + 1, 4) > 0);
}

enum outcome bdb_cert_list(
    struct store *store, const struct cert_query *query, struct cert_page *page)
{
	struct listing listing = {.query = query, .order = &orders[query->order], .page = page};
	enum outcome outcome;

	if (!is_token(query))
		return reason(EST_MALFORMED, "this does not continue such a list: start it anew");
	listing.serials = mem_alloc(query->limit * sizeof(struct serial));
	outcome = bdb_run((struct bdb *)store, BDB_READ, list_act, &listing);
	if (outcome != EST_OK)
		cert_page_clear(page);
	free(listing.serials);
	return outcome;
}
