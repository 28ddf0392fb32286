#include "common/base/limiter_table.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/shared.h"
#include "common/base/siphash.h"

#define VERSION  1
#define SETS     2048 /* of each kind: a power of two */
#define SET_BITS 11
#define WAYS     8 /* slots of a set: two cache lines */
#define CLAIM    UINT64_C(1)
#define ATTEMPTS 64 /* to take a slot that others want too */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "processes share these slots");
_Static_assert(sizeof(_Atomic uint64_t) == sizeof(uint64_t), "and the file is made of them");
_Static_assert(SETS == 1 << SET_BITS, "a hash tells the set");

struct head {
	char magic[8];
	uint64_t version, kinds, sets, ways;
	uint64_t key[2]; /* of the hash: random */
	uint64_t unused[9];
};

/* The kinds have slots of their own, so that no flood of one drives out what is known of another.
 */
struct image {
	struct head head;
	struct slot slots[LIMITER_KINDS][SETS][WAYS];
};

_Static_assert(sizeof(struct head) == 128 && sizeof(struct slot) == 16, "no gaps in the file");

struct limiter {
	struct image *image;
};

static const struct head blank = {.magic = {'e', 's', 't', 'l', 'i', 'm', 'i', 't'},
    .version = VERSION,
    .kinds = LIMITER_KINDS,
    .sets = SETS,
    .ways = WAYS};

/* Whatever the slots hold can be worked with: limiter.c bounds what it reads. */
static bool is_sound(const void *image)
{
	return memcmp(image, &blank, offsetof(struct head, key)) == 0;
}

static const struct shared_form form = {"the limits", sizeof(struct image), is_sound};

enum outcome limiter_open(const char *path, struct limiter **out)
{
	struct head head = blank;
	void *image = NULL;
	enum outcome outcome;

	if (getrandom(head.key, sizeof(head.key), 0) != (ssize_t)sizeof(head.key))
		return reason(
		    EST_UNAVAILABLE, "the system gives no random octets: %s", strerror(errno));
	outcome = shared_open(
	    path, &form, (struct span){(const unsigned char *)&head, sizeof(head)}, &image);
	if (outcome != EST_OK)
		return outcome;
	*out = mem_alloc(sizeof(**out));
	(*out)->image = image;
	return EST_OK;
}

void limiter_close(struct limiter *limiter)
{
	if (limiter == NULL)
		return;
	shared_close(&form, limiter->image);
	free(limiter);
}

struct seat table_seat(const struct limiter *limiter, enum limiter_kind kind, struct span key)
{
	uint64_t hash = siphash(limiter->image->head.key, key), tag = hash & ~CLAIM;

	return (struct seat){
	    limiter->image->slots[kind][hash >> (64 - SET_BITS)], tag == 0 ? CLAIM << 1 : tag};
}

struct slot *table_find(const struct seat *seat)
{
	for (size_t i = 0; i < WAYS; i++)
		if (atomic_load(&seat->slots[i].tag) == seat->tag)
			return &seat->slots[i];
	return NULL;
}

bool table_read(const struct seat *seat, struct slot *slot, uint64_t *word)
{
	*word = atomic_load(&slot->word);
	return atomic_load(&slot->tag) == seat->tag;
}

/* --- a slot for a key that has none ---
 *
 * It is claimed first: its tag becomes the key's with the bit CLAIM, and counts for nobody. Then
 * what its last key left is overwritten, other claims of the same key are undone, and only then the
 * bit is removed. Of two processes that do this at once in different slots, the one that claims
 * last sees the other's claim, or its finished slot; so the key never has two. A claim whose
 * process was killed is one that anybody takes over or away.
 */

/* How much there is to lose: nothing in a free slot, next to nothing in one that is claimed. */
static uint64_t weight(uint64_t tag, uint64_t word, const struct entry *entry)
{
	if (tag == 0)
		return 0;
	if ((tag & CLAIM) != 0 || (word & entry->mask) < entry->since)
		return 1;
	return word > 1 ? word : 2;
}

/* The slot that is claimed for the key: by somebody already, else the one that weighs least. NULL:
 * not got. */
static struct slot *claim(const struct seat *seat, const struct entry *entry)
{
	struct slot *lightest = NULL;
	uint64_t least = UINT64_MAX, was = 0;

	for (size_t i = 0; i < WAYS; i++) {
		struct slot *slot = &seat->slots[i];
		uint64_t tag = atomic_load(&slot->tag), word = atomic_load(&slot->word);
		if (tag == (seat->tag | CLAIM))
			return slot;
		word = weight(tag, word, entry);
		if (lightest != NULL && word >= least)
			continue;
		lightest = slot;
		least = word;
		was = tag;
	}
	return atomic_compare_exchange_strong(&lightest->tag, &was, seat->tag | CLAIM) ? lightest
										       : NULL;
}

/* Puts the word in place of what the last key left; false where the claim was undone. */
static bool renew(struct slot *slot, uint64_t claimed, uint64_t to)
{
	uint64_t word = atomic_load(&slot->word);

	while (atomic_load(&slot->tag) == claimed)
		if (word == to || atomic_compare_exchange_strong(&slot->word, &word, to))
			return true;
	return false;
}

/* Makes the claim the key's slot; false where the key has another one, or somebody undid the claim.
 */
static bool settle(const struct seat *seat, struct slot *slot, uint64_t word)
{
	uint64_t claimed = seat->tag | CLAIM, other;

	if (!renew(slot, claimed, word))
		return false;
	for (size_t i = 0; i < WAYS; i++) {
		if (&seat->slots[i] == slot)
			continue;
		other = claimed;
		if (!atomic_compare_exchange_strong(&seat->slots[i].tag, &other, 0) &&
		    other == seat->tag) {
			(void)atomic_compare_exchange_strong(&slot->tag, &claimed, 0);
			return false;
		}
	}
	return atomic_compare_exchange_strong(&slot->tag, &claimed, seat->tag);
}

struct slot *table_enter(const struct seat *seat, const struct entry *entry)
{
	struct slot *slot = table_find(seat);

	for (int i = 0; slot == NULL && i < ATTEMPTS; i++) {
		slot = claim(seat, entry);
		if (slot != NULL && !settle(seat, slot, entry->word))
			slot = NULL;
		if (slot == NULL)
			slot = table_find(seat);
	}
	return slot;
}
