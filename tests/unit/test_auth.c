/*
 * Who asks, by every mixture of what a label wants and what was offered; and may they have that
 * name?
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "common/auth/auth.h"
#include "common/auth/password.h"
#include "common/base/encoding.h"
#include "common/pki/cert.h"
#include "refusal_test.h"

static const char *const ca_extensions[] = {
    "basicConstraints", "critical,CA:TRUE", "subjectKeyIdentifier", "hash", NULL};
static const char *const leaf_extensions[] = {
    "extendedKeyUsage", "clientAuth", "subjectAltName", "DNS:pump.example,IP:192.0.2.1", NULL};

static const char *const any_name[] = {"*", NULL},
			 *const pumps[] = {"pump-*", "**.pumps.example", NULL},
			 *const no_name[] = {NULL};

/*
 * A CA of ours and one of somebody else, certificates of both, one of ours that has expired and one
 * that signed itself; a user, and what is remembered of the certificates.
 */
static struct {
	X509 *ca, *other, *ours, *theirs, *late, *strange;
	struct config_label label;
	char *word[3], *anchor;
	struct trust *trust;
	char *hash;
	const char *const *names;
	struct span known; /* the certificate that is remembered; empty: none */
	const char *known_label;
	int revocation;
	enum outcome memory;
} world;

static char label_name[] = "plant";

static enum outcome user(void *context, const char *name, struct user_record *out)
{
	(void)context;
	if (world.memory != EST_OK)
		return reason(world.memory, "as the test wants it");
	if (strcmp(name, "worker") != 0)
		return reason(EST_NOT_FOUND, "no such user");
	*out = (struct user_record){.name = "worker",
	    .password = world.hash,
	    .names = world.names,
	    .roles = 1U << ROLE_ENROLL};
	return EST_OK;
}

static enum outcome certificate(void *context, const struct serial *serial, struct cert_record *out)
{
	struct cert_parts parts;

	(void)context;
	if (world.memory != EST_OK)
		return reason(world.memory, "as the test wants it");
	if (world.known.len == 0 || cert_parse(world.known, &parts) != EST_OK ||
	    !span_equal(parts.serial, (struct span){serial->octets, serial->len}))
		return reason(EST_NOT_FOUND, "no such certificate");
	*out = (struct cert_record){.serial = *serial,
	    .revocation_reason = world.revocation,
	    .label = world.known_label,
	    .der = world.known};
	return EST_OK;
}

static int make_world(void **state)
{
	struct maker_cert spec = {
	    .subject = "CN=CA", .key = "P-256#ca", .extensions = ca_extensions};
	struct buf hash = {0};

	(void)state;
	memset(&world, 0, sizeof(world));
	world.ca = maker_cert(&spec);
	spec.subject = "CN=Other";
	spec.key = "P-256#other";
	world.other = maker_cert(&spec);
	spec = (struct maker_cert){.subject = "CN=pump-7,O=Acme",
	    .key = "P-256",
	    .issuer = world.ca,
	    .issuer_key = "P-256#ca",
	    .extensions = leaf_extensions};
	world.ours = maker_cert(&spec);
	spec.issuer = world.other;
	spec.issuer_key = "P-256#other";
	world.theirs = maker_cert(&spec);
	spec.issuer = NULL;
	world.strange = maker_cert(&spec);
	spec.issuer = world.ca;
	spec.issuer_key = "P-256#ca";
	spec.from = MAKER_NOW - 2 * MAKER_DAY;
	spec.until = MAKER_NOW - MAKER_DAY;
	world.late = maker_cert(&spec);
	world.anchor = mem_string(maker_file("other.pem", maker_cert_pem(world.other)));
	world.label = (struct config_label){.name = label_name,
	    .trust_anchors = {&world.anchor, 1, 1},
	    .authenticate = {world.word, 0, 1}};
	assert_outcome(EST_OK, trust_make(&world.label, world.ca, &world.trust));
	assert_outcome(EST_OK, password_hash(BYTES("secret"), &hash));
	world.hash = mem_string(buf_string(&hash));
	buf_free(&hash);
	world.names = any_name;
	world.known = maker_cert_der(world.ours);
	world.known_label = label_name;
	world.revocation = NOT_REVOKED;
	return 0;
}

