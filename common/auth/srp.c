/*
 * A line has six fields with a tab between them, as OpenSSL's TXT_DB has them: a tab within one has
 * a backslash before it. The first field is what the line is:
 *
 * 	V  a user: verifier, salt, name, group, information
 * 	R  the same, revoked
 * 	I  a group: N, g, its name, and two that mean nothing. Of the last one are the parameters
 * 	   that are invented for unknown users (SSLSRPUnknownUserSeed); without any it is 8192.
 *
 * The numbers are base64 with an alphabet of its own, and zero bits in front instead of behind.
 */
#include "common/auth/srp.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/auth/srp_verifier.h"
#include "common/base/file.h"
#include "common/base/utf8.h"

#define FILE_MOST     67108864 /* octets: 50000 users and more */
#define FILE_MODE     0640
#define GROUP_DEFAULT "3072"
#define GROUP_OPENSSL "8192" /* of unknown users, where no line of the file says another */

enum { TYPE, VERIFIER, SALT, NAME, GROUP, INFO, FIELDS };

struct line {
	struct span whole; /* its LF included, if it has one */
	struct buf field[FIELDS];
	bool is_comment;
};

static void line_clear(struct line *line)
{
	for (size_t i = 0; i < FIELDS; i++)
		buf_free(&line->field[i]);
	*line = (struct line){0};
}

static bool line_is(const struct line *line, const char *types)
{
	const struct buf *type = &line->field[TYPE];

	return type->len > 0 && type->data[0] != '\0' && strchr(types, type->data[0]) != NULL;
}

static bool line_is_of(struct line *line, const char *name)
{
	return line_is(line, "VvR") && strcmp(buf_string(&line->field[NAME]), name) == 0;
}

/* Splits it into its six fields; false where these are more or fewer. */
static bool line_split(struct line *line, struct span text)
{
	size_t field = 0;

	for (size_t i = 0; i < text.len; i++) {
		bool escaped = i > 0 && text.data[i - 1] == '\\';
		if (text.data[i] != '\t') {
			buf_add_byte(&line->field[field], text.data[i]);
		} else if (escaped) {
			line->field[field].data[line->field[field].len - 1] = '\t';
		} else if (++field == FIELDS) {
			return false;
		}
	}
	return field == FIELDS - 1;
}

/* The next line of rest, which gets shorter by it; false at the end, or where it is none. */
static bool line_next(struct span *rest, struct line *line)
{
	const unsigned char *end = memchr(rest->data, '\n', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);

	line_clear(line);
	line->whole = (struct span){rest->data, len + (end == NULL ? 0 : 1)};
	line->is_comment = len > 0 && rest->data[0] == '#';
	if (!line->is_comment && !line_split(line, (struct span){rest->data, len}))
		return false;
	rest->data += line->whole.len;
	rest->len -= line->whole.len;
	return true;
}

/* --- a role --- */

#define ROLE_KEY "role="

/* Whether it speaks of roles in any way, such as "Role = audit": then who has none is refused. */
static bool mentions_role(const char *info)
{
	static const char word[] = "role";
	bool inside = false; /* of a word */

	for (; *info != '\0'; info++) {
		if (!inside && strncasecmp(info, word, strlen(word)) == 0)
			return true;
		inside = isalnum((unsigned char)*info) != 0;
	}
	return false;
}

bool srp_info_has_role(const char *info, const char *role)
{
	size_t key = strlen(ROLE_KEY);

	if (info == NULL)
		info = "";
	for (const char *word = info; *word != '\0';) {
		size_t len = strcspn(word, ",");
		if (len == key + strlen(role) && strncasecmp(word, ROLE_KEY, key) == 0 &&
		    strncmp(word + key, role, strlen(role)) == 0)
			return true;
		word += len + (word[len] == ',');
	}
	return strcmp(role, "enroll") == 0 && !mentions_role(info);
}

/* --- reading --- */

