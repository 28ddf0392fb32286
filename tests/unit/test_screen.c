/*
 * The screen in front of libfcgi: FastCGI 1.0, sections 3 to 5, and the shapes of F3.
 */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "cgi/request.h"
#include "cgi/screen.h"

#define BEGIN "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"
#define END   "\1\4\0\1\0\0\0\0"

static void add_length(struct buf *out, size_t length)
{
	if (length > 127)
		for (unsigned shift = 24; shift > 0; shift -= 8)
			buf_add_byte(
			    out, (unsigned char)(length >> shift | (shift == 24 ? 0x80 : 0)));
	buf_add_byte(out, (unsigned char)length);
}

static void add_pair(struct buf *out, struct span name, struct span value)
{
	add_length(out, name.len);
	add_length(out, value.len);
	buf_add_span(out, name);
	buf_add_span(out, value);
}

static void add_record(struct buf *out, unsigned char type, unsigned char id, struct span content,
    unsigned char padding)
{
	const unsigned char header[] = {1, type, 0, id, (unsigned char)(content.len >> 8),
	    (unsigned char)content.len, padding, 0};

	buf_add(out, header, sizeof(header));
	buf_add_span(out, content);
	for (unsigned i = 0; i < padding; i++)
		buf_add_byte(out, 0xa5);
}

static enum screen_verdict judge(struct span octets)
{
	const char *fault;
	size_t more;
	enum screen_verdict verdict = screen_head(maker_copy(octets), &more, &fault);

	assert_int_equal(verdict == SCREEN_MORE, more > 0);
	assert_int_equal(fault == NULL, verdict == SCREEN_MORE || verdict == SCREEN_GOOD);
	return verdict;
}

/* A head of these parameters in records of at most so many octets. */
static struct span head_of(struct span parameters, size_t most, unsigned char padding)
{
	struct buf head = {0};

	buf_add_span(&head, BYTES(BEGIN));
	while (parameters.len > 0) {
		size_t len = parameters.len < most ? parameters.len : most;
		add_record(&head, 4, 1, (struct span){parameters.data, len}, padding);
		parameters = (struct span){parameters.data + len, parameters.len - len};
	}
	buf_add_span(&head, BYTES(END));
	return maker_keep(&head);
}

static enum screen_verdict judge_pair(struct span name, struct span value)
{
	struct buf parameters = {0};

	add_pair(&parameters, BYTES("REQUEST_METHOD"), BYTES("GET"));
	add_pair(&parameters, name, value);
	add_pair(&parameters, BYTES("HTTPS"), BYTES("on"));
	return judge(head_of(maker_keep(&parameters), 60000, 0));
}

/* What a web server sends, some kilobytes long. */
static struct span usual(void)
{
	struct buf parameters = {0};

	add_pair(&parameters, BYTES("REQUEST_METHOD"), BYTES("POST"));
	add_pair(&parameters, BYTES("HTTPS"), BYTES("on"));
	add_pair(&parameters, BYTES("REMOTE_USER"), BYTES(""));
	for (int i = 0; i < 60; i++) {
		char name[20], value[200];
		(void)snprintf(name, sizeof(name), "HTTP_X_%d", i);
		memset(value, 'v', sizeof(value));
		value[i * 3] = '\0';
		add_pair(&parameters, span_of(name), span_of(value));
	}
	add_pair(&parameters, BYTES("SSL_CLIENT_CERT"),
	    BYTES("-----BEGIN CERTIFICATE-----\r\n\tMIIB\n-----END CERTIFICATE-----\n"));
	return maker_keep(&parameters);
}

/* However it is cut into records and pieces, and whatever follows. */
static void test_good(void **state)
{
	static const size_t sizes[] = {7, 8, 100, 8184, 65535};
	struct span parameters = usual();

	(void)state;
	assert_int_equal(judge(BYTES(BEGIN END)), SCREEN_GOOD);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct span head = head_of(parameters, sizes[i], (unsigned char)(i * 63));
		struct buf body = {0};
		assert_int_equal(judge(head), SCREEN_GOOD);
		buf_add_span(&body, head);
		add_record(&body, 5, 1, BYTES("MIIB"), 4);
		buf_add_string(&body, "whatever");
		assert_int_equal(judge(maker_keep(&body)), SCREEN_GOOD);
	}
}

