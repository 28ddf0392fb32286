#include "common/pki/pem.h"

#include <stdlib.h>
#include <string.h>

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

static void read_certificates(BIO *bio, STACK_OF(X509) *stack)
{
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (have(stack, certificate) || sk_X509_push(stack, certificate) <= 0)
			X509_free(certificate);
}

enum outcome pem_certificates(const char *path, STACK_OF(X509) **out)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	struct buf text = {0};
	enum outcome outcome = file_read(path, FILE_MOST, &text);
	BIO *bio;

	if (outcome == EST_OK) {
		bio = BIO_new_mem_buf(text.data, (int)text.len);
		read_certificates(bio, stack);
		BIO_free(bio);
		/* The loop ends at the end of the file, which is fine, or at a block that is no
		 * certificate. */
		if (sk_X509_num(stack) == 0 ||
		    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
			outcome = reason_openssl(EST_MALFORMED,
			    "%s does not hold certificates in PEM, or not only good ones", path);
		ERR_clear_error();
	}
	buf_free(&text);
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
