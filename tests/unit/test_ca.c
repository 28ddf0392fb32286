/*
 * Issuing: what the lint finds is never signed, and what was not signed by the CA never leaves. And
 * the proof of a profile, before anybody asks.
 */
#include "profile_test.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/ca/ca.h"
#include "common/ca/ca_make.h"
#include "common/pki/der.h"

#define WORDS(...)                                                                                 \
	{                                                                                          \
		(char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), 7       \
	}

static struct words one_key = WORDS("P-256"), signing = WORDS("digitalSignature"),
		    enciphering = WORDS("keyEncipherment"), any = WORDS("anyExtendedKeyUsage"),
		    server = WORDS("serverAuth"), all_names = WORDS("dns", "ip", "email", "uri");

static const struct config_profile device = {.line = 12,
    .name = (char[]){"device"},
    .validity = 90 * MAKER_DAY,
    .keys = WORDS("P-256", "P-384", "P-521", "Ed25519", "RSA-2048", "RSA-3072", "RSA-4096"),
    .key_usage = WORDS("digitalSignature", "keyEncipherment"),
    .extended_key_usage = WORDS("clientAuth"),
    .subject = WORDS("CN", "O", "C", "serialNumber"),
    .subject_alt_names = WORDS("dns", "ip")};

/* --- a backend that counts, and can be made to lie --- */

enum lie { TRUTH, OTHER_BYTES, BENT, CUT, NOTHING, FAILURE };

static struct {
	unsigned signatures;
	enum lie lie;
} backend;

static enum outcome sign(struct ca *ca, struct span tbs, struct buf *signature)
{
	static const unsigned char other[] = "something else altogether";
	enum outcome outcome;

	backend.signatures++;
	if (backend.lie == FAILURE)
		return reason(EST_UNAVAILABLE, "the token is not there");
	if (backend.lie == NOTHING)
		return EST_OK;
	if (backend.lie == OTHER_BYTES)
		tbs = (struct span){other, sizeof(other)};
	outcome = ca_local.sign(ca, tbs, signature);
	if (backend.lie == BENT)
		signature->data[signature->len - 1] ^= 1;
	if (backend.lie == CUT)
		signature->len--;
	return outcome;
}

/* --- a CA of the test's own --- */

static struct ca_pair pair;
static struct config_ca config;
static struct ca_backend counting;

static struct ca *open_ca(const char *key, bool with_key)
{
	struct ca_wish wish = {.organization = "Acme", .key = key, .now = clock_now()};
	struct buf certificate = {0}, private_key = {0};
	struct ca *ca = NULL;

	assert_outcome(EST_OK, ca_make(CA_ROOT, &wish, NULL, &pair));
	assert_outcome(EST_OK, ca_certificate_pem(pair.certificate, &certificate));
	assert_outcome(EST_OK, ca_key_pem(pair.key, (struct span){0}, &private_key));
	config = (struct config_ca){.name = (char[]){"root"}};
	config.certificate = mem_string(maker_file("ca.pem", buf_string(&certificate)));
	config.key = mem_string(maker_file("ca.key", buf_string(&private_key)));
	buf_free(&certificate);
	buf_free(&private_key);
	assert_outcome(EST_OK, ca_open(&config, with_key, &ca));
	counting = ca_local;
	counting.sign = sign;
	ca->backend = &counting;
	backend.signatures = 0;
	backend.lie = TRUTH;
	return ca;
}

static void close_ca(struct ca *ca)
{
	ca_close(ca);
	ca_pair_clear(&pair);
	free(config.certificate);
	free(config.key);
}

/* --- a plan --- */

static struct profile *profile;

struct order {
	struct cert_plan plan;
	struct lint_want want;
	struct csr csr;
	struct buf extensions;
};

static void make_order(struct order *order)
{
	static const char *const wishes[] = {"subjectAltName", "DNS:pump.example", NULL};

	memset(order, 0, sizeof(*order));
	assert_outcome(
	    EST_OK, csr_parse(maker_csr("P-256", "CN=pump", wishes), CSR_KEY_PROVEN, &order->csr));
	profile_extensions(
	    profile, &order->csr, &order->csr.wishes.sans, false, &order->extensions);
	order->want = (struct lint_want){.subject = order->csr.subject,
	    .spki = order->csr.spki,
	    .sans = &order->csr.wishes.sans,
	    .profile = profile};
	order->plan = (struct cert_plan){.subject = order->csr.subject,
	    .spki = order->csr.spki,
	    .extensions = buf_span(&order->extensions),
	    .not_before = clock_now(),
	    .want = &order->want};
	order->plan.not_after = order->plan.not_before + device.validity - 1;
}

