/*
 * client_request.h - what a certificate request holds beside the key that it is for.
 */
#ifndef EST_CLIENT_REQUEST_H
#define EST_CLIENT_REQUEST_H

#include <openssl/x509.h>

#include "admin/client.h"

/* Attributes that carry a text (RFC 2985 5.4.1, RFC 7894 3). */
#define CLIENT_CHALLENGE_PASSWORD "1.2.840.113549.1.9.7"
#define CLIENT_OTP_CHALLENGE      "1.2.840.113549.1.9.16.2.56"
#define CLIENT_REVOCATION         "1.2.840.113549.1.9.16.2.57"
#define CLIENT_IDENTITY_LINKING   "1.2.840.113549.1.9.16.2.58"

/* Attributes of serverkeygen that carry octets (RFC 7030 4.4.1). */
#define CLIENT_DECRYPT_KEY    "1.2.840.113549.1.9.16.2.37"
#define CLIENT_ASYMMETRIC_KEY "1.2.840.113549.1.9.16.2.54"

/* The names that a request asks for. Freed by client_names_free(). */
struct client_names {
	X509_NAME *subject;
	X509_EXTENSION *sans; /* NULL: none */
};

/*
 * A subject of one common name, and the subjectAltName of sans, each "dns:NAME", "ip:ADDRESS",
 * "email:LOCAL@DOMAIN" or "uri:URI". EST_MALFORMED, as cli_usage(), for what is none.
 */
enum outcome client_names_make(
    const char *common_name, const struct cli_list *sans, struct client_names *names);

/* Those of a certificate, octet for octet (RFC 7030 4.2.2). */
enum outcome client_names_of(const X509 *cert, struct client_names *names);

void client_names_free(struct client_names *names);

/* Start it as {0}; client_request_free(). */
struct client_request {
	struct client_names names;
	STACK_OF(X509_EXTENSION) *extensions; /* besides names.sans; NULL: none */
	STACK_OF(X509_ATTRIBUTE) *attributes; /* NULL: none */
	const EVP_MD *digest;                 /* of its signature; NULL: SHA-256 */
	bool bind;            /* challengePassword becomes the channel binding (RFC 7030 3.5) */
	bool link;            /* estIdentityLinking does (RFC 7894 3.3) */
	bool otp, revocation; /* it has an otpChallenge, a revocationChallenge */
};

/*
 * What --bind, --link, --challenge-file, --otp-file and --revocation-file say; the secrets are read
 * from their files. cli_usage() for options that contradict.
 */
enum outcome client_request_options(
    struct client_request *request, const struct client_options *options);

/* Adds an attribute that is a DirectoryString, or an OCTET STRING. type: dotted. */
enum outcome client_request_add_text(
    STACK_OF(X509_ATTRIBUTE) **attributes, const char *type, const char *text);
enum outcome client_request_add_octets(
    STACK_OF(X509_ATTRIBUTE) **attributes, const char *type, struct span octets);

/*
 * Adds SMIMECapabilities (RFC 8551 2.5.2) of what client_envelope_open() can open: AES-CBC and AES
 * key wrap of 256, 192 and 128 bits.
 */
enum outcome client_request_add_capabilities(STACK_OF(X509_ATTRIBUTE) **attributes);

void client_request_free(struct client_request *request);

#endif
