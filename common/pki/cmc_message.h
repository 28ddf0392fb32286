/*
 * cmc_message.h - the SignedData around a Full PKI Request or Response (RFC 5272 3.2, 4.2; RFC 5652
 * 5), read and verified in place.
 */
#ifndef EST_CMC_MESSAGE_H
#define EST_CMC_MESSAGE_H

#include "common/pki/key.h"

#define CMC_SIGNERS_MAX      4
#define CMC_CERTIFICATES_MAX 16

/* Content octets of id-cct-PKIData and id-cct-PKIResponse (RFC 5272 3.2.1, 4.2.1). */
#define CMC_PKI_DATA     "\x2b\x06\x01\x05\x05\x07\x0c\x02"
#define CMC_PKI_RESPONSE "\x2b\x06\x01\x05\x05\x07\x0c\x03"

/* A SignerInfo. Who signed: issuer (DER Name) and serial (content octets), or else key_id. */
struct cmc_signer {
	struct span issuer, serial;
	struct span key_id;
	struct span digest;     /* AlgorithmIdentifier */
	struct span attributes; /* signedAttrs, whole, as they came */
	struct span algorithm;  /* AlgorithmIdentifier of the signature */
	struct span signature;
};

/* The spans lead into the message's bytes, which must outlive it. */
struct cmc_message {
	struct span type;    /* of the content: content octets of its OID */
	struct span content; /* DER of a PKIData or PKIResponse; nothing has verified it yet */
	struct cmc_signer signers[CMC_SIGNERS_MAX];
	size_t signer_count;
	struct span certificates[CMC_CERTIFICATES_MAX]; /* DER */
	size_t certificate_count;
	bool is_cmc; /* set on refusals too: a refusal is answered by CMC then (RFC 7030 4.3.2) */
};

/*
 * Parses a ContentInfo with a SignedData of that content type, whose signers all have signed
 * attributes, strictly, and nothing behind it. EST_MALFORMED: CMC_FORM; CMC_ALGORITHM where it is
 * an AuthenticatedData or EnvelopedData, which are not taken here.
 */
enum outcome cmc_message_parse(struct span der, struct span type, struct cmc_message *out);

/*
 * Verifies one signature by that key: over the signed attributes, whose messageDigest is that of
 * the content and whose contentType is its type (RFC 5652 5.4, 11). SHA-2 only. EST_MALFORMED:
 * CMC_ALGORITHM, CMC_SIGNATURE.
 */
enum outcome cmc_signer_verify(
    const struct cmc_message *message, const struct cmc_signer *signer, const struct key_info *key);

/*
 * Appends the message, which is a SignedData as we make them, with further certificates in it (RFC
 * 5272 4.2): they are not part of what is signed. EST_INTERNAL where it is not such a message.
 */
enum outcome cmc_message_add_certificates(
    struct span message, const struct span *certificates, size_t count, struct buf *out);

#endif
