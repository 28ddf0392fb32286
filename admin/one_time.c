#include "admin/one_time.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "common/base/clock.h"

#define DEFAULT_LIFE (INT64_C(7) * 86400)

/* RFC 5272 6.2.3: what a proof of identity is keyed by where the request names the device. */
static void digest_named(const char *text, struct secret_record *secret)
{
	struct buf both = {0};

	buf_reserve(&both, ONE_TIME_LENGTH + strlen(secret->name));
	buf_add(&both, text, ONE_TIME_LENGTH);
	buf_add_string(&both, secret->name);
	SHA256(both.data, both.len, secret->named_digest);
	buf_cleanse(&both);
}

/* What is random comes once, so it is the text as it is printed whose SHA-256 counts. */
enum outcome one_time_make(struct secret_record *secret, char text[static ONE_TIME_SIZE])
{
	/* Without i, l, o and u: what looks like one of these is a digit, or a v. */
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
	unsigned char random[ONE_TIME_LENGTH];

	_Static_assert(sizeof(letters) == 33, "5 bits choose one");
	if (RAND_priv_bytes(random, sizeof(random)) != 1)
		return reason_openssl(EST_UNAVAILABLE, "no random octets for a secret");
	for (size_t i = 0; i < ONE_TIME_LENGTH; i++)
		text[i] = letters[random[i] & 31];
	text[ONE_TIME_LENGTH] = '\0';
	OPENSSL_cleanse(random, sizeof(random));
	SHA256((const unsigned char *)text, ONE_TIME_LENGTH, secret->digest);
	digest_named(text, secret);
	return EST_OK;
}

enum outcome one_time_life(const struct admin *admin, int64_t *seconds)
{
	*seconds = admin->expires < 0 ? DEFAULT_LIFE : admin->expires;
	return *seconds > 0 ? EST_OK
			    : cli_usage("--expires: a secret that is good for no time is good for "
					"nothing");
}

const char *one_time_state(const struct secret_record *secret)
{
	if (secret->used_at != 0)
		return "used";
	return secret->expires_at <= clock_now() ? "expired" : "unused";
}

const char *one_time_label(const struct secret_record *secret)
{
	if (secret->label == NULL)
		return "all";
	return secret->label[0] == '\0' ? "-" : secret->label;
}

json_t *one_time_json(const struct secret_record *secret)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", cli_json_text(secret->name));
	json_object_set_new(object, "label", cli_json_text(secret->label));
	json_object_set_new(object, "state", cli_json_text(one_time_state(secret)));
	json_object_set_new(object, "created_at", cli_json_time(secret->created_at));
	json_object_set_new(object, "expires_at", cli_json_time(secret->expires_at));
	if (secret->used_at != 0)
		json_object_set_new(object, "used_at", cli_json_time(secret->used_at));
	return object;
}
