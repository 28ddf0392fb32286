/*
 * method.h - the ways to prove an identity, which auth.c puts together.
 */
#ifndef EST_METHOD_H
#define EST_METHOD_H

#include "common/auth/auth.h"

/* RFC 7617: verifies HTTP Basic credentials against the users that are remembered.
 * EST_UNAUTHENTICATED. */
enum outcome basic_identify(
    const struct auth *auth, const char *authorization, struct user_record *out);

/* RFC 7030 3.3.2: verifies the TLS client's certificate and looks it up. Outcomes as for
 * auth_identify(). */
enum outcome certificate_identify(
    const struct auth *auth, const struct credentials *credentials, struct identity *out);

/* Whether a user's record lets it use the label of that name. */
bool user_label_allowed(const struct user_record *user, const char *label);

/*
 * The DER of a certificate in a CGI variable: PEM with line feeds (Apache, lighttpd, nginx), PEM
 * with tabs behind them, percent-encoded PEM (nginx), or bare base64
 * (HAProxy). EST_UNAUTHENTICATED.
 */
enum outcome certificate_decode(const char *variable, struct buf *der);

#endif