static int end_world(void **state)
{
	trust_free(world.trust);
	free(world.hash);
	free(world.anchor);
	return maker_clear(state);
}

/* The label's `authenticate`; NULL ends the list. */
static void wants(const char *a, const char *b)
{
	static char words[2][32];

	(void)snprintf(words[0], sizeof(words[0]), "%s", a);
	(void)snprintf(words[1], sizeof(words[1]), "%s", b == NULL ? "" : b);
	world.word[0] = words[0];
	world.word[1] = words[1];
	world.label.authenticate.count = b == NULL ? 1 : 2;
}

static enum outcome identify(const char *authorization, X509 *cert, struct identity *out)
{
	struct auth auth = {.label = &world.label,
	    .trust = world.trust,
	    .memory = {.user = user, .certificate = certificate},
	    .now = MAKER_NOW};
	struct credentials credentials = {
	    .authorization = authorization,
	    .certificate = cert == NULL ? NULL : maker_cert_pem(cert)};

	return auth_identify(&auth, &credentials, out);
}

#define RIGHT "Basic d29ya2VyOnNlY3JldA==" /* worker:secret */
#define WRONG "Basic d29ya2VyOndyb25n"     /* worker:wrong */

/*
 * T-13: four policies, and what comes with the request: the password, and a
 * certificate of ours, expired, theirs.
 */
static void test_policies(void **state)
{
	const enum refusal none = AUTH_MISSING, wrong = AUTH_PASSWORD, ok = REFUSAL_NONE,
			   late = AUTH_CERTIFICATE_EXPIRED, wanted = AUTH_CERTIFICATE_MISSING,
			   foreign = AUTH_CERTIFICATE_UNTRUSTED;
	const struct {
		const char *a, *b;
		enum refusal refusal[12];
	} rows[] = {
	    {"basic", NULL, {none, wrong, ok, none, wrong, ok, none, wrong, ok, none, wrong, ok}},
	    {"certificate", NULL,
		{wanted, wanted, wanted, ok, ok, ok, late, late, late, wanted, wanted, wanted}},
	    {"basic", "certificate",
		{none, wrong, ok, ok, ok, ok, late, wrong, ok, foreign, wrong, ok}},
	    {"certificate-and-basic", NULL,
		{none, wrong, wanted, none, wrong, ok, late, wrong, late, foreign, wrong, wanted}},
	};
	const char *authorization[] = {NULL, WRONG, RIGHT};
	X509 *cert[] = {NULL, world.ours, world.late, world.strange};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		wants(rows[i].a, rows[i].b);
		for (size_t k = 0; k < COUNT(rows[i].refusal); k++) {
			struct identity identity;
			enum outcome outcome =
			    identify(authorization[k % 3], cert[k / 3], &identity);
			if (!refusal_is(rows[i].refusal[k], outcome, "policy"))
				fail_msg("policy %zu, case %zu", i, k);
			assert_true((outcome == EST_OK) == (identity.text != NULL));
			identity_clear(&identity);
		}
	}
}

