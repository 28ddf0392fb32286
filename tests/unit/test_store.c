/*
 * The store, through its port: what was acknowledged is found in every way it can be looked for,
 * counts are right, the same request is answered once, and processes may die anywhere.
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

#include "common/base/clock.h"
#include "store_test.h"

/* --- adding and getting --- */

static void test_add_and_get(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), back = {0};
	struct serial other = serial_of(2);

	assert_int_equal(add(store, &cert, 1), EST_OK);
	assert_int_equal(store_cert_get(store, &cert.serial, &back), EST_OK);
	assert_string_equal(back.name, "pump-1");
	assert_string_equal(back.label, "pumps");
	assert_int_equal(back.not_after, cert.not_after);
	assert_int_equal(back.revocation_reason, NOT_REVOKED);
	assert_true(span_equal(back.der, cert.der));
	cert_record_clear(&back);
	assert_int_equal(store_cert_get(store, &other, &back), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
}

/* A record larger than a page, and one of nothing but a serial. */
static void test_add_sizes(void **state)
{
	struct store *store = *state;
	struct cert_record large = cert_of("large", 1), least = cert_of("", 2), back = {0};
	unsigned char *der = mem_alloc(60000);

	large.der = (struct span){der, 60000};
	least.der = (struct span){NULL, 0};
	least.label = least.profile = least.ca = least.names = "";
	assert_int_equal(add(store, &large, 1), EST_OK);
	assert_int_equal(add(store, &least, 2), EST_OK);
	assert_int_equal(store_cert_get(store, &large.serial, &back), EST_OK);
	assert_int_equal(back.der.len, 60000);
	cert_record_clear(&back);
	assert_int_equal(store_cert_get(store, &least.serial, &back), EST_OK);
	assert_string_equal(back.label, "");
	cert_record_clear(&back);
	assert_sound(store);
	free(der);
}

/* Nothing of the second one stays. */
static void test_add_same_serial(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), twin = cert_of("pump-2", 1), back = {0};

	assert_int_equal(add(store, &cert, 1), EST_OK);
	assert_int_equal(add(store, &twin, 2), EST_INTERNAL);
	assert_string_not_equal(reason_text(), "");
	reason_clear();
	assert_int_equal(store_cert_get(store, &cert.serial, &back), EST_OK);
	assert_string_equal(back.name, "pump-1");
	cert_record_clear(&back);
	assert_int_equal(of_request(store, 2), EST_NOT_FOUND);
	assert_sound(store);
}

/* --- the same request --- */

static void test_same_request(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), again = cert_of("pump-1", 2), earlier = {0};

	assert_int_equal(of_request(store, 7), EST_NOT_FOUND);
	assert_int_equal(add(store, &cert, 7), EST_OK);
	assert_int_equal(of_request(store, 7), EST_OK);
	assert_int_equal(
	    store_cert_add(store, &again,
		&(struct cert_terms){.request = request_of(7), .since = cert.issued_at}, &earlier),
	    EST_CONFLICT);
	assert_memory_equal(earlier.serial.octets, cert.serial.octets, cert.serial.len);
	cert_record_clear(&earlier);
	assert_int_equal(store_cert_get(store, &again.serial, &earlier), EST_NOT_FOUND);
	assert_sound(store);
}

/* Issued before the window, the earlier answer is none; the newest one is remembered. */
static void test_request_window(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), again = cert_of("pump-1", 2), out = {0};

	assert_int_equal(add(store, &cert, 7), EST_OK);
	assert_int_equal(
	    store_cert_add(store, &again,
		&(struct cert_terms){.request = request_of(7), .since = cert.issued_at + 1}, &out),
	    EST_OK);
	assert_int_equal(store_cert_of_request(store, request_of(7), cert.issued_at, &out), EST_OK);
	assert_int_equal(out.serial.octets[4], 2);
	cert_record_clear(&out);
	assert_int_equal(
	    store_cert_of_request(store, request_of(7), again.issued_at + 1, &out), EST_NOT_FOUND);
}

