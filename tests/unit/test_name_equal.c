/*
 * When two names are the same (RFC 5280 7.1), and what a name is encoded to afresh.
 */
#include "maker.h"

#include <string.h>

#include <openssl/x509.h>

#include "common/pki/name.h"

#define CN "06{550403}"
#define O  "06{55040a}"

static bool same(const char *a, const char *b)
{
	struct name x, y;
	bool equal;

	assert_outcome(EST_OK, name_parse(maker_der(a), &x));
	assert_outcome(EST_OK, name_parse(maker_der(b), &y));
	equal = name_equal(&x, &y);
	assert_int_equal(name_equal(&y, &x), equal);
	assert_true(name_equal(&x, &x));
	name_clear(&x);
	name_clear(&y);
	return equal;
}

static bool same_value(const char *a, const char *b)
{
	struct buf x = {0}, y = {0};
	bool equal;

	buf_printf(&x, "30{31{30{" CN "%s}}}", a);
	buf_printf(&y, "30{31{30{" CN "%s}}}", b);
	equal = same(buf_string(&x), buf_string(&y));
	buf_free(&x);
	buf_free(&y);
	return equal;
}

static void test_same(void **state)
{
	(void)state;
	assert_true(same_value("0c{'Pump-7'}", "13{'pump-7'}"));
	assert_true(same_value("0c{'pump'}", "1e{00'P'00'U'00'M'00'P'}"));
	assert_true(same_value("0c{'pump'}", "1c{000000'p'000000'u'000000'm'000000'p'}"));
	assert_true(same_value("14{e9}", "0c{c3a9}"));
	assert_true(same_value("0c{'  a   b '}", "0c{'A b'}"));
	assert_true(same_value("16{'a@b'}", "0c{'a@b'}"));
	assert_true(same("30{}", "30{}"));
}

static void test_different(void **state)
{
	(void)state;
	assert_false(same_value("0c{'pump'}", "0c{'pumps'}"));
	assert_false(same_value("0c{'pump'}", "0c{'pum'}"));
	assert_false(same_value("0c{'a b'}", "0c{'ab'}"));
	assert_false(same_value("0c{'a'}", "0c{d0b0}"));         /* Cyrillic */
	assert_false(same_value("0c{'a'c2a0'b'}", "0c{'a b'}")); /* a space that does not break */
	assert_false(same_value("0c{'a@'}", "0c{'a`'}")); /* a bit apart, as letter case is */
	assert_false(same_value("0c{'['}", "0c{'{'}"));
	assert_false(same_value("0c{' '}", "0c{'a'}"));
	assert_false(same("30{31{30{" CN "0c{'a'}}}}", "30{31{30{" O "0c{'a'}}}}"));
	assert_false(same("30{31{30{" CN "0c{'a'}}}}", "30{}"));
	assert_false(
	    same("30{31{30{" CN "0c{'a'}}}}", "30{31{30{" CN "0c{'a'}}}31{30{" O "0c{'b'}}}}"));
	assert_false(same("30{31{30{06{2a0304}0c{'a'}}}}", "30{31{30{06{2a0305}0c{'a'}}}}"));
}

/* The order of RDNs counts; that of the attributes of one RDN, a set, does not. */
static void test_rdns(void **state)
{
	static const char apart[] = "30{31{30{" CN "0c{'a'}}}31{30{" O "0c{'b'}}}}";

	(void)state;
	assert_false(same(apart, "30{31{30{" O "0c{'b'}}}31{30{" CN "0c{'a'}}}}"));
	assert_false(same(apart, "30{31{30{" CN "0c{'a'}}30{" O "0c{'b'}}}}"));
	assert_true(same("30{31{30{" CN "0c{'a'}}30{" O "0c{'b'}}}}",
	    "30{31{30{" CN "13{'A'}}30{" O "13{'B'}}}}"));
	assert_false(same("30{31{30{" CN "0c{'a'}}30{" O "0c{'b'}}}}",
	    "30{31{30{" CN "0c{'a'}}30{" O "0c{'c'}}}}"));
}

