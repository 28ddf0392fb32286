/*
 * issue.h - an enrollment whose request is examined and whose names are allowed becomes a
 * certificate. For enroll.c.
 */
#ifndef EST_ISSUE_H
#define EST_ISSUE_H

#include "common/lifecycle/enroll.h"
#include "common/lifecycle/naming.h"
#include "common/lifecycle/predecessor.h"

/* What the acts differ in. */
struct act_row {
	const char *name;
	enum csr_use use;
	bool renews, generates;
};

const struct act_row *act_row(enum act act);

/* What lives as long as the enrollment, and leads nowhere else. */
struct enrollment_memory {
	struct predecessor old; /* of a renewal */
	struct naming naming;
	struct cert_terms terms;
	struct secret_use secret;
	unsigned
	    consumes; /* auth_consumes(): what of the identity is used up with what is granted */
	struct pending_record approval;
	unsigned char request[STORE_REQUEST_SIZE];
	unsigned char id[32]; /* request_digest_id(), where a secret is used up for it */
	struct buf subject, extensions, der, spki;
	struct buf name, subject_text, names; /* of the record */
};

/*
 * Makes the certificate and records it, or finds the answer that the same request had before.
 * Outcomes are enroll()'s.
 */
enum outcome enrollment_issue(struct service *service, struct enrollment *enrollment);

#endif
