#include "admin/csv.h"

#include <string.h>

void csv_begin(struct csv *csv, struct span text)
{
	static const unsigned char mark[] = {0xef, 0xbb, 0xbf};

	*csv = (struct csv){.rest = text, .next = 1};
	if (text.len >= sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0) {
		csv->rest.data += sizeof(mark);
		csv->rest.len -= sizeof(mark);
	}
}

void csv_end(struct csv *csv)
{
	buf_free(&csv->text);
	*csv = (struct csv){0};
}

static void skip(struct csv *csv, size_t len)
{
	csv->rest.data += len;
	csv->rest.len -= len;
}

static bool begins_with(const struct csv *csv, const char *text)
{
	size_t len = strlen(text);

	return csv->rest.len >= len && memcmp(csv->rest.data, text, len) == 0;
}

/* Takes the end of a line, if that is what comes. */
static bool take_end(struct csv *csv)
{
	if (csv->rest.len == 0)
		return true;
	if (!begins_with(csv, "\n") && !begins_with(csv, "\r\n"))
		return false;
	skip(csv, begins_with(csv, "\n") ? 1 : 2);
	csv->next++;
	return true;
}

static enum outcome fault(struct csv *csv, const char *what)
{
	const unsigned char *end = memchr(csv->rest.data, '\n', csv->rest.len);

	skip(csv, end == NULL ? csv->rest.len : (size_t)(end - csv->rest.data) + 1);
	csv->next++;
	return reason(EST_MALFORMED, "RFC 4180 2: %s", what);
}

/* Two quotes in a quoted cell are one of its text; commas and ends of lines are text as well. */
static enum outcome take_quoted(struct csv *csv)
{
	size_t line = csv->next;

	for (skip(csv, 1); csv->rest.len > 0; skip(csv, 1)) {
		unsigned char octet = csv->rest.data[0];
		if (begins_with(csv, "\"\""))
			skip(csv, 1);
		else if (octet == '"')
			break;
		if (octet == '\0')
			return fault(csv, "there is an octet 0 in a cell");
		csv->next += octet == '\n';
		buf_add_byte(&csv->text, octet);
	}
	if (csv->rest.len == 0)
		return reason(EST_MALFORMED,
		    "RFC 4180 2: the quotes of line %zu do not end: nothing behind is read", line);
	skip(csv, 1);
	return EST_OK;
}

static enum outcome take_plain(struct csv *csv)
{
	for (; csv->rest.len > 0; skip(csv, 1)) {
		unsigned char octet = csv->rest.data[0];
		if (octet == ',' || octet == '\n' || begins_with(csv, "\r\n"))
			break;
		if (octet == '"')
			return fault(csv, "a quote within a cell: the cell belongs in quotes, and "
					  "each quote in it is written twice");
		if (octet == '\0' || octet == '\r')
			return fault(csv, "an octet 0, or a carriage return that ends no line");
		buf_add_byte(&csv->text, octet);
	}
	return EST_OK;
}

/* Its cells stand in text one behind the other, each with its NUL; where they do is in offsets. */
static enum outcome take_row(struct csv *csv, size_t offsets[static CSV_MOST])
{
	for (;;) {
		enum outcome outcome;
		if (csv->count == CSV_MOST)
			return fault(csv, "more cells than any table here has");
		offsets[csv->count++] = csv->text.len;
		outcome = begins_with(csv, "\"") ? take_quoted(csv) : take_plain(csv);
		if (outcome != EST_OK)
			return outcome;
		buf_add_byte(&csv->text, '\0');
		if (take_end(csv))
			return EST_OK;
		if (!begins_with(csv, ","))
			return fault(csv, "something else than a comma behind a cell's quotes");
		skip(csv, 1);
	}
}

enum outcome csv_next(struct csv *csv)
{
	size_t offsets[CSV_MOST];
	enum outcome outcome;

	while (csv->rest.len > 0 && take_end(csv))
		;
	csv->line = csv->next;
	csv->count = 0;
	buf_reset(&csv->text);
	if (csv->rest.len == 0)
		return EST_NOT_FOUND;
	outcome = take_row(csv, offsets);
	for (size_t i = 0; outcome == EST_OK && i < csv->count; i++)
		csv->cells[i] = (const char *)csv->text.data + offsets[i];
	return outcome;
}
