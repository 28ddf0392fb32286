/*
 * message_ciphers.c - what an envelope is made with: what the recipient says it can open.
 */
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "common/base/refusal.h"
#include "common/pki/der.h"
#include "common/pki/message.h"

/* What a capability is for. */
enum use { CONTENT, WRAP, TRANSPORT, AGREEMENT, USES };

#define AES(last)       DER_OCTETS("\x60\x86\x48\x01\x65\x03\x04\x01" last)
#define ECDH(last)      DER_OCTETS("\x2b\x81\x04\x01\x0b" last)
#define OAEP            DER_OCTETS("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07")
#define SHA256_ID       "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
#define SHA256_ID_ALONE "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define MGF1_OID        "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define MGF1_ID         "\x30\x1a" MGF1_OID

/*
 * What we have, for each use the weakest first. `parameters`: what they have to be, where they
 * matter. RSAES-OAEP says its digest in them, as RFC 4055 4.1 has it with NULL behind the digests'
 * OIDs or, as OpenSSL, without, or as RFC 3560 5 has it, without tags.
 */
static const struct capability {
	enum use use;
	int nid;
	struct span oid, parameters;
} capabilities_known[] = {
    {CONTENT, NID_aes_128_cbc, AES("\x02"), {NULL, 0}},
    {CONTENT, NID_aes_192_cbc, AES("\x16"), {NULL, 0}},
    {CONTENT, NID_aes_256_cbc, AES("\x2a"), {NULL, 0}},
    {WRAP, NID_id_aes128_wrap, AES("\x05"), {NULL, 0}},
    {WRAP, NID_id_aes192_wrap, AES("\x19"), {NULL, 0}},
    {WRAP, NID_id_aes256_wrap, AES("\x2d"), {NULL, 0}},
    {TRANSPORT, NID_sha1, OAEP, DER_OCTETS("\x30\x00")},
    {TRANSPORT, NID_sha256, OAEP,
	DER_OCTETS("\x30\x2f\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1_ID SHA256_ID)},
    {TRANSPORT, NID_sha256, OAEP,
	DER_OCTETS("\x30\x2b\xa0\x0d" SHA256_ID_ALONE "\xa1\x1a\x30\x18" MGF1_OID SHA256_ID_ALONE)},
    {TRANSPORT, NID_sha256, OAEP, DER_OCTETS("\x30\x2b" SHA256_ID MGF1_ID SHA256_ID)},
    {AGREEMENT, NID_sha256, ECDH("\x01"), {NULL, 0}},
    {AGREEMENT, NID_sha384, ECDH("\x02"), {NULL, 0}},
    {AGREEMENT, NID_sha512, ECDH("\x03"), {NULL, 0}},
};

#define KNOWN (sizeof(capabilities_known) / sizeof(capabilities_known[0]))

/* What is listed: the best of each use, and the wrap that the best AGREEMENT comes with. */
struct listed {
	const struct capability *best[USES];
	const struct capability *agreed_wrap;
	bool row[KNOWN];
};

static const struct capability *known(struct span oid, struct span parameters)
{
	for (size_t i = 0; i < KNOWN; i++) {
		const struct capability *row = &capabilities_known[i];
		if (span_equal(row->oid, oid) &&
		    (row->parameters.len == 0 || span_equal(row->parameters, parameters)))
			return row;
	}
	return NULL;
}

/* The KeyWrapAlgorithm in the parameters of an ECDH scheme (RFC 5753 7); NULL: none of ours. */
static const struct capability *wrap_in(struct span parameters)
{
	const struct capability *row;
	struct der value, oid;

	if (der_take(&parameters, DER_SEQUENCE, &value) != EST_OK ||
	    der_take(&value.content, DER_OID, &oid) != EST_OK)
		return NULL;
	row = known(oid.content, value.content);
	return row != NULL && row->use == WRAP ? row : NULL;
}

/* By their places in the table; NULL is the weakest. */
static bool stronger(const struct capability *a, const struct capability *b)
{
	return a != NULL && (b == NULL || a > b);
}

/* Each scheme is listed once for each wrap that it is known with. */
static void note_agreement(
    const struct capability *row, struct span parameters, struct listed *listed)
{
	const struct capability **best = &listed->best[AGREEMENT], *wrap = wrap_in(parameters);

	if (wrap == NULL)
		return;
	if (stronger(row, *best) || (row == *best && stronger(wrap, listed->agreed_wrap))) {
		*best = row;
		listed->agreed_wrap = wrap;
	}
}

/* Takes note of one SMIMECapability; false: it is none. */
static bool note(struct span capability, struct listed *listed)
{
	const struct capability *row;
	struct der oid, parameters = {.tag = 0};

	if (der_take(&capability, DER_OID, &oid) != EST_OK ||
	    (capability.len > 0 && der_next(&capability, &parameters) != EST_OK) ||
	    capability.len > 0)
		return false;
	row = known(oid.content, parameters.whole);
	if (row == NULL)
		return true;
	listed->row[row - capabilities_known] = true;
	if (row->use == AGREEMENT)
		note_agreement(row, parameters.whole, listed);
	else if (stronger(row, listed->best[row->use]))
		listed->best[row->use] = row;
	return true;
}

static enum outcome choose_for_kek(
    const struct listed *listed, size_t size, struct message_ciphers *out)
{
	out->wrap = size == 16   ? NID_id_aes128_wrap
		    : size == 24 ? NID_id_aes192_wrap
				 : NID_id_aes256_wrap;
	for (size_t i = 0; i < KNOWN; i++)
		if (capabilities_known[i].nid == out->wrap && listed->row[i])
			return EST_OK;
	return refuse(KEYGEN_ALGORITHMS,
	    "the key to encrypt for has %zu octets, and the request's SMIMECapabilities do not "
	    "list %s",
	    size, OBJ_nid2sn(out->wrap));
}

static enum outcome choose_for_ec(
    const struct listed *listed, int bits, struct message_ciphers *out)
{
	const struct capability *agreement = listed->best[AGREEMENT],
				*wrap =
				    agreement == NULL ? listed->best[WRAP] : listed->agreed_wrap;

	if (wrap == NULL)
		return refuse(KEYGEN_ALGORITHMS,
		    "the request's SMIMECapabilities list no AES key wrap, which an EC key needs");
	out->wrap = wrap->nid;
	if (agreement != NULL)
		out->digest = agreement->nid;
	else
		out->digest = bits <= 256 ? NID_sha256 : bits <= 384 ? NID_sha384 : NID_sha512;
	return EST_OK;
}

enum outcome message_ciphers_choose(struct span capabilities,
    const struct message_recipient *recipient, struct message_ciphers *out)
{
	struct listed listed = {.agreed_wrap = NULL};
	EVP_PKEY *key;
	struct der value;

	*out = (struct message_ciphers){.digest = NID_undef};
	if (capabilities.len == 0)
		return refuse(KEYGEN_ALGORITHMS,
		    "the request wants its key encrypted and has no SMIMECapabilities to tell how");
	while (capabilities.len > 0)
		if (der_take(&capabilities, DER_SEQUENCE, &value) != EST_OK ||
		    !note(value.content, &listed))
			return refuse(KEYGEN_ALGORITHMS,
			    "the request's SMIMECapabilities are no SEQUENCE of capabilities");
	if (listed.best[CONTENT] == NULL)
		return refuse(KEYGEN_ALGORITHMS,
		    "the request's SMIMECapabilities list no AES-CBC, and EnvelopedData has no "
		    "place for AES-GCM");
	out->content = listed.best[CONTENT]->nid;
	if (recipient->certificate == NULL)
		return choose_for_kek(&listed, recipient->kek.len, out);
	key = X509_get0_pubkey(recipient->certificate);
	if (EVP_PKEY_is_a(key, "EC") == 1)
		return choose_for_ec(&listed, EVP_PKEY_get_bits(key), out);
	if (listed.best[TRANSPORT] != NULL)
		out->digest = listed.best[TRANSPORT]->nid;
	return EST_OK;
}
