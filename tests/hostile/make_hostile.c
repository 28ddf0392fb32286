/*
 * make_hostile - writes requests that an EST server has to refuse, and a list of what it has to
 * answer.
 *
 * usage: make_hostile [-u URL] -t TARGET DIRECTORY
 *
 * Every file is a row of one of the tables in rows_*.c. manifest.tsv has a line for each: file,
 * row of security-cases.md, name, status, code, how to send it, and in hex what no certificate may
 * hold of it. blocked.keys is for est.conf's blocked_keys. TARGET is the directory that the
 * server's keys are in.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/hostile/row.h"

static const struct row *const tables[] = {rows_signature, rows_rsa, rows_key, rows_der, rows_body,
    rows_subject, rows_san, rows_extension};

struct target target = {NULL, "http://127.0.0.1:9/"};

static FILE *file_open(const char *directory, const char *name)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	if (file == NULL)
		err(EXIT_FAILURE, "%s", path);
	return file;
}

static void file_close(FILE *file)
{
	if (ferror(file) || fclose(file) != 0)
		err(EXIT_FAILURE, "writing");
}

static void write_file(const char *directory, const char *name, struct bytes bytes)
{
	FILE *file = file_open(directory, name);

	(void)fwrite(bytes.at, 1, bytes.len, file);
	file_close(file);
}

static void print_line(FILE *manifest, const char *file, const struct row *row)
{
	struct bytes without = bytes_make(row->without);

	fprintf(manifest, "%s\t%s\t%s\t%s\t%s\t%s\t", file, row->row, row->name, row->status,
	    row->code, row->how);
	for (size_t i = 0; i < without.len; i++)
		fprintf(manifest, "%02x", without.at[i]);
	fprintf(manifest, "\n");
}

static void write_row(const char *directory, FILE *manifest, const struct row *row)
{
	char file[256], name[65];
	struct request request = {.name = name};

	(void)snprintf(name, sizeof(name), "pump-%s-%.40s.example", row->row, row->name);
	(void)snprintf(file, sizeof(file), "%s-%s.der", row->row, row->name);
	row->make(&request, row->what);
	write_file(directory, file, request_make(&request));
	print_line(manifest, file, row);
}

static void write_blocked(const char *directory)
{
	FILE *file = file_open(directory, "blocked.keys");

	rows_print_blocked(file);
	file_close(file);
}

static _Noreturn void usage(void)
{
	errx(2, "usage: make_hostile [-u URL] -t TARGET DIRECTORY");
}

int main(int argc, char **argv)
{
	FILE *manifest;
	int option;

	while ((option = getopt(argc, argv, "t:u:")) != -1)
		switch (option) {
		case 't': target.directory = optarg; break;
		case 'u': target.url = optarg; break;
		default: usage();
		}
	if (argc != optind + 1 || target.directory == NULL)
		usage();
	if (mkdir(argv[optind], 0755) != 0 && errno != EEXIST)
		err(EXIT_FAILURE, "%s", argv[optind]);
	manifest = file_open(argv[optind], "manifest.tsv");
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct row *row = tables[i]; row->row != NULL; row++)
			write_row(argv[optind], manifest, row);
	file_close(manifest);
	write_blocked(argv[optind]);
	key_end();
	bytes_end();
	return EXIT_SUCCESS;
}
