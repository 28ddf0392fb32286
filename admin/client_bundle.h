/*
 * client_bundle.h - a .tar.gz in memory.
 */
#ifndef EST_CLIENT_BUNDLE_H
#define EST_CLIENT_BUNDLE_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

struct client_entry {
	const char *name; /* relative */
	mode_t mode;
	struct span content;
};

/*
 * Appends a gzipped tar (ustar) of the entries to out, all dated mtime and owned by root.
 * EST_INTERNAL where libarchive fails.
 */
enum outcome client_bundle_make(
    const struct client_entry *entries, size_t count, int64_t mtime, struct buf *out);

#endif
