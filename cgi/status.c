/*
 * status.c - status.cgi: what the dashboard in www/ and a monitoring system read. JSON, read-only;
 * it opens the store and never a CA's key.
 *
 * It has no access control of its own, and /status/summary names devices. Who may reach /status is
 * for the web server to decide (see etc/); quickstart serves it on 127.0.0.1 only.
 */
#include "cgi/serve.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "common/lifecycle/service.h"

#define NEWEST     20 /* certificates in the summary */
#define PAGES_MAX  5  /* of the store, to find them: a page may be short while others follow */
#define DAY        86400
#define DAY_DIGITS 10 /* of "2026-11-21T00:00:00Z" */

/* A JSON string of outside text; bytes that are not UTF-8 become U+FFFD. */
static json_t *text_json(struct span text)
{
	struct buf clean = {0};
	json_t *json;

	utf8_clean(&clean, text);
	json = json_stringn_nocheck(buf_string(&clean), clean.len);
	buf_free(&clean);
	return json;
}

static void set_text(json_t *object, const char *key, const char *text)
{
	(void)json_object_set_new(object, key, text_json(span_of(text)));
}

static void set_number(json_t *object, const char *key, int64_t number)
{
	(void)json_object_set_new(object, key, json_integer(number));
}

static void set_time(json_t *object, const char *key, int64_t t)
{
	char text[CLOCK_TEXT];

	set_text(object, key, clock_text(t, text));
}

/* "dns:a.example,ip:192.0.2.1" as an array. */
static json_t *names_json(const char *names)
{
	json_t *array = json_array();

	while (*names != '\0') {
		size_t len = strcspn(names, ",");
		struct span name = {(const unsigned char *)names, len};
		(void)json_array_append_new(array, text_json(name));
		names += len + (names[len] == ',');
	}
	return array;
}

static json_t *cert_json(const struct cert_record *cert, int64_t now)
{
	char serial[2 * SERIAL_MAX + 1];
	json_t *object = json_object();

	set_text(object, "serial", serial_text(&cert->serial, serial));
	set_text(object, "name", cert->name);
	(void)json_object_set_new(object, "names", names_json(cert->names));
	set_text(object, "subject", cert->subject);
	set_text(object, "label", cert->label);
	set_text(object, "profile", cert->profile);
	set_time(object, "issued_at", cert->issued_at);
	set_time(object, "not_before", cert->not_before);
	set_time(object, "not_after", cert->not_after);
	set_text(object, "status", cert_status_name(cert_record_status(cert, now)));
	return object;
}

/* Appends the newest certificates to list. */
static enum outcome newest(struct store *store, int64_t now, json_t *list)
{
	struct cert_query query = {.order = CERTS_BY_ISSUE};
	struct buf token = {0};
	enum outcome outcome;
	int pages = 0;

	do {
		struct cert_page page = {0};
		query.limit = NEWEST - json_array_size(list);
		query.token = buf_span(&token);
		outcome = store_cert_list(store, &query, &page);
		for (size_t i = 0; i < page.count; i++)
			(void)json_array_append_new(list, cert_json(&page.records[i], now));
		buf_free(&token);
		token = page.next;
		page.next = (struct buf){0};
		cert_page_clear(&page);
	} while (outcome == EST_OK && token.len > 0 && json_array_size(list) < NEWEST &&
		 ++pages < PAGES_MAX);
	buf_free(&token);
	return outcome;
}

/* Adds the four counts of a label, or of all labels. */
static void add_counts(json_t *object, const struct label_total *total)
{
	set_number(object, "issued", total->issued);
	set_number(object, "valid", total->valid);
	set_number(object, "revoked", total->revoked);
	set_number(object, "expired", total->expired);
}

