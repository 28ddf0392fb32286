/*
 * Who others have authenticated: the web server (REMOTE_USER), and TLS-SRP. Whose word counts,
 * whose account it is, and what somebody without one may ask for.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "auth_test.h"
#include "refusal_test.h"

#define APACHE "Apache/2.4.62 (Debian)"
#define CIPHER "SRP-RSA-AES-256-CBC-SHA"

static char plant[] = "plant";
static const char *const any_name[] = {"*", NULL}, *const here[] = {"office", "plant", NULL},
			 *const elsewhere[] = {"office", "plan", "PLANT", NULL};

static struct {
	struct user_record users[6];
	size_t user_count;
	enum outcome memory;
	char *pattern[4];
	struct config_label label;
	char asked[300]; /* the record that was asked for last */
	size_t asked_count;
	struct identity identity;
	const char *resumed;
} world;

static enum outcome user(void *context, const char *name, struct user_record *out)
{
	(void)context;
	world.asked_count++;
	(void)snprintf(world.asked, sizeof(world.asked), "%s", name);
	if (world.memory != EST_OK)
		return reason(world.memory, "as the test wants it");
	for (size_t i = 0; i < world.user_count; i++)
		if (strcmp(world.users[i].name, name) == 0) {
			*out = world.users[i];
			return EST_OK;
		}
	return reason(EST_NOT_FOUND, "there is no user \"%s\"", name);
}

static int make_world(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.resumed = "Initial";
	world.label = (struct config_label){.name = plant, .external_names = {world.pattern, 0, 1}};
	return 0;
}

static int end_world(void **state)
{
	identity_clear(&world.identity);
	return maker_clear(state);
}

/* Somebody whom the store knows: everything may be asked for. */
static struct user_record *knows(const char *name)
{
	struct user_record *record = &world.users[world.user_count++];

	*record = user_of(name, "*");
	record->names = any_name;
	return record;
}

/* The label's external_names. */
static void strangers_may(char *a, char *b)
{
	world.pattern[0] = a;
	world.pattern[1] = b;
	world.label.external_names.count = a == NULL ? 0 : b == NULL ? 1 : 2;
}

static struct auth auth_now(void)
{
	return (struct auth){.label = &world.label, .memory = {.user = user}, .now = MAKER_NOW};
}

static enum outcome external(const char *name, const char *type, const char *server)
{
	const struct auth auth = auth_now();
	const struct credentials credentials = {
	    .remote_user = name, .auth_type = type, .server = server};
	enum outcome outcome;

	identity_clear(&world.identity);
	outcome = external_identify(&auth, X, &credentials, &world.identity);
	assert_int_equal(outcome == EST_OK, identity_has(&world.identity, X));
	assert_int_equal(world.identity.proven & ~(unsigned)X, 0);
	return outcome;
}

static enum outcome by_apache(const char *name)
{
	return external(name, "Basic", APACHE);
}

static enum outcome srp(const char *name, const char *cipher, const char *info)
{
	const struct auth auth = auth_now();
	const struct credentials credentials = {
	    .srp_user = name, .srp_info = info, .cipher = cipher, .resumed = world.resumed};
	enum outcome outcome;

	identity_clear(&world.identity);
	outcome = srp_identify(&auth, R, &credentials, &world.identity);
	assert_int_equal(outcome == EST_OK, identity_has(&world.identity, R));
	assert_int_equal(world.identity.proven & ~(unsigned)R, 0);
	return outcome;
}

static enum outcome by_srp(const char *name)
{
	return srp(name, CIPHER, NULL);
}

/* What both ways have in common, by either. */
struct way {
	enum outcome (*come)(const char *name);
	const char *name, *record;
	enum refusal other_label;
	enum proof proof;
	const char *word;
};

/* What who was identified last may ask for. */
static const char *const *patterns_of(const struct way *way)
{
	return way->proof == X ? world.identity.external.names : world.identity.srp.names;
}

