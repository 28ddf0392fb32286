/*
 * Records: what is encoded comes back whole, and bytes that are not a record are refused, whatever
 * they are.
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

static const struct cert_record sample = {
    .serial = {3, {0x01, 0x80, 0xff}},
    .issued_at = 1700000000,
    .not_before = 1699999940,
    .not_after = 253402300799, /* 9999-12-31T23:59:59Z */
    .revocation_reason = NOT_REVOKED,
    .spki = {1, 2, 3},
    .label = "",
    .profile = "device",
    .ca = "devices",
    .name = "pump-1 \xc3\xa9",
    .subject = "CN=pump-1",
    .names = "dns:pump-1.example,ip:192.0.2.1",
    .identity = "user:pump",
    .operation = "simpleenroll",
    .der = {(const unsigned char *)"\x30\x00\x00\xff", 4},
};

static void assert_sample(const struct cert_record *cert)
{
	assert_int_equal(cert->serial.len, 3);
	assert_memory_equal(cert->serial.octets, sample.serial.octets, 3);
	assert_int_equal(cert->issued_at, sample.issued_at);
	assert_int_equal(cert->not_before, sample.not_before);
	assert_int_equal(cert->not_after, sample.not_after);
	assert_int_equal(cert->revoked_at, sample.revoked_at);
	assert_int_equal(cert->revocation_reason, NOT_REVOKED);
	assert_memory_equal(cert->spki, sample.spki, 32);
	assert_string_equal(cert->label, sample.label);
	assert_string_equal(cert->profile, sample.profile);
	assert_string_equal(cert->ca, sample.ca);
	assert_string_equal(cert->name, sample.name);
	assert_string_equal(cert->subject, sample.subject);
	assert_string_equal(cert->names, sample.names);
	assert_string_equal(cert->identity, sample.identity);
	assert_string_equal(cert->operation, sample.operation);
	assert_true(span_equal(cert->der, sample.der));
}

static void test_cert_round_trip(void **state)
{
	struct cert_record cert = {0};
	struct buf form = {0};

	(void)state;
	cert_record_encode(&sample, &form);
	assert_int_equal(cert_record_decode(buf_span(&form), &cert), EST_OK);
	buf_free(&form); /* the record owns what it points to */
	assert_sample(&cert);
	cert_record_clear(&cert);
	assert_null(cert.memory);
	assert_null(cert.name);
}

static void test_cert_long(void **state)
{
	struct cert_record cert = sample, back = {0};
	unsigned char *der = mem_alloc(100000);
	char *subject = mem_alloc(70001);
	struct buf form = {0};

	(void)state;
	memset(subject, 'x', 70000);
	cert.subject = subject;
	cert.der = (struct span){der, 100000};
	cert.revocation_reason = 10;
	cert.revoked_at = -1;
	cert_record_encode(&cert, &form);
	assert_int_equal(cert_record_decode(buf_span(&form), &back), EST_OK);
	assert_string_equal(back.subject, subject);
	assert_int_equal(back.der.len, 100000);
	assert_int_equal(back.revocation_reason, 10);
	assert_int_equal(back.revoked_at, -1);
	cert_record_clear(&back);
	buf_free(&form);
	free(subject);
	free(der);
}

/* Every text and the certificate may be missing. */
static void test_cert_empty(void **state)
{
	struct cert_record cert = {.serial = {1, {1}}, .revocation_reason = NOT_REVOKED},
			   back = {0};
	struct buf form = {0};

	(void)state;
	cert_record_encode(&cert, &form);
	assert_int_equal(cert_record_decode(buf_span(&form), &back), EST_OK);
	assert_string_equal(back.name, "");
	assert_int_equal(back.der.len, 0);
	cert_record_clear(&back);
	buf_free(&form);
}

