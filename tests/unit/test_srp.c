/*
 * Unit tests of common/auth/srp.h: T-17, the verifier file of TLS-SRP. OpenSSL's own reader, which
 * is Apache's, says whether a file is good; the verifiers are computed anew from RFC 5054 2.4.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/sha.h>
#include <openssl/srp.h>

#include "common/auth/srp.h"
#include "common/base/file.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static char directory[] = "/tmp/est-srp.XXXXXX";
static char path[64];

static int make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/verifiers", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int begin(void **state)
{
	(void)state;
	reason_clear();
	(void)unlink(path);
	return 0;
}

static enum outcome add(const char *name, const char *password, bool replace)
{
	const struct srp_user user = {.name = name, .info = "role=enroll"};

	reason_clear();
	return srp_file_add(path, &user, span_of(password), replace);
}

static void assert_content(const char *expected)
{
	struct buf text = {0};

	assert_int_equal(file_read(path, 1 << 20, &text), EST_OK);
	assert_string_equal(buf_string(&text), expected);
	buf_free(&text);
}

/* --- as OpenSSL reads it, who keeps some of the memory for itself (3.0, SRP_VBASE_free()) --- */

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0"; /* a report of nothing is a report */
}

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libcrypto\n";
}

static SRP_VBASE *open_base(void)
{
	char seed[] = "a seed";
	SRP_VBASE *base = SRP_VBASE_new(seed);

	assert_non_null(base);
	assert_int_equal(SRP_VBASE_init(base, path), SRP_NO_ERROR);
	return base;
}

static SRP_user_pwd *find(SRP_VBASE *base, const char *name)
{
	char copy[64];
	SRP_user_pwd *user;

	(void)snprintf(copy, sizeof(copy), "%s", name);
	user = SRP_VBASE_get1_by_user(base, copy);
	assert_non_null(user);
	return user;
}

/* RFC 5054 2.4: x = SHA1(s | SHA1(I | ":" | P)), v = g^x % N */
static BIGNUM *verifier_of(
    const char *name, const char *password, const SRP_user_pwd *user, const BIGNUM *N, unsigned g)
{
	unsigned char digest[SHA_DIGEST_LENGTH], salted[64 + SHA_DIGEST_LENGTH];
	char text[128];
	int len = snprintf(text, sizeof(text), "%s:%s", name, password);
	int salt = BN_bn2bin(user->s, salted);
	BIGNUM *x, *base = BN_new(), *v = BN_new();
	BN_CTX *context = BN_CTX_new();

	SHA1((const unsigned char *)text, (size_t)len, digest);
	memcpy(salted + salt, digest, sizeof(digest));
	SHA1(salted, (size_t)salt + sizeof(digest), digest);
	x = BN_bin2bn(digest, sizeof(digest), NULL);
	assert_int_equal(BN_set_word(base, g), 1);
	assert_int_equal(BN_mod_exp(v, base, x, N, context), 1);
	BN_CTX_free(context);
	BN_free(base);
	BN_free(x);
	return v;
}

static void test_verifier(void **state)
{
	BIGNUM *N = BN_get_rfc3526_prime_3072(NULL), *v; /* RFC 5054 A: that one, and g is 5 */
	SRP_VBASE *base;
	SRP_user_pwd *user, *other;

	(void)state;
	assert_int_equal(add("pump", "a password", false), EST_OK);
	assert_int_equal(add("d\xc3\xbcse 7", "p\xc3\xa4ss", false), EST_OK);
	base = open_base();
	user = find(base, "pump");
	assert_string_equal(user->info, "role=enroll");
	assert_int_equal(BN_cmp(user->N, N), 0);
	assert_true(BN_num_bytes(user->s) > 12);
	v = verifier_of("pump", "a password", user, N, 5);
	assert_int_equal(BN_cmp(user->v, v), 0);
	BN_free(v);
	v = verifier_of("pump", "a passwore", user, N, 5);
	assert_int_not_equal(BN_cmp(user->v, v), 0);
	BN_free(v);
	other = find(base, "d\xc3\xbcse 7");
	v = verifier_of("d\xc3\xbcse 7", "p\xc3\xa4ss", other, N, 5);
	assert_int_equal(BN_cmp(other->v, v), 0);
	BN_free(v);
	assert_int_not_equal(BN_cmp(user->s, other->s), 0);
	SRP_user_pwd_free(user);
	SRP_user_pwd_free(other);
	SRP_VBASE_free(base);
	BN_free(N);
}

