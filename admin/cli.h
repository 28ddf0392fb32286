/*
 * cli.h - what est-admin and est-client share: words and options in, lines and an exit code out.
 *
 * A program is two tables, options and commands. Its main is
 *
 * 	outcome = cli_parse(&program, argc, argv, &values, &call);
 * 	if (outcome == EST_OK && call.command != NULL)
 * 		outcome = call.command->run(&values, &call);
 * 	return cli_finish(outcome);
 *
 * Data goes to stdout, words and progress to stderr. Every line passes through cli_escape(), so
 * texts from outside (a subject, a server's reason) may be arguments of cli_print() and cli_say()
 * as they are.
 */
#ifndef EST_CLI_H
#define EST_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

enum cli_exit { CLI_DONE, CLI_FAILED, CLI_USAGE, CLI_NOT_FOUND, CLI_DENIED, CLI_LATER };

/* What an option's value is, and the type of the field that it is stored in. */
enum cli_kind {
	CLI_FLAG,   /* bool: no value */
	CLI_TEXT,   /* const char *: of argv, never empty */
	CLI_CHOICE, /* const char *: of argv, one of the words in .value, as in "P-256|RSA-2048" */
	CLI_SPAN,   /* int64_t: seconds, written as 30d (clock_parse_span) */
	CLI_NUMBER, /* int64_t: a whole number >= 0 */
	CLI_REPEAT, /* struct cli_list: may be given several times */
	CLI_COMMAS  /* struct cli_list: may be given several times, each a comma list */
};

/* Freed by cli_list_free(); the items are its own. */
struct cli_list {
	char **items;
	size_t count;
};

struct cli_option {
	const char *name;  /* "trust" for --trust; NULL where there is a letter only */
	const char *value; /* its value as the help calls it ("FILE"), or its choices; NULL: flag */
	const char *help;  /* one sentence; wrapped for the terminal */
	size_t offset;     /* of its field in the program's struct of values: offsetof(...) */
	enum cli_kind kind;
	char letter; /* 'd' for -d, or 0 */
};

struct cli_call;

struct cli_command {
	const char *words;     /* "user add" */
	const char *arguments; /* what the help shows behind the words: "NAME", "[DIR]", "" */
	const char *help;      /* one or more sentences; wrapped for the terminal */
	const struct cli_option *options; /* its own, ending with {0}; NULL for none */
	size_t least, most;               /* how many arguments it takes */
	unsigned opens;                   /* for the program's own use */
	enum outcome (*run)(void *values, const struct cli_call *call);
};

struct cli_program {
	const char *name;                   /* "est-admin", before every message */
	const char *version;                /* PACKAGE_VERSION */
	const char *about;                  /* one sentence for --help */
	const struct cli_option *options;   /* accepted anywhere, ending with {0} */
	const struct cli_command *commands; /* ending with {0} */
};

/* What cli_parse() found. The arguments are those of argv. */
struct cli_call {
	const struct cli_command *command; /* NULL: --help or --version, answered already */
	char *const *arguments;
	size_t count;
};

/*
 * Reads argv: program-wide options anywhere, a command's words, then its options and arguments in
 * any order; "--" ends the options; --x VALUE, --x=VALUE, -d VALUE and -dVALUE. Stores what was
 * given into values (a struct that holds the defaults; the last of several wins) and the rest into
 * call. --help, -h and --version print to stdout, give EST_OK and leave call->command NULL. An
 * unknown word or option, a missing or bad value and a wrong number of arguments are cli_usage()
 * with a hint. argv is reordered; call->arguments are its first elements.
 */
enum outcome cli_parse(
    const struct cli_program *program, int argc, char **argv, void *values, struct cli_call *call);

/* Stores value into the option's field of values, or says by cli_usage() why it cannot be. */
enum outcome cli_store(const struct cli_option *option, const char *value, void *values);

void cli_list_free(struct cli_list *list);

/*
 * What messages begin with, and the words whose --help a usage error points to. cli_parse() calls
 * it; the texts are kept, not copied.
 */
void cli_name(const char *program, const char *words);

/*
 * reason(EST_MALFORMED, ...) that makes cli_finish() give exit code 2: options that contradict, ...
 */
enum outcome cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The exit code of an outcome, out of the one table; beyond the table CLI_FAILED. */
int cli_exit_code(enum outcome outcome);

/*
 * The end of main: ends the progress line, flushes stdout (a failure is EST_UNAVAILABLE), prints
 * "program: reason" to stderr unless EST_OK, and gives the exit code.
 */
int cli_finish(enum outcome outcome);

/*
 * Appends text made safe for a terminal: valid UTF-8 as it is, but what utf8_is_control() calls one
 * (C0, DEL, C1, separators, direction overrides) as \n, \t, \xNN or \u{NNNN}, and octets that are
 * no UTF-8 as \xNN. Backslashes stay as they are: for eyes, not for reading back (that is --json).
 */
void cli_escape(struct buf *out, struct span text);

/* One line to stdout, escaped as a whole, LF added. */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * One line "program: ..." to stderr, escaped as a whole, LF added; takes the place of the progress.
 */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replaces the progress line on stderr if that is a terminal, else does nothing. */
void cli_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_progress_end(void);

/* A JSON string of any octets: what is no UTF-8 becomes U+FFFD. NULL gives null. */
json_t *cli_json_text(const char *text);
json_t *cli_json_time(int64_t t); /* RFC 3339 */

/* Prints the object as one line of ASCII to stdout and takes the caller's reference. */
void cli_json_print(json_t *object);

/* Whether there is somebody to ask: stdin and stderr are terminals. */
bool cli_interactive(void);

/* Asks on stderr, appends the line typed, or suggestion (may be NULL) where it is empty. */
enum outcome cli_ask(const char *question, const char *suggestion, struct buf *answer);

/*
 * Appends a secret without its line end: the first line of file, of stdin where file is "-", or,
 * where file is NULL, what is typed at the prompt with the echo off (twice where `twice`, and both
 * alike). Empty, over 1024 octets or with a NUL or another control octet: EST_MALFORMED; file NULL
 * and nobody to ask: cli_usage() that names option ("--password-file"). buf_cleanse() it.
 */
enum outcome cli_secret(
    const char *file, const char *option, const char *prompt, bool twice, struct buf *secret);

#endif
