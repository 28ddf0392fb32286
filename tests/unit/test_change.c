/*
 * ChangeSubjectName: names that are taken, and what is none of its two parts.
 */
#include "maker.h"
#include "refusal_test.h"

#include "common/pki/change.h"

#define NAME(value) "30{31{30{06{550403}0c{" value "}}}}"
#define SAN         "30{82{'new.example.com'}}"

/* est-vectors.md 4, and the other two forms: what is not asked for is empty (RFC 6402 2.8). */
static void test_forms(void **state)
{
	static const struct {
		const char *value, *name;
		size_t sans;
	} forms[] = {
	    {"301530133111300f06035504030c086e65772d6e616d65", "new-name", 0},
	    {"302830133111300f06035504030c086e65772d6e616d653011820f6e65772e6578616d706c652e636f6d",
		"new-name", 1},
	    {"30{" SAN "}", "", 1},
	    {"30{30{}" SAN "}", "", 1},
	    {"30{30{87{c0000201}82{'a.example'}}}", "", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct change change = {0};
		assert_outcome(EST_OK, change_parse(maker_der(forms[i].value), &change));
		assert_bytes(span_of(forms[i].name), name_first(&change.name, "CN"));
		assert_int_equal(change.name.count, forms[i].name[0] != '\0');
		assert_int_equal(change.sans.count, forms[i].sans);
		change_clear(&change);
		assert_int_equal(change.name.count + change.sans.count, 0);
	}
}

static void test_wrong(void **state)
{
	static const struct {
		enum refusal wanted;
		const char *value;
	} wrong[] = {
	    {CSR_ATTRIBUTE_VALUE, ""},
	    {CSR_ATTRIBUTE_VALUE, "0500"},
	    {CSR_ATTRIBUTE_VALUE, "30{}"},
	    {CSR_ATTRIBUTE_VALUE, "31{" NAME("'a'") "}"},
	    {CSR_ATTRIBUTE_VALUE, "30{" NAME("'a'") "}00"},
	    {CSR_ATTRIBUTE_VALUE, "30{" NAME("'a'") "0500}"},
	    {CSR_ATTRIBUTE_VALUE, "30{" NAME("'a'") SAN "0500}"},
	    {CSR_ATTRIBUTE_VALUE, "30{" NAME("'a'") SAN SAN "}"},
	    {CSR_ATTRIBUTE_VALUE, "30{" SAN NAME("'a'") "}"},
	    {CSR_ATTRIBUTE_VALUE, "30{" SAN SAN "}"},
	    {CSR_ATTRIBUTE_VALUE, "30{a1{82{'a'}}}"},
	    {CSR_SAN_DER, "30{" NAME("'a'") NAME("'b'") "}"},
	    {CSR_SAN_DER, "30{" NAME("'a'") "30{}}"},
	    {CSR_SAN_DER, "30{30{0500}}"},
	    {CSR_SAN_NAME, "30{30{82{'*.example'}}}"},
	    {CSR_NAME_NUL, "30{30{82{'a'00'b'}}}"},
	    {CSR_NAME_EMPTY, "30{30{}}"},
	    {CSR_NAME_EMPTY, "30{30{a4{30{}}}}"}, /* a directoryName, which we do not issue */
	    {CSR_NAME_EMPTY, "30{" NAME("'  '") "}"},
	    {CSR_NAME_EMPTY, "30{" NAME("") "}"},
	    {CSR_NAME_CONTROL, "30{" NAME("'a'0a'b'") "}"},
	    {CSR_NAME_ENCODING, "30{30{31{30{06{550403}13{'a@b'}}}}}"},
	    {CSR_NAME_FORM, "30{30{31{30{06{550403}0c{'a'}}}31{30{06{550403}0c{'b'}}}}}"},
	    {CSR_NAME_FORM, "30{30{31{30{06{55040a}0c{'a'}}30{06{55040b}0c{'b'}}}}}"},
	    {CSR_NAME_DER, "30{30{31{}}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct change change = {0};
		struct span value = maker_der(wrong[i].value);
		assert_true(
		    refusal_is(wrong[i].wanted, change_parse(value, &change), wrong[i].value));
		assert_int_equal(change.name.count + change.sans.count, 0);
		assert_null(change.name.text.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_forms),
	    TEST(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
