/*
 * make_csr - certification requests (RFC 2986) that `openssl req` would refuse to make.
 *
 * Every part can be given as raw DER in hex; what is not given is made as a good request would have
 * it. Nothing is checked, and the signature, unless it is broken on purpose, is good for whatever
 * was asked for: what a server refuses, it refuses for the part that is odd.
 */
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static const char help[] =
    "usage: make_csr -k KEY [OPTION]...\n"
    "Prints a certification request in DER. HEX is any DER in hex.\n"
    "  -k KEY       private key, PEM\n"
    "  -n NAME      subject common name (UTF8String); default: device.example\n"
    "  -N HEX       the whole subject\n"
    "  -v HEX       the version INTEGER; default: 020100\n"
    "  -p HEX       the whole SubjectPublicKeyInfo; default: the key's\n"
    "  -e HEX       an Extension, into one extensionRequest attribute with all others\n"
    "  -a HEX       an Attribute, before the extensionRequest\n"
    "  -A           no [0] attributes at all\n"
    "  -f FILE      subject, key and attributes of that request (DER), where nothing else is "
    "given\n"
    "Attributes by their values; with any of these the whole set is sorted, as DER demands:\n"
    "  -t OID=HEX   of this type, dotted or as OpenSSL calls it\n"
    "  -c TEXT      challengePassword (-o, -r, -i as well: UTF8String)\n"
    "  -o TEXT      otpChallenge\n"
    "  -r TEXT      revocationChallenge\n"
    "  -i TEXT      estIdentityLinking\n"
    "  -C HEX       ChangeSubjectName: content of the SEQUENCE\n"
    "  -D HEX       DecryptKeyIdentifier: octets\n"
    "  -R HEX       AsymmetricDecryptKeyIdentifier: octets\n"
    "  -m OID,...   SMIMECapabilities\n"
    "  -d DIGEST    of the signature; default: sha256, none for Ed25519\n"
    "  -s HEX       the signature's AlgorithmIdentifier; default: the one used\n"
    "  -b           break the signature\n"
    "  -E           an empty signature\n";

#define BYTES_MAX      (1u << 20)
#define ATTRIBUTES_MAX 32

struct bytes {
	unsigned char *at;
	size_t len;
};

struct parts {
	EVP_PKEY *key;
	const char *common_name, *digest;
	struct bytes subject, version, spki, extensions, attributes, algorithm;
	struct bytes attribute[ATTRIBUTES_MAX]; /* one each, or several as they were given */
	size_t attribute_count;
	bool no_attributes, sorted, broken, empty;
};

/* Options that name an attribute: its OID, and the tag of its value. */
static const struct attribute_option {
	char option;
	unsigned char tag;
	const char *oid;
} attribute_options[] = {
    {'c', 0x0c, "1.2.840.113549.1.9.7"},
    {'o', 0x0c, "1.2.840.113549.1.9.16.2.56"},
    {'r', 0x0c, "1.2.840.113549.1.9.16.2.57"},
    {'i', 0x0c, "1.2.840.113549.1.9.16.2.58"},
    {'C', 0x30, "1.3.6.1.5.5.7.7.36"},
    {'D', 0x04, "1.2.840.113549.1.9.16.2.37"},
    {'R', 0x04, "1.2.840.113549.1.9.16.2.54"},
    {'m', 0x30, "1.2.840.113549.1.9.15"},
};

static void add(struct bytes *bytes, const void *more, size_t len)
{
	if (bytes->len + len > BYTES_MAX)
		errx(EXIT_FAILURE, "a part is longer than %u bytes", BYTES_MAX);
	bytes->at = realloc(bytes->at, bytes->len + len + 1);
	if (bytes->at == NULL)
		err(EXIT_FAILURE, "realloc");
	if (len > 0)
		memcpy(bytes->at + bytes->len, more, len);
	bytes->len += len;
}

