/* B1 to B6: what is no DER, or too much of it. */
#include "tests/hostile/row.h"

#include <err.h>
#include <stdlib.h>

#define DER        "badCSR:der"
#define TRAILING   "badCSR:trailing"
#define SPKI       "badCSR:spki|badCSR:der"
#define NAME       "badCSR:name-der|badCSR:der"
#define ATTRIBUTES "badCSR:attributes|badCSR:der"
#define EXTENSIONS "badCSR:extension-der|badCSR:attributes|badCSR:der"
#define SIZE       "badCSR:size"
/* Something inside: whoever looks at it first names it. */
#define ANY "badCSR:[a-z-]+"

/* So many octets of a good request; negative: but so many. */
static void cut(struct request *request, const char *what)
{
	struct bytes whole = request_make(request);
	long len = strtol(what, NULL, 10);

	request->body = bytes_part(whole, 0, len < 0 ? whole.len - (size_t)-len : (size_t)len);
}

/* Notation around a good request. */
static void around(struct request *request, const char *what)
{
	struct bytes whole = request_make(request);

	request->body = bytes_make(what, whole, whole);
}

/*
 * Notation over the AlgorithmIdentifier and the BIT STRING's content of a good
 * SubjectPublicKeyInfo.
 */
static void spki(struct request *request, const char *what)
{
	request->spki =
	    bytes_make(what, key_ec_point(request_key(), POINT_CONVERSION_UNCOMPRESSED));
}

/* Notation of the whole subject. */
static void whole_subject(struct request *request, const char *what)
{
	request->subject = bytes_make(what);
}

/* Notation of all that stands where the [0] belongs. */
static void whole_attributes(struct request *request, const char *what)
{
	request->attributes = bytes_make(what);
}

/* SEQUENCEs in SEQUENCEs around a NULL, written from the innermost one outwards. */
static struct bytes nested(unsigned depth)
{
	size_t size = 6 * ((size_t)depth + 1), at = size;
	unsigned char *octets = calloc(1, size);
	struct bytes made;

	if (octets == NULL)
		err(EXIT_FAILURE, "calloc");
	at -= 2;
	octets[at] = 0x05;
	for (unsigned i = 0; i < depth; i++) {
		size_t len = size - at, count = 0;
		do {
			octets[--at] = (unsigned char)(len >> (8 * count++));
		} while (len >> (8 * count) > 0);
		if (len > 0x7f)
			octets[--at] = (unsigned char)(0x80 | count);
		octets[--at] = 0x30;
	}
	made = bytes_copy(octets + at, size - at);
	free(octets);
	return made;
}

static void nested_body(struct request *request, const char *what)
{
	request->body = nested((unsigned)strtoul(what, NULL, 10));
}

static void nested_attribute(struct request *request, const char *what)
{
	request->attributes = bytes_make(what, nested(3000));
}

static void nested_subject(struct request *request, const char *what)
{
	request->subject = bytes_make(what, nested(3000));
}

#define OPEN     "<3000 30 80>"
#define CLOSE    "<3000 00 00>"
#define EC_P256  "06{2a8648ce3d0201}06{2a8648ce3d030107}"
#define DEVICE   "0c{'pump-1.example'}"
#define SAN_NAME SAN("82{'pump-1.example'}")

