/*
 * Whose client certificates are believed, what they lead to, and why others are not.
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
static const char *const server_extensions[] = {"keyUsage", "critical,digitalSignature",
    "extendedKeyUsage", "serverAuth", "authorityKeyIdentifier", "keyid", NULL};

/* Our root and the issuing CA below it, another maker's root and its issuing CA. */
static struct {
	X509 *root, *ca, *other_root, *other_ca;
	struct config_label label;
	char *anchors[2], *helpers[2];
} world;

static X509 *make_ca(const char *subject, const char *key, X509 *issuer, const char *issuer_key)
{
	return maker_cert(&(struct maker_cert){.subject = subject,
	    .key = key,
	    .issuer = issuer,
	    .issuer_key = issuer_key,
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

static char *pem_file(const char *name, X509 *cert)
{
	return mem_string(maker_file(name, maker_cert_pem(cert)));
}

static char label_name[] = "label";

static int make_world(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.root = make_ca("CN=Root", "P-256#root", NULL, NULL);
	world.ca = make_ca("CN=Issuing", "P-256#ca", world.root, "P-256#root");
	world.other_root = make_ca("CN=Other Root", "P-256#other-root", NULL, NULL);
	world.other_ca =
	    make_ca("CN=Other Issuing", "P-256#other-ca", world.other_root, "P-256#other-root");
	world.anchors[0] = pem_file("other-root.pem", world.other_root);
	world.helpers[0] = pem_file("other-ca.pem", world.other_ca);
	world.label =
	    (struct config_label){.name = label_name, .trust_anchors = {world.anchors, 1, 3}};
	return 0;
}

static int end_world(void **state)
{
	free(world.anchors[0]);
	free(world.helpers[0]);
	return maker_clear(state);
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

/* The outcome for a leaf with what was sent behind it; NULL ends the list. */
static enum outcome verify_at(int64_t now, enum trust_kind *kind, X509 *leaf, X509 *const sent[])
{
	struct trust *trust = NULL;
	STACK_OF(X509) *stack = sk_X509_new_null();
	enum outcome outcome;

	for (; sent != NULL && *sent != NULL; sent++)
		(void)sk_X509_push(stack, *sent);
	assert_outcome(EST_OK, trust_make(&world.label, world.ca, &trust));
	outcome = trust_verify(trust, leaf, sk_X509_num(stack) == 0 ? NULL : stack, now, kind);
	trust_free(trust);
	sk_X509_free(stack);
	return outcome;
}

static enum outcome verify(enum trust_kind *kind, X509 *leaf, X509 *const sent[])
{
	return verify_at(MAKER_NOW, kind, leaf, sent);
}

static void test_explicit(void **state)
{
	enum trust_kind kind = TRUST_NONE;
	X509 *leaf = make_leaf(world.ca, "P-256#ca");

	(void)state;
	assert_outcome(EST_OK, verify(&kind, leaf, NULL));
	assert_int_equal(kind, TRUST_EXPLICIT);
	assert_outcome(EST_OK, verify(&kind, leaf, (X509 *[]){world.ca, world.root, NULL}));
	assert_int_equal(kind, TRUST_EXPLICIT);
	world.label.trust_anchors.count = 0;
	assert_outcome(EST_OK, verify(&kind, leaf, NULL));
	assert_int_equal(kind, TRUST_EXPLICIT);
}

/* Through an intermediate of the configuration, or one that the client sent; never without it. */
static void test_implicit(void **state)
{
	enum trust_kind kind = TRUST_NONE;
	X509 *leaf = make_leaf(world.other_ca, "P-256#other-ca");
	X509 *direct = make_leaf(world.other_root, "P-256#other-root");

	(void)state;
	assert_outcome(EST_OK, verify(&kind, direct, NULL));
	assert_int_equal(kind, TRUST_IMPLICIT);
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, leaf, NULL));
	assert_outcome(EST_OK, verify(&kind, leaf, (X509 *[]){world.other_ca, NULL}));
	assert_int_equal(kind, TRUST_IMPLICIT);
	world.label.intermediates = (struct words){world.helpers, 1, 4};
	assert_outcome(EST_OK, verify(&kind, leaf, NULL));
	assert_int_equal(kind, TRUST_IMPLICIT);
	world.label.trust_anchors.count = 0;
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED,
	    verify(&kind, leaf, (X509 *[]){world.other_ca, world.other_root, NULL}));
}

/* Our root is no anchor: other CAs stand under it. A helper is none either, nor what was sent. */
static void test_no_anchor(void **state)
{
	enum trust_kind kind = TRUST_NONE;
	X509 *sibling = make_ca("CN=Sibling", "P-256#sibling", world.root, "P-256#root");
	X509 *leaf = make_leaf(sibling, "P-256#sibling");
	X509 *of_root = make_leaf(world.root, "P-256#root");
	X509 *alone = maker_cert(&(struct maker_cert){
	    .subject = "CN=pump", .key = "P-256", .extensions = leaf_extensions + 0});

	(void)state;
	assert_refusal(
	    AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, leaf, (X509 *[]){sibling, world.root, NULL}));
	assert_refusal(
	    AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, of_root, (X509 *[]){world.root, NULL}));
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, alone, NULL));
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, alone, (X509 *[]){alone, NULL}));
	world.label.intermediates = (struct words){world.helpers, 1, 4};
	world.label.trust_anchors.count = 0;
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED,
	    verify(&kind, make_leaf(world.other_ca, "P-256#other-ca"), NULL));
}

