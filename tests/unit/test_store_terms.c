/*
 * What a new certificate brings with it: a secret used up, an approval answered, an old certificate
 * superseded, a challenge remembered; all of it or nothing, whoever else does it at the same time,
 * and whoever dies.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/refusal.h"
#include "common/store/bdb.h"
#include "store_test.h"

static void assert_absent(struct store *store, unsigned number)
{
	struct serial serial = serial_of(number);
	struct cert_record out = {0};

	assert_int_equal(store_cert_get(store, &serial, &out), EST_NOT_FOUND);
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

static int64_t used_at(struct store *store, const char *name)
{
	struct secret_record out = {0};
	int64_t used;

	assert_int_equal(store_secret_get(store, name, &out), EST_OK);
	used = out.used_at;
	secret_record_clear(&out);
	return used;
}

static enum pending_state state_of(struct store *store, const struct pending_record *pending)
{
	struct pending_record out = {0};
	enum pending_state state;

	assert_int_equal(store_pending_get(store, pending->id, &out), EST_OK);
	state = out.state;
	pending_record_clear(&out);
	return state;
}

static void put_secret(struct store *store, const char *name, unsigned char digest)
{
	struct secret_record secret = secret_of(name, digest);

	assert_int_equal(store_secret_put(store, &secret, false), EST_OK);
}

static struct pending_record approved(struct store *store, unsigned id)
{
	struct pending_record pending = pending_of(id, 7);

	assert_int_equal(wait_for(store, &pending), EST_OK);
	assert_int_equal(decide(store, pending, PENDING_APPROVED), EST_OK);
	return pending;
}

static void assert_refused(enum outcome outcome, enum refusal refusal)
{
	assert_int_equal(outcome, EST_FORBIDDEN);
	assert_int_equal(refusal_recorded(EST_FORBIDDEN), refusal);
	reason_clear();
}

/* --- no request --- */

static void test_no_request(void **state)
{
	struct cert_record first = cert_of("pump-1", 1), second = cert_of("pump-1", 2);

	assert_int_equal(add(*state, &first, 0), EST_OK);
	assert_int_equal(add(*state, &second, 0), EST_OK);
	assert_sound(*state);
}

/* --- superseding --- */

static void test_supersedes(void **state)
{
	struct store *store = *state;
	struct cert_record old = cert_of("pump-1", 1), cert = cert_of("pump-1", 2), out = {0};
	struct cert_terms terms = {.rests_on = &old.serial, .supersedes = &old.serial};
	struct cert_query query = {.order = CERTS_BY_REVOKED, .limit = 10};
	struct cert_page page = {0};
	struct store_totals totals = {0};

	old.label = "valves";
	old.issued_at -= 1000;
	assert_int_equal(add(store, &old, 1), EST_OK);
	assert_int_equal(add_on(store, &cert, 2, terms), EST_OK);
	assert_int_equal(store_cert_get(store, &old.serial, &out), EST_OK);
	assert_int_equal(out.revocation_reason, SUPERSEDED);
	assert_int_equal(out.revoked_at, cert.issued_at);
	assert_string_equal(out.name, "pump-1");
	assert_true(span_equal(out.der, old.der));
	cert_record_clear(&out);
	assert_int_equal(reason_of(store, 2), NOT_REVOKED);
	assert_int_equal(store_cert_list(store, &query, &page), EST_OK);
	assert_int_equal(page.count, 1);
	cert_page_clear(&page);
	assert_int_equal(store_totals(store, time(NULL), &totals), EST_OK);
	for (size_t i = 0; i < totals.count; i++) {
		bool is_old = strcmp(totals.labels[i].label, "valves") == 0;
		assert_int_equal(totals.labels[i].issued, 1);
		assert_int_equal(totals.labels[i].revoked, is_old);
		assert_int_equal(totals.labels[i].valid, !is_old);
	}
	assert_int_equal(totals.count, 2);
	store_totals_clear(&totals);
	/* The key is not blocked. */
	assert_int_equal(store_key_check(store, old.spki, old.spki), EST_OK);
	assert_sound(store);
}

