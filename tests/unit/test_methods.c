/*
 * The one function that decides who asks: every word of `authenticate`, alone and in lists, by
 * every mixture of what was offered (T-13, T-20).
 *
 * What is expected is worked out here from what the words say, and not taken from a list of
 * outcomes.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "auth_test.h"
#include "common/auth/password.h"
#include "common/pki/cert.h"
#include "refusal_test.h"

/* The words, and the sets of proofs that each is content with. */
static struct word {
	char text[32];
	unsigned sets[2];
} words[] = {
    {"basic", {P, 0}},
    {"secret", {S, 0}},
    {"certificate", {C, 0}},
    {"srp", {R, 0}},
    {"external", {X, 0}},
    {"certificate-and-basic", {C | P, 0}},
    {"certificate-or-basic", {C, P}},
    {"certificate-and-secret", {C | S, 0}},
    {"certificate-and-external", {C | X, 0}},
    {"srp-and-basic", {R | P, 0}},
};

#define WORDS (sizeof(words) / sizeof(words[0]))

/* --- what is offered --- */

enum { CERT_NONE, CERT_GOOD, CERT_STRANGE, CERT_TAKEN_BACK, CERTS };
enum { BASIC_NONE, BASIC_RIGHT, BASIC_SECRET, BASIC_USED, BASIC_AUDITOR, BASIC_ENDED };
enum { BASIC_WRONG = BASIC_ENDED + 1, BASIC_EXPIRED, BASIC_ELSEWHERE, BASICS };
enum { SRP_NONE, SRP_GOOD, SRP_AUDITOR, SRP_RESUMED, SRPS };
enum { EXTERNAL_NONE, EXTERNAL_GOOD, EXTERNAL_BASIC, EXTERNAL_FORGED, EXTERNALS };

struct offer {
	size_t cert, basic, srp, external;
	unsigned spent; /* accounts without any uses left, of enum proof */
};

static struct {
	X509 *ca, *ours, *gone, *strange;
	struct span ours_der, gone_der;
	const char *pem[CERTS], *field[BASICS];
	const char *hash, *secret;
	struct config_label label;
	struct words patterns;
	struct trust *trust;
	unsigned spent;
	bool superseded; /* the certificate that was taken back; it was of another label */
	enum outcome memory;
} world;

static char office[] = "office", plant[] = "plant", any[] = "{user}", *any_word[] = {any};

static struct user_record with_uses(struct user_record user, enum proof proof)
{
	user.uses_most = 2;
	user.uses = (world.spent & proof) != 0 ? 2 : 1;
	return user;
}

/*
 * Thousands of decisions, and hardly a hash: every device is a user as well, so that none is made
 * for nobody; a right password is remembered; and the wrong ones, secrets among them, are too short
 * or too long for any password.
 */
static const char *one_time(void)
{
	struct buf text = {0};

	for (size_t i = 0; i <= PASSWORD_MAX; i++)
		buf_add_byte(&text, (unsigned char)('a' + i % 26));
	return pool_text(&text);
}

static enum outcome user(void *context, const char *name, struct user_record *out)
{
	(void)context;
	if (world.memory != EST_OK)
		return reason(world.memory, "as the test wants it");
	if (strcmp(name, "srp:tls") == 0)
		*out = with_uses(user_of("srp:tls", "*"), R);
	else if (strcmp(name, "ra:pump") == 0)
		*out = user_of("ra:pump", "*");
	else if (strcmp(name, "web") == 0)
		*out = with_uses(user_of("web", "*"), X);
	else
		*out = with_uses(user_of("pump", world.hash), P);
	if (strcmp(name, "auditor") == 0)
		out->roles = 1U << ROLE_AUDIT;
	if (strcmp(name, "ended") == 0)
		out->expires_at = MAKER_NOW;
	return EST_OK;
}

static enum outcome secret(void *context, const char *name, struct secret_record *out)
{
	(void)context;
	if (world.memory != EST_OK)
		return reason(world.memory, "as the test wants it");
	*out = secret_of("pump", world.secret);
	if (strcmp(name, "used") == 0) {
		out->used_at = MAKER_NOW - 60;
		out->expires_at = MAKER_NOW - 30;
	} else if (strcmp(name, "expired") == 0) {
		out->expires_at = MAKER_NOW;
	} else if (strcmp(name, "elsewhere") == 0) {
		out->label = "office";
	} else {
		out->label = plant;
	}
	return EST_OK;
}

static bool is_of(struct span der, const struct serial *serial)
{
	struct cert_parts parts;

	return cert_parse(der, &parts) == EST_OK &&
	       span_equal(parts.serial, (struct span){serial->octets, serial->len});
}

