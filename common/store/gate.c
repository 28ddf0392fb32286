#include "common/store/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"

enum { FREE, OUTSIDE, INSIDE }; /* struct slot.state */

enum {
	TICK = 100,         /* ms between two looks of the watcher */
	GRACE = 300,        /* ms that a process has to leave a condemned environment */
	KILL = GRACE + 200, /* ms after which the recovering process ends it */
	STUCK = 500,        /* ms inside without progress: did somebody die there? */
	HUNG = 30000,       /* ms inside without progress: longer than a slow disk takes */
	LEAK_MOST = 50,     /* deaths outside the library: each leaks its shared handles */
	EXIT_STUCK = 76,    /* the exit status of a process that its watcher ended */
};

#define GATE_MAGIC 0x45535431U /* "EST1" */
#define BOOT_ID    36

struct slot {
	_Atomic int32_t state;
	_Atomic int32_t unused;
	_Atomic uint64_t entered; /* monotonic ms */
	char pad[48];
};

/*
 * The file. `era` is even while the environment is sound and odd while it must be recovered, so
 * that "which one" and "is it sound" change in one step.
 */
struct file {
	uint32_t magic;
	char boot[BOOT_ID];
	_Atomic uint64_t era;
	_Atomic int64_t recoveries, kills, leaked;
	char pad[4096 - 72];
	struct slot slots[GATE_SLOTS];
};
_Static_assert(offsetof(struct file, slots) == 4096, "the head of the gate is one page");
_Static_assert(sizeof(struct slot) == 64, "a slot is one cache line");

struct gate {
	int fd;
	struct file *file;
	struct slot
	    *own; /* NULL before the first admission; the watcher looks only where it is set */
	_Atomic uint64_t era; /* the one this process's environment belongs to */
	pthread_t watcher;
	bool watched, closing;
	pthread_mutex_t mutex; /* over closing */
	pthread_cond_t wake;
};

static bool gate_is_open;

/* --- locks: byte 0 for admission, the first byte of a slot for its process's life --- */

static off_t slot_byte(size_t i)
{
	return (off_t)(offsetof(struct file, slots) + i * sizeof(struct slot));
}

static bool lock_byte(const struct gate *gate, int command, short type, off_t byte)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
	int result;

	do
		result = fcntl(gate->fd, command, &lock);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

/* The process that holds slot i: 0 if none lives, -1 if one lives in another pid namespace. */
static pid_t slot_holder(const struct gate *gate, size_t i)
{
	struct flock lock = {
	    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot_byte(i), .l_len = 1};

	if (fcntl(gate->fd, F_GETLK, &lock) != 0)
		return -1;
	if (lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

/* --- the watcher --- */

static bool somebody_died_inside(const struct gate *gate)
{
	for (size_t i = 0; i < GATE_SLOTS; i++) {
		const struct slot *slot = &gate->file->slots[i];
		if (slot != gate->own && atomic_load(&slot->state) == INSIDE &&
		    slot_holder(gate, i) == 0 && atomic_load(&slot->state) == INSIDE)
			return true;
	}
	return false;
}

/*
 * A look at our own slot. *condemned is when the watcher first saw that we are inside an
 * environment that everybody has to leave. Ends the process after GRACE: it hangs on a lock that
 * nobody will release.
 */
static void watch(struct gate *gate, uint64_t *condemned)
{
	uint64_t now = clock_milliseconds();
	uint64_t entered, era;

	if (atomic_load(&gate->own->state) != INSIDE) {
		*condemned = 0;
		return;
	}
	era = atomic_load(&gate->era);
	if (atomic_load(&gate->file->era) != era) {
		if (*condemned == 0)
			*condemned = now;
		else if (now - *condemned > GRACE)
			_exit(EXIT_STUCK);
		return;
	}
	*condemned = 0;
	entered = atomic_load(&gate->own->entered);
	if (now > entered + HUNG || (now > entered + STUCK && somebody_died_inside(gate)))
		gate_condemn(gate);
}

static void *watcher_main(void *context)
{
	struct gate *gate = context;
	uint64_t condemned = 0;

	(void)pthread_mutex_lock(&gate->mutex);
	while (!gate->closing) {
		struct timespec until;
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void)pthread_cond_timedwait(&gate->wake, &gate->mutex, &until);
		if (!gate->closing && gate->own != NULL)
			watch(gate, &condemned);
	}
	(void)pthread_mutex_unlock(&gate->mutex);
	return NULL;
}

/* Signals are the main thread's business: the watcher blocks them all. */
static enum outcome watcher_start(struct gate *gate)
{
	pthread_condattr_t clock;
	pthread_attr_t attributes;
	sigset_t all, before;
	int error;

	gate->closing = false;
	(void)pthread_mutex_init(&gate->mutex, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&gate->wake, &clock);
	(void)pthread_condattr_destroy(&clock);
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, 65536);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&gate->watcher, &attributes, watcher_main, gate);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	gate->watched = error == 0;
	return error == 0 ? EST_OK
			  : reason(EST_UNAVAILABLE, "cannot start a thread: %s", strerror(error));
}

