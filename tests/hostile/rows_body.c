/* B7 to B10: how the request is sent. */
#include "tests/hostile/row.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define BASE64 "badRequest:base64"
#define RAW    "body=raw"

/* The base64 of a good request, in one line. */
static struct bytes text_of(const struct request *request)
{
	struct bytes whole = request_make(request);
	unsigned char *text = malloc(whole.len * 2 + 8);
	struct bytes made;
	int len;

	if (text == NULL)
		err(EXIT_FAILURE, "malloc");
	len = EVP_EncodeBlock(text, whole.at, (int)whole.len);
	made = bytes_copy(text, (size_t)len);
	free(text);
	return made;
}

/* Notation over the text. */
static void text(struct request *request, const char *what)
{
	request->body = bytes_make(what, text_of(request));
}

/* "COLUMNS NOTATION": the text in lines, each followed by the notation. */
static void lines(struct request *request, const char *what)
{
	struct bytes whole = text_of(request), made = bytes_make("");
	char *rest;
	size_t columns = strtoul(what, &rest, 10);

	for (size_t at = 0; at < whole.len; at += columns)
		made = bytes_make("$ $ $", made, bytes_part(whole, at, columns), bytes_make(rest));
	request->body = made;
}

/* "OFFSET NOTATION": something in the middle of the text. */
static void inserted(struct request *request, const char *what)
{
	struct bytes whole = text_of(request);
	char *rest;
	size_t at = strtoul(what, &rest, 10);

	request->body = bytes_make(
	    "$ $ $", bytes_part(whole, 0, at), bytes_make(rest), bytes_part(whole, at, whole.len));
}

/*
 * A request whose base64 ends in ==, without one or both of them, or with other bits in front of
 * them.
 */
static void padding(struct request *request, const char *what)
{
	struct bytes whole;

	do { /* signatures differ in length */
		whole = text_of(request);
	} while (whole.at[whole.len - 2] != '=');
	if (strcmp(what, "none") == 0)
		whole.len -= 2;
	else if (strcmp(what, "half") == 0)
		whole.len -= 1;
	else if (strcmp(what, "bits") == 0)
		whole = bytes_flip(whole, whole.len - 3, 1);
	request->body = whole;
}

static void url_alphabet(struct request *request, const char *what)
{
	struct bytes whole = text_of(request);

	(void)what;
	for (size_t i = 0; i < whole.len; i++)
		if (whole.at[i] == '+' || whole.at[i] == '/')
			whole = bytes_flip(whole, i, whole.at[i] == '+' ? '+' ^ '-' : '/' ^ '_');
	request->body = whole;
}

static void pem(struct request *request, const char *what)
{
	lines(request, "64 0a");
	request->body = bytes_make(what, request->body, request->body);
}

static void base64_twice(struct request *request, const char *what)
{
	struct bytes once = text_of(request);

	(void)what;
	request->body = once;
	request->body = text_of(request);
}

#define PEM(word) "'-----BEGIN " word "-----' 0a $ '-----END " word "-----' 0a"
#define TYPE415   "415"

/* Another answer than 400. */
#define OTHER(row, name, make, what, status, code, how)                                            \
	{                                                                                          \
		row, name, make, what, status, code, how, ""                                       \
	}