static enum outcome certificate(void *context, const struct serial *serial, struct cert_record *out)
{
	bool gone = is_of(world.gone_der, serial);
	int taken_back = world.superseded ? SUPERSEDED : KEY_COMPROMISE;

	(void)context;
	if (world.memory != EST_OK)
		return reason(world.memory, "as the test wants it");
	if (!gone && !is_of(world.ours_der, serial))
		return reason(EST_NOT_FOUND, "no such certificate");
	*out = (struct cert_record){.serial = *serial,
	    .revocation_reason = gone ? taken_back : NOT_REVOKED,
	    .revoked_at = MAKER_NOW - 1,
	    .label = gone && world.superseded ? office : plant,
	    .name = "pump",
	    .der = gone ? world.gone_der : world.ours_der};
	return EST_OK;
}

static void make_certs(void)
{
	static const char *const ca[] = {"basicConstraints", "critical,CA:TRUE", NULL};
	static const char *const leaf[] = {
	    "extendedKeyUsage", "clientAuth,1.3.6.1.5.5.7.3.28", NULL};
	struct maker_cert spec = {.subject = "CN=CA", .key = "P-256#ca", .extensions = ca};

	world.ca = maker_cert(&spec);
	spec = (struct maker_cert){.subject = "CN=pump", .key = "P-256", .extensions = leaf};
	world.strange = maker_cert(&spec);
	spec.issuer = world.ca;
	spec.issuer_key = "P-256#ca";
	world.ours = maker_cert(&spec);
	world.gone = maker_cert(&spec);
	world.ours_der = maker_cert_der(world.ours);
	world.gone_der = maker_cert_der(world.gone);
	world.pem[CERT_GOOD] = maker_cert_pem(world.ours);
	world.pem[CERT_STRANGE] = maker_cert_pem(world.strange);
	world.pem[CERT_TAKEN_BACK] = maker_cert_pem(world.gone);
}

static int make_world(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	make_certs();
	world.hash = cheap_hash("right");
	world.secret = one_time();
	world.field[BASIC_RIGHT] = basic_of("pump", "right");
	world.field[BASIC_WRONG] = basic_of("pump", "");
	world.field[BASIC_AUDITOR] = basic_of("auditor", "right");
	world.field[BASIC_ENDED] = basic_of("ended", "right");
	world.field[BASIC_SECRET] = basic_of("pump", world.secret);
	world.field[BASIC_USED] = basic_of("used", world.secret);
	world.field[BASIC_EXPIRED] = basic_of("expired", world.secret);
	world.field[BASIC_ELSEWHERE] = basic_of("elsewhere", world.secret);
	world.label = (struct config_label){.name = plant, .external_names = {any_word, 1, 1}};
	assert_outcome(EST_OK, trust_make(&world.label, world.ca, &world.trust));
	return 0;
}

static int end_world(void **state)
{
	trust_free(world.trust);
	return maker_clear(state);
}

static enum outcome identify(const struct offer *offer, unsigned only, struct identity *out)
{
	const struct auth auth = {.label = &world.label,
	    .trust = world.trust,
	    .memory = {.user = user, .secret = secret, .certificate = certificate},
	    .only = only,
	    .cache = 60,
	    .superseded_since = world.superseded ? MAKER_NOW - 60 : 0,
	    .now = MAKER_NOW};
	const struct credentials credentials = {
	    .authorization = world.field[offer->basic],
	    .certificate = world.pem[offer->cert],
	    .srp_user = offer->srp == SRP_NONE ? NULL : "tls",
	    .srp_info = offer->srp == SRP_AUDITOR ? "role=audit" : "role=enroll",
	    .cipher = "SRP-AES-256-CBC-SHA",
	    .resumed = offer->srp == SRP_RESUMED ? "Resumed" : "Initial",
	    .remote_user = offer->external == EXTERNAL_NONE ? NULL : "web",
	    .auth_type = offer->external == EXTERNAL_GOOD ? "Negotiate" : "bAsic",
	    .server = offer->external == EXTERNAL_FORGED ? "nginx/1.22.1" : "Apache",
	};

	world.spent = offer->spent;
	return auth_identify(&auth, &credentials, out);
}

/* --- what is expected --- */

struct policy {
	const struct word *word[WORDS];
	size_t count;
	unsigned only;
};

struct expectation {
	unsigned granted[2 * WORDS], proven, spent;
	size_t count;
	enum refusal refusal;
};

