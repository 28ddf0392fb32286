/*
 * store.h - what do we remember? The port to the store: certificates, users, devices, totals.
 *
 * Above this line there is no transaction, no cursor and no type of any database: every function is
 * one act that is done wholly or not at all, and retried inside. What changes something returns
 * EST_OK only when it is durable. Any function may answer EST_UNAVAILABLE (disk full, store busy
 * recovering: try later) or EST_INTERNAL (the store contradicts itself). What looks something up
 * and does not find it gives EST_NOT_FOUND without a reason: only the caller knows whether that is
 * a failure. A process opens one store, uses it from one thread, and does not fork while it is
 * open.
 */
#ifndef EST_STORE_H
#define EST_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/outcome.h"
#include "common/pki/record.h"

struct store;

#define STORE_REQUEST_SIZE 32 /* SHA-256 over what makes two requests the same */

struct store_settings {
	const char *directory; /* made by whoever sets the instance up; ours alone */
	uint64_t
	    cache; /* octets of shared cache, taken on the disk too; the first process decides */
};

/*
 * Opens, and where a process died inside the store, recovers first. *out is closed by
 * store_close().
 */
enum outcome store_open(const struct store_settings *settings, struct store **out);
void store_close(struct store *store); /* NULL is fine */

/*
 * Starts the store's own thread anew, so that what the calling thread has given up since
 * (sandbox.h) holds for that one as well. EST_UNAVAILABLE.
 */
enum outcome store_rethread(struct store *store);

/* --- certificates --- */

/* That a one-time secret is to be used up. */
struct secret_use {
	const char *name, *label;     /* whose it is, and where it is used */
	const unsigned char *digest;  /* 32: SHA-256 of the text that was sent */
	const unsigned char *request; /* 32: what it is used for: request_digest_id() */
};

/* What becomes of a living device, one with a valid certificate, that gets a first one again. */
enum duplicates { DUPLICATES_ALLOW, DUPLICATES_REFUSE, DUPLICATES_SUPERSEDE };

/*
 * What store_cert_add() is to insist on, and to do besides, in the same durable act. All may be
 * NULL or 0.
 */
struct cert_terms {
	/* What makes two requests the same; NULL: this one is never answered twice. */
	const unsigned char *request; /* STORE_REQUEST_SIZE */
	int64_t since;
	const struct serial *rests_on;   /* the certificate that asked, or that is being renewed */
	const struct serial *supersedes; /* is revoked for that reason; one that is already stays */
	const unsigned char *key;        /* key_identity() of its key; NULL: as its spki */
	bool must_be_new;                /* no other valid certificate may be over its key */
	const struct secret_use *secret;
	const struct pending_record *approval; /* as it was read: what is being answered */
	const char *revocation_hash; /* crypt(5) string of its revocationChallenge (RFC 7894) */
	const char *user;            /* whose use is to be counted: one with uses_most */
	enum duplicates duplicates;
};

/*
 * Remembers a new certificate, its device's state, its request and its counts in one durable act.
 * Where the same request was answered at or after `since`, with a certificate that is neither
 * revoked nor expired, nothing is written, *earlier becomes that certificate (the caller clears it)
 * and the outcome is EST_CONFLICT. A serial that exists already is EST_INTERNAL. Nothing is written
 * either, and the outcome is EST_FORBIDDEN, where the certificate that it rests on is revoked by
 * now, where the secret is not (or not any more) good for that use (OTP_WRONG), and where the
 * approval's row is not as it was read; so also where store_key_check() refuses its key by now,
 * with that outcome. The approval's row becomes PENDING_ISSUED with its serial. Good is a secret
 * that is unused and has not expired, or that was used up when the request which has now been
 * approved was put into the queue: it never brings a second certificate. The device is remembered
 * from its first certificate on. EST_FORBIDDEN (DEVICE_BLOCKED) where it is blocked;
 * EST_CONFLICT (DEVICE_EXISTS) without an *earlier where it lives and duplicates are refused; where
 * they supersede, its valid certificates are revoked for that reason. EST_UNAUTHENTICATED
 * (AUTH_SPENT) where the user's uses are used up or the user is gone.
 */
enum outcome store_cert_add(struct store *store, const struct cert_record *cert,
    const struct cert_terms *terms, struct cert_record *earlier);

/*
 * The answer given to the same request at or after `since` that is still valid; EST_NOT_FOUND if
 * none.
 */
enum outcome store_cert_of_request(struct store *store,
    const unsigned char request[STORE_REQUEST_SIZE], int64_t since, struct cert_record *out);

/* One certificate; EST_NOT_FOUND. The caller calls cert_record_clear(out). */
enum outcome store_cert_get(
    struct store *store, const struct serial *serial, struct cert_record *out);

