#include "cgi/status_page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/status_figures.h"
#include "common/base/clock.h"
#include "common/base/escape.h"
#include "common/base/refusal.h"
#include "common/base/utf8.h"

#define LONGEST 120 /* characters of one text */

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<title>Certificates \xe2\x80\x93 est-portal</title>\n"
    "<link rel=\"stylesheet\" href=\"/style.css\">\n"
    "</head>\n"
    "<body>\n"
    "<header class=\"top\">\n"
    "<h1>Certificates <span class=\"muted\">issued over EST</span></h1>\n";

static const char foot[] = "</main>\n"
			   "<footer class=\"muted\"><p>The same with figures that keep themselves "
			   "current, for browsers with scripts: <a href=\"/\">/</a></p></footer>\n"
			   "</body>\n"
			   "</html>\n";

/* Text from outside, cut, in a direction of its own. */
static void add_text(struct buf *out, struct span text)
{
	struct span rest = text;

	for (size_t i = 0; i < LONGEST && rest.len > 0; i++) {
		uint32_t c;
		size_t used = utf8_decode(rest, &c);
		rest.data += used > 0 ? used : 1;
		rest.len -= used > 0 ? used : 1;
	}
	text.len -= rest.len;
	buf_add_string(out, "<bdi>");
	html_text(out, text);
	if (rest.len > 0)
		buf_printf(
		    out, "<span class=\"muted\">\xe2\x80\xa6 (%zu more octets)</span>", rest.len);
	buf_add_string(out, "</bdi>");
}

/* A cell that also knows its column's title, for the narrow form in which every row is a block. */
static void begin_cell(struct buf *out, const char *title)
{
	buf_add_string(out, "<td data-title=\"");
	html_attribute(out, span_of(title));
	buf_add_string(out, "\">");
}

static void add_cell(struct buf *out, const char *title, const char *text)
{
	begin_cell(out, title);
	add_text(out, span_of(text));
	buf_add_string(out, "</td>\n");
}

static void add_number_cell(struct buf *out, const char *title, int64_t number)
{
	buf_add_string(out, "<td class=\"number\" data-title=\"");
	html_attribute(out, span_of(title));
	buf_printf(out, "\">%" PRId64 "</td>\n", number);
}

static void begin_card(struct buf *out, const char *id, const char *title)
{
	buf_printf(out, "<section class=\"card\" aria-labelledby=\"%s-title\">\n", id);
	buf_printf(out, "<h2 id=\"%s-title\">%s</h2>\n", id, title);
}

/* --- totals --- */

static void add_total(struct buf *out, const struct label_total *total, const char *name)
{
	buf_add_string(out, "<tr>\n<th scope=\"row\">");
	if (name != NULL)
		buf_printf(out, "<span class=\"muted\">%s</span>", name);
	else
		add_text(out, span_of(total->label));
	buf_add_string(out, "</th>\n");
	add_number_cell(out, "Issued", total->issued);
	add_number_cell(out, "Valid", total->valid);
	add_number_cell(out, "Revoked", total->revoked);
	add_number_cell(out, "Expired", total->expired);
	buf_add_string(out, "</tr>\n");
}

static void add_totals(struct buf *out, const struct store_totals *totals)
{
	const struct label_total sum = status_sum(totals);

	begin_card(out, "labels", "Totals");
	buf_add_string(out,
	    "<table id=\"labels\">\n<thead><tr><th scope=\"col\">Label</th>"
	    "<th scope=\"col\" class=\"number\">Issued</th>"
	    "<th scope=\"col\" class=\"number\">Valid</th>"
	    "<th scope=\"col\" class=\"number\">Revoked</th>"
	    "<th scope=\"col\" class=\"number\">Expired</th></tr></thead>\n<tbody>\n");
	add_total(out, &sum, "all labels");
	for (size_t i = 0; i < totals->count; i++)
		add_total(out, &totals->labels[i],
		    totals->labels[i].label[0] == '\0' ? "(default)" : NULL);
	buf_add_string(out, "</tbody>\n</table>\n</section>\n");
}

/* --- counters --- */

struct counters {
	struct counter {
		char *operation, *code;
		uint64_t count;
	} * counter;
	size_t count;
};

static void add_counter(void *context, const char *operation, const char *code, uint64_t count)
{
	struct counters *all = context;

	all->counter = mem_grow(all->counter, (all->count + 1) * sizeof(*all->counter));
	all->counter[all->count++] =
	    (struct counter){mem_string(operation), mem_string(code), count};
}

static int most_first(const void *a, const void *b)
{
	uint64_t left = ((const struct counter *)a)->count,
		 right = ((const struct counter *)b)->count;

	return (left < right) - (left > right);
}

static const char *meaning_of(const char *code)
{
	for (unsigned i = 0; i < REFUSALS; i++)
		if (strcmp(refusal_row((enum refusal)i)->code, code) == 0)
			return refusal_row((enum refusal)i)->meaning;
	return "";
}

static void add_counters_table(struct buf *out, const struct counters *all)
{
	begin_card(out, "counters", "Requests");
	buf_add_string(out,
	    "<table class=\"records\">\n<caption class=\"muted\">How often which operation ended "
	    "with which code, since the counters were made.</caption>\n"
	    "<thead><tr><th scope=\"col\">Code</th><th scope=\"col\">Operation</th>"
	    "<th scope=\"col\">Count</th><th scope=\"col\">Meaning</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < all->count; i++) {
		const struct counter *counter = &all->counter[i];
		buf_add_string(out, "<tr>\n<th scope=\"row\">");
		add_text(out, span_of(counter->code));
		buf_add_string(out, "</th>\n");
		add_cell(out, "Operation", counter->operation);
		begin_cell(out, "Count");
		buf_printf(out, "%" PRIu64 "</td>\n", counter->count);
		begin_cell(out, "Meaning");
		html_text(out, span_of(meaning_of(counter->code)));
		buf_add_string(out, "</td>\n</tr>\n");
	}
	buf_add_string(out, "</tbody>\n</table>\n</section>\n");
}

