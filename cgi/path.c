#include "cgi/path.h"

#include <string.h>

/* RFC 3986 2.3. A label or an operation is of nothing else, so no coding of it has to be undone. */
static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_segment(struct span segment)
{
	for (size_t i = 0; i < segment.len; i++)
		if (!is_unreserved(segment.data[i]))
			return false;
	return segment.len > 0 && !span_equal(segment, span_of(".")) &&
	       !span_equal(segment, span_of(".."));
}

bool path_split(const char *prefix, struct span path, struct span *label, struct span *operation)
{
	size_t len = strlen(prefix);
	const unsigned char *slash;

	*label = *operation = (struct span){NULL, 0};
	if (path.len <= len || memcmp(path.data, prefix, len) != 0 || path.data[len] != '/')
		return false;
	path = (struct span){path.data + len + 1, path.len - len - 1};
	slash = path.len == 0 ? NULL : memchr(path.data, '/', path.len);
	if (slash != NULL) {
		struct span first = {path.data, (size_t)(slash - path.data)};
		path = (struct span){slash + 1, path.len - first.len - 1};
		if (!is_segment(first) || !is_segment(path))
			return false;
		*label = first;
	}
	if (!is_segment(path))
		return false;
	*operation = path;
	return true;
}
