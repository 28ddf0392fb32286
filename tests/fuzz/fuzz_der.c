/*
 * fuzz_der - our reader of DER against OpenSSL's of BER: we take exactly what OpenSSL takes and
 * what is DER besides, and see the same in it; and tree_check() takes what is DER to the bottom.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "common/pki/der.h"
#include "common/pki/tree.h"
#include "tests/fuzz/mutate.h"

#define EMBEDDED_PDV 11 /* OpenSSL has no name for it */

/*
 * Whether OpenSSL reads a value there whose header is in DER's shortest form and has one tag octet.
 */
static bool is_der(struct span rest, struct span *content)
{
	const unsigned char *at = rest.data;
	long length = 0;
	int tag = 0, class = 0, how;

	how = ASN1_get_object(&at, &length, &tag, &class, (long)rest.len);
	ERR_clear_error();
	if ((how & 0x80) != 0 || (how & 1) != 0 || tag >= 0x1f || length < 0)
		return false;
	*content = (struct span){at, (size_t)length};
	return (at - rest.data) + length == ASN1_object_size(0, (int)length, tag);
}

/* d2i keeps an INTEGER just where its octets are DER. */
static bool integer_ok(const struct der *value)
{
	const unsigned char *at = value->whole.data;
	ASN1_INTEGER *integer = d2i_ASN1_INTEGER(NULL, &at, (long)value->whole.len);
	bool ok = integer != NULL;

	must(ok == der_integer_ok(value->content));
	ASN1_INTEGER_free(integer);
	return ok;
}

/* OpenSSL forgets unused bits that are set: they are missing where it writes what it has read. */
static bool bits_ok(const struct der *value)
{
	const unsigned char *at = value->whole.data;
	ASN1_BIT_STRING *bits = d2i_ASN1_BIT_STRING(NULL, &at, (long)value->whole.len);
	unsigned char *again = NULL;
	int len = bits == NULL ? 0 : i2d_ASN1_BIT_STRING(bits, &again);
	bool ok = len > 0 && span_equal(value->whole, (struct span){again, (size_t)len});

	ASN1_BIT_STRING_free(bits);
	OPENSSL_free(again);
	return ok;
}

/*
 * An OID that OpenSSL takes has the same text, unless ours stops at an arc that is beyond counting.
 */
static bool oid_ok(const struct der *value)
{
	const unsigned char *at = value->whole.data;
	ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &at, (long)value->whole.len);
	struct buf text = {0}, again = {0};
	bool ok = object != NULL;
	char theirs[1024];
	int len;

	der_oid_text(&text, value->content);
	if (ok && strstr(buf_string(&text), "...") == NULL) {
		len = OBJ_obj2txt(theirs, sizeof(theirs), object, 1);
		if (len > 0 && (size_t)len < sizeof(theirs)) {
			must(strcmp(theirs, buf_string(&text)) == 0);
			must(der_oid_parse(theirs, &again) == EST_OK);
			must(span_equal(buf_span(&again), value->content));
		}
	}
	buf_free(&text);
	buf_free(&again);
	ASN1_OBJECT_free(object);
	reason_clear();
	return ok;
}

/* Whether a value is DER beside what it holds: what X.690 8, 10 and 11 say of its type. */
static bool value_ok(const struct der *value)
{
	bool constructed = (value->tag & 0x20) != 0;

	if (value->tag >= 0x40)
		return true;
	switch (value->tag & 0x1f) {
	case V_ASN1_EOC: return false;
	case V_ASN1_BOOLEAN:
		return !constructed && value->content.len == 1 &&
		       (value->content.data[0] == 0xff || value->content.data[0] == 0);
	case V_ASN1_INTEGER: return !constructed && integer_ok(value);
	case V_ASN1_ENUMERATED: return !constructed && der_integer_ok(value->content);
	case V_ASN1_BIT_STRING: return !constructed && bits_ok(value);
	case V_ASN1_NULL: return !constructed && value->content.len == 0;
	case V_ASN1_OBJECT: return !constructed && oid_ok(value);
	case V_ASN1_EXTERNAL:
	case EMBEDDED_PDV:
	case V_ASN1_SEQUENCE:
	case V_ASN1_SET: return constructed;
	default: return !constructed;
	}
}

/* What we write is what we read. */
static void check_writer(const struct der *value)
{
	struct buf out = {0};

	der_add(&out, value->tag, value->content);
	must(span_equal(buf_span(&out), value->whole));
	buf_free(&out);
}

/* One value off the front, by both readers; false where it is none. */
static bool check_next(struct span *rest, struct der *value)
{
	struct span before = *rest, theirs;

	if (der_next(rest, value) != EST_OK) {
		must(before.data == rest->data && before.len == rest->len);
		must(!is_der(before, &theirs));
		return false;
	}
	must(is_der(before, &theirs));
	must(value->content.data == theirs.data && value->content.len == theirs.len);
	must(value->whole.data == before.data && value->tag == before.data[0]);
	must(rest->data == before.data + value->whole.len);
	must(rest->len == before.len - value->whole.len);
	check_writer(value);
	return true;
}

/* Whether values and nothing else lie there, all of them DER to the bottom. */
static bool check(struct span rest, unsigned depth)
{
	struct der value;
	bool good = true;

	while (rest.len > 0) {
		if (!check_next(&rest, &value))
			return false;
		good = value_ok(&value) && good;
		if ((value.tag & 0x20) != 0)
			good = depth < TREE_DEPTH && check(value.content, depth + 1) && good;
	}
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = {data, size}, rest = all;
	struct der value;
	bool good;

	reason_clear();
	good = check(all, 0);
	good = der_next(&rest, &value) == EST_OK && rest.len == 0 && good;
	must((fuzz_judged(tree_check(all, CSR_DER, "it")) == EST_OK) == good);
	ERR_clear_error();
	return 0;
}

#ifdef EST_FUZZING

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	return seed % 2 == 0 ? LLVMFuzzerMutate(data, size, most)
			     : mutate_der(data, size, most, seed / 2);
}

#endif
