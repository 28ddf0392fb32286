/* C1, C2, C14 and C15: subject alternative names, and names of others. */
#include "tests/hostile/row.h"

#define NAME    "badCSR:san-name"
#define TYPE    "badCSR:san-type"
#define DER     "badCSR:san-der"
#define NUL     "badCSR:name-nul"
#define CONTROL "badCSR:name-control|badCSR:san-name"
#define SERVER  "label=server"
#define DEVICE  "30{" CN("0c{'pump-1.example'}") "}"

/* 403: known, but not for this name. */
#define NOT_ALLOWED(name, make, what)                                                              \
	{                                                                                          \
		"C15", name, make, what, "403", "auth:name", "user=pump", ""                       \
	}

/* A name of the user's, and GeneralNames that are not. */
static void own_subject(struct request *request, const char *what)
{
	request->subject = bytes_make(DEVICE);
	make_sans(request, what);
}

static void no_subject(struct request *request, const char *what)
{
	request->subject = bytes_make("30{}");
	make_sans(request, what);
}

const struct row rows_san[] = {
    BAD("C1", "dns", make_sans, "82{'good.example' 00 '.evil.example'}", NUL "|" NAME),
    BAD_AT(SERVER, "C1", "email", make_sans, "81{'a@good.example' 00 '.evil'}", NUL "|" NAME),
    BAD_AT(SERVER, "C1", "uri", make_sans, "86{'http://good.example/' 00 '.evil'}", NUL "|" NAME),
    BAD("C2", "dns-line-feed", make_sans, "82{'good.example' 0a}", CONTROL),
    BAD("C2", "dns-ansi", make_sans, "82{1b '[2J.example'}", CONTROL),
    BAD("C2", "dns-c1", make_sans, "82{'good' 85 '.example'}", CONTROL),
    BAD_AT(SERVER, "C2", "email-line-feed", make_sans, "81{'a@b.example' 0a 'Bcc: c@d.example'}",
	CONTROL),
    BAD_AT(
	SERVER, "C2", "uri-line-feed", make_sans, "86{'http://b.example/' 0d0a 'X: y'}", CONTROL),

    BAD("C14", "wildcard", make_sans, "82{'*.example'}", NAME),
    BAD("C14", "wildcard-part", make_sans, "82{'pump-*.example'}", NAME),
    BAD("C14", "wildcard-alone", make_sans, "82{'*'}", NAME),
    BAD("C14", "dns-empty", make_sans, "82{}", NAME),
    BAD("C14", "dns-blank", make_sans, "82{' '}", NAME),
    BAD("C14", "dns-dot", make_sans, "82{'.'}", NAME),
    BAD("C14", "dns-two-dots", make_sans, "82{'a..example'}", NAME),
    BAD("C14", "dns-dot-in-front", make_sans, "82{'.example'}", NAME),
    BAD("C14", "dns-hyphen-in-front", make_sans, "82{'-a.example'}", NAME),
    BAD("C14", "dns-hyphen-behind", make_sans, "82{'a-.example'}", NAME),
    BAD("C14", "dns-blank-inside", make_sans, "82{'a b.example'}", NAME),
    BAD("C14", "dns-slash", make_sans, "82{'a/b.example'}", NAME),
    BAD("C14", "dns-markup", make_sans, "82{'<b>.example'}", NAME),
    BAD("C14", "dns-umlaut", make_sans, "82{'p' c3bc 'mp.example'}", NAME),
    BAD("C14", "dns-latin-1", make_sans, "82{'p' fc 'mp.example'}", NAME),
    BAD("C14", "dns-label-of-64", make_sans, "82{<64 61>'.example'}", NAME),
    BAD("C14", "dns-of-256", make_sans, "82{<31 'abcdefg.'>'abcdefgh'}", NAME),
    BAD("C14", "dns-constructed", make_sans, "a2{16{'pump-1.example'}}", DER "|" TYPE "|" NAME),
    BAD("C14", "ip-of-0", make_sans, "87{}", NAME),
    BAD("C14", "ip-of-3", make_sans, "87{c00002}", NAME),
    BAD("C14", "ip-of-5", make_sans, "87{c000020101}", NAME),
    BAD("C14", "ip-with-mask", make_sans, "87{c0000200ffffff00}", NAME),
    BAD("C14", "ip-of-15", make_sans, "87{<15 20>}", NAME),
    BAD("C14", "ip-of-17", make_sans, "87{<17 20>}", NAME),
    BAD("C14", "ip-of-32", make_sans, "87{<32 20>}", NAME),
    BAD("C14", "empty", make_sans, "", DER),
    BAD("C14", "null", make_extensions, EXTENSION("551d11", "0500"), DER),
    BAD("C14", "no-octets", make_extensions, EXTENSION("551d11", ""), DER "|badCSR:extension-der"),
    BAD("C14", "set", make_extensions, EXTENSION("551d11", "31{82{'pump-1.example'}}"), DER),
    BAD("C14", "universal-tag", make_sans, "16{'pump-1.example'}", DER "|" TYPE),
    BAD("C14", "tag-9", make_sans, "89{'pump-1.example'}", DER "|" TYPE),
    BAD("C14", "1000", make_sans, "<1000 82{'p' # '.ex'}>", "badCSR:san-count"),
    BAD("C14", "1000-of-two-octets", make_sans, "<1000 8200>", "badCSR:san-(count|name)"),
    BAD("C14", "mail-not-granted", make_sans, "81{'a@b.example'}", TYPE),
    BAD("C14", "uri-not-granted", make_sans, "86{'https://b.example/'}", TYPE),
    BAD_AT(SERVER, "C14", "mail-punycode-of-600", make_sans, "81{'a@' <74 'xn--abcd'> '.example'}",
	NAME),
    BAD_AT(SERVER, "C14", "mail-local-of-65", make_sans, "81{<65 61>'@b.example'}", NAME),
    BAD_AT(SERVER, "C14", "mail-no-at", make_sans, "81{'root'}", NAME),
    BAD_AT(SERVER, "C14", "mail-two-ats", make_sans, "81{'a@b@c.example'}", NAME),
    BAD_AT(SERVER, "C14", "mail-empty", make_sans, "81{}", NAME),
    BAD_AT(SERVER, "C14", "mail-no-local", make_sans, "81{'@b.example'}", NAME),
    BAD_AT(SERVER, "C14", "mail-no-host", make_sans, "81{'a@'}", NAME),
    BAD_AT(SERVER, "C14", "mail-with-name", make_sans, "81{'Root <a@b.example>'}", NAME),
    BAD_AT(SERVER, "C14", "uri-empty", make_sans, "86{}", NAME),
    BAD_AT(SERVER, "C14", "uri-relative", make_sans, "86{'/etc/passwd'}", NAME),
    BAD_AT(SERVER, "C14", "uri-blank", make_sans, "86{'https://b.example/a b'}", NAME),
    BAD_AT(SERVER, "C14", "uri-latin-1", make_sans, "86{'https://b.example/' fc}", NAME),
    BAD("C14", "upn", make_sans, "a0{06{2b060104018237140203}a0{0c{'administrator@corp.example'}}}",
	TYPE),
    BAD("C14", "kerberos", make_sans, "a0{06{2b060105020202}a0{30{a0{1b{'EXAMPLE'}}}}}", TYPE),
    BAD("C14", "other-name-empty", make_sans, "a000", TYPE "|" DER),
    BAD("C14", "x400", make_sans, "a3{30{}}", TYPE "|" DER),
    BAD("C14", "directory-name", make_sans, "a4{30{" CN("0c{'admin'}") "}}", TYPE),
    BAD("C14", "edi-party", make_sans, "a5{a1{0c{'x'}}}", TYPE "|" DER),
    BAD("C14", "registered-id", make_sans, "88{2a0304}", TYPE),
    BAD("C14", "one-of-two", make_sans, "82{'pump-1.example'}a4{30{" CN("0c{'admin'}") "}}", TYPE),
    BAD("C14", "sid", make_sans, "a0{06{2b060104018237190201}a0{04{'S-1-5-21-1-2-3-500'}}}", TYPE),
    BAD("C14", "sid-extension", make_extensions,
	EXTENSION(
	    "2b0601040182371902", "30{a0{06{2b060104018237190201}a0{04{'S-1-5-21-1-2-3-500'}}}}"),
	"badCSR:extension"),

    NOT_ALLOWED("subject", make_common_name, "0c{'admin'}"),
    NOT_ALLOWED("subject-other-case-suffix", make_common_name, "0c{'pump-1.example.evil'}"),
    NOT_ALLOWED("subject-one-more-label", make_common_name, "0c{'pump-1.evil.example'}"),
    NOT_ALLOWED("subject-bmp", make_common_name, "1e{0061 0064 006d 0069 006e}"),
    NOT_ALLOWED("san-dns", own_subject, "82{'admin.example'}"),
    NOT_ALLOWED("san-dns-second", own_subject, "82{'pump-1.example'}82{'admin.example'}"),
    NOT_ALLOWED("san-ip", own_subject, "87{c0000201}"),
    NOT_ALLOWED("san-ip-second", own_subject, "82{'pump-1.example'}87{0a000001}"),
    {"C15", "san-mail", own_subject, "81{'root@corp.example'}", "403", "auth:name",
	"user=pump&label=server", ""},
    {"C15", "san-uri", own_subject, "82{'pump-1.example'}86{'https://admin.example/'}", "403",
	"auth:name", "user=pump&label=server", ""},
    NOT_ALLOWED(
	"serial-number", make_subject, CN("0c{'pump-1.example'}") RDN("550405", "13{'4711'}")),
    {"C15", "san-alone", no_subject, "82{'admin.example'}", "403", "auth:name",
	"user=pump&label=nosubject", ""},
    {"C15", "ip-alone", no_subject, "87{0a000001}", "403", "auth:name", "user=pump&label=nosubject",
	""},
    {"C15", "uid", make_subject,
	RDN("0992268993f22c640101", "0c{'admin'}") CN("0c{'pump-1.example'}"), "403", "auth:name",
	"user=pump&label=permissive", ""},
    {"C15", "email-in-subject", make_subject,
	CN("0c{'pump-1.example'}") RDN("2a864886f70d010901", "16{'root@corp.example'}"), "403",
	"auth:name", "user=pump&label=permissive", ""},
    {"C15", "comma-in-subject", make_common_name, "0c{'pump-1,CN=admin.example'}", "403",
	"auth:name", "user=pump&label=permissive", ""},
    {"C15", "slash-in-subject", make_common_name, "0c{'pump-1/CN=admin.example'}", "403",
	"auth:name", "user=pump&label=permissive", ""},
    {0},
};
