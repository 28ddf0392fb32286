/*
 * client_directory.h - the device directory: a handful of files, loaded as a whole and replaced as
 * a whole, by one process at a time.
 *
 * client_directory_save() writes every file into a directory beside the others, renames that one to
 * mark it complete, and only then moves the files into place. Whoever opens the directory after a
 * crash finishes the move or throws the half away: a key never stays without its certificate.
 */
#ifndef EST_CLIENT_DIRECTORY_H
#define EST_CLIENT_DIRECTORY_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

enum client_file {
	CLIENT_SETTINGS,      /* device.json: url, label, key type */
	CLIENT_KEY,           /* device.key: PKCS#8 PEM, 0600 */
	CLIENT_CSR,           /* device.csr: PEM, 0600: it may hold a secret */
	CLIENT_CERTIFICATE,   /* device.pem */
	CLIENT_CACERTS_PKCS7, /* cacerts.p7b: the DER of the answer */
	CLIENT_CACERTS,       /* cacerts.pem: the certificates in it */
	CLIENT_TRUST,         /* trust.pem: what was trusted first */
	CLIENT_BUNDLE,        /* device.tar.gz: all of the above, 0600 */
	CLIENT_PENDING_KEY,   /* pending.key, pending.csr: of a request without a certificate yet */
	CLIENT_PENDING_CSR,
	CLIENT_FILES
};

struct client_directory {
	char *path;
	int lock;  /* descriptor of the directory, locked; -1 without a lock */
	bool made; /* by client_directory_open(): removed again if nothing came into it */
	struct buf files[CLIENT_FILES]; /* empty: not there */
	bool changed[CLIENT_FILES];     /* against the disk */
};

/* How client_directory_open() opens. */
enum client_access {
	CLIENT_READ,   /* no lock, nothing written */
	CLIENT_CHANGE, /* locked; must be there */
	CLIENT_CREATE  /* locked; made, with mode 0700, where it is not there */
};

/*
 * Loads the files of the directory at path. EST_NOT_FOUND where there is none, EST_UNAVAILABLE
 * where another est-client holds it. client_directory_close() in every case.
 */
enum outcome client_directory_open(
    const char *path, enum client_access access, struct client_directory *directory);

/*
 * Makes the files on disk those in memory, all or nothing; empty ones are removed, unchanged ones
 * left alone. Where there are a key and its certificate the bundle is made anew.
 */
enum outcome client_directory_save(struct client_directory *directory);

/* Replaces one file in memory. */
void client_directory_set(
    struct client_directory *directory, enum client_file file, struct span content);

/* Unlocks; overwrites what was in memory. */
void client_directory_close(struct client_directory *directory);

/* The name of a file: "device.key". */
const char *client_file_name(enum client_file file);

#endif