/* Cut short anywhere, or longer than it should be. */
static void test_cert_wrong_length(void **state)
{
	struct cert_record cert = {0};
	struct buf form = {0};

	(void)state;
	cert_record_encode(&sample, &form);
	for (size_t len = 0; len < form.len; len++) {
		reason_clear();
		assert_int_equal(
		    cert_record_decode((struct span){form.data, len}, &cert), EST_INTERNAL);
		assert_string_not_equal(reason_text(), "");
		assert_null(cert.memory);
	}
	buf_add_byte(&form, 0);
	assert_int_equal(cert_record_decode(buf_span(&form), &cert), EST_INTERNAL);
	buf_free(&form);
}

/* One byte changed to anything: either a record comes back, with all its texts readable, or a
 * refusal. */
static void test_cert_garbage(void **state)
{
	struct buf form = {0};
	size_t refused = 0;

	(void)state;
	cert_record_encode(&sample, &form);
	for (size_t i = 0; i < form.len; i++) {
		unsigned char before = form.data[i];
		for (unsigned value = 0; value < 256; value++) {
			struct cert_record cert = {0};
			form.data[i] = (unsigned char)value;
			if (cert_record_decode(buf_span(&form), &cert) == EST_OK)
				assert_true(strlen(cert.name) + strlen(cert.operation) +
						strlen(cert.subject) <
					    form.len);
			else
				refused++;
			cert_record_clear(&cert);
		}
		form.data[i] = before;
	}
	assert_true(refused > 255); /* the letter of the form alone is so many */
	buf_free(&form);
}

static void test_user_round_trip(void **state)
{
	static const char *const names[] = {"pump-*.example", "", NULL};
	static const char *const none[] = {NULL};
	struct user_record user = {.name = "",
	    .password = "$y$x",
	    .names = names,
	    .labels = none,
	    .roles = 1U << ROLE_AUDIT | 1U << ROLE_ADMINISTER,
	    .created_at = 7,
	    .expires_at = 253402300799,
	    .uses_most = UINT32_MAX,
	    .uses = 70000};
	struct user_record back = {0};
	struct buf form = {0};

	(void)state;
	user_record_encode(&user, &form);
	for (size_t len = 0; len < form.len; len++)
		assert_int_equal(
		    user_record_decode((struct span){form.data, len}, &back), EST_INTERNAL);
	assert_int_equal(user_record_decode(buf_span(&form), &back), EST_OK);
	buf_free(&form);
	assert_string_equal(back.name, "");
	assert_string_equal(back.password, "$y$x");
	assert_string_equal(back.names[0], "pump-*.example");
	assert_string_equal(back.names[1], "");
	assert_null(back.names[2]);
	assert_null(back.labels[0]);
	assert_int_equal(back.created_at, 7);
	assert_int_equal(back.roles, user.roles);
	assert_int_equal(back.expires_at, user.expires_at);
	assert_int_equal(back.uses_most, UINT32_MAX);
	assert_int_equal(back.uses, 70000);
	user_record_clear(&back);
	assert_null(back.memory);
}

/* As it was written before there were roles, an end and uses. */
static void test_user_of_old(void **state)
{
	static const unsigned char old[] = "U\0\0\0\0\0\0\0\7\5pump\0\5$y$x\0\1\7pump-*\0\1\2v";
	struct user_record user = {0};

	(void)state;
	assert_int_equal(user_record_decode((struct span){old, sizeof(old)}, &user), EST_OK);
	assert_string_equal(user.name, "pump");
	assert_string_equal(user.password, "$y$x");
	assert_string_equal(user.names[0], "pump-*");
	assert_null(user.names[1]);
	assert_string_equal(user.labels[0], "v");
	assert_null(user.labels[1]);
	assert_int_equal(user.created_at, 7);
	assert_int_equal(user.roles, 1U << ROLE_ENROLL);
	assert_int_equal(user.expires_at, 0);
	assert_int_equal(user.uses_most, 0);
	assert_int_equal(user.uses, 0);
	user_record_clear(&user);
	for (size_t len = 0; len < sizeof(old); len++)
		assert_int_equal(user_record_decode((struct span){old, len}, &user), EST_INTERNAL);
}