/* One that expired long ago leaves the expired ones. */
static void test_supersedes_expired(void **state)
{
	struct store *store = *state;
	struct cert_record old = cert_of("pump-1", 1), cert = cert_of("pump-1", 2);
	struct store_totals totals = {0};

	old.not_after = old.issued_at - 40 * 86400;
	assert_int_equal(add(store, &old, 1), EST_OK);
	assert_int_equal(
	    add_on(store, &cert, 2, (struct cert_terms){.supersedes = &old.serial}), EST_OK);
	assert_int_equal(store_totals(store, time(NULL), &totals), EST_OK);
	assert_int_equal(totals.labels[0].expired, 0);
	assert_int_equal(totals.labels[0].revoked, 1);
	assert_int_equal(totals.labels[0].valid, 1);
	store_totals_clear(&totals);
	assert_sound(store);
}

/* The first date and reason stay; and there may be no such certificate. */
static void test_supersedes_revoked_or_unknown(void **state)
{
	struct store *store = *state;
	struct cert_record old = cert_of("pump-1", 1), cert = cert_of("pump-1", 2), out = {0};
	struct serial unknown = serial_of(99);
	struct cert_terms terms = {.supersedes = &old.serial};

	assert_int_equal(add(store, &old, 1), EST_OK);
	assert_int_equal(store_cert_revoke(store, &old.serial, 5, 1234, NULL), EST_OK);
	assert_int_equal(add_on(store, &cert, 2, terms), EST_OK);
	assert_int_equal(store_cert_get(store, &old.serial, &out), EST_OK);
	assert_int_equal(out.revocation_reason, 5);
	assert_int_equal(out.revoked_at, 1234);
	cert_record_clear(&out);
	cert = cert_of("pump-1", 3);
	terms.supersedes = &unknown;
	assert_int_equal(add_on(store, &cert, 3, terms), EST_OK);
	assert_absent(store, 99);
	assert_sound(store);
}

/* --- secrets and approvals --- */

static void test_secret_is_used(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), again = cert_of("pump-1", 2);
	struct secret_use use = {"PUMP-1", "pumps", octets_of(3), octets_of(10)};
	struct cert_terms terms = {.secret = &use};

	put_secret(store, "pump-1", 3);
	assert_int_equal(add_on(store, &cert, 1, terms), EST_OK);
	assert_int_not_equal(used_at(store, "pump-1"), 0);
	/* Neither another request gets a certificate for it, nor the same one a second. */
	for (unsigned char i = 11; i >= 10; i--) {
		use.request = octets_of(i);
		assert_refused(add_on(store, &again, 2, terms), OTP_WRONG);
		assert_absent(store, 2);
		assert_int_equal(of_request(store, 2), EST_NOT_FOUND);
	}
	/* Where it is the same to the store as well, the answer is what it was. */
	assert_int_equal(add_on(store, &again, 1, terms), EST_CONFLICT);
	assert_sound(store);
}

/* Used up when the request was put into the queue, it brings the one certificate approved there. */
static void test_secret_of_an_approval(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), again = cert_of("pump-1", 2);
	struct secret_use use = {"pump-1", "pumps", octets_of(3), octets_of(10)};
	struct secret_use other = {"pump-1", "pumps", octets_of(3), octets_of(11)};
	struct pending_record pending = pending_of(1, 7), next, existing = {0};
	struct cert_terms terms = {.secret = &use, .approval = &pending};

	put_secret(store, "pump-1", 3);
	assert_int_equal(store_pending_add(store, &pending, &use, &existing), EST_OK);
	assert_int_equal(decide(store, pending, PENDING_APPROVED), EST_OK);
	terms.approval = NULL;
	assert_refused(add_on(store, &cert, 1, terms), OTP_WRONG);
	terms.approval = &pending;
	terms.secret = &other;
	assert_refused(add_on(store, &cert, 1, terms), OTP_WRONG);
	terms.secret = &use;
	assert_int_equal(state_of(store, &pending), PENDING_APPROVED);
	assert_int_equal(add_on(store, &cert, 1, terms), EST_OK);
	assert_int_equal(state_of(store, &pending), PENDING_ISSUED);
	/* Not once more, and no second place in the queue, also where the row is gone. */
	assert_refused(add_on(store, &again, 2, terms), APPROVAL_TAKEN);
	next = pending_of(1, 8);
	assert_refused(store_pending_add(store, &next, &use, &existing), OTP_WRONG);
	assert_int_equal(store_pending_delete(store, pending.id, pending.content), EST_OK);
	assert_refused(store_pending_add(store, &pending, &use, &existing), OTP_WRONG);
	assert_refused(add_on(store, &again, 2, terms), APPROVAL_TAKEN);
	assert_absent(store, 2);
	assert_sound(store);
}