/* Our CA's name without its key: an anchor does not stand behind it, whatever else is wrong with
 * it. */
static void test_forged(void **state)
{
	enum trust_kind kind = TRUST_NONE;
	X509 *leaf = make_leaf(world.ca, "P-256#forger");
	X509 *expired = maker_cert(&(struct maker_cert){.subject = "CN=pump",
	    .key = "P-256",
	    .issuer = world.ca,
	    .issuer_key = "P-256#forger",
	    .from = 86400,
	    .until = 2 * 86400,
	    .extensions = leaf_extensions});
	X509 *server = maker_cert(&(struct maker_cert){.subject = "CN=pump",
	    .key = "P-256",
	    .issuer = world.ca,
	    .issuer_key = "P-256#forger",
	    .extensions = server_extensions});
	X509 *twin = make_ca("CN=Issuing", "P-256#forger", NULL, NULL);
	X509 *of_twin = make_leaf(twin, "P-256#forger");

	(void)state;
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, leaf, NULL));
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, expired, NULL));
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, of_twin, NULL));
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, of_twin, (X509 *[]){twin, NULL}));
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, server, NULL));
}

/* The seconds around the first and the last one; of the last itself OpenSSL has its own opinion. */
static void test_dates(void **state)
{
	enum trust_kind kind = TRUST_NONE;
	X509 *ours = make_leaf(world.ca, "P-256#ca");
	X509 *theirs = make_leaf(world.other_root, "P-256#other-root");

	(void)state;
	for (int i = 0; i < 2; i++) {
		X509 *leaf = i == 0 ? ours : theirs;
		assert_outcome(EST_OK, verify_at(MAKER_NOW - MAKER_DAY, &kind, leaf, NULL));
		assert_outcome(EST_OK, verify_at(MAKER_NOW + MAKER_DAY - 1, &kind, leaf, NULL));
		assert_refusal(AUTH_CERTIFICATE_EXPIRED,
		    verify_at(MAKER_NOW + MAKER_DAY + 1, &kind, leaf, NULL));
	}
	world.ca = maker_cert(&(struct maker_cert){.subject = "CN=Issuing",
	    .key = "P-256#ca",
	    .issuer = world.root,
	    .issuer_key = "P-256#root",
	    .from = 86400,
	    .until = MAKER_NOW + 3650 * MAKER_DAY,
	    .extensions = ca_extensions});
	assert_refusal(
	    AUTH_CERTIFICATE_EARLY, verify_at(MAKER_NOW - MAKER_DAY - 1, &kind, ours, NULL));
}

