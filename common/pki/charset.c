#include "common/pki/charset.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/base/utf8.h"

/* Category Zs: they look alike. */
static const struct {
	uint32_t from, to;
} blanks[] = {
    {0x0020, 0x0020},
    {0x00a0, 0x00a0},
    {0x1680, 0x1680},
    {0x2000, 0x200a},
    {0x202f, 0x202f},
    {0x205f, 0x205f},
    {0x3000, 0x3000},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool is_blank(uint32_t c)
{
	for (size_t i = 0; i < COUNT(blanks) && blanks[i].from <= c; i++)
		if (c <= blanks[i].to)
			return true;
	return false;
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
	return !utf8_is_hidden(c);
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
