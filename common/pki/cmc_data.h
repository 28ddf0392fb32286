/*
 * cmc_data.h - PKIData and PKIResponse (RFC 5272 3.2.1, 4.2.1): body parts, each with a number.
 */
#ifndef EST_CMC_DATA_H
#define EST_CMC_DATA_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"
#include "common/pki/der.h"

#define CMC_CONTROLS_MAX 32
#define CMC_REQUESTS_MAX 8

/* Controls of id-cmc by their last arc (RFC 5272 6, RFC 6402); 0 is any other one. */
enum cmc_control_number {
	CMC_UNKNOWN,
	CMC_STATUS_INFO = 1,
	CMC_IDENTIFICATION = 2,
	CMC_IDENTITY_PROOF = 3,
	CMC_DATA_RETURN = 4,
	CMC_TRANSACTION_ID = 5,
	CMC_SENDER_NONCE = 6,
	CMC_RECIPIENT_NONCE = 7,
	CMC_RA_POP_WITNESS = 11,
	CMC_REVOKE_REQUEST = 17,
	CMC_REG_INFO = 18,
	CMC_QUERY_PENDING = 21,
	CMC_POP_LINK_RANDOM = 22,
	CMC_STATUS_INFO_V2 = 25,
	CMC_POP_LINK_WITNESS_V2 = 33,
	CMC_IDENTITY_PROOF_V2 = 34,
	CMC_NUMBER_MAX = 127
};

struct cmc_control {
	uint32_t id;
	unsigned number;    /* enum cmc_control_number, or one that is not listed there */
	struct span values; /* content of the SET */
};

enum cmc_kind { CMC_PKCS10, CMC_CRMF, CMC_OTHER };

struct cmc_request {
	uint32_t id;
	enum cmc_kind kind;
	struct span der; /* CertificationRequest; of a CertReqMsg the content; of others nothing */
};

/* The spans lead into the input, which must outlive it. */
struct cmc_data {
	struct cmc_control controls[CMC_CONTROLS_MAX];
	size_t control_count;
	struct cmc_request requests[CMC_REQUESTS_MAX];
	size_t request_count;
	struct span request_sequence; /* reqSequence, whole: what a proof of identity is over */
};

/*
 * Parses one, strictly, and nothing behind it: body parts have numbers of 1 to 4294967295, none of
 * them twice (3.2.2). What is in cmsSequence and otherMsgSequence is numbered and not looked at,
 * because no control that we know refers to it. EST_MALFORMED, CMC_FORM.
 */
enum outcome cmc_data_parse(struct span der, struct cmc_data *out);
enum outcome cmc_response_parse(struct span der, struct cmc_data *out); /* without requests */

/* The first control of that number, NULL if there is none. */
const struct cmc_control *cmc_control_find(const struct cmc_data *data, unsigned number);

/* The one value of a control, which has that tag. EST_MALFORMED, CMC_CONTROL. */
enum outcome cmc_control_value(const struct cmc_control *control, unsigned tag, struct der *out);

/*
 * Appends a control, a TaggedAttribute with one value (DER), to the content of a controlSequence.
 */
void cmc_control_add(struct buf *controls, uint32_t id, unsigned number, struct span value);

/* An INTEGER of 0 to 4294967295, as body parts are numbered; false where there is none. */
bool cmc_number_take(struct span *rest, uint32_t *out);
void cmc_number_add(struct buf *out, uint32_t number);

/* Appends the PKIResponse with that controlSequence (content) and nothing else. */
void cmc_response_add(struct buf *out, struct span controls);

/*
 * Appends a PKIData with these controls (content), and PKCS#10 requests as body parts of their
 * numbers.
 */
void cmc_data_add(struct buf *out, struct span controls, const struct cmc_request *requests,
    size_t request_count);

#endif
