/*
 * request_digest.h - what makes two requests the same: who asks for what, never their octets,
 * because a client may sign each repetition anew (RFC 7030 4.2.3). For the acts.
 */
#ifndef EST_REQUEST_DIGEST_H
#define EST_REQUEST_DIGEST_H

#include "common/lifecycle/enroll.h"

/*
 * SHA-256 over label, act, identity, key and names, which repetitions have in common. Of a
 * key that is made here, the one in the request says nothing.
 */
void request_digest_id(const struct enrollment *enrollment, unsigned char out[static 32]);

/*
 * SHA-256 over that and everything else of the request that reaches the certificate, or whoever
 * opens the generated key: what an approval covers, and what an answer is repeated for.
 */
void request_digest_content(const struct enrollment *enrollment, unsigned char out[static 32]);

#endif
