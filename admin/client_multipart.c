#include "admin/client_multipart.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS        " \t"
#define BOUNDARY_MOST 70 /* RFC 2046 5.1.1 */

/* bchars of RFC 2046 5.1.1 */
#define BOUNDARY_CHARACTERS                                                                        \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+_,-./:=? "

/* Appends a parameter's value, "token" or "quoted \"string\"", and gives what follows it. */
static const char *take_value(const char *at, struct buf *value)
{
	if (*at != '"') {
		size_t len = strcspn(at, "; \t\r\n");
		buf_add(value, at, len);
		return at + len;
	}
	for (at++; *at != '\0' && *at != '"'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		buf_add(value, at, 1);
	}
	return *at == '"' ? at + 1 : at;
}

/* Appends the value of a Content-Type's parameter; false where it has none of that name. */
static bool parameter(const char *content_type, const char *name, struct buf *value)
{
	const char *at = content_type + strcspn(content_type, ";");

	while (*at == ';') {
		const char *found;
		size_t len;
		found = at + 1 + strspn(at + 1, BLANKS "\r\n");
		len = strcspn(found, "=; \t\r\n");
		at = found + len + strspn(found + len, BLANKS);
		buf_reset(value);
		if (*at == '=')
			at = take_value(at + 1 + strspn(at + 1, BLANKS), value);
		if (len == strlen(name) && strncasecmp(found, name, len) == 0)
			return true;
		at += strcspn(at, ";");
	}
	return false;
}

/* A line of the rest, its end taken off; false at the end of the text. */
static bool next_line(struct span *rest, struct span *line)
{
	const unsigned char *end = rest->len == 0 ? NULL : memchr(rest->data, '\n', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->data) + 1;

	if (rest->len == 0)
		return false;
	*line = (struct span){rest->data, end == NULL ? len : len - 1};
	if (end != NULL && line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	rest->data += len;
	rest->len -= len;
	return true;
}

enum delimiter { NONE, OPENING, CLOSING };

/* "--boundary", with "--" behind the last one; blanks may follow (RFC 2046 5.1.1). */
static enum delimiter delimiter_of(struct span line, struct span boundary)
{
	enum delimiter kind = OPENING;
	size_t at = boundary.len + 2;

	if (line.len < at || memcmp(line.data, "--", 2) != 0 ||
	    memcmp(line.data + 2, boundary.data, boundary.len) != 0)
		return NONE;
	if (line.len - at >= 2 && memcmp(line.data + at, "--", 2) == 0) {
		kind = CLOSING;
		at += 2;
	}
	while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
		at++;
	return at == line.len ? kind : NONE;
}

/* What stands before the line, without the line end that belongs to the delimiter. */
static struct span until(struct span from, struct span line)
{
	struct span text = {from.data, (size_t)(line.data - from.data)};

	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	return text;
}

/*
 * Header fields up to a blank line, of which Content-Type is kept; what is behind is the content.
 */
static enum outcome take_part(struct span text, struct client_part *part)
{
	static const char name[] = "content-type:";
	struct buf type = {0};
	struct span line;
	bool folded = false, ended = false;

	while (!ended && next_line(&text, &line)) {
		bool more = line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
		ended = line.len == 0;
		if (more && folded) {
			buf_add_span(&type, line);
		} else if (!more && !ended) {
			folded = type.len == 0 && line.len >= strlen(name) &&
				 strncasecmp((const char *)line.data, name, strlen(name)) == 0;
			if (folded)
				buf_add(&type, line.data + strlen(name), line.len - strlen(name));
		}
	}
	if (type.len > 0)
		part->type = mem_string(buf_string(&type) + strspn(buf_string(&type), BLANKS));
	buf_free(&type);
	part->content = text;
	return ended
		   ? EST_OK
		   : reason(EST_MALFORMED, "RFC 2046 5.1.1: a part has no line behind its header");
}

static enum outcome take_parts(struct span body, struct span boundary, struct client_multipart *out)
{
	struct span rest = body, line, begin = {0};
	enum outcome outcome = EST_OK;

	while (outcome == EST_OK && next_line(&rest, &line)) {
		enum delimiter kind = delimiter_of(line, boundary);
		if (kind == NONE)
			continue;
		if (begin.data != NULL && out->count == CLIENT_PARTS_MOST)
			return reason(
			    EST_MALFORMED, "the answer has more than %d parts", CLIENT_PARTS_MOST);
		if (begin.data != NULL)
			outcome = take_part(until(begin, line), &out->parts[out->count++]);
		if (kind == CLOSING)
			return outcome;
		begin = rest;
	}
	return outcome != EST_OK
		   ? outcome
		   : reason(EST_MALFORMED,
			 "RFC 2046 5.1.1: the answer has no closing delimiter: it is cut short");
}

enum outcome client_multipart_parse(
    const char *content_type, struct span body, struct client_multipart *out)
{
	static const char multipart[] = "multipart/mixed";
	struct buf boundary = {0};
	enum outcome outcome;

	*out = (struct client_multipart){0};
	if (content_type == NULL || strncasecmp(content_type, multipart, strlen(multipart)) != 0 ||
	    (content_type[strlen(multipart)] != '\0' &&
		strchr("; \t", content_type[strlen(multipart)]) == NULL))
		return reason(EST_MALFORMED,
		    "RFC 7030 4.4.2: the answer is %.100s, not multipart/mixed",
		    content_type == NULL ? "of no type" : content_type);
	if (!parameter(content_type, "boundary", &boundary) || boundary.len == 0 ||
	    boundary.len > BOUNDARY_MOST || boundary.data[boundary.len - 1] == ' ' ||
	    strspn(buf_string(&boundary), BOUNDARY_CHARACTERS) != boundary.len)
		outcome = reason(EST_MALFORMED, "RFC 2046 5.1.1: the answer names no boundary");
	else
		outcome = take_parts(body, buf_span(&boundary), out);
	buf_free(&boundary);
	return outcome;
}

bool client_multipart_has(const struct client_part *part, const char *name, const char *value)
{
	struct buf found = {0};
	bool has = part->type != NULL && parameter(part->type, name, &found) &&
		   strcasecmp(buf_string(&found), value) == 0;

	buf_free(&found);
	return has;
}

void client_multipart_free(struct client_multipart *multipart)
{
	for (size_t i = 0; i < multipart->count; i++)
		free(multipart->parts[i].type);
	*multipart = (struct client_multipart){0};
}
