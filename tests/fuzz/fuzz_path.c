/*
 * fuzz_path - a request's path: what is taken apart can be put together again, and nothing else is
 * taken.
 *
 * The first octet chooses the prefix, the rest is the path.
 */
#include "tests/fuzz/fuzz.h"

#include <regex.h>
#include <string.h>

#include "cgi/path.h"

static const char *const prefixes[] = {"/.well-known/est", "/e", "/est", "/a/b/c"};

#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

/* What a regular expression says of it: RFC 3986's unreserved characters, in one segment or two. */
static bool is_path(const char *prefix, struct span path)
{
	static regex_t expression;
	static bool compiled;
	size_t len = strlen(prefix);
	char *text = fuzz_text(path.data, path.len);
	bool good;

	if (!compiled)
		must(regcomp(&expression, "^(/[A-Za-z0-9._~-]+){1,2}$", REG_EXTENDED | REG_NOSUB) ==
		     0);
	compiled = true;
	good = strlen(text) == path.len && strncmp(text, prefix, len) == 0 &&
	       regexec(&expression, text + len, 0, NULL, 0) == 0;
	/* Segments that some web server would resolve. */
	for (const char *at = strchr(text + (good ? len : 0), '/'); good && at != NULL;
	     at = strchr(at + 1, '/'))
		good = strcspn(at + 1, "/") != strspn(at + 1, ".") || strspn(at + 1, ".") > 2;
	free(text);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span path = {data + 1, size - 1}, label = {0}, operation = {0};
	struct buf joined = {0};
	const char *prefix;

	if (size == 0)
		return 0;
	prefix = prefixes[data[0] % PREFIXES];
	if (!path_split(prefix, path, &label, &operation)) {
		must(!is_path(prefix, path));
		return 0;
	}
	must(is_path(prefix, path));
	must(operation.len > 0 && operation.data + operation.len == path.data + path.len);
	must(memchr(operation.data, '/', operation.len) == NULL);
	buf_add_string(&joined, prefix);
	buf_add_byte(&joined, '/');
	if (label.len > 0) {
		must(memchr(label.data, '/', label.len) == NULL);
		buf_add_span(&joined, label);
		buf_add_byte(&joined, '/');
	}
	buf_add_span(&joined, operation);
	must(span_equal(path, buf_span(&joined)));
	buf_free(&joined);
	return 0;
}
