/*
 * What est-client sends as a Full PKI Request, read by the server's side; and which responses it
 * believes: those of the CA, to the message that it sent (RFC 5272 4, 6.6).
 */
#include "tests/unit/maker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "common/pki/cmc_message.h"
#include "common/pki/cmc_proof.h"
#include "common/pki/cmc_revocation.h"
#include "common/pki/cmc_status.h"
#include "common/pki/message.h"
#include "common/pki/pkcs7.h"

#include "admin/client_certs.h"
#include "admin/client_cmc_message.h"

static const struct span pki_data = DER_OCTETS(CMC_PKI_DATA);
static const struct span pki_response = DER_OCTETS(CMC_PKI_RESPONSE);

/* A CA, a device of it, and somebody else's CA. */
static struct {
	X509 *ca, *device, *other;
	STACK_OF(X509) *trust;
	struct client_cmc_trust believed;
	struct client_cmc cmc;
} world;

static X509 *make(const char *subject, const char *key, X509 *issuer, const char *constraint)
{
	const char *const extensions[] = {
	    "basicConstraints", constraint, "subjectKeyIdentifier", "hash", NULL};
	int64_t now = (int64_t)time(NULL);

	return maker_cert(&(struct maker_cert){.subject = subject,
	    .key = key,
	    .issuer = issuer,
	    .issuer_key = issuer == NULL ? NULL : "P-256#ca",
	    .from = now - MAKER_DAY,
	    .until = now + MAKER_DAY,
	    .extensions = extensions});
}

static int begin(void **state)
{
	(void)state;
	world.ca = make("CN=CA", "P-256#ca", NULL, "critical,CA:TRUE");
	world.device = make("CN=pump", "P-256", world.ca, "critical,CA:FALSE");
	world.other = make("CN=CA", "P-256#other", NULL, "critical,CA:TRUE");
	world.trust = sk_X509_new_null();
	assert_int_equal(1, sk_X509_push(world.trust, world.ca));
	world.believed = (struct client_cmc_trust){world.trust, world.trust};
	assert_outcome(EST_OK, client_cmc_begin(&world.cmc));
	return 0;
}

