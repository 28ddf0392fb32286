#include "common/lifecycle/identify.h"

#include "common/base/clock.h"
#include "common/base/refusal.h"

static enum outcome remember_user(void *context, const char *name, struct user_record *out)
{
	return store_user_get(context, name, out);
}

static enum outcome remember_secret(void *context, const char *name, struct secret_record *out)
{
	return store_secret_get(context, name, out);
}

static enum outcome remember_rehash(
    void *context, const char *name, const char *before, const char *hash)
{
	return store_user_rehash(context, name, before, hash);
}

static enum outcome remember_certificate(
    void *context, const struct serial *serial, struct cert_record *out)
{
	return store_cert_get(context, serial, out);
}

enum outcome identify(struct service *service, const struct asking *asking,
    const struct credentials *credentials, struct identity *out)
{
	const struct config *config = service->config;
	const struct guesses guesses = {service->limiter,
	    {config->backoff_account, config->backoff_most, config->backoff_forget},
	    {config->backoff_address, config->backoff_most, config->backoff_forget}};
	struct auth auth = {.label = asking->label->config,
	    .trust = asking->label->trust,
	    .memory = {service->store, remember_user, remember_secret, remember_rehash,
		remember_certificate},
	    .guesses = &guesses,
	    .only = asking->bootstrap ? PROOF_PASSWORD | PROOF_SECRET : 0,
	    .cache = config->credential_cache,
	    .now = clock_now()};

	if (asking->renews) {
		auth.grace = asking->label->config->grace;
		auth.superseded_since = auth.now - config->retry_window;
	}
	return auth_identify(&auth, credentials, out);
}

/* --- rates --- */

/* One of a label's rates, and in whose name a request is refused. */
struct meter {
	enum limiter_kind kind;
	const char *rate, *whose;
};

/* The label's name is part of the key: each label counts for itself. */
static enum outcome take(struct service *service, const struct label *label,
    const struct meter *meter, struct span what, unsigned *retry_after)
{
	struct rate rate;
	struct buf key = {0};
	int64_t wait;

	if (meter->rate == NULL || !rate_parse(meter->rate, &rate))
		return EST_OK;
	buf_printf(&key, "%s/", label->config->name);
	buf_add_span(&key, what);
	wait = limiter_take(service->limiter, meter->kind, buf_span(&key), &rate, clock_wall());
	buf_free(&key);
	if (wait == 0)
		return EST_OK;
	*retry_after = (unsigned)((wait + 999999) / 1000000);
	return refuse(
	    AUTH_RATE, "too many requests %s; try again in %u seconds", meter->whose, *retry_after);
}

enum outcome identify_admit(
    struct service *service, const struct label *label, const char *address, unsigned *retry_after)
{
	const struct meter meter = {
	    LIMITER_ADDRESS, label->config->rate_address, "from this address"};
	struct buf key = {0};
	enum outcome outcome;

	limiter_address(address, &key);
	outcome = take(service, label, &meter, buf_span(&key), retry_after);
	buf_free(&key);
	return outcome;
}

enum outcome identify_meter(struct service *service, const struct label *label,
    const struct identity *identity, unsigned *retry_after)
{
	const struct meter by_identity = {
	    LIMITER_IDENTITY, label->config->rate_identity, "of this identity"};
	const struct meter by_label = {
	    LIMITER_LABEL, label->config->rate_label, "under this label"};
	enum outcome outcome = EST_OK;

	for (unsigned proof = 1; outcome == EST_OK && proof <= PROOF_LAST; proof <<= 1) {
		struct buf key = {0};
		if ((identity->proven & proof) != 0) {
			identity_describe(identity, (enum proof)proof, &key);
			outcome = take(service, label, &by_identity, buf_span(&key), retry_after);
		}
		buf_free(&key);
	}
	if (outcome != EST_OK)
		return outcome;
	return take(service, label, &by_label, (struct span){NULL, 0}, retry_after);
}