/* Adds "totals" and "labels" to the summary. */
static void add_totals(json_t *summary, const struct store_totals *totals)
{
	json_t *labels = json_array(), *sum = json_object();
	struct label_total all = {0};

	for (size_t i = 0; i < totals->count; i++) {
		const struct label_total *label = &totals->labels[i];
		json_t *object = json_object();
		set_text(object, "label", label->label);
		add_counts(object, label);
		(void)json_array_append_new(labels, object);
		all.issued += label->issued;
		all.valid += label->valid;
		all.revoked += label->revoked;
		all.expired += label->expired;
	}
	add_counts(sum, &all);
	(void)json_object_set_new(summary, "totals", sum);
	(void)json_object_set_new(summary, "labels", labels);
}

/* What was issued on each of the last STORE_DAYS days of UTC, the oldest first. */
static json_t *days_json(const struct store_totals *totals)
{
	json_t *days = json_array();

	for (int i = STORE_DAYS; i-- > 0;) {
		json_t *day = json_object();
		char text[CLOCK_TEXT];
		(void)clock_text((totals->today - i) * DAY, text);
		text[DAY_DIGITS] = '\0';
		set_text(day, "day", text);
		set_number(day, "issued", totals->issued[i]);
		(void)json_array_append_new(days, day);
	}
	return days;
}

/*
 * /status/summary. Its cost does not grow with the number of certificates: it reads the totals and
 * one page from the end of the index by time of issue.
 */
static enum outcome summary(struct store *store, json_t *out)
{
	struct store_totals totals = {0};
	json_t *list = json_array();
	int64_t now = clock_now();
	enum outcome outcome = store_totals(store, now, &totals);

	if (outcome != EST_OK)
		goto out;
	outcome = newest(store, now, list);
	if (outcome != EST_OK)
		goto out;
	set_time(out, "now", now);
	add_totals(out, &totals);
	(void)json_object_set_new(out, "issued_per_day", days_json(&totals));
	(void)json_object_set(out, "newest", list);
out:
	json_decref(list);
	store_totals_clear(&totals);
	return outcome;
}

/* /status/health: whether the store answers, asked for a serial number that no certificate has. */
static enum outcome health(struct store *store, json_t *out)
{
	static const struct serial zero = {1, {0}};
	struct cert_record cert = {0};
	enum outcome outcome = store_cert_get(store, &zero, &cert);

	cert_record_clear(&cert);
	if (outcome != EST_NOT_FOUND)
		return EST_UNAVAILABLE;
	reason_clear();
	set_text(out, "status", "ok");
	return EST_OK;
}

/* The pages. A page with GET answers HEAD too. */
static const struct page {
	const char *path, *method, *allow;
	enum outcome (*run)(struct store *store, json_t *out); /* adds members to out */
} pages[] = {
    {"/status/health", "GET", "Allow: GET, HEAD", health},
    {"/status/summary", "GET", "Allow: GET, HEAD", summary},
};

static const struct page *page_find(struct span path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		if (span_equal(path, span_of(pages[i].path)))
			return &pages[i];
	return NULL;
}

static int append(const char *bytes, size_t len, void *body)
{
	buf_add(body, bytes, len);
	return 0;
}

static enum outcome handle(struct service *service, struct request *request, struct reply *reply)
{
	const struct page *page = page_find(buf_span(&request->path));
	json_t *object = NULL;
	enum outcome outcome;

	reply->no_store = true;
	if (page == NULL)
		return reason(
		    EST_NOT_FOUND, "no such page: there are /status/health and /status/summary");
	if (!request_has_method(request, page->method)) {
		reply->status = 405;
		buf_add_string(&reply->header, page->allow);
		return reason(EST_MALFORMED, "RFC 9110 15.5.6: this page is read with GET");
	}
	object = json_object();
	outcome = page->run(service->store, object);
	if (outcome == EST_OK) {
		reply->type = "application/json";
		(void)json_dump_callback(
		    object, append, &reply->body, JSON_COMPACT | JSON_ENSURE_ASCII);
	}
	json_decref(object);
	return outcome;
}

int main(void)
{
	static const struct program program = {
	    .name = "status.cgi", .opens = SERVICE_STORE, .handle = handle};

	json_set_alloc_funcs(mem_alloc, free);
	return serve(&program);
}
