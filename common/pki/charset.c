#include "common/pki/charset.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/base/utf8.h"

struct range {
	uint32_t from, to;
};

/*
 * Category Cf of Unicode (format characters: joiners, direction marks, tags), what else
 * Default_Ignorable_Code_Point has, the braille pattern without dots, private use, and
 * noncharacters but the last two of each plane.
 */
static const struct range hidden[] = {
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

/* Category Zs: they look alike. */
static const struct range blanks[] = {
    {0x0020, 0x0020},
    {0x00a0, 0x00a0},
    {0x1680, 0x1680},
    {0x2000, 0x200a},
    {0x202f, 0x202f},
    {0x205f, 0x205f},
    {0x3000, 0x3000},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool in_ranges(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count && ranges[i].from <= c; i++)
		if (c <= ranges[i].to)
			return true;
	return false;
}

static bool is_blank(uint32_t c)
{
	return in_ranges(blanks, COUNT(blanks), c);
}

static bool may_identify(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != 0 && c < 0x80 && strchr(" ._:@-", (int)c) != NULL);
}

static bool may_describe(uint32_t c)
{
	if (c < 0x80)
		return c == 0 || strchr("<>\"\\;`", (int)c) == NULL;
	return (c & 0xfffe) != 0xfffe && !in_ranges(hidden, COUNT(hidden), c);
}

static enum outcome check_value(const struct name_attribute *attribute, struct span value)
{
	bool identifies = attribute->type == NULL || attribute->type->identifies;
	const char *word = attribute->type == NULL ? "unknown attribute" : attribute->type->word;
	bool after_blank = true; /* so that none may come first */

	while (value.len > 0) {
		uint32_t c = 0xfffd;
		size_t used = utf8_decode(value, &c);
		if (used == 0 || !(identifies ? may_identify(c) : may_describe(c)))
			return refuse(CSR_NAME_CHARACTER, "the subject's %s holds U+%04X; %s", word,
			    (unsigned)c,
			    identifies ? "take letters, digits, blanks and . _ : @ - only"
				       : "leave it out");
		value.data += used;
		value.len -= used;
		if (is_blank(c) && (after_blank || value.len == 0))
			return refuse(CSR_NAME_CHARACTER,
			    "the subject's %s has the blank U+%04X at its edge or beside another",
			    word, (unsigned)c);
		after_blank = is_blank(c);
	}
	return EST_OK;
}

enum outcome charset_check(const struct name *name)
{
	for (size_t i = 0; i < name->count; i++)
		if (check_value(&name->attributes[i], name_value(name, &name->attributes[i])) !=
		    EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}
