/*
 * Passwords: what is hashed verifies and nothing else does, whatever is stored.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_ARGON2
#include <argon2.h>
#endif
#include <cmocka.h>

#include "common/auth/password.h"
#include "common/base/refusal.h"

static int clear(void **state)
{
	(void)state;
	reason_clear();
	return 0;
}

static struct buf hash_of(const char *password)
{
	struct buf hash = {0};

	assert_int_equal(password_hash(span_of(password), &hash), EST_OK);
	return hash;
}

static void test_round_trip(void **state)
{
	struct buf hash = hash_of("correct horse \xc3\xa9");

	(void)state;
	assert_memory_equal(buf_string(&hash), "$y$", 3);
	assert_int_equal(
	    password_verify(span_of("correct horse \xc3\xa9"), buf_string(&hash)), EST_OK);
	assert_string_equal(reason_text(), "");
	buf_free(&hash);
}

static void test_wrong(void **state)
{
	struct buf hash = hash_of("secret");
	static const char *const wrong[] = {"Secret", "secret ", "secre", "", "\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		reason_clear();
		assert_int_equal(
		    password_verify(span_of(wrong[i]), buf_string(&hash)), EST_UNAUTHENTICATED);
		assert_string_not_equal(reason_text(), "");
		assert_null(strstr(reason_text(), "$y$"));
		assert_null(strstr(reason_text(), "empty"));
		assert_int_equal(refusal_recorded(EST_UNAUTHENTICATED), AUTH_PASSWORD);
	}
	assert_int_equal(password_verify((struct span){(const unsigned char *)"secret\0x", 8},
			     buf_string(&hash)),
	    EST_UNAUTHENTICATED);
	buf_free(&hash);
}

static void test_salted(void **state)
{
	struct buf one = hash_of("secret"), two = hash_of("secret");

	(void)state;
	assert_string_not_equal(buf_string(&one), buf_string(&two));
	buf_free(&one);
	buf_free(&two);
}

static void test_disabled(void **state)
{
	struct buf hash = hash_of("secret"), disabled = {0};
	static const char *const never[] = {"", "!", "*", "*0", "x", "$y$", "$9$unknown$"};

	(void)state;
	buf_printf(&disabled, "!%s", buf_string(&hash));
	assert_int_equal(
	    password_verify(span_of("secret"), buf_string(&disabled)), EST_UNAUTHENTICATED);
	assert_int_equal(password_verify(span_of("secret"), NULL), EST_UNAUTHENTICATED);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(password_verify(span_of("secret"), never[i]), EST_UNAUTHENTICATED);
	buf_free(&hash);
	buf_free(&disabled);
}

/* --- strings that other programs made of "Hello world!" --- */

#define SALT22 "KBCwKxOzLha2MUDgW0PjXe"
#define HASH31 "f0foLn1JeEjLWMWcTTNz1STW9B.V5xG"
#define HASH43 "39o5wp7xduX2w8qG2IzHqokdj9pOGk73sLyLgG3S/nA"
#define HASH86                                                                                     \
	"svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
#define TAG2ID "c29tZXNhbHQxMjM0NTY3OA$mL3NxefWRhOIPUL9gG7esjUUXcXU3rvp0uGHJbdaqgU"
#define TAG2I  "c29tZXNhbHQ$Bnpj+1uN+jRVgH5NKbD25g"

struct made {
	const char *kind, *hash;
};

static const struct made others[] = {
    {"sha512-crypt", "$6$saltstring$" HASH86}, /* openssl passwd -6 -salt saltstring */
    {"sha512-crypt",
	"$6$rounds=1000$k2XAnEHBqQ1Ct2aM$"
	"1dIhfd8SrAwqQnciPI8yOnBCr3QW4QtifBeTDr9zfgpktWamyiFlP2Kkq637LhW8t8dePVWjJZ8F8KzOM1c31/"},
    {"bcrypt", "$2a$05$" SALT22 HASH31},
    {"bcrypt", "$2b$05$" SALT22 HASH31},
    {"bcrypt", "$2y$05$" SALT22 HASH31},
    {"bcrypt", "$2y$05$AxAk.ibuCF9kh9TmIALNluF2Do8bWUMBw/8mPCahHdYrir1o5u7Ia"}, /* htpasswd -B */
    {"yescrypt", "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43},
    {"yescrypt", "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$U714.Qb8scG3K4QGg/xKCyJYcAYtgz2YQfZyHILKld1"},
#ifdef HAVE_ARGON2
    {"argon2id", "$argon2id$v=19$m=256,t=2,p=4$" TAG2ID},
    {"argon2i", "$argon2i$v=19$m=64,t=3,p=1$" TAG2I},
#endif
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

static void test_other_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < OTHERS; i++) {
		assert_string_equal(password_kind(others[i].hash), others[i].kind);
		assert_int_equal(password_accept(others[i].hash), EST_OK);
		assert_int_equal(password_verify(span_of("Hello world!"), others[i].hash), EST_OK);
		assert_string_equal(reason_text(), "");
		assert_int_equal(
		    password_verify(span_of("Hello world"), others[i].hash), EST_UNAUTHENTICATED);
		assert_int_equal(refusal_recorded(EST_UNAUTHENTICATED), AUTH_PASSWORD);
		reason_clear();
	}
}

