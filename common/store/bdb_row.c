#include "common/store/bdb_row.h"

#include <string.h>

#include <openssl/sha.h>

#include "common/store/bdb.h"

/* --- keys and values --- */

enum {
	SHARDS = 16, /* first octets of name keys: "pump-0001" and "pump-0002" are not neighbours */
	NAME_MOST = 255, /* octets of a name in its key; longer ones end in their SHA-256 */
	SECONDS_A_DAY = 86400,
};

struct span row_key_span(const struct row_key *key)
{
	return (struct span){key->octets, key->len};
}

void row_key_after(struct row_key *key, struct span before)
{
	key->len = before.len < ROW_KEY_MAX ? before.len : ROW_KEY_MAX - 1;
	if (key->len > 0)
		memcpy(key->octets, before.data, key->len);
	if (before.len > 0)
		key->octets[key->len++] = 0;
}

void row_number_put(unsigned char *out, uint64_t number, unsigned octets)
{
	while (octets-- > 0) {
		out[octets] = (unsigned char)number;
		number >>= 8;
	}
}

uint64_t row_number_get(const unsigned char *in, unsigned octets)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < octets; i++)
		number = number << 8 | in[i];
	return number;
}

uint32_t row_day(int64_t time)
{
	int64_t day = time / SECONDS_A_DAY;

	if (day < 0)
		return 0;
	return day > INT32_MAX ? INT32_MAX : (uint32_t)day;
}

struct span row_serial(const struct serial *serial)
{
	return (struct span){serial->octets, serial->len};
}

bool row_serial_behind(struct span key, size_t ahead, struct serial *out)
{
	*out = (struct serial){0};
	if (key.len <= ahead || key.len - ahead > SERIAL_MAX)
		return false;
	out->len = (unsigned char)(key.len - ahead);
	memcpy(out->octets, key.data + ahead, out->len);
	return true;
}

static void key_add(struct row_key *key, const void *octets, size_t len)
{
	memcpy(key->octets + key->len, octets, len);
	key->len += len;
}

static void key_add_serial(struct row_key *key, const struct serial *serial)
{
	if (serial != NULL)
		key_add(key, serial->octets, serial->len);
}

void row_expiry_key(struct row_key *key, uint32_t day, const struct serial *serial)
{
	key->len = 4;
	row_number_put(key->octets, day, 4);
	key_add_serial(key, serial);
}

/* Names compare by their ASCII letters in lower case (RFC 4343 for host names). */
static unsigned char fold(char letter)
{
	return (unsigned char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
}

void row_name_key(struct row_key *key, const char *name, const struct serial *serial)
{
	size_t len = strlen(name);
	size_t kept = len <= NAME_MOST ? len : NAME_MOST - SHA256_DIGEST_LENGTH;
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < kept; i++)
		key->octets[1 + i] = fold(name[i]);
	key->len = 1 + kept;
	if (kept < len) {
		struct buf whole = {0};
		for (size_t i = 0; i < len; i++)
			buf_add_byte(&whole, fold(name[i]));
		(void)SHA256(whole.data, whole.len, key->octets + key->len);
		key->len += SHA256_DIGEST_LENGTH;
		buf_free(&whole);
	}
	for (size_t i = 1; i < key->len; i++)
		hash = (hash ^ key->octets[i]) * 16777619U;
	key->octets[0] = (unsigned char)((hash ^ hash >> 16) % SHARDS);
	key->octets[key->len++] = 0;
	key_add_serial(key, serial);
}

static void key_add_label(struct row_key *key, unsigned label)
{
	row_number_put(key->octets + key->len, label, 2);
	key->len += 2;
}

void row_device_key(struct row_key *key, const char *name, unsigned label)
{
	row_name_key(key, name, NULL);
	key_add_label(key, label);
}

bool row_device_of(struct row_key *key, struct span name_key, unsigned label)
{
	size_t len = 1;

	while (len < name_key.len && name_key.data[len] != 0)
		len++;
	if (len >= name_key.len || len > 1 + NAME_MOST)
		return false;
	key->len = 0;
	key_add(key, name_key.data, len + 1);
	key_add_label(key, label);
	return true;
}

void row_spki_key(struct row_key *key, const unsigned char spki[32], const struct serial *serial)
{
	key->len = 0;
	key_add(key, spki, 32);
	key_add_serial(key, serial);
}

void row_pending_key(struct row_key *key, const unsigned char id[32])
{
	key->len = 0;
	key_add(key, &(const unsigned char){ROW_PENDING}, 1);
	key_add(key, id, 32);
}

void row_due_key(struct row_key *key, int64_t expires_at, const unsigned char id[32])
{
	key->len = 9;
	key->octets[0] = ROW_PENDING_DUE;
	row_number_put(key->octets + 1, expires_at < 0 ? 0 : (uint64_t)expires_at, 8);
	key_add(key, id, 32);
}

bool row_due_get(struct span key, int64_t *expires_at, const unsigned char **id)
{
	if (key.len != 9 + 32 || key.data[0] != ROW_PENDING_DUE)
		return false;
	*expires_at = (int64_t)row_number_get(key.data + 1, 8);
	*id = key.data + 9;
	return true;
}

void row_expiry_put(unsigned char out[static ROW_EXPIRY_SIZE], const struct row_expiry *row)
{
	row_number_put(out, (uint64_t)row->not_after, 8);
	row_number_put(out + 8, row->label, 2);
	out[10] = row->revoked;
}