static void test_request_revoked_or_expired(void **state)
{
	struct store *store = *state;
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);
	struct cert_record third = cert_of("pump-1", 3);

	assert_int_equal(add(store, &first, 7), EST_OK);
	assert_int_equal(store_cert_revoke(store, &first.serial, 1, clock_now(), NULL), EST_OK);
	assert_int_equal(of_request(store, 7), EST_NOT_FOUND);
	second.not_after = clock_now() - 10;
	assert_int_equal(add(store, &second, 7), EST_OK);
	assert_int_equal(of_request(store, 7), EST_NOT_FOUND);
	assert_int_equal(add(store, &third, 7), EST_OK);
	assert_int_equal(of_request(store, 7), EST_OK);
	assert_sound(store);
}

/* As a hash would: evenly. */
static void spread(unsigned char request[STORE_REQUEST_SIZE], unsigned number)
{
	uint32_t mixed = number * 2654435761U;

	memcpy(request, &mixed, sizeof(mixed));
	memcpy(request + 4, &number, sizeof(number));
}

/* Requests that nobody can repeat any more do not stay for ever. */
static void test_old_requests_go(void **state)
{
	enum { OLD = 2000, FRESH = 6000 };
	struct store *store = *state;
	unsigned char request[STORE_REQUEST_SIZE] = {0};
	struct cert_record earlier = {0};
	int kept = 0;

	for (unsigned i = 0; i < OLD + FRESH; i++) {
		struct cert_record cert = cert_of("pump-1", i + 1);
		if (i < OLD)
			cert.issued_at -= 30 * 86400;
		spread(request, i);
		assert_int_equal(
		    store_cert_add(store, &cert,
			&(struct cert_terms){.request = request, .since = cert.issued_at - 600},
			&earlier),
		    EST_OK);
	}
	for (unsigned i = 0; i < OLD + FRESH; i++) {
		enum outcome outcome;
		spread(request, i);
		outcome = store_cert_of_request(store, request, 0, &earlier);
		cert_record_clear(&earlier);
		if (i < OLD)
			kept += outcome == EST_OK;
		else
			assert_int_equal(outcome, EST_OK);
	}
	assert_true(kept < OLD / 2);
	assert_sound(store);
}

/* --- revoking --- */

/* What a request rests on may be revoked while the request is on its way. */
static void test_rests_on_revoked(void **state)
{
	struct store *store = *state;
	struct cert_record old = cert_of("pump-1", 1), cert = cert_of("pump-1", 2), out = {0};
	struct serial foreign = serial_of(99);
	struct cert_terms terms = {.rests_on = &old.serial};

	assert_int_equal(add(store, &old, 1), EST_OK);
	assert_int_equal(add_on(store, &cert, 2, terms), EST_OK);
	assert_int_equal(store_cert_revoke(store, &old.serial, 1, 5, NULL), EST_OK);
	cert = cert_of("pump-1", 3);
	reason_clear();
	assert_int_equal(add_on(store, &cert, 3, terms), EST_FORBIDDEN);
	assert_non_null(strstr(reason_text(), "revoked"));
	reason_clear();
	assert_int_equal(store_cert_get(store, &cert.serial, &out), EST_NOT_FOUND);
	assert_int_equal(of_request(store, 3), EST_NOT_FOUND);
	terms.rests_on = &foreign;
	assert_int_equal(add_on(store, &cert, 3, terms), EST_OK);
	reason_clear();
	assert_sound(store);
}

/* H6: what was issued while the clock was ahead answers nothing once it is right again. */
static void test_clock_was_ahead(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1);

	cert.issued_at += 20 * 86400;
	cert.not_before += 20 * 86400;
	assert_int_equal(add(store, &cert, 1), EST_OK);
	assert_int_equal(of_request(store, 1), EST_NOT_FOUND);
	cert = cert_of("pump-1", 2);
	assert_int_equal(add(store, &cert, 1), EST_OK);
	assert_int_equal(of_request(store, 1), EST_OK);
	reason_clear();
	assert_sound(store);
}

