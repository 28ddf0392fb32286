/*
 * est.conf: what it may say, what it means where it is silent, and where it is wrong, by file and
 * line.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/config.h"

/* A configuration that is right, with a place for one more line at the top, in each group, and
 * behind them. */
#define WITH(top, ca, profile, label, end)                                                         \
	"state = \"store\";\n" top "\n"                                                            \
	"ca = ( {\n name = \"one\"; certificate = \"ca.pem\"; key = \"/abs/ca.key\";\n" ca         \
	"\n} );\n"                                                                                 \
	"profile = ( {\n name = \"device\";\n" profile "\n} );\n"                                  \
	"label = ( {\n ca = \"one\"; profile = \"device\";\n" label "\n} );\n" end "\n"

#define LABEL(text)   WITH("", "", "", text, "")
#define PROFILE(text) WITH("", "", text, "name = \"\";", "")
#define TOP(text)     WITH(text, "", "", "name = \"\";", "")

static struct config *loads(const char *text)
{
	struct config *config = NULL;

	assert_outcome(EST_OK, config_load(maker_file("est.conf", text), &config));
	assert_non_null(config);
	return config;
}

static int load(void *text)
{
	const char *path = maker_file("est.conf", text);
	struct config *config = NULL;
	enum outcome outcome = config_load(path, &config);
	size_t len = strlen(path);

	config_free(config);
	if (outcome != EST_MALFORMED || config != NULL)
		return 90;
	/* The line, or 91 where the reason does not start with file:line: */
	if (strncmp(reason_text(), path, len) != 0 || reason_text()[len] != ':' ||
	    atoi(reason_text() + len + 1) < 1)
		return 91;
	return atoi(reason_text() + len + 1);
}

static int faults;

/* A configuration that is refused, in finite time, with the line that is wrong. */
static void refuses(const char *text, int line)
{
	union {
		const char *in;
		void *out;
	} argument = {text};
	int got;

	(void)maker_directory();
	got = maker_bounded(load, argument.out, 10);
	if (got == line)
		return;
	print_error("%s for line %d of:\n%s",
	    got == -1   ? "no end, or a crash,"
	    : got == 90 ? "it was accepted, instead of a refusal"
	    : got == 91 ? "a reason that does not start with file:line:, instead of one"
			: "another line is named than that",
	    line, text);
	faults++;
}

/* Every refusal of a test is tried, so that one fault does not hide the next. */
static void assert_no_faults(void)
{
	int found = faults;

	faults = 0;
	assert_int_equal(found, 0);
}

static void test_defaults(void **state)
{
	struct config *config = loads(LABEL("name = \"\";"));
	const struct config_profile *profile = &config->profiles[0];
	const struct config_label *label = &config->labels[0];

	(void)state;
	assert_string_equal(config->log, "syslog");
	assert_string_equal(config->prefix, "/.well-known/est");
	assert_true(config->body_limit == 65536);
	assert_true(config->csr_limit == 16384);
	assert_int_equal(config->blocked_keys.count, 0);
	assert_int_equal(config->server_certificates.count, 0);
	assert_true(config->sandbox);
	assert_true(profile->validity == 90 * 86400);
	assert_true(words_have(&profile->keys, "P-521"));
	assert_false(words_have(&profile->keys, "Ed448"));
	assert_string_equal(profile->names, "strict");
	assert_string_equal(profile->rsa_exponents, "65537");
	assert_int_equal(profile->required.count, 0);
	assert_false(profile->empty_subject);
	assert_int_equal(config->ca_count, 1);
	assert_int_equal(config->profile_count, 1);
	assert_int_equal(config->label_count, 1);
	assert_string_equal(label->name, "");
	assert_ptr_equal(label->ca, &config->cas[0]);
	assert_ptr_equal(label->profile, profile);
	assert_null(config->cas[0].passphrase);
	assert_true(profile->keys.count > 0);
	assert_true(words_have(&profile->extended_key_usage, "clientAuth"));
	assert_true(label->authenticate.count > 0);
	assert_int_equal(label->trust_anchors.count, 0);
	config_free(config);
}

