#include "cgi/status_figures.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"

#define PAGES_MAX 5 /* of the store, for the newest: a page may be short while others follow */

struct label_total status_sum(const struct store_totals *totals)
{
	struct label_total sum = {0};

	for (size_t i = 0; i < totals->count; i++) {
		sum.issued += totals->labels[i].issued;
		sum.valid += totals->labels[i].valid;
		sum.revoked += totals->labels[i].revoked;
		sum.expired += totals->labels[i].expired;
	}
	return sum;
}

enum outcome status_newest(struct store *store, status_cert *each, void *context)
{
	struct cert_query query = {.order = CERTS_BY_ISSUE, .limit = STATUS_NEWEST};
	struct buf token = {0};
	enum outcome outcome;
	int pages = 0;

	do {
		struct cert_page page = {0};
		query.token = buf_span(&token);
		outcome = store_cert_list(store, &query, &page);
		for (size_t i = 0; i < page.count; i++)
			each(context, &page.records[i]);
		query.limit -= page.count;
		buf_free(&token);
		token = page.next;
		page.next = (struct buf){0};
		cert_page_clear(&page);
	} while (outcome == EST_OK && token.len > 0 && query.limit > 0 && ++pages < PAGES_MAX);
	buf_free(&token);
	return outcome;
}

enum outcome status_counters(const struct config *config, metrics_figure *each, void *context)
{
	char *path = file_path(config->state, "metrics");
	struct metrics *metrics = NULL;
	enum outcome outcome = EST_OK;

	if (access(path, F_OK) == 0)
		outcome = metrics_open(path, &metrics);
	if (metrics != NULL)
		metrics_each(metrics, each, context);
	metrics_close(metrics);
	free(path);
	return outcome;
}
