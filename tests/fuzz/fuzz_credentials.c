/*
 * fuzz_credentials - an Authorization field: only the one password and the one-time secret let
 * anybody in, where the label takes them, and whatever else stands there is refused under a code.
 *
 * The first octet chooses what the label takes, and what the rest is: the field as it is, or the
 * user-id and password that are put into one, so that the fuzzer need not learn base64. What
 * compares a password with its hash has tests of its own and costs 16 MB each time, on purpose; so
 * here stands something in its place that costs nothing.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/auth/method.h"
#include "common/auth/password.h"
#include "common/base/encoding.h"
#include "common/pki/key.h"

#define PASSWORD "gate8key"
#define HASH     "$y$j9T$abcdefghijklmnopqrstu.$gate8key"
#define SECRET   "one8time"
#define NOW      INT64_C(1767225600)

static const char *const pump_names[] = {"pump*", NULL};
static const char *const other_labels[] = {"other", NULL};

/* In the place of password.c. */
enum outcome password_verify(struct span password, const char *hash)
{
	must(hash == NULL || strcmp(hash, HASH) == 0);
	must(memchr(password.data, '\0', password.len) == NULL);
	if (hash != NULL && span_equal(password, span_of(PASSWORD)))
		return EST_OK;
	return refuse(AUTH_PASSWORD, "the user name or the password is wrong");
}

enum outcome password_hash(struct span password, struct buf *hash)
{
	must(span_equal(password, span_of(PASSWORD)));
	buf_add_string(hash, HASH);
	return EST_OK;
}

/* "down" cannot be looked up just now, "elsewhere" is of another label, "nobody" is none. */
static enum outcome remembered_user(void *context, const char *name, struct user_record *out)
{
	(void)context;
	if (strcmp(name, "down") == 0)
		return reason(EST_UNAVAILABLE, "the store is not there");
	if (strcmp(name, "nobody") == 0)
		return reason(EST_NOT_FOUND, "there is no such user");
	out->memory = mem_string(name);
	out->name = out->memory;
	out->password = HASH;
	out->names = pump_names;
	out->labels = strcmp(name, "elsewhere") == 0 ? other_labels : NULL;
	out->roles = 1U << ROLE_ENROLL;
	return EST_OK;
}

/* That of "late" has expired, that of "used" too, which was used before. */
static enum outcome remembered_secret(void *context, const char *name, struct secret_record *out)
{
	(void)context;
	if (strcmp(name, "down") == 0)
		return reason(EST_UNAVAILABLE, "the store is not there");
	if (strcmp(name, "nobody") == 0)
		return reason(EST_NOT_FOUND, "there is no such user");
	out->memory = mem_string(name);
	out->name = out->memory;
	out->label = strcmp(name, "elsewhere") == 0 ? "other" : NULL;
	out->expires_at = strcmp(name, "late") == 0 || strcmp(name, "used") == 0 ? NOW : NOW + 1;
	out->used_at = strcmp(name, "used") == 0 ? NOW - 1 : 0;
	key_sha256(span_of(SECRET), out->digest);
	return EST_OK;
}

/* What these credentials prove, NAME:PASSWORD, where the proofs are taken. */
static unsigned proves(struct span plain, unsigned proofs)
{
	char *text = fuzz_text(plain.data, plain.len), *colon = strchr(text, ':');
	unsigned proven = 0;

	if (strlen(text) == plain.len && colon != NULL) {
		*colon++ = '\0';
		if (strcmp(text, "down") == 0 || strcmp(text, "elsewhere") == 0 ||
		    strcmp(text, "nobody") == 0)
			proven = 0;
		else if (strcmp(colon, PASSWORD) == 0)
			proven = proofs & PROOF_PASSWORD;
		else if (strcmp(colon, SECRET) == 0 && strcmp(text, "late") != 0)
			proven = proofs & PROOF_SECRET;
	}
	free(text);
	return proven;
}

static enum outcome identify(const char *field, unsigned proofs, unsigned *proven)
{
	const struct config_label label = {.name = (char[]){"pumps"}};
	const struct auth auth = {.label = &label,
	    .memory = {.user = remembered_user, .secret = remembered_secret},
	    .cache = 60,
	    .now = NOW};
	const struct credentials credentials = {.authorization = field};
	struct identity identity = {0};
	enum outcome outcome;

	outcome = basic_identify(&auth, proofs, &credentials, &identity);
	*proven = identity.proven;
	if (identity_has(&identity, PROOF_PASSWORD))
		must(strchr(identity.user.name, ':') == NULL && identity.spent == 0);
	if (identity_has(&identity, PROOF_SECRET))
		must((identity.spent != 0) == (strcmp(identity.secret.name, "used") == 0));
	identity_clear(&identity);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned taken[] = {
	    PROOF_PASSWORD, PROOF_SECRET, PROOF_PASSWORD | PROOF_SECRET};
	struct span rest = {data + 1, size - 1};
	struct buf field = {0}, plain = {0};
	enum outcome outcome;
	unsigned proofs, proven;
	char *text;

	if (size == 0)
		return 0;
	proofs = taken[data[0] / 2 % 3];
	if (data[0] % 2 == 0) {
		buf_add_span(&field, rest);
	} else {
		buf_add_string(&field, "Basic ");
		base64_encode(&field, rest, 0);
	}
	reason_clear();
	text = fuzz_text(field.data, field.len);
	outcome = fuzz_judged(identify(text, proofs, &proven));
	must(outcome == EST_OK || outcome == EST_UNAUTHENTICATED || outcome == EST_UNAVAILABLE);
	must((outcome == EST_OK) == (proven != 0));
	if (data[0] % 2 != 0)
		must(proven == (field.len <= 8192 ? proves(rest, proofs) : 0));
	else if (outcome == EST_OK)
		must(base64_decode(&plain, span_of(text + strlen("Basic "))) == EST_OK &&
		     proven == proves(buf_span(&plain), proofs));
	free(text);
	buf_free(&field);
	buf_free(&plain);
	return 0;
}