static void test_revoke(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), out = {0};
	struct serial unknown = serial_of(99);

	assert_int_equal(add(store, &cert, 1), EST_OK);
	assert_int_equal(store_cert_revoke(store, &unknown, 1, 5, &out), EST_NOT_FOUND);
	assert_int_equal(store_cert_revoke(store, &cert.serial, 8, 5, &out), EST_MALFORMED);
	assert_int_equal(store_cert_revoke(store, &cert.serial, 7, 5, &out), EST_MALFORMED);
	assert_int_equal(store_cert_revoke(store, &cert.serial, -1, 5, &out), EST_MALFORMED);
	assert_int_equal(store_cert_revoke(store, &cert.serial, 4, 1234, &out), EST_OK);
	assert_int_equal(out.revocation_reason, 4);
	cert_record_clear(&out);
	/* the first date and reason stay */
	assert_int_equal(store_cert_revoke(store, &cert.serial, 5, 9999, &out), EST_CONFLICT);
	assert_int_equal(out.revocation_reason, 4);
	assert_int_equal(out.revoked_at, 1234);
	cert_record_clear(&out);
	assert_int_equal(store_cert_get(store, &cert.serial, &out), EST_OK);
	assert_int_equal(out.revoked_at, 1234);
	assert_string_equal(out.name, "pump-1");
	assert_true(span_equal(out.der, cert.der));
	cert_record_clear(&out);
	reason_clear();
	assert_sound(store);
}

/* --- users --- */

static void test_users(void **state)
{
	static const char *const names[] = {"pump-*", NULL};
	static const char *const none[] = {NULL};
	struct store *store = *state;
	struct user_record user = {
	    .name = "pump", .password = "$y$1", .names = names, .labels = none};
	struct user_record back = {0};

	assert_int_equal(store_user_get(store, "pump", &back), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
	assert_int_equal(store_user_put(store, &user, true), EST_NOT_FOUND);
	assert_int_equal(store_user_put(store, &user, false), EST_OK);
	assert_int_equal(store_user_put(store, &user, false), EST_CONFLICT);
	user.password = "$y$2";
	assert_int_equal(store_user_put(store, &user, true), EST_OK);
	assert_int_equal(store_user_get(store, "pump", &back), EST_OK);
	assert_string_equal(back.password, "$y$2");
	assert_string_equal(back.names[0], "pump-*");
	user_record_clear(&back);
	assert_int_equal(store_user_get(store, "pum", &back), EST_NOT_FOUND);
	assert_int_equal(store_user_delete(store, "pum"), EST_NOT_FOUND);
	assert_int_equal(store_user_delete(store, "pump"), EST_OK);
	assert_int_equal(store_user_get(store, "pump", &back), EST_NOT_FOUND);
}

/* In order, each once: a name that begins another, the empty name, and one that is not ASCII. */
static void test_user_next(void **state)
{
	static const char *const sorted[] = {"", "a", "a b", "aa", "b", "\xc3\xa9"};
	static const int order[] = {3, 0, 5, 1, 4, 2};
	static const char *const none[] = {NULL};
	struct store *store = *state;
	struct user_record user = {.password = "x", .names = none, .labels = none}, next = {0};
	char *after = NULL;

	assert_int_equal(store_user_next(store, NULL, &next), EST_NOT_FOUND);
	for (size_t i = 0; i < 6; i++) {
		user.name = sorted[order[i]];
		assert_int_equal(store_user_put(store, &user, false), EST_OK);
	}
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(store_user_next(store, after, &next), EST_OK);
		assert_string_equal(next.name, sorted[i]);
		free(after);
		after = mem_string(next.name);
		user_record_clear(&next);
	}
	assert_int_equal(store_user_next(store, after, &next), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
	free(after);
	assert_int_equal(store_user_get(store, "", &next), EST_OK);
	user_record_clear(&next);
}

/* --- opening --- */

static void test_persistence(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), back = {0};
	struct store_totals totals = {0};

	assert_int_equal(add(store, &cert, 1), EST_OK);
	store_close(store);
	*state = store = store_again();
	assert_int_equal(store_cert_get(store, &cert.serial, &back), EST_OK);
	cert_record_clear(&back);
	assert_int_equal(of_request(store, 1), EST_OK);
	assert_int_equal(store_totals(store, clock_now(), &totals), EST_OK);
	assert_int_equal(totals.count, 1);
	assert_int_equal(totals.labels[0].valid, 1);
	store_totals_clear(&totals);
	assert_sound(store);
}

