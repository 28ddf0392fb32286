/* D1 to D6: what a request asks to be put into the certificate. */
#include "tests/hostile/row.h"

#include <string.h>

#define CA         "badCSR:ca"
#define EXTENSION_ "badCSR:extension"
#define DER        "badCSR:extension-der"
#define TWICE      "badCSR:extension-twice"
#define USAGE      "badCSR:key-usage"
#define PURPOSE    "badCSR:extended-key-usage"
#define ATTRIBUTES "badCSR:attributes"
/*
 * Without a way to look into the TLS session the binding is refused (est-requirements P-02),
 * however it looks.
 */
#define LINKING "badCSR:pop-linking|badCSR:challenge"

#define DNS(name)         SAN("82{'" name "'}")
#define BASIC(value)      CRITICAL("551d13", "30{" value "}")
#define KEY_USAGE(bits)   CRITICAL("551d0f", bits)
#define PURPOSES(oids)    EXTENSION("551d25", "30{" oids "}")
#define MICROSOFT         "2b06010401823702010e"
#define SERVER_AUTH       "06{2b06010505070301}"
#define CLIENT_AUTH       "06{2b06010505070302}"
#define CHALLENGED(value) ATTRIBUTE(CHALLENGE, value)

static struct bytes url(void)
{
	return bytes_make("86{$}", bytes_copy(target.url, strlen(target.url)));
}

/* Extensions that name the target's URL. */
static void with_url(struct request *request, const char *what)
{
	request->attributes =
	    bytes_make("a0{30{06{2a864886f70d01090e}31{30{$}}}}", bytes_make(what, url()));
}

/* 403: it is a binding, and cannot be verified. */
#define BOUND(name, make, what)                                                                    \
	{                                                                                          \
		"D5", name, make, what, "400|403", LINKING, "", ""                                 \
	}

