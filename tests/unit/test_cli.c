/*
 * The command line that est-admin and est-client share: exit codes, escaping, words and options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/cli.h"

struct values {
	const char *config, *key;
	struct cli_list names, sans;
	int64_t within, limit;
	bool json;
};

#define AT(field) offsetof(struct values, field)

static const struct cli_option global[] = {
    {.letter = 'c',
	.name = "config",
	.value = "FILE",
	.kind = CLI_TEXT,
	.offset = AT(config),
	.help = "h"},
    {.name = "json", .offset = AT(json), .help = "h"},
    {0},
};

static const struct cli_option add_options[] = {
    {.name = "names", .value = "N", .kind = CLI_COMMAS, .offset = AT(names), .help = "h"},
    {.name = "san", .value = "S", .kind = CLI_REPEAT, .offset = AT(sans), .help = "h"},
    {.name = "key", .value = "P-256|RSA-2048", .kind = CLI_CHOICE, .offset = AT(key), .help = "h"},
    {.name = "within", .value = "SPAN", .kind = CLI_SPAN, .offset = AT(within), .help = "h"},
    {.name = "limit", .value = "N", .kind = CLI_NUMBER, .offset = AT(limit), .help = "h"},
    {0},
};

static enum outcome run(void *values, const struct cli_call *call)
{
	(void)values;
	(void)call;
	return EST_OK;
}

static const struct cli_command commands[] = {
    {.words = "init", .arguments = "[DIR]", .most = 1, .help = "Makes.", .run = run},
    {.words = "user add",
	.arguments = "NAME",
	.options = add_options,
	.least = 1,
	.most = 1,
	.help = "Adds.",
	.run = run},
    {.words = "user list", .arguments = "", .help = "Lists.", .run = run},
    {0},
};

static const struct cli_program program = {"est-test", "1.2.3", "Tests.", global, commands};

#define WORDS 20

struct parsed {
	enum outcome outcome;
	struct values values;
	struct cli_call call;
	char *argv[WORDS + 1];
	char text[500];
};

/*
 * Parses "program WORD WORD ...", the words of line parted by single blanks; "_" is an empty word.
 */
static void parse(const char *line, struct parsed *parsed)
{
	int argc = 1;
	char *word;

	*parsed = (struct parsed){.values = {.limit = -1}};
	(void)snprintf(parsed->text, sizeof(parsed->text), "%s", line);
	parsed->argv[0] = parsed->text + strlen(parsed->text);
	for (word = strtok(parsed->text, " "); word != NULL; word = strtok(NULL, " ")) {
		assert_true(argc < WORDS);
		parsed->argv[argc++] = strcmp(word, "_") == 0 ? parsed->argv[0] : word;
	}
	reason_clear();
	parsed->outcome = cli_parse(&program, argc, parsed->argv, &parsed->values, &parsed->call);
}

static void drop(struct parsed *parsed)
{
	cli_list_free(&parsed->values.names);
	cli_list_free(&parsed->values.sans);
}

static void test_exit_codes(void **state)
{
	static const int agreed[EST_OUTCOMES] = {[EST_OK] = 0,
	    [EST_MALFORMED] = 1,
	    [EST_UNAUTHENTICATED] = 4,
	    [EST_FORBIDDEN] = 4,
	    [EST_NOT_FOUND] = 3,
	    [EST_CONFLICT] = 1,
	    [EST_THROTTLED] = 5,
	    [EST_PENDING] = 5,
	    [EST_UNAVAILABLE] = 5,
	    [EST_INTERNAL] = 1};

	(void)state;
	for (int i = 0; i < EST_OUTCOMES; i++) {
		reason_clear();
		assert_int_equal(cli_exit_code((enum outcome)i), agreed[i]);
		assert_int_equal(cli_finish((enum outcome)i), agreed[i]);
	}
	assert_int_equal(cli_exit_code((enum outcome)999), 1);
	assert_int_equal(cli_exit_code((enum outcome) - 1), 1);
}

static void test_usage_is_2(void **state)
{
	(void)state;
	reason_clear();
	assert_int_equal(cli_usage("no such %s", "thing"), EST_MALFORMED);
	assert_string_equal(reason_text(), "no such thing");
	assert_int_equal(cli_finish(EST_MALFORMED), CLI_USAGE);
	assert_int_equal(cli_finish(EST_MALFORMED), CLI_FAILED);
}

