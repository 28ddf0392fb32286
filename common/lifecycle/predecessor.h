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
	struct name name;
	struct sans sans;
	bool another; /* than the certificate that asks, though that one asks for itself */
};

/*
 * Finds it (RFC 7030 4.2.2): the certificate that asks, or one of the same subject that the store
 * knows (3.3.2), or, for who comes with a password or speaks for others, the one that the store
 * knows under the names of the request. EST_FORBIDDEN: there is none, its names are not those of
 * the request, or who asks may not have them. The caller calls predecessor_clear(old).
 */
enum outcome predecessor_find(
    struct service *service, const struct enrollment *enrollment, struct predecessor *old);
void predecessor_clear(struct predecessor *old);

/* Whether so much of its life is over as the label wants: EST_FORBIDDEN, RENEW_EARLY. */
enum outcome predecessor_ripe(const struct label *label, const struct predecessor *old);

#endif
