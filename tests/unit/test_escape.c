/*
 * Outside text in HTML, CSV and distinguished names: whatever goes in, it stays text, and one reads what went in.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/escape.h"
#include "common/base/utf8.h"
#include "hostile_texts.h"

/* Fails where the text is no UTF-8, or holds what no page and no terminal should get. */
static void assert_shown(struct span text, const char *but)
{
	while (text.len > 0) {
		uint32_t c;
		size_t used = utf8_decode(text, &c);
		bool wrong = used == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) ||
			     (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
			     (c >= 0x200b && c <= 0x200f) || c == 0xfeff || c == 0xad ||
			     (c >= 0xe0000 && c <= 0xe007f);
		if (wrong && (used != 1 || strchr(but, (int)c) == NULL || c == 0))
			fail_msg("the octet 0x%02x stands in the output", text.data[0]);
		text.data += used;
		text.len -= used;
	}
}

/* What goes in, as it may come back: UTF-8, with U+FFFD for the rest. */
static struct span clean(struct span text)
{
	struct buf out = {0};

	utf8_clean(&out, text);
	return maker_keep(&out);
}

/* Takes "[U+XXXX]" or one octet off text and adds what it stands for. */
static void read_visible(struct span *text, struct buf *out)
{
	char *end;
	unsigned long c;

	if (text->len >= 8 && memcmp(text->data, "[U+", 3) == 0) {
		c = strtoul((const char *)text->data + 3, &end, 16);
		assert_int_equal(*end, ']');
		assert_true(utf8_encode(out, (uint32_t)c));
		end++;
	} else {
		buf_add_byte(out, text->data[0]);
		end = (char *)(uintptr_t)text->data + 1;
	}
	text->len -= (size_t)((const unsigned char *)end - text->data);
	text->data = (const unsigned char *)end;
}

/* --- HTML --- */

/* A reader of HTML as simple as what we write: no tags, and these references only. */
static void read_html(struct span text, const char *const (*references)[2], struct buf *out)
{
	while (text.len > 0) {
		size_t i = 0, len;
		if (text.data[0] != '&') {
			assert_null(memchr("<>", text.data[0], 2));
			read_visible(&text, out);
			continue;
		}
		while (
		    references[i][0] != NULL && strncmp((const char *)text.data, references[i][0],
						    strlen(references[i][0])) != 0)
			i++;
		assert_non_null(references[i][0]);
		buf_add_string(out, references[i][1]);
		len = strlen(references[i][0]);
		text.data += len;
		text.len -= len;
	}
}

static void check_html(struct span text, void (*escape)(struct buf *, struct span))
{
	static const char *const references[][2] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"},
	    {"&quot;", "\""}, {"&#39;", "'"}, {"&#96;", "`"}, {NULL, NULL}};
	struct buf out = {0}, back = {0};

	escape(&out, maker_copy(text));
	assert_shown(buf_span(&out), "");
	(void)buf_string(&out);
	read_html(buf_span(&out), references, &back);
	assert_bytes(clean(text), buf_span(&back));
	if (escape == html_attribute)
		for (size_t i = 0; i < out.len; i++)
			assert_null(memchr("\"'`<>", out.data[i], 5));
	buf_free(&out);
	buf_free(&back);
}

static void check_text(struct span text)
{
	check_html(text, html_text);
}

static void check_attribute(struct span text)
{
	check_html(text, html_attribute);
}

static void test_html(void **state)
{
	(void)state;
	hostile_each(check_text);
	hostile_each(check_attribute);
}

struct example {
	struct span in;
	const char *out;
};

static void assert_examples(
    const struct example *examples, size_t count, void (*escape)(struct buf *, struct span))
{
	for (size_t i = 0; i < count; i++) {
		struct buf out = {0};
		escape(&out, maker_copy(examples[i].in));
		assert_string_equal(buf_string(&out), examples[i].out);
		buf_free(&out);
	}
}

