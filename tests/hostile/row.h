/*
 * row.h - the table of hostile requests: what each is, and what a server has to answer.
 */
#ifndef EST_HOSTILE_ROW_H
#define EST_HOSTILE_ROW_H

#include <stdio.h>

#include "tests/hostile/request.h"

/* Turns a good request into the row's; what is the row's own word for how. */
typedef void maker(struct request *request, const char *what);

/*
 * A request. status and code are what the answer has to be, alternatives separated by |; an empty
 * code: the requirement prescribes the status only. how is a query string for the sender: label,
 * user (any: may have every name; pump: only pump-*.example), type (of the content), body=raw
 * (else base64 is made of it), text=present (without it the body of the answer has to begin with
 * the code), header, method, operation. without, in the notation of bytes.h, are octets that a
 * certificate, where one is issued, must not hold.
 */
struct row {
	const char *row, *name; /* of security-cases.md; what makes it odd, a file name */
	maker *make;
	const char *what;
	const char *status, *code, *how, *without;
};

#define BAD(row, name, make, what, code)                                                           \
	{                                                                                          \
		row, name, make, what, "400", code, "", ""                                         \
	}
#define BAD_AT(how, row, name, make, what, code)                                                   \
	{                                                                                          \
		row, name, make, what, "400", code, how, ""                                        \
	}
#define GOOD(row, name, make, what, how)                                                           \
	{                                                                                          \
		row, name, make, what, "200", "", how, ""                                          \
	}
/* Refused, or issued without these octets. */
#define NEVER(row, name, make, what, code, without)                                                \
	{                                                                                          \
		row, name, make, what, "400|200", code, "", without                                \
	}

/* Ended by a row without a name. */
extern const struct row rows_signature[], rows_rsa[], rows_key[], rows_der[], rows_body[],
    rows_subject[], rows_san[], rows_extension[];

/* What is attacked, from the command line: where its keys are, and a URL that it must not fetch. */
struct target {
	const char *directory, *url;
};
extern struct target target;

/*
 * Prints the list of blocked keys that row A13 is about, in the forms of est.conf's blocked_keys.
 */
void rows_print_blocked(FILE *file);

/* --- makers that several tables use --- */

maker make_good;        /* nothing is odd */
maker make_version;     /* what: all octets of version, in the notation */
maker make_subject;     /* the RDNs */
maker make_common_name; /* the value of the one attribute, with its tag */
maker make_extensions;  /* the Extensions of one extensionRequest */
maker make_sans;        /* the GeneralNames of a subjectAltName */
maker make_attributes;  /* the Attributes */
maker make_body;        /* the whole */
maker make_info;        /* the notation of the CertificationRequestInfo */
maker make_outer;       /* the notation of the request */

/* Pieces of the notation. */
#define CN(value)             "31{30{06{550403}" value "}}"
#define RDN(oid, value)       "31{30{06{" oid "}" value "}}"
#define EXTENSION(oid, value) "30{06{" oid "}04{" value "}}"
#define CRITICAL(oid, value)  "30{06{" oid "}0101ff 04{" value "}}"
#define SAN(names)            EXTENSION("551d11", "30{" names "}")
#define REQUESTED(extensions) "30{06{2a864886f70d01090e}31{30{" extensions "}}}"
#define ATTRIBUTE(oid, value) "30{06{" oid "}31{" value "}}"
#define CHALLENGE             "2a864886f70d010907"

#endif
