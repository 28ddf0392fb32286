/*
 * portal.h - the instance: its configuration, its store, and its labels with their CAs and
 * profiles.
 *
 * Every program opens one and hands it to the acts of this floor.
 */
#ifndef EST_PORTAL_H
#define EST_PORTAL_H

#include "common/auth/trust.h"
#include "common/base/config.h"
#include "common/ca/ca.h"
#include "common/pki/profile.h"
#include "common/store/store.h"

/* A label as the acts see it: what est.conf says of it, made ready. */
struct label {
	const struct config_label *config;
	struct ca *ca;
	struct profile *profile;
	struct trust *trust; /* whose client certificates it believes */
};

struct portal {
	struct config *config;
	struct store *store; /* NULL without PORTAL_STORE */
	struct ca **cas;     /* config->ca_count of them, or NULL */
	struct profile **profiles;
	struct label *labels; /* config->label_count of them, or NULL */
};

/* What portal_open() makes ready besides the configuration. */
enum {
	PORTAL_STORE = 1,  /* the store is open */
	PORTAL_LABELS = 2, /* CAs' certificates, profiles, labels; no key */
	PORTAL_SIGN = 4,   /* with PORTAL_LABELS: the CAs' keys too */
};

/* config_path as for config_path(). *out is given back with portal_close(). */
enum outcome portal_open(const char *config_path, unsigned what, struct portal **out);
void portal_close(struct portal *portal); /* NULL is fine */

/* The label of that name, "" for the default one; NULL if there is none. */
const struct label *portal_label(const struct portal *portal, struct span name);

#endif
