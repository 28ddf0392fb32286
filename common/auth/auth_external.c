/*
 * auth_external.c - who others have authenticated: the TLS layer by SRP, and the web server by a
 * way of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auth/method.h"
#include "common/auth/srp.h"
#include "common/base/refusal.h"

#define NAME_MOST 255

/*
 * Whether a name may stand in a pattern: it is to match itself, and no range of names or
 * addresses.
 */
static bool is_plain(const char *name)
{
	return name[0] != '\0' && strlen(name) <= NAME_MOST && strpbrk(name, "*/") == NULL;
}

/* A pattern with the name in the place of each {user}; appends it and its NUL. */
static void substitute(const char *pattern, const char *name, struct buf *out)
{
	static const char user[] = "{user}";
	const char *at;

	for (; (at = strstr(pattern, user)) != NULL; pattern = at + sizeof(user) - 1) {
		buf_add(out, pattern, (size_t)(at - pattern));
		buf_add_string(out, name);
	}
	buf_add(out, pattern, strlen(pattern) + 1);
}

/* Somebody whom the store does not know. */
struct stranger {
	const char *name, *record; /* as it was authenticated; as its record would be named */
	const char *const *patterns;
	size_t count;
};

/*
 * A record of a stranger, who may ask for what the patterns say. One block holds all of it, as of
 * every record.
 */
static void make_record(const struct stranger *stranger, struct user_record *out)
{
	size_t count = stranger->count, len = strlen(stranger->record) + 1;
	struct buf text = {0};
	const char **names;
	char *at;

	for (size_t i = 0; i < count; i++)
		if (is_plain(stranger->name) || strstr(stranger->patterns[i], "{user}") == NULL)
			substitute(stranger->patterns[i], stranger->name, &text);
	*out = (struct user_record){.roles = 1U << ROLE_ENROLL};
	out->memory = mem_alloc((count + 1) * sizeof(char *) + text.len + len);
	names = out->memory;
	at = (char *)(names + count + 1);
	if (text.len > 0)
		memcpy(at, text.data, text.len);
	for (const char *end = at + text.len; at < end; at += strlen(at) + 1)
		*names++ = at;
	*names = NULL;
	memcpy(at, stranger->record, len);
	out->name = at;
	out->password = "*";
	out->names = out->memory;
	buf_free(&text);
}

/* What the store knows of the account; EST_NOT_FOUND. */
static enum outcome recall(
    const struct auth *auth, const char *record, enum refusal refusal, struct user_record *out)
{
	enum outcome outcome = auth->memory.user(auth->memory.context, record, out);

	if (outcome == EST_NOT_FOUND) {
		reason_clear();
		return EST_NOT_FOUND;
	}
	if (outcome != EST_OK)
		return EST_UNAVAILABLE;
	return user_label_allowed(out, auth->label->name)
		   ? EST_OK
		   : refuse(refusal, "the account is for other labels");
}

/* --- TLS-SRP --- */

enum outcome srp_identify(const struct auth *auth, unsigned proofs,
    const struct credentials *credentials, struct identity *out)
{
	const struct words *patterns = &auth->label->external_names;
	struct stranger stranger = {
	    .patterns = (const char *const *)patterns->word, .count = patterns->count};
	const char *cipher = credentials->cipher, *name = credentials->srp_user;
	struct buf record = {0};
	enum outcome outcome;

	(void)proofs;
	/* The variable alone could be left over from elsewhere; the cipher suite is what did it. */
	if (name == NULL || name[0] == '\0' || cipher == NULL || strncmp(cipher, "SRP-", 4) != 0)
		return EST_NOT_FOUND;
	/*
	 * Of a resumed session the user is whoever the client names in its hello: no password was
	 * proven in it.
	 */
	if (credentials->resumed == NULL || strcmp(credentials->resumed, "Initial") != 0)
		return refuse(AUTH_SRP, "the TLS session was resumed, which proves no user of "
					"TLS-SRP; connect anew, and switch SSLSessionCache off");
	buf_printf(&record, "srp:%s", name);
	stranger.name = name;
	stranger.record = buf_string(&record);
	identity_call(out, stranger.record);
	outcome = recall(auth, stranger.record, AUTH_SRP, &out->srp);
	if (outcome == EST_NOT_FOUND) {
		make_record(&stranger, &out->srp);
		outcome = EST_OK;
	}
	buf_free(&record);
	if (outcome == EST_OK)
		outcome = account_check(auth, &out->srp, PROOF_SRP, out);
	if (outcome == EST_OK && !srp_info_has_role(credentials->srp_info, "enroll"))
		outcome =
		    refuse(AUTH_ROLE, "the account of TLS-SRP has other roles than to enroll");
	if (outcome == EST_OK)
		out->proven |= PROOF_SRP;
	return outcome;
}