/* The whole decision of a label with that word alone: why nobody is let in. */
static void assert_told(const char *word, const char *text)
{
	char copy[16], *list = copy;
	struct config_label label = world.label;
	struct auth auth = auth_now();
	const struct credentials credentials = {.srp_user = "tls",
	    .cipher = CIPHER,
	    .resumed = "Initial",
	    .remote_user = "web",
	    .auth_type = "Basic",
	    .server = APACHE};

	(void)snprintf(copy, sizeof(copy), "%s", word);
	label.authenticate = (struct words){&list, 1, 1};
	auth.label = &label;
	identity_clear(&world.identity);
	assert_int_not_equal(EST_OK, auth_identify(&auth, &credentials, &world.identity));
	assert_int_equal(world.identity.proven, 0);
	if (strstr(reason_text(), text) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", reason_text(), text);
	reason_clear();
}

/* Whether who was identified last may have a certificate for the name. */
static bool may(const char *subject, const char *san)
{
	const char *const extensions[] = {"subjectAltName", san, NULL};
	struct identity *identity = &world.identity;
	struct csr csr;
	enum outcome outcome;

	identity->granted[0] = identity->proven;
	identity->granted_count = 1;
	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256#device", subject, san == NULL ? NULL : extensions),
			CSR_KEY_PROVEN, &csr));
	outcome = auth_allows(identity, &csr.name, &csr.wishes.sans);
	csr_clear(&csr);
	return refusal_is(outcome == EST_OK ? REFUSAL_NONE : NAME_NOT_ALLOWED, outcome, "names") &&
	       outcome == EST_OK;
}

/* --- whose word counts --- */

/* webservers.md: nginx and HAProxy set REMOTE_USER to what the client says. */
static void test_servers(void **state)
{
	static const struct {
		const char *server;
		bool counts;
	} rows[] = {{"Apache", true}, {"Apache/2.4", true}, {"Apache/2.4.62 (Debian)", true},
	    {"Apache (Unix)", true}, {"lighttpd", true}, {"lighttpd/1.4.69", true},
	    {"ApacheX", false}, {"Apache-Coyote/1.1", false}, {"apache/2.4", false},
	    {"lighttpdX/1", false}, {"Lighttpd/1.4", false}, {"nginx/1.22", false},
	    {"nginx", false}, {"HAProxy", false}, {"HAProxy 2.6", false},
	    {"nginx Apache/2.4", false}, {" Apache", false}, {"Apach", false}, {"", false},
	    {NULL, false}};

	(void)state;
	knows("web");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!refusal_is(rows[i].counts ? REFUSAL_NONE : AUTH_EXTERNAL,
			external("web", "Basic", rows[i].server), "server"))
			fail_msg("\"%s\"", rows[i].server == NULL ? "NULL" : rows[i].server);
	/* Nobody is looked up for the word of the others. */
	world.asked_count = 0;
	assert_refusal(AUTH_EXTERNAL, external("web", "Basic", "nginx/1.22"));
	assert_int_equal(world.asked_count, 0);
}

static void test_auth_type(void **state)
{
	static const char *const types[] = {"Basic", "Digest", "Negotiate", "openid-connect"};

	(void)state;
	knows("web");
	for (size_t i = 0; i < COUNT(types); i++)
		assert_refusal(REFUSAL_NONE, external("web", types[i], "lighttpd/1.4.69"));
	assert_refusal(AUTH_EXTERNAL, external("web", NULL, APACHE));
	assert_refusal(AUTH_EXTERNAL, external("web", NULL, "lighttpd/1.4.69"));
	assert_int_equal(external(NULL, "Basic", APACHE), EST_NOT_FOUND);
	assert_int_equal(external(NULL, NULL, NULL), EST_NOT_FOUND);
}

/* A TLS 1.3 connection, or one without SRP, proves nothing by the variable. */
static void test_ciphers(void **state)
{
	static const struct {
		const char *cipher;
		bool counts;
	} rows[] = {{"SRP-AES-256-CBC-SHA", true}, {"SRP-RSA-AES-128-CBC-SHA", true},
	    {"SRP-DSS-3DES-EDE-CBC-SHA", true}, {"TLS_AES_256_GCM_SHA384", false},
	    {"ECDHE-RSA-AES256-GCM-SHA384", false}, {"RSA-SRP-AES", false}, {"SRP", false},
	    {"srp-aes-256-cbc-sha", false}, {" SRP-AES-256-CBC-SHA", false}, {"", false},
	    {NULL, false}};

	(void)state;
	knows("srp:tls");
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum outcome outcome = srp("tls", rows[i].cipher, NULL);
		if (outcome != (rows[i].counts ? EST_OK : EST_NOT_FOUND))
			fail_msg("\"%s\"", rows[i].cipher == NULL ? "NULL" : rows[i].cipher);
		reason_clear();
	}
	assert_int_equal(srp(NULL, CIPHER, "role=enroll"), EST_NOT_FOUND);
}

