/*
 * recipient.h - who is to open a key that we make: what the request names. For keygen.c.
 */
#ifndef EST_RECIPIENT_H
#define EST_RECIPIENT_H

#include "common/lifecycle/enroll.h"
#include "common/pki/message.h"

/* Leads into the request, and into what it holds itself. recipient_clear(). */
struct recipient {
	bool sealed; /* the request names one; else the key goes as it is */
	struct message_recipient who;
	struct message_ciphers ciphers;
	struct kek_record kek;
	X509 *certificate;
};

/*
 * Finds it, for an enrollment whose csr is parsed: a key of the store by DecryptKeyIdentifier (RFC
 * 7030 4.4.1.1), or a certificate by AsymmetricDecryptKeyIdentifier (4.4.1.2): its
 * subjectKeyIdentifier, or a whole IssuerAndSerialNumber in DER.
 *
 * A certificate counts where it is valid, not revoked, and belongs to who asks: the one that proved
 * the identity, if it is ours, or one of the device name that the request is for, under the same
 * label. Whether the identity may have that name is asked first; of other people's certificates
 * and of none at all the same is said.
 *
 * EST_MALFORMED: KEYGEN_RECIPIENT, KEYGEN_KEY_USAGE, KEYGEN_ALGORITHMS; EST_FORBIDDEN: KEYGEN_PLAIN
 * where the request names nobody and the label does not send keys as they are, or as
 * naming_decide().
 */
enum outcome recipient_find(
    struct service *service, const struct enrollment *enrollment, struct recipient *out);
void recipient_clear(struct recipient *recipient);

#endif
