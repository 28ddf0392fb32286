/*
 * The lint: each class of defective certificate is found by the rule that is meant for
 * it, and what is right is let through. The certificates are put together from DER in
 * the test, not by our encoders.
 */
#include "lint_test.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/cert.h"
#include "common/pki/der.h"
#include "common/pki/lint.h"

#define WORDS(...)                                                                                 \
	{                                                                                          \
		(char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), 7       \
	}
#define ALL_KEYS WORDS("P-256", "P-384", "P-521", "Ed25519", "RSA-2048", "RSA-3072", "RSA-4096")

static struct config_profile device = {.name = (char[]){"device"},
    .validity = 90 * MAKER_DAY,
    .keys = ALL_KEYS,
    .key_usage = WORDS("digitalSignature", "keyEncipherment"),
    .extended_key_usage = WORDS("clientAuth"),
    .subject = WORDS("CN", "O", "C", "serialNumber", "emailAddress", "DC"),
    .subject_alt_names = WORDS("dns", "ip", "email"),
    .empty_subject = true};

static struct words server_auth = WORDS("serverAuth"), uris = WORDS("uri");

/* --- what is wanted --- */

static struct profile *profile;
static struct sans sans = {.san = {{SAN_DNS, DER_OCTETS("pump.example")}}, .count = 1};

static void content(struct span *span)
{
	struct der der;

	assert_int_equal(der_next(span, &der), EST_OK);
	*span = der.content;
}

/* All that is known of the good certificate. */
static struct lint_want wanted(void)
{
	struct span parts[PARTS];
	struct lint_want want = {.authority_key_id = {ca_key_id, sizeof(ca_key_id)},
	    .ca_not_before = MAKER_NOW - 100 * MAKER_DAY,
	    .ca_not_after = MAKER_NOW + 200 * MAKER_DAY,
	    .not_before = MAKER_NOW,
	    .not_after = MAKER_NOW + 90 * MAKER_DAY - 1,
	    .sans = &sans,
	    .profile = profile};

	make_parts(parts);
	want.algorithm = parts[ALGORITHM];
	want.issuer = parts[ISSUER];
	want.serial = parts[SERIAL];
	content(&want.serial);
	want.subject = parts[SUBJECT];
	want.spki = parts[SPKI];
	return want;
}

/* Of the CA and the profile alone, so that a defect cannot be found by comparison. */
static struct lint_want unwanted(void)
{
	struct lint_want want = wanted();

	want.serial = want.subject = want.spki = (struct span){NULL, 0};
	want.not_before = want.not_after = 0;
	want.sans = NULL;
	return want;
}

/* --- what was found --- */

struct findings {
	const char *rule; /* to look for */
	bool found;
	unsigned count;
	char all[1024];
};

static void note(void *context, const char *rule, const char *section, const char *what)
{
	struct findings *findings = context;
	size_t len = strlen(findings->all);

	assert_true(what[0] != '\0');
	assert_non_null(section);
	findings->found = findings->found || strcmp(rule, findings->rule) == 0;
	findings->count++;
	(void)snprintf(findings->all + len, sizeof(findings->all) - len, " %s", rule);
}

static struct findings find(struct span tbs, const struct lint_want *want, const char *rule)
{
	struct findings findings = {.rule = rule};
	unsigned count = lint_each(tbs, want, note, &findings);

	assert_int_equal(count, findings.count);
	assert_string_equal(reason_text(), "");
	return findings;
}

static void assert_good(struct span tbs, const struct lint_want *want)
{
	struct findings findings = find(tbs, want, "");

	assert_string_equal(findings.all, "");
	assert_outcome(EST_OK, lint_tbs(tbs, want));
}

/* The rule is the first that refuses the certificate, and it needs no comparison for it. */
static void assert_found(const char *rule, struct span tbs)
{
	const struct lint_want all = wanted(), few = unwanted();
	struct findings findings = find(tbs, &few, rule);
	struct buf text = {0};

	if (!findings.found)
		print_error("%s: found only%s\n", rule, findings.all);
	assert_true(findings.found);
	assert_int_equal(lint_tbs(tbs, &all), EST_INTERNAL);
	assert_int_equal(refusal_recorded(EST_INTERNAL), SERVER_LINT);
	buf_printf(&text, "%s: %s: ", refusal_row(SERVER_LINT)->rule, rule);
	if (strncmp(reason_text(), buf_string(&text), text.len) != 0)
		print_error("%s: found first: %s\n", rule, reason_text());
	assert_true(strncmp(reason_text(), buf_string(&text), text.len) == 0);
	buf_free(&text);
	reason_clear();
}

