/*
 * auth_basic.c - HTTP Basic (RFC 7617), verified here and not by the web server: the password of a
 * user, or the one-time secret of a device.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "common/auth/method.h"
#include "common/auth/password.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/refusal.h"
#include "common/pki/key.h"

#define HEADER_MOST 8192

/* What came, taken apart, and what it may prove. */
struct attempt {
	const struct auth *auth;
	unsigned proofs;
	const char *name;
	struct span password;
	struct buf account, address; /* keys of the guesses */
};

/* RFC 7617 2: "Basic" SP base64(user-id ":" password). The text, NUL-terminated, is in plain. */
static enum outcome decode(const char *authorization, struct buf *plain)
{
	static const char scheme[] = "Basic ";
	const char *token = authorization + sizeof(scheme) - 1;

	if (strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return refuse(AUTH_HEADER, "the Authorization scheme must be Basic");
	if (strlen(authorization) > HEADER_MOST)
		return refuse(AUTH_HEADER, "the Authorization field is too long");
	if (base64_decode(plain, span_of(token)) != EST_OK ||
	    memchr(plain->data, '\0', plain->len) != NULL ||
	    memchr(plain->data, ':', plain->len) == NULL) {
		reason_clear(); /* it names an octet of the credentials */
		return refuse(AUTH_HEADER, "the Authorization field is malformed");
	}
	(void)buf_string(plain);
	return EST_OK;
}

bool user_label_allowed(const struct user_record *user, const char *label)
{
	if (user->labels == NULL || user->labels[0] == NULL)
		return true;
	for (size_t i = 0; user->labels[i] != NULL; i++)
		if (strcmp(user->labels[i], label) == 0)
			return true;
	return false;
}

enum outcome account_check(const struct auth *auth, const struct user_record *user,
    enum proof proof, struct identity *identity)
{
	if (user->expires_at != 0 && user->expires_at <= auth->now)
		return refuse(AUTH_EXPIRED, "the account has expired; the operator can prolong it");
	if ((user->roles & 1U << ROLE_ENROLL) == 0)
		return refuse(AUTH_ROLE, "the account may not enroll; the operator can allow it");
	if (user->uses_most > 0 && user->uses >= user->uses_most)
		identity->spent |= proof;
	return EST_OK;
}

/* --- guesses --- */

/* Accounts compare without letter case: those of devices do, and it does no harm to users. */
static void name_keys(struct attempt *attempt, const struct credentials *credentials)
{
	buf_add_lower(&attempt->account, attempt->name);
	limiter_address(credentials->address, &attempt->address);
}

/* whether too many were wrong lately. */
static enum outcome check_guesses(const struct attempt *attempt, struct identity *out)
{
	const struct guesses *guesses = attempt->auth->guesses;
	int64_t now = clock_wall(), account, address, wait;

	if (guesses == NULL)
		return EST_OK;
	account = limiter_wait(guesses->limiter, LIMITER_ACCOUNT_GUESSES,
	    buf_span(&attempt->account), &guesses->account, now);
	address = limiter_wait(guesses->limiter, LIMITER_ADDRESS_GUESSES,
	    buf_span(&attempt->address), &guesses->address, now);
	wait = account > address ? account : address;
	if (wait <= 0)
		return EST_OK;
	out->note = account > address ? "the account waits" : "the address waits";
	out->retry_after = (unsigned)((wait + 999999) / 1000000);
	return refuse(
	    AUTH_BACKOFF, "too many wrong credentials; try again in %u seconds", out->retry_after);
}

/* Only a wrong one that was looked at counts, and a right one clears the account alone. */
static void count_guess(const struct attempt *attempt, enum outcome outcome)
{
	const struct guesses *guesses = attempt->auth->guesses;

	if (guesses == NULL)
		return;
	if (outcome == EST_OK) {
		limiter_right(
		    guesses->limiter, LIMITER_ACCOUNT_GUESSES, buf_span(&attempt->account));
		return;
	}
	if (outcome != EST_UNAUTHENTICATED)
		return;
	limiter_wrong(guesses->limiter, LIMITER_ACCOUNT_GUESSES, buf_span(&attempt->account),
	    &guesses->account, clock_wall());
	limiter_wrong(guesses->limiter, LIMITER_ADDRESS_GUESSES, buf_span(&attempt->address),
	    &guesses->address, clock_wall());
}

/* --- users --- */

/*
 * One that was imported gets a hash of our own kind, so that wrong passwords of it take as long as
 * those of anybody else. Where that fails the next login tries again.
 */
static void rehash(const struct attempt *attempt, const struct user_record *user)
{
	const struct auth_memory *memory = &attempt->auth->memory;
	struct buf hash = {0};

	if (memory->rehash != NULL && !password_is_current(user->password) &&
	    password_hash(attempt->password, &hash) == EST_OK)
		(void)memory->rehash(
		    memory->context, user->name, user->password, buf_string(&hash));
	reason_clear();
	buf_cleanse(&hash);
}

/* A hash that was imported may be a quick one: this makes up for the time of ours. */
static void make_up(const struct attempt *attempt, const struct user_record *user)
{
	if (password_is_current(user->password) || password_kind(user->password) == NULL)
		return;
	reason_clear();
	(void)password_verify(attempt->password, NULL);
}

/*
 * One who is nobody under the label gets the whole work every time: a quick answer would say that
 * the password is right elsewhere.
 */
static enum outcome verify(const struct attempt *attempt, const struct user_record *user)
{
	enum outcome outcome;

