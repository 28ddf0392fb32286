/*
 * The device's side, without a network: names, settings, certificates, and the directory that is
 * replaced as a whole or not at all.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "common/base/encoding.h"
#include "common/base/file.h"

#include "admin/client_certs.h"
#include "admin/client_csr.h"
#include "admin/client_directory.h"
#include "admin/client_settings.h"

static int clear(void **state)
{
	(void)state;
	reason_clear();
	return 0;
}

/* The names made of one --san, or none. */
static enum outcome names_with(const char *common_name, const char *san, struct client_names *names)
{
	char text[400];
	char *items[] = {text};
	struct cli_list list = {items, san == NULL ? 0 : 1};

	(void)snprintf(text, sizeof(text), "%s", san == NULL ? "" : san);
	return client_names_make(common_name, &list, names);
}

static void test_names_refused(void **state)
{
	static const char *const sans[] = {"foo", "", "dns", "dns:", "dns:a..b", "dns:.a", "dns:a.",
	    "dns:-a", "dns:a-", "dns:a_b", "dns:a b", "dns:*", "dns:a.*.b", "dns:\xc3\xbc.example",
	    "dns:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "ip:", "ip:1.2.3", "ip:1.2.3.256", "ip::::1", "ip:a", "ip:1.2.3.4/8",
	    "email:", "email:a", "email:a@", "email:@b", "email:a@b@c", "email:a b@c",
	    "email:a@*.b", "uri:", "uri:x", "uri:x:", "uri:1x:y", "uri:x:a b", "DNS:a", "rid:1.2"};
	static const char *const names[] = {"", "a\033b", "a\nb", "\xff", "\xe2\x80\xae",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct client_names made;

	(void)state;
	for (size_t i = 0; i < sizeof(sans) / sizeof(sans[0]); i++) {
		if (names_with("a", sans[i], &made) != EST_MALFORMED)
			fail_msg("--san \"%s\" was taken", sans[i]);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names_with(names[i], NULL, &made) != EST_MALFORMED)
			fail_msg("--name \"%s\" was taken", names[i]);
	}
}

/* The one name of an extension as OpenSSL prints it. */
static void san_text(X509_EXTENSION *extension, char *text, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	assert_true(X509V3_EXT_print(bio, extension, 0, 0));
	len = BIO_read(bio, text, (int)size - 1);
	text[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
}

static void test_names_taken(void **state)
{
	static const char *const cases[][2] = {
	    {"dns:pump-1.example", "DNS:pump-1.example"},
	    {"dns:*.example", "DNS:*.example"},
	    {"ip:192.0.2.1", "IP Address:192.0.2.1"},
	    {"ip:2001:db8::1", "IP Address:2001:DB8:0:0:0:0:0:1"},
	    {"email:a.b@plant.example", "email:a.b@plant.example"},
	    {"uri:urn:dev:mac:0024befffe804ff1", "URI:urn:dev:mac:0024befffe804ff1"},
	};
	struct client_names names;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		assert_int_equal(names_with("pump-1", cases[i][0], &names), EST_OK);
		san_text(names.sans, text, sizeof(text));
		assert_string_equal(text, cases[i][1]);
		client_names_free(&names);
	}
	assert_int_equal(names_with("pump-1", NULL, &names), EST_OK);
	assert_null(names.sans);
	client_names_free(&names);
}

