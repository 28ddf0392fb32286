/*
 * Passwords: what is hashed verifies and nothing else does, whatever is stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/auth/password.h"
#include "common/base/refusal.h"

static int clear(void **state)
{
	(void)state;
	reason_clear();
	return 0;
}

static struct buf hash_of(const char *password)
{
	struct buf hash = {0};

	assert_int_equal(password_hash(span_of(password), &hash), EST_OK);
	return hash;
}

static void test_round_trip(void **state)
{
	struct buf hash = hash_of("correct horse \xc3\xa9");

	(void)state;
	assert_memory_equal(buf_string(&hash), "$y$", 3);
	assert_int_equal(
	    password_verify(span_of("correct horse \xc3\xa9"), buf_string(&hash)), EST_OK);
	assert_string_equal(reason_text(), "");
	buf_free(&hash);
}

static void test_wrong(void **state)
{
	struct buf hash = hash_of("secret");
	static const char *const wrong[] = {"Secret", "secret ", "secre", "", "\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		reason_clear();
		assert_int_equal(
		    password_verify(span_of(wrong[i]), buf_string(&hash)), EST_UNAUTHENTICATED);
		assert_string_not_equal(reason_text(), "");
		assert_null(strstr(reason_text(), "$y$"));
		assert_null(strstr(reason_text(), "empty"));
		assert_int_equal(refusal_recorded(EST_UNAUTHENTICATED), AUTH_PASSWORD);
	}
	assert_int_equal(password_verify((struct span){(const unsigned char *)"secret\0x", 8},
			     buf_string(&hash)),
	    EST_UNAUTHENTICATED);
	buf_free(&hash);
}

static void test_salted(void **state)
{
	struct buf one = hash_of("secret"), two = hash_of("secret");

	(void)state;
	assert_string_not_equal(buf_string(&one), buf_string(&two));
	buf_free(&one);
	buf_free(&two);
}

static void test_disabled(void **state)
{
	struct buf hash = hash_of("secret"), disabled = {0};
	static const char *const never[] = {"", "!", "*", "*0", "x", "$y$", "$9$unknown$"};

	(void)state;
	buf_printf(&disabled, "!%s", buf_string(&hash));
	assert_int_equal(
	    password_verify(span_of("secret"), buf_string(&disabled)), EST_UNAUTHENTICATED);
	assert_int_equal(password_verify(span_of("secret"), NULL), EST_UNAUTHENTICATED);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(password_verify(span_of("secret"), never[i]), EST_UNAUTHENTICATED);
	buf_free(&hash);
	buf_free(&disabled);
}

/* A string made by another program: openssl passwd -6 -salt saltstring 'Hello world!'. */
static void test_other_method(void **state)
{
	static const char hash[] = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
				   "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";

	(void)state;
	assert_int_equal(password_verify(span_of("Hello world!"), hash), EST_OK);
	assert_int_equal(password_verify(span_of("Hello world"), hash), EST_UNAUTHENTICATED);
}

static void test_limits(void **state)
{
	char text[PASSWORD_MAX + 2];
	struct buf hash = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(
	    password_hash((struct span){(unsigned char *)text, 0}, &hash), EST_MALFORMED);
	assert_int_equal(
	    password_hash((struct span){(unsigned char *)text, PASSWORD_MAX + 1}, &hash),
	    EST_MALFORMED);
	assert_int_equal(
	    password_hash((struct span){(const unsigned char *)"a\0b", 3}, &hash), EST_MALFORMED);
	assert_int_equal(hash.len, 0);
	assert_int_equal(
	    password_hash((struct span){(unsigned char *)text, PASSWORD_MAX}, &hash), EST_OK);
	text[PASSWORD_MAX] = '\0';
	assert_int_equal(password_verify(span_of(text), buf_string(&hash)), EST_OK);
	text[PASSWORD_MAX - 1] = 'y';
	assert_int_equal(password_verify(span_of(text), buf_string(&hash)), EST_UNAUTHENTICATED);
	buf_free(&hash);
}

static uint64_t processor_time(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

/* The least processor time of several runs, in microseconds: the one that was disturbed least. */
static uint64_t least_time(const char *hash)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 7; i++) {
		uint64_t before = processor_time(), took;
		assert_int_equal(password_verify(span_of("wrong"), hash), EST_UNAUTHENTICATED);
		took = processor_time() - before;
		least = took < least ? took : least;
	}
	return least;
}

static void test_unknown_user_costs_the_same(void **state)
{
	struct buf hash = hash_of("secret");
	uint64_t known = least_time(buf_string(&hash)), unknown = least_time(NULL);

	(void)state;
	print_message("known %llu us, unknown %llu us\n", (unsigned long long)known,
	    (unsigned long long)unknown);
	assert_true(unknown * 4 > known * 3 && known * 4 > unknown * 3);
	buf_free(&hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_round_trip, clear),
	    cmocka_unit_test_setup(test_wrong, clear),
	    cmocka_unit_test_setup(test_salted, clear),
	    cmocka_unit_test_setup(test_disabled, clear),
	    cmocka_unit_test_setup(test_other_method, clear),
	    cmocka_unit_test_setup(test_limits, clear),
	    cmocka_unit_test_setup(test_unknown_user_costs_the_same, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