/* Relative paths start where est.conf lies, wherever the process is. */
static void test_paths(void **state)
{
	struct config *config =
	    loads(WITH("log = \"est.log\";", "passphrase = \"credential:ca\";", "",
		"name = \"\"; trust_anchors = [ \"a.pem\", \"/abs/b.pem\" ]; intermediates = "
		"\"c.pem\";",
		""));
	char wanted[200];

	(void)state;
	assert_string_equal(config->directory, maker_directory());
	(void)snprintf(wanted, sizeof(wanted), "%s/store", maker_directory());
	assert_string_equal(config->state, wanted);
	(void)snprintf(wanted, sizeof(wanted), "%s/est.log", maker_directory());
	assert_string_equal(config->log, wanted);
	(void)snprintf(wanted, sizeof(wanted), "%s/ca.pem", maker_directory());
	assert_string_equal(config->cas[0].certificate, wanted);
	assert_string_equal(config->cas[0].key, "/abs/ca.key");
	assert_string_equal(config->cas[0].passphrase, "credential:ca");
	(void)snprintf(wanted, sizeof(wanted), "%s/a.pem", maker_directory());
	assert_string_equal(config->labels[0].trust_anchors.word[0], wanted);
	assert_string_equal(config->labels[0].trust_anchors.word[1], "/abs/b.pem");
	(void)snprintf(wanted, sizeof(wanted), "%s/c.pem", maker_directory());
	assert_string_equal(config->labels[0].intermediates.word[0], wanted);
	config_free(config);
}

static void test_everything(void **state)
{
	struct config *config = loads(
	    "state = \"s\"; log = \"syslog\"; prefix = \"/est\"; realm = \"my devices\"; "
	    "retry_window = \"2h\";\n"
	    "credential_cache = \"0s\"; body_limit = \"1M\"; cache = \"2M\";\n"
	    "ca = ( { name = \"one\"; certificate = \"1\"; key = \"1\"; passphrase = \"p\"; },\n"
	    "       { name = \"two\"; certificate = \"2\"; key = \"2\"; } );\n"
	    "profile = ( { name = \"p\"; validity = \"1y\"; backdate = \"0s\"; keys = [ \"P-256\", "
	    "\"RSA-3072\" ];\n"
	    "  key_usage = ( \"digitalSignature\" ); extended_key_usage = []; subject = \"CN\";\n"
	    "  subject_alt_names = []; key_reuse = false; } );\n"
	    "label = ( { name = \"\"; ca = \"two\"; profile = \"p\"; authenticate = [ \"basic\", "
	    "\"certificate\" ]; },\n"
	    "  { name = \"a-b._~9\"; ca = \"one\"; profile = \"p\"; authenticate = "
	    "\"certificate-and-basic\";\n"
	    "    encodings = [ \"base64\", \"pem\", \"der\" ]; } );\n");

	(void)state;
	assert_string_equal(config->realm, "my devices");
	assert_true(config->retry_window == 7200);
	assert_true(config->credential_cache == 0);
	assert_true(config->body_limit == 1 << 20);
	assert_true(config->cache == 2 << 20);
	assert_int_equal(config->profiles[0].line, 5);
	assert_int_equal(config->profiles[0].keys.count, 2);
	assert_string_equal(config->profiles[0].keys.word[1], "RSA-3072");
	assert_int_equal(config->profiles[0].keys.line, 5);
	assert_int_equal(config->profiles[0].key_usage.line, 6);
	assert_int_equal(config->profiles[0].extended_key_usage.count, 0);
	assert_int_equal(config->profiles[0].subject.count, 1);
	assert_false(config->profiles[0].key_reuse);
	assert_string_equal(config->labels[0].ca->name, "two");
	assert_string_equal(config->labels[1].name, "a-b._~9");
	assert_int_equal(config->labels[1].line, 9);
	assert_int_equal(config->labels[1].encodings.count, 3);
	config_free(config);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {{TOP("body_limit = \"1024\";"), 1024},
	    {TOP("body_limit = \"16M\";"), 16 << 20}, {TOP("body_limit = \"65536\";"), 65536},
	    {TOP("body_limit = \"2000000\";"), 2000000}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *config = loads(cases[i].text);
		assert_true(config->body_limit == cases[i].bytes);
		config_free(config);
	}
}

