/*
 * Records of requests that wait, of one-time secrets and of keys to encrypt under: what is encoded
 * comes back whole, and bytes that are not such a record are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/pki/record.h"

static int clear(void **state)
{
	(void)state;
	reason_clear();
	return 0;
}

static const struct pending_record waiting = {
    .id = {1, 2, 3},
    .content = {4, 5, 6},
    .ticket = {8, 9, [15] = 10},
    .state = PENDING_DENIED,
    .created_at = 1700000000,
    .decided_at = 1700000100,
    .expires_at = 253402300799,
    .spki = {7},
    .label = "",
    .profile = "device",
    .operation = "serverkeygen",
    .identity = "user:pump",
    .name = "pump-1",
    .subject = "CN=pump-1",
    .names = "dns:pump-1.example",
    .asks = "an RSA key",
    .decided_by = "alice",
    .reason = "not ours \xc3\xa9",
    .request = {(const unsigned char *)"\x30\x00\x00\xff", 4},
};

static void test_pending_round_trip(void **state)
{
	struct pending_record back = {0};
	struct buf form = {0};

	(void)state;
	pending_record_encode(&waiting, &form);
	assert_int_equal(pending_record_decode(buf_span(&form), &back), EST_OK);
	buf_free(&form); /* the record owns what it points to */
	assert_memory_equal(back.id, waiting.id, 32);
	assert_memory_equal(back.content, waiting.content, 32);
	assert_memory_equal(back.ticket, waiting.ticket, 16);
	assert_int_equal(back.state, PENDING_DENIED);
	assert_int_equal(back.created_at, waiting.created_at);
	assert_int_equal(back.decided_at, waiting.decided_at);
	assert_int_equal(back.expires_at, waiting.expires_at);
	assert_memory_equal(back.spki, waiting.spki, 32);
	assert_string_equal(back.label, "");
	assert_string_equal(back.profile, "device");
	assert_string_equal(back.operation, "serverkeygen");
	assert_string_equal(back.identity, "user:pump");
	assert_string_equal(back.name, "pump-1");
	assert_string_equal(back.subject, "CN=pump-1");
	assert_string_equal(back.names, "dns:pump-1.example");
	assert_string_equal(back.asks, "an RSA key");
	assert_string_equal(back.decided_by, "alice");
	assert_string_equal(back.reason, "not ours \xc3\xa9");
	assert_int_equal(back.serial.len, 0);
	assert_true(span_equal(back.request, waiting.request));
	pending_record_clear(&back);
	assert_null(back.memory);
	assert_null(back.name);
}

/* An issued one has a serial, and no other has; texts may be NULL. */
static void test_pending_serial(void **state)
{
	struct pending_record pending = {.state = PENDING_ISSUED, .serial = {2, {0x01, 0xff}}};
	struct pending_record back = {0};
	struct buf form = {0};

	(void)state;
	pending_record_encode(&pending, &form);
	assert_int_equal(pending_record_decode(buf_span(&form), &back), EST_OK);
	assert_int_equal(back.serial.len, 2);
	assert_memory_equal(back.serial.octets, pending.serial.octets, 2);
	assert_string_equal(back.asks, "");
	pending_record_clear(&back);
	for (enum pending_state wrong = 0; wrong < PENDING_ISSUED; wrong++) {
		pending.state = wrong;
		buf_reset(&form);
		pending_record_encode(&pending, &form);
		assert_int_equal(pending_record_decode(buf_span(&form), &back), EST_INTERNAL);
	}
	pending = (struct pending_record){.state = PENDING_ISSUED};
	buf_reset(&form);
	pending_record_encode(&pending, &form);
	assert_int_equal(pending_record_decode(buf_span(&form), &back), EST_INTERNAL);
	pending = (struct pending_record){.state = PENDING_STATES};
	buf_reset(&form);
	pending_record_encode(&pending, &form);
	assert_int_equal(pending_record_decode(buf_span(&form), &back), EST_INTERNAL);
	buf_free(&form);
}

static void test_pending_names(void **state)
{
	(void)state;
	assert_string_equal(pending_state_name(PENDING_WAITING), "waiting");
	assert_string_equal(pending_state_name(PENDING_APPROVED), "approved");
	assert_string_equal(pending_state_name(PENDING_DENIED), "denied");
	assert_string_equal(pending_state_name(PENDING_ISSUED), "issued");
	assert_null(pending_state_name(PENDING_STATES));
}

