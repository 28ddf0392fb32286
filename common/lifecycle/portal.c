#include "common/lifecycle/portal.h"

#include <stdlib.h>
#include <string.h>

static enum outcome open_cas(struct portal *portal, bool sign)
{
	const struct config *config = portal->config;

	portal->cas = mem_alloc(config->ca_count * sizeof(portal->cas[0]));
	for (size_t i = 0; i < config->ca_count; i++) {
		enum outcome outcome = ca_open(&config->cas[i], sign, &portal->cas[i]);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static enum outcome make_profiles(struct portal *portal)
{
	const struct config *config = portal->config;

	portal->profiles = mem_alloc(config->profile_count * sizeof(portal->profiles[0]));
	for (size_t i = 0; i < config->profile_count; i++) {
		enum outcome outcome =
		    profile_make(config->path, &config->profiles[i], &portal->profiles[i]);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

/* config's CAs and profiles and ours stand at the same places of their arrays. */
static enum outcome make_labels(struct portal *portal)
{
	const struct config *config = portal->config;

	portal->labels = mem_alloc(config->label_count * sizeof(portal->labels[0]));
	for (size_t i = 0; i < config->label_count; i++) {
		struct label *label = &portal->labels[i];
		enum outcome outcome;
		label->config = &config->labels[i];
		label->ca = portal->cas[label->config->ca - config->cas];
		label->profile = portal->profiles[label->config->profile - config->profiles];
		outcome = trust_make(label->config, label->ca->certificate, &label->trust);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static enum outcome open_store(struct portal *portal)
{
	struct store_settings settings = {
	    .directory = portal->config->state, .cache = (uint64_t)portal->config->cache};

	return store_open(&settings, &portal->store);
}

enum outcome portal_open(const char *path, unsigned what, struct portal **out)
{
	struct portal *portal = mem_alloc(sizeof(*portal));
	enum outcome outcome = config_load(config_path(path), &portal->config);

	if (outcome == EST_OK && (what & PORTAL_LABELS) != 0) {
		outcome = open_cas(portal, (what & PORTAL_SIGN) != 0);
		if (outcome == EST_OK)
			outcome = make_profiles(portal);
		if (outcome == EST_OK)
			outcome = make_labels(portal);
	}
	if (outcome == EST_OK && (what & PORTAL_STORE) != 0)
		outcome = open_store(portal);
	if (outcome != EST_OK) {
		portal_close(portal);
		return outcome;
	}
	*out = portal;
	return EST_OK;
}

void portal_close(struct portal *portal)
{
	if (portal == NULL)
		return;
	for (size_t i = 0; portal->labels != NULL && i < portal->config->label_count; i++)
		trust_free(portal->labels[i].trust);
	for (size_t i = 0; portal->profiles != NULL && i < portal->config->profile_count; i++)
		profile_free(portal->profiles[i]);
	for (size_t i = 0; portal->cas != NULL && i < portal->config->ca_count; i++)
		ca_close(portal->cas[i]);
	free(portal->labels);
	free(portal->profiles);
	free(portal->cas);
	store_close(portal->store);
	config_free(portal->config);
	free(portal);
}

const struct label *portal_label(const struct portal *portal, struct span name)
{
	for (size_t i = 0; i < portal->config->label_count; i++)
		if (span_equal(span_of(portal->labels[i].config->name), name))
			return &portal->labels[i];
	return NULL;
}