static void refuses(const char *authorization, X509 *cert, enum refusal wanted, const char *word)
{
	struct identity identity;
	enum outcome outcome = identify(authorization, cert, &identity);

	if (strstr(reason_text(), word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", reason_text(), word);
	assert_refusal(wanted, outcome);
	identity_clear(&identity);
}

/* Where both failed, code and text are about the one that the outcome is about. */
static void test_both_fail(void **state)
{
	(void)state;
	wants("basic", "certificate");
	refuses(WRONG, world.late, AUTH_PASSWORD, "password is wrong");
	refuses(WRONG, world.strange, AUTH_PASSWORD, "password is wrong");
	refuses("Bearer x", world.late, AUTH_HEADER, "Basic");
	refuses(NULL, world.strange, AUTH_CERTIFICATE_UNTRUSTED, "does not lead");
	refuses(NULL, NULL, AUTH_MISSING, "or a client certificate");
	wants("certificate", NULL);
	refuses(WRONG, world.strange, AUTH_CERTIFICATE_MISSING, "does not lead");
	refuses(WRONG, NULL, AUTH_CERTIFICATE_MISSING, "none came");
	wants("certificate-and-basic", NULL);
	refuses(RIGHT, world.strange, AUTH_CERTIFICATE_MISSING, "does not lead");
	refuses(RIGHT, NULL, AUTH_CERTIFICATE_MISSING, "beside what came");
	world.memory = EST_UNAVAILABLE;
	wants("basic", "certificate");
	refuses(WRONG, world.strange, SERVER_UNAVAILABLE, "as the test wants it");
	refuses("Bearer x", world.ours, SERVER_UNAVAILABLE, "as the test wants it");
}

static void test_identity(void **state)
{
	struct identity identity;

	(void)state;
	wants("basic", "certificate");
	assert_outcome(EST_OK, identify(RIGHT, NULL, &identity));
	assert_int_equal(identity.proven, PROOF_PASSWORD);
	assert_string_equal(identity.text, "user:worker");
	identity_clear(&identity);
	assert_outcome(EST_OK, identify(NULL, world.ours, &identity));
	assert_int_equal(identity.proven, PROOF_CERTIFICATE);
	assert_int_equal(identity.trust, TRUST_EXPLICIT);
	assert_memory_equal(identity.text, "certificate:", 12);
	assert_bytes(maker_cert_der(world.ours), buf_span(&identity.der));
	identity_clear(&identity);
	assert_outcome(EST_OK, identify(NULL, world.theirs, &identity));
	assert_int_equal(identity.trust, TRUST_IMPLICIT);
	identity_clear(&identity);
	identity_clear(&identity);
}

/*
 * Whoever reads the log tells a certificate of ours from another CA's with the same serial number.
 */
static void test_identity_is_one(void **state)
{
	struct identity ours, theirs;

	(void)state;
	assert_int_equal(X509_set_serialNumber(world.theirs, X509_get_serialNumber(world.ours)), 1);
	assert_true(X509_sign(world.theirs, maker_key("P-256#other"), EVP_sha256()) > 0);
	wants("certificate", NULL);
	assert_outcome(EST_OK, identify(NULL, world.ours, &ours));
	assert_outcome(EST_OK, identify(NULL, world.theirs, &theirs));
	assert_string_not_equal(ours.text, theirs.text);
	identity_clear(&ours);
	identity_clear(&theirs);
}

/*
 * F7, T-09, L-06: of our own CA only what we remember, as we remember it,
 * under this label, not revoked.
 */
static void test_ours(void **state)
{
	(void)state;
	wants("certificate", NULL);
	world.revocation = 1;
	refuses(NULL, world.ours, AUTH_CERTIFICATE_REVOKED, "keyCompromise");
	world.revocation = 0;
	refuses(NULL, world.ours, AUTH_CERTIFICATE_REVOKED, "revoked");
	world.revocation = NOT_REVOKED;
	refuses(NULL, world.ours, REFUSAL_NONE, "");
	world.known_label = "office";
	refuses(NULL, world.ours, AUTH_CERTIFICATE_LABEL, "office");
	world.known_label = label_name;
	world.known = (struct span){NULL, 0};
	refuses(NULL, world.ours, AUTH_CERTIFICATE_UNKNOWN, "not in our store");
	world.memory = EST_UNAVAILABLE;
	refuses(NULL, world.ours, SERVER_UNAVAILABLE, "as the test wants it");
}

/* F7: what else comes as a client's certificate. */
static void test_no_client_certificate(void **state)
{
	static const char *const forms[] = {
	    "", "(null)", "AAAA", "MAA=", "-----BEGIN CERTIFICATE-----"};
	struct maker_cert spec = {.subject = "CN=pump-7,O=Acme",
	    .key = "P-256#child",
	    .issuer = world.ours,
	    .issuer_key = "P-256",
	    .extensions = leaf_extensions};
	struct auth auth = {.label = &world.label,
	    .trust = world.trust,
	    .memory = {.user = user, .certificate = certificate},
	    .now = MAKER_NOW};
	X509 *child = maker_cert(&spec), *early;

	(void)state;
	wants("basic", "certificate");
	refuses(NULL, world.ca, AUTH_CERTIFICATE_PURPOSE, "CA's");
	refuses(NULL, world.other, AUTH_CERTIFICATE_PURPOSE, "CA's");
	refuses(NULL, child, AUTH_CERTIFICATE_UNTRUSTED, "does not lead");
	spec.issuer = world.ca;
	spec.issuer_key = "P-256#ca";
	spec.from = MAKER_NOW + 600;
	spec.until = MAKER_NOW + 1200;
	early = maker_cert(&spec);
	refuses(NULL, early, AUTH_CERTIFICATE_EARLY, "clocks");
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct credentials credentials = {.certificate = forms[i]};
		struct identity identity;
		assert_refusal(
		    AUTH_CERTIFICATE_FORM, auth_identify(&auth, &credentials, &identity));
		identity_clear(&identity);
	}
}

/* F7: octets behind the certificate, which whoever reads it first would not see: X.509 has none. */
static void test_trailing_octets(void **state)
{
	static const unsigned char tails[][4] = {{0}, {0x30, 0x00}, {0x05, 0x00}, {'\n'}};
	struct auth auth = {.label = &world.label,
	    .trust = world.trust,
	    .memory = {.user = user, .certificate = certificate},
	    .now = MAKER_NOW};
	struct span whole = maker_cert_der(world.ours);

	(void)state;
	wants("basic", "certificate");
	for (size_t i = 0; i <= COUNT(tails); i++) {
		struct buf der = {0}, text = {0};
		struct credentials credentials;
		struct identity identity;
		buf_add_span(&der, whole);
		if (i < COUNT(tails))
			buf_add(&der, tails[i], tails[i][0] == 0x30 || tails[i][0] == 0x05 ? 2 : 1);
		/* What is remembered is no help. */
		world.known = maker_copy(buf_span(&der));
		base64_encode(&text, buf_span(&der), 0);
		credentials = (struct credentials){.certificate = buf_string(&text)};
		assert_refusal(i < COUNT(tails) ? AUTH_CERTIFICATE_FORM : REFUSAL_NONE,
		    auth_identify(&auth, &credentials, &identity));
		identity_clear(&identity);
		buf_free(&der);
		buf_free(&text);
	}
}

/*
 * F7, T-09: our own CA's signature under a serial that we know, but not the
 * certificate that we know by it.
 */
static void test_same_serial(void **state)
{
	struct maker_cert spec = {.subject = "CN=pump-8,O=Acme",
	    .key = "P-256",
	    .issuer = world.ca,
	    .issuer_key = "P-256#ca",
	    .extensions = leaf_extensions};
	X509 *twin = maker_cert(&spec);

	(void)state;
	assert_int_equal(X509_set_serialNumber(twin, X509_get_serialNumber(world.ours)), 1);
	assert_true(X509_sign(twin, maker_key("P-256#ca"), EVP_sha256()) > 0);
	wants("certificate", NULL);
	refuses(NULL, world.ours, REFUSAL_NONE, "");
	refuses(NULL, twin, AUTH_CERTIFICATE_UNKNOWN, "not in our store");
	/*
	 * The same to be signed, signed a second time, as anybody can do with an ECDSA signature:
	 * the same certificate, and revoked where that is.
	 */
	twin = X509_dup(world.ours);
	assert_non_null(twin);
	assert_true(X509_sign(twin, maker_key("P-256#ca"), EVP_sha256()) > 0);
	refuses(NULL, twin, REFUSAL_NONE, "");
	world.revocation = KEY_COMPROMISE;
	refuses(NULL, twin, AUTH_CERTIFICATE_REVOKED, "revoked");
	X509_free(twin);
}

/* A certificate of ours that is revoked stays so where another label trusts our CA as somebody
 * else's (T-09). */
static void test_ours_by_another_way(void **state)
{
	struct identity identity;

	(void)state;
	wants("certificate", NULL);
	world.known = maker_cert_der(world.theirs);
	world.revocation = 1;
	assert_refusal(AUTH_CERTIFICATE_REVOKED, identify(NULL, world.theirs, &identity));
	identity_clear(&identity);
}

/* --- names --- */

static enum outcome user_may(const char *const *names, const char *subject, const char *san)
{
	const char *const extensions[] = {"subjectAltName", san, NULL};
	struct identity identity = {.proven = PROOF_PASSWORD,
	    .granted = {PROOF_PASSWORD},
	    .granted_count = 1,
	    .user = {.name = "worker", .names = names}};
	struct csr csr;
	enum outcome outcome;

	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256", subject, san == NULL ? NULL : extensions),
			CSR_KEY_PROVEN, &csr));
	outcome = auth_allows(&identity, &csr.name, &csr.wishes.sans);
	csr_clear(&csr);
	return outcome;
}

