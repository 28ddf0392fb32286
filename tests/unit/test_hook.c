/*
 * The hook: what it gets says what is asked and by whom, whatever octets a request holds; what it
 * answers counts as est-hook(7) has it, and nothing else lets a request through.
 */
#include "maker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "common/lifecycle/hook.h"
#include "common/pki/key.h"
#include "refusal_test.h"

/* The first writes down what it gets; each answers what its file of that name holds. */
static const char script[] = "#!/bin/sh\n"
			     "cd \"${0%/*}\" && cat >question && cat \"${0##*/}.answer\"\n";

static const char config_text[] =
    "state = \"state\"; log = \"syslog\";\n"
    "ca = ( { name = \"ca\"; certificate = \"ca.pem\"; key = \"ca.key\"; } );\n"
    "profile = ( { name = \"device\"; keys = [ \"P-384\", \"P-256\" ]; } );\n"
    "label = ( { name = \"\"; ca = \"ca\"; profile = \"device\"; },\n"
    "  { name = \"one\"; ca = \"ca\"; profile = \"device\"; hook = \"one\";\n"
    "    approval_retry = \"7m\"; },\n"
    "  { name = \"none\"; ca = \"ca\"; profile = \"device\"; },\n"
    "  { name = \"two\"; ca = \"ca\"; profile = \"device\"; hook = \"two\";\n"
    "    generated_key = \"P-256\"; },\n"
    "  { name = \"late\"; ca = \"ca\"; profile = \"device\"; hook = \"late\";\n"
    "    hook_timeout = \"1s\"; } );\n";

enum { NO_HOOK, ONE, NONE, TWO, LATE, LABELS };

static struct {
	struct service service;
	struct profile profile;
	struct label labels[LABELS];
	struct identity identity;
	struct enrollment enrollment;
} world;