static void clear_order(struct order *order)
{
	buf_free(&order->extensions);
	csr_clear(&order->csr);
}

static void test_every_key(void **state)
{
	static const char *const keys[] = {"P-256", "P-384", "RSA-2048", "Ed25519"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct ca *ca = open_ca(keys[i], true);
		/* Contexts are kept from one to the next. */
		for (unsigned n = 1; n <= 3; n++) {
			struct order order;
			struct buf out = {0};
			const unsigned char *at;
			X509 *cert;
			make_order(&order);
			assert_outcome(EST_OK, ca_issue(ca, &order.plan, &out));
			assert_int_equal(backend.signatures, n);
			at = out.data;
			cert = d2i_X509(NULL, &at, (long)out.len);
			assert_non_null(cert);
			assert_int_equal(X509_verify(cert, pair.key), 1);
			assert_int_equal(X509_check_issued(pair.certificate, cert), X509_V_OK);
			X509_free(cert);
			buf_free(&out);
			clear_order(&order);
		}
		close_ca(ca);
	}
}

/* --- what must not be signed --- */

static void issuer(struct ca *ca, struct order *order)
{
	(void)order;
	ca->subject = maker_name("CN=Acme Root CA");
}

static void key_id(struct ca *ca, struct order *order)
{
	(void)order;
	ca->key_id = BYTES("another key identifie");
}

static void extensions(struct order *order, const char *notation)
{
	buf_reset(&order->extensions);
	buf_add_span(&order->extensions, maker_der(notation));
	order->plan.extensions = buf_span(&order->extensions);
}

static void ca_true(struct ca *ca, struct order *order)
{
	(void)ca;
	extensions(order, "30{06{551d13}0101ff04{30{0101ff}}}30{06{551d0f}0101ff04{03{0780}}}"
			  "30{06{551d25}04{30{06{2b06010505070302}}}}"
			  "30{06{551d11}04{30{82{'pump.example'}}}}");
}

static void no_extensions(struct ca *ca, struct order *order)
{
	(void)ca;
	extensions(order, "");
}

static void garbage(struct ca *ca, struct order *order)
{
	(void)ca;
	extensions(order, "3080");
}

static void too_long(struct ca *ca, struct order *order)
{
	(void)ca;
	order->plan.not_after++;
}

static void other_key(struct ca *ca, struct order *order)
{
	(void)ca;
	order->plan.spki = maker_spki("P-256#other");
}

static void other_subject(struct ca *ca, struct order *order)
{
	(void)ca;
	order->plan.subject = maker_name("CN=bump");
}

static void nul_in_name(struct ca *ca, struct order *order)
{
	(void)ca;
	order->plan.subject = order->want.subject =
	    maker_der("30{31{30{06{550403}0c{'pump'00'.example'}}}}");
}

static void other_names(struct ca *ca, struct order *order)
{
	static const struct sans none;

	(void)ca;
	order->want.sans = &none;
}

