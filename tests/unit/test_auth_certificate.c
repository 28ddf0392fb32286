/*
 * test_auth_certificate.c - certificates that count a little beyond their end (T-10), once more
 * after they were superseded (N-09), and those of registration authorities (T-18).
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/objects.h>

#include "common/auth/auth.h"
#include "common/pki/cert.h"
#include "refusal_test.h"

#define HOUR 3600

static const char *const ca_extensions[] = {
    "basicConstraints", "critical,CA:TRUE", "keyUsage", "critical,keyCertSign", NULL};
static const char *const device_extensions[] = {"extendedKeyUsage", "clientAuth", NULL};
static const char *const ra_extensions[] = {
    "extendedKeyUsage", "clientAuth,1.3.6.1.5.5.7.3.28", NULL};

/* What is remembered. */
static struct {
	X509 *ca, *maker_ca;
	struct span known;
	int revocation;
	int64_t revoked_at;
	const char *const *ra_names, *const *ra_labels;
	struct config_label label;
	char *word, *anchor;
	struct trust *trust;
	int64_t grace, superseded_since;
} world;

static enum outcome user(void *context, const char *name, struct user_record *out)
{
	(void)context;
	if (world.ra_names == NULL || strcmp(name, "ra:gate") != 0)
		return EST_NOT_FOUND;
	*out = (struct user_record){
	    .name = "ra:gate", .password = "*", .names = world.ra_names, .labels = world.ra_labels};
	return EST_OK;
}

static enum outcome certificate(void *context, const struct serial *serial, struct cert_record *out)
{
	struct cert_parts parts;

	(void)context;
	if (world.known.len == 0 || cert_parse(world.known, &parts) != EST_OK ||
	    !span_equal(parts.serial, (struct span){serial->octets, serial->len}))
		return EST_NOT_FOUND;
	*out = (struct cert_record){.serial = *serial,
	    .revocation_reason = world.revocation,
	    .revoked_at = world.revoked_at,
	    .name = "gate",
	    .label = "",
	    .der = world.known};
	return EST_OK;
}

static int make_world(void **state)
{
	static char empty[] = "";
	struct maker_cert spec = {
	    .subject = "CN=CA", .key = "P-256#ca", .extensions = ca_extensions};

	(void)state;
	memset(&world, 0, sizeof(world));
	world.ca = maker_cert(&spec);
	spec.subject = "CN=Maker";
	spec.key = "P-256#maker";
	world.maker_ca = maker_cert(&spec);
	world.anchor = mem_string(maker_file("maker.pem", maker_cert_pem(world.maker_ca)));
	world.word = mem_string("certificate");
	world.label = (struct config_label){.name = empty,
	    .trust_anchors = {&world.anchor, 1, 1},
	    .authenticate = {&world.word, 1, 1}};
	world.revocation = NOT_REVOKED;
	assert_outcome(EST_OK, trust_make(&world.label, world.ca, &world.trust));
	return 0;
}

static int end_world(void **state)
{
	trust_free(world.trust);
	free(world.anchor);
	free(world.word);
	return maker_clear(state);
}

/* A certificate of ours that ended so many seconds ago (negative: is still good). */
static X509 *ours(int64_t ended, const char *const *extensions)
{
	X509 *cert = maker_cert(&(struct maker_cert){.subject = "CN=gate",
	    .key = "P-256",
	    .issuer = world.ca,
	    .issuer_key = "P-256#ca",
	    .from = MAKER_NOW - 10 * HOUR,
	    .until = MAKER_NOW - ended,
	    .extensions = extensions});

	world.known = maker_cert_der(cert);
	return cert;
}

static enum outcome identify(X509 *cert, struct identity *out)
{
	struct auth auth = {.label = &world.label,
	    .trust = world.trust,
	    .memory = {.user = user, .certificate = certificate},
	    .grace = world.grace,
	    .superseded_since = world.superseded_since,
	    .now = MAKER_NOW};
	struct credentials credentials = {.certificate = maker_cert_pem(cert)};

	return auth_identify(&auth, &credentials, out);
}

static void refuses(enum refusal wanted, X509 *cert)
{
	struct identity identity;

	assert_refusal(wanted, identify(cert, &identity));
	identity_clear(&identity);
}