static void add_hex(struct bytes *bytes, const char *hex)
{
	long len = 0;
	unsigned char *raw = OPENSSL_hexstr2buf(hex, &len);

	if (raw == NULL)
		errx(EXIT_FAILURE, "not hex: %s", hex);
	add(bytes, raw, (size_t)len);
	OPENSSL_free(raw);
}

/* Appends a TLV with this content, in DER. */
static void add_tlv(struct bytes *bytes, unsigned char tag, struct bytes content)
{
	unsigned char head[4] = {tag, 0, 0, 0};
	size_t len = content.len, head_len = 2;

	if (len < 0x80)
		head[1] = (unsigned char)len;
	else if (len < 0x100) {
		head[1] = 0x81;
		head[2] = (unsigned char)len;
		head_len = 3;
	} else if (len < 0x10000) {
		head[1] = 0x82;
		head[2] = (unsigned char)(len >> 8);
		head[3] = (unsigned char)len;
		head_len = 4;
	} else
		errx(EXIT_FAILURE, "%zu bytes are too many for a TLV", len);
	add(bytes, head, head_len);
	add(bytes, content.at, len);
}

/* Replaces the content by a TLV that holds it. */
static void wrap(struct bytes *bytes, unsigned char tag)
{
	struct bytes content = *bytes;

	*bytes = (struct bytes){0};
	add_tlv(bytes, tag, content);
	free(content.at);
}

static void make_subject(struct parts *parts)
{
	struct bytes attribute = {0}, text = {0};

	if (parts->subject.len > 0)
		return;
	add(&text, parts->common_name, strlen(parts->common_name));
	add_hex(&attribute, "0603550403");
	add_tlv(&attribute, 0x0c, text);
	wrap(&attribute, 0x30);
	wrap(&attribute, 0x31);
	add_tlv(&parts->subject, 0x30, attribute);
	free(text.at);
	free(attribute.at);
}

static void make_spki(struct parts *parts)
{
	unsigned char *der = NULL;
	int len;

	if (parts->spki.len > 0)
		return;
	len = i2d_PUBKEY(parts->key, &der);
	if (len <= 0)
		errx(EXIT_FAILURE, "the key has no public half");
	add(&parts->spki, der, (size_t)len);
	OPENSSL_free(der);
}

static void add_oid(struct bytes *bytes, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 0);
	unsigned char *der = NULL;
	int len = object == NULL ? -1 : i2d_ASN1_OBJECT(object, &der);

	if (len <= 0)
		errx(EXIT_FAILURE, "no OID: %s", oid);
	add(bytes, der, (size_t)len);
	OPENSSL_free(der);
	ASN1_OBJECT_free(object);
}

/* Room for one attribute more. */
static struct bytes *next_attribute(struct parts *parts)
{
	if (parts->attribute_count == ATTRIBUTES_MAX)
		errx(EXIT_FAILURE, "more than %d attributes", ATTRIBUTES_MAX);
	return &parts->attribute[parts->attribute_count++];
}

/* An Attribute with this one value, whole; the value is freed. */
static void add_attribute(struct parts *parts, const char *oid, struct bytes value)
{
	struct bytes *attribute = next_attribute(parts);

	wrap(&value, 0x31);
	add_oid(attribute, oid);
	add(attribute, value.at, value.len);
	wrap(attribute, 0x30);
	free(value.at);
}

/* -t OID=HEX */
static void add_typed(struct parts *parts, const char *argument)
{
	const char *equals = strchr(argument, '=');
	struct bytes value = {0};
	char *oid;

	if (equals == NULL)
		errx(2, "not OID=HEX: %s", argument);
	oid = strndup(argument, (size_t)(equals - argument));
	if (oid == NULL)
		err(EXIT_FAILURE, "strndup");
	add_hex(&value, equals + 1);
	add_attribute(parts, oid, value);
	parts->sorted = true;
	free(oid);
}

