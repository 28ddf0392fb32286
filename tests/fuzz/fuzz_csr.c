/*
 * fuzz_csr - a request as a device sends it: what the gate takes, OpenSSL takes; the names that it
 * gives away can be shown and encoded; what it refuses has a code.
 *
 * A request whose signature is wrong stops at the signature, and no mutation keeps a signature
 * right. So half of the inputs get their key exchanged for one whose private half is here, and are
 * signed by it: the target is the real thing with no check left out, and still sees good requests
 * of every shape. RSA and the other keys come in by the seeds, whose names and attributes change
 * under the exchanged key.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/json.h"
#include "common/pki/change.h"
#include "common/pki/csr.h"
#include "common/pki/der.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/profiles.h"

/*
 * Strict UTF-8 (RFC 3629), by somebody else than utf8.c; the octets of the first character, 0 for
 * none.
 */
static size_t character(struct span text)
{
	unsigned char c = text.data[0];
	size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (len > text.len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((text.data[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && text.data[1] < 0xa0) || (c == 0xed && text.data[1] > 0x9f) ||
	    (c == 0xf0 && text.data[1] < 0x90) || (c == 0xf4 && text.data[1] > 0x8f))
		return 0;
	return len;
}

/* Text that is UTF-8 and has no control among its octets, and stays so in a log line. */
static void check_text(struct buf *text)
{
	struct buf json = {0};
	struct span all[] = {buf_span(text), {NULL, 0}};

	json_quote(&json, buf_span(text));
	all[1] = buf_span(&json);
	must(json.len >= 2 && json.data[0] == '"' && json.data[json.len - 1] == '"');
	for (size_t i = 0; i < 2; i++)
		while (all[i].len > 0) {
			size_t len = character(all[i]);
			must(len > 0);
			must(all[i].data[0] >= 0x20 && all[i].data[0] != 0x7f);
			all[i].data += len;
			all[i].len -= len;
		}
	buf_free(&json);
	buf_free(text);
}

static void check_names(const struct csr *csr)
{
	struct buf text = {0}, encoded = {0}, twice = {0};
	struct name name;
	struct sans sans;

	csr_device_name(&csr->name, &csr->wishes.sans, &text);
	check_text(&text);
	name_text(&csr->name, &text);
	check_text(&text);
	sans_text(&csr->wishes.sans, &text);
	check_text(&text);

	name_encode(&csr->name, &encoded);
	must(name_parse(buf_span(&encoded), &name) == EST_OK);
	must(name_equal(&csr->name, &name) && name_equal(&name, &csr->name));
	name_encode(&name, &twice);
	must(span_equal(buf_span(&encoded), buf_span(&twice)));
	name_clear(&name);

	if (csr->wishes.sans.count > 0) {
		buf_reset(&encoded);
		sans_encode(&csr->wishes.sans, &encoded);
		must(sans_parse(buf_span(&encoded), &sans) == EST_OK);
		must(sans.count == csr->wishes.sans.count && sans.others == 0);
	}
	buf_free(&encoded);
	buf_free(&twice);
}

/*
 * A VisibleString, which OpenSSL takes in no name (X.520's DirectoryString has none), and we read
 * as text.
 */
static bool has_visible(const struct name *name)
{
	for (size_t i = 0; i < name->count; i++)
		if (name->attributes[i].string_tag == DER_VISIBLE)
			return true;
	return false;
}

/*
 * OpenSSL reads the subject and the key, and verifies the signature. It looks into attributes that
 * nobody knows, and that we drop, so it may refuse the whole for what is in them.
 */
static void check_openssl(const struct csr *csr)
{
	const unsigned char *at = csr->subject.data, *of = csr->spki.data, *all = csr->der.data;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)csr->subject.len);
	EVP_PKEY *key = d2i_PUBKEY(NULL, &of, (long)csr->spki.len);
	X509_REQ *request = d2i_X509_REQ(NULL, &all, (long)csr->der.len);

	must(has_visible(&csr->name) ||
	     (name != NULL && at == csr->subject.data + csr->subject.len));
	must(key != NULL && of == csr->spki.data + csr->spki.len);
	if (request != NULL)
		must(all == csr->der.data + csr->der.len && X509_REQ_verify(request, key) == 1);
	X509_NAME_free(name);
	EVP_PKEY_free(key);
	X509_REQ_free(request);
	ERR_clear_error();
}

/* What attributes hold can be shown, and reads again as it was read. */
static void check_attributes(const struct csr *csr)
{
	struct buf text = {0};
	struct change change = {0};

	for (unsigned which = 0; which < CSR_CHALLENGES; which++) {
		csr_challenge_text(csr, (enum csr_challenge)which, &text);
		must((text.len > 0) == (csr->challenge[which].len > 0));
		must(text.len <= 4 * 255);
		check_text(&text);
	}
	if (csr->change.len > 0) {
		must(change_parse(csr->change, &change) == EST_OK);
		must(change.name.count + change.sans.count > 0);
		name_text(&change.name, &text);
		check_text(&text);
		change_clear(&change);
	}
	must(csr->attributes.len == 0 || csr->attributes.data[0] == DER_SEQUENCE);
}

/* A request that is in order is so whoever's key it has, and if its parts come without a frame. */
static void check_twins(const struct csr *csr)
{
	struct csr twin;

	must(csr_parse(csr->der, CSR_KEY_ANY, &twin) == EST_OK);
	must(twin.key.kind == csr->key.kind && name_equal(&twin.name, &csr->name));
	csr_clear(&twin);
	must(csr_assemble(csr->subject, csr->spki, csr->wishes.extensions, &twin) == EST_OK);
	must(twin.wishes.sans.count == csr->wishes.sans.count);
	must(twin.wishes.key_usage == csr->wishes.key_usage && twin.wishes.ca == csr->wishes.ca);
	csr_clear(&twin);
}

