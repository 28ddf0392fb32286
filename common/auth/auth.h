/*
 * auth.h - who asks, and may they ask for that name?
 *
 * The two questions have two functions and two types: an identity is proven by auth_identify()
 * before a request is looked into; what it may have is decided by auth_allows() from the names in
 * the request. Whatever is not allowed is refused.
 */
#ifndef EST_AUTH_H
#define EST_AUTH_H

#include "common/auth/trust.h"
#include "common/base/limiter.h"
#include "common/pki/csr.h"
#include "common/pki/record.h"

/* What the web server handed over. NULL where there is none. */
struct credentials {
	const char *authorization; /* HTTP Authorization */
	const char *certificate;   /* the TLS client's, in any of the forms that web servers use */
	char *const *chain;        /* what it sent behind it: the same forms; NULL-terminated */
	const char *srp_user, *srp_info; /* of TLS-SRP */
	const char *cipher;              /* of the TLS connection */
	const char *resumed;             /* SSL_SESSION_RESUMED: "Initial" or "Resumed" */
	const char *remote_user, *auth_type, *server; /* REMOTE_USER, AUTH_TYPE, SERVER_SOFTWARE */
	const char *address;                          /* of the client */
};

/* The ways to prove an identity, as bits. */
enum proof {
	PROOF_PASSWORD = 1,    /* HTTP Basic: the password of a user of the store */
	PROOF_SECRET = 2,      /* HTTP Basic: the one-time secret of a device */
	PROOF_CERTIFICATE = 4, /* a TLS client certificate */
	PROOF_SRP = 8,         /* TLS-SRP */
	PROOF_EXTERNAL = 16,   /* the web server's own authentication */
	PROOF_LAST = PROOF_EXTERNAL
};

#define AUTH_METHODS 16

/*
 * Who asks, as far as it was proven. `granted` are the label's methods that are content: sets of
 * proofs, of each of which all have to allow a name.
 */
struct identity {
	unsigned proven; /* of enum proof */
	unsigned granted[AUTH_METHODS];
	size_t granted_count;
	struct user_record user;        /* PROOF_PASSWORD */
	struct user_record srp;         /* PROOF_SRP */
	struct user_record external;    /* PROOF_EXTERNAL */
	struct secret_record secret;    /* PROOF_SECRET */
	enum trust_kind trust;          /* PROOF_CERTIFICATE */
	struct cert_record certificate; /* TRUST_EXPLICIT: what we issued */
	bool is_ra;                     /* a registration authority (RFC 7030 3.7) that the */
	struct user_record ra;          /* operator registered: with patterns of names of others */
	bool late;                      /* the certificate is past its end, but within its grace */
	bool
	    superseded; /* by its successor: good to be given that once more, and for nothing else */
	/* Proofs that are used up: good to be answered as before, and for nothing else. */
	unsigned spent;
	struct buf der;        /* the client certificate */
	struct buf maker_name; /* TRUST_IMPLICIT: the device's name by the label's rule; or empty */
	bool by_server;        /* the web server has checked credentials, which count or not */
	unsigned retry_after;  /* EST_THROTTLED: seconds */
	const char *note;      /* of a refusal, for the log alone: what the client is not told */
	char *account;         /* whose credentials were refused, for the log alone; or NULL */
	/*
	 * "user:pump", "device:pump", "srp:pump", "external:pump", "certificate:SERIAL",
	 * "foreign-certificate:SHA-256"; of several with commas between them
	 */
	char *text;
};

/* What is remembered of users and certificates, without knowing where: EST_NOT_FOUND where there is
 * none. */
struct auth_memory {
	void *context;
	enum outcome (*user)(void *context, const char *name, struct user_record *out);
	enum outcome (*secret)(void *context, const char *name, struct secret_record *out);
	enum outcome (*rehash)(
	    void *context, const char *name, const char *before, const char *hash);
	enum outcome (*certificate)(
	    void *context, const struct serial *serial, struct cert_record *out);
};

/* Where wrong guesses are counted, and how they slow the next ones down. */
struct guesses {
	struct limiter *limiter; /* NULL: nowhere */
	struct backoff account, address;
};

/* Who may be believed: a label's rules, and what is remembered. */
struct auth {
	const struct config_label *label;
	const struct trust *trust;
	struct auth_memory memory;
	const struct guesses *guesses; /* NULL: nobody counts them */
	unsigned only;                 /* of enum proof: others do not count here; 0: all do */
	int64_t cache;                 /* seconds that a verified password is remembered */
	int64_t grace;            /* seconds that a certificate of ours counts beyond its end */
	int64_t superseded_since; /* those superseded before that do not count; 0: none does */
	int64_t now;
};

/* All that a label's `authenticate` makes use of, of enum proof. */
unsigned auth_proofs(const struct config_label *label);

/*
 * Finds out who asks, by the label's methods. EST_UNAUTHENTICATED: nobody proved anything, and
 * credentials can still be offered; EST_FORBIDDEN: who asks is known and refused, or the label
 * wants a certificate and none came that it believes; EST_THROTTLED: too many wrong credentials
 * lately, and none were looked at; EST_UNAVAILABLE: the store could not be asked. Each with its
 * AUTH_ code: where a certificate and a password failed, that of the outcome. The caller calls
 * identity_clear(out) whatever the outcome.
 */
enum outcome auth_identify(
    const struct auth *auth, const struct credentials *credentials, struct identity *out);
void identity_clear(struct identity *identity);

/*
 * Appends who a proof says it is, the same for each certificate of one device: "user:pump",
 * "certificate of:pump-7".
 */
void identity_describe(const struct identity *identity, enum proof proof, struct buf *out);

/* Whether it was proven. */
bool identity_has(const struct identity *identity, enum proof proof);
/* Forgets the methods that rest on any of these, and what is proven for none of the others. */
void identity_drop(struct identity *identity, unsigned proofs);
/* Whether one of the label's methods is content with these proofs alone. */
bool identity_suffices(const struct identity *identity, unsigned proofs);
/* The first user of these proofs whose uses count, or NULL. */
const char *identity_counted(const struct identity *identity, unsigned proofs);

/*
 * Whether the identity may have a certificate for these names: a user for names that match its
 * patterns, a device with a secret for its own name alone, a certificate for its own name (that of
 * its manufacturer: for the name that the label's rule makes of it), and a registration authority
 * also for those that match its patterns. EST_FORBIDDEN, NAME_NOT_ALLOWED.
 */
enum outcome auth_allows(
    const struct identity *identity, const struct name *name, const struct sans *sans);

/*
 * Which of its proofs are used up by a certificate for these names, of enum proof: none where a way
 * without any such proof allows them; else the one that does, one that is not spent yet before
 * others, a one-time secret before accounts; all where no one does alone.
 */
unsigned auth_consumes(
    const struct identity *identity, const struct name *name, const struct sans *sans);

/* The name that was proven: the certificate's device name, the secret's, else the user's.
 * Appends. */
void auth_name(const struct identity *identity, struct buf *out);

#endif