/* SMIMECapability, SMIMECapability, ...: each an algorithm without parameters. */
static void add_capabilities(struct bytes *bytes, const char *words)
{
	char *copy = strdup(words), *rest = NULL;

	for (char *word = strtok_r(copy, ",", &rest); word != NULL;
	     word = strtok_r(NULL, ",", &rest)) {
		struct bytes capability = {0};
		add_oid(&capability, word);
		add_tlv(bytes, 0x30, capability);
		free(capability.at);
	}
	free(copy);
}

/* One of attribute_options; false if it is none. */
static bool add_named(struct parts *parts, int option, const char *argument)
{
	for (size_t i = 0; i < sizeof(attribute_options) / sizeof(attribute_options[0]); i++) {
		const struct attribute_option *row = &attribute_options[i];
		struct bytes value = {0};
		if (row->option != option)
			continue;
		if (option == 'm')
			add_capabilities(&value, argument);
		else if (row->tag == 0x0c)
			add(&value, argument, strlen(argument));
		else if (argument[0] != '\0')
			add_hex(&value, argument);
		wrap(&value, row->tag);
		add_attribute(parts, row->oid, value);
		parts->sorted = true;
		return true;
	}
	return false;
}

/* DER orders the members of a SET OF by their octets (X.690 11.6). */
static int compare_attributes(const void *a, const void *b)
{
	const struct bytes *one = a, *other = b;
	size_t len = one->len < other->len ? one->len : other->len;
	int order = memcmp(one->at, other->at, len);

	return order != 0 ? order : (one->len > other->len) - (one->len < other->len);
}

static void make_attributes(struct parts *parts)
{
	if (parts->no_attributes)
		return;
	if (parts->extensions.len > 0) {
		wrap(&parts->extensions, 0x30);
		add_attribute(parts, "1.2.840.113549.1.9.14", parts->extensions);
		parts->extensions = (struct bytes){0};
	}
	if (parts->sorted)
		qsort(parts->attribute, parts->attribute_count, sizeof(parts->attribute[0]),
		    compare_attributes);
	for (size_t i = 0; i < parts->attribute_count; i++) {
		add(&parts->attributes, parts->attribute[i].at, parts->attribute[i].len);
		free(parts->attribute[i].at);
	}
	wrap(&parts->attributes, 0xa0);
}

/* The AlgorithmIdentifier that OpenSSL writes for a signature by this key and digest. */
static void make_algorithm(struct parts *parts, const EVP_MD *digest)
{
	X509_REQ *probe;
	const X509_ALGOR *algorithm = NULL;
	unsigned char *der = NULL;
	int len;

	if (parts->algorithm.len > 0)
		return;
	probe = X509_REQ_new();
	if (probe == NULL || X509_REQ_set_pubkey(probe, parts->key) != 1 ||
	    X509_REQ_sign(probe, parts->key, digest) <= 0)
		errx(EXIT_FAILURE, "the key does not sign with %s", parts->digest);
	X509_REQ_get0_signature(probe, NULL, &algorithm);
	len = i2d_X509_ALGOR(algorithm, &der);
	add(&parts->algorithm, der, (size_t)len);
	OPENSSL_free(der);
	X509_REQ_free(probe);
}

static void add_signature(
    const struct parts *parts, const EVP_MD *digest, struct bytes signed_part, struct bytes *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature);
	struct bytes bits = {0};

	if (context == NULL || EVP_DigestSignInit(context, NULL, digest, NULL, parts->key) != 1 ||
	    EVP_DigestSign(context, signature, &len, signed_part.at, signed_part.len) != 1)
		errx(EXIT_FAILURE, "cannot sign");
	EVP_MD_CTX_free(context);
	if (parts->broken)
		signature[len / 2] ^= 1;
	add_hex(&bits, "00");
	add(&bits, signature, parts->empty ? 0 : len);
	add_tlv(out, 0x03, bits);
	free(bits.at);
}

