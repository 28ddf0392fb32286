/*
 * Which names who was proven may ask for, by each proof and by sets of them; and what they are
 * called.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "auth_test.h"
#include "refusal_test.h"

static const char *const pumps[] = {"pump-*", NULL}, *const any_name[] = {"*", NULL},
			 *const fans[] = {"fan-*", NULL}, *const no_name[] = {NULL};

/* The certificate is CN=gate with gate.example. */
static int make_identity(void **state)
{
	static const char *const leaf[] = {"subjectAltName", "DNS:gate.example", NULL};
	struct identity *identity = mem_alloc(sizeof(*identity));
	X509 *cert = maker_cert(
	    &(struct maker_cert){.subject = "CN=gate,O=Acme", .key = "P-256", .extensions = leaf});

	*identity = (struct identity){.proven = ALL, .trust = TRUST_EXPLICIT};
	identity->user = (struct user_record){.name = "user", .names = no_name};
	identity->srp = (struct user_record){.name = "srp:tls", .names = no_name};
	identity->external = (struct user_record){.name = "web", .names = no_name};
	identity->ra = (struct user_record){.name = "ra:gate", .names = no_name};
	identity->secret.name = "pump-7";
	identity->certificate.name = "gate";
	buf_add_span(&identity->der, maker_cert_der(cert));
	*state = identity;
	return 0;
}

static int end_identity(void **state)
{
	identity_clear(*state);
	free(*state);
	return maker_clear(state);
}

static void grants(struct identity *identity, unsigned a, unsigned b)
{
	identity->granted[0] = a;
	identity->granted[1] = b;
	identity->granted_count = b == 0 ? 1 : 2;
}

static void parse(const char *subject, const char *san, struct csr *out)
{
	const char *const extensions[] = {"subjectAltName", san, NULL};

	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256#device", subject, san == NULL ? NULL : extensions),
			CSR_KEY_PROVEN, out));
}

static enum outcome may(const struct identity *identity, const char *subject, const char *san)
{
	struct csr csr;
	enum outcome outcome;

	parse(subject, san, &csr);
	outcome = auth_allows(identity, &csr.name, &csr.wishes.sans);
	csr_clear(&csr);
	return outcome;
}

struct names {
	const char *subject, *san;
	bool may;
};

static void check(const struct identity *identity, const struct names *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!refusal_is(rows[i].may ? REFUSAL_NONE : NAME_NOT_ALLOWED,
			may(identity, rows[i].subject, rows[i].san), "names"))
			fail_msg("%s, %s", rows[i].subject,
			    rows[i].san == NULL ? "no SAN" : rows[i].san);
}

/* The names of a device that is pump-7, and whatever else it may want. */
static const struct names own_name[] = {
    {"CN=pump-7", NULL, true},
    {"CN=PUMP-7", NULL, true},
    {"CN=pump-7,O=Acme,OU=Hall 3,C=DE", NULL, true},
    {"CN=pump-7", "DNS:pump-7", true},
    {"CN=pump-7", "DNS:Pump-7,DNS:PUMP-7", true},
    {"O=Acme", "DNS:pump-7", true},
    {"serialNumber=pump-7", NULL, true},
    {"CN=pump-8", NULL, false},
    {"CN=pump-70", NULL, false},
    {"CN=pump-", NULL, false},
    {"CN=pump-7.example", NULL, false},
    {"CN=pump-*", NULL, false},
    {"CN=gate,O=Acme", NULL, false},
    {"CN=pump-7,UID=pump-8", NULL, false},
    {"UID=pump-8,CN=pump-7", NULL, false},
    {"CN=pump-8,UID=pump-7", NULL, false},
    {"CN=pump-7,UID=root", NULL, false},
    {"CN=pump-7,serialNumber=1", NULL, false},
    {"CN=pump-7,emailAddress=root@b.example", NULL, false},
    {"CN=pump-7", "DNS:pump-8", false},
    {"CN=pump-7", "DNS:pump-7,DNS:pump-8", false},
    {"CN=pump-7", "DNS:pump-8,DNS:pump-7", false},
    {"CN=pump-7", "DNS:pump-7.example", false},
    {"CN=pump-7", "IP:192.0.2.1", false},
    {"CN=pump-7", "URI:urn:pump-7", false},
    {"CN=pump-7", "email:pump-7@b.example", false},
    {"O=Acme", "DNS:pump-8", false},
    {"O=Acme,OU=pump-7", NULL, false},
    {"O=pump-7", NULL, false},
};

