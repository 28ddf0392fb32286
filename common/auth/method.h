/*
 * method.h - the ways to prove an identity, which auth.c puts together.
 *
 * Each sets its bits of out->proven and out->spent, and what belongs to them. Outcomes as for
 * auth_identify(); EST_NOT_FOUND: nothing of the kind was offered.
 */
#ifndef EST_METHOD_H
#define EST_METHOD_H

#include "common/auth/auth.h"

/* What a way may prove here, of enum proof. */
typedef enum outcome method_identify(const struct auth *auth, unsigned proofs,
    const struct credentials *credentials, struct identity *out);

/*
 * RFC 7617: HTTP Basic credentials are those of a user, or the name of a device and its one-time
 * secret, as far as `proofs` has it. Wrong ones are counted, and too many not looked at
 * (AUTH_BACKOFF).
 */
method_identify basic_identify;

/* RFC 7030 3.3.2: verifies the TLS client's certificate and looks it up. */
method_identify certificate_identify;

/*
 * RFC 7030 3.3.3: who TLS-SRP authenticated (RFC 5054). May ask for what the record "srp:NAME"
 * says, else the label's external_names.
 */
method_identify srp_identify;

/*
 * RFC 3875 4.1.11: who the web server authenticated itself, if it is one that does. May ask for
 * what the record NAME says, else the label's external_names.
 */
method_identify external_identify;

/*
 * Whether the account may be used at the time: EST_FORBIDDEN, AUTH_ROLE; or AUTH_EXPIRED, which
 * says what is wrong only to whom it was proven that the account is his. Spent uses go to
 * identity->spent as that proof.
 */
enum outcome account_check(const struct auth *auth, const struct user_record *user,
    enum proof proof, struct identity *identity);

/* Notes whose credentials are looked at, for the log. */
void identity_call(struct identity *identity, const char *account);

/* Whether a user's record lets it use the label of that name. */
bool user_label_allowed(const struct user_record *user, const char *label);

/* Passwords that were verified within the last `cache` seconds. */
bool credential_known(
    const struct auth *auth, const struct user_record *user, struct span password);
void credential_remember(
    const struct auth *auth, const struct user_record *user, struct span password);

/*
 * The DER of a certificate in a CGI variable: PEM with line feeds (Apache, lighttpd, nginx), PEM
 * with tabs behind them, percent-encoded PEM (nginx), or bare base64
 * (HAProxy). EST_UNAUTHENTICATED.
 */
enum outcome certificate_decode(const char *variable, struct buf *der);

#endif
