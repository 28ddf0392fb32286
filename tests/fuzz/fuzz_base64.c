/*
 * fuzz_base64 - a body's base64: what is taken has one form only, blanks apart, and encoding gives
 * it back.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/base/encoding.h"

/* The text without what RFC 8951 3.1 lets stand between its characters. */
static void strip(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\0' || strchr("\r\n \t", text.data[i]) == NULL)
			buf_add_byte(out, text.data[i]);
}

/* Octets, encoded in lines of so many characters, are the same octets after decoding. */
static void check_round(struct span octets, size_t columns)
{
	struct buf text = {0}, again = {0};

	base64_encode(&text, octets, columns);
	for (size_t i = 0, column = 0; i < text.len; i++) {
		column = text.data[i] == '\n' ? 0 : column + 1;
		must(columns == 0 ? text.data[i] != '\n' : column <= columns);
	}
	must(columns == 0 || octets.len == 0 || text.data[text.len - 1] == '\n');
	must((base64_decode(&again, buf_span(&text)) == EST_OK) == (octets.len > 0));
	reason_clear();
	must(span_equal(octets, buf_span(&again)));
	buf_free(&text);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {data, size};
	struct buf decoded = {0}, bare = {0}, encoded = {0};

	reason_clear();
	if (base64_decode(&decoded, text) == EST_OK) {
		must(decoded.len > 0 && decoded.len <= size / 4 * 3);
		strip(text, &bare);
		base64_encode(&encoded, buf_span(&decoded), 0);
		must(span_equal(buf_span(&bare), buf_span(&encoded)));
	} else {
		must(reason_text()[0] != '\0');
	}
	reason_clear();
	check_round(text, 0);
	check_round(text, 4);
	check_round(text, 64);
	check_round(text, 76);
	buf_free(&decoded);
	buf_free(&bare);
	buf_free(&encoded);
	return 0;
}
