/*
 * torture.c - kills processes inside the store, and looks whether anything that was acknowledged is
 * gone.
 *
 * 	torture --dir DIR [--kills 200] [--workers 4] [--seconds 300] [--seed N]
 *
 * Workers add and revoke certificates as fast as they can, some of them in answer to an approved
 * request, with a one-time secret, and in the place of another certificate, and some of them for a
 * device that several workers want to be the first for, in the name of a user whose uses are
 * counted; whatever the store acknowledged, each appends to its own file. SIGKILL hits a random
 * one, and another takes its place. At the end nobody repairs anything: the store is opened, every
 * acknowledged act must be there with its device, no secret, no approval and no use may be used up
 * without its certificate or the other way round, no device that wanted one certificate may have
 * two, and store_check() must find no fault. DIR has to be empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "common/base/clock.h"
#include "common/base/refusal.h"
#include "common/store/store.h"

enum { WORKERS_MOST = 64, CACHE = 16 << 20, HANG = 30000 /* ms without any acknowledgement */ };

struct options {
	const char *dir;
	long kills, workers, seconds;
	unsigned seed;
};

/* What workers tell: shared memory. */
struct tally {
	_Atomic int64_t added, revoked, unavailable, failed;
	_Atomic uint64_t worst;  /* the longest single act, ms */
	_Atomic uint32_t firsts; /* how often somebody wanted to be a device's first */
};

static struct tally *tally;
static volatile sig_atomic_t stop;

static void on_term(int signal)
{
	(void)signal;
	stop = 1;
}

static void pause_ms(long ms)
{
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&pause, NULL);
}

/* --- a worker --- */

static void make_cert(struct cert_record *cert, char name[32])
{
	static unsigned char der[700];
	int64_t now = clock_now();
	unsigned char dice[4];

	(void)RAND_bytes(der, sizeof(der));
	(void)RAND_bytes(dice, sizeof(dice));
	(void)snprintf(name, 32, "device-%u.example", (unsigned)(dice[0] << 8 | dice[1]) % 500);
	*cert = (struct cert_record){
	    .issued_at = now,
	    .not_before = now - 60,
	    .not_after = now + (dice[2] % 90 + 1) * 86400,
	    .revocation_reason = NOT_REVOKED,
	    .label = dice[3] % 2 ? "pumps" : "",
	    .profile = "device",
	    .ca = "devices",
	    .name = name,
	    .subject = name,
	    .names = "",
	    .identity = "user:torture",
	    .operation = "simpleenroll",
	    .der = {der, dice[3] % 8 == 0 ? sizeof(der) * 2 / 3 : sizeof(der)},
	};
	(void)RAND_bytes(cert->spki, sizeof(cert->spki));
	cert->serial.len = 18;
	(void)RAND_bytes(cert->serial.octets, 18);
	cert->serial.octets[0] = (unsigned char)(cert->serial.octets[0] % 0x7f + 1);
}

static void acknowledge(int fd, char act, const struct serial *serial)
{
	char text[2 * SERIAL_MAX + 1];
	char line[2 * SERIAL_MAX + 4];
	int len = snprintf(line, sizeof(line), "%c %s\n", act, serial_text(serial, text));

	if (write(fd, line, (size_t)len) != len)
		_exit(3);
}

/* One user's uses are counted, and those of its certificates that have its name. */
static const char batch[] = "batch", once[] = "once-";

/* As many workers as there are want each of these devices, some of them at the same time. */
static enum outcome add_first(
    struct store *store, const struct options *options, int acknowledged, struct cert_record *cert)
{
	char name[32];
	struct cert_terms terms = {.user = batch, .duplicates = DUPLICATES_REFUSE};
	struct cert_record earlier = {0};
	enum outcome outcome;

	(void)snprintf(name, sizeof(name), "%s%u", once,
	    (unsigned)(tally->firsts++ / (uint32_t)options->workers));
	cert->name = name;
	cert->label = "pumps";
	outcome = store_cert_add(store, cert, &terms, &earlier);
	if (outcome == EST_CONFLICT && refusal_recorded(outcome) == DEVICE_EXISTS) {
		reason_clear();
		return EST_OK;
	}
	if (outcome == EST_OK)
		acknowledge(acknowledged, '1', &cert->serial);
	return outcome;
}