static void test_secret_round_trip(void **state)
{
	static const char *const labels[] = {NULL, "", "pumps"};
	struct secret_record secret = {.name = "Pump-1",
	    .digest = {1, 2},
	    .created_at = 5,
	    .expires_at = 6,
	    .used_at = 7,
	    .used_by = {8, 9}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct secret_record back = {0};
		struct buf form = {0};
		secret.label = labels[i];
		secret_record_encode(&secret, &form);
		assert_int_equal(secret_record_decode(buf_span(&form), &back), EST_OK);
		buf_free(&form);
		assert_string_equal(back.name, "Pump-1");
		if (labels[i] == NULL)
			assert_null(back.label);
		else
			assert_string_equal(back.label, labels[i]);
		assert_memory_equal(back.digest, secret.digest, 32);
		assert_memory_equal(back.used_by, secret.used_by, 32);
		assert_int_equal(back.created_at, 5);
		assert_int_equal(back.expires_at, 6);
		assert_int_equal(back.used_at, 7);
		secret_record_clear(&back);
		assert_null(back.memory);
	}
}

static struct kek_record kek_of(size_t id, size_t key)
{
	static unsigned char octets[100];

	memset(octets, 0x5a, sizeof(octets));
	return (struct kek_record){.id = {octets, id}, .key = {octets, key}, .created_at = 9};
}

static void test_kek_round_trip(void **state)
{
	static const size_t sizes[] = {16, 24, 32};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct kek_record kek = kek_of(i == 0 ? 1 : 64, sizes[i]), back = {0};
		struct buf form = {0};
		assert_true(kek_record_fits(&kek));
		kek_record_encode(&kek, &form);
		assert_int_equal(kek_record_decode(buf_span(&form), &back), EST_OK);
		assert_true(span_equal(back.id, kek.id));
		assert_true(span_equal(back.key, kek.key));
		assert_int_equal(back.created_at, 9);
		kek_record_clear(&back);
		assert_null(back.memory);
		assert_int_equal(back.key.len, 0);
		buf_cleanse(&form);
	}
}

static void test_kek_sizes(void **state)
{
	static const size_t bad[][2] = {
	    {0, 16}, {65, 16}, {1, 0}, {1, 8}, {1, 15}, {1, 17}, {1, 31}, {1, 33}, {1, 64}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kek_record kek = kek_of(bad[i][0], bad[i][1]), back = {0};
		struct buf form = {0};
		assert_false(kek_record_fits(&kek));
		kek_record_encode(&kek, &form);
		assert_int_equal(kek_record_decode(buf_span(&form), &back), EST_INTERNAL);
		assert_null(back.memory);
		buf_free(&form);
	}
}

/* --- bytes that are none of them --- */

/* Decodes and clears. */
static enum outcome try_pending(struct span in)
{
	struct pending_record back = {0};
	enum outcome outcome = pending_record_decode(in, &back);

	if (outcome == EST_OK)
		assert_true(strlen(back.reason) + strlen(back.label) < in.len);
	pending_record_clear(&back);
	return outcome;
}

static enum outcome try_secret(struct span in)
{
	struct secret_record back = {0};
	enum outcome outcome = secret_record_decode(in, &back);

	if (outcome == EST_OK)
		assert_true(strlen(back.name) < in.len);
	secret_record_clear(&back);
	return outcome;
}

static enum outcome try_kek(struct span in)
{
	struct kek_record back = {0};
	enum outcome outcome = kek_record_decode(in, &back);

	if (outcome == EST_OK)
		assert_true(kek_record_fits(&back));
	kek_record_clear(&back);
	return outcome;
}

/* Cut short anywhere, too long, and with each octet changed to anything. */
static void bend(struct buf *form, enum outcome (*try)(struct span in))
{
	size_t refused = 0;

	assert_int_equal(try(buf_span(form)), EST_OK);
	for (size_t len = 0; len < form->len; len++) {
		reason_clear();
		assert_int_equal(try((struct span){form->data, len}), EST_INTERNAL);
		assert_string_not_equal(reason_text(), "");
	}
	for (size_t i = 0; i < form->len; i++) {
		unsigned char before = form->data[i];
		for (unsigned value = 0; value < 256; value++) {
			form->data[i] = (unsigned char)value;
			refused += try(buf_span(form)) != EST_OK;
		}
		form->data[i] = before;
	}
	assert_true(refused > 255); /* the letter of the form alone is so many */
	buf_add_byte(form, 0);
	assert_int_equal(try(buf_span(form)), EST_INTERNAL);
	buf_free(form);
}

static void test_garbage(void **state)
{
	struct secret_record secret = {.name = "pump", .label = "x"};
	struct kek_record kek = kek_of(7, 16);
	struct buf form = {0};

	(void)state;
	pending_record_encode(&waiting, &form);
	bend(&form, try_pending);
	secret_record_encode(&secret, &form);
	bend(&form, try_secret);
	kek_record_encode(&kek, &form);
	bend(&form, try_kek);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_pending_round_trip, clear),
	    cmocka_unit_test_setup(test_pending_serial, clear),
	    cmocka_unit_test_setup(test_pending_names, clear),
	    cmocka_unit_test_setup(test_secret_round_trip, clear),
	    cmocka_unit_test_setup(test_kek_round_trip, clear),
	    cmocka_unit_test_setup(test_kek_sizes, clear),
	    cmocka_unit_test_setup(test_garbage, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