static void watcher_stop(struct gate *gate)
{
	if (!gate->watched)
		return;
	(void)pthread_mutex_lock(&gate->mutex);
	gate->closing = true;
	(void)pthread_cond_signal(&gate->wake);
	(void)pthread_mutex_unlock(&gate->mutex);
	(void)pthread_join(gate->watcher, NULL);
	(void)pthread_cond_destroy(&gate->wake);
	(void)pthread_mutex_destroy(&gate->mutex);
	gate->watched = false;
}

enum outcome gate_rethread(struct gate *gate)
{
	watcher_stop(gate);
	return watcher_start(gate);
}

/* --- opening --- */

static enum outcome read_boot_id(char boot[static BOOT_ID])
{
	struct buf content = {0};
	enum outcome outcome = file_read("/proc/sys/kernel/random/boot_id", 64, &content);

	if (outcome == EST_OK && content.len >= BOOT_ID)
		memcpy(boot, content.data, BOOT_ID);
	else
		outcome = reason(
		    EST_UNAVAILABLE, "/proc is not mounted: the store needs the boot id there");
	buf_free(&content);
	return outcome;
}

/*
 * The first process after a start of the machine, or on a new volume, finds slots that mean
 * nothing: it clears them, and recovery is due. The disk space is taken now, as a full disk would
 * later be a SIGBUS.
 */
static enum outcome file_prepare(struct gate *gate, const char *path)
{
	char boot[BOOT_ID];
	enum outcome outcome = read_boot_id(boot);
	int error;

	if (outcome != EST_OK)
		return outcome;
	error = posix_fallocate(gate->fd, 0, (off_t)sizeof(struct file));
	if (error != 0)
		return reason(EST_UNAVAILABLE, "cannot take %zu bytes for %s: %s",
		    sizeof(struct file), path, strerror(error));
	gate->file =
	    mmap(NULL, sizeof(struct file), PROT_READ | PROT_WRITE, MAP_SHARED, gate->fd, 0);
	if (gate->file == MAP_FAILED) {
		gate->file = NULL;
		return reason(EST_UNAVAILABLE, "cannot map %s: %s", path, strerror(errno));
	}
	if (gate->file->magic == GATE_MAGIC && memcmp(gate->file->boot, boot, BOOT_ID) == 0)
		return EST_OK;
	memset(gate->file, 0, sizeof(struct file));
	atomic_store(&gate->file->era, 1);
	memcpy(gate->file->boot, boot, BOOT_ID);
	gate->file->magic = GATE_MAGIC;
	return EST_OK;
}

enum outcome gate_open(const char *directory, struct gate **out)
{
	struct gate *gate;
	char *path;
	enum outcome outcome = EST_OK;

	if (gate_is_open)
		return reason(EST_INTERNAL, "a process opens one store at a time");
	gate = mem_alloc(sizeof(*gate));
	gate_is_open = true;
	path = file_path(directory, "gate");
	gate->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (gate->fd < 0 || !lock_byte(gate, F_SETLKW, F_WRLCK, 0)) {
		outcome = reason(EST_UNAVAILABLE, "cannot open %s: %s%s", path, strerror(errno),
		    errno == EACCES ? "; run as the user that the store belongs to" : "");
		goto out;
	}
	outcome = file_prepare(gate, path);
	(void)lock_byte(gate, F_SETLK, F_UNLCK, 0);
	if (outcome != EST_OK)
		goto out;
	outcome = watcher_start(gate);
out:
	free(path);
	if (outcome == EST_OK)
		*out = gate;
	else
		gate_close(gate);
	return outcome;
}

void gate_close(struct gate *gate)
{
	if (gate == NULL)
		return;
	watcher_stop(gate);
	if (gate->own != NULL)
		atomic_store(&gate->own->state, FREE);
	if (gate->file != NULL)
		(void)munmap(gate->file, sizeof(struct file));
	if (gate->fd >= 0)
		(void)close(gate->fd); /* and with it, the lock on the slot */
	free(gate);
	gate_is_open = false;
}

/* --- admission --- */

/*
 * Who holds a slot and is dead: outside the library it leaked a little, inside it broke everything.
 */
static bool bury(struct gate *gate)
{
	bool broken = false;

	for (size_t i = 0; i < GATE_SLOTS; i++) {
		struct slot *slot = &gate->file->slots[i];
		int state = atomic_load(&slot->state);
		if (state == FREE || slot == gate->own || slot_holder(gate, i) != 0)
			continue;
		if (state == INSIDE) {
			broken = true;
		} else {
			atomic_store(&slot->state, FREE);
			atomic_fetch_add(&gate->file->leaked, 1);
		}
	}
	return broken || atomic_load(&gate->file->leaked) >= LEAK_MOST;
}