/* Of a resumed session the name is what the client says, without a password. */
static void test_srp_resumed(void **state)
{
	static const char *const resumed[] = {
	    NULL, "", "Resumed", "initial", "Initial ", "Initially", "0"};

	(void)state;
	knows("srp:tls");
	assert_refusal(REFUSAL_NONE, by_srp("tls"));
	world.asked_count = 0;
	for (size_t i = 0; i < COUNT(resumed); i++) {
		world.resumed = resumed[i];
		assert_refusal(AUTH_SRP, by_srp("tls"));
	}
	assert_int_equal(world.asked_count, 0);
}

static void test_srp_roles(void **state)
{
	static const struct {
		const char *info;
		bool may;
	} rows[] = {{NULL, true}, {"", true}, {"role=enroll", true}, {"shop=7", true},
	    {"role=audit,role=enroll", true}, {"shop=7,role=enroll", true}, {"role=audit", false},
	    {"role=administer", false}, {"role=", false}, {"role=enrollment", false},
	    {"role=enrol", false}, {"shop=7,role=operate", false}, {"role=audit enroll", false}};

	(void)state;
	knows("srp:tls");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!refusal_is(rows[i].may ? REFUSAL_NONE : AUTH_ROLE,
			srp("tls", CIPHER, rows[i].info), "role"))
			fail_msg("\"%s\"", rows[i].info == NULL ? "NULL" : rows[i].info);
}

/* --- whose account it is --- */

static void test_records(void **state)
{
	(void)state;
	knows("web");
	knows("srp:tls");
	assert_refusal(REFUSAL_NONE, by_apache("web"));
	assert_string_equal(world.identity.external.name, "web");
	assert_true(may("CN=anything", "IP:192.0.2.1"));
	assert_refusal(REFUSAL_NONE, by_srp("tls"));
	assert_string_equal(world.identity.srp.name, "srp:tls");
	assert_true(may("CN=anything", "IP:192.0.2.1"));
	/* Neither has the other's. */
	assert_refusal(REFUSAL_NONE, by_apache("tls"));
	assert_false(may("CN=anything", NULL));
	assert_refusal(REFUSAL_NONE, by_srp("web"));
	assert_string_equal(world.asked, "srp:web");
	assert_false(may("CN=anything", NULL));
}

/* Directories know one user in any letter case; a verifier file of TLS-SRP knows each as it is. */
static void test_letter_case(void **state)
{
	static const char *const names[] = {"alice", "ALICE", "Alice"};
	static char own[] = "{user}";

	(void)state;
	knows("alice")->names = NULL;
	knows("srp:tls")->names = NULL;
	strangers_may(own, NULL);
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_refusal(REFUSAL_NONE, by_apache(names[i]));
		assert_string_equal(world.identity.external.name, "alice");
		assert_false(may("CN=alice", NULL));
	}
	assert_refusal(REFUSAL_NONE, by_apache("PUMP"));
	assert_string_equal(world.identity.external.name, "pump");
	assert_true(may("CN=pump", NULL));
	assert_refusal(REFUSAL_NONE, by_srp("TLS"));
	assert_string_equal(world.identity.srp.name, "srp:TLS");
	assert_true(may("CN=tls", NULL));
}

/* A name with a colon is nobody's account: those of SRP and of RAs have one. */
static void test_records_of_other_kinds(void **state)
{
	static const char *const names[] = {"ra:gate", "srp:tls", "ra:", ":", ":web", "web:"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		knows(names[i]);
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_refusal(REFUSAL_NONE, by_apache(names[i]));
		assert_int_equal(world.asked_count, 0);
		assert_false(may("CN=anything", NULL));
	}
	assert_refusal(REFUSAL_NONE, by_srp("ra:gate"));
	assert_string_equal(world.asked, "srp:ra:gate");
	assert_false(may("CN=anything", NULL));
}

static const struct way ways[] = {
    {by_apache, "web", "web", AUTH_EXTERNAL, X, "external"},
    {by_srp, "tls", "srp:tls", AUTH_SRP, R, "srp"},
};

static void test_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct user_record *record = knows(ways[i].record);
		record->labels = elsewhere;
		assert_refusal(ways[i].other_label, ways[i].come(ways[i].name));
		assert_told(ways[i].word, "other labels");
		record->labels = here;
		assert_refusal(REFUSAL_NONE, ways[i].come(ways[i].name));
	}
}

