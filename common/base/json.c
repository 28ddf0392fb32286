#include "common/base/json.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/utf8.h"

static void add_character(struct buf *out, uint32_t c, struct span bytes)
{
	if (c == '"' || c == '\\') {
		buf_add_byte(out, '\\');
		buf_add_byte(out, (unsigned char)c);
	} else if (utf8_is_control(c)) {
		buf_printf(out, "\\u%04" PRIx32, c);
	} else {
		buf_add_span(out, bytes);
	}
}

/* How many octets from the start stand for themselves: nearly all that there are. */
static size_t plain_run(struct span text)
{
	size_t run = 0;

	while (run < text.len && text.data[run] >= 0x20 && text.data[run] < 0x7f &&
	       text.data[run] != '"' && text.data[run] != '\\')
		run++;
	return run;
}

void json_quote(struct buf *out, struct span text)
{
	buf_reserve(out, text.len + 2);
	buf_add_byte(out, '"');
	while (text.len > 0) {
		uint32_t c;
		size_t used = plain_run(text);
		if (used > 0) {
			buf_add(out, text.data, used);
			text.data += used;
			text.len -= used;
			continue;
		}
		used = utf8_decode(text, &c);
		if (used == 0) {
			buf_add_string(out, "\\ufffd");
			used = 1;
		} else {
			add_character(out, c, (struct span){text.data, used});
		}
		text.data += used;
		text.len -= used;
	}
	buf_add_byte(out, '"');
}

void json_begin(struct buf *out)
{
	buf_add_byte(out, '{');
}

static void add_key(struct buf *out, const char *key)
{
	if (out->len > 0 && out->data[out->len - 1] != '{')
		buf_add_byte(out, ',');
	buf_add_byte(out, '"');
	buf_add_string(out, key);
	buf_add(out, "\":", 2);
}

void json_add(struct buf *out, const char *key, struct span value)
{
	add_key(out, key);
	json_quote(out, value);
}

void json_add_string(struct buf *out, const char *key, const char *value)
{
	if (value != NULL)
		json_add(out, key, span_of(value));
}

void json_add_number(struct buf *out, const char *key, int64_t value)
{
	add_key(out, key);
	buf_printf(out, "%" PRId64, value);
}

void json_add_true(struct buf *out, const char *key)
{
	add_key(out, key);
	buf_add_string(out, "true");
}

void json_end(struct buf *out)
{
	buf_add(out, "}\n", 2);
}
