#include "cgi/fact.h"

#include <string.h>

#include "common/base/json.h"

/* So much of text that no UTF-8 character is torn apart at its end. */
static struct span cut(struct span text, size_t len)
{
	size_t at = len;

	if (len >= text.len)
		return text;
	while (at > 0 && len - at < 4 && (text.data[at] & 0xc0) == 0x80)
		at--;
	/*
	 * What has more of these octets in a row is no UTF-8, and has no characters to keep whole.
	 */
	return (struct span){text.data, (text.data[at] & 0xc0) == 0x80 ? len : at};
}

void fact_add(struct buf *members, const char *key, struct span text, size_t most)
{
	const size_t around = strlen(",\"\":\"\"") + strlen(key);
	size_t before = members->len, len = text.len < most ? text.len : most;

	for (;;) {
		size_t written;
		json_add(members, key, cut(text, len));
		written = members->len - before;
		if (written <= most + around)
			return;
		members->len = before;
		/* An escape takes up to six octets, but seldom throughout. */
		len = len * most / (written - around);
	}
}

void fact_add_string(struct buf *members, const char *key, const char *text, size_t most)
{
	if (text != NULL)
		fact_add(members, key, span_of(text), most);
}
