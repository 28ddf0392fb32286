/*
 * cmc_algorithm.h - AlgorithmIdentifiers (RFC 5280 4.1.1.2) that say all by their OID.
 */
#ifndef EST_CMC_ALGORITHM_H
#define EST_CMC_ALGORITHM_H

#include "common/base/buf.h"

/*
 * Takes one off *rest: the content of its OID, and whether it is plain, without parameters or with
 * NULL. false where there is none in form.
 */
bool cmc_algorithm_take(struct span *rest, struct span *oid, bool *plain);

#endif