static void test_unknown_user(void **state)
{
	static const char *const groups[] = {NULL, "2048", "4096"};

	for (size_t i = 0; i < COUNT(groups); i++) {
		const struct srp_user first = {.name = "first", .group = groups[i]};
		SRP_VBASE *base;
		SRP_user_pwd *known, *second, *unknown;
		(void)begin(state);
		assert_int_equal(srp_file_add(path, &first, span_of("pw"), false), EST_OK);
		assert_int_equal(add("second", "pw", false), EST_OK);
		base = open_base();
		known = find(base, "first");
		second = find(base, "second");
		unknown = find(base, "nobody");
		assert_int_equal(BN_cmp(unknown->N, known->N), 0);
		assert_int_equal(BN_cmp(unknown->g, known->g), 0);
		assert_int_equal(BN_cmp(second->N, known->N), 0);
		if (groups[i] != NULL)
			assert_int_equal(BN_num_bits(known->N), atoi(groups[i]));
		SRP_user_pwd_free(known);
		SRP_user_pwd_free(second);
		SRP_user_pwd_free(unknown);
		SRP_VBASE_free(base);
	}
}

/* Without a line that says another, OpenSSL takes 8192 for unknown users. */
static void test_file_of_openssl(void **state)
{
	static const char of_openssl[] = "V\tabcd\tefgh\told\t8192\t\n";
	struct srp_users users;

	(void)state;
	assert_int_equal(file_write(path, 0600, span_of(of_openssl)), EST_OK);
	assert_int_equal(add("new", "pw", false), EST_OK);
	assert_int_equal(srp_file_read(path, &users), EST_OK);
	assert_int_equal(users.count, 2);
	assert_string_equal(users.user[0].name, "old");
	assert_string_equal(users.user[1].group, "8192");
	srp_users_clear(&users);
	assert_int_equal(srp_file_delete(path, "new"), EST_OK);
	assert_content(of_openssl);
}

/* --- the file --- */

static void test_read(void **state)
{
	struct srp_users users;

	(void)state;
	assert_int_equal(file_write(path, 0600,
			     span_of("# a comment\twith a tab\n"
				     "I\tabcd\t05\tours\t\t\n"
				     "V\tabcd\tefgh\tpump\tours\trole=enroll\n"
				     "R\tabcd\tefgh\tgone\t2048\t\n"
				     "v\tabcd\tefgh\ta\\\ttab\t2048\tx")),
	    EST_OK);
	assert_int_equal(srp_file_read(path, &users), EST_OK);
	assert_int_equal(users.count, 3);
	assert_string_equal(users.user[0].name, "pump");
	assert_string_equal(users.user[0].info, "role=enroll");
	assert_string_equal(users.user[0].group, "ours");
	assert_false(users.user[0].revoked);
	assert_string_equal(users.user[1].name, "gone");
	assert_string_equal(users.user[1].info, "");
	assert_true(users.user[1].revoked);
	assert_string_equal(users.user[2].name, "a\ttab");
	srp_users_clear(&users);
	assert_null(users.user);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(srp_file_read(path, &users), EST_NOT_FOUND);
	srp_users_clear(&users);
}

