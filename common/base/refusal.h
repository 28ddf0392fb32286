/*
 * refusal.h - why requests are refused: a stable code for each cause, and the rule behind it.
 *
 * The table in refusal.c is the only list of codes. A code goes to the device with the reason, to
 * the log and to a counter, and stands in est-codes(7); once published it keeps its meaning.
 */
#ifndef EST_REFUSAL_H
#define EST_REFUSAL_H

#include "common/base/outcome.h"

enum refusal {
	REFUSAL_NONE,

	/* HTTP and the CGI variables */
	HTTP_PARAMETER,
	HTTP_PLAIN,
	HTTP_PATH,
	HTTP_METHOD,
	HTTP_CONTENT_ENCODING,
	HTTP_CONTENT_TYPE,
	BODY_SIZE,
	BODY_LENGTH,
	BODY_EMPTY,
	BODY_FORM,
	BODY_BASE64,

	/* who asks */
	AUTH_MISSING,
	AUTH_HEADER,
	AUTH_PASSWORD,
	AUTH_SPENT,
	AUTH_ROLE,
	AUTH_EXPIRED,
	AUTH_EXTERNAL,
	AUTH_SRP,
	AUTH_BACKOFF,
	AUTH_RATE,
	AUTH_CERTIFICATE_MISSING,
	AUTH_CERTIFICATE_FORM,
	AUTH_CERTIFICATE_UNTRUSTED,
	AUTH_CERTIFICATE_EXPIRED,
	AUTH_CERTIFICATE_EARLY,
	AUTH_CERTIFICATE_PURPOSE,
	AUTH_CERTIFICATE_UNKNOWN,
	AUTH_CERTIFICATE_REVOKED,
	AUTH_CERTIFICATE_LABEL,

	/* what they may ask for */
	NAME_NOT_ALLOWED,
	RENEW_SUBJECT,
	RENEW_SAN,
	RENEW_NOTHING,
	RENEW_FOREIGN,
	RENEW_EARLY,
	RENEW_CHANGE,
	KEY_IN_USE,
	POP_LINKING,
	POP_REQUIRED,
	OTP_WRONG,
	OTP_REQUIRED,
	NAME_PATTERN,
	DEVICE_EXISTS,
	DEVICE_BLOCKED,
	HOOK_DENIED,
	HOOK_WAITING,
	HOOK_FAILED,
	APPROVAL_WAITING,
	APPROVAL_DENIED,
	APPROVAL_TAKEN,
	APPROVAL_FULL,

	/* the request: its form */
	CSR_SIZE,
	CSR_DER,
	CSR_TRAILING,
	CSR_VERSION,
	CSR_ATTRIBUTES,
	CSR_CHALLENGE,
	CSR_ATTRIBUTE_VALUE,
	CSR_ATTRIBUTE_MISSING,

	/* its key and signature */
	CSR_SPKI,
	CSR_KEY_TYPE,
	CSR_CURVE,
	CSR_POINT,
	CSR_KEY_SIZE,
	CSR_EXPONENT,
	CSR_MODULUS,
	CSR_WEAK_KEY,
	CSR_BLOCKED_KEY,
	CSR_RESERVED_KEY,
	CSR_KEY_NOT_GRANTED,
	CSR_SIGALG,
	CSR_SIGNATURE,

	/* its subject */
	CSR_NAME_DER,
	CSR_NAME_TYPE,
	CSR_NAME_NUL,
	CSR_NAME_CONTROL,
	CSR_NAME_ENCODING,
	CSR_NAME_CHARACTER,
	CSR_NAME_LENGTH,
	CSR_NAME_EMPTY,
	CSR_NAME_FORM,
	CSR_NAME_ATTRIBUTE,
	CSR_NAME_MISSING,

	/* its subject alternative names */
	CSR_SAN_DER,
	CSR_SAN_NAME,
	CSR_SAN_COUNT,
	CSR_SAN_TYPE,

	/* its extensions */
	CSR_EXTENSION_DER,
	CSR_EXTENSION_TWICE,
	CSR_EXTENSION_COUNT,
	CSR_EXTENSION,
	CSR_CA,
	CSR_KEY_USAGE,
	CSR_EXTENDED_KEY_USAGE,

	/* a key that we are to make */
	KEYGEN_RECIPIENT,
	KEYGEN_ALGORITHMS,
	KEYGEN_KEY_USAGE,
	KEYGEN_PLAIN,

	/* Full PKI Requests */
	CMC_FORM,
	CMC_ALGORITHM,
	CMC_SIGNATURE,
	CMC_CONTROL,
	CMC_REPLAY,
	CMC_IDENTITY,
	CMC_POP,
	CMC_REVOKE,

	/* not the request's fault; these stand for their outcome where nothing else is known */
	SERVER_LINT,
	SERVER_UNAVAILABLE,
	SERVER_INTERNAL,
	OTHER,

	REFUSALS
};

/* A row. rule names a document and section, or is "" where the cause is ours alone. */
struct refusal_row {
	const char *code; /* "badCSR:key-size": letters, digits, one colon, - */
	enum outcome outcome;
	const char *rule;    /* "CA/B BR 6.1.5" */
	const char *meaning; /* a sentence for whoever operates the server */
};

const struct refusal_row *refusal_row(enum refusal refusal);

/*
 * Refuses: records the code and, as reason() does, "rule: text", unless something deeper was
 * recorded; gives the row's outcome, so that `return refuse(CSR_VERSION, "...")` is one line. The
 * text says what is wrong with this request and what to do; it never holds a secret.
 */
enum outcome refuse(enum refusal refusal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The recorded code, until reason_clear(); where none was recorded, the one that stands for the
 * outcome (EST_OK: REFUSAL_NONE).
 */
enum refusal refusal_recorded(enum outcome outcome);

#endif
