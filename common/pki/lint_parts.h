/*
 * lint_parts.h - a certificate taken apart for the lint, and the checks
 * on its parts. Of lint*.c alone.
 *
 * Each check looks at one thing and gives what is wrong with it, or NULL.
 */
#ifndef EST_LINT_PARTS_H
#define EST_LINT_PARTS_H

#include "common/base/refusal.h"
#include "common/pki/der.h"
#include "common/pki/lint.h"

#define LINT_EXTENSIONS_MAX 32

/* Extensions that some check knows; LINT_KNOWN ends them and stands for none. */
enum lint_known {
	LINT_BC,
	LINT_KU,
	LINT_EKU,
	LINT_SAN,
	LINT_SKI,
	LINT_AKI,
	LINT_AIA,
	LINT_CDP,
	LINT_KNOWN
};

struct lint_extension {
	struct span oid, value;
	bool critical, states_default; /* "critical FALSE", which DER leaves out */
	unsigned place;                /* lint_extension.c's: 0 until it has looked */
};

struct lint_time {
	unsigned tag;
	bool read; /* t and year are set */
	int year;
	int64_t t;
};

/* Why one of our parsers would not have a part: its refusal, and the text without the rule. */
struct lint_fault {
	enum refusal code; /* REFUSAL_NONE: it took it */
	char text[160];
};

struct lint {
	const struct lint_want *want; /* never NULL */
	struct span tbs;
	const char *broken; /* why it could not be taken apart; the rest is not set then */
	struct span behind; /* what follows the TBSCertificate */
	struct span version, serial, algorithm, issuer, subject, spki;
	struct lint_time from, until;
	bool unique_ids, has_extensions, extension_broken;
	struct lint_extension extensions[LINT_EXTENSIONS_MAX];
	size_t count;
	const struct lint_extension *known[LINT_KNOWN]; /* NULL where it is missing */

	struct name name; /* of the subject */
	struct lint_fault name_fault, issuer_fault;
	struct key_info key;
	struct lint_fault key_fault;
	struct sans sans;
	struct lint_fault sans_fault;

	const struct lint_extension *at; /* for a check of an extension: that one */
	char text[256];                  /* for a check that has more to say than a constant */
};

/* Takes tbs apart. lint_clear() gives back what was allocated. */
void lint_parts(struct span tbs, const struct lint_want *want, struct lint *out);
void lint_clear(struct lint *lint);

/* Formats into lint->text, and gives it. */
const char *lint_say(struct lint *lint, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes an Extension off the front of *rest. */
bool lint_take_extension(struct span *rest, struct lint_extension *out);

/* Takes the only value of a span, which has that tag. */
bool lint_whole(struct span span, unsigned tag, struct der *out);

/* What is wrong where an extension is missing that every profile has. */
const char *lint_missing(const struct lint *lint, enum lint_known extension);

/* Whether it has to be a CA's certificate. */
bool lint_wants_ca(const struct lint *lint);

/* The extension of that OID that every certificate of the profile has; false: it has none. */
bool lint_fixed(const struct lint *lint, struct span oid, struct lint_extension *out);

/* Whether the OID, content octets, is in the extendedKeyUsage. */
bool lint_has_purpose(const struct lint *lint, struct span oid);

typedef const char *lint_check(struct lint *lint);

/* lint_field.c */
lint_check lint_structure, lint_trailing, lint_size, lint_version, lint_serial_der,
    lint_serial_zero, lint_serial_negative, lint_serial_long, lint_serial_short, lint_serial_wanted,
    lint_algorithm_wanted, lint_validity_form, lint_validity_type, lint_validity_order,
    lint_validity_ca, lint_validity_wanted, lint_validity_profile, lint_spki_key, lint_spki_wanted,
    lint_spki_profile, lint_unique_ids, lint_der;

/* lint_name.c */
lint_check lint_issuer_empty, lint_issuer_wanted, lint_name_form, lint_name_nul, lint_name_control,
    lint_name_string, lint_name_length, lint_name_order, lint_subject_empty, lint_subject_wanted,
    lint_subject_profile, lint_subject_ca, lint_san_form, lint_san_empty, lint_san_nul,
    lint_san_name, lint_san_critical, lint_san_missing, lint_san_wanted, lint_san_profile;

/* lint_extension.c */
lint_check lint_extensions_missing, lint_extensions_empty, lint_extension_form,
    lint_extension_default, lint_extension_twice, lint_extension_der, lint_extension_unknown,
    lint_extension_ca, lint_extension_critical, lint_extension_profile, lint_critical,
    lint_not_critical, lint_profile_critical, lint_profile_not_critical, lint_bc_missing,
    lint_bc_form, lint_bc_ca, lint_bc_default, lint_bc_path, lint_ski_missing, lint_ski_form,
    lint_ski_wanted, lint_aki_missing, lint_aki_form, lint_aki_key, lint_aki_issuer,
    lint_aki_wanted, lint_url;

/* lint_profile.c */
lint_check lint_subject_fixed, lint_subject_pattern, lint_san_fixed, lint_san_pattern,
    lint_fixed_missing, lint_fixed_value, lint_fixed_critical;

/* lint_usage.c */
lint_check lint_ku_missing, lint_ku_form, lint_ku_zero, lint_ku_der, lint_ku_ca, lint_ku_key,
    lint_ku_profile, lint_eku_missing, lint_eku_empty, lint_eku_twice, lint_eku_any,
    lint_eku_profile;

#endif