/* S-15: every name that a device is told apart by. */
static void test_user_names(void **state)
{
	(void)state;
	assert_outcome(EST_OK, user_may(pumps, "CN=pump-7,O=Acme", NULL));
	assert_outcome(EST_OK, user_may(pumps, "CN=pump-7", "DNS:a.pumps.example,DNS:PUMP-8"));
	assert_outcome(EST_OK,
	    user_may(any_name, "CN=admin,emailAddress=a@b.example", "IP:192.0.2.1,URI:urn:x"));
	assert_refusal(NAME_NOT_ALLOWED, user_may(pumps, "CN=admin", NULL));
	assert_refusal(NAME_NOT_ALLOWED, user_may(pumps, "CN=pump-7.evil", NULL));
	assert_refusal(NAME_NOT_ALLOWED, user_may(pumps, "CN=pump-7,UID=root", NULL));
	assert_refusal(NAME_NOT_ALLOWED, user_may(pumps, "CN=pump-7,serialNumber=1", NULL));
	assert_refusal(
	    NAME_NOT_ALLOWED, user_may(pumps, "CN=pump-7,emailAddress=root@b.example", NULL));
	assert_refusal(NAME_NOT_ALLOWED, user_may(pumps, "CN=pump-7", "DNS:admin.example"));
	assert_refusal(NAME_NOT_ALLOWED, user_may(pumps, "CN=pump-7", "DNS:pump-7,IP:192.0.2.1"));
	assert_refusal(NAME_NOT_ALLOWED, user_may(no_name, "CN=pump-7", NULL));
	assert_refusal(NAME_NOT_ALLOWED, user_may(NULL, "CN=pump-7", NULL));
}

