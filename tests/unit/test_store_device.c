/*
 * Devices: what makes one, what is known of it, and whether it gets another certificate; whoever
 * asks at the same time, and whoever dies.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/refusal.h"
#include "common/store/bdb.h"
#include "common/store/bdb_row.h"
#include "store_test.h"

static const struct cert_terms refused = {.duplicates = DUPLICATES_REFUSE};
static const struct cert_terms superseded = {.duplicates = DUPLICATES_SUPERSEDE};

static struct device_record device_of(const char *label, const char *name)
{
	return (struct device_record){
	    .label = label, .name = name, .added_at = time(NULL), .reason = ""};
}

static enum outcome add_device(struct store *store, const char *label, const char *name)
{
	struct device_record device = device_of(label, name);

	return store_device_add(store, &device);
}

static struct device_state state_of(struct store *store, const char *label, const char *name)
{
	struct device_record device = {0};
	struct device_state state;

	assert_int_equal(store_device_get(store, label, name, &device, &state), EST_OK);
	device_record_clear(&device);
	return state;
}

static void assert_unknown(struct store *store, const char *label, const char *name)
{
	struct device_record device = {0};

	assert_int_equal(store_device_get(store, label, name, &device, NULL), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
	assert_null(device.memory);
}

static void assert_refused(enum outcome outcome, enum refusal refusal)
{
	assert_int_equal(outcome, refusal_row(refusal)->outcome);
	assert_int_equal(refusal_recorded(outcome), refusal);
	reason_clear();
}

static int reason_of(struct store *store, unsigned number)
{
	struct serial serial = serial_of(number);
	struct cert_record out = {0};
	int code;

	assert_int_equal(store_cert_get(store, &serial, &out), EST_OK);
	code = out.revocation_reason;
	cert_record_clear(&out);
	return code;
}

static bool exists(struct store *store, unsigned number)
{
	struct serial serial = serial_of(number);
	struct cert_record out = {0};
	bool found = store_cert_get(store, &serial, &out) == EST_OK;

	cert_record_clear(&out);
	return found;
}

/* --- what is known of one --- */

static void test_first_certificate(void **state)
{
	struct store *store = *state;
	struct cert_record first = cert_of("Pump-1", 1), second = cert_of("pump-1", 2);
	struct cert_record other = cert_of("pump-1", 3), longer = cert_of("pump-10", 4);
	struct device_record device = {0};
	struct device_state known;

	assert_unknown(store, "pumps", "pump-1");
	first.issued_at -= 1000;
	other.label = "valves";
	assert_int_equal(add(store, &second, 2), EST_OK);
	assert_int_equal(add(store, &first, 1), EST_OK);
	assert_int_equal(add(store, &other, 3), EST_OK);
	assert_int_equal(add(store, &longer, 4), EST_OK);
	assert_int_equal(store_device_get(store, "pumps", "PUMP-1", &device, &known), EST_OK);
	assert_string_equal(device.label, "pumps");
	assert_string_equal(device.name, "pump-1");
	assert_string_equal(device.reason, "");
	assert_int_equal(device.added_at, second.issued_at);
	assert_int_equal(device.enrolled_at, second.issued_at);
	assert_true(device.freed_at == 0 && device.blocked_at == 0);
	assert_false(device_record_is_free(&device));
	assert_int_equal(known.issued, 2);
	assert_int_equal(known.valid, 2);
	assert_int_equal(known.first_issued, first.issued_at);
	assert_int_equal(known.last_issued, second.issued_at);
	assert_true(serial_equal(&known.current, &second.serial));
	device_record_clear(&device);
	assert_int_equal(state_of(store, "valves", "pump-1").issued, 1);
	assert_unknown(store, "valves", "pump-10");
	assert_unknown(store, "nowhere", "pump-1");
	assert_sound(store);
}

/* A certificate that was refused leaves no device behind. */
static void test_refused_certificate(void **state)
{
	struct cert_record cert = cert_of("pump-1", 1), twin = cert_of("pump-2", 1);

	assert_int_equal(add(*state, &cert, 1), EST_OK);
	assert_int_equal(add(*state, &twin, 2), EST_INTERNAL); /* the serial exists */
	reason_clear();
	assert_unknown(*state, "pumps", "pump-2");
}

