#include "common/base/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/shared.h"

#define VERSION        1
#define ROWS           1023 /* with the head, 128 KiB */
#define SLOTS          4096 /* a power of two, several times ROWS */
#define PROBES         8
#define OPERATION_SIZE 40 /* octets with the NUL */
#define CODE_SIZE      64
#define NAMES_SIZE     (OPERATION_SIZE + CODE_SIZE)
#define WORDS          (NAMES_SIZE / sizeof(uint64_t))

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "processes share these counters");
_Static_assert(sizeof(_Atomic uint64_t) == sizeof(uint64_t), "and the file is made of them");

/*
 * A row is taken by setting its key, a hash of both names, from 0; and rows are taken in their order. So whoever looks
 * for a name meets either its row or the first free one, and two processes never take two rows for one name. The names
 * follow, and then `named`. A process may be killed between these steps: then whoever comes next with the same key
 * writes the same names once more.
 */
struct row {
	_Atomic uint64_t key, named, count;
	_Atomic uint64_t names[WORDS]; /* operation, NULs, code, NULs */
};

struct head {
	char magic[8];
	uint64_t version, rows;
	_Atomic uint64_t other;
	uint64_t unused[12];
};

struct image {
	struct head head;
	struct row row[ROWS];
};

_Static_assert(sizeof(struct row) == 128 && sizeof(struct head) == 128, "two cache lines");
_Static_assert(sizeof(struct image) == (ROWS + 1) * sizeof(struct row), "no gaps in the file");

struct metrics {
	struct image *image;
	uint16_t slots
	    [SLOTS]; /* by key: the row's number from 1, so that no name is searched for twice */
};

static const struct head blank = {
    .magic = {'e', 's', 't', 'c', 'o', 'u', 'n', 't'}, .version = VERSION, .rows = ROWS};

/* FNV-1a over both names with their NULs, never 0. */
static uint64_t key_of(const char *operation, const char *code)
{
	const char *names[] = {operation, code};
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < 2; i++) {
		const unsigned char *at = (const unsigned char *)names[i];
		do
			hash = (hash ^ *at) * 0x100000001b3;
		while (*at++ != '\0');
	}
	return hash == 0 ? 1 : hash;
}

