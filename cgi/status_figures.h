/*
 * status_figures.h - what the pages of status.cgi show, however they show it. The cost of none of
 * it grows with the number of certificates.
 */
#ifndef EST_STATUS_FIGURES_H
#define EST_STATUS_FIGURES_H

#include "common/base/metrics.h"
#include "common/lifecycle/service.h"

#define STATUS_NEWEST 20 /* certificates that a page shows */

/* The sum over all labels; it has no name. */
struct label_total status_sum(const struct store_totals *totals);

/* Hands over the newest certificates, the latest first. */
typedef void status_cert(void *context, const struct cert_record *cert);
enum outcome status_newest(struct store *store, status_cert *each, void *context);

/* Hands over the counters of the workers; none where nothing was ever counted. EST_UNAVAILABLE. */
enum outcome status_counters(const struct config *config, metrics_figure *each, void *context);

#endif
