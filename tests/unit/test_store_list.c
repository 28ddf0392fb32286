/*
 * Lists of certificates: every order gives exactly what belongs to it, once, in order, whatever the
 * page size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store_test.h"

enum { MOST = 400 };

/* The last four octets of a serial of serial_of(). */
static unsigned number_of(const struct cert_record *cert)
{
	const unsigned char *at = cert->serial.octets + 1;

	return (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | at[3];
}

/* Reads all pages; gives how many certificates came, their numbers in numbers. */
static size_t read_all(struct store *store, struct cert_query query, unsigned numbers[static MOST])
{
	struct cert_page page = {0};
	struct buf token = {0};
	size_t count = 0, pages = 0;

	do {
		query.token = buf_span(&token);
		assert_int_equal(store_cert_list(store, &query, &page), EST_OK);
		assert_true(page.count <= query.limit);
		assert_true(++pages <= 2 * MOST);
		for (size_t i = 0; i < page.count; i++) {
			assert_true(count < MOST);
			numbers[count++] = number_of(&page.records[i]);
		}
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		cert_page_clear(&page);
	} while (token.len > 0);
	buf_free(&token);
	return count;
}

static const size_t limits[] = {1, 7, 300, 1000};

enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

static void fill(struct store *store, unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		struct cert_record cert = cert_of("pump-1", i);
		assert_int_equal(add(store, &cert, i), EST_OK);
	}
}

static void test_empty(void **state)
{
	static const unsigned char spki[32];
	unsigned numbers[MOST];

	for (int order = 0; order < CERT_ORDERS; order++) {
		struct cert_query query = {.order = (enum cert_order)order,
		    .name = "x",
		    .spki = spki,
		    .to = INT64_MAX,
		    .limit = 10};
		assert_int_equal(read_all(*state, query, numbers), 0);
	}
}

static void test_by_serial(void **state)
{
	unsigned numbers[MOST];

	fill(*state, 300);
	for (size_t l = 0; l < LIMITS; l++) {
		struct cert_query query = {.order = CERTS_BY_SERIAL, .limit = limits[l]};
		unsigned char seen[301] = {0};
		assert_int_equal(read_all(*state, query, numbers), 300);
		for (size_t i = 0; i < 300; i++) {
			struct serial a, b;
			assert_int_equal(seen[numbers[i]]++, 0);
			if (i == 0)
				continue;
			a = serial_of(numbers[i - 1]);
			b = serial_of(numbers[i]);
			assert_true(memcmp(a.octets, b.octets, 5) < 0);
		}
	}
}

static void test_by_issue(void **state)
{
	unsigned numbers[MOST];

	fill(*state, 300);
	for (size_t l = 0; l < LIMITS; l++) {
		struct cert_query query = {.order = CERTS_BY_ISSUE, .limit = limits[l]};
		assert_int_equal(read_all(*state, query, numbers), 300);
		for (unsigned i = 0; i < 300; i++)
			assert_int_equal(numbers[i], 300 - i);
	}
}

/* What is issued while a list is read does not disturb what is left of it. */
static void test_by_issue_meanwhile(void **state)
{
	struct store *store = *state;
	struct cert_query query = {.order = CERTS_BY_ISSUE, .limit = 2};
	struct cert_page first = {0}, second = {0};
	struct cert_record cert = cert_of("late", 9);

	fill(store, 4);
	assert_int_equal(store_cert_list(store, &query, &first), EST_OK);
	assert_int_equal(add(store, &cert, 9), EST_OK);
	query.token = buf_span(&first.next);
	assert_int_equal(store_cert_list(store, &query, &second), EST_OK);
	assert_int_equal(second.count, 2);
	assert_int_equal(number_of(&second.records[0]), 2);
	assert_int_equal(number_of(&second.records[1]), 1);
	cert_page_clear(&first);
	cert_page_clear(&second);
}

/* Exactly the name, in any letter case; names that begin with it, or are very long, are others. */
static void test_by_name(void **state)
{
	static char longest[1200], longer[1200];
	const char *const names[] = {"pump-1", "pump-10", "PUMP-1", "pump", "", longest, longer};
	const size_t expected[] = {40, 20, 40, 20, 20, 20, 20};
	struct store *store = *state;
	unsigned numbers[MOST];

	memset(longest, 'n', 1000);
	memset(longer, 'n', 1001);
	for (unsigned i = 0; i < 7 * 20; i++) {
		struct cert_record cert = cert_of(names[i % 7], i + 1);
		assert_int_equal(add(store, &cert, i + 1), EST_OK);
	}
	for (size_t l = 0; l < LIMITS; l++) {
		for (size_t n = 0; n < 7; n++) {
			struct cert_query query = {
			    .order = CERTS_BY_NAME, .name = names[n], .limit = limits[l]};
			assert_int_equal(read_all(store, query, numbers), expected[n]);
			for (size_t i = 0; i < expected[n]; i++)
				assert_true((numbers[i] - 1) % 7 == n ||
					    (n % 2 == 0 && n < 3 && (numbers[i] - 1) % 7 == 2 - n));
		}
	}
}

