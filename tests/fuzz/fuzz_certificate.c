/*
 * fuzz_certificate - the TLS client's certificate as web servers hand it over: whatever form it
 * comes in, the only one that lets anybody in is the one that is remembered, octet for octet; and
 * what our reader sees in a certificate is what OpenSSL sees.
 *
 * The first octet chooses: even, the rest is the variable as it is; odd, the rest is DER that is
 * put into one of the forms, so that the fuzzer need not learn PEM.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <openssl/err.h>

#include "common/auth/method.h"
#include "common/base/encoding.h"
#include "common/pki/cert.h"
#include "common/pki/tree.h"
#include "tests/fuzz/mutate.h"

#define NOW INT64_C(1767225600)

/*
 * CN=Fuzz CA, and CN=pump with serial 0x42 under it: P-256, 2020 to 2049. Nobody has their private
 * keys.
 */
static const unsigned char authority[] =
    "\x30\x82\x01\x55\x30\x81\xfb\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x0a\x06\x08\x2a\x86\x48"
    "\xce\x3d\x04\x03\x02\x30\x12\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c\x07\x46\x75\x7a\x7a"
    "\x20\x43\x41\x30\x1e\x17\x0d\x32\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x17\x0d"
    "\x34\x39\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x30\x12\x31\x10\x30\x0e\x06\x03\x55"
    "\x04\x03\x0c\x07\x46\x75\x7a\x7a\x20\x43\x41\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d"
    "\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04\x87\x79\xeb\x81\xc4\x0d"
    "\xb3\xf8\x6f\xdb\x64\x1f\x96\x9d\x2b\x71\x78\x4c\xfa\x03\x73\x8d\x12\xcc\xe0\x58\x63\x57"
    "\x78\x06\xc0\xe6\x44\x92\x7f\x79\xd2\x16\xf6\x7b\xed\x52\x3f\x6c\x29\x08\xa6\xa5\x33\xc4"
    "\x80\x01\xe4\xae\x39\x10\x46\xf1\x43\xbd\x30\x12\x92\xbd\xa3\x42\x30\x40\x30\x0f\x06\x03"
    "\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01"
    "\xff\x04\x04\x03\x02\x01\x06\x30\x1d\x06\x03\x55\x1d\x0e\x04\x16\x04\x14\x63\xb2\xda\x7b"
    "\x2f\x2a\x90\x5d\xdc\xcb\xea\xb9\x56\x4f\xad\x02\xec\x21\x87\x6b\x30\x0a\x06\x08\x2a\x86"
    "\x48\xce\x3d\x04\x03\x02\x03\x49\x00\x30\x46\x02\x21\x00\xc9\x35\x66\xc9\xf7\x40\x80\x78"
    "\x48\x01\x15\x14\xfc\x5f\x01\x49\x65\x2a\x1b\x0d\x20\xbc\xf0\xa2\x7a\x05\x84\xa0\xd1\x2e"
    "\x7e\xe6\x02\x21\x00\xff\xbd\x15\x4f\x28\x0f\x42\xb1\x87\x07\x3d\x8a\xf1\x08\x11\x67\x5f"
    "\x1c\x77\x55\xf0\x34\x6e\xb9\xb4\x60\x63\x95\xd8\x05\x31\x96";
