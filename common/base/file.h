/*
 * file.h - whole files, read and written safely.
 */
#ifndef EST_FILE_H
#define EST_FILE_H

#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

/*
 * Appends the content of the file at path to out; more than limit bytes are EST_MALFORMED. A file
 * that does not exist is EST_NOT_FOUND, one that we may not read EST_FORBIDDEN, any other failure
 * EST_UNAVAILABLE; the reason names path and cause.
 */
enum outcome file_read(const char *path, size_t limit, struct buf *out);

/*
 * Writes content to path through a file beside it that is renamed over it once it is on disk, so
 * that a reader sees the old content or the new one, whole. mode as for open(2), free of the umask.
 */
enum outcome file_write(const char *path, mode_t mode, struct span content);

/* As file_write(), but a path that exists already is EST_CONFLICT and stays as it is. */
enum outcome file_create(const char *path, mode_t mode, struct span content);

/* path, or directory/path where path is not absolute; the caller frees it. */
char *file_path(const char *directory, const char *path);

#endif
