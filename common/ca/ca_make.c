#include "common/ca/ca_make.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "common/base/utf8.h"
#include "common/pki/cert.h"

#define YEAR             (INT64_C(365) * 86400)
#define BACKDATE         60     /* seconds: clients' clocks are never quite ours */
#define CN_MAX           64     /* RFC 5280 appendix A.1, ub-common-name */
#define ORGANIZATION_MAX 50     /* so that " Issuing CA" fits into a common name behind it */
#define KEY_ITERATIONS   100000 /* of PBKDF2 over a passphrase: some 40 ms at a worker's start */
#define KEY_ID_SIZE      20

/* A kind of key that a CA may have. */
static const struct kind {
	const char *word, *type, *curve;
	size_t bits;
	const char *server;            /* the kind of key that a TLS server beside it gets */
	const EVP_MD *(*digest)(void); /* for signatures; NULL: the key brings its own */
} kinds[] = {
    {"P-256", "EC", "P-256", 0, "P-256", EVP_sha256},
    {"P-384", "EC", "P-384", 0, "P-256", EVP_sha384},
    {"RSA-2048", "RSA", NULL, 2048, "RSA-2048", EVP_sha256},
    {"RSA-3072", "RSA", NULL, 3072, "RSA-2048", EVP_sha256},
    {"RSA-4096", "RSA", NULL, 4096, "RSA-2048", EVP_sha256},
    {"Ed25519", "ED25519", NULL, 0, "P-256", NULL},
};

struct extension {
	int nid;
	const char *value; /* as in x509v3_config(5) */
};

/* What a certificate of each role holds besides key identifiers and the server's names. */
static const struct role {
	const char *suffix; /* of the common name; NULL: it is the first host */
	int64_t span;
	struct extension extensions[4];
} roles[] = {
    [CA_ROOT] = {" Root CA", 20 * YEAR,
	{{NID_basic_constraints, "critical,CA:TRUE"},
	    {NID_key_usage, "critical,keyCertSign,cRLSign"}}},
    [CA_ISSUING] = {" Issuing CA", 10 * YEAR,
	{{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
	    {NID_key_usage, "critical,keyCertSign,cRLSign"}}},
    /* id-kp-cmcRA: an EST client that trusts this CA need not compare the name (RFC 7030 3.6.1) */
    [CA_SERVER] = {NULL, 2 * YEAR,
	{{NID_basic_constraints, "critical,CA:FALSE"}, {NID_key_usage, "critical,digitalSignature"},
	    {NID_ext_key_usage, "serverAuth,1.3.6.1.5.5.7.3.28"}}},
};

static enum outcome find_kind(const char *word, const struct kind **out)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		*out = &kinds[i];
		if (strcmp(kinds[i].word, word) == 0)
			return EST_OK;
	}
	return reason(EST_MALFORMED, "no CA key of kind \"%.20s\": choose one of " CA_KEYS, word);
}

static EVP_PKEY *generate(const struct kind *kind)
{
	if (kind->curve != NULL)
		return EVP_PKEY_Q_keygen(NULL, NULL, kind->type, kind->curve);
	if (kind->bits != 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, kind->type, kind->bits);
	return EVP_PKEY_Q_keygen(NULL, NULL, kind->type);
}

static enum outcome check_organization(const char *organization)
{
	struct span rest = span_of(organization);
	size_t characters = 0;

	while (rest.len > 0) {
		uint32_t c;
		size_t len = utf8_decode(rest, &c);
		if (len == 0 || utf8_is_control(c))
			return reason(EST_MALFORMED, "the organization's name holds what is no "
						     "UTF-8 text, or a control character");
		rest.data += len;
		rest.len -= len;
		characters++;
	}
	if (characters == 0 || characters > ORGANIZATION_MAX)
		return reason(EST_MALFORMED, "the organization's name must have 1 to %d characters",
		    ORGANIZATION_MAX);
	return EST_OK;
}