/* E6: nothing is signed, and the reason has its code and its rule. */
static void test_defects(void **state)
{
	static const struct {
		void (*make)(struct ca *ca, struct order *order);
		const char *rule;
	} defects[] = {
	    {issuer, "issuer-wanted"},
	    {key_id, "aki-wanted"},
	    {ca_true, "bc-ca"},
	    {no_extensions, "bc-missing"},
	    {garbage, "extension-form"},
	    {too_long, "validity-profile"},
	    {other_key, "spki-wanted"},
	    {other_subject, "subject-wanted"},
	    {nul_in_name, "name-nul"},
	    {other_names, "san-wanted"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(defects); i++) {
		struct ca *ca = open_ca("P-256", true);
		struct order order;
		struct buf out = {0};
		make_order(&order);
		defects[i].make(ca, &order);
		assert_int_equal(ca_issue(ca, &order.plan, &out), EST_INTERNAL);
		assert_int_equal(refusal_recorded(EST_INTERNAL), SERVER_LINT);
		if (strstr(reason_text(), defects[i].rule) == NULL)
			fail_msg("%s: \"%s\"", defects[i].rule, reason_text());
		assert_int_equal(backend.signatures, 0);
		assert_int_equal(out.len, 0);
		reason_clear();
		clear_order(&order);
		close_ca(ca);
		maker_clear(NULL);
	}
}

/* A signature that the certificate's key does not verify is a fault, not a certificate. */
static void test_lies(void **state)
{
	static const char *const keys[] = {"P-256", "P-384", "RSA-2048", "Ed25519"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct ca *ca = open_ca(keys[i], true);
		struct order order;
		struct buf out = {0};
		for (backend.lie = OTHER_BYTES; backend.lie <= NOTHING; backend.lie++) {
			make_order(&order);
			assert_outcome(EST_INTERNAL, ca_issue(ca, &order.plan, &out));
			assert_int_equal(out.len, 0);
			clear_order(&order);
		}
		make_order(&order);
		backend.lie = FAILURE;
		assert_outcome(EST_UNAVAILABLE, ca_issue(ca, &order.plan, &out));
		assert_int_equal(out.len, 0);
		backend.lie = TRUTH;
		assert_outcome(EST_OK, ca_issue(ca, &order.plan, &out));
		assert_true(out.len > 0);
		buf_free(&out);
		clear_order(&order);
		close_ca(ca);
		maker_clear(NULL);
	}
}

/* The digest is that of the CA's curve. */
static void test_algorithm(void **state)
{
	struct ca *ca = open_ca("P-256", true);
	struct order order;
	struct buf out = {0};
	X509 *cert;
	const unsigned char *at;

	(void)state;
	make_order(&order);
	assert_outcome(EST_OK, ca_issue(ca, &order.plan, &out));
	at = out.data;
	cert = d2i_X509(NULL, &at, (long)out.len);
	assert_int_equal(X509_get_signature_nid(cert), NID_ecdsa_with_SHA256);
	X509_free(cert);
	buf_reset(&out);
	clear_order(&order);
	close_ca(ca);
	ca = open_ca("P-384", true);
	make_order(&order);
	assert_outcome(EST_OK, ca_issue(ca, &order.plan, &out));
	at = out.data;
	cert = d2i_X509(NULL, &at, (long)out.len);
	assert_int_equal(X509_get_signature_nid(cert), NID_ecdsa_with_SHA384);
	X509_free(cert);
	buf_free(&out);
	clear_order(&order);
	close_ca(ca);
}

/* Dates beyond the CA's are cut to it, so that it is not the lint that finds them. */
static void test_dates(void **state)
{
	struct ca *ca = open_ca("P-256", true);
	struct order order;
	struct buf out = {0};

	(void)state;
	make_order(&order);
	ca->not_after = order.plan.not_before + 3600;
	assert_outcome(EST_OK, ca_issue(ca, &order.plan, &out));
	assert_int_equal(order.plan.not_after, ca->not_after);
	buf_reset(&out);
	ca->not_after = clock_now() - 1;
	assert_outcome(EST_UNAVAILABLE, ca_issue(ca, &order.plan, &out));
	assert_int_equal(out.len, 0);
	assert_int_equal(backend.signatures, 1);
	buf_free(&out);
	clear_order(&order);
	close_ca(ca);
}

/* --- proofs --- */

static enum outcome prove(const struct ca *ca, const struct config_profile *of)
{
	struct profile *made = NULL;
	enum outcome outcome;

	assert_outcome(EST_OK, profile_make("est.conf", of, &made));
	outcome = ca_prove(ca, made);
	profile_free(made);
	return outcome;
}

static void test_proofs(void **state)
{
	static const char *const keys[] = {"P-256", "P-384", "RSA-2048", "Ed25519"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct ca *ca = open_ca(keys[i], false);
		struct config_profile of = device;
		assert_outcome(EST_OK, prove(ca, &of));
		of.extended_key_usage = (struct words){NULL, 0, 0};
		assert_outcome(EST_OK, prove(ca, &of));
		of.extended_key_usage = server;
		of.subject_alt_names = all_names;
		of.empty_subject = true;
		assert_outcome(EST_OK, prove(ca, &of));
		of.validity = 40000 * MAKER_DAY; /* cut to the CA's */
		assert_outcome(EST_OK, prove(ca, &of));
		assert_int_equal(backend.signatures, 0);
		close_ca(ca);
	}
}

/*
 * A profile by which nothing that is right can be issued. The text says which, and where it stands.
 */
static void assert_unproven(const struct ca *ca, const struct config_profile *of, const char *rule)
{
	assert_int_equal(prove(ca, of), EST_MALFORMED);
	if (strstr(reason_text(), rule) == NULL ||
	    strstr(reason_text(), "profile \"device\" (line 12)") == NULL)
		fail_msg("%s: \"%s\"", rule, reason_text());
	reason_clear();
}

static void test_refuted(void **state)
{
	struct ca *ca = open_ca("P-256", false);
	struct config_profile of;

	(void)state;
	of = device;
	of.extended_key_usage = any;
	assert_unproven(ca, &of, "eku-any");
	of = device;
	of.key_usage = enciphering; /* EC keys cannot: RFC 8813 3 */
	assert_unproven(ca, &of, "ku-zero");
	of.keys = one_key;
	of.key_usage = signing;
	assert_outcome(EST_OK, prove(ca, &of));
	of = device;
	of.extended_key_usage = server;
	of.subject_alt_names = (struct words){NULL, 0, 0};
	assert_unproven(ca, &of, "san-missing");
	of = device;
	of.subject = (struct words){NULL, 0, 0};
	assert_unproven(ca, &of, "subject-profile");
	close_ca(ca);
}

/* --- profiles that fix names and extensions, and those of CAs --- */

static enum outcome prove_keys(const struct ca *ca, const char *keys)
{
	struct test_profile made;
	enum outcome outcome;

	test_profile_make(keys, &made);
	outcome = ca_prove(ca, made.profile);
	test_profile_clear(&made);
	return outcome;
}

/* What the rules want is found out from them: no sample breaks its own profile's. */
static void test_proofs_of_rules(void **state)
{
	static const char *const fine[] = {
	    "subject_patterns = [ \"CN=pump-*.example\", \"O=**Works\", \"C=DE\" ];",
	    "subject = [ \"CN\" ]; subject_fixed = [ \"O=Pump Works\", \"C=DE\" ];",
	    "subject_alt_names = [ \"dns\", \"ip\", \"email\", \"uri\" ];\n"
	    "san_patterns = [ \"dns:*.example\", \"ip:10.0.0.0/8\", \"email:*@x\", "
	    "\"uri:urn:dev:**\" ];",
	    "san_fixed = [ \"uri:urn:plant:7\", \"ip:2001:db8::1\" ];",
	    "subject_alt_names = [ ]; san_fixed = [ \"dns:a.example\" ];\n"
	    "extended_key_usage = [ \"serverAuth\" ];",
	    "subject_from = \"identity\"; san_from = \"cn\";\n"
	    "subject_patterns = [ \"CN=pump-*.example\" ];",
	    "subject = [ ]; subject_fixed = [ \"O=Acme\" ];",
	    "empty_subject = true; subject_fixed = [ \"O=Acme\" ];",
	    "policies = [ \"1.2.3\" ]; crl_urls = [ \"http://a/crl\" ];\n"
	    "ocsp_urls = [ \"https://a/ocsp\" ]; issuer_urls = [ \"ldap://a/cn=a\" ];\n"
	    "must_staple = true; extensions = [ \"1.2.3 critical 0500\" ];",
	    "ca = true; key_usage = [ \"keyCertSign\" ]; extended_key_usage = [ ];",
	    "ca = true; key_usage = [ \"keyCertSign\" ]; path_length = \"none\";",
	};
	struct ca *ca = open_ca("P-256", false);

	(void)state;
	for (size_t i = 0; i < COUNT(fine); i++)
		assert_outcome(EST_OK, prove_keys(ca, fine[i]));
	close_ca(ca);
}

/* By these no certificate could ever be issued, and it is said why. */
static void test_refuted_rules(void **state)
{
	static const struct {
		const char *keys, *why;
	} rows[] = {
	    {"subject_patterns = [ \"C=D*E\" ];", "name-length"},
	    {"subject_patterns = [ \"serialNumber=a_*\" ];", "name-"},
	    {"san_patterns = [ \"dns:*..example\" ];", "san-name"},
	    {"extensions = [ \"2.5.29.30 critical 300aa0083006820465782e61\" ];", "extension-ca"},
	    {"ca = true; key_usage = [ \"keyCertSign\" ];\n"
	     "extensions = [ \"2.5.29.30 300aa0083006820465782e61\" ];",
		"extension-critical"},
	};
	struct ca *ca = open_ca("P-256", false);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum outcome outcome = prove_keys(ca, rows[i].keys);
		if (strstr(reason_text(), rows[i].why) == NULL ||
		    strstr(reason_text(), "profile \"p\" (line 3)") == NULL)
			fail_msg("%s: \"%s\"", rows[i].why, reason_text());
		assert_outcome(EST_MALFORMED, outcome);
	}
	close_ca(ca);
}