static void test_html_examples(void **state)
{
	static const struct example of_text[] = {
	    {TEXT(""), ""},
	    {TEXT("<b>\"&'</b>"), "&lt;b&gt;\"&amp;'&lt;/b&gt;"},
	    {TEXT("&amp;"), "&amp;amp;"},
	    {TEXT("a\0b\x1b[1m\xc2\x9b"), "a[U+0000]b[U+001B][1m[U+009B]"},
	    {TEXT("a\nb\tc"), "a[U+000A]b[U+0009]c"},
	    {TEXT("\xe2\x80\xae\xe2\x80\xa8"), "[U+202E][U+2028]"},
	    {TEXT("\xf3\xa0\x81\xb0"), "[U+E0070]"},
	    {TEXT("\xc0\xbc\xff"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {TEXT("Ger\xc3\xa4t"), "Ger\xc3\xa4t"},
	};
	static const struct example of_attribute[] = {
	    {TEXT("\" onclick='x'"), "&quot; onclick=&#39;x&#39;"},
	    {TEXT("<>&`"), "&lt;&gt;&amp;&#96;"},
	    {TEXT("a\nb"), "a[U+000A]b"},
	};

	(void)state;
	assert_examples(of_text, COUNT(of_text), html_text);
	assert_examples(of_attribute, COUNT(of_attribute), html_attribute);
}

/* --- CSV --- */

/* RFC 4180 2: takes one cell and what ends it (',' or CRLF) off the row. */
static char read_cell(struct span *row, struct buf *out)
{
	bool quoted = row->data[0] == '"';
	char ended;

	for (size_t i = quoted ? 1 : 0; i < row->len; i++) {
		unsigned char c = row->data[i];
		if (quoted && c == '"' && row->data[i + 1] == '"') {
			buf_add_byte(out, row->data[++i]);
		} else if (quoted && c == '"') {
			quoted = false;
		} else if (!quoted && (c == ',' || c == '\r')) {
			ended = (char)c;
			i += c == ',' ? 1 : 2;
			assert_true(c == ',' || row->data[i - 1] == '\n');
			row->data += i;
			row->len -= i;
			return ended;
		} else {
			/* In a cell without quotes, nothing that wants them. */
			assert_true(quoted || memchr("\"\n", c, 2) == NULL);
			buf_add_byte(out, c);
		}
	}
	fail_msg("the row does not end");
	return 0;
}

static void check_csv(struct span text)
{
	struct buf row = {0}, cells[3] = {{0}}, back = {0};
	struct span rest, cell;

	buf_add_string(&row, "x,");
	csv_cell(&row, maker_copy(text));
	buf_add_string(&row, ",y\r\n");
	assert_shown(buf_span(&row), "\t\r\n");
	rest = buf_span(&row);
	assert_int_equal(read_cell(&rest, &cells[0]), ',');
	assert_int_equal(read_cell(&rest, &cells[1]), ',');
	assert_int_equal(read_cell(&rest, &cells[2]), '\r');
	assert_int_equal(rest.len, 0);
	assert_string_equal(buf_string(&cells[2]), "y");
	cell = buf_span(&cells[1]);
	for (size_t i = 0; i + 1 < cell.len && cell.data[i] == ' '; i++)
		assert_null(memchr("=+-@\t\r\n", cell.data[i + 1], 7));
	if (cell.len > 0)
		assert_null(memchr("=+-@\t\r\n", cell.data[0], 7));
	/* What was put in front comes off again, and it was put there for a reason. */
	if (cell.len > 0 && cell.data[0] == '\'' && text.data[0] != '\'') {
		cell.data++;
		cell.len--;
	}
	while (cell.len > 0)
		read_visible(&cell, &back);
	assert_bytes(clean(text), buf_span(&back));
	for (size_t i = 0; i < 3; i++)
		buf_free(&cells[i]);
	buf_free(&row);
	buf_free(&back);
}

static void test_csv(void **state)
{
	static const struct example examples[] = {
	    {TEXT(""), ""},
	    {TEXT("pump-1.example"), "pump-1.example"},
	    {TEXT("a,b"), "\"a,b\""},
	    {TEXT("a\"b"), "\"a\"\"b\""},
	    {TEXT("a\r\nb"), "\"a\r\nb\""},
	    {TEXT("=cmd|'/C calc'!A0"), "\"'=cmd|'/C calc'!A0\""},
	    {TEXT("+1"), "\"'+1\""},
	    {TEXT("-1"), "\"'-1\""},
	    {TEXT("@a"), "\"'@a\""},
	    {TEXT("\t=1"), "\"'\t=1\""},
	    {TEXT("\r=1"), "\"'\r=1\""},
	    {TEXT("  =1"), "\"'  =1\""},
	    {TEXT("a=1-2"), "a=1-2"},
	    {TEXT("\x1b[31m\0"), "[U+001B][31m[U+0000]"},
	    {TEXT("\xff"), "\xef\xbf\xbd"},
	};

	(void)state;
	hostile_each(check_csv);
	assert_examples(examples, COUNT(examples), csv_cell);
}

/* --- distinguished names --- */

static bool is_hex(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* RFC 4514 3: a string, by its grammar; anything that would end the value or start another fails. */
static void read_dn(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.data[i];
		if (c != '\\') {
			assert_null(memchr("\"+,;<>", c, 6));
			assert_false(c == 0 || (i == 0 && (c == ' ' || c == '#')) ||
				     (i + 1 == text.len && c == ' '));
			buf_add_byte(out, c);
			continue;
		}
		assert_true(i + 1 < text.len);
		if (i + 2 < text.len && is_hex(text.data[i + 1]) && is_hex(text.data[i + 2])) {
			char digits[] = {(char)text.data[i + 1], (char)text.data[i + 2], '\0'};
			buf_add_byte(out, (unsigned char)strtoul(digits, NULL, 16));
			i += 2;
		} else {
			assert_non_null(memchr("\"+,;<>\\ #=", text.data[i + 1], 10));
			buf_add_byte(out, text.data[++i]);
		}
	}
}

static void check_dn(struct span text)
{
	struct buf out = {0}, back = {0};
	struct span rest;

	dn_value(&out, maker_copy(text));
	for (rest = buf_span(&out); rest.len > 0;) {
		uint32_t c;
		size_t used = utf8_decode(rest, &c);
		assert_true(used > 0);
		assert_false(utf8_is_control(c));
		rest.data += used;
		rest.len -= used;
	}
	read_dn(buf_span(&out), &back);
	assert_bytes(clean(text), buf_span(&back));
	buf_free(&out);
	buf_free(&back);
}

static void test_dn(void **state)
{
	/* Most are those of RFC 4514 4. */
	static const struct example examples[] = {
	    {TEXT(""), ""},
	    {TEXT("James \"Jim\" Smith, III"), "James \\\"Jim\\\" Smith\\, III"},
	    {TEXT("Before\rAfter"), "Before\\0DAfter"},
	    {TEXT("Lu\xc4\x8di\xc4\x87"), "Lu\xc4\x8di\xc4\x87"},
	    {TEXT("#a#"), "\\#a#"},
	    {TEXT(" a  b "), "\\ a  b\\ "},
	    {TEXT(" "), "\\ "},
	    {TEXT("a\\b<c>d;e+f"), "a\\\\b\\<c\\>d\\;e\\+f"},
	    {TEXT("a\0b"), "a\\00b"},
	    {TEXT("\xe2\x80\xa8\xc2\x85"), "\\E2\\80\\A8\\C2\\85"},
	    {TEXT("\xff"), "\xef\xbf\xbd"},
	};

	(void)state;
	hostile_each(check_dn);
	assert_examples(examples, COUNT(examples), dn_value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_html),
	    TEST(test_html_examples),
	    TEST(test_csv),
	    TEST(test_dn),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
