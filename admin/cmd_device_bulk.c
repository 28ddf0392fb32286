/*
 * cmd_device_bulk.c - est-admin device add --csv: many devices from a table.
 *
 * Each row is stored first, durably, and printed then; where it cannot be printed it is taken back,
 * and that is the end. A signal ends it between two rows. So whatever was printed is in the store,
 * and nothing else is.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/csv.h"
#include "admin/onboard.h"
#include "common/base/clock.h"
#include "common/base/escape.h"

enum { COLUMN_NAME, COLUMN_LABEL, COLUMN_EXPIRES, COLUMNS };

static const char *const columns[COLUMNS] = {"name", "label", "expires"};

#define NOWHERE SIZE_MAX

/* A row that is fit to be added. */
struct row {
	size_t line;
	char *name;
	const char *label;
	int64_t life;
};

struct bulk {
	struct admin *admin;
	struct csv csv;
	size_t place[COLUMNS]; /* of a column in each row; NOWHERE */
	size_t width;          /* cells of a row */
	int64_t life;          /* of a secret whose row says nothing */
	const char *label;     /* of a device whose row says nothing; NULL: there is none */
	struct row *rows;
	size_t count, capacity;
	size_t refused, added;
};

/* The reason of what failed, with the line that it is about. */
static void refuse_line(struct bulk *bulk, size_t line)
{
	cli_say("line %zu is left out: %s", line, reason_text());
	reason_clear();
	bulk->refused++;
}

/* --- reading --- */

static enum outcome read_titles(struct bulk *bulk)
{
	struct csv *csv = &bulk->csv;
	enum outcome outcome = csv_next(csv);

	for (size_t column = 0; column < COLUMNS; column++)
		bulk->place[column] = NOWHERE;
	if (outcome != EST_OK)
		return reason(EST_MALFORMED, "the table is empty: a row of titles is wanted");
	bulk->width = csv->count;
	for (size_t i = 0; i < csv->count; i++) {
		size_t column = 0;
		while (column < COLUMNS && strcasecmp(csv->cells[i], columns[column]) != 0)
			column++;
		if (column == COLUMNS || bulk->place[column] != NOWHERE)
			return reason(EST_MALFORMED,
			    "line %zu: \"%.60s\" is no title, or there twice: the columns are "
			    "name, label and expires, with commas between",
			    csv->line, csv->cells[i]);
		bulk->place[column] = i;
	}
	if (bulk->place[COLUMN_NAME] == NOWHERE)
		return reason(EST_MALFORMED, "line %zu: there is no column name", csv->line);
	if (bulk->place[COLUMN_EXPIRES] != NOWHERE && !bulk->admin->makes_secret)
		return reason(EST_MALFORMED,
		    "line %zu: the column expires is about secrets: --secret is missing",
		    csv->line);
	return EST_OK;
}

static const char *cell(const struct bulk *bulk, size_t column)
{
	return bulk->place[column] == NOWHERE ? "" : bulk->csv.cells[bulk->place[column]];
}

static enum outcome read_life(const char *text, int64_t *life)
{
	if (clock_parse_span(text, life) == EST_OK && *life > 0)
		return EST_OK;
	reason_clear();
	return reason(
	    EST_MALFORMED, "expires: \"%.60s\" is no span of time such as 12h or 30d", text);
}

static enum outcome check_name(const struct bulk *bulk, const struct row *row, const char *name)
{
	const struct onboard device = {.name = name, .label = row->label, .life = row->life};

	return onboard_check_name(bulk->admin, &device);
}

static enum outcome read_row(const struct bulk *bulk, struct row *row)
{
	const struct csv *csv = &bulk->csv;
	const char *label, *expires;
	enum outcome outcome;

	if (csv->count != bulk->width)
		return reason(EST_MALFORMED, "it has %zu cells, and the titles are %zu", csv->count,
		    bulk->width);
	label = cell(bulk, COLUMN_LABEL);
	expires = cell(bulk, COLUMN_EXPIRES);
	*row = (struct row){.line = csv->line, .label = bulk->label, .life = bulk->life};
	outcome = EST_OK;
	if (label[0] != '\0')
		outcome = command_label(bulk->admin, label, &row->label);
	else if (row->label == NULL)
		outcome = reason(EST_MALFORMED, "the label is missing: there is no default one");
	if (outcome == EST_OK && expires[0] != '\0')
		outcome = read_life(expires, &row->life);
	if (outcome == EST_OK)
		outcome = check_name(bulk, row, cell(bulk, COLUMN_NAME));
	if (outcome == EST_OK)
		row->name = mem_string(cell(bulk, COLUMN_NAME));
	return outcome;
}

