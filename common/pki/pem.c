#include "common/pki/pem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/base/buf.h"
#include "common/base/file.h"

#define FILE_MOST (1 << 20)

static bool have(STACK_OF(X509) *stack, X509 *certificate)
{
	for (int i = 0; i < sk_X509_num(stack); i++)
		if (X509_cmp(sk_X509_value(stack, i), certificate) == 0)
			return true;
	return false;
}

static void put(STACK_OF(X509) *stack, X509 *certificate)
{
	if (have(stack, certificate) || sk_X509_push(stack, certificate) <= 0)
		X509_free(certificate);
}

/* One certificate in DER is the whole file. */
static bool put_der(struct span der, STACK_OF(X509) *stack)
{
	const unsigned char *at = der.data;
	X509 *certificate = der.len == 0 ? NULL : d2i_X509(NULL, &at, (long)der.len);

	if (certificate == NULL || at != der.data + der.len) {
		X509_free(certificate);
		return false;
	}
	put(stack, certificate);
	return true;
}

/* Every certificate in PEM; false where there is none, or a block is no good one. */
static bool put_pem(struct span text, STACK_OF(X509) *stack)
{
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	X509 *certificate;
	bool any = false;

	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		put(stack, certificate);
		any = true;
	}
	BIO_free(bio);
	/* The loop ends at the end of the file, which is fine, or at a bad block. */
	return any && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static enum outcome put_file(const char *path, STACK_OF(X509) *stack)
{
	static const char begin[] = "-----BEGIN ";
	struct buf content = {0};
	enum outcome outcome = file_read(path, FILE_MOST, &content);
	struct span span = buf_span(&content);
	bool is_pem = span.len > 0 && memmem(span.data, span.len, begin, sizeof(begin) - 1) != NULL;

	if (outcome == EST_OK && !(is_pem ? put_pem(span, stack) : put_der(span, stack)))
		outcome = reason_openssl(EST_MALFORMED,
		    "%s does not hold certificates in PEM or DER, or not only good ones", path);
	ERR_clear_error();
	buf_free(&content);
	return outcome;
}

/*
 * Whether a name in a directory is a certificate file's: one that is being written has another.
 */
static int is_named_so(const struct dirent *entry)
{
	static const char *const endings[] = {".pem", ".crt", ".cer"};
	const char *ending = strrchr(entry->d_name, '.');

	if (entry->d_name[0] == '.' || ending == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (strcasecmp(ending, endings[i]) == 0)
			return 1;
	return 0;
}

/* The order of names is that of their octets, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/*
 * What is no regular file, nor leads to one, is left out: a directory or a pipe may have any name.
 * A link to nothing is a file that is missing.
 */
static enum outcome put_entry(const char *path, STACK_OF(X509) *stack)
{
	struct stat status;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return EST_OK;
	return put_file(path, stack);
}

static enum outcome put_directory(const char *path, STACK_OF(X509) *stack)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_named_so, by_name);
	enum outcome outcome = EST_OK;

	if (count < 0)
		return reason(errno == EACCES ? EST_FORBIDDEN : EST_UNAVAILABLE,
		    "cannot list the directory %s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		char *file = file_path(path, entries[i]->d_name);
		if (outcome == EST_OK)
			outcome = put_entry(file, stack);
		free(file);
		free(entries[i]);
	}
	free(entries);
	if (outcome == EST_OK && sk_X509_num(stack) == 0)
		outcome = reason(EST_MALFORMED,
		    "the directory %s holds no file that ends in .pem, .crt or .cer", path);
	return outcome;
}

enum outcome pem_certificates(const char *path, STACK_OF(X509) **out)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	struct stat status;
	bool is_directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
	enum outcome outcome = is_directory ? put_directory(path, stack) : put_file(path, stack);

	if (outcome != EST_OK) {
		sk_X509_pop_free(stack, X509_free);
		return outcome;
	}
	*out = stack;
	return EST_OK;
}

/* The first line of the passphrase's file, or of the credential that systemd put into its
 * directory. */
static enum outcome read_passphrase(const char *where, struct buf *out)
{
	static const char scheme[] = "credential:";
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char *path;
	enum outcome outcome;

	if (strncmp(where, scheme, sizeof(scheme) - 1) != 0) {
		path = mem_string(where);
	} else if (directory == NULL) {
		return reason(EST_UNAVAILABLE,
		    "the passphrase is to be the systemd %s, but there is no "
		    "$CREDENTIALS_DIRECTORY: start the "
		    "workers from a unit with LoadCredential=",
		    where);
	} else {
		path = file_path(directory, where + sizeof(scheme) - 1);
	}
	outcome = file_read(path, 4096, out);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == '\n' || out->data[i] == '\r')
			out->len = i;
	free(path);
	return outcome;
}

/* OpenSSL's callback; without a passphrase it must not fall back to asking on the terminal. */
static int give_passphrase(char *to, int size, int writing, void *context)
{
	const struct buf *passphrase = context;

	(void)writing;
	if (passphrase->len == 0 || passphrase->len > (size_t)size)
		return -1;
	memcpy(to, passphrase->data, passphrase->len);
	return (int)passphrase->len;
}

enum outcome pem_private_key(const char *path, const char *passphrase, EVP_PKEY **out)
{
	struct buf text = {0}, secret = {0};
	enum outcome outcome = file_read(path, FILE_MOST, &text);
	BIO *bio = NULL;

	if (outcome == EST_OK && passphrase != NULL)
		outcome = read_passphrase(passphrase, &secret);
	if (outcome != EST_OK)
		goto out;
	bio = BIO_new_mem_buf(text.data, (int)text.len);
	*out = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &secret);
	if (*out == NULL)
		outcome =
		    reason_openssl(EST_MALFORMED, "%s holds no private key in PEM, or %s", path,
			passphrase == NULL ? "it is encrypted and est.conf has no passphrase for it"
					   : "the passphrase is not the right one");
	ERR_clear_error();
out:
	BIO_free(bio);
	buf_cleanse(&text);
	buf_cleanse(&secret);
	return outcome;
}
