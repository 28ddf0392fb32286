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
#include "common/pki/csr.h"
#include "common/pki/record.h"

/* What the web server handed over. NULL where there is none. */
struct credentials {
	const char *authorization; /* HTTP Authorization */
	const char *certificate;   /* the TLS client's, in any of the forms that web servers use */
	char *const *chain;        /* what it sent behind it: the same forms; NULL-terminated */
};

struct identity {
	bool by_password, by_certificate; /* what was proven; where a label wants both, both */
	bool wants_both;
	struct user_record user;        /* by_password */
	enum trust_kind trust;          /* by_certificate */
	struct cert_record certificate; /* TRUST_EXPLICIT: what we issued */
	bool is_ra;                     /* a registration authority (RFC 7030 3.7) that the */
	struct user_record ra;          /* operator registered: with patterns of names of others */
	bool late;                      /* the certificate is past its end, but within its grace */
	bool
	    superseded; /* by its successor: good to be given that once more, and for nothing else */
	struct buf der; /* the client certificate */
	char *text;     /* "user:pump", "certificate:SERIAL", "foreign-certificate:SHA-256" */
};

/* What is remembered of users and certificates, without knowing where: EST_NOT_FOUND where there is
 * none. */
struct auth_memory {
	void *context;
	enum outcome (*user)(void *context, const char *name, struct user_record *out);
	enum outcome (*certificate)(
	    void *context, const struct serial *serial, struct cert_record *out);
};

/* Who may be believed: a label's rules, and what is remembered. */
struct auth {
	const struct config_label *label;
	const struct trust *trust;
	struct auth_memory memory;
	int64_t cache;            /* seconds that a verified password is remembered */
	int64_t grace;            /* seconds that a certificate of ours counts beyond its end */
	int64_t superseded_since; /* those superseded before that do not count; 0: none does */
	int64_t now;
};

/*
 * Finds out who asks. EST_UNAUTHENTICATED: nobody proved anything, and credentials can still be
 * offered; EST_FORBIDDEN: who asks is known and refused, or the label wants a certificate and none
 * came that it believes; EST_UNAVAILABLE: the store could not be asked. Each with its AUTH_ code:
 * where a certificate and a password failed, that of the outcome. The caller calls
 * identity_clear(out) whatever the outcome.
 */
enum outcome auth_identify(
    const struct auth *auth, const struct credentials *credentials, struct identity *out);
void identity_clear(struct identity *identity);

/*
 * Whether the identity may have a certificate for these names: a user for names that match its
 * patterns, a certificate for its own name, and a registration authority also for those that match
 * its patterns. EST_FORBIDDEN, NAME_NOT_ALLOWED.
 */
enum outcome auth_allows(
    const struct identity *identity, const struct name *name, const struct sans *sans);

/* The name that was proven: the certificate's device name, else the user's. Appends. */
void auth_name(const struct identity *identity, struct buf *out);

#endif