enum cert_order {
	CERTS_BY_SERIAL,  /* all of them */
	CERTS_BY_NAME,    /* those of the device name `name`, in any letter case, exactly */
	CERTS_BY_SPKI,    /* those over the public key whose SHA-256 is `spki` */
	CERTS_BY_EXPIRY,  /* not_after in [from, to), by day */
	CERTS_BY_ISSUE,   /* newest first */
	CERTS_BY_REVOKED, /* the revoked ones */
	CERT_ORDERS
};

struct cert_query {
	enum cert_order order;
	const char *name;
	const unsigned char *spki; /* 32 bytes */
	int64_t from, to;
	size_t limit;      /* most records a page, 1 to 1000 */
	struct span token; /* empty: from the start; else cert_page.next of the page before */
};

/* Start it as {0}; cert_page_clear() gives everything back. */
struct cert_page {
	struct cert_record *records;
	size_t count;
	struct buf next; /* empty: that was all */
};

/* One page. It may hold fewer than limit records, even none, while next is not empty. */
enum outcome store_cert_list(
    struct store *store, const struct cert_query *query, struct cert_page *page);
void cert_page_clear(struct cert_page *page);

/*
 * Marks it revoked at `when` for an RFC 5280 5.3.1 reason. A revoked one keeps its first date and
 * reason and is EST_CONFLICT, unless the reason is keyCompromise, which replaces any other;
 * EST_NOT_FOUND. *out, where not NULL, is the record as it now stands.
 */
enum outcome store_cert_revoke(struct store *store, const struct serial *serial, int reason_code,
    int64_t when, struct cert_record *out);

/*
 * Whether a certificate may be made of a key. EST_MALFORMED (CSR_BLOCKED_KEY) where one of it, by
 * its key_identity(), was ever revoked for keyCompromise, which store_cert_revoke() remembers in
 * the same durable act. EST_FORBIDDEN (KEY_IN_USE) where spki is not NULL and a certificate over
 * this SubjectPublicKeyInfo, by its SHA-256, is valid.
 */
enum outcome store_key_check(
    struct store *store, const unsigned char identity[32], const unsigned char *spki);

/*
 * Appends the crypt(5) string that a certificate's revocationChallenge was stored as;
 * EST_NOT_FOUND.
 */
enum outcome store_revocation_hash(
    struct store *store, const struct serial *serial, struct buf *out);

/* --- requests that wait for approval --- */

#define STORE_PENDING_MOST  10000 /* rows that are waiting */
#define STORE_PENDING_SHARE 100   /* of one identity, once more than half of all are taken */

/*
 * Puts a request into the queue, and uses up its secret (may be NULL) in the same act. Where an
 * unexpired row of the same id has the same content, nothing is written, *existing becomes that row
 * (the caller clears it) and the outcome is EST_CONFLICT; one of other content, or an expired one,
 * is replaced. Each row that is written has a ticket of its own, made here. EST_THROTTLED
 * (APPROVAL_FULL) where too many wait, or too many of the same identity; EST_FORBIDDEN for a secret
 * that is not unused.
 * Rows that expired go away a few at a time, and never make the queue full.
 */
enum outcome store_pending_add(struct store *store, const struct pending_record *pending,
    const struct secret_use *secret, struct pending_record *existing);
/* The row with that id, expired or not; EST_NOT_FOUND. */
enum outcome store_pending_get(
    struct store *store, const unsigned char id[32], struct pending_record *out);
/* The first row whose id is greater (NULL: the first of all); EST_NOT_FOUND at the end. */
enum outcome store_pending_next(
    struct store *store, const unsigned char *after, struct pending_record *out);
/*
 * Decides a row that waits, or denies one that was approved and not answered yet: writes state,
 * decided_at, decided_by, reason and expires_at of `decision`. EST_NOT_FOUND; EST_CONFLICT, with a
 * reason, where its content or its ticket is not that of `decision`, and where it was decided or
 * has expired.
 */
enum outcome store_pending_decide(struct store *store, const struct pending_record *decision);
/*
 * Removes a row, whatever its state. EST_NOT_FOUND; EST_CONFLICT, with a reason, where its content
 * is another one.
 */
enum outcome store_pending_delete(
    struct store *store, const unsigned char id[32], const unsigned char content[32]);

/* --- one-time secrets: one a device name, compared without regard to letter case --- */

/* With `replace` it takes the place of another one, else that is EST_CONFLICT. */
enum outcome store_secret_put(
    struct store *store, const struct secret_record *secret, bool replace);
/* EST_NOT_FOUND */
enum outcome store_secret_get(struct store *store, const char *name, struct secret_record *out);
enum outcome store_secret_delete(struct store *store, const char *name);
/*
 * The one behind that of `after` (NULL: the first), in an order of the store's own; EST_NOT_FOUND
 * at the end.
 */
enum outcome store_secret_next(struct store *store, const char *after, struct secret_record *out);
/*
 * Whether that use may be asked for, without using it up: EST_FORBIDDEN (OTP_WRONG). Good is one
 * whose digest and label fit, that is unused and has not expired, or that was used for the same
 * request, which is answered as it was before, or waits.
 */
