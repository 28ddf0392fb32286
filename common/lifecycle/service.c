#include "common/lifecycle/service.h"

#include <stdlib.h>
#include <string.h>

static enum outcome open_cas(struct service *service, bool sign)
{
	const struct config *config = service->config;

	service->cas = mem_alloc(config->ca_count * sizeof(service->cas[0]));
	for (size_t i = 0; i < config->ca_count; i++) {
		enum outcome outcome = ca_open(&config->cas[i], sign, &service->cas[i]);
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
		outcome = trust_make(label->config, label->ca->certificate, &label->trust);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static enum outcome open_store(struct service *service)
{
	struct store_settings settings = {
	    .directory = service->config->state, .cache = (uint64_t)service->config->cache};

	return store_open(&settings, &service->store);
}

enum outcome service_open(const char *path, unsigned what, struct service **out)
{
	struct service *service = mem_alloc(sizeof(*service));
	enum outcome outcome = config_load(config_path(path), &service->config);

	if (outcome == EST_OK && (what & SERVICE_LABELS) != 0) {
		outcome = open_cas(service, (what & SERVICE_SIGN) != 0);
		if (outcome == EST_OK)
			outcome = make_profiles(service);
		if (outcome == EST_OK)
			outcome = make_labels(service);
	}
	if (outcome == EST_OK && (what & SERVICE_STORE) != 0)
		outcome = open_store(service);
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
	for (size_t i = 0; service->labels != NULL && i < service->config->label_count; i++)
		trust_free(service->labels[i].trust);
	for (size_t i = 0; service->profiles != NULL && i < service->config->profile_count; i++)
		profile_free(service->profiles[i]);
	for (size_t i = 0; service->cas != NULL && i < service->config->ca_count; i++)
		ca_close(service->cas[i]);
	free(service->labels);
	free(service->profiles);
	free(service->cas);
	store_close(service->store);
	config_free(service->config);
	free(service);
}

const struct label *service_label(const struct service *service, struct span name)
{
	for (size_t i = 0; i < service->config->label_count; i++)
		if (span_equal(span_of(service->labels[i].config->name), name))
			return &service->labels[i];
	return NULL;
}
