#include "common/lifecycle/keygen.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/lifecycle/recipient.h"
#include "common/lifecycle/revoke.h"
#include "common/pki/der.h"

#define CESSATION_OF_OPERATION 5 /* RFC 5280 5.3.1 */

/* id-ct-KP-aKeyPackage (RFC 5958 2) */
static const struct span key_package = DER_OCTETS("\x60\x86\x48\x01\x65\x02\x01\x02\x4e\x05");

void keygen_clear(struct keygen *keygen)
{
	buf_cleanse(&keygen->key);
	keygen->enveloped = false;
}

/*
 * RFC 7030 4.4.2: AsymmetricKeyPackage in SignedData in EnvelopedData. Every buffer has its room
 * before the key is in it, so that nothing of it stays behind in memory given back.
 */
static enum outcome seal(
    struct enrollment *enrollment, const struct recipient *recipient, struct buf *out)
{
	struct buf package = {0}, message = {0};
	enum outcome outcome;

	buf_reserve(&package, enrollment->generated.len + 16);
	der_add(&package, DER_SEQUENCE, buf_span(&enrollment->generated));
	outcome = ca_sign_message(
	    enrollment->label->ca, key_package, buf_span(&package), clock_now(), &message);
	if (outcome == EST_OK)
		outcome =
		    message_seal(&recipient->who, &recipient->ciphers, buf_span(&message), out);
	buf_cleanse(&package);
	buf_cleanse(&message);
	return outcome;
}

/* Takes back a certificate whose key nobody will ever have. The first reason stays. */
static enum outcome withdraw(struct service *service, const struct enrollment *enrollment)
{
	char why[REASON_SIZE], serial[2 * SERIAL_MAX + 1];
	struct cert_record revoked = {.revoked_at = 0};
	enum outcome outcome;

	(void)snprintf(why, sizeof(why), "%s", reason_text());
	reason_clear();
	outcome = revoke(service, &enrollment->record.serial, CESSATION_OF_OPERATION, &revoked);
	cert_record_clear(&revoked);
	reason_clear();
	if (outcome == EST_OK)
		return reason(EST_INTERNAL, "%s", why);
	return reason(EST_INTERNAL,
	    "%.300s; and certificate %s, whose key nobody has, could not be revoked: revoke it",
	    why, serial_text(&enrollment->record.serial, serial));
}

static enum outcome wrap(struct service *service, struct enrollment *enrollment,
    const struct recipient *recipient, struct keygen *out)
{
	out->enveloped = recipient->sealed;
	if (!recipient->sealed) {
		out->key = enrollment->generated;
		enrollment->generated = (struct buf){.data = NULL};
		return EST_OK;
	}
	if (seal(enrollment, recipient, &out->key) == EST_OK) {
		buf_cleanse(&enrollment->generated);
		return EST_OK;
	}
	buf_cleanse(&enrollment->generated);
	keygen_clear(out);
	return withdraw(service, enrollment);
}

/* Who is to open the key; the request is parsed for that, and once more by enroll(). */
static enum outcome look_for_recipient(
    struct service *service, struct enrollment *enrollment, struct recipient *out)
{
	struct enrollment asked = *enrollment;
	enum outcome outcome = EST_OK;

	if (asked.request.len > service_csr_limit(service, asked.label))
		return EST_OK; /* which enroll() refuses */
	outcome = csr_parse(asked.request, CSR_KEY_ANY, &asked.csr);

	if (outcome == EST_OK)
		outcome = recipient_find(service, &asked, out);
	if (outcome == EST_OK)
		csr_clear(&asked.csr);
	else
		enrollment->csr = asked.csr;
	return outcome;
}

enum outcome keygen(struct service *service, struct enrollment *enrollment, struct keygen *out)
{
	struct recipient recipient = {.sealed = false};
	enum outcome outcome;

	enrollment->act = ACT_GENERATE;
	outcome = look_for_recipient(service, enrollment, &recipient);
	if (outcome == EST_OK)
		outcome = enroll(service, enrollment);
	if (outcome == EST_OK)
		outcome = wrap(service, enrollment, &recipient, out);
	recipient_clear(&recipient);
	return outcome;
}
