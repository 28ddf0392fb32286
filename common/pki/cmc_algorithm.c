#include "common/pki/cmc_algorithm.h"

#include "common/pki/der.h"

bool cmc_algorithm_take(struct span *rest, struct span *oid, bool *plain)
{
	struct der sequence, type, parameters;

	if (der_take(rest, DER_SEQUENCE, &sequence) != EST_OK ||
	    der_take(&sequence.content, DER_OID, &type) != EST_OK)
		return false;
	*oid = type.content;
	*plain = sequence.content.len == 0 ||
		 (der_take(&sequence.content, DER_NULL, &parameters) == EST_OK &&
		     parameters.content.len == 0 && sequence.content.len == 0);
	return true;
}