static void test_valid_ones(void **state)
{
	struct store *store = *state;
	struct cert_record cert;
	struct device_state known;

	for (unsigned i = 1; i <= 3; i++) {
		cert = cert_of("pump-1", i);
		cert.issued_at -= 10 - i;
		if (i == 2)
			cert.not_after = cert.issued_at - 1;
		assert_int_equal(add(store, &cert, i), EST_OK);
	}
	assert_int_equal(store_cert_revoke(store, &cert.serial, 0, cert.issued_at, NULL), EST_OK);
	known = state_of(store, "pumps", "pump-1");
	assert_int_equal(known.issued, 3);
	assert_int_equal(known.valid, 1);
	assert_true(serial_equal(&known.current, &cert.serial));
}

static void test_long_names(void **state)
{
	char name[2][500];
	struct cert_record cert;

	memset(name, 'x', sizeof(name));
	name[0][499] = name[1][499] = '\0';
	name[1][498] = 'y';
	cert = cert_of(name[0], 1);
	assert_int_equal(add(*state, &cert, 1), EST_OK);
	assert_int_equal(state_of(*state, "pumps", name[0]).issued, 1);
	assert_unknown(*state, "pumps", name[1]);
	assert_int_equal(add_device(*state, "pumps", name[1]), EST_OK);
	assert_int_equal(state_of(*state, "pumps", name[1]).issued, 0);
	assert_sound(*state);
}

/* --- adding --- */

static void test_added(void **state)
{
	struct store *store = *state;
	struct device_record device = device_of("pumps", "Pump-1"), out = {0};
	struct device_state known;
	struct cert_record cert = cert_of("pump-1", 1);

	device.added_at = 1000;
	assert_int_equal(store_device_add(store, &device), EST_OK);
	assert_int_equal(add_device(store, "pumps", "pump-1"), EST_CONFLICT);
	assert_string_not_equal(reason_text(), "");
	reason_clear();
	assert_int_equal(add_device(store, "valves", "pump-1"), EST_OK);
	assert_int_equal(store_device_get(store, "pumps", "pump-1", &out, &known), EST_OK);
	assert_string_equal(out.name, "Pump-1");
	assert_int_equal(out.added_at, 1000);
	assert_int_equal(out.enrolled_at, 0);
	assert_int_equal(known.issued, 0);
	assert_int_equal(known.current.len, 0);
	device_record_clear(&out);
	assert_int_equal(add_on(store, &cert, 1, refused), EST_OK);
	assert_int_equal(store_device_get(store, "pumps", "pump-1", &out, NULL), EST_OK);
	assert_int_equal(out.added_at, 1000);
	assert_int_equal(out.enrolled_at, cert.issued_at);
	device_record_clear(&out);
	assert_int_equal(add_device(store, "pumps", "pump-1"), EST_CONFLICT);
	reason_clear();
	assert_int_equal(add_device(store, "pumps", ""), EST_MALFORMED);
	assert_sound(store);
}

static void test_next(void **state)
{
	enum { DEVICES = 40 };
	struct store *store = *state;
	char label[32] = "", name[32] = "";
	bool seen[2][DEVICES] = {{false}};
	unsigned count = 0;
	struct device_record out = {0};

	assert_int_equal(store_device_next(store, NULL, NULL, &out), EST_NOT_FOUND);
	for (unsigned i = 0; i < 2 * DEVICES; i++) {
		(void)snprintf(name, sizeof(name), "Pump-%u", i / 2);
		assert_int_equal(add_device(store, i % 2 == 0 ? "" : "valves", name), EST_OK);
	}
	name[0] = '\0';
	while (store_device_next(store, label, count == 0 ? NULL : name, &out) == EST_OK) {
		unsigned number = (unsigned)strtoul(out.name + 5, NULL, 10);
		assert_true(number < DEVICES);
		assert_false(seen[out.label[0] != '\0'][number]);
		seen[out.label[0] != '\0'][number] = true;
		(void)snprintf(label, sizeof(label), "%s", out.label);
		(void)snprintf(name, sizeof(name), "%s", out.name);
		device_record_clear(&out);
		count++;
	}
	assert_int_equal(count, 2 * DEVICES);
	assert_string_equal(reason_text(), "");
	assert_int_equal(store_device_next(store, "nowhere", "Pump-1", &out), EST_OK);
	device_record_clear(&out);
}

