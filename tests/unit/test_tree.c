/*
 * Trees of DER values: what is BER, cut, or too deep is found wherever it lies.
 */
#include "maker.h"
#include "refusal_test.h"

#include "common/pki/tree.h"

static enum outcome check(const char *notation)
{
	return tree_check(maker_der(notation), CSR_DER, "it");
}

static void test_der(void **state)
{
	static const char *const good[] = {"30{}", "31{}", "0500", "0101ff", "010100", "0201 00",
	    "02{0080}", "02{80}", "0a{01}", "02{ff7f}", "03{00}", "03{0780}", "03{00ff}", "04{}",
	    "04{ff}", "06{2a0304}", "06{2a8648ce3d0201}", "06{8837}", "0c{'a'}", "0c{}", "13{'a'}",
	    "17{'260101000000Z'}", "28{}", "2b{}", "80{}", "80{ff}", "a0{}", "a0{30{}}",
	    "30{30{31{0c{'a'}}}0500a3{8100}}"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!refusal_is(REFUSAL_NONE, check(good[i]), good[i]))
			fail();
}

static void test_not_der(void **state)
{
	static const char *const wrong[] = {"", "30", "30{}00", "30{}30{}", "0500 0500",
	    /* indefinite, too long, and cut lengths */
	    "30 80 0000", "30 81 00", "0c 81 01 'a'", "30 82 0002 0500", "30 84 ffffffff",
	    "30 85 0000000001 00", "30 01", "0c 02 'a'", "9f8101 00",
	    /* values that have another form in DER */
	    "0100", "010101", "0102ffff", "0200", "02{0001}", "02{ff80}", "0a{}", "0a{0000}",
	    "03{}", "03{01}", "03{0880}", "03{07ff}", "05{00}", "06{}", "06{80}", "06{2a8001}",
	    "06{2a81}", "06{802a}",
	    /* what is constructed, and what is primitive */
	    "10{}", "11{}", "08{}", "0b{}", "21{0101ff}", "22{020101}", "23{03{00}}", "24{0400}",
	    "25{}", "26{06{2a}}", "2c{0c{'a'}}", "33{}", "0000", "2000"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct span inner = maker_der(wrong[i]);
		struct span around = maker_der("30{0500a0{$}}", inner);
		if (!refusal_is(CSR_DER, check(wrong[i]), wrong[i]))
			fail();
		/* One level down, several values, or none, are fine. */
		if (inner.len == 0 || strcmp(wrong[i], "30{}30{}") == 0 ||
		    strcmp(wrong[i], "0500 0500") == 0)
			continue;
		if (!refusal_is(CSR_DER, tree_check(around, CSR_DER, "it"), wrong[i]))
			fail();
	}
}

static struct span nest(struct span inner, int depth)
{
	for (int i = 0; i < depth; i++)
		inner = maker_der(i % 2 == 0 ? "30{$}" : "a0{$}", inner);
	return inner;
}

static void test_depth(void **state)
{
	struct span leaf = maker_der("0500");

	(void)state;
	assert_outcome(EST_OK, tree_check(nest(leaf, TREE_DEPTH), CSR_DER, "it"));
	assert_refusal(
	    CSR_ATTRIBUTES, tree_check(nest(leaf, TREE_DEPTH + 1), CSR_ATTRIBUTES, "it"));
	assert_refusal(CSR_ATTRIBUTES, tree_check(nest(leaf, 3000), CSR_ATTRIBUTES, "it"));
	/* Beside one another they may be as many as they like. */
	assert_outcome(
	    EST_OK, tree_check(maker_der("30{$$$}", nest(leaf, TREE_DEPTH - 1),
				   nest(leaf, TREE_DEPTH - 1), nest(leaf, TREE_DEPTH - 1)),
			CSR_DER, "it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_der),
	    TEST(test_not_der),
	    TEST(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
