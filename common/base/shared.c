#include "common/base/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 16 /* to open a file that others make anew at the same time */

struct place {
	const char *path;
	const struct shared_form *form;
	struct span head;
};

static enum outcome failed(const char *verb, const struct place *place, int error)
{
	return reason(EST_UNAVAILABLE, "cannot %s %s %s: %s", verb, place->form->what, place->path,
	    strerror(error));
}

/*
 * Its space is taken before it is mapped: on a full disk a store into a page without space would
 * end the process with SIGBUS.
 */
static int fill(int fd, const struct place *place)
{
	int error = posix_fallocate(fd, 0, (off_t)place->form->size);
	ssize_t put = 0;

	if (error == 0)
		put = pwrite(fd, place->head.data, place->head.len, 0);
	if (error == 0 && put != (ssize_t)place->head.len)
		error = put < 0 ? errno : ENOSPC;
	if (error == 0 && fchmod(fd, 0660) != 0)
		error = errno;
	return error;
}

/* Makes the file beside its path, moves it there: in place of what is there, or only where nothing
 * is. */
static enum outcome make(const struct place *place, bool replace)
{
	struct buf name = {0};
	char *temporary;
	int fd, error;

	buf_printf(&name, "%s.XXXXXX", place->path);
	temporary = mem_string(buf_string(&name));
	buf_free(&name);
	fd = mkostemp(temporary, O_CLOEXEC);
	error = fd < 0 ? errno : fill(fd, place);
	if (error == 0 && replace && rename(temporary, place->path) != 0)
		error = errno;
	if (error == 0 && !replace && link(temporary, place->path) != 0 && errno != EEXIST)
		error = errno;
	if (fd >= 0) {
		(void)unlink(temporary);
		close(fd);
	}
	free(temporary);
	return error == 0 ? EST_OK : failed("make", place, error);
}

/* Whether the path still leads to that file: it is looked at without waiting for anybody. */
static bool is_there(const char *path, int fd)
{
	struct stat there, here;

	return stat(path, &there) == 0 && fstat(fd, &here) == 0 && there.st_ino == here.st_ino &&
	       there.st_dev == here.st_dev;
}

/* Several processes may find it damaged: one replaces it, the others then see that it is another.
 */
static enum outcome replace(const struct place *place, int fd)
{
	enum outcome outcome = EST_OK;

	if (flock(fd, LOCK_EX) != 0)
		return failed("lock", place, errno);
	if (is_there(place->path, fd))
		outcome = make(place, true);
	(void)flock(fd, LOCK_UN);
	return outcome;
}

/* The file mapped; NULL with EST_OK where it is not sound. */
static enum outcome map(const struct place *place, int fd, void **out)
{
	struct stat about;
	void *mapped;

	*out = NULL;
	if (fstat(fd, &about) != 0)
		return failed("look at", place, errno);
	if (!S_ISREG(about.st_mode))
		return reason(EST_UNAVAILABLE, "%s is no file; %s cannot live there", place->path,
		    place->form->what);
	if (about.st_size != (off_t)place->form->size)
		return EST_OK;
	mapped = mmap(NULL, place->form->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return failed("map", place, errno);
	if (place->form->is_sound(mapped))
		*out = mapped;
	else
		(void)munmap(mapped, place->form->size);
	return EST_OK;
}

/* One attempt: EST_OK and *out NULL where the file was made, or is being made: open it once more.
 */
static enum outcome attempt(const struct place *place, void **out)
{
	int fd = open(place->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	enum outcome outcome;

	if (fd < 0)
		return errno == ENOENT ? make(place, false) : failed("open", place, errno);
	outcome = map(place, fd, out);
	if (outcome == EST_OK && *out == NULL)
		outcome = replace(place, fd);
	close(fd);
	return outcome;
}

enum outcome shared_open(
    const char *path, const struct shared_form *form, struct span head, void **out)
{
	const struct place place = {path, form, head};
	enum outcome outcome = EST_OK;

	*out = NULL;
	for (int i = 0; i < ATTEMPTS && outcome == EST_OK && *out == NULL; i++)
		outcome = attempt(&place, out);
	if (outcome == EST_OK && *out == NULL)
		outcome =
		    reason(EST_UNAVAILABLE, "somebody keeps damaging %s %s", form->what, path);
	return outcome;
}

void shared_close(const struct shared_form *form, void *image)
{
	if (image != NULL)
		(void)munmap(image, form->size);
}