/* --- blocking --- */

static void test_blocked(void **state)
{
	struct store *store = *state;
	struct device_record out = {0};
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);
	struct serial *old = &first.serial;

	assert_int_equal(store_device_block(store, "pumps", "pump-1", 5, "stolen"), EST_NOT_FOUND);
	assert_string_not_equal(reason_text(), "");
	reason_clear();
	assert_int_equal(add(store, &first, 1), EST_OK);
	assert_int_equal(store_device_block(store, "pumps", "PUMP-1", 5, "stolen"), EST_OK);
	assert_int_equal(store_device_get(store, "pumps", "pump-1", &out, NULL), EST_OK);
	assert_int_equal(out.blocked_at, 5);
	assert_string_equal(out.reason, "stolen");
	assert_string_equal(out.name, "pump-1");
	device_record_clear(&out);
	for (enum duplicates i = DUPLICATES_ALLOW; i <= DUPLICATES_SUPERSEDE; i++) {
		struct cert_terms terms = {.supersedes = old, .rests_on = old, .duplicates = i};
		assert_refused(store_device_check(store, "pumps", "pump-1", i), DEVICE_BLOCKED);
		assert_refused(add_on(store, &second, 2, terms), DEVICE_BLOCKED);
		assert_false(exists(store, 2));
	}
	assert_int_equal(reason_of(store, 1), NOT_REVOKED);
	assert_int_equal(store_device_check(store, "valves", "pump-1", refused.duplicates), EST_OK);
	assert_int_equal(add(store, &second, 1), EST_CONFLICT); /* it is answered as before */
	assert_string_equal(reason_text(), "");
	assert_int_equal(store_device_block(store, "pumps", "pump-1", 0, ""), EST_OK);
	assert_int_equal(add(store, &second, 2), EST_OK);
	assert_sound(store);
}

/* --- freeing --- */

static void test_freed(void **state)
{
	struct store *store = *state;
	struct device_record out = {0};
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);
	int64_t now = time(NULL);

	first.issued_at = now - 100;
	assert_int_equal(add(store, &first, 1), EST_OK);
	assert_int_equal(store_device_block(store, "pumps", "pump-1", 5, "stolen"), EST_OK);
	assert_int_equal(store_device_free(store, "pumps", "Pump-1", now - 50), EST_OK);
	assert_int_equal(reason_of(store, 1), NOT_REVOKED);
	assert_int_equal(store_device_get(store, "pumps", "pump-1", &out, NULL), EST_OK);
	assert_true(device_record_is_free(&out));
	assert_int_equal(out.freed_at, now - 50);
	assert_int_equal(out.blocked_at, 0);
	assert_string_equal(out.reason, "");
	device_record_clear(&out);
	assert_int_equal(state_of(store, "pumps", "pump-1").issued, 0);
	assert_int_equal(store_device_next(store, NULL, NULL, &out), EST_OK);
	device_record_clear(&out);
	assert_int_equal(store_device_free(store, "pumps", "pump-1", now), EST_NOT_FOUND);
	assert_int_equal(store_device_free(store, "nowhere", "pump-1", now), EST_NOT_FOUND);
	reason_clear();
	assert_int_equal(store_device_check(store, "pumps", "pump-1", refused.duplicates), EST_OK);
	assert_int_equal(add_on(store, &second, 2, refused), EST_OK);
	assert_int_equal(store_device_get(store, "pumps", "pump-1", &out, NULL), EST_OK);
	assert_false(device_record_is_free(&out));
	assert_int_equal(out.freed_at, now - 50);
	assert_int_equal(out.enrolled_at, first.issued_at);
	device_record_clear(&out);
	assert_int_equal(state_of(store, "pumps", "pump-1").issued, 1);
	assert_refused(
	    store_device_check(store, "pumps", "pump-1", refused.duplicates), DEVICE_EXISTS);
	assert_sound(store);
}

