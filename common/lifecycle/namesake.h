/*
 * namesake.h - the certificates that the store has under a device's name.
 */
#ifndef EST_NAMESAKE_H
#define EST_NAMESAKE_H

#include "common/store/store.h"

/* Looks at one; true ends the walk. It may take the record over, and leaves {0} then. */
typedef bool namesake_visit(struct cert_record *record, void *context);

/*
 * Visits them in pages, by serial, those that are revoked or have expired among them; of more than
 * `most` (0: no bound) only the first. Outcomes are those of store_cert_list().
 */
enum outcome namesakes_visit(
    struct store *store, const char *name, size_t most, namesake_visit *visit, void *context);

#endif