static void write_names(struct row *row, const char *operation, const char *code)
{
	uint64_t words[WORDS];
	char names[NAMES_SIZE] = {0};

	(void)strcpy(names, operation);
	(void)strcpy(names + OPERATION_SIZE, code);
	memcpy(words, names, sizeof(words));
	for (size_t i = 0; i < WORDS; i++)
		atomic_store_explicit(&row->names[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&row->named, 1, memory_order_release);
}

/* False where the row has no names yet, or others than those of its key. */
static bool read_names(const struct row *row, char names[NAMES_SIZE])
{
	uint64_t words[WORDS];

	if (atomic_load_explicit(&row->named, memory_order_acquire) == 0)
		return false;
	for (size_t i = 0; i < WORDS; i++)
		words[i] = atomic_load_explicit(&row->names[i], memory_order_relaxed);
	memcpy(names, words, sizeof(words));
	return memchr(names, '\0', OPERATION_SIZE) != NULL &&
	       memchr(names + OPERATION_SIZE, '\0', CODE_SIZE) != NULL &&
	       key_of(names, names + OPERATION_SIZE) == atomic_load(&row->key);
}

/* --- the file --- */

/* Whether the row is free and holds nothing, or taken and without names that are not its own. */
static bool is_sound_row(const struct row *row, bool *taken)
{
	char names[NAMES_SIZE];
	bool named = atomic_load(&row->named) != 0;
	uint64_t content = atomic_load(&row->count);

	for (size_t i = 0; i < WORDS; i++)
		content |= atomic_load_explicit(&row->names[i], memory_order_acquire);
	*taken = atomic_load(&row->key) != 0;
	return *taken ? !named || read_names(row, names) : !named && content == 0;
}

/*
 * Whether the head is ours, and so is every row: those taken first, then free ones. Others may be taking rows meanwhile,
 * so it is read against the order in which they write: from the end, and a row's key last.
 */
static bool is_sound(const void *mapped)
{
	const struct image *image = mapped;
	bool taken, taken_behind = false;

	if (memcmp(&image->head, &blank, offsetof(struct head, other)) != 0)
		return false;
	for (size_t i = ROWS; i-- > 0;) {
		if (!is_sound_row(&image->row[i], &taken) || (taken_behind && !taken))
			return false;
		taken_behind = taken;
	}
	return true;
}

static const struct shared_form form = {"the counters", sizeof(struct image), is_sound};

enum outcome metrics_open(const char *path, struct metrics **out)
{
	void *image;
	enum outcome outcome = shared_open(
	    path, &form, (struct span){(const unsigned char *)&blank, sizeof(blank)}, &image);

	if (outcome != EST_OK)
		return outcome;
	*out = mem_alloc(sizeof(**out));
	(*out)->image = image;
	return EST_OK;
}

void metrics_close(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	shared_close(&form, metrics->image);
	free(metrics);
}

/* --- counting --- */

/* The number from 1 of the row of that key, taken where there is none yet; 0: the file is full. */
static uint16_t row_of(struct image *image, uint64_t key)
{
	for (uint16_t i = 0; i < ROWS; i++) {
		uint64_t is = atomic_load(&image->row[i].key);
		if (is == 0 && atomic_compare_exchange_strong(&image->row[i].key, &is, key))
			is = key; /* else it is the key of who was faster */
		if (is == key)
			return (uint16_t)(i + 1);
	}
	return 0;
}

/* Where a row is remembered that has this key: the n-th place to look at. */
static uint16_t *slot_of(struct metrics *metrics, uint64_t key, size_t n)
{
	return &metrics->slots[(key + n) & (SLOTS - 1)];
}

/* The row that is remembered for the key, or NULL. */
static struct row *recall(struct metrics *metrics, uint64_t key)
{
	for (size_t n = 0; n < PROBES; n++) {
		uint16_t number = *slot_of(metrics, key, n);
		struct row *row;
		if (number == 0)
			return NULL;
		row = &metrics->image->row[number - 1];
		if (atomic_load_explicit(&row->key, memory_order_relaxed) == key)
			return row;
	}
	return NULL;
}

/* Where no place is free, the row is searched for each time. */
static void remember(struct metrics *metrics, uint64_t key, uint16_t number)
{
	for (size_t n = 0; n < PROBES; n++) {
		uint16_t *slot = slot_of(metrics, key, n);
		if (*slot == 0) {
			*slot = number;
			return;
		}
	}
}

/* The row, taken and named where there is none yet; NULL where there is no room. */
static struct row *find_row(
    struct metrics *metrics, const char *operation, const char *code, uint64_t key)
{
	uint16_t number = 0;
	struct row *row;

	if (strlen(operation) < OPERATION_SIZE && strlen(code) < CODE_SIZE)
		number = row_of(metrics->image, key);
	if (number == 0)
		return NULL;
	row = &metrics->image->row[number - 1];
	if (atomic_load_explicit(&row->named, memory_order_acquire) == 0)
		write_names(row, operation, code);
	remember(metrics, key, number);
	return row;
}

void metrics_count(struct metrics *metrics, const char *operation, const char *code)
{
	uint64_t key;
	struct row *row;

	if (metrics == NULL)
		return;
	key = key_of(operation, code);
	row = recall(metrics, key);
	if (row == NULL)
		row = find_row(metrics, operation, code, key);
	atomic_fetch_add_explicit(
	    row == NULL ? &metrics->image->head.other : &row->count, 1, memory_order_relaxed);
}

void metrics_each(const struct metrics *metrics, metrics_figure *figure, void *context)
{
	char names[NAMES_SIZE];
	uint64_t count;

	for (size_t i = 0; i < ROWS && atomic_load(&metrics->image->row[i].key) != 0; i++) {
		const struct row *row = &metrics->image->row[i];
		count = atomic_load_explicit(&row->count, memory_order_relaxed);
		if (count > 0 && read_names(row, names))
			figure(context, names, names + OPERATION_SIZE, count);
	}
	count = atomic_load_explicit(&metrics->image->head.other, memory_order_relaxed);
	if (count > 0)
		figure(context, "other", "other", count);
}
