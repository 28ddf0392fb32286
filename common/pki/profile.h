/*
 * profile.h - what a certificate of a kind holds: the compiled form of a profile of est.conf.
 */
#ifndef EST_PROFILE_H
#define EST_PROFILE_H

#include "common/base/config.h"
#include "common/pki/csr.h"

struct profile {
	const struct config_profile *config;
	unsigned key_usage;            /* bit n: KeyUsage bit n */
	struct buf extended_key_usage; /* OID, OID, ... in DER */
	struct buf basic_constraints;  /* the Extension, always the same */
	struct buf extended_extension; /* the Extension that grants all of extended_key_usage */
	bool permissive;               /* names: every character that text_parse() takes */
	bool any_exponent;             /* rsa_exponents */
};

/*
 * Compiles; EST_MALFORMED with path:line for words that nobody knows, and for names that are
 * required but not granted. *out: profile_free().
 */
enum outcome profile_make(
    const char *path, const struct config_profile *config, struct profile **out);
void profile_free(struct profile *profile);

/*
 * Whether the profile allows what the request asks for, and the request has what the profile
 * requires. Refuses with a CSR code (RFC 7030 4.2.3) that says what is too much, or missing.
 */
enum outcome profile_check(const struct profile *profile, const struct csr *csr);

/* Whether the profile's rule for characters (names of est.conf) takes the name as it is. */
bool profile_takes_name(const struct profile *profile, const struct name *name);

/*
 * Appends the extensions of a certificate for a request that passed profile_check(): Extension,
 * Extension, ... Everything is built from parsed values; nothing of the request is copied. sans may
 * differ from the request's.
 */
void profile_extensions(
    const struct profile *profile, const struct csr *csr, const struct sans *sans, struct buf *out);

#endif
