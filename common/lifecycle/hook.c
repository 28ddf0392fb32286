#include "common/lifecycle/hook.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/encoding.h"
#include "common/base/file.h"
#include "common/base/helper.h"
#include "common/base/json.h"
#include "common/base/refusal.h"
#include "common/base/utf8.h"
#include "common/pki/key.h"
#include "common/pki/key_pair.h"

enum {
	VERSION = 1,       /* of what it gets; another one where a member changes its meaning */
	REASON_MOST = 200, /* octets of its reason that reach the device */
	RETRY_MOST = 86400 /* seconds that it may have the device wait */
};

/* --- which program --- */

enum outcome hook_prepare(const struct config *config, struct helper **out)
{
	char **programs = mem_alloc((config->label_count + 1) * sizeof(programs[0]));
	char *here = getcwd(NULL, 0); /* est.conf may have been named relative to it */
	enum outcome outcome = EST_OK;
	size_t count = 0;

	*out = NULL;
	for (size_t i = 0; i < config->label_count; i++)
		if (config->labels[i].hook != NULL)
			programs[count++] =
			    file_path(here == NULL ? "/" : here, config->labels[i].hook);
	if (count > 0)
		outcome = helper_start((const char *const *)programs, count, out);
	while (count > 0)
		free(programs[--count]);
	free(programs);
	free(here);
	return outcome;
}

bool hook_wanted(const struct enrollment *enrollment)
{
	return enrollment->label->config->hook != NULL;
}

/* Its place in the list of hook_prepare(). */
static size_t place_of(const struct config *config, const struct config_label *label)
{
	size_t place = 0;

	for (size_t i = 0; &config->labels[i] != label; i++)
		place += config->labels[i].hook != NULL;
	return place;
}

/* --- what it gets --- */

static void add_proven(struct buf *out, unsigned proven)
{
	static const struct {
		enum proof proof;
		const char *word;
	} words[] = {
	    {PROOF_PASSWORD, "\"basic\""},
	    {PROOF_SECRET, "\"secret\""},
	    {PROOF_CERTIFICATE, "\"certificate\""},
	    {PROOF_SRP, "\"srp\""},
	    {PROOF_EXTERNAL, "\"external\""},
	};
	const char *between = "";

	buf_add_string(out, ",\"proven\":[");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((proven & (unsigned)words[i].proof) == 0)
			continue;
		buf_printf(out, "%s%s", between, words[i].word);
		between = ",";
	}
	buf_add_byte(out, ']');
}

/* A comma within a name is written as %2C there (san_text()). */
static void add_names(struct buf *out, const char *names)
{
	buf_add_string(out, ",\"names\":[");
	while (*names != '\0') {
		size_t len = strcspn(names, ",");
		json_quote(out, (struct span){(const unsigned char *)names, len});
		names += len;
		if (*names == ',') {
			buf_add_byte(out, ',');
			names++;
		}
	}
	buf_add_byte(out, ']');
}

static void add_digest(struct buf *out, const char *member, const unsigned char digest[static 32])
{
	struct buf hex = {0};

	hex_encode(&hex, (struct span){digest, 32});
	json_add(out, member, buf_span(&hex));
	buf_free(&hex);
}

/* Of a key that is to be made here, its kind is all that there is. */
static void add_key(struct buf *out, const struct enrollment *enrollment)
{
	const struct label *label = enrollment->label;
	const struct csr *csr = &enrollment->csr;

	if (enrollment->act == ACT_GENERATE) {
		json_add_string(out, "key_type",
		    key_pair_word(
			label->config->generated_key, &label->profile->config->keys, &csr->key));
		return;
	}
	json_add_string(out, "key_type", key_word(&csr->key));
	add_digest(out, "spki_sha256", enrollment->record.spki);
}

/* One object on one line, of printable characters of valid UTF-8, whatever the request holds. */
static void describe(const struct enrollment *enrollment, struct buf *out)
{
	const struct cert_record *record = &enrollment->record;
	const struct csr *csr = &enrollment->csr;
	unsigned char digest[32];

	json_begin(out);
	json_add_number(out, "version", VERSION);
	json_add_string(out, "label", record->label);
	json_add_string(out, "operation", record->operation);
	json_add_string(out, "profile", record->profile);
	json_add_string(out, "device", record->name);
	json_add_string(out, "identity", record->identity);
	add_proven(out, enrollment->identity->proven);
	json_add_string(out, "address", enrollment->address);
	json_add_string(out, "subject", record->subject);
	add_names(out, record->names);
	add_key(out, enrollment);
	if (csr->der.len > 0) { /* a request that is no PKCS#10 has none */
		key_sha256(csr->der, digest);
		add_digest(out, "csr_sha256", digest);
	}
	if (enrollment->cmc)
		json_add_true(out, "cmc");
	if (enrollment->linking.linked)
		json_add_true(out, "linked");
	if (enrollment->identity->is_ra)
		json_add_true(out, "ra");
	json_end(out);
}