/* F13: good for its own name alone, whatever else is known of who sends it. */
static void test_secret(void **state)
{
	struct identity *identity = *state;

	grants(identity, S, 0);
	identity->user.names = identity->srp.names = identity->external.names = any_name;
	identity->ra.names = any_name;
	identity->is_ra = true;
	check(identity, own_name, COUNT(own_name));
}

/* A name is no pattern. */
static void test_secret_is_no_pattern(void **state)
{
	static const char *const names[] = {"*", "pump-*", "**", "", "192.0.2.0/24"};
	static const struct names rows[] = {
	    {"CN=pump-7", NULL, false}, {"O=Acme", NULL, false}, {"O=Acme", "IP:192.0.2.1", false}};
	struct identity *identity = *state;

	grants(identity, S, 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		identity->secret.name = names[i];
		check(identity, rows, COUNT(rows));
	}
}

/* A manufacturer's certificate: the name of the label's rule, and not what stands in it. */
static void test_maker_name(void **state)
{
	struct identity *identity = *state;

	grants(identity, C, 0);
	identity->trust = TRUST_IMPLICIT;
	identity->certificate.name = NULL;
	buf_add_string(&identity->maker_name, "pump-7");
	check(identity, own_name, COUNT(own_name));
}

static void test_certificate(void **state)
{
	static const struct names rows[] = {{"CN=gate,O=Acme", NULL, true},
	    {"CN=gate,O=Acme", "DNS:gate.example,DNS:gate", true}, {"CN=gate", NULL, false},
	    {"CN=gate,O=Acme", "DNS:gate.example,DNS:pump-7", false},
	    {"CN=pump-7,O=Acme", "DNS:gate.example", false}, {"O=Acme", "DNS:gate.example", false}};
	static const enum trust_kind kinds[] = {TRUST_EXPLICIT, TRUST_IMPLICIT};
	struct identity *identity = *state;

	grants(identity, C, 0);
	identity->user.names = any_name;
	identity->ra.names = any_name; /* of somebody who is none */
	for (size_t i = 0; i < COUNT(kinds); i++) {
		identity->trust = kinds[i];
		check(identity, rows, COUNT(rows));
	}
	buf_reset(&identity->der);
	buf_add_string(&identity->der, "no certificate");
	assert_refusal(NAME_NOT_ALLOWED, may(identity, "CN=gate,O=Acme", NULL));
}

static void test_ra(void **state)
{
	static const struct names rows[] = {{"CN=gate,O=Acme", NULL, true},
	    {"CN=pump-7", NULL, true}, {"CN=pump-7", "DNS:pump-8", true}, {"CN=fan-7", NULL, false},
	    {"CN=pump-7", "DNS:fan-7", false}, {"O=Acme", NULL, false}};
	struct identity *identity = *state;

	grants(identity, C, 0);
	identity->is_ra = true;
	identity->ra.names = pumps;
	identity->user.names = fans;
	check(identity, rows, COUNT(rows));
}

