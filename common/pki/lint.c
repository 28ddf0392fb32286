#include "common/pki/lint.h"

#include "common/pki/lint_parts.h"

/*
 * A rule. about: the extension that it is about, without which it does not apply; LINT_KNOWN: it
 * always does. ends: where it is broken there is nothing more to look at.
 */
struct rule {
	const char *name, *section;
	lint_check *check;
	enum lint_known about;
	bool ends;
};

#define ALWAYS LINT_KNOWN

static const struct rule rules[] = {
    {"structure", "RFC 5280 4.1", lint_structure, ALWAYS, true},
    {"trailing", "RFC 5280 4.1", lint_trailing, ALWAYS, false},
    {"size", "", lint_size, ALWAYS, false},
    {"version", "RFC 5280 4.1.2.1", lint_version, ALWAYS, false},

    {"serial-der", "X.690 8.3.2", lint_serial_der, ALWAYS, false},
    {"serial-zero", "RFC 5280 4.1.2.2", lint_serial_zero, ALWAYS, false},
    {"serial-negative", "RFC 5280 4.1.2.2", lint_serial_negative, ALWAYS, false},
    {"serial-long", "RFC 5280 4.1.2.2", lint_serial_long, ALWAYS, false},
    {"serial-short", "CA/B BR 7.1", lint_serial_short, ALWAYS, false},
    {"algorithm-wanted", "RFC 5280 4.1.2.3", lint_algorithm_wanted, ALWAYS, false},

    {"issuer-empty", "RFC 5280 4.1.2.4", lint_issuer_empty, ALWAYS, false},
    {"issuer-wanted", "RFC 5280 4.1.2.4", lint_issuer_wanted, ALWAYS, false},

    {"validity-form", "RFC 5280 4.1.2.5", lint_validity_form, ALWAYS, false},
    {"validity-type", "RFC 5280 4.1.2.5", lint_validity_type, ALWAYS, false},
    {"validity-order", "RFC 5280 4.1.2.5", lint_validity_order, ALWAYS, false},
    {"validity-ca", "RFC 5280 6.1.3", lint_validity_ca, ALWAYS, false},
    {"validity-profile", "RFC 5280 4.1.2.5", lint_validity_profile, ALWAYS, false},

    {"name-form", "RFC 5280 4.1.2.4", lint_name_form, ALWAYS, false},
    {"name-nul", "RFC 5280 4.1.2.4", lint_name_nul, ALWAYS, false},
    {"name-control", "RFC 5280 4.1.2.4", lint_name_control, ALWAYS, false},
    {"name-string", "RFC 5280 4.1.2.4", lint_name_string, ALWAYS, false},
    {"name-length", "X.520", lint_name_length, ALWAYS, false},
    {"name-order", "X.690 11.6", lint_name_order, ALWAYS, false},
    {"subject-empty", "RFC 5280 4.1.2.6", lint_subject_empty, ALWAYS, false},
    {"subject-ca", "RFC 5280 4.1.2.6", lint_subject_ca, ALWAYS, false},
    {"subject-profile", "RFC 7030 4.2.3", lint_subject_profile, ALWAYS, false},
    {"subject-fixed", "RFC 7030 4.2.3", lint_subject_fixed, ALWAYS, false},
    {"subject-pattern", "RFC 7030 4.2.3", lint_subject_pattern, ALWAYS, false},

    {"spki-key", "RFC 5280 4.1.2.7", lint_spki_key, ALWAYS, false},
    {"spki-profile", "RFC 7030 4.2.3", lint_spki_profile, ALWAYS, false},
    {"unique-ids", "RFC 5280 4.1.2.8", lint_unique_ids, ALWAYS, false},

    {"extensions-missing", "RFC 5280 4.2", lint_extensions_missing, ALWAYS, false},
    {"extensions-empty", "RFC 5280 4.1", lint_extensions_empty, ALWAYS, false},
    {"extension-form", "RFC 5280 4.2", lint_extension_form, ALWAYS, false},
    {"extension-default", "X.690 11.5", lint_extension_default, ALWAYS, false},
    {"extension-twice", "RFC 5280 4.2", lint_extension_twice, ALWAYS, false},
    {"extension-unknown", "RFC 5280 4.2", lint_extension_unknown, ALWAYS, false},
    {"extension-ca", "RFC 5280 4.2.1", lint_extension_ca, ALWAYS, false},
    {"extension-critical", "RFC 5280 4.2.1", lint_extension_critical, ALWAYS, false},
    {"fixed-missing", "RFC 7030 4.2.3", lint_fixed_missing, ALWAYS, false},
    {"fixed-value", "RFC 7030 4.2.3", lint_fixed_value, ALWAYS, false},
    {"fixed-critical", "RFC 7030 4.2.3", lint_fixed_critical, ALWAYS, false},
    {"extension-profile", "RFC 7030 4.2.3", lint_extension_profile, ALWAYS, false},

    {"bc-missing", "RFC 5280 4.2.1.9", lint_bc_missing, ALWAYS, false},
    {"bc-critical", "RFC 5280 4.2.1.9", lint_profile_critical, LINT_BC, false},
    {"bc-form", "RFC 5280 4.2.1.9", lint_bc_form, LINT_BC, false},
    {"bc-ca", "RFC 5280 4.2.1.9", lint_bc_ca, LINT_BC, false},
    {"bc-default", "X.690 11.5", lint_bc_default, LINT_BC, false},
    {"bc-path", "RFC 5280 4.2.1.9", lint_bc_path, LINT_BC, false},

    {"ku-missing", "RFC 5280 4.2.1.3", lint_ku_missing, ALWAYS, false},
    {"ku-critical", "RFC 5280 4.2.1.3", lint_critical, LINT_KU, false},
    {"ku-form", "RFC 5280 4.2.1.3", lint_ku_form, LINT_KU, false},
    {"ku-zero", "RFC 5280 4.2.1.3", lint_ku_zero, LINT_KU, false},
    {"ku-der", "X.690 11.2.2", lint_ku_der, LINT_KU, false},
    {"ku-ca", "RFC 5280 4.2.1.3", lint_ku_ca, LINT_KU, false},
    {"ku-key", "RFC 8813 3", lint_ku_key, LINT_KU, false},
    {"ku-profile", "RFC 7030 4.2.3", lint_ku_profile, LINT_KU, false},

    {"eku-missing", "RFC 5280 4.2.1.12", lint_eku_missing, ALWAYS, false},
    {"eku-critical", "RFC 5280 4.2.1.12", lint_profile_not_critical, LINT_EKU, false},
    {"eku-empty", "RFC 5280 4.2.1.12", lint_eku_empty, LINT_EKU, false},
    {"eku-twice", "RFC 5280 4.2.1.12", lint_eku_twice, LINT_EKU, false},
    {"eku-any", "RFC 5280 4.2.1.12", lint_eku_any, LINT_EKU, false},
    {"eku-profile", "RFC 7030 4.2.3", lint_eku_profile, LINT_EKU, false},

    {"ski-missing", "RFC 5280 4.2.1.2", lint_ski_missing, ALWAYS, false},
    {"ski-critical", "RFC 5280 4.2.1.2", lint_not_critical, LINT_SKI, false},
    {"ski-form", "RFC 5280 4.2.1.2", lint_ski_form, LINT_SKI, false},
    {"ski-wanted", "RFC 7093 2", lint_ski_wanted, LINT_SKI, false},

    {"aki-missing", "RFC 5280 4.2.1.1", lint_aki_missing, ALWAYS, false},
    {"aki-critical", "RFC 5280 4.2.1.1", lint_not_critical, LINT_AKI, false},
    {"aki-form", "RFC 5280 4.2.1.1", lint_aki_form, LINT_AKI, false},
    {"aki-key", "RFC 5280 4.2.1.1", lint_aki_key, LINT_AKI, false},
    {"aki-issuer", "RFC 5280 4.2.1.1", lint_aki_issuer, LINT_AKI, false},
    {"aki-wanted", "RFC 5280 4.2.1.1", lint_aki_wanted, LINT_AKI, false},

    {"san-missing", "RFC 9525 2", lint_san_missing, ALWAYS, false},
    {"san-critical", "RFC 5280 4.2.1.6", lint_san_critical, LINT_SAN, false},
    {"san-empty", "RFC 5280 4.2.1.6", lint_san_empty, LINT_SAN, false},
    {"san-form", "RFC 5280 4.2.1.6", lint_san_form, LINT_SAN, false},
    {"san-nul", "RFC 5280 4.2.1.6", lint_san_nul, LINT_SAN, false},
    {"san-name", "RFC 5280 4.2.1.6", lint_san_name, LINT_SAN, false},
    {"san-profile", "RFC 7030 4.2.3", lint_san_profile, LINT_SAN, false},
    {"san-fixed", "RFC 7030 4.2.3", lint_san_fixed, ALWAYS, false},
    {"san-pattern", "RFC 7030 4.2.3", lint_san_pattern, LINT_SAN, false},

    {"aia-critical", "RFC 5280 4.2.2.1", lint_not_critical, LINT_AIA, false},
    {"aia-url", "RFC 5280 4.2.2.1", lint_url, LINT_AIA, false},
    {"cdp-critical", "RFC 5280 4.2.1.13", lint_not_critical, LINT_CDP, false},
    {"cdp-url", "RFC 5280 4.2.1.13", lint_url, LINT_CDP, false},

    /* by comparison: what else is wrong with it has been said */
    {"serial-wanted", "RFC 5280 4.1.2.2", lint_serial_wanted, ALWAYS, false},
    {"validity-wanted", "RFC 5280 4.1.2.5", lint_validity_wanted, ALWAYS, false},
    {"subject-wanted", "RFC 5280 4.1.2.6", lint_subject_wanted, ALWAYS, false},
    {"spki-wanted", "RFC 5280 4.1.2.7", lint_spki_wanted, ALWAYS, false},
    {"san-wanted", "RFC 5280 4.2.1.6", lint_san_wanted, ALWAYS, false},

    {"extension-der", "RFC 5280 4.2", lint_extension_der, ALWAYS, false},
    {"der", "RFC 5280 4.1", lint_der, ALWAYS, false},
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

static const char *run(struct lint *lint, const struct rule *rule)
{
	if (rule->about != ALWAYS) {
		lint->at = lint->known[rule->about];
		if (lint->at == NULL)
			return NULL;
	}
	return rule->check(lint);
}

enum outcome lint_tbs(struct span tbs, const struct lint_want *want)
{
	enum outcome outcome = EST_OK;
	struct lint lint;

	lint_parts(tbs, want, &lint);
	for (size_t i = 0; i < RULES && outcome == EST_OK; i++) {
		const char *what = run(&lint, &rules[i]);
		if (what != NULL)
			outcome = refuse(SERVER_LINT, "%s: %s%s%s%s", rules[i].name, what,
			    rules[i].section[0] == '\0' ? "" : " (", rules[i].section,
			    rules[i].section[0] == '\0' ? "" : ")");
	}
	lint_clear(&lint);
	return outcome;
}

unsigned lint_each(
    struct span tbs, const struct lint_want *want, lint_finding *finding, void *context)
{
	struct lint lint;
	unsigned findings = 0;

	lint_parts(tbs, want, &lint);
	for (size_t i = 0; i < RULES; i++) {
		const char *what = run(&lint, &rules[i]);
		if (what == NULL)
			continue;
		finding(context, rules[i].name, rules[i].section, what);
		findings++;
		if (rules[i].ends)
			break;
	}
	lint_clear(&lint);
	return findings;
}
