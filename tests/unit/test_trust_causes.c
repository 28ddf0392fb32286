/*
 * F7 of security-cases: why nobody vouches for a client certificate, each cause by its own name; and
 * anchors and IDevIDs that are odd and right.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "common/auth/trust.h"
#include "refusal_test.h"

static const char *const ca_extensions[] = {"basicConstraints", "critical,CA:TRUE", "keyUsage",
    "critical,keyCertSign,cRLSign", "subjectKeyIdentifier", "hash", NULL};
static const char *const leaf_extensions[] = {"basicConstraints", "critical,CA:FALSE", "keyUsage",
    "critical,digitalSignature", "extendedKeyUsage", "clientAuth", "authorityKeyIdentifier",
    "keyid", NULL};

/* Our issuing CA, and another maker's, whom the label believes as well. */
static struct {
	X509 *ca, *maker;
	char *anchor;
	struct config_label label;
} world;

static X509 *make_ca(const char *subject, const char *key)
{
	return maker_cert(&(struct maker_cert){.subject = subject,
	    .key = key,
	    .until = MAKER_NOW + 3650 * MAKER_DAY,
	    .extensions = ca_extensions});
}

static X509 *make_leaf(X509 *issuer, const char *issuer_key)
{
	return maker_cert(&(struct maker_cert){.subject = "CN=pump",
	    .key = "P-256",
	    .issuer = issuer,
	    .issuer_key = issuer_key,
	    .extensions = leaf_extensions});
}

/* The label believes this CA, and no other maker's. */
static void believe(X509 *anchor)
{
	free(world.anchor);
	world.anchor = mem_string(maker_file("anchor.pem", maker_cert_pem(anchor)));
}

static int make_world(void **state)
{
	static char name[] = "label";

	(void)state;
	memset(&world, 0, sizeof(world));
	world.ca = make_ca("CN=Issuing", "P-256#ca");
	world.maker = make_ca("CN=Maker", "P-256#maker");
	believe(world.maker);
	world.label = (struct config_label){.name = name, .trust_anchors = {&world.anchor, 1, 3}};
	return 0;
}