static void read_rows(struct bulk *bulk)
{
	enum outcome outcome;

	while ((outcome = csv_next(&bulk->csv)) != EST_NOT_FOUND) {
		struct row row = {0};
		if (outcome == EST_OK)
			outcome = read_row(bulk, &row);
		if (outcome != EST_OK) {
			refuse_line(bulk, bulk->csv.line);
			continue;
		}
		if (bulk->count == bulk->capacity) {
			bulk->capacity = 2 * bulk->capacity + 64;
			bulk->rows = mem_grow(bulk->rows, bulk->capacity * sizeof(*bulk->rows));
		}
		bulk->rows[bulk->count++] = row;
	}
}

/* By name in any letter case, as the store has them, and then by line. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *const *first = a, *const *second = b;
	int order = strcasecmp((*first)->name, (*second)->name);

	if (order != 0)
		return order;
	return (*first)->line < (*second)->line ? -1 : 1;
}

static bool is_twice(const struct bulk *bulk, const struct row *first, const struct row *second)
{
	bool same_label = strcmp(first->label, second->label) == 0;

	return strcasecmp(first->name, second->name) == 0 &&
	       (same_label || bulk->admin->makes_secret);
}

/*
 * A secret that was printed must not be replaced by one of a later row, and a name has one secret
 * whatever the label: so a row whose name was there before is left out. Its name becomes NULL.
 */
static void refuse_twice(struct bulk *bulk)
{
	struct row **sorted = mem_alloc((bulk->count + 1) * sizeof(struct row *));
	size_t kept = 0;

	for (size_t i = 0; i < bulk->count; i++)
		sorted[i] = &bulk->rows[i];
	if (bulk->count > 0)
		qsort(sorted, bulk->count, sizeof(struct row *), compare_rows);
	for (size_t i = 1; i < bulk->count; i++) {
		size_t before = kept;
		while (before > 0 && strcasecmp(sorted[before - 1]->name, sorted[i]->name) == 0)
			before--;
		while (before <= kept && !is_twice(bulk, sorted[before], sorted[i]))
			before++;
		if (before > kept) {
			sorted[++kept] = sorted[i];
			continue;
		}
		(void)reason(EST_CONFLICT, "\"%.100s\" is in line %zu already", sorted[i]->name,
		    sorted[before]->line);
		refuse_line(bulk, sorted[i]->line);
		free(sorted[i]->name);
		sorted[i]->name = NULL;
	}
	free(sorted);
}

/* --- adding --- */

static void add_csv(const char *const *cells, size_t count, struct buf *out)
{
	size_t most = 2;

	for (size_t i = 0; i < count; i++)
		most += 10 * strlen(cells[i]) + 4;
	buf_reserve(out, most); /* a reallocation would leave a copy */
	for (size_t i = 0; i < count; i++) {
		buf_add_string(out, i == 0 ? "" : ",");
		csv_cell(out, span_of(cells[i]));
	}
	buf_add_string(out, "\r\n");
}

static enum outcome print_titles(const struct bulk *bulk)
{
	static const char *const titles[] = {"name", "label", "expires_at", "secret", "code"};
	struct buf line = {0};
	enum outcome outcome = EST_OK;

	if (bulk->admin->json || bulk->admin->dry_run)
		return EST_OK;
	add_csv(titles, bulk->admin->makes_secret ? 5 : 2, &line);
	outcome = sink_write(bulk->admin->sink, buf_span(&line));
	buf_free(&line);
	return outcome;
}

static enum outcome print_device(const struct bulk *bulk, const struct onboard *device)
{
	char time[CLOCK_TEXT];
	struct buf line = {0};
	enum outcome outcome;