/* A DNS name (RFC 1123 2.1), of which the first label may be a "*". */
static bool is_dns_name(const char *host)
{
	const char *at = strncmp(host, "*.", 2) == 0 ? host + 2 : host;

	if (strlen(host) > 253)
		return false;
	for (;;) {
		size_t len = strcspn(at, ".");
		if (len == 0 || len > 63 || at[0] == '-' || at[len - 1] == '-')
			return false;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)at[i]) && at[i] != '-')
				return false;
		if (at[len] == '\0')
			return true;
		at += len + 1;
	}
}

/*
 * The value of a subjectAltName extension. What passes here holds no comma: nothing can be slipped
 * in.
 */
static enum outcome host_names(const char *const *hosts, struct buf *out)
{
	for (; *hosts != NULL; hosts++) {
		unsigned char address[sizeof(struct in6_addr)];
		bool ip = inet_pton(AF_INET, *hosts, address) == 1 ||
			  inet_pton(AF_INET6, *hosts, address) == 1;
		if (!ip && !is_dns_name(*hosts))
			return reason(EST_MALFORMED,
			    "\"%.100s\" is neither a DNS name nor an IP address", *hosts);
		buf_printf(out, "%s%s:%s", out->len > 0 ? "," : "", ip ? "IP" : "DNS", *hosts);
	}
	return out->len > 0 ? EST_OK : reason(EST_MALFORMED, "a server needs a name: give a host");
}

static bool add_name(X509_NAME *name, int nid, const char *value)
{
	return X509_NAME_add_entry_by_NID(
		   name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1;
}

static bool set_subject(X509 *certificate, const struct role *role, const struct ca_wish *wish)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	struct buf common = {0};
	bool fine = add_name(name, NID_organizationName, wish->organization);

	if (role->suffix == NULL)
		buf_add_string(&common, wish->hosts[0]);
	else
		buf_printf(&common, "%s%s", wish->organization, role->suffix);
	/* A host name may be longer than a common name: then the subjectAltName alone has it. */
	if (role->suffix != NULL || common.len <= CN_MAX)
		fine = fine && add_name(name, NID_commonName, buf_string(&common));
	buf_free(&common);
	return fine;
}

static bool set_serial(X509 *certificate)
{
	unsigned char serial[CERT_SERIAL_SIZE];
	BIGNUM *number;
	bool fine;

	if (cert_serial(serial) != EST_OK)
		return false;
	number = BN_bin2bn(serial, sizeof(serial), NULL);
	fine = number != NULL &&
	       BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	BN_free(number);
	return fine;
}

/* From a little while ago for the role's span, cut to the issuer's dates. */
static bool set_dates(X509 *certificate, const struct role *role, int64_t now, X509 *issuer)
{
	ASN1_TIME *from = X509_getm_notBefore(certificate), *to = X509_getm_notAfter(certificate);
	time_t begin = (time_t)(now - BACKDATE), end = begin + (time_t)role->span - 1;

	if (ASN1_TIME_set(from, begin) == NULL || ASN1_TIME_set(to, end) == NULL)
		return false;
	if (issuer == certificate)
		return true;
	if (ASN1_TIME_compare(from, X509_get0_notBefore(issuer)) < 0 &&
	    X509_set1_notBefore(certificate, X509_get0_notBefore(issuer)) != 1)
		return false;
	return ASN1_TIME_compare(to, X509_get0_notAfter(issuer)) <= 0 ||
	       X509_set1_notAfter(certificate, X509_get0_notAfter(issuer)) == 1;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;
	bool fine;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	fine = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return fine;
}

/* RFC 7093 2 (1): the leftmost 160 bits of the SHA-256 of the public key's bits. */
static bool add_key_id(X509 *certificate)
{
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	bool fine = id != NULL &&
		    X509_pubkey_digest(certificate, EVP_sha256(), digest, NULL) == 1 &&
		    ASN1_OCTET_STRING_set(id, digest, KEY_ID_SIZE) == 1 &&
		    X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0, 0) == 1;

	ASN1_OCTET_STRING_free(id);
	return fine;
}

static bool add_extensions(
    X509 *certificate, const struct role *role, X509 *issuer, const char *names)
{
	const struct extension *row = role->extensions;
	bool fine = add_key_id(certificate) && add_extension(certificate, issuer,
						   NID_authority_key_identifier, "keyid:always");

	for (; fine && row->value != NULL; row++)
		fine = add_extension(certificate, issuer, row->nid, row->value);
	if (fine && names[0] != '\0')
		fine = add_extension(certificate, issuer, NID_subject_alt_name, names);
	return fine;
}

