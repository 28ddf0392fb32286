/*
 * trust.h - whose client certificates a label believes, and what they lead to.
 *
 * Two sets of trust anchors are kept apart (RFC 7030 3.3.2): explicit ones, our own CA, whose
 * certificates we remember and can revoke; and implicit ones, other people's CAs, whose
 * certificates may enroll but never renew.
 */
#ifndef EST_TRUST_H
#define EST_TRUST_H

#include <openssl/x509.h>

#include "common/base/config.h"
#include "common/base/outcome.h"

struct trust;

enum trust_kind { TRUST_NONE, TRUST_EXPLICIT, TRUST_IMPLICIT };

/*
 * Makes the trust of a label: the explicit anchor is the label's CA itself, not its root, under
 * which others may issue too; implicit ones and intermediates come from the label's files and
 * directories (pem_certificates()), which are not looked at again; and looks whether its
 * manufacturer_name is in form.
 * EST_MALFORMED, or what file_read() gives; the reason names the file. *out: trust_free().
 */
enum outcome trust_make(const struct config_label *label, X509 *ca, struct trust **out);
void trust_free(struct trust *trust); /* NULL is fine */

/*
 * Validates a client certificate at time `now` (RFC 5280 6, purpose clientAuth, keys and
 * signatures of 112 bits and more), with further certificates that the client sent. EST_OK and how
 * it is trusted; EST_UNAUTHENTICATED where no anchor of ours stands behind it; EST_FORBIDDEN where
 * one does, but it has expired, is not valid yet, or is not for client authentication.
 */
enum outcome trust_verify(const struct trust *trust, X509 *leaf, STACK_OF(X509) *sent, int64_t now,
    enum trust_kind *kind);

/*
 * The certificates between one that trust_verify() found to lead to an implicit anchor and that
 * anchor; NULL where there is none. The caller frees it with sk_X509_pop_free().
 */
STACK_OF(X509) *trust_issuers(
    const struct trust *trust, X509 *leaf, STACK_OF(X509) *sent, int64_t now);

/*
 * Whether one that trust_verify() found expired, and that leads to the explicit anchor, is so since
 * `grace` seconds at most and all else of it is right (T-10): then EST_OK.
 */
enum outcome trust_verify_late(
    const struct trust *trust, X509 *leaf, STACK_OF(X509) *sent, int64_t now, int64_t grace);

#endif
