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
};

/* Compiles; EST_MALFORMED with path:line for words that nobody knows. *out: profile_free(). */
enum outcome profile_make(
    const char *path, const struct config_profile *config, struct profile **out);
void profile_free(struct profile *profile);

/* Whether the profile allows what the request asks for; EST_MALFORMED (RFC 7030 4.2.3) says what
 * not. */
enum outcome profile_check(const struct profile *profile, const struct csr *csr);

/*
 * Appends the extensions of a certificate for a request that passed profile_check(): Extension,
 * Extension, ... Everything is built from parsed values; nothing of the request is copied. sans may
 * differ from the request's.
 */
void profile_extensions(
    const struct profile *profile, const struct csr *csr, const struct sans *sans, struct buf *out);

#endif
