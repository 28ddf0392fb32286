/*
 * Names of a profile: fixed parts, patterns, names from the identity; which requests they let
 * through, what is issued, and what est.conf may not say of them.
 */
#include "profile_test.h"
#include "refusal_test.h"

#include "common/pki/der.h"

#define IDENTITY "pump-7"

/* The names that the request gets under the profile, as text; or its refusal. */
static enum outcome issue(const struct profile *profile, const char *subject, const char *san,
    const char *identity, struct buf *text)
{
	const char *const extensions[] = {"subjectAltName", san, NULL};
	struct profile_names names = {.memory = {0}};
	struct csr csr;
	enum outcome outcome;

	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256", subject, san == NULL ? NULL : extensions),
			CSR_KEY_PROVEN, &csr));
	outcome = profile_check(profile, &csr, true);
	if (outcome == EST_OK)
		outcome = profile_names(profile, &csr, span_of(identity), &names);
	if (outcome == EST_OK) {
		name_text(&names.name, text);
		buf_add_byte(text, ' ');
		sans_text(&names.sans, text);
		profile_names_clear(&names);
	}
	csr_clear(&csr);
	return outcome;
}

struct row {
	const char *keys, *subject, *san;
	const char *wanted; /* "CN=pump,O=Acme dns:a.example"; or NULL: */
	enum refusal refusal;
};

static void assert_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct test_profile made;
		struct buf text = {0};
		enum outcome outcome;
		test_profile_make(rows[i].keys, &made);
		outcome = issue(made.profile, rows[i].subject, rows[i].san, IDENTITY, &text);
		if (rows[i].wanted != NULL) {
			assert_outcome(EST_OK, outcome);
			assert_string_equal(buf_string(&text), rows[i].wanted);
		} else {
			assert_true(refusal_is(rows[i].refusal, outcome, rows[i].subject));
		}
		buf_free(&text);
		test_profile_clear(&made);
		maker_clear(NULL);
	}
}

