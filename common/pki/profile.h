/*
 * profile.h - what a certificate of a kind holds: the compiled form of a profile of est.conf.
 */
#ifndef EST_PROFILE_H
#define EST_PROFILE_H

#include "common/base/config.h"
#include "common/base/pattern.h"
#include "common/pki/csr.h"

/* A word of subject_patterns or san_patterns: what it is about, and what values have to match. */
struct profile_pattern {
	const struct name_type *type; /* of a subject attribute; or NULL */
	enum san_kind kind;           /* of a SAN, where type is NULL */
	const char *pattern;          /* pattern_matches(); but of addresses: */
	struct pattern_range range;
};

/* A subject attribute that is in every certificate. */
struct profile_fixed {
	const struct name_type *type;
	struct span value; /* UTF-8 */
};

struct profile {
	const struct config_profile *config;
	unsigned key_usage;               /* bit n: KeyUsage bit n */
	unsigned san_kinds;               /* bit n: enum san_kind n of subject_alt_names */
	const struct name_type **subject; /* of subject */
	size_t subject_count;
	struct buf extended_key_usage; /* OID, OID, ... in DER */
	struct buf basic_constraints;  /* the Extension, always the same */
	struct buf extended_extension; /* the Extension that grants all of extended_key_usage */
	struct buf fixed_extensions;   /* Extension, ...: policies, URLs, extensions of est.conf */
	struct profile_pattern *patterns;
	size_t pattern_count;
	struct profile_fixed *fixed;
	size_t fixed_count;
	struct sans fixed_sans; /* leads into memory */
	struct buf memory;
	bool permissive;    /* names: every character that text_parse() takes */
	bool any_exponent;  /* rsa_exponents */
	bool from_identity; /* subject_from */
	bool san_from_cn;   /* san_from */
};

/*
 * Compiles; EST_MALFORMED with path:line for words that nobody knows, and for what contradicts
 * itself: names that are required but not granted, fixed values that do not match the patterns or
 * that X.520 does not take, a CA's profile without keyCertSign, an extension twice, ...
 * *out: profile_free().
 */
enum outcome profile_make(
    const char *path, const struct config_profile *config, struct profile **out);
void profile_free(struct profile *profile);

/*
 * Whether the profile allows what the request asks for, and the request has what the profile
 * requires. Refuses with a CSR code (RFC 7030 4.2.3) that says what is too much, or missing, or
 * with NAME_PATTERN. Without `key`, the request's key is not looked at: the server makes one.
 */
enum outcome profile_check(const struct profile *profile, const struct csr *csr, bool key);

/* Whether the profile's rule for characters (names of est.conf) takes the name as it is. */
bool profile_takes_name(const struct profile *profile, const struct name *name);

/* The names to issue: parsed, and the subject as DER. profile_names_clear() gives all back. */
struct profile_names {
	struct name name;
	struct sans sans; /* leads into the request, the profile, or memory */
	struct buf memory;
};

/*
 * What certificate names a request gets: those it asks for, with the profile's fixed parts, and
 * with subject_from = "identity" the common name `identity`, which the request's, if it has one,
 * must equal. profile_plain() tells that the names are the request's own, so that nobody need ask.
 * EST_MALFORMED, EST_FORBIDDEN (NAME_PATTERN, NAME_NOT_ALLOWED).
 */
bool profile_plain(const struct profile *profile);
enum outcome profile_names(const struct profile *profile, const struct csr *csr,
    struct span identity, struct profile_names *out);
void profile_names_clear(struct profile_names *names);

/*
 * Whether names are such as every certificate has them, with all fixed parts: for names that are
 * issued as they are, because a certificate that is renewed has them. Refuses with NAME_PATTERN.
 */
enum outcome profile_check_whole(
    const struct profile *profile, const struct name *name, const struct sans *sans);

/*
 * Whether names that a renewal asks for by ChangeSubjectName (RFC 6402 2.8) may be issued as they
 * are: attributes, SAN types, characters, patterns, what is required, all fixed parts. Refuses as
 * profile_check(); with NAME_NOT_ALLOWED where the common name is the identity (subject_from).
 */
enum outcome profile_check_names(
    const struct profile *profile, const struct name *name, const struct sans *sans);

/*
 * Appends the extensions of a certificate for a request that passed profile_check(): Extension,
 * Extension, ... Everything is built from parsed values; nothing of the request is copied. sans may
 * differ from the request's; empty: whether the certificate's subject is.
 */
void profile_extensions(const struct profile *profile, const struct csr *csr,
    const struct sans *sans, bool empty, struct buf *out);

#endif