static void test_request(void **state)
{
	EVP_PKEY *key = NULL, *other = NULL;
	struct client_names names, more;
	X509_REQ *a = NULL, *b = NULL, *c = NULL, *d = NULL;
	struct buf type = {0};

	(void)state;
	assert_int_equal(client_key_make("P-256", &key), EST_OK);
	assert_int_equal(client_key_make("P-256", &other), EST_OK);
	assert_int_equal(client_key_make("DSA", &other), EST_MALFORMED);
	client_key_type(key, &type);
	assert_string_equal(buf_string(&type), "P-256");
	assert_int_equal(names_with("pump-1", "dns:a.example", &names), EST_OK);
	assert_int_equal(names_with("pump-1", "dns:b.example", &more), EST_OK);
	assert_int_equal(
	    client_csr_make(key, &(struct client_request){.names = names}, NULL, &a), EST_OK);
	assert_int_equal(
	    client_csr_make(key, &(struct client_request){.names = names}, NULL, &b), EST_OK);
	assert_int_equal(
	    client_csr_make(other, &(struct client_request){.names = names}, NULL, &c), EST_OK);
	assert_int_equal(
	    client_csr_make(key, &(struct client_request){.names = more}, NULL, &d), EST_OK);
	assert_int_equal(X509_REQ_verify(a, key), 1);
	assert_int_equal(X509_REQ_get_signature_nid(a), NID_ecdsa_with_SHA256);
	assert_true(client_csr_same(a, b));
	assert_false(client_csr_same(a, c));
	assert_false(client_csr_same(a, d));
	X509_REQ_free(a);
	X509_REQ_free(b);
	X509_REQ_free(c);
	X509_REQ_free(d);
	client_names_free(&names);
	client_names_free(&more);
	buf_free(&type);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void test_settings(void **state)
{
	static const char *const bad[] = {"http://h", "h", "https://", "https:///x",
	    "https://u:p@h", "https://h/x", "https://h/.well-known/est/label", "https://h?x",
	    "https://h#x", "https://h/.well-known/est?x", "https://a b"};
	static const char *const good[] = {"https://h:1", "HTTPS://h:1/",
	    "https://h:1/.well-known/est", "https://h:1/.well-known/est/"};
	static const char *const bad_labels[] = {"a/b", "a%62", "..", ".", "a b", "\xc3\xbc"};
	struct client_options options = {0};
	struct client_settings settings = {0};

	(void)state;
	assert_int_equal(client_settings_override(&settings, &options), EST_MALFORMED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reason_clear();
		options.url = bad[i];
		assert_int_equal(client_settings_override(&settings, &options), EST_MALFORMED);
		assert_null(strstr(reason_text(), "u:p"));
		client_settings_free(&settings);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		options.url = good[i];
		assert_int_equal(client_settings_override(&settings, &options), EST_OK);
		assert_string_equal(settings.url, "https://h:1/.well-known/est");
		assert_string_equal(settings.key_type, "P-256");
		assert_null(settings.label);
		client_settings_free(&settings);
	}
	for (size_t i = 0; i < sizeof(bad_labels) / sizeof(bad_labels[0]); i++) {
		options.label = bad_labels[i];
		assert_int_equal(client_settings_override(&settings, &options), EST_MALFORMED);
		client_settings_free(&settings);
	}
}

static void test_settings_file(void **state)
{
	struct client_options options = {.url = "https://h", .label = "l", .key_type = "RSA-2048"};
	struct client_settings settings = {0}, back;
	struct buf json = {0};

	(void)state;
	assert_int_equal(client_settings_override(&settings, &options), EST_OK);
	client_settings_write(&settings, &json);
	assert_int_equal(client_settings_read(buf_span(&json), "f", &back), EST_OK);
	assert_true(client_settings_same_place(&settings, &back));
	assert_string_equal(back.key_type, "RSA-2048");
	client_settings_free(&back);
	/* A URL without a label means the server's default, whatever was there. */
	options = (struct client_options){.url = "https://h"};
	assert_int_equal(client_settings_override(&settings, &options), EST_OK);
	assert_null(settings.label);
	assert_int_equal(client_settings_read(span_of("{"), "f", &back), EST_MALFORMED);
	assert_int_equal(client_settings_read(span_of("[]"), "f", &back), EST_MALFORMED);
	client_settings_free(&settings);
	buf_free(&json);
}

static void test_fingerprint(void **state)
{
	static const char *const bad[] = {"", "00", "zz",
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1",
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g",
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"};
	unsigned char octets[CLIENT_FINGERPRINT];

	(void)state;
	assert_int_equal(client_fingerprint_parse("00:01:02:03:04:05:06:07:08:09:0a:0B:0c:0d:0e:0f:"
						  "101112131415161718191a1b1c1D1E1F",
			     octets),
	    EST_OK);
	for (unsigned i = 0; i < CLIENT_FINGERPRINT; i++)
		assert_int_equal(octets[i], i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(client_fingerprint_parse(bad[i], octets), EST_MALFORMED);
}

static void test_certs_refused(void **state)
{
	/*
	 * Nothing; junk; PKCS#7 data; a SignedData without certificates, and with an octet behind.
	 */
	static const char *const hex[] = {"", "00", "3000", "300b06092a864886f70d010701",
	    "302306092a864886f70d010702a0163014020101"
	    "3100300b06092a864886f70d010701a0003100",
	    "302306092a864886f70d010702a0163014020101"
	    "3100300b06092a864886f70d010701a000310000"};
	STACK_OF(X509) *certs = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++) {
		struct buf der = {0};
		assert_int_equal(hex_decode(&der, span_of(hex[i])), EST_OK);
		reason_clear();
		assert_int_equal(client_certs_parse(buf_span(&der), &certs), EST_MALFORMED);
		assert_string_not_equal(reason_text(), "");
		buf_free(&der);
	}
	assert_int_equal(client_certs_read(span_of(""), "f", &certs), EST_MALFORMED);
	assert_int_equal(client_certs_read(span_of("-----BEGIN CERTIFICATE-----\nAAAA\n"
						   "-----END CERTIFICATE-----\n"),
			     "f", &certs),
	    EST_MALFORMED);
	assert_null(certs);
}

/* A directory of the test's own, path in it; and its end. */
static char base[] = "/tmp/test_client.XXXXXX";
static char *path;

static int make_directory(void **state)
{
	(void)state;
	reason_clear();
	(void)snprintf(base, sizeof(base), "/tmp/test_client.XXXXXX");
	if (mkdtemp(base) == NULL)
		return -1;
	path = file_path(base, "device");
	return 0;
}

/* Removes everything below a directory, two levels deep, and it. */
static void remove_all(const char *directory, int depth)
{
	DIR *list = opendir(directory);
	struct dirent *entry;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		char *below = file_path(directory, entry->d_name);
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2) {
			if (unlink(below) != 0 && depth > 0)
				remove_all(below, depth - 1);
		}
		free(below);
	}
	if (list != NULL)
		(void)closedir(list);
	(void)rmdir(directory);
}

