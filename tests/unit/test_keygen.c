/*
 * Keys that the server makes: the key is the certificate's and nobody else's, who is named opens
 * it, and who may not have it sealed for somebody learns nothing of that one. What is refused
 * leaves no certificate.
 */
#include "maker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/ca/ca_make.h"
#include "common/lifecycle/keygen.h"
#include "message_test.h"
#include "refusal_test.h"
#include "store_test.h"

/* --- an instance --- */

static const char config_text[] =
    "state = \"%s\"; cache = \"4M\"; log = \"syslog\";\n"
    "ca = ( { name = \"ca\"; certificate = \"ca.pem\"; key = \"ca.key\"; } );\n"
    "profile = ( { name = \"device\"; validity = \"90d\"; keys = [ \"P-256\", \"P-384\", "
    "\"RSA-2048\" ];\n"
    "  key_usage = [ \"digitalSignature\", \"keyEncipherment\", \"keyAgreement\" ]; },\n"
    "  { name = \"signing\"; validity = \"90d\"; key_usage = [ \"digitalSignature\" ]; } );\n"
    "label = ( { name = \"\"; ca = \"ca\"; profile = \"device\";\n"
    "    operations = [ \"simpleenroll\", \"serverkeygen\" ]; },\n"
    "  { name = \"sealed\"; ca = \"ca\"; profile = \"device\"; plain_keys = false;\n"
    "    operations = [ \"serverkeygen\" ]; },\n"
    "  { name = \"signing\"; ca = \"ca\"; profile = \"signing\";\n"
    "    operations = [ \"serverkeygen\" ]; } );\n";

static struct {
	struct service *service;
	struct ca_pair pair;
	struct identity user; /* may have pump-* */
} world;

static void write_ca(void)
{
	struct ca_wish wish = {.organization = "Acme", .key = "P-256", .now = clock_now()};
	struct buf text = {0};

	assert_outcome(EST_OK, ca_make(CA_ROOT, &wish, NULL, &world.pair));
	assert_outcome(EST_OK, ca_certificate_pem(world.pair.certificate, &text));
	(void)maker_file("ca.pem", buf_string(&text));
	buf_reset(&text);
	assert_outcome(EST_OK, ca_key_pem(world.pair.key, (struct span){NULL, 0}, &text));
	(void)maker_file("ca.key", buf_string(&text));
	buf_cleanse(&text);
}

static int make_world(void **state)
{
	static const char *const names[] = {"pump-*", NULL};
	static const char *const labels[] = {NULL};
	static char text[] = "user:factory";
	const char *parent = getenv("TMPDIR");
	struct buf config = {0};

	(void)state;
	reason_clear();
	memset(&world, 0, sizeof(world));
	(void)snprintf(
	    store_directory(), 256, "%s/keygen-XXXXXX", parent == NULL ? "/tmp" : parent);
	assert_non_null(mkdtemp(store_directory()));
	write_ca();
	buf_printf(&config, config_text, store_directory());
	assert_outcome(EST_OK, service_open(maker_file("est.conf", buf_string(&config)),
				   SERVICE_STORE | SERVICE_LABELS | SERVICE_SIGN, &world.service));
	buf_free(&config);
	world.user = (struct identity){.proven = PROOF_PASSWORD,
	    .granted = {PROOF_PASSWORD},
	    .granted_count = 1,
	    .user = {.name = "factory", .password = "", .names = names, .labels = labels},
	    .text = text};
	return 0;
}

static int end_world(void **state)
{
	service_close(world.service);
	ca_pair_clear(&world.pair);
	store_remove();
	(void)rmdir(store_directory());
	return maker_clear(state);
}

#define WORLD(function) cmocka_unit_test_setup_teardown(function, make_world, end_world)

static unsigned certificates(void)
{
	struct cert_query query = {.order = CERTS_BY_SERIAL, .limit = 100};
	struct cert_page page = {0};
	unsigned count;

	assert_outcome(EST_OK, store_cert_list(world.service->store, &query, &page));
	count = (unsigned)page.count;
	cert_page_clear(&page);
	return count;
}

/* --- requests --- */

