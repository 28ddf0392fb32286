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

bool serial_equal(const struct serial *a, const struct serial *b);
/* Lower-case hex, NUL included: 2 * SERIAL_MAX + 1 bytes. Gives text back. */
const char *serial_text(const struct serial *serial, char text[static 2 * SERIAL_MAX + 1]);
/* From hex in any letter case, colons allowed between octets; EST_MALFORMED. */
enum outcome serial_parse(const char *text, struct serial *out);

enum cert_status { CERT_VALID, CERT_EXPIRED, CERT_REVOKED, CERT_STATUSES };

/* Reasons of RFC 5280 5.3.1 that mean something to us; revocation_code() has all of them. */
#define NOT_REVOKED    (-1)
#define KEY_COMPROMISE 1
#define SUPERSEDED     4

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
	void *memory;
};

/* A revoked certificate stays revoked after its end. */
enum cert_status cert_record_status(const struct cert_record *cert, int64_t now);
const char *cert_status_name(enum cert_status status); /* "valid", "expired", "revoked" */
void cert_record_clear(struct cert_record *cert);

/* RFC 5280 5.3.1: "keyCompromise" and its code, or -1 / NULL where there is none. */
int revocation_code(const char *word);
const char *revocation_word(int code);

/*
 * What somebody may do: get certificates; or at the portal look and decide, look only, do anything.
 */
enum user_role { ROLE_ENROLL, ROLE_OPERATE, ROLE_AUDIT, ROLE_ADMINISTER, USER_ROLES };

const char *user_role_name(enum user_role role); /* "enroll", "operate", "audit", "administer" */
bool user_role_parse(const char *word, enum user_role *out);

struct user_record {
	const char *name;          /* may be "" (RFC 7617: a password-only token) */
	const char *password;      /* a crypt(5) string */
	const char *const *names;  /* patterns of names that it may ask for, NULL-terminated */
	const char *const *labels; /* labels that it may use, NULL-terminated; none: every label */
	unsigned roles;            /* of enum user_role, as bits: 1 << ROLE_ENROLL */
	int64_t created_at;
	int64_t expires_at; /* 0: never */
	uint32_t uses_most; /* certificates that may be had with it; 0: any number */
	uint32_t uses;      /* that were had, where uses_most is not 0 */
	void *memory;
};

void user_record_clear(struct user_record *user);

/*
 * A device: a name under a label. It is remembered from the day that an operator adds it or that
 * its first certificate is issued.
 */
struct device_record {
	const char *label, *name;
	int64_t added_at;
	int64_t enrolled_at; /* when its first certificate of all was issued; 0: it never had one */
	int64_t freed_at;    /* what was issued up to then is no longer its own; 0: all is */
	int64_t blocked_at;  /* 0: it is not blocked */
	const char *reason;  /* why it is blocked, for people; "" */
	void *memory;
};

/* What the index of names knows of a device, since it was freed. */
struct device_state {
	int64_t first_issued, last_issued;
	uint32_t issued;       /* how many certificates so far, */
	uint32_t valid;        /* and how many of them are valid */
	struct serial current; /* the newest one; len 0: there is none */
};

/* Whether its name was freed, and neither added nor given a certificate since. */
bool device_record_is_free(const struct device_record *device);
void device_record_clear(struct device_record *device);

/* A request that waits, or waited, until somebody approves it (RFC 7030 4.2.3). */
enum pending_state {
	PENDING_WAITING,
	PENDING_APPROVED,
	PENDING_DENIED,
	PENDING_ISSUED,
	PENDING_STATES
};

struct pending_record {
	unsigned char id[32];      /* what repetitions of a request have in common */
	unsigned char content[32]; /* SHA-256 of everything that an approval covers */
	unsigned char ticket[16];  /* random, of this row alone: by it people call the request */
	enum pending_state state;
	int64_t created_at, decided_at, expires_at; /* decided_at: 0 while it waits */
	unsigned char spki[32];                     /* SHA-256 of its SubjectPublicKeyInfo */
	const char *label, *profile;                /* names out of the configuration */
	const char *operation, *identity;           /* as in struct cert_record */
	const char *name, *subject, *names;         /* what the certificate is to have */
	const char *asks;       /* what else the request asks for, as text for people; "" */
	const char *decided_by; /* "" while it waits */
	const char *reason;     /* of whoever denied it, for the device; or "" */
	struct serial serial;   /* PENDING_ISSUED: the certificate; else its len is 0 */
	struct span request;    /* DER of the request as it came first */
	void *memory;
};

const char *pending_state_name(enum pending_state state); /* "waiting", "approved", ... */
void pending_record_clear(struct pending_record *pending);

/*
 * A one-time secret: who knows it may get one certificate for that name. Only its SHA-256 is
 * kept, which is as good as a slow hash because a secret has 128 random bits or more.
 */
struct secret_record {
	const char *name;                        /* the device's */
	const char *label;                       /* under which it counts; NULL: every one */
	unsigned char digest[32];                /* SHA-256 of its text */
	unsigned char named_digest[32];          /* of its text and the name (RFC 5272 6.2.3) */
	int64_t created_at, expires_at, used_at; /* used_at: 0 while it is unused */
	unsigned char used_by[32];               /* the id of the request that it was used for */
	void *memory;
};

void secret_record_clear(struct secret_record *secret);

/* A key that generated keys are encrypted under (RFC 7030 4.4.1.1); id is what requests call it. */
struct kek_record {
	struct span id;  /* octets, 1 to 64 */
	struct span key; /* 16, 24 or 32 octets */
	int64_t created_at;
	void *memory;
};

bool kek_record_fits(const struct kek_record *kek); /* whether id and key are of these sizes */
void kek_record_clear(struct kek_record *kek);      /* overwrites the key */

/*
 * The stored forms. Decoding checks every length; EST_INTERNAL where the bytes are not such a
 * record.
 */
void cert_record_encode(const struct cert_record *cert, struct buf *out);
enum outcome cert_record_decode(struct span in, struct cert_record *out);
void user_record_encode(const struct user_record *user, struct buf *out);
enum outcome user_record_decode(struct span in, struct user_record *out);
void pending_record_encode(const struct pending_record *pending, struct buf *out);
enum outcome pending_record_decode(struct span in, struct pending_record *out);
void secret_record_encode(const struct secret_record *secret, struct buf *out);
enum outcome secret_record_decode(struct span in, struct secret_record *out);
void kek_record_encode(const struct kek_record *kek, struct buf *out);
enum outcome kek_record_decode(struct span in, struct kek_record *out);
void device_record_encode(const struct device_record *device, struct buf *out);
enum outcome device_record_decode(struct span in, struct device_record *out);

#endif
