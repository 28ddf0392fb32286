/*
 * approval.h - requests that wait until somebody approves them (RFC 7030 4.2.3).
 */
#ifndef EST_APPROVAL_H
#define EST_APPROVAL_H

#include "common/lifecycle/enroll.h"

/* What a label says of waiting for an act. */
bool approval_wanted(const struct enrollment *enrollment);

/*
 * Finds the request in the queue by what two polls have in common (label, act, identity, SPKI,
 * subject and SAN, R-05), or puts it there; content is the SHA-256 of all that an approval covers.
 * EST_OK: it is approved, and *approved is its row; or it was issued already, and then
 * enrollment->record is that certificate and `repeated` is set. EST_PENDING (APPROVAL_WAITING)
 * with enrollment->retry_after; EST_FORBIDDEN (APPROVAL_DENIED, APPROVAL_TAKEN); EST_THROTTLED.
 * The caller clears *approved.
 */
enum outcome approval_check(struct service *service, struct enrollment *enrollment,
    const unsigned char content[static 32], const struct secret_use *secret,
    struct pending_record *approved);

/* --- for whoever decides --- */

/*
 * The row whose ticket's hex begins with `id` (8 digits or more). EST_NOT_FOUND, EST_MALFORMED,
 * EST_CONFLICT where several do. The caller clears *out.
 */
enum outcome approval_find(struct service *service, const char *id, struct pending_record *out);

/*
 * Approves or denies the row, exactly as it was found: EST_CONFLICT where it has changed since, was
 * decided already, or has expired; an approval that was not answered yet may be denied. by: who
 * decides; why: for the device, may be NULL.
 */
enum outcome approval_decide(struct service *service, const struct pending_record *row,
    bool approve, const char *by, const char *why);

/*
 * Removes the row, whatever its state: the next request for the same waits anew, also where it had
 * been answered. EST_CONFLICT where another one took its place since it was found.
 */
enum outcome approval_delete(struct service *service, const struct pending_record *row);

#endif
