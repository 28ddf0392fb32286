/*
 * Patterns of names: against a second, slow and simple reading of pattern.h, and in bounded time.
 */
#include "maker.h"

#include <string.h>

#include "common/base/pattern.h"
#include "common/base/clock.h"

static bool matches(const char *pattern, const char *name)
{
	return pattern_matches(pattern, maker_copy(span_of(name)));
}

static void test_examples(void **state)
{
	(void)state;
	assert_true(matches("pump-7", "pump-7"));
	assert_true(matches("pump-7", "PUMP-7"));
	assert_true(matches("Pump-7", "pump-7"));
	assert_false(matches("pump-7", "pump-70"));
	assert_false(matches("pump-7", "apump-7"));
	assert_false(matches("pump-7", "pump-"));
	assert_true(matches("pump-*.example", "pump-7.example"));
	assert_false(matches("pump-*.example", "pump-7.evil.example"));
	assert_false(matches("pump-*.example", "pump-7.example.evil"));
	assert_false(matches("pump-*.example", "pump-7xexample"));
	assert_false(matches("pump-*", "pump-7.example"));
	assert_true(matches("**.example", "a.b.c.example"));
	assert_false(matches("**.example", "a.b.c.example.evil"));
	assert_true(matches("a**z", "a.b.z"));
	assert_true(matches("*", "any.name/at all"));
	assert_true(matches("*", ""));
	assert_true(matches("**", "a.b"));
	assert_true(matches("*.*", "a.b"));
	assert_false(matches("*.*", "a.b.c"));
	assert_true(matches("*.*.**", "a.b.c.d"));
	assert_true(matches("", ""));
	assert_false(matches("", "a"));
	assert_false(matches("a", ""));
}

/* What a user may ask for on one host reaches no other host, mailbox or URL. */
static void test_star_parts_no_names(void **state)
{
	(void)state;
	assert_false(matches("pump-*.example", "pump-1 or admin@bank.example"));
	assert_false(matches("pump-*.example", "pump-1@bank.example"));
	assert_false(matches("pump-*.example", "pump-1:x@bank.example"));
	assert_false(matches("pump-*.example", "pump-1/x.example"));
	assert_false(matches("pump-*.example", "pump-1,x.example"));
	assert_false(matches("pump-*.example", "pump-1 x.example"));
	assert_true(matches("pump-**.example", "pump-1@bank.example"));
	assert_true(matches("*@mail.example", "pump-1@mail.example"));
	assert_true(matches("2001:db8::*", "2001:db8::1"));
}

/* No character of a pattern but the star means anything but itself. */
static void test_literals(void **state)
{
	(void)state;
	assert_false(matches("a.b", "axb"));
	assert_false(matches("a?c", "abc"));
	assert_true(matches("a?c", "a?c"));
	assert_false(matches("[ab]", "a"));
	assert_false(matches("a\\*", "a*b"));
	assert_true(matches("m\xc3\xbcller-*", "M\xc3\xbcller-1"));
	assert_false(matches("a@", "a`"));
	assert_false(matches("a[", "a{"));
}

/* A star in a name is matched by a star's run, and by nothing else. */
static void test_star_in_name(void **state)
{
	(void)state;
	assert_true(matches("*.example", "*.example"));
	assert_false(matches("pump.example", "*.example"));
	assert_false(matches("pump.example", "*"));
	assert_false(matches("a", "*"));
	assert_false(matches("**b", "a*"));
}

static void test_nul_in_name(void **state)
{
	(void)state;
	assert_false(pattern_matches("pump", maker_copy(BYTES("pump\0"))));
	assert_false(pattern_matches("pump", maker_copy(BYTES("pump\0.evil"))));
	assert_false(pattern_matches("", maker_copy(BYTES("\0"))));
	assert_true(pattern_matches("*", (struct span){NULL, 0}));
	assert_false(pattern_matches("a*", (struct span){NULL, 0}));
}

/* pattern.h said a second time, without any thought of speed. */
static bool oracle(const char *pattern, const char *name)
{
	if (pattern[0] == '*' && pattern[1] == '*')
		return oracle(pattern + 2, name) || (name[0] != '\0' && oracle(pattern, name + 1));
	if (pattern[0] == '*')
		return oracle(pattern + 1, name) ||
		       (name[0] != '\0' && name[0] != '.' && oracle(pattern, name + 1));
	if (pattern[0] == '\0' || name[0] == '\0')
		return pattern[0] == name[0];
	return pattern[0] == name[0] && oracle(pattern + 1, name + 1);
}

/* The text of that number in digits of the alphabet; false when there is none. */
static void spell(unsigned number, const char *alphabet, char text[16])
{
	unsigned base = (unsigned)strlen(alphabet);
	size_t len = 0;

	for (; number > 0; number = (number - 1) / base)
		text[len++] = alphabet[(number - 1) % base];
	text[len] = '\0';
}

