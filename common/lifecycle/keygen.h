/*
 * keygen.h - keys that are made for devices which cannot (RFC 7030 4.4).
 */
#ifndef EST_KEYGEN_H
#define EST_KEYGEN_H

#include "common/lifecycle/enroll.h"

/* What the device gets beside its certificate. A secret; keygen_clear(). */
struct keygen {
	struct buf key; /* DER: a PrivateKeyInfo, or the ContentInfo of an EnvelopedData */
	bool enveloped; /* which of the two: application/pkcs8, or pkcs7-mime (4.4.2) */
};

/*
 * Makes a key, issues its certificate as enroll() does with ACT_GENERATE, and wraps the key as the
 * request asks: by DecryptKeyIdentifier for a key of the store (4.4.1.1), by
 * AsymmetricDecryptKeyIdentifier for a certificate of the store (4.4.1.2: by its
 * subjectKeyIdentifier, or its issuer and serial), else as it is, where the label allows that. Who
 * is to open it is looked up before a key is made. The key is nowhere but in *out. Refuses with
 * KEYGEN_RECIPIENT, KEYGEN_ALGORITHMS, KEYGEN_KEY_USAGE, KEYGEN_PLAIN, or as enroll().
 */
enum outcome keygen(struct service *service, struct enrollment *enrollment, struct keygen *out);
void keygen_clear(struct keygen *keygen);

#endif
