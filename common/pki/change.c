#include "common/pki/change.h"

#include "common/base/refusal.h"
#include "common/pki/csr.h"
#include "common/pki/der.h"

static enum outcome not_a_change(void)
{
	return refuse(CSR_ATTRIBUTE_VALUE,
	    "changeSubjectName is not a DER SEQUENCE of a Name, or GeneralNames, or both");
}

/*
 * Neither of the two is tagged: a Name holds SETs and GeneralNames hold context tags. What is empty
 * is a Name, because GeneralNames never are.
 */
static bool is_name(const struct der *value)
{
	return value->content.len == 0 || value->content.data[0] == DER_SET;
}

static enum outcome parse(struct span value, struct change *out)
{
	struct der sequence, part;
	struct span rest;

	if (der_take(&value, DER_SEQUENCE, &sequence) != EST_OK || value.len > 0)
		return not_a_change();
	rest = sequence.content;
	if (der_take(&rest, DER_SEQUENCE, &part) != EST_OK)
		return not_a_change();
	if (is_name(&part)) {
		if (name_parse(part.whole, &out->name) != EST_OK)
			return EST_MALFORMED;
		if (rest.len == 0)
			return csr_check_names(&out->name, &out->sans);
		if (der_take(&rest, DER_SEQUENCE, &part) != EST_OK)
			return not_a_change();
	}
	if (rest.len > 0)
		return not_a_change();
	if (sans_parse(part.whole, &out->sans) != EST_OK)
		return EST_MALFORMED;
	return csr_check_names(&out->name, &out->sans);
}

enum outcome change_parse(struct span value, struct change *out)
{
	enum outcome outcome = parse(value, out);

	if (outcome != EST_OK)
		change_clear(out);
	return outcome;
}

void change_clear(struct change *change)
{
	name_clear(&change->name);
	change->sans.count = change->sans.others = 0;
}
