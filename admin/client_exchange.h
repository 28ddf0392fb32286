/*
 * client_exchange.h - one operation of EST: a request to a server and label, and its answer.
 */
#ifndef EST_CLIENT_EXCHANGE_H
#define EST_CLIENT_EXCHANGE_H

#include "common/base/http.h"

#include "admin/client_session.h"

/*
 * GETs an operation without credentials but TLS-SRP's, whatever the status of the answer;
 * provisional: from a server whose certificate nobody verified. Outcomes: those of http_send().
 * http_response_free().
 */
enum outcome client_exchange_get(const struct client_session *session, const char *operation,
    bool provisional, struct http_response *response);

/*
 * POSTs the message, with the session's credentials, until the answer is something else than 202,
 * whatever its status: EST_PENDING where session->wait runs out before. A bound message goes by a
 * connection on which cacerts was asked for just before, and is made of that connection's channel
 * binding; EST_CONFLICT where the TLS session has none. Other outcomes: those of http_send().
 */
enum outcome client_exchange_post(struct client_session *session,
    const struct client_message *message, struct http_response *response);

/*
 * The outcome of an answer that is not the one hoped for (401 EST_UNAUTHENTICATED, 403
 * EST_FORBIDDEN, 404 EST_NOT_FOUND, 429 EST_THROTTLED, 503 EST_UNAVAILABLE, others EST_CONFLICT),
 * with what the server says in text/plain as its reason.
 */
enum outcome client_exchange_refused(const struct client_session *session, const char *operation,
    const struct http_response *response);

/* Whether a Content-Type is of that media type, whatever its parameters; NULL is of none. */
bool client_exchange_is(const char *content_type, const char *type);

#endif
