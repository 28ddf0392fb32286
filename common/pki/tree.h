/*
 * tree.h - a DER value with all that lies in it, looked at without knowing what it means.
 *
 * Readers look only at what they know. What they skip could still be BER, or so deep that the next
 * program to read it falls over; here nothing is skipped, and nothing recurses.
 */
#ifndef EST_TREE_H
#define EST_TREE_H

#include "common/base/buf.h"
#include "common/base/refusal.h"

#define TREE_DEPTH 64 /* values in one another */

/*
 * Whether der is one DER value with nothing behind it, whose constructed values hold DER,
 * TREE_DEPTH levels at most, and whose integers, booleans, bit strings and OIDs are in DER's
 * form (X.690 8, 10, 11). If not, refuses with that code, and calls der what. Linear in the
 * input.
 */
enum outcome tree_check(struct span der, enum refusal refusal, const char *what);

#endif