static int remove_directory(void **state)
{
	(void)state;
	free(path);
	remove_all(base, 3);
	return access(base, F_OK) == 0 ? -1 : 0;
}

/* Writes content into a file below the device directory. */
static void write_below(const char *name, const char *content)
{
	char *file = file_path(path, name);

	assert_int_equal(file_write(file, 0644, span_of(content)), EST_OK);
	free(file);
}

static void assert_file(enum client_file file, mode_t mode, const char *content)
{
	char *name = file_path(path, client_file_name(file));
	struct buf found = {0};
	struct stat status;

	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_mode & 07777, mode);
	assert_int_equal(file_read(name, 1000, &found), EST_OK);
	assert_string_equal(buf_string(&found), content);
	buf_free(&found);
	free(name);
}

static size_t count_entries(void)
{
	DIR *list = opendir(path);
	size_t count = 0;

	assert_non_null(list);
	while (readdir(list) != NULL)
		count++;
	(void)closedir(list);
	return count - 2;
}

static void save_pair(const char *key, const char *certificate)
{
	struct client_directory directory;

	assert_int_equal(client_directory_open(path, CLIENT_CREATE, &directory), EST_OK);
	client_directory_set(&directory, CLIENT_KEY, span_of(key));
	client_directory_set(&directory, CLIENT_CERTIFICATE, span_of(certificate));
	assert_int_equal(client_directory_save(&directory), EST_OK);
	client_directory_close(&directory);
}

