#include "common/store/store.h"

#include <stdlib.h>

#include "common/store/backend.h"

enum outcome store_open(const struct store_settings *settings, struct store **out)
{
	return store_bdb.open(settings, out);
}

void store_close(struct store *store)
{
	if (store != NULL)
		store->backend->close(store);
}

enum outcome store_rethread(struct store *store)
{
	return store->backend->rethread(store);
}

enum outcome store_cert_add(struct store *store, const struct cert_record *cert,
    const struct cert_terms *terms, struct cert_record *earlier)
{
	if (cert->serial.len == 0 || cert->serial.len > SERIAL_MAX ||
	    cert->revocation_reason != NOT_REVOKED)
		return reason(EST_INTERNAL, "a new certificate has a serial and is not revoked");
	return store->backend->cert_add(store, cert, terms, earlier);
}

enum outcome store_cert_of_request(struct store *store,
    const unsigned char request[STORE_REQUEST_SIZE], int64_t since, struct cert_record *out)
{
	return store->backend->cert_of_request(store, request, since, out);
}

enum outcome store_cert_get(
    struct store *store, const struct serial *serial, struct cert_record *out)
{
	if (serial->len == 0 || serial->len > SERIAL_MAX)
		return EST_NOT_FOUND;
	return store->backend->cert_get(store, serial, out);
}

enum outcome store_cert_list(
    struct store *store, const struct cert_query *query, struct cert_page *page)
{
	if (query->order >= CERT_ORDERS || query->limit < 1 || query->limit > 1000)
		return reason(EST_MALFORMED, "a page of certificates has 1 to 1000 of them");
	if ((query->order == CERTS_BY_NAME && query->name == NULL) ||
	    (query->order == CERTS_BY_SPKI && query->spki == NULL))
		return reason(EST_INTERNAL, "a list by name or key needs one");
	return store->backend->cert_list(store, query, page);
}

void cert_page_clear(struct cert_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		cert_record_clear(&page->records[i]);
	free(page->records);
	buf_free(&page->next);
	*page = (struct cert_page){0};
}

enum outcome store_cert_revoke(struct store *store, const struct serial *serial, int reason_code,
    int64_t when, struct cert_record *out)
{
	enum {
		REMOVE_FROM_CRL = 8
	}; /* RFC 5280 5.3.1: only in delta CRLs, never a reason to revoke */
	char text[2 * SERIAL_MAX + 1];

	if (revocation_word(reason_code) == NULL || reason_code == REMOVE_FROM_CRL)
		return reason(
		    EST_MALFORMED, "RFC 5280 5.3.1: %d is no reason to revoke", reason_code);
	if (serial->len == 0 || serial->len > SERIAL_MAX)
		return reason(EST_NOT_FOUND, "there is no certificate with the serial \"%s\"",
		    serial_text(serial, text));
	return store->backend->cert_revoke(store, serial, reason_code, when, out);
}

enum outcome store_key_check(
    struct store *store, const unsigned char identity[32], const unsigned char *spki)
{
	return store->backend->key_check(store, identity, spki);
}

enum outcome store_revocation_hash(
    struct store *store, const struct serial *serial, struct buf *out)
{
	if (serial->len == 0 || serial->len > SERIAL_MAX)
		return EST_NOT_FOUND;
	return store->backend->revocation_hash(store, serial, out);
}

enum outcome store_pending_add(struct store *store, const struct pending_record *pending,
    const struct secret_use *secret, struct pending_record *existing)
{
	if (pending->state != PENDING_WAITING || pending->serial.len != 0)
		return reason(EST_INTERNAL, "a request that is put into the queue waits");
	return store->backend->pending_add(store, pending, secret, existing);
}

enum outcome store_pending_get(
    struct store *store, const unsigned char id[32], struct pending_record *out)
{
	return store->backend->pending_get(store, id, out);
}

enum outcome store_pending_next(
    struct store *store, const unsigned char *after, struct pending_record *out)
{
	return store->backend->pending_next(store, after, out);
}

enum outcome store_pending_decide(struct store *store, const struct pending_record *decision)
{
	if (decision->state != PENDING_APPROVED && decision->state != PENDING_DENIED)
		return reason(EST_INTERNAL, "a request is approved or denied");
	return store->backend->pending_decide(store, decision);
}