/* False where the worker cannot go on. A store that is briefly not available is no fault: devices
 * try again. */
static bool judge(enum outcome outcome, _Atomic int64_t *done)
{
	if (outcome == EST_OK) {
		++*done;
		return true;
	}
	(void)fprintf(stderr, "torture: %s: %s\n", outcome_name(outcome), reason_text());
	reason_clear();
	if (outcome != EST_UNAVAILABLE) {
		tally->failed++;
		return false;
	}
	tally->unavailable++;
	return true;
}

/* The secret and the request that a certificate will use up are called as its serial. */
struct extras {
	char name[2 * SERIAL_MAX + 1];
	struct pending_record pending;
	struct secret_use use;
	struct cert_terms terms;
};

static const unsigned char digest[32] = {1}, used_for[32] = {2};

static enum outcome prepare(
    struct store *store, struct extras *extras, const struct cert_record *cert)
{
	struct pending_record existing = {0};
	struct secret_record secret = {
	    .name = serial_text(&cert->serial, extras->name), .expires_at = clock_now() + 86400};
	enum outcome outcome;

	memcpy(secret.digest, digest, sizeof(digest));
	outcome = store_secret_put(store, &secret, false);
	extras->use = (struct secret_use){secret.name, cert->label, digest, used_for};
	extras->pending = (struct pending_record){.created_at = cert->issued_at,
	    .expires_at = cert->issued_at + 86400,
	    .name = secret.name,
	    .decided_by = "torture"};
	(void)RAND_bytes(extras->pending.id, sizeof(extras->pending.id));
	if (outcome == EST_OK)
		outcome = store_pending_add(store, &extras->pending, NULL, &existing);
	if (outcome == EST_OK)
		outcome = store_pending_get(store, extras->pending.id, &existing);
	memcpy(extras->pending.ticket, existing.ticket, sizeof(existing.ticket));
	pending_record_clear(&existing);
	extras->pending.state = PENDING_APPROVED;
	if (outcome == EST_OK)
		outcome = store_pending_decide(store, &extras->pending);
	extras->terms.secret = &extras->use;
	extras->terms.approval = &extras->pending;
	extras->terms.revocation_hash = "$y$";
	return outcome;
}

/* Every fourth one uses a secret and an approval up, and supersedes the one before. */
static enum outcome add_one(
    struct store *store, int acknowledged, unsigned turn, struct cert_record *cert)
{
	static struct serial before;
	unsigned char request[STORE_REQUEST_SIZE];
	struct extras extras = {0};
	struct cert_record earlier = {0};
	bool is_rich = turn % 4 == 0;
	enum outcome outcome = EST_OK;

	(void)RAND_bytes(request, sizeof(request));
	if (is_rich)
		outcome = prepare(store, &extras, cert);
	if (is_rich && before.len > 0)
		extras.terms.supersedes = &before;
	extras.terms.request = request;
	extras.terms.since = cert->issued_at - 600;
	if (outcome == EST_OK)
		outcome = store_cert_add(store, cert, &extras.terms, &earlier);
	if (outcome != EST_OK)
		return outcome;
	acknowledge(acknowledged, is_rich ? '=' : '+', &cert->serial);
	if (extras.terms.supersedes != NULL)
		acknowledge(acknowledged, '-', &before);
	before = cert->serial;
	return EST_OK;
}

static bool work_once(
    struct store *store, const struct options *options, int acknowledged, unsigned turn)
{
	struct cert_record cert;
	char name[32];
	uint64_t start = clock_milliseconds();
	enum outcome outcome;

	make_cert(&cert, name);
	outcome = turn % 4 == 2 ? add_first(store, options, acknowledged, &cert)
				: add_one(store, acknowledged, turn, &cert);
	if (!judge(outcome, &tally->added))
		return false;
	if (outcome == EST_OK && turn % 8 == 5) {
		outcome = store_cert_revoke(
		    store, &cert.serial, (int)(turn / 8 % 7), cert.issued_at, NULL);
		if (!judge(outcome, &tally->revoked))
			return false;
		if (outcome == EST_OK)
			acknowledge(acknowledged, '-', &cert.serial);
	}
	if (clock_milliseconds() - start > tally->worst)
		tally->worst = clock_milliseconds() - start;
	return true;
}

