/*
 * PKIData and PKIResponse and what stands in them, held against the ASN.1 of RFC 5272 by hand, and
 * against what OpenSSL makes of the same.
 */
#include "maker.h"

#include <string.h>

#include <openssl/crmf.h>
#include <openssl/evp.h>

#include "common/pki/cmc_crmf.h"
#include "common/pki/cmc_data.h"
#include "common/pki/cmc_proof.h"
#include "common/pki/cmc_revocation.h"
#include "common/pki/cmc_status.h"
#include "refusal_test.h"

/* --- PKIData --- */

static struct span with_controls(struct span controls)
{
	return maker_der("30{ 30{$} 3000 3000 3000 }", controls);
}

static void test_data(void **state)
{
	struct span csr = maker_csr("P-256", "CN=pump", NULL);
	struct span der = maker_der("30{ 30{ 30{020101 06082b06010505070705 31{0202 0100}}"
				    "        30{02020080 0603 2a0304 31{}} }"
				    "    30{ a0{020500ffffffff $} a1{30{02017f 3000} 0500}"
				    "        a2{020102 06032a0304 0500} }"
				    "    30{ 30{020103 3000} } 30{ 30{020104 06032a0304 0500} } }",
	    csr);
	struct cmc_data data;

	(void)state;
	assert_refusal(REFUSAL_NONE, cmc_data_parse(der, &data));
	assert_int_equal(2, data.control_count);
	assert_int_equal(1, data.controls[0].id);
	assert_int_equal(CMC_TRANSACTION_ID, data.controls[0].number);
	assert_bytes(BYTES("\x02\x02\x01\x00"), data.controls[0].values);
	assert_int_equal(128, data.controls[1].id);
	assert_int_equal(CMC_UNKNOWN, data.controls[1].number);
	assert_int_equal(3, data.request_count);
	assert_int_equal(CMC_PKCS10, data.requests[0].kind);
	assert_true(data.requests[0].id == UINT32_MAX);
	assert_bytes(csr, data.requests[0].der);
	assert_int_equal(CMC_CRMF, data.requests[1].kind);
	assert_int_equal(127, data.requests[1].id);
	assert_bytes(maker_der("30{02017f 3000} 0500"), data.requests[1].der);
	assert_int_equal(CMC_OTHER, data.requests[2].kind);
	assert_int_equal(2, data.requests[2].id);
	assert_int_equal(0x30, data.request_sequence.data[0]);
	assert_ptr_equal(&data.controls[1], cmc_control_find(&data, CMC_UNKNOWN));
	assert_null(cmc_control_find(&data, CMC_SENDER_NONCE));
}

static void test_data_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "3000",
	    "30{3000 3000 3000}",
	    "30{3000 3000 3000 3000 3000}",
	    "30{3000 3000 3000 3000} 00",
	    "30{3100 3000 3000 3000}",
	    "30 80 3000 3000 3000 3000 0000",
	    /* numbers: none, negative, 0, beyond 4 octets, not the shortest, twice */
	    "30{30{30{06032a0304 3100}} 3000 3000 3000}",
	    "30{30{30{0201ff 06032a0304 3100}} 3000 3000 3000}",
	    "30{30{30{020100 06032a0304 3100}} 3000 3000 3000}",
	    "30{30{30{02050100000000 06032a0304 3100}} 3000 3000 3000}",
	    "30{30{30{02020001 06032a0304 3100}} 3000 3000 3000}",
	    "30{30{30{020101 06032a0304 3100} 30{020101 06032a0304 3100}} 3000 3000 3000}",
	    "30{30{30{020101 06032a0304 3100}} 3000 3000 30{30{020101}}}",
	    "30{3000 30{a0{020101 3000}} 30{30{020101 3000}} 3000}",
	    "30{3000 30{a1{30{020101}}a0{020101 3000}} 3000 3000}",
	    /* controls and requests out of form */
	    "30{30{30{020101 06032a0304}} 3000 3000 3000}",
	    "30{30{30{020101 06032a0304 3100 0500}} 3000 3000 3000}",
	    "30{30{30{020101 0400 3100}} 3000 3000 3000}",
	    "30{3000 30{30{020101 3000}} 3000 3000}",
	    "30{3000 30{a3{020101 3000}} 3000 3000}",
	    "30{3000 30{a0{020101}} 3000 3000}",
	    "30{3000 30{a0{020101 3000 3000}} 3000 3000}",
	    "30{3000 30{a0{020101 0400}} 3000 3000}",
	    "30{3000 30{a1{020101}} 3000 3000}",
	    "30{3000 3000 30{0500} 3000}",
	};
	struct cmc_data data;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_true(refusal_is(CMC_FORM, cmc_data_parse(maker_der(bad[i]), &data), bad[i]));
}

