/*
 * What a device is called by its manufacturer's certificate: rules, fields, and values that are no
 * names.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "common/auth/auth.h"
#include "common/auth/manufacturer.h"
#include "common/pki/der.h"
#include "refusal_test.h"

/* An IDevID of any subject and SubjectAltName; nobody looks at the rest of it. */
static struct span idevid(struct span subject, struct span sans)
{
	struct span extensions = {NULL, 0};

	if (sans.len > 0)
		extensions = maker_der("a3{30{30{06{551d11}04{$}}}}", sans);
	return maker_der("30{30{a0{020102}020105 30{06{2a8648ce3d040302}}$"
			 "30{17{'250101000000Z'}18{'99991231235959Z'}}$$$}"
			 "30{06{2a8648ce3d040302}}03{0030{020101020101}}}",
	    maker_name("CN=Maker CA"), subject, maker_spki("P-256"), extensions);
}

static struct span subject(const char *text)
{
	return idevid(maker_name(text), (struct span){NULL, 0});
}

/* One whose SAN holds this HardwareModuleName (RFC 4108 5), behind names of other kinds. */
static struct span hardware(struct span module)
{
	return idevid(maker_name("CN=x"),
	    maker_der("30{82{'a.example'}a0{06{2a864886f70d01010101}a0{0c{'no'}}}"
		      "a0{06{2b06010505070804}a0{$}}}",
		module));
}

static struct span module(struct span serial)
{
	return maker_der("30{06{2b06010401b40a01}04{$}}", serial);
}

static void assert_named(const char *wanted, const char *rule, struct span certificate)
{
	struct buf name = {0};

	assert_null(manufacturer_rule_check(rule));
	buf_add_string(&name, "=");
	assert_outcome(EST_OK, manufacturer_name(rule, certificate, &name));
	assert_int_equal(name.data[0], '=');
	assert_string_equal(buf_string(&name) + 1, wanted);
	buf_free(&name);
}

/* Refused, by a reason that names the field; and nothing is appended. */
static void assert_nameless(const char *field, const char *rule, struct span certificate)
{
	struct buf name = {0};
	enum outcome outcome = manufacturer_name(rule, certificate, &name);

	if (strstr(reason_text(), field) == NULL)
		fail_msg("%s: the reason does not name %s: %s", rule, field, reason_text());
	assert_refusal(NAME_NOT_ALLOWED, outcome);
	assert_int_equal(name.len, 0);
	buf_free(&name);
}