/* Expired is expired, whatever chain the client sends along and whatever else the label trusts. */
static void test_expired_with_chain(void **state)
{
	enum trust_kind kind = TRUST_NONE;
	int64_t later = MAKER_NOW + 2 * MAKER_DAY;
	X509 *ours = make_leaf(world.ca, "P-256#ca");
	X509 *server = maker_cert(&(struct maker_cert){.subject = "CN=pump",
	    .key = "P-256",
	    .issuer = world.ca,
	    .issuer_key = "P-256#ca",
	    .extensions = server_extensions});

	(void)state;
	assert_refusal(
	    AUTH_CERTIFICATE_EXPIRED, verify_at(later, &kind, ours, (X509 *[]){world.ca, NULL}));
	assert_refusal(AUTH_CERTIFICATE_EXPIRED,
	    verify_at(later, &kind, ours, (X509 *[]){world.ca, world.root, NULL}));
	assert_refusal(AUTH_CERTIFICATE_PURPOSE,
	    verify(&kind, server, (X509 *[]){world.ca, world.root, NULL}));
}

static void test_purpose(void **state)
{
	static const char *const encipherment[] = {"keyUsage", "critical,keyEncipherment", NULL};
	static const char *const plain[] = {"basicConstraints", "CA:FALSE", NULL};
	enum trust_kind kind = TRUST_NONE;
	struct maker_cert spec = {
	    .subject = "CN=pump", .key = "P-256", .issuer = world.ca, .issuer_key = "P-256#ca"};

	(void)state;
	spec.extensions = server_extensions;
	assert_refusal(AUTH_CERTIFICATE_PURPOSE, verify(&kind, maker_cert(&spec), NULL));
	spec.extensions = encipherment;
	assert_refusal(AUTH_CERTIFICATE_PURPOSE, verify(&kind, maker_cert(&spec), NULL));
	spec.extensions = plain;
	assert_outcome(EST_OK, verify(&kind, maker_cert(&spec), NULL));
	spec.issuer = world.other_root;
	spec.issuer_key = "P-256#other-root";
	spec.extensions = server_extensions;
	assert_refusal(AUTH_CERTIFICATE_PURPOSE, verify(&kind, maker_cert(&spec), NULL));
}

/*
 * A CA is no device, be it an anchor itself or one below it, with what it is signed by or without.
 */
static void test_ca_as_leaf(void **state)
{
	enum trust_kind kind = TRUST_NONE;
	X509 *below = make_ca("CN=Below", "P-256#below", world.ca, "P-256#ca");

	(void)state;
	assert_refusal(AUTH_CERTIFICATE_PURPOSE, verify(&kind, world.ca, NULL));
	assert_refusal(AUTH_CERTIFICATE_PURPOSE,
	    verify(&kind, world.ca, (X509 *[]){world.ca, world.root, NULL}));
	assert_refusal(AUTH_CERTIFICATE_PURPOSE, verify(&kind, below, NULL));
	assert_refusal(AUTH_CERTIFICATE_PURPOSE, verify(&kind, world.other_root, NULL));
	assert_refusal(AUTH_CERTIFICATE_PURPOSE, verify(&kind, world.other_ca, NULL));
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, world.root, NULL));
}

/* A device that signs another one: the old hole of RFC 5280 4.2.1.9. */
static void test_leaf_as_ca(void **state)
{
	static const char *const no_constraints[] = {"subjectKeyIdentifier", "hash", NULL};
	enum trust_kind kind = TRUST_NONE;
	X509 *device = make_leaf(world.ca, "P-256#ca");
	X509 *vague = maker_cert(&(struct maker_cert){.subject = "CN=vague",
	    .key = "P-256",
	    .issuer = world.other_root,
	    .issuer_key = "P-256#other-root",
	    .extensions = no_constraints});
	X509 *child = maker_cert(&(struct maker_cert){
	    .subject = "CN=child", .key = "P-256#child", .issuer = device, .issuer_key = "P-256"});
	X509 *vague_child = maker_cert(&(struct maker_cert){
	    .subject = "CN=child", .key = "P-256#child", .issuer = vague, .issuer_key = "P-256"});

	(void)state;
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, child, (X509 *[]){device, NULL}));
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED,
	    verify(&kind, child, (X509 *[]){device, world.ca, world.root, NULL}));
	assert_refusal(
	    AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, vague_child, (X509 *[]){vague, NULL}));
}

