/*
 * Growing runs of bytes: what goes in comes out, however it grew.
 */
#include "maker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void test_empty(void **state)
{
	struct buf buf = {0};

	(void)state;
	assert_string_equal(buf_string(&buf), "");
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf_span(&buf).len, 0);
	buf_add(&buf, NULL, 0);
	buf_add_string(&buf, "");
	buf_add_span(&buf, (struct span){NULL, 0});
	assert_int_equal(buf.len, 0);
	buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf.capacity, 0);
	buf_free(&buf);
}

static void test_growth(void **state)
{
	struct buf buf = {0};
	char word[16];

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_printf(&buf, "%07d", i);
	assert_int_equal(buf.len, 700000);
	for (int i = 0; i < 100000; i += 997) {
		(void)snprintf(word, sizeof(word), "%07d", i);
		assert_memory_equal(buf.data + 7 * i, word, 7);
	}
	buf_reset(&buf);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf_string(&buf), "");
	buf_free(&buf);
}

/* Every length around the steps in which a run may grow, one byte at a time and all at once. */
static void test_every_length(void **state)
{
	unsigned char bytes[600];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct buf whole = {0}, single = {0};
		buf_add(&whole, bytes, len);
		for (size_t i = 0; i < len; i++)
			buf_add_byte(&single, bytes[i]);
		assert_bytes(((struct span){bytes, len}), buf_span(&whole));
		assert_bytes(buf_span(&whole), buf_span(&single));
		assert_int_equal(buf_string(&whole)[len], '\0');
		assert_int_equal(whole.len, len);
		assert_memory_equal(whole.data, bytes, len);
		buf_free(&whole);
		buf_cleanse(&single);
		assert_null(single.data);
		assert_int_equal(single.len, 0);
	}
}

static void test_reserve(void **state)
{
	struct buf buf = {0};

	(void)state;
	for (size_t more = 0; more < 5000; more += 123) {
		buf_reserve(&buf, more);
		assert_non_null(buf.data);
		assert_true(buf.capacity - buf.len >= more);
		memset(buf.data + buf.len, 'x', more);
		buf_add_byte(&buf, 'y');
	}
	buf_free(&buf);
}

static void test_printf(void **state)
{
	struct buf buf = {0};
	char *wide = mem_alloc(5001);

	(void)state;
	memset(wide, 'w', 5000);
	buf_printf(&buf, "%s", "");
	assert_int_equal(buf.len, 0);
	buf_printf(&buf, "%d:%s:", 7, wide);
	assert_int_equal(buf.len, 5003);
	assert_memory_equal(buf.data, "7:w", 3);
	assert_int_equal(buf.data[5002], ':');
	buf_printf(&buf, "%c%c", 'a', '\0');
	assert_int_equal(buf.len, 5005);
	assert_int_equal(buf.data[5004], '\0');
	free(wide);
	buf_free(&buf);
}

static void test_spans(void **state)
{
	struct span empty = {NULL, 0};

	(void)state;
	assert_true(span_equal(empty, span_of("")));
	assert_true(span_equal(empty, empty));
	assert_true(span_equal(BYTES("a\0b"), BYTES("a\0b")));
	assert_false(span_equal(BYTES("a\0b"), BYTES("a\0c")));
	assert_false(span_equal(BYTES("a"), BYTES("ab")));
	assert_false(span_equal(empty, BYTES("a")));
	assert_int_equal(span_of("a\0b").len, 1);
}

static void test_memory(void **state)
{
	unsigned char *zeroed = mem_alloc(1000);
	char *copy = mem_string("text");

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(zeroed[i], 0);
	zeroed[999] = 9;
	zeroed = mem_grow(zeroed, 100000);
	assert_int_equal(zeroed[999], 9);
	assert_string_equal(copy, "text");
	assert_null(mem_string(NULL));
	free(zeroed);
	free(copy);
	free(mem_grow(NULL, 10));
	copy = mem_alloc(0);
	assert_non_null(copy);
	free(copy);
}

/* A length that no memory has ends the process instead of wrapping around into a small one. */
static int reserve_too_much(void *argument)
{
	static const struct rlimit none = {0, 0};
	struct buf buf = {0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)fclose(stderr);
	buf_add_byte(&buf, 'x');
	buf_reserve(&buf, *(size_t *)argument);
	return 0;
}

static void test_overflow(void **state)
{
	size_t lengths[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 2 + 1};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++)
		assert_int_equal(maker_bounded(reserve_too_much, &lengths[i], 10), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_empty),
	    TEST(test_growth),
	    TEST(test_every_length),
	    TEST(test_reserve),
	    TEST(test_printf),
	    TEST(test_spans),
	    TEST(test_memory),
	    TEST(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
