#include "maker.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>

#include "common/base/encoding.h"
#include "common/base/file.h"
#include "common/pki/der.h"

#define POOL 20000

static void *pool[POOL];
static size_t pooled;
static char *directory;

#define must(condition) maker_must((condition), #condition, __FILE__, __LINE__)
void maker_must(bool condition, const char *what, const char *file, int line)
{
	if (condition)
		return;
	ERR_print_errors_fp(stderr);
	fail_msg("%s:%d: %s", file, line, what);
}

static void *keep(void *memory)
{
	must(pooled < POOL);
	return pool[pooled++] = memory;
}

struct span maker_copy(struct span span)
{
	unsigned char *copy = keep(malloc(span.len == 0 ? 1 : span.len));

	if (span.len > 0)
		memcpy(copy, span.data, span.len);
	return (struct span){copy, span.len};
}

struct span maker_keep(struct buf *buf)
{
	struct span copy = maker_copy(buf_span(buf));

	buf_free(buf);
	return copy;
}

void maker_assert_outcome(
    enum outcome wanted, enum outcome got, const char *what, const char *file, int line)
{
	if (wanted != got) {
		print_error("%s: %s instead of %s: \"%s\"\n", what, outcome_name(got),
		    outcome_name(wanted), reason_text());
		_fail(file, line);
	}
	if ((wanted == EST_OK) != (reason_text()[0] == '\0')) {
		print_error(
		    "%s: %s with the reason \"%s\"\n", what, outcome_name(got), reason_text());
		_fail(file, line);
	}
	reason_clear();
}

void maker_assert_bytes(struct span wanted, struct span got, const char *file, int line)
{
	struct buf text = {0};

	if (span_equal(wanted, got))
		return;
	buf_add_string(&text, "wanted ");
	hex_encode(&text, wanted);
	buf_add_string(&text, "\ngot    ");
	hex_encode(&text, got);
	print_error("%s\n", buf_string(&text));
	buf_free(&text);
	_fail(file, line);
}

int maker_clear(void **state)
{
	struct buf command = {0};

	(void)state;
	while (pooled > 0)
		free(pool[--pooled]);
	maker_clear_certs();
	if (directory != NULL) {
		buf_printf(&command, "rm -rf '%s'", directory);
		must(system(buf_string(&command)) == 0);
		buf_free(&command);
		free(directory);
		directory = NULL;
	}
	reason_clear();
	return 0;
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

struct span maker_der(const char *notation, ...)
{
	struct buf out = {0};
	size_t marks[32], depth = 0;
	va_list arguments;

	va_start(arguments, notation);
	for (const char *at = notation; *at != '\0'; at++) {
		if (*at == '$') {
			buf_add_span(&out, va_arg(arguments, struct span));
		} else if (*at == '\'') {
			while (*++at != '\'')
				buf_add_byte(&out, (unsigned char)*at);
		} else if (*at == '}') {
			must(depth > 0);
			der_close(&out, marks[--depth]);
		} else if (*at != ' ') {
			must(isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]));
			unsigned octet = (unsigned)(digit(at[0]) << 4 | digit(at[1]));
			if (*++at != '\0' && at[1] == '{') {
				must(depth < COUNT(marks));
				marks[depth++] = der_open(&out, octet);
				at++;
			} else {
				buf_add_byte(&out, (unsigned char)octet);
			}
		}
	}
	va_end(arguments);
	must(depth == 0);
	return maker_keep(&out);
}

const char *maker_directory(void)
{
	char name[] = "/tmp/est-unit.XXXXXX";

	if (directory == NULL) {
		must(mkdtemp(name) != NULL);
		directory = mem_string(name);
	}
	return directory;
}

const char *maker_file(const char *name, const char *text)
{
	char *path = keep(file_path(maker_directory(), name));

	must(file_write(path, 0600, span_of(text)) == EST_OK);
	return path;
}

struct span maker_corpus(const char *name)
{
	const char *source = getenv("EST_SOURCE");
	struct buf path = {0}, content = {0};

	buf_printf(&path, "%s/tests/corpus/%s", source == NULL ? "." : source, name);
	must(file_read(buf_string(&path), 1 << 20, &content) == EST_OK);
	buf_free(&path);
	return maker_keep(&content);
}

int maker_bounded(int (*act)(void *), void *argument, unsigned seconds)
{
	int status = 0;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	must(child >= 0);
	if (child == 0) {
		(void)alarm(seconds);
		_exit(act(argument));
	}
	must(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) && WEXITSTATUS(status) < 100 ? WEXITSTATUS(status) : -1;
}