static bool is_external(const struct offer *offer)
{
	return offer->external == EXTERNAL_GOOD || offer->external == EXTERNAL_BASIC;
}

/* HTTP Basic that the web server has checked as its own way is for nobody else to look at. */
static bool is_consumed(const struct offer *offer, unsigned use)
{
	return (use & X) != 0 && offer->external == EXTERNAL_BASIC;
}

/* What the offer proves to somebody who has use for these proofs; what of it is used up. */
static unsigned proves(const struct offer *offer, unsigned use, unsigned *spent)
{
	unsigned proven = 0;

	proven |= offer->cert == CERT_GOOD ? C : 0;
	proven |= offer->basic == BASIC_RIGHT ? P : 0;
	proven |= offer->basic == BASIC_SECRET || offer->basic == BASIC_USED ? S : 0;
	proven |= offer->srp == SRP_GOOD ? R : 0;
	proven |= is_external(offer) ? X : 0;
	proven &= use;
	if (is_consumed(offer, use))
		proven &= ~(unsigned)(P | S);
	*spent = proven & (offer->spent | (offer->basic == BASIC_USED ? S : 0));
	return proven;
}

/* The reason where no set is proven: what was wrong, a password first; else what to send. */
static enum refusal refusal_for(const struct offer *offer, unsigned use, unsigned proven)
{
	bool basic = (use & (P | S)) != 0;

	if (basic && offer->basic != BASIC_NONE && !is_consumed(offer, use) &&
	    (proven & (P | S)) == 0)
		return (use & P) != 0 && offer->basic == BASIC_AUDITOR ? AUTH_ROLE
		       : (use & P) != 0 && offer->basic == BASIC_ENDED ? AUTH_EXPIRED
								       : AUTH_PASSWORD;
	if ((use & C) != 0 && offer->cert == CERT_TAKEN_BACK)
		return AUTH_CERTIFICATE_REVOKED;
	if ((use & R) != 0 && offer->srp == SRP_AUDITOR)
		return AUTH_ROLE;
	if ((use & R) != 0 && offer->srp == SRP_RESUMED)
		return AUTH_SRP;
	if ((use & X) != 0 && offer->external == EXTERNAL_FORGED)
		return AUTH_EXTERNAL;
	if (basic && (proven & (P | S)) == 0)
		return (use & C) != 0 && offer->cert == CERT_STRANGE ? AUTH_CERTIFICATE_UNTRUSTED
								     : AUTH_MISSING;
	if ((use & C & ~proven) != 0)
		return AUTH_CERTIFICATE_MISSING;
	return (use & R) != 0 ? AUTH_SRP : AUTH_EXTERNAL;
}

static struct expectation expect(const struct policy *policy, const struct offer *offer)
{
	struct expectation out = {.count = 0};
	unsigned sets[2 * WORDS], use = 0, proven, spent;
	size_t count = 0;

	for (size_t i = 0; i < 2 * policy->count; i++) {
		unsigned set = policy->word[i / 2]->sets[i % 2];
		if (set != 0 && (policy->only == 0 || (set | policy->only) == policy->only)) {
			sets[count++] = set;
			use |= set;
		}
	}
	proven = proves(offer, use, &spent);
	for (size_t i = 0; i < count; i++)
		if ((sets[i] & proven) == sets[i])
			out.granted[out.count++] = sets[i];
	for (size_t i = 0; i < out.count; i++)
		out.proven |= out.granted[i];
	out.spent = out.proven & spent;
	out.refusal = out.count > 0 ? REFUSAL_NONE : refusal_for(offer, use, proven);
	return out;
}

static bool has_set(const unsigned *sets, size_t count, unsigned set)
{
	while (count-- > 0)
		if (sets[count] == set)
			return true;
	return false;
}

/* "certificate:...,device:pump": what was proven, and nothing besides. */
static bool text_fits(const char *text, unsigned proven)
{
	static const struct {
		unsigned proof;
		const char *text;
	} kinds[] = {{P, "user:pump"}, {S, "device:pump"}, {C, "certificate:"}, {R, "srp:tls"},
	    {X, "external:web"}};
	size_t parts = 0, commas = 0;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		if ((strstr(text, kinds[i].text) != NULL) != ((proven & kinds[i].proof) != 0))
			return false;
		parts += (proven & kinds[i].proof) != 0;
	}
	for (const char *c = text; *c != '\0'; c++)
		commas += *c == ',';
	return commas + 1 == parts;
}

