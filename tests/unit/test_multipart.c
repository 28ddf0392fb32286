/*
 * Answers in parts: every octet of the framing (RFC 2046 5.1), and what Python's parser makes of
 * them.
 */
#include "maker.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cgi/multipart.h"
#include "common/base/encoding.h"

static const char prefix[] = "multipart/mixed; boundary=";

static const char *boundary_of(const struct multipart *multipart)
{
	assert_memory_equal(prefix, multipart->type, strlen(prefix));
	return multipart->type + strlen(prefix);
}

/* What is expected, with the boundary in the place of every @. */
static void assert_body(const char *wanted, const struct multipart *multipart)
{
	struct buf text = {0};

	for (; *wanted != '\0'; wanted++)
		if (*wanted == '@')
			buf_add_string(&text, boundary_of(multipart));
		else
			buf_add_byte(&text, (unsigned char)*wanted);
	assert_bytes(buf_span(&text), buf_span(&multipart->body));
	buf_free(&text);
}

static void test_octets(void **state)
{
	static const struct multipart_part parts[] = {
	    {"application/pkcs8", {(const unsigned char *)"0123456789", 10}},
	    {"application/pkcs7-mime; smime-type=certs-only", {(const unsigned char *)"abcdef", 6}},
	};
	struct multipart multipart = {.body = {NULL, 0, 0}};

	(void)state;
	multipart_write(parts, 2, 8, &multipart);
	assert_body("--@\r\nContent-Type: application/pkcs8\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n"
		    "MDEyMzQ1\r\nNjc4OQ==\r\n"
		    "--@\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n"
		    "YWJjZGVm\r\n"
		    "--@--\r\n",
	    &multipart);
	buf_cleanse(&multipart.body);
	multipart_write(parts, 1, 0, &multipart);
	assert_body("--@\r\nContent-Type: application/pkcs8\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n"
		    "MDEyMzQ1Njc4OQ==\r\n"
		    "--@--\r\n",
	    &multipart);
	buf_cleanse(&multipart.body);
}

/* One that needs no quotes, is not another answer's, and does not make the body too long. */
static void test_boundary(void **state)
{
	static const struct multipart_part part = {"a/b", {(const unsigned char *)"x", 1}};
	struct multipart one = {.body = {NULL, 0, 0}}, two = {.body = {NULL, 0, 0}};
	const char *boundary;

	(void)state;
	multipart_write(&part, 1, 64, &one);
	multipart_write(&part, 1, 64, &two);
	boundary = boundary_of(&one);
	assert_in_range(strlen(boundary), 16, 64);
	for (size_t i = 0; boundary[i] != '\0'; i++)
		assert_true(isalnum((unsigned char)boundary[i]));
	assert_string_not_equal(one.type, two.type);
	buf_cleanse(&one.body);
	buf_cleanse(&two.body);
}

/* The buffer is taken once, so that no copy of a key stays behind where it grows. */
static void test_room(void **state)
{
	static const size_t columns[] = {0, 4, 64, 76};
	static unsigned char octets[5000];

	(void)state;
	for (size_t i = 0; i < COUNT(columns); i++)
		for (size_t len = 0; len <= sizeof(octets); len += 97) {
			struct multipart_part parts[2] = {
			    {"application/pkcs8", {octets, len}}, {"a/b", {octets, 1}}};
			struct multipart multipart = {.body = {NULL, 0, 0}};
			void *at;
			buf_reserve(&multipart.body, 1 << 17);
			at = multipart.body.data;
			multipart_write(parts, 2, columns[i], &multipart);
			assert_ptr_equal(at, multipart.body.data);
			buf_cleanse(&multipart.body);
			multipart_write(parts, 2, columns[i], &multipart);
			assert_true(multipart.body.capacity >= multipart.body.len);
			buf_cleanse(&multipart.body);
		}
}

static const char script[] =
    "import email, sys\n"
    "m = email.message_from_binary_file(open(sys.argv[1], 'rb'))\n"
    "assert m.get_content_type() == 'multipart/mixed' and not m.defects, m.defects\n"
    "assert not m.preamble and not m.epilogue, (m.preamble, m.epilogue)\n"
    "for p in m.get_payload():\n"
    "    assert not p.defects, p.defects\n"
    "    print(p['Content-Type'], p['Content-Transfer-Encoding'], "
    "p.get_payload(decode=True).hex())\n";

static void test_python(void **state)
{
	static const size_t columns[] = {0, 64};
	unsigned char octets[200];
	struct multipart_part parts[] = {{"application/pkcs8", {octets, sizeof(octets)}},
	    {"application/pkcs7-mime; smime-type=certs-only", {octets, 77}}};

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (unsigned char)(i * 7);
	for (size_t i = 0; i < COUNT(columns); i++) {
		struct multipart multipart = {.body = {NULL, 0, 0}};
		struct buf wanted = {0}, text = {0};
		char got[2048], command[512];
		FILE *python;
		size_t len;
		multipart_write(parts, 2, columns[i], &multipart);
		buf_printf(&text, "Content-Type: %s\r\n\r\n%s", multipart.type,
		    buf_string(&multipart.body));
		for (size_t j = 0; j < 2; j++) {
			buf_printf(&wanted, "%s base64 ", parts[j].type);
			hex_encode(&wanted, parts[j].der);
			buf_add_string(&wanted, "\n");
		}
		(void)snprintf(command, sizeof(command), "python3 %s %s 2>&1",
		    maker_file("parse.py", script), maker_file("message", buf_string(&text)));
		python = popen(command, "r");
		assert_non_null(python);
		len = fread(got, 1, sizeof(got) - 1, python);
		got[len] = '\0';
		assert_int_equal(0, pclose(python));
		assert_string_equal(buf_string(&wanted), got);
		buf_free(&wanted);
		buf_free(&text);
		buf_cleanse(&multipart.body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_octets),
	    TEST(test_boundary),
	    TEST(test_room),
	    TEST(test_python),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
