/*
 * san.h - subject alternative names (RFC 5280 4.2.1.6), as parsed values.
 */
#ifndef EST_SAN_H
#define EST_SAN_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define SANS_MAX 100

enum san_kind { SAN_DNS, SAN_IP, SAN_EMAIL, SAN_URI, SAN_KINDS };

struct san {
	enum san_kind kind;
	struct span value; /* octets: text, or 4 or 16 of an address; leads into the request */
};

/* others counts names of kinds that we neither issue nor compare: otherName, directoryName, ... */
struct sans {
	struct san san[SANS_MAX];
	size_t count, others;
};

/*
 * Parses the content of a SubjectAltName extension and checks the form of every name. At most
 * SANS_MAX in all. Refuses with a CSR_SAN or CSR_NAME code.
 */
enum outcome sans_parse(struct span der, struct sans *out);

/* Appends a DER GeneralNames. */
void sans_encode(const struct sans *sans, struct buf *out);

/* Appends "dns:a.example,ip:192.0.2.1"; san_text() one of them without its kind. */
void sans_text(const struct sans *sans, struct buf *out);
void san_text(const struct san *san, struct buf *out);

/* Whether a and b hold the same names, in any order (dns and email compare without letter case). */
bool sans_equal(const struct sans *a, const struct sans *b);
bool sans_have(const struct sans *sans, const struct san *san);

const char *san_kind_word(enum san_kind kind); /* "dns", ... */

#endif