static void test_data_limits(void **state)
{
	struct buf controls = {0}, requests = {0};
	struct cmc_data data;

	(void)state;
	for (uint32_t i = 1; i <= CMC_CONTROLS_MAX; i++)
		cmc_control_add(&controls, i, CMC_REG_INFO, BYTES("\x04\x00"));
	assert_refusal(REFUSAL_NONE, cmc_data_parse(with_controls(buf_span(&controls)), &data));
	assert_int_equal(CMC_CONTROLS_MAX, data.control_count);
	cmc_control_add(&controls, 99, CMC_REG_INFO, BYTES("\x04\x00"));
	assert_refusal(CMC_FORM, cmc_data_parse(with_controls(buf_span(&controls)), &data));
	for (unsigned char i = 1; i <= CMC_REQUESTS_MAX + 1; i++) {
		struct span der;
		buf_add_span(&requests, maker_der("a0{0201 $ 3000}", (struct span){&i, 1}));
		der = maker_der("30{3000 30{$} 3000 3000}", buf_span(&requests));
		assert_refusal(
		    i <= CMC_REQUESTS_MAX ? REFUSAL_NONE : CMC_FORM, cmc_data_parse(der, &data));
	}
	buf_free(&controls);
	buf_free(&requests);
}

static void test_data_written(void **state)
{
	struct span csr = maker_der("30{3000}");
	struct cmc_request request = {.id = 1, .der = csr};
	struct buf controls = {0}, out = {0};

	(void)state;
	cmc_control_add(&controls, 300, CMC_SENDER_NONCE, BYTES("\x04\x02\xca\xfe"));
	assert_bytes(
	    maker_der("30{0202012c 06082b06010505070706 31{0402cafe}}"), buf_span(&controls));
	cmc_data_add(&out, buf_span(&controls), &request, 1);
	assert_bytes(maker_der("30{30{$} 30{a0{020101 $}} 3000 3000}", buf_span(&controls), csr),
	    buf_span(&out));
	buf_reset(&out);
	cmc_response_add(&out, buf_span(&controls));
	assert_bytes(maker_der("30{30{$} 3000 3000}", buf_span(&controls)), buf_span(&out));
	buf_free(&controls);
	buf_free(&out);
}

static void test_response(void **state)
{
	struct cmc_data data;

	(void)state;
	assert_refusal(REFUSAL_NONE,
	    cmc_response_parse(maker_der("30{3000 30{30{020101 3000}} 3000}"), &data));
	assert_refusal(CMC_FORM, cmc_response_parse(maker_der("30{3000 3000 3000 3000}"), &data));
}

/* --- numbers --- */