static void test_by_spki(void **state)
{
	struct store *store = *state;
	unsigned char spki[32] = {9, 9, 9};
	unsigned numbers[MOST];

	fill(store, 20);
	for (unsigned i = 0; i < 3; i++) {
		struct cert_record cert = cert_of("same key", 100 + i);
		memcpy(cert.spki, spki, sizeof(spki));
		assert_int_equal(add(store, &cert, 100 + i), EST_OK);
	}
	for (size_t l = 0; l < LIMITS; l++) {
		struct cert_query query = {
		    .order = CERTS_BY_SPKI, .spki = spki, .limit = limits[l]};
		assert_int_equal(read_all(store, query, numbers), 3);
		assert_true(numbers[0] >= 100 && numbers[1] >= 100 && numbers[2] >= 100);
	}
	spki[31] = 1;
	assert_int_equal(
	    read_all(store, (struct cert_query){.order = CERTS_BY_SPKI, .spki = spki, .limit = 5},
		numbers),
	    0);
}

/* From is in, to is not; by day, and to the second within one. */
static void test_by_expiry(void **state)
{
	enum { FIRST = 1900000000, STEP = 7000, COUNT = 100 };
	struct store *store = *state;
	unsigned numbers[MOST];

	for (unsigned i = 1; i <= COUNT; i++) {
		struct cert_record cert = cert_of("pump", (i * 37) % 101);
		cert.not_after = FIRST + (int64_t)number_of(&cert) * STEP;
		assert_int_equal(add(store, &cert, i), EST_OK);
	}
	for (size_t l = 0; l < LIMITS; l++) {
		struct cert_query query = {.order = CERTS_BY_EXPIRY,
		    .from = FIRST + 20 * STEP,
		    .to = FIRST + 60 * STEP,
		    .limit = limits[l]};
		assert_int_equal(read_all(store, query, numbers), 40);
		for (size_t i = 0; i < 40; i++) {
			assert_true(numbers[i] >= 20 && numbers[i] < 60);
			if (i > 0)
				assert_true((FIRST + (int64_t)numbers[i - 1] * STEP) / 86400 <=
					    (FIRST + (int64_t)numbers[i] * STEP) / 86400);
		}
		query.to = query.from;
		assert_int_equal(read_all(store, query, numbers), 0);
		query.from = INT64_MIN;
		query.to = INT64_MAX;
		assert_int_equal(read_all(store, query, numbers), COUNT);
	}
}

static void test_by_revoked(void **state)
{
	struct store *store = *state;
	unsigned numbers[MOST];

	fill(store, 60);
	for (unsigned i = 3; i <= 60; i += 3) {
		struct serial serial = serial_of(i);
		assert_int_equal(store_cert_revoke(store, &serial, 1, 1000 + i, NULL), EST_OK);
	}
	for (size_t l = 0; l < LIMITS; l++) {
		struct cert_query query = {.order = CERTS_BY_REVOKED, .limit = limits[l]};
		assert_int_equal(read_all(store, query, numbers), 20);
		for (size_t i = 0; i < 20; i++)
			assert_int_equal(numbers[i] % 3, 0);
	}
	assert_sound(store);
}

/* Tokens come from outside. */
static void test_tokens(void **state)
{
	static const unsigned char octets[400] = {CERTS_BY_ISSUE, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const unsigned char zero[5] = {CERTS_BY_ISSUE};
	static const unsigned char serial[400] = {CERTS_BY_SERIAL, 0xff};
	static const unsigned char name[9] = {CERTS_BY_NAME, 0, 'a'};
	static const struct {
		enum cert_order order;
		struct span token;
		enum outcome outcome;
		size_t count;
	} cases[] = {
	    {CERTS_BY_SERIAL, {octets, 6}, EST_MALFORMED, 0},
	    {CERTS_BY_ISSUE, {octets, 1}, EST_MALFORMED, 0},
	    {CERTS_BY_ISSUE, {octets, 4}, EST_MALFORMED, 0},
	    {CERTS_BY_ISSUE, {octets, 6}, EST_MALFORMED, 0},
	    {CERTS_BY_ISSUE, {zero, 5}, EST_MALFORMED, 0},
	    {CERTS_BY_ISSUE, {octets, 5}, EST_OK, 4}, /* from beyond the newest */
	    {CERTS_BY_SERIAL, {serial, 400}, EST_MALFORMED, 0},
	    {CERTS_BY_SERIAL, {serial, 300}, EST_OK, 0},
	    {CERTS_BY_SERIAL, {serial, 2}, EST_OK, 0},
	    {CERTS_BY_NAME, {name, 9}, EST_OK, 0},
	    {CERTS_BY_NAME, {name, 2}, EST_OK, 0},
	};
	struct store *store = *state;

	fill(store, 4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cert_query query = {
		    .order = cases[i].order, .name = "zzz", .limit = 10, .token = cases[i].token};
		struct cert_page page = {0};
		reason_clear();
		assert_int_equal(store_cert_list(store, &query, &page), cases[i].outcome);
		assert_int_equal(page.count, cases[i].count);
		cert_page_clear(&page);
	}
}

static void test_limits(void **state)
{
	static const size_t wrong[] = {0, 1001, SIZE_MAX};
	struct cert_page page = {0};

	for (size_t i = 0; i < 3; i++) {
		struct cert_query query = {.order = CERTS_BY_SERIAL, .limit = wrong[i]};
		reason_clear();
		assert_int_equal(store_cert_list(*state, &query, &page), EST_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_empty),
	    store_test(test_by_serial),
	    store_test(test_by_issue),
	    store_test(test_by_issue_meanwhile),
	    store_test(test_by_name),
	    store_test(test_by_spki),
	    store_test(test_by_expiry),
	    store_test(test_by_revoked),
	    store_test(test_tokens),
	    store_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