static bool fits(const struct expectation *wanted, const struct identity *got)
{
	if (wanted->count == 0)
		return got->granted_count == 0 && got->text == NULL;
	for (size_t i = 0; i < wanted->count; i++)
		if (!has_set(got->granted, got->granted_count, wanted->granted[i]))
			return false;
	for (size_t i = 0; i < got->granted_count; i++)
		if (!has_set(wanted->granted, wanted->count, got->granted[i]))
			return false;
	/* The certificate is an RA's, which counts where the certificate does. */
	return got->proven == wanted->proven && got->spent == wanted->spent &&
	       got->is_ra == ((wanted->proven & C) != 0) && text_fits(got->text, got->proven);
}

static void set_label(const struct policy *policy)
{
	static char *list[WORDS];

	for (size_t i = 0; i < policy->count; i++)
		list[i] = words[policy->word[i] - words].text;
	world.label.authenticate = (struct words){list, policy->count, 1};
}

static void check(const struct policy *policy, const struct offer *offer)
{
	struct expectation wanted = expect(policy, offer);
	struct identity got;
	enum outcome outcome;
	bool right;

	set_label(policy);
	outcome = identify(offer, policy->only, &got);
	right = refusal_is(wanted.refusal, outcome, "policy") && fits(&wanted, &got);
	if (!right)
		fail_msg("\"%s\"%s only %x: certificate %zu, basic %zu, srp %zu, external %zu, "
			 "spent %x: proven %x instead of %x, spent %x instead of %x, \"%s\"",
		    policy->word[0]->text, policy->count > 1 ? policy->word[1]->text : "",
		    policy->only, offer->cert, offer->basic, offer->srp, offer->external,
		    offer->spent, got.proven, wanted.proven, got.spent, wanted.spent,
		    got.text == NULL ? "" : got.text);
	identity_clear(&got);
}

/* The number's offer, of so many of each. */
static struct offer offer_of(size_t number, const size_t of[4])
{
	return (struct offer){.cert = number % of[0],
	    .basic = number / of[0] % of[1],
	    .srp = number / of[0] / of[1] % of[2],
	    .external = number / of[0] / of[1] / of[2] % of[3]};
}

static void check_all(const struct policy *policy, const size_t of[4])
{
	for (size_t i = 0; i < of[0] * of[1] * of[2] * of[3]; i++) {
		struct offer offer = offer_of(i, of);
		check(policy, &offer);
	}
}

/* --- tests --- */

static void test_words(void **state)
{
	static const size_t of[4] = {CERTS, BASICS, SRPS, EXTERNALS};

	(void)state;
	for (size_t i = 0; i < WORDS; i++) {
		const struct policy policy = {{&words[i]}, 1, 0};
		check_all(&policy, of);
	}
}

static void test_pairs(void **state)
{
	static const size_t of[4] = {3, 6, 2, 3};

	(void)state;
	for (size_t i = 0; i < WORDS; i++)
		for (size_t k = 0; k < WORDS; k++) {
			const struct policy policy = {{&words[i], &words[k]}, 2, 0};
			if (i < k)
				check_all(&policy, of);
		}
}

/* Accounts and secrets that are used up are proven all the same, and said to be spent. */
static void test_spent(void **state)
{
	static const unsigned accounts[] = {0, P, R, X, P | R, P | X, R | X, P | R | X};

	(void)state;
	for (size_t i = 0; i < WORDS * WORDS; i++) {
		const struct policy policy = {{&words[i / WORDS], &words[i % WORDS]}, 2, 0};
		for (size_t k = 0; k < 4 * COUNT(accounts); k++) {
			const struct offer offer = {k % 2 == 0 ? CERT_GOOD : CERT_NONE,
			    k / 2 % 2 == 0 ? BASIC_RIGHT : BASIC_USED, SRP_GOOD, EXTERNAL_GOOD,
			    accounts[k / 4]};
			check(&policy, &offer);
		}
	}
}

static struct policy all_words(void)
{
	struct policy policy = {.count = WORDS};

	for (size_t i = 0; i < WORDS; i++)
		policy.word[i] = &words[i];
	return policy;
}

/* Every word at once has room, and every way in is found. */
static void test_all_words(void **state)
{
	static const size_t of[4] = {CERTS, BASICS, SRPS, EXTERNALS};
	struct policy policy = all_words();

	(void)state;
	check_all(&policy, of);
}

