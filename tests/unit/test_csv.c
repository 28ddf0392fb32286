/*
 * test_csv.c - tables in CSV by RFC 4180: what a row's cells are, which line it stands in, and what
 * is no CSV.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "admin/csv.h"

/* What is read of a text: "LINE:CELL|CELL" for a row and "LINE!" for a fault, a blank between. */
static void read_all(struct span text, struct buf *out)
{
	struct csv csv;
	enum outcome outcome;

	csv_begin(&csv, text);
	while ((outcome = csv_next(&csv)) != EST_NOT_FOUND) {
		buf_printf(out, "%s%zu%s", out->len == 0 ? "" : " ", csv.line,
		    outcome == EST_OK ? ":" : "!");
		assert_int_equal(outcome == EST_OK || outcome == EST_MALFORMED, 1);
		assert_int_equal(reason_text()[0] == '\0', outcome == EST_OK);
		for (size_t i = 0; outcome == EST_OK && i < csv.count; i++)
			buf_printf(out, "%s%s", i == 0 ? "" : "|", csv.cells[i]);
		reason_clear();
	}
	csv_end(&csv);
}

static void test_rows(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
	    {"", ""},
	    {"\n\r\n\n", ""},
	    {"a", "1:a"},
	    {"a,b\r\nc,d\r\n", "1:a|b 2:c|d"},
	    {"a,b\nc,d", "1:a|b 2:c|d"},
	    {"\xef\xbb\xbf"
	     "a,b",
		"1:a|b"},
	    {"\xef\xbb\xbf\"a\",b", "1:a|b"},
	    {",", "1:|"},
	    {"a,\n,b\n", "1:a| 2:|b"},
	    {"\"\"", "1:"},
	    {"\"a,b\",\"c\"\"d\"\r\n", "1:a,b|c\"d"},
	    {"\"\"\"\"", "1:\""},
	    {"\"a\r\nb\",c\nd,e", "1:a\r\nb|c 3:d|e"},
	    {"a\n\n\nb", "1:a 4:b"},
	    {" a ,b ", "1: a |b "},
	    {"a\"b,c\nd", "1! 2:d"},
	    {"\"a\"b\nd", "1! 2:d"},
	    {"\"a\" ,b\nd", "1! 2:d"},
	    {"a\rb\nd", "1! 2:d"},
	    {"a\r", "1!"},
	    {"a\n\"b\nc\nd", "1:a 2!"},
	    {"\"a\nb\"x\nc", "1! 3:c"},
	    {"\"", "1!"},
	    {"a,\"", "1!"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf rows = {0};
		read_all(span_of(cases[i].text), &rows);
		assert_string_equal(buf_string(&rows), cases[i].rows);
		buf_free(&rows);
	}
}

static void test_octet_0(void **state)
{
	static const char text[] = "a\0b\n\"c\0d\"\ne";
	struct buf rows = {0};

	(void)state;
	read_all((struct span){(const unsigned char *)text, sizeof(text) - 1}, &rows);
	assert_string_equal(buf_string(&rows), "1! 2! 3:e");
	buf_free(&rows);
}

static void test_many_cells(void **state)
{
	struct buf text = {0};
	struct csv csv;

	(void)state;
	for (int i = 1; i < CSV_MOST; i++)
		buf_add_byte(&text, ',');
	buf_add_string(&text, "\n,");
	for (int i = 1; i < CSV_MOST; i++)
		buf_add_byte(&text, ',');
	buf_add_string(&text, "\nlast");
	csv_begin(&csv, buf_span(&text));
	assert_int_equal(csv_next(&csv), EST_OK);
	assert_int_equal(csv.count, CSV_MOST);
	assert_int_equal(csv_next(&csv), EST_MALFORMED);
	reason_clear();
	assert_int_equal(csv_next(&csv), EST_OK);
	assert_string_equal(csv.cells[0], "last");
	assert_int_equal(csv.line, 3);
	csv_end(&csv);
	buf_free(&text);
}

/* Whatever the octets are, reading ends, within them. */
static void test_any_octets(void **state)
{
	static const char octets[] = {'a', ',', '"', '\r', '\n', '\0'};
	const size_t kinds = sizeof(octets);

	(void)state;
	for (size_t number = 0; number < 46656; number++) {
		unsigned char *text = mem_alloc(6);
		struct buf rows = {0};
		for (size_t i = 0, rest = number; i < 6; i++, rest /= kinds)
			text[i] = (unsigned char)octets[rest % kinds];
		read_all((struct span){text, 6}, &rows);
		buf_free(&rows);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_octet_0),
	    cmocka_unit_test(test_many_cells),
	    cmocka_unit_test(test_any_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