/* --- the classes of defects --- */

/* A part of the good certificate, and what in its place breaks which rule. */
static const struct {
	enum part part;
	const char *notation;
	const char *rule;
} defects[] = {
    {VERSION, "", "version"}, /* 1 */
    {VERSION, "a0{020100}", "version"}, {VERSION, "a0{020101}", "version"},
    {VERSION, "a0{020103}", "version"},

    {SERIAL, "02{8a0102030405060708090a0b0c0d0e0f1011}", "serial-negative"},
    {SERIAL, "02{ff0102030405060708090a0b0c0d0e0f1011}", "serial-negative"},
    {SERIAL, "020100", "serial-zero"},
    {SERIAL, "02{4a0102030405060708090a0b0c0d0e0f101112131415161718}", "serial-long"}, /* 25 */
    {SERIAL, "02{4a0102030405060708090a0b0c0d0e0f1011121314}", "serial-long"},         /* 21 */
    {SERIAL, "02{004a02030405060708090a0b0c0d0e0f1011}", "serial-der"},
    {SERIAL, "020101", "serial-short"}, {SERIAL, "02{4a010203040506}", "serial-short"},

    {ALGORITHM, "30{06{2a8648ce3d040303}}", "algorithm-wanted"}, /* SHA-384 */
    {ALGORITHM, "30{06{2a8648ce3d040302}0500}", "algorithm-wanted"},

    {ISSUER, "30{31{30{06{550403}0c{'Issuing'}}}}", "issuer-wanted"},
    {ISSUER, "30{31{30{06{55040a}13{'Acme'}}}31{30{06{550403}0c{'Issuing'}}}}", "issuer-wanted"},
    {ISSUER, "30{31{30{06{55040a}0c{'acme'}}}31{30{06{550403}0c{'Issuing'}}}}", "issuer-wanted"},
    {ISSUER, "30{}", "issuer-empty"},

    {FROM, "17{'2601010000Z'}", "validity-form"},
    {FROM, "17{'260101000000+0000'}", "validity-form"},
    {FROM, "17{'260101000000'}", "validity-form"},
    {FROM, "17{'260229000000Z'}", "validity-form"}, /* no leap year */
    {FROM, "17{'261301000000Z'}", "validity-form"}, {FROM, "17{'260100000000Z'}", "validity-form"},
    {FROM, "17{'260101240000Z'}", "validity-form"}, {UNTIL, "17{'260331235960Z'}", "validity-form"},
    {UNTIL, "17{'260331235959.5Z'}", "validity-form"},
    {UNTIL, "18{'20520331235959.5Z'}", "validity-form"},
    {UNTIL, "18{'205203312359Z'}", "validity-form"},
    {UNTIL, "18{'20520331235959+0100'}", "validity-form"},
    {UNTIL, "0c{'260331235959Z'}", "validity-form"},
    {UNTIL, "18{'20260331235959Z'}", "validity-type"},
    {UNTIL, "18{'20491231235959Z'}", "validity-type"},
    {UNTIL, "17{'500101000000Z'}", "validity-type"},
    {UNTIL, "17{'760331235959Z'}", "validity-type"},
    {UNTIL, "17{'251231235959Z'}", "validity-order"},
    {UNTIL, "17{'260101000000Z'}", "validity-order"},
    {UNTIL, "18{'20500101000000Z'}", "validity-ca"}, {FROM, "17{'250101000000Z'}", "validity-ca"},
    {UNTIL, "17{'260401000000Z'}",
	"validity-profile"}, /* a second too long: RFC 5280 counts both ends */
    {FROM, "17{'251231235959Z'}", "validity-profile"},

    {SUBJECT, "30{31{30{06{550403}0c{'pump'00'.example'}}}}", "name-nul"},
    {SUBJECT, "30{31{30{06{550403}1e{0070007500000070}}}}", "name-nul"},
    {SUBJECT, "30{31{30{06{550403}0c{'pump'0a'.example'}}}}", "name-control"},
    {SUBJECT, "30{31{30{06{550403}0c{'pump'7f}}}}", "name-control"},
    {SUBJECT, "30{31{30{06{550403}0c{'pump'c285}}}}", "name-control"},
    {SUBJECT, "30{31{30{06{550403}0c{'pump'e280ae'x'}}}}", "name-control"},
    {SUBJECT, "30{31{30{06{550403}0c{'pump'ff}}}}", "name-string"},
    {SUBJECT, "30{31{30{06{550403}0c{'pump'eda080}}}}", "name-string"},
    {SUBJECT, "30{31{30{06{550403}13{'pump@example'}}}}", "name-string"},
    {SUBJECT, "30{31{30{06{550403}14{'pump'}}}}", "name-string"}, /* TeletexString */
    {SUBJECT, "30{31{30{06{550403}1e{00700075}}}}", "name-string"},
    {SUBJECT, "30{31{30{06{550403}16{'pump'}}}}", "name-string"},
    {SUBJECT, "30{31{30{06{550403}040101}}}", "name-string"},
    {SUBJECT, "30{31{30{06{550406}0c{'DE'}}}}", "name-string"},
    {SUBJECT, "30{31{30{06{550405}0c{'123'}}}}", "name-string"},
    {SUBJECT, "30{31{30{06{2a864886f70d010901}0c{'a@b.example'}}}}", "name-string"},
    {SUBJECT, "30{31{30{06{550406}13{'DEU'}}}}", "name-length"},
    {SUBJECT, "30{31{30{06{550406}13{'D'}}}}", "name-length"},
    {SUBJECT, "30{31{30{06{550406}13{'42'}}}}", "name-length"},
    {SUBJECT,
	"30{31{30{06{550403}0c{'0123456789012345678901234567890123456789012345678901234567890123"
	"4'}}}}",
	"name-length"},
    {SUBJECT, "30{31{30{06{550403}0c{}}}}", "name-form"}, {SUBJECT, "30{31{}}", "name-form"},
    {SUBJECT, "30{30{30{06{550403}0c{'pump'}}}}", "name-form"},
    {SUBJECT, "30{31{30{06{550403}0c{'pump'}0500}}}", "name-form"},
    {SUBJECT, "30{31{30{06{550403}0c8104'pump'}}}", "name-form"}, /* BER length */
    {SUBJECT, "30{31{30{06{55040a}0c{'b'}}30{06{550403}0c{'a'}}}}", "name-order"},
    {SUBJECT, "30{31{30{06{55040b}0c{'pump'}}}}", "subject-profile"},
    {SUBJECT, "30{31{30{06{2a0304}0c{'pump'}}}}", "subject-profile"},

    {SPKI, "30{30{06{2a8648ce3d0201}06{2a8648ce3d030107}}03{000401}}", "spki-key"},
    {SPKI, "30{30{06{2b656e}}03{00'01234567890123456789012345678901'}}", "spki-key"}, /* X25519 */

    {IDS, "8102000f", "unique-ids"}, {IDS, "8202000f", "unique-ids"},

    {BC, "", "bc-missing"}, {BC, CRITICAL_EXTENSION("551d13", "30{0101ff}"), "bc-ca"},
    {BC, CRITICAL_EXTENSION("551d13", "30{0101ff020100}"), "bc-ca"},
    {BC, CRITICAL_EXTENSION("551d13", "30{010101}"), "bc-ca"}, /* BER's TRUE */
    {BC, CRITICAL_EXTENSION("551d13", "30{010100}"), "bc-default"},
    {BC, CRITICAL_EXTENSION("551d13", "30{020100}"), "bc-path"},
    {BC, CRITICAL_EXTENSION("551d13", "31{}"), "bc-form"},
    {BC, CRITICAL_EXTENSION("551d13", "30{}0500"), "bc-form"},
    {BC, EXTENSION("551d13", "30{}"), "bc-critical"},

    {KU, "", "ku-missing"}, {KU, EXTENSION("551d0f", "03{0780}"), "ku-critical"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{00}"), "ku-zero"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{0700}"), "ku-zero"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{0000}"), "ku-zero"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{0080}"), "ku-der"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{0680}"), "ku-der"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{078000}"), "ku-der"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{0781}"), "ku-der"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{0284}"), "ku-ca"},      /* keyCertSign */
    {KU, CRITICAL_EXTENSION("551d0f", "03{0182}"), "ku-ca"},      /* cRLSign */
    {KU, CRITICAL_EXTENSION("551d0f", "03{05a0}"), "ku-key"},     /* keyEncipherment, EC */
    {KU, CRITICAL_EXTENSION("551d0f", "03{0490}"), "ku-key"},     /* dataEncipherment, EC */
    {KU, CRITICAL_EXTENSION("551d0f", "03{06c0}"), "ku-profile"}, /* nonRepudiation */
    {KU, CRITICAL_EXTENSION("551d0f", "03{0388}"), "ku-profile"}, /* keyAgreement */
    {KU, CRITICAL_EXTENSION("551d0f", "03{}"), "ku-form"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{0880}"), "ku-form"},
    {KU, CRITICAL_EXTENSION("551d0f", "0404{0780}"), "ku-form"},
    {KU, CRITICAL_EXTENSION("551d0f", "03{05008020}"), "ku-form"},

    {EKU, "", "eku-missing"}, {EKU, EXTENSION("551d25", "30{}"), "eku-empty"},
    {EKU, EXTENSION("551d25", "30{0500}"), "eku-empty"},
    {EKU, EXTENSION("551d25", "30{06{551d2500}}"), "eku-any"},
    {EKU, EXTENSION("551d25", "30{06{2b06010505070302}06{551d2500}}"), "eku-any"},
    {EKU, EXTENSION("551d25", "30{06{2b06010505070302}06{2b06010505070302}}"), "eku-twice"},
    {EKU, EXTENSION("551d25", "30{06{2b06010505070301}}"), "eku-profile"},
    {EKU, CRITICAL_EXTENSION("551d25", "30{06{2b06010505070302}}"), "eku-critical"},

    {SKI, "", "ski-missing"}, {SKI, EXTENSION("551d0e", "04{}"), "ski-form"},
    {SKI, EXTENSION("551d0e", "0102030405060708090a0b0c0d0e0f1011121314"), "ski-form"},
    {SKI, EXTENSION("551d0e", "04{0102030405060708090a0b0c0d0e0f1011121314}"), "ski-wanted"},
    {SKI, CRITICAL_EXTENSION("551d0e", "04{0102}"), "ski-critical"},

    {AKI, "", "aki-missing"}, {AKI, EXTENSION("551d23", "30{}"), "aki-key"},
    {AKI, EXTENSION("551d23", "30{80{}}"), "aki-key"},
    {AKI, EXTENSION("551d23", "04{0102}"), "aki-form"},
    {AKI, EXTENSION("551d23", "30{80{ff02030405060708090a0b0c0d0e0f1011121314}}"), "aki-wanted"},
    {AKI, EXTENSION("551d23", "30{80{0102030405060708090a0b0c0d0e0f10111213}}"), "aki-wanted"},
    {AKI, EXTENSION("551d23", "30{80{0102030405060708090a0b0c0d0e0f1011121314}a1{a4{30{}}}820101}"),
	"aki-issuer"},
    {AKI, EXTENSION("551d23", "30{80{0102030405060708090a0b0c0d0e0f1011121314}820101}"),
	"aki-issuer"},
    {AKI, CRITICAL_EXTENSION("551d23", "30{80{0102030405060708090a0b0c0d0e0f1011121314}}"),
	"aki-critical"},

    {SAN, EXTENSION("551d11", "30{}"), "san-empty"},
    {SAN, EXTENSION("551d11", "82{'pump.example'}"), "san-form"},
    {SAN, EXTENSION("551d11", "30{0c{'pump.example'}}"), "san-form"},
    {SAN, EXTENSION("551d11", "30{82{'pump'00'.example'}}"), "san-nul"},
    {SAN, EXTENSION("551d11", "30{82{'pump'0a'.example'}}"), "san-name"},
    {SAN, EXTENSION("551d11", "30{82{}}"), "san-name"},
    {SAN, EXTENSION("551d11", "30{82{'*.example'}}"), "san-name"},
    {SAN, EXTENSION("551d11", "30{82{'pump..example'}}"), "san-name"},
    {SAN, EXTENSION("551d11", "30{82{'a b'}}"), "san-name"},
    {SAN, EXTENSION("551d11", "30{87{c0000201ffffff00}}"), "san-name"},
    {SAN, EXTENSION("551d11", "30{81{'no address'}}"), "san-name"},
    {SAN, EXTENSION("551d11", "30{86{'urn:a:b'}}"), "san-profile"},
    {SAN, EXTENSION("551d11", "30{a4{30{}}}"), "san-profile"},
    {SAN, CRITICAL_EXTENSION("551d11", "30{82{'pump.example'}}"), "san-critical"},

    {MORE, CRITICAL_EXTENSION("551d0f", "03{0780}"), "extension-twice"},
    {MORE, EXTENSION("551d11", "30{82{'pump.example'}}"), "extension-twice"},
    {MORE, CRITICAL_EXTENSION("2a0304", "0500"), "extension-unknown"},
    {MORE, CRITICAL_EXTENSION("551d1e", "30{a0{30{82{'example'}}}}"), "extension-ca"},
    {MORE, CRITICAL_EXTENSION("551d24", "30{800100}"), "extension-ca"},
    {MORE, EXTENSION("551d36", "020100"), "extension-ca"},
    {MORE, EXTENSION("2a0304", "0500"), "extension-profile"},
    {MORE, EXTENSION("551d1f", "30{30{a0{a0{86{'http://a.example/crl'}}}}}"), "extension-profile"},
    {MORE, "30{06{2a0304}}", "extension-form"}, {MORE, "30{04{0500}06{2a0304}}", "extension-form"},
    {MORE, "30{06{2a0304}0101ff04{0500}0500}", "extension-form"}, {MORE, "0500", "extension-form"},
    {EKU, "30{06{551d25}01010004{30{06{2b06010505070302}}}}", "extension-default"},
    {BC, "30{06{551d13}01010104{30{}}}", "der"}, /* critical, but BER's TRUE */
};