/* What an operation does not take counts for nothing, not even beside what it takes. */
static void test_only(void **state)
{
	struct policy policy;

	(void)state;
	for (size_t i = 0; i <= WORDS; i++) {
		policy = i == WORDS ? all_words() : (struct policy){{&words[i]}, 1, 0};
		for (policy.only = 1; policy.only <= ALL; policy.only++)
			for (size_t basic = BASIC_RIGHT; basic <= BASIC_USED; basic++) {
				const struct offer offer = {
				    CERT_GOOD, basic, SRP_GOOD, EXTERNAL_GOOD, 0};
				struct expectation wanted = expect(&policy, &offer);
				struct identity got;
				if (wanted.count > 0) {
					check(&policy, &offer);
					continue;
				}
				set_label(&policy);
				assert_int_not_equal(EST_OK, identify(&offer, policy.only, &got));
				assert_int_equal(got.granted_count, 0);
				identity_clear(&got);
				reason_clear();
			}
	}
}

/* Default deny: a label that says nothing, or something else, lets nobody in. */
static void test_no_words(void **state)
{
	static char unknown[][16] = {"", "anonymous", "Basic", "basic ", "certificate-or"};
	static char *list[COUNT(unknown)];
	const struct offer offer = {CERT_GOOD, BASIC_RIGHT, SRP_GOOD, EXTERNAL_GOOD, 0};

	(void)state;
	for (size_t i = 0; i <= COUNT(unknown); i++) {
		struct identity got;
		world.label.authenticate = (struct words){list, i, 1};
		assert_int_equal(auth_proofs(&world.label), 0);
		assert_int_not_equal(EST_OK, identify(&offer, 0, &got));
		assert_string_not_equal(reason_text(), "");
		assert_int_equal(got.granted_count, 0);
		assert_int_equal(got.proven, 0);
		assert_null(got.text);
		identity_clear(&got);
		reason_clear();
		if (i < COUNT(unknown))
			list[i] = unknown[i];
	}
}

/* A certificate that is not believed says nothing of who came with a password. */
static void test_disbelieved(void **state)
{
	static const struct offer offer = {
	    CERT_TAKEN_BACK, BASIC_RIGHT, SRP_NONE, EXTERNAL_NONE, 0};
	struct policy policy = {{&words[6]}, 1, 0};
	struct identity got;

	(void)state;
	world.superseded = true;
	set_label(&policy);
	assert_refusal(REFUSAL_NONE, identify(&offer, 0, &got));
	assert_int_equal(got.proven, P);
	assert_false(got.superseded);
	identity_clear(&got);
}

static void test_proofs(void **state)
{
	struct policy policy;

	(void)state;
	for (size_t i = 0; i < WORDS; i++) {
		policy = (struct policy){{&words[i]}, 1, 0};
		set_label(&policy);
		assert_int_equal(auth_proofs(&world.label), words[i].sets[0] | words[i].sets[1]);
	}
	policy = all_words();
	set_label(&policy);
	assert_int_equal(auth_proofs(&world.label), ALL);
}

/* A store that cannot be asked is neither a wrong password nor a reason to go on without one. */
static void test_unavailable(void **state)
{
	static const struct offer offers[] = {
	    {CERT_GOOD, BASIC_NONE, SRP_NONE, EXTERNAL_NONE, 0},
	    {CERT_NONE, BASIC_RIGHT, SRP_NONE, EXTERNAL_NONE, 0},
	    {CERT_NONE, BASIC_SECRET, SRP_NONE, EXTERNAL_NONE, 0},
	    {CERT_NONE, BASIC_NONE, SRP_GOOD, EXTERNAL_NONE, 0},
	    {CERT_NONE, BASIC_NONE, SRP_NONE, EXTERNAL_GOOD, 0},
	    {CERT_STRANGE, BASIC_RIGHT, SRP_AUDITOR, EXTERNAL_FORGED, 0},
	};
	struct policy policy = all_words();

	(void)state;
	world.memory = EST_UNAVAILABLE;
	set_label(&policy);
	for (size_t i = 0; i < COUNT(offers); i++) {
		struct identity got;
		assert_refusal(SERVER_UNAVAILABLE, identify(&offers[i], 0, &got));
		identity_clear(&got);
	}
	/* By each word of HTTP Basic alone, and each of what may be sent. */
	for (size_t i = 0; i < 4; i++) {
		struct identity got;
		policy = (struct policy){{&words[i % 2]}, 1, 0};
		set_label(&policy);
		assert_refusal(SERVER_UNAVAILABLE, identify(&offers[1 + i / 2], 0, &got));
		identity_clear(&got);
	}
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_words),
	    WORLD(test_pairs),
	    WORLD(test_spent),
	    WORLD(test_all_words),
	    WORLD(test_only),
	    WORLD(test_no_words),
	    WORLD(test_disbelieved),
	    WORLD(test_proofs),
	    WORLD(test_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
