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
    const unsigned char request[STORE_REQUEST_SIZE], int64_t since, struct cert_record *earlier)
{
	if (cert->serial.len == 0 || cert->serial.len > SERIAL_MAX ||
	    cert->revocation_reason != NOT_REVOKED)
		return reason(EST_INTERNAL, "a new certificate has a serial and is not revoked");
	return store->backend->cert_add(store, cert, request, since, earlier);
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

enum outcome store_device_get(
    struct store *store, const char *label, const char *name, struct device_record *out)
{
	return store->backend->device_get(store, label, name, out);
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
