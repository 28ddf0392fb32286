/*
 * store_test.h - a store for each test, and certificates to put into it. Included by the tests of
 * the store; after cmocka.h and what it wants.
 */
#ifndef EST_STORE_TEST_H
#define EST_STORE_TEST_H

#include <ftw.h>

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

/* Adds it in answer to the request of that number, which ten minutes may pass before it is a new
 * one. */
static inline enum outcome add(
    struct store *store, const struct cert_record *cert, unsigned request)
{
	struct cert_record earlier = {0};
	enum outcome outcome =
	    store_cert_add(store, cert, request_of(request), cert->issued_at - 600, &earlier);

	cert_record_clear(&earlier);
	return outcome;
}

static inline enum outcome of_request(struct store *store, unsigned request)
{
	struct cert_record out = {0};
	enum outcome outcome = store_cert_of_request(store, request_of(request), 0, &out);

	cert_record_clear(&out);
	return outcome;
}

static inline void assert_sound(struct store *store)
{
	int64_t faults = -1;

	if (store_check(store, NULL, NULL, &faults) != EST_OK)
		fail_msg("%s", reason_text());
	assert_int_equal(faults, 0);
}

#endif