/* *more never leads beyond the head, and always to its end. */
static void test_more(void **state)
{
	struct span head = head_of(usual(), 1000, 3), part = {head.data, 0};
	const char *fault;
	size_t more;

	(void)state;
	while (screen_head(part, &more, &fault) == SCREEN_MORE) {
		assert_in_range(more, 1, head.len - part.len);
		part.len += more;
	}
	assert_int_equal(part.len, head.len);
	for (size_t len = 0; len < head.len; len += 1 + len / 50)
		assert_int_equal(judge((struct span){head.data, len}), SCREEN_MORE);
}

static void test_broken_records(void **state)
{
	static const struct span heads[] = {
	    BYTES("\0"),                                /* version 0 */
	    BYTES("\2\1\0\1\0\10\0\0"),                 /* version 2 */
	    BYTES("GET / HTTP/1.1\r\n"),                /* not FastCGI at all */
	    BYTES("\1\11\0\0\0\0\0\0"),                 /* GET_VALUES */
	    BYTES("\1\4\0\1\0\0\0\0"),                  /* PARAMS first */
	    BYTES("\1\5\0\1\0\0\0\0"),                  /* STDIN first */
	    BYTES("\1\2\0\1\0\0\0\0"),                  /* ABORT_REQUEST first */
	    BYTES("\1\77\0\0\377\377\0\0"),             /* an unknown type, seen at its header */
	    BYTES("\1\1\0\0\0\10\0\0\0\1\0\0\0\0\0\0"), /* request id 0 */
	    BYTES("\1\1\0\1\0\7\0\0\0\1\0\0\0\0\0"),    /* BEGIN_REQUEST of 7 octets */
	    BYTES("\1\1\0\1\0\20\0\0"),                 /* of 16 */
	    BYTES("\1\1\0\1\0\10\0\0\0\2\0\0\0\0\0\0"), /* authorizer */
	    BYTES("\1\1\0\1\0\10\0\0\0\3\0\0\0\0\0\0"), /* filter */
	    BYTES("\1\1\0\1\0\10\0\0\0\0\0\0\0\0\0\0"), /* role 0 */
	    BYTES("\1\1\0\1\0\10\0\0\1\1\0\0\0\0\0\0"), /* role 257 */
	    BYTES(BEGIN BEGIN),                         /* twice */
	    BYTES(BEGIN "\1\2\0\1\0\0\0\0"),            /* ABORT_REQUEST within */
	    BYTES(BEGIN "\1\5\0\1\0\0\0\0"),            /* STDIN ahead of the end */
	    BYTES(BEGIN "\1\11\0\0\0\0\0\0"),           /* GET_VALUES within */
	    BYTES(BEGIN "\1\14\0\1\0\0\0\0"),           /* an unknown type within */
	    BYTES(BEGIN "\1\4\0\2\0\0\0\0"),            /* another request's */
	    BYTES(BEGIN "\1\4\1\1\0\0\0\0"),            /* and by the high octet */
	    BYTES(BEGIN "\2\4\0\1\0\0\0\0"),            /* another version */
	    BYTES(BEGIN "\1\4\0\1\0\4\0\0\1\1AB\1\4\0\2\0\0\0\0"), /* the id changes later */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++)
		if (judge(heads[i]) != SCREEN_BROKEN)
			fail_msg("row %zu is not broken", i);
}