	if (!user_label_allowed(user, attempt->auth->label->name)) {
		outcome = password_verify(attempt->password, user->password);
		if (outcome == EST_OK || outcome == EST_UNAUTHENTICATED)
			make_up(attempt, user);
		return outcome == EST_OK ? EST_FORBIDDEN : outcome;
	}
	if (credential_known(attempt->auth, user, attempt->password))
		return EST_OK;
	outcome = password_verify(attempt->password, user->password);
	if (outcome == EST_UNAUTHENTICATED)
		make_up(attempt, user);
	if (outcome == EST_OK) {
		credential_remember(attempt->auth, user, attempt->password);
		rehash(attempt, user);
	}
	return outcome;
}

static enum outcome by_password(const struct attempt *attempt, struct identity *out)
{
	const struct auth *auth = attempt->auth;
	enum outcome found = auth->memory.user(auth->memory.context, attempt->name, &out->user);
	enum outcome outcome;

	if (found != EST_OK && found != EST_NOT_FOUND)
		return EST_UNAVAILABLE;
	reason_clear();
	if (found == EST_NOT_FOUND) {
		out->note = "no such user";
		return EST_NOT_FOUND;
	}
	identity_call(out, attempt->name);
	outcome = verify(attempt, &out->user);
	if (outcome != EST_OK) {
		out->note = outcome == EST_FORBIDDEN ? "user of other labels" : "wrong password";
		return outcome == EST_UNAVAILABLE ? outcome : EST_UNAUTHENTICATED;
	}
	out->proven |= PROOF_PASSWORD;
	return account_check(auth, &out->user, PROOF_PASSWORD, out);
}

/* --- one-time secrets --- */

static enum outcome by_secret(const struct attempt *attempt, struct identity *out)
{
	const struct auth *auth = attempt->auth;
	struct secret_record *secret = &out->secret;
	unsigned char digest[32];
	enum outcome found = auth->memory.secret(auth->memory.context, attempt->name, secret);

	if (found != EST_OK && found != EST_NOT_FOUND)
		return EST_UNAVAILABLE;
	reason_clear();
	key_sha256(attempt->password, digest);
	if (found == EST_NOT_FOUND)
		return EST_NOT_FOUND;
	identity_call(out, attempt->name);
	if (CRYPTO_memcmp(secret->digest, digest, sizeof(digest)) != 0)
		out->note = "wrong one-time secret";
	else if (secret->label != NULL && strcmp(secret->label, auth->label->name) != 0)
		out->note = "one-time secret of another label";
	else if (secret->used_at == 0 && secret->expires_at <= auth->now)
		out->note = "one-time secret has expired";
	else {
		out->proven |= PROOF_SECRET;
		out->spent |= secret->used_at != 0 ? PROOF_SECRET : 0;
		return EST_OK;
	}
	return EST_UNAUTHENTICATED;
}

/*
 * The same answer in the same time whether the account is unknown, of another label, or the
 * password wrong.
 */
static enum outcome look_up(const struct attempt *attempt, struct identity *out)
{
	enum outcome password = EST_NOT_FOUND, secret = EST_NOT_FOUND;

	if ((attempt->proofs & PROOF_PASSWORD) != 0)
		password = by_password(attempt, out);
	if (password == EST_OK || password == EST_UNAVAILABLE || password == EST_FORBIDDEN ||
	    (out->proven & PROOF_PASSWORD) != 0)
		return password;
	if ((attempt->proofs & PROOF_SECRET) != 0)
		secret = by_secret(attempt, out);
	if (secret == EST_OK || secret == EST_UNAVAILABLE)
		return secret;
	/* Somebody's password would have been hashed for this. */
	if (password == EST_NOT_FOUND && (attempt->proofs & PROOF_PASSWORD) != 0 &&
	    password_verify(attempt->password, NULL) == EST_UNAVAILABLE)
		return EST_UNAVAILABLE;
	if (out->note == NULL)
		out->note = "no such device";
	reason_clear();
	return refuse(AUTH_PASSWORD, "user name or password is wrong for this label");
}

enum outcome basic_identify(const struct auth *auth, unsigned proofs,
    const struct credentials *credentials, struct identity *out)
{
	struct attempt attempt = {.auth = auth, .proofs = proofs};
	struct buf plain = {0};
	enum outcome outcome;
	char *colon;

	if (credentials->authorization == NULL)
		return EST_NOT_FOUND;
	outcome = decode(credentials->authorization, &plain);
	if (outcome == EST_OK) {
		colon = memchr(plain.data, ':', plain.len);
		*colon = '\0';
		attempt.name = (const char *)plain.data;
		attempt.password = span_of(colon + 1);
		name_keys(&attempt, credentials);
		outcome = check_guesses(&attempt, out);
		if (outcome == EST_OK) {
			outcome = look_up(&attempt, out);
			count_guess(&attempt, outcome);
		}
	}
	buf_free(&attempt.account);
	buf_free(&attempt.address);
	buf_cleanse(&plain);
	return outcome;
}