	if (bulk->admin->json)
		return sink_json(bulk->admin->sink, onboard_json(device));
	const char *const cells[] = {device->name, device->label,
	    clock_text(device->secret.expires_at, time), device->text,
	    (const char *)device->code.data};
	add_csv(cells, device->life > 0 ? 5 : 2, &line);
	outcome = sink_write(bulk->admin->sink, buf_span(&line));
	buf_cleanse(&line);
	return outcome;
}

/* Other rows are no better where the store or the file is at fault. */
static bool is_fault_of_row(enum outcome outcome)
{
	return outcome == EST_CONFLICT || outcome == EST_MALFORMED;
}

static enum outcome add_row(struct bulk *bulk, const struct row *row)
{
	struct onboard device = {.name = row->name, .label = row->label, .life = row->life};
	enum outcome outcome = bulk->admin->dry_run ? onboard_check(bulk->admin, &device)
						    : onboard_device(bulk->admin, &device);

	if (is_fault_of_row(outcome)) {
		refuse_line(bulk, row->line);
		outcome = EST_OK;
	} else if (outcome == EST_OK) {
		if (!bulk->admin->dry_run)
			outcome = print_device(bulk, &device);
		if (outcome != EST_OK)
			onboard_undo(bulk->admin, &device);
		bulk->added += outcome == EST_OK;
	}
	onboard_clear(&device);
	return outcome;
}

static enum outcome add_rows(struct bulk *bulk)
{
	enum outcome outcome = print_titles(bulk), synced;

	for (size_t i = 0; i < bulk->count && outcome == EST_OK; i++) {
		if (command_stopped()) {
			/* The signal ends the process before a reason is printed. */
			cli_say("stopped before line %zu, which was not added, nor those behind it",
			    bulk->rows[i].line);
			outcome = reason(EST_UNAVAILABLE, "stopped by a signal");
			break;
		}
		if (bulk->rows[i].name != NULL)
			outcome = add_row(bulk, &bulk->rows[i]);
		if (i % 50 == 0)
			cli_progress("%zu of %zu", i + 1, bulk->count);
	}
	cli_progress_end();
	synced = sink_sync(bulk->admin->sink);
	return outcome == EST_OK ? synced : outcome;
}

/* Once a label, and not for each of its rows. */
static void warn(const struct bulk *bulk)
{
	const struct config *config = bulk->admin->service->config;

	for (size_t i = 0; i < config->label_count && bulk->admin->makes_secret; i++) {
		size_t k = 0;
		while (k < bulk->count && bulk->rows[k].label != config->labels[i].name)
			k++;
		if (k < bulk->count)
			one_time_warn(bulk->admin, config->labels[i].name);
	}
}

static enum outcome finish(const struct bulk *bulk, enum outcome outcome)
{
	const char *done = bulk->admin->dry_run ? "could be added" : "added";

	cli_say("%zu %s, %zu left out", bulk->added, done, bulk->refused);
	if (bulk->admin->makes_secret && bulk->added > 0 && !bulk->admin->dry_run)
		cli_say("this is the only time that the secrets are shown");
	if (outcome == EST_OK && bulk->refused > 0)
		outcome = reason(EST_MALFORMED, "%zu rows were left out", bulk->refused);
	return outcome;
}

enum outcome cmd_device_bulk(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct bulk bulk = {.admin = admin};
	enum outcome outcome = EST_OK;

	(void)call;
	if (admin->makes_secret)
		outcome = one_time_life(admin, &bulk.life);
	if (outcome == EST_OK && admin->label != NULL)
		outcome = command_label(admin, admin->label, &bulk.label);
	else if (outcome == EST_OK && command_label(admin, "-", &bulk.label) != EST_OK)
		reason_clear();
	csv_begin(&bulk.csv, buf_span(&admin->input));
	if (outcome == EST_OK)
		outcome = read_titles(&bulk);
	if (outcome == EST_OK) {
		read_rows(&bulk);
		refuse_twice(&bulk);
		warn(&bulk);
		outcome = finish(&bulk, add_rows(&bulk));
	}
	for (size_t i = 0; i < bulk.count; i++)
		free(bulk.rows[i].name);
	free(bulk.rows);
	csv_end(&bulk.csv);
	return outcome;
}
