#include "admin/client_bundle.h"

#include <archive.h>
#include <archive_entry.h>

static la_ssize_t take(struct archive *archive, void *out, const void *octets, size_t len)
{
	(void)archive;
	buf_add(out, octets, len);
	return (la_ssize_t)len;
}

static int add_entry(struct archive *archive, const struct client_entry *from, int64_t mtime)
{
	struct archive_entry *entry = archive_entry_new();
	int result;

	archive_entry_set_pathname(entry, from->name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, from->mode);
	archive_entry_set_size(entry, (la_int64_t)from->content.len);
	archive_entry_set_mtime(entry, mtime, 0);
	result = archive_write_header(archive, entry);
	if (result == ARCHIVE_OK && archive_write_data(archive, from->content.data,
					from->content.len) != (la_ssize_t)from->content.len)
		result = ARCHIVE_FATAL;
	archive_entry_free(entry);
	return result;
}

enum outcome client_bundle_make(
    const struct client_entry *entries, size_t count, int64_t mtime, struct buf *out)
{
	struct archive *archive = archive_write_new();
	enum outcome outcome = EST_OK;
	int result;

	if (archive == NULL)
		return reason(EST_INTERNAL, "libarchive does not start");
	result = archive_write_set_format_ustar(archive);
	if (result == ARCHIVE_OK)
		result = archive_write_add_filter_gzip(archive);
	if (result == ARCHIVE_OK)
		result = archive_write_open(archive, out, NULL, take, NULL);
	for (size_t i = 0; i < count && result == ARCHIVE_OK; i++)
		result = add_entry(archive, &entries[i], mtime);
	if (result == ARCHIVE_OK)
		result = archive_write_close(archive);
	if (result != ARCHIVE_OK)
		outcome = reason(
		    EST_INTERNAL, "cannot make the bundle: %s", archive_error_string(archive));
	(void)archive_write_free(archive);
	return outcome;
}