/* All within a second: what is issued after the deletion counts. */
static void test_freed_just_now(void **state)
{
	struct store *store = *state;
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);
	struct cert_record third = cert_of("pump-1", 3);
	struct device_record out = {0};

	second.issued_at = third.issued_at = first.issued_at;
	for (enum duplicates i = DUPLICATES_ALLOW; i <= DUPLICATES_SUPERSEDE; i++) {
		char name[] = {'a', (char)('0' + i), '\0'};
		first.name = second.name = third.name = name;
		first.serial = serial_of(10 * i + 1);
		second.serial = serial_of(10 * i + 2);
		third.serial = serial_of(10 * i + 3);
		assert_int_equal(add(store, &first, 10 * i + 1), EST_OK);
		assert_int_equal(store_device_free(store, "pumps", name, first.issued_at), EST_OK);
		assert_int_equal(state_of(store, "pumps", name).issued, 0);
		assert_int_equal(
		    add_on(store, &second, 10 * i + 2, (struct cert_terms){.duplicates = i}),
		    EST_OK);
		assert_int_equal(reason_of(store, 10 * i + 1), NOT_REVOKED);
		assert_true(state_of(store, "pumps", name).issued > 0);
		assert_int_equal(store_device_get(store, "pumps", name, &out, NULL), EST_OK);
		assert_false(device_record_is_free(&out));
		device_record_clear(&out);
		assert_refused(add_on(store, &third, 10 * i + 3, refused), DEVICE_EXISTS);
	}
	assert_sound(store);
}

/* One that never had a certificate leaves nothing behind. */
static void test_freed_before_use(void **state)
{
	struct store *store = *state;
	struct device_record out = {0};
	struct cert_record cert = cert_of("pump-1", 1);

	assert_int_equal(add_device(store, "pumps", "pump-1"), EST_OK);
	assert_int_equal(store_device_free(store, "pumps", "pump-1", time(NULL)), EST_OK);
	assert_unknown(store, "pumps", "pump-1");
	assert_int_equal(store_device_next(store, NULL, NULL, &out), EST_NOT_FOUND);
	assert_int_equal(add(store, &cert, 1), EST_OK);
	assert_sound(store);
}

/* Added again after it was freed, in the same second too: the name is taken, and the past is not
 * its own. */
static void test_added_again(void **state)
{
	struct store *store = *state;
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);

	assert_int_equal(add(store, &first, 1), EST_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_device_free(store, "pumps", "pump-1", time(NULL)), EST_OK);
		assert_int_equal(add_device(store, "pumps", "pump-1"), EST_OK);
		assert_int_equal(add_device(store, "pumps", "pump-1"), EST_CONFLICT);
		reason_clear();
		assert_int_equal(state_of(store, "pumps", "pump-1").issued, 0);
	}
	assert_int_equal(add_on(store, &second, 2, refused), EST_OK);
	assert_refused(
	    store_device_check(store, "pumps", "pump-1", refused.duplicates), DEVICE_EXISTS);
	assert_sound(store);
}

/* --- duplicates --- */

static void test_refused(void **state)
{
	struct store *store = *state;
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("PUMP-1", 2);
	struct cert_record other = cert_of("pump-1", 3), earlier = {0};
	struct cert_terms terms = refused;

	other.label = "valves";
	assert_int_equal(store_device_check(store, "pumps", "pump-1", refused.duplicates), EST_OK);
	assert_int_equal(add_on(store, &first, 1, refused), EST_OK);
	assert_refused(
	    store_device_check(store, "pumps", "pump-1", refused.duplicates), DEVICE_EXISTS);
	assert_int_equal(store_device_check(store, "pumps", "pump-1", DUPLICATES_ALLOW), EST_OK);
	assert_int_equal(
	    store_device_check(store, "pumps", "pump-1", DUPLICATES_SUPERSEDE), EST_OK);
	terms.request = request_of(2);
	assert_refused(store_cert_add(store, &second, &terms, &earlier), DEVICE_EXISTS);
	assert_int_equal(earlier.serial.len, 0);
	assert_null(earlier.memory);
	assert_false(exists(store, 2));
	assert_int_equal(add_on(store, &other, 3, refused), EST_OK);
	/* The same request is answered as before, and says so. */
	terms.request = request_of(1);
	assert_int_equal(store_cert_add(store, &second, &terms, &earlier), EST_CONFLICT);
	assert_true(serial_equal(&earlier.serial, &first.serial));
	assert_int_not_equal(refusal_recorded(EST_CONFLICT), DEVICE_EXISTS);
	cert_record_clear(&earlier);
	assert_int_equal(store_cert_revoke(store, &first.serial, 0, 5, NULL), EST_OK);
	assert_int_equal(store_device_check(store, "pumps", "pump-1", refused.duplicates), EST_OK);
	assert_int_equal(add_on(store, &second, 2, refused), EST_OK);
	assert_sound(store);
}

