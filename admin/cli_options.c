/*
 * The command line: argv against the two tables of a program, and the help made from the same
 * tables.
 */
#include "admin/cli.h"

#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 28 /* where the explanations begin */
#define HELP_WIDTH  80

static const struct cli_option common_options[] = {
    {.name = "help", .letter = 'h', .help = "Explains the words so far and exits."},
    {.name = "version", .help = "Prints the version and exits."},
    {0},
};

/* What is known of argv while it is read. */
struct parse {
	const struct cli_program *program;
	const struct cli_command *command; /* NULL until its words are complete */
	void *values;
	char words[64]; /* the words so far */
	bool help, version;
};

static bool is_option(const struct cli_option *option)
{
	return option->name != NULL || option->letter != 0;
}

/* The row for "--name", "--name=...", "-x" or "-x..."; NULL if the table has none. */
static const struct cli_option *find_in(const struct cli_option *options, const char *text)
{
	for (; options != NULL && is_option(options); options++) {
		if (strncmp(text, "--", 2) == 0) {
			size_t len = strcspn(text + 2, "=");
			if (options->name != NULL && strlen(options->name) == len &&
			    strncmp(options->name, text + 2, len) == 0)
				return options;
		} else if (options->letter != 0 && text[1] == options->letter) {
			return options;
		}
	}
	return NULL;
}

static const struct cli_option *find_option(const struct parse *parse, const char *text)
{
	const struct cli_option *option = find_in(common_options, text);

	if (option == NULL)
		option = find_in(parse->program->options, text);
	if (option == NULL && parse->command != NULL)
		option = find_in(parse->command->options, text);
	return option;
}

/* The value written into the option's own word, or NULL. */
static const char *attached_value(const char *text)
{
	const char *equals;

	if (strncmp(text, "--", 2) != 0)
		return text[2] == '\0' ? NULL : text + 2;
	equals = strchr(text, '=');
	return equals == NULL ? NULL : equals + 1;
}

static enum outcome read_common(
    struct parse *parse, const struct cli_option *option, const char *value)
{
	if (value != NULL)
		return cli_usage("--%s takes no value", option->name);
	if (option == &common_options[0])
		parse->help = true;
	else
		parse->version = true;
	return EST_OK;
}

/* Reads the option in argv[*i], and argv[*i + 1] where that is its value. */
static enum outcome read_option(struct parse *parse, int argc, char **argv, int *i)
{
	const char *text = argv[*i];
	const struct cli_option *option = find_option(parse, text);
	const char *value = attached_value(text);
	bool own;

	if (option == NULL)
		return cli_usage("unknown option %.100s%s", text,
		    parse->command == NULL ? " before the command" : "");
	if (option >= common_options && option <= &common_options[1])
		return read_common(parse, option, value);
	if (option->kind == CLI_FLAG && value != NULL)
		return cli_usage("%.100s: this option takes no value", text);
	own = option->kind == CLI_FLAG || value != NULL;
	if (!own && (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0))
		return cli_usage("%.100s needs a value: %s", text, option->value);
	return cli_store(option, own ? value : argv[++*i], parse->values);
}

/* Whether command begins with the words so far, whole words only; "" begins them all. */
static bool begins_with(const struct cli_command *command, const char *words)
{
	size_t len = strlen(words);

	return strncmp(command->words, words, len) == 0 &&
	       (len == 0 || command->words[len] == ' ' || command->words[len] == '\0');
}

/* The words that may follow `words`, as "add, list, show". */
static void list_next_words(const struct parse *parse, const char *words, struct buf *out)
{
	const struct cli_command *command = parse->program->commands;
	size_t skip = strlen(words) + (words[0] != '\0'), last_len = 0;
	const char *last = "";

	for (; command->words != NULL; command++) {
		const char *word = command->words + skip;
		size_t len;
		if (!begins_with(command, words))
			continue;
		len = strcspn(word, " ");
		if (len == last_len && strncmp(word, last, len) == 0)
			continue;
		buf_printf(out, "%s%.*s", last_len == 0 ? "" : ", ", (int)len, word);
		last = word;
		last_len = len;
	}
}

static enum outcome bad_word(const struct parse *parse, const char *words, const char *wrong)
{
	struct buf next = {0};
	enum outcome outcome;

	list_next_words(parse, words, &next);
	if (wrong == NULL)
		outcome = cli_usage("a word is missing; one of %s", buf_string(&next));
	else
		outcome = cli_usage("unknown word \"%.60s\"; one of %s", wrong, buf_string(&next));
	buf_free(&next);
	return outcome;
}

static enum outcome read_word(struct parse *parse, const char *word)
{
	const struct cli_command *command = parse->program->commands;
	char words[sizeof(parse->words)];
	int len = snprintf(
	    words, sizeof(words), "%s%s%s", parse->words, parse->words[0] == '\0' ? "" : " ", word);

