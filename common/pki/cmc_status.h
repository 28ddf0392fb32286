/*
 * cmc_status.h - what became of a body part of a Full PKI Request (RFC 5272 6.1).
 */
#ifndef EST_CMC_STATUS_H
#define EST_CMC_STATUS_H

#include "common/base/refusal.h"
#include "common/pki/cmc_data.h"

/* CMCStatus (6.1.3), as far as we say it. */
enum cmc_status_value { CMC_SUCCESS = 0, CMC_FAILED = 2, CMC_PENDING = 3, CMC_NO_SUPPORT = 4 };

/* CMCFailInfo (6.1.4). */
enum cmc_fail {
	CMC_NO_FAIL = -1,
	CMC_BAD_ALG,
	CMC_BAD_MESSAGE_CHECK,
	CMC_BAD_REQUEST,
	CMC_BAD_TIME,
	CMC_BAD_CERT_ID,
	CMC_UNSUPPORTED_EXT,
	CMC_MUST_ARCHIVE_KEYS,
	CMC_BAD_IDENTITY,
	CMC_POP_REQUIRED,
	CMC_POP_FAILED,
	CMC_NO_KEY_REUSE,
	CMC_INTERNAL_CA_ERROR,
	CMC_TRY_LATER,
	CMC_AUTH_DATA_FAIL,
	CMC_FAILS
};

const char *cmc_fail_name(int fail);          /* "badRequest"; NULL where it is none */
const char *cmc_status_name(unsigned status); /* "failed"; NULL where it is none */

/* The failInfo that says what a refusal, or a failure of ours, says to who speaks CMC. */
enum cmc_fail cmc_fail_of(enum refusal refusal, enum outcome outcome);

/* CMCStatusInfoV2 (6.1.1). */
struct cmc_status {
	unsigned status;   /* CMCStatus */
	int fail;          /* CMCFailInfo, with CMC_FAILED; else CMC_NO_FAIL */
	uint32_t id;       /* bodyList: the one body part, or 0, the whole */
	struct span text;  /* statusString, UTF-8; empty: none */
	struct span token; /* with CMC_PENDING: pendToken, */
	int64_t again;     /* and pendTime */
};

/* Appends the DER of one. */
void cmc_status_add(struct buf *out, const struct cmc_status *status);

/*
 * Reads one, the first of its bodyList as id; text and token lead into it. EST_MALFORMED,
 * CMC_CONTROL, where it is none, or its parts do not go together.
 */
enum outcome cmc_status_parse(const struct cmc_control *control, struct cmc_status *out);

#endif
