/*
 * replay.c - runs a fuzz target over files, in builds that have no libFuzzer.
 *
 * usage: fuzz_NAME FILE|DIRECTORY...
 * Prints how many inputs it ran; what breaks a promise ends it by a signal or with 1, after the
 * file's name.
 */
#include "tests/fuzz/fuzz.h"

#ifndef EST_FUZZING

#include <dirent.h>
#include <err.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"

#define INPUT_MOST (4 << 20)

/* A block of its own, exactly as long as the input, so that ASan sees one octet too far. */
static void run_file(const char *path)
{
	struct buf content = {0};
	unsigned char *copy;

	if (file_read(path, INPUT_MOST, &content) != EST_OK)
		errx(1, "%s", reason_text());
	copy = malloc(content.len == 0 ? 1 : content.len);
	if (copy == NULL)
		err(1, "malloc");
	if (content.len > 0)
		memcpy(copy, content.data, content.len);
	(void)fprintf(stderr, "%s\n", path);
	(void)LLVMFuzzerTestOneInput(copy, content.len);
	free(copy);
	buf_free(&content);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static size_t run_directory(const char *path)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_visible, alphasort);

	if (count < 0)
		err(1, "%s", path);
	for (int i = 0; i < count; i++) {
		char *file = file_path(path, entries[i]->d_name);
		run_file(file);
		free(file);
		free(entries[i]);
	}
	free(entries);
	return (size_t)count;
}

int main(int argc, char **argv)
{
	size_t runs = 0;

	for (int i = 1; i < argc; i++) {
		struct stat status;
		if (stat(argv[i], &status) != 0)
			err(1, "%s", argv[i]);
		if (S_ISDIR(status.st_mode)) {
			runs += run_directory(argv[i]);
			continue;
		}
		run_file(argv[i]);
		runs++;
	}
	if (runs == 0)
		errx(1, "nothing to run: name files, or directories that hold some");
	(void)printf("%zu inputs\n", runs);
	return 0;
}

#endif