#define AES_ALL                                                                                    \
	"30{30{06{608648016503040102}}30{06{60864801650304012a}}30{06{608648016503040105}}"        \
	"30{06{60864801650304012d}}}"

static struct span attribute(const char *oid, struct span value)
{
	return maker_der("30{06{$}31{$}}", maker_der(oid), value);
}

static struct span kek_attribute(struct span id)
{
	return attribute("2a864886f70d010910"
			 "0225",
	    maker_der("04{$}", id));
}

static struct span key_attribute(struct span id)
{
	return attribute("2a864886f70d010910"
			 "0236",
	    maker_der("04{$}", id));
}

static struct span capabilities(void)
{
	return attribute("2a864886f70d01090f", maker_der(AES_ALL));
}

static bool before(struct span a, struct span b)
{
	int difference = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return difference < 0 || (difference == 0 && a.len <= b.len);
}

/* A request that nobody signed, with up to two attributes. */
static struct span request(const char *subject, struct span one, struct span two)
{
	struct maker_request wish = {
	    .key = "P-256", .digest = "SHA256", .subject = maker_name(subject)};
	struct span der;
	unsigned char *last;

	if (two.len > 0 && !before(one, two)) {
		struct span third = one;
		one = two;
		two = third;
	}
	wish.attributes = maker_der("a0{$$}", one, two);
	der = maker_request(&wish);
	last = memcpy(mem_alloc(der.len), der.data, der.len);
	last[der.len - 1] ^= 1;
	der = maker_copy((struct span){last, der.len});
	free(last);
	return der;
}

#define NOTHING ((struct span){(const unsigned char *)"", 0})

/* --- answers --- */

struct answer {
	struct enrollment enrollment;
	struct keygen keygen;
};

static enum outcome ask_as(
    const struct identity *identity, const char *label, struct span request, struct answer *out)
{
	*out = (struct answer){.enrollment = {.label = service_label(world.service, span_of(label)),
				   .identity = identity,
				   .request = request}};
	assert_non_null(out->enrollment.label);
	return keygen(world.service, &out->enrollment, &out->keygen);
}

static enum outcome ask(const char *label, struct span request, struct answer *out)
{
	return ask_as(&world.user, label, request, out);
}

static void answer_clear(struct answer *answer)
{
	keygen_clear(&answer->keygen);
	enrollment_clear(&answer->enrollment);
}

/* It is refused with that code, and nothing was issued nor given. */
static void assert_denied(
    enum refusal code, const struct identity *identity, const char *label, struct span request)
{
	struct answer answer;
	unsigned count = certificates();
	enum outcome outcome = ask_as(identity, label, request, &answer);

	assert_refusal(code, outcome);
	assert_int_equal(count, certificates());
	assert_int_equal(0, answer.keygen.key.len);
	assert_int_equal(0, answer.enrollment.generated.len);
	answer_clear(&answer);
}

/* The private key is a PrivateKeyInfo of version 0 (RFC 5958 2), and the certificate's. */
static void assert_pair(struct span key, const struct cert_record *record)
{
	const unsigned char *at = key.data, *der = record->der.data;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)key.len);
	X509 *cert = d2i_X509(NULL, &der, (long)record->der.len);
	EVP_PKEY *pair;

	assert_at("020100", key, "0");
	assert_non_null(info);
	assert_ptr_equal(key.data + key.len, at);
	pair = EVP_PKCS82PKEY(info);
	assert_int_equal(1, X509_check_private_key(cert, pair));
	assert_int_equal(0, EVP_PKEY_eq(maker_key("P-256"), pair));
	EVP_PKEY_free(pair);
	X509_free(cert);
	PKCS8_PRIV_KEY_INFO_free(info);
}

/* What came out of an envelope: the CA signed one key, which is the certificate's. */
static void assert_package(struct span plain, const struct cert_record *record)
{
	struct span message, package;

	assert_int_not_equal(0, plain.len);
	message = maker_der("30{" ID_SIGNED "a0{$}}", plain);
	assert_at("06{60864801650201024e05}", message, "1.0.2.0");
	package = look(message, "1.0.2.1.0").content;
	verify_by_openssl_at(clock_now(), message, world.pair.certificate, package);
	assert_int_equal(look(package, "").content.len, look(package, "0").whole.len);
	assert_pair(look(package, "0").whole, record);
}

