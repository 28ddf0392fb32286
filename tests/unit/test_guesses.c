/*
 * Wrong guesses get slow, per account and per address, whoever they are aimed at (X-05, F13); and
 * whoever waits learns nothing.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "auth_test.h"
#include "limiter_test.h"
#include "refusal_test.h"

/* --- a clock of the test's own: nothing here waits --- */

static int64_t wall; /* microseconds */

int clock_gettime(clockid_t clock, struct timespec *out)
{
	(void)clock;
	out->tv_sec = (time_t)(wall / SECOND);
	out->tv_nsec = (long)(wall % SECOND * 1000);
	return 0;
}

/* --- the world --- */

static char plant[] = "plant", office[] = "office";

/* worker:right is a user, pump-7:one-time a device of plant; others are what they are called. */
static struct {
	const char *path, *hash;
	struct guesses guesses;
	const char *label;
	unsigned proofs;
	size_t users, secrets; /* how often they were asked for */
	enum outcome memory;
	unsigned retry_after;
	const char *note;
	bool named; /* the account, for the log */
} world;

static bool is(const char *name, const char *other)
{
	return strcasecmp(name, other) == 0;
}

static enum outcome user(void *context, const char *name, struct user_record *out)
{
	static const char *const elsewhere[] = {"office", NULL};

	(void)context;
	world.users++;
	if (world.memory != EST_OK)
		return reason(world.memory, "as the test wants it");
	if (!is(name, "worker") && !is(name, "other") && !is(name, "ended") &&
	    !is(name, "auditor") && !is(name, "disabled") && !is(name, "clerk") &&
	    !is(name, "192.0.2.1"))
		return reason(EST_NOT_FOUND, "no such user");
	*out = user_of("worker", is(name, "disabled") ? "*" : world.hash);
	out->labels = is(name, "clerk") ? elsewhere : NULL;
	out->expires_at = is(name, "ended") ? MAKER_NOW : 0;
	out->roles = 1U << (is(name, "auditor") ? ROLE_AUDIT : ROLE_ENROLL);
	return EST_OK;
}

static enum outcome secret(void *context, const char *name, struct secret_record *out)
{
	(void)context;
	world.secrets++;
	if (world.memory != EST_OK)
		return reason(world.memory, "as the test wants it");
	if (!is(name, "pump-7") && !is(name, "pump-late") && !is(name, "pump-used") &&
	    !is(name, "pump-office"))
		return reason(EST_NOT_FOUND, "no such secret");
	*out = secret_of("pump-7", "one-time");
	out->label = is(name, "pump-office") ? office : plant;
	out->used_at = is(name, "pump-used") ? MAKER_NOW - 1 : 0;
	if (is(name, "pump-late"))
		out->expires_at = MAKER_NOW;
	return EST_OK;
}

/* Three wrong ones of an account cost nothing; of an address any number, until a test says so. */
static int make_world(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	wall = T0;
	world.path = path_of("limits");
	world.hash = cheap_hash("right");
	world.label = plant;
	world.proofs = P | S;
	world.guesses.limiter = open_at(world.path);
	world.guesses.account = (struct backoff){3, 900, 3600};
	world.guesses.address = (struct backoff){0, 900, 3600};
	return 0;
}

static int end_world(void **state)
{
	limiter_close(world.guesses.limiter);
	return maker_clear(state);
}

static enum outcome guess_from(const char *address, const char *name, const char *password)
{
	char label_name[16];
	struct config_label label = {.name = label_name};
	const struct auth auth = {.label = &label,
	    .memory = {.user = user, .secret = secret},
	    .guesses = &world.guesses,
	    .cache = 60,
	    .now = MAKER_NOW};
	const struct credentials credentials = {
	    .authorization = basic_of(name, password), .address = address};
	struct identity out = {0};
	enum outcome outcome;

	(void)snprintf(label_name, sizeof(label_name), "%s", world.label);
	outcome = basic_identify(&auth, world.proofs, &credentials, &out);
	assert_int_equal(outcome == EST_THROTTLED, out.retry_after > 0);
	assert_true(outcome != EST_THROTTLED || out.proven == 0);
	/* What nobody is called may be a password in the wrong field. */
	if (out.account != NULL)
		assert_string_equal(out.account, name);
	world.named = out.account != NULL;
	world.retry_after = out.retry_after;
	world.note = out.note;
	identity_clear(&out);
	return outcome;
}

static enum outcome guess(const char *name, const char *password)
{
	return guess_from("192.0.2.1", name, password);
}

