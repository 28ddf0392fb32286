#include "admin/client_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"

#include "admin/client_bundle.h"

#define FILE_MOST (4 * 1048576)

#define HALF  ".est-client.half"  /* files being written */
#define WHOLE ".est-client.whole" /* written completely: to be moved into place */

static const struct {
	const char *name;
	mode_t mode;
	bool bundled;
} files[CLIENT_FILES] = {
    [CLIENT_SETTINGS] = {"device.json", 0644, true},
    [CLIENT_KEY] = {"device.key", 0600, true},
    [CLIENT_CSR] = {"device.csr", 0600, true},
    [CLIENT_CERTIFICATE] = {"device.pem", 0644, true},
    [CLIENT_CACERTS_PKCS7] = {"cacerts.p7b", 0644, true},
    [CLIENT_CACERTS] = {"cacerts.pem", 0644, true},
    [CLIENT_TRUST] = {"trust.pem", 0644, true},
    [CLIENT_BUNDLE] = {"device.tar.gz", 0600, false},
    [CLIENT_PENDING_KEY] = {"pending.key", 0600, false},
    [CLIENT_PENDING_CSR] = {"pending.csr", 0600, false},
};

const char *client_file_name(enum client_file file)
{
	return files[file].name;
}

static enum outcome failed(const char *verb, const struct client_directory *directory)
{
	int error = errno;

	return reason(error == ENOENT ? EST_NOT_FOUND : EST_UNAVAILABLE, "cannot %s %s: %s", verb,
	    directory->path, strerror(error));
}

static enum outcome lock(struct client_directory *directory, enum client_access access)
{
	if (access == CLIENT_CREATE) {
		directory->made = mkdir(directory->path, 0700) == 0;
		if (!directory->made && errno != EEXIST)
			return failed("make the directory", directory);
	}
	directory->lock = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory->lock < 0)
		return failed("open the directory", directory);
	if (access == CLIENT_READ || flock(directory->lock, LOCK_EX | LOCK_NB) == 0)
		return EST_OK;
	if (errno == EWOULDBLOCK)
		return reason(
		    EST_UNAVAILABLE, "another est-client is at work in %s", directory->path);
	return failed("lock", directory);
}

