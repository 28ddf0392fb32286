/*
 * The lint where a profile fixes names and extensions, or is of CAs: what is missing, other than it
 * should be or too much is found by the rule that is meant for it.
 */
#include "lint_test.h"
#include "profile_test.h"

#include "common/base/refusal.h"
#include "common/pki/der.h"
#include "common/pki/lint.h"

static void note(void *context, const char *rule, const char *section, const char *what)
{
	(void)section;
	(void)what;
	buf_printf(context, " %s", rule);
}

/* The rules that are broken, in their order: " subject-fixed san-fixed". */
static void assert_rules(const char *rules, const struct profile *profile, struct span tbs)
{
	const struct lint_want want = {.profile = profile};
	struct buf all = {0};
	unsigned count = lint_each(tbs, &want, note, &all);
	enum outcome outcome = lint_tbs(tbs, &want);

	assert_string_equal(buf_string(&all), rules);
	if (count == 0) {
		assert_outcome(EST_OK, outcome);
	} else {
		assert_int_equal(outcome, EST_INTERNAL);
		assert_int_equal(refusal_recorded(EST_INTERNAL), SERVER_LINT);
		reason_clear();
	}
	buf_free(&all);
}

/*
 * A part in the place of the good one, and the rules that this breaks, with the keys of est.conf.
 */
struct row {
	const char *keys;
	enum part part;
	const char *notation, *rules;
};

static void assert_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct test_profile made;
		test_profile_make(rows[i].keys, &made);
		assert_rules(rows[i].rules, made.profile, with(rows[i].part, rows[i].notation));
		test_profile_clear(&made);
		maker_clear(NULL);
	}
}

#define SUBJECT_OF(attributes) "30{" attributes "}"
#define CN(value)              "31{30{06{550403}0c{'" value "'}}}"
#define O(value)               "31{30{06{55040a}0c{'" value "'}}}"