/* --- plain keys --- */

static void test_plain(void **state)
{
	struct answer answer, again;
	struct span der = request("CN=pump-1", NOTHING, NOTHING);
	struct cert_record kept = {0};

	(void)state;
	assert_outcome(EST_OK, ask("", der, &answer));
	assert_false(answer.keygen.enveloped);
	assert_int_equal(0, answer.enrollment.generated.len);
	assert_pair(buf_span(&answer.keygen.key), &answer.enrollment.record);
	assert_outcome(
	    EST_OK, store_cert_get(world.service->store, &answer.enrollment.record.serial, &kept));
	assert_string_equal("serverkeygen", kept.operation);
	cert_record_clear(&kept);
	/* The same request is never answered twice with the same key. */
	assert_outcome(EST_OK, ask("", der, &again));
	assert_false(span_equal(buf_span(&answer.keygen.key), buf_span(&again.keygen.key)));
	assert_pair(buf_span(&again.keygen.key), &again.enrollment.record);
	answer_clear(&answer);
	answer_clear(&again);
}

static void test_plain_refused(void **state)
{
	(void)state;
	assert_denied(KEYGEN_PLAIN, &world.user, "sealed", request("CN=pump-1", NOTHING, NOTHING));
	assert_denied(NAME_NOT_ALLOWED, &world.user, "", request("CN=valve-1", NOTHING, NOTHING));
}

/* --- for a symmetric key --- */

static const unsigned char kek_octets[] = "0123456789abcdef";

static void put_kek(const char *id)
{
	struct kek_record kek = {
	    .id = span_of(id), .key = {kek_octets, 16}, .created_at = clock_now()};

	assert_outcome(EST_OK, store_kek_put(world.service->store, &kek, false));
}

static void test_kek(void **state)
{
	struct message_recipient recipient = {.kek_id = BYTES("shared"), .kek = {kek_octets, 16}};
	struct answer answer;

	(void)state;
	put_kek("shared");
	assert_outcome(EST_OK,
	    ask("sealed", request("CN=pump-1", kek_attribute(BYTES("shared")), capabilities()),
		&answer));
	assert_true(answer.keygen.enveloped);
	assert_int_equal(0, answer.enrollment.generated.len);
	assert_at("020102", buf_span(&answer.keygen.key), "1.0.0");
	assert_at("30{04{'shared'}}", buf_span(&answer.keygen.key), "1.0.1.0.1");
	assert_package(open_envelope(buf_span(&answer.keygen.key), NULL, NULL, &recipient),
	    &answer.enrollment.record);
	answer_clear(&answer);
}

static void test_kek_refused(void **state)
{
	struct span id = kek_attribute(BYTES("shared"));

	(void)state;
	put_kek("shared");
	assert_denied(KEYGEN_RECIPIENT, &world.user, "",
	    request("CN=pump-1", kek_attribute(BYTES("other")), capabilities()));
	assert_denied(KEYGEN_ALGORITHMS, &world.user, "", request("CN=pump-1", id, NOTHING));
	assert_denied(KEYGEN_RECIPIENT, &world.user, "",
	    request("CN=pump-1", id, key_attribute(BYTES("shared"))));
	assert_denied(NAME_NOT_ALLOWED, &world.user, "", request("CN=valve-1", id, capabilities()));
}

/* --- for a certificate --- */

/* Enrolls the maker's key under the label; the record is in the pool. */
static struct cert_record enroll_device(const char *label, const char *key, const char *subject)
{
	struct enrollment enrollment = {.label = service_label(world.service, span_of(label)),
	    .identity = &world.user,
	    .act = ACT_ENROLL,
	    .request = maker_csr(key, subject, NULL)};
	struct cert_record record = {.revoked_at = 0};

