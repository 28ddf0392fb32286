#include "admin/one_time.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "admin/device.h"
#include "common/auth/auth.h"
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

/* --- where it is of use --- */

/* How a label comes by secrets. A request may always have one, but nobody asks for it then. */
enum asking { ASKS_NOT, ASKS_IN_REQUEST, ASKS_BY_BASIC };

static enum asking how_asks(const struct config_label *label)
{
	if ((auth_proofs(label) & PROOF_SECRET) != 0)
		return ASKS_BY_BASIC;
	if (label->otp_required || strcmp(label->challenge, "otp") == 0 ||
	    words_have(&label->csrattrs_require, "otpChallenge") ||
	    words_have(&label->operations, "fullcmc"))
		return ASKS_IN_REQUEST;
	return ASKS_NOT;
}

/* Whether the label, or where it is NULL one of all, asks in that way. */
static bool asks(const struct admin *admin, const char *label, enum asking way)
{
	const struct config *config = admin->service->config;

	for (size_t i = 0; i < config->label_count; i++)
		if ((label == NULL || strcmp(config->labels[i].name, label) == 0) &&
		    how_asks(&config->labels[i]) == way)
			return true;
	return false;
}

enum outcome one_time_check(const struct admin *admin, const char *label, const char *name)
{
	enum outcome outcome = device_check_name(name);

	if (outcome == EST_OK && strchr(name, ':') != NULL && asks(admin, label, ASKS_BY_BASIC) &&
	    !asks(admin, label, ASKS_IN_REQUEST))
		outcome = reason(EST_MALFORMED,
		    "\"%.100s\" holds a colon, and the secret is to be the password of HTTP Basic, "
		    "whose user names hold none (RFC 7617 2)",
		    name);
	return outcome;
}

void one_time_warn(const struct admin *admin, const char *label)
{
	static const char hint[] = "a secret counts only where a request carries it unasked, as "
				   "otpChallenge; see authenticate and otp_required in est.conf(5)";

	if (asks(admin, label, ASKS_BY_BASIC) || asks(admin, label, ASKS_IN_REQUEST))
		return;
	if (label == NULL)
		cli_say("no label asks for one-time secrets: %s", hint);
	else
		cli_say("the label %s does not ask for one-time secrets: %s",
		    label[0] == '\0' ? "-" : label, hint);
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

enum outcome one_time_conflict(const struct secret_record *secret)
{
	reason_clear(); /* the store does not know of --replace */
	return reason(EST_CONFLICT,
	    "\"%.100s\" has a one-time secret already that is %s, of the label %.80s, and a name "
	    "has "
	    "one whatever the labels; --replace gives it another secret",
	    secret->name,
	    strcmp(one_time_state(secret), "unused") == 0 ? "good" : one_time_state(secret),
	    one_time_label(secret));
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
