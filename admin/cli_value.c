/*
 * The value of an option: read as its kind says, and stored into its field.
 */
#include "admin/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

static void list_add(struct cli_list *list, const char *text, size_t len)
{
	char *item = mem_alloc(len + 1);

	memcpy(item, text, len);
	list->items = mem_grow(list->items, (list->count + 1) * sizeof(*list->items));
	list->items[list->count++] = item;
}

void cli_list_free(struct cli_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct cli_list){0};
}

static bool is_choice(const char *choices, const char *text)
{
	while (*choices != '\0') {
		size_t len = strcspn(choices, "|");
		if (strlen(text) == len && strncmp(choices, text, len) == 0)
			return true;
		choices += len + (choices[len] == '|');
	}
	return false;
}

static void option_name(const struct cli_option *option, struct buf *out)
{
	if (option->name != NULL)
		buf_printf(out, "--%s", option->name);
	else
		buf_printf(out, "-%c", option->letter);
}

/* The option's name, its value and what is wrong with it. */
static enum outcome bad_value(const struct cli_option *option, const char *value, const char *wrong)
{
	struct buf name = {0};
	enum outcome outcome;

	option_name(option, &name);
	outcome = cli_usage("%s %.100s: %s", buf_string(&name), value, wrong);
	buf_free(&name);
	return outcome;
}

static enum outcome store_span(const struct cli_option *option, const char *value, int64_t *field)
{
	if (clock_parse_span(value, field) == EST_OK)
		return EST_OK;
	reason_clear();
	return bad_value(option, value, "write a number and one of s, m, h, d, w, y, as in 30d");
}

static enum outcome store_number(const struct cli_option *option, const char *value, int64_t *field)
{
	long long number;

	errno = 0;
	number = strtoll(value, NULL, 10);
	if (errno != 0 || value[strspn(value, "0123456789")] != '\0')
		return bad_value(option, value, "a whole number is wanted");
	*field = number;
	return EST_OK;
}

static enum outcome store_commas(
    const struct cli_option *option, const char *value, struct cli_list *field)
{
	const char *at = value;

	for (;;) {
		size_t len = strcspn(at, ",");
		if (len == 0)
			return bad_value(option, value, "an empty word in the list");
		list_add(field, at, len);
		if (at[len] == '\0')
			return EST_OK;
		at += len + 1;
	}
}

static enum outcome store_choice(
    const struct cli_option *option, const char *value, const char **field)
{
	struct buf wrong = {0};
	enum outcome outcome;

	if (is_choice(option->value, value)) {
		*field = value;
		return EST_OK;
	}
	buf_printf(&wrong, "one of %s is wanted", option->value);
	outcome = bad_value(option, value, buf_string(&wrong));
	buf_free(&wrong);
	return outcome;
}

enum outcome cli_store(const struct cli_option *option, const char *value, void *values)
{
	void *field = (char *)values + option->offset;

	if (option->kind != CLI_FLAG && value[0] == '\0')
		return bad_value(option, "\"\"", "the value is empty");
	switch (option->kind) {
	case CLI_FLAG: *(bool *)field = true; return EST_OK;
	case CLI_TEXT: *(const char **)field = value; return EST_OK;
	case CLI_CHOICE: return store_choice(option, value, field);
	case CLI_SPAN: return store_span(option, value, field);
	case CLI_NUMBER: return store_number(option, value, field);
	case CLI_REPEAT: list_add(field, value, strlen(value)); return EST_OK;
	case CLI_COMMAS: return store_commas(option, value, field);
	}
	return EST_INTERNAL;
}
