/* The table of refusals, and what becomes of a code on its way to whoever asks for it. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/refusal.h"

static int clear(void **state)
{
	(void)state;
	reason_clear();
	return 0;
}

/* Codes are words for machines: of letters, digits and -, in a group; and all rows are filled in. */
static void test_rows(void **state)
{
	(void)state;
	for (unsigned i = REFUSAL_NONE + 1; i < REFUSALS; i++) {
		const struct refusal_row *row = refusal_row((enum refusal)i);
		const char *colon;
		size_t len;
		assert_non_null(row->code);
		colon = strchr(row->code, ':');
		assert_non_null(colon);
		assert_true(
		    colon > row->code && colon[1] != '\0' && strchr(colon + 1, ':') == NULL);
		for (const char *c = row->code; *c != '\0'; c++)
			assert_true(isalnum((unsigned char)*c) || *c == '-' || c == colon);
		assert_true(row->outcome > EST_OK && row->outcome < EST_OUTCOMES);
		assert_non_null(row->rule);
		len = strlen(row->meaning);
		assert_true(len > 10 && row->meaning[len - 1] == '.');
		for (unsigned k = REFUSAL_NONE + 1; k < i; k++)
			assert_string_not_equal(refusal_row((enum refusal)k)->code, row->code);
	}
	assert_string_equal(refusal_row(REFUSAL_NONE)->code, "ok");
}

static void test_refuse_cites_the_rule(void **state)
{
	(void)state;
	assert_int_equal(refuse(CSR_KEY_SIZE, "the RSA key has %d bits", 1024), EST_MALFORMED);
	assert_string_equal(reason_text(), "CA/B BR 6.1.5: the RSA key has 1024 bits");
	assert_int_equal(refusal_recorded(EST_MALFORMED), CSR_KEY_SIZE);
	reason_clear();
	assert_string_equal(reason_text(), "");
	assert_int_equal(refusal_recorded(EST_MALFORMED), OTHER);
}

static void test_first_refusal_wins(void **state)
{
	(void)state;
	(void)refuse(CSR_VERSION, "the version is 1");
	(void)refuse(CSR_DER, "something is wrong");
	assert_int_equal(refusal_recorded(EST_MALFORMED), CSR_VERSION);
	assert_non_null(strstr(reason_text(), "the version is 1"));
	assert_null(strstr(reason_text(), "something"));
}

/* Who knows more but no code keeps its text; who knows the code adds it. */
static void test_deeper_reason_gets_the_code(void **state)
{
	(void)state;
	(void)reason(EST_MALFORMED, "octet 7 is not in the alphabet");
	assert_int_equal(refuse(BODY_BASE64, "the body is not base64"), EST_MALFORMED);
	assert_string_equal(reason_text(), "octet 7 is not in the alphabet");
	assert_int_equal(refusal_recorded(EST_MALFORMED), BODY_BASE64);
}

/* A code never stands beside an outcome that is not its own. */
static void test_code_fits_outcome(void **state)
{
	(void)state;
	assert_int_equal(refusal_recorded(EST_OK), REFUSAL_NONE);
	assert_int_equal(refusal_recorded(EST_UNAVAILABLE), SERVER_UNAVAILABLE);
	assert_int_equal(refusal_recorded(EST_INTERNAL), SERVER_INTERNAL);
	(void)refuse(AUTH_MISSING, "nobody");
	assert_int_equal(refusal_recorded(EST_UNAUTHENTICATED), AUTH_MISSING);
	assert_int_equal(refusal_recorded(EST_UNAVAILABLE), SERVER_UNAVAILABLE);
	assert_int_equal(refusal_recorded(EST_OK), REFUSAL_NONE);
	reason_clear();
	(void)refuse(SERVER_LINT, "serial: zero");
	assert_int_equal(refusal_recorded(EST_INTERNAL), SERVER_LINT);
}

static void test_long_text_is_cut(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)refuse(CSR_DER, "%s", text);
	assert_int_equal(strlen(reason_text()), REASON_SIZE - 1);
	assert_int_equal(refusal_recorded(EST_MALFORMED), CSR_DER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_rows, clear),
	    cmocka_unit_test_setup(test_refuse_cites_the_rule, clear),
	    cmocka_unit_test_setup(test_first_refusal_wins, clear),
	    cmocka_unit_test_setup(test_deeper_reason_gets_the_code, clear),
	    cmocka_unit_test_setup(test_code_fits_outcome, clear),
	    cmocka_unit_test_setup(test_long_text_is_cut, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
