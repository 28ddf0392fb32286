#include "common/base/refusal.h"
#include "common/store/bdb_device.h"

/*
 * What a new certificate has to do with its device's row. Most have a row that stays as it is: they
 * read it and hold no lock on its page, which other devices share. That is enough, because the row
 * of a device that ever had a certificate stays, and because blocking or freeing it a moment later
 * would have come after this certificate anyway. Everybody else holds the row until the end.
 */

static bool is_settled(const struct device_record *device, const struct device_claim *claim)
{
	return device->enrolled_at != 0 && device->blocked_at == 0 &&
	       device->freed_at < claim->cert->issued_at && !device_record_is_free(device);
}

static int look(struct bdb *bdb, DB_TXN *txn, const struct row_key *key,
    const struct device_claim *claim, bool *settled)
{
	struct device_record device = {0};
	int error = bdb_device_read(bdb, txn, key, DB_READ_COMMITTED, &device);

	*settled = error == 0 && is_settled(&device, claim);
	device_record_clear(&device);
	return error == DB_NOTFOUND ? 0 : error;
}

static const char *name_of(const struct cert_record *cert)
{
	return cert->name == NULL ? "" : cert->name;
}

/* 0 stands for never. */
static int64_t time_of(const struct cert_record *cert)
{
	return cert->issued_at == 0 ? 1 : cert->issued_at;
}

static int put_first(
    struct bdb *bdb, DB_TXN *txn, const struct row_key *key, const struct device_claim *claim)
{
	struct device_record device = {.label = claim->cert->label,
	    .name = name_of(claim->cert),
	    .added_at = time_of(claim->cert),
	    .enrolled_at = time_of(claim->cert)};

	return bdb_device_put(bdb, txn, key, &device, DB_NOOVERWRITE);
}

/* Why it is blocked is for the operator to know. */
static int refuse_blocked(struct bdb *bdb)
{
	(void)refuse(DEVICE_BLOCKED, "the device is blocked; ask whoever operates the server");
	return bdb_refuse(bdb, EST_FORBIDDEN);
}

static int refuse_living(struct bdb *bdb)
{
	(void)refuse(DEVICE_EXISTS,
	    "the device has a valid certificate already: renew that one, or "
	    "have the device deleted first");
	return bdb_refuse(bdb, EST_CONFLICT);
}

static int judge(struct bdb *bdb, DB_TXN *txn, const struct device_record *device,
    const struct device_claim *claim, struct device_certs *certs)
{
	int error;

	buf_reset(&certs->rows);
	if (device->blocked_at != 0)
		return refuse_blocked(bdb);
	if (claim->duplicates == DUPLICATES_ALLOW || device->enrolled_at == 0)
		return 0;
	certs->freed_at = device->freed_at;
	error = bdb_device_valid(bdb, txn, certs, claim->duplicates == DUPLICATES_REFUSE);
	if (error == 0 && certs->rows.len > 0 && claim->duplicates == DUPLICATES_REFUSE)
		return refuse_living(bdb);
	return error;
}

/* The certificate counts from now on, also one of the second in which the name was freed. */
static bool note(struct device_record *device, const struct cert_record *cert)
{
	const struct device_record before = *device;

	if (device->enrolled_at == 0)
		device->enrolled_at = time_of(cert);
	if (device->freed_at != 0 && device->freed_at >= cert->issued_at)
		device->freed_at = cert->issued_at - 1;
	if (device_record_is_free(device))
		device->added_at = cert->issued_at;
	return device->enrolled_at != before.enrolled_at || device->freed_at != before.freed_at ||
	       device->added_at != before.added_at;
}

static int claim_row(struct bdb *bdb, DB_TXN *txn, const struct row_key *key,
    const struct device_claim *claim, struct device_certs *certs)
{
	struct device_record device = {0};
	int error = bdb_device_read(bdb, txn, key, DB_RMW, &device);

	if (error == DB_NOTFOUND) /* it went away this very moment: from the start */
		return DB_LOCK_NOTGRANTED;
	if (error == 0)
		error = judge(bdb, txn, &device, claim, certs);
	if (error == 0 && note(&device, claim->cert))
		error = bdb_device_put(bdb, txn, key, &device, 0);
	device_record_clear(&device);
	return error;
}

int bdb_device_claim(
    struct bdb *bdb, DB_TXN *txn, const struct device_claim *claim, struct buf *living)
{
	struct device_certs certs = {name_of(claim->cert), claim->label, 0, {0}};
	struct row_key key;
	bool settled = false;
	int error = 0;

	buf_free(living);
	row_device_key(&key, certs.name, claim->label);
	if (claim->duplicates == DUPLICATES_ALLOW)
		error = look(bdb, txn, &key, claim, &settled);
	if (error != 0 || settled)
		return error;
	error = put_first(bdb, txn, &key, claim);
	if (error == DB_KEYEXIST)
		error = claim_row(bdb, txn, &key, claim, &certs);
	*living = certs.rows;
	return error;
}

int bdb_device_replace(
    struct bdb *bdb, DB_TXN *txn, const struct device_claim *claim, const struct buf *living)
{
	const struct device_cert *rows = (const struct device_cert *)living->data;
	int error = 0;

	for (size_t i = 0; i < living->len / sizeof(*rows) && error == 0; i++) {
		struct cert_record cert = {0};
		error = bdb_supersede_begin(bdb, txn, &rows[i].serial, &cert);
		if (error == 0)
			error = bdb_supersede(bdb, txn, &cert, claim->cert->issued_at);
		cert_record_clear(&cert);
	}
	return error;
}

/* --- asking beforehand --- */

struct asking {
	const struct device_claim *claim;
	struct device_certs certs;
};

static int check_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct asking *asking = context;
	struct device_record device = {0};
	struct row_key key;
	int error;

	row_device_key(&key, asking->certs.name, asking->certs.label);
	error = bdb_device_read(bdb, txn, &key, 0, &device);
	if (error == 0)
		error = judge(bdb, txn, &device, asking->claim, &asking->certs);
	device_record_clear(&device);
	return error == DB_NOTFOUND ? 0 : error;
}

enum outcome bdb_device_check(
    struct store *store, const char *label, const char *name, enum duplicates duplicates)
{
	struct bdb *bdb = (struct bdb *)store;
	/* What is superseded is found when the certificate is added. */
	struct device_claim claim = {
	    .duplicates = duplicates == DUPLICATES_SUPERSEDE ? DUPLICATES_ALLOW : duplicates};
	struct asking asking = {&claim, {.name = name}};
	enum outcome outcome = bdb_label(bdb, label, false, &asking.certs.label);

	if (outcome == EST_OK)
		outcome = bdb_run(bdb, BDB_READ, check_act, &asking);
	else if (outcome == EST_NOT_FOUND)
		outcome = EST_OK;
	buf_free(&asking.certs.rows);
	return outcome;
}
