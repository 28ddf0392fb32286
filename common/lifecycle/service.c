#include "common/lifecycle/service.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>

#include "common/auth/manufacturer.h"
#include "common/base/file.h"
#include "common/lifecycle/eecerts.h"
#include "common/lifecycle/hook.h"
#include "common/pki/csrattrs.h"
#include "common/pki/pem.h"

static enum outcome open_cas(struct service *service, bool sign)
{
	const struct config *config = service->config;

	service->cas = mem_alloc(config->ca_count * sizeof(service->cas[0]));
	service->ca_names = mem_alloc(config->ca_count * sizeof(service->ca_names[0]));
	for (size_t i = 0; i < config->ca_count; i++) {
		enum outcome outcome = ca_open(&config->cas[i], sign, &service->cas[i]);
		if (outcome == EST_OK)
			outcome = name_parse(service->cas[i]->subject, &service->ca_names[i]);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static enum outcome make_profiles(struct service *service)
{
	const struct config *config = service->config;

	service->profiles = mem_alloc(config->profile_count * sizeof(service->profiles[0]));
	for (size_t i = 0; i < config->profile_count; i++) {
		enum outcome outcome =
		    profile_make(config->path, &config->profiles[i], &service->profiles[i]);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static enum outcome make_csrattrs(const struct config *config, struct label *label)
{
	const struct csrattrs_plan plan = {config->path, label->config, label->profile};

	return csrattrs_make(&plan, &label->csrattrs);
}

static enum outcome check_manufacturer(
    const struct config *config, const struct config_label *label)
{
	const char *fault = label->manufacturer_name == NULL
				? NULL
				: manufacturer_rule_check(label->manufacturer_name);

	if (fault == NULL)
		return EST_OK;
	return reason(EST_MALFORMED, "%s:%d: label \"%s\": manufacturer_name: \"%.60s\" %s",
	    config->path, label->line, label->name, label->manufacturer_name, fault);
}

static enum outcome check_generated(const struct config *config, const struct config_label *label)
{
	if (label->generated_key == NULL || words_have(&label->profile->keys, label->generated_key))
		return EST_OK;
	return reason(EST_MALFORMED,
	    "%s:%d: label \"%s\": generated_key: \"%.60s\" is none of the keys of profile \"%s\"",
	    config->path, label->line, label->name, label->generated_key, label->profile->name);
}

/* config's CAs and profiles and ours stand at the same places of their arrays. */
static enum outcome make_labels(struct service *service)
{
	const struct config *config = service->config;

	service->labels = mem_alloc(config->label_count * sizeof(service->labels[0]));
	for (size_t i = 0; i < config->label_count; i++) {
		struct label *label = &service->labels[i];
		enum outcome outcome;
		label->config = &config->labels[i];
		label->ca = service->cas[label->config->ca - config->cas];
		label->profile = service->profiles[label->config->profile - config->profiles];
		/* What the lint has against this profile is better known before a device asks. */
		outcome = ca_prove(label->ca, label->profile);
		if (outcome == EST_OK)
			outcome = trust_make(label->config, label->ca->certificate, &label->trust);
		if (outcome == EST_OK)
			outcome = check_generated(config, label->config);
		if (outcome == EST_OK)
			outcome = check_manufacturer(config, label->config);
		if (outcome == EST_OK)
			outcome = make_csrattrs(config, label);
		if (outcome == EST_OK)
			outcome = eecerts_make(&label->config->eecerts, &label->eecerts);
		label->renew_after = (unsigned)strtoul(label->config->renew_after, NULL, 10);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

/*
 * A key in the encoding that requests have to have: a certificate of
 * others may hold a compressed point.
 */
static enum outcome reserve_key(struct service *service, X509 *certificate)
{
	EVP_PKEY *key = X509_get_pubkey(certificate);
	unsigned char digest[32], *der = NULL;
	struct key_info info;
	struct span spki;
	int len = -1;

	if (key != NULL && EVP_PKEY_is_a(key, "EC") == 1)
		(void)EVP_PKEY_set_utf8_string_param(
		    key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
	if (key != NULL)
		len = i2d_PUBKEY(key, &der);
	EVP_PKEY_free(key);
	if (len <= 0)
		return reason_openssl(EST_MALFORMED, "a certificate's public key cannot be read");
	spki = (struct span){der, (size_t)len};
	if (key_parse(spki, &info) == EST_OK)
		key_identity(&info, digest);
	else
		key_sha256(spki, digest); /* of a kind that no device may have anyway */
	reason_clear();
	OPENSSL_free(der);
	blocklist_reserve(service->blocklist, digest);
	return EST_OK;
}

static enum outcome reserve_chain(struct service *service, const STACK_OF(X509) *chain)
{
	enum outcome outcome = EST_OK;

	for (int i = 0; outcome == EST_OK && i < sk_X509_num(chain); i++)
		outcome = reserve_key(service, sk_X509_value(chain, i));
	return outcome;
}

static enum outcome reserve_files(struct service *service, const struct words *files)
{
	enum outcome outcome = EST_OK;

	for (size_t i = 0; outcome == EST_OK && i < files->count; i++) {
		STACK_OF(X509) *chain = NULL;
		outcome = pem_certificates(files->word[i], &chain);
		if (outcome == EST_OK)
			outcome = reserve_chain(service, chain);
		sk_X509_pop_free(chain, X509_free);
	}
	return outcome;
}

/*
 * No device may have the key of a CA, ours or one that we believe, nor of
 * the web server (CA/B BR 6.1.1.3).
 */
static enum outcome make_blocklist(struct service *service)
{
	const struct config *config = service->config;
	enum outcome outcome = blocklist_make(&config->blocked_keys, &service->blocklist);

	for (size_t i = 0; outcome == EST_OK && i < config->ca_count; i++) {
		outcome = reserve_key(service, service->cas[i]->certificate);
		if (outcome == EST_OK)
			outcome = reserve_chain(service, service->cas[i]->chain);
	}
	for (size_t i = 0; outcome == EST_OK && i < config->label_count; i++) {
		outcome = reserve_files(service, &config->labels[i].trust_anchors);
		if (outcome == EST_OK)
			outcome = reserve_files(service, &config->labels[i].intermediates);
	}
	return outcome == EST_OK ? reserve_files(service, &config->server_certificates) : outcome;
}

static enum outcome open_store(struct service *service)
{
	struct store_settings settings = {
	    .directory = service->config->state, .cache = (uint64_t)service->config->cache};

	return store_open(&settings, &service->store);
}

/* Without it there would be no limits, so that is no time to serve. */
static enum outcome open_limiter(struct service *service)
{
	char *path = file_path(service->config->state, "limits");
	enum outcome outcome = limiter_open(path, &service->limiter);

	free(path);
	return outcome;
}

enum outcome service_open(const char *path, unsigned what, struct service **out)
{
	struct service *service = mem_alloc(sizeof(*service));
	enum outcome outcome = config_load(config_path(path), &service->config);

	/* Its process is to know no key, and none may fork while a store is open. */
	if (outcome == EST_OK && (what & SERVICE_HOOKS) != 0)
		outcome = hook_prepare(service->config, &service->helper);
	if (outcome == EST_OK && (what & SERVICE_LABELS) != 0) {
		outcome = open_cas(service, (what & SERVICE_SIGN) != 0);
		if (outcome == EST_OK)
			outcome = make_profiles(service);
		if (outcome == EST_OK)
			outcome = make_labels(service);
		if (outcome == EST_OK)
			outcome = make_blocklist(service);
	}
	if (outcome == EST_OK && (what & SERVICE_STORE) != 0)
		outcome = open_store(service);
	if (outcome == EST_OK && (what & SERVICE_LIMITS) != 0)
		outcome = open_limiter(service);
	if (outcome != EST_OK) {
		service_close(service);
		return outcome;
	}
	*out = service;
	return EST_OK;
}

void service_close(struct service *service)
{
	if (service == NULL)
		return;
	for (size_t i = 0; service->labels != NULL && i < service->config->label_count; i++) {
		trust_free(service->labels[i].trust);
		buf_free(&service->labels[i].csrattrs);
		buf_free(&service->labels[i].eecerts);
	}
	for (size_t i = 0; service->profiles != NULL && i < service->config->profile_count; i++)
		profile_free(service->profiles[i]);
	for (size_t i = 0; service->cas != NULL && i < service->config->ca_count; i++) {
		ca_close(service->cas[i]);
		name_clear(&service->ca_names[i]);
	}
	blocklist_free(service->blocklist);
	free(service->labels);
	free(service->profiles);
	free(service->cas);
	free(service->ca_names);
	limiter_close(service->limiter);
	store_close(service->store);
	helper_stop(service->helper);
	config_free(service->config);
	free(service);
}

size_t service_csr_limit(const struct service *service, const struct label *label)
{
	int64_t own = label->config->csr_limit;

	return (size_t)(own > 0 ? own : service->config->csr_limit);
}

const struct label *service_label(const struct service *service, struct span name)
{
	for (size_t i = 0; i < service->config->label_count; i++)
		if (span_equal(span_of(service->labels[i].config->name), name))
			return &service->labels[i];
	return NULL;
}
