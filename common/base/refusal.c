#include "common/base/refusal.h"

#include <stdarg.h>
#include <stdio.h>

static const struct refusal_row rows[REFUSALS] = {
    [REFUSAL_NONE] = {"ok", EST_OK, "", "The request was granted."},

    [HTTP_PARAMETER] = {"badRequest:parameter", EST_MALFORMED, "RFC 3875 4.1",
	"A CGI variable came twice with different values, is longer than any honest one, or holds "
	"a NUL or, unless it is the path, another control character than a tab; certificates may "
	"have line breaks. The web server, or who talks to the worker in its place, is at fault."},
    [HTTP_PLAIN] = {"badRequest:https", EST_FORBIDDEN, "RFC 7030 3.3",
	"The request did not come over HTTPS: the variable HTTPS is not \"on\"."},
    [HTTP_PATH] = {"badRequest:path", EST_NOT_FOUND, "RFC 7030 3.2.2",
	"There is no such operation or label."},
    [HTTP_METHOD] = {"badRequest:method", EST_MALFORMED, "RFC 9110 15.5.6",
	"The operation exists, but not with this HTTP method."},
    [HTTP_CONTENT_ENCODING] = {"badRequest:content-encoding", EST_MALFORMED, "RFC 9110 15.5.16",
	"The body has a Content-Encoding; none is undone here."},
    [HTTP_CONTENT_TYPE] = {"badRequest:content-type", EST_MALFORMED, "RFC 7030 4.2.1",
	"The body's Content-Type is not that of the operation."},
    [BODY_SIZE] = {"badRequest:body-size", EST_MALFORMED, "RFC 9110 15.5.14",
	"The body is larger than body_limit of est.conf(5)."},
    [BODY_LENGTH] = {"badRequest:body-length", EST_MALFORMED, "RFC 9112 8",
	"The body is shorter or longer than its Content-Length."},
    [BODY_EMPTY] = {"badRequest:body-empty", EST_MALFORMED, "RFC 7030 4.2.1", "There is no body."},
    [BODY_FORM] = {"badRequest:body-form", EST_MALFORMED, "RFC 8951 3",
	"The body is raw DER or PEM where the label does not take that, or is not one PEM block "
	"alone."},
    [BODY_BASE64] = {"badRequest:base64", EST_MALFORMED, "RFC 8951 3.1",
	"The body is not base64: another character, wrong padding, bits or data behind the end."},

    [AUTH_MISSING] = {"auth:missing", EST_UNAUTHENTICATED, "RFC 7030 3.2.3",
	"No credentials came with the request."},
    [AUTH_HEADER] = {"auth:header", EST_UNAUTHENTICATED, "RFC 7617 2",
	"The Authorization field is of another scheme than Basic, too long or malformed."},
    [AUTH_PASSWORD] = {"auth:password", EST_UNAUTHENTICATED, "RFC 7617 2",
	"The user is unknown, of another label, or the password is wrong."},
    [AUTH_SPENT] = {"auth:spent", EST_UNAUTHENTICATED, "RFC 7030 6",
	"The one-time secret, or the last of the account's uses, was used for another request; who "
	"lost the answer can fetch it with the same key for as long as retry_window of est.conf(5) "
	"is."},
    [AUTH_ROLE] = {"auth:role", EST_FORBIDDEN, "RFC 7030 3.7",
	"The account is known, but its roles are not to enroll."},
    [AUTH_EXPIRED] = {"auth:expired", EST_FORBIDDEN, "RFC 7030 6",
	"The credentials are right, and the account has expired (est-admin user edit)."},
    [AUTH_EXTERNAL] = {"auth:external", EST_FORBIDDEN, "RFC 3875 4.1.11",
	"The label leaves it to the web server to know its users, and the web server named none, "
	"or "
	"is not one that names only those whom it has checked (Apache and lighttpd)."},
    [AUTH_SRP] = {"auth:srp", EST_FORBIDDEN, "RFC 7030 3.3.3",
	"The label wants TLS-SRP, and the connection is none: it exists up to TLS 1.2 only, behind "
	"Apache."},
    [AUTH_BACKOFF] = {"auth:backoff", EST_THROTTLED, "RFC 7030 6",
	"Too many wrong credentials of this account or from this address; right ones count again "
	"after the time in Retry-After (backoff_account and backoff_address of est.conf(5))."},
    [AUTH_RATE] = {"auth:rate", EST_THROTTLED, "RFC 6585 4",
	"More requests of this identity, from this address or under this label than its rates of "
	"est.conf(5) allow."},
    [AUTH_CERTIFICATE_MISSING] = {"auth:certificate-missing", EST_FORBIDDEN, "RFC 7030 3.3.2",
	"The label wants a TLS client certificate, and none came that it believes; the reason says "
	"which of the two."},
    [AUTH_CERTIFICATE_FORM] = {"auth:certificate-form", EST_UNAUTHENTICATED, "RFC 5280 4.1",
	"What the web server handed over as the client's certificate cannot be read."},
    [AUTH_CERTIFICATE_UNTRUSTED] = {"auth:certificate-untrusted", EST_UNAUTHENTICATED,
	"RFC 7030 3.3.2", "The client's certificate does not lead to a CA that the label trusts."},
    [AUTH_CERTIFICATE_EXPIRED] = {"auth:certificate-expired", EST_FORBIDDEN, "RFC 7030 3.3.2",
	"The client's certificate, or one above it, has expired."},
    [AUTH_CERTIFICATE_EARLY] = {"auth:certificate-early", EST_FORBIDDEN, "RFC 7030 3.3.2",
	"The client's certificate is not valid yet: a clock is wrong."},
    [AUTH_CERTIFICATE_PURPOSE] = {"auth:certificate-purpose", EST_FORBIDDEN, "RFC 5280 4.2.1.12",
	"The client's certificate is a CA's, or not for client authentication."},
    [AUTH_CERTIFICATE_UNKNOWN] = {"auth:certificate-unknown", EST_FORBIDDEN, "RFC 7030 3.3.2",
	"The client's certificate is of our CA but not in the store, so nobody could have revoked "
	"it."},
    [AUTH_CERTIFICATE_REVOKED] = {"auth:certificate-revoked", EST_FORBIDDEN, "RFC 7030 3.3.2",
	"The client's certificate is revoked."},
    [AUTH_CERTIFICATE_LABEL] = {"auth:certificate-label", EST_FORBIDDEN, "RFC 7030 3.2.2",
	"The client's certificate was issued under another label and does not count under this "
	"one."},

    [NAME_NOT_ALLOWED] = {"auth:name", EST_FORBIDDEN, "RFC 7030 4.2.1",
	"Who asks is known, and may not have a certificate for these names."},
    [RENEW_SUBJECT] = {"renew:subject", EST_FORBIDDEN, "RFC 7030 4.2.2",
	"The request's subject is not that of the certificate to be renewed."},
    [RENEW_SAN] = {"renew:san", EST_FORBIDDEN, "RFC 7030 4.2.2",
	"The request's SubjectAltName is not that of the certificate to be renewed."},
    [RENEW_NOTHING] = {"renew:nothing", EST_FORBIDDEN, "RFC 7030 4.2.2",
	"There is no valid certificate with these names to renew."},
    [RENEW_FOREIGN] = {"renew:foreign", EST_FORBIDDEN, "RFC 7030 4.2.2",
	"Another CA's certificate cannot be renewed here."},
    [RENEW_EARLY] = {"renew:early", EST_FORBIDDEN, "RFC 7030 4.2.2",
	"Not enough of the certificate's life is over (renew_after of est.conf(5))."},
    [RENEW_CHANGE] = {"renew:change", EST_FORBIDDEN, "RFC 6402 2.8",
	"The request asks for other names by ChangeSubjectName, which the label does not take."},
    [KEY_IN_USE] = {"badCSR:key-in-use", EST_FORBIDDEN, "RFC 7030 4.2.2",
	"The key has a valid certificate already, and the profile does not allow key_reuse."},
    [POP_LINKING] = {"badCSR:pop-linking", EST_FORBIDDEN, "RFC 7030 3.5",
	"The request is linked to another TLS session than the one it came by, or nothing tells "
	"which one that was: the web server hands over no channel binding."},
    [POP_REQUIRED] = {"badCSR:pop-required", EST_FORBIDDEN, "RFC 7030 3.5",
	"The label wants requests that are linked to their TLS session, and this one is not."},
    [OTP_WRONG] = {"auth:otp", EST_FORBIDDEN, "RFC 7894 3.1",
	"The one-time secret in the request is not the device's, is of another label, has expired, "
	"or "
	"was used before."},
    [OTP_REQUIRED] = {"auth:otp-required", EST_FORBIDDEN, "RFC 7894 3.1",
	"The label wants the one-time secret of the device in every request, and there is none."},
    [NAME_PATTERN] = {"auth:name-pattern", EST_FORBIDDEN, "RFC 7030 4.2.1",
	"A name in the request does not match the patterns of the profile."},
    [DEVICE_EXISTS] = {"device:exists", EST_CONFLICT, "RFC 7030 6",
	"The device has a valid certificate under the label, which wants no second first "
	"enrollment (duplicates of est.conf(5)): it renews with that one, or the operator frees "
	"its name with est-admin device delete."},
    [DEVICE_BLOCKED] = {"device:blocked", EST_FORBIDDEN, "RFC 7030 4.2.1",
	"The operator has blocked the device (est-admin device)."},
    [HOOK_DENIED] = {"hook:denied", EST_FORBIDDEN, "RFC 7030 4.2.1",
	"The program that the label asks denied the request; the reason is its own."},
    [HOOK_WAITING] = {"hook:waiting", EST_PENDING, "RFC 7030 4.2.3",
	"The program that the label asks has not decided yet."},
    [HOOK_FAILED] = {"hook:failed", EST_UNAVAILABLE, "RFC 7030 4.2.3",
	"The program that the label asks could not be started, ran into its time limit, crashed, "
	"or "
	"did not answer in form; nothing is issued without its answer. The log says which."},
    [APPROVAL_WAITING] = {"approval:waiting", EST_PENDING, "RFC 7030 4.2.3",
	"The request waits until somebody approves it (est-admin request)."},
    [APPROVAL_DENIED] = {"approval:denied", EST_FORBIDDEN, "RFC 7030 4.2.3",
	"Somebody looked at the request and denied it; the reason says why."},
    [APPROVAL_TAKEN] = {"approval:taken", EST_FORBIDDEN, "RFC 7030 4.2.3",
	"What was approved is not to be had any more: a generated key that was handed out already, "
	"a "
	"certificate that is revoked or has expired, or an approval that changed in the meantime."},
    [APPROVAL_FULL] = {"approval:full", EST_THROTTLED, "RFC 7030 4.2.3",
	"Too many requests wait for approval."},

    [CSR_SIZE] = {"badCSR:size", EST_MALFORMED, "RFC 2986 4.2",
	"The request is larger than csr_limit of est.conf(5)."},
    [CSR_DER] = {"badCSR:der", EST_MALFORMED, "RFC 2986 4.2",
	"The request is not a CertificationRequest in DER: cut short, BER, or something else "
	"altogether."},
    [CSR_TRAILING] = {"badCSR:trailing", EST_MALFORMED, "RFC 2986 4.2",
	"Something follows the CertificationRequest."},
    [CSR_VERSION] = {"badCSR:version", EST_MALFORMED, "RFC 2986 4.1", "The version is not 0."},
    [CSR_ATTRIBUTES] = {"badCSR:attributes", EST_MALFORMED, "RFC 2986 4.1",
	"The attributes are not DER, too many, one stands twice, or one has no or too many "
	"values."},
    [CSR_CHALLENGE] = {"badCSR:challenge", EST_MALFORMED, "RFC 2985 5.4.1",
	"The challengePassword, or one of the attributes of RFC 7894, is not a text string."},

    [CSR_ATTRIBUTE_VALUE] = {"badCSR:attribute-value", EST_MALFORMED, "RFC 2986 4.1",
	"An attribute of the request that is known here has a value that is not of its type."},
    [CSR_ATTRIBUTE_MISSING] = {"badCSR:attribute-missing", EST_MALFORMED, "RFC 7030 4.2.3",
	"The request lacks something that csrattrs demands, and the label enforces it."},

    [CSR_SPKI] = {"badCSR:spki", EST_MALFORMED, "RFC 5280 4.1.2.7",
	"The public key is not a SubjectPublicKeyInfo in DER, or not one of its algorithm."},
    [CSR_KEY_TYPE] = {"badCSR:key-type", EST_MALFORMED, "RFC 7030 4.2.1",
	"The key is of no type that is taken here: DSA, X25519, RSA restricted to PSS, or "
	"unknown."},
    [CSR_CURVE] = {"badCSR:curve", EST_MALFORMED, "RFC 5480 2.1.1",
	"The elliptic curve is not P-256, P-384 or P-521 by its name; explicit parameters never "
	"are."},
    [CSR_POINT] = {"badCSR:point", EST_MALFORMED, "RFC 5480 2.2",
	"The public key is not a point of its curve in uncompressed form, or is one of small "
	"order."},
    [CSR_KEY_SIZE] = {"badCSR:key-size", EST_MALFORMED, "CA/B BR 6.1.5",
	"The RSA modulus has not exactly 2048, 3072 or 4096 bits."},
    [CSR_EXPONENT] = {"badCSR:exponent", EST_MALFORMED, "CA/B BR 6.1.6",
	"The RSA exponent is not 65537, or, where the profile takes any, not odd or not of 17 to "
	"256 bits (64 "
	"where the modulus has more than 3072)."},
    [CSR_MODULUS] = {"badCSR:modulus", EST_MALFORMED, "RFC 8017 3.1",
	"The RSA modulus is even or negative, so it is no product of two large primes."},
    [CSR_WEAK_KEY] = {"badCSR:weak-key", EST_MALFORMED, "CA/B BR 6.1.1.3",
	"The RSA modulus can be factored: it has a small factor, two primes close together, or the "
	"ROCA "
	"fingerprint."},
    [CSR_BLOCKED_KEY] = {"badCSR:blocked-key", EST_MALFORMED, "CA/B BR 6.1.1.3",
	"The key is known to others: a certificate of it was revoked for keyCompromise, it was "
	"published, or it "
	"stands in a file of blocked_keys of est.conf(5)."},
    [CSR_RESERVED_KEY] = {"badCSR:reserved-key", EST_MALFORMED, "CA/B BR 6.1.1.3",
	"The key is that of a CA or TLS server of this instance."},
    [CSR_KEY_NOT_GRANTED] = {"badCSR:key-not-granted", EST_MALFORMED, "RFC 7030 4.2.3",
	"The profile does not take keys of this type and size."},
    [CSR_SIGALG] = {"badCSR:sigalg", EST_MALFORMED, "RFC 2986 4.2",
	"The signature algorithm is not taken (MD5 and what is unknown never are, SHA-1 only with "
	"sha1_requests of est.conf(5)) or does not fit the key."},
    [CSR_SIGNATURE] = {"badCSR:signature", EST_MALFORMED, "RFC 7030 4.2.1",
	"The request's signature does not verify by its own key: nothing proves possession of the "
	"private key."},

    [CSR_NAME_DER] = {"badCSR:name-der", EST_MALFORMED, "RFC 5280 4.1.2.4",
	"The subject is not a Name in DER, or has more than 32 attributes."},
    [CSR_NAME_TYPE] = {"badCSR:name-type", EST_MALFORMED, "RFC 5280 4.1.2.4",
	"The subject holds a value that is no text string."},
    [CSR_NAME_NUL] = {"badCSR:name-nul", EST_MALFORMED, "RFC 5280 4.1.2.4", "A name holds a NUL."},
    [CSR_NAME_CONTROL] = {"badCSR:name-control", EST_MALFORMED, "RFC 5280 4.1.2.4",
	"A name holds a control character: C0, DEL, C1, a line separator, a direction override."},
    [CSR_NAME_ENCODING] = {"badCSR:name-encoding", EST_MALFORMED, "RFC 5280 4.1.2.4",
	"A name holds bytes that its string type does not allow."},
    [CSR_NAME_CHARACTER] = {"badCSR:name-character", EST_MALFORMED, "RFC 5280 4.1.2.4",
	"A name holds a character that the profile does not take (names of est.conf(5)), or a "
	"blank at its edge or "
	"beside another."},
    [CSR_NAME_LENGTH] = {"badCSR:name-length", EST_MALFORMED, "X.520",
	"A value of the subject is longer than X.520 allows, or a country has not two letters."},
    [CSR_NAME_EMPTY] = {"badCSR:name-empty", EST_MALFORMED, "RFC 5280 4.1.2.6",
	"The subject is empty, and the profile does not allow that or there is no SubjectAltName; "
	"or a value of it is "
	"empty."},
    [CSR_NAME_FORM] = {"badCSR:name-form", EST_MALFORMED, "RFC 5280 4.1.2.4",
	"The subject has an RDN of several attributes or two common names, so what the device is "
	"called is open."},
    [CSR_NAME_ATTRIBUTE] = {"badCSR:name-attribute", EST_MALFORMED, "RFC 7030 4.2.3",
	"The subject has an attribute that the profile does not grant."},
    [CSR_NAME_MISSING] = {"badCSR:name-missing", EST_MALFORMED, "RFC 7030 4.2.3",
	"The profile requires a name that the request lacks; serverAuth requires a "
	"SubjectAltName."},

    [CSR_SAN_DER] = {"badCSR:san-der", EST_MALFORMED, "RFC 5280 4.2.1.6",
	"The requested SubjectAltName is not GeneralNames in DER, or holds none."},
    [CSR_SAN_NAME] = {"badCSR:san-name", EST_MALFORMED, "RFC 5280 4.2.1.6",
	"A subject alternative name is not what its type promises, or is a wildcard."},
    [CSR_SAN_COUNT] = {"badCSR:san-count", EST_MALFORMED, "RFC 5280 4.2.1.6",
	"There are more than 100 subject alternative names."},
    [CSR_SAN_TYPE] = {"badCSR:san-type", EST_MALFORMED, "RFC 7030 4.2.3",
	"A subject alternative name is of a type that the profile does not grant."},

    [CSR_EXTENSION_DER] = {"badCSR:extension-der", EST_MALFORMED, "RFC 5280 4.2",
	"The list of extensions, or one of them, is not DER."},
    [CSR_EXTENSION_TWICE] = {"badCSR:extension-twice", EST_MALFORMED, "RFC 5280 4.2",
	"An extension is requested twice."},
    [CSR_EXTENSION_COUNT] = {"badCSR:extension-count", EST_MALFORMED, "RFC 5280 4.2",
	"More than 20 extensions are requested."},
    [CSR_EXTENSION] = {"badCSR:extension", EST_MALFORMED, "RFC 5272 3.1",
	"An extension is requested that no profile grants: unknown and critical, nameConstraints, "
	"a Windows security "
	"identifier."},
    [CSR_CA] = {"badCSR:ca", EST_MALFORMED, "RFC 5280 4.2.1.9",
	"A CA's certificate is requested: basicConstraints, keyCertSign or cRLSign."},
    [CSR_KEY_USAGE] = {"badCSR:key-usage", EST_MALFORMED, "RFC 5280 4.2.1.3",
	"The requested keyUsage is not DER, empty, or leaves nothing that the profile grants and "
	"the key can do."},
    [CSR_EXTENDED_KEY_USAGE] = {"badCSR:extended-key-usage", EST_MALFORMED, "RFC 5280 4.2.1.12",
	"The requested extendedKeyUsage is not DER, names a purpose twice, or one that the profile "
	"does not grant."},

    [KEYGEN_RECIPIENT] = {"keygen:recipient", EST_MALFORMED, "RFC 7030 4.4.1",
	"The key that is to protect the generated one is not known here."},
    [KEYGEN_ALGORITHMS] = {"keygen:algorithms", EST_MALFORMED, "RFC 7030 4.4.1",
	"The request names no SMIMECapabilities, or none that the server can encrypt with."},
    [KEYGEN_KEY_USAGE] = {"keygen:key-usage", EST_MALFORMED, "RFC 7030 4.4.1.2",
	"The certificate that is to protect the generated key may not be used for that."},
    [KEYGEN_PLAIN] = {"keygen:plain", EST_FORBIDDEN, "RFC 7030 4.4",
	"The label sends generated keys encrypted only, and the request names no key to encrypt "
	"it for."},

    [CMC_FORM] = {"cmc:form", EST_MALFORMED, "RFC 7030 4.3.1",
	"The body is not a Full PKI Request in DER: SignedData over PKIData."},
    [CMC_ALGORITHM] = {"cmc:algorithm", EST_MALFORMED, "RFC 5272 6.1.4",
	"The Full PKI Request uses an algorithm that is not taken here."},
    [CMC_SIGNATURE] = {"cmc:signature", EST_MALFORMED, "RFC 5272 6.1.4",
	"A signature of the Full PKI Request, or of a request in it, does not verify."},
    [CMC_CONTROL] = {"cmc:control", EST_MALFORMED, "RFC 5272 3.2.1.1",
	"The Full PKI Request has a control that is not known here, or one of the wrong form."},
    [CMC_REPLAY] = {"cmc:replay", EST_MALFORMED, "RFC 5272 6.6",
	"The nonce of the Full PKI Request was used before, or is not the one that was sent."},
    [CMC_IDENTITY] = {"cmc:identity", EST_FORBIDDEN, "RFC 5272 6.2",
	"The proof of identity does not verify."},
    [CMC_POP] = {"cmc:pop", EST_FORBIDDEN, "RFC 5272 6.1.4",
	"Possession of a private key, or its linking to an identity, is not proven."},
    [CMC_REVOKE] = {"cmc:revoke", EST_FORBIDDEN, "RFC 5272 6.11",
	"The revocation is not granted: another CA's certificate, none of ours, or nothing proves "
	"that the sender may."},

    [SERVER_LINT] = {"server:lint", EST_INTERNAL, "RFC 5280 4",
	"The certificate that was about to be signed broke a rule, so it was not signed. The log "
	"names the rule; the "
	"profile or the CA's certificate is at fault, or est-portal."},
    [SERVER_UNAVAILABLE] = {"server:unavailable", EST_UNAVAILABLE, "",
	"The store, a key or a disk is not there just now; the log says which."},
    [SERVER_INTERNAL] = {"server:internal", EST_INTERNAL, "",
	"A fault of est-portal; the log has it."},
    [OTHER] = {"badRequest:other", EST_MALFORMED, "", "Something else; the reason says what."},
};

const struct refusal_row *refusal_row(enum refusal refusal)
{
	return &rows[refusal < REFUSALS ? refusal : OTHER];
}

enum outcome refuse(enum refusal refusal, const char *format, ...)
{
	const struct refusal_row *row = refusal_row(refusal);
	char text[REASON_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	reason_mark((unsigned)refusal);
	return row->rule[0] == '\0' ? reason(row->outcome, "%s", text)
				    : reason(row->outcome, "%s: %s", row->rule, text);
}

enum refusal refusal_recorded(enum outcome outcome)
{
	enum refusal recorded = (enum refusal)reason_marked();

	if (outcome == EST_OK)
		return REFUSAL_NONE;
	/*
	 * What was recorded on the way may be about something else than what became of the request.
	 */
	if (recorded != REFUSAL_NONE && rows[recorded].outcome == outcome)
		return recorded;
	if (outcome == EST_UNAVAILABLE)
		return SERVER_UNAVAILABLE;
	return outcome == EST_INTERNAL ? SERVER_INTERNAL : OTHER;
}