static void test_approval_is_answered(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), again = cert_of("pump-1", 2);
	struct pending_record pending = approved(store, 1), out = {0};
	struct cert_terms terms = {.approval = &pending};

	assert_int_equal(add_on(store, &cert, 1, terms), EST_OK);
	assert_int_equal(store_pending_get(store, pending.id, &out), EST_OK);
	assert_int_equal(out.state, PENDING_ISSUED);
	assert_memory_equal(&out.serial, &cert.serial, sizeof(out.serial));
	assert_string_equal(out.decided_by, "alice");
	pending_record_clear(&out);
	assert_refused(add_on(store, &again, 2, terms), APPROVAL_TAKEN);
	assert_absent(store, 2);
	/* The same request again is told what it was answered with. */
	assert_int_equal(add_on(store, &again, 1, terms), EST_CONFLICT);
	assert_sound(store);
}

static void test_approval_is_not_as_it_was(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1);
	struct pending_record pending = pending_of(1, 7), other = pending_of(1, 8);
	struct cert_terms terms = {.approval = &pending};

	assert_refused(add_on(store, &cert, 1, terms), APPROVAL_TAKEN); /* no row */
	assert_int_equal(wait_for(store, &pending), EST_OK);
	assert_refused(add_on(store, &cert, 1, terms), APPROVAL_TAKEN); /* waits */
	assert_int_equal(decide(store, pending, PENDING_DENIED), EST_OK);
	assert_refused(add_on(store, &cert, 1, terms), APPROVAL_DENIED);
	assert_int_equal(wait_for(store, &other), EST_OK); /* takes its place */
	assert_int_equal(decide(store, other, PENDING_APPROVED), EST_OK);
	assert_refused(add_on(store, &cert, 1, terms), APPROVAL_TAKEN);
	pending = pending_of(2, 7);
	assert_int_equal(wait_for(store, &pending), EST_OK);
	pending.expires_at = time(NULL) - 1;
	assert_int_equal(decide(store, pending, PENDING_APPROVED), EST_OK);
	assert_refused(add_on(store, &cert, 1, terms), APPROVAL_TAKEN); /* expired */
	assert_absent(store, 1);
	assert_int_equal(of_request(store, 1), EST_NOT_FOUND);
	assert_sound(store);
}

/* --- challenges --- */

static void test_revocation_hash(void **state)
{
	struct store *store = *state;
	struct cert_record cert = cert_of("pump-1", 1), plain = cert_of("pump-1", 2);
	struct buf hash = {0};

	assert_int_equal(
	    add_on(store, &cert, 1, (struct cert_terms){.revocation_hash = "$y$j9T$x$y"}), EST_OK);
	assert_int_equal(add(store, &plain, 2), EST_OK);
	buf_add_string(&hash, "<");
	assert_int_equal(store_revocation_hash(store, &cert.serial, &hash), EST_OK);
	assert_string_equal(buf_string(&hash), "<$y$j9T$x$y");
	assert_int_equal(store_revocation_hash(store, &plain.serial, &hash), EST_NOT_FOUND);
	assert_int_equal(store_revocation_hash(store, &(struct serial){0}, &hash), EST_NOT_FOUND);
	assert_string_equal(reason_text(), "");
	assert_int_equal(hash.len, strlen("<$y$j9T$x$y"));
	buf_free(&hash);
	assert_sound(store);
}

/* --- all or nothing --- */

/* Everything at once: certificate 1 is old, 2 is the new one. */
struct everything {
	struct cert_record old, cert;
	struct secret_use use;
	struct pending_record pending;
	struct cert_terms terms;
};

static void prepare(struct store *store, struct everything *all)
{
	*all = (struct everything){.old = cert_of("pump-1", 1), .cert = cert_of("pump-1", 2)};
	all->use = (struct secret_use){"pump-1", "pumps", octets_of(3), octets_of(10)};
	assert_int_equal(add(store, &all->old, 1), EST_OK);
	put_secret(store, "pump-1", 3);
	all->pending = approved(store, 1);
	all->terms = (struct cert_terms){.rests_on = &all->old.serial,
	    .supersedes = &all->old.serial,
	    .secret = &all->use,
	    .approval = &all->pending,
	    .revocation_hash = "$y$"};
}