/* A secret that is spent says nothing of the device, and one that is not is not spent in vain. */
static void test_refused_with_a_secret(void **state)
{
	struct store *store = *state;
	struct secret_record secret = secret_of("pump-1", 3), out = {0};
	struct secret_use use = {"pump-1", "pumps", octets_of(3), octets_of(10)};
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);
	struct cert_terms terms = {.secret = &use, .duplicates = DUPLICATES_REFUSE};

	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
	assert_int_equal(add_on(store, &first, 1, terms), EST_OK);
	assert_refused(add_on(store, &second, 2, terms), OTP_WRONG);
	assert_int_equal(store_secret_put(store, &secret, true), EST_OK);
	assert_refused(add_on(store, &second, 2, terms), DEVICE_EXISTS);
	assert_int_equal(store_secret_get(store, "pump-1", &out), EST_OK);
	assert_int_equal(out.used_at, 0);
	secret_record_clear(&out);
	assert_sound(store);
}

static void test_refused_expired(void **state)
{
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);

	first.not_after = time(NULL) - 1;
	assert_int_equal(add_on(*state, &first, 1, refused), EST_OK);
	assert_int_equal(add_on(*state, &second, 2, refused), EST_OK);
	assert_sound(*state);
}

static void test_superseded(void **state)
{
	struct store *store = *state;
	struct cert_record cert;
	struct cert_terms terms = superseded;
	struct serial second = serial_of(2);
	struct store_totals totals = {0};

	for (unsigned i = 1; i <= 5; i++) {
		cert = cert_of(i == 5 ? "pump-2" : "pump-1", i);
		cert.label = i == 4 ? "valves" : "pumps";
		if (i == 3)
			cert.not_after = time(NULL) - 1;
		assert_int_equal(add(store, &cert, i), EST_OK);
	}
	cert = cert_of("Pump-1", 6);
	terms.supersedes = terms.rests_on = &second; /* named twice, revoked once */
	assert_int_equal(add_on(store, &cert, 6, terms), EST_OK);
	assert_int_equal(reason_of(store, 1), SUPERSEDED);
	assert_int_equal(reason_of(store, 2), SUPERSEDED);
	for (unsigned i = 3; i <= 6; i++)
		assert_int_equal(reason_of(store, i), NOT_REVOKED);
	assert_int_equal(state_of(store, "pumps", "pump-1").valid, 1);
	assert_int_equal(store_totals(store, time(NULL), &totals), EST_OK);
	assert_int_equal(totals.labels[0].revoked, 2);
	store_totals_clear(&totals);
	/* The same request once more changes nothing. */
	cert = cert_of("pump-1", 7);
	assert_int_equal(add_on(store, &cert, 6, superseded), EST_CONFLICT);
	assert_int_equal(reason_of(store, 6), NOT_REVOKED);
	assert_sound(store);
}

/* What was freed is not superseded. */
static void test_superseded_freed(void **state)
{
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);

	first.issued_at -= 100;
	assert_int_equal(add(*state, &first, 1), EST_OK);
	assert_int_equal(store_device_free(*state, "pumps", "pump-1", first.issued_at + 1), EST_OK);
	assert_int_equal(add_on(*state, &second, 2, superseded), EST_OK);
	assert_int_equal(reason_of(*state, 1), NOT_REVOKED);
	assert_sound(*state);
}

