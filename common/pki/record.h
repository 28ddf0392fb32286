/*
 * record.h - what the store remembers: a certificate, a user, a device; and their form as bytes.
 *
 * A record handed out owns one block of memory that all its pointers lead into; *_clear() frees it
 * and leaves {0}. A record handed in may point anywhere; nothing is kept of it.
 */
#ifndef EST_RECORD_H
#define EST_RECORD_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define SERIAL_MAX 20 /* octets, RFC 5280 4.1.2.2 */

/* A certificate's serial number: the content octets of its DER INTEGER, most significant first. */
struct serial {
	unsigned char len;
	unsigned char octets[SERIAL_MAX];
};

/* Lower-case hex, NUL included: 2 * SERIAL_MAX + 1 bytes. Gives text back. */
const char *serial_text(const struct serial *serial, char text[static 2 * SERIAL_MAX + 1]);
/* From hex in any letter case, colons allowed between octets; EST_MALFORMED. */
enum outcome serial_parse(const char *text, struct serial *out);

enum cert_status { CERT_VALID, CERT_EXPIRED, CERT_REVOKED, CERT_STATUSES };

/* Reasons of RFC 5280 5.3.1 that mean something to us; revocation_code() has all of them. */
#define NOT_REVOKED    (-1)
#define KEY_COMPROMISE 1

struct cert_record {
	struct serial serial;
	int64_t issued_at, not_before, not_after;
	int64_t revoked_at;               /* 0 where it is not revoked */
	int revocation_reason;            /* RFC 5280 5.3.1, or NOT_REVOKED */
	unsigned char spki[32];           /* SHA-256 of the SubjectPublicKeyInfo */
	const char *label, *profile, *ca; /* names out of the configuration */
	const char *name;                 /* the device's: common name, else first SAN */
	const char *subject;              /* RFC 4514 */
	const char *names;     /* the SANs as text: "dns:a.example,ip:192.0.2.1", "" if none */
	const char *identity;  /* who asked: "user:pump", "certificate:<serial>" */
	const char *operation; /* "simpleenroll", "simplereenroll" */
	struct span der;       /* the certificate */
	const struct serial *rests_on; /* not stored: see store_cert_add(); or NULL */
	const unsigned char *key;      /* not stored: key_identity() of its key; NULL: as spki */
	bool must_be_new; /* not stored: no other valid certificate may be over its key */
	void *memory;
};

/* A revoked certificate stays revoked after its end. */
enum cert_status cert_record_status(const struct cert_record *cert, int64_t now);
const char *cert_status_name(enum cert_status status); /* "valid", "expired", "revoked" */
void cert_record_clear(struct cert_record *cert);

/* RFC 5280 5.3.1: "keyCompromise" and its code, or -1 / NULL where there is none. */
int revocation_code(const char *word);
const char *revocation_word(int code);

struct user_record {
	const char *name;          /* may be "" (RFC 7617: a password-only token) */
	const char *password;      /* a crypt(5) string */
	const char *const *names;  /* patterns of names that it may ask for, NULL-terminated */
	const char *const *labels; /* labels that it may use, NULL-terminated; none: every label */
	int64_t created_at;
	void *memory;
};

void user_record_clear(struct user_record *user);

struct device_record {
	const char *label, *name;
	int64_t first_issued, last_issued;
	uint32_t issued;       /* how many certificates so far */
	struct serial current; /* the newest one */
	void *memory;
};

void device_record_clear(struct device_record *device);

/*
 * The stored forms. Decoding checks every length; EST_INTERNAL where the bytes are not such a
 * record.
 */
void cert_record_encode(const struct cert_record *cert, struct buf *out);
enum outcome cert_record_decode(struct span in, struct cert_record *out);
void user_record_encode(const struct user_record *user, struct buf *out);
enum outcome user_record_decode(struct span in, struct user_record *out);

#endif