/* name_text() is RFC 4514's: the last RDN comes first. */
static void test_fixed(void **state)
{
	static const char one[] = "subject_fixed = [ \"O=Pump Works\" ];",
			  narrow[] = "subject = [ \"CN\" ]; subject_fixed = [ \"O=Pump Works\" ];",
			  two[] = "subject_fixed = [ \"C=DE\", \"OU=a\", \"OU=b\" ];",
			  only[] = "subject = [ ]; subject_fixed = [ \"O=Pump Works\" ];";
	static const struct row rows[] = {
	    {one, "CN=pump", NULL, "CN=pump,O=Pump Works ", 0},
	    {one, "O=Pump Works,CN=pump", NULL, "CN=pump,O=Pump Works ", 0},
	    {one, "CN=pump,O=Pump Works", NULL, "O=Pump Works,CN=pump ", 0}, /* as it came */
	    {one, "CN=pump,O=Pump Works,OU=x", NULL, "OU=x,O=Pump Works,CN=pump ", 0},
	    {one, "CN=pump,O=Pump", NULL, NULL, NAME_PATTERN},
	    {one, "CN=pump,O=pump works", NULL, NULL, NAME_PATTERN},
	    {narrow, "CN=pump", NULL, "CN=pump,O=Pump Works ", 0},
	    {narrow, "CN=pump,O=Pump Works", NULL, "O=Pump Works,CN=pump ", 0},
	    {narrow, "CN=pump,O=Acme", NULL, NULL, NAME_PATTERN},
	    {narrow, "CN=pump,OU=Acme", NULL, NULL, CSR_NAME_ATTRIBUTE},
	    {two, "CN=pump", NULL, "CN=pump,OU=b,OU=a,C=DE ", 0},
	    {two, "CN=pump,OU=b", NULL, "OU=b,CN=pump,OU=a,C=DE ", 0},
	    {two, "CN=pump,OU=c", NULL, NULL, NAME_PATTERN},
	    {two, "C=FR,CN=pump", NULL, NULL, NAME_PATTERN},
	    /* an empty subject is none where something is fixed */
	    {only, "", "DNS:a.example", "O=Pump Works dns:a.example", 0},
	    {"", "", "DNS:a.example", NULL, CSR_NAME_EMPTY},
	    {"subject_fixed = [ \"O=Pump Works\" ]; required = [ \"O\" ];", "CN=pump", NULL,
		"CN=pump,O=Pump Works ", 0},
	    {"required = [ \"O\" ];", "CN=pump", NULL, NULL, CSR_NAME_MISSING},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void test_fixed_sans(void **state)
{
	static const char one[] = "san_fixed = [ \"uri:urn:plant:7\" ];",
			  all[] = "san_fixed = [ \"dns:a.example\", \"ip:192.0.2.1\", "
				  "\"ip:2001:db8::1\", \"email:a@b.example\" ];";
	static const struct row rows[] = {
	    {one, "CN=pump", NULL, "CN=pump uri:urn:plant:7", 0},
	    {one, "CN=pump", "DNS:a.example", "CN=pump dns:a.example,uri:urn:plant:7", 0},
	    {one, "CN=pump", "URI:urn:plant:7,DNS:a.example",
		"CN=pump uri:urn:plant:7,dns:a.example", 0},
	    {one, "CN=pump", "URI:urn:plant:8", NULL, CSR_SAN_TYPE},
	    {all, "CN=pump", "DNS:A.example",
		"CN=pump dns:A.example,ip:192.0.2.1,ip:2001:db8::1,email:a@b.example", 0},
	    {"san_fixed = [ \"dns:a.example\" ]; required = [ \"dns\" ];\n"
	     "extended_key_usage = [ \"serverAuth\" ];",
		"CN=pump", NULL, "CN=pump dns:a.example", 0},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* Several patterns of a type: any suffices; a type without one is free. */
static void test_patterns(void **state)
{
	static const char names[] = "subject_patterns = [ \"CN=pump-*.example\", \"CN=valve-*\" ];",
			  sans[] = "subject_alt_names = [ \"dns\", \"ip\", \"email\", \"uri\" ];\n"
				   "san_patterns = [ \"dns:*.example\", \"ip:192.0.2.0/24\", "
				   "\"ip:2001:db8::/32\", \"email:*@x.example\", "
				   "\"uri:urn:dev:*\" ];";
	static const struct row rows[] = {
	    {names, "CN=pump-7.example", NULL, "CN=pump-7.example ", 0},
	    {names, "CN=PUMP-7.example", NULL, "CN=PUMP-7.example ", 0},
	    {names, "CN=valve-7,O=anything", NULL, "O=anything,CN=valve-7 ", 0},
	    {names, "CN=valve-7.example", NULL, NULL, NAME_PATTERN},
	    {names, "CN=pump-7.a.example", NULL, NULL, NAME_PATTERN},
	    {names, "CN=pump-7.example.evil", NULL, NULL, NAME_PATTERN},
	    {names, "CN=tank", "DNS:pump-7.example", NULL, NAME_PATTERN},
	    {names, "O=anything", "DNS:any.org", "O=anything dns:any.org", 0},
	    {sans, "CN=any", "DNS:a.example", "CN=any dns:a.example", 0},
	    {sans, "CN=any", "DNS:a.b.example", NULL, NAME_PATTERN},
	    {sans, "CN=any", "DNS:a.example,DNS:a.org", NULL, NAME_PATTERN},
	    {sans, "CN=any", "IP:192.0.2.255", "CN=any ip:192.0.2.255", 0},
	    {sans, "CN=any", "IP:192.0.3.0", NULL, NAME_PATTERN},
	    {sans, "CN=any", "IP:2001:db8:ffff::1", "CN=any ip:2001:db8:ffff::1", 0},
	    {sans, "CN=any", "IP:2001:db9::1", NULL, NAME_PATTERN},
	    {sans, "CN=any", "email:a@x.example", "CN=any email:a@x.example", 0},
	    {sans, "CN=any", "email:a@y.example", NULL, NAME_PATTERN},
	    {sans, "CN=any", "URI:urn:dev:7", "CN=any uri:urn:dev:7", 0},
	    {sans, "CN=any", "URI:urn:dev:7:8", NULL, NAME_PATTERN},
	    {sans, "CN=any", NULL, "CN=any ", 0},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* The identity is the common name; who asks for another is refused, and who asks for none gets it.
 */
static void test_identity(void **state)
{
	static const char plain[] = "subject_from = \"identity\";",
			  ruled[] = "subject_from = \"identity\"; required = [ \"CN\" ];\n"
				    "subject_patterns = [ \"CN=pump-*\" ];",
			  other[] = "subject_from = \"identity\";\n"
				    "subject_patterns = [ \"CN=valve-*\" ];";
	static const struct row rows[] = {
	    {plain, "O=Acme", NULL, "CN=pump-7,O=Acme ", 0},
	    {plain, "CN=pump-7,O=Acme", NULL, "O=Acme,CN=pump-7 ", 0},
	    {plain, "CN=pump-8", NULL, NULL, NAME_NOT_ALLOWED},
	    {plain, "CN=Pump-7", NULL, NULL, NAME_NOT_ALLOWED},
	    {plain, "", "DNS:a.example", "CN=pump-7 dns:a.example", 0},
	    {ruled, "O=Acme", NULL, "CN=pump-7,O=Acme ", 0},
	    {other, "O=Acme", NULL, NULL, NAME_PATTERN},
	    {other, "CN=pump-7", NULL, NULL, NAME_PATTERN},
	    {other, "CN=valve-7", NULL, NULL, NAME_NOT_ALLOWED},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* An identity that no name may hold never gets into one. */
static void test_strange_identities(void **state)
{
	static const struct {
		const char *identity;
		enum refusal strict, permissive;
	} rows[] = {
	    {"pump:7@plant", REFUSAL_NONE, REFUSAL_NONE},
	    {"", CSR_NAME_EMPTY, CSR_NAME_EMPTY},
	    {" ", CSR_NAME_EMPTY, CSR_NAME_EMPTY},
	    {"<b>", CSR_NAME_CHARACTER, REFUSAL_NONE},
	    {"a\nb", CSR_NAME_CONTROL, CSR_NAME_CONTROL},
	    {"a\xff", CSR_NAME_ENCODING, CSR_NAME_ENCODING},
	    {"0123456789012345678901234567890123456789012345678901234567890123", REFUSAL_NONE,
		REFUSAL_NONE},
	    {"01234567890123456789012345678901234567890123456789012345678901234", CSR_NAME_LENGTH,
		CSR_NAME_LENGTH},
	};
	struct test_profile strict, permissive;

	(void)state;
	test_profile_make("subject_from = \"identity\";", &strict);
	test_profile_make("subject_from = \"identity\"; names = \"permissive\";", &permissive);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf text = {0};
		assert_true(refusal_is(rows[i].strict,
		    issue(strict.profile, "O=Acme", NULL, rows[i].identity, &text),
		    rows[i].identity));
		assert_true(refusal_is(rows[i].permissive,
		    issue(permissive.profile, "O=Acme", NULL, rows[i].identity, &text),
		    rows[i].identity));
		buf_free(&text);
	}
	test_profile_clear(&strict);
	test_profile_clear(&permissive);
}

/* Without a SubjectAltName the common name becomes one, of the kind that it looks like. */
static void test_san_from_cn(void **state)
{
	static const char plain[] = "san_from = \"cn\";",
			  all[] = "san_from = \"cn\";\n"
				  "subject_alt_names = [ \"dns\", \"ip\", \"email\", \"uri\" ];",
			  dns[] = "san_from = \"cn\"; subject_alt_names = [ \"dns\" ];\n"
				  "required = [ \"dns\" ];",
			  ruled[] = "san_from = \"cn\"; san_patterns = [ \"dns:pump-*\" ];",
			  server[] = "san_from = \"cn\"; required = [ \"dns\" ];\n"
				     "extended_key_usage = [ \"serverAuth\" ];";
	static const struct row rows[] = {
	    {plain, "CN=pump.example", NULL, "CN=pump.example dns:pump.example", 0},
	    {plain, "CN=pump.example", "DNS:a.example", "CN=pump.example dns:a.example", 0},
	    {plain, "CN=192.0.2.7", NULL, "CN=192.0.2.7 ip:192.0.2.7", 0},
	    {plain, "CN=2001:db8::7", NULL, "CN=2001:db8::7 ip:2001:db8::7", 0},
	    {plain, "CN=pump 7", NULL, NULL, CSR_SAN_NAME},
	    {plain, "CN=a@b.example", NULL, NULL, CSR_SAN_NAME},
	    {plain, "O=Acme", NULL, "O=Acme ", 0},
	    {all, "CN=a@b.example", NULL, "CN=a@b.example email:a@b.example", 0},
	    {all, "CN=urn:dev:7", NULL, "CN=urn:dev:7 uri:urn:dev:7", 0},
	    {dns, "CN=192.0.2.7", NULL, NULL, CSR_SAN_NAME},
	    {dns, "O=Acme", NULL, NULL, CSR_NAME_MISSING},
	    {ruled, "CN=pump-7", NULL, "CN=pump-7 dns:pump-7", 0},
	    {ruled, "CN=valve-7", NULL, NULL, NAME_PATTERN},
	    {server, "CN=pump.example", NULL, "CN=pump.example dns:pump.example", 0},
	    {server, "CN=192.0.2.7", NULL, NULL, CSR_NAME_MISSING},
	    {"san_from = \"cn\"; san_fixed = [ \"uri:urn:plant:7\" ];", "CN=pump", NULL,
		"CN=pump dns:pump,uri:urn:plant:7", 0},
	    {"san_from = \"cn\"; subject_from = \"identity\";", "O=Acme", NULL,
		"CN=pump-7,O=Acme dns:pump-7", 0},
	    {"san_from = \"cn\"; subject_from = \"identity\"; required = [ \"dns\" ];\n"
	     "extended_key_usage = [ \"serverAuth\" ];",
		"O=Acme", NULL, "CN=pump-7,O=Acme dns:pump-7", 0},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* Who asks for what was issued gets that again: a renewal changes no name. */
static void test_again(void **state)
{
	static const struct row rows[] = {
	    {"subject_fixed = [ \"C=DE\", \"O=Acme\" ]; san_fixed = [ \"dns:x.example\" ];\n"
	     "subject_from = \"identity\"; san_from = \"cn\";",
		"C=DE,O=Acme,OU=x,CN=pump-7", "DNS:pump-7,DNS:x.example",
		"CN=pump-7,OU=x,O=Acme,C=DE dns:pump-7,dns:x.example", 0},
	    {"subject_fixed = [ \"C=DE\", \"O=Acme\" ]; san_fixed = [ \"dns:x.example\" ];\n"
	     "subject_from = \"identity\"; san_from = \"cn\";",
		"OU=x", NULL, "CN=pump-7,OU=x,O=Acme,C=DE dns:pump-7,dns:x.example", 0},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* What the profile adds must have room. */
static void test_room(void **state)
{
	struct test_profile made;
	struct buf text = {0}, subject = {0}, names = {0};

	(void)state;
	test_profile_make(
	    "subject_fixed = [ \"O=Acme\" ]; san_fixed = [ \"dns:x.example\" ];", &made);
	buf_add_string(&subject, "CN=pump");
	for (int i = 1; i < NAME_RDNS_MAX; i++)
		buf_printf(&subject, ",OU=%d", i);
	assert_refusal(
	    CSR_NAME_DER, issue(made.profile, buf_string(&subject), NULL, IDENTITY, &text));
	for (int i = 0; i < SANS_MAX; i++)
		buf_printf(&names, "%sDNS:a%d.example", i == 0 ? "" : ",", i);
	assert_refusal(
	    CSR_SAN_COUNT, issue(made.profile, "CN=pump", buf_string(&names), IDENTITY, &text));
	test_profile_clear(&made);
	buf_free(&text);
	buf_free(&subject);
	buf_free(&names);
}

static void test_plain(void **state)
{
	static const struct {
		const char *keys;
		bool plain;
	} rows[] = {
	    {"", true},
	    {"subject_patterns = [ \"CN=pump-*\" ]; policies = [ \"1.2.3\" ];", true},
	    {"subject_fixed = [ \"O=Acme\" ];", false},
	    {"san_fixed = [ \"dns:x.example\" ];", false},
	    {"subject_from = \"identity\";", false},
	    {"san_from = \"cn\";", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct test_profile made;
		test_profile_make(rows[i].keys, &made);
		assert_int_equal(profile_plain(made.profile), rows[i].plain);
		test_profile_clear(&made);
	}
}

static enum outcome check_names(const struct profile *profile, const char *subject, const char *dns)
{
	struct sans sans = {.count = dns == NULL ? 0 : 1};
	struct name name;
	enum outcome outcome;

	sans.san[0] = (struct san){SAN_DNS, dns == NULL ? (struct span){NULL, 0} : span_of(dns)};
	assert_outcome(EST_OK, name_parse(maker_name(subject), &name));
	outcome = profile_check_names(profile, &name, &sans);
	name_clear(&name);
	return outcome;
}

/* RFC 6402 2.8: other names for a renewal, by the same rules. */
static void test_check_names(void **state)
{
	struct test_profile made, server, san, identity;

	(void)state;
	test_profile_make(
	    "subject = [ \"CN\" ]; subject_alt_names = [ \"dns\" ];\n"
	    "subject_patterns = [ \"CN=pump-*\" ]; san_patterns = [ \"dns:*.example\" ];\n"
	    "subject_fixed = [ \"O=Acme\" ]; required = [ \"CN\" ];",
	    &made);
	test_profile_make("extended_key_usage = [ \"serverAuth\" ]; san_from = \"cn\";", &server);
	test_profile_make("san_fixed = [ \"dns:a.example\" ];", &san);
	test_profile_make("subject_from = \"identity\";", &identity);
	assert_outcome(EST_OK, check_names(made.profile, "CN=pump-8,O=Acme", NULL));
	assert_refusal(NAME_PATTERN, check_names(made.profile, "CN=pump-8", NULL));
	assert_outcome(EST_OK, check_names(made.profile, "O=Acme,CN=pump-8", "a.example"));
	assert_refusal(NAME_PATTERN, check_names(made.profile, "CN=tank", NULL));
	assert_refusal(NAME_PATTERN, check_names(made.profile, "CN=pump-8,O=Evil", NULL));
	assert_refusal(NAME_PATTERN, check_names(made.profile, "CN=pump-8", "a.org"));
	assert_refusal(CSR_NAME_ATTRIBUTE, check_names(made.profile, "CN=pump-8,OU=x", NULL));
	assert_refusal(CSR_NAME_MISSING, check_names(made.profile, "O=Acme", "a.example"));
	assert_refusal(CSR_NAME_CHARACTER, check_names(made.profile, "CN=pump-<8>", NULL));
	assert_refusal(CSR_NAME_MISSING, check_names(server.profile, "CN=pump-8", NULL));
	assert_outcome(EST_OK, check_names(server.profile, "CN=pump-8", "a.example"));
	assert_refusal(NAME_PATTERN, check_names(san.profile, "CN=pump-8", "b.example"));
	assert_outcome(EST_OK, check_names(san.profile, "CN=pump-8", "A.example"));
	assert_refusal(NAME_NOT_ALLOWED, check_names(identity.profile, "CN=pump-7", NULL));
	test_profile_clear(&made);
	test_profile_clear(&server);
	test_profile_clear(&san);
	test_profile_clear(&identity);
}

/* An older spelling is kept only where the profile would let it be asked for. */
static void test_takes_name(void **state)
{
	static const struct {
		const char *subject;
		bool taken;
	} rows[] = {{"O=Acme,CN=pump-7", true}, {"O=Acme,CN=PUMP-7", true},
	    {"O=ACME,CN=pump-7", false}, {"O=Acme,CN=tank", false}, {"O=Acme,CN=pump-7>", false}};
	struct test_profile made;

	(void)state;
	test_profile_make(
	    "subject_patterns = [ \"CN=pump-*\" ]; subject_fixed = [ \"O=Acme\" ];", &made);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct name name;
		assert_outcome(EST_OK, name_parse(maker_name(rows[i].subject), &name));
		assert_int_equal(profile_takes_name(made.profile, &name), rows[i].taken);
		assert_string_equal(reason_text(), "");
		name_clear(&name);
	}
	test_profile_clear(&made);
}

/* What contradicts itself or is none of the forms: refused with file and line. */
static void test_contradictions(void **state)
{
	static const char *const wrong[] = {
	    "subject_fixed = [ \"Acme\" ];",
	    "subject_fixed = [ \"X=Acme\" ];",
	    "subject_fixed = [ \"=Acme\" ];",
	    "subject_fixed = [ \"O=\" ];",
	    "subject_fixed = [ \"O= \" ];",
	    "subject_fixed = [ \"O=<b>\" ];",
	    "subject_fixed = [ \"C=Germany\" ];",
	    "subject_fixed = [ \"serialNumber=a_b\" ];",
	    "subject_fixed = [ \"O=a\", \"O=a\" ];",
	    "subject_fixed = [ \"CN=a\", \"CN=b\" ];",
	    "subject_fixed = [ \"O=a\" ]; subject_patterns = [ \"O=b*\" ];",
	    "subject_fixed = [ \"CN=a\" ]; subject_from = \"identity\";",
	    "subject = [ \"O\" ]; subject_from = \"identity\";",
	    "subject = [ \"O\" ]; san_from = \"cn\";",
	    "subject_alt_names = [ ]; san_from = \"cn\";",
	    "subject_patterns = [ \"pump-*\" ];",
	    "subject_patterns = [ \"CN=\" ];",
	    "subject_patterns = [ \"commonName=*\" ];",
	    "subject = [ \"CN\" ]; subject_patterns = [ \"O=*\" ];",
	    "san_fixed = [ \"a.example\" ];",
	    "san_fixed = [ \"dns:\" ];",
	    "san_fixed = [ \"dns:*.example\" ];",
	    "san_fixed = [ \"dns:a.example\", \"dns:A.example\" ];",
	    "san_fixed = [ \"ip:192.0.2.0/24\" ];",
	    "san_fixed = [ \"ip:*\" ];",
	    "san_fixed = [ \"ip:192.0.2\" ];",
	    "san_fixed = [ \"email:nobody\" ];",
	    "san_fixed = [ \"uri:nothing\" ];",
	    "san_fixed = [ \"dns:a.example\" ]; san_patterns = [ \"dns:*.org\" ];",
	    "san_patterns = [ \"*.example\" ];",
	    "san_patterns = [ \"dns:\" ];",
	    "san_patterns = [ \"host:*\" ];",
	    "san_patterns = [ \"uri:urn:*\" ];",
	    "san_patterns = [ \"ip:192.0.2.*\" ];",
	    "san_patterns = [ \"ip:192.0.2.7/24\" ];",
	    "san_patterns = [ \"ip:192.0.2.0/33\" ];",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct test_profile made;
		enum outcome outcome = test_profile_try(wrong[i], &made);
		if (outcome == EST_OK || strstr(reason_text(), "est.conf:3: ") == NULL)
			fail_msg("%s: \"%s\"", wrong[i], reason_text());
		assert_outcome(EST_MALFORMED, outcome);
		test_profile_clear(&made);
	}
}

/* A device reads which value it may ask for, and which of its own was not taken. */
static void test_says(void **state)
{
	struct test_profile made;
	struct buf text = {0};

	(void)state;
	test_profile_make(
	    "subject_fixed = [ \"O=Acme\" ]; subject_patterns = [ \"CN=pump-*\" ];", &made);
	assert_int_equal(issue(made.profile, "CN=pump-7,O=Evil", NULL, "", &text), EST_FORBIDDEN);
	assert_non_null(strstr(reason_text(), "O=Acme"));
	reason_clear();
	assert_int_equal(issue(made.profile, "CN=tank-7", NULL, "", &text), EST_FORBIDDEN);
	assert_non_null(strstr(reason_text(), "CN \"tank-7\""));
	reason_clear();
	test_profile_clear(&made);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_fixed),
	    TEST(test_fixed_sans),
	    TEST(test_patterns),
	    TEST(test_identity),
	    TEST(test_strange_identities),
	    TEST(test_san_from_cn),
	    TEST(test_again),
	    TEST(test_room),
	    TEST(test_plain),
	    TEST(test_check_names),
	    TEST(test_takes_name),
	    TEST(test_contradictions),
	    TEST(test_says),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