static void test_number(void **state)
{
	static const struct {
		uint32_t number;
		const char *der;
	} rows[] = {{0, "020100"}, {1, "020101"}, {127, "02017f"}, {128, "02020080"},
	    {255, "020200ff"}, {256, "02020100"}, {32768, "0203008000"}, {8388608, "020400800000"},
	    {2147483647, "02047fffffff"}, {2147483648, "02050080000000"},
	    {UINT32_MAX, "020500ffffffff"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = {0};
		struct span rest;
		uint32_t back = 7;
		cmc_number_add(&out, rows[i].number);
		assert_bytes(maker_der(rows[i].der), buf_span(&out));
		rest = buf_span(&out);
		assert_true(cmc_number_take(&rest, &back));
		assert_true(back == rows[i].number && rest.len == 0);
		buf_free(&out);
	}
}

/* --- statuses --- */

static const struct cmc_control *control_of(unsigned number, struct span value)
{
	static struct cmc_control control;

	control = (struct cmc_control){.id = 1, .number = number, .values = value};
	return &control;
}

static void test_status(void **state)
{
	static const struct {
		struct cmc_status status;
		const char *der;
	} rows[] = {
	    {{.status = CMC_SUCCESS, .fail = CMC_NO_FAIL, .id = 5}, "30{020100 30{020105}}"},
	    {{.status = CMC_FAILED, .fail = CMC_POP_FAILED, .id = 0, .text = DER_OCTETS("no")},
		"30{020102 30{020100} 0c{'no'} 020109}"},
	    {{.status = CMC_FAILED, .fail = CMC_BAD_ALG, .id = 1}, "30{020102 30{020101} 020100}"},
	    {{.status = CMC_NO_SUPPORT, .fail = CMC_NO_FAIL, .id = 1, .text = DER_OCTETS("x")},
		"30{020104 30{020101} 0c{'x'}}"},
	    {{.status = CMC_PENDING,
		 .fail = CMC_NO_FAIL,
		 .id = 2,
		 .token = DER_OCTETS("tk"),
		 .again = MAKER_NOW},
		"30{020103 30{020102} 30{04{'tk'} 18{'20260101000000Z'}}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cmc_status back;
		struct buf out = {0};
		cmc_status_add(&out, &rows[i].status);
		assert_bytes(maker_der(rows[i].der), buf_span(&out));
		assert_refusal(REFUSAL_NONE,
		    cmc_status_parse(control_of(CMC_STATUS_INFO_V2, buf_span(&out)), &back));
		assert_int_equal(rows[i].status.status, back.status);
		assert_int_equal(rows[i].status.fail, back.fail);
		assert_int_equal(rows[i].status.id, back.id);
		assert_bytes(rows[i].status.text, back.text);
		assert_bytes(rows[i].status.token, back.token);
		buf_free(&out);
	}
}

static void test_status_refused(void **state)
{
	static const char *const bad[] = {"", "0500", "3000", "30{020100}", "30{020100 3000}",
	    "30{020101 30{020101}}", "30{020108 30{020101}}", "30{0201ff 30{020101}}",
	    "30{020100 30{0500}}", "30{020100 30{020101} 020109}",
	    "30{020102 30{020101} 020109 020109}", "30{020102 30{020101} 0500}",
	    "30{020103 30{020101} 30{0400 170d3236303130313030303030305a}}",
	    "30{020103 30{020101} 30{0400}}", "30{020100 30{020101} 020109 0c00}",
	    "30{020100 30{020101}} 30{020100 30{020101}}"};
	static const char *const good[] = {
	    "30{020102 30{30{020105 020106} 020107} a1{06032a0304 0500}}",
	    "30{020102 30{020105} 30{06032a0304 0500}}", "30{020102 30{020105} 020203e8}"};
	struct cmc_status status;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_true(refusal_is(CMC_CONTROL,
		    cmc_status_parse(control_of(CMC_STATUS_INFO_V2, maker_der(bad[i])), &status),
		    bad[i]));
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_refusal(REFUSAL_NONE,
		    cmc_status_parse(control_of(CMC_STATUS_INFO_V2, maker_der(good[i])), &status));
		assert_int_equal(5, status.id);
	}
}

/* RFC 5272 6.1.4, and where it or another RFC says when which is to be used. */
static void test_fail(void **state)
{
	static const struct {
		enum refusal refusal;
		enum outcome outcome;
		int fail;
	} rows[] = {{CMC_ALGORITHM, EST_MALFORMED, 0}, {CMC_SIGNATURE, EST_MALFORMED, 1},
	    {CMC_CONTROL, EST_MALFORMED, 2}, {CMC_REPLAY, EST_MALFORMED, 2},
	    {CMC_FORM, EST_MALFORMED, 2}, {NAME_NOT_ALLOWED, EST_FORBIDDEN, 2},
	    {CSR_EXTENSION, EST_MALFORMED, 5}, {CMC_IDENTITY, EST_FORBIDDEN, 7},
	    {OTP_WRONG, EST_FORBIDDEN, 7}, {POP_REQUIRED, EST_FORBIDDEN, 8},
	    {POP_LINKING, EST_FORBIDDEN, 9}, {CSR_SIGNATURE, EST_MALFORMED, 9},
	    {KEY_IN_USE, EST_FORBIDDEN, 10}, {SERVER_INTERNAL, EST_INTERNAL, 11},
	    {SERVER_LINT, EST_INTERNAL, 11}, {SERVER_UNAVAILABLE, EST_UNAVAILABLE, 12},
	    {APPROVAL_FULL, EST_THROTTLED, 12}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(rows[i].fail, cmc_fail_of(rows[i].refusal, rows[i].outcome));
	assert_string_equal("badAlg", cmc_fail_name(0));
	assert_string_equal("authDataFail", cmc_fail_name(13));
	assert_null(cmc_fail_name(14));
	assert_null(cmc_fail_name(-1));
	assert_null(cmc_status_name(1));
	assert_string_equal("partial", cmc_status_name(7));
	assert_null(cmc_status_name(8));
}

/* --- proofs of a shared secret --- */

#define SHA256_ID "30{0609608648016503040201}"

static void test_proof(void **state)
{
	/*
	 * RFC 4231 4.3 has a shorter key; this is SHA-256("secret") over "data", by Python's hmac.
	 */
	static const struct span data = DER_OCTETS("data"), secret = DER_OCTETS("secret"),
				 name = DER_OCTETS("pump"), none = {NULL, 0};
	unsigned char key[CMC_KEY_SIZE], named[CMC_KEY_SIZE], mac[EVP_MAX_MD_SIZE];
	struct buf out = {0};
	struct cmc_proof proof;
	size_t len = 0;

	(void)state;
	cmc_proof_key(secret, none, key);
	assert_bytes(
	    BYTES("\x2b\xb8\x0d\x53\x7b\x1d\xa3\xe3\x8b\xd3\x03\x61\xaa\x85\x56\x86\xbd\xe0"
		  "\xea\xcd\x71\x62\xfe\xf6\xa2\x5f\xe9\x7b\xf5\x27\xa2\x5b"),
	    ((struct span){key, sizeof(key)}));
	cmc_proof_key(secret, name, named);
	assert_int_not_equal(0, memcmp(key, named, sizeof(key)));
	cmc_proof_add(&out, key, data);
	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, sizeof(key), data.data,
	    data.len, mac, sizeof(mac), &len));
	assert_bytes(
	    maker_der("30{" SHA256_ID "30{06082a864886f70d0209} 04{$}}", (struct span){mac, len}),
	    buf_span(&out));
	assert_refusal(REFUSAL_NONE, cmc_proof_parse(buf_span(&out), &proof));
	assert_true(cmc_proof_verify(&proof, key, data));
	assert_false(cmc_proof_verify(&proof, named, data));
	assert_false(cmc_proof_verify(&proof, key, secret));
	proof.witness.len--;
	assert_false(cmc_proof_verify(&proof, key, data));
	proof.witness.len = 0;
	assert_false(cmc_proof_verify(&proof, key, data));
	buf_free(&out);
}