/* One character anywhere in it is another one: then the password is not the one of it. */
static void test_any_character_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < OTHERS; i++) {
		char text[160];
		size_t len = strlen(others[i].hash);
		assert_true(len < sizeof(text));
		for (size_t at = len - 12; at < len - 1; at++) {
			memcpy(text, others[i].hash, len + 1);
			text[at] = text[at] == 'x' ? 'y' : 'x';
			assert_int_equal(
			    password_verify(span_of("Hello world!"), text), EST_UNAUTHENTICATED);
		}
		memcpy(text, others[i].hash, len);
		text[len] = 'x';
		text[len + 1] = '\0';
		assert_int_equal(
		    password_verify(span_of("Hello world!"), text), EST_UNAUTHENTICATED);
		text[len - 1] = '\0';
		assert_int_equal(
		    password_verify(span_of("Hello world!"), text), EST_UNAUTHENTICATED);
	}
}

static void test_current(void **state)
{
	struct buf hash = hash_of("secret");

	(void)state;
	assert_true(password_is_current(buf_string(&hash)));
	assert_string_equal(password_kind(buf_string(&hash)), "yescrypt");
	assert_int_equal(password_accept(buf_string(&hash)), EST_OK);
	for (size_t i = 0; i < OTHERS; i++)
		assert_int_equal(password_is_current(others[i].hash),
		    strncmp(others[i].hash, buf_string(&hash), 7) == 0);
	assert_false(password_is_current(PASSWORD_NONE));
	assert_false(password_is_current(""));
	assert_false(password_is_current("$y$"));
	assert_null(password_kind(PASSWORD_NONE));
	assert_null(password_kind(""));
	buf_free(&hash);
}

struct refused {
	const char *hash, *says;
};

static void refuse_all(const struct refused *refused, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		reason_clear();
		if (password_accept(refused[i].hash) != EST_MALFORMED)
			fail_msg("accepted: %s", refused[i].hash);
		if (strstr(reason_text(), refused[i].says) == NULL)
			fail_msg("%s: %s", refused[i].hash, reason_text());
		/* No reason gives away what may be a password in plain text. */
		assert_true(
		    refused[i].hash[0] == '\0' || strstr(reason_text(), refused[i].hash) == NULL);
	}
}

static void test_kinds_not_taken(void **state)
{
	static const struct refused refused[] = {
	    {"", "no hash"},
	    {"$apr1$abcdefgh$Unf1zc.jsgCbBQDCL104q.", "MD5"},
	    {"$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0", "MD5"},
	    {"{SHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=", "SHA-1"},
	    {"{SSHA}qvTGHdzF6KLavt4PO0gs2a6pQ00=", "SHA-1"},
	    {"a9XAWAYnVXkH6", "DES"},
	    {"_J9..rasmBYk8r9AiWNc", "DES"},
	    {"swordfish", "plain text"},
	    {"correct horse", "plain text"},
	    {"$5$abcdefgh$QohcF7QwIaa385DT5GzqHwNlO583.hkCNgp9Vkr/uNC", "sha256-crypt"},
	    {"$2x$05$" SALT22 HASH31, "mistake"},
	    {"$2$05$" SALT22 HASH31, "not known"},
	    {"$argon2d$v=19$m=64,t=3,p=1$c29tZXNhbHQ$zMW8LZ3nsfUPcYO3Yrhasw", "argon2d"},
	    {"$9$unknown$x", "not known"},
	    {"!", "locked"},
	    {"*", "locked"},
	    {"!$2y$05$" SALT22 HASH31, "locked"},
	};

	(void)state;
	refuse_all(refused, sizeof(refused) / sizeof(refused[0]));
}