/* CertificationRequestInfo, signature algorithm, signature. */
static void make_request(struct parts *parts, struct bytes *out)
{
	bool own_digest =
	    EVP_PKEY_is_a(parts->key, "ED25519") || EVP_PKEY_is_a(parts->key, "ED448");
	const EVP_MD *digest = own_digest ? NULL : EVP_get_digestbyname(parts->digest);
	struct bytes info = {0};

	make_subject(parts);
	make_spki(parts);
	make_attributes(parts);
	make_algorithm(parts, digest);
	add(&info, parts->version.at, parts->version.len);
	add(&info, parts->subject.at, parts->subject.len);
	add(&info, parts->spki.at, parts->spki.len);
	add(&info, parts->attributes.at, parts->attributes.len);
	wrap(&info, 0x30);
	add(out, info.at, info.len);
	add(out, parts->algorithm.at, parts->algorithm.len);
	add_signature(parts, digest, info, out);
	wrap(out, 0x30);
	free(info.at);
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key;

	if (file == NULL)
		err(EXIT_FAILURE, "%s", path);
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	if (key == NULL)
		errx(EXIT_FAILURE, "%s: no private key", path);
	(void)fclose(file);
	return key;
}

/* Takes over what another request has. */
static void read_request(struct parts *parts, const char *path)
{
	FILE *file = fopen(path, "r");
	X509_REQ *request = file == NULL ? NULL : d2i_X509_REQ_fp(file, NULL);
	unsigned char *der = NULL;
	int len;

	if (request == NULL)
		errx(EXIT_FAILURE, "%s: no request", path);
	(void)fclose(file);
	len = i2d_X509_NAME(X509_REQ_get_subject_name(request), &der);
	add(&parts->subject, der, (size_t)len);
	OPENSSL_free(der);
	der = NULL;
	len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &der);
	add(&parts->spki, der, (size_t)len);
	OPENSSL_free(der);
	for (int i = 0; i < X509_REQ_get_attr_count(request); i++) {
		der = NULL;
		len = i2d_X509_ATTRIBUTE(X509_REQ_get_attr(request, i), &der);
		add(next_attribute(parts), der, (size_t)len);
		OPENSSL_free(der);
	}
	X509_REQ_free(request);
}

static void read_options(struct parts *parts, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "k:n:N:v:p:e:a:Ad:s:bEf:t:c:o:r:i:C:D:R:m:")) != -1)
		switch (option) {
		case 'k': parts->key = read_key(optarg); break;
		case 'n': parts->common_name = optarg; break;
		case 'N': add_hex(&parts->subject, optarg); break;
		case 'v': add_hex(&parts->version, optarg); break;
		case 'p': add_hex(&parts->spki, optarg); break;
		case 'e': add_hex(&parts->extensions, optarg); break;
		case 'a': add_hex(next_attribute(parts), optarg); break;
		case 'A': parts->no_attributes = true; break;
		case 'd': parts->digest = optarg; break;
		case 's': add_hex(&parts->algorithm, optarg); break;
		case 'b': parts->broken = true; break;
		case 'E': parts->empty = true; break;
		case 'f': read_request(parts, optarg); break;
		case 't': add_typed(parts, optarg); break;
		default:
			if (option == '?' || !add_named(parts, option, optarg))
				errx(2, "%s", help);
		}
	if (parts->key == NULL || optind != argc)
		errx(2, "%s", help);
	if (parts->version.len == 0)
		add_hex(&parts->version, "020100");
}

int main(int argc, char **argv)
{
	struct parts parts = {.common_name = "device.example", .digest = "sha256"};
	struct bytes request = {0};

	read_options(&parts, argc, argv);
	make_request(&parts, &request);
	if (fwrite(request.at, 1, request.len, stdout) != request.len || fflush(stdout) != 0)
		err(EXIT_FAILURE, "standard output");
	free(request.at);
	free(parts.subject.at);
	free(parts.version.at);
	free(parts.spki.at);
	free(parts.extensions.at);
	free(parts.attributes.at);
	free(parts.algorithm.at);
	EVP_PKEY_free(parts.key);
	return EXIT_SUCCESS;
}