/* A length that leads beyond the parameters, CVE-2025-23016 among them. */
static void test_broken_lengths(void **state)
{
	static const struct span parameters[] = {
	    BYTES("\1"),
	    BYTES("\1\1A"),
	    BYTES("\3\0AB"),
	    BYTES("\0\1"),
	    BYTES("\200"),
	    BYTES("\200\0\0"),
	    BYTES("\1\200\0\0"),
	    BYTES("\377\377\377\377\1A"),
	    BYTES("\1\377\377\377\377AB"),
	    BYTES("\377\377\377\377\377\377\377\377AB"),
	    BYTES("\377\377\377\376\200\0\0\2AB"),
	    BYTES("\200\0\0\4\200\0\0\1ABCD"),
	    BYTES("\1\1AB\1\2AB"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(parameters); i++)
		if (judge(head_of(parameters[i], 1000, 0)) != SCREEN_BROKEN)
			fail_msg("row %zu is not broken", i);
	assert_int_equal(judge(head_of(BYTES("\200\0\0\1\200\0\0\1AB\0\0"), 3, 5)), SCREEN_GOOD);
}

static void test_too_many_records(void **state)
{
	struct buf many = {0};

	(void)state;
	for (size_t i = 0; i < (SCREEN_RECORDS + 10) / 2; i++)
		buf_add_string(&many, "\1\1AB");
	assert_int_equal(judge(head_of(buf_span(&many), 4, 0)), SCREEN_GOOD);
	assert_int_equal(judge(head_of(maker_keep(&many), 2, 0)), SCREEN_BROKEN);
}

static void test_nul(void **state)
{
	(void)state;
	assert_int_equal(judge_pair(BYTES("HTTPS\0"), BYTES("off")), SCREEN_FAULTY);
	assert_int_equal(judge_pair(BYTES("SSL_CLIENT_CERT"), BYTES("MII\0B")), SCREEN_FAULTY);
	assert_int_equal(judge_pair(BYTES("PATH_INFO"), BYTES("/a\0")), SCREEN_FAULTY);
	assert_int_equal(judge_pair(BYTES("HTTP_X"), BYTES("\0")), SCREEN_FAULTY);
	assert_int_equal(judge_pair(BYTES("HTTP_\0X"), BYTES("x")), SCREEN_FAULTY);
}

static void test_twice(void **state)
{
	(void)state;
	assert_int_equal(judge_pair(BYTES("HTTPS"), BYTES("on")), SCREEN_GOOD);
	assert_int_equal(judge_pair(BYTES("HTTPS"), BYTES("off")), SCREEN_FAULTY);
	assert_int_equal(judge_pair(BYTES("HTTPS"), BYTES("")), SCREEN_FAULTY);
	assert_int_equal(judge_pair(BYTES("https"), BYTES("off")), SCREEN_GOOD); /* another name */
	assert_int_equal(judge_pair(BYTES("REQUEST_METHOD"), BYTES("get")), SCREEN_FAULTY);
	assert_int_equal(judge_pair(BYTES("HTTP_CONTENT_LENGTH"), BYTES("7")), SCREEN_GOOD);
}

/* Variables that are read, each by its own rule; the rules are those of the requirements. */
static const struct {
	const char *name;
	size_t fits; /* octets that an honest value may well have */
	bool text, lines;
} variables[] = {
    {"REQUEST_METHOD", 8000, true, false},
    {"SCRIPT_NAME", 8190, false, false}, /* a strange path is 404 (H-18), a long one too (C13) */
    {"PATH_INFO", 8190, false, false},
    {"CONTENT_TYPE", 8000, true, false},
    {"CONTENT_LENGTH", 20, true, false},
    {"HTTP_CONTENT_ENCODING", 8000, true, false},
    {"HTTPS", 3, true, false},
    {"REMOTE_ADDR", 45, true, false},
    {"HTTP_USER_AGENT", 8000, true, false},
    {"HTTP_AUTHORIZATION", 13700, true, false}, /* 10 kB of password in base64 (F5) */
    {"SSL_PROTOCOL", 7, true, false},
    {"SSL_CIPHER", 40, true, false},
    {"SSL_CLIENT_VERIFY", 200, true, false},
    {"SSL_CLIENT_CERT", 82000, true, true}, /* as much as lighttpd hands over */
    {"SSL_CLIENT_CERT_CHAIN", 40000, true, true},
    {"SSL_CLIENT_CERT_CHAIN_0", 40000, true, true},
    {"SSL_CLIENT_CERT_CHAIN_7", 40000, true, true},
    {"TLS_UNIQUE", 16, true, false},
    {"TLS_EXPORTER", 44, true, false},
};

static enum screen_verdict judge_one(const char *name, struct span value)
{
	struct buf parameters = {0};

	add_pair(&parameters, span_of(name), value);
	return judge(head_of(maker_keep(&parameters), 65535, 0));
}

static void test_limits(void **state)
{
	static unsigned char long_value[200000];

	(void)state;
	memset(long_value, 'x', sizeof(long_value));
	for (size_t i = 0; i < COUNT(variables); i++) {
		const char *name = variables[i].name;
		struct request_rule rule;
		assert_true(request_rule(span_of(name), &rule));
		assert_in_range(rule.most, variables[i].fits, 128 << 10);
		assert_int_equal(
		    judge_one(name, (struct span){long_value, rule.most}), SCREEN_GOOD);
		assert_int_equal(
		    judge_one(name, (struct span){long_value, rule.most + 1}), SCREEN_FAULTY);
	}
	assert_int_equal(judge_one("HTTP_X", (struct span){long_value, 200000}), SCREEN_GOOD);
}

static void test_controls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(variables); i++) {
		for (unsigned c = 1; c < 256; c++) {
			const unsigned char value[] = {'a', (unsigned char)c, 'b'};
			bool line = c == '\r' || c == '\n';
			bool control = (c < 0x20 && c != '\t') || c == 0x7f;
			bool faulty = variables[i].text && control && !(line && variables[i].lines);
			assert_int_equal(
			    judge_one(variables[i].name, (struct span){value, sizeof(value)}),
			    faulty ? SCREEN_FAULTY : SCREEN_GOOD);
		}
	}
	assert_int_equal(judge_one("HTTP_X", BYTES("a\r\nb")), SCREEN_GOOD);
}

