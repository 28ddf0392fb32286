/*
 * fuzz_external - what web servers say of who they authenticated (REMOTE_USER, SSL_SRP_USER): it
 * counts only where they are such as do, and leads to no other account and no other name.
 *
 * The first octet chooses the way; the rest is up to four lines: the name, then AUTH_TYPE and
 * SERVER_SOFTWARE, or the cipher suite, SSL_SESSION_RESUMED and SSL_SRP_USERINFO. A line that is
 * missing is a variable that is.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <strings.h>

#include "common/auth/method.h"
#include "common/auth/srp.h"
#include "common/base/pattern.h"

#define LINES 4

static char own[] = "{user}", of[] = "pump-{user}.{user}", fixed[] = "fan";
static char *patterns[] = {own, of, fixed};

/* The registration authority and what is not asked for by its own kind of name may not be found. */
static enum outcome remembered_user(void *context, const char *name, struct user_record *out)
{
	const bool *srp = context;

	must(*srp ? strncmp(name, "srp:", 4) == 0 : strchr(name, ':') == NULL);
	if (strcmp(name, "down") == 0 || strcmp(name, "srp:down") == 0)
		return reason(EST_UNAVAILABLE, "the store is not there");
	if (strcmp(name, "web") != 0 && strcmp(name, "srp:tls") != 0)
		return reason(EST_NOT_FOUND, "no such user");
	out->memory = mem_string(name);
	out->name = out->memory;
	out->password = "*";
	out->roles = 1U << ROLE_ENROLL;
	return EST_OK;
}

static bool is_server(const char *server)
{
	size_t len = server == NULL ? 0 : strcspn(server, "/ ");

	return (len == 6 && strncmp(server, "Apache", len) == 0) ||
	       (len == 8 && strncmp(server, "lighttpd", len) == 0);
}

/* A stranger may have names that are made of his own, and what the label lets everybody have. */
static void check_names(const struct user_record *record, const char *name)
{
	static const char *const others[] = {"victim", "pump-victim.victim", "192.0.2.1", ""};

	for (size_t i = 0; record->names != NULL && record->names[i] != NULL; i++) {
		const char *pattern = record->names[i];
		must(pattern_matches(pattern, span_of(pattern)));
		must(strpbrk(pattern, "*/") == NULL);
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
			must(!pattern_matches(pattern, span_of(others[k])) ||
			     strcasecmp(name, others[k]) == 0 || strcasecmp(name, "victim") == 0);
	}
}

/* One user of a directory, in any letter case and with blanks more or less; free() it. */
static char *fold(const char *name)
{
	char *folded = mem_string(name == NULL ? "" : name), *to = folded;
	const char *from = folded;

	for (; *from != '\0'; from++)
		if (*from != ' ')
			*to++ = (char)(*from >= 'A' && *from <= 'Z' ? *from - 'A' + 'a' : *from);
		else if (to > folded && from[1] != ' ' && from[1] != '\0')
			*to++ = ' ';
	*to = '\0';
	return folded;
}

static void check(bool srp, const char *const line[LINES])
{
	const struct config_label label = {
	    .name = (char[]){"pumps"}, .external_names = {patterns, 3, 1}};
	const struct auth auth = {
	    .label = &label, .memory = {.context = &srp, .user = remembered_user}, .now = 1};
	const struct credentials credentials = {.remote_user = line[0],
	    .auth_type = line[1],
	    .server = line[2],
	    .srp_user = line[0],
	    .cipher = line[1],
	    .resumed = line[2],
	    .srp_info = line[3]};
	char *folded = fold(line[0]);
	const char *name = srp ? line[0] : folded;
	struct identity identity = {0};
	enum outcome outcome;
	bool counts, named = line[0] != NULL && line[0][0] != '\0';

	if (srp) {
		outcome = srp_identify(&auth, PROOF_SRP, &credentials, &identity);
		counts = named && line[1] != NULL && strncmp(line[1], "SRP-", 4) == 0 &&
			 line[2] != NULL && strcmp(line[2], "Initial") == 0 &&
			 srp_info_has_role(line[3], "enroll");
	} else {
		outcome = external_identify(&auth, PROOF_EXTERNAL, &credentials, &identity);
		counts = named && line[1] != NULL && is_server(line[2]);
	}
	if (outcome != EST_NOT_FOUND)
		(void)fuzz_judged(outcome);
	must((outcome == EST_OK) == (counts && strcmp(name, "down") != 0));
	must(identity.proven == (outcome != EST_OK ? 0U : srp ? PROOF_SRP : PROOF_EXTERNAL));
	if (outcome == EST_OK)
		check_names(srp ? &identity.srp : &identity.external, name);
	identity_clear(&identity);
	free(folded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line[LINES] = {NULL};
	char *text, *at;

	if (size == 0)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	at = text;
	for (size_t i = 0; i < LINES && at != NULL; i++)
		line[i] = strsep(&at, "\n");
	reason_clear();
	check(data[0] % 2 != 0, line);
	free(text);
	return 0;
}