static void test_defects(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(defects); i++) {
		assert_found(defects[i].rule, with(defects[i].part, defects[i].notation));
		maker_clear(NULL);
	}
}

/*
 * RFC 5280 4.1.2.6 and 4.2.1.6: the SubjectAltName is critical where it is all the name there is.
 */
static void test_empty_subject(void **state)
{
	static const char critical[] = CRITICAL_EXTENSION("551d11", "30{82{'pump.example'}}");
	struct lint_want want;

	(void)state;
	assert_found("san-critical", with(SUBJECT, "30{}"));
	assert_found("subject-empty", with_two(SUBJECT, "30{}", SAN, ""));
	want = unwanted();
	assert_good(with_two(SUBJECT, "30{}", SAN, critical), &want);
	device.empty_subject = false;
	assert_found("subject-profile", with_two(SUBJECT, "30{}", SAN, critical));
	device.empty_subject = true;
}

/* What breaks the certificate's own form. */
static void test_structure(void **state)
{
	struct span parts[PARTS], whole;

	(void)state;
	make_parts(parts);
	whole = join(parts);
	assert_found("trailing", maker_der("$00", whole));
	assert_found("trailing", maker_der("$$", whole, whole));
	assert_found("structure", (struct span){NULL, 0});
	for (size_t cut = 0; cut < whole.len; cut++)
		assert_found("structure", maker_copy((struct span){whole.data, cut}));
	/* BER: lengths longer than they need be, indefinite ones */
	assert_found("structure", with(SERIAL, "0281124a0102030405060708090a0b0c0d0e0f1011"));
	assert_found("structure", with(FROM, "17810d'260101000000Z'"));
	assert_found("structure", maker_der("3080$0000", whole));
	assert_found("structure", maker_der("3083000000"));
	assert_found("structure", with(SERIAL, "0200"));
	assert_found("structure", with(SERIAL, "040101"));
	assert_found("structure", with(SUBJECT, ""));
	assert_found("structure", with(FROM, ""));
	assert_found("structure", with(FROM, "17{'260101000000Z'}17{'260101000000Z'}"));
	assert_found("structure", with(VERSION, "a0{020102020102}"));
	assert_found("structure", with(IDS, "a3{30{}}")); /* extensions twice */
	assert_found("structure", with(IDS, "8202000f8102000f"));
	assert_found("structure", with(IDS, "0500"));
	assert_found("extensions-empty",
	    maker_der("30{$$$$30{$$}$$a3{30{}}}", parts[VERSION], parts[SERIAL], parts[ALGORITHM],
		parts[ISSUER], parts[FROM], parts[UNTIL], parts[SUBJECT], parts[SPKI]));
	assert_found("extensions-missing",
	    maker_der("30{$$$$30{$$}$$}", parts[VERSION], parts[SERIAL], parts[ALGORITHM],
		parts[ISSUER], parts[FROM], parts[UNTIL], parts[SUBJECT], parts[SPKI]));
}