static void test_proof_refused(void **state)
{
	static const struct {
		enum refusal refusal;
		const char *der;
	} rows[] = {
	    {CMC_CONTROL, ""},
	    {CMC_CONTROL, "30{" SHA256_ID "30{06082a864886f70d0209}}"},
	    {CMC_CONTROL, "30{" SHA256_ID "30{06082a864886f70d0209} 0400} 00"},
	    {CMC_CONTROL, "30{" SHA256_ID "30{06082a864886f70d0209} 0400 0500}"},
	    {CMC_CONTROL, "30{0500 30{06082a864886f70d0209} 0400}"},
	    {CMC_ALGORITHM, "30{30{06052b0e03021a} 30{06082a864886f70d0209} 0400}"}, /* SHA-1 */
	    {CMC_ALGORITHM, "30{" SHA256_ID "30{06082b06010505080102} 0400}"}, /* HMAC with SHA-1 */
	    {CMC_ALGORITHM, "30{" SHA256_ID "30{06082a864886f70d0209 0400} 0400}"},
	    {REFUSAL_NONE,
		"30{30{0609608648016503040201 0500} 30{06082a864886f70d020b 0500} 0400}"},
	};
	struct cmc_proof proof;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_true(refusal_is(
		    rows[i].refusal, cmc_proof_parse(maker_der(rows[i].der), &proof), rows[i].der));
}

