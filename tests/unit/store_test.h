/*
 * store_test.h - a store for each test, and certificates to put into it. Included by the tests of
 * the store; after cmocka.h and what it wants.
 */
#ifndef EST_STORE_TEST_H
#define EST_STORE_TEST_H

#include <ftw.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store/store.h"

enum { TEST_CACHE = 4 << 20 };

static inline char *store_directory(void)
{
	static char directory[256];

	return directory;
}

static inline int remove_file(
    const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

/* Everything in the directory. */
static inline void store_remove(void)
{
	(void)nftw(store_directory(), remove_file, 16, FTW_DEPTH | FTW_PHYS);
}

/* Opens the store of the test, anew. */
static inline struct store *store_again(void)
{
	struct store_settings settings = {store_directory(), TEST_CACHE};
	struct store *store = NULL;

	if (store_open(&settings, &store) != EST_OK)
		fail_msg("%s", reason_text());
	return store;
}

static inline int store_setup(void **state)
{
	const char *parent = getenv("TMPDIR");

	reason_clear();
	(void)snprintf(store_directory(), 256, "%s/store-XXXXXX", parent == NULL ? "/tmp" : parent);
	if (mkdtemp(store_directory()) == NULL)
		return -1;
	*state = store_again();
	return 0;
}

static inline int store_teardown(void **state)
{
	store_close(*state);
	store_remove();
	return rmdir(store_directory());
}

#define store_test(test) cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)

/* --- certificates --- */

static inline struct serial serial_of(unsigned number)
{
	return (struct serial){5, {(unsigned char)(number % 127 + 1), (unsigned char)(number >> 24),
				      (unsigned char)(number >> 16), (unsigned char)(number >> 8),
				      (unsigned char)number}};
}

/* Issued now, for 90 days, under the label "pumps". */
static inline struct cert_record cert_of(const char *name, unsigned number)
{
	int64_t now = (int64_t)time(NULL);

	return (struct cert_record){
	    .serial = serial_of(number),
	    .issued_at = now,
	    .not_before = now - 60,
	    .not_after = now + 90 * 86400,
	    .revocation_reason = NOT_REVOKED,
	    .spki = {(unsigned char)(number >> 8), (unsigned char)number},
	    .label = "pumps",
	    .profile = "device",
	    .ca = "devices",
	    .name = name,
	    .subject = "CN=device",
	    .names = "dns:device.example",
	    .identity = "user:pump",
	    .operation = "simpleenroll",
	    .der = {(const unsigned char *)"0123456789abcdef", 16},
	};
}

static inline const unsigned char *request_of(unsigned number)
{
	static unsigned char request[STORE_REQUEST_SIZE];

	memset(request, 0, sizeof(request));
	memcpy(request + 1, &number, sizeof(number));
	return request;
}

/*
 * Adds it in answer to the request of that number (0: of none), which ten minutes may pass before
 * it is a new one, on those terms besides.
 */
static inline enum outcome add_on(
    struct store *store, const struct cert_record *cert, unsigned request, struct cert_terms terms)
{
	struct cert_record earlier = {0};
	enum outcome outcome;

	terms.request = request == 0 ? NULL : request_of(request);
	terms.since = cert->issued_at - 600;
	outcome = store_cert_add(store, cert, &terms, &earlier);
	cert_record_clear(&earlier);
	return outcome;
}

static inline enum outcome add(
    struct store *store, const struct cert_record *cert, unsigned request)
{
	return add_on(store, cert, request, (struct cert_terms){0});
}

static inline enum outcome of_request(struct store *store, unsigned request)
{
	struct cert_record out = {0};
	enum outcome outcome = store_cert_of_request(store, request_of(request), 0, &out);

	cert_record_clear(&out);
	return outcome;
}

/* --- many at once --- */

enum { RACERS_MOST = 64 };

typedef enum outcome runner(struct store *store, unsigned number);

/*
 * So many processes, each with the store open, do it at the same time: how often each outcome came
 * out. No store may be open here.
 */
static inline void store_race(unsigned runners, runner *run, int outcomes[static EST_OUTCOMES])
{
	int ready[2], go[2];
	char byte;
	pid_t pids[RACERS_MOST];

	memset(outcomes, 0, EST_OUTCOMES * sizeof(int));
	assert_true(runners <= RACERS_MOST && pipe(ready) == 0 && pipe(go) == 0);
	for (unsigned i = 0; i < runners; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct store_settings settings = {store_directory(), TEST_CACHE};
			struct store *store = NULL;
			enum outcome outcome = store_open(&settings, &store);
			(void)close(go[1]);
			if (outcome != EST_OK || write(ready[1], "x", 1) != 1 ||
			    read(go[0], &byte, 1) != 0)
				_exit(EST_OUTCOMES);
			outcome = run(store, i);
			store_close(store);
			_exit((int)outcome);
		}
	}
	for (unsigned i = 0; i < runners; i++)
		assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(go[1]);
	for (unsigned i = 0; i < runners; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < EST_OUTCOMES);
		outcomes[WEXITSTATUS(status)]++;
	}
	(void)close(go[0]);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* --- secrets and requests that wait --- */

/* 32 octets of that number. */
static inline const unsigned char *octets_of(unsigned char number)
{
	static unsigned char octets[256][32];

	memset(octets[number], number, 32);
	return octets[number];
}

/* Good for an hour, under every label, with the digest of that number. */
static inline struct secret_record secret_of(const char *name, unsigned char number)
{
	struct secret_record secret = {
	    .name = name, .created_at = time(NULL), .expires_at = time(NULL) + 3600};

	memcpy(secret.digest, octets_of(number), sizeof(secret.digest));
	return secret;
}

/* Waits, for an hour. */
static inline struct pending_record pending_of(unsigned id, unsigned char content)
{
	struct pending_record pending = {.created_at = time(NULL),
	    .expires_at = time(NULL) + 3600,
	    .label = "pumps",
	    .profile = "device",
	    .operation = "simpleenroll",
	    .identity = "user:pump",
	    .name = "pump-1",
	    .subject = "CN=pump-1",
	    .names = "",
	    .asks = "",
	    .decided_by = "",
	    .reason = "",
	    .request = {(const unsigned char *)"0123", 4}};
	uint32_t mixed = id * 2654435761U; /* as a hash would be: spread evenly */

	memcpy(pending.id, &mixed, sizeof(mixed));
	memcpy(pending.id + 4, &id, sizeof(id));
	memset(pending.content, content, sizeof(pending.content));
	return pending;
}

static inline enum outcome wait_for(struct store *store, const struct pending_record *pending)
{
	struct pending_record existing = {0};
	enum outcome outcome = store_pending_add(store, pending, NULL, &existing);

	pending_record_clear(&existing);
	return outcome;
}

/* As somebody does who has looked at the row just now. */
static inline enum outcome decide(
    struct store *store, struct pending_record pending, enum pending_state state)
{
	struct pending_record seen = {0};

	if (store_pending_get(store, pending.id, &seen) == EST_OK)
		memcpy(pending.ticket, seen.ticket, sizeof(pending.ticket));
	pending_record_clear(&seen);
	pending.state = state;
	pending.decided_at = time(NULL);
	pending.decided_by = "alice";
	pending.reason = state == PENDING_DENIED ? "not ours" : "";
	return store_pending_decide(store, &pending);
}

static inline void assert_sound(struct store *store)
{
	int64_t faults = -1;

	if (store_check(store, NULL, NULL, &faults) != EST_OK)
		fail_msg("%s", reason_text());
	assert_int_equal(faults, 0);
}

#endif