static void test_roles(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct user_record *record = knows(ways[i].record);
		record->roles = 0;
		assert_refusal(AUTH_ROLE, ways[i].come(ways[i].name));
		record->roles = 1U << ROLE_OPERATE | 1U << ROLE_AUDIT | 1U << ROLE_ADMINISTER;
		assert_refusal(AUTH_ROLE, ways[i].come(ways[i].name));
		record->roles |= 1U << ROLE_ENROLL;
		assert_refusal(REFUSAL_NONE, ways[i].come(ways[i].name));
	}
}

/* An account that has an end is good before it, and not at it. */
static void test_expiry(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct user_record *record = knows(ways[i].record);
		record->expires_at = MAKER_NOW + 1;
		assert_refusal(REFUSAL_NONE, ways[i].come(ways[i].name));
		record->expires_at = MAKER_NOW;
		assert_refusal(AUTH_EXPIRED, ways[i].come(ways[i].name));
		assert_told(ways[i].word, "expired");
		record->expires_at = 1;
		assert_refusal(AUTH_EXPIRED, ways[i].come(ways[i].name));
	}
}

static void test_uses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct user_record *record = knows(ways[i].record);
		record->uses = 7;
		assert_refusal(REFUSAL_NONE, ways[i].come(ways[i].name));
		assert_int_equal(world.identity.spent, 0);
		record->uses_most = 8;
		assert_refusal(REFUSAL_NONE, ways[i].come(ways[i].name));
		assert_int_equal(world.identity.spent, 0);
		record->uses_most = 7;
		assert_refusal(REFUSAL_NONE, ways[i].come(ways[i].name));
		assert_int_equal(world.identity.spent, ways[i].proof);
	}
}

/* A store that cannot be asked makes nobody a stranger. */
static void test_unavailable(void **state)
{
	static char all[] = "**";

	(void)state;
	strangers_may(all, NULL);
	world.memory = EST_UNAVAILABLE;
	for (size_t i = 0; i < COUNT(ways); i++) {
		assert_refusal(SERVER_UNAVAILABLE, ways[i].come(ways[i].name));
		world.memory = EST_INTERNAL;
		assert_int_equal(ways[i].come(ways[i].name), EST_UNAVAILABLE);
		reason_clear();
		world.memory = EST_UNAVAILABLE;
	}
}

/* --- strangers --- */

static void test_strangers(void **state)
{
	static char own[] = "{user}", below[] = "{user}.plant.example", twice[] = "{user}-{user}",
		    fixed[] = "fan-*";

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		strangers_may(NULL, NULL);
		assert_refusal(REFUSAL_NONE, ways[i].come("pump"));
		assert_false(may("CN=pump", NULL));
		assert_int_equal(world.identity.spent, 0);
		strangers_may(own, below);
		assert_refusal(REFUSAL_NONE, ways[i].come("pump"));
		assert_true(may("CN=pump", NULL));
		assert_true(may("CN=PUMP", "DNS:pump.plant.example"));
		assert_false(may("CN=pump2", NULL));
		assert_false(may("CN=pump", "DNS:fan.plant.example"));
		assert_false(may("CN=fan-7", NULL));
		assert_false(may("CN={user}", NULL));
		strangers_may(twice, fixed);
		assert_refusal(REFUSAL_NONE, ways[i].come("pump"));
		assert_true(may("CN=pump-pump", NULL));
		assert_true(may("CN=fan-7", NULL));
		assert_false(may("CN=pump", NULL));
		assert_false(may("CN=pump-fan", NULL));
		assert_false(may("CN=fan-7.example", NULL));
	}
}

/* One with a record has what that says, and not what strangers have besides. */
static void test_no_stranger(void **state)
{
	static char own[] = "{user}";

	(void)state;
	strangers_may(own, NULL);
	for (size_t i = 0; i < COUNT(ways); i++) {
		knows(ways[i].record)->names = NULL;
		assert_refusal(REFUSAL_NONE, ways[i].come(ways[i].name));
		assert_false(may("CN=web", NULL));
		assert_false(may("CN=tls", NULL));
	}
}

/*
 * A name is put into a pattern as what it is: one that would be a pattern or a range of addresses
 * gets no pattern at all, but those that have no place for it; and no name at all is nobody.
 */
