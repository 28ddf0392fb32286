/*
 * fullcmc_work.h - a Full PKI Request while it is worked on. For fullcmc*.c.
 */
#ifndef EST_FULLCMC_WORK_H
#define EST_FULLCMC_WORK_H

#include "common/lifecycle/fullcmc.h"
#include "common/pki/cmc_crmf.h"
#include "common/pki/cmc_data.h"
#include "common/pki/cmc_message.h"
#include "common/pki/cmc_status.h"

/* A certificate of ours whose key signed the message; what it says. */
struct fullcmc_signer {
	struct cert_record record;
	struct name name;
	struct sans sans;
};

/* A certification request, looked into; csr is NULL where it cannot be read. */
struct fullcmc_item {
	const struct cmc_request *request;
	const struct csr *csr;
	struct csr plain;
	struct cmc_crmf crmf;
};

struct fullcmc_work {
	struct fullcmc *exchange;
	struct cmc_message message;
	struct cmc_data data;
	struct fullcmc_item items[CMC_REQUESTS_MAX];
	struct fullcmc_signer signers[CMC_SIGNERS_MAX];
	size_t signer_count;
	struct secret_record secret; /* whose knowledge was proven, where secret_proven */
	bool secret_proven;

	struct buf controls; /* content of the response's controlSequence, */
	uint32_t next;       /* and the number of its next body part */
	bool full;           /* there is more to say than certificates do */
	struct buf issued[CMC_REQUESTS_MAX];
	size_t issued_count;

	/* What of all that came first and worst; EST_OK: nothing. */
	enum outcome outcome;
	enum refusal refusal;
	struct buf why;

	/* For the log, each a list with commas. */
	struct buf revoked, fails;
};

/*
 * Notes what became of a body part (0: of the whole) with its status, and forgets the reason.
 * fail: CMC_NO_FAIL, or another failInfo than the refusal's own.
 */
void fullcmc_report(
    struct fullcmc_work *work, uint32_t id, enum outcome outcome, enum cmc_fail fail);
/* The same for what is not supported at all (RFC 5272 3.2.1). */
void fullcmc_report_unsupported(struct fullcmc_work *work, uint32_t id, enum outcome outcome);

/* Appends to one of the lists. */
void fullcmc_list(struct buf *list, const char *word);

/*
 * Looks into the requests, and verifies every signature of the message by a signer whom fullcmc.h
 * knows. EST_MALFORMED (CMC_SIGNATURE, CMC_ALGORITHM), EST_FORBIDDEN (CMC_IDENTITY).
 */
enum outcome fullcmc_signers(struct fullcmc_work *work);

/*
 * Checks that every control is known and in form, that no nonce comes again, and that the proofs
 * of a shared secret verify. Reports by itself.
 */
enum outcome fullcmc_controls(struct fullcmc_work *work);

/*
 * Appends what the controls of the request want to be answered (RFC 5272 6.4, 6.6).
 * EST_UNAVAILABLE.
 */
enum outcome fullcmc_answer_controls(struct fullcmc_work *work);

/* Each does all of its kind, and reports. */
void fullcmc_requests(struct fullcmc_work *work);
void fullcmc_revocations(struct fullcmc_work *work);

/* Whether a Name (DER) is that of the label's CA; whether a certificate counts under the label. */
bool fullcmc_is_ca(const struct fullcmc_work *work, struct span name);
bool fullcmc_is_label(const struct fullcmc_work *work, const struct cert_record *record);

/*
 * The certificate of ours with that serial number (content octets); EST_NOT_FOUND, without a
 * reason. The caller clears *out.
 */
enum outcome fullcmc_find(struct fullcmc_work *work, struct span serial, struct cert_record *out);

#endif
