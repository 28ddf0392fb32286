#include "common/store/bdb.h"

#include "common/store/bdb_row.h"

struct revocation {
	const struct serial *serial;
	int code;
	int64_t when;
	struct cert_record cert;
};

/* The certificate's record, its row of the revoked, and its key where that is compromised. */
static int put_state(struct bdb *bdb, DB_TXN *txn, const struct cert_record *cert)
{
	struct buf row = {0}; /* bdb->record may be that of a certificate being added */
	int error;

	cert_record_encode(cert, &row);
	error = bdb_put(bdb, txn, BDB_CERT, row_serial(&cert->serial), buf_span(&row), 0);
	row_revoked_put(&row, cert);
	if (error == 0)
		error =
		    bdb_put(bdb, txn, BDB_REVOKED, row_serial(&cert->serial), buf_span(&row), 0);
	buf_free(&row);
	return error == 0 ? bdb_key_block(bdb, txn, cert) : error;
}

/* It leaves the valid ones, or the expired ones. */
static int put_counts(
    struct bdb *bdb, DB_TXN *txn, const struct cert_record *cert, uint32_t expired_day)
{
	struct row_expiry expiry;
	unsigned char octets[ROW_EXPIRY_SIZE];
	uint32_t day = row_day(cert->not_after);
	struct row_key key;
	struct span value;
	int error;

	row_expiry_key(&key, day, &cert->serial);
	error = bdb_get(bdb, txn, BDB_EXPIRY, row_key_span(&key), &value, DB_RMW);
	if (error != 0)
		return error;
	if (!row_expiry_get(value, &expiry))
		return bdb_refuse(bdb, EST_INTERNAL);
	expiry.revoked = true;
	row_expiry_put(octets, &expiry);
	error = bdb_put(
	    bdb, txn, BDB_EXPIRY, row_key_span(&key), (struct span){octets, ROW_EXPIRY_SIZE}, 0);
	if (error == 0)
		error = bdb_count_revoked(bdb, txn, expiry.label);
	if (error == 0 && day < expired_day)
		error = bdb_expired_add(bdb, txn, expiry.label, -1);
	return error;
}

static int revoke_first(struct bdb *bdb, DB_TXN *txn, const struct cert_record *cert)
{
	uint32_t expired_day;
	int error = bdb_expired_day(bdb, txn, &expired_day);

	if (error == 0)
		error = put_state(bdb, txn, cert);
	return error == 0 ? put_counts(bdb, txn, cert, expired_day) : error;
}

int bdb_supersede_begin(
    struct bdb *bdb, DB_TXN *txn, const struct serial *serial, struct cert_record *out)
{
	int error = bdb_cert_read(bdb, txn, serial, DB_RMW, out);

	return error == DB_NOTFOUND ? 0 : error;
}

int bdb_supersede(struct bdb *bdb, DB_TXN *txn, struct cert_record *cert, int64_t when)
{
	if (cert->serial.len == 0 || cert->revocation_reason != NOT_REVOKED)
		return 0;
	cert->revocation_reason = SUPERSEDED;
	cert->revoked_at = when;
	return revoke_first(bdb, txn, cert);
}

static int revoke_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct revocation *revocation = context;
	struct cert_record *cert = &revocation->cert;
	char text[2 * SERIAL_MAX + 1];
	int error;

	cert_record_clear(cert);
	error = bdb_cert_read(bdb, txn, revocation->serial, DB_RMW, cert);
	if (error == DB_NOTFOUND) {
		(void)reason(EST_NOT_FOUND, "there is no certificate with the serial %s",
		    serial_text(revocation->serial, text));
		return bdb_refuse(bdb, EST_NOT_FOUND);
	}
	if (error != 0)
		return error;
	if (cert->revocation_reason == NOT_REVOKED) {
		cert->revocation_reason = revocation->code;
		cert->revoked_at = revocation->when;
		return revoke_first(bdb, txn, cert);
	}
	if (bdb->uncertain && cert->revocation_reason == revocation->code &&
	    cert->revoked_at == revocation->when)
		return 0;
	/*
	 * CA/B BR 4.9.1.1: that a key is compromised may come out after a
	 * certificate of it was revoked.
	 */
	if (revocation->code == KEY_COMPROMISE && cert->revocation_reason != KEY_COMPROMISE) {
		cert->revocation_reason = KEY_COMPROMISE;
		return put_state(bdb, txn, cert);
	}
	(void)reason(EST_CONFLICT, "certificate %s is revoked already",
	    serial_text(revocation->serial, text));
	return bdb_refuse(bdb, EST_CONFLICT);
}

enum outcome bdb_cert_revoke(struct store *store, const struct serial *serial, int reason_code,
    int64_t when, struct cert_record *out)
{
	struct revocation revocation = {.serial = serial, .code = reason_code, .when = when};
	enum outcome outcome = bdb_run((struct bdb *)store, BDB_WRITE, revoke_act, &revocation);

	if (out != NULL && (outcome == EST_OK || outcome == EST_CONFLICT))
		*out = revocation.cert;
	else
		cert_record_clear(&revocation.cert);
	return outcome;
}