static void test_subjects(void **state)
{
	static const char fixed[] = "subject = [ \"CN\" ]; subject_fixed = [ \"O=Acme\" ];",
			  patterns[] = "subject_patterns = [ \"CN=pump.*\", \"CN=valve-*\" ];";
	static const struct row rows[] = {
	    {fixed, SUBJECT, SUBJECT_OF(O("Acme") CN("pump.example")), ""},
	    {fixed, SUBJECT, SUBJECT_OF(CN("pump.example") O("Acme")), ""},
	    {fixed, SUBJECT, SUBJECT_OF(CN("pump.example")), " subject-fixed"},
	    {fixed, SUBJECT, SUBJECT_OF(O("acme") CN("pump.example")), " subject-fixed"},
	    {fixed, SUBJECT, SUBJECT_OF(CN("Acme")), " subject-fixed"},
	    {patterns, SUBJECT, SUBJECT_OF(O("Any") CN("pump.example")), ""},
	    {patterns, SUBJECT, SUBJECT_OF(O("Any") CN("valve-7")), ""},
	    {patterns, SUBJECT, SUBJECT_OF(CN("tank.example")), " subject-pattern"},
	    {patterns, SUBJECT, SUBJECT_OF(O("Any")), ""},
	    {"", SUBJECT, SUBJECT_OF(CN("tank.example")), ""},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void test_sans(void **state)
{
	static const char fixed[] = "san_fixed = [ \"uri:urn:plant:7\" ];",
			  patterns[] = "san_patterns = [ \"dns:pump.*\", \"ip:192.0.2.0/24\" ];";
	static const struct row rows[] = {
	    {fixed, SAN, EXTENSION("551d11", "30{86{'urn:plant:7'}}"), ""},
	    {fixed, SAN, EXTENSION("551d11", "30{82{'any'}86{'urn:plant:7'}}"), ""},
	    {fixed, SAN, EXTENSION("551d11", "30{82{'any'}}"), " san-fixed"},
	    {fixed, SAN, EXTENSION("551d11", "30{86{'urn:plant:8'}}"), " san-profile san-fixed"},
	    {fixed, SAN, "", " san-fixed"},
	    {patterns, SAN, EXTENSION("551d11", "30{82{'pump.example'}}"), ""},
	    {patterns, SAN, EXTENSION("551d11", "30{87{c00002ff}}"), ""},
	    {patterns, SAN, EXTENSION("551d11", "30{82{'tank.example'}}"), " san-pattern"},
	    {patterns, SAN, EXTENSION("551d11", "30{87{c00003ff}}"), " san-pattern"},
	    {patterns, SAN, "", ""},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void test_extensions(void **state)
{
	static const char custom[] = "extensions = [ \"1.2.3 critical 0500\" ];",
			  soft[] = "extensions = [ \"1.2.3 0500\" ];",
			  staple[] = "must_staple = true;", policy[] = "policies = [ \"1.2.3\" ];",
			  urls[] = "crl_urls = [ \"https://a/crl\" ];";
	static const struct row rows[] = {
	    {custom, MORE, CRITICAL_EXTENSION("2a03", "0500"), ""},
	    {custom, MORE, EXTENSION("2a03", "0500"), " fixed-critical"},
	    {custom, MORE, CRITICAL_EXTENSION("2a03", "0101ff"), " fixed-value"},
	    {custom, MORE, "", " fixed-missing"},
	    {custom, MORE, CRITICAL_EXTENSION("2a04", "0500"),
		" extension-unknown fixed-missing extension-profile"},
	    {soft, MORE, EXTENSION("2a03", "0500"), ""},
	    {soft, MORE, CRITICAL_EXTENSION("2a03", "0500"), " fixed-critical"},
	    {staple, MORE, EXTENSION("2b06010505070118", "30{020105}"), ""},
	    {staple, MORE, "", " fixed-missing"},
	    {"", MORE, EXTENSION("2b06010505070118", "30{020105}"), " extension-profile"},
	    {policy, MORE, EXTENSION("551d20", "30{30{06{2a03}}}"), ""},
	    {policy, MORE, EXTENSION("551d20", "30{30{06{2a04}}}"), " fixed-value"},
	    {"", MORE, EXTENSION("551d20", "30{30{06{2a03}}}"), " extension-profile"},
	    /* what the operator wrote is his; anybody else's URL is looked at */
	    {urls, MORE, EXTENSION("551d1f", "30{30{a0{a0{86{'https://a/crl'}}}}}"), ""},
	    {"", MORE, EXTENSION("551d1f", "30{30{a0{a0{86{'https://a/crl'}}}}}"),
		" extension-profile cdp-url"},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* --- CAs --- */

#define CA_BC(path) CRITICAL_EXTENSION("551d13", "30{0101ff" path "}")

static struct span with_ca(enum part part, const char *notation)
{
	struct span parts[PARTS];

	make_parts(parts);
	parts[BC] = maker_der(CA_BC("020101"));
	parts[KU] = maker_der(CRITICAL_EXTENSION("551d0f", "03{0106}"));
	parts[EKU] = parts[SAN] = (struct span){NULL, 0};
	parts[part] = maker_der(notation);
	return join(parts);
}

static void test_cas(void **state)
{
	static const char keys[] = "ca = true; path_length = \"1\"; extended_key_usage = [ ];\n"
				   "key_usage = [ \"keyCertSign\", \"cRLSign\" ];",
			  free_path[] = "ca = true; path_length = \"none\";\n"
					"extended_key_usage = [ ];\n"
					"key_usage = [ \"keyCertSign\", \"cRLSign\" ];",
			  purposes[] = "ca = true; path_length = \"1\";\n"
				       "extended_key_usage = [ \"serverAuth\", "
				       "\"anyExtendedKeyUsage\" ];\n"
				       "key_usage = [ \"keyCertSign\", \"cRLSign\" ];",
			  named[] = "ca = true; path_length = \"1\"; extended_key_usage = [ ];\n"
				    "key_usage = [ \"keyCertSign\", \"cRLSign\" ];\n"
				    "extensions = [ \"2.5.29.30 critical "
				    "300aa0083006820465782e61\" ];",
			  soft[] = "ca = true; path_length = \"1\"; extended_key_usage = [ ];\n"
				   "key_usage = [ \"keyCertSign\", \"cRLSign\" ];\n"
				   "extensions = [ \"2.5.29.30 300aa0083006820465782e61\" ];";
	static const char constraints[] = CRITICAL_EXTENSION("551d1e", "30{a0{30{82{'ex.a'}}}}"),
			  lax[] = EXTENSION("551d1e", "30{a0{30{82{'ex.a'}}}}");
	static const struct row rows[] = {
	    {keys, IDS, "", ""},
	    {keys, BC, CA_BC(""), " bc-path"},
	    {keys, BC, CA_BC("020100"), " bc-path"},
	    {keys, BC, CA_BC("020102"), " bc-path"},
	    {keys, BC, CA_BC("02020101"), " bc-path"},
	    {keys, BC, CRITICAL_EXTENSION("551d13", "30{}"), " bc-ca bc-path"},
	    {keys, BC, EXTENSION("551d13", "30{0101ff020101}"), " bc-critical"},
	    {keys, BC, "", " bc-missing"},
	    {free_path, BC, CA_BC(""), ""},
	    {free_path, BC, CA_BC("020100"), " bc-path"},
	    {keys, KU, CRITICAL_EXTENSION("551d0f", "03{0204}"), ""},
	    {keys, KU, CRITICAL_EXTENSION("551d0f", "03{0102}"), " ku-ca"},
	    {keys, KU, EXTENSION("551d0f", "03{0106}"), " ku-critical"},
	    {keys, KU, "", " ku-missing"},
	    {keys, SKI, "", " ski-missing"},
	    {keys, SUBJECT, "30{}", " subject-empty subject-ca subject-profile"},
	    {keys, SAN, CRITICAL_EXTENSION("551d11", "30{82{'a.example'}}"), " san-critical"},
	    {purposes, EKU, EXTENSION("551d25", "30{06{2b06010505070301}06{551d2500}}"), ""},
	    {purposes, EKU, "", " eku-missing"},
	    {named, MORE, constraints, ""},
	    {named, MORE, "", " fixed-missing"},
	    {keys, MORE, constraints, " extension-profile"},
	    {soft, MORE, lax, " extension-critical"},
	    {named, MORE, lax, " extension-critical fixed-critical"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct test_profile made;
		test_profile_make(rows[i].keys, &made);
		assert_rules(rows[i].rules, made.profile, with_ca(rows[i].part, rows[i].notation));
		test_profile_clear(&made);
		maker_clear(NULL);
	}
}

/* A device's certificate is none of a CA's profile, and a CA's none of a device's. */
static void test_other_kind(void **state)
{
	struct test_profile device, ca;

	(void)state;
	test_profile_make("", &device);
	test_profile_make("ca = true; path_length = \"1\"; extended_key_usage = [ ];\n"
			  "key_usage = [ \"keyCertSign\", \"cRLSign\" ];",
	    &ca);
	assert_rules(
	    " bc-ca bc-path ku-ca ku-profile eku-missing", device.profile, with_ca(IDS, ""));
	assert_rules(" bc-ca bc-path ku-ca ku-profile eku-profile", ca.profile, with(IDS, ""));
	test_profile_clear(&device);
	test_profile_clear(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_subjects),
	    TEST(test_sans),
	    TEST(test_extensions),
	    TEST(test_cas),
	    TEST(test_other_kind),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