/* Every pattern of up to six characters of "ab.*" with every name of up to six of "ab.". */
static void test_all_short(void **state)
{
	char pattern[16], name[16];

	(void)state;
	for (unsigned p = 0; p <= 5460; p++) {
		spell(p, "ab.*", pattern);
		for (unsigned n = 0; n <= 1092; n++) {
			bool wanted;
			spell(n, "ab.", name);
			wanted = strcmp(pattern, "*") == 0 || oracle(pattern, name);
			if (pattern_matches(pattern, span_of(name)) != wanted)
				fail_msg("\"%s\" %s \"%s\"", pattern,
				    wanted ? "should match" : "must not match", name);
		}
	}
}

/* What makes a careless matcher take for ever; the longest name that can be asked for is a URI of
 * 2048 octets. */
static void test_bounded_time(void **state)
{
	static const char *const patterns[] = {"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
	    "**a**a**a**a**a**a**a**a**a**a**a**a**a**b", "**a*a**a*a**a*a**a*a**a*a**a*a**a*a**b",
	    "**aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
	    "***************************b", "**.*a*.*a*.*a*.*a*.*b"};
	char name[2049];
	uint64_t start = clock_milliseconds();

	(void)state;
	for (int dots = 0; dots < 2; dots++) {
		memset(name, 'a', 2048);
		for (size_t i = 1; dots == 1 && i < 2048; i += 2)
			name[i] = '.';
		name[2048] = '\0';
		for (size_t i = 0; i < COUNT(patterns); i++)
			assert_false(matches(patterns[i], name));
	}
	assert_true(clock_milliseconds() - start < 5000);
}

/* --- addresses --- */

/* Octets in hex; or no range at all. */
static bool holds(const char *text, const char *octets)
{
	struct pattern_range range;

	if (!pattern_range_parse(text, &range))
		fail_msg("%s is no range", text);
	return pattern_range_holds(&range, maker_der(octets));
}

static void test_ranges(void **state)
{
	(void)state;
	assert_true(holds("192.0.2.0/24", "c0000200"));
	assert_true(holds("192.0.2.0/24", "c00002ff"));
	assert_false(holds("192.0.2.0/24", "c0000300"));
	assert_false(holds("192.0.2.0/24", "c00001ff"));
	assert_true(holds("192.0.2.128/25", "c0000280"));
	assert_false(holds("192.0.2.128/25", "c000027f"));
	assert_true(holds("192.0.2.4/31", "c0000205"));
	assert_false(holds("192.0.2.4/31", "c0000206"));
	assert_true(holds("192.0.2.7", "c0000207"));
	assert_true(holds("192.0.2.7/32", "c0000207"));
	assert_false(holds("192.0.2.7", "c0000206"));
	assert_true(holds("0.0.0.0/0", "c0000207"));
	assert_true(holds("2001:db8::/32", "20010db8ffffffffffffffffffffffff"));
	assert_false(holds("2001:db8::/32", "20010db9000000000000000000000000"));
	assert_true(holds("2001:0DB8::1", "20010db8000000000000000000000001"));
	assert_true(holds("2000::/3", "3fff0db8000000000000000000000001"));
	assert_false(holds("2000::/3", "4fff0db8000000000000000000000001"));
	assert_true(holds("*", "c0000207"));
	assert_true(holds("*", "20010db8000000000000000000000001"));
	/* the two families have nothing in common, whatever is embedded */
	assert_false(holds("0.0.0.0/0", "00000000000000000000ffffc0000207"));
	assert_false(holds("::/0", "c0000207"));
	assert_false(holds("192.0.2.0/24", "c000020000000000000000000000000a"));
}

/* Every prefix of every length holds what has it, and nothing that differs in its last bit. */
static void test_every_prefix(void **state)
{
	static const unsigned char ones[] = {
	    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

	(void)state;
	for (unsigned bits = 1; bits <= 128; bits++) {
		struct pattern_range range = {.len = 16, .bits = bits};
		unsigned char other[16];
		memcpy(other, ones, 16);
		other[(bits - 1) / 8] ^= (unsigned char)(0x80 >> (bits - 1) % 8);
		for (unsigned bit = 0; bit < bits; bit++)
			range.octets[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
		assert_true(pattern_range_holds(&range, (struct span){ones, 16}));
		assert_false(pattern_range_holds(&range, (struct span){other, 16}));
	}
}

static void test_no_ranges(void **state)
{
	static const char *const wrong[] = {"", "192.0.2", "192.0.2.0.1", "192.0.2.256",
	    "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+24", "192.0.2.0/ 24",
	    "192.0.2.0/24/24", "192.0.2.0/0024", "192.0.2.1/24", "192.0.2.0/23 ", "192.0.3.0/23",
	    "192.0.2.*", "**", "a.example", "2001:db8::/129", "2001:db8::1/64", "2001:db9::/31",
	    "2001:db8:::1", "1:2:3:4:5:6:7:8:9",
	    "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct pattern_range range;
		if (pattern_range_parse(wrong[i], &range))
			fail_msg("%s is taken", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_examples),
	    TEST(test_star_parts_no_names),
	    TEST(test_literals),
	    TEST(test_star_in_name),
	    TEST(test_nul_in_name),
	    TEST(test_all_short),
	    TEST(test_bounded_time),
	    TEST(test_ranges),
	    TEST(test_every_prefix),
	    TEST(test_no_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