static void guess_wrong(const char *name, int times)
{
	while (times-- > 0)
		assert_refusal(AUTH_PASSWORD, guess(name, "wrong"));
}

/* It is to wait for so many seconds: honest ones, that are enough and not too many. */
static void waits(const char *name, const char *password, unsigned seconds)
{
	assert_refusal(AUTH_BACKOFF, guess(name, password));
	assert_int_equal(world.retry_after, seconds);
}

static void pass(int64_t seconds)
{
	wall += seconds * SECOND;
}

/* --- accounts --- */

/* One second, then two, four, ...; the right one has to wait as well, and is right afterwards. */
static void test_account(void **state)
{
	(void)state;
	guess_wrong("worker", 4);
	for (unsigned seconds = 1; seconds <= 256; seconds *= 2) {
		waits("worker", "wrong", seconds);
		waits("worker", "right", seconds);
		pass(seconds - 1);
		waits("worker", "wrong", 1);
		pass(1);
		guess_wrong("worker", 1);
	}
	waits("worker", "right", 512);
	pass(512);
	assert_refusal(REFUSAL_NONE, guess("worker", "right"));
}

/* The whole of a second that has begun: who comes back by then is looked at. */
static void test_rounded_up(void **state)
{
	(void)state;
	guess_wrong("worker", 4);
	wall += SECOND / 2;
	waits("worker", "right", 1);
	wall += SECOND / 2 - 2000;
	waits("worker", "right", 1);
	wall += 2000;
	guess_wrong("worker", 1);
	wall += SECOND / 2;
	waits("worker", "right", 2);
	wall += SECOND / 2 + SECOND;
	assert_refusal(REFUSAL_NONE, guess("worker", "right"));
}

static void test_most(void **state)
{
	(void)state;
	world.guesses.account.most = 3;
	guess_wrong("worker", 4);
	pass(1);
	guess_wrong("worker", 1);
	pass(2);
	guess_wrong("worker", 1);
	waits("worker", "right", 3);
	pass(3);
	guess_wrong("worker", 1);
	waits("worker", "right", 3);
}

/* Those who wait are not looked at, nor counted: no hash, no store, no longer wait. */
static void test_nothing_is_looked_at(void **state)
{
	size_t users, secrets;

	(void)state;
	assert_refusal(REFUSAL_NONE, guess("worker", "right")); /* which is remembered */
	guess_wrong("worker", 4);
	assert_true(world.named);
	users = world.users;
	secrets = world.secrets;
	assert_true(users > 0 && secrets > 0);
	for (int i = 0; i < 100; i++)
		waits("worker", i % 2 == 0 ? "right" : "wrong", 1);
	assert_int_equal(world.users, users);
	assert_int_equal(world.secrets, secrets);
	assert_string_equal(world.note, "the account waits");
	assert_false(world.named);
	pass(1);
	guess_wrong("worker", 1);
	assert_int_equal(world.users, users + 1);
	waits("worker", "right", 2);
}

/* A right one clears its account. */
static void test_right_one(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		guess_wrong("worker", 3);
		assert_refusal(REFUSAL_NONE, guess("worker", "right"));
		guess_wrong("pump-7", 3);
		assert_refusal(REFUSAL_NONE, guess("pump-7", "one-time"));
	}
	guess_wrong("worker", 4);
	waits("worker", "right", 1);
}

/* Somebody else's account is not slowed, nor cleared by it. */
static void test_others(void **state)
{
	(void)state;
	guess_wrong("worker", 4);
	assert_refusal(REFUSAL_NONE, guess("other", "right"));
	assert_refusal(REFUSAL_NONE, guess("pump-7", "one-time"));
	waits("worker", "right", 1);
}