static int end(void **state)
{
	sk_X509_free(world.trust);
	return maker_clear(state);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

/* --- requests --- */

static struct span content_of(const struct cmc_data *data, unsigned number, unsigned tag)
{
	const struct cmc_control *control = cmc_control_find(data, number);
	struct der value;

	assert_non_null(control);
	assert_outcome(EST_OK, cmc_control_value(control, tag, &value));
	return value.content;
}

static void read_request(
    struct span der, struct span spki, struct cmc_message *message, struct cmc_data *data)
{
	struct key_info key;

	assert_outcome(EST_OK, cmc_message_parse(der, pki_data, message));
	assert_outcome(EST_OK, key_parse(spki, &key));
	assert_int_equal(1, message->signer_count);
	assert_outcome(EST_OK, cmc_signer_verify(message, &message->signers[0], &key));
	assert_outcome(EST_OK, cmc_data_parse(message->content, data));
	assert_bytes(((struct span){world.cmc.transaction, CLIENT_CMC_NONCE}),
	    content_of(data, CMC_TRANSACTION_ID, DER_INTEGER));
	assert_bytes(((struct span){world.cmc.nonce, CLIENT_CMC_NONCE}),
	    content_of(data, CMC_SENDER_NONCE, DER_OCTET_STRING));
}

static void test_request(void **state)
{
	struct span csr = maker_csr("P-256", "CN=pump", NULL), secret = BYTES("one-time");
	struct client_cmc_request request = {.csr = csr,
	    .secret = secret,
	    .key = maker_key("P-256"),
	    .key_id = BYTES("0123456789abcdefghij")};
	unsigned char first[CLIENT_CMC_NONCE], key[CMC_KEY_SIZE];
	struct cmc_message message;
	struct cmc_proof proof;
	struct cmc_data data;
	struct buf der = {0};

	(void)state;
	assert_outcome(EST_OK, client_cmc_write(&world.cmc, &request, &der));
	read_request(buf_span(&der), maker_spki("P-256"), &message, &data);
	assert_bytes(request.key_id, message.signers[0].key_id);
	assert_int_equal(0, message.certificate_count);
	assert_int_equal(1, data.request_count);
	assert_bytes(csr, data.requests[0].der);
	assert_outcome(EST_OK,
	    cmc_proof_parse(cmc_control_find(&data, CMC_IDENTITY_PROOF_V2)->values, &proof));
	cmc_proof_key(secret, (struct span){NULL, 0}, key);
	assert_true(cmc_proof_verify(&proof, key, data.request_sequence));
	/* Each message has a nonce of its own, and the transaction stays. */
	memcpy(first, world.cmc.nonce, sizeof(first));
	buf_reset(&der);
	assert_outcome(EST_OK, client_cmc_write(&world.cmc, &request, &der));
	read_request(buf_span(&der), maker_spki("P-256"), &message, &data);
	assert_memory_not_equal(first, world.cmc.nonce, sizeof(first));
	buf_free(&der);
}

static void test_revocation(void **state)
{
	struct client_cmc_request request = {.revoke = world.device,
	    .reason = 5,
	    .certificate = world.device,
	    .key = maker_key("P-256")};
	struct cmc_revocation revocation;
	struct cmc_message message;
	struct cmc_data data;
	struct buf der = {0};

	(void)state;
	assert_outcome(EST_OK, client_cmc_write(&world.cmc, &request, &der));
	read_request(buf_span(&der), maker_spki("P-256"), &message, &data);
	assert_int_equal(0, data.request_count);
	assert_outcome(
	    EST_OK, cmc_revocation_parse(cmc_control_find(&data, CMC_REVOKE_REQUEST), &revocation));
	assert_int_equal(5, revocation.reason);
	assert_bytes(message.signers[0].issuer, revocation.issuer);
	assert_bytes(message.signers[0].serial, revocation.serial);
	assert_false(revocation.has_secret);
	buf_free(&der);
}

/* By the secret that it was requested with; nobody signs (RFC 5272 6.11). */
static void test_revocation_by_secret(void **state)
{
	struct client_cmc_request request = {
	    .revoke = world.device, .reason = 1, .secret = BYTES("lost")};
	struct cmc_revocation revocation;
	struct cmc_message message;
	struct cmc_data data;
	struct buf der = {0};

	(void)state;
	assert_outcome(EST_OK, client_cmc_write(&world.cmc, &request, &der));
	assert_outcome(EST_OK, cmc_message_parse(buf_span(&der), pki_data, &message));
	assert_int_equal(0, message.signer_count);
	assert_int_equal(0, message.certificate_count);
	assert_outcome(EST_OK, cmc_data_parse(message.content, &data));
	assert_int_equal(0, data.request_count);
	assert_null(cmc_control_find(&data, CMC_IDENTITY_PROOF_V2));
	assert_outcome(
	    EST_OK, cmc_revocation_parse(cmc_control_find(&data, CMC_REVOKE_REQUEST), &revocation));
	assert_int_equal(1, revocation.reason);
	assert_true(revocation.has_secret);
	assert_bytes(BYTES("lost"), revocation.secret);
	buf_free(&der);
}

/* --- responses --- */

struct response {
	const char *key; /* that signs; NULL: the CA's */
	X509 *signer;    /* NULL: the CA */
	bool other_transaction, other_nonce, no_nonce;
	struct cmc_status status;
};

static enum outcome sign_by(void *context, struct span data, struct buf *signature)
{
	buf_add_span(signature, maker_sign(context, "SHA256", data));
	return EST_OK;
}

static void add(
    struct buf *controls, uint32_t id, unsigned number, unsigned tag, struct span content)
{
	struct buf value = {0};

	der_add(&value, tag, content);
	cmc_control_add(controls, id, number, buf_span(&value));
	buf_free(&value);
}

static struct span respond(const struct response *response)
{
	static char ca_key[] = "P-256#ca";
	static const unsigned char other[CLIENT_CMC_NONCE] = {0x40};
	struct message_signer signer = {
	    .certificate = maker_cert_der(response->signer == NULL ? world.ca : response->signer),
	    .algorithm = maker_der("30{06082a8648ce3d040302}"),
	    .sign = sign_by,
	    .context = response->key == NULL ? ca_key : mem_string(response->key)};
	struct span issued = maker_cert_der(world.device);
	struct buf controls = {0}, content = {0}, message = {0}, out = {0}, status = {0};

	cmc_status_add(&status, &response->status);
	cmc_control_add(&controls, 1, CMC_STATUS_INFO_V2, buf_span(&status));
	add(&controls, 2, CMC_TRANSACTION_ID, DER_INTEGER,
	    (struct span){
		response->other_transaction ? other : world.cmc.transaction, CLIENT_CMC_NONCE});
	if (!response->no_nonce)
		add(&controls, 3, CMC_RECIPIENT_NONCE, DER_OCTET_STRING,
		    (struct span){
			response->other_nonce ? other : world.cmc.nonce, CLIENT_CMC_NONCE});
	cmc_response_add(&content, buf_span(&controls));
	assert_outcome(EST_OK,
	    message_sign(&signer, pki_response, buf_span(&content), (int64_t)time(NULL), &message));
	assert_outcome(EST_OK, cmc_message_add_certificates(buf_span(&message), &issued, 1, &out));
	if (signer.context != ca_key)
		free(signer.context);
	buf_free(&controls);
	buf_free(&content);
	buf_free(&message);
	buf_free(&status);
	return maker_keep(&out);
}

static enum outcome read(struct span der, int wanted)
{
	STACK_OF(X509) *certs = NULL;
	enum outcome outcome = client_cmc_read(&world.cmc, der, &world.believed, &certs);

	if (outcome == EST_OK)
		assert_int_equal(wanted, sk_X509_num(certs));
	else
		assert_null(certs);
	client_certs_free(certs);
	return outcome;
}

static void test_responses(void **state)
{
	const struct cmc_status good = {.status = CMC_SUCCESS, .fail = CMC_NO_FAIL, .id = 1};
	const struct {
		enum outcome outcome;
		struct response response;
	} rows[] = {
	    {EST_OK, {.status = good}},
	    {EST_CONFLICT, {.status = good, .other_transaction = true}},
	    {EST_CONFLICT, {.status = good, .other_nonce = true}},
	    {EST_CONFLICT, {.status = good, .no_nonce = true}},
	    {EST_CONFLICT, {.status = good, .key = "P-256#other", .signer = world.other}},
	    {EST_CONFLICT, {.status = good, .key = "P-256", .signer = world.device}},
	    {EST_CONFLICT, {.status = good, .key = "P-256#third"}},
	    {EST_CONFLICT, {.status = {.status = CMC_FAILED,
				.fail = CMC_BAD_IDENTITY,
				.id = 1,
				.text = DER_OCTETS("not you")}}},
	    {EST_CONFLICT, {.status = {.status = CMC_NO_SUPPORT, .fail = CMC_NO_FAIL, .id = 1}}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span der = respond(&rows[i].response);
		enum outcome outcome = read(der, 2);
		if (rows[i].response.status.fail == CMC_BAD_IDENTITY)
			assert_string_equal("failed, badIdentity: not you", reason_text());
		assert_outcome(rows[i].outcome, outcome);
	}
}

static void test_simple(void **state)
{
	struct span issued = maker_cert_der(world.device);
	struct buf out = {0};

	(void)state;
	pkcs7_certs_only(&issued, 1, &out);
	assert_outcome(EST_OK, read(buf_span(&out), 1));
	buf_add_byte(&out, 0);
	assert_outcome(EST_MALFORMED, read(buf_span(&out), 0));
	buf_free(&out);
	assert_outcome(EST_MALFORMED, read(BYTES("\x30\x00"), 0));
	assert_outcome(EST_MALFORMED, read(BYTES(""), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_request),
	    CASE(test_revocation),
	    CASE(test_revocation_by_secret),
	    CASE(test_responses),
	    CASE(test_simple),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