/* --- many at once --- */

enum { CROWD = 50, RUNNERS = 8, ROUNDS = 5 };

static unsigned round_now;

/* Each with a key of its own. */
static enum outcome race_first(struct store *store, unsigned number)
{
	struct cert_record cert = cert_of("pump-1", round_now * 100 + number);
	char name[32];

	(void)snprintf(name, sizeof(name), "%s-%u", number % 2 == 0 ? "pump" : "PUMP", round_now);
	cert.name = name;
	return add_on(store, &cert, round_now * 100 + number + 1, refused);
}

static void test_race_for_a_name(void **state)
{
	for (round_now = 1; round_now <= 2; round_now++) {
		int outcomes[EST_OUTCOMES];
		char name[32];
		(void)snprintf(name, sizeof(name), "pump-%u", round_now);
		if (round_now == 2) /* the operator knows it beforehand */
			assert_int_equal(add_device(*state, "pumps", name), EST_OK);
		store_close(*state);
		*state = NULL;
		store_race(CROWD, race_first, outcomes);
		*state = store_again();
		assert_int_equal(outcomes[EST_OK], 1);
		assert_int_equal(outcomes[EST_CONFLICT], CROWD - 1);
		assert_int_equal(state_of(*state, "pumps", name).issued, 1);
	}
	assert_sound(*state);
}

static enum outcome race_supersede(struct store *store, unsigned number)
{
	struct cert_record cert = cert_of("pump-1", round_now * 100 + number);

	return add_on(store, &cert, round_now * 100 + number + 1, superseded);
}

/* One of them is left. */
static void test_race_to_supersede(void **state)
{
	for (round_now = 1; round_now <= ROUNDS; round_now++) {
		int outcomes[EST_OUTCOMES];
		struct device_state known;
		store_close(*state);
		*state = NULL;
		store_race(RUNNERS, race_supersede, outcomes);
		*state = store_again();
		assert_int_equal(outcomes[EST_OK], RUNNERS);
		known = state_of(*state, "pumps", "pump-1");
		assert_int_equal(known.issued, RUNNERS * round_now);
		assert_int_equal(known.valid, 1);
	}
	assert_sound(*state);
}

/*
 * Adding, blocking, freeing and getting certificates of a few names, on every terms: nobody gives
 * up, and no certificate is without its device.
 */
static enum outcome work(struct store *store, unsigned number)
{
	for (unsigned i = 0; i < 60; i++) {
		unsigned id = 1000 + number * 60 + i;
		char name[] = {'p', (char)('0' + (i * 7 + number) % 5), '\0'};
		struct cert_record cert = cert_of(name, id);
		enum outcome outcome = add_device(store, "pumps", name);
		if (outcome != EST_OK && outcome != EST_CONFLICT)
			return outcome;
		outcome = add_on(store, &cert, id, (struct cert_terms){.duplicates = id % 3});
		if (outcome != EST_OK && outcome != EST_CONFLICT && outcome != EST_FORBIDDEN)
			return outcome;
		outcome = store_device_block(store, "pumps", name, i % 2, "work");
		if (outcome == EST_OK || outcome == EST_NOT_FOUND)
			outcome = store_device_free(store, "pumps", name, cert.issued_at);
		if (outcome != EST_OK && outcome != EST_NOT_FOUND)
			return outcome;
		reason_clear();
	}
	return EST_OK;
}

static void test_all_work(void **state)
{
	int outcomes[EST_OUTCOMES];

	store_close(*state);
	*state = NULL;
	store_race(RUNNERS, work, outcomes);
	*state = store_again();
	assert_int_equal(outcomes[EST_OK], RUNNERS);
	assert_sound(*state);
}

/* --- death --- */

/* Takes the name and supersedes, and dies before that is committed, its pages on disk. */
static int die_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct cert_record *cert = context;
	struct device_claim claim = {cert, 1, DUPLICATES_SUPERSEDE};
	struct buf living = {0};
	int error = bdb_device_claim(bdb, txn, &claim, &living);

	if (error == 0)
		error = bdb_device_replace(bdb, txn, &claim, &living);
	if (error == 0)
		error = bdb->env->log_flush(bdb->env, NULL);
	if (error == 0)
		error = bdb->env->memp_sync(bdb->env, NULL);
	if (error == 0)
		(void)raise(SIGKILL);
	_exit(1);
}