/* What can be found by comparison alone. */
static void test_comparisons(void **state)
{
	struct lint_want want;

	(void)state;
	static const struct {
		enum part part;
		const char *notation, *rule;
	} others[] = {
	    {SERIAL, "02{4b0102030405060708090a0b0c0d0e0f1011}", "serial-wanted"},
	    {SUBJECT, "30{31{30{06{550403}13{'pump.example'}}}}", "subject-wanted"},
	    {SUBJECT, "30{31{30{06{550403}0c{'Pump.example'}}}}", "subject-wanted"},
	    {FROM, "17{'260101000001Z'}", "validity-wanted"},
	    {UNTIL, "17{'260331235958Z'}", "validity-wanted"},
	    {SAN, "", "san-wanted"},
	    {SAN, EXTENSION("551d11", "30{82{'Pump.example'}}"), "san-wanted"},
	    {SAN, EXTENSION("551d11", "30{82{'pump.example'}82{'pump.example'}}"), "san-wanted"},
	    {SAN, EXTENSION("551d11", "30{82{'pump.example'}87{c0000201}}"), "san-wanted"},
	};
	for (size_t i = 0; i < COUNT(others); i++) {
		struct span tbs = with(others[i].part, others[i].notation);
		struct findings findings;
		want = wanted();
		findings = find(tbs, &want, others[i].rule);
		assert_true(findings.found);
		assert_int_equal(findings.count, 1);
		want = unwanted();
		assert_good(tbs, &want);
	}
	want = wanted();
	want.spki = maker_spki("P-256#other");
	assert_true(find(with(IDS, ""), &want, "spki-wanted").found);
	want = wanted();
	want.sans = &(struct sans){.count = 0};
	assert_true(find(with(IDS, ""), &want, "san-wanted").found);
}

