#include "common/pki/cmc_crmf.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/der.h"
#include "common/pki/tree.h"

/* Which fields a CertTemplate may have, by their tags: in this order, each at most once. */
enum field {
	VERSION,
	SERIAL,
	SIGNING_ALG,
	ISSUER,
	VALIDITY,
	SUBJECT,
	KEY,
	ISSUER_UID,
	SUBJECT_UID,
	EXTENSIONS,
	FIELDS
};

/*
 * RFC 4211 5: a serial number, an algorithm and unique identifiers are not the client's to say. A
 * validity is a wish, and the profile's to decide (RFC 5272 3.2.1.2.2).
 */
static const struct {
	unsigned tag;
	bool taken;
} fields[FIELDS] = {
    [VERSION] = {DER_CONTEXT(0), true},
    [SERIAL] = {DER_CONTEXT(1), false},
    [SIGNING_ALG] = {DER_CONTEXT_CONSTRUCTED(2), false},
    [ISSUER] = {DER_CONTEXT_CONSTRUCTED(3), true},
    [VALIDITY] = {DER_CONTEXT_CONSTRUCTED(4), true},
    [SUBJECT] = {DER_CONTEXT_CONSTRUCTED(5), true},
    [KEY] = {DER_CONTEXT_CONSTRUCTED(6), true},
    [ISSUER_UID] = {DER_CONTEXT(7), false},
    [SUBJECT_UID] = {DER_CONTEXT(8), false},
    [EXTENSIONS] = {DER_CONTEXT_CONSTRUCTED(9), true},
};

static enum outcome take_fields(struct span rest, struct span values[static FIELDS])
{
	struct der field;

	for (unsigned i = 0; i < FIELDS; i++) {
		values[i] = (struct span){NULL, 0};
		if (der_take(&rest, fields[i].tag, &field) != EST_OK)
			continue;
		if (!fields[i].taken)
			return refuse(
			    CMC_FORM, "the CertTemplate has a field that is the CA's to fill in");
		values[i] = field.content;
	}
	return rest.len == 0 ? EST_OK : refuse(CMC_FORM, "the CertTemplate is not in form");
}

/* A Name in its explicit tag; whole. */
static bool take_name(struct span value, struct span *out)
{
	struct der name;

	if (der_take(&value, DER_SEQUENCE, &name) != EST_OK || value.len > 0)
		return false;
	*out = name.whole;
	return true;
}

static enum outcome take_template(struct span template, struct cmc_crmf *out)
{
	struct span values[FIELDS], subject;

	if (take_fields(template, values) != EST_OK)
		return EST_MALFORMED;
	if (values[VERSION].len > 0 && !DER_IS(values[VERSION], "\x02"))
		return refuse(CMC_FORM, "the CertTemplate's version is not 2, which stands for v3");
	if (values[ISSUER].len > 0 && !take_name(values[ISSUER], &out->issuer))
		return refuse(CMC_FORM, "the CertTemplate's issuer is no Name");
	if (values[SUBJECT].len == 0 || !take_name(values[SUBJECT], &subject))
		return refuse(
		    CMC_FORM, "the CertTemplate has no subject, which may be empty but not absent");
	if (values[KEY].len == 0)
		return refuse(CMC_FORM, "the CertTemplate has no public key");
	der_add(&out->spki, DER_SEQUENCE, values[KEY]);
	return csr_assemble(subject, buf_span(&out->spki), values[EXTENSIONS], &out->csr);
}

/*
 * POPOSigningKey ::= SEQUENCE { poposkInput [0] OPTIONAL, algorithmIdentifier, signature }, signed
 * is the CertRequest, because that has subject and key (RFC 4211 4.1).
 */
static enum outcome verify_possession(
    struct span content, struct span signed_octets, const struct cmc_crmf *crmf)
{
	struct der algorithm, signature;
	struct span octets;
	enum outcome outcome;

	if (der_take(&content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&content, DER_BIT_STRING, &signature) != EST_OK || content.len > 0 ||
	    signature.content.len < 2 || signature.content.data[0] != 0)
		return refuse(CMC_FORM, "the proof of possession is not a signature in form");
	octets = (struct span){signature.content.data + 1, signature.content.len - 1};
	outcome = key_verify(&crmf->csr.key, algorithm.whole, octets, signed_octets);
	if (outcome != EST_MALFORMED || refusal_recorded(outcome) != CSR_SIGNATURE)
		return outcome;
	reason_clear();
	return refuse(CMC_POP,
	    "the proof of possession does not verify: it is not a signature by the "
	    "requested key over the CertRequest");
}

static enum outcome take_possession(struct span *rest, struct span request, struct cmc_crmf *out)
{
	struct der proof;

	if (rest->len == 0)
		return refuse(POP_REQUIRED,
		    "the request does not prove that its key is possessed: sign the CertRequest");
	if (der_next(rest, &proof) != EST_OK)
		return refuse(CMC_FORM, "the proof of possession is not in form");
	if (proof.tag != DER_CONTEXT_CONSTRUCTED(1))
		return refuse(CMC_POP, "possession is proven by a signature over the CertRequest "
				       "only, by no RA and by "
				       "no encryption");
	return verify_possession(proof.content, request, out);
}

enum outcome cmc_crmf_parse(struct span content, struct cmc_crmf *out)
{
	struct der request, id, template;
	enum outcome outcome;

	*out = (struct cmc_crmf){.spki = {0}};
	if (der_take(&content, DER_SEQUENCE, &request) != EST_OK)
		return refuse(CMC_FORM, "the CertReqMsg has no CertRequest");
	if (tree_check(request.whole, CMC_FORM, "the CertRequest") != EST_OK)
		return EST_MALFORMED;
	if (der_take(&request.content, DER_INTEGER, &id) != EST_OK ||
	    der_take(&request.content, DER_SEQUENCE, &template) != EST_OK)
		return refuse(CMC_FORM, "the CertRequest is not in form");
	if (request.content.len > 0)
		return refuse(
		    CMC_FORM, "the CertRequest has controls, of which none is known here");
	outcome = take_template(template.content, out);
	if (outcome == EST_OK)
		outcome = take_possession(&content, request.whole, out);
	if (outcome == EST_OK && content.len > 0)
		outcome = refuse(
		    CMC_FORM, "the CertReqMsg has regInfo, which a Full PKI Request must not have");
	return outcome;
}

void cmc_crmf_clear(struct cmc_crmf *crmf)
{
	csr_clear(&crmf->csr);
	buf_free(&crmf->spki);
}