static void test_roles(void **state)
{
	static const char *const words[USER_ROLES] = {"enroll", "operate", "audit", "administer"};
	static const char *const bad[] = {"", "Enroll", "enrol", "enroll ", "root"};

	(void)state;
	for (enum user_role i = 0; i < USER_ROLES; i++) {
		enum user_role role = USER_ROLES;
		assert_string_equal(user_role_name(i), words[i]);
		assert_true(user_role_parse(words[i], &role));
		assert_int_equal(role, i);
	}
	assert_null(user_role_name(USER_ROLES));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum user_role role = USER_ROLES;
		assert_false(user_role_parse(bad[i], &role));
		assert_int_equal(role, USER_ROLES);
	}
}

/* A role that there is not is no role to be guessed at. */
static void test_user_unknown_role(void **state)
{
	struct user_record user = {.name = "u", .password = "p", .roles = 1U << USER_ROLES};
	struct buf form = {0};

	(void)state;
	user_record_encode(&user, &form);
	assert_int_equal(user_record_decode(buf_span(&form), &user), EST_INTERNAL);
	buf_free(&form);
}

static void test_device_round_trip(void **state)
{
	const struct device_record device = {.label = "pumps",
	    .name = "Pump-1 \xc3\xa9",
	    .added_at = 1700000000,
	    .enrolled_at = 1700000001,
	    .freed_at = 1700000002,
	    .blocked_at = 253402300799,
	    .reason = "stolen"};
	struct device_record back = {0};
	struct buf form = {0};

	(void)state;
	device_record_encode(&device, &form);
	for (size_t len = 0; len < form.len; len++) {
		assert_int_equal(
		    device_record_decode((struct span){form.data, len}, &back), EST_INTERNAL);
		assert_null(back.memory);
	}
	assert_int_equal(device_record_decode(buf_span(&form), &back), EST_OK);
	buf_add_byte(&form, 0);
	assert_string_equal(back.label, device.label);
	assert_string_equal(back.name, device.name);
	assert_string_equal(back.reason, device.reason);
	assert_int_equal(back.added_at, device.added_at);
	assert_int_equal(back.enrolled_at, device.enrolled_at);
	assert_int_equal(back.freed_at, device.freed_at);
	assert_int_equal(back.blocked_at, device.blocked_at);
	device_record_clear(&back);
	assert_null(back.memory);
	assert_int_equal(device_record_decode(buf_span(&form), &back), EST_INTERNAL);
	buf_free(&form);
}

static void test_device_is_free(void **state)
{
	struct device_record device = {.added_at = 10, .enrolled_at = 10};

	(void)state;
	assert_false(device_record_is_free(&device));
	device.freed_at = 10;
	assert_true(device_record_is_free(&device));
	device.freed_at = 9;
	assert_false(device_record_is_free(&device));
	device.freed_at = 11;
	assert_true(device_record_is_free(&device));
}

static void test_user_garbage(void **state)
{
	static const char *const names[] = {"a", "b", NULL};
	struct user_record user = {.name = "u", .password = "p", .names = names, .labels = names};
	struct buf form = {0};

	(void)state;
	user_record_encode(&user, &form);
	for (size_t i = 0; i < form.len; i++) {
		unsigned char before = form.data[i];
		for (unsigned value = 0; value < 256; value++) {
			struct user_record back = {0};
			size_t texts = 0;
			form.data[i] = (unsigned char)value;
			if (user_record_decode(buf_span(&form), &back) == EST_OK) {
				while (back.names[texts] != NULL)
					texts++;
				assert_true(texts < form.len);
			}
			user_record_clear(&back);
		}
		form.data[i] = before;
	}
	buf_free(&form);
}

static void test_serial_text(void **state)
{
	static const struct {
		const char *text, *canonical;
	} good[] = {
	    {"01", "01"},
	    {"7f:AB:cd", "7fabcd"},
	    {"00", "00"},
	    {"0001", "01"},
	    {"80", "0080"}, /* DER: a positive INTEGER has its top bit clear */
	    {"0080", "0080"},
	    {"0000000000000000000000000000000000000000000000000000000001", "01"},
	    {"7f00112233445566778899aabbccddeeff001122",
		"7f00112233445566778899aabbccddeeff001122"},
	};
	char text[2 * SERIAL_MAX + 1];
	struct serial serial;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(serial_parse(good[i].text, &serial), EST_OK);
		assert_string_equal(serial_text(&serial, text), good[i].canonical);
	}
}

