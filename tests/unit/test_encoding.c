/*
 * base64 as RFC 4648 and RFC 8951 3.1 have it, hex, and percent encoding.
 */
#include "maker.h"

#include <string.h>

#include <openssl/evp.h>

#include "common/base/encoding.h"

static void decodes(struct span text, struct span wanted)
{
	struct buf out = {0};

	buf_add_string(&out, "before");
	assert_outcome(EST_OK, base64_decode(&out, maker_copy(text)));
	assert_memory_equal(out.data, "before", 6);
	assert_bytes(wanted, ((struct span){out.data + 6, out.len - 6}));
	buf_free(&out);
}

static void refuses(struct span text)
{
	struct buf out = {0};
	enum outcome outcome = base64_decode(&out, maker_copy(text));

	if (outcome == EST_OK)
		print_error("accepted: \"%.*s\"\n", (int)text.len, (const char *)text.data);
	assert_outcome(EST_MALFORMED, outcome);
	buf_free(&out);
}

/* RFC 4648 10 */
static void test_vectors(void **state)
{
	static const char *const vectors[][2] = {{"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct buf out = {0};
		base64_encode(&out, span_of(vectors[i][0]), 0);
		assert_bytes(span_of(vectors[i][1]), buf_span(&out));
		decodes(span_of(vectors[i][1]), span_of(vectors[i][0]));
		buf_free(&out);
	}
}

/* Each value in each of the four places, against OpenSSL; and back. */
static void test_round_trip(void **state)
{
	unsigned char bytes[300], text[500];

	(void)state;
	for (size_t len = 1; len < sizeof(bytes); len++) {
		struct buf out = {0};
		for (size_t i = 0; i < len; i++)
			bytes[i] = (unsigned char)(i * 151 + len * 31);
		(void)EVP_EncodeBlock(text, bytes, (int)len);
		base64_encode(&out, maker_copy((struct span){bytes, len}), 0);
		assert_bytes(span_of((const char *)text), buf_span(&out));
		decodes(buf_span(&out), (struct span){bytes, len});
		buf_free(&out);
	}
}

/* E-05: 64 columns, LF, one final LF and no more, whatever the length. */
static void test_columns(void **state)
{
	unsigned char bytes[1000] = {0};

	(void)state;
	for (size_t len = 1; len <= sizeof(bytes); len++) {
		struct buf flat = {0}, lines = {0}, wanted = {0};
		base64_encode(&flat, (struct span){bytes, len}, 0);
		base64_encode(&lines, (struct span){bytes, len}, 64);
		for (size_t at = 0; at < flat.len; at += 64) {
			buf_add(&wanted, flat.data + at, flat.len - at < 64 ? flat.len - at : 64);
			buf_add_byte(&wanted, '\n');
		}
		assert_bytes(buf_span(&wanted), buf_span(&lines));
		assert_int_equal(lines.len, flat.len + (flat.len + 63) / 64);
		buf_free(&flat);
		buf_free(&lines);
		buf_free(&wanted);
	}
}

static void test_columns_append(void **state)
{
	struct buf out = {0};

	(void)state;
	buf_add_string(&out, "--\n");
	base64_encode(&out, BYTES("foobar"), 4);
	base64_encode(&out, BYTES("foob"), 76);
	assert_bytes(BYTES("--\nZm9v\nYmFy\nZm9vYg==\n"), buf_span(&out));
	buf_free(&out);
}

/* RFC 8951 3.1: CR, LF, SP and TAB may stand anywhere, around and inside the padding too. */
static void test_blanks(void **state)
{
	static const char *const blanks[] = {
	    " ", "\t", "\r", "\n", "\r\n", "\n\n", " \t\r\n \t\r\n"};
	const char *text = "Zm9vYg==";

	(void)state;
	for (size_t b = 0; b < COUNT(blanks); b++)
		for (size_t at = 0; at <= strlen(text); at++) {
			struct buf spaced = {0};
			buf_add(&spaced, text, at);
			buf_add_string(&spaced, blanks[b]);
			buf_add_string(&spaced, text + at);
			decodes(buf_span(&spaced), BYTES("foob"));
			buf_free(&spaced);
		}
	decodes(BYTES("\nZ\nm\n9\nv\nY\ng\n=\n=\n"), BYTES("foob"));
}

/*
 * E-06: any octet outside the alphabet, at any place; the URL-safe digits and NUL are among them.
 */
static void test_alphabet(void **state)
{
	static const char good[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n";

	(void)state;
	for (unsigned c = 0; c < 256; c++)
		for (size_t at = 0; at < 8; at++) {
			unsigned char text[] = "Zm9vYmFy", padded[] = "Zm9vYg==";
			if (c != 0 && strchr(good, (int)c) != NULL)
				continue;
			text[at] = padded[at] = (unsigned char)c;
			refuses((struct span){text, 8});
			refuses((struct span){padded, 8});
		}
	refuses(BYTES("Zm9vYmFy\0"));
	refuses(BYTES("Zm9vYmFy\v"));
	refuses(BYTES("Zm9vYmFy\f"));
	refuses(BYTES("\xef\xbb\xbfZm9vYmFy"));
	refuses(BYTES("Zm9v\xc2\xa0Ym8y"));
}

static void test_padding(void **state)
{
	static const char *const wrong[] = {"", " ", "\r\n", "=", "==", "====", "Z",
	    "Z=", "Z==", "Z===", "Zg", "Zg=", "Zg===", "Zm8",
	    "Zm8==", "Zm9v=", "Zm9v==", "Zm9v===", "Zm9v====", "=Zm9v", "Z=g=", "Zm=8",
	    "Zg==Zg==", "Zm8=Zm8=", "Zg==Zm9v", "Zg== Zm9v", "Zm9vZg==\nZ", "AAAA=AAA", "Zm9vY",
	    "Zm9vYg", "Zm9vYmE", "Zm9vYg==\n=", "Zm9v\n=\n=\n=\n="};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		refuses(span_of(wrong[i]));
}

/* RFC 4648 3.5: every digit before the padding whose last bits stand for nothing. */
static void test_trailing_bits(void **state)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)state;
	for (unsigned value = 0; value < 64; value++) {
		unsigned char two[] = "A?==", three[] = "AA?=";
		unsigned char octet = (unsigned char)(value >> 4),
			      octets[2] = {0, (unsigned char)(value >> 2)};
		two[1] = three[2] = (unsigned char)digits[value];
		if (value % 16 == 0)
			decodes((struct span){two, 4}, (struct span){&octet, 1});
		else
			refuses((struct span){two, 4});
		if (value % 4 == 0)
			decodes((struct span){three, 4}, (struct span){octets, 2});
		else
			refuses((struct span){three, 4});
	}
}

