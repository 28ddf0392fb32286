/*
 * What is typed at the terminal or read from a file that must not end up on a command line.
 */
#include "admin/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "common/base/file.h"

#define SECRET_MOST 1024

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
	caught = number;
}

bool cli_interactive(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/*
 * One line of stdin without its LF or CRLF, octet by octet: what follows belongs to somebody else.
 */
static enum outcome read_line(struct buf *line)
{
	char octet = 0;

	for (size_t len = 0; len <= SECRET_MOST; len++) {
		ssize_t got = read(STDIN_FILENO, &octet, 1);
		if (got < 0 && errno == EINTR && caught == 0) {
			len--;
			continue;
		}
		if (got < 0)
			return reason(EST_UNAVAILABLE, "cannot read stdin: %s", strerror(errno));
		if (got == 0 && len == 0)
			return reason(EST_MALFORMED, "stdin ended before a line of it");
		if (got == 0 || octet == '\n')
			break;
		buf_add(line, &octet, 1);
	}
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	return EST_OK;
}

enum outcome cli_ask(const char *question, const char *suggestion, struct buf *answer)
{
	struct buf line = {0};
	enum outcome outcome;

	cli_progress_end();
	if (suggestion == NULL)
		(void)fprintf(stderr, "%s: ", question);
	else
		(void)fprintf(stderr, "%s [%s]: ", question, suggestion);
	outcome = read_line(&line);
	if (outcome == EST_OK && line.len == 0 && suggestion != NULL)
		buf_add_string(answer, suggestion);
	else if (outcome == EST_OK)
		buf_add_span(answer, buf_span(&line));
	buf_free(&line);
	return outcome;
}

static void set_signals(struct sigaction before[static SIGNALS])
{
	struct sigaction action = {.sa_handler = catch_signal};

	caught = 0;
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &action, &before[i]);
}

static void restore_signals(const struct sigaction before[static SIGNALS])
{
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &before[i], NULL);
	if (caught != 0)
		(void)raise(caught);
}

/* A signal ends the reading, and is delivered again once the echo is back. */
static enum outcome read_silently(const char *prompt, struct buf *line)
{
	struct sigaction before[SIGNALS];
	struct termios loud, silent;
	enum outcome outcome;

	if (tcgetattr(STDIN_FILENO, &loud) != 0)
		return reason(EST_UNAVAILABLE, "cannot switch the echo off: %s", strerror(errno));
	silent = loud;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	set_signals(before);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	(void)fprintf(stderr, "%s: ", prompt);
	outcome = read_line(line);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &loud);
	(void)fputc('\n', stderr);
	restore_signals(before);
	return outcome;
}

static enum outcome prompt_secret(const char *prompt, bool twice, struct buf *secret)
{
	struct buf again = {0};
	enum outcome outcome = read_silently(prompt, secret);

	if (outcome != EST_OK || !twice)
		return outcome;
	buf_reserve(&again, SECRET_MOST + 1);
	outcome = read_silently("the same again", &again);
	if (outcome == EST_OK && !span_equal(buf_span(&again), buf_span(secret)))
		outcome = reason(EST_MALFORMED, "the two entries differ");
	buf_cleanse(&again);
	return outcome;
}

static enum outcome first_line(const char *file, struct buf *secret)
{
	enum outcome outcome = file_read(file, 65536, secret);
	const unsigned char *end;

	if (outcome != EST_OK)
		return outcome;
	end = memchr(secret->data, '\n', secret->len);
	if (end != NULL)
		secret->len = (size_t)(end - secret->data);
	if (secret->len > 0 && secret->data[secret->len - 1] == '\r')
		secret->len--;
	return EST_OK;
}

static enum outcome check_secret(struct span secret)
{
	if (secret.len == 0)
		return reason(EST_MALFORMED, "the first line is empty; a secret is wanted");
	if (secret.len > SECRET_MOST)
		return reason(EST_MALFORMED, "a secret of more than %d octets", SECRET_MOST);
	for (size_t i = 0; i < secret.len; i++) {
		if (secret.data[i] < 0x20 || secret.data[i] == 0x7f)
			return reason(EST_MALFORMED, "there is a control octet in the secret");
	}
	return EST_OK;
}

enum outcome cli_secret(
    const char *file, const char *option, const char *prompt, bool twice, struct buf *secret)
{
	struct buf line = {0};
	enum outcome outcome;

	/* Grown once: a reallocation would leave a copy behind. */
	buf_reserve(&line, file == NULL || strcmp(file, "-") == 0 ? SECRET_MOST + 1 : 2 * 65536);
	cli_progress_end();
	if (file == NULL && !cli_interactive())
		outcome =
		    cli_usage("%s: nobody to ask; give %s FILE, or - for stdin", prompt, option);
	else if (file == NULL)
		outcome = prompt_secret(prompt, twice, &line);
	else if (strcmp(file, "-") == 0)
		outcome = read_line(&line);
	else
		outcome = first_line(file, &line);
	if (outcome == EST_OK)
		outcome = check_secret(buf_span(&line));
	if (outcome == EST_OK)
		buf_add_span(secret, buf_span(&line));
	buf_cleanse(&line);
	return outcome;
}