static void test_serial_bad(void **state)
{
	static const char *const bad[] = {"", "1", "0x01", "g1", "01:", ":01", "01::02", "01 02",
	    "-1", "7f00112233445566778899aabbccddeeff00112233", /* 21 octets */
	    "ff00112233445566778899aabbccddeeff001122",         /* 21 with the sign octet */
	    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000"};
	struct serial serial;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reason_clear();
		assert_int_equal(serial_parse(bad[i], &serial), EST_MALFORMED);
		assert_string_not_equal(reason_text(), "");
	}
}

/* RFC 5280 5.3.1. */
static void test_serial_equal(void **state)
{
	const struct serial one = {2, {1, 2}}, same = {2, {1, 2, 3}}, other = {2, {1, 3}},
			    longer = {3, {1, 2, 0}};

	(void)state;
	assert_true(serial_equal(&one, &same));
	assert_false(serial_equal(&one, &other));
	assert_false(serial_equal(&one, &longer));
}

static void test_revocation_words(void **state)
{
	static const struct {
		const char *word;
		int code;
	} words[] = {{"unspecified", 0}, {"keyCompromise", 1}, {"cACompromise", 2},
	    {"affiliationChanged", 3}, {"superseded", 4}, {"cessationOfOperation", 5},
	    {"certificateHold", 6}, {"removeFromCRL", 8}, {"privilegeWithdrawn", 9},
	    {"aACompromise", 10}};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(revocation_code(words[i].word), words[i].code);
		assert_string_equal(revocation_word(words[i].code), words[i].word);
	}
	assert_int_equal(revocation_code(""), -1);
	assert_int_equal(revocation_code("stolen"), -1);
	assert_null(revocation_word(7));
	assert_null(revocation_word(11));
	assert_null(revocation_word(-1));
}

static void test_status(void **state)
{
	struct cert_record cert = sample;

	(void)state;
	cert.not_after = 1000;
	assert_int_equal(
	    cert_record_status(&cert, 1000), CERT_VALID); /* RFC 5280 4.1.2.5: through notAfter */
	assert_int_equal(cert_record_status(&cert, 1001), CERT_EXPIRED);
	cert.revocation_reason = 0;
	assert_int_equal(cert_record_status(&cert, 1001), CERT_REVOKED);
	assert_string_equal(cert_status_name(CERT_VALID), "valid");
	assert_string_equal(cert_status_name(CERT_EXPIRED), "expired");
	assert_string_equal(cert_status_name(CERT_REVOKED), "revoked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_cert_round_trip, clear),
	    cmocka_unit_test_setup(test_cert_long, clear),
	    cmocka_unit_test_setup(test_cert_empty, clear),
	    cmocka_unit_test_setup(test_cert_wrong_length, clear),
	    cmocka_unit_test_setup(test_cert_garbage, clear),
	    cmocka_unit_test_setup(test_user_round_trip, clear),
	    cmocka_unit_test_setup(test_user_of_old, clear),
	    cmocka_unit_test_setup(test_roles, clear),
	    cmocka_unit_test_setup(test_user_unknown_role, clear),
	    cmocka_unit_test_setup(test_user_garbage, clear),
	    cmocka_unit_test_setup(test_device_round_trip, clear),
	    cmocka_unit_test_setup(test_device_is_free, clear),
	    cmocka_unit_test_setup(test_serial_text, clear),
	    cmocka_unit_test_setup(test_serial_bad, clear),
	    cmocka_unit_test_setup(test_serial_equal, clear),
	    cmocka_unit_test_setup(test_revocation_words, clear),
	    cmocka_unit_test_setup(test_status, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