/* A CA of so long a path under a root of so long a one: "CA:TRUE,pathlen:1"; NULL: no root. */
static enum outcome prove_below(const char *root, const char *issuing, const char *path_length)
{
	static const char form[] = "ca = true; key_usage = [ \"keyCertSign\" ];\n"
				   "extended_key_usage = [ ]; path_length = \"%s\";";
	const char *const root_extensions[] = {"basicConstraints", root, "keyUsage",
	    "critical,keyCertSign", "subjectKeyIdentifier", "hash", NULL};
	const char *const extensions[] = {"basicConstraints", issuing, "keyUsage",
	    "critical,keyCertSign", "subjectKeyIdentifier", "hash", NULL};
	struct maker_cert top = {.subject = "CN=Root",
	    .key = "P-256#root",
	    .from = MAKER_NOW,
	    .until = MAKER_NOW + 3650 * MAKER_DAY,
	    .extensions = root_extensions};
	struct maker_cert below = {.subject = "CN=Issuing",
	    .key = "P-256#issuing",
	    .issuer_key = "P-256#root",
	    .from = MAKER_NOW,
	    .until = MAKER_NOW + 3650 * MAKER_DAY,
	    .extensions = extensions};
	struct config_ca its = {.name = (char[]){"edge"}};
	struct buf pem = {0}, keys = {0};
	struct ca *ca = NULL;
	X509 *certificate;
	enum outcome outcome;