/*
 * DER sorts a SET by its octets, so one attribute in another string type stands at another place.
 */
static void test_rdn_is_a_set(void **state)
{
	(void)state;
	assert_true(same("30{31{30{" CN "0c{'a'}}30{" O "0c{'bb'}}}}",
	    "30{31{30{" O "0c{'bb'}}30{" CN "1e{00'a'}}}}"));
}

static void encodes(const char *notation, const char *wanted)
{
	struct name name;
	struct buf out = {0};

	assert_outcome(EST_OK, name_parse(maker_der(notation), &name));
	name_encode(&name, &out);
	assert_bytes(maker_der(wanted), buf_span(&out));
	buf_free(&out);
	name_clear(&name);
}

static void test_encode(void **state)
{
	(void)state;
	encodes("30{}", "30{}");
	encodes("30{31{30{" CN "13{'pump'}}}}", "30{31{30{" CN "13{'pump'}}}}");
	encodes("30{31{30{" CN "0c{'pump'}}}}", "30{31{30{" CN "0c{'pump'}}}}");
	encodes("30{31{30{" CN "13{'a_b'}}}}", "30{31{30{" CN "0c{'a_b'}}}}");
	encodes("30{31{30{" CN "1e{00'a'00e9}}}}", "30{31{30{" CN "0c{'a'c3a9}}}}");
	encodes("30{31{30{" CN "14{e9}}}}", "30{31{30{" CN "0c{c3a9}}}}");
	encodes("30{31{30{" CN "16{'a'}}}}", "30{31{30{" CN "0c{'a'}}}}");
	encodes("30{31{30{06{550406}0c{'DE'}}}}", "30{31{30{06{550406}13{'DE'}}}}");
	encodes("30{31{30{06{550405}0c{'12'}}}}", "30{31{30{06{550405}13{'12'}}}}");
	encodes("30{31{30{06{2a864886f70d010901}0c{'a@b.c'}}}}",
	    "30{31{30{06{2a864886f70d010901}16{'a@b.c'}}}}");
	encodes("30{31{30{06{0992268993f22c640119}16{'example'}}}}",
	    "30{31{30{06{0992268993f22c640119}16{'example'}}}}");
}

/*
 * OpenSSL reads what is encoded, finds the same name in it, and would encode it to the same octets.
 */
static void test_encode_for_openssl(void **state)
{
	static const char *const names[] = {"CN=pump",
	    "C=DE,ST=Bayern,L=M\xc3\xbcnchen,O=Acme,OU=Pumps,CN=pump 7",
	    "serialNumber=PID:Widget SN:10,CN=x", "emailAddress=a@b.example,UID=u,DC=example"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct span der = maker_name(names[i]);
		const unsigned char *at = der.data, *fresh;
		X509_NAME *wanted = d2i_X509_NAME(NULL, &at, (long)der.len), *got;
		struct name name;
		struct buf out = {0};
		unsigned char *again = NULL;
		int len;
		assert_outcome(EST_OK, name_parse(der, &name));
		name_encode(&name, &out);
		fresh = out.data;
		got = d2i_X509_NAME(NULL, &fresh, (long)out.len);
		assert_non_null(got);
		assert_int_equal(X509_NAME_cmp(wanted, got), 0);
		len = i2d_X509_NAME(got, &again);
		assert_bytes(buf_span(&out), ((struct span){again, (size_t)len}));
		OPENSSL_free(again);
		X509_NAME_free(wanted);
		X509_NAME_free(got);
		buf_free(&out);
		name_clear(&name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_same),
	    TEST(test_different),
	    TEST(test_rdns),
	    TEST(test_rdn_is_a_set),
	    TEST(test_encode),
	    TEST(test_encode_for_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
