#include "common/base/limiter.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/limiter_table.h"

#define MILLISECOND INT64_C(1000)    /* in microseconds */
#define SECOND      INT64_C(1000000) /* in microseconds */
#define TRIES       1000             /* to change a word that others change at the same time */

/* --- rates --- */

/*
 * The word is the theoretical arrival time of the generic cell rate algorithm, in microseconds:
 * each one taken puts it off by the interval, from `now` on where it is past; and one more may be
 * had where that leaves it no more than the burst ahead. A time that is further ahead than any
 * taking puts it (the clock was set back, the rate was another one, the file is damaged) counts as
 * that far, and is written so, or it would never come nearer.
 */
static int64_t take(
    const struct rate *rate, int64_t now, const struct seat *seat, struct slot *slot, bool *done)
{
	int64_t start, wait;
	uint64_t word, most = (uint64_t)(now + rate->burst * rate->interval);

	*done = false;
	if (!table_read(seat, slot, &word))
		return 0;
	start = (int64_t)(word > most ? most : word);
	if (start < now)
		start = now;
	wait = start - now - (rate->burst - 1) * rate->interval;
	if (wait <= 0)
		start += rate->interval;
	*done = word == (uint64_t)start ||
		atomic_compare_exchange_strong(&slot->word, &word, (uint64_t)start);
	return wait > 0 ? wait : 0;
}

int64_t limiter_take(struct limiter *limiter, enum limiter_kind kind, struct span key,
    const struct rate *rate, int64_t now)
{
	const struct entry entry = {(uint64_t)now, 0, 0};
	struct seat seat;
	bool done = false;
	int64_t wait;

	if (limiter == NULL)
		return 0;
	seat = table_seat(limiter, kind, key);
	for (int i = 0; i < TRIES; i++) {
		struct slot *slot = table_enter(&seat, &entry);
		wait = slot == NULL ? 0 : take(rate, now, &seat, slot, &done);
		if (done)
			return wait;
	}
	return rate->interval; /* so many others take that it comes to that */
}

/* --- wrong guesses --- */

/*
 * The word is how many were wrong, and below that the time of the last one, in milliseconds. So the
 * words of those who guess much weigh more than those of a flood of names that guess once.
 */
#define TIME_BITS 44
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)
#define COUNT_MAX ((UINT64_C(1) << (64 - TIME_BITS)) - 1)

struct guess {
	uint64_t count;
	int64_t last; /* milliseconds */
};

static uint64_t write_guess(struct guess guess)
{
	return guess.count << TIME_BITS | ((uint64_t)guess.last & TIME_MASK);
}

/* A last one that is still to come (the clock was set back) was now. */
static struct guess read_guess(uint64_t word, const struct backoff *backoff, int64_t now)
{
	struct guess guess = {word >> TIME_BITS, (int64_t)(word & TIME_MASK)};

	if (guess.last > now)
		guess.last = now;
	if (now - guess.last >= backoff->forget * 1000)
		guess.count = 0;
	return guess;
}

/* The seconds that so many wrong ones cost. */
static int64_t penalty(uint64_t count, const struct backoff *backoff)
{
	uint64_t beyond = count - (uint64_t)backoff->free;
	int64_t seconds = backoff->most;

	if (count <= (uint64_t)backoff->free)
		return 0;
	if (beyond <= 32 && INT64_C(1) << (beyond - 1) < seconds)
		seconds = INT64_C(1) << (beyond - 1);
	return seconds < backoff->forget ? seconds : backoff->forget;
}

int64_t limiter_wait(struct limiter *limiter, enum limiter_kind kind, struct span key,
    const struct backoff *backoff, int64_t now)
{
	struct seat seat;
	struct slot *slot;
	struct guess guess;
	uint64_t word;
	int64_t wait;

	if (limiter == NULL || backoff->free == 0)
		return 0;
	seat = table_seat(limiter, kind, key);
	slot = table_find(&seat);
	if (slot == NULL || !table_read(&seat, slot, &word))
		return 0;
	guess = read_guess(word, backoff, now / MILLISECOND);
	/* Or it would be now at every look, and the wait never over. */
	if ((word & TIME_MASK) > (uint64_t)guess.last)
		(void)atomic_compare_exchange_strong(&slot->word, &word, write_guess(guess));
	wait = guess.last * MILLISECOND + penalty(guess.count, backoff) * SECOND - now;
	return wait > 0 ? wait : 0;
}

void limiter_wrong(struct limiter *limiter, enum limiter_kind kind, struct span key,
    const struct backoff *backoff, int64_t now)
{
	int64_t then = now / MILLISECOND - backoff->forget * 1000;
	const struct entry entry = {write_guess((struct guess){0, now / MILLISECOND}), TIME_MASK,
	    then < 0 ? 0 : (uint64_t)then + 1};
	struct seat seat;

	if (limiter == NULL || backoff->free == 0)
		return;
	seat = table_seat(limiter, kind, key);
	for (int i = 0; i < TRIES; i++) {
		struct slot *slot = table_enter(&seat, &entry);
		struct guess guess;
		uint64_t word;
		if (slot == NULL || !table_read(&seat, slot, &word))
			continue;
		guess = read_guess(word, backoff, now / MILLISECOND);
		guess.count += guess.count < COUNT_MAX;
		guess.last = now / MILLISECOND;
		if (atomic_compare_exchange_strong(&slot->word, &word, write_guess(guess)))
			return;
	}
}

void limiter_right(struct limiter *limiter, enum limiter_kind kind, struct span key)
{
	struct seat seat;
	struct slot *slot;
	uint64_t word;

	if (limiter == NULL)
		return;
	seat = table_seat(limiter, kind, key);
	slot = table_find(&seat);
	if (slot == NULL)
		return;
	while (table_read(&seat, slot, &word))
		if (word == 0 || atomic_compare_exchange_strong(&slot->word, &word, 0))
			return;
}

/* --- addresses --- */

void limiter_address(const char *address, struct buf *out)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct in6_addr six;
	struct in_addr four;
	char bare[INET6_ADDRSTRLEN], text[INET_ADDRSTRLEN];
	size_t len = address == NULL ? 0 : strcspn(address, "%"); /* behind it, the interface */

	if (address == NULL)
		return;
	if (len >= sizeof(bare)) {
		buf_add_string(out, address);
		return;
	}
	memcpy(bare, address, len);
	bare[len] = '\0';
	if (strchr(bare, ':') == NULL || inet_pton(AF_INET6, bare, &six) != 1) {
		buf_add_string(out, address);
	} else if (memcmp(six.s6_addr, mapped, sizeof(mapped)) == 0) {
		memcpy(&four, six.s6_addr + sizeof(mapped), sizeof(four));
		buf_add_string(out, inet_ntop(AF_INET, &four, text, sizeof(text)));
	} else {
		buf_add_string(out, "/64"); /* no other address begins so */
		buf_add(out, six.s6_addr, 8);
	}
}
