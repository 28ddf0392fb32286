#include "common/store/bdb.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/pki/cert.h"
#include "common/pki/key.h"
#include "common/store/bdb_row.h"

/* What is asked of a key before a certificate is made of it. */
struct question {
	const unsigned char *identity, *spki;
};

/*
 * The first row of the key that is not before `from` in a table of
 * keys and serials, or DB_NOTFOUND.
 */
static int next_row(struct bdb *bdb, DB_TXN *txn, enum bdb_table table, struct row_key *from)
{
	unsigned char spki[32];
	int error;

	memcpy(spki, from->octets, sizeof(spki));
	error = bdb_seek(bdb, txn, table, from);
	if (error == 0 &&
	    (from->len < sizeof(spki) || memcmp(from->octets, spki, sizeof(spki)) != 0))
		error = DB_NOTFOUND;
	return error;
}

static int check_blocked(struct bdb *bdb, DB_TXN *txn, const unsigned char *identity)
{
	static const struct serial none;
	struct row_key key;
	int error;

	row_spki_key(&key, identity, &none);
	error = next_row(bdb, txn, BDB_BLOCKED, &key);
	if (error != 0)
		return error == DB_NOTFOUND ? 0 : error;
	(void)refuse(CSR_BLOCKED_KEY, "a certificate over this key was revoked because the key is "
				      "compromised; make a new key");
	return bdb_refuse(bdb, EST_MALFORMED);
}

/* No living certificate may be over the key. */
static int check_new(struct bdb *bdb, DB_TXN *txn, const unsigned char *spki)
{
	struct row_key key;
	struct serial serial = {0};
	int error;

	row_spki_key(&key, spki, &serial);
	while ((error = next_row(bdb, txn, BDB_SPKI, &key)) == 0) {
		struct cert_record cert = {0};
		bool living;
		if (!row_serial_behind(row_key_span(&key), 32, &serial))
			return bdb_refuse(bdb, EST_INTERNAL);
		error = bdb_cert_read(bdb, txn, &serial, 0, &cert);
		if (error != 0 && error != DB_NOTFOUND)
			return error;
		living = error == 0 && cert_record_status(&cert, clock_now()) == CERT_VALID;
		cert_record_clear(&cert);
		if (living) {
			(void)refuse(KEY_IN_USE, "new key required: this one has a certificate "
						 "already, and the profile does not "
						 "allow key_reuse");
			return bdb_refuse(bdb, EST_FORBIDDEN);
		}
		row_key_after(&key, row_key_span(&key));
	}
	return error == DB_NOTFOUND ? 0 : error;
}

int bdb_key_usable(
    struct bdb *bdb, DB_TXN *txn, const unsigned char *identity, const unsigned char *spki)
{
	int error = check_blocked(bdb, txn, identity);

	return error == 0 && spki != NULL ? check_new(bdb, txn, spki) : error;
}

static int check_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct question *question = context;

	return bdb_key_usable(bdb, txn, question->identity, question->spki);
}

enum outcome bdb_key_check(
    struct store *store, const unsigned char *identity, const unsigned char *spki)
{
	struct question question = {identity, spki};

	return bdb_run((struct bdb *)store, BDB_READ, check_act, &question);
}

/* What is blocked is the key, whatever exponent it had in this certificate. */
static void identity_of(const struct cert_record *cert, unsigned char identity[static 32])
{
	struct cert_parts parts;
	struct key_info key;

	memcpy(identity, cert->spki, 32);
	if (cert_parse(cert->der, &parts) == EST_OK && key_parse(parts.spki, &key) == EST_OK)
		key_identity(&key, identity);
	else
		reason_clear();
}

bool bdb_key_blocks(const struct cert_record *cert, struct row_key *key)
{
	unsigned char identity[32];

	if (cert->revocation_reason != KEY_COMPROMISE)
		return false;
	identity_of(cert, identity);
	row_spki_key(key, identity, &cert->serial);
	return true;
}

int bdb_key_block(struct bdb *bdb, DB_TXN *txn, const struct cert_record *cert)
{
	struct row_key key;

	if (!bdb_key_blocks(cert, &key))
		return 0;
	return bdb_put(bdb, txn, BDB_BLOCKED, row_key_span(&key), (struct span){NULL, 0}, 0);
}

static int block_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	return bdb_key_block(bdb, txn, context);
}

/* One key a transaction: stores that were made before there was this table are filled once. */
enum outcome bdb_key_fill(struct bdb *bdb)
{
	struct cert_query query = {.order = CERTS_BY_REVOKED, .limit = 200};
	struct buf token = {0};
	enum outcome outcome;

	do {
		struct cert_page page = {0};
		query.token = buf_span(&token);
		outcome = bdb_cert_list(&bdb->store, &query, &page);
		for (size_t i = 0; i < page.count && outcome == EST_OK; i++)
			if (page.records[i].revocation_reason == KEY_COMPROMISE)
				outcome = bdb_run(bdb, BDB_WRITE, block_act, &page.records[i]);
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		cert_page_clear(&page);
	} while (outcome == EST_OK && token.len > 0);
	buf_free(&token);
	return outcome;
}
