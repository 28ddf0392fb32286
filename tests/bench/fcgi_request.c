/*
 * fcgi_request - sends one request to a FastCGI program and prints what it answered.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"
#include "tests/bench/fastcgi.h"

#define BODY_MAX (64u << 20)

static const char help[] =
    "usage: fcgi_request SOCKET [-p NAME=VALUE]... [-f NAME=FILE]... [-i BODYFILE] [-t SECONDS]\n"
    "Sends one request to the FastCGI program at a unix socket and prints its headers and body;\n"
    "what it wrote to FCGI_STDERR goes to stderr. Sends no variable that is not asked for.\n"
    "  -p NAME=VALUE  a CGI variable, in the order given\n"
    "  -f NAME=FILE   a CGI variable whose value is the content of FILE, NUL bytes and all\n"
    "  -i BODYFILE    the body; - is standard input (default: an empty body)\n"
    "  -t SECONDS     how long to wait for the whole answer (default 10)\n"
    "Exit status: 0 a whole answer came, whatever it says; 1 none; 2 usage.\n";

static _Noreturn void usage(void)
{
	(void)fputs(help, stderr);
	exit(2);
}

static void file_load(const char *path, struct buf *out)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	unsigned char bytes[8192];
	size_t got;

	if (file == NULL)
		err(EXIT_FAILURE, "%s", path);
	while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0) {
		buf_add(out, bytes, got);
		if (out->len > BODY_MAX)
			errx(EXIT_FAILURE, "%s is longer than %u bytes", path, BODY_MAX);
	}
	if (ferror(file))
		err(EXIT_FAILURE, "%s", path);
	if (file != stdin)
		(void)fclose(file);
}

/* NAME=VALUE, or NAME=FILE; a name may be empty, as a hostile client's may. */
static void param_add(struct fastcgi_request *request, const char *argument, bool from_file)
{
	const char *equals = strchr(argument, '=');
	struct buf content = {0};
	struct span name, value;

	if (equals == NULL)
		usage();
	name = (struct span){(const unsigned char *)argument, (size_t)(equals - argument)};
	value = span_of(equals + 1);
	if (from_file) {
		file_load(equals + 1, &content);
		value = buf_span(&content);
	}
	fastcgi_param(request, name, value);
	buf_free(&content);
}

static const char *arguments_read(
    int argc, char **argv, struct fastcgi_request *request, int *timeout)
{
	int option;

	while ((option = getopt(argc, argv, "p:f:i:t:h")) != -1) {
		switch (option) {
		case 'p': param_add(request, optarg, false); break;
		case 'f': param_add(request, optarg, true); break;
		case 'i': file_load(optarg, &request->body); break;
		case 't': *timeout = atoi(optarg) * 1000; break;
		case 'h': (void)fputs(help, stdout); exit(0);
		default: usage();
		}
	}
	if (optind != argc - 1 || *timeout < 1000 || *timeout > 3600 * 1000)
		usage();
	return argv[optind];
}

int main(int argc, char **argv)
{
	struct fastcgi_request request = {0};
	struct fastcgi_answer answer = {0};
	int timeout = 10000;
	const char *socket = arguments_read(argc, argv, &request, &timeout);
	enum outcome outcome = fastcgi_exchange(socket, &request, timeout, &answer);

	if (answer.output.len > 0)
		(void)fwrite(answer.output.data, 1, answer.output.len, stdout);
	if (answer.errors.len > 0)
		(void)fwrite(answer.errors.data, 1, answer.errors.len, stderr);
	if (outcome == EST_OK && answer.protocol_status != 0)
		outcome = reason(EST_UNAVAILABLE,
		    "the program refused the request: protocol status %u", answer.protocol_status);
	if (outcome != EST_OK)
		warnx("%s", reason_text());
	fastcgi_request_free(&request);
	fastcgi_answer_free(&answer);
	return outcome == EST_OK && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
