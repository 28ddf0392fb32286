#include "admin/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

struct sink {
	char *path;
	int fd;
	bool is_file; /* made by us */
	off_t len;    /* of what was written to it */
};

static enum outcome fails(const char *path)
{
	return reason(EST_UNAVAILABLE, "cannot write %.300s: %s", path, strerror(errno));
}

/* What exists and is no file keeps nothing. */
static int open_existing(const char *path)
{
	struct stat status;
	int fd;

	if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, &status) != 0 || S_ISREG(status.st_mode))) {
		close(fd);
		errno = EEXIST;
		return -1;
	}
	return fd;
}

enum outcome sink_open(const char *path, struct sink **out)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_file = fd >= 0;

	if (fd < 0 && errno == EEXIST)
		fd = open_existing(path);
	if (fd < 0 && errno == EEXIST)
		return reason(EST_CONFLICT,
		    "%.300s exists already, and may hold secrets that are nowhere else: name "
		    "another file, or delete it",
		    path);
	if (fd < 0)
		return fails(path);
	*out = mem_alloc(sizeof(**out));
	**out = (struct sink){.path = mem_string(path), .fd = fd, .is_file = is_file};
	return EST_OK;
}

static enum outcome write_stdout(struct span content)
{
	if (fwrite(content.data, 1, content.len, stdout) == content.len && fflush(stdout) == 0)
		return EST_OK;
	return fails("stdout");
}

enum outcome sink_write(struct sink *sink, struct span content)
{
	enum outcome outcome = EST_OK;

	if (sink == NULL)
		return write_stdout(content);
	for (size_t at = 0; at < content.len;) {
		ssize_t sent = write(sink->fd, content.data + at, content.len - at);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			outcome = fails(sink->path);
			break;
		}
		at += (size_t)sent;
	}
	if (outcome == EST_OK)
		sink->len += (off_t)content.len;
	else if (sink->is_file && ftruncate(sink->fd, sink->len) != 0)
		(void)reason(outcome, "and cannot take back what was written");
	return outcome;
}

/* As in cli_json_print(): jansson leaves DEL as it is, and a terminal must not see it. */
enum outcome sink_json(struct sink *sink, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	struct buf line = {0};
	enum outcome outcome;

	if (text == NULL)
		abort();
	buf_reserve(&line, 6 * strlen(text) + 1); /* a reallocation would leave a copy */
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == 0x7f)
			buf_add_string(&line, "\\u007f");
		else
			buf_add_byte(&line, (unsigned char)*at);
	}
	buf_add_byte(&line, '\n');
	outcome = sink_write(sink, buf_span(&line));
	buf_cleanse(&line);
	OPENSSL_cleanse(text, strlen(text));
	free(text);
	json_decref(object);
	return outcome;
}

enum outcome sink_sync(struct sink *sink)
{
	if (sink == NULL || !sink->is_file || fsync(sink->fd) == 0)
		return EST_OK;
	return fails(sink->path);
}

void sink_close(struct sink *sink)
{
	if (sink == NULL)
		return;
	if (sink->is_file && sink->len == 0)
		(void)unlink(sink->path);
	(void)close(sink->fd);
	free(sink->path);
	free(sink);
}