static void check_proven(const struct csr *csr)
{
	enum outcome outcomes[PROFILES];

	must(key_word_known(key_word(&csr->key)));
	check_twins(csr);
	for (size_t i = 0; i < PROFILES; i++)
		outcomes[i] = fuzz_judged(profile_check(profiles_of(i), csr, true));
	must(outcomes[STRICT] != EST_OK || outcomes[PERMISSIVE] == EST_OK);
	if (fuzz_judged(csr_verify(csr, true)) != EST_OK)
		must(fuzz_judged(csr_verify(csr, false)) != EST_OK);
	else
		check_openssl(csr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span der = {data, size};
	struct csr csr;
	bool any;

	reason_clear();
	any = fuzz_judged(csr_parse(der, CSR_KEY_ANY, &csr)) == EST_OK;
	if (any) {
		check_names(&csr);
		check_attributes(&csr);
		for (size_t i = 0; i < PROFILES; i++)
			(void)fuzz_judged(profile_check(profiles_of(i), &csr, false));
		csr_clear(&csr);
	}
	if (fuzz_judged(csr_parse(der, CSR_KEY_PROVEN, &csr)) != EST_OK)
		return 0;
	must(any);
	check_proven(&csr);
	csr_clear(&csr);
	return 0;
}

#ifdef EST_FUZZING

/* P-256, ECPrivateKey and SubjectPublicKeyInfo: known to everybody, for nothing but this. */
static const unsigned char private_key[] =
    "\x30\x77\x02\x01\x01\x04\x20\xca\xd1\x0f\x97\x38\xdc\xf7\x7a\x63\x23\xe3\x6f\x01\x5a\x24"
    "\x7e\xf1\xea\x5b\x0b\xba\xf5\x87\x07\x98\xa1\xcd\x52\x4b\x16\xc6\xbc\xa0\x0a\x06\x08\x2a"
    "\x86\x48\xce\x3d\x03\x01\x07\xa1\x44\x03\x42\x00\x04\xd0\xba\x36\xb2\x4e\x48\x73\x15\x53"
    "\x41\x68\x5c\xec\x9b\xb9\x8b\xc5\x7e\x84\xb5\x27\x95\xb5\x73\x26\x91\xf6\xa2\xc1\x8d\xb6"
    "\x89\xb7\x6e\xc6\xd7\x2d\x4a\xe9\x8d\xf0\x96\x68\x54\xd7\xd6\xee\x63\xf6\x72\x40\xa5\xd3"
    "\xdd\x69\x31\x96\xd8\x85\x66\x49\xd1\x6e\x47";
static const unsigned char public_key[] =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01"
    "\x07\x03\x42\x00\x04\xd0\xba\x36\xb2\x4e\x48\x73\x15\x53\x41\x68\x5c\xec\x9b\xb9\x8b\xc5"
    "\x7e\x84\xb5\x27\x95\xb5\x73\x26\x91\xf6\xa2\xc1\x8d\xb6\x89\xb7\x6e\xc6\xd7\x2d\x4a\xe9"
    "\x8d\xf0\x96\x68\x54\xd7\xd6\xee\x63\xf6\x72\x40\xa5\xd3\xdd\x69\x31\x96\xd8\x85\x66\x49"
    "\xd1\x6e\x47";
static const unsigned char ecdsa_sha256[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

#define OCTETS(array) ((struct span){(array), sizeof(array) - 1})

static void add_signature(struct span tbs, struct buf *out)
{
	static EVP_PKEY *key;
	const unsigned char *at = private_key;
	unsigned char signature[1 + 80] = {0};
	size_t len = sizeof(signature) - 1;
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (key == NULL)
		key = d2i_AutoPrivateKey(NULL, &at, sizeof(private_key) - 1);
	must(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1);
	must(EVP_DigestSign(context, signature + 1, &len, tbs.data, tbs.len) == 1);
	EVP_MD_CTX_free(context);
	buf_add_span(out, OCTETS(ecdsa_sha256));
	der_add(out, DER_BIT_STRING, (struct span){signature, len + 1});
}

/* The request with our key in it, rightly signed; nothing where it has not the shape of one. */
static void sign(struct span in, struct buf *out)
{
	struct der request, info, version, subject, spki;
	struct span rest;
	size_t outer, inner, from;

	if (der_take(&in, DER_SEQUENCE, &request) != EST_OK ||
	    der_take(&request.content, DER_SEQUENCE, &info) != EST_OK)
		return;
	rest = info.content;
	if (der_next(&rest, &version) != EST_OK || der_next(&rest, &subject) != EST_OK ||
	    der_next(&rest, &spki) != EST_OK)
		return;
	outer = der_open(out, DER_SEQUENCE);
	from = out->len;
	inner = der_open(out, DER_SEQUENCE);
	buf_add_span(out, version.whole);
	buf_add_span(out, subject.whole);
	buf_add_span(out, OCTETS(public_key));
	buf_add_span(out, rest);
	der_close(out, inner);
	add_signature((struct span){out->data + from, out->len - from}, out);
	der_close(out, outer);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	struct buf request = {0};

	size = mutate_der(data, size, most, seed);
	if ((seed & 1) != 0)
		sign((struct span){data, size}, &request);
	if (request.len > 0 && request.len <= most) {
		memcpy(data, request.data, request.len);
		size = request.len;
	}
	buf_free(&request);
	return size;
}

#endif
