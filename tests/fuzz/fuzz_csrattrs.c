/*
 * fuzz_csrattrs - CSR attributes as an operator may give them, and a request that is held against
 * them: a CsrAttrs, and behind it a PKCS#10 request or nothing.
 *
 * What is taken, OpenSSL can read; what is demanded is demanded element by element; and of a key
 * that is not the device's nothing is.
 */
#include "tests/fuzz/fuzz.h"

#include <openssl/asn1.h>
#include <openssl/err.h>

#include "common/pki/csrattrs.h"
#include "common/pki/der.h"
#include "tests/fuzz/mutate.h"

static void check_openssl(struct span der)
{
	const unsigned char *at = der.data;
	STACK_OF(ASN1_TYPE) *list = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)der.len);

	must(list != NULL && at == der.data + der.len);
	sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
	ERR_clear_error();
}

/* Whether the request has all of it; the refusal, if there is one, is the one for this. */
static bool has_all(struct span der, const struct csr *csr)
{
	enum outcome outcome = csrattrs_enforce(der, csr);

	must(outcome == EST_OK || refusal_recorded(outcome) == CSR_ATTRIBUTE_MISSING);
	return fuzz_judged(outcome) == EST_OK;
}

/* The whole is what its elements are, each a CsrAttrs of its own. */
static void check_elements(struct span der, const struct csr *csr, bool all)
{
	struct der list, one;
	struct buf single = {0};
	bool each = true;

	must(der_take(&der, DER_SEQUENCE, &list) == EST_OK);
	while (list.content.len > 0) {
		must(der_next(&list.content, &one) == EST_OK);
		buf_reset(&single);
		der_add(&single, DER_SEQUENCE, one.whole);
		must(csrattrs_check(buf_span(&single)) == EST_OK);
		each &= has_all(buf_span(&single), csr);
	}
	must(all == each);
	buf_free(&single);
}

static void check_request(struct span der, struct span request)
{
	struct csr csr;
	bool proven = false;

	if (csr_parse(request, CSR_KEY_PROVEN, &csr) == EST_OK) {
		proven = has_all(der, &csr);
		check_elements(der, &csr, proven);
		csr_clear(&csr);
	}
	reason_clear();
	if (csr_parse(request, CSR_KEY_ANY, &csr) == EST_OK) {
		bool any = has_all(der, &csr);
		must(any || !proven);
		check_elements(der, &csr, any);
		csr_clear(&csr);
	}
	reason_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {data, size};
	struct der csrattrs;

	reason_clear();
	if (der_next(&rest, &csrattrs) != EST_OK)
		csrattrs.whole = rest;
	if (csrattrs_check(csrattrs.whole) != EST_OK) {
		must(reason_text()[0] != '\0');
		must(refusal_recorded(EST_MALFORMED) == OTHER); /* no request is to blame */
		reason_clear();
		return 0;
	}
	must(reason_text()[0] == '\0');
	check_openssl(csrattrs.whole);
	check_request(csrattrs.whole, rest);
	return 0;
}

#ifdef EST_FUZZING

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	return mutate_der(data, size, most, seed);
}

#endif