static void test_names_that_are_patterns(void **state)
{
	static char own[] = "{user}", below[] = "{user}.example", of[] = "pump{user}",
		    fixed[] = "fan-7";
	static const char *const names[] = {
	    "*", "**", "p*", "*.example", "192.0.2.0/24", "/", "pump/7"};

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++)
		assert_int_equal(ways[i].come(""), EST_NOT_FOUND);
	for (size_t i = 0; i < COUNT(ways); i++)
		for (size_t k = 0; k < COUNT(names); k++) {
			strangers_may(own, below);
			assert_refusal(REFUSAL_NONE, ways[i].come(names[k]));
			assert_null(patterns_of(&ways[i])[0]);
			assert_false(may("CN=pump", NULL));
			assert_false(may("CN=pump.example", "IP:192.0.2.1"));
			strangers_may(of, fixed);
			assert_refusal(REFUSAL_NONE, ways[i].come(names[k]));
			assert_false(may("CN=pump", NULL));
			assert_false(may("CN=pumpp", NULL));
			assert_true(may("CN=fan-7", NULL));
		}
}

/* Names of every length and octet: themselves or nothing, and nobody else. */
static void test_hostile_names(void **state)
{
	static char own[] = "{user}", more[] = "{user}-{user}";
	static const char *const names[] = {"\x01", "a\nb", "\x1b[2J", "\x7f", "\xff\xfe", "%s%n%d",
	    "{user}", "{user}{user}", " ", "a,external:pump", "\xc3\xbc"};
	static const size_t lengths[] = {1, 254, 255, 256, 1024, 8000};

	(void)state;
	strangers_may(own, more);
	for (size_t i = 0; i < COUNT(ways); i++) {
		for (size_t k = 0; k < COUNT(names); k++) {
			assert_refusal(REFUSAL_NONE, ways[i].come(names[k]));
			assert_false(may("CN=pump", NULL));
			assert_false(may("CN=user", NULL));
		}
		for (size_t k = 0; k < COUNT(lengths); k++) {
			char *name = mem_alloc(lengths[k] + 1);
			memset(name, 'p', lengths[k]);
			name[lengths[k]] = '\0';
			assert_refusal(REFUSAL_NONE, ways[i].come(name));
			assert_int_equal(may("CN=p", NULL), lengths[k] == 1);
			assert_int_equal(patterns_of(&ways[i])[0] != NULL, lengths[k] <= 255);
			assert_false(may("CN=pump", NULL));
			free(name);
		}
	}
}

/* The label's patterns and the name lie in one block: many of both, and the record owns it. */
static void test_many_patterns(void **state)
{
	static char text[40][24];
	static char *list[COUNT(text)];

	(void)state;
	for (size_t i = 0; i < COUNT(text); i++) {
		(void)snprintf(text[i], sizeof(text[i]), i % 2 == 0 ? "{user}-%zu" : "fan-%zu", i);
		list[i] = text[i];
	}
	world.label.external_names = (struct words){list, COUNT(text), 1};
	for (size_t i = 0; i < COUNT(ways); i++) {
		size_t count = 0;
		const struct user_record *record;
		assert_refusal(REFUSAL_NONE, ways[i].come("pump"));
		record = i == 0 ? &world.identity.external : &world.identity.srp;
		while (patterns_of(&ways[i])[count] != NULL)
			count++;
		assert_int_equal(count, COUNT(text));
		assert_string_equal(record->name, i == 0 ? "pump" : "srp:pump");
		assert_int_equal(record->roles, 1U << ROLE_ENROLL);
		assert_true(may("CN=pump-38", "DNS:fan-39,DNS:pump-0"));
		assert_false(may("CN=pump-39", NULL));
		/* With a name that fits no place only the others are left. */
		assert_refusal(REFUSAL_NONE, ways[i].come("p*"));
		for (count = 0; patterns_of(&ways[i])[count] != NULL; count++)
			assert_memory_equal(patterns_of(&ways[i])[count], "fan-", 4);
		assert_int_equal(count, COUNT(text) / 2);
	}
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_servers),
	    WORLD(test_auth_type),
	    WORLD(test_ciphers),
	    WORLD(test_srp_resumed),
	    WORLD(test_srp_roles),
	    WORLD(test_records),
	    WORLD(test_letter_case),
	    WORLD(test_records_of_other_kinds),
	    WORLD(test_labels),
	    WORLD(test_roles),
	    WORLD(test_expiry),
	    WORLD(test_uses),
	    WORLD(test_unavailable),
	    WORLD(test_strangers),
	    WORLD(test_no_stranger),
	    WORLD(test_names_that_are_patterns),
	    WORLD(test_hostile_names),
	    WORLD(test_many_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