static void test_directory(void **state)
{
	struct client_directory directory;
	struct stat status;

	(void)state;
	assert_int_equal(client_directory_open(path, CLIENT_CHANGE, &directory), EST_NOT_FOUND);
	client_directory_close(&directory);
	assert_int_equal(client_directory_open(path, CLIENT_CREATE, &directory), EST_OK);
	client_directory_close(&directory);
	assert_int_equal(access(path, F_OK), -1);
	save_pair("key 1", "certificate 1");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_file(CLIENT_KEY, 0600, "key 1");
	assert_file(CLIENT_CERTIFICATE, 0644, "certificate 1");
	assert_int_equal(count_entries(), 3);
	save_pair("key 2", "certificate 2");
	assert_int_equal(client_directory_open(path, CLIENT_CHANGE, &directory), EST_OK);
	assert_string_equal(buf_string(&directory.files[CLIENT_KEY]), "key 2");
	client_directory_set(&directory, CLIENT_BUNDLE, span_of(""));
	client_directory_set(&directory, CLIENT_CERTIFICATE, span_of(""));
	assert_int_equal(client_directory_save(&directory), EST_OK);
	client_directory_close(&directory);
	assert_int_equal(count_entries(), 1);
}

static void test_directory_locked(void **state)
{
	struct client_directory first, second;

	(void)state;
	save_pair("key", "certificate");
	assert_int_equal(client_directory_open(path, CLIENT_CHANGE, &first), EST_OK);
	assert_int_equal(client_directory_open(path, CLIENT_CHANGE, &second), EST_UNAVAILABLE);
	client_directory_close(&second);
	reason_clear();
	assert_int_equal(client_directory_open(path, CLIENT_READ, &second), EST_OK);
	client_directory_close(&second);
	client_directory_close(&first);
	assert_int_equal(client_directory_open(path, CLIENT_CHANGE, &second), EST_OK);
	client_directory_close(&second);
}

/* Killed while the files were written: what was there stays. */
static void test_directory_half(void **state)
{
	struct client_directory directory;
	char *half;

	(void)state;
	save_pair("key 1", "certificate 1");
	half = file_path(path, ".est-client.half");
	assert_int_equal(mkdir(half, 0700), 0);
	free(half);
	write_below(".est-client.half/device.key", "key 2");
	assert_int_equal(client_directory_open(path, CLIENT_CHANGE, &directory), EST_OK);
	client_directory_close(&directory);
	assert_file(CLIENT_KEY, 0600, "key 1");
	assert_file(CLIENT_CERTIFICATE, 0644, "certificate 1");
	assert_int_equal(count_entries(), 3);
}

/* Killed between the renames: the key was moved already, its certificate follows. */
static void test_directory_whole(void **state)
{
	struct client_directory directory;
	char *whole;

	(void)state;
	save_pair("key 1", "certificate 1");
	write_below("device.key", "key 2");
	whole = file_path(path, ".est-client.whole");
	assert_int_equal(mkdir(whole, 0700), 0);
	free(whole);
	write_below(".est-client.whole/device.pem", "certificate 2");
	assert_int_equal(client_directory_open(path, CLIENT_CHANGE, &directory), EST_OK);
	assert_string_equal(buf_string(&directory.files[CLIENT_KEY]), "key 2");
	assert_string_equal(buf_string(&directory.files[CLIENT_CERTIFICATE]), "certificate 2");
	client_directory_close(&directory);
	assert_file(CLIENT_CERTIFICATE, 0644, "certificate 2");
	assert_int_equal(count_entries(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_names_refused, clear),
	    cmocka_unit_test_setup(test_names_taken, clear),
	    cmocka_unit_test_setup(test_request, clear),
	    cmocka_unit_test_setup(test_settings, clear),
	    cmocka_unit_test_setup(test_settings_file, clear),
	    cmocka_unit_test_setup(test_fingerprint, clear),
	    cmocka_unit_test_setup(test_certs_refused, clear),
	    cmocka_unit_test_setup_teardown(test_directory, make_directory, remove_directory),
	    cmocka_unit_test_setup_teardown(
		test_directory_locked, make_directory, remove_directory),
	    cmocka_unit_test_setup_teardown(test_directory_half, make_directory, remove_directory),
	    cmocka_unit_test_setup_teardown(test_directory_whole, make_directory, remove_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