static void assert_everything(struct store *store, const struct everything *all, bool done)
{
	struct buf hash = {0};

	assert_int_equal(reason_of(store, 1), done ? SUPERSEDED : NOT_REVOKED);
	assert_int_equal(used_at(store, "pump-1") != 0, done);
	assert_int_equal(state_of(store, &all->pending), done ? PENDING_ISSUED : PENDING_APPROVED);
	assert_int_equal(
	    store_revocation_hash(store, &all->cert.serial, &hash), done ? EST_OK : EST_NOT_FOUND);
	if (!done)
		assert_absent(store, 2);
	assert_int_equal(of_request(store, 2), done ? EST_OK : EST_NOT_FOUND);
	buf_free(&hash);
	assert_sound(store);
}

static void test_everything_or_nothing(void **state)
{
	struct store *store = *state;
	struct everything all;
	struct cert_record twin = cert_of("pump-1", 1);

	prepare(store, &all);
	assert_int_equal(add_on(store, &twin, 2, all.terms), EST_INTERNAL); /* the serial exists */
	reason_clear();
	assert_everything(store, &all, false);
	all.use.digest = octets_of(4);
	assert_refused(add_on(store, &all.cert, 2, all.terms), OTP_WRONG);
	assert_everything(store, &all, false);
	all.use.digest = octets_of(3);
	assert_int_equal(add_on(store, &all.cert, 1, all.terms), EST_CONFLICT); /* answered */
	assert_everything(store, &all, false);
	assert_int_equal(add_on(store, &all.cert, 2, all.terms), EST_OK);
	assert_everything(store, &all, true);
}

/* An act that uses up secret and approval, supersedes, and dies before it is committed. */
static int die_act(struct bdb *bdb, DB_TXN *txn, void *context)
{
	struct everything *all = context;
	struct cert_record old = {0};
	int error = bdb_supersede_begin(bdb, txn, &all->old.serial, &old);

	if (error == 0)
		error = bdb_secret_use(bdb, txn, &all->use, true);
	if (error == 0)
		error = bdb_pending_issue(bdb, txn, &all->pending, &all->cert.serial);
	if (error == 0)
		error = bdb_supersede(bdb, txn, &old, 5);
	if (error == 0)
		error = bdb_challenge_put(bdb, txn, &all->cert.serial, "$y$");
	if (error == 0)
		error = bdb->env->log_flush(bdb->env, NULL);
	if (error == 0)
		(void)raise(SIGKILL);
	_exit(1);
}

static void die(void (*how)(struct store *store, struct everything *all), struct everything *all)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct store_settings settings = {store_directory(), TEST_CACHE};
		struct store *store = NULL;
		if (store_open(&settings, &store) == EST_OK)
			how(store, all);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void die_before(struct store *store, struct everything *all)
{
	(void)bdb_run((struct bdb *)store, BDB_WRITE, die_act, all);
}

static void die_after(struct store *store, struct everything *all)
{
	if (add_on(store, &all->cert, 2, all->terms) == EST_OK) {
		(void)gate_enter(((struct bdb *)store)->gate);
		(void)raise(SIGKILL);
	}
}

static void test_death(void **state)
{
	struct everything all;

	prepare(*state, &all);
	store_close(*state);
	*state = NULL;
	die(die_before, &all);
	*state = store_again();
	assert_everything(*state, &all, false);
	store_close(*state);
	*state = NULL;
	die(die_after, &all);
	*state = store_again();
	assert_everything(*state, &all, true);
}

/* --- many at once --- */

enum { RUNNERS = 6, ROUNDS = 10 };

static unsigned round_now;

static enum outcome race_secret(struct store *store, unsigned number)
{
	struct secret_use use = {
	    "pump-1", "pumps", octets_of(3), octets_of((unsigned char)(20 + number))};
	struct cert_record cert = cert_of("pump-1", round_now * 100 + number);

	return add_on(store, &cert, round_now * 100 + number, (struct cert_terms){.secret = &use});
}

