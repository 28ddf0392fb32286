#include "common/lifecycle/namesake.h"

enum outcome namesakes_visit(
    struct store *store, const char *name, size_t most, namesake_visit *visit, void *context)
{
	struct buf token = {0};
	struct cert_query query = {.order = CERTS_BY_NAME, .name = name, .limit = 64};
	enum outcome outcome;
	size_t seen = 0;
	bool enough = false;

	do {
		struct cert_page page = {0};
		query.token = buf_span(&token);
		outcome = store_cert_list(store, &query, &page);
		for (size_t i = 0; outcome == EST_OK && i < page.count && !enough; i++)
			enough = visit(&page.records[i], context);
		seen += page.count;
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		cert_page_clear(&page);
	} while (outcome == EST_OK && !enough && token.len > 0 && (most == 0 || seen < most));
	buf_free(&token);
	return outcome;
}
