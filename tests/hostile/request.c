#include "tests/hostile/request.h"

#include <string.h>

const struct key *request_key(void)
{
	static const struct key *key;

	if (key == NULL)
		key = key_ec("prime256v1");
	return key;
}

static struct bytes given(struct bytes bytes, struct bytes otherwise)
{
	return bytes.at != NULL ? bytes : otherwise;
}

static struct bytes common_name(const char *name)
{
	return bytes_make("30{31{30{06{550403}0c{$}}}}",
	    (struct bytes){(const unsigned char *)name, strlen(name)});
}

struct bytes request_info(const struct request *request)
{
	const struct key *key = request->key == NULL ? request_key() : request->key;

	return bytes_make(request->info == NULL ? "30{$ $ $ $}" : request->info,
	    given(request->version, bytes_make("020100")),
	    given(request->subject, common_name(request->name)), given(request->spki, key->spki),
	    given(request->attributes, bytes_make("a000")));
}

struct bytes request_make(const struct request *request)
{
	const struct key *key = request->key == NULL ? request_key() : request->key;
	struct bytes info, signature = request->signature;

	if (request->body.at != NULL)
		return request->body;
	info = request_info(request);
	if (signature.at == NULL)
		signature = bytes_make("03{00 $}", key->sign(key, info));
	return bytes_make(request->outer == NULL ? "30{$ $ $}" : request->outer, info,
	    given(request->algorithm, key->algorithm), signature);
}
