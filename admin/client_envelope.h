/*
 * client_envelope.h - a key that came encrypted (RFC 7030 4.4.2): AsymmetricKeyPackage (RFC 5958)
 * in SignedData in EnvelopedData (RFC 5652).
 */
#ifndef EST_CLIENT_ENVELOPE_H
#define EST_CLIENT_ENVELOPE_H

#include <openssl/x509.h>

#include "admin/client.h"

/*
 * What opens it: a symmetric key and its name, or a certificate and its key. client_opener_clear().
 */
struct client_opener {
	struct buf kek_id, kek; /* kek is a secret */
	X509 *certificate;
	EVP_PKEY *key;
};

/*
 * Reads --kek-id and --kek-file, or --decrypt-cert and --decrypt-key. *opener stays empty where
 * none of them is given; cli_usage() where they contradict.
 */
enum outcome client_opener_read(const struct client_options *options, struct client_opener *opener);

/* The octets that --kek-id stands for: text, or 0x and hex digits. EST_MALFORMED. */
enum outcome client_kek_id(const char *text, struct buf *id);

void client_opener_clear(struct client_opener *opener);

/*
 * Opens the ContentInfo of an EnvelopedData and gives the one key in it. The signature inside has
 * to verify, by a certificate that chains to trust, or to the roots of cacerts, by the others of
 * cacerts. EST_CONFLICT where it cannot be opened or does not verify; EST_MALFORMED where its form
 * is another. The caller frees the key.
 */
struct client_envelope {
	struct span der;
	const struct client_opener *opener;
	const STACK_OF(X509) *trust, *cacerts;
};
enum outcome client_envelope_open(const struct client_envelope *envelope, EVP_PKEY **key);

/* The key of a PrivateKeyInfo, with nothing behind it. EST_MALFORMED. The caller frees it. */
enum outcome client_key_parse(struct span der, EVP_PKEY **key);

#endif