static void test_escape(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"plain text", "plain text"},
	    {"", ""},
	    {"M\xc3\xbcller \xe6\x97\xa5 \xf0\x9f\x94\x91",
		"M\xc3\xbcller \xe6\x97\xa5 \xf0\x9f\x94\x91"},
	    {"CN=a\\,b", "CN=a\\,b"},
	    {"\033[31mred", "\\x1b[31mred"},
	    {"a\nb\tc\rd", "a\\nb\\tc\\x0dd"},
	    {"\x7f\x01", "\\x7f\\x01"},
	    {"\xc2\x9b"
	     "31m",
		"\\u{009b}31m"},
	    {"\xe2\x80\xae"
	     "evil",
		"\\u{202e}evil"},
	    {"\xe2\x80\xa8", "\\u{2028}"},
	    {"\xff\xc3", "\\xff\\xc3"},
	    {"\xc0\x80", "\\xc0\\x80"},
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = {0};
		cli_escape(&out, span_of(cases[i].in));
		assert_string_equal(buf_string(&out), cases[i].out);
		buf_free(&out);
	}
}

static void test_escape_every_octet(void **state)
{
	(void)state;
	for (unsigned octet = 0; octet < 256; octet++) {
		unsigned char in[3] = {'a', (unsigned char)octet, 'b'};
		struct buf out = {0};
		cli_escape(&out, (struct span){in, sizeof(in)});
		for (size_t i = 0; i < out.len; i++)
			assert_in_range(out.data[i], 0x20, 0x7e);
		assert_true(octet >= 0x20 && octet < 0x7f ? out.len == 3 : out.len > 3);
		buf_free(&out);
	}
}

/* What cli_json_print() writes to stdout. */
static void printed(json_t *object, char *text, size_t size)
{
	FILE *file = tmpfile();
	int before = dup(STDOUT_FILENO);
	size_t len;

	assert_non_null(file);
	(void)fflush(stdout);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	cli_json_print(object);
	(void)fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	close(before);
	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	(void)fclose(file);
}

static void test_json(void **state)
{
	char text[200];

	(void)state;
	printed(json_pack("{s:o, s:o, s:o}", "a", cli_json_text("\xc3\xbc\x1b\x7f\xff\"\n"), "b",
		    cli_json_text(NULL), "c", cli_json_time(0)),
	    text, sizeof(text));
	assert_string_equal(text, "{\"a\":\"\\u00FC\\u001B\\u007f\\uFFFD\\\"\\n\",\"b\":null,"
				  "\"c\":\"1970-01-01T00:00:00Z\"}\n");
}

static void test_values(void **state)
{
	struct parsed parsed;

	(void)state;
	parse("-c a.conf user add bob --names x,y* --names=z --key RSA-2048 --within 30d --limit=7 "
	      "--json",
	    &parsed);
	assert_int_equal(parsed.outcome, EST_OK);
	assert_ptr_equal(parsed.call.command, &commands[1]);
	assert_int_equal(parsed.call.count, 1);
	assert_string_equal(parsed.call.arguments[0], "bob");
	assert_string_equal(parsed.values.config, "a.conf");
	assert_int_equal(parsed.values.names.count, 3);
	assert_string_equal(parsed.values.names.items[1], "y*");
	assert_string_equal(parsed.values.names.items[2], "z");
	assert_string_equal(parsed.values.key, "RSA-2048");
	assert_int_equal(parsed.values.within, 30 * 86400);
	assert_int_equal(parsed.values.limit, 7);
	assert_true(parsed.values.json);
	drop(&parsed);
}

static void test_forms(void **state)
{
	struct parsed parsed;

	(void)state;
	parse("user --json add -cx --san a,b=c --san=d bob -c y", &parsed);
	assert_int_equal(parsed.outcome, EST_OK);
	assert_string_equal(parsed.values.config, "y");
	assert_int_equal(parsed.values.sans.count, 2);
	assert_string_equal(parsed.values.sans.items[0], "a,b=c");
	assert_string_equal(parsed.values.sans.items[1], "d");
	drop(&parsed);
	parse("user add --san - -- --bob", &parsed);
	assert_int_equal(parsed.outcome, EST_OK);
	assert_string_equal(parsed.values.sans.items[0], "-");
	assert_string_equal(parsed.call.arguments[0], "--bob");
	drop(&parsed);
	parse("init", &parsed);
	assert_int_equal(parsed.outcome, EST_OK);
	assert_int_equal(parsed.call.count, 0);
}

