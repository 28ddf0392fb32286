/*
 * csr_test.h - whole requests with something in them, and what comes of them.
 */
#ifndef EST_CSR_TEST_H
#define EST_CSR_TEST_H

#include "maker.h"
#include "refusal_test.h"

#include "common/pki/csr.h"

#define CHALLENGE "06{2a864886f70d010907}"

/* What comes of a whole request: parsed, and verified where it parses. */
static inline enum outcome examine(struct span der)
{
	struct csr csr;
	enum outcome outcome = csr_parse(der, CSR_KEY_PROVEN, &csr);

	if (outcome == EST_OK)
		outcome = csr_verify(&csr, false);
	csr_clear(&csr);
	return outcome;
}

static inline struct span with_attributes(const char *notation)
{
	return maker_request(&(struct maker_request){
	    .key = "P-256", .digest = "SHA256", .attributes = maker_der(notation)});
}

static inline struct span with_extensions(const char *notation)
{
	return maker_request(&(struct maker_request){.key = "P-256",
	    .digest = "SHA256",
	    .attributes = maker_extensions(maker_der(notation))});
}

static int faults;

static inline void refuses(enum refusal wanted, struct span der, const char *what)
{
	faults += !refusal_is(wanted, examine(der), what);
}

/* Every request of a test is tried, so that one fault does not hide the next. */
static inline void assert_no_faults(void)
{
	int found = faults;

	faults = 0;
	assert_int_equal(found, 0);
}

#endif
