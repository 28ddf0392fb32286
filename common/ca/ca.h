/*
 * ca.h - who signs? The port to a certification authority.
 *
 * A backend is one row: ca_local signs in this process with a key from a file. Others may answer
 * EST_PENDING. Whoever holds a struct ca reads its public members and calls these functions only.
 */
#ifndef EST_CA_H
#define EST_CA_H

#include <stdint.h>

#include <openssl/x509.h>

#include "common/base/config.h"
#include "common/pki/cert.h"
#include "common/pki/lint.h"

struct ca_backend;

struct ca {
	const struct config_ca *config;
	X509 *certificate;
	STACK_OF(X509) *chain; /* behind the certificate, up to the root; each only once */
	struct span subject;   /* DER of its Name, what its certificates have as issuer */
	struct span key_id;    /* its subjectKeyIdentifier */
	struct span algorithm; /* AlgorithmIdentifier of what it signs, as its key has it; static */
	int64_t not_before, not_after;
	const struct ca_backend *backend;
	void *state;           /* the backend's */
	unsigned char *memory; /* what subject leads into; key_id leads into the certificate */
	EVP_MD_CTX *primed,
	    *verify; /* for its public key: the one is only ever copied to the other */
};

/*
 * Reads the certificate and its chain, checks that they can issue (RFC 5280 4.2.1.9 and 4.2.1.3)
 * and, with `sign`, opens the key and checks that it is the certificate's. The reason says which
 * file is at fault and what to do. *out is given back with ca_close().
 */
enum outcome ca_open(const struct config_ca *config, bool sign, struct ca **out);
void ca_close(struct ca *ca); /* NULL is fine */

/*
 * Completes the plan (serial, issuer, dates clamped into the CA's own, authority key identifier),
 * signs it and appends the DER certificate to out. plan->serial and the dates tell what was issued.
 *
 * What is to be signed is held against plan->want, which ca_issue() completes with what it knows
 * itself, and against RFC 5280: a finding is EST_INTERNAL (SERVER_LINT), and nothing is signed. A
 * signature that the CA certificate's key does not verify is EST_INTERNAL, and out stays as it is.
 */
enum outcome ca_issue(struct ca *ca, struct cert_plan *plan, struct buf *out);

/*
 * What a certificate of a plan that is complete has to be:
 * plan->want, and what the CA knows itself.
 */
struct lint_want ca_want(const struct ca *ca, const struct cert_plan *plan);

/*
 * Whether certificates of the profile would pass what ca_issue() does before it signs: one with all
 * that the profile grants, for each type of key. Signs nothing, and needs no key. EST_MALFORMED
 * with what to change in est.conf.
 */
enum outcome ca_prove(const struct ca *ca, const struct profile *profile);

/*
 * Signs data with its open key and appends the bare signature; EST_INTERNAL where the CA
 * certificate's key does not verify it, and what was appended then is of no use. For this folder.
 */
enum outcome ca_sign(struct ca *ca, struct span data, struct buf *signature);

/*
 * Appends a SignedData over content, signed by the CA (RFC 5652 5; RFC 7030 4.4.2, RFC 5272 3.2.1):
 * see message_sign(). With its certificate, and those of its chain that lead up to the root.
 * EST_UNAVAILABLE where its key is not open.
 */
enum outcome ca_sign_message(
    struct ca *ca, struct span type, struct span content, int64_t now, struct buf *out);

/*
 * Appends the certs-only PKCS#7 (RFC 7030 4.1.3): the CA first, its root last, without those that
 * are expired at `now` or that do not lead to the root.
 */
enum outcome ca_bag(const struct ca *ca, int64_t now, struct buf *out);

/*
 * Appends the certs-only PKCS#7 of a certificate that the CA issued (DER), and behind it the
 * certificates of ca_bag().
 */
void ca_chain(const struct ca *ca, struct span certificate, int64_t now, struct buf *out);

/*
 * What a backend gives. open sets ca->state. sign appends the signature over a TBSCertificate, bare
 * octets, made with ca->algorithm.
 */
struct ca_backend {
	const char *name;
	enum outcome (*open)(struct ca *ca);
	enum outcome (*sign)(struct ca *ca, struct span tbs, struct buf *signature);
	void (*close)(struct ca *ca);
};

extern const struct ca_backend ca_local; /* a key from a file, in this process */

#endif