static enum outcome bad_line(const char *path, size_t number)
{
	return reason(EST_MALFORMED,
	    "line %zu of %.200s is not one of openssl-srp(1): six fields with tabs between them",
	    number, path);
}

/* One block of memory that all three texts are in. */
static void add_user(struct srp_users *users, struct line *line)
{
	static const int fields[] = {NAME, INFO, GROUP};
	const char *texts[3];
	struct buf memory = {0};

	for (size_t i = 0; i < 3; i++) {
		buf_add_string(&memory, buf_string(&line->field[fields[i]]));
		buf_add_byte(&memory, '\0');
	}
	texts[0] = (const char *)memory.data;
	texts[1] = texts[0] + strlen(texts[0]) + 1;
	texts[2] = texts[1] + strlen(texts[1]) + 1;
	users->user = mem_grow(users->user, (users->count + 1) * sizeof(*users->user));
	users->user[users->count++] = (struct srp_user){.name = texts[0],
	    .info = texts[1],
	    .group = texts[2],
	    .revoked = line_is(line, "R"),
	    .memory = memory.data};
}

enum outcome srp_file_read(const char *path, struct srp_users *out)
{
	struct buf text = {0};
	struct line line = {0};
	struct span rest;
	size_t number = 0;
	enum outcome outcome;

	*out = (struct srp_users){0};
	outcome = file_read(path, FILE_MOST, &text);
	rest = buf_span(&text);
	while (outcome == EST_OK && rest.len > 0) {
		number++;
		if (!line_next(&rest, &line))
			outcome = bad_line(path, number);
		else if (line_is(&line, "VvR"))
			add_user(out, &line);
	}
	line_clear(&line);
	buf_cleanse(&text);
	return outcome;
}

void srp_users_clear(struct srp_users *users)
{
	for (size_t i = 0; i < users->count; i++)
		free(users->user[i].memory);
	free(users->user);
	*users = (struct srp_users){0};
}

/* --- changing --- */

/* A verifier file on its way from one content to the next. */
struct change {
	const char *path;
	int lock;          /* the directory, which nobody replaces, unlike the file */
	struct buf before; /* empty where there is no file */
	struct buf after;
	struct buf group; /* of unknown users; empty: the file holds no user and no group */
};

static enum outcome begin(struct change *change, const char *path)
{
	char *copy = mem_string(path);
	enum outcome outcome;
	int locked = -1;

	*change = (struct change){.path = path};
	change->lock = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (change->lock >= 0) {
		do
			locked = flock(change->lock, LOCK_EX);
		while (locked != 0 && errno == EINTR);
	}
	free(copy); /* keeps errno */
	if (locked != 0)
		return reason(errno == EACCES ? EST_FORBIDDEN : EST_UNAVAILABLE,
		    "cannot lock the directory of %.200s: %s", path, strerror(errno));
	outcome = file_read(path, FILE_MOST, &change->before);
	if (outcome == EST_NOT_FOUND) {
		reason_clear();
		outcome = EST_OK;
	}
	return outcome;
}

static enum outcome end(struct change *change, enum outcome outcome)
{
	if (outcome == EST_OK)
		outcome = file_write(change->path, FILE_MODE, buf_span(&change->after));
	if (change->lock >= 0)
		close(change->lock);
	buf_cleanse(&change->before);
	buf_cleanse(&change->after);
	buf_free(&change->group);
	return outcome;
}

/* The last one counts. */
static void take_group(struct change *change, const char *name)
{
	size_t prefix = strlen(SRP_GROUP_PREFIX);

	buf_reset(&change->group);
	buf_add_string(
	    &change->group, strncmp(name, SRP_GROUP_PREFIX, prefix) == 0 ? name + prefix : name);
}

/* Takes over every line but the user's, and says whether there was one that counts. */
static enum outcome take_others(struct change *change, const char *name, bool *found)
{
	struct span rest = buf_span(&change->before);
	struct line line = {0};
	enum outcome outcome = EST_OK;

