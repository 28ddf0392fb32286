/*
 * config.h - est.conf, read once, checked whole, and never changed afterwards.
 *
 * Every key stands in one table of config.c with its type, its default and its check. An unknown
 * key, a value of the wrong type or out of bounds, a name used twice or referring to nothing is an
 * error that says file and line. Paths in est.conf are relative to the directory that est.conf is
 * in.
 */
#ifndef EST_CONFIG_H
#define EST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/outcome.h"

/* A list of words, ["a", "b"], and the line that it stands on. */
struct words {
	char **word;
	size_t count;
	int line;
};

struct config_ca {
	int line;
	char *name;
	char *certificate; /* PEM: the CA's certificate, then its chain up to the root */
	char *key;         /* PEM, PKCS#8 or traditional, encrypted or not */
	char *passphrase;  /* file with the key's passphrase, or "credential:NAME" of systemd; or
			      NULL */
};

struct config_profile {
	int line;
	char *name;
	int64_t validity, backdate; /* seconds */
	struct words keys;          /* key types and sizes that devices may bring */
	struct words key_usage, extended_key_usage;
	struct words subject;           /* attribute types that a subject may hold */
	struct words subject_alt_names; /* name types that may be asked for */
	struct words required; /* attribute types and name types that a request must have */
	char *names;           /* "strict" or "permissive": which characters names may hold */
	char *rsa_exponents;   /* "65537" or "any": odd, of 17 to 256 bits */
	bool empty_subject;    /* a request may have a SubjectAltName instead of a subject */
	bool key_reuse;        /* a renewal may keep its key; two names may share one */
	char *subject_from;    /* "request" or "identity": where the common name comes from */
	char *san_from;        /* "request" or "cn": a request without SANs gets its CN as one */
	struct words subject_fixed;    /* "O=Pump Works": in every certificate */
	struct words subject_patterns; /* "CN=pump-*.example": what values have to match */
	struct words san_fixed;        /* "uri:urn:plant:7": in every certificate */
	struct words san_patterns;     /* "dns:*.example", "ip:192.0.2.0/24" */
	struct words policies;         /* certificatePolicies: OIDs */
	struct words crl_urls, ocsp_urls, issuer_urls;
	struct words extensions; /* "OID [critical] HEX": the DER of a value */
	bool must_staple;        /* TLS feature status_request (RFC 7633) */
	bool ca;                 /* certificates of CAs (RFC 5280 4.2.1.9) */
	char *path_length;       /* of these: "none", or a number */
};

struct config_label {
	int line;
	char *name; /* "" is the default label */
	char *ca_name, *profile_name;
	const struct config_ca *ca;
	const struct config_profile *profile;
	struct words authenticate;      /* any one of them suffices */
	struct words external_names;    /* patterns of names for who is known to the web server alone */
	char *manufacturer_name; /* the device's name in a manufacturer's certificate; NULL: its own */
	char *duplicates;        /* "allow", "refuse", "supersede": a living device that enrolls again */
	char *bootstrap;         /* path of python-est's operation; NULL: none */
	char *hook;              /* program that has a say in each enrollment; NULL: none */
	int64_t hook_timeout;    /* seconds */
	char *rate_identity, *rate_address, *rate_label; /* "60/m burst 20"; NULL: no limit */
	struct words certificates_from; /* other labels whose certificates count here as well */
	struct words encodings;         /* of request bodies */
	int64_t csr_limit;              /* bytes; 0: the general one */
	struct words
	    trust_anchors; /* files, or directories of them: other CAs whose certificates may enroll, never renew */
	struct words intermediates; /* files: certificates that help to build chains */
	struct words operations;    /* beside cacerts */

	struct words approval; /* operations that wait until somebody approves them */
	int64_t approval_retry, approval_expiry, approval_keep; /* seconds */

	struct words csrattrs;         /* "list", "template": in which forms they are built */
	struct words csrattrs_require; /* further OIDs that a request is to have */
	char *csrattrs_base64;         /* the DER, instead of building it; or NULL */
	char *csrattrs_file;           /* as that, from a file in DER or base64; or NULL */
	bool csrattrs_enforce;

	char *challenge;      /* what a challengePassword is: "verify", "otp" or "ignore" */
	bool pop_required;    /* a request has to be linked to its TLS session (RFC 7030 3.5) */
	bool otp_required;    /* a request has to hold the device's one-time secret (RFC 7894) */
	bool ra_unlinked;     /* but an RA's need not be (RFC 7030 3.7) */
	char *generated_key;  /* of serverkeygen; NULL: as the request's, or the profile's first */
	bool plain_keys;      /* serverkeygen may send the key without encrypting it */
	int64_t grace;        /* seconds after its end in which a certificate may still renew */
	char *renew_after;    /* "50%" of its life has to be over */
	char *renew_names;    /* "canonical" or "exact": how a renewal's names are compared */
	bool supersede;       /* a renewal revokes what it renews */
	bool change_subject;  /* a renewal may ask for other names (RFC 6402 2.8) */
	bool sha1_requests;   /* requests may be signed with SHA-1 */
	bool include_chain;   /* answers hold the CA's chain as well */
	bool raw_responses;   /* answers are DER, not base64 of it */
	char *wrap;           /* base64 in answers: "auto", "64" or "none" */
	bool narrow_statuses; /* only HTTP statuses that libest's client knows */
	struct words eecerts; /* files: certificates of others that are handed out (RFC 8295 3) */
};

struct config {
	char *path;               /* of est.conf */
	char *directory;          /* that est.conf is in */
	char *state;              /* the store's directory */
	char *log;                /* "syslog" or a file */
	char *prefix;             /* of the URL, "/.well-known/est" */
	char *realm;              /* of HTTP Basic */
	int64_t retry_window;     /* seconds in which the same request gets the same certificate */
	int64_t credential_cache; /* seconds that a verified password is remembered */
	int64_t body_limit, csr_limit, cache; /* bytes */
	struct words blocked_keys;        /* files: keys that no certificate may be issued for */
	struct words server_certificates; /* files: whose keys are the web server's own */
	int64_t backoff_account, backoff_address; /* wrong credentials that cost nothing; 0: any number */
	int64_t backoff_most, backoff_forget;     /* seconds */
	bool sandbox; /* workers give up what they do not need once they are ready */
	char *tls_unique, *tls_exporter; /* CGI variables with a channel binding; "": none */
	struct config_ca *cas;
	struct config_profile *profiles;
	struct config_label *labels;
	size_t ca_count, profile_count, label_count;
};

/* Reads and checks the file. EST_MALFORMED with "file:line: ...", or what file_read() gives. */
enum outcome config_load(const char *path, struct config **out);
void config_free(struct config *config); /* NULL is fine */

/* The path in use: the argument if not NULL, else $EST_CONFIG, else the installed one. */
const char *config_path(const char *argument);

/* The label of that name; NULL if there is none. */
const struct config_label *config_label(const struct config *config, const char *name);

/* true if the list holds the word. */
bool words_have(const struct words *words, const char *word);

#endif
