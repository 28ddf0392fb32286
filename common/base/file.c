#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum outcome failed(const char *verb, const char *path)
{
	enum outcome outcome = errno == ENOENT                     ? EST_NOT_FOUND
			       : errno == EACCES || errno == EPERM ? EST_FORBIDDEN
								   : EST_UNAVAILABLE;

	return reason(outcome, "cannot %s %s: %s", verb, path, strerror(errno));
}

enum outcome file_read(const char *path, size_t limit, struct buf *out)
{
	enum outcome outcome = EST_OK;
	size_t total = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return failed("open", path);
	for (;;) {
		ssize_t got;
		buf_reserve(out, 4096);
		got = read(fd, out->data + out->len, 4096);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			outcome = failed("read", path);
		if (got <= 0)
			break;
		out->len += (size_t)got;
		total += (size_t)got;
		if (total > limit) {
			outcome = reason(EST_MALFORMED, "%s is larger than %zu bytes", path, limit);
			break;
		}
	}
	close(fd);
	return outcome;
}

static enum outcome write_all(int fd, const char *path, struct span content)
{
	while (content.len > 0) {
		ssize_t put = write(fd, content.data, content.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return failed("write", path);
		content.data += put;
		content.len -= (size_t)put;
	}
	return EST_OK;
}

/* A finished file beside path, its name in temporary (which the caller frees and unlinks). */
static enum outcome write_beside(
    const char *path, mode_t mode, struct span content, char **temporary)
{
	struct buf name = {0};
	enum outcome outcome;
	int fd;

	buf_printf(&name, "%s.XXXXXX", path);
	*temporary = mem_string(buf_string(&name));
	buf_free(&name);
	fd = mkostemp(*temporary, O_CLOEXEC);
	if (fd < 0) {
		outcome = failed("create a file beside", path);
		free(*temporary);
		*temporary = NULL;
		return outcome;
	}
	outcome = write_all(fd, *temporary, content);
	if (outcome == EST_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		outcome = failed("finish", *temporary);
	close(fd);
	return outcome;
}

enum outcome file_write(const char *path, mode_t mode, struct span content)
{
	char *temporary = NULL;
	enum outcome outcome = write_beside(path, mode, content, &temporary);

	if (outcome == EST_OK && rename(temporary, path) != 0)
		outcome = failed("replace", path);
	if (outcome != EST_OK && temporary != NULL)
		(void)unlink(temporary);
	free(temporary);
	return outcome;
}

enum outcome file_create(const char *path, mode_t mode, struct span content)
{
	char *temporary = NULL;
	enum outcome outcome = write_beside(path, mode, content, &temporary);

	if (outcome == EST_OK && link(temporary, path) != 0)
		outcome = errno == EEXIST ? reason(EST_CONFLICT, "%s exists already", path)
					  : failed("create", path);
	if (temporary != NULL)
		(void)unlink(temporary);
	free(temporary);
	return outcome;
}

char *file_path(const char *directory, const char *path)
{
	struct buf joined = {0};
	char *result;

	if (path[0] != '/')
		buf_printf(&joined, "%s/", directory);
	buf_add_string(&joined, path);
	result = mem_string(buf_string(&joined));
	buf_free(&joined);
	return result;
}