static void test_change(void **state)
{
	struct srp_users users;
	struct stat status;
	mode_t before = umask(0);

	(void)state;
	assert_int_equal(add("a", "one", false), EST_OK);
	umask(before);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(add("b", "two", false), EST_OK);
	assert_int_equal(add("a", "three", false), EST_CONFLICT);
	assert_non_null(strstr(reason_text(), "already"));
	assert_int_equal(add("a", "three", true), EST_OK);
	assert_int_equal(add("c", "four", true), EST_OK);
	assert_int_equal(srp_file_read(path, &users), EST_OK);
	assert_int_equal(users.count, 3);
	srp_users_clear(&users);
	assert_int_equal(srp_file_delete(path, "b"), EST_OK);
	reason_clear();
	assert_int_equal(srp_file_delete(path, "b"), EST_NOT_FOUND);
	assert_int_equal(srp_file_delete(path, "a"), EST_OK);
	assert_int_equal(srp_file_read(path, &users), EST_OK);
	assert_int_equal(users.count, 1);
	assert_string_equal(users.user[0].name, "c");
	srp_users_clear(&users);
}

/* Every other line stays octet for octet, and one without an end gets it. */
static void test_others_stay(void **state)
{
	static const char before[] = "# mine\nI\tabcd\t05\t2048\t\t\nR\ta\tb\tgone\t2048\t\n"
				     "V\tabcd\tefgh\tx\\\ty\t2048\tshop=7";
	struct buf expected = {0};

	(void)state;
	assert_int_equal(file_write(path, 0600, span_of(before)), EST_OK);
	assert_int_equal(add("new", "pw", false), EST_OK);
	assert_int_equal(srp_file_delete(path, "new"), EST_OK);
	buf_printf(&expected, "%s\n", before);
	assert_content(buf_string(&expected));
	buf_free(&expected);
	/* One that is revoked is as good as not there. */
	reason_clear();
	assert_int_equal(srp_file_delete(path, "gone"), EST_NOT_FOUND);
	assert_int_equal(add("gone", "pw", false), EST_OK);
}

static void test_bad_files(void **state)
{
	static const char *const bad[] = {"\n", "V\ta\tb\tname\t2048\n",
	    "V\ta\tb\tname\t2048\t\t\n", "V\ta\tb\tname\t2048\t\n\n", "text\n",
	    "V\ta\tb\tna\\\tme\t2048\n"};
	struct srp_users users;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		reason_clear();
		assert_int_equal(file_write(path, 0600, span_of(bad[i])), EST_OK);
		assert_int_equal(srp_file_read(path, &users), EST_MALFORMED);
		assert_non_null(strstr(reason_text(), "line "));
		srp_users_clear(&users);
		assert_int_equal(add("x", "pw", false), EST_MALFORMED);
		assert_int_equal(srp_file_delete(path, "name"), EST_MALFORMED);
		assert_content(bad[i]);
	}
}

static void test_bad_users(void **state)
{
	static char long_name[SRP_NAME_MOST + 2];
	const struct srp_user bad[] = {
	    {.name = ""},
	    {.name = "a:b"},
	    {.name = "a\tb"},
	    {.name = "a\nb"},
	    {.name = "a\\"},
	    {.name = "a\xff"},
	    {.name = long_name},
	    {.name = "a", .info = "x\ty"},
	    {.name = "a", .info = "x\nV\t"},
	    {.name = "a", .info = "x\\"},
	    {.name = "a", .group = "1024"},
	    {.name = "a", .group = "1536"},
	    {.name = "a", .group = ""},
	};
	const struct srp_user good = {.name = long_name + 1};

	(void)state;
	memset(long_name, 'x', SRP_NAME_MOST + 1);
	for (size_t i = 0; i < COUNT(bad); i++) {
		reason_clear();
		if (srp_file_add(path, &bad[i], span_of("pw"), false) != EST_MALFORMED)
			fail_msg("row %zu is taken", i);
		assert_int_not_equal(access(path, F_OK), 0);
	}
	assert_int_equal(add("a", "", false), EST_MALFORMED);
	assert_int_equal(
	    srp_file_add(path, &bad[1], (struct span){(const unsigned char *)"a\0b", 3}, false),
	    EST_MALFORMED);
	reason_clear();
	assert_int_equal(srp_file_add(path, &good, span_of("pw"), false), EST_OK);
}