static const unsigned char pump[] =
    "\x30\x82\x01\xa0\x30\x82\x01\x46\xa0\x03\x02\x01\x02\x02\x01\x42\x30\x0a\x06\x08\x2a\x86"
    "\x48\xce\x3d\x04\x03\x02\x30\x12\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c\x07\x46\x75\x7a"
    "\x7a\x20\x43\x41\x30\x1e\x17\x0d\x32\x30\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x17"
    "\x0d\x34\x39\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30\x5a\x30\x0f\x31\x0d\x30\x0b\x06\x03"
    "\x55\x04\x03\x0c\x04\x70\x75\x6d\x70\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04\x5c\x95\x29\xa8\xed\x0c\xd3\x77"
    "\x1d\x78\x81\x73\x0b\xa6\x18\x47\xe9\xe2\xc9\x3a\x18\x88\x54\x5b\x3d\xdd\xeb\xd3\x9b\xba"
    "\xae\x82\x5d\x1c\xee\x4b\x9e\xd5\x05\xfa\x28\xef\xb1\x4f\xa4\x03\x8f\x17\xd5\xd6\x71\xc6"
    "\x2f\x5b\x17\xb4\x2a\x5b\x51\x65\x47\x97\xf6\x11\xa3\x81\x8f\x30\x81\x8c\x30\x0c\x06\x03"
    "\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04"
    "\x03\x02\x07\x80\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05"
    "\x07\x03\x02\x30\x1d\x06\x03\x55\x1d\x0e\x04\x16\x04\x14\x8b\x68\x4f\x2c\x6e\xb7\x68\x5f"
    "\x60\xaa\xfb\x38\xc8\x18\x3b\xfc\xd9\xc2\x75\xf1\x30\x1f\x06\x03\x55\x1d\x23\x04\x18\x30"
    "\x16\x80\x14\x63\xb2\xda\x7b\x2f\x2a\x90\x5d\xdc\xcb\xea\xb9\x56\x4f\xad\x02\xec\x21\x87"
    "\x6b\x30\x17\x06\x03\x55\x1d\x11\x04\x10\x30\x0e\x82\x0c\x70\x75\x6d\x70\x2e\x65\x78\x61"
    "\x6d\x70\x6c\x65\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x03\x48\x00\x30\x45\x02"
    "\x20\x2b\x20\xbb\xcc\x33\x2d\x01\x17\x3e\x73\x06\x3b\x85\xe9\x0f\x17\xdd\xc1\x2e\x1b\x97"
    "\x7d\x4c\xc3\x34\x88\x61\xb2\x94\x88\x17\xa5\x02\x21\x00\x9d\xfe\xb0\xe5\x7e\x5c\x8e\xc1"
    "\x94\xca\x95\x43\x02\x68\x2b\x08\x6a\xba\xb4\x00\xe5\x38\x8d\x8d\x85\x80\xc0\x43\x72\x72"
    "\xa1\x11";

#define OCTETS(array) ((struct span){(array), sizeof(array) - 1})

enum form { LINES, TABS, ONE_LINE, PERCENT, FORMS };

/* DER as Apache, lighttpd, HAProxy or nginx would hand it over. */
static void wrap(struct span der, enum form form, struct buf *out)
{
	struct buf pem = {0};

	if (form == ONE_LINE) {
		base64_encode(out, der, 0);
		return;
	}
	buf_add_string(&pem, "-----BEGIN CERTIFICATE-----\n");
	base64_encode(&pem, der, 64);
	buf_add_string(&pem, "-----END CERTIFICATE-----\n");
	for (size_t i = 0; i < pem.len; i++) {
		if (form == PERCENT && strchr("\n +/=", pem.data[i]) != NULL)
			buf_printf(out, "%%%02X", pem.data[i]);
		else
			buf_add_byte(out, pem.data[i]);
		if (form == TABS && pem.data[i] == '\n')
			buf_add_byte(out, '\t');
	}
	buf_free(&pem);
}

static enum outcome nobody(void *context, const char *name, struct user_record *out)
{
	(void)context;
	(void)name;
	(void)out;
	return EST_NOT_FOUND;
}

static enum outcome remembered(void *context, const struct serial *serial, struct cert_record *out)
{
	(void)context;
	if (serial->len != 1 || serial->octets[0] != 0x42)
		return reason(EST_NOT_FOUND, "there is no such certificate");
	*out = (struct cert_record){.serial = *serial,
	    .revocation_reason = NOT_REVOKED,
	    .label = "pumps",
	    .der = OCTETS(pump)};
	return EST_OK;
}