/* The key of another kind than the profile takes, and of RSA with what only EC can do. */
static void test_keys(void **state)
{
	struct lint_want want;
	struct span parts[PARTS];
	struct findings findings;

	(void)state;
	make_parts(parts);
	want = unwanted();
	parts[SPKI] = maker_spki("RSA-2048");
	parts[SKI] = maker_der("");
	parts[KU] = maker_der(CRITICAL_EXTENSION("551d0f", "03{0388}"));
	findings = find(join(parts), &want, "ku-key"); /* keyAgreement */
	assert_true(findings.found);
	parts[KU] = maker_der(CRITICAL_EXTENSION("551d0f", "03{05a0}"));
	assert_string_equal(find(join(parts), &want, "").all, " ski-missing");
	parts[SPKI] = maker_spki("Ed25519");
	assert_true(find(join(parts), &want, "ku-key").found);
	device.keys.count = 1; /* P-256 */
	assert_true(find(join(parts), &want, "spki-profile").found);
	device.keys.count = 7;
}

/* RFC 9525 2: what a server is called stands in its SubjectAltName. */
static void test_server(void **state)
{
	static const char server[] = EXTENSION("551d25", "30{06{2b06010505070301}}");
	static struct config_profile config;
	struct profile *servers = NULL;
	struct lint_want want, nothing = {.not_after = 0};
	struct span email;

	(void)state;
	config = device;
	config.extended_key_usage = server_auth;
	assert_outcome(EST_OK, profile_make("est.conf", &config, &servers));
	want = unwanted();
	want.profile = servers;
	assert_good(with(EKU, server), &want);
	assert_true(find(with_two(EKU, server, SAN, ""), &want, "san-missing").found);
	assert_true(find(with_two(EKU, server, SAN, ""), &nothing, "san-missing").found);
	email =
	    with_two(EKU, server, SUBJECT, "30{31{30{06{2a864886f70d010901}16{'a@b.example'}}}}");
	assert_false(find(email, &nothing, "san-missing").found);
	profile_free(servers);
}

