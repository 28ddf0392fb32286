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
};

struct config_label {
	int line;
	char *name; /* "" is the default label */
	char *ca_name, *profile_name;
	const struct config_ca *ca;
	const struct config_profile *profile;
	struct words authenticate;      /* any one of them suffices */
	struct words certificates_from; /* other labels whose certificates count here as well */
	struct words encodings;         /* of request bodies */
	struct words
	    trust_anchors; /* files: other CAs whose certificates may enroll, never renew */
	struct words intermediates; /* files: certificates that help to build chains */
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
	bool sandbox; /* workers give up what they do not need once they are ready */
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

/* true if the list holds the word. */
bool words_have(const struct words *words, const char *word);

#endif