static _Noreturn void worker(const struct options *options, long number)
{
	struct store_settings settings = {options->dir, CACHE};
	struct store *store = NULL;
	char path[4096];
	int acknowledged;
	bool fine = true;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGTERM, on_term);
	(void)snprintf(path, sizeof(path), "%s/acknowledged.%ld", options->dir, number);
	acknowledged = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (acknowledged < 0)
		_exit(3);
	if (store_open(&settings, &store) != EST_OK) {
		(void)fprintf(stderr, "torture: cannot open: %s\n", reason_text());
		tally->failed++;
		_exit(1);
	}
	for (unsigned turn = 1; fine && !stop; turn++) {
		fine = work_once(store, options, acknowledged, turn);
		if (turn % 64 == 0)
			pause_ms(2); /* some are killed outside the library */
	}
	store_close(store);
	_exit(fine ? 0 : 1);
}

static pid_t spawn(const struct options *options, long number)
{
	pid_t pid = fork();

	if (pid == 0)
		worker(options, number);
	if (pid < 0) {
		perror("torture: fork");
		exit(1);
	}
	return pid;
}

/* --- the one who kills --- */

/* Replaces whoever ended: killed by us, by another worker that recovers, or by its own watcher. */
static void replace_ended(const struct options *options, pid_t *pids)
{
	for (long i = 0; i < options->workers; i++) {
		if (waitpid(pids[i], NULL, WNOHANG) == pids[i])
			pids[i] = spawn(options, i);
	}
}

struct result {
	long kills;
	uint64_t worst_stall; /* ms in which no worker was acknowledged anything */
	bool hung;
};

static void kill_them(const struct options *options, pid_t *pids, struct result *result)
{
	uint64_t end = clock_milliseconds() + (uint64_t)options->seconds * 1000;
	uint64_t progress = clock_milliseconds();
	uint64_t next = progress + 500;
	unsigned dice = options->seed;
	int64_t before = 0;

	while (result->kills < options->kills && clock_milliseconds() < end && !result->hung) {
		uint64_t now = clock_milliseconds();
		if (tally->added != before) {
			before = tally->added;
			progress = now;
		}
		if (now - progress > result->worst_stall)
			result->worst_stall = now - progress;
		result->hung = now - progress > HANG;
		if (now >= next) {
			if (kill(pids[rand_r(&dice) % options->workers], SIGKILL) == 0)
				result->kills++;
			next = now + 1 + (unsigned)rand_r(&dice) % 250;
		}
		replace_ended(options, pids);
		pause_ms(1);
	}
}

/* Ends all by SIGTERM; false where one did not end by itself. */
static bool stop_them(const struct options *options, pid_t *pids)
{
	uint64_t end = clock_milliseconds() + HANG;
	bool fine = true;

	for (long i = 0; i < options->workers; i++)
		(void)kill(pids[i], SIGTERM);
	for (long i = 0; i < options->workers; i++) {
		while (waitpid(pids[i], NULL, WNOHANG) == 0) {
			if (clock_milliseconds() > end) {
				(void)kill(pids[i], SIGKILL);
				fine = false;
			}
			pause_ms(2);
		}
	}
	return fine;
}

/* --- the reckoning --- */

static bool is_kept(struct store *store, char act, const struct serial *serial)
{
	struct cert_record cert = {0};
	struct device_record device = {0};
	struct buf hash = {0};
	bool kept = store_cert_get(store, serial, &cert) == EST_OK &&
		    store_device_get(store, cert.label, cert.name, &device, NULL) == EST_OK &&
		    device.enrolled_at != 0 &&
		    (act != '-' || cert.revocation_reason != NOT_REVOKED) &&
		    (act != '=' || store_revocation_hash(store, serial, &hash) == EST_OK);

	cert_record_clear(&cert);
	device_record_clear(&device);
	buf_free(&hash);
	return kept;
}