static void test_top_errors(void **state)
{
	(void)state;
	refuses("", 1);
	refuses("this is no configuration", 1);
	refuses(TOP("no_such_key = \"x\";"), 2);
	refuses(TOP("State = \"x\";"), 2);
	refuses(TOP("state = \"twice\";"), 2);
	refuses(TOP("log = \"\";"), 2);
	refuses(TOP("log = 5;"), 2);
	refuses(TOP("prefix = \"est\";"), 2);
	refuses(TOP("prefix = \"/est/\";"), 2);
	refuses(TOP("prefix = \"\";"), 2);
	refuses(TOP("realm = \"a\\\"b\";"), 2);
	refuses(TOP("realm = \"a\\nb\";"), 2);
	refuses(TOP("retry_window = 60;"), 2);
	refuses(TOP("retry_window = \"60\";"), 2);
	refuses(TOP("retry_window = \"1y\";"), 2);
	refuses(TOP("credential_cache = \"2h\";"), 2);
	refuses(TOP("body_limit = \"17M\";"), 2);
	refuses(TOP("body_limit = \"1023\";"), 2);
	refuses(TOP("body_limit = \"-1\";"), 2);
	refuses(TOP("body_limit = \"64k\";"), 2);
	refuses(TOP("body_limit = \"64KB\";"), 2);
	refuses(TOP("body_limit = \"99999999999999999999\";"), 2);
	refuses(TOP("cache = \"1048576T\";"), 2);
	refuses(TOP("cache = \"\";"), 2);
	refuses(TOP("csr_limit = \"2M\";"), 2);
	refuses(TOP("csr_limit = 16384;"), 2);
	refuses(TOP("blocked_keys = 5;"), 2);
	refuses(TOP("blocked_keys = [ \"\" ];"), 2);
	refuses(TOP("server_certificates = [ 1 ];"), 2);
	refuses(TOP("sandbox = \"false\";"), 2);
	refuses(TOP("\n\n\nstate2 = 1;"), 5);
	assert_no_faults();
}

static void test_group_errors(void **state)
{
	static const char rest[] =
	    "profile = ( { name = \"p\"; } );\nlabel = ( { name = \"\"; ca = \"one\";"
	    " profile = \"p\"; } );\n";
	static const char *const cas[] = {"ca = { name = \"one\"; };", "ca = \"one\";", "ca = 5;",
	    "ca = ();", "ca = [ \"one\" ];", "ca = ( \"one\" );", "ca = ( ( ) );",
	    "ca = ( { name = \"one\"; } );", "ca = ( { name = 1; } );"};
	char text[1000];

	(void)state;
	for (size_t i = 0; i < COUNT(cas); i++) {
		(void)snprintf(text, sizeof(text), "state = \"x\";\n\n%s\n%s", cas[i], rest);
		refuses(text, 3);
	}
	refuses(WITH("", "colour = \"red\";", "", "name = \"\";", ""), 5);
	refuses(WITH("", "name = \"twice\";", "", "name = \"\";", ""), 5);
	refuses(WITH("", "}, { name = \"one\"; certificate = \"2\"; key = \"2\";", "",
		    "name = \"\";", ""),
	    5);
	refuses(WITH("", "", "}, { name = \"device\";", "name = \"\";", ""), 9);
	refuses(WITH("", "}, { name = \"t<o\"; certificate = \"2\"; key = \"2\";", "",
		    "name = \"\";", ""),
	    5);
	refuses(WITH("", "", "", "name = \"\";", "ca = ( );"), 15);
	assert_no_faults();
}

static void test_profile_errors(void **state)
{
	(void)state;
	refuses(PROFILE("validity = \"59s\";"), 9);
	refuses(PROFILE("validity = \"101y\";"), 9);
	refuses(PROFILE("validity = 90;"), 9);
	refuses(PROFILE("backdate = \"31d\";"), 9);
	refuses(PROFILE("key_reuse = \"true\";"), 9);
	refuses(PROFILE("key_reuse = 1;"), 9);
	refuses(PROFILE("keys = 5;"), 9);
	refuses(PROFILE("keys = [ 5 ];"), 9);
	refuses(PROFILE("keys = { a = \"P-256\"; };"), 9);
	refuses(PROFILE("keys = ( \"P-256\", [ \"P-384\" ] );"), 9);
	refuses(PROFILE("keys = [ \"P-256\", \"P-256\" ];"), 9);
	refuses(PROFILE("keys = [];"), 9);
	refuses(PROFILE("subject = true;"), 9);
	refuses(PROFILE("names = \"lax\";"), 9);
	refuses(PROFILE("names = \"strict permissive\";"), 9);
	refuses(PROFILE("rsa_exponents = \"3\";"), 9);
	refuses(PROFILE("rsa_exponents = 65537;"), 9);
	refuses(PROFILE("empty_subject = \"yes\";"), 9);
	refuses(PROFILE("required = [ \"CN\", \"CN\" ];"), 9);
	assert_no_faults();
}