	below.issuer = maker_cert(&top);
	certificate = maker_cert(&below);
	buf_add_string(&pem, maker_cert_pem(certificate));
	buf_add_string(&pem, maker_cert_pem(below.issuer));
	its.certificate = mem_string(maker_file("chain.pem", buf_string(&pem)));
	assert_outcome(EST_OK, ca_open(&its, false, &ca));
	buf_printf(&keys, form, path_length);
	outcome = prove_keys(ca, buf_string(&keys));
	ca_close(ca);
	free(its.certificate);
	buf_free(&pem);
	buf_free(&keys);
	return outcome;
}

/* RFC 5280 4.2.1.9: a path that no verifier would take is not issued. */
static void test_path_length(void **state)
{
	static const struct {
		const char *root, *issuing, *path_length;
		const char *why; /* NULL: it is fine */
	} rows[] = {
	    {"critical,CA:TRUE", "critical,CA:TRUE", "none", NULL},
	    {"critical,CA:TRUE", "critical,CA:TRUE", "8", NULL},
	    {"critical,CA:TRUE", "critical,CA:TRUE,pathlen:0", "0", "no CA below it"},
	    {"critical,CA:TRUE", "critical,CA:TRUE,pathlen:1", "0", NULL},
	    {"critical,CA:TRUE", "critical,CA:TRUE,pathlen:1", "1", "at most \"0\""},
	    {"critical,CA:TRUE", "critical,CA:TRUE,pathlen:1", "none", "at most \"0\""},
	    {"critical,CA:TRUE", "critical,CA:TRUE,pathlen:3", "3", "at most \"2\""},
	    {"critical,CA:TRUE", "critical,CA:TRUE,pathlen:3", "2", NULL},
	    {"critical,CA:TRUE,pathlen:1", "critical,CA:TRUE", "0", "no CA below it"},
	    {"critical,CA:TRUE,pathlen:2", "critical,CA:TRUE", "0", NULL},
	    {"critical,CA:TRUE,pathlen:2", "critical,CA:TRUE,pathlen:5", "1", "at most \"0\""},
	    {"critical,CA:TRUE,pathlen:0", "critical,CA:TRUE", "0", "no CA below it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum outcome outcome =
		    prove_below(rows[i].root, rows[i].issuing, rows[i].path_length);
		if (rows[i].why != NULL && strstr(reason_text(), rows[i].why) == NULL)
			fail_msg("%zu: \"%s\"", i, reason_text());
		assert_outcome(rows[i].why == NULL ? EST_OK : EST_MALFORMED, outcome);
		maker_clear(NULL);
	}
}

static int begin(void **state)
{
	(void)state;
	return profile_make("est.conf", &device, &profile) == EST_OK ? 0 : -1;
}

static int end(void **state)
{
	profile_free(profile);
	return maker_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_key),
	    TEST(test_defects),
	    TEST(test_lies),
	    TEST(test_algorithm),
	    TEST(test_dates),
	    TEST(test_proofs),
	    TEST(test_refuted),
	    TEST(test_proofs_of_rules),
	    TEST(test_refuted_rules),
	    TEST(test_path_length),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
