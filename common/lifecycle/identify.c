#include "common/lifecycle/identify.h"

#include "common/base/clock.h"

static enum outcome remember_user(void *context, const char *name, struct user_record *out)
{
	return store_user_get(context, name, out);
}

static enum outcome remember_certificate(
    void *context, const struct serial *serial, struct cert_record *out)
{
	return store_cert_get(context, serial, out);
}

enum outcome identify(struct service *service, const struct label *label, bool renews,
    const struct credentials *credentials, struct identity *out)
{
	struct auth auth = {.label = label->config,
	    .trust = label->trust,
	    .memory = {service->store, remember_user, remember_certificate},
	    .cache = service->config->credential_cache,
	    .now = clock_now()};

	if (renews) {
		auth.grace = label->config->grace;
		auth.superseded_since = auth.now - service->config->retry_window;
	}
	return auth_identify(&auth, credentials, out);
}