static void test_hex(void **state)
{
	static const char *const wrong[] = {
	    "0", "0g", "g0", " 0", "0x", "+1", "00 ", "000", "-1", "0:"};
	struct buf out = {0};

	(void)state;
	hex_encode(&out, BYTES("\x00\x0f\xf0\xab\xff"));
	assert_bytes(BYTES("000ff0abff"), buf_span(&out));
	buf_reset(&out);
	assert_outcome(EST_OK, hex_decode(&out, maker_copy(BYTES("000ff0ABff"))));
	assert_bytes(BYTES("\x00\x0f\xf0\xab\xff"), buf_span(&out));
	buf_reset(&out);
	assert_outcome(EST_OK, hex_decode(&out, BYTES("")));
	assert_int_equal(out.len, 0);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_outcome(EST_MALFORMED, hex_decode(&out, maker_copy(span_of(wrong[i]))));
	assert_outcome(EST_MALFORMED, hex_decode(&out, BYTES("0\0")));
	buf_free(&out);
}

static void test_percent(void **state)
{
	static const char *const wrong[] = {
	    "%", "a%", "%1", "%1g", "%g1", "%%41", "a%4", "%-1", "%0x41", "% 1"};
	struct buf out = {0};

	(void)state;
	assert_outcome(EST_OK, percent_decode(&out, maker_copy(BYTES("a%2Bb%2fc+%00%FF%25"))));
	assert_bytes(BYTES("a+b/c+\0\xff%"), buf_span(&out));
	buf_reset(&out);
	assert_outcome(EST_OK, percent_decode(&out, maker_copy(BYTES("%2541"))));
	assert_bytes(BYTES("%41"), buf_span(&out));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_outcome(EST_MALFORMED, percent_decode(&out, maker_copy(span_of(wrong[i]))));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_vectors),
	    TEST(test_round_trip),
	    TEST(test_columns),
	    TEST(test_columns_append),
	    TEST(test_blanks),
	    TEST(test_alphabet),
	    TEST(test_padding),
	    TEST(test_trailing_bits),
	    TEST(test_hex),
	    TEST(test_percent),
	};

	return cmocka_run_group_tests(tests, NULL, maker_end);
}