	*found = false;
	for (size_t number = 1; rest.len > 0 && outcome == EST_OK; number++) {
		if (!line_next(&rest, &line)) {
			outcome = bad_line(change->path, number);
		} else if (line_is_of(&line, name)) {
			*found = *found || !line_is(&line, "R");
		} else {
			buf_add_span(&change->after, line.whole);
			if (line.whole.data[line.whole.len - 1] != '\n')
				buf_add_byte(&change->after, '\n');
		}
		if (line_is(&line, "I")) {
			take_group(change, buf_string(&line.field[NAME]));
		} else if (change->group.len == 0 && line_is(&line, "V")) {
			buf_add_string(&change->group, GROUP_OPENSSL);
		}
	}
	line_clear(&line);
	return outcome;
}

/* --- a new line --- */

static enum outcome check_text(const char *what, const char *text)
{
	struct span rest = span_of(text);

	while (rest.len > 0) {
		uint32_t c;
		size_t len = utf8_decode(rest, &c);
		if (len == 0 || utf8_is_control(c) || c == '\\')
			return reason(EST_MALFORMED,
			    "the %s of an SRP user may hold nothing but UTF-8, and no backslash or "
			    "control character",
			    what);
		rest.data += len;
		rest.len -= len;
	}
	return EST_OK;
}

static enum outcome check_user(const struct srp_user *user, struct span password)
{
	size_t len = strlen(user->name);
	enum outcome outcome = check_text("name", user->name);

	if (outcome == EST_OK && user->info != NULL)
		outcome = check_text("information", user->info);
	if (outcome != EST_OK)
		return outcome;
	if (len == 0 || len > SRP_NAME_MOST || strchr(user->name, ':') != NULL)
		return reason(EST_MALFORMED,
		    "the name of an SRP user has to have 1 to %d octets, and no colon",
		    SRP_NAME_MOST);
	return password.len > 0 && memchr(password.data, 0, password.len) == NULL
		   ? EST_OK
		   : reason(EST_MALFORMED, "a password is empty, or holds a NUL");
}

/* The user's group, else that of the file, else the default; the file's, where it has none. */
static enum outcome add_user_line(
    struct change *change, const struct srp_user *user, struct span password)
{
	const char *name = user->group != NULL     ? user->group
			   : change->group.len > 0 ? buf_string(&change->group)
						   : GROUP_DEFAULT;
	struct buf verifier = {0};
	enum outcome outcome = EST_OK;

	if (change->group.len == 0)
		outcome = srp_group_add(name, &change->after);
	if (outcome == EST_OK)
		outcome = srp_verifier_make(name, user->name, password, &verifier);
	if (outcome == EST_OK)
		buf_printf(&change->after, "V\t%s\t%s\t%s\t%s\n", buf_string(&verifier), user->name,
		    name, user->info == NULL ? "" : user->info);
	buf_cleanse(&verifier);
	return outcome;
}

enum outcome srp_file_add(
    const char *path, const struct srp_user *user, struct span password, bool replace)
{
	struct change change = {.lock = -1};
	bool found = false;
	enum outcome outcome = check_user(user, password);

	if (outcome != EST_OK)
		return outcome;
	outcome = begin(&change, path);
	if (outcome == EST_OK)
		outcome = take_others(&change, user->name, &found);
	if (outcome == EST_OK && found && !replace)
		outcome = reason(EST_CONFLICT,
		    "there is already a user \"%.100s\" in %.200s; --replace gives it another "
		    "verifier",
		    user->name, path);
	if (outcome == EST_OK)
		outcome = add_user_line(&change, user, password);
	return end(&change, outcome);
}

enum outcome srp_file_delete(const char *path, const char *name)
{
	struct change change;
	bool found = false;
	enum outcome outcome = begin(&change, path);

	if (outcome == EST_OK)
		outcome = take_others(&change, name, &found);
	if (outcome == EST_OK && !found)
		outcome =
		    reason(EST_NOT_FOUND, "there is no user \"%.100s\" in %.200s", name, path);
	return end(&change, outcome);
}