/* Where no profile says what there has to be, RFC 5280 leaves it to the CA. */
static void test_without_profile(void **state)
{
	static const struct {
		enum part part;
		const char *notation, *rules;
	} rows[] = {
	    {BC, "", ""},
	    {BC, EXTENSION("551d13", "30{}"), ""},
	    {KU, "", ""},
	    {KU, CRITICAL_EXTENSION("551d0f", "03{05a0}"), " ku-key"},
	    {KU, CRITICAL_EXTENSION("551d0f", "03{0001}"), " ku-key"}, /* encipherOnly alone */
	    {EKU, "", ""},
	    {EKU, CRITICAL_EXTENSION("551d25", "30{06{2b06010505070302}}"), ""},
	    {SKI, "", ""},
	    {SKI, EXTENSION("551d0e", "04{0102030405060708}"), ""},
	    {AKI, "", " aki-missing"},
	    {AKI, EXTENSION("551d23", "30{80{0102}a1{a4{30{31{30{06{550403}0c{'Root'}}}}}}820101}"),
		""},
	    {SAN, "", ""},
	    {UNTIL, "18{'99991231235959Z'}", ""},
	    {UNTIL, "18{'20500101000000Z'}", ""},
	    {UNTIL, "17{'491231235959Z'}", ""},
	    {FROM, "17{'240229000000Z'}", ""},
	    {SUBJECT, "30{31{30{06{2a0304}0c{'pump'}}}}", ""},
	    {SUBJECT, "30{}", " san-critical"},
	    {MORE, EXTENSION("2a0304", "0500"), ""},
	    {MORE, EXTENSION("2a0304", "ff"), " extension-der"},
	    {MORE, EXTENSION("2a0304", "05000500"), " extension-der"},
	    {MORE, EXTENSION("551d20", "30{30{06{2a0304}}}"), ""},
	    {MORE, EXTENSION("551d1f", "30{30{a0{a0{86{'http://a.example/crl'}}}}}"), ""},
	    {MORE, EXTENSION("551d1f", "30{30{a0{a0{86{'ldap://a.example/cn=a'}}}}}"), ""},
	    {MORE, EXTENSION("551d1f", "30{30{a0{a0{86{'https://a.example/crl'}}}}}"), " cdp-url"},
	    {MORE, EXTENSION("551d1f", "30{30{a0{a0{86{'http:///crl'}}}}}"), " cdp-url"},
	    {MORE, EXTENSION("551d1f", "30{30{a0{a0{86{'http://'}}}}}"), " cdp-url"},
	    {MORE, CRITICAL_EXTENSION("551d1f", "30{30{a0{a0{86{'http://a/crl'}}}}}"),
		" cdp-critical"},
	    {MORE,
		EXTENSION(
		    "2b06010505070101", "30{30{06{2b06010505073001}86{'HTTP://ocsp.example'}}}"),
		""},
	    {MORE,
		EXTENSION(
		    "2b06010505070101", "30{30{06{2b06010505073001}86{'ftp://ocsp.example'}}}"),
		" aia-url"},
	    {MORE,
		CRITICAL_EXTENSION(
		    "2b06010505070101", "30{30{06{2b06010505073001}86{'http://o.example'}}}"),
		" aia-critical"},
	};
	static const struct lint_want nothing;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span tbs = with(rows[i].part, rows[i].notation);
		assert_string_equal(find(tbs, &nothing, "").all, rows[i].rules);
		assert_string_equal(find(tbs, NULL, "").all, rows[i].rules);
		maker_clear(NULL);
	}
}