static void test_rules(void **state)
{
	static const char *const good[] = {"{CN}", "{serialNumber}", "{UID}", "{O}-{OU}", "{dns}",
	    "{ip}", "{email}", "{uri}", "{hardware-type}.{hardware}", "x{hardware-text}",
	    "pump-{serialNumber}.example", "{CN}{CN}", "ü {O}"};
	static const struct {
		const char *rule, *why;
	} bad[] = {{"", "no field"}, {"pump", "no field"}, {"{}", "field"}, {"{cn}", "field"},
	    {"{SERIALNUMBER}", "field"}, {"{ CN}", "field"}, {"{CN", "field"}, {"{", "field"},
	    {"CN}", "closing"}, {"{CN}}", "closing"}, {"{{CN}}", "field"}, {"{C}", "field"},
	    {"{serialNumber} {emailAddress}", "field"}, {"{CN}\n", "control"},
	    {"{CN}\x7f", "control"}, {"{CN}\xc2\x85", "control"}, {"{CN}\xe2\x80\x8b", "hidden"},
	    {"{CN}\xff", "UTF-8"}};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (manufacturer_rule_check(good[i]) != NULL)
			fail_msg("%s %s", good[i], manufacturer_rule_check(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *why = manufacturer_rule_check(bad[i].rule);
		if (why == NULL || strstr(why, bad[i].why) == NULL)
			fail_msg("\"%s\" %s", bad[i].rule, why == NULL ? "is good" : why);
	}
}

static void test_subject(void **state)
{
	struct span device =
	    subject("C=DE,O=Acme,OU=Pumps,serialNumber=SN-7,CN=Pump Ü,UID=u-1,O=Other,CN=second");

	(void)state;
	assert_named("SN-7", "{serialNumber}", device);
	assert_named("pump-SN-7.example", "pump-{serialNumber}.example", device);
	assert_named("Pump Ü/u-1", "{CN}/{UID}", device);
	assert_named("Acme.Pumps.Acme", "{O}.{OU}.{O}", device);
	assert_nameless("UID", "{UID}", subject("CN=a,serialNumber=b"));
	assert_nameless("serialNumber", "{CN}-{serialNumber}", subject("CN=a"));
	assert_nameless("CN", "{CN}", subject(""));
	assert_nameless("dns", "{dns}", device);
	assert_nameless("hardware", "{hardware}", device);
	/* A dNSName is not the CN, nor the other way around. */
	assert_nameless(
	    "CN", "{CN}", idevid(maker_name("O=x"), maker_der("30{82{'pump.example'}}")));
}

static void test_sans(void **state)
{
	struct span device = idevid(maker_name(""),
	    maker_der(
		"30{86{'urn:dev:7'}82{'a.example'}82{'b.example'}87{c0000207}81{'a@b.example'}"
		"a4{$}88{2a0304}}",
		maker_name("CN=directory")));

	(void)state;
	assert_named("a.example", "{dns}", device);
	assert_named("192.0.2.7", "{ip}", device);
	assert_named("a@b.example", "{email}", device);
	assert_named("urn:dev:7", "{uri}", device);
	assert_named("2001:db8::7", "{ip}",
	    idevid(maker_name(""), maker_der("30{87{20010db8000000000000000000000007}}")));
	assert_nameless("hardware", "{hardware}", device);
	assert_nameless("CN", "{CN}", device);
}

static void test_hardware(void **state)
{
	(void)state;
	assert_named("0a1bff", "{hardware}", hardware(module(BYTES("\x0a\x1b\xff"))));
	assert_named("414243", "{hardware}", hardware(module(BYTES("ABC"))));
	assert_named("ABC", "{hardware-text}", hardware(module(BYTES("ABC"))));
	assert_named("1.3.6.1.4.1.6666.1/ABC", "{hardware-type}/{hardware-text}",
	    hardware(maker_der("30{06{2b06010401b40a01}04{'ABC'}}")));
	/* Octets that look like another's digits have another name (the rule decides which). */
	assert_nameless("hardware-text", "{hardware-text}", hardware(module(BYTES("\x0a\x1b"))));
	assert_nameless("hardware-text", "{hardware-text}", hardware(module(BYTES("A B"))));
	assert_nameless("hardware-text", "{hardware-text}", hardware(module(BYTES("A\0B"))));
	assert_nameless("hardware-text", "{hardware-text}", hardware(module(BYTES("A\n"))));
	assert_nameless("hardware-text", "{hardware-text}", hardware(module(BYTES("\xc3\xbc"))));
	assert_nameless("hardware", "{hardware}", hardware(module((struct span){NULL, 0})));
	/* Arcs that do not fit would be cut, and two types would share a name. */
	assert_nameless("hardware-type", "{hardware-type}",
	    hardware(maker_der("30{06{2bffffffffffffffffffffff01}04{'A'}}")));
}

/* What is no HardwareModuleName in its form gives no name. */
static void test_hardware_form(void **state)
{
	struct span bad[] = {maker_der("30{06{2b06010401}}"), maker_der("04{'A'}"),
	    maker_der("30{04{'A'}}"), maker_der("30{06{2b06010401}0c{'A'}}"),
	    maker_der("30{06{2b06010401}04{'A'}04{'B'}}"),
	    maker_der("30{06{2b06010401}04{'A'}}30{06{2b06010401}04{'B'}}"),
	    maker_der("31{06{2b06010401}04{'A'}}")};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_nameless("hardware", "{hardware}", hardware(bad[i]));
	/* Of two the first one counts; without the [0] around it it is none. */
	assert_named("41", "{hardware}",
	    idevid(maker_name(""), maker_der("30{a0{06{2b06010505070804}a0{$}}"
					     "a0{06{2b06010505070804}a0{$}}}",
				       module(BYTES("A")), module(BYTES("B")))));
	assert_nameless("hardware", "{hardware}",
	    idevid(maker_name(""), maker_der("30{a0{06{2b06010505070804}$}}", module(BYTES("A")))));
}

/* A value that is no name, or a certificate whose names cannot be read, gives none. */
static void test_no_names(void **state)
{
	struct span none = {NULL, 0};

	(void)state;
	assert_nameless("CN", "{CN}", idevid(maker_der("30{31{30{06{550403}0c{'  '}}}}"), none));
	assert_nameless(
	    "CN", "{CN}", idevid(maker_der("30{31{30{06{550403}0c{'a'e2808b}}}}"), none));
	assert_nameless(
	    "names", "{CN}", idevid(maker_der("30{31{30{06{550403}0c{'a'0a}}}}"), none));
	assert_nameless(
	    "names", "{CN}", idevid(maker_der("30{31{30{06{550403}0c{'a'00'b'}}}}"), none));
	assert_nameless(
	    "names", "{CN}", idevid(maker_der("30{31{30{06{550403}0c{'a'e280ae'b'}}}}"), none));
	assert_nameless("names", "{CN}", idevid(maker_der("30{31{30{06{550403}0c{}}}}"), none));
	assert_nameless("names", "{CN}", idevid(maker_der("30{31{30{06{550403}02{05}}}}"), none));
	assert_nameless(
	    "names", "{dns}", idevid(maker_name("CN=a"), maker_der("30{82{'a.example'00'.b'}}")));
	assert_nameless(
	    "names", "{CN}", idevid(maker_name("CN=a"), maker_der("30{82{'*.example'}}")));
	assert_nameless("names", "{CN}", maker_der("30{}"));
	assert_nameless("names", "{CN}", BYTES("no DER"));
}

/* A rule is text and fields; what a value holds is not looked into again for fields. */
static void test_values_are_no_rules(void **state)
{
	(void)state;
	assert_named("{serialNumber}", "{CN}", subject("CN={serialNumber},serialNumber=7"));
	assert_named("{7", "{CN}{serialNumber}", subject("CN={,serialNumber=7"));
}

/* --- who comes with such a certificate --- */

static enum outcome no_certificate(
    void *context, const struct serial *serial, struct cert_record *out)
{
	(void)context;
	(void)serial;
	(void)out;
	return EST_NOT_FOUND;
}

static X509 *make_ca(const char *name, const char *key)
{
	return maker_cert(&(struct maker_cert){.subject = name,
	    .key = key,
	    .extensions = (const char *[]){
		"basicConstraints", "critical,CA:TRUE", "keyUsage", "critical,keyCertSign", NULL}});
}

/*
 * Identifies a device of the manufacturer under a label with that rule (NULL: none); identity_clear().
 */
static enum outcome identify(const char *rule, const char *subject_text, struct identity *out)
{
	static char label_name[] = "", word[] = "certificate";
	X509 *maker = make_ca("CN=Maker", "P-256#maker"), *ours = make_ca("CN=CA", "P-256#ca");
	X509 *device = maker_cert(&(struct maker_cert){
	    .subject = subject_text, .key = "P-256", .issuer = maker, .issuer_key = "P-256#maker"});
	char *anchor = mem_string(maker_file("maker.pem", maker_cert_pem(maker))), *words = word;
	char *copy = mem_string(rule);
	struct config_label label = {.name = label_name,
	    .trust_anchors = {&anchor, 1, 1},
	    .authenticate = {&words, 1, 1},
	    .manufacturer_name = copy};
	struct auth auth = {
	    .label = &label, .memory = {.certificate = no_certificate}, .now = MAKER_NOW};
	struct credentials credentials = {.certificate = maker_cert_pem(device)};
	struct trust *trust = NULL;
	enum outcome outcome;

	assert_outcome(EST_OK, trust_make(&label, ours, &trust));
	auth.trust = trust;
	outcome = auth_identify(&auth, &credentials, out);
	trust_free(trust);
	free(anchor);
	free(copy);
	return outcome;
}

static void test_identity(void **state)
{
	struct identity identity;

	(void)state;
	assert_outcome(EST_OK, identify(NULL, "CN=gate,serialNumber=7", &identity));
	assert_int_equal(identity.maker_name.len, 0);
	identity_clear(&identity);
	assert_outcome(
	    EST_OK, identify("pump-{serialNumber}", "CN=gate,serialNumber=7", &identity));
	assert_int_equal(identity.proven, PROOF_CERTIFICATE);
	assert_int_equal(identity.trust, TRUST_IMPLICIT);
	assert_string_equal(buf_string(&identity.maker_name), "pump-7");
	identity_clear(&identity);
	assert_int_equal(identity.maker_name.len, 0);
	/* Without the field it is nobody, whatever it is called otherwise. */
	assert_refusal(NAME_NOT_ALLOWED, identify("pump-{serialNumber}", "CN=pump-7", &identity));
	identity_clear(&identity);
}

static enum outcome may(const struct identity *identity, const char *name, const char *san)
{
	struct csr csr;
	enum outcome outcome;

	assert_outcome(EST_OK,
	    csr_parse(maker_csr("P-256#device", name,
			  san == NULL ? NULL : (const char *[]){"subjectAltName", san, NULL}),
		CSR_KEY_PROVEN, &csr));
	outcome = auth_allows(identity, &csr.name, &csr.wishes.sans);
	csr_clear(&csr);
	return outcome;
}

/* It asks for the name of the rule, and for none that stands in its certificate. */
static void test_names(void **state)
{
	struct identity identity;
	struct buf name = {0};

	(void)state;
	assert_outcome(
	    EST_OK, identify("pump-{serialNumber}", "CN=gate,serialNumber=7", &identity));
	assert_outcome(EST_OK, may(&identity, "CN=pump-7", NULL));
	assert_outcome(EST_OK, may(&identity, "CN=pump-7", "DNS:pump-7"));
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=pump-8", NULL));
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=pump-7", "DNS:pump-8"));
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=pump-7,serialNumber=8", NULL));
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=gate", NULL));
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "CN=gate,serialNumber=7", NULL));
	assert_refusal(NAME_NOT_ALLOWED, may(&identity, "O=Acme", NULL));
	auth_name(&identity, &name);
	assert_string_equal(buf_string(&name), "pump-7");
	identity_clear(&identity);
	buf_free(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_rules),
	    TEST(test_subject),
	    TEST(test_sans),
	    TEST(test_hardware),
	    TEST(test_hardware_form),
	    TEST(test_no_names),
	    TEST(test_values_are_no_rules),
	    TEST(test_identity),
	    TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