/* Everything that needs OpenSSL only; the wish has been checked. */
static bool build(const struct role *role, const struct ca_wish *wish, const struct ca_pair *issuer,
    const char *names, const struct ca_pair *pair)
{
	X509 *certificate = pair->certificate;

	return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	       set_subject(certificate, role, wish) &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate)) == 1 &&
	       set_dates(certificate, role, wish->now, issuer->certificate) &&
	       X509_set_pubkey(certificate, pair->key) == 1 &&
	       add_extensions(certificate, role, issuer->certificate, names);
}

enum outcome ca_make(enum ca_role role, const struct ca_wish *wish, const struct ca_pair *issuer,
    struct ca_pair *out)
{
	struct ca_pair pair = {0};
	const struct kind *signer, *own;
	struct buf names = {0};
	enum outcome outcome = find_kind(wish->key, &signer);

	if (outcome == EST_OK)
		outcome = find_kind(role == CA_SERVER ? signer->server : wish->key, &own);
	if (outcome == EST_OK)
		outcome = check_organization(wish->organization);
	if (outcome == EST_OK && role == CA_SERVER)
		outcome = host_names(wish->hosts, &names);
	if (outcome != EST_OK)
		goto out;
	pair.key = generate(own);
	pair.certificate = X509_new();
	if (issuer == NULL)
		issuer = &pair;
	if (pair.key == NULL || pair.certificate == NULL ||
	    !build(&roles[role], wish, issuer, buf_string(&names), &pair) ||
	    X509_sign(pair.certificate, issuer->key,
		signer->digest == NULL ? NULL : signer->digest()) == 0) {
		outcome = reason_openssl(EST_INTERNAL, "cannot make a certificate");
		goto out;
	}
	*out = pair;
	pair = (struct ca_pair){0};
out:
	ca_pair_clear(&pair);
	buf_free(&names);
	return outcome;
}

void ca_pair_clear(struct ca_pair *pair)
{
	EVP_PKEY_free(pair->key);
	X509_free(pair->certificate);
	*pair = (struct ca_pair){0};
}

/*
 * Takes what was written to a memory BIO (for secrets: one of the secure heap, overwritten when
 * freed).
 */
static void take(BIO *bio, struct buf *out)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	buf_add(out, data, (size_t)len);
}

enum outcome ca_certificate_pem(X509 *certificate, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool fine = bio != NULL && PEM_write_bio_X509(bio, certificate) == 1;

	if (fine)
		take(bio, out);
	BIO_free(bio);
	return fine ? EST_OK : reason_openssl(EST_INTERNAL, "cannot write a certificate");
}

/* The key under PBES2 (RFC 8018): AES-256-CBC and PBKDF2 with HMAC-SHA-256. */
static X509_SIG *encrypt_key(PKCS8_PRIV_KEY_INFO *plain, struct span passphrase)
{
	X509_ALGOR *scheme = PKCS5_pbe2_set_iv(
	    EVP_aes_256_cbc(), KEY_ITERATIONS, NULL, 16, NULL, NID_hmacWithSHA256);
	X509_SIG *sealed = NULL;

	if (scheme != NULL)
		sealed = PKCS8_set0_pbe(
		    (const char *)passphrase.data, (int)passphrase.len, plain, scheme);
	if (sealed == NULL)
		X509_ALGOR_free(scheme);
	return sealed;
}

enum outcome ca_key_pem(EVP_PKEY *key, struct span passphrase, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	X509_SIG *sealed = NULL;
	bool fine = bio != NULL && plain != NULL;

	if (fine && passphrase.len > 0) {
		sealed = encrypt_key(plain, passphrase);
		fine = sealed != NULL && PEM_write_bio_PKCS8(bio, sealed) == 1;
	} else if (fine) {
		fine = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain) == 1;
	}
	if (fine)
		take(bio, out);
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain);
	BIO_free(bio);
	return fine ? EST_OK : reason_openssl(EST_INTERNAL, "cannot write a private key");
}
