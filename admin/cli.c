#include "admin/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/utf8.h"

static const int exit_codes[EST_OUTCOMES] = {
    [EST_OK] = CLI_DONE,
    [EST_MALFORMED] = CLI_FAILED,
    [EST_UNAUTHENTICATED] = CLI_DENIED,
    [EST_FORBIDDEN] = CLI_DENIED,
    [EST_NOT_FOUND] = CLI_NOT_FOUND,
    [EST_CONFLICT] = CLI_FAILED,
    [EST_THROTTLED] = CLI_LATER,
    [EST_PENDING] = CLI_LATER,
    [EST_UNAVAILABLE] = CLI_LATER,
    [EST_INTERNAL] = CLI_FAILED,
};

static const char *program_name = "est";
static const char *program_words = "";
static bool usage;
static bool progress;

int cli_exit_code(enum outcome outcome)
{
	return (unsigned)outcome < EST_OUTCOMES ? exit_codes[outcome] : CLI_FAILED;
}

void cli_name(const char *program, const char *words)
{
	program_name = program;
	program_words = words;
}

enum outcome cli_usage(const char *format, ...)
{
	char text[501];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	usage = true;
	return reason(EST_MALFORMED, "%s", text);
}

int cli_finish(enum outcome outcome)
{
	const char *text;
	bool misused = usage && outcome == EST_MALFORMED;

	usage = false;
	cli_progress_end();
	if ((fflush(stdout) != 0 || ferror(stdout)) && outcome == EST_OK)
		outcome = reason(EST_UNAVAILABLE, "cannot write to stdout: %s", strerror(errno));
	if (outcome == EST_OK)
		return CLI_DONE;
	text = reason_text();
	cli_say("%s", text[0] != '\0' ? text : outcome_name(outcome));
	if (!misused)
		return cli_exit_code(outcome);
	cli_say(
	    "see %s%s%s --help", program_name, program_words[0] == '\0' ? "" : " ", program_words);
	return CLI_USAGE;
}

static void escape_character(struct buf *out, uint32_t c)
{
	if (c == '\n')
		buf_add_string(out, "\\n");
	else if (c == '\t')
		buf_add_string(out, "\\t");
	else if (c < 0x80)
		buf_printf(out, "\\x%02x", (unsigned)c);
	else
		buf_printf(out, "\\u{%04x}", (unsigned)c);
}

void cli_escape(struct buf *out, struct span text)
{
	while (text.len > 0) {
		uint32_t c = 0;
		size_t len = utf8_decode(text, &c);
		if (len == 0)
			buf_printf(out, "\\x%02x", text.data[0]);
		else if (utf8_is_control(c) || utf8_is_hidden(c))
			escape_character(out, c);
		else
			buf_add(out, text.data, len);
		len = len == 0 ? 1 : len;
		text.data += len;
		text.len -= len;
	}
}

static void escape_formatted(struct buf *out, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void escape_formatted(struct buf *out, const char *format, va_list arguments)
{
	char *text = NULL;

	if (vasprintf(&text, format, arguments) >= 0)
		cli_escape(out, span_of(text));
	free(text);
}

static void put(FILE *stream, struct buf *line)
{
	(void)fwrite(line->data, 1, line->len, stream);
	buf_free(line);
}

void cli_print(const char *format, ...)
{
	struct buf line = {0};
	va_list arguments;

	va_start(arguments, format);
	escape_formatted(&line, format, arguments);
	va_end(arguments);
	buf_add_byte(&line, '\n');
	cli_progress_end();
	put(stdout, &line);
}

void cli_say(const char *format, ...)
{
	struct buf line = {0};
	va_list arguments;

	buf_printf(&line, "%s: ", program_name);
	va_start(arguments, format);
	escape_formatted(&line, format, arguments);
	va_end(arguments);
	buf_add_byte(&line, '\n');
	cli_progress_end();
	put(stderr, &line);
}

/* Cuts line to what one row of the terminal shows: a wrapped row could not be taken back. */
static void cut_to_terminal(struct buf *line)
{
	struct winsize size = {0};
	size_t at = 0, columns;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
		size.ws_col = 80;
	for (columns = size.ws_col - 1U; at < line->len && columns > 0; columns--) {
		uint32_t c;
		at += utf8_decode((struct span){line->data + at, line->len - at}, &c);
	}
	line->len = at;
}

void cli_progress(const char *format, ...)
{
	struct buf text = {0}, line = {0};
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(arguments, format);
	escape_formatted(&text, format, arguments);
	va_end(arguments);
	cut_to_terminal(&text);
	buf_add_string(&line, "\r");
	buf_add_span(&line, buf_span(&text));
	buf_add_string(&line, "\033[K");
	put(stderr, &line);
	buf_free(&text);
	progress = true;
}

void cli_progress_end(void)
{
	if (progress)
		(void)fputs("\r\033[K", stderr);
	progress = false;
}

json_t *cli_json_text(const char *text)
{
	struct buf clean = {0};
	json_t *string;

	if (text == NULL)
		return json_null();
	utf8_clean(&clean, span_of(text));
	string = json_string(buf_string(&clean));
	buf_free(&clean);
	return string;
}

json_t *cli_json_time(int64_t t)
{
	char text[CLOCK_TEXT];

	return json_string(clock_text(t, text));
}

void cli_json_print(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);

	cli_progress_end();
	if (text == NULL)
		abort();
	/* jansson leaves DEL as it is; a terminal must not see it. */
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == 0x7f)
			(void)fputs("\\u007f", stdout);
		else
			(void)putchar(*at);
	}
	(void)putchar('\n');
	free(text);
	json_decref(object);
}
