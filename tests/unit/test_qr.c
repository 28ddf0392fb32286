/*
 * test_qr.c - QR codes: how large they are, that their three corners are where a camera looks for
 * them, and that every form says the same. tests/e2e/devices.bats has a scanner read them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "admin/qr.h"

#define EDGE 4

static bool module(const struct qr *qr, size_t x, size_t y)
{
	return qr->dark[y * qr->width + x] != 0;
}

/* ISO/IEC 18004 6.3.3: a dark square of 3 within a light ring within a dark one. */
static void assert_finder(const struct qr *qr, size_t left, size_t top)
{
	for (size_t y = 0; y < 7; y++) {
		for (size_t x = 0; x < 7; x++) {
			size_t near = x < y ? x : y, far = x < y ? y : x;
			size_t ring = near < 6 - far ? near : 6 - far;
			assert_int_equal(module(qr, left + x, top + y), ring != 1);
		}
	}
}

static void test_size(void **state)
{
	static const struct {
		size_t octets,
		    width; /* ISO/IEC 18004 table 7, level M: 14 octets are version 1, ... */
	} sizes[] = {{1, 21}, {14, 21}, {15, 25}, {26, 25}, {27, 29}, {213, 57}, {1024, 121}};
	char text[QR_MOST + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct qr qr = {0};
		struct span span = {(unsigned char *)text, sizes[i].octets};
		assert_int_equal(qr_make(span, &qr), EST_OK);
		assert_int_equal(qr.width, sizes[i].width);
		assert_finder(&qr, 0, 0);
		assert_finder(&qr, qr.width - 7, 0);
		assert_finder(&qr, 0, qr.width - 7);
		qr_clear(&qr);
		assert_null(qr.dark);
	}
}

static void test_limits(void **state)
{
	char text[QR_MOST + 1];
	struct qr qr = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(
	    qr_make((struct span){(unsigned char *)text, sizeof(text)}, &qr), EST_MALFORMED);
	assert_int_equal(qr_make((struct span){0}, &qr), EST_MALFORMED);
	reason_clear();
	qr_clear(&qr);
}

/* The modules that the lines of half blocks show, two rows a line, the edge included. */
static void test_blocks(void **state)
{
	static const char *const blocks[] = {"\u2588", "\u2580", "\u2584", " "}; /* by dark ones */
	struct buf text = {0};
	struct qr qr = {0};
	const char *at;

	(void)state;
	assert_int_equal(qr_make(span_of("est"), &qr), EST_OK);
	qr_blocks(&qr, &text);
	at = buf_string(&text);
	for (size_t y = 0; y < qr.width + 2 * EDGE; y += 2) {
		for (size_t x = 0; x < qr.width + 2 * EDGE; x++) {
			bool in = x >= EDGE && x < qr.width + EDGE;
			bool upper = in && y >= EDGE && y < qr.width + EDGE &&
				     module(&qr, x - EDGE, y - EDGE);
			bool lower = in && y + 1 >= EDGE && y + 1 < qr.width + EDGE &&
				     module(&qr, x - EDGE, y + 1 - EDGE);
			const char *block = blocks[2 * upper + lower];
			assert_int_equal(strncmp(at, block, strlen(block)), 0);
			at += strlen(block);
		}
		assert_int_equal(*at++, '\n');
	}
	assert_int_equal(*at, '\0');
	buf_cleanse(&text);
	qr_clear(&qr);
}

/* On a terminal each line sets its colours and ends them. */
static void test_terminal(void **state)
{
	struct buf text = {0};
	struct qr qr = {0};
	size_t lines = 0;

	(void)state;
	assert_int_equal(qr_make(span_of("est"), &qr), EST_OK);
	qr_terminal(&qr, &text);
	for (const char *at = buf_string(&text); *at != '\0'; lines++) {
		const char *end = strchr(at, '\n');
		assert_non_null(end);
		assert_int_equal(strncmp(at, "\033[97;40m", 8), 0);
		assert_int_equal(strncmp(end - 4, "\033[0m", 4), 0);
		at = end + 1;
	}
	assert_int_equal(lines, (qr.width + 2 * EDGE + 1) / 2);
	buf_cleanse(&text);
	qr_clear(&qr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
