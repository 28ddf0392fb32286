/*
 * fuzz_cmc - a Full PKI Request or Response: what is taken for one, OpenSSL's CMS reads the same
 * way, and what stands in it lies in the input, with numbers of its own; what is refused has a
 * code.
 *
 * No mutation keeps a signature right, so messages are taken apart without looking at theirs, and
 * the input is also read as what a signed message would hold: a PKIData, a PKIResponse, a
 * CertReqMsg, the value of each control.
 */
#include "tests/fuzz/fuzz.h"

#include <openssl/cms.h>
#include <openssl/crmf.h>
#include <openssl/err.h>

#include "common/pki/cmc_crmf.h"
#include "common/pki/cmc_data.h"
#include "common/pki/cmc_message.h"
#include "common/pki/cmc_proof.h"
#include "common/pki/cmc_revocation.h"
#include "common/pki/cmc_status.h"
#include "tests/fuzz/mutate.h"

/* Of fuzz_csr.c: who has its private half has signed none of this, mostly. */
static const unsigned char public_key[] =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01"
    "\x07\x03\x42\x00\x04\xd0\xba\x36\xb2\x4e\x48\x73\x15\x53\x41\x68\x5c\xec\x9b\xb9\x8b\xc5"
    "\x7e\x84\xb5\x27\x95\xb5\x73\x26\x91\xf6\xa2\xc1\x8d\xb6\x89\xb7\x6e\xc6\xd7\x2d\x4a\xe9"
    "\x8d\xf0\x96\x68\x54\xd7\xd6\xee\x63\xf6\x72\x40\xa5\xd3\xdd\x69\x31\x96\xd8\x85\x66\x49"
    "\xd1\x6e\x47";

#define OCTETS(array) ((struct span){(array), sizeof(array) - 1})

static bool lies_in(struct span part, struct span whole)
{
	return part.len == 0 || (part.data >= whole.data && part.len <= whole.len &&
				    part.data + part.len <= whole.data + whole.len);
}

/* --- what stands in a control --- */

static void read_controls(const struct cmc_data *data, struct span in)
{
	static const unsigned char key[CMC_KEY_SIZE];

	for (size_t i = 0; i < data->control_count; i++) {
		const struct cmc_control *control = &data->controls[i];
		struct cmc_revocation revocation;
		struct cmc_status status;
		struct cmc_proof proof;
		struct der value;
		must(control->id != 0 && control->number <= CMC_NUMBER_MAX);
		must(lies_in(control->values, in));
		(void)fuzz_judged(cmc_control_value(control, DER_OCTET_STRING, &value));
		if (fuzz_judged(cmc_status_parse(control, &status)) == EST_OK)
			must(cmc_status_name(status.status) != NULL && lies_in(status.text, in) &&
			     lies_in(status.token, in));
		if (fuzz_judged(cmc_revocation_parse(control, &revocation)) == EST_OK)
			must(lies_in(revocation.issuer, in) && lies_in(revocation.serial, in) &&
			     lies_in(revocation.secret, in));
		if (fuzz_judged(cmc_proof_parse(control->values, &proof)) == EST_OK)
			must(!cmc_proof_verify(&proof, key, in));
	}
}

/* Numbers are the message's own, each once. */
static void check_numbers(const struct cmc_data *data)
{
	uint32_t ids[CMC_CONTROLS_MAX + CMC_REQUESTS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < data->control_count; i++)
		ids[count++] = data->controls[i].id;
	for (size_t i = 0; i < data->request_count; i++)
		ids[count++] = data->requests[i].id;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			must(ids[i] != ids[j]);
}

/* --- a CertReqMsg --- */

static void read_crmf(struct span content)
{
	struct cmc_crmf crmf;
	struct buf whole = {0};
	const unsigned char *at;
	OSSL_CRMF_MSG *message;

	if (fuzz_judged(cmc_crmf_parse(content, &crmf)) == EST_OK) {
		der_add(&whole, DER_SEQUENCE, content);
		at = whole.data;
		message = d2i_OSSL_CRMF_MSG(NULL, &at, (long)whole.len);
		must(message != NULL && at == whole.data + whole.len);
		OSSL_CRMF_MSG_free(message);
		ERR_clear_error();
		buf_free(&whole);
	}
	cmc_crmf_clear(&crmf);
}

static void read_data(struct span in)
{
	struct cmc_data data;
	struct buf controls = {0}, again = {0};

	if (fuzz_judged(cmc_data_parse(in, &data)) == EST_OK) {
		check_numbers(&data);
		must(lies_in(data.request_sequence, in));
		read_controls(&data, in);
		for (size_t i = 0; i < data.request_count; i++) {
			must(lies_in(data.requests[i].der, in));
			if (data.requests[i].kind == CMC_CRMF)
				read_crmf(data.requests[i].der);
		}
	}
	if (fuzz_judged(cmc_response_parse(in, &data)) != EST_OK)
		return;
	check_numbers(&data);
	read_controls(&data, in);
	for (size_t i = 0; i < data.control_count; i++)
		if (data.controls[i].number != CMC_UNKNOWN)
			cmc_control_add(&controls, data.controls[i].id, data.controls[i].number,
			    data.controls[i].values);
	cmc_response_add(&again, buf_span(&controls));
	/* One that we write with the same controls is one. */
	must(fuzz_judged(cmc_response_parse(buf_span(&again), &data)) == EST_OK);
	buf_free(&controls);
	buf_free(&again);
}

/* --- a message --- */

static void check_openssl(struct span in, const struct cmc_message *message)
{
	const unsigned char *at = in.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)in.len);
	ASN1_OCTET_STRING **content;

	/* OpenSSL reads the certificates and CRLs in it too, and may find these to be none. */
	if (cms != NULL) {
		content = CMS_get0_content(cms);
		must(at == in.data + in.len && content != NULL && *content != NULL);
		must(span_equal(message->content, (struct span){ASN1_STRING_get0_data(*content),
						      (size_t)ASN1_STRING_length(*content)}));
		must(
		    sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) == (int)message->signer_count);
	}
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
}

static void read_message(struct span in)
{
	static const struct span types[] = {DER_OCTETS(CMC_PKI_DATA), DER_OCTETS(CMC_PKI_RESPONSE)};
	struct cmc_message message, again;
	struct key_info key;
	struct buf more = {0};

	for (size_t i = 0; i < 2; i++) {
		if (fuzz_judged(cmc_message_parse(in, types[i], &message)) != EST_OK)
			continue;
		must(message.is_cmc && lies_in(message.content, in));
		check_openssl(in, &message);
		must(key_parse(OCTETS(public_key), &key) == EST_OK);
		for (size_t j = 0; j < message.signer_count; j++)
			(void)fuzz_judged(cmc_signer_verify(&message, &message.signers[j], &key));
		read_data(message.content);
		if (cmc_message_add_certificates(
			in, message.certificates, message.certificate_count, &more) == EST_OK)
			must(fuzz_judged(cmc_message_parse(buf_span(&more), types[i], &again)) ==
				 EST_OK &&
			     again.certificate_count <= message.certificate_count);
		reason_clear();
		buf_free(&more);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = {data, size};

	reason_clear();
	read_message(in);
	read_data(in);
	read_crmf(in);
	return 0;
}

#ifdef EST_FUZZING

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	return mutate_der(data, size, most, seed);
}

#endif