/*
 * One look at those inside: true if one of them lives. Frees the slots of the dead; kills each once
 * where told to.
 */
static bool anybody_inside(struct gate *gate, bool kill_them, bool killed[static GATE_SLOTS])
{
	bool any = false;

	for (size_t i = 0; i < GATE_SLOTS; i++) {
		struct slot *slot = &gate->file->slots[i];
		pid_t holder;
		if (slot == gate->own || atomic_load(&slot->state) != INSIDE)
			continue;
		holder = slot_holder(gate, i);
		if (holder == 0) {
			atomic_store(&slot->state, FREE);
			continue;
		}
		any = true;
		if (!kill_them || killed[i] || holder <= 0 || kill(holder, SIGKILL) != 0)
			continue;
		killed[i] = true;
		atomic_fetch_add(&gate->file->kills, 1);
	}
	return any;
}

/* In a condemned environment: waits until all have left. */
static void drain(struct gate *gate)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	uint64_t start = clock_milliseconds();
	bool killed[GATE_SLOTS] = {false};

	while (anybody_inside(gate, clock_milliseconds() - start > KILL, killed))
		(void)nanosleep(&pause, NULL);
}

static bool take_slot(struct gate *gate)
{
	for (size_t i = 0; gate->own == NULL && i < GATE_SLOTS; i++) {
		struct slot *slot = &gate->file->slots[i];
		if (atomic_load(&slot->state) != FREE ||
		    !lock_byte(gate, F_SETLK, F_WRLCK, slot_byte(i)))
			continue;
		(void)pthread_mutex_lock(&gate->mutex);
		gate->own = slot;
		(void)pthread_mutex_unlock(&gate->mutex);
	}
	return gate->own != NULL;
}

enum outcome gate_admit(struct gate *gate, bool *recover)
{
	uint64_t era;

	if (!lock_byte(gate, F_SETLKW, F_WRLCK, 0))
		return reason(
		    EST_UNAVAILABLE, "cannot lock the gate of the store: %s", strerror(errno));
	era = atomic_load(&gate->file->era);
	if (bury(gate) && era % 2 == 0)
		(void)atomic_compare_exchange_strong(&gate->file->era, &era, era + 1);
	era = atomic_load(&gate->file->era);
	*recover = era % 2 == 1;
	if (*recover)
		drain(gate);
	if (!take_slot(gate)) {
		(void)lock_byte(gate, F_SETLK, F_UNLCK, 0);
		return reason(
		    EST_UNAVAILABLE, "%d processes use the store, no more can", GATE_SLOTS);
	}
	/* Inside before the environment is touched, so that a death while opening it is seen. */
	atomic_store(&gate->era, era);
	atomic_store(&gate->own->entered, clock_milliseconds());
	atomic_store(&gate->own->state, INSIDE);
	return EST_OK;
}

void gate_admitted(struct gate *gate, bool opened)
{
	uint64_t era = atomic_load(&gate->era);

	if (opened && era % 2 == 1) {
		atomic_store(&gate->file->leaked, 0);
		atomic_fetch_add(&gate->file->recoveries, 1);
		atomic_store(&gate->era, era + 1);
		atomic_store(&gate->file->era, era + 1);
	}
	if (!opened)
		gate_leave(gate);
	(void)lock_byte(gate, F_SETLK, F_UNLCK, 0);
}

bool gate_enter(struct gate *gate)
{
	atomic_store(&gate->own->entered, clock_milliseconds());
	/*
	 * Either the one who condemns sees us inside, or we see the new era: both orders are
	 * sequential.
	 */
	atomic_store(&gate->own->state, INSIDE);
	if (atomic_load(&gate->file->era) == atomic_load(&gate->era))
		return true;
	gate_leave(gate);
	return false;
}

void gate_leave(struct gate *gate)
{
	atomic_store(&gate->own->state, OUTSIDE);
}

bool gate_refresh(struct gate *gate)
{
	atomic_store(&gate->own->entered, clock_milliseconds());
	return atomic_load(&gate->file->era) == atomic_load(&gate->era);
}

void gate_condemn(struct gate *gate)
{
	uint64_t era = atomic_load(&gate->era);

	if (era % 2 == 0)
		(void)atomic_compare_exchange_strong(&gate->file->era, &era, era + 1);
}

unsigned gate_slot(const struct gate *gate)
{
	return (unsigned)(gate->own - gate->file->slots);
}

struct gate_figures gate_figures(const struct gate *gate)
{
	struct gate_figures figures = {
	    .recoveries = atomic_load(&gate->file->recoveries),
	    .kills = atomic_load(&gate->file->kills),
	    .leaked = atomic_load(&gate->file->leaked),
	};

	for (size_t i = 0; i < GATE_SLOTS; i++)
		figures.processes += atomic_load(&gate->file->slots[i].state) != FREE;
	return figures;
}
