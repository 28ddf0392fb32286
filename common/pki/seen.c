#include "common/pki/seen.h"

enum sighting seen_add(struct seen *seen, struct span oid)
{
	for (size_t i = 0; i < seen->count; i++)
		if (span_equal(seen->oid[i], oid))
			return AGAIN;
	if (seen->count == seen->most)
		return TOO_MANY;
	seen->oid[seen->count++] = oid;
	return FIRST;
}