bool row_expiry_get(struct span value, struct row_expiry *row)
{
	if (value.len != ROW_EXPIRY_SIZE)
		return false;
	row->not_after = (int64_t)row_number_get(value.data, 8);
	row->label = (unsigned)row_number_get(value.data + 8, 2);
	row->revoked = value.data[10] != 0;
	return true;
}

void row_name_put(unsigned char out[static ROW_NAME_SIZE], unsigned label, int64_t issued_at)
{
	row_number_put(out, label, 2);
	row_number_put(out + 2, (uint64_t)issued_at, 8);
}

bool row_name_get(struct span value, unsigned *label, int64_t *issued_at)
{
	if (value.len != ROW_NAME_SIZE)
		return false;
	*label = (unsigned)row_number_get(value.data, 2);
	*issued_at = (int64_t)row_number_get(value.data + 2, 8);
	return true;
}

void row_issue_put(
    unsigned char out[static ROW_ISSUE_SIZE], int64_t issued_at, const struct serial *serial)
{
	memset(out, 0, ROW_ISSUE_SIZE);
	row_number_put(out, (uint64_t)issued_at, 8);
	out[8] = serial->len;
	memcpy(out + 9, serial->octets, serial->len);
}

bool row_issue_get(struct span value, int64_t *issued_at, struct serial *serial)
{
	if (value.len < 9 || value.len > ROW_ISSUE_SIZE || value.len < 9U + value.data[8])
		return false;
	*issued_at = (int64_t)row_number_get(value.data, 8);
	return row_serial_behind((struct span){value.data, 9U + value.data[8]}, 9, serial);
}

void row_revoked_put(struct buf *out, const struct cert_record *cert)
{
	unsigned char head[9];

	row_number_put(head, (uint64_t)cert->revoked_at, 8);
	head[8] = (unsigned char)cert->revocation_reason;
	buf_reset(out);
	buf_add(out, head, sizeof(head));
	buf_add_string(out, cert->ca == NULL ? "" : cert->ca);
}

/* --- reading and writing them --- */

static DBT dbt_of(struct span span)
{
	return (DBT){.data = (void *)(uintptr_t)span.data, .size = (uint32_t)span.len};
}

int bdb_get(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct span key, struct span *value,
    uint32_t flags)
{
	DBT k = dbt_of(key);
	DBT v = {0};
	int error = bdb->tables[table]->get(bdb->tables[table], txn, &k, &v, flags);

	*value = (struct span){v.data, v.size};
	return error == DB_KEYEMPTY ? DB_NOTFOUND : error;
}

int bdb_put(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct span key, struct span value,
    uint32_t flags)
{
	DBT k = dbt_of(key);
	DBT v = dbt_of(value);

	return bdb->tables[table]->put(bdb->tables[table], txn, &k, &v, flags);
}

int bdb_delete(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct span key)
{
	DBT k = dbt_of(key);

	return bdb->tables[table]->del(bdb->tables[table], txn, &k, 0);
}

int bdb_seek(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct row_key *key)
{
	DB *db = bdb->tables[table];
	DBC *cursor;
	DBT k = {.data = key->octets,
	    .size = (uint32_t)key->len,
	    .ulen = sizeof(key->octets),
	    .flags = DB_DBT_USERMEM};
	DBT v = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL};
	int closed, error = db->cursor(db, txn, &cursor, 0);

	if (error != 0)
		return error;
	error = cursor->get(cursor, &k, &v, key->len == 0 ? DB_FIRST : DB_SET_RANGE);
	closed = cursor->close(cursor);
	key->len = k.size;
	return error == 0 ? closed : error;
}

/* Hands out the rows of one buffer; false once the scan is to end. */
static bool scan_buffer(DBT *filled, bdb_row *row, void *context)
{
	void *at;
	bool more = true;

	DB_MULTIPLE_INIT(at, filled);
	while (more) {
		void *key = NULL, *value = NULL;
		uint32_t key_len = 0, value_len = 0;
		DB_MULTIPLE_KEY_NEXT(at, filled, key, key_len, value, value_len);
		if (at == NULL)
			return true;
		more = row((struct span){key, key_len}, (struct span){value, value_len}, context);
	}
	return false;
}

int bdb_scan(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct span from, bdb_row *row,
    void *context)
{
	enum { STEP = 16384 }; /* octets read at a time; a record may want more */
	DB *db = bdb->tables[table];
	DBC *cursor = NULL;
	DBT key = dbt_of(from);
	DBT value = {.flags = DB_DBT_USERMEM};
	uint32_t move = from.len == 0 ? DB_FIRST : DB_SET_RANGE;
	int error = db->cursor(db, txn, &cursor, txn == NULL ? 0 : DB_READ_COMMITTED);

	while (error == 0) {
		buf_reserve(&bdb->bulk, STEP);
		value.data = bdb->bulk.data;
		value.ulen = (uint32_t)(bdb->bulk.capacity / 1024 * 1024);
		error = cursor->get(cursor, &key, &value, move | DB_MULTIPLE_KEY);
		if (error == DB_BUFFER_SMALL) {
			buf_reserve(&bdb->bulk, bdb->bulk.capacity * 2);
			error = 0;
			continue;
		}
		if (error == 0 && !scan_buffer(&value, row, context))
			break;
		move = DB_NEXT;
		if (error == 0)
			error = bdb_refresh(bdb);
	}
	if (cursor != NULL) {
		int closed = cursor->close(cursor);
		if (error == 0 || error == DB_NOTFOUND)
			error = closed;
	}
	return error;
}