static void test_refused(void **state)
{
	/* The line, and what the reason must mention. */
	static const char *const cases[][2] = {
	    {"", "init, user"},
	    {"user", "add, list"},
	    {"frob", "frob"},
	    {"user frob", "add, list"},
	    {"use", "use"},
	    {"_", "init"},
	    {"user add", "NAME"},
	    {"user add a b", "\"b\""},
	    {"user list a", "\"a\""},
	    {"user add a --frob", "--frob"},
	    {"user add a -x", "-x"},
	    {"user list --limit 3", "--limit"},
	    {"--limit 3 user add a", "before the command"},
	    {"user add a --limit", "N"},
	    {"user add a --limit --json", "N"},
	    {"user add a --limit 3x", "whole number"},
	    {"user add a --limit -3", "whole number"},
	    {"user add a --limit 99999999999999999999", "whole number"},
	    {"user add a --limit _", "empty"},
	    {"user add a --limit=", "empty"},
	    {"user add a --within 30", "30d"},
	    {"user add a --within 30dd", "30d"},
	    {"user add a --key RSA", "P-256|RSA-2048"},
	    {"user add a --key P-256|RSA-2048", "P-256|RSA-2048"},
	    {"user add a --names x,,y", "empty"},
	    {"user add a --names x,", "empty"},
	    {"user add a --json=yes", "no value"},
	    {"user add a --help=x", "no value"},
	    {"user add a --jso", "--jso"},
	    {"user add a --jsonx", "--jsonx"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parsed parsed;
		parse(cases[i][0], &parsed);
		if (parsed.outcome != EST_MALFORMED || strstr(reason_text(), cases[i][1]) == NULL)
			fail_msg("\"%s\": outcome %d, \"%s\"", cases[i][0], (int)parsed.outcome,
			    reason_text());
		assert_int_equal(cli_finish(parsed.outcome), CLI_USAGE);
		drop(&parsed);
	}
}

static void test_answered(void **state)
{
	static const char *const lines[] = {"--help", "-h", "user --help", "user add -h",
	    "--version", "user add --version", "--help user add", "user add a b c --help"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct parsed parsed;
		parse(lines[i], &parsed);
		assert_int_equal(parsed.outcome, EST_OK);
		assert_null(parsed.call.command);
		drop(&parsed);
	}
}

/* A secret out of a file that holds content. */
static enum outcome secret_of(const char *content, size_t len, struct buf *secret)
{
	char path[] = "/tmp/test_cli.XXXXXX";
	int fd = mkstemp(path);
	enum outcome outcome;

	assert_true(fd >= 0 && write(fd, content, len) == (ssize_t)len);
	close(fd);
	reason_clear();
	outcome = cli_secret(path, "--password-file", "password", true, secret);
	unlink(path);
	return outcome;
}

static void test_secret(void **state)
{
	static const struct {
		const char *content, *secret; /* NULL: refused */
	} cases[] = {
	    {"pass word\nsecond\n", "pass word"},
	    {"p:w\r\n", "p:w"},
	    {"no end", "no end"},
	    {"\xc3\xa9\n", "\xc3\xa9"},
	    {"", NULL},
	    {"\nsecond", NULL},
	    {"a\tb\n", NULL},
	    {"a\x7f\n", NULL},
	};
	struct buf secret = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum outcome outcome =
		    secret_of(cases[i].content, strlen(cases[i].content), &secret);
		assert_int_equal(outcome, cases[i].secret == NULL ? EST_MALFORMED : EST_OK);
		assert_string_equal(
		    buf_string(&secret), cases[i].secret == NULL ? "" : cases[i].secret);
		buf_cleanse(&secret);
	}
	assert_int_equal(secret_of("a\0b\n", 4, &secret), EST_MALFORMED);
	assert_int_equal(
	    cli_secret("/nonexistent/x", "--p", "password", false, &secret), EST_NOT_FOUND);
	buf_cleanse(&secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exit_codes),
	    cmocka_unit_test(test_usage_is_2),
	    cmocka_unit_test(test_escape),
	    cmocka_unit_test(test_escape_every_octet),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_answered),
	    cmocka_unit_test(test_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
