/*
 * profile_usage.c - what a key may be used for: keyUsage (RFC 5280 4.2.1.3) and extKeyUsage
 * (4.2.1.12) of a certificate to be.
 */
#include "common/pki/der.h"
#include "common/pki/profile_parts.h"

bool profile_holds_oid(struct span oids, struct span oid)
{
	struct der one;

	while (oids.len > 0 && der_next(&oids, &one) == EST_OK)
		if (span_equal(one.content, oid))
			return true;
	return false;
}

struct span profile_purposes(const struct profile *profile, const struct csr *csr)
{
	return csr->wishes.has_extended_key_usage ? csr->wishes.extended_key_usage
						  : buf_span(&profile->extended_key_usage);
}

/* What the profile grants for this key: RFC 8813 3 has no encipherment with EC keys, RFC 8410 5
   neither that nor key agreement with Ed25519, and RSA has no key agreement (RFC 4055 1.2). */
static unsigned usage_for(const struct profile *profile, const struct key_info *key)
{
	unsigned never = 0;

	if (!key_can_encipher(key))
		never |= 1U << KEY_ENCIPHERMENT | 1U << DATA_ENCIPHERMENT;
	if (!key_can_agree(key))
		never |= 1U << KEY_AGREEMENT | 1U << ENCIPHER_ONLY | 1U << DECIPHER_ONLY;
	return profile->key_usage & ~never;
}

unsigned profile_usage(const struct profile *profile, const struct csr *csr, bool key)
{
	unsigned usage = key ? usage_for(profile, &csr->key) : profile->key_usage;

	if (csr->wishes.has_key_usage)
		usage &= csr->wishes.key_usage;
	/* RFC 5280 4.2.1.3: these two have no meaning where keyAgreement is not set. */
	if ((usage & 1U << KEY_AGREEMENT) == 0)
		usage &= ~(1U << ENCIPHER_ONLY | 1U << DECIPHER_ONLY);
	return usage;
}