static void die(struct cert_record *cert)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct store *store = store_again();
		(void)bdb_run((struct bdb *)store, BDB_WRITE, die_act, cert);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_death(void **state)
{
	struct cert_record first = cert_of("pump-1", 1), again = cert_of("pump-1", 2);
	struct cert_record other = cert_of("pump-2", 3);

	assert_int_equal(add_on(*state, &first, 1, refused), EST_OK);
	assert_int_equal(store_device_free(*state, "pumps", "pump-1", 1), EST_OK);
	store_close(*state);
	*state = NULL;
	die(&again);
	die(&other);
	*state = store_again();
	assert_unknown(*state, "pumps", "pump-2");
	assert_int_equal(reason_of(*state, 1), NOT_REVOKED);
	assert_sound(*state);
	assert_int_equal(add_on(*state, &other, 3, refused), EST_OK);
	assert_sound(*state);
}

/* --- store_check() --- */

struct damage {
	struct row_key key;
	struct buf value;
};

static int harm_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	const struct damage *damage = context;

	return damage->value.len == 0 ? bdb_delete(bdb, txn, BDB_DEVICE, row_key_span(&damage->key))
				      : bdb_put(bdb, txn, BDB_DEVICE, row_key_span(&damage->key),
					    buf_span(&damage->value), 0);
}

/* Puts that row, or takes it away, where the device of that name has its own. */
static void harm(struct store *store, const char *name, const struct device_record *device)
{
	struct damage damage = {{0}, {0}};

	row_device_key(&damage.key, name, 1);
	if (device != NULL)
		device_record_encode(device, &damage.value);
	assert_int_equal(bdb_run((struct bdb *)store, BDB_WRITE, harm_act, &damage), EST_OK);
	buf_free(&damage.value);
}

static void assert_fault(struct store *store, const char *mentions)
{
	int64_t faults = 0;

	assert_int_equal(store_check(store, NULL, NULL, &faults), EST_INTERNAL);
	assert_int_equal(faults, 1);
	if (strstr(reason_text(), mentions) == NULL)
		fail_msg("%s", reason_text());
	reason_clear();
}

static void test_check_finds(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1);
	struct device_record right = device_of("pumps", "pump-1"), wrong;

	assert_int_equal(add(store, &cert, 1), EST_OK);
	right.enrolled_at = right.added_at = cert.issued_at;
	harm(store, "pump-1", NULL);
	assert_fault(store, "not remembered");
	wrong = right;
	wrong.enrolled_at = 0;
	harm(store, "pump-1", &wrong);
	assert_fault(store, "denies it");
	wrong = right;
	wrong.name = "pump-3";
	harm(store, "pump-1", &wrong);
	assert_fault(store, "damaged");
	wrong.label = "nowhere";
	harm(store, "pump-1", &wrong);
	assert_fault(store, "damaged");
	harm(store, "pump-1", &right);
	wrong = right;
	wrong.name = "pump-2";
	harm(store, "pump-2", &wrong);
	assert_fault(store, "has none");
	harm(store, "pump-2", NULL);
	assert_sound(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_first_certificate),
	    store_test(test_refused_certificate),
	    store_test(test_valid_ones),
	    store_test(test_long_names),
	    store_test(test_added),
	    store_test(test_next),
	    store_test(test_blocked),
	    store_test(test_freed),
	    store_test(test_freed_just_now),
	    store_test(test_freed_before_use),
	    store_test(test_added_again),
	    store_test(test_refused),
	    store_test(test_refused_with_a_secret),
	    store_test(test_refused_expired),
	    store_test(test_superseded),
	    store_test(test_superseded_freed),
	    store_test(test_race_for_a_name),
	    store_test(test_race_to_supersede),
	    store_test(test_all_work),
	    store_test(test_death),
	    store_test(test_check_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