/* Devices' names are the same in every letter case, and so are their guesses. */
static void test_letter_case(void **state)
{
	static const char *const names[] = {"PUMP-7", "Pump-7", "pump-7", "pUmP-7"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		guess_wrong(names[i], 1);
	for (size_t i = 0; i < COUNT(names); i++)
		waits(names[i], "one-time", 1);
}

/* An account is the same under every label. */
static void test_labels(void **state)
{
	(void)state;
	guess_wrong("worker", 2);
	world.label = office;
	guess_wrong("worker", 2);
	waits("worker", "right", 1);
	world.label = plant;
	waits("worker", "right", 1);
}

/*
 * F5, F13, X-06: who is not, who is disabled or of another label, a secret of another label, an
 * expired one: the same answers, in the same order, at the same time.
 */
static void test_all_alike(void **state)
{
	static const struct {
		const char *name, *password;
	} rows[] = {{"worker", "wrong"}, {"nobody", "right"}, {"disabled", "right"},
	    {"clerk", "right"}, {"disabled", "*"}, {"pump-7", "one-timf"},
	    {"pump-late", "one-time"}, {"pump-office", "one-time"}, {"pump-used", "wrong"}};
	char text[300] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		limiter_close(world.guesses.limiter);
		world.guesses.limiter = open_at(path_of(rows[i].name));
		pass(3600);
		for (int k = 0; k < 4; k++) {
			assert_int_equal(
			    guess(rows[i].name, rows[i].password), EST_UNAUTHENTICATED);
			if (text[0] == '\0')
				(void)snprintf(text, sizeof(text), "%s", reason_text());
			assert_string_equal(reason_text(), text);
			assert_non_null(world.note);
			assert_refusal(AUTH_PASSWORD, EST_UNAUTHENTICATED);
		}
		waits(rows[i].name, rows[i].password, 1);
		waits(rows[i].name, "right", 1);
	}
}

/* What is right and of no use is no guess: it neither counts nor clears. */
static void test_right_and_refused(void **state)
{
	static const struct {
		const char *name;
		enum refusal refusal;
	} rows[] = {{"auditor", AUTH_ROLE}, {"ended", AUTH_EXPIRED}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int k = 0; k < 10; k++)
			assert_refusal(rows[i].refusal, guess(rows[i].name, "right"));
		guess_wrong(rows[i].name, 3);
		assert_refusal(rows[i].refusal, guess(rows[i].name, "right"));
		guess_wrong(rows[i].name, 1);
		waits(rows[i].name, "right", 1);
	}
}

/* A used secret is right: the lost answer can be fetched as often as it takes. */
static void test_used_secret(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_refusal(REFUSAL_NONE, guess("pump-used", "one-time"));
	guess_wrong("pump-used", 3);
	assert_refusal(REFUSAL_NONE, guess("pump-used", "one-time"));
	guess_wrong("pump-used", 3);
	assert_refusal(REFUSAL_NONE, guess("pump-used", "one-time"));
}

/* Nothing was guessed where the store is away, or where nothing can be read. */
static void test_no_guess(void **state)
{
	static const struct config_label label = {.name = plant};
	static const char *const fields[] = {"", "Basic", "Basic *", "Bearer d29ya2VyOndyb25n"};
	const struct auth auth = {.label = &label,
	    .memory = {.user = user, .secret = secret},
	    .guesses = &world.guesses,
	    .now = MAKER_NOW};

	(void)state;
	world.guesses.address = world.guesses.account;
	world.memory = EST_UNAVAILABLE;
	for (int i = 0; i < 10; i++)
		assert_refusal(SERVER_UNAVAILABLE, guess("worker", "wrong"));
	world.memory = EST_OK;
	for (size_t i = 0; i < 3 * COUNT(fields); i++) {
		const struct credentials credentials = {
		    .authorization = fields[i % COUNT(fields)], .address = "192.0.2.1"};
		struct identity out = {0};
		assert_refusal(AUTH_HEADER, basic_identify(&auth, P | S, &credentials, &out));
		identity_clear(&out);
	}
	guess_wrong("worker", 3);
	assert_refusal(REFUSAL_NONE, guess("worker", "right"));
}

/* --- addresses --- */

/* An account of one's own does not clear the address of what was guessed at others. */
static void test_address(void **state)
{
	(void)state;
	world.guesses.address.free = 5;
	guess_wrong("worker", 3);
	assert_refusal(REFUSAL_NONE, guess("worker", "right"));
	guess_wrong("worker", 2);
	assert_refusal(REFUSAL_NONE, guess("other", "right"));
	guess_wrong("pump-7", 1);
	waits("other", "right", 1);
	waits("nobody", "right", 1);
	assert_refusal(REFUSAL_NONE, guess_from("192.0.2.2", "other", "right"));
	assert_refusal(REFUSAL_NONE, guess_from("192.0.2.2", "worker", "right"));
	waits("other", "right", 1);
	pass(1);
	assert_refusal(REFUSAL_NONE, guess("other", "right"));
	guess_wrong("other", 1);
	waits("other", "right", 2);
}