static void test_no_place(void **state)
{
	const struct srp_user user = {.name = "a"};
	char nowhere[96];

	(void)state;
	(void)snprintf(nowhere, sizeof(nowhere), "%s/none/verifiers", directory);
	assert_int_equal(srp_file_add(nowhere, &user, span_of("pw"), false), EST_UNAVAILABLE);
	assert_non_null(strstr(reason_text(), "none/verifiers"));
}

#define PROCESSES 4
#define EACH      5

static void test_at_once(void **state)
{
	struct srp_users users;
	int status;

	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		pid_t child = fork();
		assert_true(child >= 0);
		for (int j = 0; child == 0 && j < EACH; j++) {
			char name[32];
			(void)snprintf(name, sizeof(name), "user-%d-%d", i, j);
			if (add(name, "pw", false) != EST_OK)
				_exit(1);
		}
		if (child == 0)
			_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(srp_file_read(path, &users), EST_OK);
	assert_int_equal(users.count, PROCESSES * EACH);
	srp_users_clear(&users);
	SRP_VBASE_free(open_base());
}

/* --- the role --- */

static void test_role(void **state)
{
	static const struct {
		const char *info, *role;
		bool has;
	} rows[] = {
	    {NULL, "enroll", true},
	    {"", "enroll", true},
	    {"shop=7", "enroll", true},
	    {"shop=7", "audit", false},
	    {"", "operate", false},
	    {"role=enroll", "enroll", true},
	    {"role=enroll", "audit", false},
	    {"role=audit", "enroll", false},
	    {"role=audit", "audit", true},
	    {"role=", "enroll", false},
	    {"role=enrol", "enroll", false},
	    {"role=enrolled", "enroll", false},
	    {"role=Enroll", "enroll", false},
	    {"role= enroll", "enroll", false},
	    {"role=audit,role=enroll", "enroll", true},
	    {"role=enroll,role=audit", "enroll", true},
	    {"shop=7,role=enroll", "enroll", true},
	    {"shop=7,role=audit", "enroll", false},
	    {"role=audit,enroll", "enroll", false},
	    {"xrole=audit", "enroll", true},
	    {"parole=7,shop=role7", "enroll", false},
	    {"parole=7,shop=7", "enroll", true},
	    {"ROLE=audit", "enroll", false},
	    {"Role=audit", "audit", true},
	    {"ROLE=enroll", "enroll", true},
	    {"ROLE=ENROLL", "enroll", false},
	    {"role", "enroll", false},
	    {"role:audit", "enroll", false},
	    {"role =audit", "enroll", false},
	    {" role=audit", "enroll", false},
	    {"shop=7, Role=audit", "enroll", false},
	    {"shop=7, role=enroll", "enroll", false},
	    {"shop=7;role=audit", "enroll", false},
	    {"shop=7\trole=audit", "enroll", false},
	    {"roles=audit", "enroll", false},
	    {"user_role=audit", "enroll", false},
	    {"roles=audit,role=enroll", "enroll", true},
	    {",,role=enroll,", "enroll", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (srp_info_has_role(rows[i].info, rows[i].role) != rows[i].has)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_verifier, begin, begin),
	    cmocka_unit_test_setup_teardown(test_unknown_user, begin, begin),
	    cmocka_unit_test_setup_teardown(test_file_of_openssl, begin, begin),
	    cmocka_unit_test_setup_teardown(test_read, begin, begin),
	    cmocka_unit_test_setup_teardown(test_change, begin, begin),
	    cmocka_unit_test_setup_teardown(test_others_stay, begin, begin),
	    cmocka_unit_test_setup_teardown(test_bad_files, begin, begin),
	    cmocka_unit_test_setup_teardown(test_bad_users, begin, begin),
	    cmocka_unit_test_setup_teardown(test_no_place, begin, begin),
	    cmocka_unit_test_setup_teardown(test_at_once, begin, begin),
	    cmocka_unit_test(test_role),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
