#include "common/pki/tree.h"

#include "common/pki/der.h"

#define CONSTRUCTED 0x20
#define CLASS       0xc0
#define NUMBER      0x1f

static bool boolean_ok(struct span content)
{
	return content.len == 1 && (content.data[0] == 0 || content.data[0] == 0xff);
}

static bool null_ok(struct span content)
{
	return content.len == 0;
}

/* X.690 11.2.1: the unused bits are zero. */
static bool bits_ok(struct span content)
{
	unsigned unused;

	if (content.len == 0 || content.data[0] > 7)
		return false;
	unused = content.data[0];
	if (content.len == 1)
		return unused == 0;
	return (content.data[content.len - 1] & ((1U << unused) - 1)) == 0;
}

/* X.690 8.19.2: no arc begins with padding, and the last one ends. */
static bool oid_ok(struct span content)
{
	bool starts = true;

	for (size_t i = 0; i < content.len; i++) {
		if (starts && content.data[i] == 0x80)
			return false;
		starts = (content.data[i] & 0x80) == 0;
	}
	return content.len > 0 && starts;
}

/* What DER says about a universal type; NULL: any content. */
static const struct {
	unsigned number;
	bool constructed;
	bool (*ok)(struct span content);
} types[] = {
    {DER_BOOLEAN, false, boolean_ok},
    {DER_INTEGER, false, der_integer_ok},
    {DER_BIT_STRING, false, bits_ok},
    {DER_NULL, false, null_ok},
    {DER_OID, false, oid_ok},
    {8, true, NULL},             /* EXTERNAL */
    {10, false, der_integer_ok}, /* ENUMERATED */
    {11, true, NULL},            /* EMBEDDED PDV */
    {DER_SEQUENCE & NUMBER, true, NULL},
    {DER_SET & NUMBER, true, NULL},
};

/* X.690 10.2: strings, and all that is not in the table, are primitive. 0 ends BER's indefinite
 * lengths. */
static bool value_ok(const struct der *value)
{
	unsigned number = value->tag & NUMBER;
	bool constructed = (value->tag & CONSTRUCTED) != 0;

	if ((value->tag & CLASS) != 0)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].number == number)
			return types[i].constructed == constructed &&
			       (types[i].ok == NULL || types[i].ok(value->content));
	return number != 0 && !constructed;
}

enum outcome tree_check(struct span der, enum refusal refusal, const char *what)
{
	struct span open[TREE_DEPTH + 1]; /* what is left to read of each value that we are in */
	size_t depth = 1;
	struct der value;

	open[0] = der;
	if (der_next(&der, &value) != EST_OK || der.len > 0)
		return refuse(refusal, "%s is not one DER value", what);
	while (depth > 0) {
		struct span *rest = &open[depth - 1];
		if (rest->len == 0) {
			depth--;
			continue;
		}
		if (der_next(rest, &value) != EST_OK || !value_ok(&value))
			return refuse(refusal,
			    "%s holds something that is BER but not DER, or neither", what);
		if ((value.tag & CONSTRUCTED) == 0)
			continue;
		if (depth > TREE_DEPTH)
			return refuse(refusal, "%s holds values more than %d deep in one another",
			    what, TREE_DEPTH);
		open[depth++] = value.content;
	}
	return EST_OK;
}
