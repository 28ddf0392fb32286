/*
 * fuzz_credentials - an Authorization field: only the one password lets anybody in, and whatever
 * else stands there is refused under a code.
 *
 * The first octet chooses: the rest is the field as it is, or the user-id and password that are put
 * into one, so that the fuzzer need not learn base64. The stored hash is crypt(5)'s oldest and
 * cheapest; it looks at seven bits each of the first eight characters. Nobody is unknown here: that
 * would cost a real hash of 16 MB every time, on purpose.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <crypt.h>

#include "common/auth/method.h"
#include "common/base/encoding.h"

#define PASSWORD "gate8key"
#define NOW      INT64_C(1767225600)

static const char *const pump_names[] = {"pump*", NULL};
static const char *const other_labels[] = {"other", NULL};

/* "down" cannot be looked up just now, "elsewhere" is of another label. */
static enum outcome remembered_user(void *context, const char *name, struct user_record *out)
{
	if (strcmp(name, "down") == 0)
		return reason(EST_UNAVAILABLE, "the store is not there");
	out->memory = mem_string(name);
	out->name = out->memory;
	out->password = context;
	out->names = pump_names;
	out->labels = strcmp(name, "elsewhere") == 0 ? other_labels : NULL;
	return EST_OK;
}

static enum outcome remembered_certificate(
    void *context, const struct serial *serial, struct cert_record *out)
{
	(void)context;
	(void)serial;
	(void)out;
	return EST_NOT_FOUND;
}

static bool is_password(const char *password)
{
	size_t i = 0;

	while (i < 8 && password[i] != '\0' && (password[i] & 0x7f) == PASSWORD[i])
		i++;
	return i == 8 && strlen(password) <= 511;
}

/* Whether these credentials are good: NAME:PASSWORD. */
static bool is_good(struct span plain)
{
	char *text = fuzz_text(plain.data, plain.len), *colon = strchr(text, ':');
	bool good = strlen(text) == plain.len && colon != NULL && is_password(colon + 1) &&
		    strncmp(text, "down:", 5) != 0 && strncmp(text, "elsewhere:", 10) != 0;

	free(text);
	return good;
}

static enum outcome identify(const char *field)
{
	const struct config_label label = {.name = (char[]){"pumps"}};
	static struct crypt_data data;
	struct auth auth = {.label = &label,
	    .memory = {.user = remembered_user, .certificate = remembered_certificate},
	    .cache = 60,
	    .now = NOW};
	const struct credentials credentials = {.authorization = field};
	struct identity identity = {0};
	enum outcome outcome;

	if (data.output[0] == '\0')
		must(crypt_r(PASSWORD, "ef", &data) != NULL && data.output[0] == 'e');
	auth.memory.context = data.output;
	outcome = basic_identify(&auth, PROOF_PASSWORD, &credentials, &identity);
	if (outcome == EST_OK)
		must(identity.user.name != NULL && strchr(identity.user.name, ':') == NULL);
	identity_clear(&identity);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {data + 1, size - 1};
	struct buf field = {0}, plain = {0};
	enum outcome outcome;
	char *text;

	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		buf_add_span(&field, rest);
	} else {
		buf_add_string(&field, "Basic ");
		base64_encode(&field, rest, 0);
	}
	reason_clear();
	text = fuzz_text(field.data, field.len);
	outcome = fuzz_judged(identify(text));
	must(outcome == EST_OK || outcome == EST_UNAUTHENTICATED || outcome == EST_UNAVAILABLE);
	if (data[0] % 2 != 0)
		must((outcome == EST_OK) == (is_good(rest) && field.len <= 8192));
	else if (outcome == EST_OK)
		must(base64_decode(&plain, span_of(text + strlen("Basic "))) == EST_OK &&
		     is_good(buf_span(&plain)));
	free(text);
	buf_free(&field);
	buf_free(&plain);
	return 0;
}
