/*
 * identify.h - finding out who asks, with what the store remembers, and how often they may.
 */
#ifndef EST_IDENTIFY_H
#define EST_IDENTIFY_H

#include "common/auth/auth.h"
#include "common/lifecycle/service.h"

/* What is asked for. */
struct asking {
	const struct label *label;
	/*
	 * A renewal, to which a certificate may come within its grace, or once more after it was
	 * superseded.
	 */
	bool renews;
	bool bootstrap; /* HTTP Basic only counts, whatever else came */
};

/* Proves the credentials by the label's rules; contract and outcomes are auth_identify()'s. */
enum outcome identify(struct service *service, const struct asking *asking,
    const struct credentials *credentials, struct identity *out);

/*
 * Takes one request of what the label's rate_address allows, before anybody is asked who they are:
 * EST_THROTTLED (AUTH_RATE) with the seconds to wait.
 */
enum outcome identify_admit(struct service *service, const struct label *label,
    const char *address, unsigned *retry_after);

/*
 * The same of its rate_identity and rate_label, once it is known who asks: strangers use up nothing
 * of what is for all. Each proof is one identity, and a device's certificates are one.
 */
enum outcome identify_meter(struct service *service, const struct label *label,
    const struct identity *identity, unsigned *retry_after);

#endif