/* Whether a certificate is there exactly where what it uses up is used up. */
static bool fits(struct store *store, const char *name, bool used)
{
	struct serial serial;
	struct cert_record cert = {0};
	bool there = serial_parse(name, &serial) == EST_OK &&
		     store_cert_get(store, &serial, &cert) == EST_OK;

	cert_record_clear(&cert);
	if (there != used)
		(void)fprintf(stderr, "torture: half done: %s\n", name);
	return there == used;
}

/* How many secrets and approvals are used up and have no certificate, or the other way round. */
static int64_t count_halves(struct store *store)
{
	struct secret_record secret = {0};
	struct pending_record pending = {0};
	char after[2 * SERIAL_MAX + 1] = "";
	unsigned char id[32];
	int64_t halves = 0;

	while (store_secret_next(store, after[0] == '\0' ? NULL : after, &secret) == EST_OK) {
		halves += !fits(store, secret.name, secret.used_at != 0);
		(void)snprintf(after, sizeof(after), "%s", secret.name);
		secret_record_clear(&secret);
	}
	for (const unsigned char *from = NULL; store_pending_next(store, from, &pending) == EST_OK;
	     from = id) {
		halves += !fits(store, pending.name, pending.state == PENDING_ISSUED);
		memcpy(id, pending.id, sizeof(id));
		pending_record_clear(&pending);
	}
	return halves;
}

/* How many devices have two certificates where one was wanted; *firsts: how many have one. */
static int64_t count_twins(struct store *store, int64_t *firsts)
{
	struct device_record device = {0};
	struct device_state known;
	char label[32] = "", name[64] = "";
	int64_t twins = 0;

	while (store_device_next(store, label, name[0] == '\0' ? NULL : name, &device) == EST_OK) {
		(void)snprintf(label, sizeof(label), "%s", device.label);
		(void)snprintf(name, sizeof(name), "%s", device.name);
		device_record_clear(&device);
		if (strncmp(name, once, strlen(once)) != 0)
			continue;
		if (store_device_get(store, label, name, &device, &known) != EST_OK ||
		    known.issued != 1) {
			(void)fprintf(stderr, "torture: not one certificate: %s\n", name);
			twins++;
		}
		*firsts += known.issued;
		device_record_clear(&device);
	}
	return twins;
}

/* How many uses were counted too often or too seldom. */
static int64_t count_uses(struct store *store, int64_t firsts)
{
	struct user_record user = {0};
	int64_t uses =
	    store_user_get(store, batch, &user) == EST_OK ? (int64_t)user.uses : INT64_MIN / 2;

	user_record_clear(&user);
	if (uses != firsts)
		(void)fprintf(stderr, "torture: %lld uses for %lld certificates\n", (long long)uses,
		    (long long)firsts);
	return uses > firsts ? uses - firsts : firsts - uses;
}

/* A last line may be cut short by the kill: what it says was not acknowledged. */
static int64_t count_lost(struct store *store, const struct options *options, int64_t *acknowledged)
{
	char path[4096], line[128];
	int64_t lost = 0;

	for (long i = 0; i < options->workers; i++) {
		FILE *file;
		(void)snprintf(path, sizeof(path), "%s/acknowledged.%ld", options->dir, i);
		file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
			struct serial serial;
			if (line[strcspn(line, "\n")] != '\n')
				continue;
			line[strcspn(line, "\n")] = '\0';
			++*acknowledged;
			if (serial_parse(line + 2, &serial) != EST_OK ||
			    !is_kept(store, line[0], &serial)) {
				(void)fprintf(stderr, "torture: lost: %s\n", line);
				lost++;
			}
		}
		if (file != NULL)
			(void)fclose(file);
	}
	return lost;
}

static void find_recoveries(void *context, const char *name, int64_t value)
{
	int64_t *recoveries = context;

	if (strcmp(name, "recoveries") == 0)
		*recoveries = value;
}