/* Accounts: each by its own record, and by no other's. */
static void test_accounts(void **state)
{
	static const struct names rows[] = {{"CN=pump-7,O=Acme", NULL, true},
	    {"O=Acme", "DNS:pump-8", true}, {"CN=pump-7", "DNS:PUMP-8,DNS:pump-9", true},
	    {"CN=fan-7", NULL, false}, {"CN=pump-7", "DNS:fan-7", false},
	    {"CN=pump-7", "DNS:pump-7,IP:192.0.2.1", false}, {"CN=pump-7,UID=root", NULL, false},
	    {"O=Acme", NULL, false}, {"CN=gate,O=Acme", NULL, false}};
	struct identity *identity = *state;
	struct user_record *records[] = {&identity->user, &identity->srp, &identity->external};
	static const unsigned proofs[] = {P, R, X};

	for (size_t i = 0; i < COUNT(records); i++) {
		for (size_t k = 0; k < COUNT(records); k++)
			records[k]->names = i == k ? pumps : any_name;
		grants(identity, proofs[i], 0);
		check(identity, rows, COUNT(rows));
		records[i]->names = NULL;
		assert_refusal(NAME_NOT_ALLOWED, may(identity, "CN=pump-7", NULL));
	}
}

/* Makes the identity one of whose proofs these allow CN=gate,O=Acme, and the others do not. */
static void let(struct identity *identity, unsigned proofs)
{
	static const char *const gates[] = {"gate", NULL};

	identity->user.names = (proofs & P) != 0 ? gates : pumps;
	identity->srp.names = (proofs & R) != 0 ? gates : pumps;
	identity->external.names = (proofs & X) != 0 ? gates : pumps;
	identity->secret.name = (proofs & S) != 0 ? "gate" : "pump-7";
	buf_reset(&identity->maker_name);
	if ((proofs & C) == 0)
		buf_add_string(&identity->maker_name, "pump-7");
}

/* Of a set all have to allow it; of two sets one is enough; what is in none has no say. */
static void test_sets(void **state)
{
	struct identity *identity = *state;
	struct csr csr;

	parse("CN=gate,O=Acme", NULL, &csr);
	for (unsigned a = 1; a <= ALL; a++)
		for (unsigned allowing = 0; allowing <= ALL; allowing++) {
			unsigned b = ALL & ~a;
			bool one = (a & allowing) == a, other = b != 0 && (b & allowing) == b;
			let(identity, allowing);
			grants(identity, a, 0);
			assert_refusal(one ? REFUSAL_NONE : NAME_NOT_ALLOWED,
			    auth_allows(identity, &csr.name, &csr.wishes.sans));
			grants(identity, a, b);
			assert_refusal(one || other ? REFUSAL_NONE : NAME_NOT_ALLOWED,
			    auth_allows(identity, &csr.name, &csr.wishes.sans));
		}
	csr_clear(&csr);
}

/* Sets that share proofs: no one of them is made whole by what another lacks. */
static void test_sets_that_share(void **state)
{
	struct identity *identity = *state;

	grants(identity, P | C, R | C);
	for (unsigned allowing = 0; allowing <= ALL; allowing++) {
		bool fine = (allowing & C) != 0 && (allowing & (P | R)) != 0;
		let(identity, allowing);
		assert_refusal(
		    fine ? REFUSAL_NONE : NAME_NOT_ALLOWED, may(identity, "CN=gate,O=Acme", NULL));
	}
	let(identity, ALL);
	identity_drop(identity, P);
	assert_outcome(EST_OK, may(identity, "CN=gate,O=Acme", NULL));
	let(identity, P | C);
	assert_refusal(NAME_NOT_ALLOWED, may(identity, "CN=gate,O=Acme", NULL));
	identity_drop(identity, C);
	let(identity, ALL);
	assert_refusal(NAME_NOT_ALLOWED, may(identity, "CN=gate,O=Acme", NULL));
}

/* Proven is not enough: a method has to rest on it. */
static void test_nothing_granted(void **state)
{
	struct identity *identity = *state;

	let(identity, ALL);
	identity->granted_count = 0;
	assert_refusal(NAME_NOT_ALLOWED, may(identity, "CN=gate,O=Acme", NULL));
}

/* --- what they are called --- */

static void named(const struct identity *identity, const char *wanted)
{
	struct buf name = {0};

	auth_name(identity, &name);
	assert_string_equal(buf_string(&name), wanted);
	assert_string_equal(reason_text(), "");
	buf_free(&name);
}