static void test_label_errors(void **state)
{
	static const char *const names[] = {"cacerts", "simpleenroll", "simplereenroll", "fullcmc",
	    "serverkeygen", "csrattrs", "pal", "eecerts", "crls", "symmetrickeys", "firmware",
	    "tamp", "crts", "sen", "sren", "skg", "skc", "att", ".", "..", "a/b", "a b", "a%41",
	    "a?", "\\xc3\\xa9", "\\x01", "<b>"};
	char text[1000];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(text, sizeof(text), LABEL("name = \"%s\";"), names[i]);
		refuses(text, 13);
	}
	(void)snprintf(text, sizeof(text), LABEL("name = \"%0129d\";"), 0);
	refuses(text, 13);
	refuses(LABEL("name = \"\"; authenticate = [];"), 13);
	refuses(LABEL("name = \"\"; authenticate = [ \"\" ];"), 13);
	refuses(LABEL("name = \"\"; authenticate = \"\";"), 13);
	refuses(LABEL("name = \"\"; authenticate = \"Basic\";"), 13);
	refuses(LABEL("name = \"\"; authenticate = \"basi\";"), 13);
	refuses(LABEL("name = \"\"; authenticate = \"asic\";"), 13);
	refuses(LABEL("name = \"\"; authenticate = \"basic certificate\";"), 13);
	refuses(LABEL("name = \"\"; authenticate = [ \"basic\", \"basic\" ];"), 13);
	refuses(LABEL("name = \"\"; encodings = [];"), 13);
	refuses(LABEL("name = \"\"; encodings = \"hex\";"), 13);
	refuses(LABEL("name = \"\"; trust_anchors = \"\";"), 13);
	refuses(LABEL("name = \"\"; trust_anchors = [ \"a.pem\", \"a.pem\" ];"), 13);
	assert_no_faults();
}

/* The line of the label, for what is said of it as a whole. */
static void test_references(void **state)
{
	static const char before[] =
	    "state = \"x\";\nca = ( { name = \"one\"; certificate = \"c\"; key = \"k\"; } );\n"
	    "profile = ( { name = \"p\"; } );\n";
	static const char *const labels[] = {"{ name = \"\"; ca = \"two\"; profile = \"p\"; }",
	    "{ name = \"\"; ca = \"one\"; profile = \"q\"; }", "{ ca = \"one\"; profile = \"p\"; }",
	    "{ name = \"\"; profile = \"p\"; }", "{ name = \"\"; ca = \"one\"; }",
	    "{ name = \"\"; ca = \"ONE\"; profile = \"p\"; }",
	    "{ name = \"\"; ca = \"\"; profile = \"p\"; }"};
	char text[1000];

	(void)state;
	for (size_t i = 0; i < COUNT(labels); i++) {
		(void)snprintf(text, sizeof(text), "%slabel = (\n %s );\n", before, labels[i]);
		refuses(text, 5);
	}
	(void)snprintf(text, sizeof(text),
	    "%slabel = (\n { name = \"a\"; ca = \"one\"; profile = \"p\"; },\n"
	    " { name = \"a\"; ca = \"one\"; profile = \"p\"; } );\n",
	    before);
	refuses(text, 6);
	assert_no_faults();
}

static void test_file(void **state)
{
	struct config *config = NULL;

	(void)state;
	assert_outcome(EST_NOT_FOUND, config_load("/nonexistent/est.conf", &config));
	assert_outcome(EST_UNAVAILABLE, config_load(maker_directory(), &config));
	assert_null(config);
	config_free(NULL);
}

static void test_path_in_use(void **state)
{
	(void)state;
	(void)setenv("EST_CONFIG", "/from/environment", 1);
	assert_string_equal(config_path("/from/argument"), "/from/argument");
	assert_string_equal(config_path(NULL), "/from/environment");
	(void)unsetenv("EST_CONFIG");
	assert_non_null(strstr(config_path(NULL), "est.conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_defaults),
	    TEST(test_paths),
	    TEST(test_everything),
	    TEST(test_sizes),
	    TEST(test_top_errors),
	    TEST(test_group_errors),
	    TEST(test_profile_errors),
	    TEST(test_label_errors),
	    TEST(test_references),
	    TEST(test_file),
	    TEST(test_path_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
