/*
 * bdb_row.h - what the rows of the Berkeley DB store hold.
 *
 * Locks are on pages and held until a commit is on disk, so keys made at the same time must
 * not lie beside each other: every key begins with something spread evenly, or with something that
 * many share, followed by the (random) serial.
 *
 * 	cert	 serial				-> the encoded cert_record
 * 	request	 the request's hash		-> issued at, serial
 * 	expiry	 day of not_after, serial	-> not_after, label, revoked
 * 	name	 shard, folded name, 0, serial	-> label, issued at
 * 	spki	 SHA-256 of the key, serial	-> nothing
 * 	revoked	 serial				-> revoked at, reason, CA: all that a CRL needs
 * 	blocked	 SHA-256 of the key, serial	-> nothing; revoked for keyCompromise
 * 	issued	 queue				-> issued at, serial
 * 	counter	 queue, by label, slot, cell	-> day, count of the day, count of older days
 * 	user	 name				-> the encoded user_record
 * 	challenge serial			-> crypt(5) string of its revocationChallenge
 * 	pending	 'p', id			-> the encoded pending_record
 * 		 'e', when it expires, id	-> nothing
 * 		 'w'				-> how many rows wait; who adds or decides locks it
 * 					   first, so that their keys may lie beside each other
 * 	secret	 shard, folded name, 0		-> the encoded secret_record
 * 	kek	 id				-> the encoded kek_record
 * 	nonce	 digest				-> when it expires, a number of whoever used it
 * 	device	 shard, folded name, 0, label	-> the encoded device_record
 * 	meta	 "schema"			-> version
 * 		 "expired"			-> day counted up to, a count per label
 * 		 "labels"			-> how many labels there are
 * 		 "label:" name			-> the label's number, from 1
 */
#ifndef EST_BDB_ROW_H
#define EST_BDB_ROW_H

#include "common/pki/record.h"

#define ROW_KEY_MAX 320

struct row_key {
	size_t len;
	unsigned char octets[ROW_KEY_MAX];
};

struct span row_key_span(const struct row_key *key);
/* The least key that is greater. */
void row_key_after(struct row_key *key, struct span before);

void row_number_put(unsigned char *out, uint64_t number, unsigned octets);
uint64_t row_number_get(const unsigned char *in, unsigned octets);
uint32_t row_day(int64_t time); /* days since 1970 UTC, 0 for what is before */

struct span row_serial(const struct serial *serial);
/* The serial at the end of a key, behind `ahead` octets; false where it is none. */
bool row_serial_behind(struct span key, size_t ahead, struct serial *out);

void row_expiry_key(
    struct row_key *key, uint32_t day, const struct serial *serial); /* serial may be NULL */
void row_name_key(struct row_key *key, const char *name, const struct serial *serial);
void row_device_key(struct row_key *key, const char *name, unsigned label);
/* That of the row of the index of names whose key that is; false where it is none. */
bool row_device_of(struct row_key *key, struct span name_key, unsigned label);
void row_spki_key(struct row_key *key, const unsigned char spki[32], const struct serial *serial);

enum { ROW_PENDING = 'p', ROW_PENDING_DUE = 'e', ROW_PENDING_WAITING = 'w' };
void row_pending_key(struct row_key *key, const unsigned char id[32]);
void row_due_key(struct row_key *key, int64_t expires_at, const unsigned char id[32]);
bool row_due_get(struct span key, int64_t *expires_at, const unsigned char **id);

#define ROW_EXPIRY_SIZE 11
struct row_expiry {
	int64_t not_after;
	unsigned label;
	bool revoked;
};
void row_expiry_put(unsigned char out[static ROW_EXPIRY_SIZE], const struct row_expiry *row);
bool row_expiry_get(struct span value, struct row_expiry *row);

#define ROW_NONCE_SIZE 16

#define ROW_NAME_SIZE 10
void row_name_put(unsigned char out[static ROW_NAME_SIZE], unsigned label, int64_t issued_at);
bool row_name_get(struct span value, unsigned *label, int64_t *issued_at);

/* Of a request and of a queue of issued ones; the latter is always of the full size. */
#define ROW_ISSUE_SIZE (8 + 1 + SERIAL_MAX)
void row_issue_put(
    unsigned char out[static ROW_ISSUE_SIZE], int64_t issued_at, const struct serial *serial);
bool row_issue_get(struct span value, int64_t *issued_at, struct serial *serial);

void row_revoked_put(struct buf *out, const struct cert_record *cert);

#endif
