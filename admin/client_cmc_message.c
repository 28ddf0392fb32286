#include "admin/client_cmc_message.h"

#include <string.h>

#include <openssl/cms.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "common/pki/cmc_data.h"
#include "common/pki/cmc_message.h"
#include "common/pki/cmc_proof.h"
#include "common/pki/cmc_revocation.h"
#include "common/pki/cmc_status.h"

#include "admin/client_certs.h"

#define PKI_DATA     "1.3.6.1.5.5.7.12.2"
#define PKI_RESPONSE "1.3.6.1.5.5.7.12.3"

enum { REQUEST_ID = 1 }; /* of the certification request; controls come behind it */

/* --- the request --- */

static enum outcome fill(unsigned char octets[static CLIENT_CMC_NONCE])
{
	return RAND_bytes(octets, CLIENT_CMC_NONCE) == 1
		   ? EST_OK
		   : reason_openssl(EST_UNAVAILABLE, "there is no randomness");
}

enum outcome client_cmc_begin(struct client_cmc *cmc)
{
	enum outcome outcome = fill(cmc->transaction);

	cmc->transaction[0] = (cmc->transaction[0] & 0x3f) | 0x40; /* positive, and shortest */
	return outcome;
}

static void add(
    struct buf *controls, uint32_t id, unsigned number, unsigned tag, struct span content)
{
	struct buf value = {0};

	der_add(&value, tag, content);
	cmc_control_add(controls, id, number, buf_span(&value));
	buf_free(&value);
}

static void add_revocation(
    struct buf *controls, uint32_t id, const struct client_cmc_request *request)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(request->revoke);
	struct cmc_revocation revocation = {.reason = request->reason,
	    .has_secret = request->secret.len > 0,
	    .secret = request->secret,
	    .serial = {ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)}};
	struct buf value = {0}, octets = {0};

	if (revocation.serial.len > 0 && revocation.serial.data[0] >= 0x80) {
		buf_add_byte(&octets, 0);
		buf_add_span(&octets, revocation.serial);
		revocation.serial = buf_span(&octets);
	}
	(void)X509_NAME_get0_der(
	    X509_get_issuer_name(request->revoke), &revocation.issuer.data, &revocation.issuer.len);
	cmc_revocation_add(&value, &revocation);
	cmc_control_add(controls, id, CMC_REVOKE_REQUEST, buf_span(&value));
	buf_cleanse(&value);
	buf_free(&octets);
}

/* A proof is over the reqSequence as it is sent. */
static void add_proof(struct buf *controls, uint32_t id, const struct client_cmc_request *request,
    const struct cmc_request *part)
{
	unsigned char key[CMC_KEY_SIZE];
	struct buf data = {0}, value = {0};
	struct cmc_data parsed;

	cmc_data_add(&data, (struct span){NULL, 0}, part, 1);
	if (cmc_data_parse(buf_span(&data), &parsed) == EST_OK) {
		cmc_proof_key(request->secret, (struct span){NULL, 0}, key);
		cmc_proof_add(&value, key, parsed.request_sequence);
		cmc_control_add(controls, id, CMC_IDENTITY_PROOF_V2, buf_span(&value));
		OPENSSL_cleanse(key, sizeof(key));
	}
	buf_free(&data);
	buf_free(&value);
}

static void write_data(
    const struct client_cmc *cmc, const struct client_cmc_request *request, struct buf *data)
{
	struct cmc_request part = {.id = REQUEST_ID, .der = request->csr};
	struct buf controls = {0};
	uint32_t id = REQUEST_ID + 1;

	add(&controls, id++, CMC_TRANSACTION_ID, DER_INTEGER,
	    (struct span){cmc->transaction, CLIENT_CMC_NONCE});
	add(&controls, id++, CMC_SENDER_NONCE, DER_OCTET_STRING,
	    (struct span){cmc->nonce, CLIENT_CMC_NONCE});
	if (request->revoke != NULL)
		add_revocation(&controls, id++, request);
	else if (request->secret.len > 0)
		add_proof(&controls, id++, request, &part);
	cmc_data_add(data, buf_span(&controls), &part, request->csr.len > 0);
	buf_cleanse(&controls);
}