	while (command->words != NULL && !begins_with(command, words))
		command++;
	if (command->words == NULL || word[0] == '\0' || len >= (int)sizeof(words))
		return bad_word(parse, parse->words, word);
	memcpy(parse->words, words, sizeof(words));
	if (strcmp(command->words, words) == 0) {
		parse->command = command;
		cli_name(parse->program->name, command->words);
	}
	return EST_OK;
}

static void print_wrapped(struct buf *out, const char *text, size_t indent, size_t column)
{
	for (; *text != '\0'; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");
		if (column > indent && column + 1 + len > HELP_WIDTH) {
			buf_add_byte(out, '\n');
			column = 0;
		}
		if (column < indent) {
			buf_printf(out, "%*s", (int)(indent - column), "");
			column = indent;
		} else if (column > indent) {
			buf_add_byte(out, ' ');
			column++;
		}
		buf_add(out, text, len);
		column += len;
		text += len;
	}
	buf_add_byte(out, '\n');
}

/* A row of help: what is explained on the left, the explanation on the right or below. */
static void print_row(struct buf *out, struct buf *left, const char *right)
{
	size_t column = left->len;

	buf_add_span(out, buf_span(left));
	if (column + 2 > HELP_COLUMN) {
		buf_add_byte(out, '\n');
		column = 0;
	}
	print_wrapped(out, right, HELP_COLUMN, column);
	buf_free(left);
}

static void print_options(struct buf *out, const struct cli_option *options)
{
	for (; options != NULL && is_option(options); options++) {
		struct buf left = {0};
		buf_add_string(&left, "  ");
		if (options->letter != 0 && options->name != NULL)
			buf_printf(&left, "-%c, ", options->letter);
		if (options->name != NULL)
			buf_printf(&left, "--%s", options->name);
		else
			buf_printf(&left, "-%c", options->letter);
		if (options->value != NULL)
			buf_printf(&left, " %s", options->value);
		print_row(out, &left, options->help);
	}
}

static void print_command(const struct parse *parse, struct buf *out)
{
	const struct cli_command *command = parse->command;

	buf_printf(out, "usage: %s %s%s%s [options]\n\n", parse->program->name, command->words,
	    command->arguments[0] == '\0' ? "" : " ", command->arguments);
	print_wrapped(out, command->help, 0, 0);
	buf_add_string(out, "\n");
	print_options(out, command->options);
}

/* The commands that begin with the words so far, each with the first sentence of its help. */
static void print_commands(const struct parse *parse, struct buf *out)
{
	const struct cli_command *command = parse->program->commands;

	buf_printf(out, "usage: %s %s%s [options]\n\n", parse->program->name, parse->words,
	    parse->words[0] == '\0' ? "COMMAND" : " ...");
	print_wrapped(out, parse->program->about, 0, 0);
	buf_add_string(out, "\n");
	for (; command->words != NULL; command++) {
		const char *end = strstr(command->help, ". ");
		size_t len =
		    end == NULL ? strlen(command->help) : (size_t)(end - command->help) + 1;
		struct buf left = {0}, first = {0};
		if (!begins_with(command, parse->words))
			continue;
		buf_printf(&left, "  %s %s", command->words, command->arguments);
		buf_add(&first, command->help, len);
		print_row(out, &left, buf_string(&first));
		buf_free(&first);
	}
	buf_add_string(out, "\n");
}

static void print_help(const struct parse *parse)
{
	struct buf out = {0};

	if (parse->command != NULL)
		print_command(parse, &out);
	else
		print_commands(parse, &out);
	print_options(&out, parse->program->options);
	print_options(&out, common_options);
	(void)fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

/* Answers --help and --version, or sees that the command is whole. */
static enum outcome finish(struct parse *parse, struct cli_call *call)
{
	const struct cli_command *command = parse->command;

	if (parse->help || parse->version) {
		call->command = NULL;
		if (parse->help)
			print_help(parse);
		else
			(void)printf("%s %s\n", parse->program->name, parse->program->version);
		return EST_OK;
	}
	if (command == NULL)
		return bad_word(parse, parse->words, NULL);
	call->command = command;
	if (call->count >= command->least && call->count <= command->most)
		return EST_OK;
	if (call->count > command->most)
		return cli_usage(
		    "one argument too many: \"%.60s\"", call->arguments[command->most]);
	return cli_usage("an argument is missing: %s %s", command->words, command->arguments);
}

enum outcome cli_parse(
    const struct cli_program *program, int argc, char **argv, void *values, struct cli_call *call)
{
	struct parse parse = {.program = program, .values = values};
	enum outcome outcome = EST_OK;
	bool ended = false;

	*call = (struct cli_call){.arguments = argv};
	cli_name(program->name, "");
	for (int i = 1; i < argc && outcome == EST_OK; i++) {
		if (!ended && strcmp(argv[i], "--") == 0)
			ended = true;
		else if (!ended && argv[i][0] == '-' && argv[i][1] != '\0')
			outcome = read_option(&parse, argc, argv, &i);
		else if (parse.command == NULL)
			outcome = read_word(&parse, argv[i]);
		else
			argv[call->count++] = argv[i];
	}
	return outcome == EST_OK ? finish(&parse, call) : outcome;
}