/* --- revocations --- */

static void test_revocation(void **state)
{
	struct span issuer = maker_name("CN=CA");
	struct cmc_revocation revocation = {.issuer = issuer,
				  .serial = BYTES("\x00\x80"),
				  .reason = 1,
				  .has_secret = true,
				  .secret = BYTES("lost")},
			      back;
	struct buf out = {0};

	(void)state;
	cmc_revocation_add(&out, &revocation);
	assert_bytes(maker_der("30{$ 02020080 0a0101 04{'lost'}}", issuer), buf_span(&out));
	assert_refusal(REFUSAL_NONE,
	    cmc_revocation_parse(control_of(CMC_REVOKE_REQUEST, buf_span(&out)), &back));
	assert_bytes(issuer, back.issuer);
	assert_bytes(BYTES("\x00\x80"), back.serial);
	assert_int_equal(1, back.reason);
	assert_true(back.has_secret);
	assert_bytes(BYTES("lost"), back.secret);
	assert_refusal(REFUSAL_NONE,
	    cmc_revocation_parse(
		control_of(CMC_REVOKE_REQUEST,
		    maker_der("30{$ 020105 0a0104 18{'20260101000000Z'} 0c{'gone'}}", issuer)),
		&back));
	assert_false(back.has_secret);
	buf_free(&out);
}

static void test_revocation_refused(void **state)
{
	static const char *const bad[] = {"", "3000", "30{3000 020101}", "30{3000 020101 020101}",
	    "30{3000 020101 0a020101}", "30{3000 02020001 0a0101}", "30{3000 020101 0a0101 0500}",
	    "30{3000 020101 0a0101 0c00 0400}", "30{3000 020101 0a0101} 30{3000 020101 0a0101}"};
	struct cmc_revocation revocation;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_true(refusal_is(CMC_CONTROL,
		    cmc_revocation_parse(
			control_of(CMC_REVOKE_REQUEST, maker_der(bad[i])), &revocation),
		    bad[i]));
}

/* --- CertReqMsg --- */

/* As OpenSSL makes one, with that proof of possession. */
static struct span crmf_of(const char *key, int popo)
{
	OSSL_CRMF_MSG *message = OSSL_CRMF_MSG_new();
	X509_NAME *subject = X509_NAME_new();
	unsigned char *der = NULL;
	struct buf out = {0};
	int len;

	assert_int_equal(1, OSSL_CRMF_MSG_set_certReqId(message, 7));
	assert_int_equal(1, X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
				(const unsigned char *)"pump", -1, -1, 0));
	assert_int_equal(1, OSSL_CRMF_CERTTEMPLATE_fill(OSSL_CRMF_MSG_get0_tmpl(message),
				maker_key(key), subject, NULL, NULL));
	assert_int_equal(
	    1, OSSL_CRMF_MSG_create_popo(popo, message, maker_key(key), EVP_sha256(), NULL, NULL));
	len = i2d_OSSL_CRMF_MSG(message, &der);
	assert_true(len > 0);
	buf_add(&out, der, (size_t)len);
	OPENSSL_free(der);
	X509_NAME_free(subject);
	OSSL_CRMF_MSG_free(message);
	return maker_keep(&out);
}

static struct span content_of(struct span der)
{
	struct der value;

	assert_outcome(EST_OK, der_take(&der, DER_SEQUENCE, &value));
	return value.content;
}

static void test_crmf(void **state)
{
	static const char *const keys[] = {"P-256", "P-384", "RSA-2048"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct span der;
		struct cmc_crmf crmf;
		struct buf name = {0};
		der = crmf_of(keys[i], OSSL_CRMF_POPO_SIGNATURE);
		assert_refusal(REFUSAL_NONE, cmc_crmf_parse(content_of(der), &crmf));
		assert_bytes(maker_spki(keys[i]), crmf.csr.spki);
		csr_device_name(&crmf.csr.name, &crmf.csr.wishes.sans, &name);
		assert_string_equal("pump", buf_string(&name));
		assert_int_equal(0, crmf.issuer.len);
		buf_free(&name);
		cmc_crmf_clear(&crmf);
	}
}

