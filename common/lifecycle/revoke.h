/*
 * revoke.h - taking a certificate back.
 */
#ifndef EST_REVOKE_H
#define EST_REVOKE_H

#include "common/lifecycle/service.h"

/*
 * Revokes the certificate for a reason of RFC 5280 5.3.1 (revocation_code()). Durable on EST_OK,
 * and honoured by every worker from then on. One that is revoked already keeps its date and reason,
 * which is no error; but keyCompromise replaces another reason, and blocks the key from
 * then on. EST_NOT_FOUND; EST_CONFLICT where it has expired. *out is the record as it
 * stands then (cert_record_clear() it).
 */
enum outcome revoke(
    struct service *service, const struct serial *serial, int reason_code, struct cert_record *out);

#endif