/* A certificate that nobody issued and nobody sees: OpenSSL names a signer by one. */
static X509 *stand_in(EVP_PKEY *key, struct span key_id)
{
	X509 *certificate = X509_new();
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	int done = X509_set_version(certificate, X509_VERSION_3) == 1 &&
		   X509_set_pubkey(certificate, key) == 1 &&
		   X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
		   X509_gmtime_adj(X509_getm_notAfter(certificate), 0) != NULL &&
		   ASN1_OCTET_STRING_set(id, key_id.data, (int)key_id.len) == 1 &&
		   X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0, 0) == 1 &&
		   X509_sign(certificate, key, EVP_sha256()) > 0;

	ASN1_OCTET_STRING_free(id);
	if (done == 1)
		return certificate;
	X509_free(certificate);
	return NULL;
}

/* RFC 5272 3.2: by a certificate, or by the key of the request under the name that it asks for. */
static bool add_signer(CMS_ContentInfo *cms, const struct client_cmc_request *request)
{
	unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
	X509 *own = NULL;
	bool added;

	if (request->certificate == NULL) {
		own = stand_in(request->key, request->key_id);
		flags |= CMS_USE_KEYID | CMS_NOCERTS;
	}
	added = CMS_add1_signer(cms, own == NULL ? request->certificate : own, request->key,
		    EVP_sha256(), flags) != NULL;
	X509_free(own);
	return added;
}

static enum outcome sign(
    const struct client_cmc_request *request, struct span data, struct buf *der)
{
	const unsigned flags = CMS_BINARY | CMS_PARTIAL;
	BIO *content = BIO_new_mem_buf(data.data, (int)data.len);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, content, flags);
	ASN1_OBJECT *type = OBJ_txt2obj(PKI_DATA, 1);
	unsigned char *octets = NULL;
	enum outcome outcome = EST_OK;
	int len = 0;

	if (cms != NULL && CMS_set1_eContentType(cms, type) == 1 && add_signer(cms, request) &&
	    CMS_final(cms, content, NULL, flags) == 1)
		len = i2d_CMS_ContentInfo(cms, &octets);
	if (len > 0)
		buf_add(der, octets, (size_t)len);
	else
		outcome = reason_openssl(EST_INTERNAL, "cannot sign the Full PKI Request");
	OPENSSL_free(octets);
	ASN1_OBJECT_free(type);
	CMS_ContentInfo_free(cms);
	BIO_free(content);
	return outcome;
}

/* A SignedData (RFC 5652 5.1) that nobody signed, which OpenSSL does not make. */
static void wrap(struct span data, struct buf *der)
{
	static const struct span signed_data = DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
				 type = DER_OCTETS(CMC_PKI_DATA), none = {NULL, 0};
	size_t info = der_open(der, DER_SEQUENCE), tagged, message, content, octets;

	der_add(der, DER_OID, signed_data);
	tagged = der_open(der, DER_CONTEXT_CONSTRUCTED(0));
	message = der_open(der, DER_SEQUENCE);
	cmc_number_add(der, 3);
	der_add(der, DER_SET, none);
	content = der_open(der, DER_SEQUENCE);
	der_add(der, DER_OID, type);
	octets = der_open(der, DER_CONTEXT_CONSTRUCTED(0));
	der_add(der, DER_OCTET_STRING, data);
	der_close(der, octets);
	der_close(der, content);
	der_add(der, DER_SET, none);
	der_close(der, message);
	der_close(der, tagged);
	der_close(der, info);
}

enum outcome client_cmc_write(
    struct client_cmc *cmc, const struct client_cmc_request *request, struct buf *der)
{
	struct buf data = {0};
	enum outcome outcome = fill(cmc->nonce);

	if (outcome == EST_OK)
		write_data(cmc, request, &data);
	if (outcome == EST_OK && request->key == NULL)
		wrap(buf_span(&data), der);
	else if (outcome == EST_OK)
		outcome = sign(request, buf_span(&data), der);
	buf_cleanse(&data);
	return outcome;
}

/* --- the response --- */