/* A request without any such name is not one that every user may make. */
static void test_user_without_names(void **state)
{
	static const char *const subjects[] = {"O=Acme,OU=Admins", "O=Acme", "C=DE"};

	(void)state;
	for (size_t i = 0; i < COUNT(subjects); i++) {
		assert_refusal(NAME_NOT_ALLOWED, user_may(pumps, subjects[i], NULL));
		assert_refusal(NAME_NOT_ALLOWED, user_may(no_name, subjects[i], NULL));
	}
}

static enum outcome certificate_may(X509 *cert, const char *subject, const char *san)
{
	const char *const extensions[] = {"subjectAltName", san, NULL};
	struct span der = maker_cert_der(cert);
	struct identity identity = {
	    .proven = PROOF_CERTIFICATE, .granted = {PROOF_CERTIFICATE}, .granted_count = 1};
	struct csr csr;
	enum outcome outcome;

	buf_add_span(&identity.der, der);
	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256", subject, san == NULL ? NULL : extensions),
			CSR_KEY_PROVEN, &csr));
	outcome = auth_allows(&identity, &csr.name, &csr.wishes.sans);
	csr_clear(&csr);
	buf_free(&identity.der);
	return outcome;
}

static void test_certificate_names(void **state)
{
	(void)state;
	assert_outcome(EST_OK, certificate_may(world.ours, "CN=pump-7,O=Acme", NULL));
	assert_outcome(EST_OK, certificate_may(world.ours, "CN=PUMP-7,O=Acme", "IP:192.0.2.1"));
	assert_outcome(
	    EST_OK, certificate_may(world.ours, "CN=pump-7,O=Acme", "DNS:PUMP.example,DNS:pump-7"));
	assert_refusal(NAME_NOT_ALLOWED, certificate_may(world.ours, "CN=pump-8,O=Acme", NULL));
	assert_refusal(NAME_NOT_ALLOWED, certificate_may(world.ours, "CN=pump-7", NULL));
	assert_refusal(NAME_NOT_ALLOWED, certificate_may(world.ours, "O=Acme,CN=pump-7", NULL));
	assert_refusal(
	    NAME_NOT_ALLOWED, certificate_may(world.ours, "CN=pump-7,O=Acme,OU=Admins", NULL));
	assert_refusal(
	    NAME_NOT_ALLOWED, certificate_may(world.ours, "CN=pump-7,O=Acme", "DNS:admin.example"));
	assert_refusal(
	    NAME_NOT_ALLOWED, certificate_may(world.ours, "CN=pump-7,O=Acme", "IP:192.0.2.2"));
	assert_refusal(NAME_NOT_ALLOWED,
	    certificate_may(world.ours, "CN=pump-7,O=Acme", "DNS:pump.example,URI:urn:x"));
}