/* --- what it answers --- */

static enum outcome answer_allow(struct enrollment *enrollment, const char *why, int64_t seconds)
{
	(void)enrollment;
	(void)why;
	(void)seconds;
	return EST_OK;
}

static enum outcome answer_deny(struct enrollment *enrollment, const char *why, int64_t seconds)
{
	(void)enrollment;
	(void)seconds;
	return refuse(HOOK_DENIED, "%s",
	    why[0] != '\0' ? why : "the operator's rules do not allow this certificate");
}

static enum outcome answer_wait(struct enrollment *enrollment, const char *why, int64_t seconds)
{
	enrollment->retry_after = (unsigned)seconds;
	return refuse(HOOK_WAITING, "%s; ask again in %u seconds",
	    why[0] != '\0' ? why : "it is not decided yet whether there will be a certificate",
	    enrollment->retry_after);
}

static const struct decision {
	const char *word;
	enum outcome (*answer)(struct enrollment *enrollment, const char *why, int64_t seconds);
} decisions[] = {
    {"allow", answer_allow},
    {"deny", answer_deny},
    {"wait", answer_wait},
};

static enum outcome bad_answer(const char *what)
{
	return reason(EST_UNAVAILABLE, "the answer is not in form: %s", what);
}

/* As est-hook(7) writes it: no more than the answer is to hold, on one line, safe to show. */
static void clean_reason(struct span text, struct buf *out)
{
	while (text.len > 0) {
		uint32_t c;
		size_t used = utf8_decode(text, &c);
		if (used == 0 || out->len + used > REASON_MOST)
			break;
		if (utf8_is_control(c) || utf8_is_hidden(c))
			buf_add_byte(out, ' ');
		else
			buf_add(out, text.data, used);
		text.data += used;
		text.len -= used;
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
}

/* false: a member is there that is no such value; one that is null is not there. */
static bool read_reason(const json_t *answer, struct buf *out)
{
	const json_t *text = json_object_get(answer, "reason");

	if (text == NULL || json_is_null(text))
		return true;
	if (!json_is_string(text))
		return false;
	clean_reason(
	    (struct span){(const unsigned char *)json_string_value(text), json_string_length(text)},
	    out);
	return true;
}

static bool read_seconds(const json_t *answer, int64_t *seconds)
{
	const json_t *number = json_object_get(answer, "retry_after");

	if (number == NULL || json_is_null(number))
		return true;
	*seconds = json_integer_value(number); /* 0 where it is none */
	return *seconds >= 1 && *seconds <= RETRY_MOST;
}

static const struct decision *read_decision(const json_t *answer)
{
	const char *word = json_string_value(json_object_get(answer, "decision"));

	for (size_t i = 0; word != NULL && i < sizeof(decisions) / sizeof(decisions[0]); i++)
		if (strcmp(word, decisions[i].word) == 0)
			return &decisions[i];
	return NULL;
}

static enum outcome take(struct enrollment *enrollment, const json_t *answer)
{
	const struct decision *decision = read_decision(answer);
	int64_t seconds = enrollment->label->config->approval_retry;
	struct buf why = {0};
	enum outcome outcome;

	if (!json_is_object(answer))
		outcome = bad_answer("it is no JSON object, or more than one");
	else if (decision == NULL)
		outcome = bad_answer("\"decision\" is none of allow, deny and wait");
	else if (!read_reason(answer, &why))
		outcome = bad_answer("\"reason\" is no text");
	else if (!read_seconds(answer, &seconds))
		outcome = bad_answer("\"retry_after\" is no whole number from 1 to 86400");
	else
		outcome = decision->answer(enrollment, buf_string(&why), seconds);
	buf_free(&why);
	return outcome;
}

/* Whatever went wrong: the text says what, and the code that it was the hook. */
static enum outcome fail(void)
{
	char *why = mem_string(reason_text());
	enum outcome outcome;

	reason_clear();
	outcome = refuse(HOOK_FAILED, "the hook: %s", why);
	free(why);
	return outcome;
}

enum outcome hook_ask(struct service *service, struct enrollment *enrollment)
{
	const struct config_label *label = enrollment->label->config;
	struct buf question = {0}, text = {0};
	json_t *answer = NULL;
	enum outcome outcome;

	if (service->helper == NULL)
		return refuse(HOOK_FAILED, "this program starts no hooks");
	describe(enrollment, &question);
	outcome = helper_run(service->helper, place_of(service->config, label), buf_span(&question),
	    label->hook_timeout, &text);
	if (outcome == EST_OK) {
		answer =
		    json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
		outcome = take(enrollment, answer);
	}
	json_decref(answer);
	buf_free(&question);
	buf_free(&text);
	return outcome == EST_OK || refusal_recorded(outcome) == HOOK_DENIED ||
		       refusal_recorded(outcome) == HOOK_WAITING
		   ? outcome
		   : fail();
}
