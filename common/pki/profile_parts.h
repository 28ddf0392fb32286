/*
 * profile_parts.h - what the files of a profile share. Of profile*.c alone.
 */
#ifndef EST_PROFILE_PARTS_H
#define EST_PROFILE_PARTS_H

#include "common/base/refusal.h"
#include "common/pki/key_usage.h"
#include "common/pki/profile.h"

#define CA_USAGES (1U << KEY_CERT_SIGN | 1U << CRL_SIGN)

/* EST_MALFORMED: "path:line: key: "word" what". */
enum outcome profile_fault(const char *path, const struct words *words, const char *key,
    const char *word, const char *what);

/* profile_rules.c: fixed names and patterns, out of est.conf. */
enum outcome profile_make_rules(const char *path, struct profile *profile);

/* Whether a request may have an attribute of the type. */
bool profile_grants(const struct profile *profile, const struct name_type *type);

/* Whether every certificate has an attribute of the type, or a SAN of the kind. */
bool profile_fixes(const struct profile *profile, const struct name_type *type);
bool profile_fixes_kind(const struct profile *profile, enum san_kind kind);

/* Whether some pattern of the type or kind takes the value, or there is none of it. */
bool profile_matches(
    const struct profile *profile, const struct name_type *type, struct span value);
bool profile_matches_san(const struct profile *profile, const struct san *san);

/* Whether X.520 and the profile's `names` take a value: read as if it had come in a request. */
enum outcome profile_check_text(
    const struct profile *profile, const struct name_type *type, struct span value);

/* profile_names.c: appends an attribute as an RDN of its own; false where there is no room. */
bool profile_add_attribute(const struct name_type *type, struct span value, struct name *name);

/* profile_check.c: whether a name has the attribute with that very value. */
bool profile_has_value(const struct name *name, const struct name_type *type, struct span value);

/* NAME_PATTERN for a value that the patterns do not take. */
enum outcome profile_check_san(const struct profile *profile, const struct san *san);
enum outcome profile_check_value(
    const struct profile *profile, const struct name_type *type, struct span value);

/* profile_extensions.c: basicConstraints, extKeyUsage and what else is always the same. */
enum outcome profile_make_extensions(const char *path, struct profile *profile);

/*
 * Whether nothing is beyond every profile in what is left of the request's extensions without those
 * that every certificate of the profile has, with these very values: a client that does as csrattrs
 * says asks for them, too.
 */
bool profile_grants_extensions(const struct profile *profile, const struct wishes *wishes);

/*
 * profile_usage.c: the bits to issue: what is asked for as far as it is granted and, with `key`,
 * the request's key can do, so that no wish turns into its opposite.
 */
unsigned profile_usage(const struct profile *profile, const struct csr *csr, bool key);

/* The purposes to issue, as OID, OID, ...: those asked for, else all that are granted. */
struct span profile_purposes(const struct profile *profile, const struct csr *csr);

/* Whether the OID's content is among OIDs that come one behind the other. */
bool profile_holds_oid(struct span oids, struct span oid);

#endif