static int end_world(void **state)
{
	free(world.anchor);
	return maker_clear(state);
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

/* The outcome for a leaf with what was sent behind it; NULL: nothing. */
static enum outcome verify(enum trust_kind *kind, X509 *leaf, X509 *sent)
{
	struct trust *trust = NULL;
	STACK_OF(X509) *stack = sk_X509_new_null();
	enum outcome outcome;

	if (sent != NULL)
		(void)sk_X509_push(stack, sent);
	assert_outcome(EST_OK, trust_make(&world.label, world.ca, &trust));
	outcome = trust_verify(trust, leaf, stack, MAKER_NOW, kind);
	trust_free(trust);
	sk_X509_free(stack);
	return outcome;
}

/* Refused for that cause, which the reason names; how it would be trusted otherwise. */
static enum trust_kind refuses_for(enum refusal wanted, const char *cause, X509 *leaf, X509 *sent)
{
	enum trust_kind kind = TRUST_NONE;
	enum outcome outcome = verify(&kind, leaf, sent);

	if (strstr(reason_text(), cause) == NULL)
		fail_msg("the reason does not say \"%s\": %s", cause, reason_text());
	assert_refusal(wanted, outcome);
	return kind;
}

static void untrusted(const char *cause, X509 *leaf, X509 *sent)
{
	assert_int_equal(refuses_for(AUTH_CERTIFICATE_UNTRUSTED, cause, leaf, sent), TRUST_NONE);
}

static void implicit(X509 *leaf)
{
	enum trust_kind kind = TRUST_NONE;

	assert_outcome(EST_OK, verify(&kind, leaf, NULL));
	assert_int_equal(kind, TRUST_IMPLICIT);
}

/* Keys and signatures that others can make up prove nothing. */
static void test_weak(void **state)
{
	static const char *const keys[] = {"RSA-512", "RSA-1024"}, *const digests[] = {
								       "MD5", "SHA1"};
	X509 *root = make_ca("CN=RSA Root", "RSA-2048");
	struct maker_cert spec = {.subject = "CN=pump",
	    .key = "P-256",
	    .issuer = root,
	    .issuer_key = "RSA-2048",
	    .extensions = leaf_extensions};

	(void)state;
	believe(root);
	implicit(maker_cert(&spec));
	for (size_t i = 0; i < COUNT(digests); i++) {
		spec.digest = digests[i];
		untrusted("MD5 or SHA-1", maker_cert(&spec), NULL);
	}
	spec.digest = NULL;
	for (size_t i = 0; i < COUNT(keys); i++) {
		spec.key = keys[i];
		untrusted("its key is too weak", maker_cert(&spec), NULL);
	}
}

/* Nor do those of a CA above, be it the anchor itself. */
static void test_weak_ca(void **state)
{
	X509 *weak = make_ca("CN=Weak Root", "RSA-1024"), *between;

	(void)state;
	between = maker_cert(&(struct maker_cert){.subject = "CN=Between",
	    .key = "RSA-1024",
	    .issuer = world.maker,
	    .issuer_key = "P-256#maker",
	    .extensions = ca_extensions});
	untrusted("key of a CA above", make_leaf(between, "RSA-1024"), between);
	believe(weak);
	untrusted("key of a CA above", make_leaf(weak, "RSA-1024"), NULL);
}

/* What an anchor is signed with itself does not matter: nobody verifies it. */
static void test_anchor_of_old(void **state)
{
	X509 *root = maker_cert(&(struct maker_cert){.subject = "CN=Old Root",
	    .key = "RSA-2048",
	    .until = MAKER_NOW + 3650 * MAKER_DAY,
	    .extensions = ca_extensions,
	    .digest = "SHA1"});

	(void)state;
	believe(root);
	implicit(make_leaf(root, "RSA-2048"));
}

/* What is wrong on the way to either set of anchors is told, not that it is none of the other's. */
static void test_causes(void **state)
{
	static const char *const critical[] = {"nsComment", "critical,unknown", NULL};
	X509 *device = make_leaf(world.maker, "P-256#maker");
	struct maker_cert odd = {.subject = "CN=odd",
	    .key = "P-256",
	    .issuer = world.maker,
	    .issuer_key = "P-256#maker",
	    .extensions = critical};
	X509 *child = maker_cert(&(struct maker_cert){
	    .subject = "CN=child", .key = "P-256#child", .issuer = device, .issuer_key = "P-256"});
	X509 *self = maker_cert(&(struct maker_cert){.subject = "CN=pump", .key = "P-256"});

	(void)state;
	untrusted("not a CA's", child, device);
	untrusted("critical extension", maker_cert(&odd), NULL);
	untrusted("signed by itself", self, NULL);
	untrusted("not signed by the CA", make_leaf(world.maker, "P-256#forger"), NULL);
	untrusted("not signed by the CA", make_leaf(world.ca, "P-256#forger"), NULL);
	odd.issuer = world.ca;
	odd.issuer_key = "P-256#ca";
	untrusted("critical extension", maker_cert(&odd), NULL);
	world.label.trust_anchors.count = 0;
	untrusted("issuer", device, NULL);
}

/* RFC 5280 6.1: an anchor's own name constraints count as those of a CA below it. */
static void test_constrained_anchor(void **state)
{
	static const char *const constrained[] = {"basicConstraints", "critical,CA:TRUE",
	    "keyUsage", "critical,keyCertSign", "subjectKeyIdentifier", "hash", "nameConstraints",
	    "critical,permitted;DNS:acme.example,excluded;DNS:old.acme.example", NULL};
	static const struct {
		const char *san, *cause;
	} cases[] = {{"DNS:pump.acme.example", NULL}, {"DNS:pump.other.example", "not permitted"},
	    {"DNS:pump.acme.example,DNS:gate.example", "not permitted"},
	    {"DNS:pump.old.acme.example", "excluded"}};
	X509 *root = maker_cert(&(struct maker_cert){.subject = "CN=Narrow",
	    .key = "P-256#narrow",
	    .until = MAKER_NOW + 3650 * MAKER_DAY,
	    .extensions = constrained});

	(void)state;
	believe(root);
	for (size_t i = 0; i < COUNT(cases); i++) {
		X509 *leaf = maker_cert(&(struct maker_cert){.subject = "CN=pump",
		    .key = "P-256",
		    .issuer = root,
		    .issuer_key = "P-256#narrow",
		    .extensions = (const char *[]){"subjectAltName", cases[i].san, NULL}});
		if (cases[i].cause == NULL)
			implicit(leaf);
		else
			untrusted(cases[i].cause, leaf, NULL);
	}
}

/* IEEE 802.1AR 8.7: an IDevID that does not end; and one that did. */
static void test_no_end(void **state)
{
	struct maker_cert spec = {.subject = "serialNumber=7",
	    .key = "P-256",
	    .issuer = world.maker,
	    .issuer_key = "P-256#maker",
	    .until = INT64_C(253402300799), /* 99991231235959Z */
	    .extensions = leaf_extensions};
	enum trust_kind kind;

	(void)state;
	implicit(maker_cert(&spec));
	spec.until = MAKER_NOW - 1;
	kind = refuses_for(AUTH_CERTIFICATE_EXPIRED, "has expired", maker_cert(&spec), NULL);
	assert_int_equal(kind, TRUST_IMPLICIT);
}

/*
 * Anchors of a directory, all of them; a CA in two of its files is no error, a certificate that is no CA's is,
 * and the reason says which (Vault's CVE-2024-2048: a device's certificate as an anchor).
 */
static void test_directory(void **state)
{
	X509 *second = make_ca("CN=Second", "P-256#second");
	struct trust *trust = NULL;
	enum outcome outcome;

	(void)state;
	(void)maker_file("again.pem", maker_cert_pem(world.maker));
	(void)maker_file("second.pem", maker_cert_pem(second));
	free(world.anchor);
	world.anchor = mem_string(maker_directory());
	implicit(make_leaf(world.maker, "P-256#maker"));
	implicit(make_leaf(second, "P-256#second"));
	(void)maker_file("device.pem", maker_cert_pem(make_leaf(second, "P-256#second")));
	outcome = trust_make(&world.label, world.ca, &trust);
	assert_non_null(strstr(reason_text(), maker_directory()));
	assert_non_null(strstr(reason_text(), "\"CN=pump\""));
	assert_outcome(EST_MALFORMED, outcome);
	assert_null(trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_weak),
	    WORLD(test_weak_ca),
	    WORLD(test_anchor_of_old),
	    WORLD(test_causes),
	    WORLD(test_constrained_anchor),
	    WORLD(test_no_end),
	    WORLD(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
