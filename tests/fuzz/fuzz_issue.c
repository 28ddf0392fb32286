/*
 * fuzz_issue - whatever a request asks for, what we would sign is a good certificate: every request
 * that passes a profile becomes one, and the lint has nothing to say against it.
 *
 * Whether the request is rightly signed makes no difference to what comes out of it, so signatures
 * are not looked at. The first octet chooses the profile and the dates; the rest is the request.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/pki/cert.h"
#include "common/pki/lint.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/profiles.h"

/* Name{CN=Fuzz CA}, AlgorithmIdentifier{ecdsa-with-SHA256}, and an octet string for a signature. */
static const unsigned char issuer[] = "\x30\x12\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c\x07"
				      "Fuzz CA";
static const unsigned char algorithm[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
static const unsigned char key_id[] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"
				      "\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14";

#define CA_NOT_BEFORE INT64_C(1735689600)

#define OCTETS(array) ((struct span){(array), sizeof(array) - 1})

/*
 * When a certificate begins, and when its CA ends: on either side of 2050, where the type of a time
 * changes.
 */
static const struct {
	int64_t not_before, ca_not_after;
} dates[] = {
    {INT64_C(1767225600), INT64_C(253402300799)},
    {INT64_C(2524607999), INT64_C(253402300799)},
    {INT64_C(2524521600), INT64_C(2524608000)},
    {INT64_C(2524608000), INT64_C(253402300799)},
};

#define DATES (sizeof(dates) / sizeof(dates[0]))

/* What OpenSSL makes of the whole certificate. */
static void check_openssl(struct span tbs, const struct csr *csr, const struct lint_want *want)
{
	bool ca = want->profile->config->ca;
	struct buf der = {0};
	struct cert_parts parts;
	const unsigned char *at;
	X509 *certificate;

	cert_encode(tbs, OCTETS(algorithm), OCTETS(key_id), &der);
	at = der.data;
	certificate = d2i_X509(NULL, &at, (long)der.len);
	must(certificate != NULL && at == der.data + der.len);
	must((X509_get_extension_flags(certificate) & EXFLAG_INVALID) == 0);
	must(X509_check_ca(certificate) == (ca ? 1 : 0));
	must(ca == ((X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0));
	must(ca || (X509_get_key_usage(certificate) & KU_CRL_SIGN) == 0);
	must(X509_get_pathlen(certificate) == (ca ? 1 : -1));
	must(cert_parse(buf_span(&der), &parts) == EST_OK);
	must(span_equal(parts.spki, csr->spki));
	must((parts.sans.len > 0) == (want->sans->count > 0));
	X509_free(certificate);
	buf_free(&der);
	ERR_clear_error();
}

/* Names are those that the profile makes of the request's: a plain one leaves them alone. */
static void issue(const struct profile *profile, const struct csr *csr,
    const struct profile_names *names, size_t date)
{
	struct cert_plan plan = {.serial = {0x7f, 0x80}, .issuer = OCTETS(issuer)};
	struct lint_want want = {.algorithm = OCTETS(algorithm), .issuer = OCTETS(issuer)};
	struct buf subject = {0}, extensions = {0}, tbs = {0};

	name_encode(&names->name, &subject);
	profile_extensions(profile, csr, &names->sans, names->name.count == 0, &extensions);
	plan.subject = buf_span(&subject);
	plan.spki = csr->spki;
	plan.not_before = dates[date].not_before;
	plan.not_after = plan.not_before + profile->config->validity - 1;
	if (plan.not_after > dates[date].ca_not_after)
		plan.not_after = dates[date].ca_not_after;
	plan.authority_key_id = OCTETS(key_id);
	plan.extensions = buf_span(&extensions);
	cert_encode_tbs(&plan, OCTETS(algorithm), &tbs);

	want.authority_key_id = OCTETS(key_id);
	want.not_before = plan.not_before;
	want.not_after = plan.not_after;
	want.ca_not_before = CA_NOT_BEFORE;
	want.ca_not_after = dates[date].ca_not_after;
	want.serial = (struct span){plan.serial, CERT_SERIAL_SIZE};
	want.subject = plan.subject;
	want.spki = csr->spki;
	want.sans = &names->sans;
	want.profile = profile;
	must(lint_tbs(buf_span(&tbs), &want) == EST_OK);
	check_openssl(buf_span(&tbs), csr, &want);
	buf_free(&subject);
	buf_free(&extensions);
	buf_free(&tbs);
}

/*
 * Whoever asks is called as the request says; where that says nothing, the profile's rules decide.
 */
static struct span identity_of(const struct csr *csr)
{
	struct span name = name_first(&csr->name, "CN");

	return name.len > 0 ? name : span_of("fuzzer.example");
}

/* Who asks for what was issued gets the same names again. */
static void check_again(
    const struct profile *profile, const struct csr *csr, const struct profile_names *names)
{
	struct profile_names again;
	struct csr next = *csr;

	next.name = names->name;
	next.wishes.sans = names->sans;
	must(profile_check(profile, &next, true) == EST_OK);
	must(profile_check_whole(profile, &names->name, &names->sans) == EST_OK);
	must(profile_names(profile, &next, identity_of(&next), &again) == EST_OK);
	must(name_equal(&again.name, &names->name) && sans_equal(&again.sans, &names->sans));
	profile_names_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct profile *profile;
	struct profile_names names;
	struct csr csr;

	if (size == 0)
		return 0;
	profile = profiles_of(data[0] % PROFILES);
	reason_clear();
	if (csr_parse((struct span){data + 1, size - 1}, CSR_KEY_PROVEN, &csr) != EST_OK)
		return 0;
	if (profile_check(profile, &csr, true) == EST_OK) {
		must(reason_text()[0] == '\0');
		if (fuzz_judged(profile_names(profile, &csr, identity_of(&csr), &names)) ==
		    EST_OK) {
			must(!profile_plain(profile) || name_equal(&names.name, &csr.name));
			check_again(profile, &csr, &names);
			issue(profile, &csr, &names, data[0] / PROFILES % DATES);
			profile_names_clear(&names);
		} else {
			must(!profile_plain(profile));
		}
	}
	csr_clear(&csr);
	return 0;
}

#ifdef EST_FUZZING

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	if (size < 2 || most < 2)
		return LLVMFuzzerMutate(data, size, most);
	if (seed % 8 == 0)
		data[0] = (uint8_t)(seed / 8);
	return 1 + mutate_der(data + 1, size - 1, most - 1, seed);
}

#endif
