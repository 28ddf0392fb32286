/*
 * Requests that are too much: too many of something, too long, too
 * deep, too wide. Each costs little.
 */
#include "maker.h"
#include "refusal_test.h"

#include "csr_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/pki/tree.h"

/* Appends template with the number in hex for its @, so that no OID stands twice. */
static void add_numbered(struct buf *text, const char *template, int number)
{
	const char *at = strchr(template, '@');

	if (at == NULL)
		buf_add_string(text, template);
	else
		buf_printf(
		    text, "%.*s%02x%s", (int)(at - template), template, (unsigned)number, at + 1);
}

/* B6: own limits, reached and passed. */
static void test_limits(void **state)
{
	struct buf text = {0};
	static const struct {
		const char *head, *one, *tail;
		int most;
		bool attributes;
		enum refusal refusal;
	} limits[] = {{"", "30{06{2a03@}04{0500}}", "", 20, false, CSR_EXTENSION_COUNT},
	    {"30{06{551d11}04{30{", "82{'a'}", "}}}", 100, false, CSR_SAN_COUNT},
	    {"30{06{551d25}04{30{", "06{2a03@}", "}}}", 32, false, CSR_EXTENDED_KEY_USAGE},
	    {"a0{", "30{06{2a03@}31{0500}}", "}", 32, true, CSR_ATTRIBUTES}};

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++)
		for (int more = 0; more < 2; more++) {
			buf_reset(&text);
			buf_add_string(&text, limits[i].head);
			for (int k = 0; k < limits[i].most + more; k++)
				add_numbered(&text, limits[i].one, k);
			buf_add_string(&text, limits[i].tail);
			refuses(more == 0 ? REFUSAL_NONE : limits[i].refusal,
			    limits[i].attributes ? with_attributes(buf_string(&text))
						 : with_extensions(buf_string(&text)),
			    limits[i].one);
		}
	buf_free(&text);
	assert_no_faults();
}

/* B6: RDNs, and a challengePassword, which RFC 2985 gives 255 characters. */
static void test_more_limits(void **state)
{
	struct buf text = {0};

	(void)state;
	for (int more = 0; more < 2; more++) {
		struct maker_request request = {
		    .key = "P-256", .digest = "SHA256", .attributes = maker_der("a0{}")};
		buf_reset(&text);
		buf_add_string(&text, "30{");
		for (int k = 0; k < NAME_RDNS_MAX + more; k++)
			buf_add_string(&text, "31{30{06{55040b}0c{'a'}}}");
		buf_add_string(&text, "}");
		request.subject = maker_der(buf_string(&text));
		refuses(more == 0 ? REFUSAL_NONE : CSR_NAME_DER, maker_request(&request), "RDNs");
		buf_reset(&text);
		buf_add_string(&text, "a0{30{" CHALLENGE "31{0c{");
		for (int k = 0; k < 255 + more; k++)
			buf_add_string(&text, "c3a9");
		buf_add_string(&text, "}}}}");
		refuses(more == 0 ? REFUSAL_NONE : CSR_CHALLENGE,
		    with_attributes(buf_string(&text)), "a challenge");
	}
	buf_free(&text);
	assert_no_faults();
}

/* B5: as deep as it may be within the body limit, wherever something unknown may stand. */
static void test_deep(void **state)
{
	struct span nest = {NULL, 0}, value;

	(void)state;
	for (int depth = 0; depth < 3000; depth++)
		nest = maker_der("30{$}", nest);
	refuses(CSR_DER, nest, "SEQUENCEs in SEQUENCEs");
	value = maker_der("a0{30{06{2a0304}31{$}}}", nest);
	refuses(CSR_DER,
	    maker_request(
		&(struct maker_request){.key = "P-256", .digest = "SHA256", .attributes = value}),
	    "in an attribute");
	value = maker_extensions(maker_der("30{06{2a0304}04{$}}", nest));
	refuses(CSR_EXTENSION_DER,
	    maker_request(
		&(struct maker_request){.key = "P-256", .digest = "SHA256", .attributes = value}),
	    "in an extension");
	assert_no_faults();
}

/* A hundred thousand levels, by a process that has little stack and little time. */
static int examine_deep(void *argument)
{
	struct span *der = argument;
	struct rlimit stack = {256 << 10, 256 << 10};
	int refused;

	(void)setrlimit(RLIMIT_STACK, &stack);
	refused = tree_check(*der, CSR_DER, "it") == EST_MALFORMED;
	return refused && examine(*der) == EST_MALFORMED ? 0 : 1;
}

static void test_deeper(void **state)
{
	static const size_t depth = 100000;
	unsigned char *octets = mem_alloc(depth * 6);
	size_t at = depth * 6;
	struct span der;

	(void)state;
	for (size_t i = 0; i < depth; i++) {
		size_t len = depth * 6 - at, count = len > 0xffffff ? 4
						     : len > 0xffff ? 3
						     : len > 0xff   ? 2
						     : len > 0x7f   ? 1
								    : 0;
		if (count == 0) {
			octets[--at] = (unsigned char)len;
		} else {
			for (size_t k = 0; k < count; k++)
				octets[--at] = (unsigned char)(len >> 8 * k);
			octets[--at] = (unsigned char)(0x80 | count);
		}
		octets[--at] = 0x30;
	}
	der = (struct span){octets + at, depth * 6 - at};
	assert_int_equal(maker_bounded(examine_deep, &der, 5), 0);
	free(octets);
}

/*
 * No list inside a request costs more than its length: a megabyte of
 * each, in a second of one process.
 */
static int examine_wide(void *argument)
{
	return examine(*(struct span *)argument) == EST_MALFORMED ? 0 : 1;
}

static struct span repeated(const char *notation, size_t times)
{
	struct span one = maker_der(notation);
	struct buf many = {0};

	for (size_t i = 0; i < times; i++)
		buf_add_span(&many, one);
	return maker_keep(&many);
}

static void test_wide(void **state)
{
	struct span cases[7];

	(void)state;
	cases[0] = maker_der("a0{$}", repeated("30{06{2a0304}31{0500}}", 50000));
	cases[1] = maker_der("a0{30{06{2a0304}31{$00}}}", repeated("0500", 300000));
	cases[2] = maker_extensions(repeated("30{06{2a0304}04{0500}}", 50000));
	cases[3] =
	    maker_extensions(maker_der("30{06{551d25}04{30{$}}}", repeated("06{2a0304}", 100000)));
	cases[4] =
	    maker_extensions(maker_der("30{06{551d11}04{30{$}}}", repeated("a4{30{}}", 100000)));
	cases[5] =
	    maker_extensions(maker_der("30{06{2a0304}04{30{$00}}}", repeated("30{}", 300000)));
	cases[6] = maker_der("a0{30{06{$01}31{0500}}30{06{$01}31{0500}}}", repeated("81", 20000),
	    repeated("81", 20000));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span der = maker_request(&(struct maker_request){
		    .key = "P-256", .digest = "SHA256", .attributes = cases[i]});
		assert_int_equal(maker_bounded(examine_wide, &der, 1), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_limits),
	    TEST(test_more_limits),
	    TEST(test_deep),
	    TEST(test_deeper),
	    TEST(test_wide),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