static void test_second_open(void **state)
{
	struct store_settings settings = {store_directory(), TEST_CACHE};
	struct store *second = NULL;

	(void)state;
	assert_int_equal(store_open(&settings, &second), EST_INTERNAL);
	assert_null(second);
}

static void assert_refused(const char *directory, const char *mentions)
{
	struct store_settings settings = {directory, TEST_CACHE};
	struct store *none = NULL;

	reason_clear();
	assert_int_equal(store_open(&settings, &none), EST_UNAVAILABLE);
	assert_null(none);
	assert_non_null(strstr(reason_text(), directory));
	assert_non_null(strstr(reason_text(), mentions));
}

static void test_bad_directories(void **state)
{
	char path[300];

	store_close(*state);
	*state = NULL;
	assert_refused("/nonexistent/store", "make it as the user");
	(void)snprintf(path, sizeof(path), "%s/DB_CONFIG", store_directory());
	assert_refused(path, "is none");
	if (geteuid() != 0)
		assert_refused("/etc", "belongs to root");
	(void)snprintf(path, sizeof(path), "%s/strange", store_directory());
	assert_int_equal(mkdir(path, 0700), 0);
	if (geteuid() == 0 && chown(path, 12345, 12345) == 0) {
		/* what root would make there would be of no use to its owner */
		assert_refused(path, "12345");
	}
	assert_int_equal(rmdir(path), 0);
	*state = store_again();
}

/* Files are for owner and group whatever the umask; and the umask is the caller's again. */
static void test_modes(void **state)
{
	static const char *const files[] = {"gate", "DB_CONFIG", "cert", "meta", "log.0000000001",
	    "secret", "kek", "pending", "challenge", "nonce", "device"};
	mode_t before;

	store_close(*state);
	*state = NULL;
	store_remove();
	before = umask(0077);
	*state = store_again();
	assert_int_equal(umask(before), 0077);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct stat status;
		char path[300];
		(void)snprintf(path, sizeof(path), "%s/%s", store_directory(), files[i]);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 07777, 0660);
	}
}

/* --- care --- */

static void sum_figures(void *context, const char *name, int64_t value)
{
	int64_t *certificates = context;

	if (strcmp(name, "certificates") == 0)
		*certificates = value;
	assert_true(value >= 0);
}

static void test_statistics_and_checkpoint(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1);
	int64_t certificates = -1;

	assert_int_equal(add(store, &cert, 1), EST_OK);
	assert_int_equal(store_checkpoint(store), EST_OK);
	assert_int_equal(store_statistics(store, sum_figures, &certificates), EST_OK);
	assert_int_equal(certificates, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_add_and_get),
	    store_test(test_add_sizes),
	    store_test(test_add_same_serial),
	    store_test(test_same_request),
	    store_test(test_request_window),
	    store_test(test_request_revoked_or_expired),
	    store_test(test_old_requests_go),
	    store_test(test_revoke),
	    store_test(test_rests_on_revoked),
	    store_test(test_clock_was_ahead),
	    store_test(test_users),
	    store_test(test_user_next),
	    store_test(test_persistence),
	    store_test(test_second_open),
	    store_test(test_bad_directories),
	    store_test(test_modes),
	    store_test(test_statistics_and_checkpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
