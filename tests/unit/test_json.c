/*
 * JSON for logs: whatever goes in, one line of valid JSON comes out, and it means what went in.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "hostile_texts.h"

/* No octet that ends a line, moves a cursor or turns the text around; jansson reads it back. */
static void assert_harmless(struct span json)
{
	while (json.len > 0) {
		uint32_t c;
		size_t used = utf8_decode(json, &c);
		if (used == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) ||
		    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
			fail_msg("the octet 0x%02x stands in the output", json.data[0]);
		json.data += used;
		json.len -= used;
	}
}

/* The string that text becomes, read back by jansson. Freed by the caller. */
static json_t *read_back(struct span text)
{
	struct buf out = {0};
	json_t *value;

	json_quote(&out, text);
	assert_harmless(buf_span(&out));
	value = json_loadb((const char *)out.data, out.len,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	if (value == NULL)
		fail_msg("not JSON: %s", buf_string(&out));
	assert_true(json_is_string(value));
	buf_free(&out);
	return value;
}

static void test_every_character(void **state)
{
	struct buf text = {0};

	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c += c < 0x3000 || c > 0xf000 ? 1 : 97) {
		json_t *value;
		buf_reset(&text);
		buf_add_string(&text, "a");
		if (!utf8_encode(&text, c))
			continue;
		buf_add_string(&text, "b");
		value = read_back(buf_span(&text));
		if (!span_equal(buf_span(&text),
			(struct span){(const unsigned char *)json_string_value(value),
			    json_string_length(value)}))
			fail_msg("U+%04X comes back as something else", c);
		json_decref(value);
		if (c == 0xffff)
			c = 0x10ff00;
	}
	buf_free(&text);
}

/* Octets that are not UTF-8: every one, every pair, and the ways to get UTF-8 wrong. */
static void test_not_utf8(void **state)
{
	static const char *const bad[] = {"\xc0\x8a", "\xe0\x80\x8a", "\xf0\x80\x80\x8a",
	    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x80", "\xf0\x9f\x98", "\xc2", "\xe2\x80\n",
	    "\xc2\"", "\xe2\x80\\"};

	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		unsigned char octets[] = {(unsigned char)(i >> 8), (unsigned char)i};
		json_decref(read_back((struct span){octets, 2}));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		json_t *value = read_back(maker_copy(span_of(bad[i])));
		assert_non_null(strstr(json_string_value(value), "\xef\xbf\xbd"));
		json_decref(value);
	}
}