/* Both are wanted: then both must allow it; of two that suffice alone, one. */
static void test_both(void **state)
{
	struct identity identity = {
	    .proven = PROOF_PASSWORD | PROOF_CERTIFICATE, .user = {.name = "worker"}};
	struct csr csr;

	(void)state;
	buf_add_span(&identity.der, maker_cert_der(world.ours));
	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256", "CN=pump-7,O=Acme", NULL), CSR_KEY_PROVEN, &csr));
	for (int both = 0; both < 2; both++) {
		identity.granted[0] =
		    both == 1 ? PROOF_PASSWORD | PROOF_CERTIFICATE : PROOF_PASSWORD;
		identity.granted[1] = PROOF_CERTIFICATE;
		identity.granted_count = both == 1 ? 1 : 2;
		identity.user.names = any_name;
		assert_outcome(EST_OK, auth_allows(&identity, &csr.name, &csr.wishes.sans));
		identity.user.names = no_name;
		assert_refusal(both == 1 ? NAME_NOT_ALLOWED : REFUSAL_NONE,
		    auth_allows(&identity, &csr.name, &csr.wishes.sans));
	}
	csr_clear(&csr);
	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256", "CN=pump-8,O=Acme", NULL), CSR_KEY_PROVEN, &csr));
	identity.user.names = any_name;
	assert_refusal(NAME_NOT_ALLOWED, auth_allows(&identity, &csr.name, &csr.wishes.sans));
	identity.granted_count = 0;
	assert_refusal(NAME_NOT_ALLOWED, auth_allows(&identity, &csr.name, &csr.wishes.sans));
	csr_clear(&csr);
	buf_free(&identity.der);
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_policies),
	    WORLD(test_both_fail),
	    WORLD(test_no_client_certificate),
	    WORLD(test_identity),
	    WORLD(test_identity_is_one),
	    WORLD(test_ours),
	    WORLD(test_ours_by_another_way),
	    WORLD(test_trailing_octets),
	    WORLD(test_same_serial),
	    TEST(test_user_names),
	    TEST(test_user_without_names),
	    WORLD(test_certificate_names),
	    WORLD(test_both),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
