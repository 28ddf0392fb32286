/*
 * predecessor.h - the certificate that a request is to renew. For enroll.c.
 */
#ifndef EST_PREDECESSOR_H
#define EST_PREDECESSOR_H

#include "common/lifecycle/enroll.h"
#include "common/pki/cert.h"

/* The certificate that is being renewed, and what of it the new one takes over. */
struct predecessor {
	struct cert_record record;
	struct cert_parts parts;
	struct sans sans;
};

/*
 * Finds it (RFC 7030 4.2.2): the certificate that asks, or, for who comes with a password, the one
 * that the store knows under the same names. EST_FORBIDDEN: there is none, its names are not those
 * of the request, or who asks may not have them. The caller clears old->record.
 */
enum outcome predecessor_find(
    struct service *service, const struct enrollment *enrollment, struct predecessor *old);

#endif