static void test_bad_form(void **state)
{
	static const struct refused refused[] = {
	    {"$2y$", "no whole bcrypt"},
	    {"$2y$05$", "no whole bcrypt"},
	    {"$2y$05$" SALT22, "no whole bcrypt"},
	    {"$2y$05$" SALT22 HASH31 "x", "no whole bcrypt"},
	    {"$2y$03$" SALT22 HASH31, "no whole bcrypt"},
	    {"$2y$32$" SALT22 HASH31, "no whole bcrypt"},
	    {"$2y$5$" SALT22 HASH31, "no whole bcrypt"},
	    {"$2y$ 5$" SALT22 HASH31, "no whole bcrypt"},
	    {"$2y$05$KBCwKxOzLha2MUDgW0PjXf" HASH31, "no whole bcrypt"}, /* bits behind the salt */
	    {"$2y$05$KBCwKxOzLha2MUDgW0P-Xe" HASH31, "no whole bcrypt"},
	    {"$6$", "no whole sha512-crypt"},
	    {"$6$saltstring", "no whole sha512-crypt"},
	    {"$6$saltstring$", "no whole sha512-crypt"},
	    {"$6$saltstring$x" HASH86, "no whole sha512-crypt"},
	    {"$6$saltstringsaltstring$" HASH86, "no whole sha512-crypt"},
	    {"$6$rounds=999$saltstring$" HASH86, "no whole sha512-crypt"},
	    {"$6$rounds=05000$saltstring$" HASH86, "no whole sha512-crypt"},
	    {"$6$rounds=-1$saltstring$" HASH86, "no whole sha512-crypt"},
	    {"$6$rounds=9999999999999$saltstring$" HASH86, "no whole sha512-crypt"},
	    {"$6$rounds=5000$" HASH86, "no whole sha512-crypt"},
	    {"$y$", "no whole yescrypt"},
	    {"$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/", "no whole yescrypt"},
	    {"$y$j9T$$" HASH43, "no whole yescrypt"},
	    {"$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43 "x", "no whole yescrypt"},
	    {"$y$/9T$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43, "no whole yescrypt"},
	    {"$y$j9T.5$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43, "no whole yescrypt"},
	    {"$y$j.T$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43, "no whole yescrypt"},
	};

	(void)state;
	refuse_all(refused, sizeof(refused) / sizeof(refused[0]));
}

static void test_cost(void **state)
{
	static const struct refused refused[] = {
	    {"$2y$15$" SALT22 HASH31, "at most"},
	    {"$2b$31$" SALT22 HASH31, "at most"},
	    {"$6$rounds=5000001$saltstring$" HASH86, "at most"},
	    {"$6$rounds=999999999$saltstring$" HASH86, "at most"},
	    {"$y$jET$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43, "256 MiB"},
	    {"$y$jjT$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43, "256 MiB"},
	};

	(void)state;
	refuse_all(refused, sizeof(refused) / sizeof(refused[0]));
	reason_clear();
	assert_int_equal(password_accept("$2y$14$" SALT22 HASH31), EST_OK);
	assert_int_equal(password_accept("$6$rounds=5000000$saltstring$" HASH86), EST_OK);
	assert_int_equal(password_accept("$y$jDT$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43), EST_OK);
}

static void test_argon2(void **state)
{
#ifdef HAVE_ARGON2
	static const struct refused refused[] = {
	    {"$argon2id$", "no whole argon2"},
	    {"$argon2id$v=16$m=256,t=2,p=4$" TAG2ID, "no whole argon2"},
	    {"$argon2id$m=256,t=2,p=4$" TAG2ID, "no whole argon2"},
	    {"$argon2id$v=19$t=2,m=256,p=4$" TAG2ID, "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=2$" TAG2ID, "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=0,p=4$" TAG2ID, "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=2,p=0$" TAG2ID, "no whole argon2"},
	    {"$argon2id$v=19$m=31,t=2,p=4$" TAG2ID, "no whole argon2"},
	    {"$argon2id$v=19$m=0256,t=2,p=4$" TAG2ID, "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=2,p=4,x=1$" TAG2ID, "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=2,p=4$c29tZQ$Bnpj+1uN+jRVgH5NKbD25g", "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=2,p=4$c29tZXNhbHQ$Bnpj", "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=2,p=4$c29tZXNhbHQ=$Bnpj+1uN+jRVgH5NKbD25g", "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=2,p=4$c29t.XNhbHQ$Bnpj+1uN+jRVgH5NKbD25g", "no whole argon2"},
	    {"$argon2id$v=19$m=256,t=2,p=4$" TAG2ID "$x", "no whole argon2"},
	    {"$argon2id$v=19$m=262145,t=1,p=4$" TAG2ID, "at most"},
	    {"$argon2id$v=19$m=256,t=17,p=4$" TAG2ID, "at most"},
	    {"$argon2id$v=19$m=256,t=2,p=17$" TAG2ID, "at most"},
	    {"$argon2i$v=19$m=262144,t=5,p=4$" TAG2ID, "at most"},
	    {"$argon2i$v=19$m=999999999,t=999999999,p=1$" TAG2ID, "at most"},
	};
	char hash[160];

	refuse_all(refused, sizeof(refused) / sizeof(refused[0]));
	reason_clear();
	assert_int_equal(password_accept("$argon2id$v=19$m=262144,t=4,p=16$" TAG2ID), EST_OK);
	assert_int_equal(argon2id_hash_encoded(3, 4096, 3, "p\xc3\xa4ss", 5, "another salt", 12, 24,
			     hash, sizeof(hash)),
	    ARGON2_OK);
	assert_int_equal(password_accept(hash), EST_OK);
	assert_int_equal(password_verify(span_of("p\xc3\xa4ss"), hash), EST_OK);
	assert_int_equal(password_verify(span_of("pass"), hash), EST_UNAUTHENTICATED);
#else
	assert_int_equal(password_accept("$argon2id$v=19$m=256,t=2,p=4$" TAG2ID), EST_MALFORMED);
	assert_non_null(strstr(reason_text(), "libargon2"));
	assert_int_equal(
	    password_verify(span_of("Hello world!"), "$argon2id$v=19$m=256,t=2,p=4$" TAG2ID),
	    EST_UNAUTHENTICATED);
#endif
	(void)state;
}

static void test_limits(void **state)
{
	char text[PASSWORD_MAX + 2];
	struct buf hash = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(
	    password_hash((struct span){(unsigned char *)text, 0}, &hash), EST_MALFORMED);
	assert_int_equal(
	    password_hash((struct span){(unsigned char *)text, PASSWORD_MAX + 1}, &hash),
	    EST_MALFORMED);
	assert_int_equal(
	    password_hash((struct span){(const unsigned char *)"a\0b", 3}, &hash), EST_MALFORMED);
	assert_int_equal(hash.len, 0);
	assert_int_equal(
	    password_hash((struct span){(unsigned char *)text, PASSWORD_MAX}, &hash), EST_OK);
	text[PASSWORD_MAX] = '\0';
	assert_int_equal(password_verify(span_of(text), buf_string(&hash)), EST_OK);
	text[PASSWORD_MAX - 1] = 'y';
	assert_int_equal(password_verify(span_of(text), buf_string(&hash)), EST_UNAUTHENTICATED);
	buf_free(&hash);
}

static uint64_t processor_time(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

/* The least processor time of several runs, in microseconds: the one that was disturbed least. */
static uint64_t least_time(const char *hash)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 7; i++) {
		uint64_t before = processor_time(), took;
		assert_int_equal(password_verify(span_of("wrong"), hash), EST_UNAUTHENTICATED);
		took = processor_time() - before;
		least = took < least ? took : least;
	}
	return least;
}

/* Within a fourth of what a user costs who was added here. */
static void assert_costs(const char *what, const char *hash, uint64_t known)
{
	uint64_t took = least_time(hash);

	print_message("%s: %llu us, known %llu us\n", what, (unsigned long long)took,
	    (unsigned long long)known);
	assert_true(took * 4 > known * 3 && known * 4 > took * 3);
}

static void test_what_no_password_matches_costs_the_same(void **state)
{
	struct buf hash = hash_of("secret");
	uint64_t known = least_time(buf_string(&hash));

	(void)state;
	assert_costs("unknown", NULL, known);
	assert_costs("disabled", PASSWORD_NONE, known);
	assert_costs("of no kind", "$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0", known);
	assert_costs("in no form", "$argon2id$v=19$m=256", known);
	buf_free(&hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_round_trip, clear),
	    cmocka_unit_test_setup(test_wrong, clear),
	    cmocka_unit_test_setup(test_salted, clear),
	    cmocka_unit_test_setup(test_disabled, clear),
	    cmocka_unit_test_setup(test_other_kinds, clear),
	    cmocka_unit_test_setup(test_any_character_counts, clear),
	    cmocka_unit_test_setup(test_current, clear),
	    cmocka_unit_test_setup(test_kinds_not_taken, clear),
	    cmocka_unit_test_setup(test_bad_form, clear),
	    cmocka_unit_test_setup(test_cost, clear),
	    cmocka_unit_test_setup(test_argon2, clear),
	    cmocka_unit_test_setup(test_limits, clear),
	    cmocka_unit_test_setup(test_what_no_password_matches_costs_the_same, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