static void add_counters(struct buf *out, const struct config *config)
{
	struct counters all = {0};

	if (status_counters(config, add_counter, &all) != EST_OK)
		reason_clear(); /* the rest is worth seeing */
	if (all.count > 0) {
		qsort(all.counter, all.count, sizeof(*all.counter), most_first);
		add_counters_table(out, &all);
	}
	for (size_t i = 0; i < all.count; i++) {
		free(all.counter[i].operation);
		free(all.counter[i].code);
	}
	free(all.counter);
}

/* --- certificates --- */

struct certs {
	struct buf rows;
	int64_t now;
};

static void add_time_cell(struct buf *out, const char *title, int64_t t)
{
	char text[CLOCK_TEXT];

	(void)clock_text(t, text);
	begin_cell(out, title);
	buf_printf(out, "<time datetime=\"%s\">%.10s %.5s</time></td>\n", text, text, text + 11);
}

/* "dns:a,ip:b", which has no place to break a line, with one. */
static void add_names_cell(struct buf *out, const char *names)
{
	struct buf text = {0};

	for (; *names != '\0'; names++) {
		buf_add_byte(&text, (unsigned char)*names);
		if (*names == ',')
			buf_add_byte(&text, ' ');
	}
	add_cell(out, "Other names", buf_string(&text));
	buf_free(&text);
}

/*
 * A name that may look like another one says of which code points it is:
 * the first few that are not ASCII.
 */
static void add_foreign(struct buf *out, struct span text)
{
	enum { POINTS = 8 };
	unsigned count = 0;

	while (text.len > 0) {
		uint32_t c = 0xfffd;
		size_t used = utf8_decode(text, &c);
		if (c < 0x20 || c > 0x7e) {
			if (count == 0)
				buf_add_string(out, " <span class=\"foreign muted\">non-ASCII:");
			if (count++ < POINTS)
				buf_printf(out, " U+%04X", (unsigned)c);
		}
		used = used == 0 ? 1 : used;
		text = (struct span){text.data + used, text.len - used};
	}
	if (count > 0)
		buf_add_string(out, count > POINTS ? " …</span>" : "</span>");
}

static void add_cert(void *context, const struct cert_record *cert)
{
	struct certs *certs = context;
	struct buf *out = &certs->rows;
	char serial[2 * SERIAL_MAX + 1];
	const char *status = cert_status_name(cert_record_status(cert, certs->now));

	buf_add_string(out, "<tr>\n<th scope=\"row\">");
	add_text(out, span_of(cert->name));
	add_foreign(out, span_of(cert->name));
	buf_add_string(out, "</th>\n");
	add_cell(out, "Subject", cert->subject);
	add_cell(out, "Label", cert->label[0] == '\0' ? "(default)" : cert->label);
	add_names_cell(out, cert->names);
	begin_cell(out, "Serial");
	buf_printf(out, "<code>%s</code></td>\n", serial_text(&cert->serial, serial));
	add_time_cell(out, "Issued", cert->issued_at);
	add_time_cell(out, "Valid until", cert->not_after);
	begin_cell(out, "Status");
	buf_printf(out, "<span class=\"badge %s\">%s</span></td>\n</tr>\n", status, status);
}

static void add_newest(struct buf *out, const struct certs *certs)
{
	begin_card(out, "newest", "Newest certificates");
	if (certs->rows.len == 0) {
		buf_add_string(out,
		    "<p class=\"muted\">No certificate has been issued yet.</p>\n</section>\n");
		return;
	}
	buf_add_string(out,
	    "<table class=\"records\">\n<caption class=\"muted\">The latest first; all times in "
	    "UTC.</caption>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Subject</th>"
	    "<th scope=\"col\">Label</th><th scope=\"col\">Other names</th>"
	    "<th scope=\"col\">Serial</th><th scope=\"col\">Issued</th>"
	    "<th scope=\"col\">Valid until</th><th scope=\"col\">Status</th></tr></thead>\n"
	    "<tbody>\n");
	buf_add_span(out, buf_span(&certs->rows));
	buf_add_string(out, "</tbody>\n</table>\n</section>\n");
}

enum outcome status_page(struct service *service, struct buf *out)
{
	struct certs certs = {.now = clock_now()};
	struct store_totals totals = {0};
	char now[CLOCK_TEXT];
	enum outcome outcome = store_totals(service->store, certs.now, &totals);

	if (outcome == EST_OK)
		outcome = status_newest(service->store, add_cert, &certs);
	if (outcome == EST_OK) {
		(void)clock_text(certs.now, now);
		buf_add_string(out, head);
		buf_printf(
		    out, "<p class=\"muted\">As of %.10s %.8s UTC</p>\n</header>\n", now, now + 11);
		buf_add_string(out, "<main id=\"main\">\n");
		add_totals(out, &totals);
		add_counters(out, service->config);
		add_newest(out, &certs);
		buf_add_string(out, foot);
	}
	buf_free(&certs.rows);
	store_totals_clear(&totals);
	return outcome;
}
