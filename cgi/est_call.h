/*
 * est_call.h - a request on its way to the operation that it names. For est*.c.
 */
#ifndef EST_EST_CALL_H
#define EST_EST_CALL_H

#include "cgi/serve.h"
#include "common/auth/auth.h"
#include "common/lifecycle/enroll.h"

/* RFC 7030 4.2.3: the type has one blank behind its semicolon, for clients that compare octets. */
#define CERTS_ONLY "application/pkcs7-mime; smime-type=certs-only"

struct call {
	struct service *service;
	const struct label *label;
	struct request *request;
	struct identity identity;
	struct binding binding;
	bool bootstrap; /* by the path of the label's `bootstrap` */
	struct reply *reply;
};

/* An operation: fills in the reply. What its row in est.c says was checked before. */
typedef enum outcome operation_run(struct call *call);

/* est_enroll.c */
operation_run run_simpleenroll, run_simplereenroll, run_serverkeygen;
/* est_cmc.c */
operation_run run_fullcmc;

/*
 * Appends what the log has of an enrollment: members of a JSON object, subject and names in so many
 * octets at most. est_enroll.c.
 */
void enrollment_facts(
    const struct enrollment *enrollment, size_t subject, size_t names, struct buf *facts);

/*
 * Appends the DER of the body, which is base64 of it whatever its Content-Transfer-Encoding says
 * (RFC 8951 3), or what else the label's `encodings` take. est_body.c.
 */
enum outcome call_body(const struct call *call, struct buf *der);

#endif
