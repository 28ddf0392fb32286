#include "admin/client_session.h"

#include <string.h>

#include <openssl/crypto.h>

#include "common/base/encoding.h"
#include "common/base/http.h"

#include "admin/client_certs.h"
#include "admin/client_exchange.h"
#include "admin/client_multipart.h"

/* The certificates of a body that is a certs-only message, its base64 taken off into der. */
static enum outcome take_certificates(
    const char *content_type, struct span body, struct buf *der, STACK_OF(X509) **certs)
{
	if (!client_exchange_is(content_type, "application/pkcs7-mime"))
		return reason(EST_MALFORMED,
		    "the answer is %.100s, not application/pkcs7-mime: is an EST server there?",
		    content_type == NULL ? "of no type" : content_type);
	if (base64_decode(der, body) != EST_OK)
		return reason(EST_MALFORMED, "RFC 8951 3.1: the answer is not base64");
	return client_certs_parse(buf_span(der), certs);
}

static enum outcome get_cacerts(
    const struct client_session *session, bool provisional, struct client_cacerts *cacerts)
{
	struct http_response response = {0};
	enum outcome outcome;

	*cacerts = (struct client_cacerts){0};
	outcome = client_exchange_get(session, "cacerts", provisional, &response);
	if (outcome == EST_OK && response.status != 200)
		outcome = client_exchange_refused(session, "cacerts", &response);
	if (outcome == EST_OK)
		outcome = take_certificates(response.content_type, buf_span(&response.body),
		    &cacerts->der, &cacerts->certs);
	http_response_free(&response);
	return outcome;
}

enum outcome client_session_cacerts(
    const struct client_session *session, struct client_cacerts *cacerts)
{
	return get_cacerts(session, false, cacerts);
}

/* The root of certs with that fingerprint, or NULL; a reference of the caller's own. */
static X509 *find_root(const STACK_OF(X509) *certs, const unsigned char *fingerprint)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);
		unsigned char own[CLIENT_FINGERPRINT];
		client_cert_fingerprint(cert, own);
		if (CRYPTO_memcmp(own, fingerprint, sizeof(own)) == 0 &&
		    client_cert_is_root(cert)) {
			(void)X509_up_ref(cert);
			return cert;
		}
	}
	return NULL;
}

enum outcome client_session_bootstrap(
    const struct client_session *session, const unsigned char *fingerprint, X509 **root)
{
	struct client_cacerts cacerts;
	enum outcome outcome = get_cacerts(session, true, &cacerts);

	if (outcome == EST_OK) {
		*root = find_root(cacerts.certs, fingerprint);
		if (*root == NULL)
			outcome = reason(EST_CONFLICT,
			    "RFC 7030 4.1.1: no self-signed certificate of the server's %d has the "
			    "fingerprint given; it is another CA, or somebody in between",
			    sk_X509_num(cacerts.certs));
	}
	client_cacerts_free(&cacerts);
	return outcome;
}

enum outcome client_session_csrattrs(const struct client_session *session, struct buf *der)
{
	struct http_response response = {0};
	enum outcome outcome = client_exchange_get(session, "csrattrs", false, &response);

	if (outcome != EST_OK || response.status == 204 || response.status == 404)
		;
	else if (response.status != 200)
		outcome = client_exchange_refused(session, "csrattrs", &response);
	else if (!client_exchange_is(response.content_type, "application/csrattrs"))
		outcome = reason(EST_MALFORMED,
		    "RFC 7030 4.5.2: the answer is %.100s, not application/csrattrs",
		    response.content_type == NULL ? "of no type" : response.content_type);
	else if (base64_decode(der, buf_span(&response.body)) != EST_OK)
		outcome = reason(EST_MALFORMED, "RFC 8951 3.1: the answer is not base64");
	http_response_free(&response);
	return outcome;
}

static enum outcome take_certificate(const char *content_type, struct span body, X509 **certificate)
{
	STACK_OF(X509) *certs = NULL;
	struct buf der = {0};
	enum outcome outcome = take_certificates(content_type, body, &der, &certs);

	if (outcome == EST_OK && sk_X509_num(certs) != 1)
		outcome = reason(EST_MALFORMED,
		    "RFC 7030 4.2.3: the answer holds %d certificates where one belongs",
		    sk_X509_num(certs));
	if (outcome == EST_OK)
		*certificate = sk_X509_pop(certs);
	client_certs_free(certs);
	buf_free(&der);
	return outcome;
}

/* The answer to the message, if its status is 200. */
static enum outcome post(struct client_session *session, const struct client_message *message,
    struct http_response *response)
{
	enum outcome outcome = client_exchange_post(session, message, response);

	if (outcome == EST_OK && response->status != 200)
		outcome = client_exchange_refused(session, message->operation, response);
	return outcome;
}

enum outcome client_session_enroll(
    struct client_session *session, const struct client_message *message, X509 **certificate)
{
	struct http_response response = {0};
	enum outcome outcome = post(session, message, &response);

	if (outcome == EST_OK)
		outcome =
		    take_certificate(response.content_type, buf_span(&response.body), certificate);
	http_response_free(&response);
	return outcome;
}

/* A part is the key, or it is the certificate; both types may be application/pkcs7-mime. */
static enum outcome take_part(const struct client_part *part, struct client_generated *generated)
{
	bool enveloped = client_multipart_has(part, "smime-type", "server-generated-key");

	if (!enveloped && !client_exchange_is(part->type, "application/pkcs8"))
		return generated->certificate == NULL
			   ? take_certificate(part->type, part->content, &generated->certificate)
			   : reason(
				 EST_MALFORMED, "RFC 7030 4.4.2: two certificates in the answer");
	if (generated->key.len > 0)
		return reason(EST_MALFORMED, "RFC 7030 4.4.2: two keys in the answer");
	generated->enveloped = enveloped;
	buf_reserve(&generated->key, part->content.len);
	if (base64_decode(&generated->key, part->content) != EST_OK)
		return reason(EST_MALFORMED, "RFC 8951 3.2.4: the key is not base64");
	return EST_OK;
}

enum outcome client_session_generate(struct client_session *session,
    const struct client_message *message, struct client_generated *generated)
{
	struct http_response response = {0};
	struct client_multipart parts = {0};
	enum outcome outcome = post(session, message, &response);

	if (outcome == EST_OK)
		outcome =
		    client_multipart_parse(response.content_type, buf_span(&response.body), &parts);
	if (outcome == EST_OK && parts.count != 2)
		outcome = reason(EST_MALFORMED,
		    "RFC 7030 4.4.2: the answer has %zu parts, not a key and a certificate",
		    parts.count);
	for (size_t i = 0; i < parts.count && outcome == EST_OK; i++)
		outcome = take_part(&parts.parts[i], generated);
	if (outcome == EST_OK && generated->key.len == 0)
		outcome = reason(EST_MALFORMED, "RFC 7030 4.4.2: there is no key in the answer");
	client_multipart_free(&parts);
	buf_cleanse(&response.body);
	http_response_free(&response);
	return outcome;
}

void client_cacerts_free(struct client_cacerts *cacerts)
{
	buf_free(&cacerts->der);
	client_certs_free(cacerts->certs);
	cacerts->certs = NULL;
}

void client_session_free(struct client_session *session)
{
	buf_cleanse(&session->key);
	buf_cleanse(&session->srp_password);
	buf_free(&session->certificate);
	buf_free(&session->trust);
	http_session_free(session->http);
	*session = (struct client_session){0};
}