static void test_grace(void **state)
{
	struct identity identity;
	X509 *late = ours(HOUR, device_extensions);

	(void)state;
	refuses(AUTH_CERTIFICATE_EXPIRED, late);
	world.grace = HOUR / 2;
	refuses(AUTH_CERTIFICATE_EXPIRED, late);
	world.grace = 2 * HOUR;
	assert_outcome(EST_OK, identify(late, &identity));
	assert_int_equal(identity.proven, PROOF_CERTIFICATE);
	assert_true(identity.late);
	identity_clear(&identity);
	world.revocation = KEY_COMPROMISE;
	refuses(AUTH_CERTIFICATE_REVOKED, late);
}

/* A certificate that is good is not late; one that is not good yet stays so (Lamassu's bug 641). */
static void test_grace_is_for_the_end(void **state)
{
	struct identity identity;
	X509 *early;

	(void)state;
	world.grace = 2 * HOUR;
	assert_outcome(EST_OK, identify(ours(-HOUR, device_extensions), &identity));
	assert_false(identity.late);
	identity_clear(&identity);
	early = maker_cert(&(struct maker_cert){.subject = "CN=gate",
	    .key = "P-256",
	    .issuer = world.ca,
	    .issuer_key = "P-256#ca",
	    .from = MAKER_NOW + HOUR,
	    .until = MAKER_NOW + 2 * HOUR,
	    .extensions = device_extensions});
	world.known = maker_cert_der(early);
	refuses(AUTH_CERTIFICATE_EARLY, early);
}

/* It is for ours alone, and not for those that were made for something else. */
static void test_grace_is_for_ours(void **state)
{
	static const char *const server[] = {"extendedKeyUsage", "serverAuth", NULL};
	X509 *theirs = maker_cert(&(struct maker_cert){.subject = "CN=gate",
	    .key = "P-256",
	    .issuer = world.maker_ca,
	    .issuer_key = "P-256#maker",
	    .from = MAKER_NOW - 10 * HOUR,
	    .until = MAKER_NOW - HOUR,
	    .extensions = device_extensions});

	(void)state;
	world.grace = 2 * HOUR;
	refuses(AUTH_CERTIFICATE_EXPIRED, theirs);
	refuses(AUTH_CERTIFICATE_PURPOSE, ours(HOUR, server));
}

static void test_superseded(void **state)
{
	struct identity identity;
	X509 *cert = ours(-HOUR, device_extensions);

	(void)state;
	world.revocation = SUPERSEDED;
	world.revoked_at = MAKER_NOW - 60;
	refuses(AUTH_CERTIFICATE_REVOKED, cert);
	world.superseded_since = MAKER_NOW - 30;
	refuses(AUTH_CERTIFICATE_REVOKED, cert);
	world.superseded_since = MAKER_NOW - 90;
	assert_outcome(EST_OK, identify(cert, &identity));
	assert_true(identity.superseded);
	identity_clear(&identity);
	world.revocation = KEY_COMPROMISE;
	refuses(AUTH_CERTIFICATE_REVOKED, cert);
}

/*
 * Of an ECDSA signature (r, s) anybody makes (r, n - s), which is as good: the certificate is the same.
 */
static X509 *with_other_signature(X509 *cert)
{
	const ASN1_BIT_STRING *signature;
	const unsigned char *at;
	X509 *twin = X509_dup(cert);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *other = BN_new();
	ECDSA_SIG *pair;
	unsigned char *der = NULL;
	int len;

	X509_get0_signature(&signature, NULL, twin);
	at = ASN1_STRING_get0_data(signature);
	pair = d2i_ECDSA_SIG(NULL, &at, ASN1_STRING_length(signature));
	assert_non_null(pair);
	assert_int_equal(BN_sub(other, EC_GROUP_get0_order(group), ECDSA_SIG_get0_s(pair)), 1);
	assert_int_equal(ECDSA_SIG_set0(pair, BN_dup(ECDSA_SIG_get0_r(pair)), other), 1);
	len = i2d_ECDSA_SIG(pair, &der);
	assert_int_equal(ASN1_STRING_set((ASN1_STRING *)(uintptr_t)signature, der, len), 1);
	OPENSSL_free(der);
	ECDSA_SIG_free(pair);
	EC_GROUP_free(group);
	return twin;
}

static void test_twins(void **state)
{
	struct identity identity, twin;
	X509 *cert = ours(-HOUR, device_extensions), *other = with_other_signature(cert);

	(void)state;
	assert_outcome(EST_OK, identify(cert, &identity));
	assert_outcome(EST_OK, identify(other, &twin));
	assert_string_equal(identity.text, twin.text);
	identity_clear(&identity);
	identity_clear(&twin);
	world.revocation = KEY_COMPROMISE;
	refuses(AUTH_CERTIFICATE_REVOKED, cert);
	refuses(AUTH_CERTIFICATE_REVOKED, other);
	X509_free(other);
}