/* What json.h names, as it names it: \uXXXX. */
static void test_escapes(void **state)
{
	static const struct {
		struct span in;
		const char *out;
	} cases[] = {
	    {{(const unsigned char *)"", 0}, "\"\""},
	    {{(const unsigned char *)"a\0b", 3}, "\"a\\u0000b\""},
	    {{(const unsigned char *)"\x1b[31m", 5}, "\"\\u001b[31m\""},
	    {{(const unsigned char *)"\x7f", 1}, "\"\\u007f\""},
	    {{(const unsigned char *)"\xc2\x85\xc2\x9b", 4}, "\"\\u0085\\u009b\""},
	    {{(const unsigned char *)"\xe2\x80\xa8\xe2\x80\xa9", 6}, "\"\\u2028\\u2029\""},
	    {{(const unsigned char *)"\xe2\x80\xae", 3}, "\"\\u202e\""},
	    {{(const unsigned char *)"\xff", 1}, "\"\\ufffd\""},
	    {{(const unsigned char *)"\"\\", 2}, "\"\\\"\\\\\""},
	    {{(const unsigned char *)"</script>\xc3\xa9", 11}, "\"</script>\xc3\xa9\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = {0};
		json_quote(&out, maker_copy(cases[i].in));
		assert_string_equal(buf_string(&out), cases[i].out);
		buf_free(&out);
	}
}

static void test_object(void **state)
{
	struct buf line = {0};
	json_t *value;

	(void)state;
	json_begin(&line);
	json_add_string(&line, "absent", NULL);
	json_add(&line, "brace", BYTES("{"));
	json_add_string(&line, "text", "a\nb,{");
	json_add_number(&line, "least", INT64_MIN);
	json_add_number(&line, "most", INT64_MAX);
	json_add(&line, "empty", (struct span){NULL, 0});
	json_end(&line);
	assert_int_equal(line.data[line.len - 1], '\n');
	assert_harmless((struct span){line.data, line.len - 1});
	value = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(value);
	assert_int_equal(json_object_size(value), 5);
	assert_string_equal(json_string_value(json_object_get(value, "brace")), "{");
	assert_string_equal(json_string_value(json_object_get(value, "text")), "a\nb,{");
	assert_true(json_integer_value(json_object_get(value, "least")) == INT64_MIN);
	assert_true(json_integer_value(json_object_get(value, "most")) == INT64_MAX);
	assert_string_equal(json_string_value(json_object_get(value, "empty")), "");
	json_decref(value);
	buf_free(&line);
}

static void test_no_members(void **state)
{
	struct buf line = {0};

	(void)state;
	json_begin(&line);
	json_end(&line);
	assert_string_equal(buf_string(&line), "{}\n");
	buf_free(&line);
}

/* Members that are gathered in an empty buf and put into an object later. */
static void test_members_apart(void **state)
{
	struct buf members = {0}, line = {0};
	json_t *value;

	(void)state;
	json_add_number(&members, "a", 1);
	json_add_string(&members, "b", "ends with {");
	json_add_number(&members, "c", -3);
	json_begin(&line);
	buf_add_span(&line, buf_span(&members));
	json_end(&line);
	value = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(value);
	assert_int_equal(json_object_size(value), 3);
	assert_int_equal(json_integer_value(json_object_get(value, "c")), -3);
	json_decref(value);
	buf_free(&members);
	buf_free(&line);
}

/* What stands in the member of a line is the text, with U+FFFD where it is no UTF-8. */
static void assert_member(struct span line, const char *key, struct span text)
{
	json_t *object = json_loadb(
	    (const char *)line.data, line.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	struct buf clean = {0};
	struct span got;
	json_t *value;

	if (object == NULL)
		fail_msg("not JSON: %.*s", (int)line.len, (const char *)line.data);
	value = json_object_get(object, key);
	got.data = (const unsigned char *)json_string_value(value);
	got.len = json_string_length(value);
	utf8_clean(&clean, text);
	assert_bytes(buf_span(&clean), got);
	buf_free(&clean);
	json_decref(object);
}

/* A log line with the text as a value among others: one line, of nothing that a terminal obeys. */
static void check_line(struct span text)
{
	struct buf line = {0};

	json_begin(&line);
	json_add_string(&line, "level", "info");
	json_add(&line, "subject", maker_copy(text));
	json_add_number(&line, "status", 400);
	json_end(&line);
	assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
	assert_harmless((struct span){line.data, line.len - 1});
	assert_member(buf_span(&line), "subject", text);
	buf_free(&line);
}

static void test_hostile_values(void **state)
{
	(void)state;
	hostile_each(check_line);
}

static size_t events;

static void write_event(struct span text)
{
	struct buf copy = {0};

	buf_add_span(&copy, text);
	log_event(LOG_LEVEL_INFO, "refused", "%s", buf_string(&copy));
	buf_free(&copy);
	events++;
}

static char *log_path;
static struct span rest;

/* Takes one line off the log, which has to be that of this text up to its first NUL. */
static void read_event(struct span text)
{
	const unsigned char *end = memchr(rest.data, '\n', rest.len), *nul;
	struct span line = {rest.data, end == NULL ? 0 : (size_t)(end - rest.data)};

	assert_non_null(end);
	nul = text.len == 0 ? NULL : memchr(text.data, '\0', text.len);
	if (nul != NULL)
		text.len = (size_t)(nul - text.data);
	assert_harmless(line);
	assert_member(line, "message", text);
	rest.data += line.len + 1;
	rest.len -= line.len + 1;
}

/* I7: as many lines as events, whatever the events say. */
static void test_hostile_events(void **state)
{
	struct buf content = {0};

	(void)state;
	log_path = mem_string(maker_file("log", ""));
	assert_outcome(EST_OK, log_open(log_path, "test_json"));
	hostile_each(write_event);
	log_close();
	assert_true(events > 1000);
	assert_outcome(EST_OK, file_read(log_path, 4 << 20, &content));
	rest = buf_span(&content);
	hostile_each(read_event);
	assert_int_equal(rest.len, 0);
	buf_free(&content);
	free(log_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_character),
	    TEST(test_not_utf8),
	    TEST(test_escapes),
	    TEST(test_object),
	    TEST(test_no_members),
	    TEST(test_members_apart),
	    TEST(test_hostile_values),
	    TEST(test_hostile_events),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
