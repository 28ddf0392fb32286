/*
 * maker.h - what unit tests are made of: keys, requests and certificates by OpenSSL, DER by hand.
 *
 * Every span and certificate that is given belongs to a pool that maker_clear() empties, the
 * teardown of every test (TEST). A span is a block of its own, exactly as long as it says, so that
 * ASan and valgrind see one octet too far.
 */
#ifndef EST_TEST_MAKER_H
#define EST_TEST_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define TEST(function) cmocka_unit_test_teardown(function, maker_clear)
#define COUNT(table)   (sizeof(table) / sizeof((table)[0]))

/* A string literal with all its octets, NULs too. */
#define BYTES(literal) ((struct span){(const unsigned char *)(literal), sizeof(literal) - 1})

#define MAKER_NOW INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define MAKER_DAY INT64_C(86400)

/*
 * The outcome is the wanted one; a refusal says why, EST_OK leaves no reason. Forgets the reason.
 */
#define assert_outcome(wanted, got) maker_assert_outcome((wanted), (got), #got, __FILE__, __LINE__)
void maker_assert_outcome(
    enum outcome wanted, enum outcome got, const char *what, const char *file, int line);

/* The octets are the wanted ones; both are printed in hex where they are not. */
#define assert_bytes(wanted, got) maker_assert_bytes((wanted), (got), __FILE__, __LINE__)
void maker_assert_bytes(struct span wanted, struct span got, const char *file, int line);

int maker_clear(void **state); /* empties the pool and forgets the reason */
int maker_end(void **state);   /* a group's teardown: gives the keys back too */

struct span maker_copy(struct span span);
struct span maker_keep(struct buf *buf); /* its content; the buf is freed */

/*
 * DER in a notation: hex digits are octets, 'text' too, XX{ ... } is a value with tag XX whose
 * length is counted, $ stands for the next argument, a struct span. "30{06{550403}0c{'pump'}}"
 */
struct span maker_der(const char *notation, ...);

/*
 * A key of the kind "P-256", "secp256k1", "Ed25519", "X25519", "RSA-2048", made once a process;
 * "P-256#ca" is another one. Belongs to the maker.
 */
EVP_PKEY *maker_key(const char *kind);
struct span maker_spki(const char *kind);

/* An RSA SubjectPublicKeyInfo, which nobody has the private key of, by the hex digits of its
 * numbers. */
struct span maker_rsa(const char *modulus, const char *exponent);

/* The signature of that key over data, with that digest (NULL: Ed25519). */
struct span maker_sign(const char *key, const char *digest, struct span data);

/* A Name, by OpenSSL, of "CN=pump,O=Acme"; every value is an UTF8String or PrintableString. */
struct span maker_name(const char *text);

/*
 * A request by OpenSSL. extensions: "subjectAltName", "DNS:a.example", ..., NULL; or NULL for none.
 */
struct span maker_csr(const char *key, const char *subject, const char *const *extensions);

/* A request of any DER, rightly signed: the parts behind its key. attributes: the whole [0], or
 * empty. */
struct maker_request {
	const char *key, *digest;
	struct span algorithm; /* AlgorithmIdentifier of the signature; empty: ECDSA with SHA-256 */
	struct span version, subject, attributes; /* empty: INTEGER 0, "CN=pump" */
};
struct span maker_request(const struct maker_request *request);

/* The [0] of a request with one extensionRequest of the extensions, themselves in DER. */
struct span maker_extensions(struct span extensions);

struct maker_cert {
	const char *subject, *key;
	X509 *issuer; /* NULL: signed by itself */
	const char *issuer_key;
	int64_t from, until; /* 0, 0: MAKER_NOW and a day around it */
	const char *const *extensions;
	const char *digest; /* NULL: SHA256 */
};
X509 *maker_cert(const struct maker_cert *cert);
struct span maker_cert_der(X509 *cert);
const char *maker_cert_pem(X509 *cert);

/* A directory of the test's own, and files in it; maker_clear() removes it. Names and paths are the
 * pool's. */
const char *maker_directory(void);
const char *maker_file(const char *name, const char *text);

/* A file of tests/corpus. */
struct span maker_corpus(const char *name);

/* Between maker.c and maker_pki.c. */
void maker_must(bool condition, const char *what, const char *file, int line);
void maker_clear_certs(void);

/* Runs act in a process of its own for at most so many seconds; what it returned (0..99), or -1. */
int maker_bounded(int (*act)(void *), void *argument, unsigned seconds);

#endif