const struct row rows_der[] = {
    BAD("B1", "zero", around, "$ 00", TRAILING),
    BAD("B1", "ff", around, "$ ff", TRAILING),
    BAD("B1", "end-of-contents", around, "$ 0000", TRAILING),
    BAD("B1", "line-feed", around, "$ 0a", TRAILING),
    BAD("B1", "a-second-request", around, "$ $", TRAILING),
    BAD("B1", "4096-zeros", around, "$ <4096 00>", TRAILING),
    BAD("B1", "inside", make_outer, "30{$ $ $ 0500}", "badCSR:der|badCSR:trailing"),
    BAD("B1", "inside-info", make_info, "30{$ $ $ $ 0500}", "badCSR:der|badCSR:attributes"),
    BAD("B1", "inside-spki", spki, "30{30{" EC_P256 "}03{00 $}0500}", SPKI),
    BAD("B1", "inside-key-algorithm", spki, "30{30{" EC_P256 "0500}03{00 $}}",
	SPKI "|badCSR:curve"),
    BAD("B1", "inside-subject-attribute", make_subject, "31{30{06{550403}" DEVICE "0500}}", NAME),
    BAD("B1", "inside-attributes", make_attributes, ATTRIBUTE("2a0304", "0500") "00", ATTRIBUTES),
    BAD("B1", "inside-attribute", make_attributes, "30{06{2a0304}31{0500}0500}", ATTRIBUTES),
    BAD("B1", "inside-extensions", make_attributes,
	"30{06{2a864886f70d01090e}31{30{" SAN_NAME "00}}}", EXTENSIONS),
    BAD("B1", "inside-extension", make_extensions, "30{06{551d11}04{30{82{'pump-1.example'}}}0500}",
	EXTENSIONS),
    BAD("B1", "inside-san", make_extensions, EXTENSION("551d11", "30{82{'pump-1.example'}}00"),
	"badCSR:san-der|badCSR:extension-der"),

    BAD("B2", "empty", make_body, "", "badRequest:body-empty"),
    BAD("B2", "one-octet", cut, "1", DER),
    BAD("B2", "two-octets", cut, "2", DER),
    BAD("B2", "100-octets", cut, "100", DER),
    BAD("B2", "last-octet-missing", cut, "-1", DER),
    BAD("B2", "last-twenty-missing", cut, "-20", DER),
    BAD("B2", "zeros", make_body, "<512 00>", DER),
    BAD("B2", "ffs", make_body, "<512 ff>", DER),
    BAD("B2", "empty-sequence", make_body, "3000", DER),
    BAD("B2", "null", make_body, "0500", DER),
    BAD("B2", "text", make_body, "'this is no certification request at all'", DER),
    BAD("B2", "info-only", make_outer, "30{$}", DER),
    BAD("B2", "no-signature", make_outer, "30{$ $}", DER),
    BAD("B2", "without-sequence", make_outer, "$ $ $", "badCSR:der|badCSR:trailing"),
    BAD("B2", "set", make_outer, "31{$ $ $}", DER),
    BAD("B2", "info-empty", make_info, "30{}", "badCSR:der|badCSR:version"),
    BAD("B2", "no-subject", make_info, "30{020100}", ANY),

    BAD("B3", "indefinite", make_outer, "30!{$ $ $}", DER),
    BAD("B3", "indefinite-info", make_info, "30!{$ $ $ $}", DER),
    BAD("B3", "indefinite-subject", whole_subject, "30!{" CN(DEVICE) "}", NAME),
    BAD("B3", "indefinite-rdn", make_subject, "31!{30{06{550403}" DEVICE "}}", NAME),
    BAD("B3", "indefinite-spki", spki, "30!{30{" EC_P256 "}03{00 $}}", SPKI),
    BAD("B3", "indefinite-attributes", whole_attributes, "a0!{}", ATTRIBUTES),
    BAD("B3", "indefinite-extensions", make_attributes,
	"30{06{2a864886f70d01090e}31{30!{" SAN_NAME "}}}", EXTENSIONS),
    BAD("B3", "long-length", make_outer, "30~{$ $ $}", DER),
    BAD("B3", "long-length-info", make_info, "30~{$ $ $ $}", DER),
    BAD("B3", "long-length-version", make_version, "02~{00}", "badCSR:der|badCSR:version"),
    BAD("B3", "long-length-subject", whole_subject, "30~{" CN(DEVICE) "}", NAME),
    BAD("B3", "long-length-common-name", make_common_name, "0c~{'pump-1.example'}", NAME),
    BAD("B3", "long-length-spki", spki, "30~{30{" EC_P256 "}03{00 $}}", SPKI),
    BAD("B3", "long-length-point", spki, "30{30{" EC_P256 "}03~{00 $}}", SPKI),
    BAD("B3", "long-length-attributes", whole_attributes, "a0~{}", ATTRIBUTES),
    BAD("B3", "long-length-san", make_extensions, EXTENSION("551d11", "30~{82{'pump-1.example'}}"),
	"badCSR:san-der|badCSR:extension-der"),
    BAD("B3", "signature-constructed", make_outer, "30{$ $ 23{$}}", "badCSR:der|badCSR:signature"),
    BAD("B3", "length-0x81-below-128", make_version, "02810100", "badCSR:der|badCSR:version"),
    BAD("B3", "tag-in-long-form", make_outer, "3f 10 82 00 20 $ $ $", DER),
    BAD("B3", "constructed-string", make_common_name, "2c{0c{'pump-1'}0c{'.example'}}",
	NAME "|badCSR:name-type"),
    BAD("B3", "constructed-octets", make_extensions,
	"30{06{551d11}24{04{30{82{'pump-1.example'}}}}}", EXTENSIONS),
    BAD("B3", "constructed-point", spki, "30{30{" EC_P256 "}23{03{00 $}}}", SPKI),
    BAD("B3", "boolean-one", make_extensions, "30{06{551d11}010101 04{30{82{'pump-1.example'}}}}",
	EXTENSIONS),
    BAD("B3", "critical-false", make_extensions,
	"30{06{551d11}010100 04{30{82{'pump-1.example'}}}}", EXTENSIONS),
    BAD("B3", "attributes-not-sorted", make_attributes,
	REQUESTED(SAN_NAME) ATTRIBUTE("2a0304", "0500"), ATTRIBUTES),
    BAD("B3", "values-not-sorted", make_attributes, "30{06{2a0304}31{020102 020101}}", ATTRIBUTES),
    BAD("B3", "oid-with-leading-80", make_subject, "31{30{06{80550403}" DEVICE "}}", ANY),

    BAD("B4", "4-gib", make_body, "30 84 ff ff ff ff <64 00>", DER),
    BAD("B4", "2-gib", make_body, "30 84 7f ff ff ff <64 00>", DER),
    BAD("B4", "64-bits", make_body, "30 88 ff ff ff ff ff ff ff ff <64 00>", DER),
    BAD("B4", "63-bits", make_body, "30 88 7f ff ff ff ff ff ff ff <64 00>", DER),
    BAD("B4", "9-octets", make_body, "30 89 01 00 00 00 00 00 00 00 00 <64 00>", DER),
    BAD("B4", "126-octets", make_body, "30 fe <126 ff>", DER),
    BAD("B4", "reserved-ff", make_body, "30 ff <127 00>", DER),
    BAD("B4", "inside", make_body, "30 10 30 84 ff ff ff f0 <10 00>", DER),
    BAD("B4", "subject", whole_subject, "30 84 ff ff ff ff", ANY),
    BAD("B4", "common-name", make_common_name, "0c 84 ff ff ff fe 'pump'", NAME),
    BAD("B4", "attributes", whole_attributes, "a0 84 ff ff ff ff", ATTRIBUTES),
    BAD("B4", "extension", make_extensions, "30{06{551d11}04 84 ff ff ff fa 30 00}", EXTENSIONS),

    BAD("B5", "3000-in-3000", nested_body, "3000", DER),
    BAD("B5", "8000-indefinite", make_body, "<8000 30 80>", DER),
    BAD("B5", "12000-indefinite", make_body, "<12000 30 80>", SIZE),
    {"B5", "100000-indefinite", make_body, "<100000 30 80>", "413", "badRequest:body-size", "", ""},
    {"B5", "100000", nested_body, "100000", "413", "badRequest:body-size", "", ""},
    BAD("B5", "in-attribute", nested_attribute, "a0{30{06{2a0304}31{$}}}", ANY),
    BAD("B5", "in-extension-request", nested_attribute, "a0{30{06{2a864886f70d01090e}31{$}}}",
	EXTENSIONS),
    BAD("B5", "in-san", nested_attribute,
	"a0{30{06{2a864886f70d01090e}31{30{30{06{551d11}04{$}}}}}}",
	"badCSR:san-der|badCSR:extension-der"),
    BAD("B5", "in-common-name", nested_subject, "30{31{30{06{550403}$}}}", ANY),
    BAD("B5", "indefinite-in-attribute", make_attributes, "30{06{2a0304}31{" OPEN CLOSE "}}", ANY),

    BAD("B6", "oid-of-20-kb", make_attributes, "30{06{<20000 81>01}31{0500}}", SIZE),
    NEVER(
	"B6", "oid-of-8-kb", make_attributes, "30{06{<8000 81>01}31{0500}}", ATTRIBUTES, "<64 81>"),
    NEVER("B6", "extension-oid-of-8-kb", make_extensions, "30{06{<8000 81>01}04{0500}}",
	EXTENSIONS "|badCSR:extension", "<64 81>"),
    BAD("B6", "10000-attributes", make_attributes, "<2800 30{06{2a03 #}31{0500}}>", SIZE),
    BAD("B6", "1000-attributes", make_attributes, "<1000 30{06{2a03 #}31{0500}}>", ATTRIBUTES),
    BAD("B6", "1000-values", make_attributes, "30{06{" CHALLENGE "}31{<1000 0c{#}>}}",
	ATTRIBUTES "|badCSR:challenge"),
    BAD("B6", "33-rdns", make_subject, "<33 31{30{06{55040b}0c{#}}}>", "badCSR:name-der"),
    BAD("B6", "1000-rdns", make_subject, "<1000 31{30{06{55040b}0c{'a'}}}>", "badCSR:name-der"),
    BAD("B6", "1000-in-one-rdn", make_subject, "31{<1000 30{06{55040b}0c{#}}>}",
	"badCSR:name-der|badCSR:name-form"),
    {"B6", "common-name-of-64-kb", make_common_name, "0c{<65536 61>}", "413",
	"badRequest:body-size", "", ""},
    BAD("B6", "common-name-of-20-kb", make_common_name, "0c{<20000 61>}", SIZE),
    BAD("B6", "common-name-of-15-kb", make_common_name, "0c{<15000 61>}", "badCSR:name-length"),
    BAD("B6", "21-extensions", make_extensions, "<21 30{06{2a03 #}04{0500}}>",
	"badCSR:extension-count"),
    BAD("B6", "500-extensions", make_extensions, "<500 30{06{2a03 #}04{0500}}>",
	"badCSR:extension-count"),
    BAD("B6", "101-sans", make_sans, "<101 82{'pump-' # '.example'}>", "badCSR:san-count"),
    {0},
};
