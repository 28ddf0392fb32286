#include "common/base/escape.h"

#include "common/base/utf8.h"

/* What stands in place of a character; NULL: nothing does, and it is added as it is. */
struct entity {
	uint32_t c;
	const char *text;
};

static const struct entity of_text[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {0, NULL}};
static const struct entity of_attribute[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"},
    {'"', "&quot;"}, {'\'', "&#39;"}, {'`', "&#96;"}, {0, NULL}};

/*
 * Takes the first character off text: its value, U+FFFD where it is no
 * UTF-8, and the octets it took.
 */
static uint32_t next(struct span *text, struct span *octets)
{
	uint32_t c;
	size_t used = utf8_decode(*text, &c);

	if (used == 0)
		c = 0xfffd;
	*octets = (struct span){text->data, used > 0 ? used : 1};
	text->data += octets->len;
	text->len -= octets->len;
	return c;
}

static void add_visible(struct buf *out, uint32_t c)
{
	if (utf8_is_control(c) || utf8_is_hidden(c))
		buf_printf(out, "[U+%04X]", (unsigned)c);
	else
		(void)utf8_encode(out, c);
}

static void html(struct buf *out, struct span text, const struct entity *entities)
{
	struct span octets;

	buf_reserve(out, text.len);
	while (text.len > 0) {
		uint32_t c = next(&text, &octets);
		const struct entity *entity = entities;
		while (entity->text != NULL && entity->c != c)
			entity++;
		if (entity->text != NULL)
			buf_add_string(out, entity->text);
		else
			add_visible(out, c);
	}
}

void html_text(struct buf *out, struct span text)
{
	html(out, text, of_text);
}

void html_attribute(struct buf *out, struct span text)
{
	html(out, text, of_attribute);
}

/* RFC 4180 allows these within quotes; they are data, and no reader of CSV needs them shown. */
static bool is_layout(uint32_t c)
{
	return c == '\t' || c == '\r' || c == '\n';
}

/* The full-width forms are the same to a spreadsheet of an East Asian locale. */
static bool begins_formula(uint32_t c)
{
	return c == '=' || c == '+' || c == '-' || c == '@' || is_layout(c) || c == 0xff1d ||
	       c == 0xff0b || c == 0xff0d || c == 0xff20;
}

/*
 * A semicolon parts cells where the comma is the decimal sign; blanks at
 * an edge are cut by some readers.
 */
static bool wants_quotes(uint32_t c)
{
	return c == ',' || c == ';' || c == '"' || c == ' ' || is_layout(c);
}

void csv_cell(struct buf *out, struct span text)
{
	struct span rest = text, octets;
	bool quoted = false, formula = false, begun = false;

	while (rest.len > 0) {
		uint32_t c = next(&rest, &octets);
		formula |= !begun && begins_formula(c);
		begun |=
		    c != ' '; /* a reader that cuts the blanks would find the formula behind them */
		quoted |= wants_quotes(c);
	}
	quoted |= formula;
	buf_add_string(out, quoted ? "\"" : "");
	buf_add_string(out, formula ? "'" : "");
	while (text.len > 0) {
		uint32_t c = next(&text, &octets);
		if (c == '"')
			buf_add_string(out, "\"\"");
		else if (is_layout(c))
			buf_add_byte(out, (unsigned char)c);
		else
			add_visible(out, c);
	}
	buf_add_string(out, quoted ? "\"" : "");
}

/* RFC 4514 2.4: these take a backslash wherever they stand. */
static bool is_special(uint32_t c)
{
	return c == '"' || c == '+' || c == ',' || c == ';' || c == '<' || c == '>' || c == '\\';
}

void dn_value(struct buf *out, struct span value)
{
	bool first = true;

	while (value.len > 0) {
		struct span octets;
		uint32_t c = next(&value, &octets);
		bool edge = first || value.len == 0;
		if (utf8_is_control(c)) {
			for (size_t i = 0; i < octets.len; i++)
				buf_printf(out, "\\%02X", octets.data[i]);
		} else {
			if (is_special(c) || (c == ' ' && edge) || (c == '#' && first))
				buf_add_byte(out, '\\');
			(void)utf8_encode(out, c);
		}
		first = false;
	}
}
