#include "common/pki/pss.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/der.h"

#define DEFAULT_SALT 20
#define MGF1         "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"

static const struct hash {
	struct span oid;
	const char *digest;
	size_t len;
} hashes[] = {
    {DER_OCTETS("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), "SHA256", 32},
    {DER_OCTETS("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), "SHA384", 48},
    {DER_OCTETS("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), "SHA512", 64},
};

/* An AlgorithmIdentifier that is all of rest: its OID, and what follows that. */
static enum outcome take_algorithm(struct span rest, struct span *oid, struct span *parameters)
{
	struct der sequence, first;

	if (der_take(&rest, DER_SEQUENCE, &sequence) != EST_OK || rest.len > 0 ||
	    der_take(&sequence.content, DER_OID, &first) != EST_OK)
		return EST_MALFORMED;
	*oid = first.content;
	*parameters = sequence.content;
	return EST_OK;
}

/* RFC 4055 2.1: a hash's parameters are NULL or absent. */
static const struct hash *hash_of(struct span algorithm)
{
	struct span oid, parameters;

	if (take_algorithm(algorithm, &oid, &parameters) != EST_OK ||
	    (parameters.len > 0 && !DER_IS(parameters, "\x05\x00")))
		return NULL;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (span_equal(hashes[i].oid, oid))
			return &hashes[i];
	return NULL;
}

static const struct hash *mask_hash_of(struct span algorithm)
{
	struct span oid, parameters;

	if (take_algorithm(algorithm, &oid, &parameters) != EST_OK || !DER_IS(oid, MGF1))
		return NULL;
	return hash_of(parameters);
}

/* An INTEGER from 0 to 32767 that is all of rest. */
static enum outcome take_small(struct span rest, size_t *number)
{
	struct der value;

	if (der_take(&rest, DER_INTEGER, &value) != EST_OK || rest.len > 0 ||
	    !der_integer_ok(value.content) || value.content.len > 2 ||
	    (value.content.data[0] & 0x80) != 0)
		return EST_MALFORMED;
	*number = 0;
	for (size_t i = 0; i < value.content.len; i++)
		*number = *number << 8 | value.content.data[i];
	return EST_OK;
}

static enum outcome refused(void)
{
	return refuse(CSR_SIGALG, "the parameters of RSASSA-PSS are not ones that we take: use "
				  "SHA-256, SHA-384 or SHA-512, MGF1 with the same, and trailer "
				  "field 1");
}

/*
 * The hash and MGF1 have defaults too, which stand for SHA-1. Any salt will do, and none: its
 * length adds nothing to a proof of possession.
 */
enum outcome pss_parse(struct span parameters, struct pss *out)
{
	struct der sequence, hash, mask, salt, trailer;
	const struct hash *known;
	size_t field = 1;

	if (der_take(&parameters, DER_SEQUENCE, &sequence) != EST_OK || parameters.len > 0 ||
	    der_take(&sequence.content, DER_CONTEXT_CONSTRUCTED(0), &hash) != EST_OK ||
	    der_take(&sequence.content, DER_CONTEXT_CONSTRUCTED(1), &mask) != EST_OK)
		return refused();
	out->salt_len = DEFAULT_SALT;
	if (der_take(&sequence.content, DER_CONTEXT_CONSTRUCTED(2), &salt) == EST_OK &&
	    take_small(salt.content, &out->salt_len) != EST_OK)
		return refused();
	if (sequence.content.len > 0 &&
	    (der_take(&sequence.content, DER_CONTEXT_CONSTRUCTED(3), &trailer) != EST_OK ||
		sequence.content.len > 0 || take_small(trailer.content, &field) != EST_OK))
		return refused();
	known = hash_of(hash.content);
	if (known == NULL || known != mask_hash_of(mask.content) || field != 1)
		return refused();
	out->digest = known->digest;
	out->digest_len = known->len;
	return EST_OK;
}