static void test_name(void **state)
{
	static const struct {
		unsigned proven;
		const char *name;
	} rows[] = {{P, "user"}, {S, "pump-7"}, {R, "tls"}, {X, "web"}, {C, "device"},
	    {C | P, "device"}, {C | S, "device"}, {C | X, "device"}, {R | P, "user"}, {0, ""}};
	struct identity *identity = *state;

	identity->certificate.name = "device";
	for (size_t i = 0; i < COUNT(rows); i++) {
		identity->proven = rows[i].proven;
		if (rows[i].proven == 0)
			identity->external.name = NULL;
		named(identity, rows[i].name);
	}
}

/* That of another CA's certificate: by the label's rule, else its own. */
static void test_foreign_name(void **state)
{
	struct identity *identity = *state;

	identity->proven = C | P;
	identity->trust = TRUST_IMPLICIT;
	identity->certificate.name = NULL;
	named(identity, "gate");
	buf_add_string(&identity->maker_name, "pump-7");
	named(identity, "pump-7");
	buf_reset(&identity->maker_name);
	buf_reset(&identity->der);
	buf_add_string(&identity->der, "no certificate");
	named(identity, "");
}

/* What rates are counted for: a device has many certificates, and is one device. */
static void test_described(void **state)
{
	static const struct {
		enum proof proof;
		const char *text;
	} rows[] = {{P, "user:user"}, {S, "device:pump-7"}, {R, "srp:tls"}, {X, "external:web"},
	    {C, "certificate of:gate"}};
	struct identity *identity = *state;
	struct buf text = {0};

	identity->certificate.name = "GATE";
	for (size_t i = 0; i < COUNT(rows); i++) {
		identity_describe(identity, rows[i].proof, &text);
		assert_string_equal(buf_string(&text), rows[i].text);
		buf_reset(&text);
	}
	identity->trust = TRUST_IMPLICIT;
	identity->certificate.name = NULL;
	identity_describe(identity, PROOF_CERTIFICATE, &text);
	assert_int_equal(text.len, strlen("foreign-certificate:") + 64);
	buf_free(&text);
}

/* --- what was proven, and what it is good for --- */

static void test_suffices(void **state)
{
	static const struct identity identity = {
	    .proven = P | C | R, .granted = {P | C, R}, .granted_count = 2};
	static const struct identity nobody = {.proven = ALL, .granted = {C}, .granted_count = 0};

	(void)state;
	assert_true(identity_suffices(&identity, R));
	assert_true(identity_suffices(&identity, P | C));
	assert_true(identity_suffices(&identity, ALL));
	assert_false(identity_suffices(&identity, P));
	assert_false(identity_suffices(&identity, C));
	assert_false(identity_suffices(&identity, C | X | S));
	assert_false(identity_suffices(&identity, 0));
	assert_false(identity_suffices(&nobody, ALL));
}

static void test_drop(void **state)
{
	const struct identity all = {
	    .proven = P | C | R | X, .granted = {C, P | C, R, R | X}, .granted_count = 4};
	struct identity identity = all;

	(void)state;
	assert_true(identity_has(&identity, C));
	identity_drop(&identity, 0);
	assert_int_equal(identity.proven, P | C | R | X);
	assert_int_equal(identity.granted_count, 4);
	identity_drop(&identity, C);
	assert_false(identity_has(&identity, C));
	assert_int_equal(identity.proven, R | X);
	assert_int_equal(identity.granted_count, 2);
	assert_int_equal(identity.granted[0] ^ identity.granted[1], X);
	identity_drop(&identity, X);
	assert_int_equal(identity.proven, R);
	assert_int_equal(identity.granted_count, 1);
	identity_drop(&identity, R);
	assert_int_equal(identity.proven, 0);
	assert_int_equal(identity.granted_count, 0);
	identity = all;
	identity_drop(&identity, P | X);
	assert_int_equal(identity.proven, C | R);
	assert_int_equal(identity.granted_count, 2);
}

