/*
 * Certificates out of files and directories of them: which count, in what order, and what is wrong
 * with others.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/pki/pem.h"

static X509 *make(const char *subject)
{
	return maker_cert(&(struct maker_cert){.subject = subject, .key = "P-256"});
}

static void pem_file(const char *name, X509 *cert)
{
	(void)maker_file(name, maker_cert_pem(cert));
}

static void der_file(const char *name, struct span der)
{
	char *path = file_path(maker_directory(), name);

	assert_outcome(EST_OK, file_write(path, 0600, der));
	free(path);
}

static void make_directory(const char *name)
{
	char *path = file_path(maker_directory(), name);

	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
}

static void make_link(const char *name, const char *target)
{
	char *path = file_path(maker_directory(), name);

	assert_int_equal(symlink(target, path), 0);
	free(path);
}

/* At that path lie certificates of just these subjects, in this order: "CN=a CN=b ". */
static void holds(const char *name, const char *wanted)
{
	char *path = file_path(maker_directory(), name);
	STACK_OF(X509) *found = NULL;
	struct buf subjects = {0};

	assert_outcome(EST_OK, pem_certificates(path, &found));
	for (int i = 0; i < sk_X509_num(found); i++) {
		char subject[100];
		(void)X509_NAME_oneline(
		    X509_get_subject_name(sk_X509_value(found, i)), subject, sizeof(subject));
		buf_printf(&subjects, "%s ", subject + 1);
	}
	assert_string_equal(buf_string(&subjects), wanted);
	buf_free(&subjects);
	sk_X509_pop_free(found, X509_free);
	free(path);
}

/* Nothing comes of that path, and the reason names the file that is to blame. */
static void fails(enum outcome wanted, const char *name, const char *blamed)
{
	char *path = file_path(maker_directory(), name);
	STACK_OF(X509) *found = NULL;
	enum outcome outcome = pem_certificates(path, &found);

	if (strstr(reason_text(), blamed) == NULL)
		fail_msg("the reason does not name %s: %s", blamed, reason_text());
	assert_outcome(wanted, outcome);
	assert_null(found);
	free(path);
}

static void test_file(void **state)
{
	X509 *a = make("CN=a"), *b = make("CN=b");
	struct buf text = {0};

	(void)state;
	pem_file("one", a);
	holds("one", "CN=a ");
	der_file("der", maker_cert_der(a));
	holds("der", "CN=a ");
	/* Text around the blocks may begin with the octet that a SEQUENCE begins with, too. */
	buf_printf(&text, "0 s:CN=b\n%s1 s:CN=a\n%s%s", maker_cert_pem(b), maker_cert_pem(a),
	    maker_cert_pem(b));
	(void)maker_file("bundle", buf_string(&text));
	holds("bundle", "CN=b CN=a ");
	buf_free(&text);
}

static void test_bad_file(void **state)
{
	X509 *a = make("CN=a");
	struct span der = maker_cert_der(a);
	struct buf text = {0};

	(void)state;
	fails(EST_NOT_FOUND, "none", "none");
	(void)maker_file("empty", "");
	fails(EST_MALFORMED, "empty", "empty");
	(void)maker_file("words", "0 certificates\n");
	fails(EST_MALFORMED, "words", "words");
	der_file("short", (struct span){der.data, der.len - 1});
	fails(EST_MALFORMED, "short", "short");
	buf_add_span(&text, der);
	buf_add_byte(&text, '\n');
	der_file("long", buf_span(&text));
	fails(EST_MALFORMED, "long", "long");
	buf_reset(&text);
	buf_printf(&text, "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    maker_cert_pem(a));
	(void)maker_file("half", buf_string(&text));
	fails(EST_MALFORMED, "half", "half");
	buf_free(&text);
}

static void test_directory(void **state)
{
	static const char *const left_out[] = {
	    "cas/.hidden.pem", "cas/e.pem.new", "cas/pem", "cas/readme.txt", "cas/below.pem/g.pem"};
	char *pipe;

	(void)state;
	make_directory("cas");
	make_directory("cas/below.pem");
	pipe = file_path(maker_directory(), "cas/pipe.pem");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	for (size_t i = 0; i < COUNT(left_out); i++)
		pem_file(left_out[i], make("CN=left-out"));
	fails(EST_MALFORMED, "cas", "/cas holds no file");
	pem_file("cas/10.pem", make("CN=10"));
	pem_file("cas/9.CRT", make("CN=9"));
	der_file("cas/B.cer", maker_cert_der(make("CN=B")));
	der_file("cas/a.pem", maker_cert_der(make("CN=a")));
	pem_file("elsewhere", make("CN=elsewhere"));
	make_link("cas/c.pem", "../elsewhere");
	holds("cas", "CN=10 CN=9 CN=B CN=a CN=elsewhere ");
	holds("cas/", "CN=10 CN=9 CN=B CN=a CN=elsewhere ");
	make_link("link", "cas");
	holds("link", "CN=10 CN=9 CN=B CN=a CN=elsewhere ");
	free(pipe);
}

/* The same certificate in several files counts once, and is no error. */
static void test_directory_twice(void **state)
{
	X509 *a = make("CN=a"), *b = make("CN=b");
	struct buf bundle = {0};

	(void)state;
	make_directory("cas");
	buf_printf(&bundle, "%s%s", maker_cert_pem(a), maker_cert_pem(b));
	pem_file("cas/1.pem", a);
	der_file("cas/2.cer", maker_cert_der(a));
	(void)maker_file("cas/3.crt", buf_string(&bundle));
	make_link("cas/4.pem", "1.pem");
	holds("cas", "CN=a CN=b ");
	/* Of one name there may be several CAs. */
	pem_file("cas/5.pem", make("CN=a"));
	holds("cas", "CN=a CN=b CN=a ");
	buf_free(&bundle);
}

static void test_bad_directory(void **state)
{
	(void)state;
	make_directory("cas");
	fails(EST_MALFORMED, "cas", "/cas holds no file");
	pem_file("cas/a.pem", make("CN=a"));
	holds("cas", "CN=a ");
	(void)maker_file("cas/b.pem", "");
	fails(EST_MALFORMED, "cas", "/cas/b.pem");
	pem_file("cas/b.pem", make("CN=b"));
	make_link("cas/c.pem", "nowhere");
	fails(EST_NOT_FOUND, "cas", "/cas/c.pem");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_file),
	    TEST(test_bad_file),
	    TEST(test_directory),
	    TEST(test_directory_twice),
	    TEST(test_bad_directory),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