enum outcome store_secret_check(struct store *store, const struct secret_use *use);

/* --- keys that generated keys are encrypted under, by id --- */

/* As of secrets; EST_MALFORMED where kek_record_fits() says no. Ids are in the order of octets. */
enum outcome store_kek_put(struct store *store, const struct kek_record *kek, bool replace);
enum outcome store_kek_get(struct store *store, struct span id, struct kek_record *out);
enum outcome store_kek_delete(struct store *store, struct span id);
enum outcome store_kek_next(struct store *store, struct span after, struct kek_record *out);

/* --- nonces --- */

#define STORE_NONCE_MOST 100000 /* that have not expired */

/*
 * Remembers a digest, which is spread evenly, until `expires`: EST_CONFLICT, without a reason,
 * where it is remembered already; EST_THROTTLED where too many are, none of which may be forgotten
 * yet. Expired ones go away.
 */
enum outcome store_nonce_use(struct store *store, const unsigned char digest[32], int64_t expires);

/* --- users: who may ask with a password, and for which names --- */

/* Adds the user, or with `replace` replaces it: EST_CONFLICT, EST_NOT_FOUND otherwise. */
enum outcome store_user_put(struct store *store, const struct user_record *user, bool replace);
enum outcome store_user_get(struct store *store, const char *name, struct user_record *out);
enum outcome store_user_delete(struct store *store, const char *name);
/*
 * The first user whose name is greater than `after` (NULL: the first of all); EST_NOT_FOUND at the
 * end.
 */
enum outcome store_user_next(struct store *store, const char *after, struct user_record *out);

/*
 * Gives a user another crypt(5) string for the same password, unless it has another one than
 * `before` by now, or is gone: then EST_CONFLICT, without a reason.
 */
enum outcome store_user_rehash(
    struct store *store, const char *name, const char *before, const char *hash);

/* --- devices: a name under a label, compared without regard to letter case --- */

/*
 * Adds it, as label, name, added_at, blocked_at and reason say: EST_CONFLICT where it is remembered
 * already and was not freed since.
 */
enum outcome store_device_add(struct store *store, const struct device_record *device);
/*
 * EST_NOT_FOUND; a freed one that ever had a certificate is found (device_record_is_free()). state
 * may be NULL. The caller calls device_record_clear(out).
 */
enum outcome store_device_get(struct store *store, const char *label, const char *name,
    struct device_record *out, struct device_state *state);
/*
 * The one behind that of label and name (NULL: the first), in an order of the store's own, those
 * that were freed and got nothing since included (device_record_is_free()); EST_NOT_FOUND at the
 * end.
 */
enum outcome store_device_next(
    struct store *store, const char *label, const char *name, struct device_record *out);
/* Blocks it, or with `when` 0 unblocks it. EST_NOT_FOUND. */
enum outcome store_device_block(
    struct store *store, const char *label, const char *name, int64_t when, const char *why);
/*
 * Frees its name at `when`: what was issued up to then counts no longer against it, a block ends,
 * and nothing is revoked. A row without any certificate goes away. EST_NOT_FOUND, also where it is
 * free already.
 */
enum outcome store_device_free(
    struct store *store, const char *label, const char *name, int64_t when);
/*
 * Whether it may get a certificate, as store_cert_add() would say by now, without locking anything:
 * EST_OK, also for one that is not remembered; DEVICE_BLOCKED, DEVICE_EXISTS.
 */
enum outcome store_device_check(
    struct store *store, const char *label, const char *name, enum duplicates duplicates);

/* --- totals: read in time that does not grow with the number of certificates --- */

#define STORE_DAYS 30 /* days of history that totals hold, today included */

struct label_total {
	char *label;
	int64_t issued, valid, revoked, expired;
};

/* Start it as {0}; store_totals_clear() gives everything back. */
struct store_totals {
	struct label_total *labels;
	size_t count;
	int64_t today;              /* days since 1970 UTC */
	int64_t issued[STORE_DAYS]; /* issued[0] is today's, issued[1] yesterday's, ... */
};

enum outcome store_totals(struct store *store, int64_t now, struct store_totals *totals);
void store_totals_clear(struct store_totals *totals);

/* --- care --- */

/* One figure of the store: what store_statistics() hands over, in a fixed order. */
typedef void store_figure(void *context, const char *name, int64_t value);

enum outcome store_statistics(struct store *store, store_figure *figure, void *context);
enum outcome store_checkpoint(struct store *store);

/*
 * Reads everything and compares every index with the certificates. progress(context, "checked", n)
 * is called every few thousand records. Findings are counted in *faults and the first is the
 * reason; EST_INTERNAL where there is any.
 */
enum outcome store_check(
    struct store *store, store_figure *progress, void *context, int64_t *faults);

#endif