/* Some 64 KiB of names are more than a certificate has. */
static void test_size(void **state)
{
	const struct words names_before = device.subject_alt_names;
	unsigned char filler[1000];
	struct buf names = {0};
	struct span parts[PARTS];
	struct lint_want want;

	(void)state;
	make_parts(parts);
	want = unwanted();
	device.subject_alt_names = uris;
	memset(filler, 'a', sizeof(filler));
	for (size_t i = 0; i < 70; i++)
		buf_add_span(
		    &names, maker_der("86{'urn:'$}", (struct span){filler, sizeof(filler)}));
	parts[SAN] = maker_der(EXTENSION("551d11", "30{$}"), buf_span(&names));
	assert_string_equal(find(join(parts), &want, "size").all, " size");
	parts[SAN] = maker_der(EXTENSION("551d11", "30{$}"), (struct span){names.data, 60 * 1008});
	assert_good(join(parts), &want);
	device.subject_alt_names = names_before;
	buf_free(&names);
}

/* --- what is right --- */

static void test_good(void **state)
{
	struct span parts[PARTS];
	struct lint_want want;

	(void)state;
	make_parts(parts);
	want = wanted();
	assert_good(join(parts), &want);
	want = unwanted();
	assert_good(join(parts), &want);
	assert_good(join(parts), NULL);
}

