/*
 * The path of a request: RFC 7030 3.2.2, and the tricks of C13 and F11.
 */
#include "maker.h"

#include <string.h>

#include "cgi/path.h"

#define PREFIX "/.well-known/est"

static bool split(const char *path, struct span *label, struct span *operation)
{
	return path_split(PREFIX, maker_copy(span_of(path)), label, operation);
}

static void test_two_forms(void **state)
{
	static const struct {
		const char *path, *label, *operation;
	} rows[] = {
	    {PREFIX "/cacerts", "", "cacerts"},
	    {PREFIX "/factory/cacerts", "factory", "cacerts"},
	    {PREFIX "/A-Z._~09/simpleenroll", "A-Z._~09", "simpleenroll"},
	    {PREFIX "/...", "", "..."},
	    {PREFIX "/.hidden/..x", ".hidden", "..x"},
	    {PREFIX "/a/b", "a", "b"},
	    {PREFIX "/.well-known/est", ".well-known", "est"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span label, operation;
		assert_true(split(rows[i].path, &label, &operation));
		assert_bytes(span_of(rows[i].label), label);
		assert_bytes(span_of(rows[i].operation), operation);
	}
}

static void test_no_other(void **state)
{
	static const char *const paths[] = {"", "/", "/.well-known", PREFIX, PREFIX "/",
	    PREFIX "//", PREFIX "//cacerts", PREFIX "/cacerts/", PREFIX "/a//cacerts",
	    PREFIX "/a/b/cacerts", PREFIX "/a/cacerts/", PREFIX "//", PREFIX "/a/",
	    PREFIX "cacerts", PREFIX "x/cacerts", "/.WELL-KNOWN/est/cacerts",
	    "/.well-known/EST/cacerts", "x" PREFIX "/cacerts", "/cacerts", "cacerts", PREFIX "/.",
	    PREFIX "/..", PREFIX "/./cacerts", PREFIX "/../cacerts", PREFIX "/a/..", PREFIX "/a/.",
	    PREFIX "/%63acerts", PREFIX "/a%2fcacerts", PREFIX "/..%2f/cacerts",
	    PREFIX "/cacerts;x", PREFIX "/cacerts?x", PREFIX "/cacerts#x", PREFIX "/ca certs",
	    PREFIX "/cacerts ", PREFIX "/\tcacerts", PREFIX "/cacerts\n", PREFIX "/a\r/cacerts",
	    PREFIX "/\\cacerts", PREFIX "/a\\cacerts", PREFIX "/a:b", PREFIX "/a@b", PREFIX "/a,b",
	    PREFIX "/a+b", PREFIX "/a=b", PREFIX "/\xc3\xbc/cacerts", PREFIX "/\xff",
	    PREFIX "/\x7f", PREFIX "/<a>"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct span label = BYTES("x"), operation = BYTES("y");
		if (split(paths[i], &label, &operation))
			fail_msg("\"%s\" is taken for a path", paths[i]);
		assert_int_equal(label.len + operation.len, 0);
	}
}

/* Every octet but RFC 3986's unreserved ones, at every place of a label and an operation. */
static void test_every_octet(void **state)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	struct span label, operation;

	(void)state;
	for (int c = 0; c < 256; c++) {
		bool unreserved = c != 0 && strchr(good, c) != NULL;
		for (size_t at = 0; at < 7; at++) {
			char path[] = PREFIX "/lbl/ope";
			struct span octets = {(unsigned char *)path, sizeof(path) - 1};
			path[strlen(PREFIX "/") + at] = (char)c;
			if (at != strlen("lbl"))
				assert_int_equal(
				    path_split(PREFIX, maker_copy(octets), &label, &operation),
				    unreserved);
		}
	}
}

static void test_length(void **state)
{
	struct buf path = {0};
	struct span label, operation;

	(void)state;
	buf_add_string(&path, PREFIX "/");
	for (size_t i = 0; i < 5000; i++)
		buf_add_byte(&path, 'x');
	buf_add_string(&path, "/cacerts");
	assert_true(path_split(PREFIX, maker_keep(&path), &label, &operation));
	assert_int_equal(label.len, 5000); /* and no label has that name */
	assert_true(path_split("", BYTES("/cacerts"), &label, &operation));
	assert_false(path_split("", (struct span){NULL, 0}, &label, &operation));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_two_forms),
	    TEST(test_no_other),
	    TEST(test_every_octet),
	    TEST(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