static const struct trust *trust_of(const struct config_label *label)
{
	static struct trust *trust;
	const unsigned char *at = authority;
	X509 *ca;

	if (trust != NULL)
		return trust;
	ca = d2i_X509(NULL, &at, sizeof(authority) - 1);
	must(ca != NULL && trust_make(label, ca, &trust) == EST_OK);
	X509_free(ca);
	return trust;
}

/* The variable as the client's certificate, and once more as what it sent behind it. */
static void identify(const char *variable, bool is_pump)
{
	const struct config_label label = {.name = (char[]){"pumps"}};
	char *chain[] = {mem_string(variable), NULL};
	struct auth auth = {.label = &label,
	    .trust = trust_of(&label),
	    .memory = {.user = nobody, .certificate = remembered},
	    .now = NOW};
	struct credentials credentials = {.certificate = variable, .chain = chain};
	struct identity identity = {0};
	enum outcome outcome;

	reason_clear();
	outcome = fuzz_judged(certificate_identify(&auth, PROOF_CERTIFICATE, &credentials, &identity));
	must(outcome == EST_OK || outcome == EST_UNAUTHENTICATED || outcome == EST_FORBIDDEN);
	must((outcome == EST_OK) == is_pump);
	must(outcome != EST_OK || span_equal(buf_span(&identity.der), OCTETS(pump)));
	identity_clear(&identity);
	free(chain[0]);
}

static void same_name(const X509_NAME *name, struct span ours)
{
	const unsigned char *der;
	size_t len;

	must(X509_NAME_get0_der(name, &der, &len) == 1);
	must(span_equal(ours, (struct span){der, len}));
}

/* What both can read, both read alike; theirs is X.690's BER, so it takes more. */
static void compare(struct span der)
{
	const unsigned char *at = der.data;
	X509 *theirs = d2i_X509(NULL, &at, (long)der.len);
	struct cert_parts ours;
	unsigned char *spki = NULL, *serial = NULL;
	int len;

	reason_clear();
	if (cert_parse(der, &ours) == EST_OK && theirs != NULL && at == der.data + der.len) {
		same_name(X509_get_issuer_name(theirs), ours.issuer);
		same_name(X509_get_subject_name(theirs), ours.subject);
		/* OpenSSL writes the key afresh, so it is what it was only if it was DER. */
		len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(theirs), &spki);
		must(tree_check(ours.spki, CSR_DER, "it") != EST_OK ||
		     span_equal(ours.spki, (struct span){spki, (size_t)len}));
		len = i2d_ASN1_INTEGER(X509_get_serialNumber(theirs), &serial);
		must(len > 2 && ours.serial.len < 0x80 && (size_t)len == ours.serial.len + 2 &&
		     memcmp(serial + 2, ours.serial.data, ours.serial.len) == 0);
	}
	OPENSSL_free(spki);
	OPENSSL_free(serial);
	X509_free(theirs);
	ERR_clear_error();
	reason_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {data + 1, size - 1};
	struct buf variable = {0}, decoded = {0};
	bool is_der = size > 0 && data[0] % 2 != 0, is_pump = false;
	char *text;

	if (size == 0)
		return 0;
	if (is_der)
		wrap(rest, data[0] / 2 % FORMS, &variable);
	else
		buf_add_span(&variable, rest);
	text = fuzz_text(variable.data, variable.len);
	reason_clear();
	if (certificate_decode(text, &decoded) == EST_OK) {
		must(!is_der || span_equal(rest, buf_span(&decoded)));
		compare(buf_span(&decoded));
		is_pump = span_equal(buf_span(&decoded), OCTETS(pump));
	} else {
		must(reason_text()[0] != '\0' && (!is_der || rest.len == 0));
	}
	identify(text, is_pump);
	free(text);
	buf_free(&variable);
	buf_free(&decoded);
	return 0;
}

#ifdef EST_FUZZING

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	if (size < 2 || most < 2 || data[0] % 2 == 0)
		return LLVMFuzzerMutate(data, size, most);
	if (seed % 8 == 0)
		data[0] = (uint8_t)(seed / 8 | 1);
	return 1 + mutate_der(data + 1, size - 1, most - 1, seed);
}

#endif
