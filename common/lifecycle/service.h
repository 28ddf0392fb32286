/*
 * service.h - the instance: its configuration, its store, and its labels with their CAs and
 * profiles.
 *
 * Every program opens one and hands it to the acts of this floor.
 */
#ifndef EST_SERVICE_H
#define EST_SERVICE_H

#include "common/auth/trust.h"
#include "common/base/config.h"
#include "common/base/limiter.h"
#include "common/base/helper.h"
#include "common/ca/ca.h"
#include "common/pki/blocklist.h"
#include "common/pki/profile.h"
#include "common/store/store.h"

/* A label as the acts see it: what est.conf says of it, made ready. */
struct label {
	const struct config_label *config;
	struct ca *ca;
	struct profile *profile;
	struct trust *trust;  /* whose client certificates it believes */
	struct buf csrattrs;  /* DER; empty: nothing is demanded */
	struct buf eecerts;   /* DER: certs-only of the files of eecerts; or empty */
	unsigned renew_after; /* percent of its life that a certificate has to have behind it */
};

struct service {
	struct config *config;
	struct helper *helper;   /* starts the labels' hooks; NULL without SERVICE_HOOKS, or any */
	struct store *store;     /* NULL without SERVICE_STORE */
	struct limiter *limiter; /* NULL without SERVICE_LIMITS */
	struct ca **cas;         /* config->ca_count of them, or NULL */
	struct name *ca_names;   /* their subjects, which no certificate may have */
	struct profile **profiles;
	struct blocklist *blocklist; /* keys that no certificate is made of; with SERVICE_LABELS */
	struct label *labels;        /* config->label_count of them, or NULL */
};

/* What service_open() makes ready besides the configuration. */
enum {
	SERVICE_STORE = 1,  /* the store is open */
	SERVICE_LABELS = 2, /* CAs' certificates, profiles, labels; no key */
	SERVICE_SIGN = 4,   /* with SERVICE_LABELS: the CAs' keys too */
	SERVICE_LIMITS = 16, /* rates and wrong guesses are counted, in <state>/limits */
	SERVICE_HOOKS = 8,  /* the process that starts hooks, where a label has one */
};

/* config_path as for config_path(). *out is given back with service_close(). */
enum outcome service_open(const char *config_path, unsigned what, struct service **out);
void service_close(struct service *service); /* NULL is fine */

/* How many octets a request may have under the label. */
size_t service_csr_limit(const struct service *service, const struct label *label);

/* The label of that name, "" for the default one; NULL if there is none. */
const struct label *service_label(const struct service *service, struct span name);

#endif