/* The longer of both. */
static void test_both(void **state)
{
	(void)state;
	world.guesses.account.free = world.guesses.address.free = 1;
	guess_wrong("nobody", 2);
	pass(1);
	guess_wrong("worker", 1);
	pass(2);
	guess_wrong("worker", 1);
	waits("worker", "right", 4);
	assert_refusal(AUTH_BACKOFF, guess_from("192.0.2.2", "worker", "right"));
	assert_int_equal(world.retry_after, 1);
	limiter_close(world.guesses.limiter);
	world.guesses.limiter = open_at(path_of("other"));
	world.guesses.account.free = 1;
	world.guesses.address.free = 3;
	guess_wrong("worker", 2);
	pass(1);
	guess_wrong("worker", 1);
	pass(2);
	guess_wrong("worker", 1);
	waits("worker", "right", 4);
	waits("other", "right", 1);
}

/* IPv6: who has an address has 2^64 of them. */
static void test_address_of_ipv6(void **state)
{
	char address[64];

	(void)state;
	world.guesses.address.free = 3;
	for (int i = 0; i < 4; i++) {
		(void)snprintf(address, sizeof(address), "2001:db8:0:1::%x", i + 1);
		assert_refusal(AUTH_PASSWORD, guess_from(address, "pump-7", "wrong"));
	}
	assert_refusal(AUTH_BACKOFF, guess_from("2001:db8:0:1:ffff::9", "worker", "right"));
	assert_refusal(REFUSAL_NONE, guess_from("2001:db8:0:2::1", "worker", "right"));
}

/* An account that is called as an address is another thing than that address. */
static void test_kinds(void **state)
{
	(void)state;
	world.guesses.address.free = 4;
	for (int i = 0; i < 4; i++)
		assert_refusal(AUTH_PASSWORD, guess_from("192.0.2.9", "192.0.2.1", "wrong"));
	assert_refusal(REFUSAL_NONE, guess("worker", "right"));
	waits("192.0.2.1", "right", 1);
}

/* --- where they are counted --- */

static void test_restart(void **state)
{
	(void)state;
	world.guesses.address.free = 4;
	guess_wrong("worker", 4);
	limiter_close(world.guesses.limiter);
	world.guesses.limiter = open_at(world.path);
	waits("worker", "right", 1);
	pass(1);
	guess_wrong("other", 1);
	waits("pump-7", "one-time", 1);
}

static void test_nowhere(void **state)
{
	struct limiter *limiter = world.guesses.limiter;

	(void)state;
	world.guesses.limiter = NULL;
	world.guesses.address.free = 3;
	guess_wrong("worker", 20);
	world.guesses.limiter = limiter;
	world.guesses.account.free = world.guesses.address.free = 0;
	guess_wrong("worker", 20);
	assert_refusal(REFUSAL_NONE, guess("worker", "right"));
}

/* --- the whole decision --- */

/* Too many guesses are told before what else was wrong, and with the seconds. */
static void test_identify(void **state)
{
	static char words[][8] = {"basic", "srp"};
	static char *list[] = {words[0], words[1]};
	const struct config_label label = {.name = plant, .authenticate = {list, 2, 1}};
	const struct auth auth = {.label = &label,
	    .memory = {.user = user, .secret = secret},
	    .guesses = &world.guesses,
	    .now = MAKER_NOW};
	struct credentials credentials = {.authorization = basic_of("worker", "right"),
	    .srp_user = "worker",
	    .srp_info = "role=audit",
	    .cipher = "SRP-AES-256-CBC-SHA",
	    .resumed = "Initial",
	    .address = "192.0.2.1"};
	struct identity out;

	(void)state;
	guess_wrong("worker", 4);
	pass(1);
	guess_wrong("worker", 1);
	assert_refusal(AUTH_BACKOFF, auth_identify(&auth, &credentials, &out));
	assert_int_equal(out.retry_after, 2);
	assert_int_equal(out.proven, 0);
	assert_null(out.text);
	identity_clear(&out);
	/* Another way in is not for guessing, and stays open. */
	credentials.srp_info = "role=enroll";
	assert_refusal(REFUSAL_NONE, auth_identify(&auth, &credentials, &out));
	assert_int_equal(out.proven, R);
	identity_clear(&out);
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_account),
	    WORLD(test_rounded_up),
	    WORLD(test_most),
	    WORLD(test_nothing_is_looked_at),
	    WORLD(test_right_one),
	    WORLD(test_others),
	    WORLD(test_letter_case),
	    WORLD(test_labels),
	    WORLD(test_all_alike),
	    WORLD(test_right_and_refused),
	    WORLD(test_used_secret),
	    WORLD(test_no_guess),
	    WORLD(test_address),
	    WORLD(test_both),
	    WORLD(test_address_of_ipv6),
	    WORLD(test_kinds),
	    WORLD(test_restart),
	    WORLD(test_nowhere),
	    WORLD(test_identify),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
