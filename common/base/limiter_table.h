/*
 * limiter_table.h - where limiter.c keeps a word for each key, between processes that may be killed
 * anywhere: a table of fixed size in a shared file.
 */
#ifndef EST_LIMITER_TABLE_H
#define EST_LIMITER_TABLE_H

#include <stdatomic.h>

#include "common/base/limiter.h"

/*
 * A key's word. It is that of the key as long as the tag says so: who changes it reads the word,
 * then looks at the tag again, and then writes it by a compare-and-swap (table_read).
 */
struct slot {
	_Atomic uint64_t tag, word;
};

/* Where a key's slot is, if there is one. */
struct seat {
	struct slot *slots; /* one of these */
	uint64_t tag;
};

/*
 * How a key gets a slot: with what word, and in whose place. The least word makes room; but before
 * all others those that are forgotten already, whose bits of `mask` are less than `since`.
 */
struct entry {
	uint64_t word, mask, since;
};

struct seat table_seat(const struct limiter *limiter, enum limiter_kind kind, struct span key);

/* The key's slot; NULL where there is none. */
struct slot *table_find(const struct seat *seat);

/* The same, made where there is none. NULL: others were always faster to take what this one chose.
 */
struct slot *table_enter(const struct seat *seat, const struct entry *entry);

/* The slot's word; false where the slot is another key's meanwhile. */
bool table_read(const struct seat *seat, struct slot *slot, uint64_t *word);

#endif