const struct row rows_body[] = {
    GOOD("B7", "one-line", text, "$", RAW),
    GOOD("B7", "one-line-and-lf", text, "$ 0a", RAW),
    GOOD("B7", "76-crlf", lines, "76 0d0a", RAW),
    GOOD("B7", "64-lf", lines, "64 0a", RAW),
    GOOD("B7", "1-lf", lines, "1 0a", RAW),
    GOOD("B7", "10-blank-tab", lines, "10 '  ' 09", RAW),
    GOOD("B7", "cr-only", lines, "64 0d", RAW),
    GOOD("B7", "blanks-around", text, "<40 20 0a> $ <40 0d 0a 09>", RAW),
    GOOD("B7", "pem", pem, PEM("CERTIFICATE REQUEST"), RAW),
    GOOD("B7", "pem-new", pem, PEM("NEW CERTIFICATE REQUEST"), RAW),
    GOOD("B7", "cte-base64", lines, "64 0a", RAW "&header=Content-Transfer-Encoding:base64"),
    GOOD("B7", "cte-mixed-case", lines, "64 0a", RAW "&header=Content-Transfer-Encoding:Base64"),
    GOOD("B7", "cte-binary", lines, "64 0a", RAW "&header=Content-Transfer-Encoding:binary"),
    GOOD("B7", "cte-8bit", lines, "64 0a", RAW "&header=Content-Transfer-Encoding:8bit"),
    GOOD("B7", "cte-anything", lines, "64 0a", RAW "&header=Content-Transfer-Encoding:x-y"),
    BAD_AT(RAW, "B7", "no-padding", padding, "none", BASE64),
    BAD_AT(RAW, "B7", "half-padding", padding, "half", BASE64),
    BAD_AT(RAW, "B7", "bits-behind-the-end", padding, "bits", BASE64),
    BAD_AT(RAW, "B7", "more-padding", text, "$ '===='", BASE64),
    BAD_AT(RAW, "B7", "more-behind-padding", text, "'MAA=' $", BASE64),
    BAD_AT(RAW "&label=strict", "B7", "pem-where-not-taken", pem, PEM("CERTIFICATE REQUEST"),
	"badRequest:body-form"),
    BAD_AT(RAW "&label=strict", "B7", "der-where-not-taken", make_good, "", "badRequest:body-form"),
    BAD_AT(RAW, "B7", "pem-twice", pem, PEM("CERTIFICATE REQUEST") PEM("CERTIFICATE REQUEST"),
	"badRequest:(body-form|base64)"),
    BAD_AT(RAW, "B7", "pem-of-a-certificate", pem, PEM("CERTIFICATE"),
	"badRequest:(body-form|base64)"),
    BAD_AT(RAW, "B7", "pem-without-end", pem, "'-----BEGIN CERTIFICATE REQUEST-----' 0a $",
	"badRequest:(body-form|base64)"),
    BAD_AT(RAW, "B7", "pem-other-end", pem,
	"'-----BEGIN CERTIFICATE REQUEST-----' 0a $ '-----END NEW CERTIFICATE REQUEST-----' 0a",
	"badRequest:(body-form|base64)"),
    BAD_AT(RAW, "B7", "twice", base64_twice, "", "badCSR:der|badRequest:body-form"),

    BAD_AT(RAW, "B8", "url-alphabet", url_alphabet, "", BASE64),
    BAD_AT(RAW, "B8", "nul", inserted, "100 00", BASE64),
    BAD_AT(RAW, "B8", "nul-in-front", text, "00 $", BASE64),
    BAD_AT(RAW, "B8", "nul-behind", text, "$ 00", BASE64),
    BAD_AT(RAW, "B8", "ff", inserted, "100 ff", BASE64),
    BAD_AT(RAW, "B8", "vertical-tab", inserted, "100 0b", BASE64),
    BAD_AT(RAW, "B8", "form-feed", inserted, "100 0c", BASE64),
    BAD_AT(RAW, "B8", "no-break-space", inserted, "100 c2a0", BASE64),
    BAD_AT(RAW, "B8", "byte-order-mark", text, "efbbbf $", BASE64),
    BAD_AT(RAW, "B8", "percent", inserted, "100 '%2B'", BASE64),
    BAD_AT(RAW, "B8", "comment", inserted, "100 0a '# comment' 0a", BASE64),
    BAD_AT(RAW, "B8", "minus", text, "$ '-'", BASE64),
    BAD_AT(RAW, "B8", "one-character", make_body, "'M'", BASE64),
    BAD_AT(RAW, "B8", "padding-only", make_body, "'===='", BASE64),
    BAD_AT(RAW, "B8", "white-only", make_body, "<100 20 0a>", "badRequest:(base64|body-empty)"),
    GOOD("B8", "60000-blanks", text, "<60000 20> $", RAW),
    OTHER("B8", "70000-blanks", text, "<70000 20> $", "413", "badRequest:body-size", RAW),
    OTHER("B8", "900000-blanks", text, "<900000 20> $", "413", "badRequest:body-size", RAW),

    GOOD("B9", "upper-case", make_good, "", "type=Application/PKCS10"),
    GOOD("B9", "with-parameter", make_good, "", "type=application/pkcs10;+charset%3Dutf-8"),
    GOOD("B9", "with-name", make_good, "", "type=application/pkcs10;name%3D%22smime.p10%22"),
    OTHER("B9", "missing", make_good, "", TYPE415, "badRequest:content-type", "type="),
    OTHER("B9", "text", make_good, "", TYPE415, "badRequest:content-type", "type=text/plain"),
    OTHER("B9", "form", make_good, "", TYPE415, "badRequest:content-type",
	"type=application/x-www-form-urlencoded"),
    OTHER("B9", "longer", make_good, "", TYPE415, "badRequest:content-type",
	"type=application/pkcs10x"),
    OTHER("B9", "shorter", make_good, "", TYPE415, "badRequest:content-type",
	"type=application/pkcs1"),
    OTHER("B9", "another", make_good, "", TYPE415, "badRequest:content-type",
	"type=application/pkcs7-mime"),
    OTHER("B9", "in-a-list", make_good, "", "400|415", "badRequest:content-type",
	"type=application/pkcs10,+text/plain"),
    OTHER("B9", "duplicated", make_good, "", "400|415", "", "header=Content-Type:text/plain"),
    OTHER("B9", "content-encoding", make_good, "", TYPE415, "badRequest:content-encoding",
	"header=Content-Encoding:gzip"),

    OTHER("B10", "get", make_body, "", "405", "badRequest:method", "method=GET"),
    OTHER("B10", "put", make_good, "", "405", "badRequest:method", "method=PUT"),
    OTHER("B10", "delete", make_good, "", "405", "badRequest:method", "method=DELETE"),
    OTHER("B10", "lower-case", make_good, "", "400|405|501", "", "method=post"),
    OTHER("B10", "post-cacerts", make_good, "", "405", "badRequest:method", "operation=cacerts"),
    OTHER("B10", "unknown-operation", make_good, "", "404", "badRequest:path",
	"operation=simpleenrol"),
    OTHER("B10", "upper-case-operation", make_good, "", "404", "badRequest:path",
	"operation=SIMPLEENROLL"),
    OTHER("B10", "serverkeygen", make_good, "", "404", "badRequest:path", "operation=serverkeygen"),
    OTHER("B10", "fullcmc", make_good, "", "404", "badRequest:path", "operation=fullcmc"),
    OTHER("C13", "unknown-label", make_good, "", "404", "badRequest:path", "label=nobody"),
    OTHER("C13", "dots", make_good, "", "403|404", "", "label=.."),
    OTHER("C13", "encoded-slash", make_good, "", "403|404", "", "label=..%252f..%252fetc"),
    OTHER("C13", "encoded-nul", make_good, "", "400|404", "", "label=server%2500"),
    OTHER("C13", "semicolon", make_good, "", "404", "badRequest:path", "label=server;x"),
    OTHER("C13", "two-labels", make_good, "", "404", "badRequest:path", "label=server/strict"),
    OTHER("C13", "upper-case", make_good, "", "404", "badRequest:path", "label=SERVER"),
    {0},
};
