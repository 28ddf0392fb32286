/*
 * status.c - status.cgi: what the dashboard in www/ and a monitoring system read, in JSON, and the
 * same as a page without a script. Read-only; it opens the store and never a CA's key.
 *
 * It has no access control of its own, and its pages name devices. Who may reach /status is
 * for the web server to decide (see etc/); quickstart serves it on 127.0.0.1 only.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cgi/serve.h"
#include "cgi/status_figures.h"
#include "cgi/status_page.h"
#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/base/utf8.h"

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

/* A list that grows by one certificate at a time. */
struct list {
	json_t *array;
	int64_t now;
};

static void add_cert(void *context, const struct cert_record *cert)
{
	const struct list *list = context;

	(void)json_array_append_new(list->array, cert_json(cert, list->now));
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
	const struct label_total all = status_sum(totals);
	json_t *labels = json_array(), *sum = json_object();

	for (size_t i = 0; i < totals->count; i++) {
		const struct label_total *label = &totals->labels[i];
		json_t *object = json_object();
		set_text(object, "label", label->label);
		add_counts(object, label);
		(void)json_array_append_new(labels, object);
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
static enum outcome summary(struct service *service, json_t *out)
{
	struct store_totals totals = {0};
	struct list newest = {json_array(), clock_now()};
	enum outcome outcome = store_totals(service->store, newest.now, &totals);

	if (outcome != EST_OK)
		goto out;
	outcome = status_newest(service->store, add_cert, &newest);
	if (outcome != EST_OK)
		goto out;
	set_time(out, "now", newest.now);
	add_totals(out, &totals);
	(void)json_object_set_new(out, "issued_per_day", days_json(&totals));
	(void)json_object_set(out, "newest", newest.array);
out:
	json_decref(newest.array);
	store_totals_clear(&totals);
	return outcome;
}

static void add_counter(void *context, const char *operation, const char *code, uint64_t count)
{
	json_t *object = json_object();

	set_text(object, "operation", operation);
	set_text(object, "code", code);
	set_number(object, "count", (int64_t)count);
	(void)json_array_append_new(context, object);
}

/* /status/counters: how often which operation ended with which code (est-codes(7)). */
static enum outcome counters(struct service *service, json_t *out)
{
	json_t *list = json_array();
	enum outcome outcome = status_counters(service->config, add_counter, list);

	(void)json_object_set_new(out, "counters", list);
	return outcome;
}

/* /status/health: whether the store answers, asked for a serial number that no certificate has. */
static enum outcome health(struct service *service, json_t *out)
{
	static const struct serial zero = {1, {0}};
	struct cert_record cert = {0};
	enum outcome outcome = store_cert_get(service->store, &zero, &cert);

	cert_record_clear(&cert);
	if (outcome != EST_NOT_FOUND)
		return EST_UNAVAILABLE;
	reason_clear();
	set_text(out, "status", "ok");
	return EST_OK;
}

/* What is there. A page with GET answers HEAD too. */
static const struct page {
	const char *path, *method, *allow, *type;
	const char *header; /* one more field of a good answer; NULL: none */
	enum outcome (*json)(struct service *service, json_t *out);     /* adds members to out */
	enum outcome (*html)(struct service *service, struct buf *out); /* or writes the whole */
} pages[] = {
    {"/status/health", "GET", "Allow: GET, HEAD", "application/json", NULL, health, NULL},
    {"/status/summary", "GET", "Allow: GET, HEAD", "application/json", NULL, summary, NULL},
    {"/status/counters", "GET", "Allow: GET, HEAD", "application/json", NULL, counters, NULL},
    {"/status/page", "GET", "Allow: GET, HEAD", "text/html; charset=utf-8",
	"Content-Security-Policy: default-src 'none'; style-src 'self'; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'",
	NULL, status_page},
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

static enum outcome run_json(const struct page *page, struct service *service, struct buf *body)
{
	json_t *object = json_object();
	enum outcome outcome = page->json(service, object);

	if (outcome == EST_OK)
		(void)json_dump_callback(object, append, body, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(object);
	return outcome;
}

static enum outcome handle(struct service *service, struct request *request, struct reply *reply)
{
	const struct page *page = page_find(buf_span(&request->path));
	enum outcome outcome;

	reply->no_store = true;
	if (page == NULL)
		return refuse(HTTP_PATH, "no such page: there are /status/health, /status/summary, "
					 "/status/counters and /status/page");
	if (!request_has_method(request, page->method)) {
		reply->status = 405;
		buf_add_string(&reply->header, page->allow);
		return refuse(HTTP_METHOD, "this page is read with GET");
	}
	outcome = page->json != NULL ? run_json(page, service, &reply->body)
				     : page->html(service, &reply->body);
	if (outcome != EST_OK)
		return outcome;
	reply->type = page->type;
	if (page->header != NULL)
		buf_add_string(&reply->header, page->header);
	return EST_OK;
}

int main(void)
{
	static const struct program program = {
	    .name = "status.cgi", .opens = SERVICE_STORE, .handle = handle};

	json_set_alloc_funcs(mem_alloc, free);
	return serve(&program);
}