static X509_STORE *make_store(const struct client_cmc_trust *trust)
{
	X509_STORE *store = X509_STORE_new();

	for (int i = 0; i < sk_X509_num(trust->trust); i++)
		(void)X509_STORE_add_cert(store, sk_X509_value(trust->trust, i));
	for (int i = 0; i < sk_X509_num(trust->cacerts); i++)
		if (client_cert_is_root(sk_X509_value(trust->cacerts, i)))
			(void)X509_STORE_add_cert(store, sk_X509_value(trust->cacerts, i));
	(void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	(void)X509_STORE_set_purpose(
	    store, X509_PURPOSE_ANY); /* a CA's key usage is for signing certificates */
	return store;
}

/* Whether each signer is one of the CA's own certificates, not just of a device of the same CA. */
static bool is_signed_by_ca(CMS_ContentInfo *cms, const STACK_OF(X509) *cacerts)
{
	STACK_OF(X509) *signers = CMS_get0_signers(cms);
	int known = 0;

	for (int i = 0; i < sk_X509_num(signers); i++)
		for (int j = 0; j < sk_X509_num(cacerts); j++)
			known +=
			    X509_cmp(sk_X509_value(signers, i), sk_X509_value(cacerts, j)) == 0;
	known = known > 0 && known == sk_X509_num(signers);
	sk_X509_free(signers);
	return known == 1;
}

/* The content of a Full PKI Response whose signature is the CA's. */
static enum outcome verify(
    CMS_ContentInfo *cms, const struct client_cmc_trust *trust, struct buf *content)
{
	char type[64] = "";
	X509_STORE *store = make_store(trust);
	STACK_OF(X509) *between = sk_X509_dup(trust->cacerts);
	BIO *out = BIO_new(BIO_s_mem());
	enum outcome outcome = EST_OK;
	char *octets;
	long len;

	(void)OBJ_obj2txt(type, sizeof(type), CMS_get0_eContentType(cms), 1);
	if (strcmp(type, PKI_RESPONSE) != 0)
		outcome = reason(EST_MALFORMED, "the answer is not a PKIResponse");
	else if (CMS_verify(cms, between, store, NULL, out, CMS_BINARY) != 1)
		outcome = reason_openssl(
		    EST_CONFLICT, "the signature of the answer does not verify by the CA");
	else if (!is_signed_by_ca(cms, trust->cacerts))
		outcome = reason(EST_CONFLICT, "the answer is signed by somebody else than the CA");
	len = BIO_get_mem_data(out, &octets);
	if (outcome == EST_OK)
		buf_add(content, octets, (size_t)len);
	BIO_free(out);
	sk_X509_free(between);
	X509_STORE_free(store);
	return outcome;
}

static bool holds(const struct cmc_data *data, unsigned number, unsigned tag, struct span wanted)
{
	const struct cmc_control *control = cmc_control_find(data, number);
	struct der value;
	bool equal = control != NULL && cmc_control_value(control, tag, &value) == EST_OK &&
		     span_equal(value.content, wanted);

	reason_clear();
	return equal;
}

/* The first status that is not success. */
static enum outcome check_statuses(const struct cmc_data *data)
{
	for (size_t i = 0; i < data->control_count; i++) {
		struct cmc_status status;
		const char *fail;
		if (data->controls[i].number != CMC_STATUS_INFO_V2)
			continue;
		if (cmc_status_parse(&data->controls[i], &status) != EST_OK)
			return EST_MALFORMED;
		fail = cmc_fail_name(status.fail);
		if (status.status != CMC_SUCCESS)
			return reason(EST_CONFLICT, "%s%s%s: %.*s", cmc_status_name(status.status),
			    fail == NULL ? "" : ", ", fail == NULL ? "" : fail,
			    (int)(status.text.len < 300 ? status.text.len : 300),
			    (const char *)status.text.data);
	}
	return EST_OK;
}

static enum outcome check_content(const struct client_cmc *cmc, struct span content)
{
	struct cmc_data data;

	if (cmc_response_parse(content, &data) != EST_OK)
		return EST_MALFORMED;
	if (!holds(&data, CMC_TRANSACTION_ID, DER_INTEGER,
		(struct span){cmc->transaction, CLIENT_CMC_NONCE}) ||
	    !holds(&data, CMC_RECIPIENT_NONCE, DER_OCTET_STRING,
		(struct span){cmc->nonce, CLIENT_CMC_NONCE}))
		return reason(EST_CONFLICT,
		    "RFC 5272 6.6: the answer is to another request: transaction or nonce differ");
	return check_statuses(&data);
}

enum outcome client_cmc_read(const struct client_cmc *cmc, struct span der,
    const struct client_cmc_trust *trust, STACK_OF(X509) **certs)
{
	const unsigned char *at = der.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
	struct buf content = {0};
	enum outcome outcome;

	if (cms == NULL || at != der.data + der.len ||
	    OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
		outcome = reason_openssl(EST_MALFORMED, "the answer is not a SignedData");
	} else if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) <= 0) {
		outcome = client_certs_parse(der, certs);
	} else {
		outcome = verify(cms, trust, &content);
		if (outcome == EST_OK)
			outcome = check_content(cmc, buf_span(&content));
		if (outcome == EST_OK)
			*certs = CMS_get1_certs(cms);
	}
	CMS_ContentInfo_free(cms);
	buf_free(&content);
	return outcome;
}