enum outcome store_pending_delete(
    struct store *store, const unsigned char id[32], const unsigned char content[32])
{
	return store->backend->pending_delete(store, id, content);
}

enum outcome store_secret_put(struct store *store, const struct secret_record *secret, bool replace)
{
	if (secret->name == NULL || secret->name[0] == '\0')
		return reason(EST_MALFORMED, "a one-time secret needs the name of its device");
	return store->backend->secret_put(store, secret, replace);
}

enum outcome store_secret_get(struct store *store, const char *name, struct secret_record *out)
{
	return store->backend->secret_get(store, name, out);
}

enum outcome store_secret_delete(struct store *store, const char *name)
{
	return store->backend->secret_delete(store, name);
}

enum outcome store_secret_next(struct store *store, const char *after, struct secret_record *out)
{
	return store->backend->secret_next(store, after, out);
}

enum outcome store_secret_check(struct store *store, const struct secret_use *use)
{
	return store->backend->secret_check(store, use);
}

enum outcome store_kek_put(struct store *store, const struct kek_record *kek, bool replace)
{
	if (!kek_record_fits(kek))
		return reason(EST_MALFORMED,
		    "a key to encrypt under has 16, 24 or 32 octets, and an id of 1 to 64");
	return store->backend->kek_put(store, kek, replace);
}

enum outcome store_kek_get(struct store *store, struct span id, struct kek_record *out)
{
	return store->backend->kek_get(store, id, out);
}

enum outcome store_kek_delete(struct store *store, struct span id)
{
	return store->backend->kek_delete(store, id);
}

enum outcome store_kek_next(struct store *store, struct span after, struct kek_record *out)
{
	return store->backend->kek_next(store, after, out);
}

enum outcome store_nonce_use(struct store *store, const unsigned char digest[32], int64_t expires)
{
	return store->backend->nonce_use(store, digest, expires);
}

enum outcome store_user_put(struct store *store, const struct user_record *user, bool replace)
{
	return store->backend->user_put(store, user, replace);
}

enum outcome store_user_get(struct store *store, const char *name, struct user_record *out)
{
	return store->backend->user_get(store, name, out);
}

enum outcome store_user_delete(struct store *store, const char *name)
{
	return store->backend->user_delete(store, name);
}

enum outcome store_user_next(struct store *store, const char *after, struct user_record *out)
{
	return store->backend->user_next(store, after, out);
}

enum outcome store_user_rehash(
    struct store *store, const char *name, const char *before, const char *hash)
{
	return store->backend->user_rehash(store, name, before, hash);
}

enum outcome store_device_add(struct store *store, const struct device_record *device)
{
	if (device->label == NULL || device->name == NULL || device->name[0] == '\0')
		return reason(EST_MALFORMED, "a device has a name and a label");
	return store->backend->device_add(store, device);
}

enum outcome store_device_get(struct store *store, const char *label, const char *name,
    struct device_record *out, struct device_state *state)
{
	return store->backend->device_get(store, label, name, out, state);
}

enum outcome store_device_next(
    struct store *store, const char *label, const char *name, struct device_record *out)
{
	return store->backend->device_next(store, label, name, out);
}

enum outcome store_device_block(
    struct store *store, const char *label, const char *name, int64_t when, const char *why)
{
	return store->backend->device_block(store, label, name, when, why);
}

enum outcome store_device_free(
    struct store *store, const char *label, const char *name, int64_t when)
{
	return store->backend->device_free(store, label, name, when);
}

enum outcome store_device_check(
    struct store *store, const char *label, const char *name, enum duplicates duplicates)
{
	return store->backend->device_check(store, label, name, duplicates);
}

enum outcome store_totals(struct store *store, int64_t now, struct store_totals *totals)
{
	return store->backend->totals(store, now, totals);
}

void store_totals_clear(struct store_totals *totals)
{
	for (size_t i = 0; i < totals->count; i++)
		free(totals->labels[i].label);
	free(totals->labels);
	*totals = (struct store_totals){0};
}

enum outcome store_statistics(struct store *store, store_figure *figure, void *context)
{
	return store->backend->statistics(store, figure, context);
}

enum outcome store_checkpoint(struct store *store)
{
	return store->backend->checkpoint(store);
}

enum outcome store_check(
    struct store *store, store_figure *progress, void *context, int64_t *faults)
{
	*faults = 0;
	return store->backend->check(store, progress, context, faults);
}