	assert_outcome(EST_OK, enroll(world.service, &enrollment));
	record.serial = enrollment.record.serial;
	record.not_before = enrollment.record.not_before;
	record.not_after = enrollment.record.not_after;
	record.revocation_reason = NOT_REVOKED;
	record.der = maker_copy(enrollment.record.der);
	record.label = "";
	record.name = strchr(subject, '=') + 1;
	enrollment_clear(&enrollment);
	return record;
}

static X509 *certificate_of(const struct cert_record *record)
{
	const unsigned char *at = record->der.data;

	return d2i_X509(NULL, &at, (long)record->der.len);
}

static struct span key_id_of(const struct cert_record *record)
{
	X509 *cert = certificate_of(record);
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(cert);
	struct span copy =
	    maker_copy((struct span){ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)});

	X509_free(cert);
	return copy;
}

static struct span issuer_and_serial(const struct cert_record *record)
{
	struct cert_parts parts;

	assert_outcome(EST_OK, cert_parse(record->der, &parts));
	return maker_der("30{$02{$}}", parts.issuer, parts.serial);
}

static void assert_sealed_for(const struct identity *identity, struct span id,
    const struct cert_record *record, const char *key)
{
	struct answer answer;
	X509 *cert = certificate_of(record);

	assert_outcome(EST_OK,
	    ask_as(identity, "", request("CN=pump-1", key_attribute(id), capabilities()), &answer));
	assert_true(answer.keygen.enveloped);
	assert_package(open_envelope(buf_span(&answer.keygen.key), maker_key(key), cert, NULL),
	    &answer.enrollment.record);
	answer_clear(&answer);
	X509_free(cert);
}

static void test_certificate(void **state)
{
	static const char *const keys[] = {"RSA-2048#device", "P-256#device", "P-384#device"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct cert_record record = enroll_device("", keys[i], "CN=pump-1");
		assert_sealed_for(&world.user, key_id_of(&record), &record, keys[i]);
		assert_sealed_for(&world.user, issuer_and_serial(&record), &record, keys[i]);
	}
}

/* The certificate that asks is found whatever the store says of names. */
static void test_certificate_own(void **state)
{
	static char text[] = "certificate:1";
	struct cert_record record = enroll_device("", "P-256#device", "CN=pump-1");
	struct identity identity = {.proven = PROOF_CERTIFICATE,
	    .granted = {PROOF_CERTIFICATE},
	    .granted_count = 1,
	    .trust = TRUST_EXPLICIT,
	    .certificate = record,
	    .text = text};
	struct cert_record other = enroll_device("", "P-384#device", "CN=pump-2");

	(void)state;
	buf_add_span(&identity.der, record.der);
	assert_sealed_for(&identity, key_id_of(&record), &record, "P-256#device");
	assert_denied(KEYGEN_RECIPIENT, &identity, "",
	    request("CN=pump-1", key_attribute(key_id_of(&other)), capabilities()));
	assert_denied(NAME_NOT_ALLOWED, &identity, "",
	    request("CN=pump-2", key_attribute(key_id_of(&other)), capabilities()));
	assert_denied(NAME_NOT_ALLOWED, &identity, "",
	    request("CN=pump-2", key_attribute(BYTES("nobody's")), capabilities()));
	buf_free(&identity.der);
}

/* Whether somebody else's certificate exists cannot be told from what is answered. */
static void test_certificate_of_others(void **state)
{
	struct cert_record record = enroll_device("", "P-256#device", "CN=pump-2"), own;
	struct cert_parts parts;
	struct span ids[] = {key_id_of(&record), issuer_and_serial(&record), BYTES("unknown")};
	char first[REASON_SIZE] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++) {
		struct span asked = request("CN=pump-1", key_attribute(ids[i]), capabilities());
		struct answer answer;
		assert_int_equal(EST_MALFORMED, ask("", asked, &answer));
		if (i == 0)
			(void)snprintf(first, sizeof(first), "%s", reason_text());
		assert_string_equal(first, reason_text());
		assert_refusal(KEYGEN_RECIPIENT, EST_MALFORMED);
		answer_clear(&answer);
		assert_denied(KEYGEN_RECIPIENT, &world.user, "", asked);
		assert_denied(NAME_NOT_ALLOWED, &world.user, "",
		    request("CN=valve-1", key_attribute(ids[i]), capabilities()));
	}
	/* The serial number alone names nothing. */
	own = enroll_device("", "P-384#device", "CN=pump-1");
	assert_outcome(EST_OK, cert_parse(own.der, &parts));
	assert_denied(KEYGEN_RECIPIENT, &world.user, "",
	    request("CN=pump-1",
		key_attribute(maker_der("30{$02{$}}", maker_name("CN=Other CA"), parts.serial)),
		capabilities()));
	/* A device is its name under a label. */
	assert_denied(KEYGEN_RECIPIENT, &world.user, "sealed",
	    request("CN=pump-2", key_attribute(ids[0]), capabilities()));
}

