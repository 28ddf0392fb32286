#include <string.h>

#include "common/pki/der.h"
#include "common/pki/key_kind.h"

bool key_terms_of(const char *word, struct key_terms *out)
{
	for (size_t i = 0; i < KEY_KINDS; i++) {
		const struct key_kind *kind = &key_kinds[i];
		if (strcmp(kind->word, word) != 0)
			continue;
		*out = (struct key_terms){.type = kind->oid,
		    .parameters = kind->parameters,
		    .signature = kind->signature,
		    .modulus_bits = kind->family == FAMILY_RSA ? kind->bits : 0,
		    .can_encipher = kind->family == FAMILY_RSA,
		    .can_agree = kind->family == FAMILY_EC};
		return true;
	}
	return false;
}

/* Whether whole is a DER OID of that content. */
static bool names(struct span whole, struct span oid)
{
	struct der value;

	return der_take(&whole, DER_OID, &value) == EST_OK && span_equal(value.content, oid);
}

bool key_type_known(struct span oid)
{
	for (size_t i = 0; i < KEY_KINDS; i++)
		if (names(key_kinds[i].oid, oid))
			return true;
	return false;
}

bool key_curve_known(struct span oid)
{
	for (size_t i = 0; i < KEY_KINDS; i++)
		if (names(key_kinds[i].parameters, oid))
			return true;
	return false;
}