/* --- the web server's own authentication --- */

/*
 * Those that set REMOTE_USER only after a check of their own. nginx and HAProxy set it to what
 * stands in the client's header.
 */
static bool is_checking(const char *server)
{
	static const char *const checking[] = {"Apache", "lighttpd"};

	for (size_t i = 0; server != NULL && i < sizeof(checking) / sizeof(checking[0]); i++) {
		size_t len = strlen(checking[i]);
		if (strncmp(server, checking[i], len) == 0 &&
		    (server[len] == '\0' || server[len] == '/' || server[len] == ' '))
			return true;
	}
	return false;
}

/*
 * Directories know one user in any letter case, with blanks more or less: what is said of alice
 * holds for " ALICE".
 */
static void fold(const char *name, struct buf *out)
{
	struct buf lower = {0};
	bool blank = false;

	buf_add_lower(&lower, name);
	for (const char *c = buf_string(&lower); *c != '\0'; c++) {
		if (*c != ' ' && blank && out->len > 0)
			buf_add_byte(out, ' ');
		blank = *c == ' ';
		if (!blank)
			buf_add_byte(out, (unsigned char)*c);
	}
	buf_free(&lower);
}

/*
 * The record of the name as it came, else of what it is folded to. Records of other kinds have a
 * colon in their names, and the one without a name is that of a token: neither is anybody's account
 * here.
 */
static enum outcome recall_external(
    const struct auth *auth, const char *name, const char *folded, struct user_record *out)
{
	enum outcome outcome;

	if (folded[0] == '\0' || strchr(folded, ':') != NULL)
		return EST_NOT_FOUND;
	outcome = recall(auth, name, AUTH_EXTERNAL, out);
	return outcome == EST_NOT_FOUND ? recall(auth, folded, AUTH_EXTERNAL, out) : outcome;
}

enum outcome external_identify(const struct auth *auth, unsigned proofs,
    const struct credentials *credentials, struct identity *out)
{
	const struct words *patterns = &auth->label->external_names;
	struct stranger stranger = {
	    NULL, NULL, (const char *const *)patterns->word, patterns->count};
	struct buf folded = {0};
	enum outcome outcome;

	(void)proofs;
	if (credentials->remote_user == NULL || credentials->remote_user[0] == '\0')
		return EST_NOT_FOUND;
	if (credentials->auth_type == NULL || !is_checking(credentials->server))
		return refuse(AUTH_EXTERNAL, "the web server is none that names only users whom it "
					     "has authenticated, so its REMOTE_USER counts for "
					     "nothing");
	out->by_server = true;
	fold(credentials->remote_user, &folded);
	stranger.name = stranger.record = buf_string(&folded);
	identity_call(out, stranger.name);
	outcome = recall_external(auth, credentials->remote_user, stranger.name, &out->external);
	if (outcome == EST_NOT_FOUND) {
		make_record(&stranger, &out->external);
		outcome = EST_OK;
	}
	buf_free(&folded);
	if (outcome == EST_OK)
		outcome = account_check(auth, &out->external, PROOF_EXTERNAL, out);
	if (outcome == EST_OK)
		out->proven |= PROOF_EXTERNAL;
	return outcome;
}