static void test_foreign_twins(void **state)
{
	struct identity identity, twin;
	X509 *cert = maker_cert(&(struct maker_cert){.subject = "CN=gate",
	    .key = "P-256",
	    .issuer = world.maker_ca,
	    .issuer_key = "P-256#maker",
	    .extensions = device_extensions});
	X509 *other = with_other_signature(cert);

	(void)state;
	assert_outcome(EST_OK, identify(cert, &identity));
	assert_outcome(EST_OK, identify(other, &twin));
	assert_string_equal(identity.text, twin.text);
	identity_clear(&identity);
	identity_clear(&twin);
	/* One that we remember although another anchor stands behind it, and that was revoked. */
	world.known = maker_cert_der(cert);
	world.revocation = KEY_COMPROMISE;
	refuses(AUTH_CERTIFICATE_REVOKED, other);
	X509_free(other);
}

/* --- registration authorities --- */

static enum outcome may(const struct identity *identity, const char *subject, const char *san)
{
	const char *const extensions[] = {"subjectAltName", san, NULL};
	struct csr csr;
	enum outcome outcome;

	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256#device", subject, san == NULL ? NULL : extensions),
			CSR_KEY_PROVEN, &csr));
	outcome = auth_allows(identity, &csr.name, &csr.wishes.sans);
	csr_clear(&csr);
	return outcome;
}

static void test_ra(void **state)
{
	static const char *const names[] = {"pump-*", NULL};
	struct identity identity;

	(void)state;
	world.ra_names = names;
	assert_outcome(EST_OK, identify(ours(-HOUR, ra_extensions), &identity));
	assert_true(identity.is_ra);
	assert_outcome(EST_OK, may(&identity, "CN=pump-7", NULL));
	assert_outcome(EST_OK, may(&identity, "CN=pump-7", "DNS:pump-8"));
	assert_outcome(EST_OK, may(&identity, "CN=gate", NULL));
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=admin", NULL));
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=pump-7", "DNS:admin"));
	identity_clear(&identity);
}

/* Who is not registered, or for another label, asks for its own name alone. */
static void test_ra_unregistered(void **state)
{
	static const char *const names[] = {"pump-*", NULL}, *const labels[] = {"other", NULL};
	struct identity identity;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_outcome(EST_OK, identify(ours(-HOUR, ra_extensions), &identity));
		assert_false(identity.is_ra);
		assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=pump-7", NULL));
		assert_outcome(EST_OK, may(&identity, "CN=gate", NULL));
		identity_clear(&identity);
		world.ra_names = names;
		world.ra_labels = labels;
	}
}

/* T-18: who issued it counts as much as what it says (libest's est_check_cmcRA looks at one). */
static void test_ra_is_ours(void **state)
{
	static const char *const names[] = {"*", NULL};
	struct identity identity;
	X509 *theirs = maker_cert(&(struct maker_cert){.subject = "CN=gate",
	    .key = "P-256",
	    .issuer = world.maker_ca,
	    .issuer_key = "P-256#maker",
	    .extensions = ra_extensions});

	(void)state;
	world.ra_names = names;
	assert_outcome(EST_OK, identify(theirs, &identity));
	assert_false(identity.is_ra);
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=pump-7", NULL));
	identity_clear(&identity);
	assert_outcome(EST_OK, identify(ours(-HOUR, device_extensions), &identity));
	assert_false(identity.is_ra);
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=pump-7", NULL));
	identity_clear(&identity);
}

static void test_name(void **state)
{
	struct identity identity = {.proven = PROOF_PASSWORD, .user = {.name = "worker"}};
	struct buf name = {0};

	(void)state;
	auth_name(&identity, &name);
	assert_string_equal(buf_string(&name), "worker");
	buf_reset(&name);
	assert_outcome(EST_OK, identify(ours(-HOUR, device_extensions), &identity));
	auth_name(&identity, &name);
	assert_string_equal(buf_string(&name), "gate");
	identity_clear(&identity);
	buf_free(&name);
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_grace),
	    WORLD(test_grace_is_for_the_end),
	    WORLD(test_grace_is_for_ours),
	    WORLD(test_superseded),
	    WORLD(test_twins),
	    WORLD(test_foreign_twins),
	    WORLD(test_ra),
	    WORLD(test_ra_unregistered),
	    WORLD(test_ra_is_ours),
	    WORLD(test_name),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