/* The names can be had where of the consumable proofs these alone are used. */
static bool can(
    const struct identity *identity, unsigned allowing, unsigned consumable, unsigned used)
{
	for (size_t i = 0; i < identity->granted_count; i++)
		if ((identity->granted[i] & ~allowing) == 0 &&
		    (identity->granted[i] & consumable & ~used) == 0)
			return true;
	return false;
}

static unsigned expected(const struct identity *identity, unsigned allowing, unsigned consumable)
{
	static const unsigned order[] = {S, P, R, X};

	if (can(identity, allowing, consumable, 0))
		return 0;
	for (unsigned spent = 0; spent < 2; spent++)
		for (size_t i = 0; i < COUNT(order); i++)
			if ((consumable & order[i]) != 0 &&
			    ((identity->spent & order[i]) != 0) == (spent == 1) &&
			    can(identity, allowing, consumable, order[i]))
				return order[i];
	return consumable;
}

static void check_consumed(struct identity *identity, const struct csr *csr, unsigned bits)
{
	unsigned limited = bits & (P | R | X);
	unsigned consumable = identity->proven & (limited | S);

	identity->user.uses_most = (limited & P) != 0;
	identity->srp.uses_most = (limited & R) != 0;
	identity->external.uses_most = (limited & X) != 0;
	identity->spent = consumable & bits & (S | P);
	for (unsigned allowing = 0; allowing <= ALL; allowing++) {
		if (!can(identity, allowing, consumable, ALL))
			continue;
		let(identity, allowing);
		assert_int_equal(auth_consumes(identity, &csr->name, &csr->wishes.sans),
		    expected(identity, allowing, consumable));
		assert_string_equal(reason_text(), "");
		assert_int_equal(identity->granted_count, 2);
	}
}

/*
 * What is used up is what the names cannot be had without: for all pairs of sets, all that may
 * allow the names, all accounts with uses and all that is spent.
 */
static void test_consumes(void **state)
{
	static const unsigned sets[] = {P, S, C, R, X, C | P, C | S, C | X, R | P};
	struct identity *identity = *state;
	struct csr csr;

	parse("CN=gate,O=Acme", NULL, &csr);
	for (size_t i = 0; i < COUNT(sets) * COUNT(sets); i++) {
		grants(identity, sets[i / COUNT(sets)], sets[i % COUNT(sets)]);
		identity->proven = identity->granted[0] | identity->granted[1];
		for (unsigned bits = 0; bits <= ALL; bits++)
			check_consumed(identity, &csr, bits);
	}
	csr_clear(&csr);
}

/* Only of those proofs, and only where there is an end to it. */
static void test_counted(void **state)
{
	static const struct {
		unsigned proof;
		const char *name;
	} rows[] = {{P, "user"}, {R, "srp:tls"}, {X, "web"}};
	struct identity identity = {
	    .user = {.name = "user"}, .srp = {.name = "srp:tls"}, .external = {.name = "web"}};

	(void)state;
	assert_null(identity_counted(&identity, ALL));
	identity.user.uses_most = identity.srp.uses_most = identity.external.uses_most = 1;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(
		    identity_counted(&identity, rows[i].proof | C | S), rows[i].name);
		assert_string_not_equal(
		    identity_counted(&identity, ALL & ~rows[i].proof), rows[i].name);
	}
	assert_null(identity_counted(&identity, C | S));
	identity.user.uses_most = 0;
	assert_string_equal(identity_counted(&identity, P | X), "web");
}

#define MADE(function) cmocka_unit_test_setup_teardown(function, make_identity, end_identity)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MADE(test_secret),
	    MADE(test_secret_is_no_pattern),
	    MADE(test_maker_name),
	    MADE(test_certificate),
	    MADE(test_ra),
	    MADE(test_accounts),
	    MADE(test_sets),
	    MADE(test_sets_that_share),
	    MADE(test_nothing_granted),
	    MADE(test_name),
	    MADE(test_foreign_name),
	    MADE(test_described),
	    TEST(test_suffices),
	    TEST(test_drop),
	    MADE(test_consumes),
	    TEST(test_counted),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