static bool reckon(const struct options *options, const struct result *result)
{
	struct store_settings settings = {options->dir, CACHE};
	struct store *store = NULL;
	int64_t acknowledged = 0, recoveries = 0, faults = 0, lost, halves, twins, firsts = 0;
	enum outcome outcome = store_open(&settings, &store);

	if (outcome != EST_OK) {
		(void)fprintf(stderr, "torture: cannot open: %s\n", reason_text());
		return false;
	}
	lost = count_lost(store, options, &acknowledged);
	halves = count_halves(store);
	twins = count_twins(store, &firsts);
	halves += count_uses(store, firsts);
	(void)store_statistics(store, find_recoveries, &recoveries);
	outcome = store_check(store, NULL, NULL, &faults);
	if (outcome != EST_OK)
		(void)fprintf(stderr, "torture: check: %s\n", reason_text());
	(void)printf(
	    "kills %ld, recoveries %lld, acknowledged %lld, lost %lld, half %lld, firsts %lld, "
	    "twins %lld, faults %lld, unavailable %lld, failed %lld, worst act %llu ms, worst "
	    "stall %llu ms\n",
	    result->kills, (long long)recoveries, (long long)acknowledged, (long long)lost,
	    (long long)halves, (long long)firsts, (long long)twins, (long long)faults,
	    (long long)tally->unavailable, (long long)tally->failed,
	    (unsigned long long)tally->worst, (unsigned long long)result->worst_stall);
	store_close(store);
	return outcome == EST_OK && lost == 0 && halves == 0 && twins == 0 && firsts > 0 &&
	       acknowledged > 0 && tally->failed == 0;
}

static _Noreturn void usage(void)
{
	(void)fprintf(stderr,
	    "usage: torture --dir DIR [--kills N] [--workers N] [--seconds N] [--seed N]\n");
	exit(2);
}

static long number(const char *text, long most)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end != '\0' || end == text || value < 1 || value > most)
		usage();
	return value;
}

static struct options parse(int argc, char **argv)
{
	static const struct option names[] = {
	    {"dir", required_argument, NULL, 'd'},
	    {"kills", required_argument, NULL, 'k'},
	    {"workers", required_argument, NULL, 'w'},
	    {"seconds", required_argument, NULL, 's'},
	    {"seed", required_argument, NULL, 'r'},
	    {NULL, 0, NULL, 0},
	};
	struct options options = {.kills = 200, .workers = 4, .seconds = 300};
	int letter;

	options.seed = (unsigned)clock_microseconds();
	while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (letter) {
		case 'd': options.dir = optarg; break;
		case 'k': options.kills = number(optarg, 1000000); break;
		case 'w': options.workers = number(optarg, WORKERS_MOST); break;
		case 's': options.seconds = number(optarg, 1000000); break;
		case 'r': options.seed = (unsigned)number(optarg, INT32_MAX); break;
		default: usage();
		}
	}
	if (options.dir == NULL || optind != argc)
		usage();
	return options;
}

/* The user whose uses the workers count up. */
static void put_batch(const struct options *options)
{
	static const char *const names[] = {"*", NULL};
	struct user_record user = {
	    .name = batch, .password = "*", .names = names, .uses_most = UINT32_MAX};
	struct store_settings settings = {options->dir, CACHE};
	struct store *store = NULL;

	if (store_open(&settings, &store) != EST_OK ||
	    store_user_put(store, &user, false) != EST_OK) {
		(void)fprintf(stderr, "torture: %s\n", reason_text());
		exit(1);
	}
	store_close(store);
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	struct result result = {0};
	pid_t pids[WORKERS_MOST];
	bool fine, ended;

	tally =
	    mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED) {
		perror("torture: mmap");
		return 1;
	}
	put_batch(&options);
	for (long i = 0; i < options.workers; i++)
		pids[i] = spawn(&options, i);
	kill_them(&options, pids, &result);
	ended = stop_them(&options, pids);
	fine = reckon(&options, &result);
	if (result.hung)
		(void)fprintf(stderr, "torture: nobody got through for %d s\n", HANG / 1000);
	if (!ended)
		(void)fprintf(stderr, "torture: a worker did not end when it was told to\n");
	if (result.kills < options.kills)
		(void)fprintf(stderr, "torture: only %ld of %ld kills in %ld s\n", result.kills,
		    options.kills, options.seconds);
	return fine && ended && !result.hung && result.kills == options.kills ? 0 : 1;
}