static void test_crmf_possession(void **state)
{
	struct span good = content_of(crmf_of("P-256", OSSL_CRMF_POPO_SIGNATURE));
	struct span other = content_of(crmf_of("P-256#other", OSSL_CRMF_POPO_SIGNATURE));
	struct span ra = content_of(crmf_of("P-256", OSSL_CRMF_POPO_RAVERIFIED));
	struct span rest = good, others = other;
	struct der request, ignored;
	struct cmc_crmf crmf;

	(void)state;
	assert_refusal(CMC_POP, cmc_crmf_parse(ra, &crmf));
	cmc_crmf_clear(&crmf);
	assert_outcome(EST_OK, der_next(&rest, &request));
	assert_outcome(EST_OK, der_next(&others, &ignored));
	assert_refusal(POP_REQUIRED, cmc_crmf_parse(request.whole, &crmf));
	cmc_crmf_clear(&crmf);
	/* The proof of another key's request. */
	assert_refusal(CMC_POP, cmc_crmf_parse(maker_der("$ $", request.whole, others), &crmf));
	cmc_crmf_clear(&crmf);
	assert_refusal(CMC_FORM, cmc_crmf_parse(maker_der("$ 30{}", good), &crmf)); /* regInfo */
	cmc_crmf_clear(&crmf);
}

static void test_crmf_refused(void **state)
{
	static const struct {
		enum refusal refusal;
		const char *template; /* its fields; $ is subject, then key */
	} rows[] = {
	    {POP_REQUIRED, "a5{$} a6{$}"},
	    {POP_REQUIRED, "800102 a4{} a5{$} a6{$}"},
	    {CMC_FORM, "800100 a5{$} a6{$}"},
	    {CMC_FORM, "810105 a5{$} a6{$}"},
	    {CMC_FORM, "a2{06032a0304} a5{$} a6{$}"},
	    {CMC_FORM, "a5{$} a6{$} 87020001"},
	    {CMC_FORM, "a5{$} a6{$} 88020001"},
	    {CMC_FORM, "a5{$} a6{$} a5{3000}"},
	    {CMC_FORM, "a5{$} a6{$} aa{}"},
	    {CMC_FORM, "a3{0500} a5{$} a6{$}"},
	    {CMC_FORM, "a5{$ 0500} a6{$}"},
	    {CSR_NAME_EMPTY, "a5{3000} a6{$}"},
	    {CSR_EXTENSION_DER, "a5{$} a6{$} a9{0500}"},
	};
	struct span subject = maker_name("CN=pump"), key = content_of(maker_spki("P-256"));
	struct cmc_crmf crmf;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool named = strstr(rows[i].template, "a5{$") != NULL;
		struct span fields = named ? maker_der(rows[i].template, subject, key)
					   : maker_der(rows[i].template, key);
		assert_true(refusal_is(rows[i].refusal,
		    cmc_crmf_parse(maker_der("30{020101 30{$}}", fields), &crmf),
		    rows[i].template));
		cmc_crmf_clear(&crmf);
	}
	assert_refusal(CMC_FORM, cmc_crmf_parse(maker_der("30{020101 30{a6{$}}}", key), &crmf));
	cmc_crmf_clear(&crmf);
	assert_refusal(CMC_FORM, cmc_crmf_parse(maker_der("30{020101 30{a5{$}}}", subject), &crmf));
	cmc_crmf_clear(&crmf);
	assert_refusal(CMC_FORM,
	    cmc_crmf_parse(maker_der("30{020101 30{a5{$} a6{$}} 30{}}", subject, key), &crmf));
	cmc_crmf_clear(&crmf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_data),
	    TEST(test_data_refused),
	    TEST(test_data_limits),
	    TEST(test_data_written),
	    TEST(test_response),
	    TEST(test_number),
	    TEST(test_status),
	    TEST(test_status_refused),
	    TEST(test_fail),
	    TEST(test_proof),
	    TEST(test_proof_refused),
	    TEST(test_revocation),
	    TEST(test_revocation_refused),
	    TEST(test_crmf),
	    TEST(test_crmf_possession),
	    TEST(test_crmf_refused),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