static void test_certificate_unfit(void **state)
{
	struct cert_record record = enroll_device("", "P-256#device", "CN=pump-1"), revoked = {0};
	struct cert_record signing = enroll_device("signing", "P-384#device", "CN=pump-1");
	struct span id = key_attribute(key_id_of(&record));

	(void)state;
	assert_denied(KEYGEN_KEY_USAGE, &world.user, "signing",
	    request("CN=pump-1", key_attribute(key_id_of(&signing)), capabilities()));
	assert_denied(KEYGEN_ALGORITHMS, &world.user, "", request("CN=pump-1", id, NOTHING));
	assert_outcome(EST_OK, store_cert_revoke(world.service->store, &record.serial,
				   KEY_COMPROMISE, clock_now(), &revoked));
	cert_record_clear(&revoked);
	assert_denied(KEYGEN_RECIPIENT, &world.user, "", request("CN=pump-1", id, capabilities()));
}

/* --- what fails when the certificate exists already --- */

static struct {
	const struct ca_backend *real;
	unsigned left; /* signatures that succeed */
} faults;

static enum outcome sign_for_a_while(struct ca *ca, struct span data, struct buf *signature)
{
	if (faults.left == 0)
		return reason(EST_UNAVAILABLE, "the token was pulled");
	faults.left--;
	return faults.real->sign(ca, data, signature);
}

static void test_withdrawn(void **state)
{
	struct ca *ca = world.service->cas[0];
	struct ca_backend failing = *ca->backend;
	struct cert_record kept = {0};
	struct answer answer;

	(void)state;
	put_kek("shared");
	faults.real = ca->backend;
	faults.left = 1;
	failing.sign = sign_for_a_while;
	ca->backend = &failing;
	assert_int_equal(EST_INTERNAL,
	    ask("", request("CN=pump-1", kek_attribute(BYTES("shared")), capabilities()), &answer));
	ca->backend = faults.real;
	assert_non_null(strstr(reason_text(), "the token was pulled"));
	assert_int_equal(SERVER_INTERNAL, refusal_recorded(EST_INTERNAL));
	reason_clear();
	assert_int_equal(0, answer.keygen.key.len);
	assert_int_equal(0, answer.enrollment.generated.len);
	assert_int_equal(1, certificates());
	assert_outcome(
	    EST_OK, store_cert_get(world.service->store, &answer.enrollment.record.serial, &kept));
	assert_int_equal(revocation_code("cessationOfOperation"), kept.revocation_reason);
	assert_int_equal(CERT_REVOKED, cert_record_status(&kept, clock_now()));
	cert_record_clear(&kept);
	answer_clear(&answer);
}

/* A request that cannot be read is refused for that, and is there for the log where it can. */
static void test_request(void **state)
{
	struct answer answer;

	(void)state;
	assert_denied(CSR_DER, &world.user, "", BYTES("\x30\x80"));
	assert_refusal(KEYGEN_RECIPIENT,
	    ask("", request("CN=pump-1", kek_attribute(BYTES("x")), capabilities()), &answer));
	assert_int_equal(1, answer.enrollment.csr.name.count);
	answer_clear(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD(test_plain),
	    WORLD(test_plain_refused),
	    WORLD(test_kek),
	    WORLD(test_kek_refused),
	    WORLD(test_certificate),
	    WORLD(test_certificate_own),
	    WORLD(test_certificate_of_others),
	    WORLD(test_certificate_unfit),
	    WORLD(test_withdrawn),
	    WORLD(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
