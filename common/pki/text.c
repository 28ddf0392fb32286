#include "common/pki/text.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/base/utf8.h"

static bool is_letter_or_digit(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_printable(unsigned char c)
{
	return is_letter_or_digit(c) || (c != '\0' && strchr(" '()+,-./:=?", c) != NULL);
}

static bool is_numeric(unsigned char c)
{
	return (c >= '0' && c <= '9') || c == ' ';
}

static bool is_ascii(unsigned char c)
{
	return c < 0x80;
}

/*
 * Octets a character (0: UTF-8), the highest one, and where the type has an alphabet of its own,
 * which bytes are in it.
 */
static const struct string_type {
	unsigned tag;
	size_t width;
	uint32_t most;
	bool (*in_alphabet)(unsigned char c);
} string_types[] = {
    {DER_UTF8, 0, 0x10ffff, NULL},
    {DER_PRINTABLE, 1, 0x7f, is_printable},
    {DER_IA5, 1, 0x7f, is_ascii},
    {DER_NUMERIC, 1, 0x7f, is_numeric},
    {DER_VISIBLE, 1, 0x7f, is_ascii},
    {DER_TELETEX, 1, 0xff, NULL}, /* read as Latin-1, as everybody does */
    {DER_BMP, 2, 0xffff, NULL},
    {DER_UNIVERSAL, 4, 0x10ffff, NULL},
};

static const struct string_type *string_type_of(unsigned tag)
{
	for (size_t i = 0; i < sizeof(string_types) / sizeof(string_types[0]); i++)
		if (string_types[i].tag == tag)
			return &string_types[i];
	return NULL;
}

/* Takes one character off a string of the given width; 0 octets where it is none. */
static size_t take_character(struct span text, size_t width, uint32_t *c)
{
	if (width == 0)
		return utf8_decode(text, c);
	if (text.len < width)
		return 0;
	*c = 0;
	for (size_t i = 0; i < width; i++)
		*c = *c << 8 | text.data[i];
	return width;
}

enum outcome text_parse(const struct der *value, struct buf *out, size_t *characters)
{
	const struct string_type *type = string_type_of(value->tag);
	struct span rest = value->content;

	if (type == NULL)
		return refuse(CSR_NAME_TYPE,
		    "a name holds a value that is not a text string (tag 0x%02x)", value->tag);
	*characters = 0;
	while (rest.len > 0) {
		uint32_t c;
		size_t used = take_character(rest, type->width, &c);
		if (used == 0 || c > type->most)
			return refuse(CSR_NAME_ENCODING,
			    "a name holds bytes that its string type does not allow");
		if (c == 0)
			return refuse(CSR_NAME_NUL, "a name holds a NUL; leave it out");
		if (utf8_is_control(c))
			return refuse(CSR_NAME_CONTROL,
			    "a name holds the control character U+%04X; leave it out", (unsigned)c);
		if (!utf8_encode(out, c))
			return refuse(CSR_NAME_ENCODING,
			    "a name holds U+%04X, which is no character", (unsigned)c);
		rest.data += used;
		rest.len -= used;
		(*characters)++;
	}
	return EST_OK;
}

bool text_fits(unsigned tag, struct span text)
{
	const struct string_type *type = string_type_of(tag);

	if (type == NULL || type->in_alphabet == NULL)
		return type != NULL;
	for (size_t i = 0; i < text.len; i++)
		if (!type->in_alphabet(text.data[i]))
			return false;
	return true;
}