const struct row rows_extension[] = {
    BAD("D1", "ca", make_extensions, BASIC("0101ff"), CA),
    BAD("D1", "ca-not-critical", make_extensions, EXTENSION("551d13", "30{0101ff}"), CA),
    BAD("D1", "ca-with-path-length", make_extensions, BASIC("0101ff 020100"), CA),
    BAD("D1", "ca-true-as-01", make_extensions, BASIC("010101"), CA "|" DER),
    BAD("D1", "path-length-without-ca", make_extensions, BASIC("020103"), CA "|" DER),
    NEVER("D1", "ca-false-spelled", make_extensions, BASIC("010100"), CA "|" DER, "30{0101ff}"),
    BAD("D1", "ca-twice", make_extensions, BASIC("0101ff") BASIC(""), TWICE "|" CA),
    BAD("D1", "ca-trailing", make_extensions, CRITICAL("551d13", "30{0101ff}00"), DER "|" CA),
    BAD("D1", "key-cert-sign", make_extensions, KEY_USAGE("03020204"), CA),
    BAD("D1", "crl-sign", make_extensions, KEY_USAGE("03020102"), CA),
    BAD("D1", "cert-and-crl-sign", make_extensions, KEY_USAGE("03020106"), CA),
    BAD("D1", "digital-signature-and-cert-sign", make_extensions, KEY_USAGE("03020284"), CA),
    BAD("D1", "all-key-usages", make_extensions, KEY_USAGE("0303 07 ff80"), CA),
    BAD("D1", "name-constraints", make_extensions, CRITICAL("551d1e", "30{a0{30{82{'example'}}}}"),
	EXTENSION_),
    BAD("D1", "policy-constraints", make_extensions, CRITICAL("551d24", "30{800100}"), EXTENSION_),
    BAD("D1", "inhibit-any-policy", make_extensions, CRITICAL("551d36", "020100"), EXTENSION_),
    BAD("D1", "ca-by-microsoft", make_attributes,
	"30{06{" MICROSOFT "}31{30{" BASIC("0101ff") "}}}", CA),

    BAD("D2", "any", make_extensions, PURPOSES("06{551d2500}"), PURPOSE),
    BAD("D2", "ocsp-signing", make_extensions, PURPOSES("06{2b06010505070309}"), PURPOSE),
    BAD("D2", "cmc-ra", make_extensions, PURPOSES("06{2b0601050507031c}"), PURPOSE),
    BAD("D2", "cmc-ca", make_extensions, PURPOSES("06{2b0601050507031b}"), PURPOSE),
    BAD("D2", "code-signing", make_extensions, PURPOSES("06{2b06010505070303}"), PURPOSE),
    BAD("D2", "time-stamping", make_extensions, PURPOSES("06{2b06010505070308}"), PURPOSE),
    BAD("D2", "smart-card-logon", make_extensions, PURPOSES("06{2b060104018237140202}"), PURPOSE),
    BAD("D2", "enrollment-agent", make_extensions, PURPOSES("06{2b060104018237140201}"), PURPOSE),
    BAD("D2", "server-not-granted", make_extensions, PURPOSES(SERVER_AUTH), PURPOSE),
    BAD("D2", "granted-and-not", make_extensions, PURPOSES(CLIENT_AUTH SERVER_AUTH), PURPOSE),
    BAD("D2", "twice", make_extensions, PURPOSES(CLIENT_AUTH CLIENT_AUTH), PURPOSE),
    BAD("D2", "empty", make_extensions, PURPOSES(""), PURPOSE),
    BAD("D2", "null", make_extensions, EXTENSION("551d25", "0500"), PURPOSE),
    BAD("D2", "trailing", make_extensions, EXTENSION("551d25", "30{" CLIENT_AUTH "}00"),
	PURPOSE "|" DER),
    BAD("D2", "empty-oid", make_extensions, PURPOSES("0600"), PURPOSE),

    BAD("D3", "san-twice", make_extensions, DNS("a.example") DNS("b.example"), TWICE),
    BAD("D3", "same-san-twice", make_extensions, DNS("a.example") DNS("a.example"), TWICE),
    BAD("D3", "key-usage-twice", make_extensions, KEY_USAGE("03020780") KEY_USAGE("03020780"),
	TWICE),
    BAD("D3", "unknown-twice", make_extensions,
	EXTENSION("2a0304", "0500") EXTENSION("2a0304", "0500"), TWICE),
    BAD("D3", "two-requests", make_attributes,
	REQUESTED(DNS("a.example")) REQUESTED(DNS("b.example")), ATTRIBUTES),
    BAD("D3", "two-values", make_attributes,
	"30{06{2a864886f70d01090e}31{30{" DNS("a.example") "}30{" DNS("b.example") "}}}",
	ATTRIBUTES),
    BAD("D3", "both-names", make_attributes,
	"30{06{" MICROSOFT "}31{30{" DNS("a.example") "}}}" REQUESTED(DNS("b.example")),
	ATTRIBUTES "|" TWICE),
    BAD("D3", "no-value", make_attributes, "30{06{2a864886f70d01090e}3100}", ATTRIBUTES),
    BAD("D3", "no-set", make_attributes, "30{06{2a864886f70d01090e}}", ATTRIBUTES),
    BAD("D3", "unknown-no-value", make_attributes, "30{06{2a0304}3100}", ATTRIBUTES),
    BAD("D3", "unknown-twice-as-attribute", make_attributes,
	ATTRIBUTE("2a0304", "0500") ATTRIBUTE("2a0304", "0500"), ATTRIBUTES),
    NEVER("D3", "empty-list", make_extensions, "", DER "|" ATTRIBUTES, "a3{30{}}"),
    BAD("D3", "value-is-null", make_attributes, "30{06{2a864886f70d01090e}31{0500}}",
	DER "|" ATTRIBUTES),
    BAD("D3", "value-is-a-set", make_attributes,
	"30{06{2a864886f70d01090e}31{31{" DNS("a.example") "}}}", DER "|" ATTRIBUTES),
    BAD("D3", "extension-without-value", make_extensions, "30{06{551d11}}", DER),
    BAD("D3", "extension-value-no-octets", make_extensions, "30{06{551d11}30{82{'a.example'}}}",
	DER),
    BAD("D3", "extension-is-an-oid", make_extensions, "06{551d11}", DER),
    BAD("D3", "critical-is-an-integer", make_extensions,
	"30{06{551d11}0201ff 04{30{82{'a.example'}}}}", DER),
    /* est-requirements S-08: taken, by either of its names. */
    GOOD("D3", "microsoft-alone", make_attributes,
	"30{06{" MICROSOFT "}31{30{" DNS("pump-1.example") "}}}", ""),
    /* Old mbed TLS wrote a KeyUsage with trailing zero bits. It is rebuilt, and does no harm. */
    GOOD("D1", "key-usage-not-minimal", make_extensions, CRITICAL("551d0f", "03020080"), ""),

    NEVER("D4", "ca-issuers", with_url,
	EXTENSION("2b06010505070101", "30{30{06{2b06010505073002}$}}"), EXTENSION_, "'127.0.0.1'"),
    NEVER("D4", "ocsp", with_url, EXTENSION("2b06010505070101", "30{30{06{2b06010505073001}$}}"),
	EXTENSION_, "'127.0.0.1'"),
    NEVER("D4", "ocsp-metadata-service", make_extensions,
	EXTENSION(
	    "2b06010505070101", "30{30{06{2b06010505073001}86{'http://169.254.169.254/latest'}}}"),
	EXTENSION_, "'169.254.169.254'"),
    NEVER("D4", "crl-distribution-point", with_url, EXTENSION("551d1f", "30{30{a0{a0{$}}}}"),
	EXTENSION_, "'127.0.0.1'"),
    NEVER("D4", "freshest-crl", with_url, EXTENSION("551d2e", "30{30{a0{a0{$}}}}"), EXTENSION_,
	"'127.0.0.1'"),
    NEVER("D4", "subject-key-id", make_extensions,
	EXTENSION("551d0e", "04{0badc0de0badc0de0badc0de}"), EXTENSION_, "0badc0de0badc0de"),
    NEVER("D4", "authority-key-id", make_extensions,
	EXTENSION("551d23", "30{80{0badc0de0badc0de0badc0de}}"), EXTENSION_, "0badc0de0badc0de"),
    NEVER("D4", "policy", make_extensions, EXTENSION("551d20", "30{30{06{67810c010201}}}"),
	EXTENSION_, "06{67810c010201}"),
    NEVER("D4", "2000-policies", make_extensions, EXTENSION("551d20", "30{<1500 30{06{2a03#}}>}"),
	EXTENSION_ "|" DER, "06{2a03'0000'}"),
    NEVER("D4", "policy-mappings", make_extensions,
	EXTENSION("551d21", "30{30{06{2a0304}06{2a0305}}}"), EXTENSION_, "06{2a0304}"),
    NEVER("D4", "unknown", make_extensions, EXTENSION("2a0304", "0c{'canary-extension'}"),
	EXTENSION_, "'canary-extension'"),
    NEVER("D4", "scts", make_extensions, EXTENSION("2b06010401d679020402", "04{0badc0de0badc0de}"),
	EXTENSION_, "0badc0de0badc0de"),
    NEVER("D4", "ocsp-no-check", make_extensions, EXTENSION("2b0601050507300105", "0500"),
	EXTENSION_, "06{2b0601050507300105}"),
    NEVER("D4", "tls-feature", make_extensions, EXTENSION("2b06010505070118", "30{020105}"),
	EXTENSION_, "06{2b06010505070118}"),
    NEVER("D4", "issuer-alt-name", make_extensions,
	EXTENSION("551d12", "30{82{'evil-issuer.example'}}"), EXTENSION_, "'evil-issuer.example'"),
    NEVER("D4", "subject-directory", make_extensions,
	EXTENSION("551d09", "30{30{06{2a0304}31{0c{'canary-directory'}}}}"), EXTENSION_,
	"'canary-directory'"),
    NEVER("D4", "certificate-template", make_extensions,
	EXTENSION("2b0601040182371402", "1e{0043 0041}"), EXTENSION_, "06{2b0601040182371402}"),
    NEVER("D4", "netscape-type", make_extensions, EXTENSION("6086480186f8420101", "03020001"),
	EXTENSION_, "06{6086480186f8420101}"),
    NEVER("D4", "proxy", make_extensions,
	EXTENSION("2b0601050507010e", "30{30{06{2b06010505071500}}}"), EXTENSION_,
	"06{2b0601050507010e}"),
    NEVER("D4", "other-attribute", make_attributes, ATTRIBUTE("2a0304", "0c{'canary-attribute'}"),
	ATTRIBUTES, "'canary-attribute'"),
    /* RFC 6402 2.8, est-requirements N-05: not without leave. */
    {"D4", "change-subject-name", make_attributes,
	ATTRIBUTE("2b06010505070724", "30{30{" CN("0c{'canary-admin'}") "}}"), "400|403|200", "",
	"", "'canary-admin'"},
    BAD("D4", "unknown-critical", make_extensions, CRITICAL("2a0304", "0500"), EXTENSION_),
    BAD("D4", "san-trailing", make_extensions, EXTENSION("551d11", "30{82{'a.example'}}'canary'"),
	"badCSR:san-der|" DER),
    BAD("D4", "key-usage-trailing", make_extensions, KEY_USAGE("03020780 00"), USAGE "|" DER),
    BAD("D4", "key-usage-empty", make_extensions, KEY_USAGE("030100"), USAGE),
    BAD("D4", "key-usage-no-bit-set", make_extensions, KEY_USAGE("03020000"), USAGE),
    BAD("D4", "key-usage-not-granted", make_extensions, KEY_USAGE("03020308"), USAGE),
    BAD("D4", "key-usage-an-integer", make_extensions, KEY_USAGE("020180"), USAGE "|" DER),

    BOUND("nul", make_attributes, CHALLENGED("0c{'secret' 00 'more'}")),
    BOUND("control", make_attributes, CHALLENGED("0c{'secret' 0a '{\"status\":200}' 1b '[2J'}")),
    BOUND("empty", make_attributes, CHALLENGED("0c{}")),
    BOUND("256-characters", make_attributes, CHALLENGED("0c{<256 61>}")),
    BOUND("wrong-binding", make_attributes, CHALLENGED("13{'dFsAXmJnjokBtDvr'}")),
    BOUND("bmp", make_attributes, CHALLENGED("1e{0061}")),
    BOUND("invalid-utf8", make_attributes, CHALLENGED("0c{c0af}")),
    BAD("D5", "an-integer", make_attributes, CHALLENGED("020101"), "badCSR:challenge"),
    BAD("D5", "octets", make_attributes, CHALLENGED("04{'secret'}"), "badCSR:challenge"),
    BAD("D5", "a-sequence", make_attributes, CHALLENGED("30{0c{'secret'}}"), "badCSR:challenge"),
    BAD("D5", "no-value", make_attributes, "30{06{" CHALLENGE "}3100}", ATTRIBUTES),
    BAD("D5", "two-values", make_attributes, CHALLENGED("0c{'a'}0c{'b'}"),
	ATTRIBUTES "|badCSR:challenge"),
    BAD("D5", "twice", make_attributes, CHALLENGED("0c{'a'}") CHALLENGED("0c{'a'}"), ATTRIBUTES),
    BOUND("identity-linking", make_attributes,
	ATTRIBUTE("2a864886f70d010910023a", "0c{'dFsAXmJnjokBtDvr'}")),
    {"D5", "otp-challenge", make_attributes, ATTRIBUTE("2a864886f70d0109100238", "0c{'755224'}"),
	"403", "auth:otp", "", ""},
    /* No binding: it is kept as a hash (est-requirements P-10). */
    {"D5", "revocation-challenge", make_attributes,
	ATTRIBUTE("2a864886f70d0109100239", "0c{'secret-for-revocation'}"), "400|403|200",
	LINKING "|" ATTRIBUTES, "", "'secret-for-revocation'"},

    BAD_AT("label=server", "D6", "server-without-san", make_good, "", "badCSR:name-missing"),
    BAD_AT("label=required", "D6", "serial-number-missing", make_sans, "82{'pump-1.example'}",
	"badCSR:name-missing"),
    BAD_AT("label=required", "D6", "dns-missing", make_subject,
	CN("0c{'pump-1.example'}") RDN("550405", "13{'4711'}"), "badCSR:name-missing"),
    BAD_AT("label=required", "D6", "both-missing", make_good, "", "badCSR:name-missing"),
    {0},
};
