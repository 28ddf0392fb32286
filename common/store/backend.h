/*
 * backend.h - what a store is made of: one row of functions for each kind of database.
 *
 * The functions are those of store.h without their prefix, with its contracts; store.c has checked
 * the arguments. A backend's own struct begins with a struct store.
 */
#ifndef EST_BACKEND_H
#define EST_BACKEND_H

#include "common/store/store.h"

struct store_backend {
	const char *name;
	enum outcome (*open)(const struct store_settings *settings, struct store **out);
	void (*close)(struct store *store);
	enum outcome (*rethread)(struct store *store);
	enum outcome (*cert_add)(struct store *store, const struct cert_record *cert,
	    const struct cert_terms *terms, struct cert_record *earlier);
	enum outcome (*cert_of_request)(struct store *store, const unsigned char *request,
	    int64_t since, struct cert_record *out);
	enum outcome (*cert_get)(
	    struct store *store, const struct serial *serial, struct cert_record *out);
	enum outcome (*cert_list)(
	    struct store *store, const struct cert_query *query, struct cert_page *page);
	enum outcome (*cert_revoke)(struct store *store, const struct serial *serial,
	    int reason_code, int64_t when, struct cert_record *out);
	enum outcome (*key_check)(
	    struct store *store, const unsigned char *identity, const unsigned char *spki);
	enum outcome (*revocation_hash)(
	    struct store *store, const struct serial *serial, struct buf *out);
	enum outcome (*pending_add)(struct store *store, const struct pending_record *pending,
	    const struct secret_use *secret, struct pending_record *existing);
	enum outcome (*pending_get)(
	    struct store *store, const unsigned char *id, struct pending_record *out);
	enum outcome (*pending_next)(
	    struct store *store, const unsigned char *after, struct pending_record *out);
	enum outcome (*pending_decide)(struct store *store, const struct pending_record *decision);
	enum outcome (*pending_delete)(
	    struct store *store, const unsigned char *id, const unsigned char *content);
	enum outcome (*secret_put)(
	    struct store *store, const struct secret_record *secret, bool replace);
	enum outcome (*secret_get)(
	    struct store *store, const char *name, struct secret_record *out);
	enum outcome (*secret_delete)(struct store *store, const char *name);
	enum outcome (*secret_next)(
	    struct store *store, const char *after, struct secret_record *out);
	enum outcome (*secret_check)(struct store *store, const struct secret_use *use);
	enum outcome (*kek_put)(struct store *store, const struct kek_record *kek, bool replace);
	enum outcome (*kek_get)(struct store *store, struct span id, struct kek_record *out);
	enum outcome (*kek_delete)(struct store *store, struct span id);
	enum outcome (*kek_next)(struct store *store, struct span after, struct kek_record *out);
	enum outcome (*nonce_use)(
	    struct store *store, const unsigned char *digest, int64_t expires);
	enum outcome (*user_put)(struct store *store, const struct user_record *user, bool replace);
	enum outcome (*user_get)(struct store *store, const char *name, struct user_record *out);
	enum outcome (*user_delete)(struct store *store, const char *name);
	enum outcome (*user_next)(struct store *store, const char *after, struct user_record *out);
	enum outcome (*user_rehash)(
	    struct store *store, const char *name, const char *before, const char *hash);
	enum outcome (*device_add)(struct store *store, const struct device_record *device);
	enum outcome (*device_get)(struct store *store, const char *label, const char *name,
	    struct device_record *out, struct device_state *state);
	enum outcome (*device_next)(
	    struct store *store, const char *label, const char *name, struct device_record *out);
	enum outcome (*device_block)(struct store *store, const char *label, const char *name,
	    int64_t when, const char *why);
	enum outcome (*device_free)(
	    struct store *store, const char *label, const char *name, int64_t when);
	enum outcome (*device_check)(
	    struct store *store, const char *label, const char *name, enum duplicates duplicates);
	enum outcome (*totals)(struct store *store, int64_t now, struct store_totals *totals);
	enum outcome (*statistics)(struct store *store, store_figure *figure, void *context);
	enum outcome (*checkpoint)(struct store *store);
	enum outcome (*check)(
	    struct store *store, store_figure *progress, void *context, int64_t *faults);
};

struct store {
	const struct store_backend *backend;
};

extern const struct store_backend store_bdb;

#endif
