/*
 * identify.h - finding out who asks, with what the store remembers.
 */
#ifndef EST_IDENTIFY_H
#define EST_IDENTIFY_H

#include "common/auth/auth.h"
#include "common/lifecycle/service.h"

/*
 * Proves the credentials by the label's rules; contract and outcomes are auth_identify()'s. renews:
 * for a renewal, to which a certificate may come within its grace, or once more after it was
 * superseded.
 */
enum outcome identify(struct service *service, const struct label *label, bool renews,
    const struct credentials *credentials, struct identity *out);

#endif
