#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>

#include "common/pki/key_kind.h"

static const struct key_kind *kind_of(const char *word)
{
	for (size_t i = 0; i < KEY_KINDS; i++)
		if (strcmp(key_kinds[i].word, word) == 0)
			return &key_kinds[i];
	return NULL;
}

/* What OpenSSL has to know beside the type; an Edwards key needs nothing. */
static bool describe(EVP_PKEY_CTX *context, const struct key_kind *kind)
{
	char group[16];
	size_t bits = kind->bits;
	OSSL_PARAM parameters[] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};

	(void)snprintf(group, sizeof(group), "%s", kind->name);
	if (kind->family == FAMILY_EC)
		parameters[0] =
		    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	else if (kind->family == FAMILY_RSA)
		parameters[0] = OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits);
	return EVP_PKEY_CTX_set_params(context, parameters) == 1;
}

enum outcome key_make(const char *word, EVP_PKEY **out)
{
	const struct key_kind *kind = kind_of(word);
	EVP_PKEY_CTX *context;
	EVP_PKEY *key = NULL;
	bool made;

	if (kind == NULL)
		return reason(EST_MALFORMED,
		    "\"%.60s\" is no kind of key that can be made here; see est.conf(5)", word);
	context =
	    EVP_PKEY_CTX_new_from_name(NULL, kind->family == FAMILY_EC ? "EC" : kind->name, NULL);
	made = context != NULL && EVP_PKEY_keygen_init(context) == 1 && describe(context, kind) &&
	       EVP_PKEY_generate(context, &key) == 1;
	EVP_PKEY_CTX_free(context);
	if (!made)
		return reason_openssl(EST_INTERNAL, "a %s key could not be made", word);
	*out = key;
	return EST_OK;
}