/* Removes the files of a directory below, and it. One that is not there is fine. */
static enum outcome discard(const struct client_directory *directory, const char *name)
{
	int below = openat(directory->lock, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = below < 0 ? NULL : fdopendir(below);
	struct dirent *entry;

	if (list == NULL) {
		if (below >= 0)
			close(below);
		return errno == ENOENT ? EST_OK : failed("clean up", directory);
	}
	while ((entry = readdir(list)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(below, entry->d_name, 0);
	}
	(void)closedir(list);
	return unlinkat(directory->lock, name, AT_REMOVEDIR) == 0 ? EST_OK
								  : failed("clean up", directory);
}

/* Moves what lies in WHOLE into place. Begun before, it goes on where it stopped. */
static enum outcome move_into_place(const struct client_directory *directory)
{
	for (size_t i = 0; i < CLIENT_FILES; i++) {
		char from[64];
		(void)snprintf(from, sizeof(from), "%s/%s", WHOLE, files[i].name);
		if (renameat(directory->lock, from, directory->lock, files[i].name) != 0 &&
		    errno != ENOENT)
			return failed("replace the files of", directory);
	}
	if (fsync(directory->lock) != 0)
		return failed("finish", directory);
	return discard(directory, WHOLE);
}

static enum outcome repair(const struct client_directory *directory)
{
	struct stat status;

	if (fstatat(directory->lock, WHOLE, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		enum outcome outcome = move_into_place(directory);
		if (outcome != EST_OK)
			return outcome;
	}
	return discard(directory, HALF);
}

static enum outcome load(struct client_directory *directory)
{
	for (size_t i = 0; i < CLIENT_FILES; i++) {
		char *path = file_path(directory->path, files[i].name);
		struct stat status;
		enum outcome outcome = EST_OK;
		/* Room enough that a key is not copied about while it grows. */
		buf_reserve(&directory->files[i], 16384);
		if (stat(path, &status) == 0 || errno != ENOENT)
			outcome = file_read(path, FILE_MOST, &directory->files[i]);
		free(path);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

enum outcome client_directory_open(
    const char *path, enum client_access access, struct client_directory *directory)
{
	enum outcome outcome;

	*directory = (struct client_directory){.path = mem_string(path), .lock = -1};
	outcome = lock(directory, access);
	if (outcome == EST_OK && access != CLIENT_READ)
		outcome = repair(directory);
	return outcome == EST_OK ? load(directory) : outcome;
}

/* Does nothing where what goes into it is as before, or the device has no certificate yet. */
static enum outcome make_bundle(struct client_directory *directory)
{
	struct client_entry entries[CLIENT_FILES];
	size_t count = 0;
	bool changed = directory->files[CLIENT_BUNDLE].len == 0;

	for (size_t i = 0; i < CLIENT_FILES; i++)
		changed = changed || (files[i].bundled && directory->changed[i]);
	if (!changed || directory->files[CLIENT_KEY].len == 0 ||
	    directory->files[CLIENT_CERTIFICATE].len == 0)
		return EST_OK;
	directory->changed[CLIENT_BUNDLE] = true;
	buf_cleanse(&directory->files[CLIENT_BUNDLE]);
	for (size_t i = 0; i < CLIENT_FILES; i++) {
		if (files[i].bundled && directory->files[i].len > 0)
			entries[count++] = (struct client_entry){
			    files[i].name, files[i].mode, buf_span(&directory->files[i])};
	}
	return client_bundle_make(entries, count, clock_now(), &directory->files[CLIENT_BUNDLE]);
}

static enum outcome write_half(const struct client_directory *directory)
{
	enum outcome outcome = EST_OK;
	char *half;

	if (mkdirat(directory->lock, HALF, 0700) != 0)
		return failed("write into", directory);
	half = file_path(directory->path, HALF);
	for (size_t i = 0; i < CLIENT_FILES && outcome == EST_OK; i++) {
		char *path;
		if (directory->files[i].len == 0 || !directory->changed[i])
			continue;
		path = file_path(half, files[i].name);
		outcome = file_create(path, files[i].mode, buf_span(&directory->files[i]));
		free(path);
	}
	free(half);
	return outcome;
}

/* The entries of HALF on disk, then the one rename that makes it WHOLE, on disk as well. */
static enum outcome commit(const struct client_directory *directory)
{
	int half = openat(directory->lock, HALF, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int synced = half < 0 ? -1 : fsync(half);

	if (half >= 0)
		close(half);
	if (synced != 0 || renameat(directory->lock, HALF, directory->lock, WHOLE) != 0 ||
	    fsync(directory->lock) != 0)
		return failed("finish", directory);
	return EST_OK;
}

enum outcome client_directory_save(struct client_directory *directory)
{
	enum outcome outcome = make_bundle(directory);

	if (outcome == EST_OK)
		outcome = write_half(directory);
	if (outcome == EST_OK)
		outcome = commit(directory);
	if (outcome != EST_OK) {
		(void)discard(directory, HALF);
		return outcome;
	}
	outcome = move_into_place(directory);
	memset(directory->changed, 0, sizeof(directory->changed));
	for (size_t i = 0; i < CLIENT_FILES && outcome == EST_OK; i++) {
		if (directory->files[i].len == 0 &&
		    unlinkat(directory->lock, files[i].name, 0) != 0 && errno != ENOENT)
			outcome = failed("clean up", directory);
	}
	return outcome;
}

void client_directory_set(
    struct client_directory *directory, enum client_file file, struct span content)
{
	struct buf fresh = {0};

	if (span_equal(buf_span(&directory->files[file]), content))
		return;
	directory->changed[file] = true;
	buf_reserve(&fresh, content.len);
	buf_add_span(&fresh, content);
	buf_cleanse(&directory->files[file]);
	directory->files[file] = fresh;
}

void client_directory_close(struct client_directory *directory)
{
	for (size_t i = 0; i < CLIENT_FILES; i++)
		buf_cleanse(&directory->files[i]);
	/* Fails where there is something in it. */
	if (directory->made)
		(void)rmdir(directory->path);
	if (directory->lock >= 0)
		close(directory->lock);
	free(directory->path);
	*directory = (struct client_directory){.lock = -1};
}