static const char *program(const char *name, const char *text)
{
	const char *path = maker_file(name, text);

	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

static void will_answer(const char *text)
{
	(void)maker_file("one.answer", text);
}

static int make_world(void **state)
{
	static char asker[] = "user:factory";
	struct span csr = maker_csr("P-256", "CN=pump-1", NULL);
	struct enrollment *enrollment = &world.enrollment;

	(void)state;
	memset(&world, 0, sizeof(world));
	(void)program("one", script);
	(void)program("two", script);
	(void)program("late", "#!/bin/sh\nexec sleep 60\n");
	(void)maker_file("two.answer", "{\"decision\": \"deny\", \"reason\": \"two says no\"}");
	assert_outcome(
	    EST_OK, config_load(maker_file("est.conf", config_text), &world.service.config));
	assert_outcome(EST_OK, hook_prepare(world.service.config, &world.service.helper));
	world.profile.config = &world.service.config->profiles[0];
	for (size_t i = 0; i < LABELS; i++)
		world.labels[i] = (struct label){
		    .config = &world.service.config->labels[i], .profile = &world.profile};
	world.identity = (struct identity){.proven = PROOF_PASSWORD, .text = asker};
	*enrollment = (struct enrollment){.label = &world.labels[ONE],
	    .identity = &world.identity,
	    .address = "192.0.2.7",
	    .act = ACT_ENROLL};
	assert_outcome(EST_OK, csr_parse(csr, CSR_KEY_PROVEN, &enrollment->csr));
	enrollment->record.label = "one";
	enrollment->record.profile = "device";
	enrollment->record.operation = "simpleenroll";
	enrollment->record.identity = asker;
	enrollment->record.name = "pump-1";
	enrollment->record.subject = "CN=pump-1";
	enrollment->record.names = "dns:pump-1.example,uri:urn:a%2Cb";
	key_sha256(enrollment->csr.spki, enrollment->record.spki);
	return 0;
}

static int end_world(void **state)
{
	helper_stop(world.service.helper);
	config_free(world.service.config);
	csr_clear(&world.enrollment.csr);
	return maker_clear(state);
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

static enum outcome ask(void)
{
	reason_clear();
	world.enrollment.retry_after = 0;
	return hook_ask(&world.service, &world.enrollment);
}

/* --- what it gets --- */

/* Asks, and gives what the program got. */
static json_t *question(void)
{
	char path[512], *line = NULL;
	size_t room = 0;
	json_t *object;
	FILE *file;

	will_answer("{\"decision\": \"allow\"}");
	assert_outcome(EST_OK, ask());
	(void)snprintf(path, sizeof(path), "%s/question", maker_directory());
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(getline(&line, &room, file) > 0);
	assert_int_equal(fgetc(file), EOF); /* one line */
	(void)fclose(file);
	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	assert_non_null(object);
	return object;
}

/* The object has exactly what is in `wanted`. */
static void assert_asks(const char *wanted)
{
	json_t *expected = json_loads(wanted, 0, NULL), *got = question();

	assert_non_null(expected);
	if (!json_equal(expected, got)) {
		char *text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);
		print_error("got  %s\n", text);
		free(text);
		text = json_dumps(expected, JSON_COMPACT | JSON_SORT_KEYS);
		print_error("want %s\n", text);
		free(text);
		fail();
	}
	json_decref(expected);
	json_decref(got);
}

static const char *hex_of(struct span data)
{
	static char text[2][65];
	static unsigned next;
	unsigned char digest[32];
	char *into = text[next++ % 2];

	key_sha256(data, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(into + 2 * i, 3, "%02x", digest[i]);
	return into;
}

/* A format. */
#define WHO                                                                                        \
	"\"version\": 1, \"label\": \"one\", \"profile\": \"device\", \"device\": \"pump-1\", "    \
	"\"subject\": \"CN=pump-1\", \"names\": [\"dns:pump-1.example\", \"uri:urn:a%%2Cb\"], "    \
	"\"identity\": \"user:factory\", \"address\": \"192.0.2.7\", "

static void test_question(void **state)
{
	struct buf wanted = {0};

	(void)state;
	buf_printf(&wanted,
	    "{" WHO "\"operation\": \"simpleenroll\", \"proven\": [\"basic\"], "
	    "\"key_type\": \"P-256\", \"spki_sha256\": \"%s\", \"csr_sha256\": \"%s\"}",
	    hex_of(world.enrollment.csr.spki), hex_of(world.enrollment.csr.der));
	assert_asks(buf_string(&wanted));
	buf_free(&wanted);
}

static void test_question_more(void **state)
{
	struct buf wanted = {0};

	(void)state;
	world.enrollment.cmc = true;
	world.enrollment.linking.linked = true;
	world.identity.is_ra = true;
	world.enrollment.csr.der = (struct span){NULL, 0}; /* no PKCS#10 */
	world.identity.proven = PROOF_CERTIFICATE | PROOF_EXTERNAL | PROOF_SECRET | PROOF_SRP;
	buf_printf(&wanted,
	    "{" WHO "\"operation\": \"simpleenroll\", "
	    "\"proven\": [\"secret\", \"certificate\", \"srp\", \"external\"], "
	    "\"key_type\": \"P-256\", \"spki_sha256\": \"%s\", "
	    "\"cmc\": true, \"linked\": true, \"ra\": true}",
	    hex_of(world.enrollment.csr.spki));
	assert_asks(buf_string(&wanted));
	buf_free(&wanted);
}

/* Of a key that is made here nobody knows more than its kind yet. */
static void test_question_generate(void **state)
{
	struct buf wanted = {0};

	(void)state;
	world.enrollment.act = ACT_GENERATE;
	world.enrollment.record.operation = "serverkeygen";
	world.enrollment.csr.key.kind = NULL;
	world.enrollment.address = NULL;
	world.enrollment.record.names = "";
	buf_printf(&wanted,
	    "{\"version\": 1, \"label\": \"one\", \"profile\": \"device\", \"device\": \"pump-1\", "
	    "\"subject\": \"CN=pump-1\", \"names\": [], \"identity\": \"user:factory\", "
	    "\"operation\": \"serverkeygen\", \"proven\": [\"basic\"], "
	    "\"key_type\": \"P-384\", \"csr_sha256\": \"%s\"}",
	    hex_of(world.enrollment.csr.der));
	assert_asks(buf_string(&wanted));
	buf_free(&wanted);
}

static void test_question_hostile(void **state)
{
	static char asker[] = "user:\xff\"},\"identity\":\"user:root";
	json_t *got;

	(void)state;
	world.identity.text = asker;
	world.enrollment.record.identity = asker;
	world.enrollment.record.name = "a\"b\\c\n$(touch /tmp/x)`id`;'\x7f\xc0\x80\xe2\x80\xae";
	world.enrollment.record.names = "dns:\xfe,uri:x\",\"y";
	got = question();
	assert_string_equal(json_string_value(json_object_get(got, "identity")),
	    "user:\xef\xbf\xbd\"},\"identity\":\"user:root");
	assert_string_equal(json_string_value(json_object_get(got, "device")),
	    "a\"b\\c\n$(touch /tmp/x)`id`;'\x7f\xef\xbf\xbd\xef\xbf\xbd\xe2\x80\xae");
	assert_int_equal(json_array_size(json_object_get(got, "names")), 3);
	assert_string_equal(json_string_value(json_array_get(json_object_get(got, "names"), 0)),
	    "dns:\xef\xbf\xbd");
	json_decref(got);
}

/* --- what it answers --- */

static const char long_reason[] =
    "{\"decision\": \"deny\", \"reason\": \""
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
    "456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
    "789012345678\u00fc\u00fc\u00fc\"}";

static void test_answers(void **state)
{
	static const struct {
		const char *answer;
		enum refusal refusal;
		unsigned retry_after;
		const char *text; /* how its reason ends */
	} rows[] = {
	    {"{\"decision\":\"allow\"}", REFUSAL_NONE, 0, ""},
	    {" {\"decision\" : \"allow\", \"reason\": \"x\", \"retry_after\": 5,\n"
	     "\"more\": [{}, 1.5, null]}\n\n",
		REFUSAL_NONE, 0, ""},
	    {"{\"decision\":\"allow\", \"reason\": null, \"retry_after\": null}", REFUSAL_NONE, 0,
		""},
	    {"{\"decision\":\"deny\"}", HOOK_DENIED, 0,
		": the operator's rules do not allow this "
		"certificate"},
	    {"{\"decision\":\"deny\",\"reason\":\"\"}", HOOK_DENIED, 0, "allow this certificate"},
	    {"{\"decision\":\"deny\",\"reason\":\" \\n\"}", HOOK_DENIED, 0,
		"allow this certificate"},
	    {"{\"decision\":\"deny\",\"reason\":\"scrapped: <b>%s%n</b>\"}", HOOK_DENIED, 0,
		": scrapped: <b>%s%n</b>"},
	    {"{\"decision\":\"deny\",\"reason\":\"a\\r\\nSet-Cookie: "
	     "b\\u001b[2J\\u202ec\\u200bd\"}",
		HOOK_DENIED, 0, ": a  Set-Cookie: b [2J c d"},
	    {"{\"decision\":\"wait\"}", HOOK_WAITING, 420, "; ask again in 420 seconds"},
	    {"{\"decision\":\"wait\",\"retry_after\":1,\"reason\":\"r\u00fcckfrage\"}",
		HOOK_WAITING, 1, ": r\u00fcckfrage; ask again in 1 seconds"},
	    {"{\"decision\":\"wait\",\"retry_after\":86400}", HOOK_WAITING, 86400,
		"in 86400 seconds"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum outcome outcome;
		size_t len, want = strlen(rows[i].text);
		will_answer(rows[i].answer);
		outcome = ask();
		len = strlen(reason_text());
		if (len < want || strcmp(reason_text() + len - want, rows[i].text) != 0)
			fail_msg("%s: \"%s\"", rows[i].answer, reason_text());
		assert_true(refusal_is(rows[i].refusal, outcome, rows[i].answer));
		assert_int_equal(rows[i].retry_after, world.enrollment.retry_after);
	}
}

/* At most 200 octets, and no half of a character. */
static void test_long_reason(void **state)
{
	const char *text;

	(void)state;
	will_answer(long_reason);
	assert_int_equal(ask(), EST_FORBIDDEN);
	text = strstr(reason_text(), "0123");
	assert_non_null(text);
	assert_int_equal(strlen(text), 199);
	assert_int_equal(text[198], '8');
}

static void test_not_in_form(void **state)
{
	static const char *const answers[] = {
	    "",
	    "\n",
	    "allow",
	    "\"allow\"",
	    "true",
	    "null",
	    "[]",
	    "[{\"decision\":\"allow\"}]",
	    "{}",
	    "{\"decision\":\"allow\"",
	    "{\"decision\":\"allow\"} x",
	    "{\"decision\":\"allow\"}{\"decision\":\"allow\"}",
	    "{\"decision\":\"allow\"}\n{\"decision\":\"deny\"}",
	    "{\"decision\":\"deny\",\"decision\":\"allow\"}",
	    "{\"decision\":\"allow\",\"decision\":\"allow\"}",
	    "{\"decision\":\"Allow\"}",
	    "{\"decision\":\"allow \"}",
	    "{\"decision\":\"allowed\"}",
	    "{\"decision\":\"al\"}",
	    "{\"decision\":\"\"}",
	    "{\"decision\":true}",
	    "{\"decision\":null}",
	    "{\"decision\":[\"allow\"]}",
	    "{\"decision\":\"allow\\u0000x\"}",
	    "{'decision':'allow'}",
	    "{\"Decision\":\"allow\"}",
	    "{decision:\"allow\"}",
	    "{\"decision\":\"deny\",\"reason\":5}",
	    "{\"decision\":\"allow\",\"reason\":{}}",
	    "{\"decision\":\"deny\",\"reason\":\"\xff\"}",
	    "{\"decision\":\"wait\",\"retry_after\":0}",
	    "{\"decision\":\"wait\",\"retry_after\":-1}",
	    "{\"decision\":\"wait\",\"retry_after\":86401}",
	    "{\"decision\":\"wait\",\"retry_after\":1.5}",
	    "{\"decision\":\"wait\",\"retry_after\":\"5\"}",
	    "{\"decision\":\"wait\",\"retry_after\":99999999999999999999}",
	    "\xef\xbb\xbf{\"decision\":\"allow\"}",
	    "<html>allow</html>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		will_answer(answers[i]);
		assert_true(refusal_is(HOOK_FAILED, ask(), answers[i]));
		assert_int_equal(world.enrollment.retry_after, 0);
	}
}

/* As deep as 64 KiB can be. */
static void test_deep(void **state)
{
	char *text = mem_alloc(65001);

	(void)state;
	memset(text, '[', 65000);
	will_answer(text);
	assert_refusal(HOOK_FAILED, ask());
	free(text);
}

static void test_failures(void **state)
{
	struct helper *helper = world.service.helper;

	(void)state;
	/* It wrote an answer, and ended as if something was wrong. */
	(void)program("one", "#!/bin/sh\necho '{\"decision\":\"allow\"}'; exit 1\n");
	assert_int_equal(ask(), EST_UNAVAILABLE);
	assert_non_null(strstr(reason_text(), "ended with status 1"));
	assert_true(refusal_is(HOOK_FAILED, EST_UNAVAILABLE, "exit 1"));
	(void)program("one", "#!/bin/sh\necho '{\"decision\":\"allow\"}'; kill -9 $$\n");
	assert_refusal(HOOK_FAILED, ask());
	assert_int_equal(unlink(maker_file("one", "")), 0);
	assert_refusal(HOOK_FAILED, ask());
	world.enrollment.label = &world.labels[LATE];
	assert_refusal(HOOK_FAILED, ask());
	world.service.helper = NULL;
	assert_refusal(HOOK_FAILED, ask());
	world.service.helper = helper;
}

/* Each label has its own, and some have none. */
static void test_labels(void **state)
{
	static const bool wanted[LABELS] = {
	    [ONE] = true, [TWO] = true, [LATE] = true, [NONE] = false};
	struct helper *helper = NULL;

	(void)state;
	for (size_t i = 0; i < LABELS; i++) {
		world.enrollment.label = &world.labels[i];
		assert_int_equal(wanted[i], hook_wanted(&world.enrollment));
	}
	will_answer("{\"decision\": \"allow\"}");
	world.enrollment.label = &world.labels[ONE];
	assert_refusal(REFUSAL_NONE, ask());
	world.enrollment.label = &world.labels[TWO];
	assert_int_equal(ask(), EST_FORBIDDEN);
	assert_non_null(strstr(reason_text(), "two says no"));
	reason_clear();
	/* Where no label has one, there is nothing to start. */
	world.service.config->label_count = 1;
	assert_outcome(EST_OK, hook_prepare(world.service.config, &helper));
	assert_null(helper);
	world.service.config->label_count = LABELS;
}

/* est.conf may be named relative to where the program runs; hooks run elsewhere. */
static void test_relative(void **state)
{
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	helper_stop(world.service.helper);
	config_free(world.service.config);
	world.service.config = NULL;
	world.service.helper = NULL;
	assert_int_equal(chdir(maker_directory()), 0);
	assert_outcome(EST_OK, config_load("est.conf", &world.service.config));
	assert_outcome(EST_OK, hook_prepare(world.service.config, &world.service.helper));
	assert_int_equal(fchdir(here) | close(here), 0);
	world.labels[ONE].config = &world.service.config->labels[ONE];
	will_answer("{\"decision\": \"allow\"}");
	assert_refusal(REFUSAL_NONE, ask());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_question),
	    WORLD(test_question_more),
	    WORLD(test_question_generate),
	    WORLD(test_question_hostile),
	    WORLD(test_answers),
	    WORLD(test_long_reason),
	    WORLD(test_not_in_form),
	    WORLD(test_deep),
	    WORLD(test_failures),
	    WORLD(test_labels),
	    WORLD(test_relative),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
