#include "common/base/utf8.h"

/* What a leading byte promises: how many bytes, its own bits, and the least character of that
 * length. */
static const struct {
	unsigned char mask, lead, bits;
	size_t len;
	uint32_t least;
} forms[] = {
    {0x80, 0x00, 0x7f, 1, 0},
    {0xe0, 0xc0, 0x1f, 2, 0x80},
    {0xf0, 0xe0, 0x0f, 3, 0x800},
    {0xf8, 0xf0, 0x07, 4, 0x10000},
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static bool is_character(uint32_t c)
{
	return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

size_t utf8_decode(struct span text, uint32_t *c)
{
	for (size_t f = 0; f < FORMS && text.len > 0; f++) {
		uint32_t value = text.data[0] & forms[f].bits;
		if ((text.data[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (text.len < forms[f].len)
			return 0;
		for (size_t i = 1; i < forms[f].len; i++) {
			if ((text.data[i] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (text.data[i] & 0x3f);
		}
		if (value < forms[f].least || !is_character(value))
			return 0;
		*c = value;
		return forms[f].len;
	}
	return 0;
}

bool utf8_encode(struct buf *out, uint32_t c)
{
	size_t f = 0;

	if (!is_character(c))
		return false;
	while (f + 1 < FORMS && c >= forms[f + 1].least)
		f++;
	buf_add_byte(out, (unsigned char)(forms[f].lead | c >> (6 * (forms[f].len - 1))));
	for (size_t i = forms[f].len - 1; i-- > 0;)
		buf_add_byte(out, (unsigned char)(0x80 | (c >> (6 * i) & 0x3f)));
	return true;
}

bool utf8_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/*
 * Category Cf of Unicode (format characters: joiners, direction marks, tags), what else
 * Default_Ignorable_Code_Point has, the braille pattern without dots, private use, and
 * noncharacters but the last two of each plane.
 */
static const struct {
	uint32_t from, to;
} hidden[] = {
    {0x00ad, 0x00ad},
    {0x034f, 0x034f},
    {0x0600, 0x0605},
    {0x061c, 0x061c},
    {0x06dd, 0x06dd},
    {0x070f, 0x070f},
    {0x0890, 0x0891},
    {0x08e2, 0x08e2},
    {0x115f, 0x1160},
    {0x17b4, 0x17b5},
    {0x180b, 0x180f},
    {0x200b, 0x200f},
    {0x202a, 0x202e},
    {0x2060, 0x206f},
    {0x2800, 0x2800},
    {0x3164, 0x3164},
    {0xe000, 0xf8ff},
    {0xfdd0, 0xfdef},
    {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},
    {0xfff0, 0xfffb},
    {0x110bd, 0x110bd},
    {0x110cd, 0x110cd},
    {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
    {0xf0000, 0x10ffff},
};

bool utf8_is_hidden(uint32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && hidden[i].from <= c; i++)
		if (c <= hidden[i].to)
			return true;
	return (c & 0xfffe) == 0xfffe;
}

void utf8_clean(struct buf *out, struct span text)
{
	while (text.len > 0) {
		uint32_t c;
		size_t used = utf8_decode(text, &c);
		if (used > 0)
			buf_add(out, text.data, used);
		else
			(void)utf8_encode(out, 0xfffd);
		text.data += used > 0 ? used : 1;
		text.len -= used > 0 ? used : 1;
	}
}