/* Any octet of a certificate of which all is known, bent: it is found. */
static void test_bent(void **state)
{
	struct span parts[PARTS], tbs;
	struct lint_want want;
	unsigned char *bent;

	(void)state;
	device.key_usage.count = 1; /* or a bit might turn into another one that is granted */
	make_parts(parts);
	want = wanted();
	assert_outcome(EST_OK, profile_make("est.conf", &device, (struct profile **)&want.profile));
	tbs = join(parts);
	bent = mem_alloc(tbs.len);
	memcpy(bent, tbs.data, tbs.len);
	assert_outcome(EST_OK, lint_tbs(tbs, &want));
	for (size_t i = 0; i < tbs.len; i++)
		for (unsigned flip = 1; flip < 256; flip++) {
			bent[i] ^= (unsigned char)flip;
			if (lint_tbs((struct span){bent, tbs.len}, &want) != EST_INTERNAL)
				fail_msg("octet %zu bent by %02x is not found", i, flip);
			reason_clear();
			bent[i] ^= (unsigned char)flip;
		}
	free(bent);
	profile_free((struct profile *)(uintptr_t)want.profile);
	device.key_usage.count = 2;
}

static struct words all_keys = ALL_KEYS;

static struct config_profile configs[] = {
    {.key_usage = WORDS("digitalSignature", "keyEncipherment"),
	.extended_key_usage = WORDS("clientAuth")},
    {.key_usage = WORDS("digitalSignature"), .extended_key_usage = {NULL, 0, 1}},
    {.key_usage = WORDS("digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment",
	 "keyAgreement", "encipherOnly", "decipherOnly"),
	.extended_key_usage =
	    WORDS("serverAuth", "clientAuth", "emailProtection", "1.3.6.1.5.5.7.3.28")},
};

/* Our own encoders' certificates, of every key and of profiles of every kind. */
static void test_encoders(void **state)
{
	static const char *const keys[] = {
	    "P-256", "P-384", "P-521", "Ed25519", "RSA-2048", "RSA-3072", "RSA-4096"};
	static const char *const wishes[] = {"subjectAltName",
	    "DNS:pump.example,IP:192.0.2.1,IP:2001:db8::1,email:a@b.example", NULL};

	(void)state;
	for (size_t c = 0; c < COUNT(configs); c++) {
		struct profile *made = NULL;
		configs[c].name = device.name;
		configs[c].keys = all_keys;
		configs[c].validity = device.validity;
		configs[c].subject = device.subject;
		configs[c].subject_alt_names = device.subject_alt_names;
		configs[c].empty_subject = true;
		assert_outcome(EST_OK, profile_make("est.conf", &configs[c], &made));
		for (size_t k = 0; k < 2 * COUNT(keys); k++) {
			struct lint_want want = wanted();
			struct buf extensions = {0}, tbs = {0}, subject = {0};
			struct cert_plan plan = {.issuer = want.issuer,
			    .not_before = want.not_before,
			    .not_after = want.not_after,
			    .authority_key_id = want.authority_key_id};
			struct csr csr;
			assert_outcome(
			    EST_OK, csr_parse(maker_csr(keys[k / 2],
						  k % 2 == 0 ? "CN=pump,O=Acme,C=DE" : "", wishes),
					CSR_KEY_PROVEN, &csr));
			assert_outcome(EST_OK, profile_check(made, &csr, true));
			name_encode(&csr.name, &subject);
			profile_extensions(
			    made, &csr, &csr.wishes.sans, csr.name.count == 0, &extensions);
			assert_outcome(EST_OK, cert_serial(plan.serial));
			plan.spki = csr.spki;
			plan.subject = buf_span(&subject);
			plan.extensions = buf_span(&extensions);
			want.profile = made;
			want.spki = csr.spki;
			want.subject = buf_span(&subject);
			want.sans = &csr.wishes.sans;
			want.serial = (struct span){plan.serial, sizeof(plan.serial)};
			cert_encode_tbs(&plan, want.algorithm, &tbs);
			assert_good(buf_span(&tbs), &want);
			buf_free(&extensions);
			buf_free(&subject);
			buf_free(&tbs);
			csr_clear(&csr);
			maker_clear(NULL);
		}
		profile_free(made);
	}
}

static int begin(void **state)
{
	(void)state;
	return profile_make("est.conf", &device, &profile) == EST_OK ? 0 : -1;
}

static int end(void **state)
{
	profile_free(profile);
	return maker_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_defects),
	    TEST(test_empty_subject),
	    TEST(test_structure),
	    TEST(test_comparisons),
	    TEST(test_keys),
	    TEST(test_server),
	    TEST(test_without_profile),
	    TEST(test_size),
	    TEST(test_good),
	    TEST(test_bent),
	    TEST(test_encoders),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
