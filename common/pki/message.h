/*
 * message.h - CMS messages that we make (RFC 5652): signed ones, and envelopes for a key of the
 * recipient's.
 */
#ifndef EST_MESSAGE_H
#define EST_MESSAGE_H

#include <stdint.h>

#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

/* Who signs, without telling how: sign appends the bare signature over data. */
struct message_signer {
	struct span certificate;  /* DER; goes into the message */
	struct span algorithm;    /* AlgorithmIdentifier of the signature, DER */
	const struct span *chain; /* further certificates, DER; chain_count of them */
	size_t chain_count;
	enum outcome (*sign)(void *context, struct span data, struct buf *signature);
	void *context;
};

/*
 * Appends the DER ContentInfo of a SignedData over content, whose type's OID (content octets) is
 * `type`, with signed attributes contentType, messageDigest and signingTime `now` (RFC 5652 5, 11).
 * The signer is named by issuer and serial number, which every verifier knows; RSA's signature is
 * called rsaEncryption, which every one has to know (RFC 3370 3.2). The digest is that of the
 * signature, and for Ed25519 and Ed448 that of RFC 8419 3.1. A content that is a secret is nowhere
 * but in out. EST_INTERNAL where it cannot be made; else what sign gives.
 */
enum outcome message_sign(const struct message_signer *signer, struct span type,
    struct span content, int64_t now, struct buf *out);

/* Who can open an envelope: one of the two. */
struct message_recipient {
	struct span kek_id, kek; /* a symmetric key and what it is called (kekri, RFC 5652 6.2.3) */
	X509 *certificate;       /* an RSA (ktri) or EC key (kari) */
	bool by_key_id; /* name it by its subjectKeyIdentifier instead of issuer and serial */
};

/* What an envelope is made with. NIDs. */
struct message_ciphers {
	int content; /* AES-CBC: EnvelopedData cannot carry GCM (RFC 5083 1) */
	int wrap;    /* kekri, kari: AES key wrap */
	int digest; /* kari: of the key derivation; ktri: of RSAES-OAEP, or NID_undef: PKCS #1 1.5 */
};

/*
 * The strongest that both we and the recipient have, from the content of its SMIMECapabilities (RFC
 * 8551 2.5.2): AES-CBC of 128 to 256 bits; for a symmetric key the AES key wrap of its size; for an
 * EC key AES key wrap, and the key derivation of an ECDH scheme if one is listed (RFC 5753 7), else
 * SHA-2 as strong as the curve; for an RSA key RSAES-OAEP if it is listed, with SHA-256 or SHA-1
 * (RFC 4055 4.1), else PKCS #1 1.5, which every recipient has (RFC 3370 4.2.1). EST_MALFORMED
 * (KEYGEN_ALGORITHMS) where something is missing, or it is no SEQUENCE of capabilities.
 */
enum outcome message_ciphers_choose(struct span capabilities,
    const struct message_recipient *recipient, struct message_ciphers *out);

/*
 * Appends the DER ContentInfo of an EnvelopedData around content, a whole ContentInfo of a
 * SignedData; its eContentType is id-signedData, its content that of the inner ContentInfo, tag and
 * length included (RFC 5652 6.3). ECDH is ephemeral-static. EST_INTERNAL.
 */
enum outcome message_seal(const struct message_recipient *recipient,
    const struct message_ciphers *ciphers, struct span content, struct buf *out);

#endif