static enum screen_verdict judge_environment(char *one, char *other)
{
	char *environment[] = {"PATH=/bin:\nx", "HTTPS=on", "nothing", one, other, NULL};
	const char *fault;
	enum screen_verdict verdict = screen_environment(environment, &fault);

	assert_int_equal(fault == NULL, verdict == SCREEN_GOOD);
	return verdict;
}

static void test_environment(void **state)
{
	struct buf value = {0};

	(void)state;
	assert_int_equal(judge_environment("A=", "SSL_CLIENT_CERT=a\nb"), SCREEN_GOOD);
	assert_int_equal(judge_environment("HTTPS=on", "A=a=b"), SCREEN_GOOD);
	assert_int_equal(judge_environment("HTTPS=off", "HTTPS=on"), SCREEN_FAULTY);
	assert_int_equal(judge_environment("HTTPS=", NULL), SCREEN_FAULTY);
	assert_int_equal(judge_environment("SSL_CIPHER=a\nb", NULL), SCREEN_FAULTY);
	assert_int_equal(judge_environment("HTTP_USER_AGENT=\33[2J", NULL), SCREEN_FAULTY);
	buf_add_string(&value, "REMOTE_ADDR=");
	for (size_t i = 0; i < 4000; i++)
		buf_add_byte(&value, '1');
	assert_int_equal(judge_environment(NULL, NULL), SCREEN_GOOD);
	assert_int_equal(
	    judge_environment((char *)(uintptr_t)buf_string(&value), NULL), SCREEN_FAULTY);
	buf_free(&value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_more),
	    TEST(test_broken_records),
	    TEST(test_broken_lengths),
	    TEST(test_too_many_records),
	    TEST(test_nul),
	    TEST(test_twice),
	    TEST(test_limits),
	    TEST(test_controls),
	    TEST(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
