/*
 * profile_sample.h - a certificate to be as a profile has it: to prove that there can be one, and
 * for people to look at.
 */
#ifndef EST_PROFILE_SAMPLE_H
#define EST_PROFILE_SAMPLE_H

#include "common/pki/profile.h"

/* Start it as {0}; profile_sample_clear(). */
struct profile_sample {
	struct csr csr; /* key, names and nothing else: no request that anybody could send */
	struct profile_names names;
	struct buf spki, subject, extensions; /* DER, as struct cert_plan has them */
	struct buf text[SAN_KINDS];           /* what csr.wishes.sans leads into */
};

/*
 * Makes one with all names that the profile grants or fixes, of values that its patterns take, and
 * a public key of that word of its keys, which nobody has the private half of; with `empty`,
 * without a subject but for what the profile gives. EST_MALFORMED, EST_FORBIDDEN: profile_names()
 * would not have it; EST_INTERNAL.
 */
enum outcome profile_sample_make(
    const struct profile *profile, const char *key, bool empty, struct profile_sample *out);
void profile_sample_clear(struct profile_sample *sample);

#endif
