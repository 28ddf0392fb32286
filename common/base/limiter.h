/*
 * limiter.h - how often things happened lately, shared by all processes of an instance: rates, and
 * wrong guesses.
 *
 * The state is a file beside the store that every process maps, apart from the store's own pages:
 * counting takes no lock and no system call, so that a process killed in the midst of it leaves
 * nothing held and a sandbox has nothing to allow. It survives workers and restarts. Keys are kept
 * as a keyed hash only, under a key that the file is made with. Each kind has room for 16384 of
 * them; where that is full, of a few slots the one with the least to lose makes room: of rates that
 * which would be forgotten soonest, of guesses that with the fewest wrong ones.
 */
#ifndef EST_LIMITER_H
#define EST_LIMITER_H

#include "common/base/buf.h"
#include "common/base/outcome.h"
#include "common/base/rate.h"

struct limiter;

/* What a key is of: the same text as an account and as an identity are two keys. */
enum limiter_kind {
	LIMITER_IDENTITY,
	LIMITER_ADDRESS,
	LIMITER_LABEL,
	LIMITER_ACCOUNT_GUESSES,
	LIMITER_ADDRESS_GUESSES,
	LIMITER_KINDS
};

/* How guessing gets slow: so many wrong ones cost nothing, the next one a second, then two, ... */
struct backoff {
	int64_t free;   /* 0: none is ever slowed */
	int64_t most;   /* seconds: never longer than that */
	int64_t forget; /* seconds without a wrong one after which all of them are forgotten */
};

/*
 * Opens the file, and makes it (mode 0660) with all its disk space where it is absent or none of
 * ours. EST_UNAVAILABLE. The descriptor is closed again: nothing is opened later. *out:
 * limiter_close().
 */
enum outcome limiter_open(const char *path, struct limiter **out);
void limiter_close(struct limiter *limiter); /* NULL is fine */

/*
 * Takes one of what the rate allows for the key at `now` (of clock_wall(), in microseconds). 0: it
 * may; else the microseconds after which one will be to be had, and nothing is taken. A key that
 * has another rate under each label has to hold the label's name. A clock that was set back does
 * not lock anybody out for longer than the burst takes. NULL limiter: 0.
 */
int64_t limiter_take(struct limiter *limiter, enum limiter_kind kind, struct span key,
    const struct rate *rate, int64_t now);

/* Whether the key has to wait before the next guess is looked at: microseconds; 0: no. */
int64_t limiter_wait(struct limiter *limiter, enum limiter_kind kind, struct span key,
    const struct backoff *backoff, int64_t now);
/*
 * A guess was wrong: behind `free` of them one has to wait a second, then two, four, ... after the
 * last. It is for guesses that were looked at, not for those that had to wait.
 */
void limiter_wrong(struct limiter *limiter, enum limiter_kind kind, struct span key,
    const struct backoff *backoff, int64_t now);
/*
 * A guess was right: the wrong ones are forgotten. Not for addresses: who has an account of his own
 * would log in to it between his guesses at others.
 */
void limiter_right(struct limiter *limiter, enum limiter_kind kind, struct span key);

/*
 * Appends the key of an address: an IPv4 one as it is, also where it is written as IPv6
 * (::ffff:192.0.2.1); of an IPv6 one its first 64 bits (a customer has that many), with or without
 * an interface behind it; anything else as it is. NULL: nothing.
 */
void limiter_address(const char *address, struct buf *out);

#endif