static void test_race_for_a_secret(void **state)
{
	struct secret_record secret = secret_of("pump-1", 3);

	for (round_now = 1; round_now <= ROUNDS; round_now++) {
		int outcomes[EST_OUTCOMES];
		assert_int_equal(store_secret_put(*state, &secret, round_now > 1), EST_OK);
		store_close(*state);
		*state = NULL;
		store_race(RUNNERS, race_secret, outcomes);
		*state = store_again();
		assert_int_equal(outcomes[EST_OK], 1);
		assert_int_equal(outcomes[EST_FORBIDDEN], RUNNERS - 1);
	}
	assert_sound(*state);
}

static enum outcome race_approval(struct store *store, unsigned number)
{
	struct pending_record pending = pending_of(round_now, 7);
	struct cert_record cert = cert_of("pump-1", round_now * 100 + number);

	return add_on(store, &cert, 0, (struct cert_terms){.approval = &pending});
}

static void test_race_for_an_approval(void **state)
{
	for (round_now = 1; round_now <= ROUNDS; round_now++) {
		int outcomes[EST_OUTCOMES];
		(void)approved(*state, round_now);
		store_close(*state);
		*state = NULL;
		store_race(RUNNERS, race_approval, outcomes);
		*state = store_again();
		assert_int_equal(outcomes[EST_OK], 1);
		assert_int_equal(outcomes[EST_FORBIDDEN], RUNNERS - 1);
	}
	assert_sound(*state);
}

/* Everybody renews the same certificate: the first one supersedes what the others rest on. */
static enum outcome race_renewal(struct store *store, unsigned number)
{
	struct serial old = serial_of(round_now);
	struct cert_record cert = cert_of("pump-1", round_now * 100 + number);

	return add_on(store, &cert, round_now * 100 + number,
	    (struct cert_terms){.rests_on = &old, .supersedes = &old});
}

static void test_race_to_supersede(void **state)
{
	for (round_now = 1; round_now <= ROUNDS; round_now++) {
		struct cert_record old = cert_of("pump-1", round_now);
		int outcomes[EST_OUTCOMES];
		assert_int_equal(add(*state, &old, round_now), EST_OK);
		store_close(*state);
		*state = NULL;
		store_race(RUNNERS, race_renewal, outcomes);
		*state = store_again();
		assert_int_equal(outcomes[EST_OK], 1);
		assert_int_equal(outcomes[EST_FORBIDDEN], RUNNERS - 1);
		assert_int_equal(reason_of(*state, round_now), SUPERSEDED);
	}
	assert_sound(*state);
}

/* Requests, decisions and answers by all of them, of everybody's secrets: nobody gives up. */
static enum outcome work(struct store *store, unsigned number)
{
	for (unsigned i = 0; i < 40; i++) {
		unsigned id = 1000 + (number * 40 + i);
		struct pending_record pending = pending_of(id, 7), existing = {0};
		struct cert_record cert = cert_of("pump", id);
		char name[32];
		struct secret_record secret;
		struct secret_use use = {name, "pumps", octets_of(3), octets_of(10)};
		struct cert_terms terms = {.approval = &pending, .secret = &use};
		enum outcome outcome;
		(void)snprintf(name, sizeof(name), "pump-%u", id);
		secret = secret_of(name, 3);
		pending.expires_at = time(NULL) + 1 + id % 3600;
		outcome = store_secret_put(store, &secret, false);
		if (outcome == EST_OK)
			outcome = store_pending_add(store, &pending, &use, &existing);
		pending.expires_at += 3600;
		if (outcome == EST_OK)
			outcome = decide(store, pending, PENDING_APPROVED);
		if (outcome == EST_OK)
			outcome = add_on(store, &cert, id, terms);
		if (outcome != EST_OK)
			return outcome;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(test_no_request),
	    store_test(test_supersedes),
	    store_test(test_supersedes_expired),
	    store_test(test_supersedes_revoked_or_unknown),
	    store_test(test_secret_is_used),
	    store_test(test_secret_of_an_approval),
	    store_test(test_approval_is_answered),
	    store_test(test_approval_is_not_as_it_was),
	    store_test(test_revocation_hash),
	    store_test(test_everything_or_nothing),
	    store_test(test_death),
	    store_test(test_race_for_a_secret),
	    store_test(test_race_for_an_approval),
	    store_test(test_race_to_supersede),
	    store_test(test_all_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
