/*
 * Members of a log line: bounded in the octets that they take there, whole characters, JSON.
 */
#include "maker.h"

#include <string.h>

#include <jansson.h>

#include "cgi/fact.h"
#include "common/base/json.h"
#include "common/base/utf8.h"

/* What stands in the line, which has to be JSON, for that text within that bound. */
static struct span value_of(struct span text, size_t most)
{
	struct buf line = {0}, value = {0};
	json_t *object;

	json_begin(&line);
	json_add_string(&line, "before", "x");
	fact_add(&line, "key", maker_copy(text), most);
	assert_in_range(line.len, 0, strlen("{\"before\":\"x\",\"key\":\"\"") + most);
	json_end(&line);
	object = json_loadb((const char *)line.data, line.len, JSON_ALLOW_NUL, NULL);
	assert_non_null(object);
	buf_add(&value, json_string_value(json_object_get(object, "key")),
	    json_string_length(json_object_get(object, "key")));
	json_decref(object);
	buf_free(&line);
	return maker_keep(&value);
}

static void test_what_fits(void **state)
{
	(void)state;
	assert_bytes(BYTES("pump-1.example"), value_of(BYTES("pump-1.example"), 14));
	assert_bytes(BYTES(""), value_of(BYTES(""), 14));
	assert_bytes(BYTES("a\"\n"), value_of(BYTES("a\"\n"), 9));
}

static void test_cut(void **state)
{
	(void)state;
	assert_bytes(BYTES("pump"), value_of(BYTES("pump-1.example"), 4));
	assert_bytes(BYTES("p"), value_of(BYTES("p\xc3\xbcmp"), 2)); /* not half an umlaut */
	assert_bytes(BYTES("p\xc3\xbc"), value_of(BYTES("p\xc3\xbcmp"), 3));
	assert_bytes(BYTES(""), value_of(BYTES("\xf0\x9f\x98\x80x"), 3));
	assert_bytes(BYTES(""), value_of(BYTES("\n"), 5)); /* an escape takes six */
}

/* Whatever octets come, at every bound. */
static void test_bound(void **state)
{
	static const struct span pieces[] = {BYTES("\0"), BYTES("\x1b[2J"), BYTES("\xff"),
	    BYTES("\x80\x80\x80\x80\x80"), BYTES("\xe2\x80\xa8"), BYTES("\xc2\x85"), BYTES("\"\\"),
	    BYTES("x"), BYTES("\xed\xa0\x80")};

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct buf text = {0};
		struct span all;
		while (text.len < 3000)
			buf_add_span(&text, pieces[i]);
		all = maker_keep(&text);
		for (size_t most = 0; most < 1000; most += 1 + most / 9) {
			struct buf clean = {0};
			struct span got = value_of(all, most);
			utf8_clean(&clean, got);
			assert_bytes(buf_span(&clean), got);
			buf_free(&clean);
			if (most > 60)
				assert_true(got.len >= most / 10); /* no more is cut than must be */
		}
	}
}

static void test_absent(void **state)
{
	struct buf line = {0};

	(void)state;
	fact_add_string(&line, "key", NULL, 10);
	assert_int_equal(line.len, 0);
	fact_add_string(&line, "key", "value", 10);
	assert_bytes(BYTES("\"key\":\"value\""), maker_keep(&line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_fits),
	    TEST(test_cut),
	    TEST(test_bound),
	    TEST(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