/* RFC 5280 6.1.4 (l), (n), 4.2: path length, key usage and critical extensions are looked at. */
static void test_path_rules(void **state)
{
	static const char *const no_further[] = {"basicConstraints", "critical,CA:TRUE,pathlen:0",
	    "keyUsage", "critical,keyCertSign", "subjectKeyIdentifier", "hash", NULL};
	static const char *const no_signing[] = {"basicConstraints", "critical,CA:TRUE", "keyUsage",
	    "critical,digitalSignature", "subjectKeyIdentifier", "hash", NULL};
	static const char *const names[] = {"basicConstraints", "critical,CA:TRUE", "keyUsage",
	    "critical,keyCertSign", "nameConstraints", "critical,excluded;DNS:example", NULL};
	static const char *const excluded[] = {"subjectAltName", "DNS:a.example", NULL};
	enum trust_kind kind = TRUST_NONE;
	struct maker_cert spec = {.subject = "CN=Short",
	    .key = "P-256#short",
	    .issuer = world.other_root,
	    .issuer_key = "P-256#other-root",
	    .extensions = no_further};
	X509 *between = maker_cert(&spec),
	     *below = make_ca("CN=Below", "P-256#below", between, "P-256#short");
	X509 *leaf = make_leaf(below, "P-256#below");

	(void)state;
	assert_refusal(
	    AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, leaf, (X509 *[]){below, between, NULL}));
	spec.extensions = no_signing;
	between = maker_cert(&spec);
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED,
	    verify(&kind, make_leaf(between, "P-256#short"), (X509 *[]){between, NULL}));
	spec.extensions = names;
	between = maker_cert(&spec);
	leaf = maker_cert(&(struct maker_cert){.subject = "CN=pump",
	    .key = "P-256",
	    .issuer = between,
	    .issuer_key = "P-256#short",
	    .extensions = excluded});
	assert_refusal(AUTH_CERTIFICATE_UNTRUSTED, verify(&kind, leaf, (X509 *[]){between, NULL}));
}

static void make_fails(enum outcome wanted, char *file, bool anchors)
{
	struct trust *trust = NULL;
	struct words *words = anchors ? &world.label.trust_anchors : &world.label.intermediates;
	struct words before = *words;
	enum outcome outcome;

	*words = (struct words){&file, 1, 3};
	outcome = trust_make(&world.label, world.ca, &trust);
	if (strstr(reason_text(), strrchr(file, '/') + 1) == NULL)
		fail_msg("the reason does not name %s: %s", file, reason_text());
	assert_outcome(wanted, outcome);
	assert_null(trust);
	*words = before;
}

static void test_files(void **state)
{
	X509 *device = make_leaf(world.other_root, "P-256#other-root");
	struct buf bad = {0};
	char missing[] = "/nonexistent/a.pem";
	const char *files[4];

	(void)state;
	buf_printf(&bad, "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    maker_cert_pem(world.other_root));
	files[0] = maker_file("empty.pem", "");
	files[1] = maker_file("none.pem", "no certificate\n");
	files[2] = maker_file("half.pem", buf_string(&bad));
	files[3] = maker_file("device.pem", maker_cert_pem(device));
	buf_free(&bad);
	make_fails(EST_NOT_FOUND, missing, true);
	make_fails(EST_NOT_FOUND, missing, false);
	for (size_t i = 0; i < COUNT(files); i++) {
		char *file = mem_string(files[i]);
		make_fails(EST_MALFORMED, file, true);
		if (i < 3)
			make_fails(EST_MALFORMED, file, false);
		free(file);
	}
	trust_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_explicit),
	    WORLD(test_implicit),
	    WORLD(test_no_anchor),
	    WORLD(test_forged),
	    WORLD(test_dates),
	    WORLD(test_expired_with_chain),
	    WORLD(test_purpose),
	    WORLD(test_ca_as_leaf),
	    WORLD(test_leaf_as_ca),
	    WORLD(test_path_rules),
	    WORLD(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
